//! What an audit finds, and the plan that would mend it.

use crate::routeros::row::Row;
use crate::routeros::value;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How bad it is; worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Severity {
    // Not `///`: a description each would make the schema longer.
    //
    // Strangers can take the router, or have.
    Critical,
    // One mistake away from that.
    High,
    // Should be mended.
    Medium,
    // Good practice.
    Low,
    // Worth knowing.
    Info,
}

impl Severity {
    /// What it takes off a score of 100.
    pub fn weight(self) -> u64 {
        match self {
            Severity::Critical => 40,
            Severity::High => 20,
            Severity::Medium => 8,
            Severity::Low => 2,
            Severity::Info => 0,
        }
    }
}

/// One finding with its proof.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Finding {
    pub id: &'static str,
    pub severity: Severity,
    pub title: String,
    pub why: String,
    /// The rows that prove it.
    pub evidence: Vec<Map<String, Value>>,
    /// A draft for `plan.create`; absent where only a person can choose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<Value>,
    /// What to do where no draft fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<&'static str>,
}

/// What could not be judged.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct NotChecked {
    pub id: &'static str,
    pub reason: String,
}

/// Rows a finding shows at most.
const MOST_ROWS: usize = 4;

impl Finding {
    /// A finding without proof or cure yet.
    pub fn new(id: &'static str, severity: Severity, title: impl Into<String>, why: impl Into<String>) -> Self {
        Finding { id, severity, title: title.into(), why: why.into(), evidence: Vec::new(), fix: None, advice: None }
    }

    /// Shows these attributes of a row; empty ones are left out.
    pub fn proof(mut self, menu: &str, row: &Row, names: &[&str]) -> Self {
        let mut shown = Map::new();
        shown.insert("menu".into(), menu.into());
        for name in names {
            if let Some(text) = row.get(name).filter(|text| !text.is_empty()) {
                let shown_value = match text {
                    "true" | "false" => Value::from(value::flag(text) == Some(true)),
                    text => text.into(),
                };
                shown.insert(name.replace('-', "_"), shown_value);
            }
        }
        self.show(shown);
        self
    }

    /// Shows a row that is made already.
    pub fn show(&mut self, row: Map<String, Value>) {
        if self.evidence.len() < MOST_ROWS && !self.evidence.contains(&row) {
            self.evidence.push(row);
        }
    }

    /// Shows these too.
    pub fn with(mut self, rows: Vec<Map<String, Value>>) -> Self {
        rows.into_iter().for_each(|row| self.show(row));
        self
    }

    /// These edits would mend it; none is no fix.
    pub fn fix(mut self, device: &str, edits: Vec<Value>) -> Self {
        if !edits.is_empty() {
            self.fix = Some(json!({"devices": [device], "reason": self.title, "edits": edits}));
        }
        self
    }

    /// What a person has to do.
    pub fn advice(mut self, words: &'static str) -> Self {
        self.advice = Some(words);
        self
    }
}

/// An edit of a menu without rows.
pub(super) fn set(menu: &str, values: Value) -> Value {
    json!({"menu": menu, "op": "set", "values": values})
}
