//! A configuration file as a tree, whatever it was written in, with the line of every entry.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// Largest file that is read, in bytes; ours are a few thousand.
pub const MAX_FILE_BYTES: u64 = 1 << 20;

/// One value of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Node {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Int(i64),
    /// Another number.
    Real(f64),
    /// Text, also TOML's dates.
    Text(String),
    /// Several values.
    List(Vec<Node>),
    /// Named values.
    Map(Vec<Entry>),
}

/// A named value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its line, from 1; `None` where the format does not tell.
    pub line: Option<usize>,
    /// Its value.
    pub value: Node,
}

/// Something in the file that cannot be read; without the text itself, which may hold secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Line and column, from 1.
    pub at: Option<(usize, usize)>,
    /// What is wrong.
    pub said: String,
}

/// What a file is written in, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Everything that is not one of the others.
    Toml,
    /// `.yaml` or `.yml`.
    Yaml,
    /// `.json`.
    Json,
}

impl Language {
    /// By the extension.
    pub fn of(path: &Path) -> Language {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("").to_ascii_lowercase();
        match extension.as_str() {
            "yaml" | "yml" => Language::Yaml,
            "json" => Language::Json,
            _ => Language::Toml,
        }
    }
}

/// Reads a whole file.
///
/// # Errors
/// Every mistake the parser found, at least one.
pub fn parse(text: &str, language: Language) -> Result<Vec<Entry>, Vec<Unreadable>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = match language {
        Language::Toml => toml(text)?,
        Language::Yaml => yaml(text).map_err(|error| vec![error])?,
        Language::Json => json(text).map_err(|error| vec![error])?,
    };
    match root {
        Node::Map(entries) => Ok(entries),
        Node::Null => Ok(Vec::new()),
        _ => Err(vec![Unreadable { at: Some((1, 1)), said: "the file is not a table of keys".into() }]),
    }
}

fn toml(text: &str) -> Result<Node, Vec<Unreadable>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        let lines = Lines::of(text);
        return Ok(from_table(table.get_ref(), &lines));
    }
    let at = |error: &toml::de::Error| error.span().map(|span| Lines::of(text).place(span.start));
    Err(errors.iter().map(|error| Unreadable { at: at(error), said: one_line(error.message()) }).collect())
}

fn from_table(table: &DeTable<'_>, lines: &Lines<'_>) -> Node {
    let entry = |(name, value): (&toml::Spanned<toml::de::DeString<'_>>, &toml::Spanned<DeValue<'_>>)| Entry {
        name: name.get_ref().to_string(),
        line: Some(lines.place(name.span().start).0),
        value: from_toml(value.get_ref(), lines),
    };
    Node::Map(table.iter().map(entry).collect())
}

fn from_toml(value: &DeValue<'_>, lines: &Lines<'_>) -> Node {
    match value {
        DeValue::String(text) => Node::Text(text.to_string()),
        DeValue::Integer(n) => {
            let whole = i64::from_str_radix(n.as_str(), n.radix());
            whole.map_or_else(|_| Node::Text(n.to_string()), Node::Int)
        }
        DeValue::Float(n) => n.as_str().parse().map_or_else(|_| Node::Text(n.to_string()), Node::Real),
        DeValue::Boolean(flag) => Node::Flag(*flag),
        DeValue::Datetime(time) => Node::Text(time.to_string()),
        DeValue::Array(items) => Node::List(items.iter().map(|item| from_toml(item.get_ref(), lines)).collect()),
        DeValue::Table(table) => from_table(table, lines),
    }
}

fn yaml(text: &str) -> Result<Node, Unreadable> {
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Node::Null);
    }
    serde_saphyr::from_str::<Node>(text).map_err(|error| {
        let at = error.location().map(|at| (at.line() as usize, at.column() as usize));
        Unreadable { at, said: yaml_words(&error) }
    })
}

/// The parser's words without its excerpt of the file, which may show a secret.
fn yaml_words(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    one_line(text.split(" at line ").next().unwrap_or(&text))
}

