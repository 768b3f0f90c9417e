//! What reporting counts beforehand: the page reads little however many there are, says what counting now would say, and
//! is counted again where something changed.

use std::time::Duration;

use http::Method;
use jiff::{SignedDuration, Timestamp};
use leadyard_platform::store::keys::{self, DueKey};
use leadyard_platform::stream::StreamRecord;
use leadyard_tests::{Browser, Person, Reply, Yard};
use serde_json::json;

use super::{counts_all, of_three_categories, rules};

/// Reads for one company, and one of the session.
const READS_OF_ONE: usize = 12 + 1;

#[tokio::test(start_paused = true)]
async fn what_is_read_grows_neither_with_categories_nor_with_leads() {
    let yard = Yard::of(of_three_categories()).await;
    yard.notes();
    let mut counts = Vec::new();
    for (from, to) in [(1, 4), (5, 300)] {
        for n in from..=to {
            let source = ["web", "web2", "web3"][n % 3];
            let person = Person::number(n).with("phone", &format!("305-555-{n:04}"));
            let _ = yard.server(source).posts(&person).await.is(201);
        }
        let aside = Person::named("Ann", "Hill").with("email", &format!("ann{to}@mailinator.com"));
        let _ = yard.server("web").posts(&aside).await.is(202);
        yard.settle().await;
        yard.count().await;
        let desk = Browser::of(&yard).await;
        let (page, reads) = desk.reads("/console/today").await;
        assert!(reads <= READS_OF_ONE, "{reads} reads after {to} leads");
        counts.push(page.text);
    }
    for told in
        ["<strong>1</strong> in quarantine<", "<strong>3</strong> wait: their offer is placed by the desk"]
    {
        assert!(counts[0].contains(told), "{told} is not in {}", counts[0]);
    }
    for told in ["<strong>2</strong> in quarantine<", "<strong>100+</strong> wait, for whatever reason<"] {
        assert!(counts[1].contains(told), "{told} is not in {}", counts[1]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_read_does_not_grow_with_how_many_are_to_be_called() {
    let yard = Yard::of(rules()).await;
    yard.notes();
    let mut leads = Vec::new();
    for n in 1..=250 {
        let person = Person::number(n).with("phone", &format!("305-555-{n:04}"));
        let reply = yard.server("web2").posts(&person).await.is(201);
        leads.push(reply.text_of("lead").to_owned());
    }
    yard.settle().await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    let (page, before) = desk.reads("/console/today").await;
    assert!(!page.text.contains("follow-ups due"), "{}", page.text);
    for some in leads.chunks(100) {
        let _ = yard.desk(Method::POST, "/v1/leads/follow_up", Some(json!({ "leads": some }))).await.is(200);
    }
    yard.settle().await;
    yard.count().await;
    let (page, reads) = desk.reads("/console/today").await;
    assert!(page.text.contains("<strong>100+</strong> follow-ups due"), "{}", page.text);
    assert!(reads <= before, "{reads} reads, {before} before");
}

/// The lists of a page, and its numbers, without when they were counted.
fn lists(page: &Reply) -> Vec<&str> {
    let lead = |part: &'_ str| part.split('"').next().map(str::len);
    let parts = page.text.split("/console/leads/").skip(1);
    parts.filter_map(|part| part.get(..lead(part)?)).collect()
}

#[tokio::test(start_paused = true)]
async fn what_was_counted_says_what_counting_now_would_say() {
    let yard = Yard::of(of_three_categories()).await;
    yard.notes();
    for n in 1..=40 {
        let source = ["web", "web2", "web3"][n % 3];
        let person = Person::number(n);
        let person = if n % 4 == 0 {
            person.without("email").with("phone", &format!("305-555-{n:04}"))
        } else {
            person
        };
        let _ = yard.server(source).posts(&person).await.is(201);
    }
    yard.settle().await;
    let desk = Browser::of(&yard).await;
    let counted_now = desk.opens("/console/today").await.is(200);
    yard.count().await;
    let counted_before = desk.opens("/console/today").await.is(200);
    assert!(lists(&counted_now).len() > 20, "{:?}", lists(&counted_now));
    assert_eq!(lists(&counted_now), lists(&counted_before));
    let numbers = |page: &Reply| {
        page.text.split("<ul class=\"numbers\">").nth(1).unwrap().split("</ul>").next().unwrap().to_owned()
    };
    assert_eq!(numbers(&counted_now), numbers(&counted_before));
}

#[tokio::test(start_paused = true)]
async fn where_leads_alone_changed_it_is_counted_every_two_minutes_and_by_the_sweep_then() {
    let yard = Yard::of(of_three_categories()).await;
    yard.notes();
    let desk = Browser::of(&yard).await;
    let mut leads = Vec::new();
    for n in 1..=3 {
        let lead = yard.server("web2").posts(&Person::number(n)).await.is(201).text_of("lead").to_owned();
        yard.settle().await;
        let of_lead = |record: &StreamRecord| record.key() == Some((format!("L#{lead}").as_str(), "L"));
        counts_all(&yard, of_lead).await;
        leads.push(lead);
    }
    let told = async || {
        let page = desk.opens("/console/today").await.is(200).text;
        leads.iter().map(|lead| page.contains(lead)).collect::<Vec<_>>()
    };
    assert_eq!(told().await, [true, false, false]);
    yard.advance(Duration::from_secs(121)).await;
    assert_eq!(told().await, [true, true, true]);
}

#[tokio::test(start_paused = true)]
async fn a_look_counts_nothing_however_long_nothing_was_told_and_after_a_publish_the_sweep_does() {
    let yard = Yard::of(of_three_categories()).await;
    yard.notes();
    let desk = Browser::of(&yard).await;
    let _ = yard.server("web2").posts(&Person::number(1)).await.is(201);
    yard.settle().await;
    yard.count().await;
    let lead = yard.server("web3").posts(&Person::number(2)).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    counts_all(&yard, |record| record.key() == Some((format!("L#{lead}").as_str(), "L"))).await;
    for minutes in [10, 7 * 60] {
        yard.advance(Duration::from_secs(minutes * 60)).await;
        let (page, reads) = desk.reads("/console/today").await;
        assert!(reads <= READS_OF_ONE, "{reads} reads after {minutes} minutes");
        assert!(page.text.contains(&lead), "{}", page.text);
    }
    // Due in a day: somebody stands in quarantine.
    let aside = Person::named("Ann", "Hill").with("email", "ann@mailinator.com");
    let _ = yard.server("web").posts(&aside).await.is(202);
    yard.settle().await;
    yard.count().await;
    let _ = yard.publish(&of_three_categories().file("tests.toml", "")).await.is(200);
    let (_, reads) = desk.reads("/console/today").await;
    assert!(reads > READS_OF_ONE, "what was counted by other rules is counted by the look");
    yard.advance(Duration::from_secs(61)).await;
    let (_, reads) = desk.reads("/console/today").await;
    assert!(reads <= READS_OF_ONE, "{reads} reads after a publish");
}

#[tokio::test(start_paused = true)]
async fn what_changed_while_it_was_counted_is_counted_again() {
    let yard = Yard::of(rules()).await;
    let (store, company) = (&yard.cloud.store, "acme".parse().unwrap());
    let at = yard.cloud.clock.now();
    let [touched, due, far] = [1, 120, 3_600].map(|seconds| at + SignedDuration::from_secs(seconds));
    let is_due = async |by: Timestamp| {
        let mut found = 0;
        for shard in 0..keys::SHARDS {
            let page = store.due_page(shard, by, 100).await.unwrap();
            found += page.iter().filter(|item| matches!(item.key, DueKey::Now(_))).count();
        }
        found == 1
    };
    // Nothing changed: when what it says ends.
    store.now_keep(&company, "{}", at, (Some(far), due), &[]).await.unwrap();
    assert!(!is_due(due).await && is_due(far).await);
    // Something changed, and the count of before is kept only then.
    store.now_touch(&company, touched, due, &[]).await.unwrap();
    store.now_keep(&company, "{}", at, (Some(far), due), &[]).await.unwrap();
    assert!(is_due(due).await);
    // And that of after it stands.
    store.now_keep(&company, "{}", due, (None, far), &[]).await.unwrap();
    assert!(!is_due(far).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_overdue_in_a_quiet_company_is_told() {
    let rules = rules().file("screening.toml", "at_deadline = \"keep\"\ndeadline_hours = 2\n");
    let yard = Yard::of(rules).await;
    yard.notes();
    let aside = Person::named("Ann", "Hill").with("email", "ann@mailinator.com");
    let _ = yard.server("web").posts(&aside).await.is(202);
    yard.settle().await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    assert!(desk.opens("/console/today").await.is(200).text.contains("<strong>1</strong> in quarantine<"));
    yard.advance(Duration::from_secs(2 * 3_600 + 61)).await;
    let (page, reads) = desk.reads("/console/today").await;
    assert!(page.text.contains("<strong>1</strong> in quarantine, 1 for more than 2 h"), "{}", page.text);
    assert!(reads <= READS_OF_ONE, "{reads} reads");
}

#[tokio::test(start_paused = true)]
async fn what_was_counted_under_other_rules_is_not_gone_by() {
    let hours = |hours: u32| {
        rules().file("screening.toml", &format!("at_deadline = \"keep\"\ndeadline_hours = {hours}\n"))
    };
    let yard = Yard::of(hours(2)).await;
    yard.notes();
    let aside = Person::named("Ann", "Hill").with("email", "ann@mailinator.com");
    let _ = yard.server("web").posts(&aside).await.is(202);
    yard.advance(Duration::from_secs(3 * 3_600)).await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    let told = async || desk.opens("/console/today").await.is(200).text;
    assert!(told().await.contains("<strong>1</strong> in quarantine, 1 for more than 2 h"));
    let _ = yard.publish(&hours(48)).await.is(200);
    let page = told().await;
    assert!(page.contains("<strong>1</strong> in quarantine<"), "{page}");
}
