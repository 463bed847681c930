//! What devices and tags may be called, and which name was probably meant.

use crate::base::fault::Fault;

/// The longest device name, characters: a DNS label's length, so that it fits wherever names are shown.
const NAME_MAX: usize = 63;
/// The longest tag key or value, characters.
const TAG_MAX: usize = 63;
/// The most tags a device carries.
const TAGS_MAX: usize = 32;
/// The most names offered when one is not found.
const OFFERED: usize = 3;

/// 1 to 63 letters, digits, `.`, `_`, `-`; never starting like an id nor the word `all`, so that a name is never taken for more.
pub fn check_name(name: &str) -> Result<(), Fault> {
    let wrong = |why: &str| {
        Err(Fault::bad_input(format!("a device name {why}")).hint("1 to 63 letters, digits, dots, dashes or underscores, such as edge-7"))
    };
    if name.is_empty() || name.len() > NAME_MAX {
        return wrong("has 1 to 63 characters");
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
        return wrong("has letters, digits, dots, dashes and underscores only");
    }
    if name.to_ascii_lowercase().starts_with("dev_") {
        return wrong("does not start with dev_, which marks ids");
    }
    if name.eq_ignore_ascii_case("all") {
        return wrong("is not all, which means every device");
    }
    Ok(())
}

/// Keys like names; values without control characters; each key once.
pub fn check_tags(tags: &[(String, String)]) -> Result<(), Fault> {
    if tags.len() > TAGS_MAX {
        return Err(Fault::bad_input(format!("{} tags; a device carries at most {TAGS_MAX}", tags.len())));
    }
    for (at, (key, value)) in tags.iter().enumerate() {
        let key_ok = (1..=TAG_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !key_ok {
            return Err(
                Fault::bad_input("a tag's key has 1 to 63 letters, digits, dots, dashes and underscores").hint("write --tag site=north")
            );
        }
        if value.chars().count() > TAG_MAX || value.chars().any(char::is_control) {
            return Err(Fault::bad_input(format!("the value of tag `{key}` has at most 63 characters, none of them a control character")));
        }
        if tags[..at].iter().any(|(earlier, _)| earlier == key) {
            return Err(Fault::bad_input(format!("tag `{key}` is given twice")));
        }
    }
    Ok(())
}

/// Names are told apart without regard to case.
pub fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// The names most like `wanted`, best first, at most three.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted = folded(wanted);
    if wanted.is_empty() || wanted.len() > NAME_MAX {
        return Vec::new();
    }
    let mut scored: Vec<(usize, &str)> = names.filter_map(|name| Some((likeness(&wanted, &folded(name))?, name))).collect();
    scored.sort();
    scored.into_iter().take(OFFERED).map(|(_, name)| name.to_owned()).collect()
}

/// Smaller is more alike; nothing for names too far apart to offer.
fn likeness(wanted: &str, name: &str) -> Option<usize> {
    let far = distance(wanted, name);
    if far <= 1 + wanted.len() / 4 {
        return Some(far);
    }
    (wanted.len() >= 2 && (name.contains(wanted) || wanted.contains(name))).then_some(far + NAME_MAX)
}

/// Levenshtein's, over the bytes of two names.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let next = (diagonal + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], next);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_to_the_alphabet_and_never_look_like_ids() {
        for good in ["a", "edge-7", "AP_1.north", &"x".repeat(63)] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "dev_1", "DEV_x", "all", "ALL", "é", "a/b", "a\n", &"x".repeat(64)] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn tags_have_keys_once_and_values_without_controls() {
        let tag = |k: &str, v: &str| (k.to_owned(), v.to_owned());
        assert!(check_tags(&[tag("site", "north hall"), tag("rack", "")]).is_ok());
        for bad in [vec![tag("", "x")], vec![tag("a b", "x")], vec![tag("a", "x\n")], vec![tag("a", "1"), tag("a", "2")]] {
            assert!(check_tags(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn offers_what_was_probably_meant_and_nothing_far_off() {
        let names = ["edge-7", "edge-8", "core", "ap-north", "ap-south"];
        assert_eq!(nearest("egde-7", names.into_iter()), ["edge-7"], "two letters swapped");
        assert_eq!(nearest("EDGE7", names.into_iter())[0], "edge-7");
        assert_eq!(nearest("north", names.into_iter()), ["ap-north"]);
        assert!(nearest("zebra", names.into_iter()).is_empty());
        assert!(nearest("", names.into_iter()).is_empty());
    }
}
