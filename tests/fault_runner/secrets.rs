//! Secrets that must not come out, and the log that is searched for them.

use routeros_mcp::sim::world::World;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// What every secret planted on a router begins with.
const PLANTED: &str = "canary-5ec2e7-";

/// Words that may stand nowhere outside.
pub struct Canaries(Vec<String>);

impl Canaries {
    pub fn of(words: &[&str]) -> Canaries {
        let mut all: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        all.push(PLANTED.to_owned());
        Canaries(all)
    }

    pub fn add(&mut self, word: &str) {
        self.0.push(word.to_owned());
    }

    /// Puts secrets wherever the router keeps any.
    pub fn plant(&self, world: &mut World) {
        let planted = world.plant_secrets(|path, attribute| format!("{PLANTED}{}-{attribute}", path.replace('/', "-")));
        assert!(planted.len() > 10, "there is hardly anything to find: {}", planted.len());
    }

    /// The first of them in a text.
    pub fn find(&self, text: &str) -> Option<&str> {
        self.0.iter().find(|word| text.contains(word.as_str())).map(String::as_str)
    }

    /// The first of them in bytes.
    pub fn find_in(&self, bytes: &[u8]) -> Option<&str> {
        self.find(&String::from_utf8_lossy(bytes))
    }
}

/// What the appliance writes to its log.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Lines>>);

#[derive(Default)]
struct Lines {
    new: Vec<u8>,
    /// What was taken last.
    old: String,
}

/// Lines of the log that a violation is shown with.
const TAIL: usize = 60;

impl Log {
    /// Listens, on this thread, until the guard goes.
    pub fn listen(&self) -> tracing::subscriber::DefaultGuard {
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO).with_writer(self.clone()).with_ansi(false);
        tracing::subscriber::set_default(subscriber.finish())
    }

    /// What came since the last time this was asked.
    pub fn taken(&self) -> String {
        let mut lines = self.0.lock().unwrap();
        lines.old = String::from_utf8_lossy(&std::mem::take(&mut lines.new)).into_owned();
        lines.old.clone()
    }

    /// The last lines, whether or not they were taken.
    pub fn tail(&self) -> String {
        let lines = self.0.lock().unwrap();
        let all = lines.old.clone() + &String::from_utf8_lossy(&lines.new);
        let skip = all.lines().count().saturating_sub(TAIL);
        all.lines().skip(skip).collect::<Vec<_>>().join("\n")
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().new.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Log;

    fn make_writer(&'w self) -> Log {
        self.clone()
    }
}
