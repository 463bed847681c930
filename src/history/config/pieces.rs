//! A text as pieces, cut where its own lines say: an edit changes the piece it stands in, and none before or after.

use ring::digest::{SHA256, digest};

/// SHA-256 of a piece.
pub type Id = [u8; 32];

/// No cut before so many bytes: short pieces do not shrink.
const LEAST: usize = 2 << 10;

/// A cut at last after so many bytes, wherever that is.
pub const MOST: usize = 32 << 10;

/// One line in so many ends a piece; a line of a configuration has about 80 bytes.
const ONE_IN: u32 = 48;

/// Deflate's level: the best there is costs 30 ms for 300 kB, once a day.
const LEVEL: u8 = 9;

/// The pieces, in order; put together they are the text.
pub fn cut(text: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut line = 0;
    for at in 0..text.len() {
        let ends_line = text[at] == b'\n';
        let long = at + 1 - start;
        let here = ends_line && long >= LEAST && crc32c::crc32c(&text[line..=at]).is_multiple_of(ONE_IN);
        if here || long >= MOST {
            pieces.push(&text[start..=at]);
            start = at + 1;
        }
        if ends_line {
            line = at + 1;
        }
    }
    if start < text.len() {
        pieces.push(&text[start..]);
    }
    pieces
}

/// The name of a piece.
pub fn id(piece: &[u8]) -> Id {
    let mut id = [0; 32];
    id.copy_from_slice(digest(&SHA256, piece).as_ref());
    id
}

/// The id as part of a key.
pub fn word(id: &Id) -> String {
    data_encoding::BASE64URL_NOPAD.encode(id)
}

/// As it is stored.
pub fn squeeze(piece: &[u8]) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec(piece, LEVEL)
}

/// As it was; `None` when these bytes are not what the id says.
pub fn expand(stored: &[u8], expected: &Id) -> Option<Vec<u8>> {
    let piece = miniz_oxide::inflate::decompress_to_vec_with_limit(stored, MOST).ok()?;
    (id(&piece) == *expected).then_some(piece)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn list(rows: std::ops::Range<u32>) -> Vec<u8> {
        rows.map(|n| format!("add address=10.{}.{}.{} list=blocked comment=\"row {n}\"\n", n >> 16, (n >> 8) & 255, n & 255))
            .collect::<String>()
            .into_bytes()
    }

    #[test]
    fn one_edit_changes_one_or_two_pieces_wherever_it_is() {
        let before = list(0..5_000);
        let known: HashSet<Id> = cut(&before).into_iter().map(id).collect();
        assert!(known.len() > 20, "{} pieces", known.len());
        for at in [0, 1_234, 4_999] {
            let mut after = list(0..at);
            after.extend_from_slice(b"add address=192.0.2.1 list=new\n");
            after.extend(list(at..5_000));
            let fresh = cut(&after).into_iter().map(id).filter(|id| !known.contains(id)).count();
            assert!((1..=2).contains(&fresh), "{fresh} new pieces for an edit at {at}");
        }
    }

    #[test]
    fn a_line_longer_than_any_piece_is_cut_all_the_same() {
        let text = vec![b'x'; 3 * MOST + 5];
        assert_eq!(cut(&text).iter().map(|piece| piece.len()).collect::<Vec<_>>(), [MOST, MOST, MOST, 5]);
    }

    #[test]
    fn a_damaged_piece_is_never_taken_for_a_whole_one() {
        let piece = list(0..50);
        let (stored, id) = (squeeze(&piece), id(&piece));
        assert_eq!(expand(&stored, &id), Some(piece));
        for at in 0..stored.len() {
            let mut bad = stored.clone();
            bad[at] ^= 0x10;
            assert!(expand(&bad, &id).is_none_or(|read| super::id(&read) == id), "byte {at}");
        }
    }

    proptest! {
        #[test]
        fn pieces_are_the_text(lines in proptest::collection::vec("(?s).{0,12}", 0..60), times in 1usize..400) {
            let text = lines.join("\n").repeat(times).into_bytes();
            let pieces = cut(&text);
            prop_assert!(pieces.iter().all(|piece| !piece.is_empty() && piece.len() <= MOST));
            prop_assert_eq!(pieces.concat(), text);
        }
    }
}
