//! Syslog as rsyslog reads it: over UDP, TCP and TLS, with names nobody should have.

use super::syslog::HOSTILE;
use super::{alerts, site};
use crate::alerts_rig::{Authority, until};
use routeros_mcp::alert::{Kind, Subject, What};
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const RSYSLOG: &str = "/usr/sbin/rsyslogd";
/// Its modules are below a directory of the architecture; the driver for TLS is a package of its own.
fn has_driver() -> bool {
    let folders = fs::read_dir("/usr/lib").into_iter().flatten().filter_map(Result::ok);
    folders.into_iter().any(|folder| folder.path().join("rsyslog/lmnsd_ossl.so").exists())
}

struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn rsyslog_reads_every_field_where_it_belongs() {
    if !Path::new(RSYSLOG).exists() || !has_driver() {
        return eprintln!("ABSENT: rsyslog with its OpenSSL driver is not installed: nothing was tested against it");
    }
    let (authority, dir) = (Authority::new(), tempfile::tempdir().unwrap());
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (udp, tcp, tls) = (port(), port(), port());
    let config = format!(
        r#"global(workDirectory="{dir}" DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="{ca}"
DefaultNetstreamDriverCertFile="{certificate}" DefaultNetstreamDriverKeyFile="{key}")
template(name="fields" type="string" string="%fromhost-ip%|%pri%|%app-name%|%msgid%|%structured-data%|%msg%\n")
ruleset(name="file") {{ action(type="omfile" file="{out}" template="fields") }}
module(load="imudp")
input(type="imudp" address="127.0.0.1" port="{udp}" ruleset="file")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="{tcp}" ruleset="file" StreamDriver.Name="ptcp" StreamDriver.Mode="0")
input(type="imtcp" address="127.0.0.1" port="{tls}" ruleset="file" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon")
"#,
        dir = dir.path().display(),
        ca = authority.file(),
        certificate = authority.certificate_file(),
        key = authority.key_file(),
        out = path("out"),
    );
    fs::write(path("conf"), config).unwrap();
    let mut command = Command::new(RSYSLOG);
    command.args(["-n", "-f", &path("conf"), "-i", &path("pid")]);
    let log = fs::File::create(path("log")).unwrap();
    let _daemon = Daemon(command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
    until("it listens", || [tcp, tls].iter().all(|port| std::net::TcpStream::connect(("127.0.0.1", *port)).is_ok())).await;
    for (n, url) in
        [format!("udp://127.0.0.1:{udp}"), format!("tcp://127.0.0.1:{tcp}"), format!("tls://localhost:{tls}")].iter().enumerate()
    {
        let (site, _) = site(&[("alert.syslog", url), ("alert.ca_file", &authority.file())]).await;
        alerts(&site).raise(Kind::UnusualUse, &Subject::new(What::Principal, "u", HOSTILE), &format!("as {HOSTILE}"));
        let lines = || fs::read_to_string(path("out")).unwrap_or_default().lines().map(str::to_owned).collect::<Vec<_>>();
        let said = || fs::read_to_string(path("log")).unwrap_or_default();
        until(&format!("{url} reads it: {:?} {}", lines(), said()), || lines().len() > n).await;
        let line = lines()[n].clone();
        let fields: Vec<&str> = line.splitn(6, '|').collect();
        assert_eq!(fields[..4], ["127.0.0.1", "28", "routeros-mcp", "unusual_use"], "{url}: {line}");
        assert!(fields[4].starts_with("[alert@32473 ") && fields[4].ends_with(r#"count="1"]"#), "{url}: {line}");
        assert!(fields[4].contains(r#"name="gw\"\] <0>1 x"#) && fields[5].contains("does far more than usual: as gw"), "{url}: {line}");
        site.close().await;
        assert_eq!(lines().len(), n + 1, "one message is one line: {:?}", lines());
    }
}
