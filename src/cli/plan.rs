//! `plan …`: changes as people make, look at, approve and run them.
//!
//! Approving and refusing takes a person: a local user and their password, from the terminal or a file, never argv. Who approves sees
//! the whole diff first and types the digest it has.

use crate::base::fault::{Fault, Kind};
use crate::cli::args::{PlanApprove, PlanCommand};
use crate::cli::fault::unreadable;
use crate::cli::person::as_person;
use crate::cli::reach::Way;
use crate::cli::{output, prompt};
use crate::shape::table;
use serde_json::{Map, Value, json};
use std::path::Path;

/// The longest one call waits for a plan; then it is asked again.
const WAIT_SECONDS: u8 = 55;

/// Runs one subcommand.
pub async fn run(way: &Way, command: PlanCommand, as_json: bool) -> Result<(), Fault> {
    // Where this process has the store itself, nobody else goes on with what an earlier one began.
    way.resume_plans().await?;
    match command {
        PlanCommand::Create { file } => show(&way.operator("plan.create", read(&file)?).await?, as_json),
        PlanCommand::List => list(way, as_json).await,
        PlanCommand::Show { id } => show(&whole(way, &id).await?, as_json),
        PlanCommand::Approve(asked) => approve(way, asked, as_json).await,
        PlanCommand::Refuse { id, reason, user, password } => {
            let arguments = json!({"plan_id": id, "reason": reason});
            tell(&as_person(way, "plan.refuse", arguments, user, &password, as_json).await?, as_json)
        }
        PlanCommand::Reveal { id, secret, user, password } => {
            let shown = as_person(way, "plan.reveal", json!({"plan_id": id, "secret": secret}), user, &password, as_json).await?;
            if as_json {
                output::json(&shown);
            } else {
                eprintln!(
                    "{} of {} on {}: shown this once",
                    table::cell(&shown["attribute"]),
                    table::cell(&shown["menu"]),
                    table::cell(&shown["device"])
                );
                output::text(shown["value"].as_str().unwrap_or_default());
            }
            Ok(())
        }
        PlanCommand::Apply { id, wait } => apply(way, &id, wait, as_json).await,
        PlanCommand::Confirm { id, user, password } => {
            tell(&as_person(way, "plan.keep", json!({"plan_id": id}), user, &password, as_json).await?, as_json)
        }
        PlanCommand::RollBack { id, reason } => {
            tell(&way.operator("plan.roll_back", json!({"plan_id": id, "reason": why(reason)})).await?, as_json)
        }
        PlanCommand::Cancel { id, reason } => {
            tell(&way.operator("plan.cancel", json!({"plan_id": id, "reason": why(reason)})).await?, as_json)
        }
    }
}

fn why(reason: Option<String>) -> String {
    reason.unwrap_or_else(|| "asked for at the command line".into())
}

/// The plan object in a file; `-` is standard input.
fn read(file: &Path) -> Result<Value, Fault> {
    let name = file.display();
    let text = if file.as_os_str() == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    let text = text.map_err(|error| unreadable(file, &error))?;
    match serde_json::from_str(&text) {
        Ok(plan @ Value::Object(_)) => Ok(plan),
        Ok(_) => Err(Fault::bad_input(format!("{name} holds no JSON object")).hint("a plan is {\"devices\": [...], \"edits\": [...]}")),
        Err(error) => Err(Fault::bad_input(format!("{name}: {error}")).hint("a plan is {\"devices\": [...], \"edits\": [...]}")),
    }
}

async fn list(way: &Way, as_json: bool) -> Result<(), Fault> {
    let plans = way.rows("plan.list").await?;
    if as_json {
        output::json(&Value::Array(plans));
    } else if plans.is_empty() {
        output::text("no plans yet: `routeros-mcp plan create --file PLAN.json` makes one");
    } else {
        let columns = ["id", "state", "risk", "devices", "approvals_needed", "approvals_given", "created_by", "created_at", "reason"];
        output::rows(&columns, &plans);
    }
    Ok(())
}

/// A plan with every row of its diff.
async fn whole(way: &Way, id: &str) -> Result<Value, Fault> {
    way.operator("plan.get", json!({"plan_id": id})).await
}

