use super::*;
use crate::store::Options;

const NOW: i64 = 1_795_608_000_000;

fn device(n: usize) -> DeviceId {
    DeviceId(format!("dev_{n:012x}"))
}

fn open(dir: &tempfile::TempDir) -> (Store, History) {
    let store = Store::open(Options { volatile_ok: true, ..Options::at(dir.path().join("s.redb")) }).unwrap();
    (store.clone(), History::new(store))
}

/// A router as they are: load and answers move, the rest mostly stays.
fn living(n: u64, at: i64) -> Sample {
    let noise = |salt: u64| (n + salt).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40;
    Sample {
        reachable: true,
        cpu_percent: Some((2 + noise(1) % 22) as u8),
        memory_percent: Some((40 + noise(2 + n / 10) % 4) as u8),
        disk_percent: Some(31),
        bad_blocks_percent: Some(0),
        celsius: Some((44 + noise(3 + n / 5) % 5) as i16),
        decivolts: Some(239),
        failed_parts: Some(0),
        clock_offset_seconds: Some(0),
        link_downs: Some((n / 700) as u32),
        uptime_seconds: Some(90_000 + n * 60 + noise(4) % 2),
        answer_ms: Some((4 + noise(5) % 30) as u32),
        ..Sample::silent(Wall(at))
    }
}

#[tokio::test]
async fn samples_come_back_in_order_across_hours_restarts_and_clock_steps() {
    let dir = tempfile::tempdir().unwrap();
    let (store, history) = open(&dir);
    let start = NOW - 20 * HOUR_MS;
    for n in 0..1_200_u64 {
        history.add(&device(1), living(n, start + n as i64 * 60_000)).await.unwrap();
    }
    let read = |history: &History, hours: i64| history.since(&device(1), Wall(NOW - hours * HOUR_MS)).unwrap();
    assert_eq!((read(&history, 20).len(), read(&history, 1).len()), (1_200, 60));
    assert_eq!(history.last_hour(&device(1)).len(), 60);
    assert!(history.since(&device(2), Wall(0)).unwrap().is_empty());
    history.save().await.unwrap();
    store.close().await.unwrap();

    let (_, history) = open(&dir);
    assert!(history.latest(&device(1)).is_none() && history.last_hour(&device(1)).is_empty());
    let back = read(&history, 20);
    assert_eq!(back.len(), 1_200, "a proper end loses nothing");
    assert!(back.is_sorted_by_key(|sample| sample.at));
    assert_eq!((back[7].cpu_percent, back[7].at), (living(7, 0).cpu_percent, Wall(start + 7 * 60_000)));
    // Back in an hour that is stored already, and an hour before it.
    history.add(&device(1), living(0, NOW - 30_000)).await.unwrap();
    assert_eq!(history.last_hour(&device(1)).len(), 61);
    history.add(&device(1), living(0, NOW - 2 * HOUR_MS + 5_500)).await.unwrap();
    assert_eq!(read(&history, 20).len(), 1_202);
}

#[tokio::test]
async fn an_hour_in_memory_has_room_for_its_own_samples_and_not_for_those_of_its_record() {
    let dir = tempfile::tempdir().unwrap();
    let (_store, history) = open(&dir);
    let start = NOW.div_euclid(6 * HOUR_MS) * 6 * HOUR_MS;
    // A little more often than usual: people look at it too.
    for n in 0..6 * 70_u64 {
        history.add(&device(1), living(n, start + n as i64 * HOUR_MS / 70)).await.unwrap();
        let room = history.recent()[&device(1)].open.capacity();
        assert!(room <= USUAL_SAMPLES + MORE_SAMPLES, "{room} after {n}");
    }
}

#[tokio::test]
async fn samples_wait_in_memory_for_minutes_but_an_outage_is_stored_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (store, history) = open(&dir);
    let stored = || {
        let rows = store.scan(Span::TABLE, Bound::Unbounded, 9).unwrap();
        rows.iter().map(|(_, bytes)| store::decode::<Span>(bytes).unwrap().samples).sum::<u16>()
    };
    let mut seen = Vec::new();
    for n in 0..12_u64 {
        let sample = living(n, NOW + n as i64 * 60_000);
        history.add(&device(1), if n == 8 { Sample::silent(sample.at) } else { sample }).await.unwrap();
        seen.push(stored());
    }
    assert_eq!(seen, [1, 1, 1, 1, 1, 6, 6, 6, 9, 10, 10, 10]);
}

