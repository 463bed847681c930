//! Handles: how a secret goes into a router without passing through a model.
//!
//! `{"secret": "generate"}` and `{"secret": "vault:NAME"}` stand in a plan where a sensitive attribute's value would. They
//! are checked while a plan is drafted and become values when it is applied, and in no other place.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::base::selector::Traits;
use crate::menus;
use crate::routeros::value::Kind;
use crate::store::vault::{Use, Vault};
use serde_json::Value;

/// Where a secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handle {
    /// Made for this one change.
    Generate,
    /// From the vault, by name.
    Vault(String),
}

/// Where a secret goes.
#[derive(Debug, Clone, Copy)]
pub struct Spot<'a> {
    /// In REST spelling: `/ppp/secret`.
    pub menu: &'a str,
    /// The attribute.
    pub attribute: &'a str,
    /// The device.
    pub device: Traits<'a>,
    /// Names this value of this change for good: plan, device, edit and attribute. A change taken up again gives the same.
    pub key: &'a str,
}

impl Handle {
    /// The handle that an edit's value is; nothing for a plain value of an attribute that is no secret.
    ///
    /// Errs with `BadInput` for a secret in the clear, and for a handle where no secret belongs. Script bodies may be given
    /// either way: they are judged as code.
    pub fn of(menu: &str, attribute: &str, value: &Value) -> Result<Option<Handle>, Fault> {
        let secret = menus::is_secret(menu, attribute);
        let Value::Object(members) = value else {
            let empty = value.is_null() || value.as_str().is_some_and(str::is_empty);
            if secret && !empty && !is_script(menu, attribute) {
                return Err(in_the_clear(menu, attribute));
            }
            return Ok(None);
        };
        let wrong = |why: &str| {
            Fault::bad_input(format!("{menu} {attribute}: {why}")).hint(r#"write {"secret": "generate"} or {"secret": "vault:NAME"}"#)
        };
        let word = match (members.len(), members.get("secret").and_then(Value::as_str)) {
            (1, Some(word)) => word,
            _ => return Err(wrong("an object is no value, unless it is a handle of a secret")),
        };
        if !secret {
            let said = format!("{menu} {attribute}: not a secret, so that anybody could read what the handle stands for");
            return Err(Fault::bad_input(said).hint("handles go on sensitive attributes only; menu.describe says which are secret"));
        }
        match (word, word.strip_prefix("vault:")) {
            ("generate", _) => Ok(Some(Handle::Generate)),
            (_, Some(name)) if !name.is_empty() => Ok(Some(Handle::Vault(name.into()))),
            _ => Err(wrong("no such handle")),
        }
    }

    /// Whether it will be there when it is needed: for drafts. Changes nothing.
    ///
    /// Errs with `NotFound` and `Denied` as [`Vault::take`].
    pub fn check(&self, vault: &Vault, spot: &Spot<'_>) -> Result<(), Fault> {
        match self {
            Handle::Generate => Ok(()),
            Handle::Vault(name) => Ok(vault.check(name, spot.menu, &spot.device)?),
        }
    }

    /// The value to write: the one place where a handle becomes a secret.
    pub async fn resolve(&self, vault: &Vault, spot: &Spot<'_>) -> Result<Secret, Fault> {
        if !menus::is_secret(spot.menu, spot.attribute) {
            return Err(Fault::bug(format!("a secret was to go on {} {}", spot.menu, spot.attribute)));
        }
        match self {
            Handle::Generate => {
                let about = Use { device: spot.device.name.into(), menu: spot.menu.into(), attribute: spot.attribute.into() };
                Ok(vault.make(spot.key, about).await?)
            }
            Handle::Vault(name) => Ok(vault.take(name, spot.menu, &spot.device)?),
        }
    }
}

fn is_script(menu: &str, attribute: &str) -> bool {
    match menus::find(menu).and_then(|facts| facts.attr(attribute)) {
        Some(attr) => attr.kind == Kind::Script,
        None => attribute == "source" || attribute.starts_with("on-") || attribute.ends_with("script"),
    }
}

fn in_the_clear(menu: &str, attribute: &str) -> Fault {
    Fault::bad_input(format!("{menu} {attribute}: a secret does not go in as text"))
        .hint(r#"write {"secret": "generate"}, or {"secret": "vault:NAME"} for one that an operator has set"#)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::{Clock, Wall};
    use crate::base::fault;
    use crate::base::tier::Environment;
    use crate::store::vault::Binding;
    use crate::store::{Options, Seal, Store};
    use serde_json::json;

    #[test]
    fn a_secret_goes_in_by_handle_only_and_a_handle_on_secrets_only() {
        let generate = json!({"secret": "generate"});
        for (menu, attribute, value, expected) in [
            ("/ppp/secret", "password", generate.clone(), Ok(Some(Handle::Generate))),
            ("/ppp/secret", "password", json!({"secret": "vault:nas"}), Ok(Some(Handle::Vault("nas".into())))),
            ("/radius", "secret", generate.clone(), Ok(Some(Handle::Generate))),
            ("/no/facts", "auth-key", generate.clone(), Ok(Some(Handle::Generate))),
            ("/ppp/secret", "name", json!("anna"), Ok(None)),
            ("/ppp/secret", "password", Value::Null, Ok(None)),
            ("/ppp/secret", "password", json!(""), Ok(None)),
            ("/system/script", "source", json!(":log info x"), Ok(None)),
            ("/no/facts", "on-event", json!(":log info x"), Ok(None)),
            ("/ppp/secret", "password", json!("hunter2"), Err("does not go in as text")),
            ("/ppp/secret", "password", json!(1234), Err("does not go in as text")),
            ("/no/facts", "auth-key", json!("hunter2"), Err("does not go in as text")),
            ("/ppp/secret", "name", generate.clone(), Err("not a secret")),
            ("/ppp/secret", "comment", json!({"secret": "vault:nas"}), Err("not a secret")),
            ("/ppp/secret", "password", json!({"secret": "vault:"}), Err("no such handle")),
            ("/ppp/secret", "password", json!({"secret": "env:HOME"}), Err("no such handle")),
            ("/ppp/secret", "password", json!({"secret": "generate", "x": 1}), Err("is no value")),
            ("/ppp/secret", "name", json!({"x": 1}), Err("is no value")),
        ] {
            match (Handle::of(menu, attribute, &value), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{menu} {attribute} {value}"),
                (Err(fault), Err(why)) => {
                    assert!(fault.said.contains(why), "{menu} {attribute} {value}: {fault}");
                    assert!(!fault.said.contains("hunter2"), "{fault}");
                }
                (found, _) => panic!("{menu} {attribute} {value}: {found:?}"),
            }
        }
    }

    #[tokio::test]
    async fn handles_become_values_where_they_may() {
        // Not the system's temporary directory: that may be in RAM, where no secret is kept.
        let dir = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
        let store = Store::open(Options::at(dir.path().join("s.redb"))).unwrap();
        let vault = Vault::new(store, Seal::new(&[7; 32]), Clock::by_hand(Wall(0)).0);
        let binding = Binding { menus: vec!["/radius".into()], devices: vec!["edge".parse().unwrap()] };
        vault.set("nas", &Secret::new("radius-7f3a"), binding, "anna").await.unwrap();
        let spot = |menu, attribute, name| Spot {
            menu,
            attribute,
            device: Traits { id: "dev_1", name, environment: Environment::Lab, tags: &[] },
            key: "plan-1/dev_1/0",
        };
        let nas = Handle::Vault("nas".into());
        nas.check(&vault, &spot("/radius", "secret", "edge")).unwrap();
        assert_eq!(nas.resolve(&vault, &spot("/radius", "secret", "edge")).await.unwrap().expose(), "radius-7f3a");
        for (menu, attribute, device) in [("/ppp/secret", "password", "edge"), ("/radius", "secret", "core")] {
            let spot = spot(menu, attribute, device);
            assert_eq!(nas.check(&vault, &spot).unwrap_err().kind, fault::Kind::Denied);
            assert_eq!(nas.resolve(&vault, &spot).await.unwrap_err().kind, fault::Kind::Denied);
        }
        assert_eq!(nas.resolve(&vault, &spot("/radius", "comment", "edge")).await.unwrap_err().kind, fault::Kind::Bug);
        let made = Handle::Generate.resolve(&vault, &spot("/ppp/secret", "password", "edge")).await.unwrap();
        assert_eq!(Handle::Generate.resolve(&vault, &spot("/ppp/secret", "password", "edge")).await.unwrap(), made);
        assert_eq!(vault.made_of("").unwrap()[0].1.about.attribute, "password");
    }
}
