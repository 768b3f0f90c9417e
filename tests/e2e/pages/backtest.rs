//! Beside a look before publishing: what the rules would have done with the last decisions, as a backtest says it.

use http::Method;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::backtest::{Difference, Event, Window, backtest};
use leadyard_domain::ids::DecisionId;
use leadyard_domain::money::Money;
use leadyard_domain::rulebook::{Rulebook, RulebookFiles};
use leadyard_platform::store::DecisionRecord;
use leadyard_tests::{Browser, Person, Reply, Rules, Yard};
use serde_json::json;

use super::READS;

const AT: &str = "/console/dealers/acme/hudson/contracts/hudson";
const EDIT: &str = "/console/dealers/acme/hudson/contracts/hudson/edit";
/// When the day began, of UTC.
const FIRST: &str = "2026-06-01T00:00:00Z";
const NEXT: &str = "2026-06-02T00:00:00Z";

fn rules(cap: &str) -> Rules {
    Rules::roofing("acme")
        .file("people.csv", "person,email,role\nmaria,maria@desk.example,manager\n")
        .seller("hudson", [("cap_day", cap)])
        .seller("ridge", [("cap_day", "5"), ("price", "20.00")])
}

/// Twelve leads, of which two find nobody; one is declined, and one won.
async fn a_day() -> Yard {
    let yard = Yard::of(rules("5")).await;
    for n in 0..12 {
        let lead = yard.settled_lead(&Person::number(n)).await;
        let story = yard.story(&lead).await;
        match (n, story.holders().first()) {
            (3, Some(dealer)) => {
                let _ = yard.answers(dealer, &lead, "decline").await;
            }
            (5, Some(dealer)) => {
                let _ = yard.answers_with(dealer, &lead, "won", Some(json!({ "value": "900.00" }))).await;
            }
            _ => {}
        }
    }
    yard.advance(std::time::Duration::from_secs(1)).await;
    yard
}

/// What the command line makes of the API's history.
async fn backtested(yard: &Yard, rules: &Rules, to: Timestamp) -> Difference {
    let path = format!("/v1/history?from={FIRST}&to={to}");
    let page = yard.desk(Method::GET, &path, None).await.is(200).json;
    assert!(page["next"].is_null(), "one page has all");
    let mut events: Vec<Event> = serde_json::from_value(page["events"].clone()).unwrap();
    events.sort_by_key(Event::at);
    let files = rules.files().into_iter().map(|(name, text)| (name, text.into_bytes()));
    let book = Rulebook::parse(&RulebookFiles::new(files).unwrap()).unwrap();
    let window = Window { from: FIRST.parse().unwrap(), to };
    backtest(&book, book.compile(1).unwrap(), &events, window, &mut |_, _| {}).unwrap()
}

