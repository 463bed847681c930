//! An identity provider in this process, with keys made for the test, that can be made to misbehave; and an appliance that
//! is told of it.

use crate::http_rig::Web;
use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use rsa::traits::PublicKeyParts;
use serde_json::{Map, Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub const AUDIENCE: &str = "https://box.example/mcp";

/// A key pair, and the name it has in the key set.
pub struct Key {
    pub kid: String,
    pair: Pair,
}

enum Pair {
    Rsa(Box<rsa::RsaPrivateKey>),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Key {
    pub fn ec(kid: &str) -> Key {
        let random = SystemRandom::new();
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap();
        Key { kid: kid.into(), pair: Pair::Ec(pair) }
    }

    pub fn ed(kid: &str) -> Key {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Key { kid: kid.into(), pair: Pair::Ed(Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap()) }
    }

    pub fn rsa(kid: &str) -> Key {
        let pair = rsa::RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2_048).unwrap();
        Key { kid: kid.into(), pair: Pair::Rsa(Box::new(pair)) }
    }

    /// As it stands in a key set, without `alg` as most providers have it.
    pub fn public(&self) -> Value {
        let text = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        let mut key = match &self.pair {
            Pair::Rsa(pair) => json!({"kty": "RSA", "n": text(&pair.n().to_bytes_be()), "e": text(&pair.e().to_bytes_be())}),
            Pair::Ec(pair) => {
                let point = pair.public_key().as_ref();
                json!({"kty": "EC", "crv": "P-256", "x": text(&point[1..33]), "y": text(&point[33..])})
            }
            Pair::Ed(pair) => json!({"kty": "OKP", "crv": "Ed25519", "x": text(pair.public_key().as_ref())}),
        };
        (key["kid"], key["use"]) = (self.kid.clone().into(), "sig".into());
        key
    }

    /// What it signs with unless told otherwise.
    pub fn alg(&self) -> &'static str {
        match self.pair {
            Pair::Rsa(_) => "RS256",
            Pair::Ec(_) => "ES256",
            Pair::Ed(_) => "EdDSA",
        }
    }

    /// A token with this head and these claims, signed as the head says as far as the key can.
    pub fn sign_as(&self, head: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(head), part(claims));
        let signature = self.signature(head["alg"].as_str().unwrap_or_default(), signed.as_bytes());
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    pub fn sign(&self, claims: &Value) -> String {
        self.sign_as(&json!({"alg": self.alg(), "kid": self.kid, "typ": "at+jwt"}), claims)
    }

    fn signature(&self, alg: &str, signed: &[u8]) -> Vec<u8> {
        let hash = ring::digest::digest(&ring::digest::SHA256, signed);
        match &self.pair {
            Pair::Rsa(pair) if alg == "PS256" => {
                pair.sign_with_rng(&mut rsa::rand_core::OsRng, rsa::Pss::new::<rsa::sha2::Sha256>(), hash.as_ref()).unwrap()
            }
            Pair::Rsa(pair) => pair.sign(rsa::Pkcs1v15Sign::new::<rsa::sha2::Sha256>(), hash.as_ref()).unwrap(),
            Pair::Ec(pair) => pair.sign(&SystemRandom::new(), signed).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(signed).as_ref().to_vec(),
        }
    }
}

/// How the provider behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mood {
    Good,
    /// Hangs up on everybody.
    Down,
    Garbage,
    /// 100 MB of something, without a length.
    Endless,
    Error500,
    /// Metadata of somebody else.
    Foreign,
    Redirect,
    NoKeys,
}

struct Shared {
    mood: Mood,
    keys: Vec<Value>,
    /// Over what the metadata says anyway.
    metadata: Map<String, Value>,
    /// What the token and userinfo endpoints answer.
    token: Value,
    userinfo: Value,
    asked: Vec<String>,
    sent: usize,
}

/// The provider; it ends with the test's runtime.
#[derive(Clone)]
pub struct Idp {
    scheme: &'static str,
    pub at: SocketAddr,
    path: String,
    shared: Arc<Mutex<Shared>>,
}

impl Idp {
    pub async fn start(keys: &[&Key]) -> Idp {
        Idp::start_at("", keys).await
    }

    /// With a path in its issuer, which may end in a slash.
    pub async fn start_at(path: &str, keys: &[&Key]) -> Idp {
        Idp::serve(path, keys, None).await
    }

    /// Over TLS, with a certificate that only whoever has the PEM believes.
    pub async fn start_tls(keys: &[&Key]) -> (Idp, String) {
        let pair = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(vec!["127.0.0.1".into()]).unwrap().self_signed(&pair).unwrap();
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(pair.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key.into()).unwrap();
        (Idp::serve("", keys, Some(TlsAcceptor::from(Arc::new(config)))).await, certificate.pem())
    }

