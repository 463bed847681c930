//! Static API tokens: `rmcp_` and 256 random bits, for programs that cannot sign in.
//!
//! - The store holds the SHA-256 of a token, never the token. It is shown once, by whoever made it: our command line makes
//!   it and hands only the digest on.
//! - A token is an identity of its own, `local|token:tok_…`. One with an owner is linked to the owner's person, so that
//!   nobody approves what they wrote through their token.
//! - Every refusal looks the same to the caller; the reason is for the log.

use crate::access::local::Access;
use crate::access::person::{Identity, LOCAL};
use crate::access::principal::{Client, Limits, Principal};
use crate::access::role::Role;
use crate::access::scope::Scope;
use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::{hex, random};
use crate::base::secret::Secret;
use crate::base::selector::Selector;
use crate::store::{Durability, Record, Table};
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// What every token begins with, so that scanners of leaked secrets find them.
pub const PREFIX: &str = "rmcp_";
/// Characters after it: 32 bytes in base64url.
const CHARS: usize = 43;
/// What the subjects of tokens start with: `local|token:tok_…`.
const SUBJECT: &str = "token:";
/// The longest name, characters.
const NAME_MAX: usize = 64;
/// Device selectors of one token.
const DEVICES_MAX: usize = 64;
/// Uses within so long are one use: each costs a write.
const USE_EVERY_MS: u64 = 60_000;

/// What a token is known by: the first half of its digest is in it, which tells nothing of the token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// `tok_` and 16 hexadecimal digits.
    pub id: String,
    /// For people; one of each name is in force.
    pub name: String,
    /// SHA-256 of the whole token.
    digest: [u8; 32],
    /// What it is trusted with; `None` reads metrics and nothing else.
    pub role: Option<Role>,
    /// Devices it may name; `all` is spelled out.
    pub devices: Vec<Selector>,
    /// The local user whose it is.
    pub owner: Option<String>,
    /// When it was made.
    pub created_at: Wall,
    /// When it ends.
    pub expires_at: Option<Wall>,
    /// When it was taken back.
    pub revoked_at: Option<Wall>,
}

impl Record for Token {
    const TABLE: &'static str = "api_token";
    const VERSION: u8 = 1;
}

/// When a token was last used: apart from the token, so that a use never writes over a revocation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Use {
    at: Wall,
}

impl Record for Use {
    const TABLE: &'static str = "api_token_use";
    const VERSION: u8 = 1;
}

#[cfg(test)]
crate::store::golden!(Token, Use);

/// A token that is to be.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// For people.
    pub name: String,
    /// SHA-256 of the token.
    pub digest: [u8; 32],
    /// `None`: metrics only.
    pub role: Option<Role>,
    /// Empty means none.
    pub devices: Vec<Selector>,
    /// A local user.
    pub owner: Option<String>,
    /// Not in the past.
    pub expires_at: Option<Wall>,
}

/// Whoever a bearer token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// The caller. A token for metrics has a principal that may touch nothing.
    pub principal: Principal,
    /// What it may ask for.
    pub scopes: Vec<Scope>,
    /// When the token ends by itself; what it opened ends with it.
    pub expires_at: Option<Wall>,
}

impl Bearer {
    /// A program on this machine that has no token, where none is needed.
    pub fn anonymous(role: Role, client: Client) -> Self {
        let principal = Principal { subject: "loopback".into(), name: "local program".into(), client, ..Principal::stdio(role) };
        Bearer { principal, scopes: role.scopes().to_vec(), expires_at: None }
    }
}

/// Why a token is no good; for the log and the counters, never for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Not of the form of a token.
    Malformed,
    /// Of nobody.
    Unknown,
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
    /// Its owner is disabled or gone.
    Owner,
    /// The store cannot be read.
    Store,
    /// Not of the kind that is for calling: an ID token, or a header that asks for more than we know.
    Type,
    /// Signed in a way that is not accepted.
    Algorithm,
    /// Of another issuer.
    Issuer,
    /// For somebody else.
    Audience,
    /// Not valid yet.
    Early,
    /// It lacks what every token has, or has it wrong.
    Claims,
    /// The issuer has no such key.
    Key,
    /// Not signed by the issuer.
    Signature,
    /// None of its roles is one of ours: somebody, but nobody here.
    Role,
    /// The issuer's keys cannot be had, or our clock does not know the date.
    Provider,
}

