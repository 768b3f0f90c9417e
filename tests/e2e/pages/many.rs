//! One act on many: who is chosen to be called; and all of a list, looked at and done step by step with how far it has come.

use std::collections::BTreeSet;
use std::time::Duration;

use http::Method;
use leadyard_domain::access::DeskToken;
use leadyard_tests::browser::FORM;
use leadyard_tests::{Browser, Person, Reply, Rules, Yard};
use serde_json::{Value, json};

use super::leads::{MANY, acts, link, listed, says, times, waits, yard};
use super::{READS, names_nobody};

const PLACE: &str = "/console/waiting/place";

/// How far a page says that it has come, and of how many: as it is seen, and as a program reads it aloud.
pub(super) fn how_far(page: &Reply) -> (usize, usize) {
    let progress = page.text.split("<progress ").nth(1).unwrap_or_else(|| panic!("{}", page.text));
    let number = |name: &str| -> usize {
        progress.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
    };
    let (value, max) = (number("value"), number("max"));
    let label = page.text.split("<label for=\"how-far\">").nth(1).unwrap().split("</label>").next().unwrap();
    assert!(label.contains(&format!("<strong>{value}</strong> of {max}")), "{label}");
    assert!(progress.starts_with("id=\"how-far\""), "{progress}");
    (value, max)
}

/// Where a page goes on to by itself.
fn goes_on(page: &Reply) -> Option<String> {
    let to = page.text.split("http-equiv=\"refresh\" content=\"0; url=").nth(1)?;
    Some(to.split('"').next().unwrap().to_owned())
}

/// Takes all steps from here; the page that goes on no more, and how far each had come.
pub(super) async fn steps(desk: &Browser<'_>, at: &str) -> (Reply, Vec<(usize, usize)>) {
    let (mut at, mut came) = (at.to_owned(), Vec::new());
    for _ in 0..100 {
        let page = desk.opens(&at).await.is(200);
        if page.text.contains("<progress ") {
            came.push(how_far(&page));
        }
        let Some(to) = goes_on(&page) else { return (page, came) };
        at = to;
    }
    panic!("it never ends: {came:?}");
}

/// The page of what was looked at.
pub(super) async fn looked_at_all(desk: &Browser<'_>, at: &str) -> Reply {
    steps(desk, at).await.0
}

/// Where the look stands.
pub(super) fn look_of(page: &Reply) -> String {
    let form =
        page.text.split("action=\"/console/leads/many/").nth(1).unwrap_or_else(|| panic!("{}", page.text));
    format!("/console/leads/many/{}", form.split('"').next().unwrap())
}

async fn listed_calls(yard: &Yard) -> BTreeSet<String> {
    let reply = yard.desk(Method::GET, "/v1/follow-ups", None).await.is(200);
    let calls = reply.json["follow_ups"].as_array().unwrap().clone();
    calls.iter().map(|call| call["lead"]["lead"].as_str().unwrap().to_owned()).collect()
}

// --- Follow up ---

/// A lead that nobody has and everybody may call: the offer needs more than it brings.
async fn nurturing(yard: &Yard, n: usize) -> String {
    let person = Person::number(n).with("phone", &format!("305-555-01{n:02}"));
    yard.settled_lead(&person).await
}

fn not_ready() -> Rules {
    Rules::company("acme")
        .offer("roof", "roofing", "band = \"A1\"")
        .offer("gutter", "roofing", "")
        .source("web", "offer = \"roof\"")
        .source("ads", "offer = \"gutter\"")
        .seller("hudson", [])
        .file("followup.toml", "not_ready = [\"1d\", \"2d\"]\n")
}

async fn suppressed(yard: &Yard, list: &str, lead: &str) {
    let phone = yard.story(lead).await.0["person"]["phone"].clone();
    let body = json!({ "rows": [{ "phone": phone }] });
    let _ = yard.desk(Method::POST, &format!("/v1/import/{list}"), Some(body)).await.is(200);
}

