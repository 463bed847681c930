//! Files in directories that others may have written to.
//!
//! The state directory belongs to the service, and root's command line works in it while the service does not run. A service
//! that was taken over could have laid a link there under a name of ours; root would then write, and cut off, whatever file it
//! leads to.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;

/// Options that open no link: where one stands in the place of the file, opening errs.
pub fn unlinked() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32);
    options
}
