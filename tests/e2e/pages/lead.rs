//! A lead's page: what was seen is what is done, nothing typed is lost, and what it shows adds up.

use http::Method;
use leadyard_tests::{Browser, Person, Reply, Rules, Yard};
use serde_json::{Value, json};

use super::leads::link;
use super::{HOSTILE, READS, is_harmless, names_nobody};

/// What asks for a gutter is placed by hand: hudson may have so many, ridge wants the best alone.
async fn yard(most: &str) -> Yard {
    Yard::of(rules(most)).await
}

fn rules(most: &str) -> Rules {
    Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .source("web2", "offer = \"gutter\"")
        .seller("hudson", [("offers", "gutter"), ("cap_total", most), ("tier", "1"), ("price", "45.00")])
        .seller("ridge", [("offers", "gutter"), ("min_band", "A1"), ("tier", "2"), ("price", "30.00")])
}

fn person(n: usize) -> Person {
    Person::number(n).with("phone", &format!("305-555-01{n:02}"))
}

async fn waits(yard: &Yard, n: usize) -> String {
    let lead = yard.server("web2").posts(&person(n)).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    lead
}

fn at(lead: &str) -> String {
    format!("/console/leads/{lead}")
}

fn to(lead: &str, act: &str) -> String {
    format!("/console/leads/{lead}/{act}")
}

async fn acts(yard: &Yard, lead: &str, act: &str, body: Value) -> Reply {
    yard.desk(Method::POST, &format!("/v1/leads/{lead}/{act}"), Some(body)).await
}

/// How often an act stands in a lead's history.
async fn times(yard: &Yard, lead: &str, act: &str) -> usize {
    yard.story(lead).await.list("history").filter(|one| one["act"] == act).count()
}

fn says(page: &Reply, words: &[&str]) {
    for word in words {
        assert!(page.text.contains(word), "{word} is not in {}", page.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_take_back_from_a_stale_page_leaves_the_next_dealer_its_lead() {
    let yard = yard("10").await;
    let lead = waits(&yard, 1).await;
    let _ = acts(&yard, &lead, "place", json!({ "contract": "hudson" })).await.is(200);
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let stale = desk.opens(&at(&lead)).await.is(200);
    says(&stale, &["Take it back from hudson"]);
    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    yard.settle().await;
    let over = json!({ "contract": "ridge", "override": true, "reason": "agreed" });
    let _ = acts(&yard, &lead, "place", over).await.is(200);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);

    let typed = [("reason", "she asked for another"), ("hold", "on")];
    let refused = desk.submits(&stale, &to(&lead, "take_back"), &typed).await.is(409);
    says(&refused, &["ridge has it now", "Since you opened the page", "value=\"she asked for another\""]);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"], "the new dealer keeps it");
    assert!(yard.stored(&lead).await.hold.is_none());
    // Who sees it now and still wants it says so once more, with what was typed.
    let _ = desk.submits(&refused, &to(&lead, "take_back"), &[]).await.is(303);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), [""; 0]);
    assert!(yard.stored(&lead).await.hold.is_some(), "the tick was kept");
}

#[tokio::test(start_paused = true)]
async fn a_contract_that_fails_a_rule_says_which_and_is_placed_over_it_with_what_was_typed() {
    let yard = yard("10").await;
    let lead = waits(&yard, 1).await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(&at(&lead)).await.is(200);
    assert!(!page.text.contains("name=\"override\""), "no rule is passed over that was not said");
    let typed = [("contract", "ridge"), ("reason", "agreed by phone")];
    let refused = desk.submits(&page, &to(&lead, "place"), &typed).await.is(409);
    says(&refused, &["band: the contract needs band A1; it is band A2", "name=\"override\" checked"]);
    assert!(!refused.text.contains("&#34;override&#34;"), "no word of the API: {}", refused.text);
    assert_eq!(yard.story(&lead).await.holders(), [""; 0]);
    let _ = desk.submits(&refused, &to(&lead, "place"), &[]).await.is(303);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!(story.holders(), ["ridge"]);
    let placed = story.list("history").find(|act| act["act"] == "place").unwrap();
    assert_eq!(
        (&placed["reason"], &placed["after"]["override"]["rule"]),
        (&json!("agreed by phone"), &json!("band"))
    );
}