async fn approve(way: &Way, asked: PlanApprove, as_json: bool) -> Result<(), Fault> {
    let PlanApprove { id, digest, user, password, yes } = asked;
    let plan = whole(way, &id).await?;
    let short = plan["short_digest"].as_str().unwrap_or_default().to_owned();
    if !as_json {
        output::text(&described(&plan));
    }
    let digest = match digest {
        Some(digest) => digest,
        // The digest just shown: what is approved is what was seen.
        None if yes => short,
        None if prompt::someone_there() => {
            let typed = prompt::line(&format!("Type the digest ({short}) to approve this plan"), "--digest")?;
            if typed != short {
                return Err(Fault::denied("stopped: that is not its digest; nothing was approved"));
            }
            typed
        }
        None => return Err(prompt::missing(&["--digest"]).hint("--digest SHORT as `plan show` has it, or --yes for the plan as it is now")),
    };
    tell(&as_person(way, "plan.approve", json!({"plan_id": id, "digest": digest}), user, &password, as_json).await?, as_json)
}

async fn apply(way: &Way, id: &str, wait: bool, as_json: bool) -> Result<(), Fault> {
    let seconds = if wait { WAIT_SECONDS } else { 0 };
    let mut plan = way.operator("plan.apply", json!({"plan_id": id, "wait_seconds": seconds})).await?;
    while wait && plan["state"] == "executing" && !waits_for_a_person(&plan) {
        if prompt::someone_there() {
            eprintln!("{}", table::cell(&plan["summary"]));
        }
        // It may end between two calls; then there is nothing to apply, and how it ended is asked for.
        plan = match way.operator("plan.apply", json!({"plan_id": id, "wait_seconds": seconds})).await {
            Err(fault) if fault.kind == Kind::Conflict => way.operator("plan.get", json!({"plan_id": id})).await?,
            other => other?,
        };
    }
    tell(&plan, as_json)?;
    if wait { ended(&plan) } else { Ok(()) }
}

fn waits_for_a_person(plan: &Value) -> bool {
    let states: Vec<&str> = plan["devices"].as_array().into_iter().flatten().filter_map(|device| device["state"].as_str()).collect();
    plan["confirm"] == "manual" && states.contains(&"verified") && !states.iter().any(|state| matches!(*state, "armed" | "applied"))
}

/// Who waits for the end wants to know how it was.
fn ended(plan: &Value) -> Result<(), Fault> {
    let (id, why) = (table::cell(&plan["id"]), table::cell(&plan["why"]));
    let (kind, said) = match plan["state"].as_str().unwrap_or_default() {
        "rolled_back" => (Kind::Rejected, "was taken back"),
        "partly_confirmed" => (Kind::Rejected, "is kept by some devices only"),
        "failed" => (Kind::Conflict, "was not applied"),
        "needs_attention" => (Kind::UnknownOutcome, "needs a person"),
        _ => return Ok(()),
    };
    let why = if why.is_empty() { String::new() } else { format!(": {why}") };
    Err(Fault::new(kind, format!("{id} {said}{why}")).hint(format!("routeros-mcp plan show {id}")))
}

fn show(plan: &Value, as_json: bool) -> Result<(), Fault> {
    if as_json {
        output::json(plan);
    } else {
        output::text(&described(plan));
    }
    Ok(())
}

/// What became of it, in a few lines.
fn tell(plan: &Value, as_json: bool) -> Result<(), Fault> {
    if as_json {
        output::json(plan);
        return Ok(());
    }
    let mut text = format!("{}: {} ({})\n", table::cell(&plan["id"]), table::cell(&plan["state"]), table::cell(&plan["summary"]));
    for device in plan["devices"].as_array().into_iter().flatten() {
        for name in ["error", "fires_at"] {
            if !device[name].is_null() {
                text.push_str(&format!("  {} {name}: {}\n", table::cell(&device["name"]), table::cell(&device[name])));
            }
        }
    }
    for name in ["why", "next"] {
        if !plan[name].is_null() {
            text.push_str(&format!("{name}: {}\n", table::cell(&plan[name])));
        }
    }
    output::text(&text);
    Ok(())
}

