//! The streams of a session that answer nothing (GET): what is told on them, so that it can be told again.
//!
//! - An event's id is `NUMBER-STREAM`. Numbers begin with 1 and are never given twice in a session; `0` is the one that rmcp
//!   gives to the answer of `initialize`, and those of requests have a slash.
//! - A message goes to one stream: the newest that somebody reads. Where nobody does it waits for whoever comes back to
//!   the stream that was newest; a stream that begins anew is told nothing old.

use rmcp::transport::streamable_http_server::session::ServerSseMessage;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// When a client is told to come back after its line broke.
pub const RETRY: Duration = Duration::from_secs(3);
/// Events kept of one session. They name what changed and not what it is now, so more of them tell little more.
const EVENTS: usize = 64;
/// Events that wait for a client; one that reads more slowly comes back for the rest.
const AHEAD: usize = 64;
/// Open streams of one session. More than one are those of a line that broke unnoticed.
const STREAMS: usize = 8;

/// Those of one session.
#[derive(Default)]
pub struct Standalone {
    /// The last number given.
    number: u64,
    /// Streams begun.
    begun: u64,
    /// The stream that the next event is of, where nobody listens.
    newest: u64,
    told: VecDeque<Told>,
    /// Who reads, the newest last.
    listeners: Vec<Listener>,
}

struct Told {
    number: u64,
    stream: u64,
    at: Duration,
    event: ServerSseMessage,
}

struct Listener {
    stream: u64,
    events: Sender<ServerSseMessage>,
}

impl Standalone {
    /// A new stream, which begins with an event that says where to go on if the client knows such (`primes`).
    pub fn begin(&mut self, primes: bool) -> Receiver<ServerSseMessage> {
        self.begun += 1;
        let (sender, receiver) = channel(AHEAD);
        if primes {
            let id = self.next_id(self.begun);
            // There is room: it is the first.
            let _ = sender.try_send(ServerSseMessage::priming(id, RETRY));
        }
        self.listen(self.begun, sender);
        receiver
    }

    /// A stream that broke off after the event of this id, from there on; `None`: nobody was told such an event.
    pub fn again(&mut self, last: &str) -> Option<Receiver<ServerSseMessage>> {
        let (number, stream) =
            parsed(last).filter(|(number, stream)| (1..=self.number).contains(number) && (1..=self.begun).contains(stream))?;
        let missed: Vec<_> =
            self.told.iter().filter(|told| told.stream == stream && told.number > number).map(|told| told.event.clone()).collect();
        let (sender, receiver) = channel(missed.len() + AHEAD);
        for event in missed {
            // There is room: it was made for them.
            let _ = sender.try_send(event);
        }
        // Whoever read it before is let go: its line broke, noticed or not.
        self.listeners.retain(|listener| listener.stream != stream);
        self.listen(stream, sender);
        Some(receiver)
    }

    /// Passes an event on, under an id of ours, and keeps it.
    pub fn tell(&mut self, mut event: ServerSseMessage, now: Duration) {
        self.listeners.retain(|listener| !listener.events.is_closed());
        let stream = self.listeners.last().map_or(self.newest, |listener| listener.stream);
        (event.event_id, event.retry) = (Some(self.next_id(stream)), None);
        if self.listeners.last().is_some_and(|listener| listener.events.try_send(event.clone()).is_err()) {
            self.listeners.pop();
        }
        if self.told.len() >= EVENTS {
            self.told.pop_front();
        }
        self.told.push_back(Told { number: self.number, stream, at: now, event });
    }

    /// Lets go of what was told so long ago.
    pub fn forget(&mut self, now: Duration, kept: Duration) {
        self.told.retain(|told| now.saturating_sub(told.at) < kept);
    }

    fn listen(&mut self, stream: u64, events: Sender<ServerSseMessage>) {
        self.newest = stream;
        self.listeners.retain(|listener| !listener.events.is_closed());
        if self.listeners.len() >= STREAMS {
            self.listeners.remove(0);
        }
        self.listeners.push(Listener { stream, events });
    }

    fn next_id(&mut self, stream: u64) -> String {
        self.number += 1;
        format!("{}-{stream}", self.number)
    }
}

fn parsed(id: &str) -> Option<(u64, u64)> {
    let (number, stream) = id.split_once('-')?;
    Some((number.parse().ok()?, stream.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn ids(receiver: &mut Receiver<ServerSseMessage>) -> Vec<String> {
        std::iter::from_fn(|| receiver.try_recv().ok()).filter_map(|event| event.event_id).collect()
    }

    fn tell(streams: &mut Standalone, times: usize) {
        (0..times).for_each(|_| streams.tell(ServerSseMessage::default(), NOW));
    }

    #[test]
    fn what_is_missed_is_told_once_and_to_its_own_stream_alone() {
        let mut streams = Standalone::default();
        let mut first = streams.begin(true);
        tell(&mut streams, 2);
        assert_eq!(ids(&mut first), ["1-1", "2-1", "3-1"], "the event that primes has a number of its own");
        drop(first);
        tell(&mut streams, 2);
        let mut second = streams.begin(true);
        tell(&mut streams, 1);
        assert_eq!(ids(&mut second), ["6-2", "7-2"], "nothing old on a stream that asks for none");
        assert_eq!(ids(&mut streams.again("3-1").unwrap()), ["4-1", "5-1"], "and nothing that another stream was told");
        assert!(ids(&mut streams.again("5-1").unwrap()).is_empty());
        for unknown in ["8-1", "0-1", "1-3", "1-0", "0", "3", "x", "", "-", "1-1-1", "99999999999999999999-1"] {
            assert!(streams.again(unknown).is_none(), "{unknown}");
        }
    }

    #[test]
    fn a_message_goes_to_the_newest_stream_that_is_read() {
        let mut streams = Standalone::default();
        let (mut old, mut new) = (streams.begin(false), streams.begin(false));
        tell(&mut streams, 1);
        assert_eq!((ids(&mut old), ids(&mut new)), (vec![], vec!["1-2".to_owned()]));
        let mut again = streams.again("1-2").unwrap();
        assert!(new.try_recv().is_err_and(|error| error == tokio::sync::mpsc::error::TryRecvError::Disconnected), "let go");
        tell(&mut streams, 1);
        assert_eq!(ids(&mut again), ["2-2"]);
        drop(again);
        tell(&mut streams, 1);
        assert_eq!(ids(&mut old), ["3-1"], "the other one is still read");
    }

    #[test]
    fn only_so_many_events_and_streams_are_kept_and_not_for_long() {
        let mut streams = Standalone::default();
        let mut open: Vec<_> = (0..=STREAMS).map(|_| streams.begin(true)).collect();
        assert_eq!(streams.listeners.len(), STREAMS);
        open.truncate(0);
        let mut slow = streams.begin(false);
        tell(&mut streams, AHEAD + 10);
        let read = ids(&mut slow);
        assert_eq!((read.len(), streams.told.len()), (AHEAD, EVENTS));
        assert_eq!(ids(&mut streams.again(read.last().unwrap()).unwrap()).len(), 10, "who reads too slowly comes back for the rest");
        streams.forget(Duration::from_secs(60), Duration::from_secs(60));
        assert!(streams.told.is_empty());
    }
}
