//! A store on its way to another schema, cut off at every step, killed, and out of room.

use super::{NONE, Site, THREE, TWO, holds};
use crate::base::fault::Fault;
use crate::store::migrate::{Hands, Real};
use crate::store::power_tests::Chance;
use crate::store::{Disk, FileDisk, Options, Store, StoreError, plain};
use ::redb::StorageBackend;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Hands that are cut off before the n-th thing they do, be it a write to the copy. What was not flushed may be lost.
struct Cut {
    left: Arc<AtomicUsize>,
    loses: bool,
}

impl Cut {
    fn after(n: usize, loses: bool) -> Cut {
        Cut { left: Arc::new(AtomicUsize::new(n)), loses }
    }
}

fn step(left: &AtomicUsize) -> io::Result<()> {
    let done = left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
    done.map(drop).map_err(|_| io::Error::other("power cut"))
}

impl Hands for Cut {
    fn open(&self, copy: &Path) -> Result<Box<dyn Disk>, StoreError> {
        Ok(Box::new(CutFile { file: FileDisk::open(copy)?.without_flushing(), left: self.left.clone() }))
    }

    fn flush(&self, copy: &Path) -> io::Result<()> {
        step(&self.left)?;
        Real.flush(copy)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        step(&self.left)?;
        Real.link(from, to)?;
        let cut = step(&self.left);
        if cut.is_err() && self.loses {
            std::fs::remove_file(to)?;
        }
        cut
    }

    fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
        step(&self.left)?;
        let kept = self.loses.then(|| std::fs::read(to)).transpose()?;
        Real.replace(from, to)?;
        let cut = step(&self.left);
        if let (Err(_), Some(kept)) = (&cut, kept) {
            // The directory still has the old name for the old file.
            std::fs::remove_file(to)?;
            std::fs::write(to, kept)?;
        }
        cut
    }
}

struct CutFile {
    file: FileDisk,
    left: Arc<AtomicUsize>,
}

impl Disk for CutFile {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        Ok(Box::new(CutBackend { inner: Disk::open(&self.file)?, left: self.left.clone() }))
    }

    fn release(&self) {
        self.file.release();
    }
}

#[derive(Debug)]
struct CutBackend {
    inner: Box<dyn StorageBackend>,
    left: Arc<AtomicUsize>,
}

impl StorageBackend for CutBackend {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        step(&self.left)?;
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        step(&self.left)?;
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        step(&self.left)?;
        self.inner.write(offset, data)
    }
}

#[tokio::test]
async fn a_power_cut_at_any_write_leaves_the_old_store_or_the_new_one_and_the_next_start_goes_on() {
    const ROWS: usize = 150;
    let (mut cuts, mut done, mut old) = (0, false, 0);
    while !done {
        for loses in [false, true] {
            let site = Site::filled(ROWS).await;
            let which = format!("cut {cuts}, loses {loses}");
            match site.open_with(THREE, &Cut::after(cuts, loses)) {
                Ok(store) => {
                    done = true;
                    store.close().await.unwrap();
                }
                Err(StoreError::Io { .. }) => {}
                Err(other) => panic!("{which}: {other}"),
            }
            // Half a copy, as a cut without a chance to clean up leaves it, does not disturb the next start.
            std::fs::write(site.options.path.with_extension("redb.migrating"), &b"half a copy"[..cuts % 11]).unwrap();
            match site.open(NONE) {
                Ok(store) => {
                    holds(&store, 1, ROWS, &which);
                    store.close().await.unwrap();
                    old += 1;
                }
                Err(StoreError::Newer { found: 3, .. }) => {}
                Err(other) => panic!("{which}: neither old nor new: {other}"),
            }
            let store = site.open(THREE).unwrap_or_else(|e| panic!("{which}: {e}"));
            holds(&store, 3, ROWS, &which);
            store.close().await.unwrap();
        }
        cuts += 1;
    }
    println!("{cuts} cuts, {old} left the old store, the others the new one, 0 lost");
    assert!(cuts > 60 && old > 100, "{cuts} cuts, {old} old ones");
}

