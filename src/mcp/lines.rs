//! Lines from a stream, in bounded memory.
//!
//! A line longer than the limit is reported once and skipped to its newline without being kept; a stream that never
//! sends a newline costs one read buffer.

use std::io;
use tokio::io::{AsyncBufRead, AsyncBufReadExt};

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A line without its newline and carriage return. The last one may have had no newline.
    Whole(Vec<u8>),
    /// A line over the limit; the rest of it will be skipped.
    TooLong,
    /// The stream ended.
    End,
}

/// Reads `R` line by line.
#[derive(Debug)]
pub struct Lines<R> {
    input: R,
    held: Vec<u8>,
    limit: usize,
    skipping: bool,
    peak: usize,
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// At most `limit` bytes a line, without its newline.
    pub fn new(input: R, limit: usize) -> Self {
        Lines { input, held: Vec::new(), limit, skipping: false, peak: 0 }
    }

    /// The most bytes ever held of one line: never above the limit.
    pub fn peak_bytes(&self) -> usize {
        self.peak
    }

    /// The input, to say something to the other end or to close ours.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.input
    }

    /// The input, with whatever it has buffered after the last line.
    pub fn into_inner(self) -> R {
        self.input
    }

    /// The next line. May be dropped and called again without losing bytes.
    ///
    /// # Errors
    /// As the stream does.
    pub async fn next(&mut self) -> io::Result<Line> {
        loop {
            let chunk = self.input.fill_buf().await?;
            if chunk.is_empty() {
                return Ok(self.last());
            }
            let newline = memchr::memchr(b'\n', chunk);
            let part = &chunk[..newline.unwrap_or(chunk.len())];
            let taken = newline.map_or(chunk.len(), |at| at + 1);
            let fits = self.held.len() + part.len() <= self.limit;
            if !self.skipping && fits {
                self.held.extend_from_slice(part);
                self.peak = self.peak.max(self.held.len());
            }
            self.input.consume(taken);
            match (self.skipping, fits, newline.is_some()) {
                (true, _, ends) => self.skipping = !ends,
                (false, true, true) => return Ok(Line::Whole(self.take())),
                (false, true, false) => {}
                (false, false, ends) => {
                    self.held = Vec::new();
                    self.skipping = !ends;
                    return Ok(Line::TooLong);
                }
            }
        }
    }

    fn last(&mut self) -> Line {
        let rest = self.take();
        if rest.is_empty() { Line::End } else { Line::Whole(rest) }
    }

    fn take(&mut self) -> Vec<u8> {
        let mut line = std::mem::take(&mut self.held);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::BufReader;

    async fn all(input: &[u8], limit: usize, buffer: usize) -> (Vec<Line>, usize) {
        let mut lines = Lines::new(BufReader::with_capacity(buffer, input), limit);
        let mut seen = Vec::new();
        loop {
            let line = lines.next().await.unwrap();
            if line == Line::End {
                return (seen, lines.peak_bytes());
            }
            seen.push(line);
        }
    }

    fn whole(text: &str) -> Line {
        Line::Whole(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn lines_come_without_their_ends_whatever_the_chunks() {
        for buffer in [1, 2, 3, 7, 64] {
            let (lines, _) = all(b"one\r\n\ntwo\nlast", 8, buffer).await;
            assert_eq!(lines, [whole("one"), whole(""), whole("two"), whole("last")], "chunks of {buffer}");
        }
    }

    #[tokio::test]
    async fn a_long_line_is_reported_once_and_not_kept() {
        for buffer in [1, 4, 4096] {
            let mut input = b"short\n".to_vec();
            input.extend(std::iter::repeat_n(b'x', 20_000));
            input.extend(b"\nexactly8\nexactly10x\nend\n");
            let (lines, peak) = all(&input, 8, buffer).await;
            assert_eq!(lines, [whole("short"), Line::TooLong, whole("exactly8"), Line::TooLong, whole("end")], "chunks of {buffer}");
            assert!(peak <= 8, "held {peak}");
        }
    }

    #[tokio::test]
    async fn a_long_line_that_never_ends_is_reported_too() {
        let (lines, peak) = all(&[b'x'; 1000], 10, 16).await;
        assert_eq!((lines, peak <= 10), (vec![Line::TooLong], true));
    }
}
