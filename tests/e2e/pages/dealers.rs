//! The dealers' pages.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use leadyard_domain::limits;
use leadyard_domain::place::{self, Zip};
use leadyard_tests::{Browser, Person, Reply, Rules, Says, Yard};
use serde_json::{Value, json};

use super::{HOSTILE, READS, is_harmless, names_nobody};

/// Hudson may have two a day, ridge pays in advance, and thirty others have no leads.
fn rules() -> Rules {
    let mut rules = Rules::roofing("acme")
        .seller("hudson", [("tier", "1"), ("cap_day", "2"), ("budget_month", "100.00"), ("price", "45.00")])
        .dealer("ridge", [("prepaid", "yes"), ("name", "Ridge & Sons")])
        .contract("ridge", "ridge", [("tier", "2")]);
    for n in 1..=30 {
        rules = rules.dealer(&format!("other-{n:02}"), []);
    }
    rules
}

async fn yard() -> Yard {
    let yard = Yard::of(rules()).await;
    yard.notes();
    yard
}

const LIST: &str = "/console/dealers";
const HUDSON: &str = "/console/dealers/acme/hudson";
const RIDGE: &str = "/console/dealers/acme/ridge";

/// What the API says of a dealer.
async fn told(yard: &Yard, dealer: &str) -> Value {
    yard.desk(Method::GET, &format!("/v1/dealers/{dealer}"), None).await.is(200).json
}

fn row<'p>(page: &'p Reply, dealer: &str) -> &'p str {
    let at = format!("/console/dealers/acme/{dealer}\"");
    page.text.split("<tr>").find(|row| row.contains(&at)).unwrap_or_else(|| panic!("{}", page.text))
}

#[tokio::test(start_paused = true)]
async fn the_list_says_who_takes_leads_what_is_used_and_how_each_fared() {
    let yard = yard().await;
    for n in 1..=2 {
        let lead = yard.settled_lead(&Person::number(n)).await;
        let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    }
    yard.count().await;
    let desk = Browser::of(&yard).await;
    let (page, reads) = desk.reads(LIST).await;
    assert!(reads <= READS, "{reads} reads");
    let hudson = row(&page, "hudson");
    for told in
        ["day 2 of 2", "budget 90.00 of 100.00", "full: day 2 of 2", "30 days\">2<", "accepted\">100 %"]
    {
        assert!(hudson.contains(told), "{told} is not in {hudson}");
    }
    // Further pages have the others, each once.
    assert!(!page.text.contains("acme/ridge\""), "by their ids, twenty-five on a page");
    let link = page.text.split("<a href=\"").find(|link| link.contains("Further down")).unwrap();
    let second = desk.opens(&link.split('"').next().unwrap().replace("&#38;", "&")).await.is(200);
    assert!(row(&second, "ridge").contains("nothing is left of what was paid in advance"));
    assert!(row(&second, "other-30").contains("has no contract") && !second.text.contains("acme/hudson\""));
    // Those that are full, whatever page they would stand on.
    let (full, reads) = desk.reads("/console/dealers?show=full").await;
    assert!(reads <= READS, "{reads} reads");
    assert!(full.text.contains("2 shown of 2"), "{}", full.text);
    let _ = (row(&full, "hudson"), row(&full, "ridge"));
    // By a part of the name; one is opened at once.
    let found = desk.sends(LIST, &format!("{}&company=acme&name=+sons", desk.csrf().await)).await.is(303);
    assert_eq!(found.header("location"), RIDGE);
    let several = desk.sends(LIST, &format!("{}&company=acme&name=other-1", desk.csrf().await)).await.is(200);
    assert!(several.text.contains("10 shown of 10") && !several.text.contains("Type more"));
    // Of more than one page shows, a part of the name leads on to nobody else.
    let many = desk.sends(LIST, &format!("{}&company=acme&name=other", desk.csrf().await)).await.is(200);
    assert!(many.text.contains("25 shown of 30. Type more of the name"), "{}", many.text);
    assert!(!many.text.contains("Further down"));
}

