//! How this appliance was installed, and so who may change its version.

use crate::update::swap::{BINARY, Layout, SYSTEM_VERSIONS};
use ring::digest::{SHA256, digest};
use std::fs;
use std::path::{Path, PathBuf};

/// Who puts another version in place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// A package manager, or whoever made the image; the command to type.
    Managed {
        /// Who owns the file, in words.
        by: String,
        /// What to type.
        command: String,
    },
    /// Root's unit, which is handed what to do.
    Unit(Layout),
    /// We ourselves: the directory of versions is ours, or a lone file is ours to replace.
    Own(Layout),
}

impl Way {
    /// Where versions lie, unless others see to them.
    pub fn layout(&self) -> Option<&Layout> {
        match self {
            Way::Unit(layout) | Way::Own(layout) => Some(layout),
            Way::Managed { .. } => None,
        }
    }
}

/// Where images keep their programs.
const IMAGE_DIRS: &[&str] = &["/", "/app", "/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"];

/// Where a running executable lies, or lay until another took its place: the kernel says so at the end of its name.
pub fn placed(exe: &Path) -> PathBuf {
    exe.to_str().and_then(|path| path.strip_suffix(" (deleted)")).map_or_else(|| exe.to_owned(), PathBuf::from)
}

/// Looks around on a machine whose root directory is `root`; `exe` is the file that runs, and `lone` where versions of a lone
/// file are kept.
pub fn find(root: &Path, exe: &Path, lone: &Path) -> Way {
    let versions = root.join(SYSTEM_VERSIONS.trim_start_matches('/'));
    let layout = Layout::at_root(versions_of(exe).unwrap_or(versions));
    if exe.starts_with(layout.root.join("versions")) {
        // A new version of a lone file, which runs from here until it is kept. Notes that lie elsewhere say nothing of that file.
        let is_its = |copy: &PathBuf| layout.root.file_name().is_some_and(|name| *name == *name_of(copy));
        let layout = Layout { copy: layout.noted_lone().filter(is_its), ..layout };
        return if is_writable(&layout.root) { Way::Own(layout) } else { Way::Unit(layout) };
    }
    if let Some((by, command)) = owner(root, exe) {
        return Way::Managed { by, command };
    }
    // A file that somebody laid down elsewhere in a container, on a volume say, is no part of its image.
    let is_in_image = exe.parent().and_then(Path::to_str).is_some_and(|dir| IMAGE_DIRS.contains(&dir));
    if is_in_image && [".dockerenv", "run/.containerenv"].iter().any(|mark| root.join(mark).exists()) {
        let command = "pull the new image and start the container again".into();
        return Way::Managed { by: "a container image".into(), command };
    }
    match exe.parent() {
        // Each file has notes of its own: another one that is started on the same state must not be taken for it.
        Some(dir) if is_writable(dir) => Way::Own(Layout { root: lone.join(name_of(exe)), copy: Some(exe.to_owned()) }),
        _ => Way::Managed {
            by: "a directory that this appliance cannot write".into(),
            command: format!("install -m 755 routeros-mcp {}", exe.display()),
        },
    }
}

/// A path as the name of a directory.
fn name_of(exe: &Path) -> String {
    let digest = digest(&SHA256, exe.as_os_str().as_encoded_bytes());
    crate::base::ids::hex(&digest.as_ref()[..8])
}

/// The directory of versions that a binary lies in: `…/versions/0.9.1/routeros-mcp`.
fn versions_of(exe: &Path) -> Option<PathBuf> {
    let versions = exe.parent()?.parent()?;
    (exe.file_name()? == BINARY && versions.file_name()? == "versions").then(|| versions.parent().map(Path::to_owned))?
}

/// Where packages lay files. There are thousands of lists, and reading them all takes longer than the whole start.
const PACKAGED: &[&str] = &["/usr/", "/bin/", "/sbin/", "/lib/", "/opt/"];
/// But this is the administrator's (Filesystem Hierarchy Standard, 4.9).
const UNPACKAGED: &str = "/usr/local/";

/// Which package the file belongs to, and how that is upgraded.
fn owner(root: &Path, exe: &Path) -> Option<(String, String)> {
    let path = exe.to_str()?;
    if !PACKAGED.iter().any(|dir| path.starts_with(dir)) || path.starts_with(UNPACKAGED) {
        return None;
    }
    let listed = |dir: &str| -> Option<String> {
        let lists = fs::read_dir(root.join(dir)).ok()?;
        let has = |list: &Path| fs::read_to_string(list).is_ok_and(|text| text.lines().any(|line| line.trim_end() == path));
        let lists = lists.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|ext| ext == "list"));
        // Our own name first: then it is the only one that is read.
        let (ours, others): (Vec<_>, Vec<_>) = lists.partition(|list| list.to_string_lossy().contains(BINARY));
        let list = ours.into_iter().chain(others).find(|list| has(list))?;
        Some(list.file_stem()?.to_str()?.split(':').next()?.to_owned())
    };
    if let Some(package) = listed("var/lib/dpkg/info") {
        return Some(("dpkg".into(), format!("apt-get update && apt-get install --only-upgrade {package}")));
    }
    if let Some(package) = listed("usr/lib/opkg/info") {
        return Some(("opkg".into(), format!("opkg update && opkg upgrade {package}")));
    }
    if let Some(package) = listed("lib/apk/packages").or_else(|| in_apk(root, path)) {
        return Some(("apk".into(), format!("apk update && apk upgrade {package}")));
    }
    None
}

