//! A dealer's own pages: what it sees of a lead before and after it accepts, every answer, and nothing of anybody else.

use std::collections::BTreeSet;
use std::time::Duration;

use http::{HeaderMap, Method};
use leadyard_tests::browser::FORM;
use leadyard_tests::{Browser, Person, Reply, Rules, Yard};
use serde_json::json;

use super::{READS, is_harmless, names_nobody};

/// What screening lets by and no page may take for markup.
const MARKED: &str = "my roof\"><b onmouseover='x'> leaks";

/// Hudson must accept within the hour and may return; ridge has what hudson does not take.
fn rules() -> Rules {
    Rules::roofing("acme")
        .inbox_dealer("hudson", [])
        .contract(
            "hudson",
            "hudson",
            [
                ("tier", "1"),
                ("price", "45.00"),
                ("deadline_minutes", "60"),
                ("deadline_clock", "wall"),
                ("return_days", "7"),
                ("return_reasons", "wrong-number out-of-area"),
            ],
        )
        .inbox_dealer("ridge", [])
        .contract("ridge", "ridge", [("tier", "2"), ("price", "40.00")])
}

fn ada() -> Person {
    Person::named("Ada", "Hill")
        .with("phone", "305-274-0100")
        .with("message", "the roof leaks over the kitchen")
        .with("consent", "yes")
        .with("consent_text", "I agree to be called")
        .with("xxTrustedFormCertUrl", "https://cert.trustedform.com/0123456789abcdef0123456789abcdef01234567")
        .with("universal_leadid", "11111111-2222-4333-8444-555555555555")
        .with("roof_age", "12 years")
}

/// The page of a dealer's seat.
async fn seat(yard: &Yard, lead: &str, contract: &str) -> String {
    let story = yard.story(lead).await;
    format!("/console/inbox/{}", story.assignment(contract)["assignment"].as_str().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_dealer_accepts_from_the_list_and_only_then_sees_who_it_is() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&ada()).await;
    let at = seat(&yard, &lead, "hudson").await;
    let hudson = Browser::of_dealer(&yard, "hudson").await;
    let (list, reads) = hudson.reads("/console/inbox").await;
    assert!(reads <= READS, "{reads} reads");
    for told in ["New <span class=\"soft\">1<", "Ada", "accept in 1 h", &at] {
        assert!(list.text.contains(told), "{told} is not in {}", list.text);
    }
    let (page, reads) = hudson.reads(&at).await;
    assert!(reads <= READS, "{reads} reads");
    assert!(page.text.contains("Accept it, and you see who it is") && page.text.contains("kitchen"));
    for masked in [&list, &page] {
        names_nobody(
            masked,
            &["Hill", "2740100", "274-0100", "ada.hill", "I agree", "trustedform", "11111111-"],
        );
    }

    let accept = format!("{at}/accept");
    let accepted = hudson.submits(&list, &accept, &[]).await.is(303);
    let open = hudson.opens(accepted.header("location")).await.is(200);
    for told in [
        "Accepted: it is yours",
        "Ada Hill",
        "tel:+13052740100",
        "mailto:ada.hill@",
        "They may be called until",
        "I agree to be called",
        "cert.trustedform.com/0123456789abcdef",
        "11111111-2222-4333-8444-555555555555",
        "12 years",
        "45.00 USD",
        "I reached them",
    ] {
        assert!(open.text.contains(told), "{told} is not in {}", open.text);
    }
    assert!(!open.text.contains("Decline"), "what is accepted is returned, not declined");
    assert_eq!(yard.story(&lead).await.assignment("hudson")["state"], "accepted");
    // The other button of the page that is open in another tab.
    let again = hudson.submits(&list, &accept, &[]).await.is(303);
    assert_eq!(again.header("location"), accepted.header("location"));
    let list = hudson.opens("/console/inbox").await.is(200);
    assert!(list.text.contains("In hand <span class=\"soft\">1<") && list.text.contains("Call +13052740100"));
}

