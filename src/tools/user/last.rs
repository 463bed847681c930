//! The last administrator stays one.

use crate::access::local::User;
use crate::access::person::Identity;
use crate::access::role::Role;
use crate::base::fault::{Fault, Kind};
use crate::tools::context::Cx;

/// Refuses to let people take away from themselves what no other local user would have then. The command line may: whoever
/// is there can make another one.
pub(super) fn stays(cx: &Cx, name: &str) -> Result<(), Fault> {
    if Identity::of(&cx.principal) != Identity::of_user(name) {
        return Ok(());
    }
    let own = Identity::of_user(name);
    let is_other = |user: &User| !user.disabled && user.role == Role::Admin && Identity::of_user(&user.name) != own;
    if cx.world.access.users()?.iter().any(is_other) {
        return Ok(());
    }
    let said = format!("\"{name}\" is the last administrator who signs in with a password, and would be none then");
    Err(Fault::new(Kind::Conflict, said).hint("make another administrator first, or use the command line on the box"))
}
