//! cargo's build script: deflates texts that a build carries and seldom reads. [`src/base/packed.rs`] reads what this writes.
//!
//! One stream for each set, so that what its texts have in common is there once: `name`, NUL, text, NUL, and so on.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// A set's name, and the file or directory it is made of. A text's name is its file's, without what follows the dot.
const SETS: [(&str, &str); 4] =
    [("docs", "assets/docs"), ("schemas", "assets/schemas.txt"), ("menus", "src/sim/menus"), ("profiles", "src/sim/profiles")];

/// As small as it gets; a few tenths of a second for all.
const LEVEL: u8 = 10;

#[expect(clippy::print_stdout, reason = "build scripts talk to cargo that way")]
fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for (name, place) in SETS {
        println!("cargo::rerun-if-changed={place}");
        let mut plain = String::new();
        for file in files(Path::new(place))? {
            let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
            let stem = file.file_stem().and_then(|stem| stem.to_str()).ok_or("a file without a name")?;
            assert!(!text.contains('\0'), "{} is no text", file.display());
            plain.extend([stem, "\0", &text, "\0"]);
        }
        fs::write(out.join(name).with_extension("z"), miniz_oxide::deflate::compress_to_vec(plain.as_bytes(), LEVEL))?;
    }
    Ok(())
}

/// Itself, or what is in it, by name: the same bytes whatever order the disk tells them in.
fn files(place: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    if place.is_file() {
        return Ok(vec![place.to_owned()]);
    }
    let mut files = fs::read_dir(place)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    files.sort();
    Ok(files)
}
