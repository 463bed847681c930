//! The one request that changes a password, and fresh logins that say which one the router has.

use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::base::secret::Secret;
use crate::fleet::{Ask, Device, Fresh, Write};
use crate::plan::hold::Core;
use crate::plan::rotate::check::How;
use crate::plan::secrets::scrubbed;
use crate::routeros::{MenuPath, Query};
use crate::store::vault;
use std::time::Duration;

/// The longest password made: routers that ask for more than that get what they ask for refused.
const LONGEST: usize = 128;
/// A router that was just changed may need a moment: this often, with this pause.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_secs(3);

/// What a fresh login came to.
#[derive(Debug)]
pub(super) enum Login {
    /// It is let in, and answered, on every service in use.
    In,
    /// REST refuses it.
    Refused(Fault),
    /// REST takes it and another service does not.
    Partly(Fault),
    /// Nobody can say: no answer, or not a router's.
    Silent(Fault),
}

/// A new password: letters, digits and dashes in groups of eight. Of every kind that routers may ask for, and nothing that needs
/// quotes anywhere.
pub(super) fn made(shortest: usize) -> Secret {
    let wanted = shortest.clamp(24, LONGEST);
    loop {
        let mut letters = zeroize::Zeroizing::new(String::with_capacity(wanted + 32));
        while letters.len() < wanted {
            letters.push_str(vault::generate().expose());
        }
        let kinds: [fn(&u8) -> bool; 3] = [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit];
        if kinds.iter().any(|kind| !letters.bytes().any(|byte| kind(&byte))) {
            continue;
        }
        let mut text = zeroize::Zeroizing::new(String::with_capacity(letters.len() * 2));
        for (n, letter) in letters.chars().take(wanted).enumerate() {
            if n > 0 && n % 8 == 0 {
                text.push('-');
            }
            text.push(letter);
        }
        return Secret::new(text.as_str());
    }
}

/// Asks the router to take `new` instead of `old`, logged in with `login`. Its answer is no proof of anything.
pub(super) async fn set(core: &Core, device: &Device, how: &How, old: &Secret, new: &Secret) -> Result<(), Fault> {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let write = match how {
        How::Own => Write::Command {
            path: MenuPath::root(),
            command: "password".into(),
            args: vec![pair("old-password", old.expose()), pair("new-password", new.expose()), pair("confirm-new-password", new.expose())],
        },
        How::Row(id) => Write::Set { path: MenuPath::parse("/user")?, id: Some(id.clone()), values: vec![pair("password", new.expose())] },
    };
    let fresh = core.fleet.fresh_as(&device.id, old).await?;
    let asked = fresh.over_rest(Ask::Write(write)).await;
    asked.map(drop).map_err(|fault| scrubbed(fault, &[old, new]))
}

/// Logs in with a password over new connections, on every service in use; silence is worth more than one try, a refusal is not.
pub(super) async fn log_in(core: &Core, id: &DeviceId, password: &Secret) -> Login {
    let mut tries = 1;
    loop {
        let login = knock(core, id, password).await;
        let again = match &login {
            Login::In | Login::Refused(_) => false,
            // Routers take a moment until all their services know.
            Login::Partly(_) | Login::Silent(_) => tries < TRIES && !core.stop.is_cancelled(),
        };
        if !again {
            return login;
        }
        tries += 1;
        core.clock.sleep(PAUSE).await;
    }
}

/// Logs in over REST alone, once.
pub(super) async fn log_in_once(core: &Core, id: &DeviceId, password: &Secret) -> Login {
    match rest(core, id, password).await {
        Ok(_) => Login::In,
        Err(login) => login,
    }
}

async fn knock(core: &Core, id: &DeviceId, password: &Secret) -> Login {
    let fresh = match rest(core, id, password).await {
        Ok(fresh) => fresh,
        Err(login) => return login,
    };
    match fresh.knock_over_ssh().await {
        None | Some(Ok(())) => Login::In,
        Some(Err(fault)) => Login::Partly(Fault { said: format!("over SSH: {}", fault.said), ..fault }),
    }
}

async fn rest(core: &Core, id: &DeviceId, password: &Secret) -> Result<Fresh, Login> {
    let tried = async {
        let fresh = core.fleet.fresh_as(id, password).await?;
        fresh.rows(MenuPath::parse("/system/identity")?, Query::new()).await?;
        Ok::<_, Fault>(fresh)
    };
    tried.await.map_err(|fault| if fault.kind == Kind::RouterDenied { Login::Refused(fault) } else { Login::Silent(fault) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_password_has_every_kind_of_character_and_nothing_that_needs_quotes() {
        for shortest in [0, 24, 40, 1_000] {
            let made = made(shortest);
            let text = made.expose();
            assert!(text.len() >= shortest.clamp(24, LONGEST), "{}", text.len());
            assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
            let kinds: [fn(&u8) -> bool; 4] =
                [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit, |byte| !byte.is_ascii_alphanumeric()];
            assert!(kinds.iter().all(|kind| text.bytes().any(|byte| kind(&byte))));
        }
        assert_ne!(made(0), made(0));
    }

    #[test]
    fn what_a_router_says_back_of_a_password_is_not_said_on() {
        let (old, new) = (Secret::new("old-one"), Secret::new("new-one"));
        let fault = scrubbed(Fault::new(Kind::Rejected, "failure: new-one is not old-one"), &[&old, &new]);
        assert_eq!(fault.said, "failure: ••• is not •••");
    }
}
