//! `tool …`: the catalogue as the local MCP client sees it, for scripts and debugging.

use crate::base::fault::Fault;
use crate::cli::args::ToolCommand;
use crate::cli::output;
use crate::cli::reach::Way;
use serde_json::{Map, Value, json};

/// Runs one subcommand.
pub async fn run(way: &Way, command: ToolCommand, as_json: bool) -> Result<(), Fault> {
    match command {
        ToolCommand::List => {
            let tools = way.tools().await?;
            if as_json {
                output::json(&tools);
            } else {
                output::rows(&["name", "title", "description"], tools["tools"].as_array().map_or(&[], Vec::as_slice));
            }
        }
        ToolCommand::Show { name } => output::json(&crate::cli::catalog::one(&name)?),
        ToolCommand::Call { name, args, arg } => {
            let arguments = arguments(args.as_deref(), &arg)?;
            let result = way.model(&name, arguments).await?;
            if as_json {
                output::json(&result.mcp);
            }
            match result.fault() {
                // The whole result is on standard output already; the error line still goes to standard error.
                Some(fault) => return Err(fault),
                None if !as_json => output::text(result.text()),
                None => {}
            }
        }
    }
    Ok(())
}

/// `--args JSON` and `--arg K=V` together.
fn arguments(whole: Option<&str>, single: &[String]) -> Result<Value, Fault> {
    let mut arguments = match whole {
        None => Map::new(),
        Some(text) => match serde_json::from_str(text) {
            Ok(Value::Object(map)) => map,
            Ok(_) => return Err(Fault::bad_input("--args must be a JSON object").hint("--args '{\"device\": \"edge\"}'")),
            Err(error) => return Err(Fault::bad_input(format!("--args: {error}")).hint("--args '{\"device\": \"edge\"}'")),
        },
    };
    for pair in single {
        let (key, value) = pair.split_once('=').ok_or_else(|| Fault::bad_input(format!("--arg {pair}: write KEY=VALUE")))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        arguments.insert(key.to_owned(), value);
    }
    Ok(Value::Object(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_arguments_are_json_where_they_can_be() {
        let got = arguments(Some(r#"{"device":"a"}"#), &["limit=5".into(), "menu=/ip/dns".into(), "fields=[\"x\"]".into()]).unwrap();
        assert_eq!(got, json!({"device": "a", "limit": 5, "menu": "/ip/dns", "fields": ["x"]}));
        assert!(arguments(Some("[]"), &[]).is_err());
    }
}
