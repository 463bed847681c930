//! Finds menus and attributes by the words people use: "dhcp leases", "wifi clients", "port forward".
//!
//! Small on purpose: words are cut to a stem, each word of the query scores by the best place it is found in (synonym,
//! path, description, attribute), rare words count more, and a query most of whose words are found nowhere gets an
//! honest empty answer.

use super::attr::Attr;
use super::menu::Menu;

/// Words of a query that are read; the rest of a novel says nothing more.
const MOST_WORDS: usize = 12;

/// Words that say nothing about a menu, as they are typed; [`stem`] would make `thi` of `this`. Their plurals count as well.
const NOISE: &[&str] = &[
    "a",
    "all",
    "an",
    "and",
    "any",
    "are",
    "at",
    "be",
    "by",
    "can",
    "change",
    "check",
    "configure",
    "configured",
    "current",
    "display",
    "do",
    "does",
    "edit",
    "find",
    "for",
    "from",
    "get",
    "give",
    "have",
    "how",
    "i",
    "in",
    "is",
    "it",
    "look",
    "many",
    "me",
    "menu",
    "mikrotik",
    "my",
    "of",
    "on",
    "or",
    "our",
    "please",
    "print",
    "routeros",
    "see",
    "set",
    "setting",
    "show",
    "that",
    "the",
    "there",
    "this",
    "to",
    "up",
    "view",
    "what",
    "where",
    "which",
    "who",
    "with",
];

/// Where a word was found, best first; the numbers are its worth.
const IN_LAST_SEGMENT: f32 = 9.0;
const IN_SYNONYM: f32 = 8.0;
const IN_PATH: f32 = 6.0;
const IN_ATTRIBUTE: f32 = 4.0;
const IN_ABOUT: f32 = 3.5;
const IN_ATTRIBUTE_ABOUT: f32 = 1.5;
/// A word that only begins like the one looked for.
const ONLY_BEGINS: f32 = 0.6;
/// All words of a synonym are in the query: for the phrase, and for each of its words.
const WHOLE_SYNONYM: f32 = 10.0;
const SYNONYM_WORD: f32 = 5.0;
/// The query is a synonym, or an attribute's name, and nothing else.
const NOTHING_ELSE: f32 = 12.0;
/// A menu lists its synonyms best first; each step down costs this much.
const LATER_SYNONYM: f32 = 0.4;
/// The synonym is in the query letter by letter: "ntp servers" is not "ntp server".
const SAME_LETTERS: f32 = 1.0;
/// How much of the query (by rarity) a match must hold; less is chance.
const ENOUGH: f32 = 0.6;

/// One menu, or one attribute of it, that fits a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// The menu.
    pub menu: &'static Menu,
    /// The attribute, where the query names one rather than the menu.
    pub attribute: Option<&'static Attr>,
    /// One line on the attribute, or on the menu.
    pub about: &'static str,
    /// How well it fits; only to compare matches of one query.
    pub score: f32,
}

/// The best `limit` matches, best first, at most one a menu; empty if nothing fits.
pub fn search(query: &str, limit: usize) -> Vec<Match> {
    let wanted = Wanted::read(query);
    if wanted.words.is_empty() {
        return Vec::new();
    }
    let rarity: Vec<f32> = wanted.words.iter().map(|word| rarity(word)).collect();
    let mut found: Vec<Match> = super::all().iter().filter_map(|menu| judge(menu, &wanted, &rarity)).collect();
    found.sort_by(|a, b| {
        b.score.total_cmp(&a.score).then_with(|| a.menu.path.len().cmp(&b.menu.path.len())).then(a.menu.path.cmp(b.menu.path))
    });
    found.truncate(limit);
    found
}

/// A query as words.
struct Wanted {
    words: Vec<String>,
    /// Its read words in lower case, a space around each.
    text: String,
    /// The query as an attribute would be spelled: `host-name`.
    spelled: String,
    /// The query as a menu's path, from REST or console spelling.
    path: String,
}

impl Wanted {
    fn read(query: &str) -> Wanted {
        let spelled = pieces(query).take(MOST_WORDS).map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-");
        let text = format!(" {} ", spelled.replace('-', " "));
        let path = format!("/{}", query.trim().trim_matches('/').to_ascii_lowercase().replace(' ', "/"));
        let mut words: Vec<String> = Vec::new();
        for piece in pieces(query).take(MOST_WORDS) {
            if let Some(word) = telling(piece).filter(|word| !words.contains(word)) {
                words.push(word);
            }
        }
        Wanted { words, text, spelled, path }
    }
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|piece| !piece.is_empty())
}

/// The stem of a word, unless it is noise.
fn telling(piece: &str) -> Option<String> {
    let word = stem(piece);
    let is_noise = NOISE.iter().any(|noise| *noise == word || noise.eq_ignore_ascii_case(piece));
    (!is_noise).then_some(word)
}

/// Lower case, and singular as far as a short rule goes: `leases` and `lease`, `policies` and `policy`.
fn stem(piece: &str) -> String {
    let mut word = piece.to_ascii_lowercase();
    if word.len() > 4 && word.ends_with("ies") {
        word.truncate(word.len() - 3);
        word.push('y');
    } else if word.len() > 4 && ["ches", "shes", "sses", "xes"].iter().any(|end| word.ends_with(end)) {
        word.truncate(word.len() - 2);
    } else if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") && !word.ends_with("us") && !word.ends_with("dns") {
        word.truncate(word.len() - 1);
    }
    word
}

