//! A browser without scripts that is signed in, as the desk or as a dealer.

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use leadyard_domain::access::DeskToken;
use leadyard_platform::store::{Session, SignedIn};
use leadyard_platform::who::{self, Staff};

use crate::post::Reply;
use crate::yard::Yard;

/// What a plain form is sent as.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// A browser with a session.
pub struct Browser<'y> {
    yard: &'y Yard,
    cookie: String,
    home: &'static str,
}

impl<'y> Browser<'y> {
    /// Signs in with the desk's token.
    pub async fn of(yard: &'y Yard) -> Self {
        Self::with(yard, &yard.desk_token()).await
    }

    /// Signs in with a dealer's token.
    pub async fn of_dealer(yard: &'y Yard, dealer: &str) -> Self {
        Self::begun(yard, &yard.dealer_token(dealer), "/console/inbox").await
    }

    /// Signs in with a token of the desk.
    pub async fn with(yard: &'y Yard, token: &str) -> Self {
        Self::begun(yard, token, "/console/today").await
    }

    async fn begun(yard: &'y Yard, token: &str, home: &'static str) -> Self {
        let form = format!("token={token}");
        let reply =
            yard.requests(Method::POST, "/console/sign-in", HeaderMap::new(), FORM, form.into()).await;
        assert_eq!((reply.status, reply.header("location")), (StatusCode::SEE_OTHER, home));
        let cookie = reply.header("set-cookie").to_owned();
        for rule in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/console"] {
            assert!(cookie.contains(rule), "{cookie}");
        }
        Self { yard, cookie: cookie.split(';').next().unwrap_or_default().to_owned(), home }
    }

    /// One in which somebody of the desk has signed in by their mailbox.
    pub async fn by_mail(yard: &'y Yard, address: &str) -> Self {
        let (store, mailbox) = (&yard.cloud.store, yard.cloud.master.mailboxes().of(address));
        let companies = store.companies().await.expect("the store");
        let signed = who::staff_of(&yard.cloud, &mailbox, &companies).await.expect("the store");
        let Staff { staff, companies, .. } = signed.expect("somebody of the desk");
        let random = || format!("{:032x}", u128::from_be_bytes(yard.cloud.entropy.bytes()));
        let (cookie, csrf) = (random(), random());
        let desk = DeskToken { staff, companies };
        let session = Session::begin(SignedIn::Desk(desk), Some(mailbox), csrf, yard.cloud.clock.now());
        store.session_begin(&cookie, &session).await.expect("the store");
        Self { yard, cookie: format!("leadyard_session={cookie}"), home: "/console/today" }
    }

    /// What it sends along.
    pub fn headers(&self) -> HeaderMap {
        HeaderMap::from_iter([
            (header::COOKIE, HeaderValue::try_from(&self.cookie).expect("a cookie")),
            (header::ACCEPT, HeaderValue::from_static("text/html,application/xhtml+xml,*/*;q=0.8")),
        ])
    }

    /// Opens a page.
    pub async fn opens(&self, path: &str) -> Reply {
        self.yard.requests(Method::GET, path, self.headers(), FORM, Vec::new()).await
    }

    /// Opens a page that must be there, and says how many reads of the table it took.
    pub async fn reads(&self, path: &str) -> (Reply, usize) {
        let _ = self.yard.faults.calls();
        let page = self.opens(path).await.is(200);
        (page, self.read_since())
    }

    /// Submits a form as [`Self::submits`], and says how many reads of the table it took.
    pub async fn submits_reading(&self, page: &Reply, path: &str, typed: &[(&str, &str)]) -> (Reply, usize) {
        let _ = self.yard.faults.calls();
        let reply = self.submits(page, path, typed).await;
        (reply, self.read_since())
    }

    /// How many reads of the table there were since somebody asked.
    pub fn read_since(&self) -> usize {
        let calls = self.yard.faults.calls();
        let reads = ["GetItem", "BatchGetItem", "Query", "TransactGetItems"];
        reads.iter().filter_map(|operation| calls.get(*operation)).sum()
    }

    /// Sends a form.
    pub async fn sends(&self, path: &str, form: &str) -> Reply {
        self.yard.requests(Method::POST, path, self.headers(), FORM, form.as_bytes().to_vec()).await
    }

    /// Sends a form as it is encoded: one with files.
    pub async fn sends_as(&self, path: &str, kind: &str, body: Vec<u8>) -> Reply {
        self.yard.requests(Method::POST, path, self.headers(), kind, body).await
    }

    /// Sends a form that is done, and opens the page that it leads to.
    pub async fn does(&self, path: &str, form: &str) -> Reply {
        let reply = self.sends(path, form).await.is(303);
        let to = reply.header("location").to_owned();
        assert!(to.starts_with("/console/"), "{to}");
        self.opens(&to).await
    }

    /// Sends the form of a page that posts to this path, as it stands: its hidden fields and what is filled in and
    /// ticked, with more typed into it.
    pub async fn submits(&self, page: &Reply, path: &str, typed: &[(&str, &str)]) -> Reply {
        self.sends(path, &filled(&page.text, path, typed)).await
    }

    /// What its forms carry.
    pub async fn csrf(&self) -> String {
        let page = self.opens(self.home).await.is(200);
        let rest = page.text.split_once("name=\"csrf\" value=\"").expect("a form").1;
        format!("csrf={}", rest.split('"').next().unwrap_or_default())
    }
}

/// A form of a page as a browser would send it, but for what is typed.
fn filled(page: &str, path: &str, typed: &[(&str, &str)]) -> String {
    let form = page
        .split("<form ")
        .find(|form| form.contains(&format!("action=\"{path}\"")))
        .unwrap_or_else(|| panic!("no form that posts to {path}: {page}"));
    let form = form.split("</form>").next().unwrap_or_default();
    let mut fields: Vec<(String, String)> = Vec::new();
    for input in form.split("<input ").skip(1).map(|rest| rest.split('>').next().unwrap_or_default()) {
        let ticked = !input.contains("type=\"checkbox\"") || input.split(' ').any(|word| word == "checked");
        let on = if input.contains("type=\"checkbox\"") { "on" } else { "" };
        if let (Some(name), true) = (attribute(input, "name"), ticked) {
            fields.push((name, attribute(input, "value").unwrap_or_else(|| on.to_owned())));
        }
    }
    for area in form.split("<textarea ").skip(1) {
        let (open, text) = area.split_once('>').unwrap_or_default();
        let text = text.split("</textarea>").next().unwrap_or_default().trim_start_matches('\n');
        fields.extend(
            attribute(open, "name")
                .map(|name| (name, unescaped(text).replace("\r\n", "\n").replace('\n', "\r\n"))),
        );
    }
    for select in
        form.split("<select ").skip(1).map(|rest| rest.split("</select>").next().unwrap_or_default())
    {
        let options: Vec<&str> = select.split("<option ").skip(1).collect();
        let chosen = options.iter().find(|option| option.contains(" selected")).or(options.first());
        let value = chosen.and_then(|option| attribute(option, "value")).unwrap_or_default();
        fields.extend(attribute(select, "name").map(|name| (name, value)));
    }
    for (name, value) in typed {
        fields.retain(|(known, _)| known != name);
        fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let rest = tag.split_once(&format!("{name}=\""))?.1;
    rest.split('"').next().map(unescaped)
}

fn unescaped(text: &str) -> String {
    [("&#60;", "<"), ("&#62;", ">"), ("&#34;", "\""), ("&#39;", "'"), ("&#38;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}
