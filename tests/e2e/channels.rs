//! How a dealer is reached: by several channels, in order or side by side; and what is done about one that
//! fails.

use std::time::Duration;

use http::Method;
use leadyard::{poller, system};
use leadyard_domain::limits;
use leadyard_platform::entropy::Entropy;
use leadyard_platform::meta::MetaAccess;
use leadyard_tests::{Person, Rules, Says, Told, Yard};
use serde_json::{Value, json};
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn ada() -> Person {
    Person::named("Ada", "Hill")
}

/// Hudson first, by these channels (an address ends as what it is told under), then Ridge.
fn by(channels: &[(&str, &str)]) -> Rules {
    under(channels, [("tier", "1")])
}

/// The same, where leads wait for Hudson for so many hours.
fn waited_for(channels: &[(&str, &str)], hours: &str) -> Rules {
    under(channels, [("territory", "first"), ("when_unavailable", "wait"), ("max_age_hours", hours)])
}

fn under<const N: usize>(channels: &[(&str, &str)], hudson: [(&str, &str); N]) -> Rules {
    let mut table = "dealer,order,kind,address,when\n".to_owned();
    for (order, (name, when)) in (1_u8..).zip(channels) {
        table.extend([
            "hudson,",
            &order.to_string(),
            ",webhook,http://127.0.0.1:9/acme/",
            name,
            ",",
            when,
            "\n",
        ]);
    }
    table.push_str("ridge,1,webhook,http://127.0.0.1:9/acme/ridge,\n");
    Rules::roofing("acme")
        .seller("hudson", hudson)
        .seller("ridge", [("tier", "2")])
        .file("channels.csv", &table)
}

fn events(told: &[Told]) -> Vec<&str> {
    told.iter().map(|told| told.event.as_str()).collect()
}

async fn changes(yard: &Yard, act: &str) -> Vec<Value> {
    let reply = yard.desk(Method::GET, "/v1/changes", None).await.is(200);
    let all = reply.json["changes"].as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|change| change["act"] == act).collect()
}

/// What a dealer owes this month, and for how many leads.
async fn charged(yard: &Yard, dealer: &str) -> (Value, Value) {
    let path = format!("/v1/dealers/{dealer}/statement?month=2026-06");
    let june = yard.desk(Method::GET, &path, None).await.is(200).json;
    (june["charged"].clone(), june["owed"].clone())
}

// --- A channel that fails ---

#[tokio::test(start_paused = true)]
async fn while_a_breaker_is_open_nothing_is_sent_and_no_attempt_is_used_up() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    yard.dealer_says("hudson", Says::Status(503));
    let mut leads = Vec::new();
    for n in 0..8 {
        leads.push(yard.lead(&Person::number(n)).await);
    }
    yard.advance(SECOND * 8).await;
    let tried = yard.told("hudson").len();
    assert!((5..=8).contains(&tried), "{tried}: it opens at the fifth; those that were under way are let go");
    let known = yard.desk(Method::GET, "/v1/dealers/hudson/channels", None).await.is(200).json;
    assert_eq!(known["channels"][0]["breaker"]["state"], "open", "{known}");

    yard.dealer_says("hudson", Says::Status(200));
    yard.advance(SECOND * 20).await;
    assert_eq!(
        yard.told("hudson").len(),
        tried,
        "it is open for half a minute, whatever the dealer would say"
    );
    yard.advance(MINUTE).await;
    assert_eq!(yard.told("hudson").len(), tried + leads.len());
    let mut attempts = 0;
    for lead in &leads {
        let story = yard.story(lead).await;
        assert_eq!(story.assignment("hudson")["delivery"], "received");
        attempts += story.attempts("hudson").len();
    }
    assert_eq!(attempts, tried + leads.len(), "what waited used up nothing");
    assert!(yard.dead_letters().is_empty());
}

