//! The machine: clock, disk, files, ports, names, the other process.

use super::{Finding, Weight};
use crate::app::Examined;
use crate::base::clock::Clock;
use crate::base::fault::Kind;
use crate::cli::health;
use crate::config::Loaded;
use crate::config::sections::Transport;
use crate::control::client;
use crate::http::{ops, trouble};
use crate::store::{Ground, Space, ground};
use crate::update::install::Way;
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// Percent of the disk.
const LITTLE: u64 = 15;
const TOO_LITTLE: u64 = 5;
/// And of a large disk, in megabytes.
const FEW_MB: u64 = 2_000;
/// A name resolves within.
const RESOLVES: Duration = Duration::from_secs(5);
/// Bits that let others read.
const OPEN: u32 = 0o077;

/// Looks at all of it.
pub(super) async fn look(loaded: &Loaded) -> Vec<Finding> {
    let places = crate::app::places(loaded);
    let runs = client::hello(&places.control_socket()).await.is_ok();
    let mut found = vec![clock()];
    found.extend(disk(loaded));
    found.extend(files(loaded));
    found.extend(trail(loaded));
    found.extend(archives(loaded));
    if runs {
        found.push(answers(loaded).await);
    } else {
        found.push(
            Finding::new("process", Weight::Note, "no appliance runs on this state directory")
                .next("systemctl start routeros-mcp, or `routeros-mcp serve`"),
        );
        found.push(store(loaded).await);
        found.extend(port(loaded));
    }
    found.extend(certificate(loaded));
    found.extend(names(loaded).await);
    found.push(installed(loaded));
    found.extend(supervised());
    found
}

fn certificate(loaded: &Loaded) -> Option<Finding> {
    match crate::app::check_certificate(loaded) {
        Ok(ends) => {
            let said = ops::ending(ends, Clock::system().wall())?;
            Some(Finding::new("certificate", Weight::Warning, said).next("renew it: clients refuse it from then on"))
        }
        Err(fault) => Some(Finding::of("certificate", &fault)),
    }
}

fn clock() -> Finding {
    let now = Clock::system().wall();
    match now.is_plausible() {
        true => Finding::new("clock", Weight::Ok, now.rfc3339()),
        false => Finding::new("clock", Weight::Problem, format!("it says {}, which it cannot be", now.rfc3339()))
            .next("set it, or let NTP do it: tokens, certificates and approvals go by it"),
    }
}

fn disk(loaded: &Loaded) -> Vec<Finding> {
    let dir = &loaded.state_dir;
    if !dir.exists() {
        return vec![Finding::new("disk", Weight::Note, format!("{} is made at the first start", dir.display()))];
    }
    let mut found = Vec::new();
    match ground(&loaded.config.store.path) {
        Ok(Ground::Volatile(name)) if !loaded.config.store.volatile => found.push(
            Finding::new("disk", Weight::Problem, format!("{} is on {name}, which is RAM", dir.display()))
                .next("move it to a disk with --data-dir; or store.volatile = true, and then no credentials are kept"),
        ),
        Ok(Ground::Flash) => {
            found.push(Finding::new("disk", Weight::Note, format!("{} is raw flash: it is written to seldom", dir.display())))
        }
        _ => {}
    }
    match Space::at(dir) {
        Ok(space) => {
            let (free, mb) = (space.free_percent(), space.free / 1_000_000);
            let said = format!("{}: {mb} MB free, {free} %", dir.display());
            found.push(match free {
                free if free < TOO_LITTLE && mb < FEW_MB => {
                    Finding::new("disk", Weight::Problem, said).next("make room: without an audit record no router is changed")
                }
                free if free < LITTLE && mb < FEW_MB => Finding::new("disk", Weight::Warning, said).next("make room before it is full"),
                _ => Finding::new("disk", Weight::Ok, said),
            });
        }
        Err(error) => found.push(Finding::new("disk", Weight::Warning, format!("{}: {error}", dir.display()))),
    }
    found
}

