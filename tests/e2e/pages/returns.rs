//! The returns desk's pages.

use std::time::Duration;

use http::Method;
use leadyard_domain::access::DeskToken;
use leadyard_tests::{Browser, Person, Rules, Yard};
use serde_json::{Value, json};

use super::{HOSTILE, READS, is_harmless, names_nobody};

/// Hudson may have one lead and return one in two; ridge has what is left.
async fn yard() -> Yard {
    let rules = Rules::company("acme")
        .offer("roof", "roofing", "")
        .source("web", "offer = \"roof\"\ncost_per_lead = \"4.00\"")
        .seller(
            "hudson",
            [
                ("tier", "1"),
                ("cap_total", "1"),
                ("price", "45.00"),
                ("return_days", "7"),
                ("return_quota", "50%"),
                ("return_reasons", "wrong-number out-of-area"),
            ],
        )
        .seller("ridge", [("tier", "2")]);
    Yard::of(rules).await
}

/// A lead that hudson asks to return, and the path of the return.
async fn asked(yard: &Yard, note: &str) -> (String, String) {
    let lead = yard.settled_lead(&Person::named("Ada", "Hill").with("phone", "305-555-0100")).await;
    let body = json!({ "reason": "wrong-number", "note": note });
    let _ = yard.answers_with("hudson", &lead, "return", Some(body)).await.is(200);
    let id = yard.story(&lead).await.assignment("hudson")["assignment"].as_str().unwrap().to_owned();
    (lead, format!("/console/returns/acme/{id}"))
}

async fn statement(yard: &Yard) -> Value {
    yard.desk(Method::GET, "/v1/dealers/hudson/statement?month=2026-06", None).await.is(200).json
}