#[tokio::test(start_paused = true)]
async fn many_are_chosen_to_be_called_after_a_look_that_says_who_is_not_and_why() {
    let yard = Yard::of(not_ready()).await;
    let mut leads = Vec::new();
    for n in 1..=9 {
        leads.push(nurturing(&yard, n).await);
    }
    let [planned, other, unsubscribed, held, on_list, erased, already, called, mute] = &leads[..] else {
        panic!("nine")
    };
    let link = yard.story(unsubscribed).await.0["unsubscribe"].as_str().unwrap().to_owned();
    let click = b"List-Unsubscribe=One-Click".to_vec();
    let _ = yard.sends(None, Method::POST, &link, FORM, click).await.is(200);
    let over = json!({ "contract": "hudson", "override": true, "reason": "they know them" });
    let _ = acts(&yard, held, "place", over).await.is(200);
    suppressed(&yard, "do_not_call", on_list).await;
    let _ = acts(&yard, erased, "erase", json!({ "reason": "requested" })).await;
    for lead in [already, called] {
        let _ = acts(&yard, lead, "follow_up", json!({})).await.is(200);
    }
    let _ = acts(&yard, called, "claim", json!({})).await.is(200);
    let _ = acts(&yard, mute, "reject", json!({ "reason": "no roof" })).await.is(200);
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let form = leads.iter().fold(desk.csrf().await, |form, lead| format!("{form}&one.{lead}=on"));
    let look = desk.sends(MANY, &format!("{form}&act=follow_up&list=company%3Dacme")).await.is(200);
    says(&look, &["2 would be called", "7 would stay as they are", "and not on Tue, Jun 2, 2026"]);
    for (lead, why) in [
        (unsubscribed, "they unsubscribed, or stand on the suppression list"),
        (held, "hudson has it: only a lead that nobody has is followed up"),
        (on_list, "their phone is on the do-not-call list, and they did not agree to be called"),
        (erased, "was erased"),
        (already, "it stands in the day’s list of calls already"),
        (called, "desk is calling them just now"),
        (mute, "the lead is rejected: it is not followed up"),
    ] {
        let row = look.text.split("<li>").find(|row| row.contains(lead)).unwrap_or_else(|| panic!("{lead}"));
        assert!(row.contains(why), "{why} is not in {row}");
    }
    names_nobody(&look, &["@", "5550101"]);
    assert_eq!(times(&yard, planned, "follow_up").await, 0, "a look changes nothing");
    // A second click is the first one.
    for _ in 0..2 {
        let done = desk.submits(&look, MANY, &[("reason", "spring campaign")]).await.is(303);
        says(&desk.opens(done.header("location")).await.is(200), &["2 chosen to be called."]);
    }
    for lead in [planned, other] {
        assert_eq!(times(&yard, lead, "follow_up").await, 1);
        let story = yard.story(lead).await;
        let act = story.list("history").find(|act| act["act"] == "follow_up").unwrap().clone();
        assert_eq!((&act["by"], &act["reason"]), (&json!("desk"), &json!("spring campaign")));
        assert_eq!(act["after"]["reason"], "by_hand");
    }
    let due = [planned, other, already, called].map(String::clone);
    assert_eq!(listed_calls(&yard).await, BTreeSet::from(due));
    let claim = yard.story(called).await.0["follow_up"]["claim"]["by"].clone();
    assert_eq!(claim, "desk", "who calls them goes on");
}

