//! Is a router there, and how is it doing: the person's question and the appliance's own.

use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::fleet::credential::ssh_login;
use crate::fleet::device::{Device, Status};
use crate::fleet::fault::{self, FleetError};
use crate::fleet::lane::Read;
use crate::fleet::registry::Fleet;
use crate::fleet::trust::{Place, Presented, check_place};
use crate::fleet::wire::Via;
use crate::routeros::pin::format_fingerprint;
use crate::routeros::value::span_ms;
use crate::routeros::{MenuPath, Query, RouterError, probe_host_key, probe_tls};
use std::time::Duration;

/// Whether one way to a router works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// It does.
    pub ok: bool,
    /// How long it took, milliseconds.
    pub ms: u64,
    /// Why it does not.
    pub error: Option<String>,
    /// The same, for code.
    pub kind: Option<Kind>,
}

impl Reach {
    fn of(result: Result<(), Fault>, took: Duration) -> (Self, Option<String>) {
        let ms = took.as_millis() as u64;
        match result {
            Ok(()) => (Reach { ok: true, ms, error: None, kind: None }, None),
            Err(fault) => (Reach { ok: false, ms, error: Some(fault.said), kind: Some(fault.kind) }, fault.hint),
        }
    }
}

/// Both ways, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connectivity {
    /// It can be read, one way or the other.
    pub reachable: bool,
    /// REST: connection, certificate and login.
    pub rest: Reach,
    /// SSH: connection, host key and login.
    pub ssh: Reach,
    /// One sentence a failure; empty when all is well.
    pub advice: Vec<String>,
}

/// One look at a router's health, from `/system/resource`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// When.
    pub at: Wall,
    /// How long the answer took, milliseconds.
    pub answer_ms: u64,
    /// Since its last boot, seconds.
    pub uptime_seconds: Option<u64>,
    /// Percent.
    pub cpu_load: Option<u8>,
    /// Bytes.
    pub memory_total: Option<u64>,
    /// Bytes.
    pub memory_free: Option<u64>,
    /// Bytes.
    pub disk_total: Option<u64>,
    /// Bytes.
    pub disk_free: Option<u64>,
    /// Blocks of flash that failed, percent.
    pub bad_blocks: Option<f64>,
    /// Another RouterOS than the last probe found: probe again.
    pub version_changed: bool,
    /// How much longer than configured to wait before the next look: 1, 2 or 4.
    pub pace_factor: u32,
}

impl Fleet {
    /// Tries REST and SSH now, whatever failed before. A quarantined device is only looked at: no credential is sent.
    ///
    /// Errs only for a device that may not be asked at all; what fails on the way is in the answer.
    pub async fn check_connectivity(&self, id: &DeviceId) -> Result<Connectivity, Fault> {
        let device = self.get(id)?;
        if device.status != Status::Quarantined {
            self.shared.admits(&device)?;
        }
        let (rest, ssh) = tokio::join!(self.timed(self.try_rest(&device)), self.timed(self.try_ssh(&device)));
        self.shared.store_status(id).await;
        let reachable = (rest.0.ok || ssh.0.ok) && self.get(id)?.status != Status::Quarantined;
        let advice = advice(&device, &rest, &ssh);
        Ok(Connectivity { reachable, rest: rest.0, ssh: ssh.0, advice })
    }

