//! Samples of one device in two bytes each: a column for each reading.
//!
//! What is kept: every sample, its moment to the second, and every reading as it was, but that a start is one moment (so
//! uptime is right to a few seconds), the time an answer took is right to 8 %, and a clock within 2 s of ours is on time.

use crate::base::clock::Wall;
use crate::history::column::{Reader, Writer, unzigzag, zigzag};
use crate::history::health::{SAME_START_SECONDS, Sample};

/// Columns of a block; one that comes later goes last, with a new version of the record.
const COLUMNS: usize = 13;

/// Most samples of a block: six hours of one every second.
pub(super) const MOST: usize = 21_600;

/// A clock so near to ours, seconds, is on time: the answer travelled too.
const ON_TIME_SECONDS: i64 = 2;

/// Times an answer took are told apart when one is so many times the other.
const STEP: f64 = 1.15;

/// Samples as bits; moments count from `base_ms`, which must not be after the first.
pub(super) fn pack(samples: &[Sample], base_ms: i64) -> Vec<u8> {
    let mut columns: [Vec<u64>; COLUMNS] = std::array::from_fn(|_| Vec::with_capacity(samples.len()));
    let (mut second, mut start) = (0_i64, None);
    let base = base_ms.div_euclid(1_000);
    for sample in samples {
        let now = (sample.at.0 - base_ms).max(0) / 1_000;
        let offset = sample.clock_offset_seconds.map(|away| if away.abs() <= ON_TIME_SECONDS { 0 } else { away });
        let row = [
            zigzag(now - second),
            u64::from(sample.reachable),
            some(sample.cpu_percent.map(u64::from)),
            some(sample.memory_percent.map(u64::from)),
            some(sample.disk_percent.map(u64::from)),
            some(sample.bad_blocks_percent.map(u64::from)),
            some(sample.celsius.map(|degrees| zigzag(i64::from(degrees)))),
            some(sample.decivolts.map(u64::from)),
            some(sample.failed_parts.map(u64::from)),
            some(offset.map(|away| zigzag(away.clamp(-(1 << 40), 1 << 40)))),
            some(sample.link_downs.map(u64::from)),
            some(started(sample, &mut start).map(|start| zigzag(start - base))),
            some(sample.answer_ms.map(coarse)),
        ];
        second = now;
        columns.iter_mut().zip(row).for_each(|(column, value)| column.push(value));
    }
    let mut writer = Writer::default();
    columns.iter().for_each(|column| writer.column(column));
    writer.finish()
}

/// The samples of a block; `None` when it is none.
pub(super) fn unpack(bits: &[u8], count: usize, base_ms: i64) -> Option<Vec<Sample>> {
    if count > MOST {
        return None;
    }
    let mut reader = Reader::new(bits);
    let mut columns: [Vec<u64>; COLUMNS] = std::array::from_fn(|_| Vec::new());
    for column in &mut columns {
        *column = reader.column(count)?;
    }
    let mut second = 0_i64;
    (0..count).map(|at| sample(std::array::from_fn(|column| columns[column][at]), &mut second, base_ms)).collect()
}

fn sample(row: [u64; COLUMNS], second: &mut i64, base_ms: i64) -> Option<Sample> {
    let [step, reachable, cpu, memory, disk, bad, heat, volts, failed, clock, downs, start, answer] = row;
    *second = second.checked_add(unzigzag(step))?;
    let at = Wall(base_ms.checked_add(second.checked_mul(1_000)?)?);
    let since_base = (at.0 - base_ms).div_euclid(1_000);
    let uptime = |code: u64| u64::try_from(since_base.saturating_sub(unzigzag(code))).unwrap_or(0);
    Some(Sample {
        at,
        reachable: reachable == 1,
        cpu_percent: none(cpu).map(small),
        memory_percent: none(memory).map(small),
        disk_percent: none(disk).map(small),
        bad_blocks_percent: none(bad).map(small),
        celsius: none(heat).map(|code| unzigzag(code).clamp(i16::MIN.into(), i16::MAX.into()) as i16),
        decivolts: none(volts).map(|tenths| tenths.min(u16::MAX.into()) as u16),
        failed_parts: none(failed).map(small),
        clock_offset_seconds: none(clock).map(unzigzag),
        ntp_synchronized: None,
        link_downs: none(downs).map(|count| count.min(u32::MAX.into()) as u32),
        uptime_seconds: none(start).map(uptime),
        answer_ms: none(answer).map(fine),
    })
}

