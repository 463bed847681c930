//! Power cuts: a disk in memory that remembers what was flushed, and every state it may be found in afterwards.
//!
//! A cut happens before the k-th disk operation. What was flushed is there; of what was not, any 512-byte sectors may
//! be: none, all, or a random subset, so pages are torn and writes reordered. Reopened, the store must hold
//! every acknowledged record, each batch wholly or not at all. Seed: `POWER_SEED`.

use super::*;
use ::redb::StorageBackend;
use std::collections::HashMap;
use std::io;
use std::time::Instant;

const CUTS: u64 = 330;
const STATES_A_CUT: u64 = 4;
const LEAST_STATES: u64 = 1000;

#[tokio::test]
async fn no_power_cut_loses_an_acknowledged_record() {
    let seed = std::env::var("POWER_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(20_261_125);
    println!("POWER_SEED={seed}");
    // Spread, so that neighbouring seeds give different runs.
    let (started, mut chance) = (Instant::now(), Chance(u64::wrapping_mul(seed, 0x9E37_79B9_7F4A_7C15)));
    let empty = empty_store().await;
    let (mut states, mut ahead) = (0, 0);
    for cut in 0..CUTS {
        // The first cuts fall into opening and the first commits, one by one.
        let at = if cut < 40 { cut + 1 } else { 1 + chance.below(400) };
        let disk = CutDisk::cutting_at(empty.clone(), at);
        let acknowledged = work(&disk, &mut chance).await;
        for variant in 0..STATES_A_CUT {
            let found = CutDisk::with(disk.image(variant, &mut chance));
            ahead += u64::from(check(found, acknowledged, &format!("seed {seed}, cut {at}, variant {variant}")).await);
            states += 1;
        }
    }
    println!("{states} crash states over {CUTS} cuts, 0 lost, {ahead} kept an unacknowledged batch, {:?}", started.elapsed());
    assert!(states >= LEAST_STATES, "{states} states are too few");
}

/// The rig itself can fail: on a disk that says "flushed" and lies, records are lost.
#[tokio::test]
async fn a_disk_that_lies_about_flushing_is_caught() {
    let (empty, mut chance) = (empty_store().await, Chance(1));
    let mut caught = 0;
    for at in [60, 120, 180] {
        let disk = CutDisk::cutting_at(empty.clone(), at);
        disk.0.lock().unwrap().lies = true;
        let acknowledged = work(&disk, &mut chance).await;
        let found = Store::on(Box::new(CutDisk::with(disk.image(0, &mut chance))), false, &options(), 0).unwrap();
        caught += u32::from(acknowledged > Some(0) && found.get("count", "n").unwrap().is_none());
    }
    assert_eq!(caught, 3);
}

fn options() -> Options {
    Options { cache_mb: 1, flush_interval: Duration::from_secs(3600), ..Options::at("unused") }
}

/// What a store file looks like once it has its name: it is made beside and renamed.
async fn empty_store() -> Vec<u8> {
    let disk = CutDisk::with(Vec::new());
    Store::on(Box::new(disk.clone()), false, &options(), 0).unwrap().close().await.unwrap();
    disk.0.lock().unwrap().flushed.clone()
}

/// Rows kept; older ones are deleted by the batch that writes a new one.
const KEPT: u64 = 12;

/// Commits numbered batches until the power goes; says how many were acknowledged (`None`: it did not even open).
/// Batch n writes its number to two tables, expects the one before, and deletes an old row.
async fn work(disk: &CutDisk, chance: &mut Chance) -> Option<u64> {
    let store = Store::on(Box::new(disk.clone()), false, &options(), 0).ok()?;
    let mut acknowledged = 0;
    loop {
        let n = acknowledged + 1;
        let before = (acknowledged > 0).then(|| acknowledged.to_string().into_bytes());
        // Now and then one that makes the file grow.
        let longest = if chance.below(16) == 0 { 80_000 } else { 3000 };
        let body = vec![n as u8; chance.below(longest) as usize];
        let mut batch = Batch::new().expect("count", "n", before).put("count", "n", n.to_string().into());
        batch = batch.put("rows", format!("{n:06}"), body);
        if n > KEPT {
            batch = batch.delete("rows", format!("{:06}", n - KEPT));
        }
        match store.commit(batch, Durability::Now).await {
            Ok(()) => acknowledged = n,
            Err(StoreError::Io { .. }) => return Some(acknowledged),
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// Whether the state holds a batch more than was acknowledged (allowed: its answer was lost).
async fn check(disk: CutDisk, acknowledged: Option<u64>, which: &str) -> bool {
    // Both ways of opening: by the recorded state, and checked page by page.
    let check_up_to = if acknowledged.unwrap_or(0).is_multiple_of(2) { 0 } else { u64::MAX };
    let store = Store::on(Box::new(disk), false, &options(), check_up_to).unwrap_or_else(|e| panic!("{which}: {e:?}"));
    let acknowledged = acknowledged.unwrap_or(0);
    let found = store.get("count", "n").unwrap().map_or(0, |n| String::from_utf8(n).unwrap().parse::<u64>().unwrap());
    assert!(found == acknowledged || found == acknowledged + 1, "{which}: acknowledged {acknowledged}, found {found}");
    let rows = store.scan("rows", Bound::Unbounded, 1000).unwrap();
    let numbers: Vec<u64> = rows.iter().map(|(key, _)| key.parse().unwrap()).collect();
    let expected: Vec<u64> = (found.saturating_sub(KEPT) + 1..=found).collect();
    assert_eq!(numbers, expected, "{which}: batches are whole");
    assert!(rows.iter().all(|(key, body)| body.iter().all(|b| *b == key.parse::<u64>().unwrap() as u8)), "{which}: rows are whole");
    // And it goes on.
    let next = Batch::new().expect("count", "n", (found > 0).then(|| found.to_string().into_bytes()));
    store.commit(next.put("count", "n", b"on".to_vec()), Durability::Now).await.unwrap_or_else(|e| panic!("{which}: {e:?}"));
    found > acknowledged
}

/// Small and repeatable (xorshift64*).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 = if self.0 == 0 { 1 } else { self.0 };
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limit
    }
}

const SECTOR: usize = 512;

#[derive(Debug, Clone)]
struct CutDisk(Arc<Mutex<Platter>>);

#[derive(Debug)]
struct Platter {
    flushed: Vec<u8>,
    current: Vec<u8>,
    /// Sectors written since the last flush, in order: `(offset, bytes)` within one sector each.
    loose: Vec<(usize, Vec<u8>)>,
    operations_left: u64,
    lies: bool,
}

impl CutDisk {
    fn cutting_at(image: Vec<u8>, operation: u64) -> Self {
        let platter = Platter { current: image.clone(), flushed: image, loose: vec![], operations_left: operation, lies: false };
        CutDisk(Arc::new(Mutex::new(platter)))
    }

    fn with(image: Vec<u8>) -> Self {
        CutDisk::cutting_at(image, u64::MAX)
    }

    /// One state the disk may be found in: nothing loose, all of it, half the sectors, or single writes lost.
    fn image(&self, variant: u64, chance: &mut Chance) -> Vec<u8> {
        let platter = self.0.lock().unwrap();
        let (mut image, mut sectors) = (platter.flushed.clone(), HashMap::new());
        for (at, bytes) in &platter.loose {
            let kept = match variant {
                0 => false,
                1 => true,
                2 => *sectors.entry(at / SECTOR).or_insert_with(|| chance.below(2) == 0),
                _ => chance.below(4) != 0,
            };
            if kept && at + bytes.len() <= image.len() {
                image[*at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
        image
    }
}

impl Platter {
    fn operate(&mut self) -> io::Result<()> {
        self.operations_left = self.operations_left.checked_sub(1).ok_or(io::ErrorKind::Other)?;
        if self.operations_left == 0 { Err(io::Error::other("power cut")) } else { Ok(()) }
    }
}

impl Disk for CutDisk {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        Ok(Box::new(self.clone()))
    }

    fn release(&self) {}
}

impl StorageBackend for CutDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().current.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let platter = self.0.lock().unwrap();
        let at = offset as usize;
        out.copy_from_slice(platter.current.get(at..at + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        platter.operate()?;
        platter.current.resize(len as usize, 0);
        // Growth is a matter of the file system's journal; shrinking is, too, so both are taken as done.
        platter.flushed.resize(len as usize, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        platter.operate()?;
        if platter.lies {
            return Ok(());
        }
        platter.flushed = platter.current.clone();
        platter.loose.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut platter = self.0.lock().unwrap();
        platter.operate()?;
        let mut at = offset as usize;
        platter.current[at..at + data.len()].copy_from_slice(data);
        let mut rest = data;
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
            platter.loose.push((at, piece.to_vec()));
            (at, rest) = (at + piece.len(), after);
        }
        Ok(())
    }
}
