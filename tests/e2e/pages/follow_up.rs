//! The day's list of calls, and the call.

use std::time::Duration;

use http::Method;
use leadyard_domain::access::DeskToken;
use leadyard_tests::{Browser, Person, Reply, Rules, Yard};
use serde_json::{Value, json};

use super::{HOSTILE, READS, is_harmless, names_nobody};

const AT: &str = "/console/follow-up";
const NEXT: &str = "/console/follow-up/next";
const DAY: Duration = Duration::from_secs(86_400);

async fn yard() -> Yard {
    planned("not_ready = [\"1d\", \"2d\"]").await
}

/// The offer needs more than anybody of this company brings at first.
async fn planned(plan: &str) -> Yard {
    let rules = Rules::company("acme")
        .offer("roof", "roofing", "band = \"A1\"")
        .source("web", "offer = \"roof\"")
        .seller("hudson", [])
        .file("followup.toml", plan);
    Yard::of(rules).await
}

async fn nurtured(yard: &Yard, n: usize, pages: usize) -> String {
    let lead = yard.settled_lead(&Person::number(n)).await;
    let at = yard.cloud.clock.now().to_string();
    for page in 0..pages {
        let one = json!({ "id": format!("{n}-{page}"), "kind": "page_view", "at": at, "lead": lead });
        let _ = yard.server("web").reports(one).await.is(202);
    }
    yard.settle().await;
    lead
}

/// Three, the second the hottest, on the day after: they may be called.
async fn three(yard: &Yard) -> Vec<String> {
    let mut leads = Vec::new();
    for (n, pages) in [(1, 2), (2, 6), (3, 0)] {
        leads.push(nurtured(yard, n, pages).await);
    }
    yard.advance(DAY + Duration::from_secs(600)).await;
    leads
}

async fn colleague(yard: &Yard) -> Browser<'_> {
    let token = DeskToken { staff: "lee".to_owned(), companies: vec![yard.company_id()] };
    Browser::with(yard, &yard.cloud.master.mint(&token)).await
}

/// What a page says of what was not done.
fn trouble(page: &Reply) -> &str {
    let (_, said) = page.text.split_once("role=\"alert\">").expect("a refusal");
    said.split("</p>").next().unwrap_or_default()
}

/// An instant as the company's clock shows it.
fn clock(at: &Value) -> String {
    let at: jiff::Timestamp = at.as_str().unwrap().parse().unwrap();
    at.in_tz("America/New_York").unwrap().strftime("%a %-I:%M %p %Z").to_string()
}

/// Opens the next; its page.
async fn next(desk: &Browser<'_>) -> (String, Reply) {
    let list = desk.opens(AT).await.is(200);
    let to = desk.submits(&list, NEXT, &[]).await.is(303).header("location").to_owned();
    let page = desk.opens(&to).await.is(200);
    (to.strip_prefix("/console/follow-up/").unwrap_or(&to).to_owned(), page)
}

#[tokio::test(start_paused = true)]
async fn the_list_is_in_order_of_score_with_the_reason_of_each_and_names_nobody() {
    let yard = yard().await;
    let leads = three(&yard).await;
    let desk = Browser::of(&yard).await;
    let (page, reads) = desk.reads(AT).await;
    assert!(reads <= READS, "{reads} reads");
    let at = |lead: &str| page.text.find(&format!("/console/follow-up/{lead}\"")).unwrap();
    assert!(at(&leads[1]) < at(&leads[0]) && at(&leads[0]) < at(&leads[2]));
    assert!(
        page.text.contains("They did something since the last look")
            && page.text.contains("not ready to be sold yet")
    );
    assert!(page.text.contains("1 of 2") && page.text.contains("3 of these may be called now"));
    names_nobody(&page, &["@", "2740001"]);
    // Today leads to it, and says how many.
    let today = desk.opens("/console/today").await.is(200);
    assert!(today.text.contains("<strong>3</strong> follow-ups due"), "{}", today.text);
    assert!(page.text.contains("href=\"/console/follow-up\" aria-current=\"page\""));
}

