//! Leads by mail: what a dealer reads, what SES's answers mean, the links that accept and decline, mails that come
//! back.

use std::time::Duration;

use http::{Method, Uri};
use leadyard::aws::{Caught, MailSays, Returns};
use leadyard::poller;
use leadyard_domain::access::AnswerLink;
use leadyard_domain::lead::Answer;
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::metrics::Metrics;
use leadyard_tests::{Person, Reply, Rules, Yard};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

const HUDSON: &str = "leads@hudson.example";
const SENDER: &str = "[mail]\nfrom = \"desk@acme.example\"\nname = \"Acme Leads\"";

const PHONE: &str = "+13052745678";
const EMAIL: &str = "ada.hill@mail.example";

fn ada() -> Person {
    Person::named("Ada", "Hill").with("phone", PHONE)
}

/// Hudson first, by these channels (order, kind, address, when); then Ridge, by its webhook.
fn by<const N: usize>(channels: &[[&str; 4]], contract: [(&str, &str); N]) -> Rules {
    let mut table = "dealer,order,kind,address,when\n".to_owned();
    for channel in channels {
        table.extend(["hudson,", &channel.join(","), "\n"]);
    }
    table.push_str("ridge,1,webhook,http://127.0.0.1:9/acme/ridge,\n");
    Rules::roofing("acme")
        .with(SENDER)
        .dealer("hudson", [("zone", "America/Chicago")])
        .contract("hudson", "hudson", contract)
        .seller("ridge", [("tier", "2")])
        .file("channels.csv", &table)
}

fn by_mail<const N: usize>(contract: [(&str, &str); N]) -> Rules {
    by(&[["1", "mail", HUDSON, ""]], contract)
}

fn mails(yard: &Yard) -> Vec<Caught> {
    yard.aws.mail().caught_by(HUDSON)
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

/// The path behind the link of a mail that follows this line.
fn link(mail: &Caught, after: &str) -> String {
    let (_, rest) = mail.text.split_once(after).unwrap_or_else(|| panic!("no {after:?} in {}", mail.text));
    let url = rest.lines().find(|line| line.starts_with("https://")).expect("a link");
    let url: Uri = url.parse().expect("a URL");
    assert_eq!(url.host(), Some("leads.example"));
    url.path().to_owned()
}

async fn opens(yard: &Yard, path: &str) -> Reply {
    yard.sends(None, Method::GET, path, "text/plain", Vec::new()).await
}

async fn clicks(yard: &Yard, path: &str) -> Reply {
    yard.sends(None, Method::POST, path, "application/x-www-form-urlencoded", Vec::new()).await
}

// --- What a dealer reads ---

#[tokio::test(start_paused = true)]
async fn a_dealer_reads_a_lead_in_one_part_of_plain_text() {
    let yard = Yard::of(by_mail([("price", "45.00")])).await;
    let person = ada().with("message", "The roof leaks over the kitchen.\nPlease call after five.");
    let lead = yard.settled_lead(&person).await;
    let all = mails(&yard);
    assert_eq!(all.len(), 1);
    let mail = &all[0];
    assert_eq!(mail.header("from"), "\"Acme Leads\" <desk@acme.example>");
    assert_eq!(mail.header("content-type"), "text/plain; charset=utf-8");
    assert!(!mail.header("subject").contains("Ada") && mail.header("subject").ends_with(": roof"));
    for line in [
        "Name        Ada Hill\n",
        &format!("Phone       tel:{PHONE}\nCall        08:00 to 21:00, America/New_York time\n"),
        &format!("E-mail      {EMAIL}\n"),
        "> The roof leaks over the kitchen.\n> Please call after five.\n",
        // Noon in New York, as the dealer's clock has it.
        "Asked       Mon, Jun 1, 2026, 11:00 AM CDT\n",
        "Consent     not recorded\n",
        "Price       45.00\n",
        &format!("Lead        {lead}\n"),
    ] {
        assert!(mail.text.contains(line), "{line:?} in {}", mail.text);
    }
    for line in mail.text.lines().filter(|line| !line.starts_with("https://")) {
        assert!(line.chars().count() <= limits::LETTER_COLUMNS, "{line}");
    }
    let story = yard.story(&lead).await;
    assert_eq!(story.attempts("hudson"), ["received"]);
    assert_eq!(story.assignment("hudson")["attempts"][0]["what"], "accepted");
    assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("45.00")));
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn all_mails_of_a_lead_are_one_conversation() {
    let yard = Yard::of(by_mail([("deadline_minutes", "60"), ("deadline_clock", "wall")])).await;
    yard.settled_lead(&ada().with("message", "My number is 305-274-5678, call me.")).await;
    let _ = yard.server("web").posts(&ada().with("message", "Are you there?")).await.is(200);
    yard.advance(MINUTE * 45).await;
    yard.advance(MINUTE * 30).await;
    let all = mails(&yard);
    let events: Vec<&str> = all.iter().map(|mail| mail.tags["event"].as_str()).collect();
    assert_eq!(events, ["assigned", "repeated", "warned", "withdrawn"]);
    for mail in &all {
        assert_eq!(mail.header("subject"), all[0].header("subject"));
        assert_eq!(mail.header("references"), all[0].header("references"));
        let known = ["Hill", "5678", "ada.", "mail.example"].iter().find(|part| mail.raw.contains(**part));
        assert_eq!(known, None, "it was never accepted: {}", mail.text);
    }
    let ids: std::collections::BTreeSet<&str> = all.iter().map(|mail| mail.header("message-id")).collect();
    assert_eq!(ids.len(), 4);
    assert!(all[1].text.contains("> Are you there?\n") && all[3].text.contains("not accepted in time"));
}