/// A page says what a backtest found.
fn says(page: &Reply, found: &Difference) {
    let money = |minor| Money::from_minor(minor).to_string();
    for row in &found.dealers {
        let told = format!(
            "<th scope=\"row\">{}</th><td class=\"number\" data-label=\"leads\">{} → {}</td>\
             <td class=\"number\" data-label=\"charges\">{} → {}</td>",
            row.id,
            row.before,
            row.after,
            money(row.value_before),
            money(row.value_after)
        );
        assert!(page.text.contains(&told), "{told} is not in {}", page.text);
    }
    let nobody = format!(
        "In nobody’s hands</th><td class=\"number\" data-label=\"leads\">{} → {}</td>",
        found.before.unmatched, found.after.unmatched
    );
    let leads = format!("The decisions on {} leads", found.leads);
    let changed = format!("{} would end with another contract.", found.changed);
    for told in [nobody, leads, changed] {
        assert!(page.text.contains(&told), "{told} is not in {}", page.text);
    }
    for assumed in &found.assumptions {
        let told = assumed.replace('\'', "&#39;");
        assert!(page.text.contains(&told), "{told} is not in {}", page.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_says_what_a_backtest_says_of_the_same_history() {
    let yard = a_day().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(AT).await.is(200);
    let (look, reads) = desk.submits_reading(&page, EDIT, &[("cap_day", "1")]).await;
    assert!(reads <= READS, "{reads} reads");
    let found = backtested(&yard, &rules("1"), yard.cloud.clock.now()).await;
    assert!(found.changed > 0 && found.after.unmatched > found.before.unmatched, "{found:?}");
    says(&look.is(200), &found);
    // By the API it is what the command line prints.
    let set = || Some(json!({ "set": { "cap_day": "1" } }));
    let row = "/v1/rulebook/contracts/hudson?base=1";
    let api = yard.desk(Method::PATCH, &format!("{row}&dry_run=1&backtest=1"), set()).await.is(200).json;
    let (mut told, printed) = (api["backtest"].clone(), json!(found));
    let left_out = told.as_object_mut().unwrap().remove("left_out").unwrap();
    assert_eq!(left_out, json!({ "cut": false, "earlier": 0, "unknown": 0 }));
    for name in
        ["leads", "changed", "before", "after", "dealers", "contracts", "unmatched", "changes", "assumptions"]
    {
        assert_eq!(told[name], printed[name], "{name}");
    }
    let refused = yard.desk(Method::PATCH, &format!("{row}&backtest=1"), set()).await.is(400);
    assert!(refused.text.contains("backtest: with dry_run alone"), "{}", refused.text);
    assert_eq!(yard.version().await, 1, "a look publishes nothing");
    // Rules that say the same make no difference.
    let same = desk.submits(&page, EDIT, &[("cap_day", "5 ")]).await.is(400);
    assert!(!same.text.contains("id=\"backtest\""));
    let same = desk.submits(&page, EDIT, &[("return_days", "3"), ("return_reasons", "spam")]).await.is(200);
    assert!(same.text.contains("no lead goes another way"), "{}", same.text);
    // The next morning it is still that day, and all of it.
    yard.advance_to("2026-06-02T11:00:00Z").await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(AT).await.is(200);
    let (look, reads) = desk.submits_reading(&page, EDIT, &[("cap_day", "1")]).await;
    assert!(reads <= READS, "{reads} reads");
    says(&look.is(200), &backtested(&yard, &rules("1"), NEXT.parse().unwrap()).await);
}

#[tokio::test(start_paused = true)]
async fn a_whole_rulebook_is_looked_at_with_it_too() {
    let yard = a_day().await;
    let desk = Browser::by_mail(&yard, "maria@desk.example").await;
    let set = json!({ "set": { "cap_day": "1" } });
    let _ = yard.desk(Method::PATCH, "/v1/rulebook/contracts/hudson?base=1", Some(set)).await.is(200);
    let (look, reads) = desk.reads("/console/rulebook/acme/1/rollback").await;
    assert!(reads <= READS, "{reads} reads");
    // What is in force again decides as it did.
    for told in ["id=\"backtest\"", "no lead goes another way", "cap_day: 1 → 5"] {
        assert!(look.text.contains(told), "{told} is not in {}", look.text);
    }
}

/// Keeps copies of a lead's decision, one a millisecond later than the other: as an earlier version did, without the seats.
async fn copies(yard: &Yard, lead: &str, of: &DecisionRecord, count: u8) {
    let mut stored = yard.stored(lead).await;
    let begins = yard.cloud.clock.now();
    for n in 0..count {
        let at = begins.checked_add(SignedDuration::from_millis(i64::from(n))).unwrap();
        let copy = DecisionRecord { id: DecisionId::mint(at, [n; 10]), at, ..of.clone() }.sealed().unwrap();
        assert!(yard.cloud.store.lead_save_decided(&stored, &copy).await.unwrap());
        stored.version += 1;
    }
    yard.advance(std::time::Duration::from_secs(1)).await;
}

async fn decided(yard: &Yard) -> Vec<DecisionRecord> {
    let (from, to) = (FIRST.parse().unwrap(), yard.cloud.clock.now());
    yard.cloud.store.decisions_between(&yard.company_id(), from, to, 300).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_the_bounds_left_out_is_said_and_the_reads_are_bounded() {
    let yard = Yard::of(rules("5")).await;
    let early = yard.settled_lead(&Person::number(0)).await;
    yard.advance(std::time::Duration::from_secs(1)).await;
    let record = decided(&yard).await.remove(0);
    assert_eq!(record.given.len(), 1, "a decision names the seats that it gave");
    copies(&yard, &early, &record, 210).await;
    for n in 1..4 {
        let _ = yard.settled_lead(&Person::number(n)).await;
    }
    yard.advance(std::time::Duration::from_secs(1)).await;
    // Somebody who came by their mailbox, on a page that is not of today's rules any more: what costs most reads.
    let desk = Browser::by_mail(&yard, "maria@desk.example").await;
    let page = desk.opens(AT).await.is(200);
    let set = json!({ "set": { "price": "21.00" } });
    let _ = yard.desk(Method::PATCH, "/v1/rulebook/contracts/ridge?base=1", Some(set)).await.is(200);
    let (look, reads) = desk.submits_reading(&page, EDIT, &[("price", "11.00")]).await;
    assert!(reads <= READS, "{reads} reads");
    for told in [
        "The decisions on 3 leads",
        "at most its last 150 decisions",
        "There may be more on that day: only what came in from",
        "so that it goes as it went: 1 lead.",
        "<button>Publish</button>",
    ] {
        assert!(look.text.contains(told), "{told} is not in {}", look.text);
    }
}

#[tokio::test(start_paused = true)]
async fn decisions_that_lack_what_a_replay_needs_are_said_and_stop_nothing() {
    let yard = Yard::of(rules("5")).await;
    let mut leads = Vec::new();
    for n in 0..3 {
        leads.push(yard.settled_lead(&Person::number(n)).await);
    }
    yard.advance(std::time::Duration::from_secs(1)).await;
    let records = decided(&yard).await;
    let of_first = records.iter().find(|record| record.facts.lead.to_string() == leads[0]).unwrap();
    copies(&yard, &leads[0], of_first, 1).await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(AT).await.is(200);
    let look = desk.submits(&page, EDIT, &[("price", "11.00")]).await.is(200);
    for told in
        ["The decisions on 2 leads", "is not kept or was not read: 1 lead.", "<button>Publish</button>"]
    {
        assert!(look.text.contains(told), "{told} is not in {}", look.text);
    }
}

#[tokio::test(start_paused = true)]
async fn rules_that_are_larger_than_what_may_be_read_are_not_read_for_it() {
    // Each megabyte is a read.
    let remark = format!("# {}\n", "x".repeat(998)).repeat(4_000);
    let yard = Yard::of(rules("5").with(&remark).file("screening.toml", &remark)).await;
    let _ = yard.settled_lead(&Person::number(0)).await;
    let _ = yard.publish(&rules("6")).await.is(200);
    let _ = yard.settled_lead(&Person::number(1)).await;
    yard.advance(std::time::Duration::from_secs(1)).await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(AT).await.is(200);
    let (look, reads) = desk.submits_reading(&page, EDIT, &[("price", "11.00")]).await;
    assert!(reads <= READS, "{reads} reads");
    for told in ["The decisions on 1 lead", "is not kept or was not read: 1 lead."] {
        assert!(look.text.contains(told), "{told} is not in {}", look.text);
    }
}

#[tokio::test(start_paused = true)]
async fn history_that_cannot_be_read_is_said_and_stops_nothing() {
    let yard = a_day().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(AT).await.is(200);
    let (mut unread, mut read) = (0, 0);
    for calls in 0..30 {
        yard.faults.table_after(Some(calls));
        let look = desk.submits(&page, EDIT, &[("cap_day", "1")]).await;
        yard.faults.table_after(None);
        if look.status == 200 {
            assert!(look.text.contains("<button>Publish</button>"), "{}", look.text);
            let is_unread = look.text.contains("Publishing does not need them.");
            assert!(is_unread != look.text.contains("In nobody’s hands"), "{}", look.text);
            if is_unread { unread += 1 } else { read += 1 }
        }
    }
    assert!(unread > 0 && read > 0, "{unread} could not be read, {read} could");
    // A table that is slow keeps nobody waiting for it.
    yard.faults.slow(std::time::Duration::from_millis(1_400));
    let began = yard.cloud.clock.now();
    let look = desk.submits(&page, EDIT, &[("cap_day", "1")]).await.is(200);
    let took = yard.cloud.clock.now().duration_since(began);
    yard.faults.slow(std::time::Duration::ZERO);
    assert!(took < SignedDuration::from_secs(20), "{took}");
    assert!(
        look.text.contains("took too long") && look.text.contains("<button>Publish</button>"),
        "{}",
        look.text
    );
}
