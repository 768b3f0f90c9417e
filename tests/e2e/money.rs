//! What dealers pay: budgets, what was paid in advance, charges, credits, returns, statements.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use http::{HeaderMap, HeaderValue, Method};
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::ids::AssignmentId;
use leadyard_domain::limits;
use leadyard_domain::money::Money;
use leadyard_platform::store::keys;
use leadyard_tests::{Browser, Person, Reply, Rules, Says, Yard};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);

/// Hudson may return within a week for two reasons, one in ten of a month's leads; the web costs us 4.00.
fn returning(more: &[(&'static str, &'static str)]) -> Rules {
    let mut columns = vec![
        ("tier", "1"),
        ("return_days", "7"),
        ("return_quota", "10%"),
        ("return_reasons", "wrong-number out-of-area"),
    ];
    columns.extend_from_slice(more);
    let columns: [(&str, &str); 5] = columns.try_into().unwrap_or_else(|_| panic!("five columns"));
    Rules::company("acme")
        .offer("roof", "roofing", "")
        .source("web", "offer = \"roof\"\ncost_per_lead = \"4.00\"")
        .seller("hudson", columns)
        .seller("ridge", [("tier", "2")])
}

async fn statement(yard: &Yard, dealer: &str, month: &str) -> Value {
    let path = format!("/v1/dealers/{dealer}/statement?month={month}");
    yard.desk(Method::GET, &path, None).await.is(200).json
}

/// (what, how much) of each line.
fn lines(statement: &Value) -> Vec<(&str, &str)> {
    let lines = statement["lines"].as_array().unwrap();
    lines.iter().map(|line| (line["kind"].as_str().unwrap(), line["amount"].as_str().unwrap())).collect()
}

async fn deposit(yard: &Yard, dealer: &str, amount: &str, reference: &str) -> Reply {
    let body = json!({ "amount": amount, "reference": reference });
    yard.desk(Method::POST, &format!("/v1/dealers/{dealer}/deposits"), Some(body)).await
}

async fn decides(yard: &Yard, lead: &str, verdict: &str, body: Value) -> Reply {
    let id = yard.story(lead).await.assignment("hudson")["assignment"].as_str().unwrap().to_owned();
    yard.desk(Method::POST, &format!("/v1/returns/{id}/{verdict}"), Some(body)).await
}

#[tokio::test(start_paused = true)]
async fn a_charge_stands_when_the_lead_arrives_and_a_statement_is_the_sum_of_its_lines() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("price", "12.34")])).await;
    yard.dealer_says("hudson", Says::Status(503));
    yard.settled_lead(&Person::number(1)).await;
    assert_eq!(lines(&statement(&yard, "hudson", "2026-06").await), []);
    yard.dealer_says("hudson", Says::Status(200));
    yard.advance(MINUTE).await;
    yard.settled_lead(&Person::number(2)).await;
    let june = statement(&yard, "hudson", "2026-06").await;
    assert_eq!(lines(&june), [("charge", "12.34"), ("charge", "12.34")]);
    assert_eq!((&june["owed"], &june["charged"]), (&json!("24.68"), &json!(2)));
    assert_eq!(statement(&yard, "hudson", "2026-05").await["owed"], "0.00");
    assert_eq!(statement(&yard, "hudson", "9999-12").await["owed"], "0.00", "also of a month far off");
    // The dealer sees its own, as a table too, and nobody else's.
    let path = "/v1/dealers/hudson/statement?month=2026-06";
    assert_eq!(yard.dealer("hudson", Method::GET, path, None).await.is(200).json["owed"], "24.68");
    let _ = yard.dealer("ridge", Method::GET, path, None).await.is(404).is_problem("not-found");
    let _ = yard.desk(Method::GET, "/v1/dealers/hudson/statement?month=June", None).await.is(400);
}

#[tokio::test(start_paused = true)]
async fn a_lead_costs_what_it_cost_when_it_was_assigned() {
    let rules = |price: &'static str| Rules::roofing("acme").seller("hudson", [("price", price)]);
    let yard = Yard::of(rules("12.34")).await;
    yard.dealer_says("hudson", Says::Status(503));
    yard.settled_lead(&Person::number(1)).await;
    let _ = yard.publish(&rules("99.00")).await.is(200);
    yard.dealer_says("hudson", Says::Status(200));
    yard.advance(MINUTE).await;
    assert_eq!(lines(&statement(&yard, "hudson", "2026-06").await), [("charge", "12.34")]);
}

