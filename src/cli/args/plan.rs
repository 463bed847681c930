//! `plan …`: changes, and persons' words on them.

use super::people::PersonPassword;
use clap::{Args, Subcommand};
use std::path::PathBuf;

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
    /// Show a secret that was generated for a plan, once.
    Reveal {
        /// The plan's id.
        id: String,
        /// Which one, as `plan show` names it.
        secret: String,
        /// The local user who looks.
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
        /// The local user who keeps it; needed where the risk is high.
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
