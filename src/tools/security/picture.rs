//! What an audit knows of a router: menus as read, absent or missing, and our record of it.

use crate::base::fault::{Fault, Kind};
use crate::routeros::query::Query;
use crate::routeros::row::Row;
use crate::routeros::value;
use crate::tools::diagnose::tables::{Held, may_be_missing};
use crate::tools::router::{FRESH, Router};
use std::collections::BTreeMap;

/// A menu, as far as it could be read.
#[derive(Debug)]
pub(super) enum Menu {
    /// Its rows.
    Rows(Vec<Row>),
    /// Not read, and why.
    Missing(String),
}

/// Everything the checks look at.
#[derive(Debug, Default)]
pub(super) struct Picture {
    /// The device's name.
    pub device: String,
    /// Who we are there.
    pub username: String,
    /// We reach it without TLS.
    pub plain_http: bool,
    /// The port our own requests go to.
    pub own_port: u16,
    /// As probed.
    pub version: Option<String>,
    /// RouterOS suspects tampering.
    pub flagged: bool,
    /// What our user may do.
    pub policies: Vec<String>,
    /// Now, for certificates.
    pub now: chrono::NaiveDateTime,
    /// Menus by path.
    pub menus: BTreeMap<&'static str, Menu>,
    /// IPv4 tables.
    pub v4: Held,
    /// IPv6 tables; none where IPv6 has no address but link-local ones.
    pub v6: Option<Held>,
}

/// Menus of one or a few rows each; the firewall comes on top. Read whole: which attributes there are differs by version.
pub(super) const MENUS: &[&str] = &[
    "/ip/service",
    "/user",
    "/ip/dns",
    "/ip/ssh",
    "/snmp",
    "/ip/socks",
    "/ip/proxy",
    "/ip/upnp",
    "/ip/cloud",
    "/ip/neighbor/discovery-settings",
    "/tool/mac-server",
    "/tool/mac-server/mac-winbox",
    "/tool/bandwidth-server",
    "/tool/romon",
    "/system/logging/action",
];

/// Features a router in device-mode `home` refuses: nothing to ask there.
const NOT_AT_HOME: &[&str] = &["/ip/socks", "/ip/proxy", "/tool/romon"];

/// Names of SNMP communities that everybody tries first.
const WELL_KNOWN: &[&str] = &["public", "private"];

impl Picture {
    /// Reads a router: about 20 requests, up to 27 where it has much to show. RouterOS answers one menu a request and has no one
    /// place that holds all of this, so the number of menus is the least there can be; they are asked for side by side, as
    /// far as the device's lane lets them, and what was read a moment ago is not asked for again.
    pub async fn read(router: &Router<'_>, now: chrono::NaiveDateTime) -> Result<Picture, Fault> {
        let device = &router.device;
        let mut picture = Picture {
            device: device.name.clone(),
            username: device.username.clone(),
            plain_http: device.plain_http,
            own_port: device.rest_port,
            version: device.facts.version.clone(),
            flagged: device.facts.flagged,
            policies: device.facts.policies.clone().unwrap_or_default(),
            now,
            ..Picture::default()
        };
        let home = device.facts.device_mode.as_deref() == Some("home");
        let wanted = MENUS.iter().filter(|path| !(home && NOT_AT_HOME.contains(path)));
        let singles = futures_util::future::join_all(wanted.map(async |path| (*path, menu(router, path).await)));
        let (v4, read) = futures_util::join!(Held::read_input(router, false, None), singles);
        picture.v4 = v4?;
        for (path, read) in read {
            picture.menus.insert(path, read?);
        }
        if home {
            let refused = |path: &&'static str| (*path, Menu::Rows(Vec::new()));
            picture.menus.extend(NOT_AT_HOME.iter().map(refused));
        }
        let (snmp, certificates) = (picture.is_on("/snmp", "enabled") == Some(true), picture.certificates().next().is_some());
        let communities = async { if snmp { communities(router).await.map(Some) } else { Ok(None) } };
        let shown = async { if certificates { menu(router, "/certificate").await.map(Some) } else { Ok(None) } };
        let (communities, shown, v6) = futures_util::try_join!(communities, shown, six(router, &picture.v4))?;
        picture.menus.extend(communities.map(|menu| ("/snmp/community", menu)));
        picture.menus.extend(shown.map(|menu| ("/certificate", menu)));
        picture.v6 = v6;
        Ok(picture)
    }

