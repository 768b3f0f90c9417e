//! Whatever a URL or a form said stays text, on each page that shows it and in the file that is taken: markup, what ends an
//! attribute, an address that is a script, a formula.

use http::Method;
use leadyard_tests::{Browser, Person, Reply, Rules, Yard};

const EXPORT: &str = "/console/leads/export";

const HOSTILE: [&str; 7] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(2)>",
    "\" onmouseover=\"alert(3)\" x=\"",
    "' onfocus='alert(4)' autofocus='",
    "javascript:alert(5)",
    "</title></textarea></dd><svg onload=alert(6)>",
    "=HYPERLINK(\"https://evil.example\")",
];

/// Somebody whose URL and form say it wherever nobody reads it as something else.
fn hostile(n: usize, text: &str) -> Person {
    let utms = ["utm_campaign", "utm_source", "utm_medium", "utm_term", "utm_content", "gclid"];
    let person = utms.iter().fold(Person::number(n), |person, utm| person.with(utm, text));
    // Also a name of a field is whatever somebody sent.
    person.with("roof_note", text).with(&format!("named {text}"), "a value").with("consent_text", text)
}

/// Their lead: what screening takes for an attack is released by the desk.
async fn let_by(yard: &Yard, person: &Person) -> String {
    let reply = yard.server("web").posts(person).await;
    if reply.status == 202 {
        let release = format!("/v1/quarantine/{}/release", reply.text_of("enquiry"));
        let _ = yard.desk(Method::POST, &release, None).await.is(200);
    }
    yard.settle().await;
    let told = yard.desk(Method::GET, &format!("/v1/quarantine/{}", reply.text_of("enquiry")), None).await;
    let lead = reply.json["lead"].as_str().or(told.json["lead"].as_str());
    lead.unwrap_or_else(|| panic!("no lead of {}, {}", reply.text, told.text)).to_owned()
}

/// As a page has it.
fn escaped(text: &str) -> String {
    let escapes = [("&", "&#38;"), ("<", "&#60;"), (">", "&#62;"), ("\"", "&#34;"), ("'", "&#39;")];
    escapes.iter().fold(text.to_owned(), |text, (plain, escaped)| text.replace(plain, escaped))
}

/// The tags of a page, each with its attributes.
fn tags(html: &str) -> Vec<(&str, Vec<(&str, &str)>)> {
    let mut tags = Vec::new();
    for tag in html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
        let (name, mut rest) = tag.split_once(' ').unwrap_or((tag, ""));
        let mut attributes = Vec::new();
        while let Some((attribute, more)) = rest.split_once('=') {
            let value = more.strip_prefix('"').unwrap_or_else(|| panic!("{tag} has a value without quotes"));
            let (value, after) = value.split_once('"').unwrap_or_else(|| panic!("{tag} does not end"));
            // What stands without a value is an attribute as well.
            attributes.extend(attribute.split_whitespace().map(|name| (name, value)));
            rest = after;
        }
        attributes.extend(rest.split_whitespace().map(|name| (name, "")));
        tags.push((name, attributes));
    }
    tags
}

/// Nothing of a page runs, loads or leads to anything but what is the page's own.
fn is_of_its_own(page: &Reply, what: &str) {
    let is_fine = |address: &str| {
        ["/console/", "tel:", "mailto:", "#"].iter().any(|begins| address.starts_with(begins))
    };
    let tags = tags(&page.text);
    assert!(tags.len() > 30, "{what}: {}", page.text);
    for (name, attributes) in &tags {
        assert!(!["img", "iframe", "object", "embed", "base", "style"].contains(name), "{what}: <{name}>");
        for (attribute, value) in attributes {
            assert!(!attribute.starts_with("on") && *attribute != "style", "{what}: <{name} {attribute}>");
            let leads = ["href", "src", "action", "formaction"].contains(attribute);
            assert!(!leads || is_fine(value), "{what}: <{name} {attribute}={value}>");
        }
    }
    let of = |wanted: &str| tags.iter().filter(|(name, _)| *name == wanted).count();
    assert_eq!((of("script"), of("title"), of("/title")), (1, 1, 1), "{what}: {}", page.text);
    let autofocus = |(_, attributes): &&(&str, Vec<(&str, &str)>)| {
        attributes.iter().any(|(attribute, _)| *attribute == "autofocus")
    };
    assert_eq!(tags.iter().filter(autofocus).count(), 0, "{what}: {}", page.text);
}