#[tokio::test(start_paused = true)]
async fn the_api_says_of_dealers_what_the_pages_say() {
    let yard = yard().await;
    for n in 1..=2 {
        yard.settled_lead(&Person::number(n)).await;
    }
    let lists =
        async |query: &str| yard.desk(Method::GET, &format!("/v1/dealers{query}"), None).await.is(200).json;
    let named = |list: &Value| -> Vec<String> {
        list["dealers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["dealer"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = lists("").await;
    let hudson = &first["dealers"][0];
    let day = json!({ "of": "leads", "period": "day", "used": 2, "most": 2, "full": true });
    let budget =
        json!({ "of": "money", "period": "month", "used": "90.00", "most": "100.00", "full": false });
    let full = json!({ "why": "full", "limit": day });
    assert_eq!(hudson["dealer"], "hudson");
    assert_eq!(hudson["takes_leads"], false);
    assert_eq!(
        hudson["troubles"],
        json!([{ "why": "no_contract_takes", "contracts": [full], "not_looked_at": 0 }])
    );
    assert_eq!(hudson["contracts"][0]["limits"], json!([day, budget]));
    assert_eq!((&hudson["open"], &hudson["balance"]), (&json!(true), &Value::Null));
    // The others, each once, behind those that were told.
    let second = lists(&format!("?after={}", first["next"].as_str().unwrap())).await;
    assert!(second["next"].is_null() && first["all"] == 32, "{second}");
    let mut all = [named(&first), named(&second)].concat();
    all.dedup();
    assert_eq!(all.len(), 32);
    let ridge = second["dealers"].as_array().unwrap().last().unwrap();
    let nothing = json!([{ "why": "nothing_paid" }]);
    assert_eq!((&ridge["troubles"], &ridge["balance"]), (&nothing, &json!("0.00")));
    assert_eq!(second["dealers"][0]["troubles"], json!([{ "why": "no_contract" }]));
    assert_eq!(named(&lists("?show=full").await), ["hudson", "ridge"]);
    let refused = yard.desk(Method::GET, "/v1/dealers?show=lazy", None).await.is(400);
    assert!(refused.text.contains("show is one of: paused failing full"), "{}", refused.text);
    // How its people are reached is told to nobody here; nobody else is a dealer.
    assert!(!first.to_string().contains('@'), "{first}");
    let _ = yard.desk(Method::GET, "/v1/dealers/nobody", None).await.is(404);
}

/// The cells of a dealer's row, by what they are called on a phone.
fn cell<'p>(page: &'p Reply, dealer: &str, label: &str) -> &'p str {
    let cell = row(page, dealer).split(&format!("data-label=\"{label}\">")).nth(1);
    cell.unwrap_or_else(|| panic!("{label} of {dealer}: {}", page.text)).split('<').next().unwrap()
}

