//! Columns of numbers in few bits.
//!
//! What is measured over time mostly stays or moves a little. Each column is written in the shortest of three ways: runs
//! of equal values, values, or steps from value to value; each number as an exponential Golomb code, short for small
//! numbers and never long for the odd large one.
//!
//! Source: <https://en.wikipedia.org/wiki/Exponential-Golomb_coding>

/// Ways to write a column, two bits.
const RUNS: u64 = 0;
const PLAIN: u64 = 1;
const STEPS: u64 = 2;

/// Orders of the code that are tried: up to 2^15 each costs a bit more than the number itself.
const ORDERS: u32 = 16;

/// Larger numbers are cut; no reading comes near.
const LARGEST: u64 = 1 << 60;

/// Writes bits, the highest of a byte first.
#[derive(Debug, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    /// Bits not yet in `bytes`, fewer than 8, and how many.
    rest: u64,
    waiting: u32,
}

impl Writer {
    fn bits(&mut self, value: u64, count: u32) {
        // In two halves, so that what waits and what comes fit one word.
        if count > 32 {
            self.bits(value >> 32, count - 32);
        }
        let count = count.min(32);
        self.rest = self.rest << count | (value & ((1 << count) - 1));
        self.waiting += count;
        while self.waiting >= 8 {
            self.waiting -= 8;
            self.bytes.push((self.rest >> self.waiting) as u8);
        }
        self.rest &= (1 << self.waiting) - 1;
    }

    fn number(&mut self, value: u64, order: u32) {
        let head = (value >> order) + 1;
        let length = 64 - head.leading_zeros();
        self.bits(0, length - 1);
        self.bits(head, length);
        self.bits(value, order);
    }

    /// A column in the shortest way.
    pub(super) fn column(&mut self, values: &[u64]) {
        let values: Vec<u64> = values.iter().map(|value| (*value).min(LARGEST)).collect();
        let runs = runs(&values);
        // Two numbers a run: where values rarely stay, runs cannot be short.
        let ways = match runs.len() {
            0 => return,
            2 => vec![(RUNS, runs)],
            many if many > values.len() => vec![(PLAIN, values.clone()), (STEPS, steps(&values))],
            _ => vec![(RUNS, runs), (PLAIN, values.clone()), (STEPS, steps(&values))],
        };
        let tried =
            ways.iter().enumerate().flat_map(|(at, (_, numbers))| likely(numbers).map(move |order| (cost(numbers, order), at, order)));
        let Some((_, at, order)) = tried.min() else { return };
        self.bits(ways[at].0, 2);
        self.bits(u64::from(order), 4);
        for number in &ways[at].1 {
            self.number(*number, order);
        }
    }

    /// What was written, filled up to a whole byte.
    pub(super) fn finish(mut self) -> Vec<u8> {
        if self.waiting > 0 {
            self.bytes.push((self.rest << (8 - self.waiting)) as u8);
        }
        self.bytes
    }
}

/// Orders worth trying: about the size of the middle number.
fn likely(numbers: &[u64]) -> std::ops::Range<u32> {
    let sizes = numbers.iter().map(|number| 64 - number.leading_zeros()).sum::<u32>();
    let middle = sizes / numbers.len().max(1) as u32;
    middle.saturating_sub(2).min(ORDERS - 3)..(middle + 2).min(ORDERS)
}

/// Bits that the numbers take.
fn cost(numbers: &[u64], order: u32) -> u64 {
    numbers.iter().map(|number| u64::from(2 * (64 - ((number >> order) + 1).leading_zeros()) - 1 + order)).sum()
}

/// Each run as its value's step and its length less one.
fn runs(values: &[u64]) -> Vec<u64> {
    let (mut out, mut before) = (Vec::new(), 0);
    for run in values.chunk_by(|a, b| a == b) {
        out.extend([step(before, run[0]), run.len() as u64 - 1]);
        before = run[0];
    }
    out
}

fn steps(values: &[u64]) -> Vec<u64> {
    let before = std::iter::once(&0).chain(values);
    before.zip(values).map(|(before, value)| step(*before, *value)).collect()
}