/// apk's own list: `P:` names the package, `F:` a directory, `R:` a file in it.
fn in_apk(root: &Path, path: &str) -> Option<String> {
    let text = fs::read_to_string(root.join("lib/apk/db/installed")).ok()?;
    let (mut package, mut dir) = ("", "");
    for line in text.lines() {
        match line.split_once(':') {
            Some(("P", name)) => package = name,
            Some(("F", name)) => dir = name,
            Some(("R", name)) if path.trim_start_matches('/') == format!("{dir}/{name}") => return Some(package.to_owned()),
            _ => {}
        }
    }
    None
}

fn is_writable(dir: &Path) -> bool {
    rustix::fs::access(dir, rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn a_package_managers_file_is_left_to_it_and_its_command_is_named() {
        for (list, text, by, word) in [
            (
                "var/lib/dpkg/info/routeros-mcp:amd64.list",
                "/usr\n/usr/bin/routeros-mcp\n",
                "dpkg",
                "apt-get install --only-upgrade routeros-mcp",
            ),
            ("usr/lib/opkg/info/routeros-mcp.list", "/usr/bin/routeros-mcp\n", "opkg", "opkg upgrade routeros-mcp"),
            ("lib/apk/packages/routeros-mcp.list", "/usr/bin/routeros-mcp\n", "apk", "apk upgrade routeros-mcp"),
            (
                "lib/apk/db/installed",
                "P:other\nF:usr/bin\nR:other\n\nP:routeros-mcp\nF:usr/bin\nR:routeros-mcp\n",
                "apk",
                "apk upgrade routeros-mcp",
            ),
        ] {
            let root = machine(&[(list, text)]);
            match find(root.path(), Path::new("/usr/bin/routeros-mcp"), Path::new("/s")) {
                Way::Managed { by: found, command } => assert!(found == by && command.contains(word), "{found}: {command}"),
                other => panic!("{list}: {other:?}"),
            }
        }
    }

    #[test]
    fn lists_of_packages_are_not_read_for_a_file_where_no_package_lays_one() {
        let all = "/usr/local/bin/routeros-mcp\n/srv/routeros-mcp\n/opt/routeros-mcp\n";
        let root = machine(&[("var/lib/dpkg/info/other.list", all)]);
        for (exe, is_owned) in [("/usr/local/bin/routeros-mcp", false), ("/srv/routeros-mcp", false), ("/opt/routeros-mcp", true)] {
            assert_eq!(owner(root.path(), Path::new(exe)).is_some(), is_owned, "{exe}");
        }
    }

    #[test]
    fn a_file_that_was_replaced_while_it_runs_is_the_one_in_its_place() {
        assert_eq!(placed(Path::new("/bin/routeros-mcp (deleted)")), Path::new("/bin/routeros-mcp"));
        assert_eq!(placed(Path::new("/bin/routeros-mcp")), Path::new("/bin/routeros-mcp"));
    }

    #[test]
    fn containers_and_read_only_directories_are_not_ours() {
        let root = machine(&[(".dockerenv", "")]);
        assert!(
            matches!(find(root.path(), Path::new("/routeros-mcp"), Path::new("/s")), Way::Managed { by, .. } if by.contains("container"))
        );
        assert!(matches!(find(machine(&[]).path(), Path::new("/proc/1/routeros-mcp"), Path::new("/s")), Way::Managed { .. }));
    }

    #[test]
    fn a_binary_among_versions_is_switched_and_a_lone_one_replaced() {
        let root = machine(&[("opt/x/versions/1.0.0/routeros-mcp", ""), ("bin/routeros-mcp", "#!/bin/sh\n")]);
        let exe = root.path().join("opt/x/versions/1.0.0/routeros-mcp");
        assert_eq!(find(root.path(), &exe, Path::new("/s")), Way::Own(Layout::at_root(root.path().join("opt/x"))));
        let lone = root.path().join("bin/routeros-mcp");
        let kept = Layout { root: Path::new("/s").join(name_of(&lone)), copy: Some(lone.clone()) };
        assert_eq!(find(root.path(), &lone, Path::new("/s")), Way::Own(kept));
        // A new version of it that runs from its directory is the same installation.
        let lone_versions = root.path().join("s");
        let Way::Own(layout) = find(root.path(), &lone, &lone_versions) else { panic!("it is ours") };
        let fresh = layout.binary("1.1.0");
        fs::create_dir_all(fresh.parent().unwrap()).unwrap();
        layout.adopt(&mut crate::update::disk::Real, "1.0.0").unwrap();
        assert_eq!(find(root.path(), &fresh, &lone_versions), Way::Own(layout.clone()));
        fs::write(layout.root.join("lone"), "/bin/sh").unwrap();
        assert_eq!(find(root.path(), &fresh, &lone_versions), Way::Own(Layout::at_root(layout.root)), "another file's");
        assert_ne!(name_of(&lone), name_of(&root.path().join("bin/another")), "which have notes of their own");
    }
}
