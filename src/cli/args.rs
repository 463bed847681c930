//! The command line, declared once: help, completions and the man page come from here.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

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
    /// Show, check or print the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Manage the devices this appliance looks after.
    #[command(subcommand)]
    Device(DeviceCommand),
    /// List, show and call tools as an MCP client would.
    #[command(subcommand)]
    Tool(ToolCommand),
    /// Plan changes, look at them, approve and apply them.
    #[command(subcommand)]
    Plan(PlanCommand),
    /// Manage the people who may approve, and their passwords.
    #[command(subcommand)]
    User(UserCommand),
    /// Manage the vault of secrets that changes put into routers.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Manage the API tokens of programs that call over HTTP.
    #[command(subcommand)]
    Token(TokenCommand),
    /// Read, export and verify the audit trail.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Look at kept configurations of devices and compare them.
    #[command(subcommand)]
    Snapshot(SnapshotCommand),
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
    },
    /// Give our user on the router a new password that nobody sees; the old one ends.
    RotateCredentials {
        /// Id or name.
        id: String,
        /// Only say what would be done.
        #[arg(long)]
        dry_run: bool,
    },
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
#[derive(Debug, Args)]
pub struct Bootstrap {
    /// The RouterOS user to make.
    #[arg(long, value_name = "U", default_value = "mcp")]
    pub username: String,
    /// Also for changes: adds the policy `write`.
    #[arg(long)]
    pub writes: bool,
    /// Only from this address or range: the appliance's own.
    #[arg(long, value_name = "ADDRESS")]
    pub from: Option<String>,
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

/// Where a person's password comes from; never the command line itself. On a terminal it is asked for.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct PersonPassword {
    /// Read it from a file (first line), mode 0600.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Read it from standard input (first line).
    #[arg(long)]
    pub password_stdin: bool,
}

/// `plan …`.
#[derive(Debug, Subcommand)]
pub enum PlanCommand {
    /// Work a change out on its routers and keep it as a plan; changes nothing.
    Create {
        /// The plan object as JSON; - is standard input.
        #[arg(long, value_name = "PLAN.json")]
        file: PathBuf,
    },
    /// The plans there are, newest first.
    List,
    /// One plan with its whole diff, risk and progress.
    Show {
        /// The plan's id.
        id: String,
    },
    /// Approve a plan of somebody else: shows the whole diff and asks to type its digest.
    Approve(PlanApprove),
    /// Say no to a plan; its author reads why.
    Refuse {
        /// The plan's id.
        id: String,
        /// Why.
        #[arg(long, value_name = "R")]
        reason: String,
        /// The local user who refuses.
        #[arg(long, value_name = "U")]
        user: Option<String>,
        /// Where their password comes from.
        #[command(flatten)]
        password: PersonPassword,
    },
    /// Run a plan that is approved, or needs no approval.
    Apply {
        /// The plan's id.
        id: String,
        /// Wait for its end, or until it waits for a confirmation.
        #[arg(long)]
        wait: bool,
    },
    /// Keep what a manual plan changed.
    Confirm {
        /// The plan's id.
        id: String,
        /// The local user who keeps it; the operator unless given.
        #[arg(long, value_name = "U")]
        user: Option<String>,
        /// Where their password comes from.
        #[command(flatten)]
        password: PersonPassword,
    },
    /// Undo a plan that is being applied.
    RollBack {
        /// The plan's id.
        id: String,
        /// Why.
        #[arg(long, value_name = "R")]
        reason: Option<String>,
    },
    /// Take a plan back before it runs, or let it begin no further device.
    Cancel {
        /// The plan's id.
        id: String,
        /// Why.
        #[arg(long, value_name = "R")]
        reason: Option<String>,
    },
}

/// `plan approve`.
#[derive(Debug, Args)]
pub struct PlanApprove {
    /// The plan's id.
    pub id: String,
    /// The short digest of the plan that was looked at.
    #[arg(long, value_name = "SHORT")]
    pub digest: Option<String>,
    /// The local user who approves.
    #[arg(long, value_name = "U")]
    pub user: Option<String>,
    /// Where their password comes from.
    #[command(flatten)]
    pub password: PersonPassword,
    /// Do not ask for the digest: the plan as it is now.
    #[arg(long)]
    pub yes: bool,
}