#[tokio::test(start_paused = true)]
async fn a_mail_channel_needs_a_sender() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let table = "dealer,order,kind,address\nhudson,1,mail,leads@hudson.example\n";
    let rules = Rules::roofing("acme").seller("hudson", []).file("channels.csv", table);
    let refused = yard.publish(&rules).await.is(422);
    assert!(refused.text.contains("[mail]"), "{}", refused.text);
    for bad in ["leads", "a b@hudson.example", "Ada <ada@hudson.example>", "lèads@hudson.example"] {
        let table = format!("dealer,order,kind,address\nhudson,1,mail,{bad}\n");
        let rules = Rules::roofing("acme").with(SENDER).seller("hudson", []).file("channels.csv", &table);
        let _ = yard.publish(&rules).await.is(422);
    }
}

// --- What SES says ---

#[tokio::test(start_paused = true)]
async fn what_ses_says_is_judged_as_a_dealers_answer() {
    for (says, end, what) in [
        (MailSays::Throttles, "not_received", "TooManyRequestsException"),
        (MailSays::Rejects, "not_received", "MessageRejected"),
        (MailSays::Fails, "unknown", "InternalServiceErrorException"),
        (MailSays::Hangs, "unknown", "timeout"),
    ] {
        let yard = Yard::of(by_mail([])).await;
        yard.aws.mail().says(HUDSON, says);
        let lead = yard.settled_lead(&ada()).await;
        let story = yard.story(&lead).await;
        assert_eq!(story.attempts("hudson"), [end], "{says:?}");
        assert_eq!(story.assignment("hudson")["attempts"][0]["what"], what, "{says:?}");
        yard.aws.mail().says(HUDSON, MailSays::Accepts);
        yard.advance(MINUTE).await;
        let story = yard.story(&lead).await;
        assert_eq!(story.attempts("hudson"), [end, "received"], "{says:?}");
        assert_eq!(story.holders(), ["hudson"]);
        let ids: Vec<String> = mails(&yard).iter().map(|mail| mail.header("message-id").to_owned()).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "a second arrival can be told from a second lead");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_no_mail_takes_goes_to_the_next_dealer_and_is_withdrawn_where_it_may_have_arrived() {
    for (says, withdrawn) in [(MailSays::Rejects, 0), (MailSays::Hangs, 1)] {
        let yard = Yard::of(by_mail([])).await;
        yard.aws.mail().says(HUDSON, says);
        let lead = yard.lead(&ada()).await;
        yard.advance(MINUTE * 15).await;
        let story = yard.story(&lead).await;
        assert_eq!(story.assignments(), [("hudson", "withdrawn"), ("ridge", "offered")], "{says:?}");
        let told = mails(&yard).iter().filter(|mail| mail.tags["event"] == "withdrawn").count();
        assert!(told.min(1) == withdrawn, "{says:?}");
        assert_eq!(charged(&yard, "hudson").await, (json!(0), json!("0.00")));
    }
}

// --- The links ---

#[tokio::test(start_paused = true)]
async fn a_dealer_accepts_by_a_link_and_sees_the_person() {
    let rules = by_mail([("deadline_minutes", "60"), ("deadline_clock", "wall")]);
    let yard = Yard::of(rules).await;
    let person = ada()
        .with("message", "It leaks. Call 305-274-5678.")
        .with("consent", "yes")
        .with("consent_text", "I agree to be called by Hudson");
    let lead = yard.settled_lead(&person).await;
    // By the dealer's clock, in Chicago, an hour after it was asked.
    let until = "Accept by   Mon, Jun 1, 2026, 12:00 PM CDT\n";
    assert!(mails(&yard)[0].text.contains(until), "{}", mails(&yard)[0].text);
    let accept = link(&mails(&yard)[0], "To accept it:");
    for part in ["Ada", "Hill", &lead, "hudson", "acme"] {
        assert!(!accept.contains(part), "{accept}");
    }

    // A program that looks for viruses follows every link, often.
    for _ in 0..3 {
        for path in [accept.clone(), link(&mails(&yard)[0], "To decline it:")] {
            let page = opens(&yard, &path).await.is(200);
            assert_eq!(page.header("cache-control"), "no-store");
            assert_eq!(page.header("referrer-policy"), "no-referrer");
            assert!(page.text.contains("<form method=\"post\">") && !page.text.contains("<script"));
            assert!(page.text.contains("Ada") && page.text.contains("It leaks."), "{}", page.text);
            let known = ["Hill", "5678", "mail.example"].iter().find(|part| page.text.contains(**part));
            assert_eq!(known, None, "masked: {}", page.text);
        }
    }
    assert_eq!(yard.story(&lead).await.assignment("hudson")["state"], "offered");

    for _ in 0..2 {
        let done = clicks(&yard, &accept).await.is(303);
        assert_eq!(done.header("location"), accept);
        let page = opens(&yard, &accept).await.is(200);
        assert!(page.text.contains("This lead is yours") && !page.text.contains("<form"), "{}", page.text);
        assert!(page.text.contains(&format!("href=\"tel:{PHONE}\"")), "{}", page.text);
        assert!(page.text.contains(EMAIL) && page.text.contains("10.00 USD"), "{}", page.text);
    }
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.assignment("hudson")["state"], "accepted");
    assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("10.00")));
    let whole = mails(&yard).pop().unwrap();
    assert!(whole.text.contains("Hill") && !whole.text.contains("/answer/"), "nothing is left to answer");
    assert!(
        whole.text.contains("Consent     given\n")
            && whole.text.contains("> I agree to be called by Hudson\n"),
        "{}",
        whole.text
    );
    let other = clicks(&yard, &link(&mails(&yard)[0], "To decline it:")).await.is(409);
    assert!(other.text.contains("the lead is accepted, and cannot be declined"), "{}", other.text);
    assert_eq!(yard.story(&lead).await.assignment("hudson")["state"], "accepted");
}