    async fn serve(path: &str, keys: &[&Key], tls: Option<TlsAcceptor>) -> Idp {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shared = Shared {
            mood: Mood::Good,
            keys: keys.iter().map(|key| key.public()).collect(),
            metadata: Map::new(),
            token: Value::Null,
            userinfo: Value::Null,
            asked: Vec::new(),
            sent: 0,
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let idp = Idp { scheme, at: listener.local_addr().unwrap(), path: path.into(), shared: Arc::new(Mutex::new(shared)) };
        let serving = idp.clone();
        #[allow(clippy::disallowed_methods, reason = "ends with the test's runtime")]
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                if serving.mood() == Mood::Down {
                    continue;
                }
                let (idp, tls) = (serving.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => idp.talk(stream).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                idp.talk(stream).await;
                            }
                        }
                    }
                });
            }
        });
        idp
    }

    async fn talk(self, stream: impl AsyncRead + AsyncWrite + Unpin) {
        let service = service_fn(|request| std::future::ready(Ok::<_, Infallible>(self.answer(&request))));
        let _ = hyper::server::conn::http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service).await;
    }

    pub fn issuer(&self) -> String {
        format!("{}://{}{}", self.scheme, self.at, self.path)
    }

    pub fn set(&self, mood: Mood) {
        self.shared.lock().unwrap().mood = mood;
    }

    pub fn publish(&self, keys: &[&Key]) {
        self.shared.lock().unwrap().keys = keys.iter().map(|key| key.public()).collect();
    }

    pub fn announce(&self, more: Value) {
        self.shared.lock().unwrap().metadata.extend(more.as_object().cloned().unwrap());
    }

    /// For the next code: an ID token, and an access token that nobody looks into.
    pub fn hand_out(&self, id_token: &str) {
        self.shared.lock().unwrap().token = json!({"access_token": "opaque", "token_type": "Bearer", "id_token": id_token});
    }

    pub fn tell_more(&self, userinfo: Value) {
        self.shared.lock().unwrap().userinfo = userinfo;
    }

    fn mood(&self) -> Mood {
        self.shared.lock().unwrap().mood
    }

    /// How often its keys were asked for.
    pub fn asked(&self) -> usize {
        self.shared.lock().unwrap().asked.iter().filter(|path| path.ends_with("/jwks")).count()
    }

    /// Bytes of an endless answer that somebody took.
    pub fn sent(&self) -> usize {
        self.shared.lock().unwrap().sent
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<UnsyncBoxBody<Bytes, Infallible>> {
        let whole = |status: u16, text: String| {
            Response::builder().status(status).header("content-type", "application/json").body(Full::from(text).boxed_unsync()).unwrap()
        };
        let mut shared = self.shared.lock().unwrap();
        let path = request.uri().path().to_owned();
        shared.asked.push(path.clone());
        match shared.mood {
            Mood::Garbage => return whole(200, "<html>please sign in to the hotel</html>".into()),
            Mood::Error500 => return whole(500, "{}".into()),
            Mood::Endless => {
                let counted = self.shared.clone();
                let pieces = (0..1_600).map(move |_| {
                    counted.lock().unwrap().sent += 64 << 10;
                    Ok::<_, Infallible>(Frame::data(Bytes::from(vec![b' '; 64 << 10])))
                });
                return Response::new(StreamBody::new(futures_util::stream::iter(pieces)).boxed_unsync());
            }
            Mood::Redirect => {
                let mut response = whole(302, String::new());
                response.headers_mut().insert("location", "http://127.0.0.1:1/".parse().unwrap());
                return response;
            }
            _ => {}
        }
        let root = format!("{}://{}", self.scheme, self.at);
        let base = self.path.trim_end_matches('/');
        if path == format!("{base}/.well-known/openid-configuration") {
            let issuer = if shared.mood == Mood::Foreign { "https://evil.example".to_owned() } else { self.issuer() };
            let mut document = json!({
                "issuer": issuer, "jwks_uri": format!("{root}{base}/jwks"), "authorization_endpoint": format!("{root}{base}/auth"),
                "token_endpoint": format!("{root}{base}/token"), "response_types_supported": ["code"],
                "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            });
            document.as_object_mut().unwrap().extend(shared.metadata.clone());
            return whole(200, document.to_string());
        }
        if path == format!("{base}/jwks") {
            let keys = if shared.mood == Mood::NoKeys { Vec::new() } else { shared.keys.clone() };
            return whole(200, json!({"keys": keys}).to_string());
        }
        match path.strip_prefix(base) {
            Some("/token") => whole(200, shared.token.to_string()),
            Some("/userinfo") => whole(200, shared.userinfo.to_string()),
            _ => whole(404, "{}".into()),
        }
    }
}

/// Claims of a good token of this issuer, with more over them; `null` takes one away.
pub fn claims(issuer: &str, now_ms: i64, more: Value) -> Value {
    let now = now_ms / 1_000;
    let mut claims = json!({
        "iss": issuer, "aud": AUDIENCE, "sub": "00u1", "client_id": "tests", "iat": now, "exp": now + 300, "roles": ["ops"],
    });
    for (name, value) in more.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

/// An appliance that trusts the provider: `viewers`, `ops`, `sign-off` and `admins` are its roles.
pub async fn web(issuer: &str, flags: &[(&str, &str)]) -> Web {
    let ours = [
        ("oidc.enabled", "true"),
        ("oidc.provider_url", issuer),
        ("oidc.client_id", "rmcp-ui"),
        ("oidc.audience", AUDIENCE),
        ("oidc.role_map", "viewers=read_only,ops=ops_rw,sign-off=approver,admins=admin"),
    ];
    Web::open(&[&ours[..], flags].concat()).await
}

impl Web {
    /// Waits until `/health` says this of the provider.
    pub async fn until_oidc_is(&self, word: &str) {
        let looked = async {
            while self.ask("GET", "/health", "", "").await.message()["oidc"] != word {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(crate::http_rig::PATIENCE, looked).await.unwrap_or_else(|_| panic!("never {word}"));
    }
}
