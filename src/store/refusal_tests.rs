//! Reads while the disk takes no writes, and after one that failed.

use super::*;
use ::redb::StorageBackend;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// A file that can be told to take no writes, or to fail the next read.
struct Stubborn {
    disk: FileDisk,
    refuses: Arc<AtomicBool>,
    fails_once: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Way {
    below: Box<dyn StorageBackend>,
    refuses: Arc<AtomicBool>,
    fails_once: Arc<AtomicBool>,
}

impl Disk for Stubborn {
    fn open(&self) -> io::Result<Box<dyn StorageBackend>> {
        let way = Way { below: self.disk.open()?, refuses: self.refuses.clone(), fails_once: self.fails_once.clone() };
        way.change()?;
        Ok(Box::new(way))
    }

    fn release(&self) {
        self.disk.release();
    }
}

impl Way {
    fn change(&self) -> io::Result<()> {
        if self.refuses.load(SeqCst) { Err(io::ErrorKind::ReadOnlyFilesystem.into()) } else { Ok(()) }
    }
}

impl StorageBackend for Way {
    fn len(&self) -> io::Result<u64> {
        self.below.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if self.fails_once.swap(false, SeqCst) {
            return Err(io::Error::from_raw_os_error(5));
        }
        self.below.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change()?;
        self.below.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.change()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change()?;
        self.below.write(offset, data)
    }
}

#[tokio::test]
async fn what_was_never_read_before_is_read_on_a_disk_that_takes_no_writes_and_after_a_read_that_failed() {
    const ROWS: u8 = 60;
    let dir = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
    let (refuses, fails_once): (Arc<AtomicBool>, Arc<AtomicBool>) = Default::default();
    let open = || {
        let over =
            |disk: FileDisk| -> Box<dyn Disk> { Box::new(Stubborn { disk, refuses: refuses.clone(), fails_once: fails_once.clone() }) };
        // More is in it than its cache holds.
        Store::on(
            over(FileDisk::open(&dir.path().join("s.redb")).unwrap()),
            false,
            &Options { cache_mb: 1, ..Options::at(dir.path().join("s.redb")) },
            0,
        )
        .unwrap()
    };
    Store::open(Options::at(dir.path().join("s.redb"))).unwrap().close().await.unwrap();
    let store = open();
    for n in 0..ROWS {
        store.commit(Batch::new().put("rows", format!("{n:03}"), vec![n; 50_000]), Durability::Now).await.unwrap();
    }
    store.close().await.unwrap();
    let store = open();
    let all = || (0..ROWS).all(|n| store.get("rows", &format!("{n:03}")).unwrap() == Some(vec![n; 50_000]));
    fails_once.store(true, SeqCst);
    assert!(all() && !fails_once.load(SeqCst), "one read failed, and nobody was told");
    refuses.store(true, SeqCst);
    for _ in 0..2 {
        let refused = store.commit(Batch::new().put("rows", "000", b"new".to_vec()), Durability::Now).await;
        assert!(matches!(refused, Err(StoreError::Io { .. })), "{refused:?}");
        assert!(all(), "reads go on");
    }
    refuses.store(false, SeqCst);
    store.commit(Batch::new().put("rows", "000", b"new".to_vec()), Durability::Now).await.unwrap();
    store.close().await.unwrap();
    assert_eq!(open().get("rows", "000").unwrap(), Some(b"new".to_vec()));
}