#[tokio::test(start_paused = true)]
async fn the_page_of_a_link_says_whose_lead_it_is_and_when_nobody_may_call() {
    let rules = by_mail([("deadline_minutes", "900"), ("deadline_clock", "wall")]).named("Acme & Sons");
    let yard = Yard::of(rules).await;
    let _ = yard.settled_lead(&ada()).await;
    let accept = link(&mails(&yard)[0], "To accept it:");
    let company = "<p class=\"soft\">Acme &#38; Sons</p>";
    // As long as nobody sees the number, nothing is said of calling.
    yard.advance_to("2026-06-02T03:30:00Z").await;
    let masked = opens(&yard, &accept).await.is(200);
    assert!(masked.text.contains(company) && !masked.text.contains("It is night"), "{}", masked.text);
    let _ = clicks(&yard, &accept).await.is(303);
    let night = opens(&yard, &accept).await.is(200);
    let until = "It is night where they are: they may be called from Tue, Jun 2, 2026, 8:00 AM EDT.";
    assert!(night.text.contains(company) && night.text.contains(until), "{}", night.text);
    yard.advance_to("2026-06-02T16:00:00Z").await;
    let day = opens(&yard, &accept).await.is(200);
    assert!(day.text.contains(PHONE) && !day.text.contains("It is night"), "{}", day.text);
    let body = json!({ "phone": PHONE });
    let _ = yard.desk(Method::POST, "/v1/persons/opt_out", Some(body)).await.is(200);
    yard.settle().await;
    let silent = opens(&yard, &accept).await.is(200);
    assert!(silent.text.contains("They want no more contact: do not call."), "{}", silent.text);
}

