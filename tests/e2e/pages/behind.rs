//! The leads behind the numbers of a day: each number leads to exactly those that it counts.

use std::time::Duration;

use http::Method;
use leadyard_tests::{Browser, Person, Rules, Yard};
use serde_json::json;

use super::READS;
use super::leads::{link, listed, says};

/// What the page of the day counts, by the words that it stands behind, and the list that a number leads to.
const NUMBERS: [(&str, &str); 7] = [
    ("enquiries", "enquiries"),
    ("leads, new or back", "leads"),
    ("given to dealers", "given"),
    ("reached by their dealer", "reached"),
    ("won", "won"),
    ("reached within 5 minutes", "reached_at_once"),
    ("reached within the hour", "reached_within_hour"),
];

/// A roof is hudson's and ridge's both, a gutter sun's; `trial` sends tests.
fn rules() -> Rules {
    let both = [("offers", "roof"), ("sale", "shared:2")];
    Rules::roofing("acme")
        .offer("gutter", "roofing", "")
        .source("web2", "offer = \"gutter\"")
        .source("trial", "offer = \"roof\"\ntest = true")
        .seller("hudson", both)
        .seller("ridge", both)
        .seller("sun", [("offers", "gutter")])
}

async fn asks(yard: &Yard, source: &str, person: &Person) -> String {
    let lead = yard.server(source).posts(person).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    lead
}

/// What a number says on the page of the day, `nth` of today (0) or of a week ago (1), and where it leads.
async fn number(desk: &Browser<'_>, says: &str, nth: usize) -> (String, Option<String>) {
    let page = desk.opens("/console/today").await.is(200);
    let row = page.text.split(&format!(">{says}</a>")).nth(1);
    let row = row.unwrap_or_else(|| panic!("{says}: {}", page.text));
    let cell = row.split("</tr>").next().unwrap().split("<td").nth(1 + nth).unwrap().to_owned();
    let mut texts = cell.split('>').skip(1).map(|text| text.split('<').next().unwrap().trim());
    let text = texts.find(|text| !text.is_empty()).unwrap_or_default().to_owned();
    let at = cell.split("<a href=\"").nth(1).and_then(|link| link.split('"').next());
    (text, at.map(|at| at.replace("&#38;", "&")))
}

/// All of a list, page by page, each within what a page may read.
async fn all(desk: &Browser<'_>, at: &str) -> Vec<String> {
    let (mut next, mut found) = (Some(at.to_owned()), Vec::new());
    while let Some(at) = next {
        let (page, reads) = desk.reads(&at).await;
        assert!(reads <= READS, "{reads} reads of {at}");
        found.extend(listed(&page));
        next = link(&page, "Further down");
    }
    found
}

/// The leads behind a number, in the order of their ids.
async fn behind(desk: &Browser<'_>, says: &str, nth: usize) -> Vec<String> {
    let (_, at) = number(desk, says, nth).await;
    let mut found = match at {
        Some(at) => all(desk, &at).await,
        None => Vec::new(),
    };
    found.sort();
    found
}

fn sorted<const N: usize>(leads: [&String; N]) -> Vec<String> {
    let mut leads = leads.map(String::clone).to_vec();
    leads.sort();
    leads
}

