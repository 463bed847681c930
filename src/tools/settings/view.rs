//! How the kill switches look in answers.

use crate::access::switches::{Change, Kept, Switches};
use crate::base::fault::Fault;
use crate::tools::context::Cx;
use crate::tools::spec::object;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// One switch.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Switch {
    /// As `settings.set_switches` names it.
    name: &'static str,
    /// What it does.
    about: &'static str,
    /// What the configuration says.
    file: Value,
    /// What was set here.
    here: Value,
    /// The stricter of both: what is in force.
    effective: Value,
}

/// Who changed what, the last one first.
pub(super) type Changes = Vec<Map<String, Value>>;

/// All of them, and how those set here came to be.
pub(super) fn switches(cx: &Cx) -> Result<(Vec<Switch>, Changes), Fault> {
    let (file, settings) = (cx.world.rules.file.get(), &cx.world.settings);
    let Kept { set, changes } = Switches::kept(&cx.world.store)?;
    let flag = |name, about, file: bool, here: bool| Switch {
        name,
        about,
        file: file.into(),
        here: here.into(),
        effective: (file || here).into(),
    };
    let list = |name, about, file: &[String], here: &[String]| {
        let mut all = file.to_vec();
        all.extend(here.iter().filter(|one| !file.contains(one)).cloned());
        Switch { name, about, file: json!(file), here: json!(here), effective: json!(all) }
    };
    let all = vec![
        flag("read_only", "Nothing changes a router, by any route", file.read_only, set.read_only),
        flag("no_plan_apply", "Approved plans are not applied", !file.plan_apply, set.no_plan_apply),
        flag("no_tools", "Models are offered no tools at all", !settings.enable_tools, set.no_tools),
        list("disable_tools", "Tools and category.* that nobody may use", &file.disabled, &set.tools),
        list("disable_toolsets", "Toolsets that no model may use", &[], &set.toolsets),
    ];
    Ok((all, changes.iter().map(change).collect()))
}

fn change(change: &Change) -> Map<String, Value> {
    let row = json!({"at": change.at.rfc3339(), "by": change.by.name, "what": change.what, "why": change.why});
    object(row)
}
