//! Which rows an answer holds: the stack words of `.query`, and `?name=value` in a URL.
//!
//! Source: RouterOS API "Queries" (the words here have no `?` in front), REST API "Filtering".

use super::refusal::Refusal;
use super::row::Row;
use super::value;

/// Most words in one query; the router's own limit is not documented.
const WORDS_MAX: usize = 1_000;

/// A parsed `.query`.
#[derive(Debug, Default, Clone)]
pub struct Query(Vec<Word>);

#[derive(Debug, Clone)]
enum Word {
    Has(String),
    HasNot(String),
    Is(String, String),
    Less(String, String),
    More(String, String),
    Ops(Vec<Op>),
}

#[derive(Debug, Clone, Copy)]
enum Op {
    Not,
    And,
    Or,
    Duplicate,
    Index(usize),
}

impl Query {
    /// Reads query words.
    pub fn parse(words: &[String]) -> Result<Self, Refusal> {
        if words.len() > WORDS_MAX {
            return Err(Refusal::bad("failure: query too long"));
        }
        words.iter().map(|w| word(w)).collect::<Result<_, _>>().map(Query)
    }

    /// Whether the row is in the answer: everything left on the stack must be true.
    pub fn keeps(&self, row: &Row) -> bool {
        let mut stack = Vec::new();
        for word in &self.0 {
            match word {
                Word::Has(name) => stack.push(attribute(row, name).is_some()),
                Word::HasNot(name) => stack.push(attribute(row, name).is_none()),
                Word::Is(name, want) => stack.push(attribute(row, name).is_some_and(|v| same(&v, want))),
                Word::Less(name, than) => stack.push(attribute(row, name).is_some_and(|v| compare(&v, than).is_lt())),
                Word::More(name, than) => stack.push(attribute(row, name).is_some_and(|v| compare(&v, than).is_gt())),
                Word::Ops(ops) => apply(ops, &mut stack),
            }
        }
        stack.into_iter().all(|kept| kept)
    }
}

fn word(text: &str) -> Result<Word, Refusal> {
    let pair = |t: &str| t.split_once('=').map(|(n, v)| (n.to_string(), v.to_string()));
    let bad = || Refusal::bad(format!("failure: invalid query word {text}"));
    if let Some(ops) = text.strip_prefix('#') {
        return operations(ops).map(Word::Ops).ok_or_else(bad);
    }
    if let Some(name) = text.strip_prefix('-') {
        return Ok(Word::HasNot(name.to_string()));
    }
    if let Some(rest) = text.strip_prefix('<') {
        return pair(rest).map(|(n, v)| Word::Less(n, v)).ok_or_else(bad);
    }
    if let Some(rest) = text.strip_prefix('>') {
        return pair(rest).map(|(n, v)| Word::More(n, v)).ok_or_else(bad);
    }
    // `=name=value` is `name=value` said with all its letters.
    let text = text.strip_prefix('=').unwrap_or(text);
    Ok(pair(text).map_or_else(|| Word::Has(text.to_string()), |(n, v)| Word::Is(n, v)))
}

/// An index followed by `.` pushes that value; a `.` alone duplicates the top.
fn operations(text: &str) -> Option<Vec<Op>> {
    let mut ops = Vec::new();
    let mut digits = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        if !digits.is_empty() {
            ops.push(Op::Index(std::mem::take(&mut digits).parse().ok()?));
            if c == '.' {
                continue;
            }
        }
        ops.push(match c {
            '!' => Op::Not,
            '&' => Op::And,
            '|' => Op::Or,
            '.' => Op::Duplicate,
            _ => return None,
        });
    }
    if !digits.is_empty() {
        ops.push(Op::Index(digits.parse().ok()?));
    }
    Some(ops)
}

fn apply(ops: &[Op], stack: &mut Vec<bool>) {
    for op in ops {
        match op {
            Op::Not => {
                if let Some(top) = stack.last_mut() {
                    *top = !*top;
                }
            }
            Op::And | Op::Or => {
                if let (Some(b), Some(a)) = (stack.pop(), stack.pop()) {
                    stack.push(if matches!(op, Op::And) { a && b } else { a || b });
                }
            }
            Op::Duplicate => stack.extend(stack.last().copied()),
            Op::Index(n) => stack.extend(stack.get(*n).copied()),
        }
    }
}

fn attribute(row: &Row, name: &str) -> Option<String> {
    if name == ".id" { row.id_text() } else { row.get(name).map(String::from) }
}

/// Equal on the wire, or `yes`/`no` for a shown `true`/`false`.
pub fn same(shown: &str, want: &str) -> bool {
    shown == want || matches!(shown, "true" | "false") && value::flag(want).is_some_and(|w| (shown == "true") == w)
}

pub(super) fn compare(a: &str, b: &str) -> std::cmp::Ordering {
    if let (Ok(a), Ok(b)) = (a.parse::<f64>(), b.parse::<f64>()) {
        return a.total_cmp(&b);
    }
    if let (Some((a, _)), Some((b, _))) = (value::prefix(a), value::prefix(b)) {
        return a.cmp(&b);
    }
    if let (Some(a), Some(b)) = (value::time(a), value::time(b)) {
        return a.cmp(&b);
    }
    a.cmp(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_work_on_a_stack() {
        let rows = [
            Row::new(Some(1)).with("name", "ether1").with("type", "ether").with("mtu", "1500").with("running", "true"),
            Row::new(Some(2)).with("name", "vlan10").with("type", "vlan").with("mtu", "1496").with("comment", "iot"),
            Row::new(Some(3)).with("name", "bridge").with("type", "bridge").with("mtu", "900").with("running", "false"),
        ];
        let cases: [(&[&str], &str); 16] = [
            (&[], "123"),
            (&["comment"], "2"),
            (&["-comment"], "13"),
            (&["type=vlan"], "2"),
            (&["=type=vlan"], "2"),
            (&["type=ether", "type=vlan"], ""),
            (&["type=ether", "type=vlan", "#|"], "12"),
            (&["type=ether", "type=vlan", "#|!"], "3"),
            (&["type=ether", "#!"], "23"),
            (&["type=ether", "running=yes", "#&"], "1"),
            (&["running=false"], "3"),
            (&[">mtu=1000"], "12"),
            (&["<mtu=1496"], "3"),
            (&["type=ether", "#.|"], "1"),
            (&["type=ether", "type=vlan", "#0.", "#||"], "12"),
            (&[".id=*3"], "3"),
        ];
        for (words, want) in cases {
            let query = Query::parse(&words.iter().map(|w| w.to_string()).collect::<Vec<_>>()).unwrap();
            let got: String = rows.iter().filter(|r| query.keeps(r)).map(|r| r.id.unwrap().to_string()).collect();
            assert_eq!(got, want, "{words:?}");
        }
    }
}