/// A copy of which something was not flushed must not have its name: this is what `flush` is for.
#[tokio::test]
async fn the_copy_is_on_the_disk_before_it_has_its_name() {
    #[derive(Default)]
    struct Watch(Mutex<Vec<&'static str>>);
    impl Hands for Watch {
        fn flush(&self, copy: &Path) -> io::Result<()> {
            self.0.lock().unwrap().push("flush");
            Real.flush(copy)
        }
        fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.0.lock().unwrap().push("link");
            Real.link(from, to)
        }
        fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.0.lock().unwrap().push("replace");
            Real.replace(from, to)
        }
    }
    let (site, watch) = (Site::filled(10).await, Watch::default());
    site.open_with(TWO, &watch).unwrap().close().await.unwrap();
    assert_eq!(*watch.0.lock().unwrap(), ["flush", "link", "replace"]);
}

#[tokio::test]
async fn on_a_full_disk_the_old_store_stays_and_nothing_is_left_beside() {
    struct Full;
    impl Hands for Full {
        fn flush(&self, _: &Path) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }
    let site = Site::filled(10).await;
    let full = Fault::from(site.open_with(TWO, &Full).unwrap_err());
    assert!(full.hint.unwrap().contains("free some space"));
    assert_eq!(site.files(), ["s.redb"]);
    let store = site.open(NONE).unwrap();
    holds(&store, 1, 10, "after");
    store.close().await.unwrap();
}

#[tokio::test]
async fn while_one_process_brings_it_up_to_date_another_is_held_off() {
    struct Try<'a>(&'a Site);
    impl Hands for Try<'_> {
        fn replace(&self, from: &Path, to: &Path) -> io::Result<()> {
            assert!(matches!(self.0.open(TWO), Err(StoreError::Held { .. })));
            Real.replace(from, to)
        }
    }
    let site = Site::filled(10).await;
    site.open_with(TWO, &Try(&site)).unwrap().close().await.unwrap();
}

const CHILD: &str = "RMCP_MIGRATE_CHILD";

#[tokio::test]
#[ignore = "what the test below starts and kills; no test by itself"]
async fn child_that_migrates() {
    let path = std::env::var_os(CHILD).unwrap();
    let options = Options { volatile_ok: true, cache_mb: 1, ..Options::at(PathBuf::from(path)) };
    Store::open_by(options, &plain, THREE, &Real).unwrap().close().await.unwrap();
}

#[tokio::test]
async fn a_process_killed_in_the_middle_of_it_leaves_a_store_that_the_next_one_brings_up_to_date() {
    const ROWS: usize = 10_000;
    const KILLS: u64 = 6;
    let (template, mut chance) = (Site::filled(ROWS).await, Chance(20_261_127));
    let (mut killed, mut old) = (0, 0);
    for round in 0..KILLS {
        let site = Site::new();
        std::fs::copy(&template.options.path, &site.options.path).unwrap();
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "store::migrate_tests::crash::child_that_migrates"])
            .env(CHILD, &site.options.path)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Somewhere between the first byte of the copy and the end.
        let copy = site.options.path.with_extension("redb.migrating");
        let until = chance.below(3 * std::fs::metadata(&template.options.path).unwrap().len());
        let is_far = || std::fs::metadata(&copy).is_ok_and(|meta| meta.len() >= until);
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut ended = None;
        while !is_far() && ended.is_none() {
            assert!(Instant::now() < deadline, "round {round}: neither far nor done");
            ended = child.try_wait().unwrap();
            std::thread::yield_now();
        }
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        match site.open(NONE) {
            Ok(store) => {
                holds(&store, 1, ROWS, &format!("round {round}"));
                store.close().await.unwrap();
                old += 1;
            }
            Err(StoreError::Newer { found: 3, .. }) => {}
            Err(other) => panic!("round {round}: {other}"),
        }
        let store = site.open(THREE).unwrap();
        holds(&store, 3, ROWS, &format!("round {round}"));
        store.close().await.unwrap();
        assert_eq!(site.files(), ["s.redb", "s.redb.schema-1"]);
    }
    println!("{killed} of {KILLS} were killed, {old} left the old store");
    assert!(killed > 0 && old > 0, "{killed} killed, {old} old");
}
