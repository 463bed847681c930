//! What to read of a menu: which attributes, of which rows.
//!
//! The router compares whole values and knows whether an attribute is there; it has no patterns. A row that lacks
//! an attribute matches no comparison with it (`dynamic=false` misses rows without `dynamic`), so its negation matches
//! such rows. [`Filter::matches`] decides the same way here.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/47579160/API>, "Queries"

use crate::routeros::{fault::RouterError, row::Row, value};
use std::cmp::Ordering;

/// Most words a query may have; the router keeps a stack of them.
const MAX_WORDS: usize = 256;

/// A condition on rows that the router itself can check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// The attribute is there and has exactly this value, in REST spelling (`true`, not `yes`).
    Eq(String, String),
    /// The attribute is there.
    Has(String),
    /// The condition does not hold.
    Not(Box<Filter>),
    /// All hold; none given always holds.
    All(Vec<Filter>),
    /// One holds; none given never holds.
    Any(Vec<Filter>),
}

impl Filter {
    /// `name` equals `value`.
    pub fn eq(name: impl Into<String>, value: impl Into<String>) -> Self {
        Filter::Eq(name.into(), value.into())
    }

    /// The attribute is there.
    pub fn has(name: impl Into<String>) -> Self {
        Filter::Has(name.into())
    }

    /// The opposite.
    #[must_use]
    pub fn negate(self) -> Self {
        Filter::Not(Box::new(self))
    }

    /// Whether the row is meant, decided as the router does.
    pub fn matches(&self, row: &Row) -> bool {
        match self {
            Filter::Eq(name, value) => row.get(name) == Some(value),
            Filter::Has(name) => row.get(name).is_some(),
            Filter::Not(inner) => !inner.matches(row),
            Filter::All(filters) => filters.iter().all(|f| f.matches(row)),
            Filter::Any(filters) => filters.iter().any(|f| f.matches(row)),
        }
    }

    /// Adds the words that leave this condition's truth on the router's stack.
    fn push(&self, words: &mut Vec<String>) {
        match self {
            Filter::Eq(name, value) => words.push(format!("{name}={value}")),
            Filter::Has(name) => words.push(name.clone()),
            Filter::Not(inner) => {
                inner.push(words);
                words.push("#!".into());
            }
            Filter::All(filters) => join(filters, "#&", words),
            Filter::Any(filters) => join(filters, "#|", words),
        }
    }
}

/// Operators take two operands: n conditions are joined by n - 1 of them.
fn join(filters: &[Filter], operator: &str, words: &mut Vec<String>) {
    for (n, filter) in filters.iter().enumerate() {
        filter.push(words);
        if n > 0 {
            words.push(operator.into());
        }
    }
    if filters.is_empty() {
        // Every row has `.id` or lacks it: a constant the router can compute.
        words.extend([".id".into(), ".id".into(), "#!".into(), if operator == "#&" { "#|".into() } else { "#&".into() }]);
    }
}

/// Attributes and conditions of one read. Empty: every row, whole.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Attributes to send; empty means all. `.id` comes along always.
    pub proplist: Vec<String>,
    /// Query words of the API, without their leading `?`; what stays on the stack must hold (AND).
    pub words: Vec<String>,
}

impl Query {
    /// Every row, whole.
    pub fn new() -> Self {
        Query::default()
    }

