//! What our user may do on a router, against what it needs there for what operators granted.
//!
//! A user that may more than it needs is a risk nobody asked for: whoever gets our store gets that too.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8978504/User>

use crate::fleet::device::{Capability, Device};
use std::collections::BTreeSet;

/// How the two compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It has what it needs and no more.
    Least,
    /// It lacks something.
    Short,
    /// It may more than it needs.
    Over,
    /// It may give itself every right.
    Full,
    /// It may not see its own rights, or the router did not tell them.
    Unknown,
}

impl Verdict {
    /// `least`, `short`, `over`, `full` or `unknown`.
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Least => "least",
            Verdict::Short => "short",
            Verdict::Over => "over",
            Verdict::Full => "full",
            Verdict::Unknown => "unknown",
        }
    }

    /// For people.
    pub fn about(self) -> &'static str {
        match self {
            Verdict::Least => "our user has the rights it needs, and no more",
            Verdict::Short => "our user lacks rights for what is granted here",
            Verdict::Over => "our user may more than it needs",
            Verdict::Full => "our user has full control: it may give itself every right",
            Verdict::Unknown => "what our user may do is not known: it may not see its own rights, or the router did not tell them",
        }
    }
}

/// One policy, and why it matters.
pub type Why = (String, &'static str);

/// The comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rights {
    /// In a word.
    pub verdict: Verdict,
    /// Policies it lacks, and what for.
    pub missing: Vec<Why>,
    /// Policies it does not need, and what they allow.
    pub excess: Vec<Why>,
}

/// Judges what the last probe found.
pub fn of(device: &Device) -> Rights {
    judge(device.facts.policies.as_deref(), &device.capabilities)
}

fn judge(granted: Option<&[String]>, capabilities: &BTreeSet<Capability>) -> Rights {
    let Some(granted) = granted else {
        return Rights { verdict: Verdict::Unknown, missing: Vec::new(), excess: Vec::new() };
    };
    let has = |policy: &str| granted.iter().any(|one| one == policy);
    let may = |capability| capabilities.contains(&capability);
    let changes = capabilities.iter().any(|one| *one != Capability::BandwidthTest);
    let mut needed = vec![("read", "reading"), ("api", "REST"), ("rest-api", "REST")];
    if changes {
        needed.extend([("write", "changes"), ("test", "proving that a change left the way in open")]);
    }
    if may(Capability::BandwidthTest) {
        needed.push(("test", "bandwidth tests"));
    }
    // Useful to everybody, and no way to more: ping, our own password, the way in when REST is off.
    let mut harmless = vec!["test", "password", "ssh"];
    if may(Capability::System) {
        harmless.extend(["reboot", "policy"]);
    }
    let missing: Vec<Why> = needed.iter().filter(|(policy, _)| !has(policy)).map(|(policy, what)| ((*policy).to_owned(), *what)).collect();
    let is_excess = |policy: &&String| !needed.iter().any(|(one, _)| one == *policy) && !harmless.contains(&policy.as_str());
    let excess: Vec<Why> = granted.iter().filter(is_excess).map(|policy| (policy.clone(), allows(policy))).collect();
    let verdict = match () {
        () if has("policy") && has("write") => Verdict::Full,
        () if !missing.is_empty() => Verdict::Short,
        () if !excess.is_empty() => Verdict::Over,
        () => Verdict::Least,
    };
    Rights { verdict, missing, excess }
}

/// What a policy lets somebody do who has our password.
fn allows(policy: &str) -> &'static str {
    match policy {
        "policy" => "manage users and groups: full control",
        "sensitive" => "read passwords and keys",
        "write" => "change the configuration",
        "ftp" => "read and write files",
        "reboot" => "restart it, and load backups and firmware",
        "sniff" => "record traffic",
        "romon" => "reach other routers through it",
        "local" | "telnet" | "winbox" | "web" => "log in another way",
        "dude" => "log in with the Dude",
        _ => "something we have no use for",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(policies: &[&str], capabilities: &[Capability]) -> Rights {
        let policies: Vec<String> = policies.iter().map(|one| (*one).to_owned()).collect();
        judge(Some(&policies), &capabilities.iter().copied().collect())
    }

    const READER: &[&str] = &["read", "test", "api", "rest-api"];

    #[test]
    fn what_the_bootstrap_script_makes_is_the_least() {
        assert_eq!(judged(READER, &[]).verdict, Verdict::Least);
        let writer = [READER, &["write", "password", "ssh"]].concat();
        assert_eq!(judged(&writer, &[Capability::Professional]).verdict, Verdict::Least);
    }

    #[test]
    fn more_than_is_needed_is_named_with_what_it_allows() {
        let over = judged(&[READER, &["write", "sensitive"]].concat(), &[]);
        assert_eq!(over.verdict, Verdict::Over);
        let named: Vec<&str> = over.excess.iter().map(|(policy, _)| policy.as_str()).collect();
        assert_eq!(named, ["write", "sensitive"]);
        let full = judged(&[READER, &["write", "policy"]].concat(), &[Capability::System]);
        assert_eq!((full.verdict, full.excess.len()), (Verdict::Full, 0), "even where it has a use");
    }

    #[test]
    fn what_is_lacking_is_named_with_what_for_and_unknown_is_no_praise() {
        let short = judged(&["read", "api", "rest-api"], &[Capability::Writes]);
        assert_eq!(short.verdict, Verdict::Short);
        assert_eq!(short.missing.iter().map(|(policy, _)| policy.as_str()).collect::<Vec<_>>(), ["write", "test"]);
        assert_eq!(judge(None, &BTreeSet::new()).verdict, Verdict::Unknown);
    }
}
