//! The catalogue as models see it: names, files, sizes, schemas. What a tool shows is kept in `tests/snap/tools/`, so that no
//! word of it changes by accident; `BLESS=1` rewrites them.

use crate::site::Site;
use routeros_mcp::access::{Principal, Role};
use routeros_mcp::mcp::handler::INSTRUCTIONS;
use routeros_mcp::mcp::tools::listed;
use routeros_mcp::sim::menus::Definitions;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::tools;
use routeros_mcp::tools::spec::{Audience, Tool};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Tokens (bytes / 4) one tool may take in `tools/list`.
const MOST_TOKENS: usize = 600;
/// Bytes of the default list, and of all toolsets together.
const MOST_BYTES: (usize, usize) = (24_000, 64_000);
/// Tools for models in this build; fewer means that one was lost.
const FEWEST: usize = 15;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn for_models() -> Vec<&'static Tool> {
    let tools: Vec<_> = tools::all().filter(|tool| tool.audience == Audience::Model).collect();
    assert!(tools.len() >= FEWEST, "only {} tools", tools.len());
    tools
}

#[test]
fn every_tool_has_a_name_and_a_file_of_its_own() {
    let mut seen = BTreeSet::new();
    for tool in tools::all() {
        assert!(seen.insert(tool.name.replace('.', "_")), "{} is there twice, in one spelling or the other", tool.name);
        let (category, action) = tool.name.split_once('.').unwrap_or_else(|| panic!("{} is no category.action", tool.name));
        let plain = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(plain(category) && plain(action) && tool.name.len() <= 64, "{}", tool.name);
        let file = root().join("src/tools").join(category).join(format!("{action}.rs"));
        assert!(file.is_file(), "{} is not in {}", tool.name, file.display());
        assert!(tools::TOOLSETS.contains(&tool.toolset), "{}: toolset {} is none", tool.name, tool.toolset);
        assert!(!tool.about.is_empty() && tool.about.len() <= 300 && tool.about.ends_with('.'), "{}: {}", tool.name, tool.about);
        assert!(!tool.title.is_empty() && tool.title.len() <= 40, "{}: {}", tool.name, tool.title);
    }
}

#[test]
fn every_file_that_declares_a_tool_is_listed() {
    let mut declared = BTreeSet::new();
    for folder in fs::read_dir(root().join("src/tools")).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
            if fs::read_to_string(&file).unwrap().contains("const TOOL: Tool ") {
                declared.insert(format!("{}.{}", stem(&folder), stem(&file)));
            }
        }
    }
    let listed: BTreeSet<String> = tools::all().map(|tool| tool.name.to_owned()).collect();
    assert_eq!(declared, listed);
}

fn stem(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

#[test]
fn arguments_are_closed_documented_and_free_of_top_level_choices() {
    let mut arguments = 0;
    for tool in tools::all() {
        let input = (tool.input)();
        assert_eq!((&input["type"], &input["additionalProperties"]), (&json!("object"), &json!(false)), "{}", tool.name);
        for word in ["anyOf", "oneOf", "allOf", "not", "if", "$ref", "$defs", "enum"] {
            assert!(!input.contains_key(word), "{} has {word} on top", tool.name);
        }
        for (name, schema) in input["properties"].as_object().unwrap() {
            let about = schema["description"].as_str().unwrap_or("");
            assert!(about.len() >= 4 && about.len() <= 160, "{} {name}: {about:?}", tool.name);
            assert!(schema.get("type").is_some() || schema.get("anyOf").is_some(), "{} {name} says no type: {schema}", tool.name);
            assert_ne!(name, "device_id", "{}: the alias is not listed", tool.name);
            arguments += 1;
        }
        for name in input.get("required").and_then(Value::as_array).into_iter().flatten() {
            assert!(input["properties"].get(name.as_str().unwrap()).is_some(), "{} requires {name}", tool.name);
        }
    }
    println!("{arguments} arguments");
    assert!(arguments >= 80, "only {arguments} arguments");
}

#[test]
fn every_schema_is_a_schema() {
    for tool in tools::all() {
        for (which, schema) in [("input", (tool.input)()), ("output", (tool.output)())] {
            let schema = Value::Object(schema);
            jsonschema::meta::validate(&schema).unwrap_or_else(|e| panic!("{} {which}: {e}", tool.name));
            jsonschema::draft202012::new(&schema).unwrap_or_else(|e| panic!("{} {which}: {e}", tool.name));
            assert_eq!(schema["type"], "object", "{} {which}", tool.name);
        }
        let face = routeros_mcp::tools::schema::face(&(tool.input)());
        jsonschema::draft202012::new(&Value::Object(face)).unwrap();
    }
}

#[test]
fn untrusted_pointers_and_menus_exist() {
    let definitions = Definitions::own();
    for tool in tools::all() {
        for path in tool.paths {
            let known = Profile::ALL.iter().any(|profile| definitions.knows(path, &profile.model()));
            // The console itself is no menu: its one command is asked about all others.
            assert!(known || *path == "/console", "{} touches {path}, which no simulated router has", tool.name);
        }
        for pointer in tool.untrusted {
            let first = pointer.split('/').nth(1).unwrap();
            assert!((tool.output)()["properties"].get(first).is_some(), "{} has no {pointer}", tool.name);
        }
    }
}

#[tokio::test]
async fn the_list_is_small_complete_and_annotated() {
    let site = Site::bare(&[("mcp.toolsets", "all")]).await;
    let admin = Principal::stdio(Role::Admin);
    let all = site.listed(&admin);
    let names: Vec<&str> = all.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, for_models().iter().map(|tool| tool.name).collect::<Vec<_>>(), "every tool for models, no verb of operators");
    for tool in &all {
        let (name, tokens) = (&tool["name"], tool.to_string().len() / 4);
        assert!(tokens <= MOST_TOKENS, "{name} takes {tokens} tokens");
        for hint in ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"] {
            assert!(tool["annotations"][hint].is_boolean(), "{name}: {hint}");
        }
        for key in ["title", "description", "inputSchema", "outputSchema"] {
            assert!(!tool[key].is_null(), "{name}: {key}");
        }
    }
    let whole = json!({"tools": all}).to_string().len();
    let usual = json!({"tools": Site::bare(&[]).await.listed(&admin)}).to_string().len();
    println!("tools/list: {usual} bytes by default, {whole} bytes in all");
    assert!(usual <= MOST_BYTES.0 && whole <= MOST_BYTES.1, "{usual} and {whole} bytes");
    assert!(INSTRUCTIONS.len() / 4 <= 300);
}

