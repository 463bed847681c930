//! `registration …`: routers that say who they are, for a person to take in.

use crate::cli::args::Bootstrap;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `registration …`.
#[derive(Debug, Subcommand)]
pub enum RegistrationCommand {
    /// Print the script with which a router registers itself; it is shown once and good for an hour.
    Create(RegistrationCreate),
    /// All registrations: which wait for their router, and which for a person.
    List,
    /// Take in the lines that the script printed on a router that may not send them itself.
    Paste {
        /// The registration's id.
        id: String,
        /// Read the lines from a file; from standard input unless given.
        #[arg(long, value_name = "FILE")]
        report_file: Option<PathBuf>,
    },
    /// Take a router in that registered itself: shows the reported fingerprint and waits for a yes.
    Accept(RegistrationAccept),
    /// End a registration: a report that comes later is refused.
    Revoke {
        /// The registration's id.
        id: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// `registration create`.
#[derive(Debug, Args)]
pub struct RegistrationCreate {
    /// What the device is to be called.
    #[arg(long, value_name = "N")]
    pub name: String,
    /// Where the router reaches us, https://HOST:PORT [default: http.public_url].
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// The user that the script makes.
    #[command(flatten)]
    pub user: Bootstrap,
}

/// `registration accept`.
#[derive(Debug, Args)]
pub struct RegistrationAccept {
    /// The registration's id.
    pub id: String,
    /// The certificate as the router's own terminal shows it.
    #[arg(long, value_name = "sha256:HEX")]
    pub tls_fingerprint: Option<String>,
    /// Where the router is reached [default: where the report came from].
    #[arg(long, value_name = "HOST")]
    pub address: Option<String>,
    /// A tag KEY=VALUE; may be given several times.
    #[arg(long = "tag", value_name = "K=V")]
    pub tags: Vec<String>,
    /// What we may do beyond reading; may be given several times.
    #[arg(long = "capability", value_name = "NAME")]
    pub capabilities: Vec<String>,
}
