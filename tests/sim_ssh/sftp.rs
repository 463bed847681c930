//! Files over SFTP, packets made by hand.

use super::{login, sim};
use crate::sim_rest::call;
use routeros_mcp::sim::profiles::Profile;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// SFTP packets by hand.
struct Sftp<S> {
    stream: S,
    id: u32,
}

fn field(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

impl<S: AsyncRead + AsyncWrite + Unpin> Sftp<S> {
    async fn packet(&mut self, kind: u8, body: &[u8]) -> (u8, Vec<u8>) {
        let bytes = [&[kind][..], body].concat();
        self.stream.write_all(&field(&bytes)).await.unwrap();
        let len = self.stream.read_u32().await.unwrap();
        let mut packet = vec![0; len as usize];
        self.stream.read_exact(&mut packet).await.unwrap();
        (packet[0], packet[1..].to_vec())
    }

    async fn ask(&mut self, kind: u8, body: &[u8]) -> (u8, Vec<u8>) {
        self.id += 1;
        let id = self.id.to_be_bytes();
        let (kind, answer) = self.packet(kind, &[&id, body].concat()).await;
        assert_eq!(answer[..4], id);
        (kind, answer[4..].to_vec())
    }

    async fn status(&mut self, kind: u8, body: &[u8]) -> u32 {
        let (kind, answer) = self.ask(kind, body).await;
        assert_eq!(kind, 101, "{answer:?}");
        u32::from_be_bytes(answer[..4].try_into().unwrap())
    }

    async fn open(&mut self, path: &str, flags: u32) -> Vec<u8> {
        let (kind, answer) = self.ask(3, &[&field(path.as_bytes())[..], &flags.to_be_bytes(), &0_u32.to_be_bytes()].concat()).await;
        assert_eq!(kind, 102);
        answer
    }

    async fn write(&mut self, path: &str, bytes: &[u8]) {
        let handle = self.open(path, 0x1a).await;
        assert_eq!(self.status(6, &[&handle[..], &0_u64.to_be_bytes(), &field(bytes)].concat()).await, 0);
        assert_eq!(self.status(4, &handle).await, 0);
    }

    async fn read(&mut self, path: &str) -> Vec<u8> {
        let handle = self.open(path, 1).await;
        let (kind, answer) = self.ask(5, &[&handle[..], &0_u64.to_be_bytes(), &30_000_u32.to_be_bytes()].concat()).await;
        assert_eq!(kind, 103);
        assert_eq!(self.status(4, &handle).await, 0);
        answer[4..].to_vec()
    }
}

#[tokio::test]
async fn files_go_over_sftp_and_an_auto_script_runs_at_once() {
    let sim = sim(Profile::Office).await;
    let handle = login(&sim, "mcp", "sim-mcp-pass").await;
    let channel = handle.channel_open_session().await.unwrap();
    channel.request_subsystem(true, "sftp").await.unwrap();
    let mut sftp = Sftp { stream: channel.into_stream(), id: 0 };
    assert_eq!(sftp.packet(1, &3_u32.to_be_bytes()).await, (2, 3_u32.to_be_bytes().to_vec()));
    let bytes = b"any \xff bytes\x00 at all";
    sftp.write("/keep.bin", bytes).await;
    assert_eq!(sftp.read("keep.bin").await, bytes);
    let piece = json!({"file": "keep.bin", "chunk-size": "10", "offset": "0"});
    let piece = call(&sim, &sim.credentials().mcp, "POST", "/file/read", Some(piece)).await;
    assert_eq!(piece.body, b"[{\"data\":\"any \xff byte\"}]", "REST reads the same bytes");
    let (kind, folder) = sftp.ask(11, &field(b"/")).await;
    assert_eq!(kind, 102);
    let (kind, names) = sftp.ask(12, &folder).await;
    assert!(kind == 104 && String::from_utf8_lossy(&names).contains("keep.bin"));
    assert_eq!(sftp.status(12, &folder).await, 1, "end of the folder");
    assert_eq!(sftp.status(13, &field(b"keep.bin")).await, 0);
    assert_eq!(sftp.status(13, &field(b"keep.bin")).await, 2, "no such file");
    sftp.write("x.auto.rsc", b"/system/note/set note=ran\r\n:put done\r\n/foo\r\n").await;
    assert_eq!(sim.world().rows("/system/note")[0].get("note"), Some("ran"), "what stood before the slip stays done");
    assert!(String::from_utf8_lossy(&sftp.read("x.auto.log").await).contains("bad command name foo (line 3 column 2)"));
    sftp.write("y.auto.rsc", b"/system/note/set note=again\r\n:put done\r\n").await;
    assert_eq!(sim.world().rows("/system/note")[0].get("note"), Some("again"));
    assert_eq!(sftp.read("y.auto.log").await, b"done\n");
}