#[tokio::test]
async fn the_list_is_the_same_bytes_for_any_number_of_devices() {
    let mut site = Site::bare(&[]).await;
    let principal = site.app.stdio_principal();
    let list = |site: &Site| json!({"tools": site.listed(&principal)}).to_string();
    let empty = list(&site);
    assert!(empty.contains("system.get_overview"));
    assert_eq!(list(&site), empty, "asked twice");
    site.adopt(Profile::HomeAp, "device-1", json!({})).await;
    assert_eq!(list(&site), empty, "one device");
    for n in 2..=30 {
        site.adopt(Profile::HomeAp, &format!("device-{n}"), json!({"tags": [format!("site=s{n}")]})).await;
    }
    assert_eq!(site.app.dispatch.world().fleet.len(), 30);
    assert_eq!(list(&site), empty, "30 devices");
}

#[tokio::test]
async fn both_spellings_are_one_tool_and_the_separator_is_listed() {
    let site = Site::bare(&[("mcp.tool_name_separator", "_")]).await;
    let listed = site.listed(&site.app.stdio_principal());
    assert!(listed.iter().all(|tool| !tool["name"].as_str().unwrap().contains('.')));
    for tool in for_models() {
        for name in [tool.name.to_owned(), tool.name.replace('.', "_")] {
            let reply = site.call(&name, json!({"no such argument": 1})).await;
            assert!(!reply.unknown_tool, "{name}");
            assert_eq!(reply.structured["error"]["kind"], "bad_input", "{name}: {}", reply.text);
        }
    }
    for name in ["system.get.overview", "system_get.overview.", "System.Get_Overview", "get_overview", "", "."] {
        assert!(site.call(name, json!({})).await.unknown_tool, "{name:?} is no tool");
    }
}

#[tokio::test]
async fn verbs_of_operators_do_not_exist_for_models() {
    let site = Site::bare(&[("mcp.toolsets", "all")]).await;
    let verbs: Vec<_> = tools::all().filter(|tool| tool.audience == Audience::Operator).collect();
    assert!(verbs.len() >= 7, "only {} verbs", verbs.len());
    let found = site.call("tools.search", json!({"query": "device add remove pin update decommission password"})).await;
    for verb in verbs {
        for name in [verb.name.to_owned(), verb.name.replace('.', "_")] {
            for role in Role::ALL {
                let reply = site.call_as(Principal::stdio(role), &name, json!({"device": "x"})).await;
                assert!(reply.unknown_tool, "{name} as {}: {}", role.as_str(), reply.text);
                assert_eq!(reply.structured["error"]["kind"], "not_found");
            }
        }
        assert!(!found.structured.to_string().contains(&format!("\"{}\"", verb.name)), "tools.search tells of {}", verb.name);
    }
}

#[tokio::test]
async fn the_public_face_is_the_committed_one() {
    let site = Site::bare(&[("mcp.toolsets", "all")]).await;
    let dir = root().join("tests/snap/tools");
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    let mut expected = BTreeSet::new();
    for tool in for_models() {
        let path = dir.join(format!("{}.json", tool.name));
        let face = face(&site, tool);
        if bless {
            fs::create_dir_all(&dir).unwrap();
            fs::write(&path, &face).unwrap();
        }
        match fs::read_to_string(&path) {
            Ok(kept) if kept == face => {}
            Ok(_) => wrong.push(format!("{} differs", path.display())),
            Err(_) => wrong.push(format!("{} is missing", path.display())),
        }
        expected.insert(path);
    }
    let there: BTreeSet<PathBuf> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    for orphan in there.difference(&expected) {
        if bless {
            fs::remove_file(orphan).unwrap();
        } else {
            wrong.push(format!("{} is of no tool", orphan.display()));
        }
    }
    assert!(wrong.is_empty(), "{}\nBLESS=1 rewrites them; an incompatible change wants a new tool name", wrong.join("\n"));
}

/// What a tool shows the world: its entry in `tools/list`, and the rest of its declaration.
fn face(site: &Site, tool: &'static Tool) -> String {
    let mut face: Map<String, Value> = Map::new();
    face.insert("listed".into(), serde_json::to_value(listed(&site.app.dispatch.listed(tool))).unwrap());
    face.insert("toolset".into(), tool.toolset.into());
    face.insert("tier".into(), tool.tier.as_str().into());
    face.insert("effect".into(), tool.effect.as_str().into());
    face.insert("menus".into(), json!(tool.paths));
    face.insert("untrusted".into(), json!(tool.untrusted));
    face.insert("timeout_seconds".into(), tool.timeout.0.as_secs().into());
    face.insert("outputSchema".into(), Value::Object((tool.output)()));
    serde_json::to_string_pretty(&face).unwrap() + "\n"
}
