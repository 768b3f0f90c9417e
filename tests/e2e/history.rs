//! What is told of decisions a part at a time: between two parts nothing is lost, and nothing is told twice.

use std::time::Duration;

use http::Method;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::backtest::history::Decided;
use leadyard_domain::backtest::{Difference, Event, Window, backtest};
use leadyard_domain::ids::{DecisionId, LeadId};
use leadyard_domain::limits;
use leadyard_domain::rulebook::{Rulebook, RulebookFiles};
use leadyard_platform::store::DecisionRecord;
use leadyard_tests::{Browser, Person, Rules, Yard};
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
/// Of the month, before anything happens.
const FIRST: &str = "2026-06-01T00:00:00Z";
/// What the answer of a Lambda function may have.
const ANSWER_BYTES: usize = 6_000_000;

/// So many new leads, some in each minute.
async fn leads(yard: &Yard, count: usize) {
    for n in 0..count {
        let _ = yard.lead(&Person::number(n)).await;
        if n % 50 == 49 {
            yard.advance(MINUTE).await;
        }
    }
    yard.advance(MINUTE).await;
}

/// A page of history, and how long it is in the answer of a Lambda function, which is text in JSON.
struct Page {
    events: Vec<Event>,
    bytes: usize,
}

impl Page {
    fn decided(&self) -> impl Iterator<Item = &Decided> {
        self.events.iter().filter_map(|event| match event {
            Event::Decided(decided) => Some(&**decided),
            _ => None,
        })
    }
}

/// All of history until now, page by page.
async fn pages(yard: &Yard) -> Vec<Page> {
    let (mut pages, mut after) = (Vec::new(), String::new());
    let to = yard.cloud.clock.now();
    loop {
        let path = format!("/v1/history?from={FIRST}&to={to}{after}");
        let page = yard.desk(Method::GET, &path, None).await.is(200);
        let events = serde_json::from_value(page.json["events"].clone()).unwrap();
        pages.push(Page { events, bytes: json!(page.text).to_string().len() });
        let Some(next) = page.json["next"].as_str() else { return pages };
        after = format!("&after={next}");
    }
}

/// Every decision that is kept stands in these pages, and stands there once.
async fn have_each_decision_once(yard: &Yard, pages: &[Page]) {
    let (from, to) = (FIRST.parse().unwrap(), yard.cloud.clock.now());
    let kept = yard.cloud.store.decisions_between(&yard.company_id(), from, to, 10_000).await.unwrap();
    let mut kept: Vec<(LeadId, Timestamp)> =
        kept.iter().map(|record| (record.facts.lead, record.at)).collect();
    let told = pages.iter().flat_map(|page| page.decided());
    let mut told: Vec<(LeadId, Timestamp)> = told.map(|decided| (decided.facts.lead, decided.at)).collect();
    kept.sort_unstable();
    told.sort_unstable();
    assert_eq!(told, kept);
    // How the switches stood stands once as well.
    let others = pages.iter().map(|page| page.events.len() - page.decided().count());
    assert_eq!(others.sum::<usize>(), 1);
}

/// What these rules would have made of it.
fn backtested(yard: &Yard, rules: &Rules, pages: Vec<Page>) -> Difference {
    let files = rules.files().into_iter().map(|(name, text)| (name, text.into_bytes()));
    let book = Rulebook::parse(&RulebookFiles::new(files).unwrap()).unwrap();
    let window = Window { from: FIRST.parse().unwrap(), to: yard.cloud.clock.now() };
    let events: Vec<Event> = pages.into_iter().flat_map(|page| page.events).collect();
    backtest(&book, book.compile(1).unwrap(), &events, window, &mut |_, _| {}).unwrap()
}

#[tokio::test(start_paused = true)]
async fn history_of_many_decisions_is_whole_over_its_pages_and_the_same_rules_make_no_difference() {
    let rules = Rules::roofing("acme")
        .inbox_dealer("hudson", [])
        .contract("hudson", "hudson", [("cap_day", "200"), ("weight", "2")])
        .inbox_dealer("ridge", [])
        .contract("ridge", "ridge", [("cap_day", "200"), ("budget_month", "1500.00")]);
    let yard = Yard::of(rules.clone()).await;
    leads(&yard, 450).await;
    let pages = pages(&yard).await;
    let sizes: Vec<usize> = pages.iter().map(|page| page.decided().count()).collect();
    let (last, before) = sizes.split_last().unwrap();
    assert!(before.len() >= 2 && *last <= limits::HISTORY_PAGE, "{sizes:?}");
    assert!(before.iter().all(|size| *size == limits::HISTORY_PAGE), "{sizes:?}");
    have_each_decision_once(&yard, &pages).await;
    let found = backtested(&yard, &rules, pages);
    assert!(found.is_none(), "{found:?}");
    assert_eq!((found.leads, found.before), (450, found.after));
    assert!(found.before.matched > 300 && found.before.unmatched > 0, "{:?}", found.before);
}

