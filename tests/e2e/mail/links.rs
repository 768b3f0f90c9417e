//! The links of a mail: whoever follows one changes nothing, whoever clicks answers once, and none shows who is
//! somebody else's.

use http::{Method, Uri};
use leadyard::aws::Caught;
use leadyard_domain::access::AnswerLink;
use leadyard_domain::lead::Answer;
use leadyard_tests::{Person, Reply, Yard};
use serde_json::json;

use super::{EMAIL, HOUR, MINUTE, PHONE, ada, by_mail, charged, mails};

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
