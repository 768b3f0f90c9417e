//! Form tokens: a form is timed, signed and for one person.

use std::time::Duration;

use leadyard_domain::ids::SourceId;
use leadyard_domain::screening::{ScreeningRules, Window};
use leadyard_tests::{Person, Sender, Yard};

use super::{HOUR, browser, rules, token, yard};

#[tokio::test(start_paused = true)]
async fn a_form_is_timed_signed_and_for_one_person() {
    let yard = Yard::of(rules().source("held", "offer = \"roof\"\nform_token = true")).await;
    let page = browser(&yard, "web", "203.0.113.7");
    let reasons = async |sender: &Sender, person: Person| {
        let reply = sender.posts(&person).await.is(201);
        yard.enquiry(reply.text_of("enquiry")).await.unwrap().reasons
    };
    let fresh = token(&page).await;
    // At once, as nobody types; after a second, as people do.
    assert_eq!(reasons(&page, Person::number(1).with("form_token", &fresh)).await, ["form_too_fast"]);
    yard.advance(Duration::from_secs(5)).await;
    assert!(reasons(&page, Person::number(1).with("form_token", &fresh)).await.is_empty());
    // A double click is the same person; another with the same form is half a sign, from elsewhere another half.
    assert!(reasons(&page, Person::number(1).with("form_token", &fresh)).await.is_empty());
    assert!(reasons(&page, Person::number(2).with("form_token", &fresh)).await.is_empty());
    let no_agent = yard.page("web").header("x-forwarded-for", "203.0.113.7");
    let found = reasons(&no_agent, Person::number(3).with("form_token", &fresh)).await;
    assert_eq!(found, ["form_token_reused", "no_agent"]);
    let away = yard.page("web").header("x-forwarded-for", "198.51.100.1");
    let found = reasons(&away, Person::number(4).with("form_token", &fresh)).await;
    assert_eq!(found, ["form_token_elsewhere", "no_agent"]);
    // Damaged, another source's, or not a token at all.
    let held = browser(&yard, "held", "203.0.113.7");
    for (sender, bad) in [(&page, format!("{fresh}A")), (&held, fresh.clone()), (&page, "ft".to_owned())] {
        let found = reasons(sender, Person::number(5).with("form_token", &bad)).await;
        assert_eq!(found, ["form_token_invalid"], "{bad}");
    }
    // Only a source that says so is held to it; then it is half a sign.
    let no_agent = yard.page("held");
    assert_eq!(reasons(&no_agent, Person::number(6)).await, ["form_token_missing", "no_agent"]);
    assert!(reasons(&held, Person::number(7)).await.is_empty());
    // However much later; and one that is first sent long after it was opened is nobody else's either.
    let late = yard.page("web").header("x-forwarded-for", "203.0.113.9");
    let opened = token(&late).await;
    for (n, hours, found) in [(11, 5, &[][..]), (11, 1, &[]), (12, 30, &["form_token_reused", "no_agent"])] {
        yard.advance(HOUR * hours).await;
        let sent = Person::number(n).with("form_token", &opened);
        assert_eq!(reasons(&late, sent).await, found, "{n}, {hours} hours later");
    }
    // A tab that stood open for weeks.
    let stale = token(&page).await;
    yard.advance(HOUR * 24 * 8).await;
    let old = yard.page("web");
    assert_eq!(
        reasons(&old, Person::number(8).with("form_token", &stale)).await,
        ["form_too_old", "no_agent"]
    );
    // A server is a program, and sends what it was sent.
    let _ = yard.server("web").posts(&Person::number(9).with("form_token", "ft")).await.is(201);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_said_of_a_token_costs_nothing_of_what_is_counted_beside_it() {
    let yard = yard().await;
    let page = browser(&yard, "web", "203.0.113.7");
    let opened = token(&page).await;
    yard.advance(Duration::from_secs(700)).await;
    for n in 0..10 {
        let _ = page.posts(&Person::number(n)).await.is(201);
    }
    // Where the token was opened does not answer.
    let held = yard.faults.hold("UpdateItem");
    let reply = page.posts(&Person::number(10).with("form_token", &opened)).await.is(201);
    held.arrives().await;
    assert_eq!(yard.enquiry(reply.text_of("enquiry")).await.unwrap().reasons, ["address_velocity"]);
}

#[tokio::test(start_paused = true)]
async fn of_a_token_that_is_sent_late_no_more_is_kept_than_that_two_sent_it() {
    let yard = yard().await;
    let (company, source) = (yard.company_id(), SourceId::new("web").unwrap());
    let now = yard.cloud.clock.now();
    let window = Window::of(&ScreeningRules::default().velocity, now, None);
    let mut people = Vec::new();
    for person in [1, 1, 2, 3, 4, 1] {
        let of = ([7; 8], [person; 8]);
        people.push(yard.cloud.store.window_token(&company, &source, window, of, now).await.unwrap());
    }
    assert_eq!(people, [1, 1, 2, 2, 2, 2]);
}