impl Refused {
    /// For log lines and counters.
    pub fn as_str(self) -> &'static str {
        match self {
            Refused::Malformed => "malformed",
            Refused::Unknown => "unknown",
            Refused::Expired => "expired",
            Refused::Revoked => "revoked",
            Refused::Owner => "owner",
            Refused::Store => "store",
            Refused::Type => "type",
            Refused::Algorithm => "algorithm",
            Refused::Issuer => "issuer",
            Refused::Audience => "audience",
            Refused::Early => "early",
            Refused::Claims => "claims",
            Refused::Key => "key",
            Refused::Signature => "signature",
            Refused::Role => "role",
            Refused::Provider => "provider",
        }
    }
}

/// A new token. Whoever calls this shows it once and keeps it nowhere.
pub fn make() -> Secret {
    Secret::new(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&random::<32>())))
}

/// What the store knows a token by.
pub fn digest(token: &str) -> [u8; 32] {
    let mut digest = [0; 32];
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, token.as_bytes()).as_ref());
    digest
}

impl Token {
    /// As a caller's identity.
    pub fn identity(&self) -> Identity {
        Identity { issuer: LOCAL.into(), subject: format!("{SUBJECT}{}", self.id) }
    }

    /// Whether it opens anything now, as far as itself goes.
    pub fn state(&self, now: Wall) -> Result<(), Refused> {
        match (self.revoked_at, self.expires_at) {
            (Some(_), _) => Err(Refused::Revoked),
            (_, Some(end)) if end <= now => Err(Refused::Expired),
            _ => Ok(()),
        }
    }
}

impl Access {
    /// All tokens, by id; revoked ones too.
    pub fn tokens(&self) -> Result<Vec<Token>, Fault> {
        Ok(self.api_tokens().all()?.into_iter().map(|(_, token)| token).collect())
    }

    /// When a token was last used, to the minute.
    pub fn token_used_at(&self, token: &Token) -> Result<Option<Wall>, Fault> {
        Ok(self.uses().get(&token.id)?.map(|used| used.at))
    }

    /// Keeps a token that its maker has made.
    ///
    /// Errs with `BadInput` for a name, end or devices against the rules, `NotFound` for an owner that is no user,
    /// `Conflict` when a token of the name is in force.
    pub async fn add_token(&self, wanted: Wanted) -> Result<Token, Fault> {
        let now = self.now();
        check(&wanted, now)?;
        if let Some(same) = self.tokens()?.into_iter().find(|token| token.name == wanted.name && token.state(now).is_ok()) {
            let said = format!("token \"{}\" exists ({})", wanted.name, same.id);
            return Err(Fault::new(Kind::Conflict, said).hint("`token revoke` takes it back; or choose another name"));
        }
        let owner = wanted.owner.as_deref().map(|owner| self.user(owner)).transpose()?;
        let token = Token {
            id: id_of(&wanted.digest),
            name: wanted.name,
            digest: wanted.digest,
            role: wanted.role,
            devices: wanted.devices,
            owner: owner.as_ref().map(|owner| owner.name.clone()),
            created_at: now,
            expires_at: wanted.expires_at,
            revoked_at: None,
        };
        // The link first: a token that works is never without its person.
        if let Some(owner) = owner {
            self.link(&owner.name, &token.identity()).await?;
        }
        let tokens = self.api_tokens();
        let batch = tokens.expect_into(tokens.put_batch(&token, &token.id), &token.id, None);
        tokens.store().commit(batch, Durability::Now).await?;
        Ok(token)
    }

    /// Takes a token back, by its id or by the name of one in force. Its record and its owner's link stay, for the trail.
    pub async fn revoke_token(&self, wanted: &str) -> Result<Token, Fault> {
        let (now, tokens) = (self.now(), self.tokens()?);
        let found = tokens.iter().find(|token| token.id == wanted);
        // One that has run out may have left its name to another.
        let found = found
            .or_else(|| tokens.iter().find(|token| token.name == wanted && token.state(now).is_ok()))
            .or_else(|| tokens.iter().find(|token| token.name == wanted && token.revoked_at.is_none()));
        let Some(token) = found else {
            let shown: String = wanted.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
            return Err(Fault::not_found(format!("no token \"{shown}\"")).hint("`token list` shows them"));
        };
        let mut token = token.clone();
        token.revoked_at.get_or_insert(now);
        self.api_tokens().put(&token.id, &token, Durability::Now).await?;
        Ok(token)
    }