    /// Only these attributes.
    #[must_use]
    pub fn columns<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.proplist.extend(names.into_iter().map(Into::into));
        self
    }

    /// Only rows whose attribute has this value.
    #[must_use]
    pub fn eq(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.matching(&Filter::eq(name, value))
    }

    /// Only rows that have the attribute.
    #[must_use]
    pub fn has(self, name: impl Into<String>) -> Self {
        self.matching(&Filter::has(name))
    }

    /// Only rows that lack the attribute.
    #[must_use]
    pub fn lacks(mut self, name: impl Into<String>) -> Self {
        self.words.push(format!("-{}", name.into()));
        self
    }

    /// Only rows for which the condition holds, besides the others given.
    #[must_use]
    pub fn matching(mut self, filter: &Filter) -> Self {
        filter.push(&mut self.words);
        self
    }

    /// Whether it asks for this attribute by its name.
    pub fn has_column(&self, name: &str) -> bool {
        self.proplist.iter().any(|column| column == name)
    }

    /// Whether this asks for every row.
    pub fn is_whole(&self) -> bool {
        self.words.is_empty()
    }

    /// The words are plain equalities that a URL can carry: `name=value` of unreserved characters.
    fn fits_url(&self) -> bool {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'*');
        self.words.iter().all(|word| {
            word.split_once('=').is_some_and(|(name, value)| is_attribute(name) && !value.is_empty() && value.bytes().all(plain))
        })
    }

    /// The query string of a GET (`disabled=true&.proplist=.id,name`, empty for a whole read), if it can say this
    /// within `max_bytes`; otherwise a `print` has to be posted.
    pub fn url_query(&self, max_bytes: usize) -> Option<String> {
        if !self.fits_url() {
            return None;
        }
        let mut parts = self.words.clone();
        if !self.proplist.is_empty() {
            parts.push(format!(".proplist={}", self.columns_with_id().join(",")));
        }
        let query = parts.join("&");
        (query.len() <= max_bytes).then_some(query)
    }

    /// The body of `POST …/print`.
    pub fn print_body(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut body = serde_json::Map::new();
        if !self.proplist.is_empty() {
            // GET adds `.id` by itself, a posted print does not: rows should not depend on the way.
            body.insert(".proplist".into(), self.columns_with_id().join(",").into());
        }
        if !self.words.is_empty() {
            body.insert(".query".into(), self.words.clone().into());
        }
        body
    }

    /// Whether the row is meant: the words, evaluated as the router's stack machine does. For rows that came another way
    /// than REST: values equal in meaning (`yes`, `true`; `1d`, `1d00:00:00`) are equal.
    pub fn keeps(&self, row: &Row) -> bool {
        let mut stack: Vec<bool> = Vec::new();
        for word in &self.words {
            match word.strip_prefix('#') {
                Some(operators) => operate(operators.as_bytes(), &mut stack),
                None => stack.push(holds(word, row)),
            }
        }
        stack.into_iter().all(|holds| holds)
    }

    fn columns_with_id(&self) -> Vec<&str> {
        let id = (!self.proplist.iter().any(|name| name == ".id")).then_some(".id");
        id.into_iter().chain(self.proplist.iter().map(String::as_str)).collect()
    }

    /// # Errors
    /// [`RouterError::Argument`] when a name or word could be read as something else.
    pub fn check(&self) -> Result<(), RouterError> {
        let wrong = |why: &str| Err(RouterError::argument(why));
        if !self.proplist.iter().all(|name| is_attribute(name)) {
            return wrong("an attribute's name is made of letters, digits, dots, hyphens and underscores");
        }
        if self.words.len() > MAX_WORDS {
            return wrong("a query has at most 256 words");
        }
        if !self.words.iter().all(|word| is_query_word(word)) {
            return wrong("a query word is name=value, name, -name or an operator such as #&");
        }
        Ok(())
    }
}

/// One condition of a query.
fn holds(word: &str, row: &Row) -> bool {
    let Some((name, value)) = word.split_once('=') else {
        return match word.strip_prefix('-') {
            Some(name) => row.get(name).is_none(),
            None => row.get(word).is_some(),
        };
    };
    let than = |name: &str, wanted: Ordering| row.get(name).is_some_and(|ours| compare(ours, value) == wanted);
    match (name.strip_prefix('<'), name.strip_prefix('>')) {
        (Some(name), _) => than(name, Ordering::Less),
        (_, Some(name)) => than(name, Ordering::Greater),
        _ => row.get(name).is_some_and(|ours| ours == value || compare(ours, value) == Ordering::Equal),
    }
}

/// By what both stand for: numbers, lengths of time, flags; else as text.
fn compare(a: &str, b: &str) -> Ordering {
    if let (Ok(a), Ok(b)) = (a.parse::<i128>(), b.parse::<i128>()) {
        return a.cmp(&b);
    }
    if let (Some(a), Some(b)) = (value::span(a), value::span(b)) {
        return a.cmp(&b);
    }
    match (value::flag(a), value::flag(b)) {
        (Some(x), Some(y)) if !a.is_empty() && !b.is_empty() => x.cmp(&y),
        _ => a.cmp(b),
    }
}

/// A number before an operator pushes a copy of the value there (0 is the top); one at the end leaves that value alone.
fn operate(operators: &[u8], stack: &mut Vec<bool>) {
    let mut at = 0;
    let mut after_index = false;
    while let Some(&operator) = operators.get(at) {
        let digits = operators[at..].iter().take_while(|b| b.is_ascii_digit()).count();
        if digits > 0 {
            let index = std::str::from_utf8(&operators[at..at + digits]).ok().and_then(|n| n.parse::<usize>().ok());
            let there = index.and_then(|index| stack.len().checked_sub(index + 1)).and_then(|place| stack.get(place)).copied();
            at += digits;
            if at == operators.len() {
                stack.clear();
            }
            stack.extend(there);
            after_index = true;
            continue;
        }
        match (operator, stack.pop()) {
            (b'!', Some(top)) => stack.push(!top),
            (b'&', Some(top)) => {
                let under = stack.pop().unwrap_or(true);
                stack.push(top && under);
            }
            (b'|', Some(top)) => {
                let under = stack.pop().unwrap_or(false);
                stack.push(top || under);
            }
            (_, Some(top)) if after_index => stack.push(top),
            (_, Some(top)) => stack.extend([top, top]),
            (_, None) => {}
        }
        after_index = false;
        at += 1;
    }
}

/// Whether a router could name an attribute so: `dst-address`, `configuration.ssid`, `.id`.
pub fn is_attribute(name: &str) -> bool {
    let inside = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    !name.is_empty() && name.len() <= 64 && !name.starts_with('-') && name.bytes().all(inside)
}

