//! Several leads in one batch of distribution: read at once, decided one after another.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use leadyard::{poller, system};
use leadyard_tests::{Person, Rules, Yard};
use serde_json::{Value, json};

/// One batch of distribution, and nothing else; how many leads it had.
async fn one_batch(yard: &Yard) -> usize {
    poller::work(&yard.cloud, yard.aws.queues(), &system::DISTRIBUTION).await
}

async fn leads(yard: &Yard, numbers: std::ops::Range<usize>) -> Vec<String> {
    let mut leads = Vec::new();
    for number in numbers {
        leads.push(yard.lead(&Person::number(number)).await);
    }
    leads
}

/// Who holds each, or what it waits for.
async fn fates(yard: &Yard, leads: &[String]) -> Vec<String> {
    let mut fates = Vec::new();
    for lead in leads {
        let story = yard.story(lead).await;
        let held = story.holders().join(" ");
        fates.push(if held.is_empty() { story.waiting().to_owned() } else { held });
    }
    fates
}

#[tokio::test(start_paused = true)]
async fn ten_new_leads_are_ten_commits_and_six_other_calls() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", []).seller("ridge", [])).await;
    // What does not change is read by then.
    yard.settled_lead(&Person::number(0)).await;
    leads(&yard, 1..11).await;
    yard.faults.calls();
    assert_eq!(one_batch(&yard).await, 10);
    // Leads, who is on a list, rules, enquiries and counters.
    let calls = [("BatchGetItem", 5), ("SendMessageBatch", 1), ("TransactWriteItems", 10)];
    assert_eq!(yard.faults.calls(), BTreeMap::from(calls.map(|(name, count)| (name.to_owned(), count))));
    assert_eq!((yard.taken("hudson", 4).await + yard.taken("ridge", 4).await), 11);
}

#[tokio::test(start_paused = true)]
async fn of_two_leads_of_a_batch_for_one_slot_one_has_it_and_the_other_waits() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("cap_day", "1")])).await;
    let leads = leads(&yard, 1..3).await;
    assert_eq!(one_batch(&yard).await, 2);
    assert_eq!(fates(&yard, &leads).await, ["hudson", "cap"]);
    // What it was decided on is what the first had left.
    let miss = &yard.story(&leads[1]).await.0["decisions"][0]["near_misses"][0];
    assert_eq!((&miss["rule"], &miss["found"]), (&json!("cap"), &json!("1")), "{miss}");
}