/// The same company's other worker: it shares the table and the queues, and nothing that stands in memory.
pub(crate) async fn another_worker(yard: &Yard) -> Yard {
    let parts = system::Parts {
        clock: yard.cloud.clock.clone(),
        entropy: Entropy::seeded(2),
        outbound: yard.dealers.network(),
        master: yard.cloud.master.clone(),
        console_url: None,
        meta: MetaAccess::read("{}"),
        oidc: None,
    };
    let cloud = system::cloud(yard.faults.before(yard.aws.http_client()), parts).await.unwrap();
    let mut other = yard.clone();
    other.cloud = cloud;
    other
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_one_worker_opened_is_open_for_all() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let other = another_worker(&yard).await;
    yard.dealer_says("hudson", Says::Status(503));
    for n in 0..8 {
        yard.lead(&Person::number(n)).await;
    }
    yard.advance(SECOND * 8).await;
    let tried = yard.told("hudson").len();
    assert!((5..=8).contains(&tried), "{tried}");
    // Only the other works from here on; it has never heard of hudson's trouble.
    yard.dealer_says("hudson", Says::Status(200));
    let late = yard.lead(&ada()).await;
    other.settle().await;
    other.advance(SECOND * 20).await;
    assert_eq!((other.story(&late).await.holders(), yard.told("hudson").len()), (vec!["hudson"], tried));
    // Its probe closes it for the first as well.
    other.advance(MINUTE).await;
    assert_eq!(yard.told("hudson").len(), tried + 9);
    yard.settled_lead(&Person::number(9)).await;
    assert_eq!(yard.told("hudson").len(), tried + 10);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_probe_goes_first_and_the_rest_follow_it() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    yard.dealer_says("hudson", Says::Status(503));
    for n in 0..8 {
        yard.lead(&Person::number(n)).await;
    }
    yard.advance(SECOND * 8).await;
    let tried = yard.told("hudson").len();
    yard.dealer_says("hudson", Says::Hangs);
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let working = tokio::spawn(poller::run(yard.cloud.clone(), yard.aws.queues().clone(), stopped));
    let mut most = 0;
    for _ in 0..450 {
        most = yard.dealers.hanging().max(most);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stop.send_replace(true);
    working.await.unwrap();
    assert_eq!((most, yard.told("hudson").len()), (1, tried + 1));
}

#[tokio::test(start_paused = true)]
async fn a_lead_does_not_wait_for_an_open_breaker_for_longer_than_its_attempts_would_take() {
    let rules = Rules::roofing("acme").seller("hudson", [("tier", "1")]).seller("ridge", [("tier", "2")]);
    let yard = Yard::of(rules).await;
    yard.dealer_says("hudson", Says::Status(503));
    for n in 0..8 {
        yard.settled_lead(&Person::number(n)).await;
    }
    yard.advance(MINUTE * 5).await;
    let late = yard.settled_lead(&ada()).await;
    assert!(yard.told("hudson").iter().all(|told| told.lead() != late), "the breaker is open");
    assert_eq!(yard.story(&late).await.holders(), ["hudson"]);
    yard.advance(MINUTE * 11).await;
    let story = yard.story(&late).await;
    assert_eq!(story.holders(), ["ridge"]);
    assert_eq!(charged(&yard, "hudson").await, (json!(0), json!("0.00")));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_holds_for_the_dealers_other_leads_as_well() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    yard.dealer_says("hudson", Says::Later(429, 120));
    yard.settled_lead(&ada()).await;
    yard.dealer_says("hudson", Says::Status(200));
    let second = yard.settled_lead(&Person::number(1)).await;
    yard.advance(SECOND * 115).await;
    assert_eq!(yard.told("hudson").len(), 1);
    yard.advance(MINUTE).await;
    assert_eq!(yard.told("hudson").len(), 3);
    assert_eq!(yard.story(&second).await.attempts("hudson"), ["received"]);
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_is_gone_takes_nothing_more_and_the_desk_is_told_once() {
    let yard = Yard::of(by(&[("hudson", "")])).await;
    yard.dealer_says("hudson", Says::Status(410));
    yard.settled_lead(&Person::number(0)).await;
    yard.dealer_says("hudson", Says::Status(200));
    let second = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.told("hudson").len(), 1);
    assert_eq!(yard.story(&second).await.assignments(), [("hudson", "withdrawn"), ("ridge", "offered")]);
    let told = changes(&yard, "channel_disabled").await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        (&told[0]["by"], &told[0]["after"]["dealer"], &told[0]["after"]["channel"], &told[0]["reason"]),
        (&json!("leadyard"), &json!("hudson"), &json!(1), &json!("gone"))
    );

    let path = "/v1/dealers/hudson/channels/1/enable";
    let _ = yard.dealer("hudson", Method::POST, path, None).await.is(401);
    let _ = yard.desk(Method::POST, path, None).await.is(200);
    let _ = yard.desk(Method::POST, path, None).await.is(200);
    assert_eq!(changes(&yard, "channel_enabled").await.len(), 1);
    let third = yard.settled_lead(&Person::number(2)).await;
    assert_eq!(yard.story(&third).await.assignment("hudson")["delivery"], "received");
    let _ = yard.desk(Method::POST, "/v1/dealers/hudson/channels/7/enable", None).await.is(404);
}

