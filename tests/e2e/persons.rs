//! Who is the same person: leads, repeats and cycles.

use std::time::Duration;

use http::Method;
use leadyard_domain::identity::{IdentityHash, IdentityKey};
use leadyard_domain::person::Email;
use leadyard_tests::{Person, Rules, Says, Yard};
use serde_json::json;

const DAY: Duration = Duration::from_secs(24 * 3_600);

fn rules() -> Rules {
    Rules::roofing("acme")
        .offer("gutter", "roofing", "")
        .seller("hudson", [("offers", "roof"), ("tier", "1")])
        .seller("ridge", [("tier", "2"), ("offers", "gutter")])
}

async fn yard() -> Yard {
    Yard::of(rules()).await
}

/// One that lets everybody in, however made up or insistent.
async fn open_yard() -> Yard {
    let weights = "[weights]\ndummy_email = 0\ndummy_phone = 0\nno_real_contact = 0\nidentity_velocity = 0\n";
    Yard::of(rules().file("screening.toml", weights)).await
}

/// Posts with the secret: what it was (`received`, `repeat`) and the lead.
async fn asks(yard: &Yard, person: &Person) -> (String, String) {
    let reply = yard.server("web").posts(person).await;
    (reply.text_of("status").to_owned(), reply.text_of("lead").to_owned())
}

#[tokio::test(start_paused = true)]
async fn twenty_posts_of_one_person_at_one_moment_are_one_lead_and_twenty_enquiries() {
    let yard = yard().await;
    let (server, ada) = (yard.server("web"), Person::named("Ada", "Hill"));
    let replies = futures::future::join_all((0..20).map(|_| server.posts(&ada))).await;
    let mut leads: Vec<&str> = replies.iter().map(|reply| reply.text_of("lead")).collect();
    assert_eq!(replies.iter().filter(|reply| reply.text_of("status") == "received").count(), 1);
    leads.sort_unstable();
    leads.dedup();
    assert_eq!(leads.len(), 1, "{leads:?}");
    yard.settle().await;
    assert_eq!(yard.story(leads[0]).await.enquiries(), 20);
    assert_eq!(yard.told("hudson").iter().filter(|told| told.event == "lead.assigned").count(), 1);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn asking_again_is_a_repeat_that_the_holder_is_told_and_no_counter_feels() {
    let yard = yard().await;
    let ada = Person::named("Ada", "Hill");
    let lead = yard.settled_lead(&ada).await;
    yard.advance(DAY).await;
    let again = ada.clone().with("message", "still leaking").with("city", "Miami");
    assert_eq!(asks(&yard, &again).await, ("repeat".to_owned(), lead.clone()));
    yard.settle().await;

    let told = yard.told("hudson");
    assert_eq!(
        told.iter().map(|told| told.event.as_str()).collect::<Vec<_>>(),
        ["lead.assigned", "lead.repeated"]
    );
    assert!(told[1].signed && told[1].id != told[0].id);
    assert_eq!(told[1].body["data"]["message"], "still leaking");
    let story = yard.story(&lead).await;
    assert_eq!((story.cycle(), story.assignments().len(), yard.taken("hudson", 4).await), (1, 1, 1));
    assert_eq!(story.0["person"]["city"], "Miami"); // a blank was filled
}

#[tokio::test(start_paused = true)]
async fn outside_the_window_a_new_cycle_makes_earlier_holders_eligible_again() {
    let yard = yard().await;
    let ada = Person::named("Ada", "Hill");
    let lead = yard.settled_lead(&ada).await;
    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.waiting(), "excluded");

    yard.advance(DAY * 31).await;
    assert_eq!(asks(&yard, &ada).await, ("received".to_owned(), lead.clone()));
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.cycle(), story.stage(), story.holders()), (2, "assigned", vec!["hudson"]));
}