/// The start, the same one while it moves no more than uptimes in whole seconds and slow answers make it.
fn started(sample: &Sample, before: &mut Option<i64>) -> Option<i64> {
    let now = sample.started()?;
    if before.is_none_or(|start| (now - start).abs() > SAME_START_SECONDS / 6) {
        *before = Some(now);
    }
    *before
}

fn some(value: Option<u64>) -> u64 {
    value.map_or(0, |value| value + 1)
}

fn none(code: u64) -> Option<u64> {
    code.checked_sub(1)
}

fn small(value: u64) -> u8 {
    value.min(255) as u8
}

fn coarse(ms: u32) -> u64 {
    (f64::from(ms).max(1.0).ln() / STEP.ln()).round() as u64
}

fn fine(code: u64) -> u32 {
    STEP.powi(code.min(150) as i32).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BASE: i64 = 1_795_608_000_000;

    prop_compose! {
        fn samples()(
            at in 0..3_600_000_i64,
            reachable in any::<bool>(),
            levels in prop::option::of((0..=100_u8, 0..=100_u8, 0..=100_u8, 0..=100_u8)),
            celsius in prop::option::of(-60..200_i16),
            decivolts in prop::option::of(any::<u16>()),
            failed_parts in prop::option::of(any::<u8>()),
            clock_offset_seconds in prop::option::of(-2_000_000_000..2_000_000_000_i64),
            link_downs in prop::option::of(any::<u32>()),
            uptime_seconds in prop::option::of(0..100_000_000_u64),
            answer_ms in prop::option::of(0..60_000_u32),
        ) -> Sample {
            Sample {
                at: Wall(BASE + at),
                reachable,
                cpu_percent: levels.map(|l| l.0),
                memory_percent: levels.map(|l| l.1),
                disk_percent: levels.map(|l| l.2),
                bad_blocks_percent: levels.map(|l| l.3),
                celsius, decivolts, failed_parts, clock_offset_seconds, link_downs, uptime_seconds, answer_ms,
                ntp_synchronized: None,
            }
        }
    }

    proptest! {
        #[test]
        fn readings_come_back_as_they_were(given in prop::collection::vec(samples(), 0..70)) {
            let back = unpack(&pack(&given, BASE), given.len(), BASE).unwrap();
            prop_assert_eq!(back.len(), given.len());
            for (was, is) in given.iter().zip(&back) {
                prop_assert!((was.at.0 - is.at.0) < 1_000);
                let near = |a: Option<u64>, b: Option<u64>, within: f64| match (a, b) {
                    (Some(a), Some(b)) => a.abs_diff(b) as f64 <= within,
                    (a, b) => a == b,
                };
                prop_assert!(near(was.uptime_seconds, is.uptime_seconds, 6.0), "{:?} {:?}", was, is);
                let took = was.answer_ms.map(u64::from);
                prop_assert!(near(took, is.answer_ms.map(u64::from), 1.0 + took.unwrap_or(0) as f64 * 0.08));
                if was.clock_offset_seconds.is_some_and(|away| away.abs() > ON_TIME_SECONDS) {
                    prop_assert_eq!(was.clock_offset_seconds, is.clock_offset_seconds);
                }
                let same = Sample {
                    at: is.at, uptime_seconds: is.uptime_seconds, answer_ms: is.answer_ms, clock_offset_seconds: is.clock_offset_seconds, ..*was
                };
                prop_assert_eq!(same, *is);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bits in prop::collection::vec(any::<u8>(), 0..200), count in 0..30_000_usize) {
            let _ = unpack(&bits, count, BASE);
        }
    }
}
