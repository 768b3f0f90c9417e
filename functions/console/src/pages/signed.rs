//! Signing in and out, and whose session a request is of: the desk's or a dealer's.
//!
//! The session stands in the table; the browser has a random cookie, which scripts cannot read and other sites cannot
//! make it send with a form. Every form carries a word of the session besides.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use leadyard_domain::access::{DealerToken, DeskToken, Role};
use leadyard_domain::distribution::Core;
use leadyard_domain::error::Code;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::limits;
use leadyard_domain::rulebook::DeskPerson;
use leadyard_domain::rulebook::SignsInAs;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{self, Problem, Query};
use leadyard_platform::store::{Session, SignedIn, StoreError};
use leadyard_platform::who::{self, Staff};
use serde::Deserialize;

use super::again::{self, NotSignedIn, StoodOn};
use super::{Frame, Said, rendered};

const COOKIE: &str = "leadyard_session";
/// Where the desk begins.
pub(super) const TODAY: &str = "/console/today";
/// Where a dealer begins.
pub(super) const INBOX: &str = "/console/inbox";

/// Somebody who is signed in, whoever it is.
pub(super) trait InSession: Send + Sync {
    /// How the page calls them.
    fn name(&self) -> &str;
    /// What every form of theirs carries.
    fn csrf(&self) -> &str;
    /// Where they begin: what stands around a page is theirs.
    fn home(&self) -> &'static str;
    /// Whether they have at least this role in any company.
    fn may(&self, role: Role) -> bool;
    /// Whether a company's leads are theirs to see.
    fn sees(&self, company: &CompanyId) -> bool;
}

/// Somebody of the desk who is signed in.
#[derive(Clone, Debug)]
pub(super) struct Signed {
    /// Who, with the companies in which they may do what the page is for.
    pub(super) desk: Staff,
    /// What every form of theirs carries.
    pub(super) csrf: String,
}

/// Somebody of the desk who is signed in, and has at least this role in a company: what a page of the desk names among its
/// arguments, and what takes its form within [`Sent`]. One that forgot to say what it needs does not compile.
#[derive(Clone, Debug)]
pub(super) struct For<const NEEDS: u8>(pub(super) Signed);

impl Signed {
    /// The company that is asked for by name, or the first that they were given where none is named.
    pub(super) fn company_of(&self, asked: &str) -> Result<CompanyId, Problem> {
        let first = self.desk.companies.first().map(|company| company.as_str());
        who::company(&self.desk, Some(asked).filter(|asked| !asked.is_empty()).or(first))
    }

    /// The rules of that company.
    pub(super) async fn rules_of(&self, cloud: &Cloud, asked: &str) -> Result<Arc<Core>, Problem> {
        who::rules_of(cloud, &self.company_of(asked)?).await
    }
}

impl<const NEEDS: u8> InSession for For<NEEDS> {
    fn name(&self) -> &str {
        self.0.name()
    }
    fn csrf(&self) -> &str {
        self.0.csrf()
    }
    fn home(&self) -> &'static str {
        self.0.home()
    }
    fn may(&self, role: Role) -> bool {
        self.0.may(role)
    }
    fn sees(&self, company: &CompanyId) -> bool {
        self.0.sees(company)
    }
}

impl InSession for Signed {
    fn name(&self) -> &str {
        &self.desk.staff
    }
    fn csrf(&self) -> &str {
        &self.csrf
    }
    fn home(&self) -> &'static str {
        TODAY
    }
    fn may(&self, role: Role) -> bool {
        self.desk.may_anywhere(role)
    }
    fn sees(&self, company: &CompanyId) -> bool {
        self.desk.companies.contains(company)
    }
}

/// Somebody of a dealer who is signed in.
#[derive(Clone, Debug)]
pub(super) struct SignedDealer {
    /// Which dealer.
    pub(super) token: DealerToken,
    /// What every form of theirs carries.
    pub(super) csrf: String,
}

impl InSession for SignedDealer {
    fn name(&self) -> &str {
        self.token.dealer.as_str()
    }
    fn csrf(&self) -> &str {
        &self.csrf
    }
    fn home(&self) -> &'static str {
        INBOX
    }
    fn may(&self, _: Role) -> bool {
        false
    }
    fn sees(&self, _: &CompanyId) -> bool {
        false
    }
}

/// Whoever is signed in, as the rules in force have them.
pub(super) struct Whoever {
    session: Session,
    /// Of somebody of the desk: what they may do.
    staff: Option<Staff>,
}

