//! Who is asking, and may they.

pub mod handle;
pub mod local;
pub mod lockout;
pub mod oidc;
pub mod password;
pub mod person;
pub mod policy;
pub mod principal;
pub mod proof;
pub mod role;
pub mod scope;
pub mod seen;
pub mod session;
pub mod setup;
pub mod switches;
pub mod token;

pub use handle::Handle;
pub use local::{Access, User};
pub use lockout::Lockout;
pub use oidc::Oidc;
pub use person::{Actor, Identity, PersonId};
pub use policy::{Decision, Rules, Target, Verb};
pub use principal::{Client, Limits, Principal};
pub use proof::{Authenticated, FRESH, Proven, is_fresh};
pub use role::Role;
pub use scope::Scope;
pub use session::{Session, Sessions};
pub use switches::Switches;
pub use token::Bearer;
