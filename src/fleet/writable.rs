//! Whether a router takes changes at all, as far as the device's record says. Nothing is asked.
//!
//! Changes are made over REST alone, and RouterOS refuses every one of a user without the policy `write`, some of them in words that
//! say nothing of it. Both are known before: whoever asks for a change is told then, not by what the router makes of it.

use crate::base::fault::{Fault, Kind};
use crate::fleet::device::{Device, Status};
use crate::fleet::registry::Fleet;

impl Fleet {
    /// Errs with `Denied` or `RouterDenied` when no change can reach this router, or it would refuse every one.
    pub fn takes_changes(&self, device: &Device) -> Result<(), Fault> {
        // What else stands against these is told in words of their own.
        if matches!(device.status, Status::Quarantined | Status::Decommissioned) || device.plain_http {
            return Ok(());
        }
        let has_password = self.shared.credential(device)?.has_password();
        if let Some(unused) = self.shared.rest_unused(device, has_password) {
            // Nobody to trust at REST, or nothing to log in with there.
            return Err(if unused.kind == Kind::Untrusted { over_ssh_alone(device) } else { unused });
        }
        match lacks_write(device) {
            true => Err(without_write(device)),
            false => Ok(()),
        }
    }
}

fn over_ssh_alone(device: &Device) -> Fault {
    let name = &device.name;
    Fault::denied(format!("device \"{name}\" is reached over SSH alone, and changes are made over REST; nothing was changed"))
        .hint(format!("enable www-ssl with a certificate on the router, compare that, then pin it: routeros-mcp device pin {name}"))
}

/// Known to lack it: where the router does not say what our user may do, it may have it.
fn lacks_write(device: &Device) -> bool {
    device.facts.policies.as_ref().is_some_and(|granted| !granted.iter().any(|policy| policy == "write"))
}

fn without_write(device: &Device) -> Fault {
    let (name, user) = (&device.name, &device.username);
    let said =
        format!("device \"{name}\": our user \"{user}\" there lacks the policy write, so the router refuses changes; nothing was changed");
    Fault::new(Kind::RouterDenied, said)
        .hint(format!("add write to the policies of its group on the router, then: routeros-mcp device test {name}"))
}