#[tokio::test(start_paused = true)]
async fn a_batch_shares_as_exactly_as_its_leads_one_by_one() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("weight", "3")])
        .seller("ridge", [("weight", "2")])
        .seller("grove", [("weight", "1")]);
    let yard = Yard::of(rules.clone()).await;
    let in_batches = leads(&yard, 0..60).await;
    while one_batch(&yard).await > 0 {}
    let other = Yard::of(rules).await;
    let mut one_by_one = Vec::new();
    for number in 0..60 {
        one_by_one.push(other.lead(&Person::number(number)).await);
        assert_eq!(one_batch(&other).await, 1);
    }
    for (yard, leads) in [(&yard, &in_batches), (&other, &one_by_one)] {
        let mut taken: BTreeMap<String, i32> = BTreeMap::new();
        for (so_far, holder) in (1..).zip(fates(yard, leads).await) {
            *taken.entry(holder).or_default() += 1;
            for (dealer, weight) in [("hudson", 3), ("ridge", 2), ("grove", 1)] {
                // Never further than one lead from its share, at any moment.
                let taken = taken.get(dealer).copied().unwrap_or(0);
                assert!((6 * taken - weight * so_far).abs() <= 6, "{dealer} had {taken} of {so_far}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn in_one_batch_whose_turn_was_longest_ago_goes_round() {
    let mut rules = Rules::roofing("acme").with("ranking = [\"longest_ago\"]");
    for dealer in ["hudson", "ridge", "crest"] {
        rules = rules.seller(dealer, []);
    }
    let yard = Yard::of(rules).await;
    let leads = leads(&yard, 0..3).await;
    assert_eq!(one_batch(&yard).await, 3);
    let mut fates = fates(&yard, &leads).await;
    fates.sort_unstable();
    assert_eq!(fates, ["crest", "hudson", "ridge"]);
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_is_given_back_in_mid_batch_is_seen() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("area", "zip:33101"), ("cap_day", "1")])
        .seller("ridge", [("area", "zip:10001")]);
    let yard = Yard::of(rules).await;
    let taken = yard.settled_lead(&Person::number(1)).await;
    let elsewhere = yard.lead(&Person::number(2).with("zip", "10001")).await;
    let here = yard.lead(&Person::number(3)).await;
    // All of the batch is read, and its first lead on its way to the table.
    let held = yard.faults.hold_commit();
    let worker = one_batch(&yard);
    let meanwhile = async {
        held.arrives().await;
        let _ = yard.answers("hudson", &taken, "decline").await.is(200);
        held.let_go();
    };
    assert_eq!(tokio::join!(worker, meanwhile).0, 2);
    // Nobody was woken: it has the slot at once.
    assert_eq!(fates(&yard, &[elsewhere, here]).await, ["ridge", "hudson"]);
    assert_eq!(yard.taken("hudson", 1).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_further_seat_that_comes_free_in_mid_batch_is_given() {
    // One that is waited for, and one that nobody waits for: what finds no taker then stays empty for good.
    further_seat([("territory", "first"), ("when_unavailable", "wait")]).await;
    further_seat([("tier", "1"), ("when_unavailable", "next")]).await;
}

async fn further_seat([territory, unavailable]: [(&str, &str); 2]) {
    let shares = [("sale", "shared:2"), ("area", "zip:33101")];
    let rules = Rules::roofing("acme")
        .seller("hudson", [shares[0], shares[1], ("tier", "2")])
        .seller("crest", [shares[0], shares[1], ("cap_day", "1"), territory, unavailable])
        .seller("grove", [("area", "zip:10001")]);
    let yard = Yard::of(rules).await;
    let taken = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&taken).await.holders(), ["crest", "hudson"]);
    let elsewhere = yard.lead(&Person::number(2).with("zip", "10001")).await;
    let here = yard.lead(&Person::number(3)).await;
    let held = yard.faults.hold_commit();
    let worker = one_batch(&yard);
    let meanwhile = async {
        held.arrives().await;
        let _ = yard.answers("crest", &taken, "decline").await.is(200);
        held.let_go();
    };
    assert_eq!(tokio::join!(worker, meanwhile).0, 2);
    assert_eq!(fates(&yard, &[elsewhere, here]).await, ["grove", "crest hudson"]);
}

#[tokio::test(start_paused = true)]
async fn a_worker_whose_counters_another_has_overtaken_reads_again() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("cap_day", "4"), ("weight", "1")])
        .seller("ridge", [("cap_day", "4"), ("weight", "1")]);
    let yard = Yard::of(rules).await;
    let slow = leads(&yard, 1..6).await;
    let held = yard.faults.hold_commit();
    let worker = one_batch(&yard);
    let meanwhile = async {
        held.arrives().await;
        let quick = leads(&yard, 6..11).await;
        assert_eq!(one_batch(&yard).await, 5);
        held.let_go();
        quick
    };
    let (_, quick) = tokio::join!(worker, meanwhile);
    let mut fates = fates(&yard, &[slow, quick].concat()).await;
    fates.sort_unstable();
    // Eight slots, and each lead is decided on: none was put off.
    let expected = [["cap"; 2].as_slice(), &["hudson"; 4], &["ridge"; 4]].concat();
    assert_eq!(fates, expected);
    assert_eq!((yard.taken("hudson", 1).await, yard.taken("ridge", 1).await), (4, 4));
}

