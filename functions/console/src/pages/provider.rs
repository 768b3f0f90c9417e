//! Signing in by an OpenID provider: the authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636).
//!
//! What must be the same when somebody comes back from the provider is derived from a random number in a signed cookie
//! that lives ten minutes: the state, which only this browser can send; the nonce, which the provider signs; and the
//! verifier, which it asks for. So nothing is written before somebody is known, and a link that another began leads
//! nowhere.
//!
//! Determinations. *Whoever it is, the address says*, and only one that the provider has verified: rulebooks name
//! people by it. *What the provider says is not repeated*, in no page and no log. *Everything has an end*: a provider that
//! does not answer in [`limits::PROVIDER_MS`] is one that is away.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use jiff::Timestamp;
use leadyard_domain::access::{Credential, DeskToken};
use leadyard_domain::ids::CompanyId;
use leadyard_domain::limits;
use leadyard_domain::rulebook::SignsInAs;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Query;
use leadyard_platform::oidc::{Provider, ProviderError, Published};
use leadyard_platform::outbound::{Outbound, Request};
use leadyard_platform::store::SignedIn;
use leadyard_platform::who;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreJsonWebKeySet, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreTokenResponse,
};
use openidconnect::{
    AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, Scope, SignatureVerificationError, TokenResponse as _,
};
use serde::{Deserialize, Serialize};

use super::signed::{self, Next, inside, nobody};

const COOKIE: &str = "leadyard_signing_in";
/// Where somebody comes back to: what is to be registered with the provider.
const BACK: &str = "/console/sign-in/back";

/// What tokens may be signed by: the provider's keys, never a secret that we share with it, and never nothing.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// A sign-in that has begun.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SigningIn {
    seed: [u8; 16],
    /// Where to go on to.
    next: String,
    /// Unix seconds.
    until_s: i64,
}

impl Credential for SigningIn {
    const PREFIX: &'static str = "signing_in";
}

impl SigningIn {
    /// Its state, nonce or verifier: 43 characters that say nothing of each other.
    fn derived(&self, cloud: &Cloud, what: &str) -> String {
        let purpose = format!("leadyard/signing-in/v1/{what}/{}", URL_SAFE_NO_PAD.encode(self.seed));
        URL_SAFE_NO_PAD.encode(cloud.master.derive(&purpose))
    }
}

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error("the sign-in was not begun in this browser, or too long ago")]
    NotBegun,
    #[error("the provider did not let them in")]
    Denied,
    #[error("the provider refused the code")]
    NoToken,
    #[error("the provider's token is not good: {0}")]
    Token(&'static str),
    #[error("the provider has not verified the address")]
    Unverified,
    #[error("no company knows the address")]
    Unknown,
    #[error(transparent)]
    Store(#[from] leadyard_platform::store::StoreError),
}

impl Trouble {
    fn page(&self) -> Response {
        let (title, says, status) = match self {
            Self::Provider(ProviderError::Unanswered) => (
                "Not just now",
                "The service that you sign in by does not answer. Nothing is lost: try again in a minute.",
                StatusCode::SERVICE_UNAVAILABLE,
            ),
            Self::Provider(ProviderError::Unreadable | ProviderError::OtherIssuer) => (
                "Signing in is set up wrongly",
                "The service that you sign in by is not the one that is configured here. Tell whoever runs Leadyard.",
                StatusCode::BAD_GATEWAY,
            ),
            Self::NotBegun => (
                "Sign in again",
                "This sign-in was begun in another browser, or more than ten minutes ago. Begin again.",
                StatusCode::FORBIDDEN,
            ),
            Self::Denied => (
                "You were not signed in",
                "The service that you sign in by did not let you in, or you stopped there.",
                StatusCode::FORBIDDEN,
            ),
            Self::NoToken | Self::Token(_) => (
                "You were not signed in",
                "What the service that you sign in by said of you could not be trusted. Begin again; if it stays so, \
                 tell whoever runs Leadyard.",
                StatusCode::FORBIDDEN,
            ),
            Self::Unverified => (
                "Your address is not verified",
                "The service that you sign in by has not verified your e-mail address. Verify it there, and sign in \
                 again.",
                StatusCode::FORBIDDEN,
            ),
            Self::Unknown => (
                "Nobody here knows you",
                "Neither a company's people nor its dealers have the e-mail address that you signed in by. Ask to be added.",
                StatusCode::FORBIDDEN,
            ),
            Self::Store(_) => (
                "Not just now",
                "The store did not answer. Nothing is lost: try again in a minute.",
                StatusCode::SERVICE_UNAVAILABLE,
            ),
        };
        nobody(title, says, status)
    }

    fn log(&self) {
        let error = self as &dyn std::error::Error;
        match self {
            Self::Provider(_) | Self::Store(_) => tracing::warn!(error, "nobody could sign in"),
            Self::NotBegun
            | Self::Denied
            | Self::NoToken
            | Self::Token(_)
            | Self::Unverified
            | Self::Unknown => tracing::info!(error, "somebody was not signed in"),
        }
    }
}

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

fn client(provider: &Provider, published: &Published, headers: &HeaderMap) -> Result<Client, ProviderError> {
    let unreadable = |_| ProviderError::Unreadable;
    let metadata: CoreProviderMetadata = serde_json::from_slice(&published.metadata).map_err(unreadable)?;
    let keys: CoreJsonWebKeySet = serde_json::from_slice(&published.keys).map_err(unreadable)?;
    let back = RedirectUrl::new(format!("{}{BACK}", signed::base(headers)));
    let back = back.map_err(|_| ProviderError::Unreadable)?;
    let access = &provider.access;
    let secret = access.client_secret.clone().map(ClientSecret::new);
    let id = ClientId::new(access.client_id.clone());
    Ok(CoreClient::from_provider_metadata(metadata.set_jwks(keys), id, secret).set_redirect_uri(back))
}

/// `GET /console/sign-in/provider?next`: on to the provider.
pub(super) async fn go(
    State(cloud): State<Cloud>,
    headers: HeaderMap,
    Query(Next { next }): Query<Next>,
) -> Response {
    let Some(provider) = &cloud.oidc else { return Redirect::to("/console/sign-in").into_response() };
    let now = cloud.clock.now();
    let signing = SigningIn {
        seed: cloud.entropy.bytes(),
        next: inside(next.as_deref()).to_owned(),
        until_s: now.as_second() + limits::SIGNING_IN_S,
    };
    let published = provider.published(&cloud.outbound, now);
    let to = in_time(async { address(&cloud, provider, &*published.await?, &headers, &signing) });
    match to.await {
        Ok(to) => {
            let cookie =
                signed::cookie_of(&headers, COOKIE, &cloud.master.mint(&signing), limits::SIGNING_IN_S);
            let mut response = Redirect::to(&to).into_response();
            set(&mut response, &cookie);
            response
        }
        Err(trouble) => {
            trouble.log();
            trouble.page()
        }
    }
}

fn address(
    cloud: &Cloud,
    provider: &Provider,
    published: &Published,
    headers: &HeaderMap,
    signing: &SigningIn,
) -> Result<String, Trouble> {
    let client = client(provider, published, headers)?;
    let verifier = PkceCodeVerifier::new(signing.derived(cloud, "verifier"));
    let (state, nonce) = (signing.derived(cloud, "state"), signing.derived(cloud, "nonce"));
    let (url, ..) = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            move || CsrfToken::new(state),
            move || Nonce::new(nonce),
        )
        .add_scope(Scope::new("email".to_owned()))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .url();
    Ok(url.to_string())
}

