//! Frames of HTTP/2, some as they should be, most of them not.

use super::dice::Dice;

/// What a client says first.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection's worth of them.
pub fn frames(dice: &mut Dice, token: &str) -> Vec<u8> {
    let mut all = if dice.once_in(12) { dice.bytes(60) } else { PREFACE.to_vec() };
    if !dice.once_in(8) {
        all.extend(frame(4, 0, 0, &[]));
    }
    let mut stream = 1;
    for _ in 0..=dice.below(12) {
        let on = if dice.once_in(6) { dice.below(8) as u32 } else { stream };
        match dice.below(8) {
            0 => all.extend(frame(dice.below(12) as u8, dice.next() as u8, on, &dice.bytes(64))),
            1 => all.extend(frame(8, 0, on, &(dice.next() as u32).to_be_bytes())),
            2 => all.extend(frame(3, 0, on, &(dice.below(14) as u32).to_be_bytes())),
            3 => all.extend(frame(6, 0, if dice.once_in(4) { on } else { 0 }, &dice.bytes(9))),
            4 => all.extend(frame(4, 0, 0, &setting(dice))),
            5 => all.extend(frame(0, dice.below(2) as u8, on, &dice.bytes(200))),
            // An endless head, which nobody should keep.
            6 if dice.once_in(4) => {
                (0..40).for_each(|n| all.extend(frame(if n == 0 { 1 } else { 9 }, 0, on, &[0x40, 1, b'a', 1, b'b'].repeat(200))))
            }
            _ => {
                all.extend(frame(1, if dice.once_in(3) { 4 } else { 5 }, on, &head(dice, token)));
                stream += 2;
            }
        }
    }
    if dice.once_in(5) {
        dice.spoil(&mut all);
    }
    all
}

fn setting(dice: &mut Dice) -> Vec<u8> {
    let mut one = (dice.below(9) as u16).to_be_bytes().to_vec();
    one.extend((dice.next() as u32 >> dice.below(32)).to_be_bytes());
    one.repeat(1 + dice.below(3))
}

/// A head as literals, nothing of it indexed.
fn head(dice: &mut Dice, token: &str) -> Vec<u8> {
    let mut fields: Vec<(String, String)> = [
        (":method", if dice.once_in(4) { "POST" } else { "GET" }),
        (":scheme", "https"),
        (":path", *dice.pick(&["/health", "/mcp", "/mcp", "*", "", "/%2e%2e"])),
        (":authority", *dice.pick(&["localhost", "localhost", "evil.example", ""])),
        ("accept", "application/json, text/event-stream"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    if dice.once_in(2) {
        fields.push(("authorization".into(), format!("Bearer {token}")));
    }
    match dice.below(10) {
        0 => drop(fields.remove(dice.below(fields.len()))),
        1 => fields.push(("connection".into(), "close".into())),
        2 => fields.push(("Upper".into(), "x".into())),
        3 => fields.push((":made-up".into(), "x".into())),
        4 => fields.push(("host".into(), "other.example".into())),
        5 => fields.push(("content-length".into(), "99999999999".into())),
        6 => fields.push(("transfer-encoding".into(), "chunked".into())),
        7 => fields.push((dice.text().chars().take(60).collect(), dice.text().chars().take(60).collect())),
        _ => {}
    }
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            // Lengths above 126 would need more than a byte.
            let text = &text.as_bytes()[..text.len().min(126)];
            block.push(text.len() as u8);
            block.extend(text);
        }
    }
    block
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}