#[tokio::test(start_paused = true)]
async fn it_says_that_it_reached_them_and_won_and_puts_the_value_right() {
    let yard = Yard::of(rules()).await;
    let (lead, other) = (yard.settled_lead(&ada()).await, yard.settled_lead(&Person::number(2)).await);
    let at = seat(&yard, &lead, "hudson").await;
    let hudson = Browser::of_dealer(&yard, "hudson").await;
    let says = async |word: &str, form: &str| {
        hudson.sends(&format!("{at}/{word}"), &format!("{}{form}", hudson.csrf().await)).await
    };
    let early = says("won", "&value=900.00").await.is(409);
    assert!(early.text.contains("accept the lead first") && early.text.contains("You typed: 900.00"));
    for word in ["accept", "contacted"] {
        let _ = says(word, "").await.is(303);
    }
    let page = hudson.opens(&at).await.is(200);
    let odd = hudson.submits(&page, &format!("{at}/won"), &[("value", "a lot")]).await.is(400);
    assert!(odd.text.contains("value=\"a lot\"") && odd.text.contains("This was not done"), "{}", odd.text);
    let won = hudson.submits(&page, &format!("{at}/won"), &[("value", "900.00")]).await.is(303);
    let page = hudson.opens(won.header("location")).await.is(200);
    assert!(
        page.text.contains("won, 900.00 USD") && page.text.contains("Put the value right"),
        "{}",
        page.text
    );
    let _ = hudson.submits(&page, &format!("{at}/won"), &[("value", "1200.00")]).await.is(303);
    assert_eq!(yard.story(&lead).await.assignment("hudson")["won_value"], "1200.00");
    assert_eq!(yard.story(&lead).await.stage(), "won");

    let lost = seat(&yard, &other, "hudson").await;
    for word in ["accept", "lost"] {
        let _ = hudson.sends(&format!("{lost}/{word}"), &hudson.csrf().await).await.is(303);
    }
    let closed = hudson.opens("/console/inbox/closed").await.is(200);
    assert!(closed.text.contains(&lost) && closed.text.contains(">lost<"), "{}", closed.text);
    let over = hudson.opens(&lost).await.is(200);
    assert!(over.text.contains("It is not with you any more"), "{}", over.text);
    assert!(!over.text.contains("What they ask for"), "of nothing there is no heading");
    let open = hudson.opens("/console/inbox").await.is(200);
    for told in [&at, "won, 1200.00 USD", "Won <span class=\"soft\">1<"] {
        assert!(open.text.contains(told), "{told} is not in {}", open.text);
    }
    assert!(!open.text.contains("In hand"), "{}", open.text);
}

#[tokio::test(start_paused = true)]
async fn of_two_colleagues_the_second_sees_what_the_first_said_and_the_lead_is_with_another() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&ada()).await;
    let at = seat(&yard, &lead, "hudson").await;
    let (first, second) =
        (Browser::of_dealer(&yard, "hudson").await, Browser::of_dealer(&yard, "hudson").await);
    let stale = second.opens(&at).await.is(200);
    let declined = first.sends(&format!("{at}/decline"), &first.csrf().await).await.is(303);
    let page = first.opens(declined.header("location")).await.is(200);
    assert!(page.text.contains("Declined: it goes to another"));
    yard.settle().await;
    let late = second.submits(&stale, &format!("{at}/accept"), &[]).await.is(409);
    assert!(late.text.contains("the lead is declined, and cannot be accepted"), "{}", late.text);
    for page in [&page, &late] {
        names_nobody(page, &["Ada", "Hill", "kitchen"]);
    }
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
}

#[tokio::test(start_paused = true)]
async fn it_asks_to_return_a_lead_and_reads_what_the_desk_said() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&ada()).await;
    let at = seat(&yard, &lead, "hudson").await;
    let hudson = Browser::of_dealer(&yard, "hudson").await;
    let _ = hudson.sends(&format!("{at}/accept"), &hudson.csrf().await).await.is(303);
    let page = hudson.opens(&at).await.is(200);
    let path = format!("{at}/return");
    let note = "x".repeat(5_000);
    let refused = hudson.submits(&page, &path, &[("reason", "out-of-area"), ("note", &note)]).await.is(400);
    assert!(refused.text.contains(&note), "what was typed stands there still");
    assert!(refused.text.contains("<option value=\"out-of-area\" selected>"), "{}", refused.text);
    let asked = [("reason", "wrong-number"), ("note", "a <b>fax</b> answers")];
    let done = hudson.submits(&page, &path, &asked).await.is(303);
    let page = hudson.opens(done.header("location")).await.is(200);
    assert!(page.text.contains("Asked: the desk decides") && !page.text.contains("Ask to return it"));
    let id = at.rsplit('/').next().unwrap();
    let body = json!({ "reason": "they answered us" });
    let deny = format!("/v1/returns/{id}/deny");
    let _ = yard.desk(Method::POST, &deny, Some(body)).await.is(200);
    let page = hudson.opens(&at).await.is(200);
    assert!(page.text.contains("the desk denied it: they answered us"), "{}", page.text);
    // It stays as it was, and the list says so.
    let list = hudson.opens("/console/inbox").await.is(200);
    assert!(list.text.contains(">accepted<") && !list.text.contains("return denied"), "{}", list.text);
}

