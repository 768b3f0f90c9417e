//! Staff and dealers are invited by mail: each once by an act, by the company's sender, with nothing in it that lets
//! anybody in; and what becomes of each mail stands on the page. Of two clicks on a form of that page, the second's answer
//! is the one that is seen.

use std::time::Duration;

use http::Method;
use jiff::SignedDuration;
use leadyard::aws::{Caught, MailSays, Returns};
use leadyard_domain::ids::{ActId, DealerId};
use leadyard_domain::limits;
use leadyard_domain::rulebook::Invitee;
use leadyard_platform::queues::ToDelivery;
use leadyard_tests::logs::Logs;
use leadyard_tests::{Browser, Reply, Rules, Yard};
use serde_json::{Value, json};

const MINUTE: Duration = Duration::from_secs(60);
const SENDER: &str = "[mail]\nfrom = \"desk@acme.example\"\nname = \"Acme Leads\"";
const MARIA: &str = "maria@desk.example";
const BEN: &str = "ben@desk.example";
const RITA: &str = "rita@desk.example";
const SAM: &str = "sam@hudson.example";
const PEOPLE: &str = "/console/people";
const INVITE: &str = "/console/people/invite";
const ADD: &str = "/console/people/add";
const TOKEN: &str = "/console/people/token";

/// Maria, who manages, and these; hudson, who has an address, and ridge, who has none.
fn rules(people: &str) -> Rules {
    Rules::roofing("acme")
        .dealer("hudson", [("email", SAM)])
        .contract("hudson", "hudson", [])
        .seller("ridge", [])
        .file("people.csv", &format!("person,email,role\nmaria,{MARIA},manager\n{people}"))
}

fn with_sender(people: &str) -> Rules {
    rules(people).with(SENDER)
}

fn mails(yard: &Yard, address: &str) -> Vec<Caught> {
    yard.aws.mail().caught_by(address)
}

async fn made(yard: &Yard) -> Vec<Value> {
    let reply = yard.desk(Method::GET, "/v1/changes", None).await.is(200);
    assert!(!reply.text.contains('@'), "no address stands in the changes: {}", reply.text);
    let all = reply.json["changes"].as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|change| change["act"] == "invited").collect()
}