#[tokio::test(start_paused = true)]
async fn a_return_is_read_and_approved_once_with_its_credit_and_where_the_lead_went() {
    let yard = yard().await;
    let (lead, at) = asked(&yard, "a fax answers").await;
    let desk = Browser::of(&yard).await;
    let (list, reads) = desk.reads("/console/returns").await;
    assert!(reads <= READS && list.text.contains(&at) && list.text.contains("wrong-number"), "{}", list.text);
    assert!(list.text.contains(">45.00 USD<"), "{}", list.text);
    let (page, reads) = desk.reads(&at).await;
    assert!(reads <= READS, "{reads} reads");
    let used = "at most 50 % of a month’s leads; asked for or returned of 2026-06: 1";
    for told in ["a fax answers", used, "45.00 USD", "claim 4.00 USD back", "delivered"] {
        assert!(page.text.contains(told), "{told} is not in {}", page.text);
    }
    names_nobody(&page, &["Hill", "5550100", "ada.hill@"]);

    let approve = format!("{at}/approve");
    let typed = [("reason", "we called: true"), ("claim", "on")];
    let done = desk.submits(&page, &approve, &typed).await.is(303);
    yard.settle().await;
    let after = desk.opens(done.header("location")).await.is(200);
    for told in [
        "Approved: the dealer is credited",
        "approved by desk",
        "45.00 USD credited; 4.00 USD are claimed back from web",
        "to ridge (ridge), offered",
    ] {
        assert!(after.text.contains(told), "{told} is not in {}", after.text);
    }
    let again = desk.submits(&page, &approve, &typed).await.is(303);
    assert_eq!(again.header("location"), done.header("location"));
    let statement = statement(&yard).await;
    assert_eq!((&statement["credits"], &statement["credited"]), (&json!("45.00"), &json!(1)));
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
    let done = desk.opens("/console/returns?state=done").await.is(200);
    assert!(done.text.contains(&at) && done.text.contains("approved"));
    assert!(desk.opens("/console/returns").await.is(200).text.contains("No dealer asks to return"));
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_two_dealers_gave_back_stands_twice_among_those_that_are_decided() {
    let may_return = |tier| [("tier", tier), ("return_days", "7"), ("return_reasons", "wrong-number")];
    let rules = Rules::roofing("acme").seller("hudson", may_return("1")).seller("ridge", may_return("2"));
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    let desk = Browser::of(&yard).await;
    let mut paths = Vec::new();
    for dealer in ["hudson", "ridge"] {
        let body = json!({ "reason": "wrong-number" });
        let _ = yard.answers_with(dealer, &lead, "return", Some(body)).await.is(200);
        let seat = yard.story(&lead).await.assignment(dealer)["assignment"].as_str().unwrap().to_owned();
        let at = format!("/console/returns/acme/{seat}");
        let page = desk.opens(&at).await.is(200);
        let _ = desk.submits(&page, &format!("{at}/approve"), &[]).await.is(303);
        yard.settle().await;
        paths.push(at);
    }
    let done = desk.opens("/console/returns?state=done").await.is(200);
    assert!(paths.iter().all(|at| done.text.contains(at)), "{}", done.text);
}

#[tokio::test(start_paused = true)]
async fn it_is_denied_for_a_reason_and_who_comes_second_is_told_and_loses_nothing_typed() {
    let yard = yard().await;
    let (lead, at) = asked(&yard, "").await;
    let token = DeskToken { staff: "maria".to_owned(), companies: vec![yard.company_id()] };
    let (desk, maria) =
        (Browser::of(&yard).await, Browser::with(&yard, &yard.cloud.master.mint(&token)).await);
    let stale = desk.opens(&at).await.is(200);
    // The form's other button: the same fields sent elsewhere.
    let denies = async |browser: &Browser<'_>, reason: &str| {
        browser.sends(&format!("{at}/deny"), &format!("{}&reason={reason}", browser.csrf().await)).await
    };
    let refused = denies(&desk, "").await.is(400);
    assert!(refused.text.contains("say in reason why it is denied"), "{}", refused.text);
    let _ = denies(&maria, "they+answered").await.is(303);
    let second =
        desk.submits(&stale, &format!("{at}/approve"), &[("reason", "my own <words>")]).await.is(409);
    for told in ["the return is denied already", "denied by maria", "my own &#60;words&#62;"] {
        assert!(second.text.contains(told), "{told} is not in {}", second.text);
    }
    let said = "<dt>Said</dt><dd class=\"lines\">they answered</dd>";
    assert!(second.text.contains(said), "nobody else's words stand as what was said: {}", second.text);
    assert_eq!(statement(&yard).await["credits"], "0.00");
    let story = yard.story(&lead).await;
    assert_eq!(story.holders(), ["hudson"]);
    assert_eq!(story.assignment("hudson")["return"]["said"], "they answered");
}

#[tokio::test(start_paused = true)]
async fn who_says_the_same_in_other_words_is_told_whose_words_stand_and_keeps_their_own() {
    for verdict in ["deny", "approve"] {
        let yard = yard().await;
        let (lead, at) = asked(&yard, "").await;
        let token = DeskToken { staff: "maria".to_owned(), companies: vec![yard.company_id()] };
        let (desk, maria) =
            (Browser::of(&yard).await, Browser::with(&yard, &yard.cloud.master.mint(&token)).await);
        let says = async |browser: &Browser<'_>, form: &str| {
            browser.sends(&format!("{at}/{verdict}"), &format!("{}&{form}", browser.csrf().await)).await
        };
        let done = says(&maria, "reason=they+answered").await.is(303);
        yard.settle().await;
        let second = says(&desk, "reason=my+own+%3Cwords%3E").await.is(409);
        let word = if verdict == "deny" { "denied" } else { "approved" };
        for told in [
            &format!("This was not done: it was already {word} by maria, Mon, Jun 1, 2026"),
            "You typed: my own &#60;words&#62;",
            "<dt>Said</dt><dd class=\"lines\">they answered</dd>",
        ] {
            assert!(second.text.contains(told), "{told} is not in {}", second.text);
        }
        assert_eq!(yard.story(&lead).await.assignment("hudson")["return"]["said"], "they answered");
        // The same words, or none, are a second click.
        for form in ["reason=they+answered+", "reason="] {
            let again = says(&maria, form).await;
            let is_refused = verdict == "deny" && form == "reason=";
            assert_eq!(again.status, if is_refused { 400 } else { 303 }, "{verdict} {form}: {}", again.text);
            assert!(is_refused || again.header("location") == done.header("location"));
        }
        // What it cost is claimed by who approves; to say so later is another act.
        let claims = says(&desk, "reason=they+answered&claim=on").await;
        assert_eq!(claims.status, if verdict == "approve" { 409 } else { 303 }, "{}", claims.text);
        assert!(verdict == "deny" || claims.text.contains("what it cost is not claimed back"));
    }
}