#[tokio::test(start_paused = true)]
async fn acceptance_speed_returns_and_conversion_are_what_a_count_by_hand_says() {
    let asks = [
        ("deadline_minutes", "60"),
        ("deadline_clock", "wall"),
        ("return_days", "7"),
        ("return_reasons", "wrong-number"),
        ("return_approval", "trusted"),
        ("tier", "1"),
    ];
    let rules = Rules::roofing("acme").seller("hudson", asks).seller("ridge", [("tier", "2")]);
    let yard = Yard::of(rules.dealer("crest", [])).await;
    yard.notes();
    let mut leads = Vec::new();
    for n in 1..=7 {
        leads.push(yard.settled_lead(&Person::number(n)).await);
    }
    let says = async |n: usize, act: &str| {
        let _ = yard.answers("hudson", &leads[n], act).await.is(200);
    };
    // Of seven, five are accepted: two within five minutes, one within ten, two within half an hour. One is declined and
    // one lapses; these go to ridge, who has no deadline and so accepts nothing.
    yard.advance(Duration::from_secs(290)).await;
    says(0, "accept").await;
    says(1, "accept").await;
    yard.advance(Duration::from_secs(300)).await;
    says(2, "accept").await;
    yard.advance(Duration::from_secs(900)).await;
    says(3, "accept").await;
    says(4, "accept").await;
    says(5, "decline").await;
    yard.advance(Duration::from_secs(3_600)).await;
    // Of the five, two are won, one is lost, one comes back.
    for n in [0, 3] {
        let _ =
            yard.answers_with("hudson", &leads[n], "won", Some(json!({ "value": "900.00" }))).await.is(200);
    }
    says(1, "lost").await;
    let body = json!({ "reason": "wrong-number" });
    let _ = yard.answers_with("hudson", &leads[4], "return", Some(body)).await.is(200);
    yard.settle().await;
    yard.count().await;
    let states: Vec<Value> = futures::future::join_all(
        leads.iter().map(|lead| async { yard.story(lead).await.assignment("hudson")["state"].clone() }),
    )
    .await;
    assert_eq!(states, ["won", "lost", "accepted", "won", "returned", "declined", "lapsed"]);

    let desk = Browser::of(&yard).await;
    let page = desk.opens(LIST).await.is(200);
    for (dealer, label, said) in [
        // All seven were offered to it; 5 of the 7 that it answered, or did not in time: 71.4 %.
        ("hudson", "leads in 30 days", "7"),
        ("hudson", "accepted", "71 %"),
        // The third of five, in the middle of what lies between five and ten minutes.
        ("hudson", "accepts in", "7 min"),
        // Of the seven that it was sent: one, 14.3 %, and two, 28.6 %.
        ("hudson", "returned", "14 %"),
        ("hudson", "won", "29 %"),
        // The declined, the lapsed and the returned.
        ("ridge", "leads in 30 days", "3"),
        ("ridge", "accepted", "–"),
        ("ridge", "accepts in", "–"),
        ("ridge", "returned", "0 %"),
        ("ridge", "won", "0 %"),
        ("crest", "leads in 30 days", "0"),
        ("crest", "returned", "–"),
        ("crest", "won", "–"),
    ] {
        assert_eq!(cell(&page, dealer, label), said, "{label} of {dealer}");
    }
    // The dealer itself is told the counts behind them, and nobody else's.
    let figures = yard.dealer("hudson", Method::GET, "/v1/dealers/hudson/figures", None).await.is(200).json;
    let counted = json!({
        "company": "acme", "dealer": "hudson", "from": "2026-05-03", "to": "2026-06-01", "offered": 7, "delivered": 7,
        "accepted": 5, "declined": 1, "lapsed": 1, "returned": 1, "won": 2, "accepts_in_s": figures["accepts_in_s"],
    });
    assert_eq!(figures, counted);
    assert!((400..500).contains(&figures["accepts_in_s"].as_i64().unwrap()), "{figures}");
    let _ = yard.dealer("ridge", Method::GET, "/v1/dealers/hudson/figures", None).await.is(404);
    assert_eq!(told(&yard, "hudson").await["figures"]["won"], 2);
    let own = desk.opens(HUDSON).await.is(200);
    for told in [
        "<dt>Accepted</dt><dd>71 %, half of them within 7 min of the enquiry</dd>",
        "<dt>Returned</dt><dd>14 %</dd>",
        "<dt>Won</dt><dd>29 %</dd>",
    ] {
        assert!(own.text.contains(told), "{told} is not in {}", own.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_map_says_how_many_dealers_serve_each_state_by_the_contracts_in_force() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("area", "state:FL zip:10001 state:GU")])
        .contract("hudson-2", "hudson", [("area", "zip:33101"), ("tier", "2")])
        .seller("ridge", [("area", "county:12086")])
        .seller("crest", [("area", "any")])
        .seller("later", [("area", "state:OH"), ("starts", "2027-01-01")])
        .seller("over", [("area", "state:OH"), ("ends", "2026-05-01")])
        .dealer("idle", []);
    let yard = Yard::of(rules).await;
    let _ = yard.flip("pause", json!({ "on": true, "dealer": "ridge", "reason": "holiday" })).await;
    let desk = Browser::of(&yard).await;
    let (page, reads) = desk.reads(LIST).await;
    assert!(reads <= READS, "{reads} reads");
    // Two contracts of one dealer in a state are one dealer there; one that is paused is one all the same.
    for (title, shade) in [
        ("Florida: 2 dealers, 67 % of all", 4),
        ("New York: 1 dealer, 33 % of all", 4),
        ("Ohio: nothing", 0),
        ("Texas: nothing", 0),
    ] {
        let tile = format!("<g class=\"shade{shade}\"><title>{title}</title>");
        assert!(page.text.contains(&tile), "{tile}: {}", page.text);
    }
    assert!(page.text.contains("<strong>1</strong> of 3 serve the whole country"), "{}", page.text);
    // The table behind it has what stands on no tile as well.
    let table = page.text.split("Dealers who serve each state, the most first").nth(1).unwrap();
    let table = table.split("</table>").next().unwrap();
    for (state, dealers) in [("Florida", 2), ("Guam", 1), ("New York", 1)] {
        let row = format!("<th scope=\"row\">{state}</th><td class=\"number\">{dealers}</td>");
        assert!(table.contains(&row), "{row}: {table}");
    }
    assert_eq!(table.matches("<tr>").count(), 4);
    // It is of all dealers, and stands where all are listed.
    assert!(!desk.opens("/console/dealers?show=full").await.is(200).text.contains("class=\"map\""));
    // What is published anew is drawn anew.
    let fewer = Rules::roofing("acme").seller("hudson", [("area", "state:OH")]);
    let _ = yard.publish(&fewer).await.is(200);
    let page = desk.opens(LIST).await.is(200);
    assert!(page.text.contains("<title>Ohio: 1 dealer, 100 % of all</title>"), "{}", page.text);
    assert!(page.text.contains("Nobody serves the whole country"));
}