#[tokio::test(start_paused = true)]
async fn a_dealer_declines_by_a_link_and_the_next_has_it() {
    let yard = Yard::of(by_mail([("deadline_minutes", "60"), ("deadline_clock", "wall")])).await;
    let lead = yard.settled_lead(&ada()).await;
    let decline = link(&mails(&yard)[0], "To decline it:");
    let _ = clicks(&yard, &decline).await.is(303);
    let _ = clicks(&yard, &decline).await.is(303);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "declined"), ("ridge", "offered")]);
    assert!(opens(&yard, &decline).await.is(200).text.contains("You declined this lead"));
    let accept = clicks(&yard, &link(&mails(&yard)[0], "To accept it:")).await.is(409);
    assert!(!accept.text.contains("Ada"), "it is somebody else's by now: {}", accept.text);
}

#[tokio::test(start_paused = true)]
async fn a_link_that_comes_too_late_says_so_and_shows_nobody() {
    let yard = Yard::of(by_mail([("deadline_minutes", "60"), ("deadline_clock", "wall")])).await;
    let lead = yard.settled_lead(&ada()).await;
    let accept = link(&mails(&yard)[0], "To accept it:");
    // Before anybody has looked at its deadline, and after.
    tokio::time::sleep(MINUTE * 61).await;
    let late = clicks(&yard, &accept).await.is(409);
    assert!(late.text.contains("the deadline is over") && !late.text.contains("Ada"), "{}", late.text);
    yard.advance(MINUTE * 5).await;
    assert!(opens(&yard, &accept).await.is(200).text.contains("not accepted in time"));
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "lapsed"), ("ridge", "offered")]);

    let second = yard.settled_lead(&Person::number(7)).await;
    let accept = link(mails(&yard).last().unwrap(), "To accept it:");
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{second}/take_back"), None).await.is(200);
    yard.settle().await;
    let gone = opens(&yard, &accept).await.is(200);
    assert!(gone.text.contains("This lead was withdrawn") && !gone.text.contains("<form"), "{}", gone.text);
    let _ = clicks(&yard, &accept).await.is(409);
}

#[tokio::test(start_paused = true)]
async fn a_link_is_ours_whole_and_for_a_month() {
    let yard = Yard::of(by_mail([])).await;
    let lead = yard.settled_lead(&ada()).await;
    let accept = link(&mails(&yard)[0], "To say that you work on it:");
    for bad in [
        &accept[..accept.len() - 1],
        "/answer/answer_x.y",
        "/answer/x",
        &accept.replace("answer_", "dealer_"),
    ] {
        let _ = opens(&yard, bad).await.is(404);
        let _ = clicks(&yard, bad).await.is(404);
    }
    // One that we minted for an answer that no letter offers.
    let token = accept.rsplit('/').next().unwrap();
    let minted: AnswerLink = yard.cloud.master.verify(token).unwrap();
    let won = yard.cloud.master.mint(&AnswerLink { answer: Answer::Won, ..minted });
    let _ = clicks(&yard, &format!("/answer/{won}")).await.is(404);

    tokio::time::sleep(HOUR * 24 * 30).await;
    let old = clicks(&yard, &accept).await.is(410);
    assert!(old.text.contains("too old") && !old.text.contains("Ada"), "{}", old.text);
    assert_eq!(yard.story(&lead).await.assignment("hudson")["state"], "offered");
}

// --- Mails that come back ---

#[tokio::test(start_paused = true)]
async fn a_mail_that_bounces_was_not_received_and_the_lead_moves_on() {
    let yard = Yard::of(by_mail([])).await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("10.00")));
    // Told twice: at least once is what SNS and SQS promise.
    assert!(yard.aws.mail().returns(1, Returns::Bounced) && yard.aws.mail().returns(1, Returns::Bounced));
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!(story.assignments(), [("hudson", "withdrawn"), ("ridge", "offered")]);
    assert_eq!(story.attempts("hudson"), ["not_received"]);
    assert_eq!(story.assignment("hudson")["attempts"][0]["what"], "bounced");
    assert_eq!(charged(&yard, "hudson").await.1, json!("0.00"));
    assert_eq!(mails(&yard).len(), 1, "who has not got it needs no withdrawal");
    assert_eq!(yard.told("ridge").len(), 1);
    let (gone, moved) = (changes(&yard, "channel_disabled").await, changes(&yard, "mail_returned").await);
    assert_eq!((gone.len(), moved.len()), (1, 1));
    assert_eq!((&gone[0]["reason"], &gone[0]["after"]["kind"]), (&json!("bounced"), &json!("mail")));
    assert_eq!(moved[0]["after"]["lead"], json!(lead));
    let all = yard.desk(Method::GET, "/v1/changes", None).await.is(200).text;
    assert!(!all.contains('@') || !all.contains("hudson.example"), "{all}");

    // The next one does not even try, until the desk says so.
    let second = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&second).await.holders(), ["ridge"]);
    let _ = yard.desk(Method::POST, "/v1/dealers/hudson/channels/1/enable", None).await.is(200);
    let third = yard.settled_lead(&Person::number(2)).await;
    assert_eq!(yard.story(&third).await.holders(), ["hudson"]);
    assert!(yard.dead_letters().is_empty());
}