#[tokio::test(start_paused = true)]
async fn of_more_than_a_page_the_longest_waiting_stand_first_and_none_is_missed() {
    let rules =
        Rules::roofing("acme").seller("hudson", [("return_days", "7"), ("return_reasons", "wrong-number")]);
    let yard = Yard::of(rules).await;
    let mut leads = vec![yard.settled_lead(&Person::number(1)).await];
    yard.advance(Duration::from_secs(60)).await;
    for n in 2..=102 {
        let person = Person::number(n).with("phone", &format!("305-555-{n:04}"));
        leads.push(yard.lead(&person).await);
    }
    yard.settle().await;
    let mut paths = Vec::new();
    for lead in &leads {
        let body = json!({ "reason": "wrong-number" });
        let asked = yard.answers_with("hudson", lead, "return", Some(body)).await.is(200);
        paths.push(format!("/console/returns/acme/{}\"", asked.text_of("assignment")));
    }
    let desk = Browser::of(&yard).await;
    let (first, reads) = desk.reads("/console/returns").await;
    assert!(reads <= READS, "{reads} reads");
    let top = first.text.split("<tbody>").nth(1).unwrap().split("</tr>").next().unwrap();
    assert!(top.contains(&paths[0]), "{top}");
    let further = |page: &str| {
        let link = page.split("<a href=\"").find(|link| link.contains("Further down"))?;
        Some(link.split('"').next().unwrap_or_default().replace("&#38;", "&"))
    };
    let second = desk.opens(&further(&first.text).unwrap()).await.is(200);
    assert_eq!(further(&second.text), None);
    for path in &paths {
        let shown = [&first, &second].iter().filter(|page| page.text.contains(path)).count();
        assert_eq!(shown, 1, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_company_s_return_is_there_for_nobody_and_what_dealers_write_is_text() {
    let yard = yard().await;
    let (_, at) = asked(&yard, HOSTILE).await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(&at).await.is(200);
    is_harmless(&page);
    assert!(page.text.contains("&#60;script&#62;"));
    is_harmless(&desk.sends(&format!("{at}/deny"), &format!("{}&reason=", desk.csrf().await)).await.is(400));

    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let theirs = Browser::of(&other).await;
    let csrf = format!("{}&reason=no", theirs.csrf().await);
    for path in [at.clone(), at.replace("/acme/", "/other/"), "/console/returns?company=acme".to_owned()] {
        let _ = theirs.opens(&path).await.is(404);
    }
    for verdict in ["approve", "deny"] {
        let _ = theirs.sends(&format!("{at}/{verdict}"), &csrf).await.is(404);
        let _ = theirs.sends(&format!("{}/{verdict}", at.replace("/acme/", "/other/")), &csrf).await.is(404);
        let _ = desk.sends(&format!("{at}/{verdict}"), "reason=no").await.is(403);
    }
    let _ = desk.sends(&format!("{at}/burn"), &desk.csrf().await).await.is(404);
    assert_eq!(statement(&yard).await["credits"], "0.00");
}