/// How often the desk was told that a lead does not reach its dealer.
async fn undelivered(yard: &Yard, lead: &str) -> usize {
    changes(yard, "undelivered").await.iter().filter(|told| told["after"]["lead"] == lead).count()
}

/// Until after the next look at what waits for a channel that is gone.
const LOOKED_AT: Duration = Duration::from_secs(25 * 60);

#[tokio::test(start_paused = true)]
async fn a_dealer_that_is_waited_for_keeps_its_leads_while_its_channel_is_gone_and_has_them_once_it_works() {
    let yard = Yard::of(waited_for(&[("hudson", "")], "48")).await;
    yard.dealer_says("hudson", Says::Status(410));
    let first = yard.settled_lead(&Person::number(0)).await;
    yard.dealer_says("hudson", Says::Status(200));
    // When this one comes, the channel takes nothing any more.
    let second = yard.settled_lead(&Person::number(1)).await;
    yard.advance(MINUTE * 60 * 6).await;
    assert_eq!(yard.told("hudson").len(), 1, "nothing is sent to a channel that is gone");
    for (lead, attempts) in [(&first, 1), (&second, 0)] {
        let story = yard.story(lead).await;
        assert_eq!((story.holders(), story.attempts("hudson").len()), (vec!["hudson"], attempts));
        assert_eq!(undelivered(&yard, lead).await, 1);
    }
    let _ = yard.desk(Method::POST, "/v1/dealers/hudson/channels/1/enable", None).await.is(200);
    yard.advance(LOOKED_AT).await;
    for lead in [&first, &second] {
        let story = yard.story(lead).await;
        assert_eq!(story.assignment("hudson")["delivery"], "received");
        assert_eq!(story.attempts("hudson").pop().unwrap(), "received");
        assert_eq!(undelivered(&yard, lead).await, 1);
    }
    assert_eq!((yard.told("hudson").len(), yard.told("ridge").len()), (3, 0));
    assert_eq!(charged(&yard, "hudson").await, (json!(2), json!("20.00")));
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_dealer_that_is_waited_for_is_reached_by_whichever_of_its_channels_works_again() {
    let yard = Yard::of(waited_for(&[("hudson", ""), ("hudson-2", "fallback")], "48")).await;
    yard.dealer_says("hudson", Says::Status(410));
    yard.dealer_says("hudson-2", Says::Status(410));
    let lead = yard.settled_lead(&ada()).await;
    // The fallback has had its turn at once, and is gone too.
    assert_eq!((yard.told("hudson").len(), yard.told("hudson-2").len()), (1, 1));
    yard.dealer_says("hudson", Says::Status(200));
    yard.advance(MINUTE * 60).await;
    assert_eq!((yard.told("hudson").len(), yard.told("hudson-2").len()), (1, 1));
    assert_eq!((yard.story(&lead).await.holders(), undelivered(&yard, &lead).await), (vec!["hudson"], 1));
    let _ = yard.desk(Method::POST, "/v1/dealers/hudson/channels/1/enable", None).await.is(200);
    yard.advance(LOOKED_AT).await;
    let story = yard.story(&lead).await;
    assert_eq!(
        (&story.assignment("hudson")["delivery"], &story.assignment("hudson")["channel"]),
        (&json!("received"), &json!(1))
    );
    assert_eq!((yard.told("hudson").len(), yard.told("hudson-2").len(), yard.told("ridge").len()), (2, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_waits_for_a_channel_that_is_gone_is_taken_back_before_it_is_too_old() {
    let yard = Yard::of(waited_for(&[("hudson", "")], "2")).await;
    yard.dealer_says("hudson", Says::Status(500));
    let lead = yard.settled_lead(&ada()).await;
    yard.dealer_says("hudson", Says::Status(410));
    yard.advance(MINUTE * 80).await;
    let story = yard.story(&lead).await;
    assert_eq!(
        (story.holders(), story.attempts("hudson")),
        (vec!["hudson"], vec!["unknown".to_owned(), "not_received".to_owned()])
    );
    yard.dealer_says("hudson", Says::Status(200));
    yard.advance(MINUTE * 60).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.assignments()[0], ("hudson", "withdrawn"));
    assert_eq!(story.assignment("hudson")["delivery"], "unknown", "what may have arrived stays so");
    assert_eq!(events(&yard.told("hudson")), ["lead.assigned", "lead.assigned", "lead.withdrawn"]);
    assert_eq!((yard.taken("hudson", 4).await, charged(&yard, "hudson").await.0), (0, json!(0)));
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_arrived_is_as_good_where_the_rest_is_gone_and_would_be_waited_for() {
    let yard = Yard::of(waited_for(&[("hudson", ""), ("hudson-2", "always")], "48")).await;
    yard.dealer_says("hudson", Says::Status(410));
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(MINUTE * 3).await;
    let story = yard.story(&lead).await;
    assert_eq!(
        (story.holders(), &story.assignment("hudson")["delivery"]),
        (vec!["hudson"], &json!("received"))
    );
    assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("10.00")));
    assert_eq!(
        (yard.told("hudson").len(), yard.told("hudson-2").len(), undelivered(&yard, &lead).await),
        (1, 1, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_channel_that_the_rulebook_changes_begins_anew() {
    let yard = Yard::of(by(&[("hudson", "")])).await;
    yard.dealer_says("hudson", Says::Status(410));
    yard.settled_lead(&Person::number(0)).await;
    let _ = yard.publish(&by(&[("hudson?v=2", "")])).await.is(200);
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.told("hudson?v=2")[0].lead(), lead);
}

#[tokio::test(start_paused = true)]
async fn one_dealer_of_fifty_that_takes_thirty_seconds_delays_nobody_else() {
    const OTHERS: usize = 49;
    const EACH: usize = 4;
    let mut rules = Rules::roofing("acme").seller("slow", [("area", "zip:10001")]);
    for n in 0..OTHERS {
        rules = rules.seller(&format!("dealer-{n}"), [("area", "zip:33101")]);
    }
    let yard = Yard::of(rules).await;
    yard.dealer_says("slow", Says::Slow(Duration::from_secs(30)));
    // More than all workers together can have under way: 32 batches of ten.
    for n in 0..360 {
        yard.lead(&Person::number(n).with("zip", "10001")).await;
    }
    for n in 0..OTHERS * EACH {
        yard.lead(&Person::number(1_000 + n)).await;
    }
    let began = Instant::now();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let working = tokio::spawn(poller::run(yard.cloud.clone(), yard.aws.queues().clone(), stopped));
    let others = || yard.dealers.told().iter().filter(|told| told.who != "acme/slow").count();
    while others() < OTHERS * EACH {
        assert!(began.elapsed() < MINUTE * 5, "they never came");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let took = began.elapsed();
    assert_eq!(yard.dealers.hanging(), limits::IN_FLIGHT_PER_DEALER);
    // Before the first of the slow dealer's attempts is given up.
    assert!(took < Duration::from_millis(limits::ATTEMPT_MS), "{took:?}");
    stop.send_replace(true);
    working.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_kept_with_the_first_bytes_of_the_answer() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    yard.dealer_says("hudson", Says::Body(422, "no roofs on Mondays"));
    let lead = yard.settled_lead(&ada()).await;
    yard.dealer_says("hudson", Says::Body(202, "ü"));
    yard.advance(SECOND * 10).await;
    let attempts = yard.story(&lead).await.assignment("hudson")["attempts"].clone();
    assert_eq!(
        (&attempts[0]["what"], &attempts[0]["answer"], &attempts[0]["channel"], &attempts[1]["answer"]),
        (&json!("status 422"), &json!("no roofs on Mondays"), &json!(1), &json!("ü"))
    );
}

#[tokio::test(start_paused = true)]
async fn an_attempt_says_when_it_was_made_and_how_long_it_took() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    yard.dealer_says("hudson", Says::Status(500));
    let lead = yard.settled_lead(&ada()).await;
    yard.dealer_says("hudson", Says::Slow(Duration::from_millis(2_345)));
    yard.advance(SECOND * 10).await;
    let attempts = yard.story(&lead).await.assignment("hudson")["attempts"].clone();
    assert_eq!((&attempts[0]["at"], &attempts[0]["ms"]), (&json!("2026-06-01T16:00:00Z"), &json!(0)));
    let second: jiff::Timestamp = attempts[1]["at"].as_str().unwrap().parse().unwrap();
    let begun = yard.told("hudson")[1].timestamp;
    assert!(begun > yard.told("hudson")[0].timestamp, "{attempts}");
    assert_eq!((second.as_second(), &attempts[1]["ms"]), (begun, &json!(2_345)));
}

// --- Several channels ---

#[tokio::test(start_paused = true)]
async fn where_the_first_channel_fails_its_fallback_has_the_lead_within_a_minute() {
    let yard = Yard::of(by(&[("hudson", ""), ("hudson-2", "fallback")])).await;
    yard.dealer_says("hudson", Says::Status(500));
    let lead = yard.settled_lead(&ada()).await;
    assert!(yard.told("hudson-2").is_empty());
    yard.advance(MINUTE).await;
    let (first, second) = (yard.told("hudson"), yard.told("hudson-2"));
    assert_eq!((first.len(), second.len()), (4, 1));
    assert_eq!((&first[0].id, &first[0].body), (&second[0].id, &second[0].body));
    let story = yard.story(&lead).await;
    assert_eq!(story.attempts("hudson"), ["unknown", "unknown", "unknown", "unknown", "received"]);
    assert_eq!(story.assignment("hudson")["channel"], 2);
    yard.advance(MINUTE * 20).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("10.00")));
    assert!(yard.told("ridge").is_empty());
    // What follows goes by the channel that has the lead.
    let _ = yard.server("web").posts(&ada()).await.is(200);
    yard.settle().await;
    assert_eq!(events(&yard.told("hudson-2")), ["lead.assigned", "lead.repeated"]);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_has_the_lead_at_once_where_the_first_is_known_to_fail() {
    let yard = Yard::of(by(&[("hudson", ""), ("hudson-2", "")])).await;
    yard.dealer_says("hudson", Says::Status(410));
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(yard.story(&lead).await.attempts("hudson"), ["not_received", "received"]);
    yard.settled_lead(&Person::number(1)).await;
    assert_eq!((yard.told("hudson").len(), yard.told("hudson-2").len()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn when_the_last_fallback_has_failed_the_next_dealer_has_its_turn() {
    let yard = Yard::of(by(&[("hudson", ""), ("hudson-2", "")])).await;
    yard.dealer_says("hudson", Says::Status(500));
    yard.dealer_says("hudson-2", Says::IsShut);
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(MINUTE * 15).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), story.attempts("hudson").len()), (vec!["ridge"], 4 + 6));
    // The first may have it: it is withdrawn there before Ridge has it.
    assert_eq!(story.assignment("hudson")["delivery"], "unknown");
    let told = yard.dealers.told();
    let withdrawn = told.iter().position(|told| told.who == "acme/hudson" && told.event == "lead.withdrawn");
    let next = told.iter().position(|told| told.who == "acme/ridge");
    assert!(withdrawn.is_some() && withdrawn < next, "{:?}", events(&told));
    assert_eq!(charged(&yard, "hudson").await, (json!(0), json!("0.00")));
}

#[tokio::test(start_paused = true)]
async fn channels_side_by_side_each_have_every_message() {
    let rules = by(&[("hudson", ""), ("hudson-2", "always")]);
    let yard = Yard::of(rules.with("deadline_minutes = 30\ndeadline_clock = \"wall\"")).await;
    let lead = yard.settled_lead(&ada()).await;
    for name in ["hudson", "hudson-2"] {
        let told = yard.told(name);
        assert_eq!(events(&told), ["lead.assigned"], "{name}");
        assert_eq!(told[0].body["data"]["masked"], true, "{name}");
        assert!(!told[0].body.to_string().contains("Hill"), "{name}");
    }
    assert_eq!(yard.told("hudson")[0].id, yard.told("hudson-2")[0].id);
    yard.advance(MINUTE * 21).await;
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    yard.settle().await;
    let _ = yard.server("web").posts(&ada()).await.is(200);
    yard.settle().await;
    let _ = yard
        .desk(Method::POST, &format!("/v1/leads/{lead}/take_back"), Some(json!({ "reason": "wrong" })))
        .await
        .is(200);
    yard.advance(MINUTE).await;
    for name in ["hudson", "hudson-2"] {
        let told = yard.told(name);
        assert_eq!(
            events(&told),
            ["lead.assigned", "lead.warned", "lead.assigned", "lead.repeated", "lead.withdrawn"],
            "{name}"
        );
        assert_eq!(told[2].body["data"]["person"]["last_name"], "Hill", "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_fails_is_tried_on_by_itself_and_changes_nothing() {
    let yard = Yard::of(by(&[("hudson", ""), ("hudson-2", "always")])).await;
    yard.dealer_says("hudson-2", Says::Status(422));
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(SECOND * 20).await;
    yard.dealer_says("hudson-2", Says::Status(200));
    yard.advance(MINUTE * 20).await;
    assert_eq!((yard.told("hudson").len(), yard.told("hudson-2").len()), (1, 4));
    let story = yard.story(&lead).await;
    assert_eq!((story.attempts("hudson"), story.holders()), (vec!["received".to_owned()], vec!["hudson"]));
    let message = story.list("messages").next().unwrap().clone();
    assert_eq!(
        (&message["event"], &message["channel"], &message["state"]),
        (&json!("lead.assigned"), &json!(2), &json!("received"))
    );
    assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("10.00")));
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_arrived_is_as_good_when_the_first_channel_has_failed() {
    let yard = Yard::of(by(&[("hudson", ""), ("hudson-2", "always")])).await;
    yard.dealer_says("hudson", Says::IsShut);
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(yard.told("hudson-2").len(), 1);
    yard.advance(MINUTE * 15).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), story.attempts("hudson").len()), (vec!["hudson"], 6));
    assert_eq!(story.assignment("hudson")["delivery"], "received");
    assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("10.00")));
    assert!(yard.told("ridge").is_empty());
}