/// Syntax is JSON's own. Lines come from reading it once more as YAML, which contains JSON.
fn json(text: &str) -> Result<Node, Unreadable> {
    let plain: Node = serde_json::from_str(text).map_err(|error| {
        let said = error.to_string();
        let said = said.split(" at line ").next().unwrap_or(&said);
        Unreadable { at: Some((error.line(), error.column())), said: one_line(said) }
    })?;
    Ok(yaml(text).unwrap_or(plain))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Finds lines by byte offset.
struct Lines<'t> {
    text: &'t str,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        Lines { text }
    }

    /// Line and column (in characters) of a byte, from 1.
    fn place(&self, byte: usize) -> (usize, usize) {
        let before = self.text.get(..byte).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Node, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a configuration value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Node, D::Error> {
        Node::deserialize(from)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Flag(flag))
    }

    fn visit_i64<E>(self, n: i64) -> Result<Node, E> {
        Ok(Node::Int(n))
    }

    fn visit_u64<E>(self, n: u64) -> Result<Node, E> {
        Ok(i64::try_from(n).map_or_else(|_| Node::Text(n.to_string()), Node::Int))
    }

    fn visit_f64<E>(self, n: f64) -> Result<Node, E> {
        Ok(Node::Real(n))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map: Vec<Entry> = Vec::new();
        while let Some(name) = entries.next_key::<Name>()? {
            if map.iter().any(|entry| entry.name == name.text) {
                return Err(serde::de::Error::custom(format_args!("key `{}` stands there twice", name.text)));
            }
            map.push(Entry { name: name.text, line: name.line, value: entries.next_value()? });
        }
        Ok(Node::Map(map))
    }
}

/// A key, with its line where the parser tells (YAML does, JSON does not).
struct Name {
    text: String,
    line: Option<usize>,
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Name, D::Error> {
        let spanned = Spanned::<String>::deserialize(from)?;
        let line = usize::try_from(spanned.referenced.line()).ok().filter(|line| *line > 0);
        Ok(Name { text: spanned.value, line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str, language: Language, path: &[&str]) -> (Option<usize>, Node) {
        let mut entries = parse(text, language).unwrap();
        let mut line = None;
        for (depth, name) in path.iter().enumerate() {
            let found = entries.into_iter().find(|e| e.name == *name).unwrap();
            line = found.line;
            match found.value {
                Node::Map(inner) if depth + 1 < path.len() => entries = inner,
                value => return (line, value),
            }
        }
        (line, Node::Null)
    }

    #[test]
    fn every_language_tells_the_line_of_a_key() {
        let toml = "# c\n[mcp]\n\nhttp_port = 0x10\n";
        let yaml = "# c\nmcp:\n\n  http_port: 16\n";
        let json = "{\n \"mcp\": {\n\n  \"http_port\": 16 } }";
        for (text, language) in [(toml, Language::Toml), (yaml, Language::Yaml), (json, Language::Json)] {
            assert_eq!(entry(text, language, &["mcp", "http_port"]), (Some(4), Node::Int(16)), "{language:?}");
        }
    }

    #[test]
    fn all_toml_mistakes_come_with_line_and_column_and_never_with_the_text() {
        let errors = parse("a = \nb = 1\nencryption_key = hunter2\n", Language::Toml).unwrap_err();
        assert!(errors.len() >= 2, "{errors:?}");
        assert_eq!(errors[0].at.map(|at| at.0), Some(1));
        assert!(errors.iter().any(|e| e.at.is_some_and(|at| at.0 == 3)), "{errors:?}");
        assert!(!format!("{errors:?}").contains("hunter2"));
    }

    #[test]
    fn a_broken_yaml_or_json_file_names_the_line_and_not_the_text() {
        for (text, language) in [
            ("a: 1\nkey: [hunter2\nb: 2\n", Language::Yaml),
            ("{\n \"key\": \"hunter2\",\n}", Language::Json),
            ("{\"a\":1,\"a\":\"hunter2\"}", Language::Json),
        ] {
            let errors = parse(text, language).unwrap_err();
            assert!(errors[0].at.is_some(), "{errors:?}");
            assert!(!format!("{errors:?}").contains("hunter2"), "{errors:?}");
        }
    }

    #[test]
    fn an_empty_file_is_no_keys_and_a_list_is_no_file() {
        for language in [Language::Toml, Language::Yaml] {
            assert_eq!(parse("# nothing\n", language), Ok(vec![]), "{language:?}");
        }
        assert!(parse("[1]", Language::Json).is_err());
    }

    #[test]
    fn a_byte_order_mark_is_passed_over() {
        assert_eq!(entry("\u{feff}debug = true", Language::Toml, &["debug"]).1, Node::Flag(true));
    }
}
