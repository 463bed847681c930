//! Inputs made up from others, the same ones for the same start: what the unit tests do without a fuzzer.

/// Makes inputs up.
pub struct Mutator<'a> {
    state: u64,
    seeds: &'a [Vec<u8>],
    words: &'a [&'a str],
    longest: usize,
}

/// Bytes that mean something to somebody.
const SPECIAL: &[u8] = b"\x00\x01\x7f\x80\xff\"\\{}[]()=:;,. \r\n\t#$/?*-+";

impl<'a> Mutator<'a> {
    /// From a start; `seeds` must not be empty.
    pub fn new(start: u64, seeds: &'a [Vec<u8>], words: &'a [&'a str], longest: usize) -> Self {
        assert!(!seeds.is_empty(), "there is something to begin with");
        Mutator { state: start.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, seeds, words, longest }
    }

    /// The next input.
    pub fn next_input(&mut self) -> Vec<u8> {
        let seeds = self.seeds;
        let mut input = seeds[self.below(seeds.len())].clone();
        // Whole recordings are long, and what breaks a reader is mostly short.
        if input.len() > 512 && self.below(4) > 0 {
            let start = self.below(input.len() - 256);
            let end = (start + 1 + self.below(2_048)).min(input.len());
            input = input[start..end].to_vec();
        }
        for _ in 0..=self.below(6) {
            self.change(&mut input);
        }
        input.truncate(self.longest);
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.below(input.len() + 1);
        let to = (at + self.below(24)).min(input.len());
        match self.below(9) {
            0 | 1 => {
                let byte = self.draw() as u8;
                if let Some(known) = input.get_mut(at) {
                    *known = byte;
                }
            }
            2 => {
                let bit = self.below(8);
                if let Some(known) = input.get_mut(at) {
                    *known ^= 1 << bit;
                }
            }
            3 => {
                let special = SPECIAL[self.below(SPECIAL.len())];
                input.insert(at, special);
            }
            4 => drop(input.drain(at..to)),
            5 => {
                let again = input[at..to].to_vec();
                let times = 1 + self.below(4);
                input.splice(at..at, again.repeat(times));
            }
            6 if !self.words.is_empty() => {
                let word = self.words[self.below(self.words.len())];
                input.splice(at..at, word.bytes());
            }
            7 => {
                let other = &self.seeds[self.below(self.seeds.len())];
                let (from, length) = (self.below(other.len() + 1), self.below(64));
                let piece = &other[from..(from + length).min(other.len())];
                input.splice(at..to, piece.iter().copied());
            }
            _ => input.truncate(at),
        }
    }

    fn below(&mut self, end: usize) -> usize {
        (self.draw() % end.max(1) as u64) as usize
    }

    /// xorshift64*: no seed of it is known to matter here.
    fn draw(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }
}
