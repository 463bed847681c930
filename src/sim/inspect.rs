//! `/console/inspect`: the command tree, told by the router itself.
//!
//! `request=child` answers the node itself (`type` self) and what stands below; `syntax` the kind of value; `completion` the words that
//! may come. Some words in a path hang versions up to 7.21.3, as they did on the router.

use super::menus::{Attr, Menu, Shape};
use super::refusal::Refusal;
use super::row::Row;
use super::value::Type;
use super::world::World;

/// Words that hang the console server of old versions.
const HANGING: [&str; 6] = ["do", "where", "else", "rule", "command", "on-error"];
/// First version that does not hang on them (7.21.4; the minor number is all we keep).
const HANGS_BELOW: (u32, u32) = (7, 22);

/// Answers an inspection; `None` is one that hangs.
pub(super) fn rows(world: &mut World, arguments: &[(String, String)]) -> Result<Option<Vec<Row>>, Refusal> {
    let get = |name: &str| arguments.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let request = get("request").ok_or_else(|| Refusal::missing("request"))?;
    let input = get("input").unwrap_or_default();
    let path: Vec<String> = match get("path").filter(|p| !p.is_empty()) {
        Some(path) => path.split(',').map(String::from).collect(),
        None => words_of(input),
    };
    if world.model.version < HANGS_BELOW && path.iter().any(|w| HANGING.contains(&w.as_str())) {
        return Ok(None);
    }
    if request == "highlight" {
        return Ok(Some(vec![highlight(world, input)]));
    }
    let node = find(world, &path);
    let rows = match (request, node) {
        (_, None) => Vec::new(),
        ("self", Some(node)) => vec![node_row(&path, &node, "self")],
        ("child", Some(node)) => children(world, &path, &node),
        ("syntax", Some(node)) => syntax(world, &path, &node),
        ("completion", Some(node)) => completion(world, &path, &node),
        ("error", Some(_)) => Vec::new(),
        _ => return Err(Refusal::no_match("request")),
    };
    Ok(Some(rows))
}

/// `/ip/address add interface=` as path words.
fn words_of(input: &str) -> Vec<String> {
    input.split([' ', '/']).filter(|w| !w.is_empty()).map(|w| w.split('=').next().unwrap_or(w).to_string()).collect()
}

/// What every letter of the input is: `dir`, `path`, `cmd`, `arg`, `none` or, where nothing fits, `error`.
fn highlight(world: &World, input: &str) -> Row {
    let mut kinds: Vec<&str> = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut rest = input;
    while !rest.is_empty() {
        let gap = rest.find(|c| c != ' ' && c != '/').unwrap_or(rest.len());
        kinds.extend(rest[..gap].chars().map(|_| "none"));
        rest = &rest[gap..];
        let end = rest.find([' ', '/']).unwrap_or(rest.len());
        let (word, value) = rest[..end].split_once('=').map_or((&rest[..end], None), |(w, v)| (w, Some(v)));
        if !word.is_empty() {
            path.push(word.to_string());
        }
        let node = find(world, &path);
        let kind = node.as_ref().map_or("error", |n| kind(n, world));
        if matches!(node, Some(Node::Argument(..)) | None) {
            path.pop();
        }
        kinds.extend(word.chars().map(|_| kind));
        kinds.extend(value.iter().flat_map(|v| std::iter::once("syntax").chain(v.chars().map(|_| "none"))));
        rest = &rest[end..];
    }
    Row::new(None).with("highlight", kinds.join(",")).with("type", "highlight")
}

/// A place in the command tree.
enum Node {
    /// A menu, or a path to menus.
    Menu(String),
    /// A command of a menu.
    Command(Menu, String),
    /// An argument of a command.
    Argument(Menu, String),
}

fn find(world: &World, path: &[String]) -> Option<Node> {
    let mut at = String::new();
    for (i, word) in path.iter().enumerate() {
        let next = format!("{at}/{word}");
        if world.defs.knows(&next, &world.model) {
            at = next;
            continue;
        }
        let menu = world.menu(&at)?.clone();
        let command = menu.command_names().contains(&word.as_str()).then(|| word.clone())?;
        return match &path[i + 1..] {
            [] => Some(Node::Command(menu, command)),
            [argument, ..] => menu.arguments(&command).contains(argument).then(|| Node::Argument(menu, argument.clone())),
        };
    }
    Some(Node::Menu(at))
}

fn kind(node: &Node, world: &World) -> &'static str {
    match node {
        Node::Menu(path) => match world.menu(path).map(|m| m.shape) {
            Some(Shape::List | Shape::Single) => "path",
            _ => "dir",
        },
        Node::Command(..) => "cmd",
        Node::Argument(..) => "arg",
    }
}

fn row(name: &str, node_type: &str, of: &str) -> Row {
    Row::new(None).with("name", name).with("node-type", node_type).with("type", of)
}

