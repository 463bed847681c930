//! The regular expressions of `~`: POSIX, as far as people use them in filters.

/// Steps a match may take before it is given up: patterns of `(a*)*` must not hang a test.
const STEPS_MAX: usize = 200_000;

#[derive(Debug)]
enum Node {
    Char(char),
    Any,
    Set(bool, Vec<(char, char)>),
    Start,
    End,
    Group(Vec<Branch>),
}

/// A node and how often it comes, at least and at most.
type Piece = (Node, usize, usize);

type Branch = Vec<Piece>;

/// Whether the pattern is found in the text.
pub fn found(pattern: &str, text: &str) -> bool {
    let mut reader = Reader { chars: pattern.chars().collect(), at: 0 };
    let branches = reader.alternatives();
    let text: Vec<char> = text.chars().collect();
    let mut steps = 0;
    let whole = [(Node::Group(branches), 1, 1)];
    (0..=text.len()).any(|at| matches(&whole, &text, at, &mut |_| true, &mut steps))
}

struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn next(&mut self) -> Option<char> {
        let c = self.chars.get(self.at).copied();
        self.at += 1;
        c
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn alternatives(&mut self) -> Vec<Branch> {
        let mut branches = vec![Vec::new()];
        while let Some(c) = self.peek() {
            match c {
                ')' => break,
                '|' => {
                    self.at += 1;
                    branches.push(Vec::new());
                }
                _ => {
                    let piece = self.piece();
                    if let Some(last) = branches.last_mut() {
                        last.push(piece);
                    }
                }
            }
        }
        branches
    }

    fn piece(&mut self) -> Piece {
        let node = match self.next() {
            Some('.') => Node::Any,
            Some('^') => Node::Start,
            Some('$') => Node::End,
            Some('[') => self.set(),
            Some('(') => {
                let inner = self.alternatives();
                self.at += 1;
                Node::Group(inner)
            }
            Some('\\') => Node::Char(self.next().unwrap_or('\\')),
            Some(c) => Node::Char(c),
            None => Node::End,
        };
        let (least, most) = match self.peek() {
            Some('*') => (0, usize::MAX),
            Some('+') => (1, usize::MAX),
            Some('?') => (0, 1),
            _ => return (node, 1, 1),
        };
        self.at += 1;
        (node, least, most)
    }

    fn set(&mut self) -> Node {
        let negated = self.peek() == Some('^');
        self.at += usize::from(negated);
        let mut ranges = Vec::new();
        while let Some(c) = self.next() {
            if c == ']' && !ranges.is_empty() {
                break;
            }
            let to = match (self.peek(), self.chars.get(self.at + 1)) {
                (Some('-'), Some(to)) if *to != ']' => {
                    let to = *to;
                    self.at += 2;
                    to
                }
                _ => c,
            };
            ranges.push((c, to));
        }
        Node::Set(negated, ranges)
    }
}

fn matches(pieces: &[Piece], text: &[char], at: usize, then: &mut dyn FnMut(usize) -> bool, steps: &mut usize) -> bool {
    *steps += 1;
    if *steps > STEPS_MAX {
        return false;
    }
    let Some(((node, least, most), rest)) = pieces.split_first() else { return then(at) };
    repeat(node, *least, *most, rest, text, at, then, steps)
}

#[allow(clippy::too_many_arguments, reason = "one level of the search: a struct would only hide it")]
fn repeat(
    node: &Node,
    least: usize,
    most: usize,
    rest: &[Piece],
    text: &[char],
    at: usize,
    then: &mut dyn FnMut(usize) -> bool,
    steps: &mut usize,
) -> bool {
    let more = match node {
        Node::Group(branches) if most > 0 => branches.iter().any(|branch| {
            let mut inner = 0;
            let hit = matches(
                branch,
                text,
                at,
                &mut |end| {
                    // An empty round would go on for ever.
                    (end > at || least > 0)
                        && repeat(node, least.saturating_sub(1), most.saturating_sub(1), rest, text, end, then, &mut inner)
                },
                steps,
            );
            *steps += inner;
            hit
        }),
        _ if most > 0 => one(node, text, at)
            .is_some_and(|end| repeat(node, least.saturating_sub(1), if end == at { 0 } else { most - 1 }, rest, text, end, then, steps)),
        _ => false,
    };
    more || least == 0 && matches(rest, text, at, then, steps)
}

fn one(node: &Node, text: &[char], at: usize) -> Option<usize> {
    let c = text.get(at);
    let hit = match node {
        Node::Start => return (at == 0).then_some(at),
        Node::End => return (at == text.len()).then_some(at),
        Node::Any => c.is_some(),
        Node::Char(want) => c == Some(want),
        Node::Set(negated, ranges) => c.is_some_and(|c| ranges.iter().any(|(lo, hi)| lo <= c && c <= hi) != *negated),
        Node::Group(_) => false,
    };
    hit.then_some(at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_what_they_say() {
        let cases = [
            ("ether", "ether1", true),
            ("^ether[0-9]+$", "ether12", true),
            ("^ether[0-9]+$", "ether12x", false),
            ("vlan(10|20)-", "vlan20-voice", true),
            ("vlan(10|20)-", "vlan30-iot", false),
            ("a.c", "xabcx", true),
            ("^$", "", true),
            ("colou?r", "color", true),
            ("[^a]b", "ab", false),
            ("a\\.b", "a.b", true),
            ("a\\.b", "axb", false),
            ("(a*)*b", "aaaaaaaaaaaaaaaaaaaaaaaac", false),
            ("x*", "", true),
        ];
        for (pattern, text, want) in cases {
            assert_eq!(found(pattern, text), want, "{pattern} {text}");
        }
    }
}