/// Leads wait for Hudson.
const WAITED_FOR: [(&str, &str); 3] =
    [("territory", "first"), ("when_unavailable", "wait"), ("max_age_hours", "48")];

#[tokio::test(start_paused = true)]
async fn a_contract_that_waits_keeps_its_lead_after_a_bounce_and_mails_it_again_once_the_address_works() {
    let yard = Yard::of(by_mail(WAITED_FOR)).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.aws.mail().returns(1, Returns::Bounced);
    yard.advance(HOUR * 3).await;
    let story = yard.story(&lead).await;
    assert_eq!(
        (story.holders(), story.attempts("hudson")),
        (vec!["hudson"], vec!["not_received".to_owned()])
    );
    assert_eq!(mails(&yard).len(), 1, "nobody writes to an address that is gone");
    let told = (changes(&yard, "mail_returned").await.len(), changes(&yard, "undelivered").await.len());
    assert_eq!(told, (1, 0), "the desk is told once");
    let _ = yard.desk(Method::POST, "/v1/dealers/hudson/channels/1/enable", None).await.is(200);
    yard.advance(MINUTE * 25).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.attempts("hudson"), ["not_received", "received"]);
    assert_eq!((mails(&yard).len(), yard.told("ridge").len()), (2, 0));
    assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("10.00")));
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_dealer_that_complained() {
    let yard = Yard::of(by_mail(WAITED_FOR)).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.aws.mail().returns(1, Returns::Complained);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!(story.assignments()[0], ("hudson", "withdrawn"));
    assert_eq!((story.attempts("hudson"), mails(&yard).len()), (vec!["unknown".to_owned()], 1));
    assert_eq!(charged(&yard, "hudson").await.1, json!("0.00"));
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_came_back_is_counted_by_the_function_that_is_told() {
    let yard = Yard::of(by_mail([])).await;
    let _ = yard.settled_lead(&ada()).await;
    assert!(yard.aws.mail().returns(1, Returns::Bounced));
    // On AWS each function has lines of its own, and its own alarm.
    let told = Cloud { metrics: Metrics::kept(), ..yard.cloud.clone() };
    let received = yard.aws.queues().take("mail-events", 10, None).unwrap();
    assert_eq!(received.len(), 1);
    let answer = leadyard_delivery::handle_mail_events(&told, poller::event(received)).await;
    assert!(answer.batch_item_failures.is_empty());
    let lines = told.metrics.lines();
    assert!(lines.len() == 1 && lines[0].contains(r#""DeliveriesFailed":1"#), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn a_bounce_goes_to_the_dealers_next_channel_and_is_charged_once() {
    let yard = Yard::of(by(&[["1", "mail", HUDSON, ""], ["2", "inbox", "", ""]], [])).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.aws.mail().returns(1, Returns::Bounced);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!(story.holders(), ["hudson"]);
    assert_eq!(story.attempts("hudson"), ["not_received", "received"]);
    assert_eq!(yard.inbox("hudson").await.len(), 1);
    assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("10.00")));
}

#[tokio::test(start_paused = true)]
async fn a_bounce_takes_nothing_from_a_dealer_that_has_it_all_the_same() {
    for (accepts, copy) in [(true, false), (false, true)] {
        let channels: &[[&str; 4]] = if copy {
            &[["1", "mail", HUDSON, ""], ["2", "inbox", "", "always"]]
        } else {
            &[["1", "mail", HUDSON, ""]]
        };
        let yard = Yard::of(by(channels, [])).await;
        let lead = yard.settled_lead(&ada()).await;
        if accepts {
            let _ = yard.answers("hudson", &lead, "accept").await.is(200);
        }
        yard.aws.mail().returns(1, Returns::Bounced);
        yard.settle().await;
        let story = yard.story(&lead).await;
        assert_eq!(story.holders(), ["hudson"], "accepts {accepts}, copy {copy}");
        assert_eq!(story.attempts("hudson"), ["not_received"]);
        assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("10.00")));
        assert_eq!(changes(&yard, "channel_disabled").await.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_complaint_the_lead_is_withdrawn_but_never_by_mail() {
    for other in [false, true] {
        let channels: &[[&str; 4]] =
            &[["1", "mail", HUDSON, ""], ["2", "webhook", "http://127.0.0.1:9/acme/hudson", "always"]];
        let yard = Yard::of(by(if other { channels } else { &channels[..1] }, [])).await;
        yard.dealer_says("hudson", leadyard_tests::Says::Status(422));
        let lead = yard.lead(&ada()).await;
        yard.advance(MINUTE * 20).await;
        assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
        yard.dealer_says("hudson", leadyard_tests::Says::Status(200));
        yard.aws.mail().returns(1, Returns::Complained);
        yard.settle().await;
        let story = yard.story(&lead).await;
        assert_eq!(story.assignments(), [("hudson", "withdrawn"), ("ridge", "offered")], "{other}");
        assert_eq!(story.attempts("hudson"), ["unknown"]);
        assert_eq!(mails(&yard).len(), 1, "nobody writes to whoever complained");
        let told = yard.told("hudson");
        assert_eq!(told.last().is_some_and(|told| told.event == "lead.withdrawn"), other);
        yard.advance(HOUR * 25).await;
        assert_eq!(mails(&yard).len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_complaint_that_comes_days_later_takes_nothing_back() {
    let yard = Yard::of(by_mail([])).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.advance(HOUR * (limits::DECLINE_HOURS as u32 + 1)).await;
    yard.aws.mail().returns(1, Returns::Complained);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), story.attempts("hudson")), (vec!["hudson"], vec!["unknown".to_owned()]));
    assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("10.00")));
    assert_eq!(changes(&yard, "channel_disabled").await.len(), 1, "nobody writes there again");
}