    /// A menu's rows, if they could be read.
    pub fn rows(&self, path: &str) -> Option<&[Row]> {
        match self.menus.get(path)? {
            Menu::Rows(rows) => Some(rows),
            Menu::Missing(_) => None,
        }
    }

    /// A menu without rows of its own.
    pub fn single(&self, path: &str) -> Option<&Row> {
        self.rows(path)?.first()
    }

    /// A flag of such a menu.
    pub fn is_on(&self, path: &str, name: &str) -> Option<bool> {
        value::flag(self.single(path)?.get(name)?)
    }

    /// Services that are on, without the connections listed among them.
    pub fn services(&self) -> impl Iterator<Item = &Row> {
        let on = |row: &&Row| {
            let is = |name: &str| row.get(name).and_then(value::flag) == Some(true);
            !is("disabled") && !is("connection") && !is("dynamic") && !is("invalid")
        };
        self.rows("/ip/service").unwrap_or_default().iter().filter(on)
    }

    /// Names of certificates that services show.
    pub fn certificates(&self) -> impl Iterator<Item = (&Row, &str)> {
        let named = |row| Row::get(row, "certificate").filter(|name| !matches!(*name, "" | "none"));
        self.services().filter_map(move |row| Some((row, named(row)?)))
    }
}

/// One menu; a reason where it could not be read. A router that is away is no reason but an error.
async fn menu(router: &Router<'_>, path: &str) -> Result<Menu, Fault> {
    match router.all(path, FRESH).await {
        Ok(seen) => Ok(Menu::Rows(seen.shown())),
        Err(fault) => missing(path, fault).map(Menu::Missing),
    }
}

fn missing(path: &str, fault: Fault) -> Result<String, Fault> {
    match fault.kind {
        Kind::NotFound => Ok(format!("this router has no {path}")),
        Kind::RouterDenied | Kind::Denied => Ok(format!("our user may not read {path}")),
        Kind::Rejected => Ok(format!("the router refused to show {path}")),
        _ => Err(fault),
    }
}

/// Communities are secrets; only that one has a name everybody tries is told.
async fn communities(router: &Router<'_>) -> Result<Menu, Fault> {
    let seen = match router.all("/snmp/community", FRESH).await {
        Ok(seen) => seen,
        Err(fault) => return missing("/snmp/community", fault).map(Menu::Missing),
    };
    let known = seen.iter().filter(|row| row.is_one_of("name", WELL_KNOWN));
    let shown = known.map(|row| {
        let keep = ["addresses", "disabled", "default", "read-access", "write-access", "security"];
        let kept = keep.iter().filter_map(|name| Some((*name, row.text(name)?)));
        let word = WELL_KNOWN.iter().find(|word| row.is_one_of("name", std::slice::from_ref(*word))).copied().unwrap_or_default();
        Row::from_pairs(kept.chain([("name", word)]))
    });
    Ok(Menu::Rows(shown.collect()))
}

/// IPv6 tables, where the router has an address that can be reached from elsewhere.
async fn six(router: &Router<'_>, v4: &Held) -> Result<Option<Held>, Fault> {
    let Some(addresses) = may_be_missing(router, "/ipv6/address", Query::new()).await? else {
        return Ok(None);
    };
    let global = |row: &Row| {
        let is = |name: &str| row.get(name).and_then(value::flag) == Some(true);
        let text = row.get("address").unwrap_or_default().to_lowercase();
        !is("disabled") && !is("invalid") && !text.starts_with("fe80") && !text.starts_with("::1/")
    };
    if addresses.iter().any(global) { Held::read_input(router, true, Some(v4)).await.map(Some) } else { Ok(None) }
}