#[tokio::test(start_paused = true)]
async fn what_a_url_or_a_form_said_stays_text_wherever_it_is_shown() {
    let rules = Rules::roofing("acme").inbox_dealer("hudson", []).contract("hudson", "hudson", []);
    let yard = Yard::of(rules).await;
    let (desk, hudson) = (Browser::of(&yard).await, Browser::of_dealer(&yard, "hudson").await);
    for (n, text) in HOSTILE.iter().enumerate() {
        let said = escaped(text);
        let lead = let_by(&yard, &hostile(n + 1, text)).await;
        let at = format!("/console/leads/{lead}");
        let page = desk.opens(&at).await.is(200);
        let shown = desk.submits(&page, &format!("{at}/show"), &[]).await.is(200);
        let seat = yard.story(&lead).await.assignment("hudson")["assignment"].as_str().unwrap().to_owned();
        let own = hudson.opens(&format!("/console/inbox/{seat}")).await.is(200);
        for (what, page) in [("the lead", &page), ("the lead, shown", &shown), ("the inbox", &own)] {
            is_of_its_own(page, what);
        }
        // It is there, and nothing of it is lost.
        for page in [&page, &shown] {
            let campaign = format!("<dt>Campaign</dt><dd>{said}</dd>");
            assert!(page.text.contains(&campaign), "{campaign} is not in {}", page.text);
        }
        for told in [
            format!("<dt>roof note</dt><dd class=\"lines\">{said}</dd>"),
            format!("<dt>named {said}</dt><dd class=\"lines\">a value</dd>"),
        ] {
            assert!(own.text.contains(&told), "{told} is not in {}", own.text);
        }
        // The same of who is in quarantine, where all is shown that was sent.
        let aside = hostile(n + 50, text).with("email", &format!("a{n}@mailinator.com"));
        let aside = yard.server("web").posts(&aside).await.is(202).text_of("enquiry").to_owned();
        let path = format!("/console/quarantine/{aside}");
        let page = desk.opens(&path).await.is(200);
        let all = desk.submits(&page, &format!("{path}/show"), &[]).await.is(200);
        is_of_its_own(&all, "the enquiry");
        for name in ["utm_source", "utm_medium", "utm_term", "utm_content", "gclid", "roof_note"] {
            let told = format!("<dt>{name}</dt><dd class=\"lines\">{said}</dd>");
            assert!(all.text.contains(&told), "{told} is not in {}", all.text);
        }
    }
    for (browser, path) in [
        (&desk, "/console/today"),
        (&desk, "/console/leads?list=hottest"),
        (&desk, "/console/quarantine"),
        (&hudson, "/console/inbox"),
    ] {
        is_of_its_own(&browser.opens(path).await.is(200), path);
    }

    // In the file each stands as it was said; what a spreadsheet would take for a formula, behind an apostrophe.
    let page = desk.opens("/console/leads/export?list=assigned").await.is(200);
    let file = desk.submits(&page, EXPORT, &[("who", "on")]).await.is(200);
    assert_eq!(file.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    assert!(file.header("content-disposition").starts_with("attachment;"));
    let mut rows = csv::Reader::from_reader(file.text.as_bytes());
    let at = rows.headers().unwrap().iter().position(|name| name == "campaign").unwrap();
    let mut campaigns: Vec<String> = rows.records().map(|row| row.unwrap()[at].to_owned()).collect();
    let mut said: Vec<String> = HOSTILE
        .iter()
        .map(|text| if text.starts_with('=') { format!("'{text}") } else { (*text).to_owned() })
        .collect();
    campaigns.sort();
    said.sort();
    assert_eq!(campaigns, said);
}