#[tokio::test(start_paused = true)]
async fn who_is_full_is_found_behind_hundreds_of_contracts_that_are_not() {
    let mut rules = Rules::roofing("acme").dealer("hudson", []).dealer("ridge", []);
    for n in 1..=420 {
        rules = rules.contract(&format!("c-{n:03}"), "hudson", [("cap_day", "5"), ("tier", "2")]);
    }
    let yard = Yard::of(rules.contract("last", "ridge", [("cap_day", "1"), ("tier", "1")])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.holders(), ["last"]);
    let desk = Browser::of(&yard).await;
    let (full, reads) = desk.reads("/console/dealers?show=full").await;
    assert!(reads <= READS, "{reads} reads");
    assert!(
        full.text.contains("1 shown of 1") && row(&full, "ridge").contains("day 1 of 1"),
        "{}",
        full.text
    );
    assert!(!full.text.contains("more dealers than one page asks"), "all of them were asked");
}

#[tokio::test(start_paused = true)]
async fn a_page_has_as_many_dealers_as_their_contracts_allow_and_each_stands_on_one() {
    let mut rules = Rules::roofing("acme");
    for dealer in 1..=13 {
        let id = format!("d-{dealer:02}");
        rules = rules.dealer(&id, []);
        for n in 1..=40 {
            // The last contract of the first of them has the lead.
            let asks = if (dealer, n) == (1, 40) { ["1", "1"] } else { ["5", "2"] };
            let asks = [("cap_day", asks[0]), ("tier", asks[1])];
            rules = rules.contract(&format!("{id}-{n:02}"), &id, asks);
        }
    }
    rules = rules.dealer("large", []);
    for n in 1..=400 {
        rules = rules.contract(&format!("large-{n:03}"), "large", [("cap_day", "5"), ("tier", "2")]);
    }
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.holders(), ["d-01-40"]);
    let desk = Browser::of(&yard).await;
    let (mut next, mut pages) = (Some(LIST.to_owned()), Vec::new());
    while let Some(at) = next {
        let (page, reads) = desk.reads(&at).await;
        assert!(reads <= READS, "{reads} reads of {at}");
        assert!(page.text.len() < 100_000, "{} bytes of {at}", page.text.len());
        next = super::leads::link(&page, "Further down");
        pages.push(page);
    }
    // Six of forty each, six more, one; and the one who has more than a page of its own.
    assert_eq!(pages.len(), 4);
    let dealers: Vec<String> = (1..=13).map(|n| format!("d-{n:02}")).chain(["large".to_owned()]).collect();
    for dealer in &dealers {
        let at = format!("<th scope=\"row\"><a href=\"/console/dealers/acme/{dealer}\"");
        assert_eq!(pages.iter().filter(|page| page.text.contains(&at)).count(), 1, "{dealer}");
    }
    // What is full stands first, and of the others it is said how many they are.
    let first = row(&pages[0], "d-01");
    assert!(first.contains("day 1 of 1") && first.contains("30 more contracts"), "{first}");
    assert!(first.contains("takes leads"), "{first}");
    assert!(row(&pages[3], "large").contains("390 more contracts"), "{}", row(&pages[3], "large"));
}