    /// One look at a router's health: one request, through its lane.
    pub async fn poll(&self, id: &DeviceId) -> Result<Sample, Fault> {
        let device = self.get(id)?;
        let lane = self.lane(&device);
        let began = self.shared.clock.mono();
        let answer = lane.read(Read::fresh(MenuPath::parse("/system/resource")?)).await?;
        let took = self.shared.clock.mono().saturating_sub(began);
        let row = answer.rows.first().filter(|row| row.get("version").is_some());
        let row = row.ok_or_else(|| Fault::new(Kind::Unreachable, format!("device \"{}\": not ready yet", device.name)))?;
        let number = |name: &str| row.get(name).and_then(|text| text.parse::<u64>().ok());
        let cpu_load = number("cpu-load").map(|load| load.min(100) as u8);
        if let Some(load) = cpu_load {
            lane.slot.cpu_load(load);
        }
        Ok(Sample {
            at: answer.read_at,
            answer_ms: took.as_millis() as u64,
            uptime_seconds: row.get("uptime").and_then(span_ms).map(|ms| ms / 1_000),
            cpu_load,
            memory_total: number("total-memory"),
            memory_free: number("free-memory"),
            disk_total: number("total-hdd-space"),
            disk_free: number("free-hdd-space"),
            bad_blocks: row.get("bad-blocks").and_then(|text| text.trim_end_matches('%').parse().ok()),
            version_changed: row.get("version") != device.facts.version.as_deref(),
            pace_factor: lane.pace_factor(),
        })
    }

    async fn timed(&self, trial: impl Future<Output = Result<(), Fault>>) -> (Reach, Option<String>) {
        let began = self.shared.clock.mono();
        let result = trial.await;
        Reach::of(result, self.shared.clock.mono().saturating_sub(began))
    }

    async fn try_rest(&self, device: &Device) -> Result<(), Fault> {
        if device.status == Status::Quarantined {
            return self.look_at(device).await;
        }
        let lane = self.lane(device);
        lane.slot.allow_a_try(self.shared.clock.mono());
        lane.slot.drop_connection();
        if let Some(unused) = self.rest_unused(device).await? {
            // Nothing is sent there; what the other way answers still shows in the status.
            let _ = lane.read(Read::fresh(MenuPath::parse("/system/identity")?)).await;
            return Err(unused);
        }
        let identity = Query::new().columns(["name"]);
        let read = Read { path: MenuPath::parse("/system/identity")?, query: identity, max_age: Duration::ZERO };
        match lane.read(read).await?.via {
            Via::Rest => Ok(()),
            // It was answered, but not by REST: the status says what is wrong there.
            Via::Ssh => {
                let why = self.get(&device.id)?.last_error.clone().unwrap_or_else(|| "REST does not answer".into());
                Err(Fault::new(Kind::Unreachable, format!("device \"{}\": {why}", device.name)).hint(REST_HINT))
            }
        }
    }

    /// Why REST is not used for a device, and what stands there now: a certificate that nobody has pinned yet, or nothing. No
    /// credential is sent. `None` for a device that is asked over REST.
    pub(super) async fn rest_unused(&self, device: &Device) -> Result<Option<Fault>, Fault> {
        let has_password = self.shared.credential(device)?.has_password();
        let Some(why) = self.shared.rest_unused(device, has_password) else { return Ok(None) };
        let name = &device.name;
        Ok(Some(match self.present(&device.place()).await {
            Err(fault) => fault::about(name, fault),
            Ok(Presented { rest_error: Some(error), .. }) => {
                let said = format!("device \"{name}\": reads go over SSH alone: {error}");
                Fault::new(Kind::Unreachable, said).hint(format!("{REST_HINT}; then: routeros-mcp device pin {name}"))
            }
            Ok(Presented { tls: Some(tls), .. }) if device.pins.tls.is_none() => {
                let shown = format_fingerprint(&tls.sha256);
                let said = format!("device \"{name}\": REST presents {shown}, which is not pinned, so nothing is sent there");
                let hint = format!("compare that with the router's, then: routeros-mcp device pin {name} --tls-fingerprint {shown}");
                Fault::new(Kind::Untrusted, said).hint(hint)
            }
            Ok(_) => why,
        }))
    }

    /// What a quarantined device presents now; that it does not is worth knowing too.
    async fn look_at(&self, device: &Device) -> Result<(), Fault> {
        if device.plain_http {
            return Ok(self.shared.admits(device)?);
        }
        let settings = &self.shared.settings;
        let place = check_place(&device.place(), settings).await?;
        let shown = probe_tls(&place.address, place.rest_port, settings.routeros.connect_timeout()).await?;
        let pinned = device.pins.tls.map_or_else(|| "nothing".to_owned(), |pin| format_fingerprint(&pin));
        let said = format!(
            "device \"{}\" is quarantined: it presents {}, pinned is {pinned}; no credential was sent",
            device.name,
            format_fingerprint(&shown.sha256)
        );
        let hint = format!("compare with the fingerprint on the router itself, then: routeros-mcp device pin {}", device.name);
        Err(Fault::new(Kind::Untrusted, said).hint(hint))
    }