/// The whole plan for a person: what, how risky and why, then row by row.
fn described(plan: &Value) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            text.push_str(&format!("{name:<13}{value}\n"));
        }
    };
    for name in ["id", "state", "reason", "risk"] {
        line(name, table::cell(&plan[name]));
    }
    line("cuts access", table::cell(&plan["can_cut_access"]));
    for why in plan["cut_reasons"].as_array().into_iter().flatten() {
        line("", table::cell(why));
    }
    line("confirm", format!("{} ({} s)", table::cell(&plan["confirm"]), table::cell(&plan["confirm_timeout_seconds"])));
    let given: Vec<String> = plan["approvals"]["given"].as_array().into_iter().flatten().map(|one| table::cell(&one["by"])).collect();
    line(
        "approvals",
        format!("{} needed, given by: {}", plan["approvals"]["needed"], if given.is_empty() { "nobody".into() } else { given.join(", ") }),
    );
    if plan["unguarded"] == true {
        line("guard", "NONE where the router lets us have none: then nothing undoes it when it cuts us off".into());
    }
    for check in plan["verify"].as_array().into_iter().flatten() {
        line("verify", pairs(check));
    }
    if !plan["batch"].is_null() {
        line("batch", pairs(&plan["batch"]));
    }
    line("created", format!("{} by {}", table::cell(&plan["created_at"]), table::cell(&plan["created_by"])));
    line("expires", table::cell(&plan["expires_at"]));
    for name in ["why", "summary", "next"] {
        line(name, table::cell(&plan[name]));
    }
    for made in plan["made"].as_array().into_iter().flatten() {
        let state = match (made["can_be_seen"] == true, made["seen_by"].as_str()) {
            (true, _) => format!(
                "a person sees it once with: routeros-mcp plan reveal {} {}",
                table::cell(&plan["id"]),
                table::cell(&made["secret"])
            ),
            (false, Some(by)) => format!("seen by {}", table::cell(&by.into())),
            (false, None) => "can be seen once the change is confirmed".to_owned(),
        };
        line(
            "made",
            format!("{} of {} on {}: {state}", table::cell(&made["attribute"]), table::cell(&made["menu"]), table::cell(&made["device"])),
        );
    }
    for device in plan["devices"].as_array().into_iter().flatten() {
        text.push_str(&format!("\n{} ({})\n", table::cell(&device["name"]), table::cell(&device["state"])));
        for name in ["guard", "fires_at", "error"] {
            if !device[name].is_null() {
                text.push_str(&format!("  {name}: {}\n", table::cell(&device[name])));
            }
        }
        for step in device["diff"].as_array().into_iter().flatten() {
            text.push_str(&row(step));
        }
        for one in device["difference"].as_array().into_iter().flatten() {
            text.push_str(&format!("  ! {} {}: {}\n", table::cell(&one["menu"]), pairs(&one["key"]), table::cell(&one["why"])));
            text.push_str(&format!("      wanted {}\n      found  {}\n", pairs(&one["wanted"]), pairs(&one["found"])));
        }
    }
    text.push_str(&format!("\ndigest       {}\n", table::cell(&plan["short_digest"])));
    text
}

/// One step: menu and row, then what goes and what comes.
fn row(step: &Value) -> String {
    let command = step["command"].as_str().map(|word| format!(" {word}")).unwrap_or_default();
    let mut text = format!("  {} {}{command} {}\n", table::cell(&step["op"]), table::cell(&step["menu"]), pairs(&step["key"]));
    for (mark, name) in [('-', "before"), ('+', "after"), ('@', "place")] {
        if !step[name].is_null() {
            text.push_str(&format!("    {mark} {}\n", pairs(&step[name])));
        }
    }
    if let Some(note) = step["note"].as_str() {
        text.push_str(&format!("    ({note})\n"));
    }
    text
}

/// `chain=input action=drop comment="for guests"`; what somebody wrote breaks no line, and cannot be taken for an attribute. Code
/// has its lines below.
fn pairs(row: &Value) -> String {
    let none = Map::new();
    let members = row.as_object().unwrap_or(&none);
    let one = |(name, value): (&String, &Value)| match value {
        Value::Object(_) => format!("{name}: {}", pairs(value)),
        Value::Null => format!("{name}: the end"),
        Value::Array(lines) => lines.iter().fold(format!("{name}:"), |text, line| text + "\n        | " + &table::cell(line)),
        value => format!("{}={}", table::cell(&Value::from(name.as_str())), table::inner(value)),
    };
    members.iter().map(one).collect::<Vec<_>>().join(" ")
}