#[tokio::test(start_paused = true)]
async fn of_a_dealer_with_many_contracts_fifty_are_shown_and_read_at_a_time() {
    let mut rules = Rules::roofing("acme").dealer("hudson", []);
    for n in 1..=120 {
        rules = rules.contract(&format!("c-{n:03}"), "hudson", [("cap_day", "5"), ("tier", "2")]);
    }
    let yard = Yard::of(rules).await;
    let desk = Browser::of(&yard).await;
    let contract = |n: usize| format!("{HUDSON}/contracts/c-{n:03}\"");
    let mut at = HUDSON.to_owned();
    for (shown, told) in
        [(1..=50, "1 to 50 of 120."), (51..=100, "51 to 100 of 120."), (101..=120, "of 120.")]
    {
        let _ = yard.faults.keys_read();
        let (page, reads) = desk.reads(&at).await;
        assert!(reads <= READS, "{reads} reads of {at}");
        assert!(page.text.len() < 100_000, "{} bytes of {at}", page.text.len());
        assert!(page.text.contains(told), "{told}: {}", page.text);
        for n in 1..=120 {
            assert_eq!(page.text.contains(&contract(n)), shown.contains(&n), "{n} at {at}");
        }
        let read = yard.faults.keys_read();
        let caps = read.iter().filter(|(pk, _)| pk.starts_with("K#acme#c#")).count();
        assert_eq!(caps, shown.count(), "{read:?}");
        if let Some(next) = super::leads::link(&page, "Further contracts") {
            at = next;
        }
    }
    // One of the last is paused and resumed from where it stands; what is refused leaves it chosen.
    let page = desk.opens(&at).await.is(200);
    assert_eq!(super::leads::link(&page, "The first contracts").as_deref(), Some(HUDSON));
    let pause = format!("{HUDSON}/pause");
    let refused = desk.submits(&page, &pause, &[("contract", "c-120"), ("reason", "")]).await.is(400);
    assert!(refused.text.contains("<option value=\"c-120\" selected>"), "{}", refused.text);
    let done = desk.submits(&refused, &pause, &[("reason", "too many")]).await.is(303);
    let paused = desk.opens(done.header("location")).await.is(200);
    assert!(paused.text.contains("paused until somebody resumes it: too many"), "{}", paused.text);
    let done = desk.submits(&paused, &format!("{HUDSON}/resume"), &[]).await.is(303);
    let resumed = desk.opens(done.header("location")).await.is(200);
    assert!(resumed.text.contains(&contract(120)) && !resumed.text.contains("too many"), "{}", resumed.text);
    // By the API the same fifty at a time.
    let (mut next, mut contracts) = (Some(String::new()), Vec::new());
    while let Some(after) = next {
        let told = told(&yard, &format!("hudson?contracts={after}")).await;
        let some = told["contracts"].as_array().unwrap().clone();
        assert!(some.len() <= 50);
        contracts.extend(some.iter().map(|one| one["contract"].as_str().unwrap().to_owned()));
        next = told["next_contracts"].as_str().map(str::to_owned);
    }
    assert_eq!(contracts, (1..=120).map(|n| format!("c-{n:03}")).collect::<Vec<_>>());
    // A page behind a contract that is none begins with the first.
    let page = desk.opens(&format!("{HUDSON}?contracts=c-999")).await.is(200);
    assert!(page.text.contains("1 to 50 of 120."), "{}", page.text);
}

#[tokio::test(start_paused = true)]
async fn of_contracts_that_were_not_looked_at_it_is_not_said_whether_they_take_leads() {
    let mut rules = Rules::roofing("acme").dealer("hudson", []);
    for n in 1..=60 {
        let ends = if n <= 50 { "2026-05-01" } else { "" };
        rules = rules.contract(&format!("c-{n:03}"), "hudson", [("cap_day", "5"), ("ends", ends)]);
    }
    let yard = Yard::of(rules).await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(HUDSON).await.is(200);
    let told = "no contract that was looked at takes leads: ended 2026-05-01; 10 were not";
    assert!(page.text.contains(told) && !page.text.contains("Takes leads."), "{}", page.text);
    let why = json!({
        "why": "no_contract_takes", "contracts": [{ "why": "ended", "date": "2026-05-01" }], "not_looked_at": 10,
    });
    assert_eq!(self::told(&yard, "hudson").await["troubles"], json!([why]));
    let further = desk.opens(&format!("{HUDSON}?contracts=c-050")).await.is(200);
    assert!(further.text.contains("Takes leads."), "{}", further.text);
}

#[tokio::test(start_paused = true)]
async fn who_is_not_reached_is_found_and_a_channel_that_is_gone_is_enabled_again() {
    let yard = yard().await;
    yard.dealer_says("hudson", Says::Status(410));
    yard.settled_lead(&Person::number(1)).await;
    let desk = Browser::of(&yard).await;
    let (failing, reads) = desk.reads("/console/dealers?show=failing").await;
    assert!(reads <= READS, "{reads} reads");
    assert!(failing.text.contains("1 shown of 1"), "{}", failing.text);
    assert!(row(&failing, "hudson").contains("webhook takes nothing since"));
    let gone = told(&yard, "hudson").await;
    let trouble = json!({ "why": "disabled", "reason": "gone", "since": gone["troubles"][0]["since"], "channel": "webhook" });
    assert_eq!(gone["troubles"], json!([trouble]));
    assert!(gone["channels"][0]["trouble"]["since"].is_string(), "{gone}");
    let page = desk.opens(HUDSON).await.is(200);
    let enable = format!("{HUDSON}/enable");
    let done = desk.submits(&page, &enable, &[]).await.is(303);
    let after = desk.opens(done.header("location")).await.is(200);
    assert!(after.text.contains("The channel takes leads again") && after.text.contains("Takes leads."));
    let _ = desk.submits(&page, &enable, &[]).await.is(303); // a second click
    assert!(desk.opens("/console/dealers?show=failing").await.is(200).text.contains("No such dealer"));
}

