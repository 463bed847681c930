//! Notifications: what somebody has to know who is not looking at a page.
//!
//! Whoever knows of something says so in one line ([`Alerts::raise`], [`Alerts::end`], [`Alerts::happened`]): that takes a lock and
//! nothing else, and cannot fail. One task decides what of it is told, and when; another one a channel carries it out. Nobody who
//! raises waits for a disk or a network.
//!
//! | file | holds |
//! |---|---|
//! | `kind.rs` | what there is to tell, how bad it is, and in which words |
//! | `life.rs` | one alert: how long it must hold, when it is told again (pure) |
//! | `board.rs` | all of them: what is told now, and many of one kind as one message (pure) |
//! | `message.rs` | what is told, and the JSON of it |
//! | `usage.rs` | who does far more than usual (pure) |
//! | `record.rs` | what is stored: alerts that were told, those that are over, messages on their way |
//! | `queue.rs` | messages on their way, kept over a restart |
//! | `channel.rs`, `webhook.rs`, `syslog/` | where they go |
//! | `deliver.rs` | carrying them there, again and later where need be |
//! | `hub.rs` | [`Alerts`]: where everything is raised, and from where it is told |
//! | `show.rs`, `secret.rs` | what others see of it; what signs messages |

mod board;
mod channel;
mod deliver;
mod hub;
pub mod kind;
pub mod life;
pub mod message;
mod queue;
mod record;
mod secret;
mod show;
pub mod syslog;
mod usage;
pub mod webhook;

pub use board::{Now, Standing, View};
pub use channel::{Failure, Tried};
pub use hub::{Alerts, Parts, Settings, low_disk};
pub use kind::{Kind, Rule, Severity};
pub use message::{Message, Status, Subject, What};
pub use secret::SEALED;
pub use show::ChannelView;
