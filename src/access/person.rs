//! Persons: one human being, however they come in.
//!
//! A person has a local user, and any number of identities beside it: an OIDC subject, a token, the local stdio client.
//! *Not the author* means the person: who writes a plan through a token and approves it with a password is still one.
//! An identity belongs to one person at most. Those that nobody linked stand for themselves.

use crate::access::local::{Access, User};
use crate::access::principal::Principal;
use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::{hex, random};
use crate::store::{Durability, Record, Table};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Who vouches for subjects of this machine: the command line, stdio, local users.
pub const LOCAL: &str = "local";
/// What ids of persons start with.
const PERSON: &str = "per_";
/// What the subjects of local users start with: `local|user:anna`.
const USER: &str = "user:";
/// The longest identity, bytes; issuers are URLs, subjects have at most 255 characters.
const IDENTITY_MAX: usize = 1_024;

/// A person: `per_` and 12 hexadecimal digits. Never re-used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PersonId(pub String);

impl PersonId {
    pub(super) fn random() -> Self {
        PersonId(format!("{PERSON}{}", hex(&random::<6>())))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text is the id of a person, and no identity.
    pub fn is_one(text: &str) -> bool {
        text.starts_with(PERSON) && !text.contains('|')
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who vouches, and for whom: `https://login.example|00u1`, `local|stdio`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// `local`, or an issuer URL.
    pub issuer: String,
    /// The subject in the issuer's book.
    pub subject: String,
}

impl Identity {
    /// A local user's own.
    pub fn of_user(name: &str) -> Self {
        Identity { issuer: LOCAL.into(), subject: format!("{USER}{}", name.to_ascii_lowercase()) }
    }

    /// The caller's.
    pub fn of(principal: &Principal) -> Self {
        Identity { issuer: principal.issuer.clone(), subject: principal.subject.clone() }
    }

    /// The name in a local user's own identity.
    fn user(&self) -> Option<&str> {
        self.subject.strip_prefix(USER).filter(|_| self.issuer == LOCAL)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}|{}", self.issuer, self.subject)
    }
}

impl FromStr for Identity {
    type Err = Fault;

    /// `ISSUER|SUBJECT`. The first bar parts them: issuers have none, subjects may (`auth0|5f7c`).
    fn from_str(text: &str) -> Result<Self, Fault> {
        let wrong = |why: &str| Fault::bad_input(format!("an identity {why}")).hint("write ISSUER|SUBJECT, such as local|stdio");
        if text.len() > IDENTITY_MAX || text.chars().any(char::is_control) {
            return Err(wrong("has at most 1024 bytes and no control characters"));
        }
        match text.split_once('|') {
            Some((issuer, subject)) if !issuer.is_empty() && !subject.is_empty() => {
                Ok(Identity { issuer: issuer.into(), subject: subject.into() })
            }
            _ => Err(wrong("is an issuer and a subject, with a bar between them")),
        }
    }
}

/// Whose an identity is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Link {
    person: PersonId,
    linked_at: Wall,
}

impl Record for Link {
    const TABLE: &'static str = "identity";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Link);

/// Who did something, as a record keeps it: the identity used, and the person behind it as known then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// What they came in with.
    pub identity: Identity,
    /// Whose it was.
    pub person: Option<PersonId>,
    /// For people to read.
    pub name: String,
}

impl Access {
    /// Whose identity this is; nothing when nobody's.
    pub fn person(&self, identity: &Identity) -> Result<Option<PersonId>, Fault> {
        if let Some(name) = identity.user() {
            return Ok(self.find(name)?.map(|user| user.person));
        }
        Ok(self.links().get(&identity.to_string())?.map(|link| link.person))
    }

    /// Whether the identity is of a local user's person who is kept out.
    pub fn is_disabled(&self, identity: &Identity) -> Result<bool, Fault> {
        if let Some(user) = self.user_of(identity)? {
            return Ok(user.disabled);
        }
        let Some(person) = self.person(identity)? else { return Ok(false) };
        Ok(self.users()?.iter().any(|user| user.person == person && user.disabled))
    }