#[tokio::test(start_paused = true)]
async fn where_nothing_arrived_anywhere_the_lead_goes_on_and_whoever_may_have_it_is_told() {
    let yard = Yard::of(by(&[("hudson", ""), ("hudson-2", "always")])).await;
    yard.dealer_says("hudson", Says::IsShut);
    yard.dealer_says("hudson-2", Says::Resets);
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(MINUTE * 20).await;
    let story = yard.story(&lead).await;
    assert_eq!(
        (story.holders(), &story.assignment("hudson")["delivery"]),
        (vec!["ridge"], &json!("unknown"))
    );
    yard.dealer_says("hudson-2", Says::Status(200));
    yard.advance(MINUTE * 30).await;
    assert_eq!(yard.told("hudson-2").pop().unwrap().event, "lead.withdrawn");
    assert!(yard.dead_letters().is_empty());
}

// --- Withdrawals where there are several ---

#[tokio::test(start_paused = true)]
async fn a_copy_s_withdrawal_goes_by_its_own_channel_whatever_is_known_of_it() {
    let yard = Yard::of(by(&[("hudson", ""), ("hudson-2", "always")])).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.dealer_says("hudson-2", Says::Status(410));
    let _ = yard.server("web").posts(&ada()).await.is(200);
    yard.advance(MINUTE).await;
    let path = format!("/v1/leads/{lead}/take_back");
    let _ = yard.desk(Method::POST, &path, Some(json!({ "reason": "wrong" }))).await.is(200);
    yard.advance(MINUTE).await;
    for name in ["hudson", "hudson-2"] {
        assert_eq!(
            events(&yard.told(name)),
            ["lead.assigned", "lead.repeated", "lead.withdrawn"],
            "{name}: once, and by the channel that had the lead"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_passes_where_only_a_copy_arrived_is_told_to_that_copy() {
    let rules = by(&[("hudson", ""), ("hudson-2", "always")]);
    let yard = Yard::of(rules.with("deadline_minutes = 5\ndeadline_clock = \"wall\"")).await;
    // Hudson's first channel takes nothing for as long as the deadline runs.
    yard.dealer_says("hudson", Says::Later(429, 400));
    yard.settled_lead(&Person::number(1)).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(MINUTE * 6).await;
    assert_eq!(yard.story(&lead).await.assignments()[0], ("hudson", "lapsed"));
    let told = |name| yard.told(name).into_iter().filter(|told| told.lead() == lead).collect::<Vec<_>>();
    assert_eq!(events(&told("hudson-2")), ["lead.assigned", "lead.withdrawn"]);
    assert!(told("hudson").iter().all(|told| told.event != "lead.assigned"));
}

#[tokio::test(start_paused = true)]
async fn the_desk_is_told_who_waits_behind_a_breaker_for_longer_than_a_lead_s_attempts_take() {
    let waited_for = [("territory", "protected"), ("area", "zip:33101"), ("when_unavailable", "wait")];
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", waited_for)).await;
    yard.dealer_says("hudson", Says::Later(429, 3_600));
    yard.settled_lead(&Person::number(1)).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(MINUTE * 11).await;
    let told = changes(&yard, "undelivered").await;
    let of_ada: Vec<_> = told.iter().filter(|told| told["after"]["lead"] == lead.as_str()).collect();
    assert_eq!(of_ada.len(), 1, "{told:?}");
    assert_eq!(of_ada[0]["after"]["dealer"], "hudson");
    let tried = of_ada[0]["after"]["attempts"].as_u64().unwrap();
    assert!(tried < 6, "{tried}: what is not made uses up no attempt");
    // It is waited for all the same, and nobody is told twice.
    yard.dealer_says("hudson", Says::Status(200));
    yard.advance(MINUTE * 90).await;
    assert_eq!(yard.story(&lead).await.attempts("hudson").pop().unwrap(), "received");
    let again = changes(&yard, "undelivered").await;
    assert_eq!(again.iter().filter(|told| told["after"]["lead"] == lead.as_str()).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_copy_is_carrying_at_this_moment_is_not_taken_back() {
    let yard = Yard::of(by(&[("hudson", ""), ("hudson-2", "always")])).await;
    yard.dealer_says("hudson-2", Says::Hangs);
    let lead = yard.lead(&ada()).await;
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let working = tokio::spawn(poller::run(yard.cloud.clone(), yard.aws.queues().clone(), stopped));
    while yard.dealers.hanging() == 0 || yard.told("hudson").is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    tokio::time::sleep(SECOND).await;
    let path = format!("/v1/leads/{lead}/take_back");
    let body = || Some(json!({ "reason": "wrong" }));
    let refused = yard.desk(Method::POST, &path, body()).await.is(503);
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    stop.send_replace(true);
    yard.dealers.release();
    working.await.unwrap();
    yard.dealer_says("hudson-2", Says::Status(200));
    yard.advance(MINUTE * 20).await;
    let _ = yard.desk(Method::POST, &path, body()).await.is(200);
    yard.advance(MINUTE).await;
    for name in ["hudson", "hudson-2"] {
        assert_eq!(yard.told(name).pop().unwrap().event, "lead.withdrawn", "{name}");
    }
}

// --- Secrets ---

/// Whether what a dealer was told is signed with this secret, by the library that dealers use.
fn signed_with(told: &Told, secret: &Value) -> bool {
    let webhook = standardwebhooks::Webhook::new(secret.as_str().unwrap()).unwrap();
    let expected = webhook.sign(&told.id, told.timestamp, &told.raw).unwrap();
    told.signature.split(' ').any(|sent| sent == expected)
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_shown_once_and_rotated_without_a_gap() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let path = "/v1/dealers/hudson/secret";
    let first = yard.dealer("hudson", Method::POST, path, None).await.is(200).json;
    let _ = yard.dealer("hudson", Method::POST, path, None).await.is(409).is_problem("state-conflict");
    let _ = yard.desk(Method::POST, path, None).await.is(409);
    let _ = yard.dealer("ridge", Method::POST, path, None).await.is(404);

    let rotate = "/v1/dealers/hudson/secret/rotate";
    let second = yard.desk(Method::POST, rotate, None).await.is(200).json;
    assert_ne!(first["secret"], second["secret"]);
    assert_eq!((&first["generation"], &second["generation"]), (&json!(1), &json!(2)));
    // The answer to the first may have been lost: a second stands beside both, a third would cut somebody off.
    let third = yard.desk(Method::POST, rotate, None).await.is(200).json;
    let again = yard.desk(Method::POST, rotate, None).await.is(409);
    assert!(again.text.contains("those before stand until"), "{}", again.text);

    yard.settled_lead(&Person::number(0)).await;
    yard.advance(MINUTE * 60 * 73).await;
    yard.settled_lead(&Person::number(1)).await;
    let told = yard.told("hudson");
    let signed = |at: usize| [&first, &second, &third].map(|shown| signed_with(&told[at], &shown["secret"]));
    assert_eq!((signed(0), signed(1)), ([true; 3], [false, false, true]));

    // Who saw it is known; what it is, nobody is told again.
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200);
    for act in ["secret_shown", "secret_rotated"] {
        assert!(changes.text.contains(act), "{act}");
    }
    assert!(!changes.text.contains("whsec_"));
}
