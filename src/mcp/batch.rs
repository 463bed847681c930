//! Batches, as protocol version 2025-03-26 has them: taken apart on their way in, their answers put together on their way out.

use crate::mcp::message::{self, Message, Refusal};
use std::collections::HashMap;

/// Messages in one batch.
const MAX_BATCH: usize = 64;

/// The batches of one client whose answers are not all there yet.
#[derive(Default)]
pub struct Batches {
    open: HashMap<u64, Batch>,
    last: u64,
}

/// Answers to a batch, sent together when the last one is there.
struct Batch {
    missing: usize,
    answers: Vec<Vec<u8>>,
}

impl Batches {
    /// The messages of a batch, and the number it goes by. Errs with what the client is answered.
    pub fn split(&mut self, line: &[u8]) -> Result<(u64, Vec<Vec<u8>>), Refusal> {
        let refuse = |said: &str| Refusal::new(message::INVALID_REQUEST, None, said);
        if message::depth(line) > message::MAX_DEPTH {
            return Err(refuse("the batch nests too deeply"));
        }
        let messages: Vec<serde_json::Value> =
            serde_json::from_slice(line).map_err(|_| Refusal::new(message::PARSE_ERROR, None, "the batch is not JSON"))?;
        if messages.is_empty() || messages.len() > MAX_BATCH {
            return Err(refuse(&format!("a batch has 1 to {MAX_BATCH} messages")));
        }
        self.last += 1;
        let lines: Vec<Vec<u8>> = messages.iter().map(|message| message.to_string().into_bytes()).collect();
        let is_answered = |line: &&Vec<u8>| matches!(message::inspect(line), Err(_) | Ok(Message::Request(_)));
        let missing = lines.iter().filter(is_answered).count();
        if missing > 0 {
            self.open.insert(self.last, Batch { missing, answers: Vec::new() });
        }
        Ok((self.last, lines))
    }

    /// Keeps an answer until its batch is complete: what goes out now, if anything does.
    pub fn answered(&mut self, batch: u64, answer: Vec<u8>) -> Option<Vec<u8>> {
        match self.open.get_mut(&batch) {
            Some(open) => {
                open.answers.push(answer);
                self.close_one(batch)
            }
            None => Some(answer),
        }
    }

    /// One message of the batch is answered or needs no answer any more: what goes out now, if anything does.
    pub fn close_one(&mut self, batch: u64) -> Option<Vec<u8>> {
        let open = self.open.get_mut(&batch)?;
        open.missing = open.missing.saturating_sub(1);
        if open.missing > 0 {
            return None;
        }
        let Batch { answers, .. } = self.open.remove(&batch)?;
        (!answers.is_empty()).then(|| [b"[".as_slice(), &answers.join(&b','), b"]"].concat())
    }
}
