//! What a run came to: faults by kind, calls by outcome, ends of changes, and everything that was wrong.

use super::faults::Kind;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

#[derive(Debug, Default)]
pub struct Report {
    pub bursts: u32,
    pub processes: u32,
    /// By kind; those that never struck are not here.
    pub faults: BTreeMap<Kind, usize>,
    pub outcomes: BTreeMap<String, usize>,
    pub ends: BTreeMap<&'static str, usize>,
    /// Time that went by for the routers and for us.
    pub passed: Duration,
    /// Memory of this process at rest after each burst, bytes; not in what is added up.
    pub memory: Vec<usize>,
    pub violations: Vec<String>,
}

impl Report {
    pub fn struck(&self) -> usize {
        self.faults.values().sum()
    }

    pub fn calls(&self) -> usize {
        self.outcomes.values().sum()
    }

    /// By how much the process needs more at its most in the last quarter of the bursts than in the second; nothing where those are few.
    pub fn growth(&self) -> usize {
        let quarter = self.memory.len() / 4;
        let most = |of: &[usize]| of.iter().copied().max().unwrap_or(0);
        match quarter {
            0..5 => 0,
            _ => most(&self.memory[quarter * 3..]).saturating_sub(most(&self.memory[quarter..quarter * 2])),
        }
    }

    /// For scripts/faults, which adds up the reports of several processes: a line of JSON.
    pub fn line(&self) -> String {
        let faults: BTreeMap<&str, usize> =
            Kind::ALL.iter().map(|kind| (kind.words(), self.faults.get(kind).copied().unwrap_or(0))).collect();
        let counts = serde_json::json!({
            "faults": faults, "calls": self.outcomes, "changes": self.ends, "bursts": self.bursts, "processes": self.processes,
            "hours": self.passed.as_secs_f64() / 3_600.0, "violations": self.violations.len(),
        });
        format!("FAULTS {counts}")
    }

    pub fn count(&mut self, kind: Kind) {
        *self.faults.entry(kind).or_default() += 1;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<60}{:>9}", "faults that struck", self.struck())?;
        for kind in Kind::ALL {
            writeln!(f, "  {:<58}{:>9}", kind.words(), self.faults.get(&kind).copied().unwrap_or(0))?;
        }
        writeln!(f, "{:<60}{:>9}", "calls", self.calls())?;
        for (outcome, n) in &self.outcomes {
            writeln!(f, "  {outcome:<58}{n:>9}")?;
        }
        writeln!(f, "{:<60}{:>9}", "changes, a router each", self.ends.values().sum::<usize>())?;
        for (end, n) in &self.ends {
            writeln!(f, "  {end:<58}{n:>9}")?;
        }
        writeln!(f, "{:<60}{:>9}", "bursts", self.bursts)?;
        writeln!(f, "{:<60}{:>9}", "processes started", self.processes)?;
        writeln!(f, "{:<60}{:>9.1}", "hours that went by on the routers", self.passed.as_secs_f64() / 3_600.0)?;
        if let (Some(first), Some(last)) = (self.memory.first(), self.memory.last()) {
            let text = format!("{} to {}", first >> 20, last >> 20);
            writeln!(f, "{:<60}{text:>9}", "memory after the first and the last burst, MB")?;
        }
        write!(f, "{:<60}{:>9}", "violations", self.violations.len())
    }
}
