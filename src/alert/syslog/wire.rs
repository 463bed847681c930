//! Bytes to a receiver of syslog: a connection a message, for alerts are rare and a connection kept for days is dead when it is needed.

use crate::alert::channel::Failure;
use crate::host::outgoing;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket, UnixDatagram};

/// All of it takes no longer.
const WHOLE: Duration = Duration::from_secs(10);
/// How long a receiver that hangs up is listened for, after everything was sent.
const GOODBYE: Duration = Duration::from_millis(200);

/// One datagram.
pub async fn udp(host: &str, port: u16, bytes: &[u8]) -> Result<String, Failure> {
    let sent = async {
        let at = outgoing::resolve(host, port).await?;
        let at = at.first().ok_or_else(|| io::Error::other("no address"))?;
        let here = if at.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(here).await?;
        socket.connect(at).await?;
        socket.send(bytes).await?;
        Ok(())
    };
    within(sent).await?;
    Ok("sent; over UDP nobody says whether it arrived".into())
}

/// One frame over TCP.
pub async fn tcp(host: &str, port: u16, bytes: &[u8]) -> Result<String, Failure> {
    within(async { written(connected(host, port).await?, bytes).await }).await?;
    Ok("sent, and the connection stood".into())
}

/// One frame over TLS.
pub async fn tls(host: &str, port: u16, bytes: &[u8], config: Arc<ClientConfig>) -> Result<String, Failure> {
    let sent = async {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let stream = connected(host, port).await?;
        written(tokio_rustls::TlsConnector::from(config).connect(name, stream).await?, bytes).await
    };
    within(sent).await?;
    Ok("sent, to a receiver that proved its name".into())
}

/// One datagram to this machine's own socket.
pub async fn unix(path: &Path, bytes: &[u8]) -> Result<String, Failure> {
    let sent = async {
        let socket = UnixDatagram::unbound()?;
        socket.connect(path)?;
        socket.send(bytes).await?;
        Ok(())
    };
    within(sent).await?;
    Ok("given to this machine's log".into())
}

async fn connected(host: &str, port: u16) -> io::Result<TcpStream> {
    let found = outgoing::resolve(host, port).await?;
    let mut last = io::Error::other("no address");
    for at in found {
        match TcpStream::connect(at).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Sends all of it and waits a moment: a receiver that refuses hangs up, and bytes that were sent into the void look like delivered.
async fn written(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await?;
    let mut some = [0; 64];
    // Nothing is expected: silence is fine, and so is a receiver that closes in order.
    if let Ok(Err(error)) = tokio::time::timeout(GOODBYE, stream.read(&mut some)).await {
        return Err(error);
    }
    let _ = stream.shutdown().await;
    Ok(())
}

async fn within(work: impl Future<Output = io::Result<()>>) -> Result<(), Failure> {
    match tokio::time::timeout(WHOLE, work).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Failure::again(error.to_string())),
        Err(_) => Err(Failure::again(format!("nothing within {} s", WHOLE.as_secs()))),
    }
}