impl InSession for Whoever {
    fn name(&self) -> &str {
        match &self.session.who {
            SignedIn::Desk(desk) => &desk.staff,
            SignedIn::Dealer(token) => token.dealer.as_str(),
        }
    }
    fn csrf(&self) -> &str {
        &self.session.csrf
    }
    fn home(&self) -> &'static str {
        home_of(&self.session.who)
    }
    fn may(&self, role: Role) -> bool {
        self.staff.as_ref().is_some_and(|staff| staff.may_anywhere(role))
    }
    fn sees(&self, company: &CompanyId) -> bool {
        self.staff.as_ref().is_some_and(|staff| staff.companies.contains(company))
    }
}

fn home_of(who: &SignedIn) -> &'static str {
    match who {
        SignedIn::Desk(_) => TODAY,
        SignedIn::Dealer(_) => INBOX,
    }
}

impl<const NEEDS: u8> FromRequestParts<Cloud> for For<NEEDS> {
    /// The page to sign in, which comes back to where one was going; a dealer's own page, for a dealer; or one that says
    /// which role is needed.
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, cloud: &Cloud) -> Result<Self, Response> {
        let whoever = Whoever::from_request_parts(parts, cloud).await?;
        let Some(staff) = &whoever.staff else { return Err(whoever.elsewhere(parts)) };
        match staff.clone().asks(who::role_of(NEEDS)) {
            Ok(desk) => Ok(Self(Signed { desk, csrf: whoever.session.csrf })),
            Err(problem) => Err(super::troubled(&whoever, &problem)),
        }
    }
}

impl FromRequestParts<Cloud> for SignedDealer {
    /// As for [`For`].
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, cloud: &Cloud) -> Result<Self, Response> {
        let whoever = Whoever::from_request_parts(parts, cloud).await?;
        match whoever.session.who {
            SignedIn::Dealer(token) => Ok(Self { token, csrf: whoever.session.csrf }),
            SignedIn::Desk(_) => Err(whoever.elsewhere(parts)),
        }
    }
}

impl Whoever {
    /// Whoever's session the cookie is of, if they still have access: who came by a mailbox has what the rules in force
    /// say, which costs two reads more.
    pub(super) async fn of(cloud: &Cloud, headers: &HeaderMap) -> Result<Option<Self>, StoreError> {
        let Some(cookie) = cookie(headers) else { return Ok(None) };
        let Some(session) = cloud.store.session_get(cookie, cloud.clock.now()).await? else {
            return Ok(None);
        };
        let staff = match (&session.who, &session.mailbox) {
            (SignedIn::Desk(desk), None) => Some(Staff::from(desk.clone())),
            (SignedIn::Desk(desk), Some(mailbox)) => {
                let stands = who::staff_of(cloud, mailbox, &desk.companies).await?;
                if stands.is_none() {
                    return Ok(None);
                }
                stands
            }
            (SignedIn::Dealer(_), None) => None,
            (SignedIn::Dealer(token), Some(mailbox)) => {
                let access = cloud.store.access_of(mailbox, std::slice::from_ref(&token.company)).await?;
                let dealer = SignsInAs::Dealer(token.dealer.clone());
                if !access.iter().any(|(_, signs_in_as)| *signs_in_as == dealer) {
                    return Ok(None);
                }
                None
            }
        };
        Ok(Some(Self { session, staff }))
    }

    /// What stands for them in all of their sessions.
    pub(super) fn whose(&self) -> String {
        self.session.whose()
    }

    /// Somebody who may see nothing here is led to where they begin; of a form nothing is done.
    fn elsewhere(&self, parts: &Parts) -> Response {
        if parts.method == Method::GET {
            return Redirect::to(self.home()).into_response();
        }
        super::troubled(self, &Problem::new(Code::Forbidden, "this is for others than you are signed in as"))
    }
}

impl FromRequestParts<Cloud> for Whoever {
    /// The page to sign in, which comes back to where one was going.
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, cloud: &Cloud) -> Result<Self, Response> {
        let found = Self::of(cloud, &parts.headers).await.map_err(|error| {
            nobody("Not just now", Problem::from(error).detail(), StatusCode::SERVICE_UNAVAILABLE)
        })?;
        found.ok_or_else(|| {
            let path = parts.uri.path_and_query().map_or(TODAY, |path| path.as_str());
            // A form is not sent again by itself: whoever signs in goes to the page that it stood on.
            let (next, over) = match () {
                () if parts.method == Method::GET => (path, ""),
                () if has_files(&parts.headers) => (page_of(path), FILES),
                () if path == "/console/sign-out" => (TODAY, ""),
                () => (page_of(path), "form"),
            };
            let asked = [("next", next), ("over", over)];
            let mut answer = Redirect::to(&super::address("/console/sign-in", &asked)).into_response();
            answer.extensions_mut().insert(NotSignedIn);
            answer
        })
    }
}

