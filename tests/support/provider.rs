//! An OpenID provider without a socket: what it signs is set by the test, good or bad.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use hmac::{Hmac, Mac as _};
use leadyard_domain::delivery::FailureKind;
use leadyard_platform::oidc::OidcAccess;
use leadyard_platform::outbound::{Answer, Request};
use rcgen::{KeyPair, PKCS_ED25519, PublicKeyData as _, SigningKey as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Who it is.
pub const ISSUER: &str = "https://id.example";
/// Where it publishes its metadata as well: at a name that is not the issuer's, as some directories do.
pub const ELSEWHERE: &str = "https://directory.example/acme/v2.0/openid.json";
const CLIENT: &str = "leadyard-console";
const SECRET: &str = "what we prove ourselves with";

/// What we are to it.
pub fn access() -> OidcAccess {
    OidcAccess {
        issuer: ISSUER.to_owned(),
        metadata_url: None,
        client_id: CLIENT.to_owned(),
        client_secret: Some(SECRET.to_owned()),
    }
}

/// What it does otherwise than it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It does not answer.
    Away,
    /// It answers after the patience of anybody.
    Slow,
    /// Its metadata name another issuer.
    Metadata,
    /// The token is for another client.
    Audience,
    /// The token is another issuer's.
    Issuer,
    /// The token is of another sign-in.
    Nonce,
    /// The token's end is over.
    Over,
    /// The token is signed with nothing.
    Unsigned,
    /// The token is signed with the secret that we share.
    Shared,
    /// The token is signed by somebody else's key under the name of its own.
    Forged,
    /// The address is not verified.
    Unverified,
    /// The token has no address.
    Nameless,
    /// There is no token of who it is.
    Tokenless,
}

struct Granted {
    address: String,
    nonce: String,
    challenge: String,
    back: String,
}

struct State {
    key: KeyPair,
    kid: u32,
    fault: Fault,
    granted: HashMap<String, Granted>,
    asked: Vec<String>,
}

/// The provider of a test.
#[derive(Clone)]
pub struct Provider(Arc<Mutex<State>>);

impl Default for Provider {
    fn default() -> Self {
        let (key, fault) = (new_key(), Fault::None);
        let state = State { key, kid: 1, fault, granted: HashMap::new(), asked: Vec::new() };
        Self(Arc::new(Mutex::new(state)))
    }
}

fn shared(said: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
    mac.update(said);
    mac.finalize().into_bytes().to_vec()
}

fn new_key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ED25519).expect("a key")
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The fields of a query or a form.
fn fields(text: &str) -> HashMap<String, String> {
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

impl Provider {
    /// From now on it does this.
    pub fn does(&self, fault: Fault) {
        self.0.lock().unwrap().fault = fault;
    }

    /// It signs with another key from now on.
    pub fn changes_its_key(&self) {
        let mut state = self.0.lock().unwrap();
        (state.key, state.kid) = (new_key(), state.kid + 1);
    }

    /// What it was asked for, by path.
    pub fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().asked.clone()
    }

    /// Somebody with this address lets themselves be signed in where a browser was sent: the path that it is sent back
    /// to.
    pub fn lets_in(&self, sent_to: &str, address: &str) -> String {
        let query = sent_to.strip_prefix(&format!("{ISSUER}/authorize?")).expect("the provider's address");
        let mut asked = fields(query);
        let mut take =
            |name: &str| asked.remove(name).unwrap_or_else(|| panic!("{name} is not asked: {sent_to}"));
        assert_eq!((take("client_id").as_str(), take("response_type").as_str()), (CLIENT, "code"));
        assert_eq!(
            (take("scope").as_str(), take("code_challenge_method").as_str()),
            ("openid email", "S256")
        );
        let (back, state) = (take("redirect_uri"), take("state"));
        let granted = Granted {
            address: address.to_owned(),
            nonce: take("nonce"),
            challenge: take("code_challenge"),
            back,
        };
        let path = granted.back.splitn(4, '/').nth(3).expect("a path").to_owned();
        let mut known = self.0.lock().unwrap();
        let code = format!("code-{}", known.granted.len());
        known.granted.insert(code.clone(), granted);
        format!("/{path}?code={code}&state={state}")
    }

    /// Its answer to a request, if it is for it.
    pub(crate) async fn answers(&self, request: &Request) -> Option<Result<Answer, FailureKind>> {
        let path = match request.url.strip_prefix(ISSUER) {
            Some(path) => path.to_owned(),
            None if request.url == ELSEWHERE => ELSEWHERE.to_owned(),
            None => return None,
        };
        let fault = {
            let mut state = self.0.lock().unwrap();
            state.asked.push(path.clone());
            state.fault
        };
        if fault == Fault::Away {
            return Some(Err(FailureKind::Refused));
        }
        if fault == Fault::Slow {
            tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        }
        let (status, body) = self.0.lock().unwrap().says(&path, request);
        let body = Bytes::from(body.to_string());
        Some(Ok(Answer { status, retry_after: None, body, cut: false }))
    }
}

