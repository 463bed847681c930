//! `device …`: routers, their logins and pins.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `device …`.
#[derive(Debug, Subcommand)]
pub enum DeviceCommand {
    /// Add a router: shows its fingerprints, waits for a yes, logs in, probes what it can do.
    Add(Box<DeviceAdd>),
    /// All devices, and whether they answered when last asked.
    List,
    /// What is known of one device; asks no router.
    Show {
        /// Id or name.
        id: String,
    },
    /// Reach the router now and probe it again.
    Test {
        /// Id or name.
        id: String,
    },
    /// Change a device's record or credential.
    Update(Box<DeviceUpdate>),
    /// Forget a device; its audit records stay.
    Remove {
        /// Id or name.
        id: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Stop managing a device but keep its record, and its name taken.
    Decommission {
        /// Id or name.
        id: String,
        /// Remove our account on the router first, where our user may do that.
        #[arg(long)]
        remove_account: bool,
    },
    /// Give our user on the router a new password that nobody sees; the old one ends.
    RotateCredentials {
        /// Id or name.
        id: String,
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
    },
    /// Listen for routers on this machine's networks, and list those not yet managed.
    Discover {
        /// How long to listen, at most 30.
        #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u8).range(0..=30))]
        seconds: u8,
        /// UDP port of MNDP.
        #[arg(long, value_name = "PORT", default_value_t = 5678, value_parser = clap::value_parser!(u16).range(1024..))]
        port: u16,
        /// Those that are managed too.
        #[arg(long)]
        all: bool,
    },
    /// Add the routers of a CSV or JSON list; with any wrong line nothing is done.
    Import(Import),
    /// Print a RouterOS script that makes a least-privilege group and user, and HTTPS for REST.
    Bootstrap(Bootstrap),
    /// Trust new fingerprints after a certificate or host key changed.
    Pin {
        /// Id or name.
        id: String,
        /// What to trust.
        #[command(flatten)]
        pins: Pins,
    },
}

/// `device bootstrap`.
#[derive(Debug, Clone, Args)]
pub struct Bootstrap {
    /// The RouterOS user to make.
    #[arg(long, value_name = "U", default_value = "mcp")]
    pub username: String,
    /// Also for changes: adds the policy `write`.
    #[arg(long)]
    pub writes: bool,
    /// It may change its own password, for `rotate-credentials`: adds the policy `password`.
    #[arg(long)]
    pub rotates: bool,
    /// It may log in over SSH too: adds the policy `ssh`.
    #[arg(long)]
    pub ssh: bool,
    /// Only from this address or range: the appliance's own.
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<String>,
}

/// `device import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The list: CSV with a first line of names, or a JSON array of objects.
    #[arg(long, value_name = "F")]
    pub file: PathBuf,
    /// Check the list alone; ask no router.
    #[arg(long)]
    pub dry_run: bool,
    /// Add none unless all of them work.
    #[arg(long)]
    pub all_or_nothing: bool,
    /// Trust what routers present whose line names no fingerprint.
    #[arg(long)]
    pub trust_first_use: bool,
    /// The RouterOS user of lines that name none.
    #[arg(long, value_name = "U")]
    pub username: Option<String>,
    /// The password of lines that have none.
    #[command(flatten)]
    pub password: Password,
}

/// Expected fingerprints.
#[derive(Debug, Args)]
pub struct Pins {
    /// The TLS certificate's SHA-256: sha256:HEX.
    #[arg(long, value_name = "sha256:HEX")]
    pub tls_fingerprint: Option<String>,
    /// The SSH host key's: SHA256:BASE64.
    #[arg(long, value_name = "SHA256:BASE64")]
    pub ssh_fingerprint: Option<String>,
    /// Trust what is presented now, without asking.
    #[arg(long)]
    pub yes: bool,
}

/// Where a password comes from; never the command line itself.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct Password {
    /// Read it from a file (first line).
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Read it from standard input (first line).
    #[arg(long)]
    pub password_stdin: bool,
    /// Keep a reference and read it at each use: file:PATH or credential:NAME.
    #[arg(long, value_name = "REF")]
    pub password_ref: Option<String>,
}

/// `device add`.
#[derive(Debug, Args)]
pub struct DeviceAdd {
    /// A name of your choice: letters, digits, `.`, `_`, `-`.
    #[arg(long)]
    pub name: Option<String>,
    /// Host name or address.
    #[arg(long, value_name = "HOST")]
    pub address: Option<String>,
    /// Port of www-ssl [default: 443, or 80 with --plain-http].
    #[arg(long, value_name = "PORT")]
    pub rest_port: Option<u16>,
    /// Port of SSH [default: routeros.ssh_port, 22].
    #[arg(long, value_name = "PORT")]
    pub ssh_port: Option<u16>,
    /// Speak HTTP without TLS: reads only, refused in prod.
    #[arg(long)]
    pub plain_http: bool,
    /// The RouterOS user.
    #[arg(long, value_name = "U")]
    pub username: Option<String>,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: Password,
    /// Private key for SSH; needs no password beside it where REST is off.
    #[arg(long, value_name = "FILE")]
    pub ssh_key_file: Option<PathBuf>,
    /// lab, staging or prod; must be the appliance's own, which is the default.
    #[arg(long)]
    pub environment: Option<String>,
    /// A tag, KEY=VALUE; may be given several times.
    #[arg(long = "tag", value_name = "K=V")]
    pub tags: Vec<String>,
    /// What may be changed there: writes, professional, firewall, routing, wireless, dhcp, bridge, bandwidth_test, system.
    #[arg(long = "capability", value_name = "NAME")]
    pub capabilities: Vec<String>,
    /// What to trust.
    #[command(flatten)]
    pub pins: Pins,
}

/// `device update`.
#[derive(Debug, Args)]
pub struct DeviceUpdate {
    /// Id or name.
    pub id: String,
    /// A new name.
    #[arg(long)]
    pub name: Option<String>,
    /// The appliance's own environment; a device cannot be moved to another.
    #[arg(long, value_name = "E")]
    pub environment: Option<String>,
    /// Host name or address.
    #[arg(long, value_name = "HOST")]
    pub address: Option<String>,
    /// Port of www-ssl.
    #[arg(long, value_name = "PORT")]
    pub rest_port: Option<u16>,
    /// Port of SSH.
    #[arg(long, value_name = "PORT")]
    pub ssh_port: Option<u16>,
    /// The RouterOS user.
    #[arg(long, value_name = "U")]
    pub username: Option<String>,
    /// Where the password comes from.
    #[command(flatten)]
    pub password: Password,
    /// Replaces all tags.
    #[arg(long = "tag", value_name = "K=V")]
    pub tags: Option<Vec<String>>,
    /// Replaces all capabilities; `none` takes all away.
    #[arg(long = "capability", value_name = "NAME")]
    pub capabilities: Option<Vec<String>>,
    /// With a new address: its TLS certificate's SHA-256 there, sha256:HEX.
    #[arg(long, value_name = "sha256:HEX")]
    pub tls_fingerprint: Option<String>,
    /// With a new address: its SSH host key there, SHA256:BASE64.
    #[arg(long, value_name = "SHA256:BASE64")]
    pub ssh_fingerprint: Option<String>,
}