fn node_row(path: &[String], node: &Node, of: &str) -> Row {
    let node_type = match node {
        Node::Menu(_) => "dir",
        Node::Command(..) => "cmd",
        Node::Argument(..) => "arg",
    };
    row(path.last().map_or("", String::as_str), node_type, of)
}

fn children(world: &World, path: &[String], node: &Node) -> Vec<Row> {
    let mut rows = vec![row(path.last().map_or("", String::as_str), kind(node, world), "self")];
    match node {
        Node::Menu(at) => {
            let from = if at.is_empty() { "/" } else { at };
            let mut below: Vec<(String, &str)> = world
                .defs
                .children(from, &world.model)
                .map(|name| (name.to_string(), kind(&Node::Menu(format!("{at}/{name}")), world)))
                .collect();
            if let Some(menu) = world.menu(at) {
                below.extend(menu.command_names().into_iter().map(|c| (c.to_string(), "cmd")));
            }
            if at.is_empty() {
                below.extend(["execute", "export", "import", "ping", "put", "quit", "undo", "redo"].map(|c| (c.to_string(), "cmd")));
            }
            below.sort();
            rows.extend(below.iter().map(|(name, node_type)| row(name, node_type, "child")));
        }
        Node::Command(menu, command) => {
            let known = |a: &String| menu.attr(a).is_none_or(|attr| attr.since <= world.model.version);
            rows.extend(menu.arguments(command).iter().filter(|a| known(a)).map(|a| row(a, "arg", "child")));
        }
        Node::Argument(..) => {}
    }
    rows
}

fn syntax(world: &World, path: &[String], node: &Node) -> Vec<Row> {
    let explain = |symbol: &str, text: String| {
        Row::new(None)
            .with("nested", "0")
            .with("nonorm", "false")
            .with("symbol", symbol)
            .with("symbol-type", "explanation")
            .with("text", text)
            .with("type", "syntax")
    };
    match node {
        Node::Argument(menu, name) => vec![explain(
            "",
            menu.attr(name)
                .map_or_else(String::new, |a| if a.of == Type::Text && !a.help.is_empty() { a.help.clone() } else { help(&a.of) }),
        )],
        _ => children(world, path, node).iter().skip(1).map(|r| explain(r.get("name").unwrap_or_default(), String::new())).collect(),
    }
}

/// What the console says about a kind of value.
fn help(of: &Type) -> String {
    match of {
        Type::Text => "string value".into(),
        Type::Flag => "yes | no".into(),
        Type::Number(lo, hi) => format!("{lo}..{hi}    (integer number)"),
        Type::Words(words, _) | Type::Reference(_, words, _) => words.join(" | "),
        Type::WordList(words) => format!("{}[,*]", words.join("|")),
        Type::Address => "A.B.C.D    (IP address)".into(),
        Type::Prefix | Type::Network => "A.B.C.D/M    (IP prefix)".into(),
        Type::Mac => "AB[:|-|.]CD[:|-|.]EF[:|-|.]GH[:|-|.]IJ[:|-|.]KL    (MAC address)".into(),
        Type::Time(_) => "time interval".into(),
        Type::Rates | Type::Rate => "integer[k|M|G]".into(),
    }
}

fn completion(world: &mut World, path: &[String], node: &Node) -> Vec<Row> {
    let offer = |word: &str| {
        Row::new(None)
            .with("completion", word)
            .with("offset", "0")
            .with("preference", "96")
            .with("show", "true")
            .with("style", "none")
            .with("text", "")
            .with("type", "completion")
    };
    match node {
        Node::Argument(menu, name) if matches!(name.as_str(), "value-name" | "proplist") => {
            menu.attrs.iter().map(|a| offer(&a.name)).collect()
        }
        Node::Argument(menu, name) if name == "numbers" && menu.named => {
            let rows = world.rows(&menu.path);
            rows.iter().filter_map(|r| r.get("name")).map(offer).collect()
        }
        Node::Argument(menu, name) => match menu.attr(name) {
            Some(attr) => choices(world, attr).iter().map(|w| offer(w)).collect(),
            None => Vec::new(),
        },
        _ => children(world, path, node).iter().skip(1).filter_map(|r| r.get("name")).map(offer).collect(),
    }
}

fn choices(world: &mut World, attr: &Attr) -> Vec<String> {
    match &attr.of {
        Type::Flag => vec!["no".into(), "yes".into()],
        Type::Words(words, negatable) => negatable.then(|| "!".to_string()).into_iter().chain(words.iter().cloned()).collect(),
        Type::WordList(words) | Type::Time(words) => words.clone(),
        Type::Reference(menus, words, _) => {
            let mut all = words.clone();
            for menu in menus {
                all.extend(world.rows(menu).iter().filter_map(|r| r.get("name")).map(String::from));
            }
            all
        }
        _ => attr.hints.iter().filter(|w| !w.is_empty()).cloned().collect(),
    }
}