#[tokio::test]
async fn samples_of_all_devices_wait_for_one_commit() {
    let dir = tempfile::tempdir().unwrap();
    let (store, history) = open(&dir);
    let stored = |n: usize| {
        let key = key(&device(n), first_of(NOW / HOUR_MS));
        store.get(Span::TABLE, &key).unwrap().map_or(0, |bytes| store::decode::<Span>(&bytes).unwrap().samples)
    };
    // One begins two minutes after the other; each is stored first when it is first seen.
    for n in 0..8_u64 {
        for (late, at) in [(0, 1), (2, 2)] {
            if n >= late {
                history.add(&device(at), living(n, NOW + n as i64 * 60_000 + at as i64)).await.unwrap();
            }
        }
        // Whoever is due takes the other along, and both are due together from then on.
        let wanted = match n {
            0 | 1 => (1, 0),
            2..=6 => (3, 1),
            _ => (8, 6),
        };
        assert_eq!((stored(1), stored(2)), wanted, "minute {n}");
    }
}

#[tokio::test]
async fn the_end_of_an_hour_is_stored_once_for_all_devices() {
    let dir = tempfile::tempdir().unwrap();
    let (store, history) = open(&dir);
    let stored = |n: usize, hour: i64| {
        let key = key(&device(n), first_of(hour));
        let samples =
            store.get(Span::TABLE, &key).unwrap().map(|bytes| store::decode::<Span>(&bytes).unwrap().open(first_of(hour)).unwrap());
        samples.unwrap_or_default().iter().filter(|sample| hour_of(sample) == hour).count()
    };
    let began = NOW.div_euclid(HOUR_MS) * HOUR_MS;
    let hour = began / HOUR_MS;
    for n in 2..60 {
        for at in [1, 2] {
            history.add(&device(at), living(n, began + n as i64 * 60_000 + at as i64)).await.unwrap();
        }
    }
    assert!(stored(1, hour) < 58 && stored(2, hour) < 58, "some wait when the hour turns");
    history.add(&device(1), living(60, began + HOUR_MS + 1)).await.unwrap();
    assert_eq!((stored(1, hour), stored(2, hour)), (58, 58), "the other goes along");
}

#[tokio::test]
async fn what_is_too_old_goes_and_the_rest_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (_, history) = open(&dir);
    for hour in 0..100 {
        for n in [1, 2] {
            history.add(&device(n), living(hour as u64, NOW + hour * HOUR_MS)).await.unwrap();
        }
    }
    history.save().await.unwrap();
    history.retain_from(&device(1), Wall(NOW + 50 * HOUR_MS)).await.unwrap();
    let left = history.since(&device(1), Wall(0)).unwrap();
    assert!((50..50 + SPAN_HOURS as usize).contains(&left.len()), "{} hours", left.len());
    assert!(left.iter().any(|sample| sample.at == Wall(NOW + 50 * HOUR_MS)));
    assert_eq!(history.since(&device(2), Wall(0)).unwrap().len(), 100);
    history.forget(&device(1)).await.unwrap();
    assert!(history.since(&device(1), Wall(0)).unwrap().is_empty());
    assert_eq!(history.since(&device(2), Wall(0)).unwrap().len(), 100);
}

#[tokio::test]
async fn records_of_version_1_are_read_and_go_on() {
    #[derive(Serialize, Deserialize)]
    struct Old(v1::Hour);
    impl Record for Old {
        const TABLE: &'static str = "health_hour";
        const VERSION: u8 = 1;
    }
    let dir = tempfile::tempdir().unwrap();
    let (store, history) = open(&dir);
    let packed = |minute: u32| v1::Packed {
        offset_ms: minute * 60_000,
        reachable: minute != 7,
        cpu_percent: Some(minute as u8),
        memory_percent: Some(40),
        disk_percent: None,
        celsius: None,
        uptime_seconds: Some(u64::from(minute) * 60),
        answer_ms: Some(4),
    };
    let first = first_of(NOW / HOUR_MS);
    for hour in [first, first + 1] {
        let old = Old(v1::Hour { samples: (0..50).map(packed).collect() });
        let batch = Batch::new().put(Old::TABLE, key(&device(1), hour), store::encode(&old));
        store.commit(batch, Durability::Now).await.unwrap();
    }
    let back = history.since(&device(1), Wall(0)).unwrap();
    assert_eq!(back.len(), 100);
    assert_eq!((back[59].at, back[59].cpu_percent), (Wall((first + 1) * HOUR_MS + 9 * 60_000), Some(9)));
    assert!(!back[7].reachable && back[8].reachable);
    history.add(&device(1), living(1, first * HOUR_MS + 55 * 60_000)).await.unwrap();
    history.add(&device(1), living(1, (first + 1) * HOUR_MS + 55 * 60_000)).await.unwrap();
    assert_eq!(history.since(&device(1), Wall(0)).unwrap().len(), 102, "the record goes on as version 2");
}

