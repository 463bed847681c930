//! `snapshot …`: the history of configurations, through the catalogue.

use crate::base::fault::Fault;
use crate::cli::args::SnapshotCommand;
use crate::cli::output;
use crate::cli::reach::{PAGE, Way};
use crate::history::config::SnapshotId;
use crate::shape::table;
use serde_json::{Value, json};

/// Runs one subcommand.
pub async fn run(way: &Way, command: SnapshotCommand, as_json: bool) -> Result<(), Fault> {
    match command {
        SnapshotCommand::List { device } => list(way, &device, as_json).await,
        SnapshotCommand::Show { id, device, menu } => show(way, &id, device, menu, as_json).await,
        SnapshotCommand::Diff { device, from, to, menu } => {
            let mut asked = json!({"device": device, "from": from, "to": to, "limit": PAGE});
            if let Some(menu) = menu {
                asked["menu"] = menu.into();
            }
            let found = way.operator("config.diff", asked).await?;
            if as_json {
                output::json(&found)
            } else {
                output::text(&differences(&found))
            }
            Ok(())
        }
        SnapshotCommand::Take { device } => {
            output::one(&way.operator("config.take_snapshot", json!({"device": device})).await?, as_json);
            Ok(())
        }
        SnapshotCommand::Baseline { id } => {
            output::one(&way.operator("config.set_baseline", json!({"snapshot": id})).await?, as_json);
            Ok(())
        }
    }
}

async fn list(way: &Way, device: &str, as_json: bool) -> Result<(), Fault> {
    let rows = way.rows_of("config.list_snapshots", json!({"device": device})).await?;
    if as_json {
        output::json(&Value::Array(rows));
        return Ok(());
    }
    if rows.is_empty() {
        output::text("no snapshots yet: `routeros-mcp snapshot take` takes one, and a running appliance does by itself");
        return Ok(());
    }
    output::rows(&["id", "taken_at", "seen_at", "reason", "baseline", "complete", "rows", "version", "changed_menus"], &rows);
    Ok(())
}

/// The export's text, whole.
async fn show(way: &Way, id: &str, device: Option<String>, menu: Option<String>, as_json: bool) -> Result<(), Fault> {
    // An id says whose it is; `live`, `baseline` and `latest` do not.
    let device = match (device, id.parse::<SnapshotId>()) {
        (Some(device), _) => device,
        (None, Ok(id)) => id.device.to_string(),
        (None, Err(said)) => return Err(Fault::bad_input(said).hint("for live, baseline or latest name the device with --device")),
    };
    let mut asked = json!({"device": device, "snapshot": id, "format": "text", "limit": PAGE});
    if let Some(menu) = menu {
        asked["menu"] = menu.into();
    }
    let mut lines = Vec::new();
    let about = loop {
        let mut page = way.operator("config.get_snapshot", asked.clone()).await?;
        if let Value::Array(more) = page["lines"].take() {
            lines.extend(more.iter().filter_map(Value::as_str).map(str::to_owned));
        }
        match page["next_offset"].as_u64() {
            Some(next) => asked["offset"] = next.into(),
            None => break page["snapshot"].take(),
        }
    };
    let text = lines.join("\n");
    if as_json {
        output::json(&json!({"snapshot": about, "text": text}))
    } else {
        output::text(&text)
    }
    Ok(())
}

/// `+` and `-` rows and `~` changes under each menu.
fn differences(found: &Value) -> String {
    let (from, to) = (&found["from"], &found["to"]);
    let mut out = format!(
        "from {} ({}) to {} ({})\n",
        table::cell(&from["snapshot"]),
        table::cell(&from["taken_at"]),
        table::cell(&to["snapshot"]),
        table::cell(&to["taken_at"])
    );
    for menu in found["menus"].as_array().into_iter().flatten() {
        out.push_str(&format!("{}\n", table::cell(&menu["menu"])));
        for (mark, list) in [('+', "added"), ('-', "removed")] {
            menu[list].as_array().into_iter().flatten().for_each(|row| out.push_str(&format!("  {mark} {}\n", table::cell(row))));
        }
        for change in menu["changed"].as_array().into_iter().flatten() {
            out.push_str(&format!("  ~ {}\n", table::cell(&change["key"])));
            for (name, before) in change["before"].as_object().into_iter().flatten() {
                let shown = |value: &Value| if value.is_null() { "(default)".to_owned() } else { table::cell(value) };
                out.push_str(&format!(
                    "      {}: {} -> {}\n",
                    table::cell(&Value::from(name.as_str())),
                    shown(before),
                    shown(&change["after"][name])
                ));
            }
        }
    }
    for doubt in found["not_compared"].as_array().into_iter().flatten() {
        out.push_str(&format!("not compared: {} rows of {}: {}\n", doubt["rows"], table::cell(&doubt["menu"]), table::cell(&doubt["why"])));
    }
    if found["changes"] == 0 {
        out.push_str("no differences\n");
    }
    if let Some(note) = found["note"].as_str() {
        out.push_str(&format!("note: {note}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_lines_that_a_person_reads() {
        let found = json!({
            "from": {"snapshot": "snap_0a_1", "taken_at": "t1"}, "to": {"snapshot": "live", "taken_at": "t2"}, "changes": 3,
            "menus": [{"menu": "/ip/dns", "added": [{"name": "a\nb"}], "removed": [],
                "changed": [{"key": "settings", "before": {"servers": null}, "after": {"servers": "192.0.2.1"}}]}],
            "not_compared": [{"menu": "/x", "rows": 2, "why": "w"}],
        });
        let text = differences(&found);
        assert_eq!(
            text,
            "from snap_0a_1 (t1) to live (t2)\n/ip/dns\n  + name=\"a b\"\n  ~ settings\n      servers: (default) -> 192.0.2.1\nnot compared: 2 rows of /x: w\n"
        );
    }
}