/// Ends what takes longer than a person waits.
async fn in_time<T>(work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    let most = Duration::from_millis(limits::PROVIDER_MS);
    tokio::time::timeout(most, work).await.unwrap_or(Err(Trouble::Provider(ProviderError::Unanswered)))
}

fn set(response: &mut Response, cookie: &str) {
    if let Ok(value) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// What the provider sends somebody back with.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Back {
    code: Option<String>,
    state: Option<String>,
}

/// `GET /console/sign-in/back?code&state`: from the provider.
pub(super) async fn back(
    State(cloud): State<Cloud>,
    headers: HeaderMap,
    Query(sent): Query<Back>,
) -> Response {
    let Some(provider) = &cloud.oidc else { return Redirect::to("/console/sign-in").into_response() };
    let over = signed::cookie_of(&headers, COOKIE, "", 0);
    let mut response = match Box::pin(in_time(known(&cloud, provider, &headers, sent))).await {
        Ok((who, mailbox, next)) => signed::begin(&cloud, &headers, who, Some(mailbox), &next).await,
        Err(trouble) => {
            trouble.log();
            trouble.page()
        }
    };
    set(&mut response, &over);
    response
}

/// Who it is, with the companies that know them, their mailbox, and where they were going.
async fn known(
    cloud: &Cloud,
    provider: &Provider,
    headers: &HeaderMap,
    sent: Back,
) -> Result<(SignedIn, String, String), Trouble> {
    let now = cloud.clock.now();
    let signing =
        signed::named_cookie(headers, COOKIE).and_then(|text| cloud.master.verify::<SigningIn>(text));
    let signing = signing.filter(|signing| now.as_second() < signing.until_s).ok_or(Trouble::NotBegun)?;
    if sent.state.as_deref() != Some(signing.derived(cloud, "state").as_str()) {
        return Err(Trouble::NotBegun);
    }
    let code = sent.code.filter(|code| !code.is_empty()).ok_or(Trouble::Denied)?;
    let published = provider.published(&cloud.outbound, now).await?;
    let verifier = PkceCodeVerifier::new(signing.derived(cloud, "verifier"));
    let (outbound, client) = (&cloud.outbound, client(provider, &published, headers)?);
    let over_ours = move |request: HttpRequest| exchange(outbound.clone(), request, now);
    let response: CoreTokenResponse = client
        .exchange_code(AuthorizationCode::new(code))
        .map_err(|_| ProviderError::Unreadable)?
        .set_pkce_verifier(verifier)
        .request_async(&over_ours)
        .await
        .map_err(|error| match error {
            openidconnect::RequestTokenError::Request(_) => Trouble::Provider(ProviderError::Unanswered),
            openidconnect::RequestTokenError::ServerResponse(_)
            | openidconnect::RequestTokenError::Parse(..)
            | openidconnect::RequestTokenError::Other(_) => Trouble::NoToken,
        })?;
    let token = response.id_token().ok_or(Trouble::Token("there is none"))?;
    let nonce = Nonce::new(signing.derived(cloud, "nonce"));
    let address = match address_of(&client, token, &nonce, now) {
        Err(Refused::NoSuchKey) => {
            // Providers change their keys.
            let renewed =
                provider.renewed(&cloud.outbound, now).await?.ok_or(Trouble::Token("no such key"))?;
            let client = self::client(provider, &renewed, headers)?;
            address_of(&client, token, &nonce, now).map_err(Refused::trouble)?
        }
        address => address.map_err(Refused::trouble)?,
    };
    let mailbox = cloud.master.mailboxes().of(&address);
    let companies: Vec<CompanyId> = cloud.store.companies().await?;
    // Who works at a desk and is a dealer besides signs in at the desk: a dealer has its token as well.
    if let Some(signed) = who::staff_of(cloud, &mailbox, &companies).await? {
        let desk = DeskToken { staff: signed.staff, companies: signed.companies };
        return Ok((SignedIn::Desk(desk), mailbox, signing.next));
    }
    let access = cloud.store.access_of(&mailbox, &companies).await?;
    let dealer = access.into_iter().find_map(|(company, signs_in_as)| match signs_in_as {
        SignsInAs::Dealer(dealer) => Some(who::token_of(company, dealer)),
        SignsInAs::Staff(..) => None,
    });
    Ok((SignedIn::Dealer(dealer.ok_or(Trouble::Unknown)?), mailbox, signing.next))
}