impl State {
    fn says(&mut self, path: &str, request: &Request) -> (u16, Value) {
        let issuer = if self.fault == Fault::Metadata { "https://evil.example" } else { ISSUER };
        match path {
            "/.well-known/openid-configuration" | ELSEWHERE => (
                200,
                json!({
                    "issuer": issuer, "authorization_endpoint": format!("{ISSUER}/authorize"),
                    "token_endpoint": format!("{ISSUER}/token"), "jwks_uri": format!("{ISSUER}/keys"),
                    "response_types_supported": ["code"], "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["RS256", "EdDSA", "HS256", "none"],
                }),
            ),
            "/keys" => {
                let x = encoded(self.key.der_bytes());
                let key = json!({
                    "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.kid.to_string(), "x": x,
                });
                (200, json!({ "keys": [key] }))
            }
            "/token" => self.token(request),
            _ => (404, json!({})),
        }
    }

    fn token(&mut self, request: &Request) -> (u16, Value) {
        let refused = (400, json!({ "error": "invalid_grant" }));
        let sent = fields(std::str::from_utf8(&request.body).expect("a form"));
        let basic =
            request.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let pair = format!("{CLIENT}:{}", SECRET.replace(' ', "+"));
        assert_eq!(basic, format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)));
        // A code is good once.
        let Some(granted) = sent.get("code").and_then(|code| self.granted.remove(code)) else {
            return refused;
        };
        let verifier = sent.get("code_verifier").map(String::as_str).unwrap_or_default();
        let challenge = encoded(Sha256::digest(verifier));
        if challenge != granted.challenge || sent.get("redirect_uri") != Some(&granted.back) {
            return refused;
        }
        let mut told = json!({ "access_token": "opaque", "token_type": "Bearer", "expires_in": 60 });
        if self.fault != Fault::Tokenless {
            told["id_token"] = json!(self.signed(&granted, request.at.as_second()));
        }
        (200, told)
    }

    fn signed(&self, granted: &Granted, now_s: i64) -> String {
        let of =
            |fault, bad: &str, good: &str| if self.fault == fault { bad.to_owned() } else { good.to_owned() };
        let mut claims = json!({
            "iss": of(Fault::Issuer, "https://evil.example", ISSUER),
            "aud": of(Fault::Audience, "another client", CLIENT),
            "sub": "7", "iat": now_s - 5, "exp": if self.fault == Fault::Over { now_s - 1 } else { now_s + 300 },
            "nonce": of(Fault::Nonce, "another", &granted.nonce),
            "email": granted.address, "email_verified": self.fault != Fault::Unverified,
        });
        if self.fault == Fault::Nameless {
            claims.as_object_mut().expect("claims").remove("email");
        }
        let is = |fault: Fault| self.fault == fault;
        let alg = if is(Fault::Unsigned) {
            "none"
        } else if is(Fault::Shared) {
            "HS256"
        } else {
            "EdDSA"
        };
        let header = json!({ "alg": alg, "typ": "JWT", "kid": self.kid.to_string() });
        let said = format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()));
        let signature = if is(Fault::Unsigned) {
            Vec::new()
        } else if is(Fault::Shared) {
            shared(said.as_bytes())
        } else if is(Fault::Forged) {
            new_key().sign(said.as_bytes()).expect("a signature")
        } else {
            self.key.sign(said.as_bytes()).expect("a signature")
        };
        format!("{said}.{}", encoded(signature))
    }
}
