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
    /// Memory of the process at the end of each scenario, bytes.
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

    /// By how much memory is more after the last scenario than after the first quarter of them; nothing where those are few.
    pub fn growth(&self) -> usize {
        match self.memory.as_slice() {
            few if few.len() < 8 => 0,
            all => all[all.len() - 1].saturating_sub(all[all.len() / 4]),
        }
    }

    pub fn add(&mut self, other: Report) {
        self.bursts += other.bursts;
        self.processes += other.processes;
        self.passed += other.passed;
        other.faults.into_iter().for_each(|(kind, n)| *self.faults.entry(kind).or_default() += n);
        other.outcomes.into_iter().for_each(|(outcome, n)| *self.outcomes.entry(outcome).or_default() += n);
        other.ends.into_iter().for_each(|(end, n)| *self.ends.entry(end).or_default() += n);
        self.memory.extend(other.memory);
        self.violations.extend(other.violations);
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
            writeln!(f, "{:<60}{text:>9}", "memory after the first and the last scenario, MB")?;
        }
        write!(f, "{:<60}{:>9}", "violations", self.violations.len())
    }
}