#[tokio::test(start_paused = true)]
async fn counters_that_were_read_a_while_ago_are_read_again() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("area", "zip:33101"), ("territory", "first"), ("cap_day", "1")])
        .seller("grove", [("area", "zip:33101")])
        .seller("ridge", [("area", "zip:10001")]);
    let yard = Yard::of(rules).await;
    let taken = yard.settled_lead(&Person::number(1)).await;
    let _elsewhere = yard.lead(&Person::number(2).with("zip", "10001")).await;
    let here = yard.lead(&Person::number(3)).await;
    let held = yard.faults.hold_commit();
    let worker = one_batch(&yard);
    let meanwhile = async {
        held.arrives().await;
        let _ = yard.answers("hudson", &taken, "decline").await.is(200);
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        held.let_go();
    };
    tokio::join!(worker, meanwhile);
    // Grove would have taken it; who comes first is asked as it is now.
    assert_eq!(fates(&yard, &[here]).await, ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_comes_twice_in_a_batch_is_given_once() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let leads = leads(&yard, 1..4).await;
    for lead in &leads {
        yard.cloud.queues.lead_to_distribution("acme", lead.parse().unwrap()).await.unwrap();
    }
    assert_eq!(one_batch(&yard).await, 6);
    assert_eq!(fates(&yard, &leads).await, ["hudson"; 3]);
    assert_eq!(yard.taken("hudson", 4).await, 3);
    assert_eq!(yard.queued(system::DELIVERY.name).len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_was_done_before_the_first_look_counts() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let leads = leads(&yard, 1..4).await;
    let at = yard.cloud.clock.now().to_string();
    let done = json!({ "id": "q1", "kind": "quote_request", "at": at, "lead": leads[1] });
    let _ = yard.server("web").reports(done).await.is(202);
    let scored = poller::work(&yard.cloud, yard.aws.queues(), &system::INTERACTIONS).await;
    assert_eq!((scored, one_batch(&yard).await), (1, 3));
    let mut points = Vec::new();
    for lead in &leads {
        points.push(yard.stored(lead).await.score.unwrap().points);
    }
    assert_eq!((points[0], points[1] - points[0], points[2]), (points[2], 30, points[0]));
}

#[tokio::test(start_paused = true)]
async fn six_hundred_counters_are_read_a_hundred_at_a_time() {
    let rules = (0..300).fold(Rules::roofing("acme"), |rules, n| {
        rules.inbox_dealer(&format!("d{n}"), []).contract(
            &format!("c{n}"),
            &format!("d{n}"),
            [("cap_day", "1")],
        )
    });
    let yard = Yard::of(rules).await;
    yard.settled_lead(&Person::number(0)).await;
    let leads = leads(&yard, 1..11).await;
    yard.faults.calls();
    assert_eq!(one_batch(&yard).await, 10);
    // Leads, rules, enquiries, and six times a hundred counters.
    assert_eq!(yard.faults.calls().get("BatchGetItem"), Some(&10));
    let mut holders = fates(&yard, &leads).await;
    holders.sort_unstable();
    holders.dedup();
    assert_eq!(holders.len(), 10, "each of them has one a day");
}

#[tokio::test(start_paused = true)]
async fn so_many_candidates_that_no_batch_reads_their_counters_ahead() {
    let rules = (0..600).fold(Rules::roofing("acme"), |rules, n| {
        rules.inbox_dealer(&format!("d{n}"), []).contract(
            &format!("c{n}"),
            &format!("d{n}"),
            [("cap_day", "1")],
        )
    });
    let yard = Yard::of(rules).await;
    let leads = leads(&yard, 1..4).await;
    assert_eq!(one_batch(&yard).await, 3);
    let mut holders = fates(&yard, &leads).await;
    holders.sort_unstable();
    holders.dedup();
    assert_eq!(holders.len(), 3, "each of them has one a day");
}

#[tokio::test(start_paused = true)]
async fn every_decision_of_a_batch_is_made_again_as_it_was() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("cap_day", "3"), ("weight", "2")])
        .seller("ridge", [("cap_day", "4")]);
    let yard = Yard::of(rules).await;
    let leads = leads(&yard, 1..11).await;
    assert_eq!(one_batch(&yard).await, 10);
    for lead in &leads {
        let stored = yard.stored(lead).await;
        let story = yard.cloud.store.lead_story(stored.id).await.unwrap().unwrap();
        let record = &story.decisions[0];
        let again = leadyard_platform::judging::repeat(&yard.cloud, &stored.company, record).await.unwrap();
        let again = again.unwrap().explained.considered;
        let mut again = again.record(record.id, record.at, &record.facts, record.rulebook, None).unwrap();
        // The seats stand beside what was decided.
        again.given.clone_from(&record.given);
        assert_eq!(again, *record);
    }
    // Seven slots: the last three say what the first seven left.
    let fates = fates(&yard, &leads).await;
    assert_eq!(fates.iter().filter(|fate| *fate == "cap").count(), 3);
    let _ = yard.desk(Method::GET, "/v1/waiting", None).await.is(200);
}

// --- Fairness: a queue serves its groups in turn, and what is sent says its group ---

/// A message's kind, and the groups that it may be in, of what distribution and delivery are sent.
async fn of_message(yard: &Yard, message: &Value) -> (String, Vec<String>) {
    let (kind, about) = message.as_object().unwrap().iter().next().unwrap();
    let text = |name: &str| about[name].as_str().unwrap_or_default().to_owned();
    let groups = match kind.as_str() {
        "lead" => {
            let lead = about.as_str().unwrap();
            let company = yard.stored(lead).await.company;
            // The sweep knows the lead alone; a file's leads keep nobody waiting who comes one by one.
            vec![company.to_string(), format!("{company}/file"), lead.to_owned()]
        }
        "wake" => vec![text("company")],
        // A dealer's: one with a backlog keeps no other waiting, of another company's neither that is called the same.
        "assignment" | "message" => {
            let lead = text("lead");
            vec![format!("{}/dealer/hudson", yard.stored(&lead).await.company), lead]
        }
        "postback" => {
            let enquiry = yard.enquiry(&text("enquiry")).await.unwrap();
            vec![format!("{}/{}", enquiry.company, enquiry.source), text("enquiry")]
        }
        "trial" => vec!["acme/dealer/hudson".to_owned()],
        "invitation" => vec![format!("{}/invitations", text("company"))],
        other => panic!("{other} is no message"),
    };
    (kind.clone(), groups)
}