#[tokio::test(start_paused = true)]
async fn a_dealer_and_a_contract_are_paused_with_a_reason_and_an_end_and_resumed() {
    let yard = yard().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(HUDSON).await.is(200);
    let pause = format!("{HUDSON}/pause");
    // Without a reason, with an end that is over, or none: nothing happens, and what was typed stands there.
    let until = ("until", "2026-06-01T18:30");
    for (typed, why) in [
        ([("reason", "   "), until], "say in reason why it is paused"),
        ([("reason", "on <holiday>"), ("until", "2026-06-01T11:59")], "the end lies in the past"),
        ([("reason", "on <holiday>"), ("until", "tomorrow")], "an end is written"),
    ] {
        let refused = desk.submits(&page, &pause, &typed).await.is(400);
        assert!(
            refused.text.contains(why) && refused.text.contains(&format!("value=\"{}\"", typed[1].1)),
            "{why}"
        );
    }
    let typed = [("reason", "on <holiday>"), until];
    for _ in 0..2 {
        // The second click changes nothing.
        let done = desk.submits(&page, &pause, &typed).await.is(303);
        let after = desk.opens(done.header("location")).await.is(200);
        assert!(after.text.contains("Paused: it gets no more leads until then"));
        assert!(
            after.text.contains("paused until Mon, Jun 1, 2026, 6:30 PM EDT: on &#60;holiday&#62;"),
            "{}",
            after.text
        );
    }
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200);
    let pauses =
        changes.json["changes"].as_array().unwrap().iter().filter(|act| act["act"] == "pause").count();
    assert_eq!(pauses, 1);
    assert!(desk.opens("/console/dealers?show=paused").await.is(200).text.contains("1 shown of 1"));
    let holiday = json!({ "why": "paused", "reason": "on <holiday>", "until": "2026-06-01T22:30:00Z" });
    assert_eq!(told(&yard, "hudson").await["troubles"], json!([holiday]));
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.holders(), [""; 0]);

    let paused = desk.opens(HUDSON).await.is(200);
    let done = desk.submits(&paused, &format!("{HUDSON}/resume"), &[]).await.is(303);
    assert!(desk.opens(done.header("location")).await.is(200).text.contains("Takes leads."));
    yard.advance(Duration::from_secs(60)).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"], "who waited is looked at again");

    // A contract alone; and no contract of another dealer's.
    let done = desk.submits(&page, &pause, &[("contract", "hudson"), ("reason", "too many")]).await.is(303);
    let after = desk.opens(done.header("location")).await.is(200);
    assert!(after.text.contains("paused until somebody resumes it: too many"), "{}", after.text);
    let _ = desk.submits(&page, &pause, &[("contract", "ridge"), ("reason", "theirs")]).await.is(404);
    let switches = yard.desk(Method::GET, "/v1/switches", None).await.is(200);
    assert_eq!(switches.json["contracts"].as_array().unwrap().len(), 1, "{}", switches.text);
    let _ = desk.submits(&after, &format!("{HUDSON}/resume"), &[]).await.is(303);
    assert!(desk.opens(HUDSON).await.is(200).text.contains("Takes leads."));
}

