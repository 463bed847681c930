//! The command line, declared once: help, completions and the man page come from here.

mod alert;
mod device;
mod keep;
mod people;
mod plan;
mod registration;
mod update;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

pub use alert::*;
pub use device::*;
pub use keep::*;
pub use people::*;
pub use plan::*;
pub use registration::*;
pub use update::*;

/// Look after MikroTik routers through MCP: a model proposes, a person approves, the router holds the undo.
#[derive(Debug, Parser)]
#[command(name = "routeros-mcp", version, disable_help_subcommand = true, max_term_width = 100)]
pub struct Cli {
    /// Configuration file (TOML; YAML and JSON by extension).
    #[arg(long, global = true, value_name = "FILE", display_order = 900)]
    pub config: Option<PathBuf>,
    /// State directory: store, audit trail, master key.
    #[arg(long, global = true, value_name = "DIR", display_order = 901)]
    pub data_dir: Option<PathBuf>,
    /// Print JSON, for scripts.
    #[arg(long, global = true, display_order = 902)]
    pub json: bool,
    /// What to do; without it the program speaks MCP on stdin and stdout (or serves, by mcp.transport).
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run as a daemon: HTTP listener, control socket and background work.
    Serve(Serve),
    /// Speak MCP on stdin and stdout; joins a running daemon, or serves alone.
    Stdio,
    /// Bring up a simulated site with the whole appliance on a throw-away store; --data-dir keeps it, never name a real one.
    #[cfg(feature = "sim")]
    Demo(Demo),
    /// Run the start-up checks.
    Check(Check),
    /// Look at the box and the configuration: what is wrong, what is weak, and what to do.
    Doctor,
    /// Ask the running appliance whether it is well; exit code 0 or 1.
    Health,
    /// Show, check or print the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Manage the devices this appliance looks after.
    #[command(subcommand)]
    Device(DeviceCommand),
    /// Let routers register themselves, and take them in.
    #[command(subcommand)]
    Registration(RegistrationCommand),
    /// List, show and call tools as an MCP client would.
    #[command(subcommand)]
    Tool(ToolCommand),
    /// Plan changes, look at them, approve and apply them.
    #[command(subcommand)]
    Plan(PlanCommand),
    /// Manage the people who may approve, and their passwords.
    #[command(subcommand)]
    User(UserCommand),
    /// Print the address at which the first administrator is made, while there is none.
    SetupToken,
    /// Manage the vault of secrets that changes put into routers.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Manage the API tokens of programs that call over HTTP.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Look at alerts, and try where they go.
    #[command(subcommand)]
    Alert(AlertCommand),
    /// Read, export and verify the audit trail.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Look at kept configurations of devices and compare them.
    #[command(subcommand)]
    Snapshot(SnapshotCommand),
    /// Make, check and restore backups of this appliance.
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Change the master key that seals secrets.
    #[command(subcommand)]
    Key(KeyCommand),
    /// Look for newer versions, try one out, switch to it, and go back.
    #[command(subcommand)]
    Update(UpdateCommand),
    /// Print the tool catalogue.
    Catalog {
        /// As a table for the docs instead of JSON.
        #[arg(long)]
        markdown: bool,
    },
    /// Print shell completions.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the man page.
    Man,
    /// Print the version.
    Version,
}

/// `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Write one JSON line to this file descriptor when ready.
    #[arg(long, value_name = "N")]
    pub once_ready_fd: Option<i32>,
}

/// `demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// How many simulated routers.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub devices: u32,
    /// End after the sample call.
    #[arg(long)]
    pub once: bool,
    /// Write one JSON line to this file descriptor when ready.
    #[arg(long, value_name = "N")]
    pub ready_fd: Option<i32>,
    /// Leave the demo's own store closed, so that the next command can open it itself.
    #[arg(long, hide = true)]
    pub sims_only: bool,
}

/// `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Fail on warnings too.
    #[arg(long)]
    pub strict: bool,
    /// Only what needs no network and no bind, on copies.
    #[arg(long)]
    pub preflight: bool,
}

/// `config …`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// The effective configuration, with the source of each value; secrets masked.
    Show,
    /// Check it and say every problem at once.
    Check {
        /// Fail on warnings too.
        #[arg(long)]
        strict: bool,
    },
    /// A commented file with every key and its default.
    Default {
        /// lab, staging or prod.
        #[arg(long, default_value = "lab")]
        environment: String,
    },
}

/// `tool …`.
#[derive(Debug, Subcommand)]
pub enum ToolCommand {
    /// The tools that the local client sees.
    List,
    /// One tool with its whole schemas.
    Show {
        /// As in `tool list`: system.get_overview.
        name: String,
    },
    /// Call a tool and print its result.
    Call {
        /// As in `tool list`: system.get_overview.
        name: String,
        /// All arguments as one JSON object.
        #[arg(long, value_name = "JSON")]
        args: Option<String>,
        /// One argument, KEY=VALUE (JSON values are taken as such); may be given several times.
        #[arg(long = "arg", value_name = "K=V")]
        arg: Vec<String>,
    },
}

/// `audit …`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// The newest records.
    List {
        /// How many.
        #[arg(long, default_value_t = 50)]
        limit: u16,
    },
    /// Everything; the JSON form carries a signed head.
    Export {
        /// json or csv.
        #[arg(long, value_enum, default_value = "json")]
        format: ExportFormat,
        /// From this time on: RFC 3339 or YYYY-MM-DD.
        #[arg(long, value_name = "T")]
        since: Option<String>,
        /// Also what was archived (`retention.audit_days`) and is still here.
        #[arg(long)]
        archives: bool,
        /// Only what is in this archive; needs no appliance.
        #[arg(long, value_name = "FILE", conflicts_with_all = ["since", "archives"])]
        from: Option<std::path::PathBuf>,
    },
    /// Check the hash chain; names the first broken record.
    Verify {
        /// From the oldest archive on that is still beside the trail.
        #[arg(long)]
        archives: bool,
        /// Check these archives instead, each on its own.
        #[arg(value_name = "FILE", conflicts_with = "archives")]
        files: Vec<std::path::PathBuf>,
    },
}

/// `snapshot …`.
#[derive(Debug, Subcommand)]
pub enum SnapshotCommand {
    /// The snapshots of a device, newest first.
    List {
        /// Id or name of the device.
        device: String,
    },
    /// Print a configuration, without its secrets.
    Show {
        /// A snapshot's id; with --device also live, baseline or latest.
        id: String,
        /// Id or name of the device.
        #[arg(long)]
        device: Option<String>,
        /// Only this menu and those below it.
        #[arg(long, value_name = "PATH")]
        menu: Option<String>,
    },
    /// What changed between two configurations of a device.
    Diff {
        /// Id or name of the device.
        device: String,
        /// The earlier one: a snapshot's id, baseline, latest or live.
        #[arg(default_value = "baseline")]
        from: String,
        /// The later one; live asks the router now.
        #[arg(default_value = "live")]
        to: String,
        /// Only this menu and those below it.
        #[arg(long, value_name = "PATH")]
        menu: Option<String>,
    },
    /// Read a device's configuration now and keep it.
    Take {
        /// Id or name of the device.
        device: String,
    },
    /// Measure drift against this snapshot from now on.
    Baseline {
        /// The snapshot's id.
        id: String,
    },
}

/// Format of `audit export`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ExportFormat {
    /// One JSON document: the records, a line each, and the signed head.
    Json,
    /// A header and a line a record.
    Csv,
}
