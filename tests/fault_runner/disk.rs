//! A disk that refuses every write: the limit on the size of files, set to nothing. What was written stays and can be read.
//!
//! The limit is the whole process's, so this is done only where a process is one test (nextest). Each system call that writes then
//! answers `EFBIG`, for the store, the audit trail and whatever else, at whatever call comes next; errors of single calls are
//! another suite's.

use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};
use std::sync::Once;

/// Whether it can be done here without harm to other tests.
pub fn may_refuse() -> bool {
    std::env::var("NEXTEST_EXECUTION_MODE").is_ok_and(|mode| mode == "process-per-test")
}

/// Every write fails from now on.
pub fn refuse() {
    limit(Some(0));
}

/// They succeed again.
pub fn allow() {
    limit(getrlimit(Resource::Fsize).maximum);
}

fn limit(current: Option<u64>) {
    if may_refuse() {
        let maximum = getrlimit(Resource::Fsize).maximum;
        setrlimit(Resource::Fsize, Rlimit { current, maximum }).expect("a soft limit below the hard one may always be set");
    }
}

/// The kernel also sends a signal that ends whoever does not expect it. Needs a runtime.
pub fn expect_the_signal() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let kind = tokio::signal::unix::SignalKind::from_raw(Signal::XFSZ.as_raw());
        // What it is replaced with stays when this goes.
        drop(tokio::signal::unix::signal(kind).expect("a signal may be waited for"));
    });
}