#[tokio::test(start_paused = true)]
async fn the_tick_is_of_the_contract_and_of_the_rules_that_it_was_shown_with() {
    // Crest wants the best alone, as ridge does.
    let crest = [("offers", "gutter"), ("min_band", "A1"), ("tier", "3")];
    let afar = [("offers", "gutter"), ("area", "state:NY"), ("tier", "4")];
    let yard = Yard::of(rules("10").seller("crest", crest).seller("afar", afar)).await;
    let lead = waits(&yard, 1).await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(&at(&lead)).await.is(200);
    let refused = desk.submits(&page, &to(&lead, "place"), &[("contract", "afar")]).await.is(409);
    says(&refused, &["area: the contract does not cover where it is"]);
    let typed = [("contract", "ridge"), ("reason", "agreed by phone")];
    let of_ridge = desk.submits(&page, &to(&lead, "place"), &typed).await.is(409);
    says(&of_ridge, &["band: the contract needs band A1", "name=\"override\" checked"]);
    // Another contract, of which nothing was said yet: the same rule is said of it first.
    let of_crest = desk.submits(&of_ridge, &to(&lead, "place"), &[("contract", "crest")]).await.is(409);
    says(&of_crest, &["band: the contract needs band A1", "value=\"crest\""]);
    // Another rule, which nobody was shown.
    let _ = yard.flip("pause", json!({ "on": true, "dealer": "ridge", "reason": "away" })).await;
    let paused = desk.submits(&of_ridge, &to(&lead, "place"), &[]).await.is(409);
    says(&paused, &["inactive: the contract is not active"]);
    yard.settle().await;
    assert_eq!((yard.story(&lead).await.holders(), times(&yard, &lead, "place").await), (vec![""; 0], 0));
    // What was said of crest is passed over.
    let _ = desk.submits(&of_crest, &to(&lead, "place"), &[]).await.is(303);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["crest"]);
}

#[tokio::test(start_paused = true)]
async fn why_a_lead_waits_is_told_in_words_wherever_it_stands() {
    let yard = yard("10").await;
    let by_hand = waits(&yard, 1).await;
    let beyond = yard.settled_lead(&person(2).with("zip", "90001")).await;
    let desk = Browser::of(&yard).await;
    says(&desk.opens(&at(&by_hand)).await, &["waits: their offer is placed by the desk"]);
    let of_beyond = desk.opens(&at(&beyond)).await;
    says(&of_beyond, &["waits: no contract takes their offer, looked at again"]);
    for list in ["/console/leads?list=waiting", "/console/waiting?narrow_reason=manual"] {
        says(&desk.opens(list).await, &["the desk places it"]);
    }
    let all = desk.opens("/console/leads?list=waiting").await;
    says(&all, &["waits: the desk places it", "waits: no contract for the offer"]);
}

