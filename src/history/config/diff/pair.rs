//! Which row of one side is which row of the other.

use crate::history::config::diff::{Item, Value, equal, identity, values};
use crate::menus::Menu;
use crate::routeros::export::Command;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// More rows than this without a counterpart are not compared by likeness: every pair of them would be.
const MOST_ALIKE: usize = 200;

/// Rows that have at least so many of their attributes in common are one row that was changed, percent.
const ALIKE: usize = 50;

/// Places in both sides; one of them is empty for a row that has no counterpart. In the order of the second side, rows
/// of the first alone at the end.
type Pair = (Option<usize>, Option<usize>);

/// Finds the counterpart of each row.
pub(super) fn pairs(facts: Option<&Menu>, was: &[Item<'_>], is: &[Item<'_>]) -> Vec<Pair> {
    let mut from_of: Vec<Option<usize>> = vec![None; is.len()];
    let mut taken = vec![false; was.len()];
    let mut by_identity: HashMap<String, (Vec<usize>, Vec<usize>)> = HashMap::new();
    for (at, item) in was.iter().enumerate() {
        by_identity.entry(identity(facts, item.command)).or_default().0.push(at);
    }
    for (at, item) in is.iter().enumerate() {
        by_identity.entry(identity(facts, item.command)).or_default().1.push(at);
    }
    for (name, (here, there)) in &by_identity {
        let mut link = |from: usize, to: usize| {
            from_of[to] = Some(from);
            taken[from] = true;
        };
        let (mut here, there) = equal_ones(facts, was, is, here, there, &mut link);
        if name.is_empty() {
            alike(was, is, &here, &there, &mut link);
        } else {
            // Equal keys on one side: the first goes with the first.
            there.iter().zip(here.drain(..)).for_each(|(to, from)| link(from, *to));
        }
    }
    let mut pairs: Vec<Pair> = from_of.into_iter().enumerate().map(|(to, from)| (from, Some(to))).collect();
    pairs.extend(taken.iter().enumerate().filter(|(_, taken)| !**taken).map(|(from, _)| (Some(from), None)));
    pairs
}

/// Links rows of the same content, in order; gives back those left.
fn equal_ones(
    facts: Option<&Menu>,
    was: &[Item<'_>],
    is: &[Item<'_>],
    here: &[usize],
    there: &[usize],
    link: &mut impl FnMut(usize, usize),
) -> (Vec<usize>, Vec<usize>) {
    let mut waiting: HashMap<Vec<&str>, VecDeque<usize>> = HashMap::new();
    for at in here {
        waiting.entry(names(was[*at].command)).or_default().push_back(*at);
    }
    let mut left = Vec::new();
    for to in there {
        let found = waiting.get_mut(&names(is[*to].command)).and_then(|queue| {
            // Nearly always the front; a menu of rows with the same names and other values is looked through.
            let at = queue.iter().position(|from| equal(facts, was[*from].command, is[*to].command))?;
            queue.remove(at)
        });
        match found {
            Some(from) => link(from, *to),
            None => left.push(*to),
        }
    }
    let mut rest: Vec<usize> = waiting.into_values().flatten().collect();
    rest.sort_unstable();
    (rest, left)
}

/// What rows of the same content have in common, and few others: names, and values that are no sets.
fn names(command: &Command) -> Vec<&str> {
    values(command)
        .into_iter()
        .flat_map(|(name, value)| [name, value.as_deref().filter(|value| !value.contains(',')).unwrap_or_default()])
        .collect()
}

/// Links rows that are much alike, the most alike first.
fn alike(was: &[Item<'_>], is: &[Item<'_>], here: &[usize], there: &[usize], link: &mut impl FnMut(usize, usize)) {
    if here.len() > MOST_ALIKE || there.len() > MOST_ALIKE {
        return;
    }
    let mut candidates: Vec<(usize, usize, usize, usize)> = Vec::new();
    for from in here {
        for to in there {
            let likeness = likeness(was[*from].command, is[*to].command);
            if likeness >= ALIKE {
                candidates.push((100 - likeness, was[*from].place.abs_diff(is[*to].place), *from, *to));
            }
        }
    }
    candidates.sort_unstable();
    let (mut used_here, mut used_there) = (BTreeSet::new(), BTreeSet::new());
    for (_, _, from, to) in candidates {
        if !used_here.contains(&from) && !used_there.contains(&to) {
            used_here.insert(from);
            used_there.insert(to);
            link(from, to);
        }
    }
}

/// Percent of attributes two rows have in common; rules of different chains have nothing in common, and the same words
/// of a person are worth two attributes.
fn likeness(was: &Command, is: &Command) -> usize {
    if was.verb != is.verb || was.get("chain") != is.get("chain") {
        return 0;
    }
    let (was, is) = (values(was), values(is));
    let weight = |name: &str| if name == "comment" { 2 } else { usize::from(name != "chain") };
    let total = |side: &BTreeMap<&str, &Value>| side.keys().map(|name| weight(name)).sum::<usize>();
    let common: usize = was.iter().filter(|(name, value)| is.get(*name) == Some(*value)).map(|(name, _)| weight(name)).sum();
    (common * 200).checked_div(total(&was) + total(&is)).unwrap_or(0)
}

/// Pairs whose row was moved: all but the longest run of rows that kept their order.
pub(super) fn moved(pairs: &[Pair]) -> BTreeSet<Pair> {
    // In the order of the second side; what is looked for is the longest run that rises in the first.
    let both: Vec<(usize, usize)> = pairs.iter().filter_map(|pair| Some((pair.0?, pair.1?))).collect();
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; both.len()];
    for (at, (from, _)) in both.iter().enumerate() {
        let length = ends.partition_point(|end| both[*end].0 < *from);
        before[at] = length.checked_sub(1).map(|last| ends[last]);
        if length == ends.len() { ends.push(at) } else { ends[length] = at }
    }
    let mut stayed = BTreeSet::new();
    let mut next = ends.last().copied();
    while let Some(at) = next {
        stayed.insert(at);
        next = before[at];
    }
    both.iter().enumerate().filter(|(at, _)| !stayed.contains(at)).map(|(_, (from, to))| (Some(*from), Some(*to))).collect()
}