#[tokio::test(start_paused = true)]
async fn a_dealer_shows_its_leads_statement_and_why_it_got_nothing() {
    let yard = yard().await;
    let person = Person::named("Ada", "Hill").with("phone", "305-555-0100");
    let lead = yard.settled_lead(&person).await;
    let desk = Browser::of(&yard).await;
    let (page, reads) = desk.reads(HUDSON).await;
    assert!(reads <= READS, "{reads} reads");
    for told in ["Ada H.", "day 1 of 2", "45.00 USD a lead", "received", &lead] {
        assert!(page.text.contains(told), "{told} is not in {}", page.text);
    }
    names_nobody(&page, &["Hill", "5550100", "ada.hill@"]);

    let (statement, reads) = desk.reads(&format!("{HUDSON}/statement")).await;
    assert!(reads <= READS, "{reads} reads");
    assert!(
        statement.text.contains("45.00 USD (1 lead)") && statement.text.contains(&lead),
        "{}",
        statement.text
    );
    let csv = desk.opens(&format!("{HUDSON}/statement.csv?month=2026-06")).await.is(200);
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(csv.text.lines().count(), 2, "{}", csv.text);
    let _ = desk.opens(&format!("{HUDSON}/statement?month=June")).await.is(400);

    let why = desk.opens(&format!("{RIDGE}/why")).await.is(200);
    assert!(why.text.contains("nothing was left of what was paid in advance"), "{}", why.text);
    let api = yard.desk(Method::GET, "/v1/why-nothing?dealer=ridge", None).await.is(200);
    assert_eq!(api.json["contracts"], json!({ "ridge": { "cap": 1 } }));
    // Of a day that has not come nothing is decided; of today, the hours that have.
    let _ = desk.opens(&format!("{RIDGE}/why?date=2026-06-09")).await.is(200);
    let (_, reads) = desk.reads(&format!("{RIDGE}/why")).await;
    assert!(reads <= READS, "{reads} reads");
    let yesterday = desk.opens(&format!("{RIDGE}/why?date=2026-05-31")).await.is(200);
    assert!(yesterday.text.contains("Nobody asked on that day"));
    // A day of the company's is two of UTC; and so many as are looked at are a read each hundred.
    yard.advance(Duration::from_secs(24 * 3_600)).await;
    let (day, reads) = Browser::of(&yard).await.reads(&format!("{RIDGE}/why?date=2026-06-01")).await;
    assert!(day.text.contains("nothing was left of what was paid in advance"), "{}", day.text);
    let most = reads - 1 + limits::DECISIONS_EXAMINED.div_ceil(100);
    assert!(most <= READS, "{most} reads");
}

#[tokio::test(start_paused = true)]
async fn why_it_got_nothing_takes_few_reads_wherever_leads_were_and_whatever_rules_they_were_decided_by() {
    // A contract in each of many states, and a lead from each: the rules of a state are read by themselves.
    let states: BTreeMap<&str, Zip> = place::all()
        .filter(|place| place.population() > 5_000)
        .map(|place| (place.state().as_str(), place.zip()))
        .collect();
    assert!(states.len() > 40);
    let in_states = states.keys().fold(Rules::roofing("acme"), |rules, state| {
        rules.seller(&format!("of-{}", state.to_lowercase()), [("area", &*format!("state:{state}"))])
    });
    let yard = Yard::of(in_states).await;
    for (n, zip) in states.values().enumerate() {
        let _ = yard.settled_lead(&Person::number(n).with("zip", &zip.to_string())).await;
    }
    let edit = json!({ "set": { "price": "11.00" } });
    let _ = yard.desk(Method::PATCH, "/v1/rulebook/contracts/of-fl?base=1", Some(edit)).await.is(200);
    let _ = yard.settled_lead(&Person::number(100).with("zip", "33101")).await;
    let desk = Browser::of(&yard).await;
    let (why, reads) = desk.reads("/console/dealers/acme/of-fl/why").await;
    assert!(reads <= READS, "{reads} reads");
    let all = states.len() + 1;
    assert!(why.text.contains(&format!("{all} decisions")), "{}", why.text);
}

