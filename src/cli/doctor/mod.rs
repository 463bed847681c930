//! `doctor`: looks at the box and says what is wrong, what is weak, and what to do; with the appliance running or not.
//!
//! | file | holds |
//! |---|---|
//! | `machine.rs` | the machine: clock, disk, files, ports, names, the other process |
//! | `settings.rs` | the configuration, and how it could be harder; pure |

mod machine;
mod settings;

use crate::base::fault::{Fault, Kind};
use crate::cli::output;
use crate::config::{self, Inputs};
use serde_json::{Value, json};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// Works, and will not for ever, or not against everybody.
    Warning,
    /// Does not work.
    Problem,
}

impl Weight {
    fn as_str(self) -> &'static str {
        match self {
            Weight::Ok => "ok",
            Weight::Note => "note",
            Weight::Warning => "warning",
            Weight::Problem => "problem",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    what: &'static str,
    weight: Weight,
    said: String,
    next: Option<String>,
}

impl Finding {
    fn new(what: &'static str, weight: Weight, said: impl Into<String>) -> Finding {
        Finding { what, weight, said: said.into(), next: None }
    }

    fn next(self, next: impl Into<String>) -> Finding {
        Finding { next: Some(next.into()), ..self }
    }

    fn of(what: &'static str, fault: &Fault) -> Finding {
        let finding = Finding::new(what, Weight::Problem, fault.said.clone());
        match &fault.hint {
            Some(hint) => finding.next(hint.clone()),
            None => finding,
        }
    }
}

/// Looks at everything; errs, after telling, when something does not work.
pub fn run(inputs: &Inputs, as_json: bool) -> Result<(), Fault> {
    let mut findings = Vec::new();
    match config::load(inputs) {
        Ok(loaded) => {
            findings.push(settings::files(&loaded));
            findings.extend(loaded.warnings.iter().map(settings::warned));
            findings.extend(settings::hardening(&loaded.config));
            crate::cli::block_on(async {
                findings.extend(machine::look(&loaded).await);
                Ok(())
            })?;
        }
        Err(problems) => findings.extend(problems.list.iter().map(settings::warned)),
    }
    tell(&findings, as_json)
}

fn tell(findings: &[Finding], as_json: bool) -> Result<(), Fault> {
    let count = |weight| findings.iter().filter(|finding| finding.weight == weight).count();
    let (problems, warnings) = (count(Weight::Problem), count(Weight::Warning));
    if as_json {
        let one = |finding: &Finding| json!({"check": finding.what, "status": finding.weight.as_str(), "said": finding.said, "next": finding.next});
        output::json(&json!({
            "status": findings.iter().map(|finding| finding.weight).max().unwrap_or(Weight::Ok).as_str(),
            "problems": problems, "warnings": warnings,
            "findings": findings.iter().map(one).collect::<Vec<Value>>(),
        }));
    } else {
        for finding in findings {
            output::text(&format!("{:<8}{:<14}{}", finding.weight.as_str(), finding.what, finding.said));
            if let Some(next) = &finding.next {
                output::text(&format!("{:22}do: {next}", ""));
            }
        }
        output::text(&format!("{problems} problems, {warnings} warnings"));
    }
    match problems {
        0 => Ok(()),
        1 => Err(Fault::new(Kind::Config, "1 thing does not work").hint("what it is and what to do stands above")),
        n => Err(Fault::new(Kind::Config, format!("{n} things do not work")).hint("what they are and what to do stands above")),
    }
}