#[tokio::test(start_paused = true)]
async fn each_number_of_the_day_leads_to_exactly_the_leads_that_it_counts() {
    let yard = Yard::of(rules()).await;
    yard.notes();
    let old = asks(&yard, "web", &Person::number(1)).await;
    let older = asks(&yard, "web2", &Person::number(2)).await;
    // Given after that one and reached yesterday: it stands before it in the dealer's list, and is none of today's.
    let before = asks(&yard, "web2", &Person::number(7)).await;
    let _ = yard.answers("sun", &before, "contacted").await.is(200);
    let _ = yard.answers_with("sun", &before, "won", Some(json!({ "value": "50.00" }))).await.is(200);
    yard.advance(Duration::from_secs(24 * 3_600)).await;
    // Given yesterday: one is reached and won today, the other reached.
    let _ = yard.answers("hudson", &old, "contacted").await.is(200);
    let _ = yard.answers_with("hudson", &old, "won", Some(json!({ "value": "900.00" }))).await.is(200);
    let _ = yard.answers("sun", &older, "contacted").await.is(200);
    let roof = asks(&yard, "web", &Person::number(3)).await;
    let gutter = asks(&yard, "web2", &Person::number(4)).await;
    let late = asks(&yard, "web2", &Person::number(5)).await;
    // Again, as a test, and somebody whom screening keeps aside.
    let _ = yard.server("web").posts(&Person::number(3)).await.is(200);
    let _ = yard.server("trial").posts(&Person::number(6)).await.is(201);
    let aside = Person::named("Ann", "Hill").with("email", "ann@mailinator.com");
    let _ = yard.server("web").posts(&aside).await.is(202);
    yard.advance(Duration::from_secs(240)).await;
    let _ = yard.answers("hudson", &roof, "contacted").await.is(200);
    let _ = yard.answers("ridge", &roof, "contacted").await.is(200);
    let _ = yard.answers("sun", &gutter, "decline").await.is(200);
    yard.advance(Duration::from_secs(1_800)).await;
    let _ = yard.answers("sun", &late, "contacted").await.is(200);
    let _ =
        yard.desk(Method::POST, &format!("/v1/leads/{roof}/take_back"), Some(json!({ "hold": true }))).await;
    yard.settle().await;
    yard.count().await;

    let desk = Browser::of(&yard).await;
    assert_eq!(behind(&desk, "leads, new or back", 0).await, sorted([&roof, &gutter, &late]));
    // The repeat is an enquiry of its lead's; who was kept aside is nobody's yet, and the test is none.
    assert_eq!(behind(&desk, "enquiries", 0).await, sorted([&roof, &roof, &gutter, &late]));
    assert_eq!(number(&desk, "enquiries", 0).await.0, "5");
    assert_eq!(behind(&desk, "given to dealers", 0).await, sorted([&roof, &roof, &gutter, &late]));
    assert_eq!(
        behind(&desk, "reached by their dealer", 0).await,
        sorted([&old, &older, &roof, &roof, &late]),
        "whoever gave it up since"
    );
    assert_eq!(behind(&desk, "reached within 5 minutes", 0).await, sorted([&roof, &roof]));
    assert_eq!(behind(&desk, "reached within the hour", 0).await, sorted([&roof, &roof, &late]));
    assert_eq!(behind(&desk, "won", 0).await, [old]);
    // Each number of leads and of seats is that of its list.
    let exact = ["leads", "given", "reached", "won"];
    for (says, list) in NUMBERS.iter().filter(|(_, list)| exact.contains(list)) {
        let (text, _) = number(&desk, says, 0).await;
        assert_eq!(text, behind(&desk, says, 0).await.len().to_string(), "{list}");
    }
    // The words say what stands there.
    let page = desk.opens("/console/leads?list=day:enquiries").await.is(200);
    let words =
        ["in quarantine or was", "/console/quarantine?company=acme", "enquiries of leads on Tue, Jun 2"];
    says(&page, &words);
    let page = desk.opens("/console/leads?list=day:given").await.is(200);
    says(&page, &["a lead that two were given stands twice", "As far as dealer 3 of 3."]);
    // Filters apply within it.
    let roofs = all(&desk, "/console/leads?list=day:given&offer=roof").await;
    assert_eq!(roofs, [roof.clone(), roof]);
}

#[tokio::test(start_paused = true)]
async fn over_several_made_days_each_number_is_as_long_as_its_list_today_and_a_week_later() {
    let yard = Yard::of(rules()).await;
    yard.notes();
    let (mut given, mut n) = (Vec::<(String, &str)>::new(), 0);
    let mut lengths = Vec::new();
    for day in 0..3_usize {
        // In the evening of New York it is the next day of UTC already.
        for hours in [3, 6] {
            yard.advance(Duration::from_secs(hours * 3_600)).await;
            for _ in 0..=(day * 2) {
                n += 1;
                let (source, dealer) = if n % 3 == 0 { ("web2", "sun") } else { ("web", "ridge") };
                given.push((asks(&yard, source, &Person::number(n)).await, dealer));
            }
        }
        for (nth, (lead, dealer)) in given.iter().enumerate() {
            let act = ["contacted", "won", "lost", "decline"][(nth + day) % 4];
            // What is over may be answered no more: whatever comes of that.
            let _ = yard.answers(dealer, lead, act).await;
        }
        yard.settle().await;
        yard.count().await;
        let desk = Browser::of(&yard).await;
        for (says, list) in NUMBERS.iter().filter(|(_, list)| !list.starts_with("reached_")) {
            let (text, _) = number(&desk, says, 0).await;
            let found = behind(&desk, says, 0).await;
            assert_eq!(text, found.len().to_string(), "{list} on day {day}");
        }
        lengths.push(behind(&desk, "given to dealers", 0).await);
        // To the next noon.
        yard.advance(Duration::from_secs(15 * 3_600)).await;
    }
    // A week later the first of these days stands beside, and its number leads to the same.
    yard.advance(Duration::from_secs(4 * 24 * 3_600)).await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    assert!(!lengths[0].is_empty());
    assert_eq!(behind(&desk, "given to dealers", 1).await, lengths[0]);
}