fn is_query_word(word: &str) -> bool {
    if let Some(operators) = word.strip_prefix('#') {
        return !operators.is_empty() && operators.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'!' | b'&' | b'|' | b'.'));
    }
    match word.split_once('=') {
        Some((name, _)) => is_attribute(name.strip_prefix(['<', '>']).unwrap_or(name)),
        None => is_attribute(word.strip_prefix('-').unwrap_or(word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn conditions_become_words_in_stack_order() {
        let query = Query::new().columns(["name"]).eq("type", "ether").matching(&Filter::Any(vec![
            Filter::eq("disabled", "true"),
            Filter::has("comment"),
            Filter::eq("running", "true").negate(),
        ]));
        assert_eq!(query.words, ["type=ether", "disabled=true", "comment", "#|", "running=true", "#!", "#|"]);
        assert_eq!(query.print_body()[".proplist"], ".id,name");
        assert!(query.check().is_ok());
    }

    #[test]
    fn only_plain_equalities_go_into_a_url() {
        assert_eq!(Query::new().url_query(100).unwrap(), "");
        assert_eq!(Query::new().columns([".id", "name"]).eq(".id", "*1").url_query(100).unwrap(), ".id=*1&.proplist=.id,name");
        for query in [Query::new().has("comment"), Query::new().eq("comment", "a b"), Query::new().eq("a", ""), Query::new().lacks("x")] {
            assert_eq!(query.url_query(100), None, "{query:?}");
        }
        assert_eq!(Query::new().columns(["a-long-name"; 20]).url_query(100), None);
    }

    #[test]
    fn words_that_mean_something_else_are_refused() {
        for word in ["", "#", "#x", "=a", "a b=c", "--a", "a\n=b", "-"] {
            assert!(Query { words: vec![word.into()], ..Query::new() }.check().is_err(), "{word:?}");
        }
        for word in ["a=b c\n\"", ">uptime=10", "-comment", "#!", "#0&"] {
            assert!(Query { words: vec![word.into()], ..Query::new() }.check().is_ok(), "{word:?}");
        }
        assert!(Query::new().columns(["a,b"]).check().is_err());
    }

    #[test]
    fn rows_of_the_console_meet_a_query_by_what_their_values_mean() {
        let row = Row::from_pairs([("disabled", "no"), ("timeout", "1d00:00:00"), ("bytes", "1500"), ("name", "a")]);
        let keeps = |words: &[&str]| Query { words: words.iter().map(|w| (*w).to_owned()).collect(), ..Query::new() }.keeps(&row);
        for kept in [&["disabled=false"][..], &["timeout=1d"], &[">bytes=900"], &["<bytes=10000"], &["-comment"], &["name=a", "bytes"]] {
            assert!(keeps(kept), "{kept:?}");
        }
        for left in [&["disabled=true"][..], &["timeout=2d"], &[">bytes=2000"], &["comment"], &["comment=", "name=a"], &["name=A"]] {
            assert!(!keeps(left), "{left:?}");
        }
        assert!(keeps(&["name=b", "name=a", "#0"]) && !keeps(&["name=b", "name=a", "#1"]));
        assert!(!keeps(&["name=b", "name=a", "#0.|&"]) && keeps(&["name=a", "#.&"]) && keeps(&["#&", "#99"]));
    }

    /// The router's stack machine, written from its manual.
    fn router_says(words: &[String], row: &Row) -> bool {
        let mut stack: Vec<bool> = Vec::new();
        for word in words {
            match word.as_str() {
                "#!" => {
                    let a = stack.pop().unwrap();
                    stack.push(!a);
                }
                "#&" | "#|" => {
                    let (a, b) = (stack.pop().unwrap(), stack.pop().unwrap());
                    stack.push(if word == "#&" { a && b } else { a || b });
                }
                _ => stack.push(match word.split_once('=') {
                    Some((name, value)) => row.get(name) == Some(value),
                    None => row.get(word).is_some(),
                }),
            }
        }
        stack.into_iter().all(|b| b)
    }

    fn filters() -> impl Strategy<Value = Filter> {
        let name = || prop::sample::select(vec!["a", "b", ".id"]);
        let leaf =
            prop_oneof![(name(), prop::sample::select(vec!["1", "2"])).prop_map(|(n, v)| Filter::eq(n, v)), name().prop_map(Filter::has),];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(Filter::negate),
                prop::collection::vec(inner.clone(), 0..4).prop_map(Filter::All),
                prop::collection::vec(inner, 0..4).prop_map(Filter::Any),
            ]
        })
    }

    proptest! {
        #[test]
        fn words_mean_what_the_filter_means(filter in filters(), a in 0..3u8, b in 0..3u8) {
            let row = Row::from_pairs([("a", a), ("b", b)].into_iter().filter(|(_, v)| *v > 0).map(|(n, v)| (n, v.to_string())));
            let words = Query::new().matching(&filter).words;
            prop_assert_eq!(router_says(&words, &row), filter.matches(&row));
            prop_assert_eq!(Query { words, ..Query::new() }.keeps(&row), filter.matches(&row));
        }
    }
}