    /// The local user whose own identity this is.
    pub fn user_of(&self, identity: &Identity) -> Result<Option<User>, Fault> {
        identity.user().map_or(Ok(None), |name| self.find(name))
    }

    /// The local user of the person whose identity this is.
    pub fn user_behind(&self, identity: &Identity) -> Result<Option<User>, Fault> {
        let Some(person) = self.person(identity)? else { return Ok(None) };
        Ok(self.users()?.into_iter().find(|user| user.person == person))
    }

    /// Whose caller this is, for a record.
    pub fn actor(&self, principal: &Principal) -> Result<Actor, Fault> {
        let identity = Identity::of(principal);
        Ok(Actor { person: self.person(&identity)?, identity, name: principal.name.clone() })
    }

    /// Whether the two are one person. Links made or undone since a record was written only add to what makes them one: who
    /// unlinks a token does not become somebody else.
    pub fn is_same(&self, one: &Actor, other: &Actor) -> Result<bool, Fault> {
        if one.identity == other.identity {
            return Ok(true);
        }
        let known = |actor: &Actor| Ok::<_, Fault>([actor.person.clone(), self.person(&actor.identity)?]);
        let (ones, others) = (known(one)?, known(other)?);
        Ok(ones.iter().flatten().any(|person| others.iter().flatten().any(|other| other == person)))
    }

    /// The identities linked to a person beside the local user, as text.
    pub fn identities(&self, person: &PersonId) -> Result<Vec<String>, Fault> {
        let all = self.links().all()?;
        Ok(all.into_iter().filter(|(_, link)| link.person == *person).map(|(identity, _)| identity).collect())
    }

    /// Gives an identity to the person of a local user. Linking twice is fine.
    ///
    /// Errs with `Conflict` when it is somebody else's, `BadInput` for what stands for no person.
    pub async fn link(&self, user: &str, identity: &Identity) -> Result<User, Fault> {
        let user = self.user(user)?;
        if identity.user().is_some() {
            return Err(Fault::bad_input(format!("{identity} is a local user, who is a person already")));
        }
        if *identity == Identity::of(&Principal::background()) {
            return Err(Fault::bad_input(format!("{identity} is the appliance itself, and no person")));
        }
        let (links, key) = (self.links(), identity.to_string());
        match links.get(&key)? {
            Some(link) if link.person == user.person => return Ok(user),
            Some(link) => {
                let whose = self.users()?.into_iter().find(|user| user.person == link.person).map(|user| user.name);
                let said = format!("{identity} is linked to user \"{}\"", whose.as_deref().unwrap_or("(unknown)"));
                return Err(Fault::new(Kind::Conflict, said).hint("an identity belongs to one person: unlink it there first"));
            }
            None => {}
        }
        let link = Link { person: user.person.clone(), linked_at: self.now() };
        let batch = links.expect_into(links.put_batch(&link, &key), &key, None);
        links.store().commit(batch, Durability::Now).await?;
        Ok(user)
    }

    /// Takes an identity away from the person of a local user. Errs with `NotFound` when it is not theirs.
    pub async fn unlink(&self, user: &str, identity: &Identity) -> Result<User, Fault> {
        let user = self.user(user)?;
        let (links, key) = (self.links(), identity.to_string());
        match links.get(&key)? {
            Some(link) if link.person == user.person => links.delete(&key).await?,
            _ => {
                return Err(Fault::not_found(format!("{identity} is not linked to user \"{}\"", user.name))
                    .hint("`user list --json` shows the identities of each"));
            }
        }
        Ok(user)
    }

