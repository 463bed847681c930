//! People who sign in through the identity provider: the code flow with PKCE, state and nonce.
//!
//! What an attempt needs to be finished goes sealed into a cookie of the browser that began it; nothing is kept here. A person who
//! proves again who they are is sent to the provider with `prompt=login` and `max_age`, and must come back as the same one
//! with a fresh `auth_time`.
//!
//! Source: OpenID Connect Core 1.0 section 3.1, RFC 7636, RFC 9207, RFC 9700

use crate::access::oidc::keys::Alg;
use crate::access::oidc::provider::Found;
use crate::access::oidc::{Oidc, claims};
use crate::access::person::Identity;
use crate::access::principal::{Client, Principal};
use crate::access::proof::FRESH;
use crate::access::token::Refused;
use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use data_encoding::BASE64URL_NOPAD;
use futures_util::future::BoxFuture;
use http::header::{ACCEPT, AUTHORIZATION};
use openidconnect::core::{CoreAuthPrompt, CoreClient, CoreClientAuthMethod, CoreIdToken, CoreResponseType};
use openidconnect::{
    AccessToken, AccessTokenHash, AuthType, AuthenticationFlow, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret,
    CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenClaims, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PkceCodeVerifier, RedirectUrl, Scope, SignatureVerificationError, TokenResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;
use subtle::ConstantTimeEq;

/// How long somebody may take at the provider.
pub const ATTEMPT: Duration = Duration::from_secs(600);

/// The longest code, bytes.
const CODE_MAX: usize = 4_096;

/// A sign-in under way, as its browser keeps it, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    state: String,
    nonce: String,
    verifier: String,
    redirect_uri: String,
    begun_at: Wall,
    /// The session whose person proves again who they are.
    pub session: Option<String>,
    /// The page to go on with.
    pub return_to: String,
}

/// What the provider sent a browser back with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Returned {
    /// For the token.
    pub code: Option<String>,
    /// What we sent.
    pub state: Option<String>,
    /// Who sends it.
    pub issuer: Option<String>,
    /// Why not.
    pub error: Option<String>,
}

/// Somebody whom the provider vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Who, and what they may do.
    pub principal: Principal,
    /// When they proved it; `None` when the provider does not say.
    pub proved_at: Option<Wall>,
}

/// Somebody who did not get in, and who it was as far as that is known.
#[derive(Debug)]
pub struct NotIn {
    /// Proven by the provider.
    pub identity: Option<Identity>,
    /// Why.
    pub fault: Fault,
}

impl From<Fault> for NotIn {
    fn from(fault: Fault) -> Self {
        NotIn { identity: None, fault }
    }
}

type Ready = CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

