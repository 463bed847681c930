//! The local socket: how other processes of this machine reach the one that holds the store.
//!
//! Whoever holds the store serves `<runtime dir>/control.sock` (mode 0660). Each connection begins with one JSON line
//! that says what it wants, and is one of these:
//! - `{"open":"mcp","version":1,"client":{…}}`: after `{"ok":true,…}` an MCP byte stream, for bridges;
//! - `{"open":"call","version":1,"tool":…,"arguments":{…},"audience":"operator"|"model"}`: one call; lines
//!   `{"progress":{…}}`, then `{"result":{…},"kind":null|"…"}`;
//! - `{"open":"op","version":1,"op":…,"arguments":{…}}`: a local operation by name; then `{"result":…}`;
//! - `{"open":"hello","version":1}`: who holds the store.
//!
//! A refusal is `{"error":{"kind","message","hint"}}`. Trust: root and our own user may do everything; members of
//! group `routeros-mcp` may open MCP streams; the kernel says who they are (SO_PEERCRED).

pub mod client;
pub mod fault;
pub mod peer;
pub mod server;
pub mod socket;
pub mod wire;

pub use fault::ControlError;
pub use server::{Handles, Ops, Rules, serve};
pub use wire::Speaker;