/// Why a token is not taken.
enum Refused {
    NoSuchKey,
    Other(Trouble),
}

impl Refused {
    fn trouble(self) -> Trouble {
        match self {
            Self::NoSuchKey => Trouble::Token("no such key"),
            Self::Other(trouble) => trouble,
        }
    }
}

/// The address that a token is of, if it is good and the provider has verified the address.
fn address_of(
    client: &Client,
    token: &CoreIdToken,
    nonce: &Nonce,
    now: Timestamp,
) -> Result<String, Refused> {
    let at: DateTime<Utc> = DateTime::from_timestamp(now.as_second(), 0).unwrap_or_default();
    let verifier = client.id_token_verifier().set_allowed_algs(ALGORITHMS).set_time_fn(move || at);
    let claims = token.claims(&verifier, nonce).map_err(|error| {
        let no_key = SignatureVerificationError::NoMatchingKey;
        if error == ClaimsVerificationError::SignatureVerification(no_key) {
            Refused::NoSuchKey
        } else {
            Refused::Other(Trouble::Token(what_of(&error)))
        }
    })?;
    if claims.email_verified() != Some(true) {
        return Err(Refused::Other(Trouble::Unverified));
    }
    let address = claims.email().map(|email| email.as_str().to_owned());
    address.ok_or(Refused::Other(Trouble::Unverified))
}

/// What is wrong with it, without what it says: that may be a person's.
fn what_of(error: &ClaimsVerificationError) -> &'static str {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library may add kinds")]
    match error {
        ClaimsVerificationError::Expired(_) => "it is over",
        ClaimsVerificationError::InvalidAudience(_) => "it is for another",
        ClaimsVerificationError::InvalidIssuer(_) => "it is another provider's",
        ClaimsVerificationError::InvalidNonce(_) => "it is of another sign-in",
        ClaimsVerificationError::SignatureVerification(_) => "its signature is not the provider's",
        _ => "it could not be read",
    }
}

/// The request for a token did not come through.
#[derive(Debug, thiserror::Error)]
#[error("the OpenID provider did not answer")]
struct NotExchanged;

/// One request to the provider, over our own way out.
async fn exchange(
    outbound: Outbound,
    request: HttpRequest,
    at: Timestamp,
) -> Result<HttpResponse, NotExchanged> {
    let (parts, body) = request.into_parts();
    let request = Request {
        method: Method::from_bytes(parts.method.as_str().as_bytes()).map_err(|_| NotExchanged)?,
        url: parts.uri.to_string(),
        headers: parts.headers,
        body: Bytes::from(body),
        at,
    };
    let answer = outbound.get(request).await.map_err(|_| NotExchanged)?;
    if answer.status >= 500 {
        return Err(NotExchanged);
    }
    let mut response = HttpResponse::new(answer.body.to_vec());
    *response.status_mut() = StatusCode::from_u16(answer.status).map_err(|_| NotExchanged)?;
    // The library asks for what kind it is; a provider that says none means JSON.
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
