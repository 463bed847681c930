//! Where inputs to begin with come from, and where those are kept that once broke a promise.

use std::path::{Path, PathBuf};

/// Recorded outputs of routers, where somebody has them: they lie outside of the repository.
pub struct Samples(Option<PathBuf>);

impl Samples {
    /// Looks for them.
    pub fn find() -> Samples {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/routeros/samples");
        Samples(path.is_dir().then_some(path))
    }

    /// None at all: what a target brings itself has to do.
    pub fn none() -> Samples {
        Samples(None)
    }

    /// Whether there are any.
    pub fn are_here(&self) -> bool {
        self.0.is_some()
    }

    /// Files with one of these extensions, in folders whose names begin like this.
    pub fn files(&self, folder: &str, extension: &str) -> Vec<Vec<u8>> {
        let Some(root) = &self.0 else { return Vec::new() };
        let in_order = |dir: &Path| {
            let mut paths: Vec<PathBuf> = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
            paths.sort();
            paths
        };
        let named = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(folder));
        let files = in_order(root).into_iter().filter(named).flat_map(|dir| in_order(&dir));
        files.filter(|path| path.extension().is_some_and(|found| found == extension)).filter_map(|path| std::fs::read(path).ok()).collect()
    }
}

/// Inputs that once broke a promise of a target, with their names.
pub fn found(target: &str) -> Vec<(String, Vec<u8>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/found").join(target);
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut all: Vec<_> =
        entries.filter_map(|entry| Some((entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path()).ok()?))).collect();
    all.sort();
    all
}

/// Texts as inputs.
pub(super) fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
