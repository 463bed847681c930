//! Who is at the other end of the socket, and what that allows.
//!
//! The kernel gives the peer's user and primary group. Members of a group by `/etc/group` are found by name, so that
//! `usermod -aG routeros-mcp anna` is enough.

use rustix::net::{AddressFamily, SocketAddrUnix, getsockname, sockopt};
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

/// The group whose members may open MCP streams.
pub const GROUP: &str = "routeros-mcp";

/// What the kernel says of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// User.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
}

/// What a peer may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Everything, as the local administrator.
    Everything,
    /// Open MCP streams.
    Mcp,
    /// Nothing.
    Nothing,
}

/// Decides on each connection.
pub type Judge = Arc<dyn Fn(Peer) -> Rights + Send + Sync>;

/// The rule of this machine: root and our own user everything, the group MCP, others nothing.
pub fn machine() -> Judge {
    let own = rustix::process::geteuid().as_raw();
    Arc::new(move |peer| match peer.uid == 0 || peer.uid == own {
        true => Rights::Everything,
        false => by_group(peer, &read("/etc/group"), &read("/etc/passwd")),
    })
}

/// Whether MCP may be spoken with whoever is at the other end of a stream, where it is a socket: a service manager makes standard
/// input of one. Never over TCP; over a Unix socket with those who may open MCP streams, and with whom its file belongs to.
///
/// Errs with why not.
pub fn may_speak(stream: impl AsFd, judge: &Judge) -> Result<(), &'static str> {
    // A pipe, a file, a terminal: whoever started us.
    let Ok(family) = sockopt::socket_domain(&stream) else { return Ok(()) };
    if family != AddressFamily::UNIX {
        return Err("MCP on standard input is never spoken over a network: use http");
    }
    let Ok(found) = sockopt::socket_peercred(&stream) else { return Err("the other end of the socket says not who it is") };
    let peer = Peer { uid: found.uid.as_raw(), gid: found.gid.as_raw() };
    let path =
        getsockname(&stream).ok().and_then(|at| SocketAddrUnix::try_from(at).ok()).and_then(|at| at.path_bytes().map(<[u8]>::to_vec));
    let owner = path.and_then(|path| std::fs::metadata(OsStr::from_bytes(&path)).ok()).map(|meta| meta.uid());
    match judge(peer) != Rights::Nothing || owner == Some(peer.uid) {
        true => Ok(()),
        false => {
            Err("this user may not speak MCP here: root, the service's user, members of group routeros-mcp, and the socket's owner may")
        }
    }
}

/// Group id of [`GROUP`] on this machine, if it exists.
pub fn group_id() -> Option<u32> {
    group(&read("/etc/group")).map(|(gid, _)| gid)
}

/// A machine without the file has nobody in it.
fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// What belonging to [`GROUP`] allows the peer, given the two files.
fn by_group(peer: Peer, group_file: &str, passwd_file: &str) -> Rights {
    let Some((gid, members)) = group(group_file) else { return Rights::Nothing };
    let named = || name_of(peer.uid, passwd_file).is_some_and(|name| members.contains(&name));
    if peer.gid == gid || named() { Rights::Mcp } else { Rights::Nothing }
}

/// Id and members of [`GROUP`]: `routeros-mcp:x:990:anna,bert`.
fn group(file: &str) -> Option<(u32, Vec<&str>)> {
    let line = file.lines().find(|line| line.split(':').next() == Some(GROUP))?;
    let mut fields = line.split(':').skip(2);
    let gid = fields.next()?.parse().ok()?;
    let members = fields.next().unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    Some((gid, members))
}

/// Login name of a user id: `anna:x:1000:1000:…`.
fn name_of(uid: u32, file: &str) -> Option<&str> {
    let uid = uid.to_string();
    let line = file.lines().find(|line| line.split(':').nth(2) == Some(uid.as_str()))?;
    line.split(':').next().filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::{UnixListener, UnixStream};

    const GROUPS: &str = "root:x:0:\nrouteros-mcp-dev:x:991:eve\nrouteros-mcp:x:990:anna, bert\nusers:x:100:\n";
    const USERS: &str =
        "root:x:0:0::/root:/bin/sh\nanna:x:1000:1000::/home/anna:/bin/sh\neve:x:1001:1001::/:/bin/sh\nbert:x:1002:1002::/:/bin/sh\n";

    #[test]
    fn standard_input_is_a_pipe_or_a_unix_socket_of_somebody_who_may() {
        let nobody: Judge = Arc::new(|_| Rights::Nothing);
        let (pipe, _write) = std::io::pipe().unwrap();
        assert_eq!(may_speak(&pipe, &nobody), Ok(()));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(may_speak(&tcp, &machine()).unwrap_err().contains("never"));
        let (ours, _theirs) = UnixStream::pair().unwrap();
        assert_eq!(may_speak(&ours, &machine()), Ok(()));
        assert!(may_speak(&ours, &nobody).is_err());
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("s")).unwrap();
        let _theirs = UnixStream::connect(dir.path().join("s")).unwrap();
        assert_eq!(may_speak(&listener.accept().unwrap().0, &nobody), Ok(()), "its owner may");
    }

    #[test]
    fn only_members_of_the_group_get_in() {
        for (uid, gid, rights) in [
            (1000, 1000, Rights::Mcp),
            (1002, 1002, Rights::Mcp),
            (1001, 1001, Rights::Nothing),
            (1001, 990, Rights::Mcp),
            (4242, 4242, Rights::Nothing),
        ] {
            assert_eq!(by_group(Peer { uid, gid }, GROUPS, USERS), rights, "uid {uid} gid {gid}");
        }
    }

    #[test]
    fn without_the_group_nobody_gets_in() {
        for groups in ["", "routeros-mcp", "routeros-mcp:x:nonsense:anna", "root:x:0:anna"] {
            assert_eq!(by_group(Peer { uid: 1000, gid: 0 }, groups, USERS), Rights::Nothing, "{groups}");
        }
    }

    #[test]
    fn our_own_user_may_everything() {
        let own = Peer { uid: rustix::process::geteuid().as_raw(), gid: u32::MAX };
        assert_eq!(machine()(own), Rights::Everything);
    }
}