#[tokio::test(start_paused = true)]
async fn a_page_of_history_ends_before_it_is_too_long_for_an_answer() {
    // Some 50 KB a decision: each tells the counters of all.
    let rules = (0..300).fold(Rules::roofing("acme"), |rules, n| {
        let id = format!("one-of-the-many-roofers-of-miami-{n:03}");
        rules.inbox_dealer(&id, []).contract(&id, &id, [])
    });
    let yard = Yard::of(rules.clone()).await;
    leads(&yard, 120).await;
    let pages = pages(&yard).await;
    assert!(pages.len() > 1, "{} bytes", pages[0].bytes);
    for page in &pages {
        assert!(page.bytes < ANSWER_BYTES, "{} bytes", page.bytes);
        assert!(page.decided().count() < limits::HISTORY_PAGE);
        assert!(page.decided().all(|decided| decided.read.is_some()), "all that was read is told");
    }
    have_each_decision_once(&yard, &pages).await;
    let found = backtested(&yard, &rules, pages);
    assert!(found.is_none(), "{found:?}");
    assert_eq!((found.leads, found.before.matched), (120, 120));
}

#[tokio::test(start_paused = true)]
async fn what_the_desk_flipped_goes_on_over_pages_too() {
    let ids: Vec<String> = (0..80).map(|n| format!("roofer-{n}")).collect();
    let yard = Yard::of(ids.iter().fold(Rules::roofing("acme"), |rules, id| rules.seller(id, []))).await;
    let reason = "x".repeat(limits::NOTE_CHARS - 100);
    for id in &ids {
        yard.advance(SECOND).await;
        let _ = yard.flip("pause", json!({ "on": true, "dealer": id, "reason": reason })).await;
    }
    yard.advance(SECOND).await;
    let pages = pages(&yard).await;
    assert!(pages.len() > 1 && pages.iter().all(|page| page.bytes < ANSWER_BYTES));
    let paused = pages.iter().flat_map(|page| &page.events).map(|event| match event {
        Event::Switched(switched) => switched.switches.dealers.len(),
        other => panic!("{other:?}"),
    });
    assert_eq!(paused.collect::<Vec<_>>(), (0..=ids.len()).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_long_time_in_which_little_happened_is_read_in_pages_that_take_their_time() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let _ = yard.settled_lead(&Person::number(1)).await;
    yard.advance(SECOND).await;
    // Each day is read by itself, and each read takes long.
    let (to, mut after) = (yard.cloud.clock.now(), String::new());
    yard.faults.slow(Duration::from_millis(100));
    let (mut decided, mut answers) = (0, 0);
    loop {
        let began = yard.cloud.clock.now();
        let path = format!("/v1/history?from=2026-03-01T00:00:00Z&to={to}{after}");
        let page = yard.desk(Method::GET, &path, None).await.is(200).json;
        let took = yard.cloud.clock.now().duration_since(began);
        assert!(took < SignedDuration::from_secs(limits::READING_SECONDS + 5), "{took}");
        let events = page["events"].as_array().unwrap();
        decided += events.iter().filter(|event| event["event"] == "decided").count();
        answers += 1;
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert!(answers > 1, "{answers}");
    assert_eq!(decided, 1);
}

/// The decisions of a lead, as they are kept.
async fn decisions_on(yard: &Yard, lead: &str) -> Vec<DecisionRecord> {
    yard.cloud.store.lead_story(lead.parse().unwrap()).await.unwrap().unwrap().decisions
}

/// Keeps so many more decisions on a lead that say the same, from now on, each so long after the one before.
async fn copies(yard: &Yard, lead: &str, of: &DecisionRecord, count: u16, step: SignedDuration) {
    let mut stored = yard.stored(lead).await;
    let mut at = yard.cloud.clock.now();
    for n in 0..count {
        let mut random = [0; 10];
        random[8..].copy_from_slice(&n.to_be_bytes());
        let copy = DecisionRecord { id: DecisionId::mint(at, random), at, ..of.clone() }.sealed().unwrap();
        assert!(yard.cloud.store.lead_save_decided(&stored, &copy).await.unwrap());
        stored.version += 1;
        at = at.checked_add(step).unwrap();
    }
    yard.advance(Duration::try_from(at.duration_since(yard.cloud.clock.now())).unwrap() + SECOND).await;
}

#[tokio::test(start_paused = true)]
async fn a_comparison_of_shadow_mode_goes_on_and_counts_each_lead_once() {
    let rules = Rules::roofing("acme").seller("hudson", [("tier", "1")]).seller("ridge", [("tier", "2")]);
    let yard = Yard::of(rules).await;
    let _ = yard.flip("shadow", json!({ "on": true })).await;
    let compared = async |after: &str| {
        let path = format!("/v1/shadow?month=2026-06{after}");
        yard.desk(Method::GET, &path, None).await.is(200).json
    };
    let counts = |compared: &Value| {
        let names = ["leads", "as_recommended", "otherwise", "not_placed", "nobody"];
        names.map(|name| compared[name].as_u64().unwrap())
    };
    let early = yard.settled_lead(&Person::number(1)).await;
    let often = yard.settled_lead(&Person::number(2)).await;
    yard.advance(SECOND).await;
    let place = json!({ "contract": "ridge" });
    let path = format!("/v1/leads/{early}/place");
    let _ = yard.desk(Method::POST, &path, Some(place)).await.is(200);
    yard.advance(SECOND).await;
    // So often is one decided on that no answer looks at everything.
    let record = decisions_on(&yard, &often).await.remove(0);
    let count = u16::try_from(limits::SHADOW_EXAMINED).unwrap();
    copies(&yard, &often, &record, count, SignedDuration::from_millis(1)).await;
    let _ = yard.settled_lead(&Person::number(3)).await;
    yard.advance(SECOND).await;

    let newest = compared("").await;
    assert_eq!((&newest["complete"], counts(&newest)), (&json!(false), [1, 0, 0, 1, 0]), "{newest}");
    // What is decided meanwhile moves nobody from one answer to the other.
    copies(&yard, &often, &record, 1, SignedDuration::ZERO).await;
    let before = compared(&format!("&after={}", newest["next"].as_str().unwrap())).await;
    assert_eq!((&before["complete"], &before["next"]), (&json!(true), &Value::Null));
    assert_eq!(counts(&before), [2, 0, 1, 1, 0], "{before}");
    assert_eq!(before["differences"][0]["lead"], json!(early));
    let _ = yard.desk(Method::GET, "/v1/shadow?month=2026-06&after=x", None).await.is(400);
}

#[tokio::test(start_paused = true)]
async fn why_a_dealer_got_nothing_goes_on_before_what_one_look_has_seen() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("tier", "1"), ("cap_day", "1")])
        .seller("ridge", [("tier", "2")]);
    let yard = Yard::of(rules).await;
    let _ = yard.settled_lead(&Person::number(1)).await;
    let second = yard.settled_lead(&Person::number(2)).await;
    yard.advance(SECOND).await;
    // More than are looked at, and all of one instant: where a look ends, others stand beside.
    let record = decisions_on(&yard, &second).await.remove(0);
    let most = limits::DECISIONS_EXAMINED;
    let count = u16::try_from(most).unwrap() + 10;
    copies(&yard, &second, &record, count, SignedDuration::ZERO).await;

    let path = "/v1/why-nothing?dealer=hudson&date=2026-06-01";
    let newest = yard.desk(Method::GET, path, None).await.is(200).json;
    assert_eq!((&newest["complete"], &newest["examined"]), (&json!(false), &json!(most)));
    assert_eq!(newest["contracts"], json!({ "hudson": { "cap": most } }));
    let path = format!("{path}&before={}", newest["next"].as_str().unwrap());
    let before = yard.desk(Method::GET, &path, None).await.is(200).json;
    assert_eq!((&before["complete"], &before["next"]), (&json!(true), &Value::Null), "{before}");
    assert_eq!(before["contracts"], json!({ "hudson": { "cap": 11, "chosen": 1 } }));

    // A dealer is told that there is more, and not how much: where the next look begins would say it.
    let own = yard.dealer("hudson", Method::GET, "/v1/why-nothing?date=2026-06-01", None).await.is(200).json;
    assert_eq!((&own["complete"], own.get("next")), (&json!(false), None));
    let asked = path.replace("dealer=hudson&", "");
    let _ = yard.dealer("hudson", Method::GET, &asked, None).await.is(400).is_problem("invalid-field");
    let _ = yard.desk(Method::GET, "/v1/why-nothing?dealer=hudson&before=x", None).await.is(400);

    // On its page it is a link.
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/dealers/acme/hudson/why?date=2026-06-01").await.is(200);
    let says = format!("Of the {most} decisions of the day that could be looked at");
    assert!(page.text.contains(&says), "{}", page.text);
    let mut links = page.text.split("href=\"").filter_map(|rest| rest.split_once('"'));
    let (link, _) = links.find(|(_, rest)| rest.starts_with(">Earlier that day<")).unwrap();
    let page = desk.opens(&link.replace("&amp;", "&")).await.is(200);
    assert!(page.text.contains("Of the 12 earlier decisions of the day, those"), "{}", page.text);
    assert!(!page.text.contains("Earlier that day"), "{}", page.text);
}