#[tokio::test(start_paused = true)]
async fn asking_again_costs_nothing() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let again = yard.server("web").posts(&Person::number(1)).await.is(200);
    assert_eq!((again.text_of("status"), again.text_of("lead")), ("repeat", lead.as_str()));
    yard.settle().await;
    assert_eq!(lines(&statement(&yard, "hudson", "2026-06").await), [("charge", "10.00")]);
}

#[tokio::test(start_paused = true)]
async fn a_statements_month_is_the_companys() {
    // 23:30 on the last of May in New York is June in London.
    let yard = Yard::at("2026-06-01T03:30:00Z", Rules::roofing("acme").seller("hudson", [])).await;
    yard.settled_lead(&Person::number(1)).await;
    assert_eq!(statement(&yard, "hudson", "2026-05").await["owed"], "10.00");
    assert_eq!(statement(&yard, "hudson", "2026-06").await["owed"], "0.00");
}

#[tokio::test(start_paused = true)]
async fn what_is_declined_is_not_paid_for() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    let june = statement(&yard, "hudson", "2026-06").await;
    assert_eq!(
        (lines(&june), &june["owed"]),
        (vec![("charge", "10.00"), ("credit", "10.00")], &json!("0.00"))
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_charged_is_declined_within_a_day_and_not_where_there_are_returns() {
    let yard = Yard::of(returning(&[("cap_total", "2")])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let refused = yard.answers("hudson", &lead, "decline").await.is(409);
    assert!(refused.text.contains("takes returns"), "{}", refused.text);
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    yard.advance(MINUTE * 60 * 24 + MINUTE).await;
    let late = yard.answers("hudson", &lead, "decline").await.is(409);
    assert!(late.text.contains("within 24 hours"), "{}", late.text);
    assert_eq!(statement(&yard, "hudson", "2026-06").await["owed"], "10.00");
}

#[tokio::test(start_paused = true)]
async fn a_balance_that_comes_back_serves_the_dealers_other_trades() {
    let rules = Rules::roofing("acme")
        .offer("sun", "solar", "")
        .dealer("hudson", [("prepaid", "yes")])
        .contract("hudson", "hudson", []);
    let yard = Yard::of(rules).await;
    let _ = deposit(&yard, "hudson", "10.00", "wire-1").await.is(200);
    let _ = deposit(&yard, "nobody", "10.00", "wire-1").await.is(404);
    let roof = yard.settled_lead(&Person::number(1)).await;
    let sun = yard.settled_lead(&Person::number(2).with("offer", "sun")).await;
    assert_eq!(yard.story(&sun).await.waiting(), "cap");
    let _ = yard.answers("hudson", &roof, "decline").await.is(200);
    yard.advance(MINUTE).await;
    assert_eq!(yard.story(&sun).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn a_months_budget_is_never_exceeded_and_begins_anew_with_the_month() {
    // Three leads at 10.00 are within 35.00, the fourth is not.
    let yard = Yard::at(
        "2026-06-29T16:00:00Z",
        Rules::roofing("acme").seller("hudson", [("budget_month", "35.00")]),
    )
    .await;
    let mut leads = Vec::new();
    for number in 1..=4 {
        leads.push(yard.settled_lead(&Person::number(number)).await);
    }
    let story = yard.story(&leads[3]).await;
    assert_eq!((story.stage(), story.waiting()), ("waiting", "cap"));
    assert_eq!(
        story.0["due"], "2026-07-01T04:05:00Z",
        "midnight in New York wakes the best, and soon after itself"
    );
    assert_eq!(statement(&yard, "hudson", "2026-06").await["owed"], "30.00");
    // A lead that comes back frees what it cost.
    let _ = yard.answers("hudson", &leads[0], "decline").await.is(200);
    yard.advance(MINUTE).await;
    assert_eq!(yard.story(&leads[3]).await.holders(), ["hudson"]);
    leads.push(yard.settled_lead(&Person::number(5)).await);
    assert_eq!(yard.story(&leads[4]).await.waiting(), "cap");
    yard.advance_to("2026-07-01T04:00:00Z").await;
    yard.advance(MINUTE * 2).await;
    assert_eq!(yard.story(&leads[4]).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn who_pays_in_advance_gets_leads_as_far_as_it_goes() {
    let rules =
        Rules::roofing("acme").dealer("hudson", [("prepaid", "yes")]).contract("hudson", "hudson", []);
    let yard = Yard::of(rules).await;
    let first = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&first).await.waiting(), "cap");
    assert_eq!(deposit(&yard, "hudson", "25.00", "wire-1").await.is(200).json["booked"], true);
    // The same wire a second time is one deposit.
    assert_eq!(deposit(&yard, "hudson", "25.00", "wire-1").await.is(200).json["booked"], false);
    yard.advance(MINUTE).await;
    assert_eq!(yard.story(&first).await.holders(), ["hudson"]);
    let second = yard.settled_lead(&Person::number(2)).await;
    let third = yard.settled_lead(&Person::number(3)).await;
    assert_eq!(
        (yard.story(&second).await.holders(), yard.story(&third).await.waiting()),
        (vec!["hudson"], "cap")
    );
    let june = statement(&yard, "hudson", "2026-06").await;
    assert_eq!(
        (&june["balance"], &june["owed"], &june["deposits"]),
        (&json!("5.00"), &json!("20.00"), &json!("25.00"))
    );
    // What is declined is paid back, and whoever waits for it gets it.
    let _ = yard.answers("hudson", &second, "decline").await.is(200);
    yard.advance(MINUTE).await;
    assert_eq!(yard.story(&third).await.holders(), ["hudson"]);
    assert_eq!(statement(&yard, "hudson", "2026-06").await["balance"], "5.00");
    for (amount, reference) in [("0", "x"), ("5", "a b"), ("-5", "x")] {
        let _ = deposit(&yard, "hudson", amount, reference).await.is(400).is_problem("invalid-field");
    }
}

/// A sum of a column, in cents.
fn cents(header: &[String], rows: &[Vec<String>], column: &str) -> i64 {
    let at = header.iter().position(|name| name == column).unwrap_or_else(|| panic!("{column}: {header:?}"));
    let cents = |text: &str| -> i64 {
        let (sign, plain) = text.strip_prefix('-').map_or((1, text), |plain| (-1, plain));
        let (whole, part) = plain.split_once('.').unwrap_or((plain, "00"));
        assert_eq!(part.len(), 2, "{text}");
        sign * (whole.parse::<i64>().unwrap() * 100 + part.parse::<i64>().unwrap())
    };
    rows.iter().map(|row| row[at].as_str()).filter(|cell| !cell.is_empty()).map(cents).sum()
}

#[tokio::test(start_paused = true)]
async fn a_statement_as_a_table_sums_to_what_is_owed_and_a_won_value_is_none_of_it() {
    let rules = Rules::roofing("acme").dealer("hudson", [("prepaid", "yes")]).contract(
        "hudson",
        "hudson",
        [("price", "12.34")],
    );
    let yard = Yard::of(rules).await;
    let _ = deposit(&yard, "hudson", "100.00", "wire-1").await.is(200);
    let mut leads = Vec::new();
    for number in 1..=3 {
        leads.push(yard.settled_lead(&Person::number(number)).await);
    }
    let _ = yard.answers("hudson", &leads[0], "decline").await.is(200);
    let _ = reverse(&yard, "wire-1", json!({ "amount": "20.50", "reason": "sent twice" })).await.is(200);
    yard.settle().await;

    let path = "/v1/dealers/hudson/statement?month=2026-06";
    let june = statement(&yard, "hudson", "2026-06").await;
    let mut kinds: Vec<&str> = lines(&june).iter().map(|(kind, _)| *kind).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["charge", "charge", "charge", "credit", "deposit", "reversal"]);
    let (header, rows) = yard.desk_csv(path).await;
    assert_eq!(rows.len(), 6);
    assert_eq!((&june["owed"], cents(&header, &rows, "amount")), (&json!("24.68"), 2_468));
    assert_eq!((&june["deposits"], cents(&header, &rows, "deposit")), (&json!("79.50"), 7_950));
    assert_eq!(june["balance"], "54.82");
    let credit = rows.iter().find(|row| row[1] == "credit").unwrap();
    assert_eq!((credit[2].as_str(), credit[7].as_str()), ("-12.34", "declined"));

    // What the dealer earned by it is the dealer's.
    let value = Some(json!({ "value": "900.00" }));
    let _ = yard.answers_with("hudson", &leads[1], "won", value).await.is(200);
    assert_eq!(yard.story(&leads[1]).await.assignment("hudson")["won_value"], "900.00");
    assert_eq!(statement(&yard, "hudson", "2026-06").await, june);
    assert_eq!(yard.desk_csv(path).await, (header, rows));
}

/// Puts so many more lines of a kind into hudson's ledger, like the one that stands there: each of another seat, a
/// millisecond after the one before.
async fn lines_like(yard: &Yard, kind: &str, count: u16) {
    let (store, text) = (&yard.cloud.store, AttributeValue::S);
    let stored = store.client().query().table_name(store.table()).key_condition_expression("pk = :pk");
    let stored = stored.expression_attribute_values(":pk", text("B#acme#hudson".to_owned()));
    let stored = stored.send().await.unwrap().items.unwrap();
    let line = stored.into_iter().find(|line| line.get("kind") == Some(&text(kind.to_owned()))).unwrap();
    let begins: Timestamp = line["at"].as_s().unwrap().parse().unwrap();
    let like = |n: u16| {
        let mut id = [u8::from(kind == "credit"); 16];
        id[14..].copy_from_slice(&n.to_be_bytes());
        let (at, seat) = (SignedDuration::from_millis(i64::from(n)), AssignmentId::from_bytes(id));
        let at = begins.checked_add(at).unwrap();
        let sk = format!("{}#{kind}#{seat}", keys::sort_time(at.as_millisecond()));
        let mut like = line.clone();
        for (name, value) in [("sk", sk), ("at", at.to_string()), ("assignment", seat.to_string())] {
            like.insert(name.to_owned(), text(value));
        }
        let put = PutRequest::builder().set_item(Some(like)).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    for some in (1..=count).map(like).collect::<Vec<_>>().chunks(25) {
        let write = store.client().batch_write_item().request_items(store.table(), some.to_vec());
        let written = write.send().await.unwrap();
        assert!(written.unprocessed_items.is_none_or(|left| left.is_empty()));
    }
}

/// A statement as a table, with what stands above its body.
async fn table(yard: &Yard, path: &str) -> (Reply, Vec<String>, Vec<Vec<String>>) {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {}", yard.desk_token()).parse().unwrap());
    headers.insert("accept", HeaderValue::from_static("text/csv"));
    let reply = yard.requests(Method::GET, path, headers, "application/json", Vec::new()).await.is(200);
    let mut table = csv::Reader::from_reader(reply.text.as_bytes());
    let cells = |row: &csv::StringRecord| row.iter().map(str::to_owned).collect::<Vec<String>>();
    let header = cells(table.headers().unwrap());
    let rows = table.records().map(|row| cells(&row.unwrap())).collect();
    (reply, header, rows)
}

#[tokio::test(start_paused = true)]
async fn a_month_of_very_many_lines_is_told_in_pages_each_with_the_sums_of_all() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("price", "12.34")])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    // With the charge and the credit that stand there already.
    lines_like(&yard, "charge", 5_100).await;
    lines_like(&yard, "credit", 300).await;
    let money = |minor: i64| json!(Money::from_minor(minor).to_string());
    let of_month = "/v1/dealers/hudson/statement?month=2026-06";

    let (mut sizes, mut seats, mut sums, mut after) = (Vec::new(), BTreeSet::new(), [0, 0], String::new());
    loop {
        let page = yard.desk(Method::GET, &format!("{of_month}{after}"), None).await.is(200).json;
        assert_eq!((&page["charged"], &page["charges"]), (&json!(5_101), &money(5_101 * 1_234)));
        assert_eq!((&page["credited"], &page["credits"]), (&json!(301), &money(301 * 1_234)));
        assert_eq!(page["owed"], money(4_800 * 1_234));
        let lines = page["lines"].as_array().unwrap();
        sizes.push(lines.len());
        for line in lines {
            let (kind, seat) = (line["kind"].as_str().unwrap(), line["assignment"].as_str().unwrap());
            assert_eq!(line["amount"], "12.34");
            assert!(seats.insert((kind.to_owned(), seat.to_owned())), "{line} was told before");
            sums[usize::from(kind == "credit")] += 1_234;
        }
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(sizes, [limits::STATEMENT_LINES, 402]);
    assert_eq!(sums, [5_101 * 1_234, 301 * 1_234]);

    // As a table likewise: where the next is stands above it.
    let (mut sizes, mut owed, mut path) = (Vec::new(), 0, of_month.to_owned());
    loop {
        let (reply, header, rows) = table(&yard, &path).await;
        sizes.push(rows.len());
        owed += cents(&header, &rows, "amount");
        let link = reply.header("link").strip_prefix('<').and_then(|link| link.split_once('>'));
        let Some((next, how)) = link else { break };
        assert_eq!(how, "; rel=\"next\"");
        path = next.to_owned();
    }
    assert_eq!((sizes, owed), (vec![limits::STATEMENT_LINES, 402], 4_800 * 1_234));
    let _ = yard.desk(Method::GET, &format!("{of_month}&after=x"), None).await.is(400);

    // The desk's page and the dealer's own show the first lines, and have a table for each part.
    let desk = (Browser::of(&yard).await, "/console/dealers/acme/hudson/statement?month=2026-06");
    let dealer = (Browser::of_dealer(&yard, "hudson").await, "/console/inbox/figures?month=2026-06");
    for (who, path) in [desk, dealer] {
        let page = who.opens(path).await.is(200);
        assert!(page.text.contains("200 of 5402 lines"), "{}", page.text);
        let links = page.text.split("href=\"").filter_map(|rest| rest.split_once('"'));
        let links: Vec<(&str, &str)> = links.filter(|(link, _)| link.contains("statement.csv")).collect();
        assert_eq!(links.len(), 2, "{}", page.text);
        for ((link, rest), (says, lines)) in links.iter().zip([("1 to 5000", 5_000), ("5001 to 5402", 402)]) {
            assert!(rest.starts_with(&format!(">Lines {says} as CSV<")), "{rest}");
            let part = who.opens(&link.replace("&amp;", "&")).await.is(200);
            assert_eq!(part.text.lines().count(), 1 + lines);
        }
    }
}

async fn reverse(yard: &Yard, reference: &str, body: Value) -> Reply {
    let path = format!("/v1/dealers/hudson/deposits/{reference}/reverse");
    yard.desk(Method::POST, &path, Some(body)).await
}

#[tokio::test(start_paused = true)]
async fn a_deposit_is_taken_back_once_with_its_reason_and_never_more_than_was_booked() {
    let rules =
        Rules::roofing("acme").dealer("hudson", [("prepaid", "yes")]).contract("hudson", "hudson", []);
    let yard = Yard::of(rules).await;
    let _ = deposit(&yard, "hudson", "25.00", "wire-1").await.is(200);
    let _ = deposit(&yard, "hudson", "5.00", "wire-2").await.is(200);
    let why = "the wire was recalled";
    let _ = reverse(&yard, "wire-3", json!({ "reason": why })).await.is(404).is_problem("not-found");
    for body in [
        json!({ "amount": "25.01", "reason": why }),
        json!({ "amount": "0", "reason": why }),
        json!({ "amount": "-1", "reason": why }),
        json!({ "amount": "25.00", "reason": " " }),
        json!({}),
    ] {
        let _ = reverse(&yard, "wire-1", body).await.is(400).is_problem("invalid-field");
    }
    yard.settled_lead(&Person::number(1)).await;
    let part = json!({ "amount": "20.00", "reason": why });
    assert_eq!(reverse(&yard, "wire-1", part.clone()).await.is(200).json["reversed"], true);
    assert_eq!(reverse(&yard, "wire-1", part).await.is(200).json["reversed"], false, "a second click");
    let again = reverse(&yard, "wire-1", json!({ "amount": "5.00", "reason": why })).await.is(409);
    assert_eq!(again.is_problem("state-conflict").json["reversed"], "20.00");
    // 30.00 were booked, a lead took 10.00 and the wire 20.00: who comes now waits.
    let june = statement(&yard, "hudson", "2026-06").await;
    assert_eq!((&june["balance"], &june["deposits"]), (&json!("0.00"), &json!("10.00")));
    assert!(lines(&june).contains(&("reversal", "20.00")), "{june}");
    let second = yard.settled_lead(&Person::number(2)).await;
    assert_eq!(yard.story(&second).await.waiting(), "cap");
    // What was spent already is owed: the balance falls below nothing.
    yard.advance(MINUTE).await;
    assert_eq!(reverse(&yard, "wire-2", json!({ "reason": why })).await.is(200).json["amount"], "5.00");
    let june = statement(&yard, "hudson", "2026-06").await;
    assert_eq!((&june["balance"], &june["owed"]), (&json!("-5.00"), &json!("10.00")));
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200).json;
    let act = &changes["changes"][0];
    assert_eq!(
        (&act["act"], &act["reason"], &act["after"]["reference"]),
        (&json!("deposit_reverse"), &json!(why), &json!("wire-2")),
        "{changes}"
    );
    // That is the desk's to do.
    let path = "/v1/dealers/hudson/deposits/wire-1/reverse";
    let _ = yard.dealer("hudson", Method::POST, path, Some(json!({ "reason": why }))).await.is(401);
}

#[tokio::test(start_paused = true)]
async fn two_desks_take_a_deposit_back_once() {
    let rules =
        Rules::roofing("acme").dealer("hudson", [("prepaid", "yes")]).contract("hudson", "hudson", []);
    let yard = Yard::of(rules).await;
    let _ = deposit(&yard, "hudson", "25.00", "wire-1").await.is(200);
    let asked = json!({ "reason": "recalled" });
    let (one, other) =
        tokio::join!(reverse(&yard, "wire-1", asked.clone()), reverse(&yard, "wire-1", asked.clone()));
    let done = [one, other].map(|reply| reply.is(200).json["reversed"] == json!(true));
    assert_eq!(done.iter().filter(|done| **done).count(), 1);
    assert_eq!(statement(&yard, "hudson", "2026-06").await["balance"], "0.00");
}

#[tokio::test(start_paused = true)]
async fn a_return_that_the_desk_approves_is_credited_and_the_lead_goes_on() {
    let yard = Yard::of(returning(&[("cap_total", "1")])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let asks = json!({ "reason": "wrong-number", "note": "rang twice" });
    let asked = yard.answers_with("hudson", &lead, "return", Some(asks.clone())).await.is(200);
    assert_eq!(asked.json["return"]["state"], "requested");
    let _ = yard.answers_with("hudson", &lead, "return", Some(asks)).await.is(200); // a second click
    yard.settle().await;
    // Until the desk has decided, nothing moves.
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    let list = yard.desk(Method::GET, "/v1/returns", None).await.is(200);
    assert_eq!(
        (&list.json["returns"][0]["dealer"], &list.json["returns"][0]["price"]),
        (&json!("hudson"), &json!("10.00"))
    );
    let done = decides(&yard, &lead, "approve", json!({ "claim": true })).await.is(200);
    assert_eq!((done.text_of("state"), done.text_of("claim")), ("approved", "4.00"));
    let _ = decides(&yard, &lead, "approve", json!({})).await.is(200); // a second click
    let _ = decides(&yard, &lead, "deny", json!({ "reason": "no" })).await.is(409);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!(story.assignments(), [("hudson", "returned"), ("ridge", "offered")]);
    assert_eq!((yard.taken("hudson", 4).await, &story.0["excluded"]), (0, &json!(["hudson"])));
    let june = statement(&yard, "hudson", "2026-06").await;
    assert_eq!(
        (lines(&june), &june["owed"]),
        (vec![("charge", "10.00"), ("credit", "10.00")], &json!("0.00"))
    );
    assert_eq!(story.0["history"][0]["act"], "return_approve");
    let decided = yard.desk(Method::GET, "/v1/returns?state=done", None).await.is(200);
    assert_eq!(decided.json["returns"][0]["claim"], "4.00");
}

#[tokio::test(start_paused = true)]
async fn a_denied_return_stays_charged_and_says_why() {
    let yard = Yard::of(returning(&[("cap_total", "1")])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let asks = json!({ "reason": "wrong-number" });
    let _ = yard.answers_with("hudson", &lead, "return", Some(asks.clone())).await.is(200);
    let _ = decides(&yard, &lead, "deny", json!({})).await.is(400).is_problem("invalid-field");
    let _ = decides(&yard, &lead, "deny", json!({ "reason": "the number rings" })).await.is(200);
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    assert_eq!(statement(&yard, "hudson", "2026-06").await["owed"], "10.00");
    let _ =
        yard.answers_with("hudson", &lead, "return", Some(asks)).await.is(409).is_problem("state-conflict");
}

#[tokio::test(start_paused = true)]
async fn a_return_keeps_to_reasons_window_and_quota() {
    let yard = Yard::of(returning(&[("cap_total", "100")])).await;
    let first = yard.settled_lead(&Person::number(1)).await;
    let second = yard.settled_lead(&Person::number(2)).await;
    let ask = |reason: &str| Some(json!({ "reason": reason }));
    let refused = yard.answers_with("hudson", &first, "return", ask("bored")).await.is(400);
    assert_eq!(refused.json["reasons"], json!(["wrong-number", "out-of-area"]));
    let _ = yard.answers_with("hudson", &first, "return", ask("wrong-number")).await.is(200);
    // One is always allowed; of two leads, one in ten is none more.
    let full = yard.answers_with("hudson", &second, "return", ask("wrong-number")).await.is(409);
    assert_eq!(full.json["quota"], 1, "{}", full.text);
    // One that is denied frees its place.
    let _ = decides(&yard, &first, "deny", json!({ "reason": "it rings" })).await.is(200);
    let _ = yard.answers_with("hudson", &second, "return", ask("wrong-number")).await.is(200);
    let third = yard.settled_lead(&Person::number(3)).await;
    yard.advance_to("2026-06-08T16:30:00Z").await;
    let late = yard.answers_with("hudson", &third, "return", ask("wrong-number")).await.is(409);
    assert!(late.text.contains("the window of 7 days is over"), "{}", late.text);
    assert!(late.text_of("until").starts_with("2026-06-08T16:"), "{}", late.text);
    // Nor is declining a way around it. Ridge's contract takes no returns at all.
    let _ = yard.answers("hudson", &third, "decline").await.is(409);
    let back = yard.desk(Method::POST, &format!("/v1/leads/{third}/take_back"), Some(json!({}))).await;
    let _ = back.is(200);
    yard.settle().await;
    let none = yard.answers_with("ridge", &third, "return", ask("wrong-number")).await.is(409);
    assert!(none.text.contains("takes no returns"), "{}", none.text);
}

#[tokio::test(start_paused = true)]
async fn of_two_returns_asked_for_at_one_moment_the_last_place_is_given_to_one() {
    let yard = Yard::of(returning(&[("cap_total", "100")])).await;
    let mut seats = Vec::new();
    for number in 1..=2 {
        let lead = yard.settled_lead(&Person::number(number)).await;
        seats.push(yard.story(&lead).await.assignment("hudson")["assignment"].as_str().unwrap().to_owned());
    }
    // Of two leads, one in ten is none; one is always allowed.
    let asks = |seat: &str| {
        let (path, body) = (format!("/v1/inbox/{seat}/return"), json!({ "reason": "wrong-number" }));
        let yard = yard.clone();
        async move { yard.dealer("hudson", Method::POST, &path, Some(body)).await }
    };
    // The first has read that there is a place, and is a moment late.
    let held = yard.faults.hold_commit();
    let (late, asked) = tokio::join!(asks(&seats[0]), async {
        held.arrives().await;
        let asked = asks(&seats[1]).await;
        held.let_go();
        asked
    });
    assert_eq!(asked.is(200).json["return"]["state"], "requested");
    assert_eq!(late.is(409).is_problem("state-conflict").json["quota"], 1);
    let list = yard.desk(Method::GET, "/v1/returns", None).await.is(200);
    assert_eq!(list.json["returns"].as_array().unwrap().len(), 1, "{}", list.text);
}

#[tokio::test(start_paused = true)]
async fn a_credit_stands_in_the_month_in_which_the_return_was_approved() {
    let yard = Yard::at("2026-06-29T16:00:00Z", returning(&[("cap_total", "1")])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    yard.advance_to("2026-06-30T16:00:00Z").await;
    let asks = Some(json!({ "reason": "wrong-number" }));
    let _ = yard.answers_with("hudson", &lead, "return", asks).await.is(200);
    yard.advance_to("2026-07-02T16:00:00Z").await;
    let june = statement(&yard, "hudson", "2026-06").await;
    assert_eq!((lines(&june), &june["owed"]), (vec![("charge", "10.00")], &json!("10.00")));
    let _ = decides(&yard, &lead, "approve", json!({})).await.is(200);
    yard.settle().await;
    // June is as it was billed; July gives it back.
    assert_eq!(statement(&yard, "hudson", "2026-06").await, june);
    let july = statement(&yard, "hudson", "2026-07").await;
    assert_eq!((lines(&july), &july["owed"]), (vec![("credit", "10.00")], &json!("-10.00")));
    assert_eq!(july["lines"][0]["at"], "2026-07-02T16:00:00Z");
}

#[tokio::test(start_paused = true)]
async fn a_trusted_dealers_return_needs_nobody() {
    let yard = Yard::of(returning(&[("return_approval", "trusted")])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let asks = json!({ "reason": "out-of-area" });
    let done = yard.answers_with("hudson", &lead, "return", Some(asks)).await.is(200);
    assert_eq!((done.text_of("state"), &done.json["return"]["state"]), ("returned", &json!("approved")));
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
    assert_eq!(statement(&yard, "hudson", "2026-06").await["owed"], "0.00");
}

#[tokio::test(start_paused = true)]
async fn what_a_trusted_dealer_returned_is_claimed_back_as_well_once() {
    let yard = Yard::of(returning(&[("return_approval", "trusted")])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let asks = json!({ "reason": "out-of-area" });
    let _ = yard.answers_with("hudson", &lead, "return", Some(asks)).await.is(200);
    for _ in 0..2 {
        let claimed = decides(&yard, &lead, "claim", json!({})).await.is(200);
        assert_eq!(claimed.text_of("claim"), "4.00");
    }
    let decided = yard.desk(Method::GET, "/v1/returns?state=done", None).await.is(200);
    assert_eq!(decided.json["returns"][0]["claim"], "4.00");
    let acts = yard.story(&lead).await;
    let claims = acts.list("history").filter(|act| act["act"] == "return_claim").count();
    assert_eq!(claims, 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_claimed_for_a_return_that_is_open_or_denied() {
    let yard = Yard::of(returning(&[("cap_total", "1")])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let _ =
        yard.answers_with("hudson", &lead, "return", Some(json!({ "reason": "out-of-area" }))).await.is(200);
    let _ = decides(&yard, &lead, "claim", json!({})).await.is(409).is_problem("state-conflict");
    let _ = decides(&yard, &lead, "deny", json!({ "reason": "it is theirs" })).await.is(200);
    let _ = decides(&yard, &lead, "claim", json!({})).await.is(409).is_problem("state-conflict");
}

#[tokio::test(start_paused = true)]
async fn a_claim_goes_against_who_sent_what_was_sold_whoever_sent_the_person_since() {
    let rules = returning(&[("cap_total", "1")])
        .with("window_days = 2")
        .source("feed", "offer = \"roof\"\ncost_per_lead = \"9.00\"");
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    yard.advance(Duration::from_secs(3 * 86_400)).await;
    // She asks anew, by another source: a new cycle of the same lead.
    let _ = yard.server("feed").posts(&Person::number(1)).await.is(201);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.0["source"], "feed");
    let _ =
        yard.answers_with("hudson", &lead, "return", Some(json!({ "reason": "wrong-number" }))).await.is(200);
    let done = decides(&yard, &lead, "approve", json!({ "claim": true })).await.is(200);
    assert_eq!((done.text_of("source"), done.text_of("claim")), ("web", "4.00"));
}

#[tokio::test(start_paused = true)]
async fn who_wins_more_of_its_leads_gets_more() {
    let rules = Rules::company("acme")
        .offer("roof", "roofing", "ranking = [\"performance:90d:2\", \"share\"]")
        .source("web", "offer = \"roof\"")
        .seller("hudson", [])
        .seller("ridge", []);
    let yard = Yard::of(rules).await;
    let mut holders = Vec::new();
    for number in 1..=6 {
        let lead = yard.settled_lead(&Person::number(number)).await;
        let holder = yard.story(&lead).await.holders()[0].to_owned();
        if holder == "ridge" {
            let _ = yard.answers("ridge", &lead, "won").await.is(200);
        }
        holders.push(holder);
    }
    // At first they take turns; as soon as one has had its two, ridge has won all of its, and hudson none.
    assert_ne!(holders[0], holders[1]);
    assert_eq!(holders[3..], ["ridge", "ridge", "ridge"]);
}