    /// Whoever presents this token.
    pub async fn bearer(&self, presented: &str, client: Client) -> Result<Bearer, Refused> {
        let body = presented.strip_prefix(PREFIX).ok_or(Refused::Malformed)?;
        if body.len() != CHARS || BASE64URL_NOPAD.decode(body.as_bytes()).is_err() {
            return Err(Refused::Malformed);
        }
        let (digest, now) = (digest(presented), self.now());
        // What is looked up by is a digest: how far a guess agrees with one says nothing about any token. The whole digest is
        // compared in constant time all the same.
        let token = self.api_tokens().get(&id_of(&digest)).map_err(|error| {
            tracing::error!(%error, "API tokens cannot be read");
            Refused::Store
        })?;
        let token = token.filter(|token| bool::from(token.digest.ct_eq(&digest))).ok_or(Refused::Unknown)?;
        self.is_open(&token, now)?;
        self.note_use(&token, now).await;
        Ok(bearer(token, client))
    }

    /// Whether a caller that came in may still be there: its token may have run out or been taken back since, its person have
    /// been disabled.
    pub fn still_open(&self, who: &Principal, expires_at: Option<Wall>) -> bool {
        let now = self.now();
        if expires_at.is_some_and(|end| end <= now) {
            return false;
        }
        match who.subject.strip_prefix(SUBJECT).filter(|_| who.issuer == LOCAL) {
            Some(id) => self.api_tokens().get(id).ok().flatten().is_some_and(|token| self.is_open(&token, now).is_ok()),
            None => self.is_disabled(&Identity::of(who)).is_ok_and(|is_out| !is_out),
        }
    }

    fn is_open(&self, token: &Token, now: Wall) -> Result<(), Refused> {
        token.state(now)?;
        match &token.owner {
            Some(owner) if !self.user(owner).is_ok_and(|owner| !owner.disabled) => Err(Refused::Owner),
            _ => Ok(()),
        }
    }

    async fn note_use(&self, token: &Token, now: Wall) {
        let uses = self.uses();
        let last = uses.get(&token.id).ok().flatten();
        if last.is_some_and(|last| now.0.abs_diff(last.at.0) < USE_EVERY_MS) {
            return;
        }
        if let Err(error) = uses.put(&token.id, &Use { at: now }, Durability::Soon).await {
            tracing::warn!(%error, token = token.id, "use of a token not noted");
        }
    }

    fn api_tokens(&self) -> Table<Token> {
        Table::new(self.store().clone())
    }

    fn uses(&self) -> Table<Use> {
        Table::new(self.store().clone())
    }
}

fn bearer(token: Token, client: Client) -> Bearer {
    let Identity { issuer, subject } = token.identity();
    let scopes = token.role.map_or(vec![Scope::Metrics], |role| role.scopes().to_vec());
    let (role, limits) = match token.role {
        Some(role) => (role, Limits { devices: token.devices, ..Limits::of_role(role) }),
        None => (Role::ReadOnly, Limits { devices: Vec::new(), toolsets: Some(Vec::new()), tiers: Vec::new() }),
    };
    let expires_at = token.expires_at;
    Bearer { principal: Principal { issuer, subject, name: token.name, role, limits, client }, scopes, expires_at }
}

fn check(wanted: &Wanted, now: Wall) -> Result<(), Fault> {
    let name = wanted.name.trim();
    if name.is_empty() || name != wanted.name || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(Fault::bad_input("a token's name has 1 to 64 characters, none of them a control character or a blank at its ends")
            .hint("such as --name backup-script"));
    }
    if wanted.expires_at.is_some_and(|end| end <= now) {
        return Err(Fault::bad_input("a token must end in the future").hint("such as --expires 90d"));
    }
    if wanted.devices.len() > DEVICES_MAX {
        return Err(Fault::bad_input("a token is limited to at most 64 selectors").hint("give devices a common tag: tag:K=V"));
    }
    Ok(())
}

fn id_of(digest: &[u8; 32]) -> String {
    format!("tok_{}", hex(&digest[..8]))
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