#[tokio::test(start_paused = true)]
async fn a_lead_is_sent_again_and_a_channel_tested_and_neither_counts() {
    let yard = yard().await;
    let _ = yard.settled_lead(&Person::number(1)).await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(HUDSON).await.is(200);
    let done = desk.submits(&page, &format!("{HUDSON}/redeliver"), &[]).await.is(303);
    assert!(desk.opens(done.header("location")).await.is(200).text.contains("as the same message"));
    // A double click: it is on its way already.
    let again = desk.submits(&page, &format!("{HUDSON}/redeliver"), &[]).await.is(409);
    assert!(again.text.contains("sent again already"), "{}", again.text);
    yard.settle().await;
    // Nor is it sent a third time where the second had arrived by then.
    let late = desk.submits(&page, &format!("{HUDSON}/redeliver"), &[]).await.is(409);
    assert!(late.text.contains("the lead was sent again already"), "{}", late.text);
    yard.settle().await;
    let told = yard.told("hudson");
    assert_eq!((told.len(), told[0].header("webhook-id")), (2, told[1].header("webhook-id")));

    let works = async {
        for _ in 0..50 {
            yard.settle().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let test = format!("{HUDSON}/test");
    let tried = tokio::join!(desk.submits(&page, &test, &[]), works).0.is(303);
    let shown = desk.opens(tried.header("location")).await.is(200);
    assert!(shown.text.contains("The test of channel 1: received"), "{}", shown.text);
    assert_eq!(yard.told("hudson").len(), 3);
    let _ = desk.opens(tried.header("location")).await.is(200);
    assert_eq!(yard.told("hudson").len(), 3, "loading the page again tries nothing");
    let clicked = desk.submits(&page, &test, &[]).await.is(303);
    assert_eq!(clicked.header("location"), tried.header("location"), "a second click tries nothing");
    yard.settle().await;
    assert_eq!(yard.told("hudson").len(), 3);
    assert_eq!(yard.taken("hudson", 1).await, 1);
    let unknown = [("order", "7")];
    let _ = desk.submits(&page, &test, &unknown).await.is(404);
    // Who has seen that it was sent again may do so once more.
    yard.advance(Duration::from_secs(60)).await;
    let anew = desk.opens(HUDSON).await.is(200);
    let _ = desk.submits(&anew, &format!("{HUDSON}/redeliver"), &[]).await.is(303);
    yard.settle().await;
    assert_eq!(yard.told("hudson").len(), 4);
}

#[tokio::test(start_paused = true)]
async fn what_lapsed_may_be_withdrawn_again_and_what_was_declined_is_over() {
    let deadline = [("deadline_minutes", "60"), ("deadline_clock", "wall")];
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", deadline)).await;
    let desk = Browser::of(&yard).await;
    let sends = async || desk.opens(HUDSON).await.is(200).text.contains(&format!("{HUDSON}/redeliver"));
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert!(sends().await, "it is the dealer's");
    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    yard.settle().await;
    assert!(!sends().await, "its dealer has said that it is over");
    let _ = yard.settled_lead(&Person::number(2)).await;
    yard.advance(Duration::from_secs(2 * 3_600)).await;
    yard.settle().await;
    let page = desk.opens(HUDSON).await.is(200);
    assert!(page.text.contains("lapsed"), "{}", page.text);
    assert!(sends().await, "that may not have arrived");
}

#[tokio::test(start_paused = true)]
async fn another_company_s_dealer_is_there_for_nobody_and_names_are_text() {
    let hostile = HOSTILE.replace('"', "\"\"");
    let yard =
        Yard::of(Rules::roofing("acme").dealer("hudson", [("name", &format!("\"{hostile}\""))]).contract(
            "hudson",
            "hudson",
            [],
        ))
        .await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let _ = yard.flip("pause", json!({ "on": true, "dealer": "hudson", "reason": HOSTILE })).await;
    let desk = Browser::of(&yard).await;
    for page in [LIST, HUDSON] {
        let page = desk.opens(page).await.is(200);
        assert!(page.text.contains("&#60;script&#62;"), "{}", page.text);
        is_harmless(&page);
    }
    let other = yard.also(Rules::roofing("other").seller("elsewhere", [])).await;
    let theirs = Browser::of(&other).await;
    let csrf = theirs.csrf().await;
    for path in [
        HUDSON.to_owned(),
        format!("{HUDSON}/why"),
        format!("{HUDSON}/statement"),
        format!("{HUDSON}/statement.csv"),
        "/console/dealers/other/hudson".to_owned(),
        "/console/dealers?company=acme".to_owned(),
    ] {
        let _ = theirs.opens(&path).await.is(404);
    }
    let story = yard.story(&lead).await;
    let assignment = story.assignment("hudson")["assignment"].as_str().unwrap();
    let form = format!("{csrf}&reason=x&order=1&lead={lead}&assignment={assignment}");
    for act in ["pause", "resume", "test", "enable", "redeliver"] {
        let _ = theirs.sends(&format!("{HUDSON}/{act}"), &form).await.is(404);
        let _ = desk.sends(&format!("{HUDSON}/{act}"), "reason=x&order=1").await.is(403);
    }
    // Nor by way of a dealer of their own.
    let _ = theirs.sends("/console/dealers/other/elsewhere/redeliver", &form).await.is(404);
    let switches: Value = yard.desk(Method::GET, "/v1/switches", None).await.is(200).json;
    assert_eq!(switches["dealers"].as_array().unwrap().len(), 1);
    assert_eq!(yard.told("hudson").len(), 1);
}
