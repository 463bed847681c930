//! Safe change: plans that only a person can approve and that the router itself can undo.
//!
//! One file a step, each named for the arrow it makes, none calling the next; [`Engine`] drives:
//! `draft → (approved) → armed → applied → verified → confirmed`, and from armed onwards `→ rolled back`. Drafting and approving
//! change nothing on a router. Each step first *records the intent*, then acts, then records the outcome, so that `recover.rs`
//! can finish or undo whatever a power cut left. Words follow NETCONF's confirmed commit (RFC 6241).
//!
//! | file | holds |
//! |---|---|
//! | `state.rs` | the two enums of a plan's life, and what each may become (pure) |
//! | `edit.rs` | what a caller asks for |
//! | `draft.rs` | what a plan does on one device, worked out from its router as it is now |
//! | `restore.rs` | the edits that take a configuration back to a kept one (pure) |
//! | `record.rs` | what is stored of a plan, of a device in it, and of how far it came |
//! | `inverse.rs` | the script that undoes a change, as the router itself runs it (pure) |
//! | `risk.rs`, `risk/` | how much harm a change can do, and how many have to say yes (pure) |
//! | `lockout/` | whether we could still get in, on the rows as they will be (pure, but for its reader) |
//! | `form.rs` | when two values are the same, and which attributes of a row are its content (pure) |
//! | `config.rs` | limits and times |
//! | `rows.rs` | whether a router's rows are as they were, or as planned (pure) |
//! | `guard.rs` | what a guard on a router looks like (pure) |
//! | `digest.rs`, `approve.rs` | what an approval is about, and whether it lets a plan start (pure) |
//! | `assent.rs` | a person's yes and no |
//! | `direct.rs` | small changes asked for and done in one call |
//! | `view.rs` | a plan as others see it (pure) |
//! | `book.rs` | the records, and how they change |
//! | `hold.rs` | what every plan is worked with, and who changes which device now |
//! | `work.rs` | one device of a plan while it is worked on |
//! | `recheck.rs`, `arm.rs`, `apply.rs`, `verify.rs`, `settle.rs` | the arrows |
//! | `extend.rs` | more time for a person |
//! | `undo.rs` | undoing over REST |
//! | `secrets.rs` | secrets that a change writes |
//! | `drive.rs` | one device from pending to its end |
//! | `job.rs` | a plan's devices in batches |
//! | `gate.rs` | whether the next batch may begin |
//! | `take_back.rs`, `back.rs` | undoing what a halted job had confirmed |
//! | `recover.rs` | what a crash left |
//! | `rotate.rs`, `rotate/` | another password for our own login on a router |
//! | `retire.rs` | our own account on a router, removed when the router is let go |
//! | `sweep.rs` | what ended plans left on routers |
//! | `engine.rs` | [`Engine`]: what it stands on, and starting a plan |
//! | `propose.rs`, `word.rs`, `follow.rs` | its other calls: drafting; keep, undo, leave off; waiting |
//! | `resume.rs` | what the engine does unasked |
//!
//! Source: <https://www.rfc-editor.org/rfc/rfc6241#section-8.4>

mod apply;
pub mod approve;
mod arm;
pub mod assent;
mod back;
mod book;
pub mod config;
pub mod digest;
pub mod direct;
pub mod draft;
mod drive;
pub mod edit;
mod engine;
mod extend;
mod follow;
pub mod form;
mod gate;
pub mod guard;
mod hold;
pub mod inverse;
mod job;
pub mod lockout;
mod propose;
mod recheck;
pub mod record;
mod recover;
pub mod restore;
mod resume;
pub mod retire;
pub mod risk;
mod rotate;
pub mod rows;
pub mod secrets;
mod settle;
pub mod state;
mod sweep;
mod take_back;
mod undo;
mod verify;
pub mod view;
mod word;
mod work;

pub use assent::Voice;
pub use book::Journal;
pub use config::Settings;
pub use direct::{Came, Direct, Wish};
pub use engine::{Ask, Drafter, Engine, Parts};
pub use job::{Tally, tally};
pub use rotate::Rotated;
pub use sweep::{Leftover, Swept};
