//! Characters that a person does not see and a program reads.
//!
//! Source: Unicode TR36 (Security Considerations) and TR39, <https://www.unicode.org/reports/tr36/>

/// Characters that are not seen but read, or that reorder what is seen.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Bidirectional marks, embeddings, overrides and isolates.
            '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
            // Zero width, invisible operators, deprecated format characters, line and paragraph separators.
            | '\u{200B}'..='\u{200D}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}' | '\u{FEFF}'
            | '\u{180E}' | '\u{AD}' | '\u{34F}'
            // Letters that draw nothing.
            | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{3164}' | '\u{FFA0}'
            // Variation selectors: 256 of them spell any byte behind one letter.
            | '\u{180B}'..='\u{180D}' | '\u{180F}' | '\u{FE00}'..='\u{FE0F}'
            // Annotations, musical and shorthand controls.
            | '\u{FFF9}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            // Tags, more variation selectors, and what is reserved beside them.
            | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_any_script_are_seen_and_what_hides_is_not() {
        for text in ["laptop", "Küche – größer", "телефон", "客厅", "a b", "😀"] {
            assert!(!text.chars().any(is_unseen), "{text}");
        }
        for c in ['\n', '\u{7f}', '\u{ad}', '\u{61c}', '\u{200b}', '\u{202e}', '\u{2066}', '\u{fe0f}', '\u{feff}', '\u{e0049}', '\u{e0100}']
        {
            assert!(is_unseen(c), "{c:?}");
        }
    }
}
