//! What a test does at a request: edit the router between two steps, count, or end something at the Nth.

use super::hold;
use super::world::World;
use std::sync::Mutex;

/// On which side of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// It came and nothing was done yet.
    Before,
    /// It was done and its answer has not left.
    After,
}

/// A request over REST or a command over SSH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Counted from 1 since the hook was set; before and after have the same number.
    pub number: usize,
    /// On which side.
    pub when: When,
    /// `GET`; `exec` for a command over SSH.
    pub method: String,
    /// The path after `/rest`; the command line over SSH.
    pub path: String,
    /// The request's body.
    pub body: String,
}

/// Commands behind a POST that only look.
const LOOKS: [&str; 6] = ["print", "get", "find", "inspect", "monitor", "ping"];

impl Step {
    /// Whether a request over REST changes nothing.
    pub fn looks(&self) -> bool {
        self.method == "GET" || self.method == "POST" && self.path.rsplit('/').next().is_some_and(|word| LOOKS.contains(&word))
    }
}

/// What becomes of the request and the router.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All goes on.
    Go,
    /// The connection closes without an answer.
    Close,
    /// No answer comes and the connection stays open, as when the link died without a word.
    Silence,
    /// All connections are cut, and no new ones are taken until the line is open again.
    CutLink,
    /// The router restarts.
    Reboot,
    /// The router loses power for a moment and keeps its clock.
    PowerCut,
}

type Act = Box<dyn FnMut(&Step, &mut World) -> Verdict + Send>;

struct Hook {
    seen: usize,
    act: Act,
}

/// The hooks of one router.
#[derive(Default)]
pub(super) struct Hooks(Mutex<Vec<Hook>>);

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} hooks", hold(&self.0).len())
    }
}

impl Hooks {
    pub fn add(&self, act: impl FnMut(&Step, &mut World) -> Verdict + Send + 'static) {
        hold(&self.0).push(Hook { seen: 0, act: Box::new(act) });
    }

    pub fn clear(&self) {
        hold(&self.0).clear();
    }

    pub fn any(&self) -> bool {
        !hold(&self.0).is_empty()
    }

    /// Calls all hooks; the first verdict that is not `Go` counts.
    pub fn call(&self, when: When, request: (&str, &str, &str), world: &mut World) -> Verdict {
        let (method, path, body) = request;
        let mut verdict = Verdict::Go;
        for hook in hold(&self.0).iter_mut() {
            hook.seen += usize::from(when == When::Before);
            let step = Step { number: hook.seen, when, method: method.into(), path: path.into(), body: body.into() };
            let said = (hook.act)(&step, world);
            if verdict == Verdict::Go {
                verdict = said;
            }
        }
        verdict
    }
}