/// What stands beside somebody on the page.
fn beside(page: &Reply, id: &str) -> String {
    let (_, rest) = page.text.split_once(&format!("<strong>{id}</strong>")).expect("somebody of the page");
    let said = rest.split_once("<span class=\"under\">").expect("what became of it").1;
    said.split("</span>").next().unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn who_is_added_is_told_once_by_whom_and_where_and_nothing_that_lets_in() {
    let (logs, _guard) = Logs::keep();
    let yard = Yard::of(with_sender("")).await;
    let maria = Browser::by_mail(&yard, MARIA).await;
    let page = maria.opens(PEOPLE).await.is(200);
    assert!(page.text.contains("name=\"invite\" checked"), "it is on by itself: {}", page.text);
    let adds = || maria.submits(&page, ADD, &[("people", "ben,ben@desk.example,desk")]);
    // Two clicks at once, and one later: each is answered as the first.
    let (first, second) = futures::join!(adds(), adds());
    let done = first.is(303);
    for again in [second, adds().await] {
        assert_eq!(again.is(303).header("location"), done.header("location"));
    }
    yard.settle().await;
    let all = mails(&yard, BEN);
    assert_eq!(all.len(), 1);
    let mail = &all[0];
    assert_eq!(mail.header("from"), "\"Acme Leads\" <desk@acme.example>");
    assert_eq!(mail.header("subject"), "acme invites you to sign in");
    let links: Vec<&str> = mail.text.split_whitespace().filter(|word| word.contains("://")).collect();
    assert_eq!(
        links,
        ["https://leads.example/console/sign-in"],
        "a page to sign in, and no token: {}",
        mail.text
    );
    assert!(!mail.tags.values().any(|tag| tag.contains('@')), "{:?}", mail.tags);
    assert_eq!(mails(&yard, MARIA).len(), 0, "nobody else");

    let page = maria.opens(done.header("location")).await.is(200);
    assert!(page.text.contains("They are added, and invited"), "{}", page.text);
    assert_eq!(beside(&page, "ben"), "invited on Jun 1, 2026 by maria");
    assert_eq!(beside(&page, "maria"), "not invited yet");
    let acts = made(&yard).await;
    assert_eq!((acts.len(), &acts[0]["by"]), (1, &json!("maria")));
    assert!(acts[0]["after"].to_string().contains("ben"), "{acts:?}");
    let changes = maria.opens("/console/rulebook/changes").await.is(200);
    assert!(changes.text.contains("invited") && changes.text.contains("ben"), "{}", changes.text);

    // Who is added without the tick is told nothing.
    let csrf = maria.csrf().await;
    let _ = maria.sends(ADD, &format!("company=acme&people=rita,{RITA},reader&{csrf}")).await.is(303);
    yard.settle().await;
    assert_eq!(mails(&yard, RITA).len(), 0);
    // What is kept has no address any more, and no log ever had one.
    let kept = yard.cloud.store.invitations(&yard.company_id()).await.unwrap();
    assert!(kept.len() == 1 && kept[0].address.is_none(), "{kept:?}");
    for address in [BEN, MARIA, RITA] {
        assert!(!logs.text().contains(address), "{address} is logged");
    }
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_stands_exactly_so_already_was_added_by_a_first_click_and_whoever_differs_is_refused() {
    let yard = Yard::of(with_sender("")).await;
    let maria = Browser::by_mail(&yard, MARIA).await;
    let page = maria.opens(PEOPLE).await.is(200);
    let adds = async |page: &Reply, people: &str| maria.submits(page, ADD, &[("people", people)]).await;
    let both = "ben,ben@desk.example,desk\nrita; rita@desk.example; reader";
    let done = adds(&page, both).await.is(303);
    yard.settle().await;
    let version = yard.version().await;
    let again = adds(&page, both).await.is(303);
    assert_eq!(again.header("location"), done.header("location"));
    for (people, line) in [
        ("ben,ben@desk.example,manager", 1),
        ("ben,b@desk.example,desk", 1),
        ("rita,rita@desk.example,reader\nbenny,ben@desk.example,desk", 2),
        // One who is new beside one who stands: all or none.
        ("sue,sue@desk.example,desk\nben,ben@desk.example,desk", 2),
    ] {
        let refused = adds(&page, people).await.is(400);
        let said = format!("line {line}: this person or address is there already");
        assert!(refused.text.contains(&said), "{people}: {}", refused.text);
    }
    // Typed anew much later, by another page's act: who was invited has the mail.
    yard.advance(MINUTE).await;
    let later = maria.opens(PEOPLE).await.is(200);
    let _ = adds(&later, both).await.is(303);
    yard.settle().await;
    assert_eq!((mails(&yard, BEN).len(), mails(&yard, RITA).len()), (1, 1));
    assert_eq!((yard.version().await, made(&yard).await.len()), (version, 1));

    // Who was added and not invited is, by who says so after all.
    let csrf = maria.csrf().await;
    let sue = format!("company=acme&people=sue,sue%40desk.example,desk&{csrf}");
    let _ = maria.sends(ADD, &sue).await.is(303);
    let later = maria.opens(PEOPLE).await.is(200);
    let _ = adds(&later, "sue,sue@desk.example,desk").await.is(303);
    yard.settle().await;
    assert_eq!(mails(&yard, "sue@desk.example").len(), 1);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_clicks_twice_for_a_token_is_told_what_became_of_the_first_and_keeps_what_was_typed() {
    let yard = Yard::of(with_sender("")).await;
    let maria = Browser::by_mail(&yard, MARIA).await;
    let page = maria.opens(PEOPLE).await.is(200);
    let makes = async |role: &str| {
        let typed = [("name", "nightly-export"), ("role", role), ("until", "2027-01-31")];
        maria.submits(&page, TOKEN, &typed).await
    };
    let first = makes("desk").await.is(200);
    assert!(first.text.contains("<code>api_acme."), "{}", first.text);
    let second = makes("desk").await.is(400);
    for told in [
        "it was made a moment ago, perhaps by the first of two clicks. It is shown once: take it away and make it anew",
        "Take nightly-export away",
        "<option value=\"desk\" selected>",
        "value=\"nightly-export\"",
        "value=\"2027-01-31\"",
    ] {
        assert!(second.text.contains(told), "{told} is not in {}", second.text);
    }
    // One of another role is no second click; nor is one that comes later.
    let of_another_role = makes("manager").await.is(400);
    yard.advance(3 * MINUTE).await;
    let later = makes("desk").await.is(400);
    for (refused, role) in [(&of_another_role, "manager"), (&later, "desk")] {
        assert!(
            refused.text.contains("a token of this name stands already: take it away first")
                && refused.text.contains(&format!("<option value=\"{role}\" selected>")),
            "{}",
            refused.text
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_act_sends_nobody_two_mails_whatever_comes_twice() {
    let yard = Yard::of(with_sender("ben,ben@desk.example,desk\n")).await;
    let maria = Browser::by_mail(&yard, MARIA).await;
    let (page, reads) = maria.reads(PEOPLE).await;
    assert!(reads <= 20, "{reads} reads");
    assert_eq!(
        (beside(&page, "ben"), beside(&page, "hudson")),
        ("not invited yet".into(), "not invited yet".into())
    );
    assert!(!page.text.contains("<strong>ridge</strong>"), "it has no address: {}", page.text);
    let sends = |page: Reply, who: &'static str, ticked: Option<&'static str>| {
        let maria = &maria;
        async move {
            let mut typed = vec![("who", who)];
            typed.extend(ticked.map(|field| (field, "on")));
            maria.submits(&page, INVITE, &typed).await
        }
    };
    let counts = || [BEN, MARIA, SAM].map(|address| mails(&yard, address).len());
    // Two clicks at once, one later, and the message told again.
    let both = futures::join!(sends(page.clone(), "people", None), sends(page.clone(), "people", None));
    let _ = (both.0.is(303), both.1.is(303));
    yard.settle().await;
    assert_eq!(counts(), [1, 1, 0]);
    let _ = sends(page.clone(), "people", None).await.is(303);
    let _ = sends(page.clone(), "dealers", None).await.is(303);
    yard.settle().await;
    let hudson = Invitee::Dealer(DealerId::new("hudson").unwrap());
    let kept = yard.cloud.store.invitation_get(&yard.company_id(), &hudson).await.unwrap().unwrap();
    for _ in 0..2 {
        let (company, to, act) = (yard.company_id(), hudson.clone(), kept.act);
        let message = ToDelivery::Invitation { company, to, act };
        yard.cloud.queues.to_delivery(message, "acme/invitations", 0).await.unwrap();
    }
    yard.settle().await;
    assert_eq!(counts(), [1, 1, 1]);
    assert!(mails(&yard, SAM)[0].text.contains("inbox of the leads"), "{}", mails(&yard, SAM)[0].text);
    assert_eq!(made(&yard).await.len(), 2);

    // Another act is another mail; the page of before invites nobody who was invited since.
    yard.advance(MINUTE).await;
    let later = maria.opens(PEOPLE).await.is(200);
    let _ = sends(later, "ticked", Some("person.ben")).await.is(303);
    let _ = sends(page.clone(), "ticked", Some("person.ben")).await.is(303);
    yard.settle().await;
    assert_eq!(counts(), [2, 1, 1]);
    // Nor does one that was opened after another, and before that was sent.
    yard.advance(MINUTE).await;
    let first = maria.opens(PEOPLE).await.is(200);
    yard.advance(MINUTE).await;
    let second = maria.opens(PEOPLE).await.is(200);
    yard.advance(MINUTE).await;
    for opened in [first, second] {
        let _ = sends(opened, "ticked", Some("person.ben")).await.is(303);
        yard.settle().await;
    }
    assert_eq!(counts(), [3, 1, 1]);
    // Nobody is ticked; a form of no page, or of a time to come.
    let _ = sends(page, "ticked", None).await.is(400);
    let csrf = maria.csrf().await;
    for once in ["", "x", "ffffffff-ffff-7fff-bfff-ffffffffffff"] {
        let form = format!("company=acme&who=people&once={once}&{csrf}");
        let _ = maria.sends(INVITE, &form).await.is(400);
    }
    yard.settle().await;
    assert_eq!(counts(), [3, 1, 1]);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_mail_that_comes_back_or_is_not_sent_is_said_beside_its_person() {
    let people = format!(
        "ben,{BEN},desk\nrita,{RITA},reader\nlost,lost@desk.example,reader\nspam,spam@desk.example,desk\n"
    );
    let yard = Yard::of(with_sender(&people)).await;
    let mail = yard.aws.mail();
    mail.says(BEN, MailSays::Returns(Returns::Bounced));
    mail.says(RITA, MailSays::Rejects);
    mail.says("lost@desk.example", MailSays::Hangs);
    mail.says("spam@desk.example", MailSays::Returns(Returns::Complained));
    mail.says(MARIA, MailSays::Returns(Returns::Replied));
    let maria = Browser::by_mail(&yard, MARIA).await;
    let page = maria.opens(PEOPLE).await.is(200);
    let sent = maria.submits(&page, INVITE, &[("who", "people")]).await.is(303);
    let under_way = maria.opens(sent.header("location")).await.is(200);
    assert!(beside(&under_way, "ben").ends_with(": the mail is on its way"), "{}", beside(&under_way, "ben"));
    yard.settle().await;
    let page = maria.opens(PEOPLE).await.is(200);
    for (id, said) in [
        ("ben", ": the mail came back (bounced)"),
        ("rita", ": not sent: MessageRejected"),
        ("lost", ": whether the mail was sent is not known: timeout"),
        ("spam", ": the mail came back (complained)"),
        // An automatic reply is the mailbox's.
        ("maria", "invited on Jun 1, 2026 by maria"),
    ] {
        assert!(beside(&page, id).ends_with(said), "{id}: {}", beside(&page, id));
    }
    // And by the API.
    let told = yard.desk(Method::GET, "/v1/invitations", None).await.is(200).json;
    let of = |id: &str| told["invitations"].as_array().unwrap().iter().find(|one| one["id"] == id).unwrap();
    assert_eq!(
        (&of("ben")["invited"]["came_back"], &of("ben")["kind"]),
        (&json!("bounced"), &json!("person"))
    );
    assert_eq!(of("rita")["invited"]["attempt"]["end"], "not_received");
    assert_eq!(of("lost")["invited"]["attempt"]["what"], "timeout");
    assert_eq!((&of("maria")["invited"]["by"], &of("maria")["takes_mail"]), (&json!("maria"), &json!(true)));
    assert!(!told.to_string().contains('@'), "{told}");
    // Who was sent nothing is offered with all; whose mail came back is not.
    assert!(page.text.contains("Invite all people not invited yet (1)"), "{}", page.text);
    mail.says(RITA, MailSays::Accepts);
    yard.advance(MINUTE).await;
    let page = maria.opens(PEOPLE).await.is(200);
    let _ = maria.submits(&page, INVITE, &[("who", "people")]).await.is(303);
    yard.settle().await;
    assert_eq!((mails(&yard, RITA).len(), mails(&yard, BEN).len()), (1, 1));
    let page = maria.opens(PEOPLE).await.is(200);
    assert_eq!(beside(&page, "rita"), "invited on Jun 1, 2026 by maria");
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_act_invites_so_many_and_names_the_rest_for_the_next() {
    let people = (10..limits::INVITATIONS + 15).map(|n| format!("p{n},p{n}@desk.example,desk\n"));
    let people = people.collect::<Vec<_>>().concat();
    let yard = Yard::of(with_sender(&people)).await;
    let maria = Browser::by_mail(&yard, MARIA).await;
    let page = maria.opens(PEOPLE).await.is(200);
    let all = || yard.aws.mail().caught().len();
    // With maria they are six more than one act invites. The same form again invites nobody of them.
    for _ in 0..2 {
        let first = maria.submits(&page, INVITE, &[("who", "people")]).await.is(200);
        yard.settle().await;
        assert_eq!(all(), limits::INVITATIONS);
        assert!(first.text.contains(": p59, p60, p61, p62, p63, p64."), "{}", first.text);
        assert_eq!(first.text.matches(" checked> <strong>p6").count(), 5, "they are ticked: {}", first.text);
    }
    yard.advance(MINUTE).await;
    let page = maria.opens(PEOPLE).await.is(200);
    let _ = maria.submits(&page, INVITE, &[("who", "people")]).await.is(303);
    yard.settle().await;
    assert_eq!(all(), limits::INVITATIONS + 6);
    let mut to: Vec<String> = yard.aws.mail().caught().into_iter().map(|mail| mail.to).collect();
    to.sort();
    to.dedup();
    assert_eq!(to.len(), limits::INVITATIONS + 6, "each once");
    assert_eq!(made(&yard).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn of_many_people_a_page_has_some_and_the_others_are_found() {
    let people = (1..limits::PEOPLE).map(|n| format!("p{n:03},p{n:03}@desk.example,desk\n"));
    let yard = Yard::of(with_sender(&people.collect::<String>())).await;
    let maria = Browser::by_mail(&yard, MARIA).await;
    let is_listed = |page: &Reply, id: &str| page.text.contains(&format!("<strong>{id}</strong>"));
    let page = maria.opens(PEOPLE).await.is(200);
    assert!(page.text.len() < 60_000, "{} bytes", page.text.len());
    assert!(is_listed(&page, "maria") && is_listed(&page, "p049") && !is_listed(&page, "p050"));
    assert!(page.text.contains("50 shown of 500."), "{}", page.text);
    // All of them are still counted, and invited by one button.
    assert!(page.text.contains("Invite all people not invited yet (500)"), "{}", page.text);
    let next = "/console/people?company=acme&#38;after=p049";
    assert!(page.text.contains(next), "{}", page.text);
    let next = maria.opens("/console/people?company=acme&after=p449").await.is(200);
    assert!(is_listed(&next, "p450") && is_listed(&next, "p499") && !next.text.contains("Further down"));
    // By a part of the id or of the address, in any case; who is found is invited.
    let found = maria.submits(&page, "/console/people/find", &[("named", " P321@Desk")]).await.is(200);
    assert!(is_listed(&found, "p321") && found.text.contains("1 shown of 1."), "{}", found.text);
    let _ = maria.submits(&found, INVITE, &[("who", "ticked"), ("person.p321", "on")]).await.is(303);
    yard.settle().await;
    assert_eq!(mails(&yard, "p321@desk.example").len(), 1);
    let nobody = maria.submits(&page, "/console/people/find", &[("named", "zebra")]).await.is(200);
    assert!(nobody.text.contains("No such person.") && nobody.text.contains("All people"), "{}", nobody.text);
    // Who is ticked in a form that is shown again comes first.
    let again = [("who", "ticked"), ("person.p400", "on"), ("once", "of no page")];
    let again = maria.submits(&page, INVITE, &again).await.is(400);
    assert!(again.text.contains("name=\"person.p400\" checked"), "{}", again.text);
}

#[tokio::test(start_paused = true)]
async fn what_the_queue_did_not_take_is_handed_on_by_the_same_form() {
    let yard = Yard::of(with_sender("")).await;
    let maria = Browser::by_mail(&yard, MARIA).await;
    let page = maria.opens(PEOPLE).await.is(200);
    yard.faults.queues(true);
    let refused = maria.submits(&page, INVITE, &[("who", "dealers")]).await.is(503);
    assert!(refused.text.contains("invite those who are ticked once more"), "{}", refused.text);
    assert!(refused.text.contains("name=\"dealer.hudson\" checked"), "{}", refused.text);
    yard.faults.queues(false);
    yard.settle().await;
    assert_eq!(mails(&yard, SAM).len(), 0);
    // The page that said so carries the same act.
    let _ = maria.submits(&refused, INVITE, &[("who", "dealers")]).await.is(303);
    let _ = maria.submits(&refused, INVITE, &[("who", "dealers")]).await.is(303);
    yard.settle().await;
    assert_eq!((mails(&yard, SAM).len(), made(&yard).await.len()), (1, 1));
    // One that was never handed on is said and offered again, after a while.
    yard.advance(MINUTE).await;
    let page = maria.opens(PEOPLE).await.is(200);
    yard.faults.queues(true);
    let _ = maria.submits(&page, INVITE, &[("who", "people")]).await.is(503);
    yard.faults.queues(false);
    yard.advance(MINUTE * 20).await;
    let page = maria.opens(PEOPLE).await.is(200);
    assert!(beside(&page, "maria").ends_with("delivery did not get to it"), "{}", beside(&page, "maria"));
    assert!(page.text.contains("Invite all people not invited yet (1)"), "{}", page.text);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_offered_without_a_sender_or_an_address_of_the_console() {
    let without = Yard::of(rules("")).await;
    let mut lost = Yard::of(with_sender("")).await;
    let knows = lost.clone();
    lost.knows_no_console().await;
    for (yard, why) in [(&without, "the rulebook names no sender of mail"), (&lost, "LEADYARD_CONSOLE_URL")] {
        let maria = Browser::by_mail(yard, MARIA).await;
        let page = maria.opens(PEOPLE).await.is(200);
        assert!(
            page.text.contains("Nobody can be invited by mail") && page.text.contains(why),
            "{}",
            page.text
        );
        for offered in ["name=\"invite\"", "name=\"who\"", "name=\"person.", "name=\"dealer."] {
            assert!(!page.text.contains(offered), "{why}: {offered}: {}", page.text);
        }
        let refused = maria.submits(&page, INVITE, &[("who", "people")]).await.is(400);
        assert!(refused.text.contains(why), "{}", refused.text);
        yard.settle().await;
        assert_eq!(yard.aws.mail().caught().len(), 0);
    }
    // A delivery that does not know it says so, and sends no mail without a link.
    let maria = Browser::by_mail(&knows, MARIA).await;
    let page = maria.opens(PEOPLE).await.is(200);
    let _ = maria.submits(&page, INVITE, &[("who", "dealers")]).await.is(303);
    lost.settle().await;
    let page = maria.opens(PEOPLE).await.is(200);
    assert!(beside(&page, "hudson").ends_with("not sent: no console url"), "{}", beside(&page, "hudson"));
    assert_eq!(knows.aws.mail().caught().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_program_invites_by_an_act_of_its_own_and_once() {
    let yard = Yard::of(with_sender("ben,ben@desk.example,desk\n")).await;
    let asks = |body: Value| yard.desk(Method::POST, "/v1/invitations", Some(body));
    let named =
        json!({ "people": ["ben"], "dealers": ["hudson"], "act": "018f0000-0000-7000-8000-000000000000" });
    for _ in 0..2 {
        let done = asks(named.clone()).await.is(202);
        assert_eq!(done.json["left"], json!({ "people": [], "dealers": [] }));
        yard.settle().await;
        assert_eq!((mails(&yard, BEN).len(), mails(&yard, SAM).len()), (1, 1));
    }
    assert_eq!(made(&yard).await.len(), 1);
    let _ = asks(json!({ "people": ["ben"] })).await.is(202);
    yard.settle().await;
    assert_eq!((mails(&yard, BEN).len(), mails(&yard, SAM).len()), (2, 1));
    // Of a program whose clock is ahead he is invited before the act's own time; then the same act, and an earlier one.
    let now = yard.cloud.clock.now();
    let ahead = |seconds| ActId::mint(now.checked_add(SignedDuration::from_secs(seconds)).unwrap(), [7; 10]);
    for act in [ahead(50), ahead(50), ahead(40)] {
        let _ = asks(json!({ "people": ["ben"], "act": act })).await.is(202);
        yard.settle().await;
        assert_eq!(mails(&yard, BEN).len(), 3);
    }
    for (body, said) in [
        (json!({ "dealers": ["ridge"] }), "no dealer ridge has an address"),
        (json!({}), "nobody is named"),
        (json!({ "people": ["maria"], "act": "ffffffff-ffff-7fff-bfff-ffffffffffff" }), "of a time to come"),
    ] {
        let refused = asks(body).await.is(400);
        assert!(refused.text.contains(said), "{}", refused.text);
    }
    let _ = asks(json!({ "all": true })).await.is(400);
}