/// Prints what a month costs: the records themselves, and what the store's file grows by for them.
#[tokio::test]
async fn a_month_of_a_device_at_a_sample_a_minute_takes_at_most_200_kb() {
    const MONTH: u64 = 43_200;
    const WEEK: u64 = 10_080;
    const MOST: u64 = 200_000;
    let dir = tempfile::tempdir().unwrap();
    for (devices, at, samples) in [(1, 0, MONTH), (10, 100, WEEK)] {
        let path = dir.path().join("s.redb");
        let (store, history) = open(&dir);
        let mut live = 0;
        // All devices side by side, as they are looked at: their records interleave.
        for n in 0..samples {
            for device_at in 0..devices {
                history.add(&device(at + device_at), living(n + device_at as u64 * 9_001, NOW + n as i64 * 60_000)).await.unwrap();
            }
        }
        history.save().await.unwrap();
        for device_at in 0..devices {
            let prefix = format!("{}/", device(at + device_at));
            let rows = store.scan(Span::TABLE, Bound::Included(prefix.as_str()), 1_000).unwrap();
            let ours = rows.iter().take_while(|(key, _)| key.starts_with(&prefix));
            live += ours.map(|(key, bytes)| (key.len() + bytes.len()) as u64).sum::<u64>();
            assert_eq!(history.since(&device(at + device_at), Wall(0)).unwrap().len() as u64, samples);
        }
        store.close().await.unwrap();
        let (used, overhead) = allocated(&path);
        let month = |bytes: u64| bytes * MONTH / samples / devices as u64;
        let each = month(used + overhead);
        println!("{devices} devices: {} B of records and {each} B of the store's pages a device-month", month(live));
        assert!(each <= MOST, "{each} B a device-month");
        std::fs::remove_file(&path).unwrap();
    }
}

/// Bytes of the health table's pages in use, and what stays empty in them.
fn allocated(path: &std::path::Path) -> (u64, u64) {
    use ::redb::{ReadableDatabase, ReadableTableMetadata};
    let database = ::redb::Database::open(path).unwrap();
    let table = database.begin_read().unwrap().open_table(::redb::TableDefinition::<&str, &[u8]>::new(Span::TABLE)).unwrap();
    let stats = table.stats().unwrap();
    (stats.stored_bytes() + stats.metadata_bytes(), stats.fragmented_bytes())
}

/// What `ways` of keeping samples make the process write: bytes of half an hour, a sample a minute, told every five seconds.
async fn written(devices: usize, keep: impl Fn(usize, &[Vec<Sample>]) -> Batch) -> u64 {
    // The system's temporary directory may be in RAM; what is counted is the same.
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir);
    let mut samples = vec![Vec::new(); devices];
    let before = io_written();
    for n in 0..30_u64 {
        // Devices are spread over the minute; those of five seconds share a commit.
        for group in (0..devices).collect::<Vec<_>>().chunks(devices.div_ceil(12)) {
            let mut batch = Batch::new();
            for at in group {
                samples[*at].push(living(n, first_of(NOW / HOUR_MS) * HOUR_MS + n as i64 * 60_000));
                batch = batch.and(keep(*at, &samples));
            }
            if !batch.is_empty() {
                store.commit(batch, Durability::Now).await.unwrap();
            }
        }
    }
    io_written() - before
}

/// Bytes this process has handed to the system for writing. Under nextest a test is a process.
fn io_written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap();
    let line = io.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap();
    line.trim().parse().unwrap()
}

/// A device's record with all its samples: what is stored today.
fn whole(device_at: usize, samples: &[Sample]) -> Batch {
    let first = first_of(NOW / HOUR_MS);
    Batch::new().put(Span::TABLE, key(&device(device_at), first), store::encode(&Span::of(samples, first)))
}

#[tokio::test]
async fn samples_wait_minutes_because_a_commit_weighs_more_than_they_do() {
    for devices in [1, 12, 120] {
        let together = written(devices, |at, all| {
            let due = at + 1 == devices && all[at].len() % 5 == 1;
            (0..devices).filter(|_| due).fold(Batch::new(), |batch, one| batch.and(whole(one, &all[one])))
        })
        .await;
        let at_once = written(devices, |at, all| whole(at, &all[at])).await;
        // The least there could be: nothing but the new sample, under a key of its own.
        let appended = written(devices, |at, all| {
            let newest = all[at].len() - 1;
            let bytes = store::encode(&Span::of(&all[at][newest..], first_of(NOW / HOUR_MS)));
            Batch::new().put("health_new", format!("{newest:06}/{at:06}"), bytes)
        })
        .await;
        let a_day = |bytes: u64| bytes as f64 * 48.0 / 1e6;
        println!(
            "{devices} devices: {:.1} MB a day every five minutes, {:.1} at once, {:.1} appended at once",
            a_day(together),
            a_day(at_once),
            a_day(appended)
        );
        assert!(together * 4 < at_once && together * 4 < appended, "{devices}: {together} {at_once} {appended}");
    }
}