/// Small steps up and down as small numbers.
fn step(from: u64, to: u64) -> u64 {
    zigzag(to as i64 - from as i64)
}

/// 0, -1, 1, -2, 2 … as 0, 1, 2, 3, 4 …
pub(super) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// The way back.
pub(super) fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Reads what a [`Writer`] wrote; anything else is `None`, never a panic.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    used: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader { bytes, used: 0 }
    }

    fn bits(&mut self, count: u32) -> Option<u64> {
        let (mut value, mut left) = (0_u64, count);
        while left > 0 {
            let byte = *self.bytes.get(self.used / 8)?;
            let here = 8 - (self.used % 8) as u32;
            let taken = here.min(left);
            let some = u64::from(byte) >> (here - taken) & ((1 << taken) - 1);
            value = value << taken | some;
            self.used += taken as usize;
            left -= taken;
        }
        Some(value)
    }

    /// How many zeros stand before the next one, which is taken too.
    fn zeros(&mut self) -> Option<u32> {
        let mut zeros = 0;
        loop {
            let byte = *self.bytes.get(self.used / 8)?;
            let here = (self.used % 8) as u32;
            let found = (byte << here).leading_zeros();
            if found < 8 - here {
                self.used += found as usize + 1;
                return Some(zeros + found);
            }
            zeros += 8 - here;
            self.used += (8 - here) as usize;
            if zeros > 61 {
                return None;
            }
        }
    }

    fn number(&mut self, order: u32) -> Option<u64> {
        let zeros = self.zeros().filter(|zeros| *zeros <= 61)?;
        let head = 1 << zeros | self.bits(zeros)?;
        let value = u128::from(head - 1) << order | u128::from(self.bits(order)?);
        u64::try_from(value).ok().filter(|value| *value <= LARGEST << 1)
    }

    /// A column of so many values.
    pub(super) fn column(&mut self, count: usize) -> Option<Vec<u64>> {
        if count == 0 {
            return Some(Vec::new());
        }
        let (way, order) = (self.bits(2)?, self.bits(4)? as u32);
        let mut values = Vec::with_capacity(count.min(self.bytes.len() * 8));
        let mut before = 0_i64;
        while values.len() < count {
            let number = self.number(order)?;
            if way == PLAIN {
                values.push(number);
                continue;
            }
            before = before.checked_add(unzigzag(number))?;
            let value = u64::try_from(before).ok()?;
            let times = match way {
                RUNS => self.number(order)?.checked_add(1)?,
                STEPS => 1,
                _ => return None,
            };
            if times > (count - values.len()) as u64 {
                return None;
            }
            values.extend(std::iter::repeat_n(value, times as usize));
        }
        Some(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(columns: &[Vec<u64>]) -> Vec<u8> {
        let mut writer = Writer::default();
        columns.iter().for_each(|column| writer.column(column));
        writer.finish()
    }

    #[test]
    fn what_stays_costs_nothing_and_what_moves_little_costs_little() {
        assert!(written(&[vec![7; 1_000]]).len() <= 5);
        let climbing: Vec<u64> = (0..1_000).map(|n| 1_000_000 + n * 3).collect();
        assert!(written(&[climbing]).len() <= 1_000);
        let mut odd = vec![3; 100];
        odd[50] = LARGEST;
        assert!(written(&[odd]).len() <= 60, "one outlier is paid once");
    }

    proptest! {
        #[test]
        fn columns_read_back(columns in prop::collection::vec(prop::collection::vec(prop_oneof![0..5_u64, 0..300_u64, 0..LARGEST], 1..80), 1..6)) {
            let bytes = written(&columns);
            let mut reader = Reader::new(&bytes);
            for column in &columns {
                prop_assert_eq!(reader.column(column.len()), Some(column.clone()));
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60), count in 0..500_usize) {
            let mut reader = Reader::new(&bytes);
            while reader.column(count.max(1)).is_some() {}
        }
    }
}
