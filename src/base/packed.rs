//! Texts that a build carries and seldom reads: deflated by `scripts/pack.rs`, a third of their room in the file.

/// All texts of a set, to be looked through with [`texts`].
pub fn unpacked(set: &[u8]) -> String {
    let plain = miniz_oxide::inflate::decompress_to_vec(set).unwrap_or_default();
    String::from_utf8(plain).unwrap_or_default()
}

/// Names and texts of what [`unpacked`] gave.
pub fn texts(plain: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut parts = plain.split_terminator('\0');
    std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
}

/// One text of a set.
pub fn text(set: &[u8], name: &str) -> Option<String> {
    texts(&unpacked(set)).find(|(known, _)| *known == name).map(|(_, text)| text.to_owned())
}

/// What the build script wrote for this set.
macro_rules! packed {
    ($set:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $set, ".z"))
    };
}
pub(crate) use packed;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_as_its_file_has_it() {
        let plain = unpacked(packed!("docs"));
        let mut seen = 0;
        for (name, text) in texts(&plain) {
            assert_eq!(text, std::fs::read_to_string(format!("assets/docs/{name}.md")).unwrap());
            seen += 1;
        }
        assert_eq!(seen, std::fs::read_dir("assets/docs").unwrap().count());
        assert_eq!(text(packed!("docs"), "no-such-text"), None);
    }
}