    async fn try_ssh(&self, device: &Device) -> Result<(), Fault> {
        let place = check_place(&device.place(), &self.shared.settings).await?;
        if device.status == Status::Quarantined {
            return self.compare_host_key(device, &place).await;
        }
        let about = |fault| fault::about(&device.name, fault);
        let credential = self.shared.credential(device)?;
        let password = credential.open(&device.id, &self.shared.seal, &self.shared.settings).await?;
        let login = ssh_login(credential.ssh_key_file.as_deref(), password).await.map_err(about)?;
        let there = Device { address: place.address.clone(), ..device.clone() };
        match self.shared.try_ssh(&there, login).await {
            Some(Ok(())) => Ok(()),
            Some(Err(RouterError::HostKeyChanged { expected, presented, .. })) => {
                Err(self.another_host_key(device, &expected, &presented).await)
            }
            Some(Err(error)) => Err(about(error.into())),
            None => {
                // Whether there is anything to pin at all.
                let limit = self.shared.settings.routeros.connect_timeout();
                let shown = probe_host_key(&place.address, place.ssh_port, limit).await.map_err(|error| about(error.into()))?;
                let said = format!(
                    "device \"{}\": its SSH host key is not pinned, so nothing is sent there; it shows {}",
                    device.name, shown.fingerprint
                );
                let hint = format!(
                    "to use SSH, compare that with the router's, then: routeros-mcp device pin {0}; routeros-mcp device test {0}",
                    device.name
                );
                Err(Fault::new(Kind::Untrusted, said).hint(hint))
            }
        }
    }

    /// Without a login.
    async fn compare_host_key(&self, device: &Device, place: &Place) -> Result<(), Fault> {
        let limit = self.shared.settings.routeros.connect_timeout();
        let shown = probe_host_key(&place.address, place.ssh_port, limit).await?;
        match &device.pins.ssh {
            Some(pinned) if *pinned != shown.fingerprint => Err(self.another_host_key(device, pinned, &shown.fingerprint).await),
            _ => Ok(()),
        }
    }

    async fn another_host_key(&self, device: &Device, pinned: &str, shown: &str) -> Fault {
        let why = format!("it shows the SSH host key {shown}, pinned is {pinned}");
        self.shared.quarantine(&device.id, why.clone()).await;
        FleetError::Quarantined { name: device.name.clone(), why }.into()
    }
}

const REST_HINT: &str =
    "check that www-ssl is enabled on the router with a certificate, its port and allowed addresses, and the firewalls between";

/// What to do about what failed, and what works meanwhile.
fn advice(device: &Device, (rest, rest_hint): &(Reach, Option<String>), (ssh, ssh_hint): &(Reach, Option<String>)) -> Vec<String> {
    let mut advice: Vec<String> = match (rest.ok, ssh.ok) {
        (true, false) if ssh.kind != Some(Kind::Untrusted) || device.pins.ssh.is_none() => {
            let why = "REST works, which is enough; SSH is optional (exports, files, and reads while REST is down)".to_owned();
            [Some(why), ssh_hint.clone()].into_iter().flatten().collect()
        }
        _ => [rest_hint.clone(), ssh_hint.clone()].into_iter().flatten().collect(),
    };
    if !rest.ok && ssh.ok && device.status != Status::Quarantined {
        advice.push(if device.facts.can.ssh && rest.kind == Some(Kind::Untrusted) {
            "SSH works: reads go that way until the certificate is pinned".into()
        } else if device.facts.can.ssh {
            "SSH works: reads go that way until REST is back".into()
        } else {
            format!("SSH works, but was not used so far: routeros-mcp device test {} once REST is back", device.name)
        });
    }
    advice.dedup();
    advice
}