#[tokio::test(start_paused = true)]
async fn a_contract_is_known_with_capitals_and_what_is_none_is_asked_for_in_words() {
    let yard = yard("10").await;
    let lead = waits(&yard, 1).await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(&at(&lead)).await.is(200);
    let typed = [("contract", "Hudson & Sons"), ("reason", "she knows them")];
    let wrong = desk.submits(&page, &to(&lead, "place"), &typed).await.is(400);
    says(
        &wrong,
        &["a contract is named by its id", "value=\"Hudson &#38; Sons\"", "value=\"she knows them\""],
    );
    let _ = desk.submits(&wrong, &to(&lead, "place"), &[("contract", " Hudson ")]).await.is(303);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn a_form_sent_before_says_how_the_lead_stands_by_now() {
    let yard = yard("10").await;
    let lead = waits(&yard, 1).await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(&at(&lead)).await.is(200);
    let held = desk.submits(&page, &to(&lead, "hold"), &[]).await.is(303);
    says(&desk.opens(held.header("location")).await.is(200), &["Held: nobody gets it until it is resumed."]);
    let _ = acts(&yard, &lead, "resume", json!({})).await.is(200);
    // The button that goes back, and the same form once more.
    let again = desk.submits(&page, &to(&lead, "hold"), &[]).await.is(303);
    let told = desk.opens(again.header("location")).await.is(200);
    says(&told, &["This form was sent before", "nothing was done again", "The lead stands now as waiting"]);
    assert!(!told.text.contains("Held: nobody gets it"), "{}", told.text);
    assert!(yard.stored(&lead).await.hold.is_none());
    assert_eq!(times(&yard, &lead, "hold").await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_was_given_away_below_its_offer_s_band_is_said_to_count_as_there() {
    let rules = Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"\nband = \"A1\"")
        .source("web2", "offer = \"gutter\"")
        .seller("hudson", [("offers", "gutter")]);
    let yard = Yard::of(rules).await;
    let lead = waits(&yard, 1).await;
    let desk = Browser::of(&yard).await;
    says(
        &desk.opens(&at(&lead)).await.is(200),
        &["from the band A1 on: until it is there nobody is given it"],
    );
    let placed = json!({ "contract": "hudson", "override": true, "reason": "agreed" });
    let _ = acts(&yard, &lead, "place", placed).await.is(200);
    yard.settle().await;
    let page = desk.opens(&at(&lead)).await.is(200);
    says(&page, &["Its band is A2", "gutter is sold from the band A1 on. It counts as having reached it"]);
    assert!(!page.text.contains("It has reached"), "{}", page.text);
}

#[tokio::test(start_paused = true)]
async fn a_second_click_is_the_first_and_other_words_are_another_act() {
    let yard = yard("10").await;
    let (sold, bad) = (waits(&yard, 1).await, waits(&yard, 2).await);
    let desk = Browser::of(&yard).await;
    let page = desk.opens(&at(&sold)).await.is(200);
    for again in ["", "&again=yes"] {
        let done = desk.submits(&page, &to(&sold, "place"), &[]).await.is(303);
        assert_eq!(done.header("location"), format!("{}?done=place{again}", at(&sold)));
    }
    yard.settle().await;
    assert_eq!((times(&yard, &sold, "place").await, yard.taken("hudson", 4).await), (1, 1));
    assert_eq!(yard.told("hudson").len(), 1);

    let page = desk.opens(&at(&bad)).await.is(200);
    for text in ["calls back on Friday", "calls back on Friday", "no, on Monday"] {
        let _ = desk.submits(&page, &to(&bad, "note"), &[("text", text)]).await.is(303);
    }
    let story = yard.story(&bad).await;
    let mut notes: Vec<&str> =
        story.list("history").map(|act| act["reason"].as_str().unwrap_or_default()).collect();
    // Of one instant, they stand in no order.
    notes.sort_unstable();
    assert_eq!(notes, ["calls back on Friday", "no, on Monday"]);
    for _ in 0..2 {
        let _ = desk.submits(&page, &to(&bad, "reject"), &[("reason", "a prank")]).await.is(303);
    }
    assert_eq!((times(&yard, &bad, "reject").await, yard.story(&bad).await.stage()), (1, "rejected"));
    // A note needs nothing of what was seen.
    let _ = desk.submits(&page, &to(&bad, "note"), &[("text", "her son did it")]).await.is(303);
    assert_eq!(times(&yard, &bad, "note").await, 3);
}

#[tokio::test(start_paused = true)]
async fn what_a_colleague_did_meanwhile_is_said_and_stands() {
    let yard = yard("10").await;
    let lead = waits(&yard, 1).await;
    let desk = Browser::of(&yard).await;
    let stale = desk.opens(&at(&lead)).await.is(200);
    let _ = acts(&yard, &lead, "hold", json!({ "until": "2026-06-03T00:00:00Z", "reason": "her son calls" }))
        .await
        .is(200);
    let held = yard.stored(&lead).await.hold;
    let refused = desk.submits(&stale, &to(&lead, "hold"), &[("reason", "I call her")]).await.is(409);
    says(
        &refused,
        &[
            "the desk holds it now",
            "held by the desk until Tue, Jun 2, 2026, 8:00 PM EDT",
            "desk: hold: her son calls",
            "You had typed",
            "I call her",
        ],
    );
    assert_eq!(yard.stored(&lead).await.hold, held);
    // Nor by the API, which sees nothing of a page.
    let refused = acts(&yard, &lead, "hold", json!({})).await.is(409);
    assert_eq!(refused.json["hold"]["until"], "2026-06-03T00:00:00Z");
    for (act, typed) in [("place", ("reason", "agreed")), ("reject", ("reason", "a prank"))] {
        let refused = desk.submits(&stale, &to(&lead, act), &[typed]).await.is(409);
        says(&refused, &["the desk holds it now", &format!("value=\"{}\"", typed.1)]);
    }
    assert_eq!((yard.stored(&lead).await.hold, yard.story(&lead).await.stage()), (held, "waiting"));

    let _ = acts(&yard, &lead, "priority", json!({ "priority": "urgent" })).await.is(200);
    let refused = desk.submits(&stale, &to(&lead, "priority"), &[("priority", "low")]).await.is(409);
    says(&refused, &["its priority is urgent now"]);
    // What was chosen stands there still.
    let _ = desk.submits(&refused, &to(&lead, "priority"), &[]).await.is(303);
    assert_eq!(yard.story(&lead).await.0["priority_set"], "low");
    // A form that was made up is refused, and nothing of it is done.
    let csrf = desk.csrf().await;
    let _ = desk.sends(&to(&lead, "resume"), &format!("{csrf}&seen=nothing")).await.is(400);
    assert!(yard.stored(&lead).await.hold.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_lead_is_held_until_a_time_in_the_company_s_zone() {
    let yard = yard("10").await;
    let lead = waits(&yard, 1).await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(&at(&lead)).await.is(200);
    for wrong in ["tomorrow", "2026-05-30T09:00"] {
        let typed = [("until", wrong), ("reason", "she is away")];
        let refused = desk.submits(&page, &to(&lead, "hold"), &typed).await.is(400);
        says(&refused, &["value=\"she is away\"", &format!("value=\"{wrong}\"")]);
    }
    let _ = desk.submits(&page, &to(&lead, "hold"), &[("until", "2026-06-02T09:00")]).await.is(303);
    let until = yard.stored(&lead).await.hold.unwrap().until.unwrap();
    assert_eq!(until.to_string(), "2026-06-02T13:00:00Z");
}

/// `12.34` in hundredths.
fn hundredths(text: &str) -> u64 {
    let (whole, part) = text.split_once('.').unwrap();
    assert_eq!(part.len(), 2, "{text}");
    whole.parse::<u64>().unwrap() * 100 + part.parse::<u64>().unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_bars_add_up_as_they_stand_there_and_the_next_step_says_why() {
    let yard = yard("10").await;
    let lead = waits(&yard, 1).await;
    for id in ["q1", "q2"] {
        let did = json!({ "id": id, "kind": "quote_request", "at": "2026-06-01T15:00:00Z", "lead": lead });
        let _ = yard.server("web2").reports(did).await.is(202);
    }
    yard.settle().await;
    yard.advance_to("2026-06-04T16:00:00Z").await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(&at(&lead)).await.is(200);
    let table = page.text.split("<table class=\"bars\">").nth(1).unwrap().split("</table>").next().unwrap();
    let (lines, foot) = table.split_once("<tfoot>").unwrap();
    let lines = lines.split("<td class=\"number\">").skip(1).map(|cell| cell.split('<').next().unwrap());
    let lines: Vec<u64> = lines.map(hundredths).collect();
    let sum = hundredths(foot.split("<strong>").nth(1).unwrap().split('<').next().unwrap());
    assert!(lines.len() >= 3 && !sum.is_multiple_of(10), "{lines:?} {sum}: nothing is left of a tenth");
    assert_eq!(lines.iter().sum::<u64>(), sum);
    assert_eq!(i64::try_from(sum).unwrap(), yard.story(&lead).await.hundredths());
    says(&page, &["Next step: pitch", "the rules pitch leads of that band", "gutter is sold from"]);
}

#[tokio::test(start_paused = true)]
async fn deliveries_charges_and_each_decision_s_whole_table_are_shown() {
    let yard = yard("10").await;
    let lead = waits(&yard, 1).await;
    let desk = Browser::of(&yard).await;
    let (page, reads) = desk.reads(&at(&lead)).await;
    assert!(reads <= READS, "{reads} reads of one that waits");
    let _ = desk.submits(&page, &to(&lead, "place"), &[]).await.is(303);
    yard.settle().await;
    let (page, reads) = desk.reads(&at(&lead)).await;
    assert!(reads <= READS, "{reads} reads");
    says(&page, &["Deliveries and charges", ": 200 by channel 1", "received", "charged 45.00 USD"]);
    assert!(!page.text.contains("credited"), "{}", page.text);
    names_nobody(&page, &["5550101"]);

    let table = page.text.split("<a href=\"").find(|link| link.contains("everybody’s part in it")).unwrap();
    let table = table.split('"').next().unwrap().to_owned();
    let (decision, reads) = desk.reads(&table).await;
    assert!(reads <= READS, "{reads} reads");
    let row = decision.text.split("<tr").find(|row| row.contains(">ridge<")).unwrap();
    assert!(row.contains("band") && row.contains(">band A1<") && row.contains(">band A2<"), "{row}");
    let row = decision.text.split("<tr").find(|row| row.contains(">hudson<")).unwrap();
    assert!(row.contains("<strong>chosen</strong>"), "{row}");
    names_nobody(&decision, &["@", "5550101"]);

    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    yard.settle().await;
    says(&desk.opens(&at(&lead)).await.is(200), &["charged 45.00 USD", "credited 45.00 USD", "declined"]);

    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let theirs = Browser::of(&other).await;
    let _ = theirs.opens(&table).await.is(404);
    let _ = theirs.opens(&format!("{}/decisions/none", at(&lead))).await.is(404);
    let _ = desk.opens(&format!("{}/decisions/none", at(&lead))).await.is(404);
}

/// The time line of a page: what each line is of, what it says, and what stands beneath it.
fn time_line(page: &Reply) -> Vec<(String, String, String)> {
    let text = |text: &str, class: &str| {
        let rest = text.split(&format!("<span class=\"{class}\">")).nth(1).unwrap_or_default();
        rest.split("</span>").next().unwrap().to_owned()
    };
    let line = page.text.split("<ol class=\"line\">").nth(1).unwrap().split("</ol>").next().unwrap();
    let of = |one: &str| (one.split('"').next().unwrap().to_owned(), text(one, "what"), text(one, "under"));
    line.split("<li class=\"").skip(1).map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn the_time_line_has_a_sentence_for_each_thing_that_happened() {
    let returns =
        [("return_days", "7"), ("return_reasons", "wrong-number"), ("offers", "gutter"), ("price", "45.00")];
    let rules = Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .source("web2", "offer = \"gutter\"")
        .seller("hudson", returns)
        .seller("ridge", [("offers", "gutter"), ("min_band", "A1"), ("tier", "2"), ("price", "30.00")]);
    let yard = Yard::of(rules).await;
    let (lead, other) = (waits(&yard, 1).await, waits(&yard, 2).await);
    let kinds =
        ["call", "chat", "download", "email_click", "email_open", "page_view", "quote_request", "showroom"];
    for kind in kinds {
        let did = json!({ "id": kind, "kind": kind, "at": "2026-06-01T14:00:00Z", "lead": lead });
        let _ = yard.server("web2").reports(did).await.is(202);
    }
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    for (act, body) in [
        ("note", json!({ "text": "has a <dog>" })),
        ("priority", json!({ "priority": "low" })),
        ("hold", json!({ "reason": "her son calls" })),
        ("resume", json!({})),
        ("follow_up", json!({})),
        ("claim", json!({})),
        ("unclaim", json!({ "reason": "at lunch" })),
        ("claim", json!({})),
        ("call", json!({ "result": "no_answer", "text": "it rang" })),
        ("merge", json!({})),
        ("place", json!({ "contract": "hudson", "reason": "agreed" })),
        ("redeliver", json!({ "reason": "they lost it" })),
        ("take_back", json!({ "reason": "a mistake" })),
        ("reject", json!({ "reason": "a prank" })),
        ("reopen", json!({ "reason": "it was none" })),
    ] {
        yard.advance(std::time::Duration::from_secs(60)).await;
        let (of, body) = match act {
            "merge" => (&other, json!({ "into": lead, "reason": "one person" })),
            _ => (&lead, body),
        };
        let done = acts(&yard, of, act, body).await;
        assert_eq!(done.status, 200, "{act}: {}", done.text);
        yard.settle().await;
    }
    let page = desk.opens(&at(&lead)).await.is(200);
    let _ = desk.submits(&page, &to(&lead, "show"), &[]).await.is(200);
    let page = desk.opens(&at(&lead)).await.is(200);
    let mut line = time_line(&page);
    line.sort();
    let waits = |contract: &str| {
        format!("it waits, since their offer is placed by the desk; recommended: {contract}")
    };
    let decided = |contract: &str| format!("Decided: {}", waits(contract));
    let (to_hudson, to_ridge) = (decided("hudson"), decided("ridge"));
    let placed = format!("Placed by the desk with hudson; the rules said: {}", waits("hudson"));
    let missed = "ridge needs band A1; it is band A2";
    let had = "hudson had it in this cycle";
    let all_kinds = "call × 1, chat × 1, download × 1, email click × 1, email open × 1, page view × 1, quote request × 1, \
                     showroom × 1";
    let expected = [
        // Both came as enquiries, and are one lead by now.
        ("enquiry", "Enquiry by web2: received", ""),
        ("enquiry", "Enquiry by web2: received", ""),
        // At first, hot enough for ridge, and after each time that it was let go; ridge alone may have it again.
        ("decision", &to_hudson, missed),
        ("decision", &to_hudson, missed),
        ("decision", &to_hudson, ""),
        ("decision", &placed, ""),
        ("decision", &to_ridge, had),
        ("decision", &to_ridge, had),
        ("seat", "Offered to hudson (hudson) for 45.00 USD", ""),
        ("seat", "hudson: delivered", ""),
        ("seat", "hudson: withdrawn", ""),
        ("did", all_kinds, ""),
        ("desk", "desk: looked at who it is", ""),
        ("desk", "desk: note", "has a &#60;dog&#62;"),
        ("desk", "desk: priority", ""),
        ("desk", "desk: hold", "her son calls"),
        ("desk", "desk: resume", ""),
        ("desk", "desk: follow up", ""),
        ("desk", "desk: claim", ""),
        ("desk", "desk: let go of the claim", "at lunch"),
        ("desk", "desk: claim", ""),
        ("desk", "desk: called: no answer", ""),
        ("desk", "desk: merge", "one person"),
        ("desk", "desk: place", "agreed"),
        ("desk", "desk: redeliver", "they lost it"),
        ("desk", "desk: take back", "a mistake"),
        ("desk", "desk: reject", "a prank"),
        ("desk", "desk: reopen", "it was none"),
    ];
    let mut expected =
        expected.map(|(kind, what, beneath)| (kind.to_owned(), what.to_owned(), beneath.to_owned())).to_vec();
    expected.sort();
    assert_eq!(line, expected);
}

#[tokio::test(start_paused = true)]
async fn on_the_time_line_what_brought_the_other_about_stands_beneath_it_though_both_were_in_one_instant() {
    let rules = Rules::roofing("acme").seller("hudson", [("tier", "1")]).seller("ridge", [("tier", "2")]);
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    yard.advance(std::time::Duration::from_secs(60)).await;
    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    yard.settle().await;
    let line = time_line(&Browser::of(&yard).await.opens(&at(&lead)).await.is(200));
    let what: Vec<&str> = line.iter().map(|(_, what, _)| what.as_str()).collect();
    assert_eq!(
        what,
        [
            "ridge: delivered",
            "Offered to ridge (ridge) for 10.00 USD",
            "Decided: to ridge",
            "hudson: declined",
            "hudson: delivered",
            "Offered to hudson (hudson) for 10.00 USD",
            "Decided: to hudson",
            "Enquiry by web: received",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn beside_the_form_for_an_empty_seat_stands_who_is_recommended_for_it() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("sale", "shared:2"), ("tier", "1")])
        .seller("ridge", [("sale", "shared:2"), ("tier", "2")]);
    let yard = Yard::of(rules).await;
    let _ = yard.flip("pause", json!({ "on": true, "dealer": "ridge", "reason": "away" })).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let _ = yard.flip("pause", json!({ "on": false, "dealer": "ridge" })).await;
    yard.advance(std::time::Duration::from_secs(60)).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"], "what nobody took at once stays empty");
    let path = format!("/v1/leads/{lead}/recommendation");
    let told = yard.desk(Method::GET, &path, None).await.is(200).json;
    assert_eq!(told["seats"][0]["contract"], "ridge", "{told}");
    let desk = Browser::of(&yard).await;
    let (page, reads) = desk.reads(&at(&lead)).await;
    assert!(reads <= READS, "{reads} reads");
    let beside = page.text.split("<h2>Where it would go now</h2>").nth(1);
    let beside = beside.unwrap_or_else(|| panic!("{}", page.text));
    let says = told["says"][0].as_str().unwrap().replace('\'', "&#39;");
    assert!(beside.split("</ul>").next().unwrap().contains(&says), "{says}: {beside}");
    assert!(beside.contains("<option value=\"ridge\">"), "{beside}");
    // Placed as the form has it, there is no seat left, and nothing is recommended.
    let _ = desk.submits(&page, &to(&lead, "place"), &[]).await.is(303);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson", "ridge"]);
    let _ = yard.desk(Method::GET, &path, None).await.is(409);
    let page = desk.opens(&at(&lead)).await.is(200);
    assert!(!page.text.contains("Where it would go now"), "{}", page.text);
}

/// When each thing happened to the seats of a lead, the first first.
fn of_seats(page: &Reply) -> Vec<(String, String)> {
    let line = page.text.split("<ol class=\"line\">").nth(1).unwrap().split("</ol>").next().unwrap();
    let text = |one: &str, class: &str| {
        let rest = one.split(&format!("<span class=\"{class}\">")).nth(1).unwrap();
        rest.split("</span>").next().unwrap().to_owned()
    };
    let seats = line.split("<li class=\"").filter(|one| one.starts_with("seat\""));
    let mut seats: Vec<_> = seats.map(|one| (text(one, "when"), text(one, "what"))).collect();
    seats.reverse();
    seats
}

#[tokio::test(start_paused = true)]
async fn when_a_dealer_accepted_and_reached_somebody_stays_on_the_time_line() {
    let asks = [("deadline_minutes", "60"), ("deadline_clock", "wall"), ("price", "45.00")];
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", asks)).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let desk = Browser::of(&yard).await;
    let at_minute = |minute: usize| format!("Mon, Jun 1, 2026, 12:0{minute} PM EDT");
    let expected = |last: &[&str]| -> Vec<(String, String)> {
        let offered = ["Offered to hudson (hudson) for 45.00 USD", "hudson: delivered"];
        let offered = offered.map(|what| (at_minute(0), what.to_owned())).into_iter();
        let said = last.iter().enumerate().map(|(n, what)| (at_minute(n + 1), format!("hudson: {what}")));
        offered.chain(said).collect()
    };
    let all = [("accept", "accepted"), ("contacted", "contacted"), ("won", "won")];
    for (n, (act, _)) in all.iter().enumerate() {
        yard.advance(std::time::Duration::from_secs(60)).await;
        let _ = yard.answers("hudson", &lead, act).await.is(200);
        // The last thing that was said stands there once, and what was said before stays.
        let said: Vec<&str> = all.iter().take(n + 1).map(|(_, state)| *state).collect();
        assert_eq!(of_seats(&desk.opens(&at(&lead)).await.is(200)), expected(&said), "{act}");
    }
    // Who says at once that they won has reached the person by that, and said so once.
    let other = yard.settled_lead(&Person::number(2)).await;
    for act in ["accept", "won"] {
        yard.advance(std::time::Duration::from_secs(60)).await;
        let _ = yard.answers("hudson", &other, act).await.is(200);
    }
    let told = of_seats(&desk.opens(&at(&other)).await.is(200));
    let told: Vec<&str> = told.iter().map(|(_, what)| what.as_str()).collect();
    assert_eq!(&told[1..], ["hudson: delivered", "hudson: accepted", "hudson: won"]);
}

/// The leads of a list's page, in its order, each by its link.
fn links(page: &Reply) -> Vec<String> {
    let links = page.text.split("<th scope=\"row\"><a href=\"").skip(1);
    links.map(|link| link.split('"').next().unwrap().replace("&#38;", "&")).collect()
}

fn of_link(link: &str) -> String {
    link.trim_start_matches("/console/leads/").split('?').next().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn one_is_placed_and_the_next_of_its_list_opens_or_of_those_that_wait() {
    let yard = yard("10").await;
    for n in 1..=4 {
        let _ = waits(&yard, n).await;
    }
    let desk = Browser::of(&yard).await;
    let list = desk.opens("/console/leads?list=waiting&offer=gutter").await.is(200);
    let links = links(&list);
    assert_eq!(links.len(), 4);
    let next = [("go", "next")];
    // From the second to the third, and on to the fourth.
    let second = desk.opens(&links[1]).await.is(200);
    let gone = desk.submits(&second, &to(&of_link(&links[1]), "place"), &next).await.is(303);
    assert_eq!(of_link(gone.header("location")), of_link(&links[2]));
    let third = desk.opens(gone.header("location")).await.is(200);
    says(&third, &["The one before is placed"]);
    let gone = desk.submits(&third, &to(&of_link(&links[2]), "place"), &next).await.is(303);
    assert_eq!(of_link(gone.header("location")), of_link(&links[3]));
    // Behind the last there is the list, as it was narrowed.
    let fourth = desk.opens(gone.header("location")).await.is(200);
    let gone = desk.submits(&fourth, &to(&of_link(&links[3]), "place"), &next).await.is(303);
    assert_eq!(gone.header("location"), "/console/leads?company=acme&list=waiting&offer=gutter");
    yard.settle().await;
    for link in &links[1..] {
        assert_eq!(yard.story(&of_link(link)).await.holders(), ["hudson"]);
    }
    // Opened from nowhere, it goes on with who waits, as they stand in their room.
    for n in 8..=9 {
        let _ = waits(&yard, n).await;
    }
    let room = desk.opens("/console/waiting").await.is(200);
    let room: Vec<String> = self::links(&room)
        .into_iter()
        .filter(|link| link.starts_with("/console/leads/"))
        .map(|link| of_link(&link))
        .collect();
    let [first, middle, last] = room.as_slice() else { panic!("{room:?}") };
    let page = desk.opens(&at(middle)).await.is(200);
    let gone = desk.submits(&page, &to(middle, "place"), &next).await.is(303);
    assert_eq!(gone.header("location"), format!("{}?done=placed_before", at(last)));
    // Behind the last there is the room, though the first waits there still.
    let page = desk.opens(gone.header("location")).await.is(200);
    let gone = desk.submits(&page, &to(last, "place"), &next).await.is(303);
    assert_eq!(gone.header("location"), "/console/waiting?company=acme");
    yard.settle().await;
    assert_eq!(yard.story(first).await.holders(), [""; 0]);
    // Of the only one nobody is next.
    let page = desk.opens(&at(first)).await.is(200);
    let gone = desk.submits(&page, &to(first, "place"), &next).await.is(303);
    assert_eq!(gone.header("location"), "/console/waiting?company=acme");
    yard.settle().await;
    for lead in [first, middle, last] {
        assert_eq!(yard.story(lead).await.holders(), ["hudson"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_next_of_a_source_s_list_stands_on_its_next_page_where_leads_stay_though_they_are_placed() {
    let yard = yard("40").await;
    for n in 1..=27 {
        let _ = waits(&yard, n).await;
        yard.advance(std::time::Duration::from_secs(60)).await;
    }
    let desk = Browser::of(&yard).await;
    let list = desk.opens("/console/leads?list=source:web2").await.is(200);
    let (page, next) = (links(&list), [("go", "next")]);
    assert_eq!(page.len(), 25);
    let mut at_hand = page[23].clone();
    let mut walked = Vec::new();
    for _ in 0..3 {
        let lead = desk.opens(&at_hand).await.is(200);
        let gone = desk.submits(&lead, &to(&of_link(&at_hand), "place"), &next).await.is(303);
        at_hand = gone.header("location").to_owned();
        walked.push(of_link(&at_hand));
    }
    let further = desk.opens(&link(&list, "Further down the list").unwrap()).await.is(200);
    let behind: Vec<String> = links(&further).iter().map(|link| of_link(link)).collect();
    assert_eq!(walked, [of_link(&page[24]), behind[0].clone(), behind[1].clone()]);
    // Behind the last there is the list.
    let last = desk.opens(&at_hand).await.is(200);
    let gone = desk.submits(&last, &to(&behind[1], "place"), &next).await.is(303);
    assert!(gone.header("location").starts_with("/console/leads?company=acme&list=source"), "{}", gone.text);
    // Who is placed already is passed over.
    let before = desk.opens(&page[22]).await.is(200);
    let gone = desk.submits(&before, &to(&of_link(&page[22]), "place"), &next).await.is(303);
    assert!(gone.header("location").starts_with("/console/leads?company=acme&list=source"), "{}", gone.text);
}

#[tokio::test(start_paused = true)]
async fn a_seat_that_came_back_is_given_from_the_lead_s_page() {
    let shared = |tier: &'static str| [("offers", "gutter"), ("sale", "shared:2"), ("tier", tier)];
    let rules = Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .source("web2", "offer = \"gutter\"")
        .seller("hudson", shared("1"))
        .seller("ridge", shared("2"))
        .seller("crest", shared("3"));
    let yard = Yard::of(rules).await;
    let lead = waits(&yard, 1).await;
    for dealer in ["hudson", "ridge"] {
        let _ = acts(&yard, &lead, "place", json!({ "contract": dealer, "reason": "agreed" })).await.is(200);
        yard.settle().await;
    }
    let desk = Browser::of(&yard).await;
    let full = desk.opens(&at(&lead)).await.is(200);
    assert!(!full.text.contains(&to(&lead, "place")), "there is no seat to give: {}", full.text);
    let _ = yard.answers("ridge", &lead, "decline").await.is(200);
    yard.settle().await;
    let page = desk.opens(&at(&lead)).await.is(200);
    let _ = desk.submits(&page, &to(&lead, "place"), &[("contract", "crest")]).await.is(303);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson", "crest"]);
}

#[tokio::test(start_paused = true)]
async fn names_and_what_is_typed_are_text_and_another_company_s_lead_takes_no_act() {
    let yard = yard("10").await;
    let hostile = person(1).with("first_name", HOSTILE).with("city", HOSTILE);
    let aside = yard.server("web2").posts(&hostile).await.is(202).text_of("enquiry").to_owned();
    let release = format!("/v1/quarantine/{aside}/release");
    let lead = yard.desk(Method::POST, &release, None).await.is(200).text_of("lead").to_owned();
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(&format!("{}?from={}", at(&lead), "%22%3E%3Cscript%3E")).await.is(200);
    let typed = [("contract", "ridge"), ("reason", HOSTILE)];
    let refused = desk.submits(&page, &to(&lead, "place"), &typed).await.is(409);
    says(&refused, &["&#60;script&#62;"]);
    is_harmless(&page);
    is_harmless(&refused);
    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let theirs = Browser::of(&other).await;
    let csrf = theirs.csrf().await;
    for act in ["place", "hold", "priority", "note", "reject"] {
        let form = format!("{csrf}&contract=hudson&text=x&reason=x&go=next");
        let _ = theirs.sends(&to(&lead, act), &form).await.is(404);
    }
    for act in ["place", "hold", "priority", "note", "reject"] {
        assert_eq!(times(&yard, &lead, act).await, 0, "{act}");
    }
}