#[tokio::test(start_paused = true)]
async fn who_moved_and_asks_anew_is_sold_where_they_are_and_who_had_them_before_does_not_hear_of_it() {
    let rules = Rules::roofing("acme")
        .seller("hudson", [("area", "state:FL")])
        .seller("ridge", [("area", "state:NY"), ("territory", "protected")]);
    let yard = Yard::of(rules).await;
    let ada = Person::named("Ada", "Hill").with("phone", "305-555-0100").with("street", "7 Palm Row");
    let lead = yard.settled_lead(&ada).await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    yard.advance(DAY * 100).await;
    let moved = Person::named("Ada", "Hill").with("phone", "212-555-0199").with("zip", "10001");
    assert_eq!(asks(&yard, &moved).await, ("received".to_owned(), lead.clone()));
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.cycle(), story.holders()), (2, vec!["ridge"]));
    let told = yard.told("ridge").pop().unwrap();
    let (person, address) = (&told.body["data"]["person"], &told.body["data"]["address"]);
    assert_eq!((&person["phone"], &address["zip"]), (&json!("+12125550199"), &json!("10001")));
    assert_eq!(address["street"], json!(null), "{address}");
    let inbox = yard.dealer("hudson", Method::GET, "/v1/inbox", None).await.is(200);
    assert!(inbox.text.contains("+13055550100"), "{}", inbox.text);
    for new in ["2125550199", "10001"] {
        assert!(!inbox.text.contains(new), "{new}: {}", inbox.text);
    }
}

#[tokio::test(start_paused = true)]
async fn within_the_window_a_dealer_that_declined_does_not_get_the_repeat() {
    let yard = yard().await;
    let ada = Person::named("Ada", "Hill");
    let lead = yard.settled_lead(&ada).await;
    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    yard.advance(DAY * 20).await;
    assert_eq!(asks(&yard, &ada).await.0, "repeat");
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.assignments().len()), ("waiting", 1));
}

#[tokio::test(start_paused = true)]
async fn a_phone_joins_when_the_e_mails_do_not_contradict_and_the_surnames_agree() {
    let yard = yard().await;
    let ada = Person::named("Ada", "Hill").with("phone", "305-555-0100");
    let lead = yard.settled_lead(&ada).await;
    let by_phone = Person::named("A.", "Hill").without("email").with("phone", "(305) 555-0100");
    assert_eq!(asks(&yard, &by_phone).await, ("repeat".to_owned(), lead.clone()));

    // Another e-mail contradicts; another surname disagrees: a new lead, and both are flagged.
    let spouse = Person::named("Ben", "Hill").with("phone", "305-555-0100");
    let (status, other) = asks(&yard, &spouse).await;
    assert_eq!(status, "received");
    assert_ne!(other, lead);
    assert!(yard.story(&lead).await.possible_duplicate() && yard.story(&other).await.possible_duplicate());
}

#[tokio::test(start_paused = true)]
async fn a_phone_with_another_surname_is_another_lead_and_both_are_flagged() {
    let yard = yard().await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill").with("phone", "305-555-0100")).await;
    let tenant = Person::named("Cy", "Moss").without("email").with("phone", "305-555-0100");
    let (status, other) = asks(&yard, &tenant).await;
    assert_eq!(status, "received");
    assert_ne!(other, lead);
    assert!(yard.story(&lead).await.possible_duplicate() && yard.story(&other).await.possible_duplicate());
}

#[tokio::test(start_paused = true)]
async fn an_e_mail_seen_with_three_surnames_identifies_nobody() {
    let yard = yard().await;
    let office = |first: &str, last: &str| Person::named(first, last).with("email", "info@firm.example");
    let (_, first) = asks(&yard, &office("Ada", "Hill")).await;
    assert_eq!(asks(&yard, &office("Cy", "Moss")).await, ("repeat".to_owned(), first.clone()));
    let (status, third) = asks(&yard, &office("Di", "Reed")).await;
    assert_eq!(status, "received");
    assert_ne!(third, first);
    // Nor does it any more for the first of them.
    let (status, again) = asks(&yard, &office("Ada", "Hill")).await;
    assert_eq!(status, "received");
    assert_ne!(again, first);
}

#[tokio::test(start_paused = true)]
async fn a_dummy_address_identifies_nobody() {
    let yard = open_yard().await;
    let nobody =
        Person::named("Ada", "Hill").with("email", "test@mail.example").with("phone", "305-555-1212");
    let (_, one) = asks(&yard, &nobody).await;
    let (status, other) = asks(&yard, &nobody).await;
    assert_eq!(status, "received");
    assert_ne!(one, other);
}