/// The page on which a form stands: `/console/leads/ID` for `/console/leads/ID/hold`.
pub(super) fn page_of(path: &str) -> &str {
    match path {
        // Some pages take their own form.
        "/console/leads" | "/console/dealers" | "/console/leads/export" => path,
        _ if path.starts_with("/console/leads/many/") => path,
        _ => path.rsplit_once('/').map_or(TODAY, |(page, _)| page),
    }
}

/// Whether a form brings files.
pub(super) fn has_files(headers: &HeaderMap) -> bool {
    http::text(headers, "content-type").is_some_and(|kind| kind.starts_with("multipart/"))
}

/// The session's cookie.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    named_cookie(headers, COOKIE)
}

/// A cookie by its name.
pub(super) fn named_cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let pairs = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut named = pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    named.find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// A form's fields, once each.
pub(super) type Form = BTreeMap<String, String>;

/// Why a form is not taken.
pub(super) enum NotTaken {
    /// It came from another site.
    Elsewhere,
    /// It is of an earlier session of this browser.
    Earlier,
    /// It could not be read.
    Unread(Problem),
}

/// A form that is of an earlier session, with what was typed into it: to be copied, and not to be sent again by a click,
/// since whose it was is not known.
#[derive(askama::Template)]
#[template(path = "earlier.html")]
struct Earlier {
    frame: Frame,
    stood_on: StoodOn,
    said: Vec<(String, String)>,
    files: bool,
}

impl NotTaken {
    /// The title and the words of a page that says so.
    fn says(&self) -> (&'static str, &str) {
        match self {
            Self::Elsewhere => ("This form came from elsewhere", "a form of another site is not taken"),
            Self::Earlier => (
                "This form is of an earlier sign-in",
                "this form is of an earlier session: open the page again",
            ),
            Self::Unread(problem) => (super::title_of(problem.code()), problem.detail()),
        }
    }

    /// The page that says so, with what was typed and where that stood.
    pub(super) async fn page(
        &self,
        cloud: &Cloud,
        signed: &dyn InSession,
        (path, headers): (&str, &HeaderMap),
        form: Form,
    ) -> Response {
        let (title, detail) = self.says();
        let frame = Frame::of(title, "", signed);
        match self {
            Self::Elsewhere => {
                let said = Said { frame, detail: detail.to_owned(), stands_on: String::new() };
                rendered(&said, StatusCode::FORBIDDEN)
            }
            Self::Unread(problem) => super::troubled(signed, problem),
            Self::Earlier => {
                let stood_on = StoodOn::of(cloud, signed, path).await;
                let said = again::typed(&form.into_iter().collect::<Vec<_>>());
                let files = has_files(headers);
                rendered(&Earlier { frame, stood_on, said, files }, StatusCode::FORBIDDEN)
            }
        }
    }
}

/// A form of somebody who is signed in: of their session and of our own site; a page that says why, where it is not taken.
pub(super) struct Sent<Whose> {
    pub(super) signed: Whose,
    pub(super) form: Form,
}

impl<Whose> FromRequest<Cloud> for Sent<Whose>
where
    Whose: InSession + FromRequestParts<Cloud, Rejection = Response>,
{
    type Rejection = Response;

    async fn from_request(request: Request, cloud: &Cloud) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let signed = Whose::from_request_parts(&mut parts, cloud).await?;
        let (form, taken) = match read(&parts.headers, body).await {
            Ok(form) => {
                let taken = check(&signed, &parts.headers, &form);
                (form, taken)
            }
            Err(not_taken) => (Form::new(), Err(not_taken)),
        };
        match taken {
            Ok(()) => Ok(Self { signed, form }),
            Err(why) => Err(why.page(cloud, &signed, (parts.uri.path(), &parts.headers), form).await),
        }
    }
}

/// Whether a form that was read otherwise, with files, is of this session and of our own site.
pub(super) fn check(signed: &dyn InSession, headers: &HeaderMap, form: &Form) -> Result<(), NotTaken> {
    is_of_our_site(headers)?;
    if form.get("csrf").map(String::as_str) == Some(signed.csrf()) { Ok(()) } else { Err(NotTaken::Earlier) }
}

