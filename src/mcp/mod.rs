//! MCP's words to ours and back.
//!
//! rmcp owns the protocol (versions, framing of results, cancellation); [`handler`] turns its requests into calls of
//! the spine. In front of it stands our own [`front`] (rust crates leave that to their user): it reads standard input
//! in bounded memory, answers broken messages, and carries a session over to another server when the one behind it
//! goes away.

pub mod backend;
mod batch;
pub mod book;
pub mod caller;
mod capabilities;
pub mod completion;
pub mod counted;
pub mod export;
pub mod fault;
pub mod front;
pub mod handler;
pub mod lines;
pub mod message;
mod methods;
pub mod news;
pub mod outbox;
pub mod progress;
pub mod prompts;
pub mod provider;
pub mod resources;
pub mod session;
pub mod settings;
pub mod stdio;
pub mod subscriptions;
pub mod tools;
pub mod uri;

pub use provider::{Appliance, Provider};
pub use session::serve;
pub use settings::Settings;
