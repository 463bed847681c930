//! Lines on their way out, so that a peer which does not read never keeps us from reading others.

use std::collections::VecDeque;
use std::io;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// Lines waiting for `W`. Whoever fills it looks at [`Outbox::bytes`] and stops in time.
#[derive(Debug)]
pub struct Outbox<W> {
    output: W,
    queue: VecDeque<Vec<u8>>,
    /// How much of the first line has been written.
    written: usize,
    bytes: usize,
    unflushed: bool,
}

impl<W: AsyncWrite + Unpin> Outbox<W> {
    /// Nothing waits yet.
    pub fn new(output: W) -> Self {
        Outbox { output, queue: VecDeque::new(), written: 0, bytes: 0, unflushed: false }
    }

    /// Adds a line; its newline is added here.
    pub fn push(&mut self, mut line: Vec<u8>) {
        line.push(b'\n');
        self.bytes += line.len();
        self.queue.push_back(line);
    }

    /// Bytes that wait.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Everything is written and flushed.
    pub fn is_empty(&self) -> bool {
        self.queue.is_empty() && !self.unflushed
    }

    /// Writes some of it. May be dropped and called again without losing or repeating bytes.
    ///
    /// # Errors
    /// As the stream does; a stream that takes nothing is closed.
    pub async fn pump(&mut self) -> io::Result<()> {
        let Some(line) = self.queue.front() else {
            self.output.flush().await?;
            self.unflushed = false;
            return Ok(());
        };
        let n = self.output.write(&line[self.written..]).await?;
        if n == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.unflushed = true;
        self.bytes -= n;
        self.written += n;
        if self.written == line.len() {
            self.queue.pop_front();
            self.written = 0;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncReadExt;

    #[tokio::test]
    async fn everything_arrives_in_order_through_a_narrow_pipe() {
        let (ours, mut theirs) = tokio::io::duplex(3);
        let mut outbox = Outbox::new(ours);
        outbox.push(b"first".to_vec());
        outbox.push(b"second".to_vec());
        assert_eq!(outbox.bytes(), 13);
        let mut got = Vec::new();
        while !outbox.is_empty() || got.len() < 13 {
            let mut some = [0; 2];
            tokio::select! {
                biased;
                n = theirs.read(&mut some) => got.extend_from_slice(&some[..n.unwrap()]),
                done = outbox.pump(), if !outbox.is_empty() => done.unwrap(),
            }
        }
        assert_eq!(got, b"first\nsecond\n");
        assert_eq!(outbox.bytes(), 0);
    }
}