#[tokio::test(start_paused = true)]
async fn next_claims_the_best_shows_who_it_is_and_two_never_get_the_same() {
    let yard = yard().await;
    let leads = three(&yard).await;
    let (desk, other) = (Browser::of(&yard).await, colleague(&yard).await);
    let before = desk.opens(&format!("{AT}/{}", leads[1])).await.is(200);
    names_nobody(&before, &["@mail.example\"", "+13052740002"]);
    let (first, page) = next(&desk).await;
    assert_eq!(first, leads[1]);
    assert!(
        page.text.contains("tel:+13052740002") && page.text.contains("They did something"),
        "{}",
        page.text
    );
    let (second, theirs) = next(&other).await;
    assert_eq!(second, leads[0]);
    assert!(theirs.text.contains("tel:+13052740001"));
    // A colleague sees that it is claimed, and not who it is; whoever has one has it again.
    let seen = other.opens(&format!("{AT}/{first}")).await.is(200);
    names_nobody(&seen, &["+13052740002"]);
    assert!(seen.text.contains("by desk until") && seen.text.contains("cannot be claimed"));
    assert_eq!(next(&desk).await.0, first);
    // That they looked stands in the lead's history.
    let story = yard.story(&first).await;
    assert!(story.list("history").any(|act| act["act"] == "claim" && act["by"] == "desk"));
}

#[tokio::test(start_paused = true)]
async fn a_claim_is_let_go_of_and_a_colleague_has_it_at_once() {
    let yard = yard().await;
    let _ = three(&yard).await;
    let (desk, other) = (Browser::of(&yard).await, colleague(&yard).await);
    let (lead, page) = next(&desk).await;
    let path = format!("{AT}/{lead}/unclaim");
    let done = desk.submits(&page, &path, &[]).await.is(303);
    let list = desk.opens(done.header("location")).await.is(200);
    assert!(list.text.contains("Anybody may call them now.") && !list.text.contains("by desk until"));
    // A second click is as the first; who let go of it is shown nobody any more.
    let _ = desk.submits(&page, &path, &[]).await.is(303);
    names_nobody(&desk.opens(&format!("{AT}/{lead}")).await.is(200), &["+13052740002"]);
    let (theirs, page) = next(&other).await;
    assert_eq!(theirs, lead);
    assert!(page.text.contains("Let go of it"));
    // It stands in the lead's history.
    let story = desk.opens(&format!("/console/leads/{lead}")).await.is(200);
    assert!(story.text.contains("desk: let go of the claim"), "{}", story.text);
    // Who manages may take it away, and says so.
    let theirs = desk.opens(&format!("{AT}/{lead}")).await.is(200);
    assert!(theirs.text.contains("Take the claim away"), "{}", theirs.text);
    let _ = desk.submits(&theirs, &path, &[]).await.is(303);
    assert_eq!(yard.story(&lead).await.0["follow_up"]["claim"], json!(null));
    // But from nobody whom the page did not show: it was the colleague's, and is another's by now.
    let (again, _) = next(&desk).await;
    let late = desk.submits(&theirs, &path, &[]).await.is(409);
    assert!(again == lead && late.text.contains("desk is calling them"), "{}", late.text);
    assert_eq!(yard.story(&lead).await.0["follow_up"]["claim"]["by"], "desk");
}

#[tokio::test(start_paused = true)]
async fn the_list_goes_on_behind_its_first_page_within_the_reads_of_a_page() {
    let yard = yard().await;
    for n in 1..=60 {
        let _ = yard.lead(&Person::number(n)).await;
    }
    yard.settle().await;
    yard.advance(DAY + Duration::from_secs(600)).await;
    let desk = Browser::of(&yard).await;
    let (mut at, mut listed) = (AT.to_owned(), Vec::new());
    for left in [35, 10, 0] {
        let (page, reads) = desk.reads(&at).await;
        assert!(reads <= READS, "{reads} reads");
        let rows = page.text.split("<th scope=\"row\"><a href=\"/console/follow-up/").skip(1);
        listed.extend(rows.map(|row| row.split('"').next().unwrap().to_owned()));
        assert_eq!(listed.len(), 60 - left);
        let link = page.text.split("<a href=\"").find(|link| link.contains("Further down the list"));
        let link = link.map(|link| link.split('"').next().unwrap().replace("&#38;", "&"));
        assert_eq!(link.is_some(), left > 0);
        at = link.unwrap_or_default();
    }
    listed.sort_unstable();
    listed.dedup();
    assert_eq!(listed.len(), 60, "each once");
    let _ = desk.opens("/console/follow-up?after=x").await.is(400);
}

#[tokio::test(start_paused = true)]
async fn a_call_is_kept_and_leads_to_the_next_until_nobody_is_left() {
    let yard = yard().await;
    let leads = three(&yard).await;
    let desk = Browser::of(&yard).await;
    let (mut lead, mut page) = next(&desk).await;
    let mut called = Vec::new();
    for result in ["no_answer", "not_now", "not_interested"] {
        let path = format!("{AT}/{lead}/call");
        let typed = [("result", result), ("note", "said hello"), ("then", "next")];
        let done = desk.submits(&page, &path, &typed).await.is(303).header("location").to_owned();
        called.push(lead);
        page = desk.opens(&done).await.is(200);
        lead = done.strip_prefix("/console/follow-up/").unwrap_or_default().to_owned();
    }
    assert_eq!(called, [leads[1].clone(), leads[0].clone(), leads[2].clone()]);
    assert!(page.text.contains("Kept. Nobody else may be called now."), "{}", page.text);
    let story = desk.opens(&format!("/console/leads/{}", leads[1])).await.is(200);
    assert!(story.text.contains("desk: called: no answer") && story.text.contains("said hello"));
    assert!(
        story.text.contains("to be called") && story.text.contains("Nobody reached them at the last call.")
    );
}