/// Whether records are missing that there were.
fn trail(loaded: &Loaded) -> Option<Finding> {
    let places = crate::app::places(loaded);
    let error = crate::audit::reaches_by_its_head(&places.audit_mark(), &crate::app::audit_dir(&places)).err()?;
    let next = format!("`audit verify` tells more; put its files back, or remove {} when you know why", places.audit_mark().display());
    Some(Finding::new("trail", Weight::Problem, error.to_string()).next(next))
}

/// What left the trail and is kept until somebody takes it away.
fn archives(loaded: &Loaded) -> Option<Finding> {
    let dir = crate::app::audit_dir(&crate::app::places(loaded));
    let (files, bytes) = crate::audit::archive_size(&dir).ok().filter(|(files, _)| *files > 0)?;
    let said = format!("{files} files, {:.1} MB in {}", bytes as f64 / 1e6, crate::audit::archive_dir(&dir).display());
    Some(Finding::new("archives", Weight::Note, said).next("move those elsewhere that need not lie here; nothing is removed by itself"))
}

/// Who may read what is secret, and whose it is.
fn files(loaded: &Loaded) -> Vec<Finding> {
    let places = crate::app::places(loaded);
    let (key, store) = (places.master_key(), loaded.config.store.path.clone());
    let mut found = Vec::new();
    let owner = std::fs::metadata(&places.state).map(|meta| meta.uid());
    for path in [places.state.as_path(), &key, &store] {
        let Ok(meta) = std::fs::metadata(path) else { continue };
        if meta.mode() & OPEN != 0 {
            let mode = if meta.is_dir() { "700" } else { "600" };
            found.push(
                Finding::new("files", Weight::Warning, format!("{} lets others in (mode {:o})", path.display(), meta.mode() & 0o7777))
                    .next(format!("chmod {mode} {}", path.display())),
            );
        }
        if let Ok(owner) = owner
            && meta.uid() != owner
        {
            found.push(
                Finding::new(
                    "files",
                    Weight::Problem,
                    format!("{} belongs to another user than {}", path.display(), places.state.display()),
                )
                .next(format!("chown --reference={} {}", places.state.display(), path.display())),
            );
        }
    }
    for path in &loaded.view.files {
        let writable = std::fs::metadata(path).is_ok_and(|meta| meta.mode() & 0o002 != 0);
        if writable {
            found.push(
                Finding::new("files", Weight::Problem, format!("everybody may write {}", path.display()))
                    .next(format!("chmod o-w {}", path.display())),
            );
        }
    }
    if found.is_empty() {
        found.push(Finding::new("files", Weight::Ok, "nobody else reads or writes what is ours"));
    }
    found
}

/// The process that runs, through its own front door.
async fn answers(loaded: &Loaded) -> Finding {
    if loaded.config.mcp.transport == Transport::Stdio {
        return Finding::new("process", Weight::Ok, "an appliance runs and has the store");
    }
    match health::ask(loaded).await {
        Ok((true, said)) => Finding::new("process", Weight::Ok, format!("it runs and is {}", said["status"].as_str().unwrap_or("there"))),
        Ok((false, said)) => {
            Finding::new("process", Weight::Problem, format!("it runs and is {}", said["status"].as_str().unwrap_or("not well")))
                .next("look at its log, and at the disk")
        }
        // A stdio server has no listener.
        Err(fault) if fault.kind == Kind::Unreachable => {
            Finding::new("process", Weight::Note, "it runs without a listener (stdio), or its listener does not answer")
        }
        Err(fault) => Finding::of("process", &fault),
    }
}