#[tokio::test(start_paused = true)]
async fn who_asks_too_late_to_return_a_lead_is_told_until_when_as_the_page_said_it_before() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&ada()).await;
    let at = seat(&yard, &lead, "hudson").await;
    let hudson = Browser::of_dealer(&yard, "hudson").await;
    let _ = hudson.sends(&format!("{at}/accept"), &hudson.csrf().await).await.is(303);
    let until = "until Mon, Jun 8, 2026, 12:00 PM EDT";
    let page = hudson.opens(&at).await.is(200);
    assert!(page.text.contains(&format!("<p class=\"soft title\">{until}</p>")), "{}", page.text);
    yard.advance_to("2026-06-09T16:00:00Z").await;
    // The session of before is over.
    let hudson = Browser::of_dealer(&yard, "hudson").await;
    let form = format!("{}&reason=wrong-number&note=a+fax+answers", hudson.csrf().await);
    let late = hudson.sends(&format!("{at}/return"), &form).await.is(409);
    for told in [&format!("This was not done: it could be returned {until}."), "You typed: a fax answers"] {
        assert!(late.text.contains(told), "{told} is not in {}", late.text);
    }
}

/// Hudson has what is sold at once and charged when it arrives.
fn charged(returns: [(&'static str, &'static str); 2]) -> Rules {
    let [one, another] = returns;
    let terms = [("price", "45.00"), ("return_days", "7"), ("return_reasons", "wrong-number"), one, another];
    Rules::roofing("acme").inbox_dealer("hudson", []).contract("hudson", "hudson", terms)
}

#[tokio::test(start_paused = true)]
async fn a_dealer_whom_the_contract_trusts_is_told_that_the_return_is_done() {
    let yard = Yard::of(charged([("return_approval", "trusted"), ("tier", "1")])).await;
    let lead = yard.settled_lead(&ada()).await;
    let at = seat(&yard, &lead, "hudson").await;
    let hudson = Browser::of_dealer(&yard, "hudson").await;
    let page = hudson.opens(&at).await.is(200);
    let done = hudson.submits(&page, &format!("{at}/return"), &[]).await.is(303);
    let page = hudson.opens(done.header("location")).await.is(200);
    assert!(page.text.contains("Returned: it is credited"), "{}", page.text);
    assert!(!page.text.contains("the desk decides"), "{}", page.text);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_offered_that_the_contract_refuses() {
    let yard = Yard::of(charged([("return_quota", "10%"), ("tier", "1")])).await;
    let (lead, other) = (yard.settled_lead(&ada()).await, yard.settled_lead(&Person::number(2)).await);
    let (at, second) = (seat(&yard, &lead, "hudson").await, seat(&yard, &other, "hudson").await);
    let hudson = Browser::of_dealer(&yard, "hudson").await;
    let page = hudson.opens(&at).await.is(200);
    // What is charged and may be returned is not declined.
    assert!(page.text.contains("Ask to return it") && !page.text.contains("Decline"), "{}", page.text);
    let told = yard.dealer("hudson", Method::GET, &at.replace("/console", "/v1"), None).await.is(200).json;
    let may = json!({
        "until": told["may_return"]["until"], "reasons": told["may_return"]["reasons"], "quota_percent": 10,
        "decides": "desk", "refused": null,
    });
    assert_eq!(told["may_return"], may);
    assert!(
        told["may_return"]["reasons"]
            .as_array()
            .unwrap()
            .iter()
            .all(|reason| { page.text.contains(&format!("value=\"{}\"", reason.as_str().unwrap())) })
    );
    assert!(told["may_answer"].as_array().unwrap().iter().all(|answer| answer != "decline"), "{told}");
    let _ = hudson.sends(&format!("{at}/decline"), &hudson.csrf().await).await.is(409);
    let _ = hudson.submits(&page, &format!("{at}/return"), &[]).await.is(303);
    // One is always allowed; of two leads, one in ten is none more.
    let (page, reads) = hudson.reads(&second).await;
    assert!(reads <= READS, "{reads} reads");
    assert!(page.text.contains("the quota is used: 1 of 1 leads of 2026-06"), "{}", page.text);
    assert!(!page.text.contains("Ask to return it"), "{}", page.text);
    let told =
        yard.dealer("hudson", Method::GET, &second.replace("/console", "/v1"), None).await.is(200).json;
    assert!(told["may_return"]["refused"].as_str().unwrap().contains("1 of 1 leads of 2026-06"), "{told}");
}

#[tokio::test(start_paused = true)]
async fn beside_a_number_that_nobody_may_call_stands_why() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&ada()).await;
    let at = seat(&yard, &lead, "hudson").await;
    let hudson = Browser::of_dealer(&yard, "hudson").await;
    let _ = hudson.sends(&format!("{at}/accept"), &hudson.csrf().await).await.is(303);
    let says = async |told: &str| {
        // Hours have gone by: the session of before is over.
        let hudson = Browser::of_dealer(&yard, "hudson").await;
        for path in ["/console/inbox", &at] {
            let page = hudson.opens(path).await.is(200);
            assert!(page.text.contains("tel:+13052740100"), "{}", page.text);
            assert!(page.text.contains(told), "{told} is not in {path}: {}", page.text);
        }
    };
    let day = hudson.opens("/console/inbox").await.is(200);
    assert!(!day.text.contains("It is night") && !day.text.contains("do not call"), "{}", day.text);
    yard.advance_to("2026-06-02T03:30:00Z").await;
    says("It is night where they are: they may be called from").await;
    let body = json!({ "phone": "(305) 274-0100" });
    let _ = yard.desk(Method::POST, "/v1/persons/opt_out", Some(body)).await.is(200);
    yard.settle().await;
    says("They want no more contact: do not call.").await;
}

