//! Chance that can be had again: everything of a case follows from its number.

/// One case's chance (splitmix64).
pub struct Dice {
    state: u64,
    /// How often it may still do what is wrong: who is wrong everywhere is turned away at the first door.
    strays: usize,
}

impl Dice {
    pub fn of(seed: u64) -> Dice {
        let mut dice = Dice { state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), strays: 0 };
        dice.strays = dice.below(4);
        dice
    }

    /// Whether to do what is wrong here, one time in `n` while it may.
    pub fn strays(&mut self, n: usize) -> bool {
        let strays = self.strays > 0 && self.once_in(n);
        self.strays -= usize::from(strays);
        strays
    }

    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `most`, which is not 0.
    pub fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }

    /// One time in `n`.
    pub fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most + 1)).map(|_| self.next() as u8).collect()
    }

    /// Text that nobody expects, without what would end a line.
    pub fn text(&mut self) -> String {
        const ODD: [&str; 24] = [
            "",
            " ",
            "\t",
            "null",
            "0",
            "-1",
            "..",
            "/../",
            "%00",
            "%2e%2e%2f",
            "\u{0}",
            "\u{7f}",
            "\u{202e}",
            "\u{200b}",
            "é",
            "\u{1F600}",
            "'\"`",
            "{}",
            "[1]",
            "${x}",
            "a\\",
            "*",
            "true",
            "\u{feff}",
        ];
        let mut text = String::new();
        for _ in 0..self.below(4) {
            text.push_str(ODD[self.below(ODD.len())]);
            if self.once_in(40) {
                text.push_str(&"A".repeat(self.below(5_000)));
            }
        }
        text
    }

    /// Some of the bytes changed, lost, doubled or added.
    pub fn spoil(&mut self, bytes: &mut Vec<u8>) {
        const BITS: [&[u8]; 14] = [
            b"\r\n",
            b"\n",
            b"\0",
            b"\r",
            b" ",
            b"\t",
            b":",
            b"\xff\xfe",
            b"HTTP/1.1",
            b"\r\n\r\n",
            b"Content-Length: 5\r\n",
            b"0\r\n\r\n",
            b"\"",
            b"{",
        ];
        for _ in 0..=self.below(4) {
            if bytes.is_empty() {
                return;
            }
            let at = self.below(bytes.len());
            let end = at + self.below((bytes.len() - at).min(40) + 1);
            match self.below(6) {
                0 => bytes[at] = self.next() as u8,
                1 => drop(bytes.drain(at..end)),
                2 => {
                    let part = bytes[at..end].to_vec();
                    bytes.splice(at..at, part);
                }
                3 => {
                    let bits = *self.pick(&BITS);
                    bytes.splice(at..at, bits.iter().copied());
                }
                4 => bytes.truncate(at),
                _ => bytes[at] ^= 1 << self.below(8),
            }
        }
    }
}