#[tokio::test(start_paused = true)]
async fn what_could_not_be_kept_says_why_and_loses_nothing_typed() {
    let yard = yard().await;
    let _ = three(&yard).await;
    let (desk, other) = (Browser::of(&yard).await, colleague(&yard).await);
    let (lead, page) = next(&desk).await;
    let path = format!("{AT}/{lead}/call");
    for (callback, why) in [
        ("", "say when to call back: a day and a time, theirs"),
        (
            "2026-06-05T23:30",
            "it is no hour to call where they are: they may be called from Sat, Jun 6, 2026, 8:00 AM EDT",
        ),
        ("2026-06-01T10:00", "the time to call back lies ahead, by 365 days at most"),
    ] {
        let typed = [("result", "callback"), ("callback", callback), ("note", HOSTILE)];
        let refused = desk.submits(&page, &path, &typed).await.is(400);
        assert_eq!(trouble(&refused), why, "{callback}");
        assert!(refused.text.contains("value=\"callback\" selected"));
        assert!(callback.is_empty() || refused.text.contains(&format!("value=\"{callback}\"")));
        is_harmless(&refused);
    }
    // The claim ran out, and a colleague has it by now: they see who, and what they typed.
    yard.advance(Duration::from_millis(16 * 60_000 + 123)).await;
    let (theirs, _) = next(&other).await;
    assert_eq!(theirs, lead);
    let refused =
        desk.submits(&page, &path, &[("result", "not_now"), ("note", "the roof is new")]).await.is(409);
    let until = yard.story(&lead).await.0["follow_up"]["claim"]["until"].clone();
    assert_eq!(trouble(&refused), format!("lee is calling them, until {}", clock(&until)));
    assert!(refused.text.contains("the roof is new"), "{}", refused.text);
    // A program reads the instant itself beside the words, which have no parts of seconds.
    let told = yard.desk(Method::POST, &format!("/v1/leads/{lead}/claim"), Some(json!({}))).await.is(409);
    assert_eq!(told.json["claim"], json!({ "by": "lee", "until": until }));
    assert!(until.as_str().unwrap().contains('.') && !told.text_of("detail").contains('.'), "{}", told.text);
    names_nobody(&refused, &["+13052740002"]);
    // Their own time is Miami's, four hours behind the table's.
    let page = other.opens(&format!("{AT}/{lead}")).await.is(200);
    let typed = [("result", "callback"), ("callback", "2026-06-05T10:30"), ("note", "")];
    let _ = other.submits(&page, &path, &typed).await.is(303);
    let story = yard.story(&lead).await;
    assert_eq!(story.0["follow_up"]["at"], "2026-06-05T14:30:00Z");
    // Who is promised a call is not chosen before it: when that is, the page says in the company's time alone.
    let at = format!("/console/leads/{lead}");
    let page = desk.opens(&at).await.is(200);
    let refused = desk.submits(&page, &format!("{at}/follow_up"), &[]).await.is(409);
    let said = trouble(&refused);
    assert!(said.contains("they were promised a call") && !said.contains("2026-06-05T"), "{said}");
    assert!(refused.text.contains("to be called Fri, Jun 5, 2026, 10:30 AM EDT"), "{}", refused.text);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_promised_a_call_for_later_than_they_may_be_called_and_the_page_says_until_when() {
    let yard = planned("not_ready = [\"1d\", \"2d\"]\nenquiry_days = 5").await;
    let _ = nurtured(&yard, 1, 0).await;
    yard.advance(DAY + Duration::from_secs(600)).await;
    let desk = Browser::of(&yard).await;
    let (lead, page) = next(&desk).await;
    let typed = [("result", "callback"), ("callback", "2026-06-08T10:00")];
    let refused = desk.submits(&page, &format!("{AT}/{lead}/call"), &typed).await.is(400);
    assert_eq!(
        trouble(&refused),
        "it is too late to call back then: they may be called until Sat, Jun 6, 2026, 12:00 PM EDT"
    );
    let late = json!({ "result": "callback", "callback_at": "2026-06-08T14:00:00Z" });
    let told = yard.desk(Method::POST, &format!("/v1/leads/{lead}/call"), Some(late)).await.is(400);
    assert_eq!(told.json["until"], "2026-06-06T16:00:00Z");
    assert_eq!(told.json["errors"][0]["pointer"], "/callback_at");
}

#[tokio::test(start_paused = true)]
async fn a_call_s_form_is_one_call_and_is_never_kept_over_what_a_colleague_said_since() {
    let yard = yard().await;
    let _ = three(&yard).await;
    let (desk, other) = (Browser::of(&yard).await, colleague(&yard).await);
    let (lead, page) = next(&desk).await;
    let path = format!("{AT}/{lead}/call");
    let calls = async || {
        let story = yard.story(&lead).await;
        let calls = story.list("history").filter(|act| act["act"] == "call").count();
        (calls, story.0["follow_up"]["last_call"]["result"].clone())
    };
    // The claim ran out, and a colleague called; their form comes twice.
    yard.advance(Duration::from_secs(16 * 60)).await;
    let (theirs, their_page) = next(&other).await;
    assert_eq!(theirs, lead);
    for _ in 0..2 {
        let typed = [("result", "not_interested"), ("note", "the roof is new")];
        let _ = other.submits(&their_page, &path, &typed).await.is(303);
    }
    assert_eq!(calls().await, (1, json!("not_interested")));
    // What the first one's call came to is told them all the same, and says nothing over it.
    let typed = [("result", "no_answer"), ("note", "rang twice")];
    let late = desk.submits(&page, &path, &typed).await.is(409);
    assert!(
        late.text.contains("lee said what a call came to: not_interested")
            && late.text.contains("rang twice"),
        "{}",
        late.text
    );
    assert_eq!(calls().await, (1, json!("not_interested")));
    // Who has seen that may say it.
    let _ = desk.submits(&late, &path, &typed).await.is(303);
    assert_eq!(calls().await, (2, json!("no_answer")));
    // Other words of the same form are another act.
    let _ = other.submits(&their_page, &path, &[("result", "busy"), ("note", "rang twice")]).await.is(409);
}

#[tokio::test(start_paused = true)]
async fn the_next_is_found_behind_all_who_may_not_be_called_at_this_hour() {
    let yard = yard().await;
    // Asked first of all, and so the last of those who are worth the same.
    let honolulu = Person::number(0).with("zip", "96815").with("phone", "808-274-0100");
    let honolulu = yard.settled_lead(&honolulu).await;
    yard.advance(Duration::from_secs(60)).await;
    for n in 1..=105 {
        let _ = yard.lead(&Person::number(n)).await;
    }
    yard.settle().await;
    // Half past nine in the evening in Miami, half past three in Honolulu.
    yard.advance_to("2026-06-03T01:30:00Z").await;
    let desk = Browser::of(&yard).await;
    assert!(desk.opens(AT).await.is(200).text.contains("0 of these may be called now"));
    assert_eq!(next(&desk).await.0, honolulu);
}

#[tokio::test(start_paused = true)]
async fn the_lead_s_page_says_what_is_next_and_puts_it_in_the_list() {
    let yard = yard().await;
    let lead = nurtured(&yard, 1, 0).await;
    let desk = Browser::of(&yard).await;
    let path = format!("/console/leads/{lead}");
    let page = desk.opens(&path).await.is(200);
    assert!(page.text.contains("to be called Tue, Jun 2, 2026, 12:00 PM EDT"), "{}", page.text);
    assert!(desk.opens(AT).await.is(200).text.contains("Nobody is to be called now"));
    let done = desk.submits(&page, &format!("{path}/follow_up"), &[]).await.is(303);
    let after = desk.opens(done.header("location")).await.is(200);
    assert!(
        after.text.contains("It stands in the day’s list of calls.")
            && after.text.contains("to be called now")
    );
    assert!(desk.opens(AT).await.is(200).text.contains("The desk chose them."));
    // Another company's desk finds neither the lead nor the list.
    let ridge = yard.also(Rules::roofing("ridge").seller("crest", [])).await;
    let theirs = Browser::of(&ridge).await;
    let _ = theirs.opens(&format!("{AT}/{lead}")).await.is(404);
    let _ = theirs.opens(&format!("{AT}?company=acme")).await.is(404);
    let csrf = theirs.csrf().await;
    let _ = theirs.sends(&format!("{AT}/{lead}/claim"), &csrf).await.is(404);
    let refused = ridge.desk(Method::POST, &format!("/v1/leads/{lead}/claim"), Some(json!({}))).await;
    assert_eq!(refused.status, 404);
    // And nobody without this session's word.
    let _ = desk.sends(&format!("{AT}/{lead}/claim"), "csrf=x").await.is(403);
}