#[tokio::test(start_paused = true)]
async fn beside_accept_stands_what_it_costs_where_it_costs_anything() {
    for (price, costs) in [("45.00", "<span>for <strong>45.00 CAD</strong></span>"), ("0", "")] {
        let contract = [("price", price), ("deadline_minutes", "60"), ("deadline_clock", "wall")];
        let rules = Rules::roofing("acme").with("currency = \"CAD\"").inbox_dealer("hudson", []);
        let yard = Yard::of(rules.contract("hudson", "hudson", contract)).await;
        let lead = yard.settled_lead(&ada()).await;
        let at = seat(&yard, &lead, "hudson").await;
        let hudson = Browser::of_dealer(&yard, "hudson").await;
        for path in ["/console/inbox", &at] {
            let page = hudson.opens(path).await.is(200);
            let form = page.text.split(&format!("action=\"{at}/accept\"")).nth(1).unwrap();
            let beside = form.split("</button>").nth(1).unwrap();
            let beside = beside.trim_start_matches("</form>");
            assert!(beside.starts_with(costs), "{path}: {beside}");
            assert!(!costs.is_empty() || !page.text.contains("for <strong>"), "{path}: {}", page.text);
        }
        let _ = hudson.sends(&format!("{at}/accept"), &hudson.csrf().await).await.is(303);
        let open = hudson.opens(&at).await.is(200);
        assert!(!open.text.contains("for <strong>"), "what is accepted is not offered: {}", open.text);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_charged_when_it_arrived_is_not_said_to_be_what_accepting_costs() {
    for (price, told) in [("45.00", "charged already: <strong>45.00 USD</strong>"), ("0", "")] {
        let rules = Rules::roofing("acme").inbox_dealer("hudson", []);
        let yard = Yard::of(rules.contract("hudson", "hudson", [("price", price)])).await;
        let lead = yard.settled_lead(&ada()).await;
        let at = seat(&yard, &lead, "hudson").await;
        let hudson = Browser::of_dealer(&yard, "hudson").await;
        for path in ["/console/inbox", &at] {
            let page = hudson.opens(path).await.is(200);
            assert!(page.text.contains(&format!("action=\"{at}/accept\"")), "{path}: {}", page.text);
            assert!(page.text.contains(told) && !page.text.contains("for <strong>"), "{path}: {}", page.text);
            assert!(!told.is_empty() || !page.text.contains("charged already"), "{path}: {}", page.text);
            assert!(!page.text.contains(", for 45.00"), "{path}: {}", page.text);
        }
        // It is charged once, whatever it answers.
        let _ = hudson.sends(&format!("{at}/accept"), &hudson.csrf().await).await.is(303);
        let open = hudson.opens("/console/inbox").await.is(200);
        assert!(!open.text.contains("charged already"), "{}", open.text);
    }
}

#[tokio::test(start_paused = true)]
async fn its_figures_and_its_statement_are_its_own() {
    let yard = Yard::of(rules()).await;
    yard.notes();
    let (lead, other) = (yard.settled_lead(&ada()).await, yard.settled_lead(&Person::number(2)).await);
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    let _ = yard.answers("hudson", &other, "decline").await.is(200);
    yard.settle().await;
    yard.count().await;
    let (hudson, ridge) =
        (Browser::of_dealer(&yard, "hudson").await, Browser::of_dealer(&yard, "ridge").await);
    let (page, reads) = hudson.reads("/console/inbox/figures").await;
    assert!(reads <= READS, "{reads} reads");
    for told in
        ["<dt>Leads</dt><dd>2</dd>", "50 %", "45.00 USD (1 lead)", &seat(&yard, &lead, "hudson").await]
    {
        assert!(page.text.contains(told), "{told} is not in {}", page.text);
    }
    assert!(!page.text.contains("40.00") && !page.text.contains("/console/leads/"), "{}", page.text);
    let theirs = ridge.opens("/console/inbox/figures").await.is(200);
    assert!(theirs.text.contains("40.00 USD (1 lead)") && !theirs.text.contains("45.00"), "{}", theirs.text);
    let table = hudson.opens("/console/inbox/statement.csv").await.is(200);
    assert_eq!(table.text.lines().count(), 2, "{}", table.text);
    let _ = hudson.opens("/console/inbox/figures?month=2026-13").await.is(400);
}

#[tokio::test(start_paused = true)]
async fn nothing_of_another_dealer_or_of_the_desk_is_there_for_it_and_the_desk_answers_for_nobody() {
    let yard = Yard::of(rules()).await;
    let lead = yard.settled_lead(&ada()).await;
    let at = seat(&yard, &lead, "hudson").await;
    let (hudson, ridge, desk) = (
        Browser::of_dealer(&yard, "hudson").await,
        Browser::of_dealer(&yard, "ridge").await,
        Browser::of(&yard).await,
    );
    let page = ridge.opens(&at).await.is(404);
    names_nobody(&page, &["Ada", "hudson"]);
    for word in ["accept", "decline", "return"] {
        let form = format!("{}&reason=wrong-number", ridge.csrf().await);
        let _ = ridge.sends(&format!("{at}/{word}"), &form).await.is(404);
        for form in ["", "csrf=guessed"] {
            let _ = hudson.sends(&format!("{at}/{word}"), form).await.is(403);
        }
        let form = desk.csrf().await;
        let _ = desk.sends(&format!("{at}/{word}"), &form).await.is(403);
        let nobody =
            yard.requests(Method::POST, &format!("{at}/{word}"), HeaderMap::new(), FORM, vec![]).await;
        assert!(nobody.is(303).header("location").starts_with("/console/sign-in"));
    }
    assert_eq!(yard.story(&lead).await.assignment("hudson")["state"], "offered", "nothing was done");
    for path in ["/console/today", "/console/leads", "/console/dealers", "/console/reports"] {
        assert_eq!(hudson.opens(path).await.is(303).header("location"), "/console/inbox", "{path}");
    }
    let hold = format!("/console/leads/{lead}/hold");
    let _ = hudson.sends(&hold, &hudson.csrf().await).await.is(403);
    assert_eq!(desk.opens("/console/inbox").await.is(303).header("location"), "/console/today");
    let csrf = hudson.csrf().await;
    let _ = hudson.sends("/console/sign-out", &csrf).await.is(303);
    let _ = hudson.opens("/console/inbox").await.is(303);
}

/// The seats of a page, as they stand there.
fn listed(page: &Reply) -> Vec<String> {
    let rows = page.text.split("<div><a href=\"").skip(1);
    rows.map(|row| row.split('"').next().unwrap().to_owned()).collect()
}

/// Where the page behind this one is.
fn behind(page: &Reply, words: &str) -> Option<String> {
    let link = page.text.split("<a href=\"").find(|link| link.contains(&format!("\">{words}</a>")))?;
    Some(link.split('"').next().unwrap().replace("&#38;", "&"))
}

#[tokio::test(start_paused = true)]
async fn what_lapses_first_stands_first_however_many_came_after_it() {
    let yard = Yard::of(rules()).await;
    let mut seats = Vec::new();
    let mut lead = String::new();
    for n in 1..=60 {
        lead = yard.settled_lead(&Person::number(n)).await;
        seats.push(seat(&yard, &lead, "hudson").await);
        yard.advance(Duration::from_secs(5)).await;
    }
    // The last one is in hand: it stands behind all that are new.
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    let hudson = Browser::of_dealer(&yard, "hudson").await;
    let (first, reads) = hudson.reads("/console/inbox").await;
    assert!(reads <= READS, "{reads} reads");
    assert_eq!(listed(&first), &seats[..50]);
    assert!(first.text.contains("New <span class=\"soft\">50 of 59</span>"), "{}", first.text);
    assert!(!first.text.contains("In hand") && !first.text.contains("older ones stand behind"));
    let next = behind(&first, "Further ones").unwrap();
    // Who is answered between two pages moves none of the others.
    let accepted = seats[20].clone();
    let _ = hudson.sends(&format!("{accepted}/accept"), &hudson.csrf().await).await.is(303);
    let second = hudson.opens(&next).await.is(200);
    assert_eq!(listed(&second), [&seats[50..], &[accepted]].concat());
    assert!(second.text.contains("New <span class=\"soft\">9 of 58</span>"), "{}", second.text);
    assert!(second.text.contains("In hand <span class=\"soft\">2</span>"), "{}", second.text);
    assert_eq!(behind(&second, "Further ones").or_else(|| behind(&second, "Older ones")), None);
    let _ = hudson.opens("/console/inbox?after=0.soon.here").await.is(400);
}

#[tokio::test(start_paused = true)]
async fn behind_those_that_stand_in_order_are_the_older_ones_and_each_is_there_once() {
    let yard = Yard::of(rules()).await;
    for n in 1..=304 {
        yard.settled_lead(&Person::number(n)).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let hudson = Browser::of_dealer(&yard, "hudson").await;
    let (mut next, mut pages) = (Some("/console/inbox".to_owned()), Vec::new());
    while let Some(at) = next {
        let (page, reads) = hudson.reads(&at).await;
        assert!(reads <= READS, "{reads} reads of {at}");
        assert!(page.text.len() < 100_000, "{} bytes of {at}", page.text.len());
        next = behind(&page, "Further ones").or_else(|| behind(&page, "Older ones"));
        pages.push(page);
    }
    assert_eq!(pages.iter().map(|page| listed(page).len()).collect::<Vec<_>>(), [50, 50, 50, 50, 50, 50, 4]);
    assert!(pages[0].text.contains("In this order stand the newest 300; older ones stand behind them."));
    assert!(!pages[6].text.contains("In this order stand"), "{}", pages[6].text);
    let seats: BTreeSet<String> = pages.iter().flat_map(listed).collect();
    assert_eq!(seats.len(), 304);
}

#[tokio::test(start_paused = true)]
async fn more_than_fifty_leads_go_on_from_page_to_page_and_what_people_write_is_text() {
    let yard = Yard::of(Rules::roofing("acme").inbox_dealer("hudson", []).contract(
        "hudson",
        "hudson",
        [("price", "1.00")],
    ))
    .await;
    let mut seats = Vec::new();
    for n in 0..53 {
        let person = Person::number(n).with("phone", &format!("305-555-{n:04}")).with("message", MARKED);
        let lead = yard.settled_lead(&person).await;
        seats.push(seat(&yard, &lead, "hudson").await);
    }
    let hudson = Browser::of_dealer(&yard, "hudson").await;
    let (first, reads) = hudson.reads("/console/inbox").await;
    assert!(reads <= READS, "{reads} reads");
    is_harmless(&first);
    let next = first.text.split("href=\"").find(|link| link.contains("Further ones")).unwrap();
    let second = hudson.opens(next.split('"').next().unwrap()).await.is(200);
    for seat in &seats {
        let shown = [&first, &second].iter().filter(|page| page.text.contains(&format!("{seat}\""))).count();
        assert_eq!(shown, 1, "{seat}");
    }
    let page = hudson.opens(&seats[0]).await.is(200);
    is_harmless(&page);
    assert!(page.text.contains("&#60;b onmouseover"), "{}", page.text);
}