fn is_of_our_site(headers: &HeaderMap) -> Result<(), NotTaken> {
    let from = http::text(headers, "sec-fetch-site").unwrap_or("same-origin");
    if ["same-origin", "none"].contains(&from) { Ok(()) } else { Err(NotTaken::Elsewhere) }
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Form, NotTaken> {
    is_of_our_site(headers)?;
    let body = http::body(body, limits::BODY_BYTES).await.map_err(NotTaken::Unread)?;
    Ok(form_urlencoded::parse(&body).into_owned().collect())
}

/// The page to sign in.
#[derive(askama::Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    frame: Frame,
    next: String,
    trouble: &'static str,
    /// What became of what was sent when the sign-in was over.
    over: &'static str,
    /// Where the provider is gone to; empty, where there is none.
    provider: String,
    /// Of one machine alone: people to be chosen.
    people: Vec<Offered>,
}

/// Somebody who may be chosen and not signed in.
struct Offered {
    company: String,
    person: String,
    role: String,
}

impl SignIn {
    async fn of(cloud: &Cloud, headers: &HeaderMap, next: &str, trouble: &'static str) -> Self {
        let provider =
            cloud.oidc.as_ref().map(|_| super::address("/console/sign-in/provider", &[("next", next)]));
        Self {
            frame: Frame::of_nobody("Sign in"),
            next: next.to_owned(),
            trouble,
            over: "",
            provider: provider.unwrap_or_default(),
            people: offered(cloud, headers)
                .await
                .iter()
                .map(|(company, one)| Offered {
                    company: company.to_string(),
                    person: one.person.to_string(),
                    role: one.role.to_string(),
                })
                .collect(),
        }
    }
}

/// The people of every company's rules, where whoever runs this offers them; on this machine alone.
async fn offered(cloud: &Cloud, headers: &HeaderMap) -> Vec<(CompanyId, DeskPerson)> {
    if !cloud.offers_people || !on_this_machine(headers) {
        return Vec::new();
    }
    let mut people = Vec::new();
    for company in cloud.store.companies().await.unwrap_or_default() {
        if let Ok(core) = who::rules_of(cloud, &company).await
            && let Ok(Some(book)) = cloud.rulebooks.book(&cloud.store, &core).await
        {
            people.extend(book.people.iter().map(|one| (company.clone(), one.clone())));
        }
    }
    people
}

#[derive(Deserialize)]
pub(super) struct Next {
    pub(super) next: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    next: Option<String>,
    /// What was sent when the sign-in was over: a `form`, or `files`.
    over: String,
}

/// Files were sent.
const FILES: &str = "files";

/// Where to go on to: a page of the console, and nowhere else.
pub(super) fn inside(next: Option<&str>) -> &str {
    let ours = |next: &&str| next.starts_with("/console/") && !next.contains('\\') && !next.contains("//");
    next.filter(ours).unwrap_or(TODAY)
}

/// Whether a page is a dealer's.
fn is_of_inbox(path: &str) -> bool {
    path.strip_prefix(INBOX).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

/// `GET /console/sign-in?next&over`.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    headers: HeaderMap,
    Query(Asked { next, over }): Query<Asked>,
) -> Response {
    let page = SignIn::of(&cloud, &headers, inside(next.as_deref()), "").await;
    let over = match over.as_str() {
        "" => "",
        FILES => {
            "Your sign-in is over: the files were not taken, and nothing was done. Sign in, and choose them again on the \
             page that opens."
        }
        _ => "Your sign-in is over, and nothing was done. Sign in, and do it again on the page that opens.",
    };
    rendered(&SignIn { over, ..page }, StatusCode::OK)
}

/// `POST /console/sign-in`: `token`, `next`; where people are offered, `company` and `person` in place of a token.
pub(super) async fn sign_in(State(cloud): State<Cloud>, headers: HeaderMap, body: Body) -> Response {
    let form = match read(&headers, body).await {
        Ok(form) => form,
        Err(why) => {
            let (title, detail) = why.says();
            return nobody(title, detail, StatusCode::FORBIDDEN);
        }
    };
    let next = inside(form.get("next").map(String::as_str)).to_owned();
    if let (Some(company), Some(person)) = (form.get("company"), form.get("person")) {
        let people = offered(&cloud, &headers).await;
        let chosen = people.iter().find(|(of, one)| of.as_str() == company && one.person.as_str() == person);
        let Some((company, one)) = chosen else {
            return nobody(
                "That did not work",
                "there is nobody to be chosen by this name",
                StatusCode::NOT_FOUND,
            );
        };
        let desk = DeskToken { staff: one.person.to_string(), companies: vec![company.clone()] };
        let mailbox = cloud.master.mailboxes().of(&one.email);
        return begin(&cloud, &headers, SignedIn::Desk(desk), Some(mailbox), &next).await;
    }
    let token = form.get("token").map(|token| token.trim()).unwrap_or_default();
    let desk = cloud.master.verify::<DeskToken>(token).map(SignedIn::Desk);
    let Some(who) = desk.or_else(|| who::dealer_of(&cloud, token).map(SignedIn::Dealer)) else {
        let trouble = "This is neither the desk's token nor a dealer's. It begins with desk_ or dealer_ and is one line.";
        let page = SignIn::of(&cloud, &headers, &next, trouble).await;
        return rendered(&page, StatusCode::UNAUTHORIZED);
    };
    begin(&cloud, &headers, who, None, &next).await
}

