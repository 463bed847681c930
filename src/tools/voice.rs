//! Who says yes or no: a local user who proves it within the call, a person who proved it when they signed in, or the
//! operator at the command line.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::plan::Voice;
use crate::tools::context::Cx;

/// The person of that name and password; without a name, the caller, with what they proved.
pub async fn of(cx: &Cx, user: Option<String>, password: Option<Secret>) -> Result<Voice, Fault> {
    match (user, password) {
        (Some(user), Some(password)) => Ok(Voice::of(&cx.world.access.authenticate(&user, password).await?)),
        (Some(_), None) => Err(Fault::bad_input("password is missing").hint("--password-file FILE, or run this on a terminal to be asked")),
        (None, Some(_)) => Err(Fault::bad_input("user is missing: whose password is it").hint("--user NAME")),
        (None, None) => match &cx.proven {
            Some(proven) => Ok(Voice { actor: proven.actor.clone(), role: proven.role, proven_at: Some(proven.at) }),
            None => Ok(Voice { actor: cx.world.access.actor(&cx.principal)?, role: cx.principal.role, proven_at: None }),
        },
    }
}