#[tokio::test(start_paused = true)]
async fn an_offer_the_holder_does_not_take_starts_a_second_lead_of_that_person() {
    let yard = yard().await;
    let ada = Person::named("Ada", "Hill");
    let roof = yard.settled_lead(&ada).await;
    let (status, gutter) = asks(&yard, &ada.clone().with("offer", "gutter")).await;
    assert_eq!(status, "received");
    assert_ne!(gutter, roof);
    yard.settle().await;
    assert_eq!(yard.story(&roof).await.holders(), ["hudson"]);
    assert_eq!(yard.story(&gutter).await.holders(), ["ridge"]);
    // Later repeats join their offer's lead, else the category's.
    assert_eq!(asks(&yard, &ada.clone().with("offer", "gutter")).await, ("repeat".to_owned(), gutter));
    assert_eq!(asks(&yard, &ada).await, ("repeat".to_owned(), roof));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_one_offer_and_asks_for_another_that_can_be_had_has_it() {
    let rules = Rules::company("acme")
        .offer("roof", "home", "")
        .offer("gutter", "home", "")
        .source("web", "offer = \"roof\"")
        .seller("ridge", [("offers", "gutter"), ("cap_total", "1")]);
    let yard = Yard::of(rules).await;
    let ada = Person::named("Ada", "Hill");
    let roof = yard.settled_lead(&ada).await;
    assert_eq!(yard.story(&roof).await.stage(), "waiting");
    let (status, gutter) = asks(&yard, &ada.clone().with("offer", "gutter")).await;
    assert_eq!((status.as_str(), gutter == roof), ("received", false));
    yard.settle().await;
    assert_eq!(yard.story(&gutter).await.holders(), ["ridge"]);
    // Nobody has room for the next: it waits as the lead it is.
    let ben = Person::named("Ben", "Ford");
    let roof = yard.settled_lead(&ben).await;
    assert_eq!(asks(&yard, &ben.with("offer", "gutter")).await, ("repeat".to_owned(), roof));
}

#[tokio::test(start_paused = true)]
async fn however_often_somebody_asks_each_repeat_is_told_under_an_id_of_its_own() {
    let yard = open_yard().await;
    let ada = Person::named("Ada", "Hill");
    yard.settled_lead(&ada).await;
    for _ in 0..103 {
        let _ = yard.server("web").posts(&ada).await.is(200);
    }
    yard.settle().await;
    let told = yard.told("hudson");
    let ids: std::collections::BTreeSet<_> = told.iter().map(|told| &told.id).collect();
    assert_eq!((told.len(), ids.len()), (104, 104));
}

#[tokio::test(start_paused = true)]
async fn where_the_scope_is_the_offer_two_offers_are_two_leads() {
    let rules = Rules::roofing("acme").with("scope = \"offer\"").offer("gutter", "roofing", "");
    let yard = Yard::of(rules.seller("hudson", [])).await;
    let ada = Person::named("Ada", "Hill");
    let roof = yard.settled_lead(&ada).await;
    let (status, gutter) = asks(&yard, &ada.clone().with("offer", "gutter")).await;
    assert_eq!(status, "received");
    assert_ne!(gutter, roof);
    assert_eq!(asks(&yard, &ada.clone().with("offer", "gutter")).await, ("repeat".to_owned(), gutter));
    assert_eq!(asks(&yard, &ada).await, ("repeat".to_owned(), roof));
}

#[tokio::test(start_paused = true)]
async fn a_second_lead_is_found_by_the_phone_it_was_opened_with_and_by_the_e_mail_that_came_later() {
    let yard = yard().await;
    let ada = Person::named("Ada", "Hill").with("phone", "+1 305 555 2001");
    let (by_phone, by_email) = (ada.clone().without("email"), ada.clone().without("phone"));
    let roof = yard.settled_lead(&by_phone).await;
    let (_, gutter) = asks(&yard, &by_phone.clone().with("offer", "gutter")).await;
    yard.settle().await;
    // The category's lead learns the e-mail; the offer's does not know it yet.
    assert_eq!(asks(&yard, &ada).await, ("repeat".to_owned(), roof.clone()));
    for person in [&ada, &by_email, &by_phone] {
        let asked = asks(&yard, &person.clone().with("offer", "gutter")).await;
        assert_eq!(asked, ("repeat".to_owned(), gutter.clone()));
        assert_eq!(asks(&yard, person).await, ("repeat".to_owned(), roof.clone()));
    }
    for lead in [&roof, &gutter] {
        assert_eq!(
            yard.story(lead).await.0["possible_duplicate"],
            false,
            "one's own second lead is no duplicate"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeat_reaches_a_holder_whose_server_was_away_later() {
    let yard = yard().await;
    let ada = Person::named("Ada", "Hill");
    yard.settled_lead(&ada).await;
    yard.dealer_says("hudson", Says::IsShut);
    asks(&yard, &ada).await;
    yard.settle().await;
    yard.dealer_says("hudson", Says::Status(200));
    yard.advance(Duration::from_secs(120)).await;
    assert_eq!(yard.told("hudson").iter().filter(|told| told.event == "lead.repeated").count(), 1);
}

/// Hudson takes roofs from all of New York, Ridge from New Jersey.
async fn two_states() -> Yard {
    let rules = Rules::roofing("acme")
        .offer("gutter", "roofing", "")
        .seller("hudson", [("area", "state:NY")])
        .seller("ridge", [("area", "state:NJ"), ("tier", "9")]);
    Yard::of(rules).await
}

#[tokio::test(start_paused = true)]
async fn who_turns_out_to_live_elsewhere_is_still_its_holders() {
    let yard = two_states().await;
    let ada = Person::named("Ada", "Hill").without("zip").with("state", "NY");
    let lead = yard.lead(&ada).await;
    yard.dealer_says("hudson", Says::Status(500));
    yard.settle().await;
    // Before the first delivery has ended she asks again, and now gives a ZIP in New Jersey.
    let moved = ada.clone().with("zip", "07030");
    assert_eq!(asks(&yard, &moved).await, ("repeat".to_owned(), lead.clone()));
    assert_eq!(asks(&yard, &moved.with("offer", "gutter")).await, ("repeat".to_owned(), lead.clone()));
    yard.dealer_says("hudson", Says::Status(200));
    yard.advance(Duration::from_secs(180)).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.holders(), ["hudson"]);
    assert_eq!(story.attempts("hudson"), ["unknown", "received"]);
    assert_eq!(yard.told("hudson").iter().filter(|told| told.event == "lead.repeated").count(), 2);
    assert!(yard.told("ridge").is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_turns_out_to_live_elsewhere_is_withdrawn_from_who_may_hold_the_lead() {
    let yard = two_states().await;
    let ada = Person::named("Ada", "Hill").without("zip").with("state", "NY");
    let lead = yard.lead(&ada).await;
    yard.dealer_says("hudson", Says::Status(500));
    yard.settle().await;
    asks(&yard, &ada.with("zip", "07030")).await;
    yard.advance(Duration::from_secs(900)).await;
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
    let told = yard.told("hudson");
    assert_eq!(told.last().unwrap().event, "lead.withdrawn");
}

#[tokio::test(start_paused = true)]
async fn a_shared_lead_that_one_dealer_lost_is_not_sold_to_it_again_nor_more_often_than_agreed() {
    let mut rules = Rules::roofing("acme");
    for dealer in ["hudson", "ridge", "crest", "grove"] {
        rules = rules.seller(dealer, [("sale", "shared:2")]);
    }
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    let first: Vec<String> = yard.story(&lead).await.holders().iter().map(ToString::to_string).collect();
    let _ = yard.answers(&first[0], &lead, "lost").await.is(200);
    let _ = yard.answers(&first[1], &lead, "decline").await.is(200);
    yard.advance(Duration::from_secs(60)).await;
    let story = yard.story(&lead).await;
    let holders = story.holders();
    assert_eq!(holders.len(), 1, "one of two seats is lost, the other was given back: {holders:?}");
    assert!(!first.iter().any(|dealer| dealer == holders[0]));
    assert_eq!(story.assignments().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_again_after_expiring_unsold_is_sold_though_the_window_grew() {
    let rules = |days: &str| {
        Rules::roofing("acme").with(&format!("window_days = {days}")).seller("hudson", [("cap_total", "1")])
    };
    let yard = Yard::of(rules("10")).await;
    yard.settled_lead(&Person::number(1)).await;
    let ada = Person::named("Ada", "Hill");
    let lead = yard.settled_lead(&ada).await;
    yard.advance(Duration::from_secs(11 * 86_400)).await;
    assert_eq!(yard.story(&lead).await.stage(), "expired");
    let _ = yard.publish(&rules("60").seller("ridge", [])).await.is(200);
    assert_eq!(asks(&yard, &ada).await, ("received".to_owned(), lead.clone()));
    yard.settle().await;
    assert_eq!(
        (yard.story(&lead).await.holders(), yard.story(&lead).await.0["cycle"].as_u64()),
        (vec!["ridge"], Some(2))
    );
}

#[tokio::test(start_paused = true)]
async fn a_placeholder_of_many_people_keeps_no_more_surnames_than_it_takes_to_know_it_for_one() {
    let yard = yard().await;
    let placeholder = "office@mail.example.org";
    for n in 0..9 {
        asks(&yard, &Person::named("Ada", &format!("Surname{n}")).with("email", placeholder)).await;
    }
    let key = IdentityKey::from_bytes(yard.cloud.master.derive("leadyard/identity/v1"));
    let email = Email::parse(placeholder).unwrap();
    let hash = IdentityHash::of_email(&key, &yard.company_id(), &email);
    let scopes = yard.cloud.store.identity_scopes(&hash).await.unwrap();
    assert_eq!(scopes[0].surnames.len(), 3);
}

/// Wants consent, and pays for whoever can be called.
fn pages_of_a_form() -> Rules {
    Rules::roofing("acme").seller("hudson", [("needs", "consent"), ("min_band", "A3")])
}

#[tokio::test(start_paused = true)]
async fn an_e_mail_on_the_first_page_of_a_form_and_the_rest_on_the_next_are_one_complete_lead() {
    let yard = Yard::of(pages_of_a_form()).await;
    let page = Person::named("", "").with("email", "ada@mail.example").without("zip");
    let lead = yard.settled_lead(&page).await;
    assert_eq!((yard.story(&lead).await.stage(), yard.told("hudson").len()), ("waiting", 0));
    yard.advance(Duration::from_secs(90)).await;
    let next = Person::named("Ada", "Hill")
        .with("email", "ada@mail.example")
        .with("phone", "305-555-0100")
        .with("message", "the roof leaks")
        .with("consent", "yes")
        .with("consent_text", "call me")
        .with("roof_age", "20");
    assert_eq!(asks(&yard, &next).await, ("repeat".to_owned(), lead.clone()));
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), story.enquiries(), story.cycle()), (vec!["hudson"], 2, 1));
    assert!(story.band().starts_with('A'), "what it is worth is judged on all pages: {}", story.band());
    let told = yard.told("hudson");
    assert_eq!(told.iter().map(|told| told.event.as_str()).collect::<Vec<_>>(), ["lead.assigned"]);
    let data = &told[0].body["data"];
    assert_eq!((&data["message"], &data["extra"]["roof_age"]), (&"the roof leaks".into(), &"20".into()));
    assert_eq!((&data["consent"]["given"], &data["consent"]["text"]), (&true.into(), &"call me".into()));
    assert_eq!(
        (&data["person"]["phone"], &data["address"]["zip"]),
        (&"+13055550100".into(), &"33101".into())
    );
}

const CERTIFICATE: &str = "https://cert.trustedform.com/0123456789abcdef0123456789abcdef01234567";
const LEADID: &str = "11111111-2222-4333-8444-555555555555";

/// A page's script makes the certificate, and hands it over with whichever page is sent when it is ready: with the yes,
/// before it or after it.
#[tokio::test(start_paused = true)]
async fn a_certificate_of_one_page_of_a_form_and_the_yes_of_another_go_to_the_dealer_together() {
    let certificate = [("xxTrustedFormCertUrl", CERTIFICATE), ("universal_leadid", LEADID)];
    let yes = [("consent", "yes"), ("consent_text", "call me")];
    for (first, next) in [(yes, certificate), (certificate, yes)] {
        let rules = Rules::roofing("acme").seller("hudson", [("needs", "consent certificate")]);
        let yard = Yard::of(rules.with("certificate_days = 40")).await;
        let with = |page: &Person, parts: [(&str, &str); 2]| {
            parts.into_iter().fold(page.clone(), |page, (name, value)| page.with(name, value))
        };
        let page = Person::named("Ada", "Hill");
        let lead = yard.settled_lead(&with(&page, first)).await;
        assert_eq!((yard.story(&lead).await.waiting(), yard.told("hudson").len()), ("needs", 0));
        yard.advance(Duration::from_secs(90)).await;
        let _ = asks(&yard, &with(&page, next)).await;
        yard.settle().await;
        let consent = &yard.told("hudson")[0].body["data"]["consent"];
        let whole = serde_json::json!({
            "given": true, "text": "call me", "certificate": CERTIFICATE, "leadid": LEADID,
        });
        assert_eq!(*consent, whole);
        yard.advance(DAY * 27).await;
        assert_eq!(yard.story(&lead).await.0["certificate"]["warning"], "expires_soon");
    }
}

#[tokio::test(start_paused = true)]
async fn who_holds_what_the_first_page_said_is_told_its_certificate_and_the_yes() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", []).with("certificate_days = 40")).await;
    let page = Person::named("Ada", "Hill");
    let lead = yard.settled_lead(&page).await;
    let next = page.clone().with("xxTrustedFormCertUrl", CERTIFICATE).with("consent", "yes");
    for said in [next.with("consent_text", "call me"), page] {
        yard.advance(Duration::from_secs(90)).await;
        let _ = asks(&yard, &said).await;
        yard.settle().await;
    }
    let told = yard.told("hudson");
    let events: Vec<&str> = told.iter().map(|told| told.event.as_str()).collect();
    assert_eq!(events, ["lead.assigned", "lead.repeated", "lead.repeated"]);
    let whole = serde_json::json!({ "given": true, "text": "call me", "certificate": CERTIFICATE });
    assert_eq!(told[1].body["data"]["consent"], whole);
    assert_eq!(told[2].body["data"].get("consent"), None, "what the dealer knows is not said again");
    yard.advance(DAY * 27).await;
    assert_eq!(yard.story(&lead).await.0["certificate"]["warning"], "expires_soon");
    let changes = yard.desk(http::Method::GET, "/v1/changes", None).await.is(200).json;
    let soon = |change: &&serde_json::Value| change["act"] == "certificate_expires_soon";
    assert_eq!(changes["changes"].as_array().unwrap().iter().filter(soon).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_comes_later_or_from_elsewhere_is_a_request_of_its_own() {
    let rules = Rules::roofing("acme").seller("hudson", [("needs", "consent")]);
    let rules = rules.source("partner", "offer = \"roof\"");
    let page = Person::named("Ada", "Hill").without("phone");
    let rest = page.clone().with("phone", "305-555-0100").with("consent", "yes").with("message", "call me");
    for (after, source) in [(Duration::from_secs(61 * 60), "web"), (Duration::from_secs(60), "partner")] {
        let yard = Yard::of(rules.clone()).await;
        let lead = yard.settled_lead(&page).await;
        yard.advance(after).await;
        assert_eq!(yard.server(source).posts(&rest).await.text_of("status"), "repeat");
        yard.settle().await;
        // Its consent is its own: what was asked without one is not sold with it.
        let story = yard.story(&lead).await;
        assert_eq!((story.stage(), story.waiting()), ("waiting", "needs"));
        assert_eq!(story.0["person"]["phone"], "+13055550100", "a blank is filled all the same");
    }
}

#[tokio::test(start_paused = true)]
async fn who_holds_what_the_first_page_said_is_told_the_rest() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let lead = yard.settled_lead(&Person::named("Ada", "Hill")).await;
    let rest = Person::named("Ada", "Hill").with("phone", "305-555-0100").with("city", "Miami");
    let _ = asks(&yard, &rest).await;
    yard.settle().await;
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    let told = yard.told("hudson");
    assert_eq!(told[1].event, "lead.repeated");
    assert_eq!(
        told[1].body["data"]["filled"],
        serde_json::json!({ "phone": "+13055550100", "city": "Miami" })
    );
}

#[tokio::test(start_paused = true)]
async fn after_lost_a_repeat_within_the_window_is_told_to_nobody_and_sold_to_nobody() {
    let yard = yard().await;
    let ada = Person::named("Ada", "Hill");
    let lead = yard.settled_lead(&ada).await;
    let _ = yard.answers("hudson", &lead, "lost").await.is(200);
    yard.advance(DAY * 20).await;
    assert_eq!(asks(&yard, &ada).await, ("repeat".to_owned(), lead.clone()));
    yard.advance(DAY).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.stage(), story.cycle(), story.assignments().len()), ("lost", 1, 1));
    assert_eq!(yard.told("hudson").len(), 1, "whoever has lost it has it no more");
    // Outside the window she is anybody's again, also its who lost her.
    yard.advance(DAY * 31).await;
    assert_eq!(asks(&yard, &ada).await, ("received".to_owned(), lead.clone()));
    yard.settle().await;
    let story = yard.story(&lead).await;
    assert_eq!((story.cycle(), story.holders(), yard.taken("hudson", 4).await), (2, vec!["hudson"], 2));
    let statement = yard.desk(http::Method::GET, "/v1/dealers/hudson/statement?month=2026-07", None).await;
    assert_eq!(statement.is(200).json["lines"].as_array().map(Vec::len), Some(1), "charged as new");
}