#[tokio::test(start_paused = true)]
async fn whatever_is_sent_to_a_queue_is_in_the_group_of_whose_it_is() {
    let postback =
        "offer = \"roof\"\npostback = { url = \"http://127.0.0.1:9/partner\", on = [\"received\"] }";
    let acme = Rules::roofing("acme")
        .with("deadline_minutes = 30\ndeadline_clock = \"wall\"\n[mail]\nfrom = \"desk@acme.example\"")
        .source("partner", postback)
        .file_source("fair", "offer = \"roof\"")
        .file("people.csv", "person,email,role\nmaria,maria@desk.example,manager\n")
        .seller("hudson", []);
    let acme = Yard::of(acme).await;
    let bolt = acme.also(Rules::roofing("bolt").seller("hudson", [])).await;
    // Each way in, what is told after, and what time brings about.
    let lead = acme.lead(&Person::number(1)).await;
    let _ = bolt.lead(&Person::number(1)).await;
    let _ = acme.server("partner").posts(&Person::number(2)).await.is(201);
    acme.settle().await;
    let _ = acme.server("web").posts(&Person::number(1)).await.is(200);
    acme.advance(Duration::from_secs(22 * 60)).await;
    let _ = acme.answers("hudson", &lead, "accept").await.is(200);
    let did = json!({ "id": "q", "kind": "quote_request", "at": "2026-06-01T15:00:00Z", "lead": lead });
    let _ = acme.server("web").reports(did).await.is(202);
    let rows = json!({ "rows": [{ "name": "Ann Lee", "email": "ann@mail.example", "zip": "33101" }] });
    let _ = acme.desk(Method::POST, "/v1/import/enquiries?source=fair", Some(rows)).await.is(200);
    let _ = acme.desk(Method::POST, "/v1/invitations", Some(json!({ "people": ["maria"] }))).await.is(202);
    let works = async {
        for _ in 0..50 {
            acme.settle().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let tried = acme.desk(Method::POST, "/v1/dealers/hudson/channels/1/test", None);
    let _ = tokio::join!(tried, works).0.is(200);
    // What the queues did not take, the sweep puts there.
    acme.faults.queues(true);
    let _ = acme.lead(&Person::number(3)).await;
    let _ = bolt.lead(&Person::number(3)).await;
    acme.faults.queues(false);
    let _ = bolt.flip("stop", json!({ "on": true })).await;
    let _ = bolt.flip("stop", json!({ "on": false })).await;
    acme.advance(Duration::from_secs(600)).await;

    let mut kinds = BTreeMap::<String, usize>::new();
    for queue in [system::DISTRIBUTION, system::DELIVERY] {
        for sent in acme.faults.sent_to(&format!("/{}", queue.name)) {
            let body: Value = serde_json::from_str(sent["MessageBody"].as_str().unwrap()).unwrap();
            let (kind, groups) = of_message(&acme, &body["m"]).await;
            let group =
                sent["MessageGroupId"].as_str().unwrap_or_else(|| panic!("{kind} has no group: {sent}"));
            assert!(
                groups.iter().any(|known| known == group),
                "{kind} is in the group {group}, of {groups:?}"
            );
            let of_sweep = group.contains('-') && !group.contains('/');
            *kinds.entry(format!("{kind}{}", if of_sweep { " by the sweep" } else { "" })).or_default() += 1;
        }
    }
    let seen: Vec<&str> = kinds.keys().map(String::as_str).collect();
    assert_eq!(
        seen,
        [
            "assignment",
            "assignment by the sweep",
            "invitation",
            "lead",
            "lead by the sweep",
            "message",
            "postback",
            "trial",
            "wake",
        ],
        "each was sent: {kinds:?}"
    );
    let interactions = acme.faults.sent_to(&format!("/{}", system::INTERACTIONS.name));
    assert!(!interactions.is_empty() && interactions.iter().all(|sent| sent["MessageGroupId"] == "acme"));
    assert!(acme.dead_letters().is_empty());
}