impl Oidc {
    /// Where to send a browser, and what it must keep. With `session` its person proves again who they are.
    ///
    /// Errs with `Unreachable` while the provider is away.
    pub async fn begin(&self, redirect_uri: &str, session: Option<String>, return_to: &str) -> Result<(String, Attempt), Fault> {
        let found = self.0.provider.ready().await.ok_or_else(away)?;
        let client = self.client(&found, redirect_uri)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let mut request = client
            .authorize_url(flow, || CsrfToken::new_random_len(32), || Nonce::new_random_len(32))
            .add_scopes(self.0.settings.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new))
            .set_pkce_challenge(challenge);
        if session.is_some() {
            request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(FRESH);
        }
        let (url, state, nonce) = request.url();
        let attempt = Attempt {
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
            redirect_uri: redirect_uri.to_owned(),
            begun_at: self.0.clock.wall(),
            session,
            return_to: return_to.to_owned(),
        };
        Ok((url.to_string(), attempt))
    }

    /// Whoever came back.
    ///
    /// Errs with `Unauthenticated` for anything that is not the end of this attempt, `Denied` for a person without a role or
    /// disabled, `Unreachable` when the provider cannot be asked.
    pub async fn finish(&self, attempt: &Attempt, returned: &Returned, client: Client) -> Result<SignedIn, NotIn> {
        let code = self.judge(attempt, returned)?;
        let found = self.0.provider.ready().await.ok_or_else(away)?;
        if returned.issuer.is_none() && found.names_issuer {
            return Err(wrong("the provider's answer does not name it, as it always does").into());
        }
        let (token, access) = self.exchange(&found, attempt, code).await?;
        let (subject, auth_time) = self.verified(&found, &token, &access, &attempt.nonce).await?;
        let identity = Identity { issuer: self.0.settings.issuer.clone(), subject: subject.clone() };
        let all = self.all_claims(&found, &token, &access, &subject).await?;
        let principal = self.principal(&subject, &all, client).map_err(|refused| {
            let fault = match refused {
                Refused::Role => Fault::denied("you are known, and have no role here")
                    .hint("ask an administrator to map one of your groups or roles in oidc.role_map"),
                Refused::Owner => Fault::denied("you are disabled here").hint("an administrator can enable your user again"),
                _ => Fault::new(Kind::Storage, "users cannot be read now").hint("try again in a moment"),
            };
            NotIn { identity: Some(identity.clone()), fault }
        })?;
        let skew = self.0.settings.skew.as_millis() as i64;
        let proved_at = auth_time.filter(|at| at.0 <= self.0.clock.wall().0 + skew);
        let is_recent = proved_at.is_some_and(|at| at.0 >= attempt.begun_at.0 - skew);
        if attempt.session.is_some() && !is_recent {
            let fault = wrong("the provider does not say that you proved who you are just now")
                .hint("it must put auth_time into ID tokens when max_age is asked for (Entra: an optional claim)");
            return Err(NotIn { identity: Some(identity), fault });
        }
        Ok(SignedIn { principal, proved_at })
    }

    /// The code, if it is the end of this attempt.
    fn judge(&self, attempt: &Attempt, returned: &Returned) -> Result<String, Fault> {
        let state = returned.state.as_deref().unwrap_or_default();
        if !bool::from(state.as_bytes().ct_eq(attempt.state.as_bytes())) {
            return Err(wrong("this is not the end of the sign-in that this browser began"));
        }
        // Before the error is believed, too.
        if returned.issuer.as_ref().is_some_and(|issuer| *issuer != self.0.settings.issuer) {
            return Err(wrong("another provider answered"));
        }
        if self.0.clock.wall().0.abs_diff(attempt.begun_at.0) >= ATTEMPT.as_millis() as u64 {
            return Err(wrong("the sign-in took longer than 10 minutes"));
        }
        if let Some(error) = &returned.error {
            let error: String = error.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64).collect();
            return Err(wrong(&format!("the provider said no: {error}")));
        }
        returned.code.clone().filter(|code| !code.is_empty() && code.len() <= CODE_MAX).ok_or_else(|| wrong("the provider sent no code"))
    }

    async fn exchange(&self, found: &Arc<Found>, attempt: &Attempt, code: String) -> Result<(CoreIdToken, AccessToken), Fault> {
        let client = self.client(found, &attempt.redirect_uri)?;
        let request = client.exchange_code(AuthorizationCode::new(code)).map_err(|_| wrong("the provider has no token endpoint"))?;
        let outgoing = self.0.outgoing.clone();
        let http = move |request: openidconnect::HttpRequest| -> BoxFuture<'static, _> {
            let outgoing = outgoing.clone();
            Box::pin(async move { outgoing.send(request).await })
        };
        let request = request.set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier.clone()));
        // Boxed with its type written out: the compiler cannot tell of the bare one that a task may hold it.
        let asked: BoxFuture<'_, _> = Box::pin(request.request_async(&http));
        let answer = asked.await;
        let answer = answer.map_err(|error| {
            // What the provider says may quote what we sent; only its short word is repeated.
            use openidconnect::RequestTokenError as E;
            match error {
                E::Request(error) => away().cause(error),
                E::ServerResponse(said) => {
                    let word: String = said.error().as_ref().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').take(64).collect();
                    tracing::warn!(word, "the identity provider refused a code");
                    wrong("the provider refused its own code").hint("sign in again; an administrator finds its reason in the log")
                }
                _ => wrong("the provider's answer cannot be read"),
            }
        })?;
        let token = answer.id_token().ok_or_else(|| wrong("the provider sent no ID token"))?.clone();
        Ok((token, answer.access_token().clone()))
    }

    /// Subject and time of proof of a good ID token; with newer keys if need be.
    async fn verified(
        &self,
        found: &Arc<Found>,
        token: &CoreIdToken,
        access: &AccessToken,
        nonce: &str,
    ) -> Result<(String, Option<Wall>), Fault> {
        let nonce = Nonce::new(nonce.to_owned());
        match self.id_token(found, token, access, &nonce) {
            Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
                let newer = self.0.provider.newer(Some(found)).await.unwrap_or_else(|| found.clone());
                self.id_token(&newer, token, access, &nonce)
            }
            outcome => outcome,
        }
        .map_err(|error| {
            tracing::warn!(%error, "an ID token of the identity provider is no good");
            wrong("the provider's ID token is no good").hint("an administrator finds its reason in the log")
        })
    }

    fn id_token(
        &self,
        found: &Found,
        token: &CoreIdToken,
        access: &AccessToken,
        nonce: &Nonce,
    ) -> Result<(String, Option<Wall>), ClaimsVerificationError> {
        let settings = &self.0.settings;
        let now = self.0.clock.wall();
        // The library knows no skew: for ends the clock is behind by it.
        let behind = chrono::DateTime::from_timestamp_millis(now.0 - settings.skew.as_millis() as i64).unwrap_or_default();
        let ahead = chrono::DateTime::from_timestamp_millis(now.0 + settings.skew.as_millis() as i64).unwrap_or_default();
        let id = ClientId::new(settings.client_id.clone());
        let verifier = openidconnect::IdTokenVerifier::new_public_client(id, found.metadata.issuer().clone(), found.keys.set())
            .set_allowed_algs(Alg::ALL.map(Alg::core))
            .set_time_fn(move || behind)
            .set_issue_time_verifier_fn(move |at| if at <= ahead { Ok(()) } else { Err("it was issued in the future".into()) });
        let claims: &IdTokenClaims<_, _> = token.claims(&verifier, nonce)?;
        let unfit = |why: &str| ClaimsVerificationError::Other(why.to_owned());
        if let Some(hash) = claims.access_token_hash() {
            let alg = token.signing_alg().map_err(ClaimsVerificationError::SignatureVerification)?;
            let key = token.signing_key(&verifier).map_err(ClaimsVerificationError::SignatureVerification)?;
            let is = AccessTokenHash::from_token(access, alg, key).map_err(|_| unfit("its at_hash cannot be checked"))?;
            if is != *hash {
                return Err(unfit("its at_hash is of another access token"));
            }
        }
        let subject = claims.subject().as_str();
        if !super::jwt::is_subject(subject) {
            return Err(unfit("its subject is no name"));
        }
        Ok((subject.to_owned(), claims.auth_time().map(|at| Wall(at.timestamp_millis()))))
    }

    /// What the ID token says, and what the provider says beside it where the token does not tell roles.
    async fn all_claims(
        &self,
        found: &Found,
        token: &CoreIdToken,
        access: &AccessToken,
        subject: &str,
    ) -> Result<Map<String, Value>, Fault> {
        let text = token.to_string();
        let body = text.split('.').nth(1).and_then(|body| BASE64URL_NOPAD.decode(body.as_bytes()).ok());
        let mut all: Map<String, Value> = body.and_then(|body| serde_json::from_slice(&body).ok()).unwrap_or_default();
        let wanted = [Some(&self.0.settings.role_claim), self.0.settings.device_claim.as_ref()];
        let is_whole = wanted.into_iter().flatten().all(|claim| claims::find(&all, claim).is_some());
        let Some(url) = found.metadata.userinfo_endpoint().filter(|_| !is_whole) else { return Ok(all) };
        let request = http::Request::get(url.as_str())
            .header(ACCEPT, "application/json")
            .header(AUTHORIZATION, format!("Bearer {}", access.secret()))
            .body(Vec::new());
        let answer = self.0.outgoing.send(request.map_err(Fault::bug)?).await.map_err(|error| away().cause(error))?;
        let said: Map<String, Value> = match answer.status().as_u16() {
            200 => serde_json::from_slice(answer.body()).unwrap_or_default(),
            status => {
                tracing::warn!(status, "the identity provider says nothing more about a person");
                return Ok(all);
            }
        };
        // Of somebody else, by mistake or by malice.
        if said.get("sub").and_then(Value::as_str) == Some(subject) {
            for (name, value) in said {
                all.entry(name).or_insert(value);
            }
        }
        Ok(all)
    }

    fn client(&self, found: &Found, redirect_uri: &str) -> Result<Ready, Fault> {
        let settings = &self.0.settings;
        let secret = settings.client_secret.as_ref().map(|secret| ClientSecret::new(secret.expose().to_owned()));
        let redirect = RedirectUrl::new(redirect_uri.to_owned())
            .map_err(|_| Fault::new(Kind::Config, "oidc.redirect_uri is no address").hint("set http.public_url or oidc.redirect_uri"))?;
        let methods = found.metadata.token_endpoint_auth_methods_supported();
        let posts = methods.is_some_and(|all| {
            !all.contains(&CoreClientAuthMethod::ClientSecretBasic) && all.contains(&CoreClientAuthMethod::ClientSecretPost)
        });
        let client = CoreClient::from_provider_metadata(found.metadata.clone(), ClientId::new(settings.client_id.clone()), secret)
            .set_auth_type(if posts { AuthType::RequestBody } else { AuthType::BasicAuth })
            .set_redirect_uri(redirect);
        Ok(client)
    }
}

fn away() -> Fault {
    Fault::new(Kind::Unreachable, "the identity provider cannot be reached").hint("sign in as a local user, or try again in a moment")
}

fn wrong(why: &str) -> Fault {
    Fault::new(Kind::Unauthenticated, format!("not signed in: {why}")).hint("sign in again")
}