#[tokio::test(start_paused = true)]
async fn of_very_many_a_day_has_pages_and_a_table_and_acts_on_all_of_it() {
    let yard = Yard::of(rules()).await;
    yard.notes();
    let mut leads = Vec::new();
    for n in 1..=70 {
        leads.push(asks(&yard, "web2", &Person::number(n)).await);
    }
    yard.count().await;
    let desk = Browser::of(&yard).await;
    leads.sort();
    for says in ["leads, new or back", "given to dealers"] {
        assert_eq!(behind(&desk, says, 0).await, leads, "{says}");
    }
    let (_, at) = number(&desk, "given to dealers", 0).await;
    let page = desk.opens(&at.unwrap()).await.is(200);
    says(&page, &["25 shown of 25 looked at, by dealer, the last that it was given first"]);
    let table = link(&page, "as a table").unwrap();
    let table = desk.opens(&table).await.is(200);
    let file = desk.submits(&table, "/console/leads/export", &[]).await.is(200);
    assert_eq!(file.text.lines().count(), 71);
    // An act on all of it takes them all.
    let typed = [("every", "on"), ("whole", "on"), ("act", "take_back")];
    let look = desk.submits(&page, "/console/leads/many", &typed).await.is(303);
    let look = desk.opens(look.header("location")).await.is(200);
    says(&look, &["of 70"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_won_long_after_it_was_given_is_found_page_by_page_and_no_further_than_needed() {
    let yard = Yard::of(rules()).await;
    yard.notes();
    let first = asks(&yard, "web2", &Person::number(1)).await;
    let second = asks(&yard, "web2", &Person::number(2)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    for n in 3..=300 {
        let _ = yard.server("web2").posts(&Person::number(n)).await.is(201);
    }
    yard.settle().await;
    yard.advance(Duration::from_secs(24 * 3_600)).await;
    for lead in [&first, &second] {
        let _ = yard.answers("sun", lead, "won").await.is(200);
    }
    yard.count().await;
    let desk = Browser::of(&yard).await;
    assert_eq!(behind(&desk, "won", 0).await, sorted([&first, &second]));
    // Where the newest is the only one, nothing behind it is looked at.
    yard.advance(Duration::from_secs(24 * 3_600)).await;
    let newest = asks(&yard, "web2", &Person::number(301)).await;
    let _ = yard.answers("sun", &newest, "won").await.is(200);
    yard.count().await;
    let desk = Browser::of(&yard).await;
    let (_, at) = number(&desk, "won", 0).await;
    let page = desk.opens(&at.unwrap()).await.is(200);
    assert_eq!((listed(&page), link(&page, "Further down")), (vec![newest], None));
    says(&page, &["1 shown of 1 looked at"]);
}

#[tokio::test(start_paused = true)]
async fn who_is_released_on_a_later_day_is_a_lead_of_that_day_and_found() {
    let yard = Yard::of(rules()).await;
    yard.notes();
    let aside = Person::named("Ann", "Hill").with("email", "ann@mailinator.com");
    let enquiry = yard.server("web").posts(&aside).await.is(202).text_of("enquiry").to_owned();
    yard.advance(Duration::from_secs(24 * 3_600)).await;
    let path = format!("/v1/quarantine/{enquiry}/release");
    let _ = yard.desk(Method::POST, &path, Some(json!({}))).await.is(200);
    yard.settle().await;
    let lead = yard.enquiry(&enquiry).await.unwrap().lead.unwrap().to_string();
    let fresh = asks(&yard, "web2", &Person::number(1)).await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    assert_eq!(number(&desk, "leads, new or back", 0).await.0, "2");
    assert_eq!(behind(&desk, "leads, new or back", 0).await, sorted([&lead, &fresh]));
}

#[tokio::test(start_paused = true)]
async fn a_list_of_a_day_is_one_company_s_and_a_place_that_was_invented_leads_nowhere() {
    let yard = Yard::of(rules()).await;
    let other = yard.also(Rules::roofing("bolt").seller("sun", [])).await;
    yard.notes();
    let lead = asks(&yard, "web2", &Person::number(1)).await;
    let _ = yard.answers("sun", &lead, "contacted").await.is(200);
    let theirs = other.settled_lead(&Person::number(2)).await;
    let _ = other.answers("sun", &theirs, "contacted").await.is(200);
    yard.count().await;
    let desk = Browser::of(&yard).await;
    for (_, list) in NUMBERS.iter().filter(|(_, list)| *list != "won") {
        assert_eq!(
            all(&desk, &format!("/console/leads?list=day:{list}")).await,
            std::slice::from_ref(&lead),
            "{list}"
        );
    }
    let _ = desk.opens("/console/leads?company=bolt&list=day:reached").await.is(404);
    // A seat of another company is no place in a list, nor is a day that is none.
    let seat = other.stored(&theirs).await.holders[0].assignment;
    let after = json!({ "dealer": "sun", "open": true, "behind": [theirs, 1, seat], "found": 0 }).to_string();
    let after = after.replace('"', "%22").replace('{', "%7B").replace('}', "%7D");
    for list in [
        &*format!("day:reached&after={after}"),
        "day:reached&after=%7B%7D",
        "day:leads&after=x",
        "day:leads:1999-01-01",
        "day:leads:2027-01-01",
        "day:leads:yesterday",
        "day:profit",
    ] {
        let _ = desk.opens(&format!("/console/leads?list={list}")).await.is(400);
    }
}