/// `user …`.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a local user: a person who signs in with a password.
    Add {
        /// Letters, digits, `.`, `_`, `-`, `@`.
        name: String,
        /// read_only, ops_rw, approver or admin.
        #[arg(long, value_name = "R")]
        role: String,
        /// Where the password comes from.
        #[command(flatten)]
        password: PersonPassword,
    },
    /// All local users.
    List,
    /// Give a user another role.
    SetRole {
        /// The user.
        name: String,
        /// read_only, ops_rw, approver or admin.
        #[arg(value_name = "ROLE", required_unless_present = "role_flag")]
        role: Option<String>,
        /// The same as a flag.
        #[arg(long = "role", value_name = "R", id = "role_flag", conflicts_with = "role")]
        role_flag: Option<String>,
    },
    /// Keep a user out.
    Disable {
        /// The user.
        name: String,
    },
    /// Let a disabled user in again.
    Enable {
        /// The user.
        name: String,
    },
    /// Set a user's password; ends a lock-out.
    Password {
        /// The user.
        name: String,
        /// Where the new password comes from.
        #[command(flatten)]
        password: PersonPassword,
    },
    /// Try a user's password, as an approval would; a wrong one counts towards the lock-out.
    Check {
        /// The user.
        name: String,
        /// Where the password comes from.
        #[command(flatten)]
        password: PersonPassword,
    },
    /// Say that an identity is the same person: nobody approves their own plans by another name.
    Link {
        /// The user.
        name: String,
        /// ISSUER|SUBJECT of an OIDC subject, or local|stdio.
        identity: String,
    },
    /// Take an identity away from a person.
    Unlink {
        /// The user.
        name: String,
        /// As `user list --json` shows it.
        identity: String,
    },
}

/// `secret …`.
#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Put a secret into the vault; plans name it {"secret": "vault:NAME"}.
    Set(SecretSet),
    /// The names, and what each is bound to; never the values.
    List,
    /// Forget a secret; routers that have it keep it.
    Remove {
        /// Its name.
        name: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// `secret set`.
#[derive(Debug, Args)]
pub struct SecretSet {
    /// A name of your choice: letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// A RouterOS menu it may go into, with those below it; may be given several times.
    #[arg(long = "menu", value_name = "PATH", required = true)]
    pub menus: Vec<String>,
    /// Devices it may go into: NAME, tag:K=V, env:E or all; may be given several times [default: all].
    #[arg(long = "device", value_name = "SELECTOR")]
    pub devices: Vec<String>,
    /// Read the secret from a file (first line), mode 0600.
    #[arg(long, value_name = "FILE", alias = "password-file", conflicts_with_all = ["value_stdin", "generate"])]
    pub value_file: Option<PathBuf>,
    /// Read the secret from standard input (first line).
    #[arg(long, alias = "password-stdin", conflicts_with = "generate")]
    pub value_stdin: bool,
    /// Make one at random that nobody sees: for secrets that routers share.
    #[arg(long)]
    pub generate: bool,
}

/// `token …`.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token; it is shown once.
    Create(TokenCreate),
    /// All tokens: what each may do, and when it was last used.
    List,
    /// Take a token back, at once and for good.
    Revoke {
        /// Its id, or its name.
        id: String,
    },
}

/// `token create`.
#[derive(Debug, Args)]
pub struct TokenCreate {
    /// A name of your choice.
    #[arg(long, value_name = "N")]
    pub name: String,
    /// read_only, ops_rw, approver, admin, or metrics.
    #[arg(long, value_name = "R")]
    pub role: String,
    /// The local user whose it is: what the token plans, they do not approve.
    #[arg(long, value_name = "USER")]
    pub owner: Option<String>,
    /// How long it is good for, such as 90d [default: until it is revoked].
    #[arg(long, value_name = "SPAN")]
    pub expires: Option<String>,
    /// Devices it is limited to: NAME, tag:K=V, env:E or all; may be given several times [default: all].
    #[arg(long = "device", value_name = "SELECTOR")]
    pub devices: Vec<String>,
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
    },
    /// Check the hash chain; names the first broken record.
    Verify,
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