/// Whether store and key belong together, where nobody uses them.
async fn store(loaded: &Loaded) -> Finding {
    let older = || {
        Finding::new("store", Weight::Warning, trouble::OLDER)
            .next("the next start deals with it; where nobody restored a backup, look where the right file is first")
    };
    if crate::app::is_lost(loaded) {
        return older();
    }
    if !loaded.config.store.path.exists() {
        return Finding::new("store", Weight::Note, "it is made at the first start");
    }
    match crate::app::examine(loaded).await {
        Ok(Examined { is_older: true, .. }) => older(),
        Ok(Examined { behind: Some(found), .. }) => {
            Finding::new("store", Weight::Note, format!("its schema is {found}: the next start brings it to {}", crate::store::SCHEMA))
        }
        Ok(_) => Finding::new("store", Weight::Ok, format!("it opens (schema {}), and the master key fits", crate::store::SCHEMA)),
        Err(fault) => Finding::of("store", &fault),
    }
}

fn port(loaded: &Loaded) -> Option<Finding> {
    let mcp = &loaded.config.mcp;
    if mcp.transport == Transport::Stdio || mcp.http_port == 0 {
        return None;
    }
    let at: SocketAddr = format!("{}:{}", mcp.http_host.trim_matches(['[', ']']), mcp.http_port)
        .parse()
        .or_else(|_| format!("[{}]:{}", mcp.http_host, mcp.http_port).parse())
        .ok()?;
    Some(match std::net::TcpListener::bind(at) {
        Ok(_) => Finding::new("port", Weight::Ok, format!("{at} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Finding::new("port", Weight::Warning, format!("{at} is not for this user"))
                .next("routeros-mcp.socket gives the port without a privilege")
        }
        Err(error) => Finding::new("port", Weight::Problem, format!("{at}: {error}"))
            .next("another program has it: ss -ltnp; or choose another mcp.http_port"),
    })
}

/// Names that the configuration depends on.
async fn names(loaded: &Loaded) -> Vec<Finding> {
    let config = &loaded.config;
    let urls =
        [config.oidc.provider_url.as_deref().filter(|_| config.oidc.enabled), config.update.url.as_deref().filter(|_| config.update.check)];
    let mut found = Vec::new();
    for url in urls.into_iter().flatten() {
        let Some(host) = url.parse::<reqwest::Url>().ok().and_then(|url| url.host_str().map(str::to_owned)) else { continue };
        let resolved = tokio::time::timeout(RESOLVES, tokio::net::lookup_host((host.trim_matches(['[', ']']), 443))).await;
        let is_known = resolved.is_ok_and(|found| found.is_ok_and(|mut addresses| addresses.next().is_some()));
        if !is_known {
            found.push(
                Finding::new("names", Weight::Problem, format!("{host} does not resolve")).next("look at /etc/resolv.conf and the way out"),
            );
        }
    }
    found
}

/// Who changes the version of this program.
fn installed(loaded: &Loaded) -> Finding {
    match crate::app::way(loaded) {
        Way::Managed { by, command } => Finding::new("installation", Weight::Ok, format!("updated by {by}")).next(command),
        Way::Unit(layout) if !Path::new("/etc/systemd/system/multi-user.target.wants/routeros-mcp-update.path").exists() => Finding::new(
            "installation",
            Weight::Warning,
            format!("versions lie in {}, and root's update unit is not enabled", layout.root.display()),
        )
        .next("systemctl enable --now routeros-mcp-update.path"),
        Way::Unit(layout) => Finding::new("installation", Weight::Ok, format!("updated by root's unit, from {}", layout.root.display())),
        Way::Own(layout) => Finding::new("installation", Weight::Note, format!("updated by itself, at {}", layout.started().display())),
    }
}

fn supervised() -> Option<Finding> {
    let unit = [
        "/etc/systemd/system/routeros-mcp.service",
        "/lib/systemd/system/routeros-mcp.service",
        "/usr/lib/systemd/system/routeros-mcp.service",
    ];
    let has_systemd = Path::new("/run/systemd/system").exists();
    (has_systemd && !unit.iter().any(|path| Path::new(path).exists())).then(|| {
        Finding::new("supervision", Weight::Note, "systemd runs here, and does not run this appliance")
            .next("scripts/install.sh sets up routeros-mcp.service, which also watches that it answers")
    })
}