/// Begins a session under a cookie of its own, whatever the browser had before, and goes on.
pub(super) async fn begin(
    cloud: &Cloud,
    headers: &HeaderMap,
    who: SignedIn,
    mailbox: Option<String>,
    next: &str,
) -> Response {
    let random = || URL_SAFE_NO_PAD.encode(cloud.entropy.bytes::<32>());
    let (new, session) = (random(), Session::begin(who, mailbox, random(), cloud.clock.now()));
    // What somebody else may have put into this browser is over with it.
    let ended = match cookie(headers) {
        Some(old) => cloud.store.session_end(old).await,
        None => Ok(()),
    };
    let begun = match ended {
        Ok(()) => cloud.store.session_begin(&new, &session).await,
        Err(error) => Err(error),
    };
    if let Err(error) = begun {
        return nobody("Not just now", Problem::from(error).detail(), StatusCode::SERVICE_UNAVAILABLE);
    }
    match &session.who {
        SignedIn::Desk(desk) => tracing::info!(staff = %desk.staff, "signed in"),
        SignedIn::Dealer(token) => {
            tracing::info!(company = %token.company, dealer.id = %token.dealer, "signed in");
        }
    }
    // Each goes on to their own pages alone.
    let home = home_of(&session.who);
    let next = if is_of_inbox(next) == (home == INBOX) { next } else { home };
    with_cookie(Redirect::to(next), headers, &new, limits::SESSION_HOURS * 3_600)
}

/// `POST /console/sign-out`: `everywhere` ends all sessions of whoever this one is of.
pub(super) async fn sign_out(
    State(cloud): State<Cloud>,
    headers: HeaderMap,
    Sent { signed, form }: Sent<Whoever>,
) -> Response {
    let ended = if form.contains_key("everywhere") {
        cloud.store.sessions_end(&signed.session).await.map(|count| {
            tracing::info!(sessions = count, "somebody signed out everywhere");
        })
    } else if let Some(cookie) = cookie(&headers) {
        cloud.store.session_end(cookie).await
    } else {
        Ok(())
    };
    if let Err(error) = ended {
        return super::troubled(&signed, &Problem::from(error));
    }
    with_cookie(Redirect::to("/console/sign-in"), &headers, "", 0)
}

fn with_cookie(to: Redirect, headers: &HeaderMap, cookie: &str, seconds: i64) -> Response {
    let mut response = to.into_response();
    if let Ok(value) = HeaderValue::try_from(cookie_of(headers, COOKIE, cookie, seconds)) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// A cookie that scripts cannot read and other sites cannot make a browser send with a form; `Secure`, but on this
/// machine, where browsers differ in what they take over plain HTTP.
pub(super) fn cookie_of(headers: &HeaderMap, name: &str, value: &str, seconds: i64) -> String {
    let secure = if on_this_machine(headers) { "" } else { "; Secure" };
    format!("{name}={value}; Path=/console; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
}

fn on_this_machine(headers: &HeaderMap) -> bool {
    let host = http::text(headers, "host").unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    ["localhost", "127.0.0.1", "[::1]"].contains(&name)
}

/// Where the console is, as the browser asked for it: nobody but who stands in front of the function chooses by which
/// name it is asked for, and a provider sends nobody to an address that is not registered with it.
pub(super) fn base(headers: &HeaderMap) -> String {
    let scheme = if on_this_machine(headers) { "http" } else { "https" };
    format!("{scheme}://{}", http::text(headers, "host").unwrap_or("localhost"))
}

pub(super) fn nobody(title: &str, detail: &str, status: StatusCode) -> Response {
    let frame = Frame::of_nobody(title);
    rendered(&Said { frame, detail: detail.to_owned(), stands_on: String::new() }, status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signing_in_goes_on_to_pages_of_the_console_alone() {
        assert_eq!(inside(Some("/console/leads?stage=waiting")), "/console/leads?stage=waiting");
        for elsewhere in [
            "https://evil.example/console/",
            "//evil.example",
            "/console/\\evil",
            "/v1/leads",
            "/console//evil.example",
        ] {
            assert_eq!(inside(Some(elsewhere)), TODAY, "{elsewhere}");
        }
    }
}
