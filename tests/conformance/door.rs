//! A door in front of the listener that lets in whoever knocks on loopback, with a token: the suite cannot send one.

use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::task::TaskTracker;

/// Heads longer than this are none.
const LONGEST_HEAD: usize = 64 * 1024;

/// Opens it; gives where it is, and the task that keeps it and whatever passes through.
pub async fn open(behind: SocketAddr, token: String) -> (SocketAddr, JoinHandle<()>) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = socket.local_addr().unwrap();
    let keep = async move {
        let mut through = JoinSet::new();
        while let Ok((client, _)) = socket.accept().await {
            through.spawn(pass(client, behind, token.clone()));
            while through.try_join_next().is_some() {}
        }
    };
    (at, TaskTracker::new().spawn(keep))
}

/// One connection carries one request, so that its head is the only one to add to; all that follows passes as it is.
async fn pass(mut client: TcpStream, behind: SocketAddr, token: String) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > LONGEST_HEAD || client.read_buf(&mut head).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let end = head.windows(4).position(|end| end == b"\r\n\r\n").unwrap_or(0);
    let lines = String::from_utf8_lossy(&head[..end]).into_owned();
    let kept = lines.split("\r\n").filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let mut more = kept.collect::<Vec<_>>().join("\r\n").into_bytes();
    more.extend(format!("\r\nConnection: close\r\nAuthorization: Bearer {token}").into_bytes());
    more.extend(&head[end..]);
    let Ok(mut server) = TcpStream::connect(behind).await else { return };
    if server.write_all(&more).await.is_ok() {
        // However it ends, both sides know.
        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    }
}