    fn links(&self) -> Table<Link> {
        Table::new(self.store().clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::local::tests::{access, good_password};
    use crate::access::role::Role;

    fn identity(text: &str) -> Identity {
        text.parse().unwrap()
    }

    #[test]
    fn identities_are_an_issuer_and_a_subject_parted_by_the_first_bar() {
        for (text, subject) in [("local|stdio", "stdio"), ("https://a.example|auth0|5f", "auth0|5f"), ("x| ", " ")] {
            assert_eq!(identity(text).subject, subject);
            assert_eq!(identity(text).to_string(), text);
        }
        let long = format!("x|{}", "y".repeat(1_024));
        for bad in ["", "|", "stdio", "|x", "x|", "a|b\n", long.as_str()] {
            assert!(bad.parse::<Identity>().is_err(), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn an_identity_is_one_persons_at_most() {
        let (access, ..) = access();
        for name in ["anna", "bert"] {
            access.add(name, Role::Approver, good_password()).await.unwrap();
        }
        let stdio = identity("local|stdio");
        assert_eq!(access.person(&stdio).unwrap(), None, "nobody linked it");
        let anna = access.link("ANNA", &stdio).await.unwrap();
        assert_eq!(access.person(&stdio).unwrap().as_ref(), Some(&anna.person));
        access.link("anna", &stdio).await.unwrap();
        let taken = access.link("bert", &stdio).await.unwrap_err();
        assert_eq!(taken.kind, Kind::Conflict);
        assert!(taken.said.contains("anna"), "{taken}");
        assert_eq!(access.unlink("bert", &stdio).await.unwrap_err().kind, Kind::NotFound);
        access.unlink("anna", &stdio).await.unwrap();
        access.link("bert", &stdio).await.unwrap();
        assert_eq!(access.identities(&access.user("bert").unwrap().person).unwrap(), ["local|stdio"]);
        assert!(access.identities(&anna.person).unwrap().is_empty());
        for nobody in ["local|background", "local|user:anna", "local|user:nobody"] {
            assert_eq!(access.link("anna", &identity(nobody)).await.unwrap_err().kind, Kind::BadInput, "{nobody}");
        }
    }

    #[tokio::test]
    async fn not_the_author_means_the_person() {
        let (access, ..) = access();
        for name in ["anna", "bert"] {
            access.add(name, Role::Approver, good_password()).await.unwrap();
        }
        let token = identity("token|tok_1");
        let before = Actor { identity: token.clone(), person: access.person(&token).unwrap(), name: "before".into() };
        access.link("anna", &token).await.unwrap();
        let actor = |identity: &str| {
            let identity = identity.parse().unwrap();
            Actor { person: access.person(&identity).unwrap(), identity, name: String::new() }
        };
        let (anna, bert, linked, stdio) = (actor("local|user:anna"), actor("local|user:bert"), actor("token|tok_1"), actor("local|stdio"));
        for (one, other, same) in [
            (&anna, &anna, true),
            (&anna, &bert, false),
            (&anna, &linked, true),
            (&linked, &anna, true),
            (&bert, &linked, false),
            // Linked after the record was written: known to be hers now.
            (&anna, &before, true),
            (&bert, &before, false),
            // Two that nobody linked are told apart by what they are.
            (&stdio, &stdio, true),
            (&stdio, &anna, false),
        ] {
            assert_eq!(access.is_same(one, other).unwrap(), same, "{} and {}", one.identity, other.identity);
        }
        access.unlink("anna", &token).await.unwrap();
        access.link("bert", &token).await.unwrap();
        assert!(access.is_same(&anna, &linked).unwrap(), "what was hers stays hers in the record");
        assert!(access.is_same(&bert, &linked).unwrap(), "and is suspected of being his");
    }

    #[tokio::test]
    async fn a_local_user_is_its_person_in_any_case_of_the_name() {
        let (access, ..) = access();
        let anna = access.add("Anna", Role::Admin, good_password()).await.unwrap();
        assert_eq!(access.person(&Identity::of_user("ANNA")).unwrap(), Some(anna.person));
        assert_eq!(access.person(&Identity::of_user("bert")).unwrap(), None);
        assert_eq!(access.actor(&Principal::operator()).unwrap().person, None, "the command line is no person");
    }
}
