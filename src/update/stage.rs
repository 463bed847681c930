//! A downloaded file becomes a binary that was tried: digest, size, unpacking, a look at itself, a start on copies.

use crate::update::error::UpdateError;
use crate::update::manifest::{Artifact, Release};
use crate::update::swap::BINARY;
use flate2::read::GzDecoder;
use ring::digest::{Context, SHA256};
use self_update::{ArchiveKind, Compression, Extract};
use std::fs::{self, File, Permissions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

/// The most entries of an archive: the binary, its licences, its notes.
const ENTRIES_MAX: usize = 64;
/// What stands beside the binary, bytes.
const BESIDE_MAX: u64 = 4 << 20;
/// A binary says what it is within.
const VERSION_TIME: Duration = Duration::from_secs(20);
/// And opens copies within; a large store is migrated then.
const PREFLIGHT_TIME: Duration = Duration::from_secs(120);
/// What is read of what it says.
const OUTPUT_MAX: u64 = 64 * 1024;

/// Whether a file is the one that was signed.
pub fn check(file: &Path, artifact: &Artifact) -> Result<(), UpdateError> {
    let opened = File::open(file).map_err(UpdateError::io("reading", file))?;
    let size = opened.metadata().map_err(UpdateError::io("reading", file))?.len();
    if size != artifact.size {
        return Err(UpdateError::refused(format!("its file has {size} bytes, and should have {}", artifact.size)));
    }
    let (mut context, mut piece, mut reader) = (Context::new(&SHA256), vec![0; 64 * 1024], opened.take(size));
    loop {
        match reader.read(&mut piece).map_err(UpdateError::io("reading", file))? {
            0 => break,
            read => context.update(&piece[..read]),
        }
    }
    if crate::base::ids::hex(context.finish().as_ref()) != artifact.sha256 {
        return Err(UpdateError::refused("its file is not the one that was signed (SHA-256 differs)"));
    }
    Ok(())
}

/// Unpacks the binary into an empty directory. What is in the archive is looked at first, all of it.
pub fn unpack(file: &Path, artifact: &Artifact, into: &Path) -> Result<PathBuf, UpdateError> {
    let name = match artifact.kind.as_str() {
        "tar" => look_into(file, artifact.unpacked_size)?,
        _ => PathBuf::from(BINARY),
    };
    let kind = match artifact.kind.as_str() {
        "tar" => ArchiveKind::Tar(Some(Compression::Gz)),
        _ if is_packed(file)? => {
            let mut plain = capped(file, artifact.unpacked_size + 1)?;
            let size = io::copy(&mut plain, &mut io::sink()).map_err(|_| UpdateError::refused("its file cannot be unpacked"))?;
            same_size(size, artifact)?;
            ArchiveKind::Plain(Some(Compression::Gz))
        }
        // As it is: its size was compared with what was signed already.
        _ => ArchiveKind::Plain(None),
    };
    fs::create_dir_all(into).map_err(UpdateError::io("making", into))?;
    let mut extract = Extract::from_source(file);
    extract.archive(kind).extract_file(into, &name).map_err(|_| UpdateError::refused("its file cannot be unpacked"))?;
    let (unpacked, binary) = (into.join(&name), into.join(BINARY));
    if unpacked != binary {
        fs::rename(&unpacked, &binary).map_err(UpdateError::io("moving", &unpacked))?;
    }
    let meta = fs::symlink_metadata(&binary).map_err(UpdateError::io("reading", &binary))?;
    if !meta.is_file() {
        return Err(UpdateError::refused("what it unpacks to is no file"));
    }
    same_size(meta.len(), artifact)?;
    // Whatever the archive says of it: no set-uid, and it can be started.
    fs::set_permissions(&binary, Permissions::from_mode(0o755)).map_err(UpdateError::io("permissions of", &binary))?;
    Ok(binary)
}

/// Whether it begins as gzip does.
fn is_packed(file: &Path) -> Result<bool, UpdateError> {
    let mut magic = [0; 2];
    let read = File::open(file).and_then(|mut opened| opened.read_exact(&mut magic));
    read.map_err(UpdateError::io("reading", file))?;
    Ok(magic == [0x1f, 0x8b])
}

fn same_size(size: u64, artifact: &Artifact) -> Result<(), UpdateError> {
    if size == artifact.unpacked_size {
        return Ok(());
    }
    Err(UpdateError::refused(format!("it unpacks to another size than the {} bytes it should have", artifact.unpacked_size)))
}

fn capped(file: &Path, most: u64) -> Result<impl Read, UpdateError> {
    let opened = File::open(file).map_err(UpdateError::io("reading", file))?;
    Ok(GzDecoder::new(BufReader::new(opened)).take(most))
}

/// The binary's name in the archive, when nothing else in it is out of place.
fn look_into(file: &Path, unpacked: u64) -> Result<PathBuf, UpdateError> {
    let no = |why: &str| UpdateError::refused(format!("its archive {why}"));
    let mut archive = tar::Archive::new(capped(file, unpacked + BESIDE_MAX)?);
    let mut found = None;
    for (count, entry) in archive.entries().map_err(|_| no("cannot be read"))?.enumerate() {
        let entry = entry.map_err(|_| no("cannot be read, or is larger than it should be"))?;
        if count >= ENTRIES_MAX {
            return Err(no("has too many entries"));
        }
        let path = entry.path().map_err(|_| no("has a name that is none"))?.into_owned();
        if !path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err(no("reaches out of its directory"));
        }
        let kind = entry.header().entry_type();
        if !kind.is_file() && !kind.is_dir() {
            return Err(no("has a link or a device in it"));
        }
        if kind.is_file() && path.file_name().is_some_and(|name| name == BINARY) {
            let path: PathBuf = path.components().filter(|part| matches!(part, Component::Normal(_))).collect();
            if found.replace(path).is_some() {
                return Err(no("has two binaries"));
            }
        }
    }
    found.ok_or_else(|| no("has no binary"))
}

