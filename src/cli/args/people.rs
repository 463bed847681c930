//! `user …`, `secret …`, `token …`: who may come in, and what is kept sealed.

use clap::{Args, Subcommand};
use std::path::PathBuf;

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