#[tokio::test(start_paused = true)]
async fn whose_call_came_to_something_since_the_look_or_is_being_made_is_not_chosen_again() {
    let yard = Yard::of(not_ready()).await;
    let (called, claimed) = (nurturing(&yard, 1).await, nurturing(&yard, 2).await);
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/leads?list=nurturing").await.is(200);
    let look = desk.submits(&page, MANY, &[("every", "on"), ("act", "follow_up")]).await.is(200);
    says(&look, &["2 would be called"]);
    let _ = acts(&yard, &called, "claim", json!({})).await.is(200);
    let _ = acts(&yard, &called, "call", json!({ "result": "not_interested" })).await.is(200);
    let _ = acts(&yard, &claimed, "claim", json!({})).await.is(200);
    let done = desk.submits(&look, MANY, &[]).await.is(303);
    says(
        &desk.opens(done.header("location")).await.is(200),
        &["0 chosen to be called. 2 stayed as they are"],
    );
    assert_eq!(yard.story(&called).await.0["follow_up"]["stands"], "rests");
    assert_eq!(times(&yard, &claimed, "follow_up").await, 0);
}

// --- All of a list ---

#[tokio::test(start_paused = true)]
async fn all_of_a_list_are_looked_at_and_held_step_by_step_with_how_far_it_has_come() {
    let yard = yard("10").await;
    let mut leads = Vec::new();
    for n in 1..=60 {
        leads.push(waits(&yard, n).await);
    }
    let _ = acts(&yard, &leads[0], "hold", json!({ "reason": "I call them" })).await.is(200);
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/leads?list=waiting").await.is(200);
    assert_eq!(listed(&page).len(), 25);
    let begun = desk.submits(&page, MANY, &[("whole", "on"), ("act", "hold")]).await.is(303);
    let (look, came) = steps(&desk, begun.header("location")).await;
    assert_eq!(came, [(25, 60), (50, 60), (60, 60), (60, 60)]);
    says(&look, &["59 would be held", "1 would stay as they are", "Page 1 of 3", "on 3 pages"]);
    let mut shown = BTreeSet::new();
    let mut at = Some(look_of(&look));
    while let Some(next) = at {
        let (page, reads) = desk.reads(&next).await;
        assert!(reads <= READS, "{reads} reads");
        names_nobody(&page, &["@", "5550101"]);
        let rows = page.text.split("<a href=\"/console/leads/").skip(1);
        let ids = rows.map(|row| row.split('"').next().unwrap().to_owned());
        shown.extend(ids.filter(|id| leads.contains(id)));
        at = link(&page, "The next page");
    }
    assert_eq!(shown, leads.iter().cloned().collect::<BTreeSet<_>>(), "all are shown, page by page");
    for lead in &leads[1..] {
        assert!(yard.stored(lead).await.hold.is_none(), "a look changes nothing");
    }
    let at = look_of(&look);
    let (sent, again) = tokio::join!(
        desk.submits(&look, &at, &[("reason", "a storm")]),
        desk.submits(&look, &at, &[("reason", "another")])
    );
    let _ = again.is(303);
    // Each step is a page that is opened: one that is opened again does the next, and none is counted twice.
    let (over, came) = steps(&desk, sent.is(303).header("location")).await;
    assert!(came.windows(2).all(|two| two[0].0 <= two[1].0 && two[0].1 == 59), "{came:?}");
    assert_eq!(came.last(), Some(&(59, 59)), "it ends at the total");
    says(&over, &["59 held."]);
    let _ = desk.submits(&look, &at, &[]).await.is(303);
    let again = desk.opens(&at).await.is(200);
    assert_eq!(how_far(&again), (59, 59));
    says(&again, &["59 held."]);
    for lead in &leads {
        assert!(yard.stored(lead).await.hold.is_some());
        assert_eq!(times(&yard, lead, "hold").await, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_that_is_taken_twice_at_a_moment_or_broke_off_counts_nothing_twice() {
    let yard = yard("10").await;
    let mut leads = Vec::new();
    for n in 1..=30 {
        leads.push(waits(&yard, n).await);
    }
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/leads?list=waiting").await.is(200);
    let begun = desk.submits(&page, MANY, &[("whole", "on"), ("act", "hold")]).await.is(303);
    let at = begun.header("location").to_owned();
    // Both at one moment: the same step, or one step each.
    let (one, other) = tokio::join!(desk.opens(&at), desk.opens(&at));
    assert!([one, other].iter().all(|page| [(25, 30), (30, 30)].contains(&how_far(page))));
    let look = looked_at_all(&desk, &at).await;
    let _ = desk.submits(&look, &at, &[]).await.is(303);
    // The table is away in the midst of a step.
    let first = yard.faults.hold_commit();
    let (broke, ()) = tokio::join!(desk.opens(&at), async {
        first.arrives().await;
        yard.faults.table(true);
        first.let_go();
    });
    yard.faults.table(false);
    let _ = broke.is(503);
    let (one, other) = tokio::join!(desk.opens(&at), desk.opens(&at));
    assert!([one, other].iter().all(|page| [(25, 30), (30, 30)].contains(&how_far(page))));
    let (over, came) = steps(&desk, &at).await;
    assert_eq!(came.last(), Some(&(30, 30)));
    says(&over, &["30 held."]);
    for lead in &leads {
        assert_eq!(times(&yard, lead, "hold").await, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn all_that_wait_are_placed_as_they_were_shown_and_who_was_not_is_named() {
    let yard = yard("28").await;
    let mut leads = Vec::new();
    for n in 1..=32 {
        leads.push(waits(&yard, n).await);
    }
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/waiting?reason=manual").await.is(200);
    says(&page, &["all that wait for this reason"]);
    let begun = desk.submits(&page, PLACE, &[("whole", "on")]).await.is(303);
    let (look, came) = steps(&desk, begun.header("location")).await;
    assert_eq!(came, [(25, 32), (32, 32), (32, 32)]);
    // Each of hudson's seats is promised once, over both parts.
    says(&look, &["28 would go, for 1260.00 USD", "4 would stay as they are", ">Waiting</a></p>"]);
    let at = look_of(&look);
    let second = desk.opens(&format!("{at}?page=2")).await.is(200);
    says(&second, &["the rules recommend nobody now, since whoever could have them has had enough"]);
    assert_eq!(yard.told("hudson").len(), 0, "a look sends nothing");
    // Of those that would go, one is held by a colleague meanwhile, and another rejected.
    let first: Vec<&String> = leads.iter().filter(|lead| look.text.contains(lead.as_str())).collect();
    let (held, rejected) = (first[0], first[1]);
    let _ = acts(&yard, held, "hold", json!({ "reason": "I call them" })).await.is(200);
    let _ = acts(&yard, rejected, "reject", json!({ "reason": "a prank" })).await.is(200);
    let sent = desk.submits(&look, &at, &[]).await.is(303);
    let (over, came) = steps(&desk, sent.header("location")).await;
    assert_eq!(came.last(), Some(&(28, 28)));
    says(&over, &["26 placed. 2 stayed as they are."]);
    for (lead, why) in [(held, "the desk holds it"), (rejected, "it is rejected now")] {
        let row = over.text.split("<li>").find(|row| row.contains(lead.as_str())).unwrap();
        assert!(row.contains(why), "{why} is not in {row}");
    }
    yard.settle().await;
    assert_eq!(yard.taken("hudson", 4).await, 26);
    let (over, _) = steps(&desk, &at).await;
    says(&over, &["26 placed. 2 stayed as they are."]);
    assert_eq!(yard.taken("hudson", 4).await, 26);
    let mut placed = 0;
    for lead in &leads {
        placed += times(&yard, lead, "place").await;
    }
    assert_eq!(placed, 26);
}

#[tokio::test(start_paused = true)]
async fn who_stays_since_the_contract_is_full_by_then_is_told_with_the_rule_in_words() {
    let yard = yard("2").await;
    let (_, _) = (waits(&yard, 1).await, waits(&yard, 2).await);
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/waiting?reason=manual").await.is(200);
    let begun = desk.submits(&page, PLACE, &[("whole", "on")]).await.is(303);
    let (look, _) = steps(&desk, begun.header("location")).await;
    says(&look, &["2 would go"]);
    let third = waits(&yard, 3).await;
    let _ = acts(&yard, &third, "place", json!({ "contract": "hudson", "reason": "agreed" })).await.is(200);
    let sent = desk.submits(&look, &look_of(&look), &[]).await.is(303);
    let (over, _) = steps(&desk, sent.header("location")).await;
    says(&over, &["1 placed. 1 stayed as they are.", "cap: the contract"]);
    assert!(!over.text.contains("override"), "{}", over.text);
}

#[tokio::test(start_paused = true)]
async fn of_very_many_a_thousand_are_looked_at_and_the_rest_stands_behind_them() {
    let yard = yard("10").await;
    for n in 0..1_010 {
        let person = Person::number(n).with("offer", "gutter");
        let _ = yard.server("web2").posts(&person).await.is(201);
    }
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/leads?list=source:web2").await.is(200);
    let begun = desk.submits(&page, MANY, &[("whole", "on"), ("act", "hold")]).await.is(303);
    let at = begun.header("location").to_owned();
    let mut look = desk.opens(&at).await.is(200);
    assert_eq!(how_far(&look), (25, 1_000));
    while goes_on(&look).is_some() {
        let (next, reads) = desk.reads(&at).await;
        // Of each lead that is looked at, three at most.
        assert!(reads <= 3 * 25 + 6, "{reads} reads");
        look = next;
    }
    says(&look, &["1000 would be held", "Page 1 of 40", "More stand behind them in the list"]);
    let behind = desk.submits(&look, MANY, &[]).await.is(303);
    let (look, _) = steps(&desk, behind.header("location")).await;
    says(&look, &["10 would be held"]);
    assert!(!look.text.contains("More stand behind"), "{}", look.text);
}

#[tokio::test(start_paused = true)]
async fn a_look_is_of_whoever_looked_and_over_after_two_hours() {
    let yard = yard("10").await;
    let lead = waits(&yard, 1).await;
    let desk = Browser::of(&yard).await;
    let whole = format!("act=hold&whole=on&list=company%3Dacme%26list%3Dwaiting&{}", desk.csrf().await);
    let at = desk.sends(MANY, &whole).await.is(303).header("location").to_owned();
    // Nobody is sure of what was not looked at yet.
    let early = desk.sends(&at, &desk.csrf().await).await.is(409);
    says(&early, &["not all of them were looked at yet"]);
    let look = looked_at_all(&desk, &at).await;
    says(&look, &["1 would be held", &lead]);
    let token = DeskToken { staff: "lee".to_owned(), companies: vec![yard.company_id()] };
    let lee = Browser::with(&yard, &yard.cloud.master.mint(&token)).await;
    let not_theirs = lee.opens(&at).await.is(303);
    says(&lee.opens(not_theirs.header("location")).await.is(200), &["That look is over"]);
    let _ = lee.sends(&at, &lee.csrf().await).await.is(303);
    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let _ = Browser::of(&other).await.opens(&at).await.is(404);
    yard.advance(Duration::from_secs(2 * 3_600 + 1)).await;
    let _ = desk.submits(&look, &at, &[]).await.is(303);
    let over = desk.opens(&at).await.is(303);
    says(&desk.opens(over.header("location")).await.is(200), &["That look is over: look again."]);
    assert!(yard.stored(&lead).await.hold.is_none());
    let empty = whole.replace("waiting", "won");
    let nobody = desk.sends(MANY, &empty).await.is(303);
    says(&desk.opens(nobody.header("location")).await.is(200), &["Nothing was chosen"]);
    let history: Vec<Value> = yard.story(&lead).await.list("history").cloned().collect();
    assert_eq!(history, [Value::Null; 0]);
}
