//! Every page is looked at by the browser tests, in two widths and themes and by axe; what is not, says why.
//!
//! Their lists are written by hand, in `tests/browser/pages.mjs` and beside it in `console.test.mjs`: a page that nobody
//! entered there is found here.

use std::collections::{BTreeMap, BTreeSet};

use leadyard_tests::routes::{is_page, routes_of};
use leadyard_tests::{Rules, Yard};

const LOOKED_AT: [&str; 2] =
    [include_str!("../../browser/pages.mjs"), include_str!("../../browser/console.test.mjs")];

const LEADS_ON: &str = "shows nothing: it leads on to a page of the list";
const FILE: &str = "a file, and no page";

/// What is asked for and is not looked at.
const NOT_ASKED_FOR: &[(&str, &str)] = &[
    ("/console", LEADS_ON),
    ("/console/", LEADS_ON),
    ("/console/assets/{name}", "the sheet, the script and the icon"),
    ("/console/sign-in/provider", "leads to a provider, as signing.test.mjs does"),
    ("/console/sign-in/back", "comes from a provider, as signing.test.mjs does"),
    ("/console/quarantine/{enquiry}/next", LEADS_ON),
    ("/console/dealers/{company}/{dealer}/statement.csv", FILE),
    ("/console/rulebook/{company}/{version}/files.zip", FILE),
    ("/console/rulebook/{company}/{version}/tables.xlsx", FILE),
    ("/console/inbox/statement.csv", FILE),
    ("/console/reports/{name}/table.csv", FILE),
];

/// Forms whose answer is not looked at.
const NOT_ANSWERED: &[(&str, &str)] = &[
    ("/console/sign-out", LEADS_ON),
    ("/console/leads/export", FILE),
    ("/console/leads/many/{company}/{look}", LEADS_ON),
    ("/console/follow-up/next", LEADS_ON),
    (
        "/console/rulebook/send",
        "takes files; it answers with the page of an earlier version's look, which is looked at",
    ),
    ("/console/rulebook/publish", "answers with the page of the files that were sent, which is looked at"),
    (
        "/console/rulebook/{company}/{version}/rollback",
        "answers with the page that it stands on, which is looked at",
    ),
];

/// The addresses of one of their lists, with one letter for what is only known when it runs.
fn addresses(list: &str) -> BTreeSet<String> {
    let begins = format!("const {list} = (");
    let found = LOOKED_AT.iter().find_map(|text| text.split_once(&begins));
    let (_, rest) = found.unwrap_or_else(|| panic!("no list {list}"));
    let end = ["\n];", "\n};"].iter().filter_map(|end| rest.find(end)).min();
    let text = &rest[..end.unwrap()];
    let named = named(text);
    let mut found = BTreeSet::new();
    for begins in ["\"/console", "`/console", "`${"] {
        for (at, _) in text.match_indices(begins) {
            let quote = &begins[..1];
            let address = text[at + 1..].split(quote).next().unwrap().to_owned();
            let address = named.iter().fold(address, |address, (name, stands_for)| {
                address.replace(&format!("${{{name}}}"), stands_for)
            });
            found.extend(address.starts_with("/console").then(|| plain(&address)));
        }
    }
    assert!(!found.is_empty(), "{list}");
    found
}

/// What names stand for in a list's addresses: `const dealer = ADDRESS;`, perhaps among others.
fn named(list: &str) -> Vec<(&str, &str)> {
    let mut named = Vec::new();
    for declared in list.split("const ").skip(1).filter_map(|rest| rest.split(';').next()) {
        let Some((names, values)) = declared.split_once(" = ") else { continue };
        let [names, values] = [names, values].map(|some| some.trim_matches(['[', ']']).split(", "));
        for (name, value) in names.zip(values) {
            let address = value.strip_prefix('`').and_then(|value| value.strip_suffix('`'));
            named.extend(address.map(|address| (name, address)));
        }
    }
    named
}

fn plain(address: &str) -> String {
    let mut plain = String::new();
    for (n, part) in address.split("${").enumerate() {
        plain += if n == 0 { part } else { part.split_once('}').unwrap().1 };
        plain.push('x');
    }
    plain.pop();
    plain.split('?').next().unwrap().to_owned()
}

/// The route that an address is of: of several the one that names most of it.
fn route_of<'r>(routes: &'r BTreeSet<String>, address: &str) -> Option<&'r str> {
    let parts: Vec<&str> = address.split('/').collect();
    let is_of = |route: &&String| {
        let asked: Vec<&str> = route.split('/').collect();
        asked.len() == parts.len()
            && asked.iter().zip(&parts).all(|(asked, part)| asked.starts_with('{') || asked == part)
    };
    routes.iter().filter(is_of).min_by_key(|route| route.matches('{').count()).map(String::as_str)
}

#[tokio::test(start_paused = true)]
async fn every_page_is_in_the_lists_of_the_browser_tests_or_says_why_not() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let routed = routes_of(&leadyard_console::router(yard.cloud.clone()));
    for (method, lists, reasons) in
        [("get", &["ofDesk", "ofDealer"][..], NOT_ASKED_FOR), ("post", &["ofForms", "ofInbox"], NOT_ANSWERED)]
    {
        let of_method = routed.iter().filter(|(by, path)| by == method && is_page(path));
        let routes: BTreeSet<String> = of_method.map(|(_, path)| path.clone()).collect();
        let looked: BTreeSet<String> = lists.iter().flat_map(|list| addresses(list)).collect();
        let reasons: BTreeMap<&str, &str> = reasons.iter().copied().collect();
        let mut looked_at = BTreeSet::new();
        for address in &looked {
            let route = route_of(&routes, address);
            looked_at.insert(route.unwrap_or_else(|| panic!("{method} {address} is no page")));
        }
        for route in &routes {
            let (listed, reason) = (looked_at.contains(route.as_str()), reasons.get(route.as_str()));
            assert!(listed || reason.is_some(), "nobody looks at {method} {route}, and nothing says why");
            assert!(!listed || reason.is_none(), "{method} {route} is looked at: {reason:?}");
        }
        for route in reasons.keys() {
            assert!(routes.contains(*route), "{method} {route} is no page any more");
        }
    }
}
