//! Somebody who is signed in and goes from link to link, so that what is measured is what people come to: a new page is
//! among it as soon as a page leads to it.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context as _;
use http::{Method, StatusCode, header};
use jiff::civil::Date;

/// What a plain form is sent as.
const FORM: &str = "application/x-www-form-urlencoded";
/// Says how long the server took, in microseconds.
pub(super) const TOOK: &str = "x-took-us";
/// How the kinds of pages about a year end.
pub(super) const YEAR: &str = ", a year";
/// Addresses of a kind of page that are kept.
const KEPT: usize = 200;
/// Pages of a kind that are looked through for links.
const LOOKED: usize = 30;

/// What was answered.
pub(super) struct Page {
    pub(super) status: StatusCode,
    pub(super) text: String,
    pub(super) bytes: usize,
    /// Within the server.
    pub(super) took: Duration,
}

impl Page {
    /// A page, or one that leads to another.
    pub(super) fn is_there(&self) -> bool {
        self.status == StatusCode::OK || self.status.is_redirection()
    }
}

/// Somebody's browser.
#[derive(Clone)]
pub(super) struct Visitor {
    client: reqwest::Client,
    base: String,
    cookie: String,
    /// What its forms carry.
    csrf: String,
}

impl Visitor {
    /// Signs in with a token, over the connection that all share.
    pub(super) async fn signs_in(client: &reqwest::Client, base: &str, token: &str) -> anyhow::Result<Self> {
        let url = format!("{base}/console/sign-in");
        let form = client.post(url).header(header::CONTENT_TYPE, FORM).body(format!("token={token}"));
        let answer = form.send().await?;
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok());
        let cookie = header(header::SET_COOKIE).and_then(|cookie| cookie.split(';').next());
        let cookie = cookie.context("nobody was signed in")?.to_owned();
        let home = header(header::LOCATION).context("signing in leads to a page")?.to_owned();
        let (client, base) = (client.clone(), base.to_owned());
        let mut visitor = Self { client, base, cookie, csrf: String::new() };
        let page = visitor.opens(&home).await?;
        let (_, rest) = page.text.split_once("name=\"csrf\" value=\"").context("a page has a form")?;
        rest.split('"').next().unwrap_or_default().clone_into(&mut visitor.csrf);
        Ok(visitor)
    }

    pub(super) async fn opens(&self, path: &str) -> anyhow::Result<Page> {
        self.asks(Method::GET, path, None).await
    }

    /// A page, or what a form is answered.
    pub(super) async fn asks(&self, method: Method, path: &str, form: Option<&str>) -> anyhow::Result<Page> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        request = request.header(header::COOKIE, &self.cookie);
        if let Some(form) = form {
            let form = format!("{form}&csrf={}", self.csrf);
            request = request.header(header::CONTENT_TYPE, FORM).body(form);
        }
        let answer = request.send().await?;
        let took = answer.headers().get(TOOK).and_then(|took| took.to_str().ok()?.parse().ok());
        let (status, took) = (answer.status(), Duration::from_micros(took.unwrap_or_default()));
        let body = answer.bytes().await?;
        Ok(Page { status, bytes: body.len(), text: String::from_utf8_lossy(&body).into_owned(), took })
    }
}

/// The pages as they are routed, by their parts.
pub(super) struct Routes(Vec<String>);

impl Routes {
    pub(super) fn of(paths: impl Iterator<Item = String>) -> Self {
        Self(paths.collect())
    }

    /// The route of an address: of several the one that says most of it.
    pub(super) fn of_address(&self, address: &str) -> Option<&str> {
        let path = address.split('?').next().unwrap_or_default();
        let fits = |route: &&String| {
            let (of_route, of_path) = (route.split('/'), path.split('/'));
            of_route.clone().count() == of_path.clone().count()
                && of_route.zip(of_path).all(|(part, word)| part.starts_with('{') || part == word)
        };
        let parameters = |route: &&String| route.matches('{').count();
        self.0.iter().filter(fits).min_by_key(parameters).map(String::as_str)
    }

    /// Those that none of these addresses is of.
    pub(super) fn unseen<'a>(&self, addresses: impl Iterator<Item = &'a str>) -> BTreeSet<&str> {
        let seen: HashSet<&str> = addresses.filter_map(|address| self.of_address(address)).collect();
        self.0.iter().map(String::as_str).filter(|route| !seen.contains(route)).collect()
    }

    /// What kind of page an address is: its route, which report or list it shows, and what makes it dearer.
    pub(super) fn kind(&self, address: &str) -> Option<String> {
        let route = self.of_address(address)?;
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let asked: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let said = |name: &str| asked.get(name).filter(|value| !value.is_empty());
        // A report is a page of its own.
        let mut kind =
            if route.starts_with("/console/reports/") { path.to_owned() } else { route.to_owned() };
        if let Some(list) = said("list").filter(|_| route == "/console/leads") {
            let _ = write!(kind, " {}", list.split(':').next().unwrap_or_default());
        }
        if said("offer").or(said("state")).or(said("held")).is_some() {
            kind += ", filtered";
        }
        if said("order").is_some() {
            kind += ", by score";
        }
        let day = |name: &str| said(name).and_then(|day| day.parse::<Date>().ok());
        if let Some((from, to)) = day("from").zip(day("to")) {
            let long = to.since(from).is_ok_and(|span| span.get_days() >= 300);
            kind += if long { YEAR } else { ", a period" };
        }
        if let Some(by) = said("by") {
            let _ = write!(kind, ", by {by}");
        }
        if said("after").is_some() {
            kind += ", further down";
        }
        Some(kind)
    }
}

/// Goes from these addresses on; what was seen, by kind. Within a company's pages it stays there.
pub(super) async fn walk(
    visitor: &Visitor,
    routes: &Routes,
    from: Vec<String>,
) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let mut seen: HashSet<String> = from.iter().cloned().collect();
    let mut next: VecDeque<String> = from.into();
    let (mut found, mut looked) = (BTreeMap::<String, Vec<String>>::new(), BTreeMap::<String, usize>::new());
    while let Some(address) = next.pop_front() {
        let Some(kind) = routes.kind(&address) else { continue };
        let looked = looked.entry(kind.clone()).or_default();
        let of_kind = found.entry(kind).or_default();
        if *looked == LOOKED {
            // As its like were.
            if of_kind.len() < KEPT {
                of_kind.push(address);
            }
            continue;
        }
        *looked += 1;
        let page = visitor.opens(&address).await?;
        if !page.is_there() {
            continue;
        }
        of_kind.push(address.clone());
        for link in links(&page.text, &address) {
            if seen.insert(link.clone()) {
                next.push_back(link);
            }
        }
    }
    found.retain(|_, addresses| !addresses.is_empty());
    Ok(found)
}

/// The pages of the console that a page leads to.
fn links(text: &str, at: &str) -> Vec<String> {
    let path = at.split('?').next().unwrap_or_default();
    let hrefs = text.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let links = hrefs.map(|link| {
        let link = link.replace("&#38;", "&").replace("&amp;", "&");
        let link = link.split('#').next().unwrap_or_default().to_owned();
        if link.starts_with('?') { format!("{path}{link}") } else { link }
    });
    links.filter(|link| link.starts_with("/console/")).collect()
}