/// 1 for the same word, less for one that only begins like it, 0 for another.
fn likeness(wanted: &str, piece: &str) -> f32 {
    let word = stem(piece);
    if word == wanted {
        1.0
    } else if wanted.len() >= 4 && word.starts_with(wanted) && word.len() <= wanted.len() + 5 {
        ONLY_BEGINS
    } else {
        0.0
    }
}

fn best_in(wanted: &str, text: &str) -> f32 {
    pieces(text).map(|piece| likeness(wanted, piece)).fold(0.0, f32::max)
}

/// Words that many menus share tell them apart little: 1 for a word of one menu, down to about 0.3.
fn rarity(word: &str) -> f32 {
    let holders =
        super::all().iter().filter(|menu| best_in(word, menu.path) > 0.0 || menu.synonyms.iter().any(|s| best_in(word, s) > 0.0)).count();
    1.0 / (1.0 + (holders.max(1) as f32).log2() * 0.3)
}

fn judge(menu: &'static Menu, wanted: &Wanted, rarity: &[f32]) -> Option<Match> {
    let (mut sum, mut hits) = (0.0, 0.0);
    for (word, weight) in wanted.words.iter().zip(rarity) {
        let worth = worth(menu, word);
        sum += worth * weight;
        hits += if worth > 0.0 { *weight } else { 0.0 };
    }
    let all: f32 = rarity.iter().sum();
    if hits < all * ENOUGH || sum == 0.0 {
        return None;
    }
    let attribute = named_attribute(menu, wanted);
    let phrases = phrases(menu, wanted);
    let is_path = wanted.path == menu.path;
    let mut score = sum * (hits / all) + phrases;
    if is_path {
        score += 4.0 * NOTHING_ELSE;
    }
    if let Some((_, exact)) = attribute {
        score += if exact { NOTHING_ELSE } else { 0.0 };
    }
    let attribute = attribute.filter(|_| phrases == 0.0 && !is_path).map(|(attr, _)| attr);
    let about = attribute.map_or(menu.about, |attr| if attr.about.is_empty() { menu.about } else { attr.about });
    Some(Match { menu, attribute, about, score })
}

/// What finding one word in a menu is worth: its best place.
fn worth(menu: &Menu, word: &str) -> f32 {
    let (above, last) = menu.path.rsplit_once('/').unwrap_or(("", menu.path));
    let synonym = menu.synonyms.iter().map(|synonym| best_in(word, synonym)).fold(0.0, f32::max);
    let attribute = menu.attrs.iter().map(|attr| best_in(word, attr.name)).fold(0.0, f32::max);
    let sure = [
        best_in(word, last) * IN_LAST_SEGMENT,
        synonym * IN_SYNONYM,
        best_in(word, above) * IN_PATH,
        best_in(word, menu.about) * IN_ABOUT,
        attribute * IN_ATTRIBUTE,
    ];
    let best = sure.into_iter().fold(0.0, f32::max);
    if best > 0.0 {
        return best;
    }
    menu.attrs.iter().map(|attr| best_in(word, attr.about)).fold(0.0, f32::max) * IN_ATTRIBUTE_ABOUT
}

/// What whole synonyms in the query are worth: the best of them.
fn phrases(menu: &Menu, wanted: &Wanted) -> f32 {
    let each = menu.synonyms.iter().enumerate().map(|(at, synonym)| (phrase(synonym, wanted) - at as f32 * LATER_SYNONYM).max(0.0));
    each.fold(0.0, f32::max)
}

fn phrase(synonym: &str, wanted: &Wanted) -> f32 {
    let mut len = 0;
    for word in pieces(synonym).filter_map(telling) {
        if !wanted.words.contains(&word) {
            return 0.0;
        }
        len += 1;
    }
    let only = if len == wanted.words.len() { NOTHING_ELSE } else { 0.0 };
    let same = if wanted.text.contains(&format!(" {synonym} ")) { SAME_LETTERS } else { 0.0 };
    WHOLE_SYNONYM + SYNONYM_WORD * len as f32 + only + same
}

/// The attribute a query names, and whether it names nothing else.
fn named_attribute(menu: &'static Menu, wanted: &Wanted) -> Option<(&'static Attr, bool)> {
    if let Some(attr) = menu.attrs.iter().find(|attr| attr.name == wanted.spelled || attr.name.replace('.', "-") == wanted.spelled) {
        return Some((attr, true));
    }
    // Words that name the menu are no evidence for an attribute.
    let left: Vec<&String> = wanted.words.iter().filter(|word| best_in(word, menu.path) == 0.0).collect();
    if left.is_empty() {
        return None;
    }
    let fits = |attr: &&Attr| left.iter().all(|word| best_in(word, attr.name) > 0.0);
    menu.attrs.iter().filter(fits).min_by_key(|attr| attr.name.len()).map(|attr| (attr, false))
}

#[cfg(test)]
mod tests;
