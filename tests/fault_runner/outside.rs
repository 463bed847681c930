//! What an appliance depends on beside routers: an identity provider and a receiver of alerts, both with bad days.

use crate::oidc_rig::{self, Idp, Key};
use crate::plan_rig::routers;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How somebody outside behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Good,
    /// Hangs up on everybody.
    Down,
    /// Takes everything and never answers.
    Hangs,
    /// Answers with an error of its own.
    Broken,
    Garbage,
}

/// The receiver of alerts.
#[derive(Clone)]
pub struct Endpoint {
    pub port: u16,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    mood: Mood,
    bodies: Vec<String>,
    spoilt: usize,
}

impl Endpoint {
    pub fn start() -> Endpoint {
        routers().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let shared = Shared { mood: Mood::Good, bodies: Vec::new(), spoilt: 0 };
            let endpoint = Endpoint { port: listener.local_addr().unwrap().port(), shared: Arc::new(Mutex::new(shared)) };
            let serving = endpoint.clone();
            #[allow(clippy::disallowed_methods, reason = "it ends with the test's process")]
            tokio::spawn(async move {
                // A scenario that is over lets go of its clones: nobody comes any more.
                while Arc::strong_count(&serving.shared) > 1 {
                    let accepted = tokio::time::timeout(IDLE, listener.accept()).await;
                    let Ok(Ok((stream, _))) = accepted else { continue };
                    tokio::spawn(serving.clone().serve(stream));
                }
            });
            endpoint
        })
    }

    async fn serve(self, mut stream: TcpStream) {
        let mood = {
            let mut shared = self.shared.lock().unwrap();
            shared.spoilt += usize::from(shared.mood != Mood::Good);
            shared.mood
        };
        if mood == Mood::Down {
            return;
        }
        let mut all = Vec::new();
        let mut some = [0; 4_096];
        while whole(&all).is_none() {
            match stream.read(&mut some).await {
                Ok(n) if n > 0 => all.extend_from_slice(&some[..n]),
                _ => return,
            }
        }
        if mood == Mood::Hangs {
            // Until the caller has had enough.
            let _ = stream.read(&mut some).await;
            return;
        }
        self.shared.lock().unwrap().bodies.extend(whole(&all));
        let answer: &[u8] = match mood {
            Mood::Broken => b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            Mood::Garbage => b"\x00\xff what HTTP is I do not know\r\n\r\n",
            _ => b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        };
        let _ = stream.write_all(answer).await;
    }

    pub fn set(&self, mood: Mood) {
        self.shared.lock().unwrap().mood = mood;
    }

    /// What came since the last time this was asked.
    pub fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.lock().unwrap().bodies)
    }

    /// How often somebody came in a bad mood of ours, since the last time this was asked.
    pub fn spoilt(&self) -> usize {
        std::mem::take(&mut self.shared.lock().unwrap().spoilt)
    }
}

/// Between looks whether anybody still needs the receiver.
const IDLE: std::time::Duration = std::time::Duration::from_secs(1);

/// The body of a request that has come whole.
fn whole(all: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(all);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(|n| n.trim().to_owned()));
    let length: usize = length.and_then(|n| n.parse().ok()).unwrap_or(0);
    (body.len() >= length).then(|| body.to_owned())
}

/// The identity provider, and the key its tokens are signed with.
pub struct Provider {
    idp: Idp,
    key: Key,
}

impl Provider {
    pub fn start() -> Provider {
        let key = Key::ec("one");
        let idp = routers().block_on(Idp::start(&[&key]));
        Provider { idp, key }
    }

    pub fn issuer(&self) -> String {
        self.idp.issuer()
    }

    pub fn set(&self, mood: Mood) {
        self.idp.set(match mood {
            Mood::Good => oidc_rig::Mood::Good,
            Mood::Down => oidc_rig::Mood::Down,
            // Bytes without an end are its way of never coming to an answer.
            Mood::Hangs => oidc_rig::Mood::Endless,
            Mood::Broken => oidc_rig::Mood::Error500,
            Mood::Garbage => oidc_rig::Mood::Garbage,
        });
    }

    /// A token of somebody who may change things.
    pub fn token(&self, now_ms: i64) -> String {
        self.key.sign(&oidc_rig::claims(&self.idp.issuer(), now_ms, serde_json::json!({ "roles": ["ops"] })))
    }
}