#[tokio::test(start_paused = true)]
async fn a_bounce_of_an_address_that_was_replaced_says_nothing_of_the_new_one() {
    let yard = Yard::of(by_mail([])).await;
    yard.settled_lead(&ada()).await;
    let _ = yard.publish(&by(&[["1", "mail", "roofs@hudson.example", ""]], [])).await.is(200);
    yard.aws.mail().returns(1, Returns::Bounced);
    yard.settle().await;
    assert!(changes(&yard, "channel_disabled").await.is_empty());
    let lead = yard.settled_lead(&Person::number(1)).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_was_complained_of_is_withdrawn_by_no_mail() {
    let channels = [["1", "webhook", "http://127.0.0.1:9/acme/hudson", ""], ["2", "mail", HUDSON, "always"]];
    let yard = Yard::of(by(&channels, [])).await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!((mails(&yard).len(), yard.told("hudson").len()), (1, 1));
    yard.aws.mail().returns(1, Returns::Complained);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"], "its webhook has the lead");
    let path = format!("/v1/leads/{lead}/take_back");
    let _ = yard.desk(Method::POST, &path, Some(json!({ "reason": "wrong" }))).await.is(200);
    yard.advance(HOUR * 25).await;
    assert_eq!(yard.told("hudson").last().unwrap().event, "lead.withdrawn");
    assert_eq!(mails(&yard).len(), 1, "nobody writes to whoever complained");
}

#[tokio::test(start_paused = true)]
async fn a_bounce_that_is_told_of_again_is_one() {
    let yard = Yard::of(by_mail([])).await;
    let _ = yard.settled_lead(&ada()).await;
    for _ in 0..=limits::MAIL_BOUNCES {
        yard.aws.mail().returns(1, Returns::Full);
        yard.settle().await;
    }
    assert!(changes(&yard, "channel_disabled").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_full_mailbox_is_counted_and_disabled_when_it_stays_full() {
    let yard = Yard::of(by_mail([])).await;
    yard.aws.mail().says(HUDSON, MailSays::Returns(Returns::Full));
    for n in 0..limits::MAIL_BOUNCES as usize {
        let lead = yard.settled_lead(&Person::number(n)).await;
        assert_eq!(yard.story(&lead).await.holders(), ["ridge"], "{n}");
        let told = changes(&yard, "channel_disabled").await.len();
        assert_eq!(told, usize::from(n + 1 == limits::MAIL_BOUNCES as usize), "{n}");
    }
    assert_eq!(mails(&yard).len(), limits::MAIL_BOUNCES as usize);

    // One that arrives in between begins the count anew.
    let _ = yard.desk(Method::POST, "/v1/dealers/hudson/channels/1/enable", None).await.is(200);
    for n in 10..10 + 2 * limits::MAIL_BOUNCES as usize {
        let how = if n % 3 == 0 { Returns::Delivered } else { Returns::Full };
        yard.aws.mail().says(HUDSON, MailSays::Returns(how));
        yard.settled_lead(&Person::number(n)).await;
    }
    assert_eq!(changes(&yard, "channel_disabled").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_bounce_of_what_is_not_ours_or_not_known_changes_nothing() {
    let yard = Yard::of(by_mail([])).await;
    let lead = yard.settled_lead(&ada()).await;
    let queue = yard.aws.queues();
    let stranger = include_str!("../../shared/domain/src/delivery/mail_event/bounce.json");
    queue.send("mail-events", stranger, None, 0).unwrap();
    queue.send("mail-events", "nonsense", None, 0).unwrap();
    // Of a mail of this lead that SES knows by an id which nobody has heard of.
    let mut event: Value = serde_json::from_str(stranger).unwrap();
    for (name, value) in &mails(&yard)[0].tags {
        event["mail"]["tags"][name] = json!([value]);
    }
    event["mail"]["tags"]["mark"] = json!(["another address"]);
    queue.send("mail-events", &event.to_string(), None, 0).unwrap();
    yard.advance(HOUR).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    assert!(changes(&yard, "channel_disabled").await.is_empty());
    assert_eq!(yard.dead_letters(), ["nonsense"]);
}

#[tokio::test(start_paused = true)]
async fn a_bounce_that_comes_before_its_attempt_is_kept_waits_for_it() {
    let yard = Yard::of(by_mail([])).await;
    yard.aws.mail().says(HUDSON, MailSays::Returns(Returns::Bounced));
    let lead = yard.lead(&ada()).await;
    // Distribution alone; then the attempt, held back when it is to be kept.
    leadyard::poller::work(&yard.cloud, yard.aws.queues(), &leadyard::system::DISTRIBUTION).await;
    let held = yard.faults.hold_commit();
    let working = tokio::spawn({
        let yard = yard.clone();
        async move { leadyard::poller::work(&yard.cloud, yard.aws.queues(), &leadyard::system::DELIVERY).await }
    });
    held.arrives().await;
    leadyard::poller::work(&yard.cloud, yard.aws.queues(), &leadyard::system::MAIL_EVENTS).await;
    held.let_go();
    working.await.unwrap();
    yard.advance(MINUTE * 3).await;
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "withdrawn"), ("ridge", "offered")]);
}

#[tokio::test(start_paused = true)]
async fn an_automatic_reply_is_no_proof_that_nobody_has_the_lead() {
    let yard = Yard::of(by_mail([])).await;
    let lead = yard.settled_lead(&ada()).await;
    yard.aws.mail().returns(1, Returns::Replied);
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!(story.assignments(), [("hudson", "withdrawn"), ("ridge", "offered")]);
    assert_eq!(story.attempts("hudson"), ["unknown"]);
    // The mailbox is as good as it was: the withdrawal goes there, and before the next one has the lead.
    assert_eq!(mails(&yard).len(), 2);
    assert!(mails(&yard)[1].text.contains("no longer yours"), "{}", mails(&yard)[1].text);
    assert_eq!(charged(&yard, "hudson").await.1, json!("0.00"));
    assert!(changes(&yard, "channel_disabled").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_a_mail_settled_and_the_next_channel_declines_is_credited() {
    let crm = r#"
[[template]]
id = "crm"
kind = "json"
decline = { json = "$.status", is = ["duplicate"] }
[template.assigned]
who = "{name}"
"#;
    let channels = format!(
        "dealer,order,kind,address,when,format\nhudson,1,mail,{HUDSON},,\nhudson,2,webhook,http://127.0.0.1:9/acme/hudson,,crm\n\
         ridge,1,webhook,http://127.0.0.1:9/acme/ridge,,\n"
    );
    let rules = by_mail([]).file("channels.csv", &channels).file("templates.toml", crm);
    let yard = Yard::of(rules).await;
    yard.dealer_says("hudson", leadyard_tests::Says::Body(200, r#"{"status":"duplicate"}"#));
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(charged(&yard, "hudson").await, (json!(1), json!("10.00")));
    yard.aws.mail().returns(1, Returns::Bounced);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "declined"), ("ridge", "offered")]);
    assert_eq!(charged(&yard, "hudson").await.1, json!("0.00"));
}

#[tokio::test(start_paused = true)]
async fn a_dealer_whose_id_has_a_dot_is_mailed_and_its_bounces_are_heard() {
    let channels = format!("dealer,order,kind,address\nhudson.roofing,1,mail,{HUDSON}\n");
    let rules = Rules::roofing("acme.us")
        .with(SENDER)
        .dealer("hudson.roofing", [])
        .contract("hudson", "hudson.roofing", [])
        .file("channels.csv", &channels);
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&ada()).await;
    assert_eq!(
        (mails(&yard).len(), yard.story(&lead).await.attempts("hudson")),
        (1, vec!["received".to_owned()])
    );
    yard.aws.mail().returns(1, Returns::Bounced);
    yard.settle().await;
    assert_eq!(changes(&yard, "channel_disabled").await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_replaced_a_dead_one_and_is_dead_too_is_disabled_as_well() {
    const OTHER: &str = "roofs@hudson.example";
    let yard = Yard::of(by_mail([])).await;
    yard.settled_lead(&ada()).await;
    yard.aws.mail().returns(1, Returns::Bounced);
    yard.settle().await;
    let _ = yard.publish(&by(&[["1", "mail", OTHER, ""]], [])).await.is(200);
    yard.aws.mail().says(OTHER, MailSays::Returns(Returns::Bounced));
    for n in 1..4 {
        let lead = yard.settled_lead(&Person::number(n)).await;
        assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
    }
    assert_eq!(yard.aws.mail().caught_by(OTHER).len(), 1, "nobody writes there again");
    assert_eq!(changes(&yard, "channel_disabled").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn that_a_person_is_erased_goes_by_the_next_channel_when_its_mail_comes_back() {
    let yard = Yard::of(by(
        &[["1", "mail", HUDSON, ""], ["2", "webhook", "http://127.0.0.1:9/acme/hudson", ""]],
        [],
    ))
    .await;
    let lead = yard.settled_lead(&ada()).await;
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    yard.settle().await;
    let before = mails(&yard).len();
    let body = Some(json!({ "reason": "requested" }));
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{lead}/erase"), body).await;
    yard.settle().await;
    let last = mails(&yard).pop().unwrap();
    assert!(mails(&yard).len() > before && last.text.contains("to be forgotten"), "{}", last.text);
    yard.aws.mail().returns(last.number, Returns::Bounced);
    yard.advance(MINUTE).await;
    assert_eq!(yard.told("hudson").pop().unwrap().event, "lead.erased");
}

#[tokio::test(start_paused = true)]
async fn a_dealer_by_mail_reads_what_the_person_asked_for_and_by_its_id_alone_of_whom() {
    let yard = Yard::of(by_mail([])).await;
    let lead = yard.settled_lead(&ada()).await;
    let words = [
        ("mail", "wants no more mail: please write them none."),
        ("everything", "wants no more mail, calls or texts: please do not get in touch with them."),
    ];
    for (of, says) in words {
        let body = Some(json!({ "email": EMAIL, "of": of }));
        let _ = yard.desk(Method::POST, "/v1/persons/opt_out", body).await.is(200);
        yard.settle().await;
        let last = mails(&yard).pop().unwrap();
        let text = last.text.replace('\n', " ");
        assert!(text.contains(says) && text.contains(&lead), "{}", last.text);
        assert_eq!(last.tags["event"], "opted_out");
        let known = ["Hill", "5678", "ada.", "mail.example"].iter().find(|part| last.raw.contains(**part));
        assert_eq!(known, None, "{}", last.text);
    }
    assert_eq!(mails(&yard).len(), 3);
    assert_eq!(changes(&yard, "tell_by_hand").await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn adf_by_mail_is_the_whole_text_of_it() {
    let channels = format!(
        "dealer,order,kind,address,format,vendor_id\nhudson,1,mail,{HUDSON},adf,D-4711\nridge,1,webhook,http://127.0.0.1:9/acme/ridge,,\n"
    );
    let yard = Yard::of(by_mail([]).file("channels.csv", &channels)).await;
    let lead = yard.settled_lead(&ada().with("message", "Zoë & I: it leaks.")).await;
    let mail = mails(&yard).pop().unwrap();
    assert_eq!(mail.header("content-type"), "text/plain; charset=utf-8");
    assert!(
        mail.text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<?adf version=\"1.0\"?>"),
        "{}",
        mail.text
    );
    assert!(mail.text.contains("D-4711") && mail.text.contains(&lead) && mail.text.contains("Zoë &amp; I"));
    assert!(!mail.header("subject").contains("Hill"));
    // What it has no words for, the desk says by hand.
    let _ = yard
        .desk(Method::POST, &format!("/v1/leads/{lead}/take_back"), Some(json!({ "reason": "wrong" })))
        .await
        .is(200);
    yard.advance(MINUTE).await;
    assert_eq!((mails(&yard).len(), changes(&yard, "tell_by_hand").await.len()), (1, 1));
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
}