/// Where a new version may be tried: copies, which it may change as it likes.
#[derive(Debug, Clone)]
pub struct Copies {
    /// State directory: store and master key.
    pub state: PathBuf,
    /// The store in it.
    pub store: PathBuf,
    /// The configuration, if there is a file.
    pub config: Option<PathBuf>,
    /// Further environment: settings and credentials that the service itself has.
    pub environment: Vec<(String, String)>,
}

/// Asks the new binary what it is, and lets it start on copies.
pub async fn try_out(binary: &Path, release: &Release, copies: &Copies) -> Result<(), UpdateError> {
    let said = run(Command::new(binary).args(["version", "--json"]), VERSION_TIME, copies).await?;
    let version = serde_json::from_str::<serde_json::Value>(&said).ok().and_then(|said| said["version"].as_str().map(str::to_owned));
    if version.as_deref() != Some(&release.manifest.version) {
        return Err(UpdateError::refused(format!("its binary does not say that it is version {}", release.manifest.version)));
    }
    let mut check = Command::new(binary);
    check.args(["check", "--preflight", "--data-dir"]).arg(&copies.state);
    if let Some(config) = &copies.config {
        check.arg("--config").arg(config);
    }
    run(&mut check, PREFLIGHT_TIME, copies).await.map(|_| ())
}

async fn run(command: &mut Command, time: Duration, copies: &Copies) -> Result<String, UpdateError> {
    let environment = copies.environment.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    command
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .envs(environment)
        // After the service's own: whatever that names, it is the copies that are tried.
        .env("ROUTEROS_MCP_STORE_PATH", &copies.store)
        .env("TMPDIR", &copies.state);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let no = |why: String| UpdateError::refused(format!("its binary was tried on copies, and {why}"));
    let mut child = command.spawn().map_err(|error| no(format!("cannot be started here ({error})")))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let finished = async {
        let (mut said, mut complained) = (Vec::new(), Vec::new());
        let (out, err) = (out.map(|out| out.take(OUTPUT_MAX)), err.map(|err| err.take(OUTPUT_MAX)));
        let read_out = async {
            if let Some(mut out) = out {
                let _ = out.read_to_end(&mut said).await;
            }
        };
        let read_err = async {
            if let Some(mut err) = err {
                let _ = err.read_to_end(&mut complained).await;
            }
        };
        tokio::join!(read_out, read_err);
        (child.wait().await, said, complained)
    };
    match tokio::time::timeout(time, finished).await {
        Err(_) => Err(no(format!("did not answer within {} s", time.as_secs()))),
        Ok((Ok(status), said, _)) if status.success() => Ok(String::from_utf8_lossy(&said).into_owned()),
        Ok((_, _, complained)) => {
            let words: String = String::from_utf8_lossy(&complained).chars().filter(|c| !c.is_control() || *c == ' ').take(300).collect();
            Err(no(format!("failed: {words}")))
        }
    }
}
