//! Offers before they lapse: who has not accepted, however many there are, and how they are noted by when they lapse.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use leadyard_domain::ids::{AssignmentId, LeadId};
use leadyard_platform::store::{Item, Offer};
use leadyard_tests::{Browser, Person, Rules, Yard};

use super::counts_all;

#[tokio::test(start_paused = true)]
async fn leads_that_a_dealer_did_not_reach_are_shown_and_offers_before_they_lapse() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("deadline_minutes", "300")])).await;
    let [reached, open] = [1, 2].map(Person::number);
    let reached = yard.settled_lead(&reached).await;
    let open = yard.settled_lead(&open).await;
    let desk = Browser::of(&yard).await;
    let section = async |title: &str| {
        let page = desk.opens("/console/today").await.is(200);
        let list = page.text.split(title).nth(1).map(|rest| rest.split("<h3>").next().unwrap_or_default());
        list.unwrap_or_default().to_owned()
    };
    let held = section("Hottest with a dealer").await;
    assert!(held.contains(&reached) && held.contains(&open), "{held}");
    assert_eq!(section("Offers about to lapse").await, "", "five hours are long");
    let _ = yard.answers("hudson", &reached, "accept").await.is(200);
    assert!(section("Hottest with a dealer").await.contains(&reached), "a yes reaches nobody");
    let _ = yard.answers("hudson", &reached, "contacted").await.is(200);
    let held = section("Hottest with a dealer").await;
    assert!(!held.contains(&reached) && held.contains(&open), "{held}");
    yard.advance(Duration::from_secs(3 * 3_600 + 60)).await;
    let lapsing = section("Offers about to lapse").await;
    assert!(lapsing.contains(&open) && !lapsing.contains(&reached), "{lapsing}");
    assert!(lapsing.contains("in 118 min") || lapsing.contains("in 1 h"), "{lapsing}");
    let page = desk.opens("/console/today").await.is(200);
    assert!(page.text.contains("<strong>1</strong> offer lapses within 2 h"), "{}", page.text);
    assert!(page.text.contains("<strong>1</strong> with a dealer and not reached"), "{}", page.text);
    let _ = yard.answers("hudson", &open, "accept").await.is(200);
    assert_eq!(section("Offers about to lapse").await, "");
}

#[tokio::test(start_paused = true)]
async fn who_accepted_is_not_named_among_those_who_did_not() {
    let shared = [("deadline_minutes", "90"), ("sale", "shared:2")];
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", shared).seller("ridge", shared)).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/today").await.is(200).text;
    assert!(page.contains("</time> ridge has not accepted"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn an_offer_that_lapses_is_shown_however_many_leads_are_hotter() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("deadline_minutes", "300")])).await;
    yard.notes();
    let first = yard.settled_lead(&Person::number(1)).await;
    yard.advance(Duration::from_secs(60)).await;
    // More than are looked at of those that dealers have, and all of them asked later.
    for n in 2..=60 {
        let _ = yard.lead(&Person::number(n)).await;
    }
    yard.settle().await;
    yard.count().await;
    yard.advance(Duration::from_secs(3 * 3_600 + 60)).await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    let lapsing = async || {
        let page = desk.opens("/console/today").await.is(200);
        let list = page.text.split("Offers about to lapse").nth(1).unwrap_or_else(|| panic!("{}", page.text));
        let leads = list.split("<h3>").next().unwrap().split("/console/leads/").skip(1);
        leads.map(|lead| lead.split('"').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let soon = lapsing().await;
    assert_eq!((soon.first(), soon.len()), (Some(&first), 10), "{soon:?}");
    let page = desk.opens("/console/today").await.is(200);
    assert!(page.text.contains("<strong>30+</strong> offers lapse within 2 h"), "{}", page.text);
    // Accepted, it does not lapse: before reporting hears of it, and after.
    let _ = yard.answers("hudson", &first, "accept").await.is(200);
    assert!(!lapsing().await.contains(&first));
    yard.settle().await;
    yard.count().await;
    let store = &yard.cloud.store;
    let now = yard.cloud.clock.now();
    let later = now.checked_add(jiff::SignedDuration::from_hours(6)).unwrap();
    let noted = store.offers_lapsing(&yard.company_id(), now, later).await.unwrap();
    assert_eq!(noted.len(), 59);
    assert!(noted.iter().all(|offer| offer.lead.to_string() != first));
}

#[tokio::test(start_paused = true)]
async fn five_thousand_offers_that_lapse_in_one_quarter_of_an_hour_are_all_known() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let (store, now, company) = (&yard.cloud.store, yard.cloud.clock.now(), yard.company_id());
    let offer = |n: u16| {
        let mut id = [0; 16];
        id[14..].copy_from_slice(&n.to_be_bytes());
        let at = now.checked_add(jiff::SignedDuration::from_millis(60_000 + i64::from(n))).unwrap();
        Offer { at, lead: LeadId::from_bytes(id), cycle: 1, assignment: AssignmentId::from_bytes(id) }
    };
    let offers: Vec<Offer> = (0..5_000).map(offer).collect();
    for some in offers.chunks(500) {
        let made: Vec<(Offer, bool)> = some.iter().map(|offer| (*offer, true)).collect();
        store.offers_note(&company, &made).await.unwrap();
    }
    let later = now.checked_add(jiff::SignedDuration::from_hours(2)).unwrap();
    assert_eq!(store.offers_lapsing(&company, now, later).await.unwrap(), offers);
    // One that ends is named where it stands.
    store.offers_note(&company, &[(offers[7], false)]).await.unwrap();
    assert_eq!(store.offers_lapsing(&company, now, later).await.unwrap().len(), 4_999);
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_version_noted_of_a_quarter_is_read() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let (store, now, company) = (&yard.cloud.store, yard.cloud.clock.now(), yard.company_id());
    let at = now.checked_add(jiff::SignedDuration::from_mins(5)).unwrap();
    let (lead, assignment) = (LeadId::from_bytes([1; 16]), AssignmentId::from_bytes([2; 16]));
    let offer = Offer { at, lead, cycle: 1, assignment };
    store.offers_note(&company, &[(offer, true)]).await.unwrap();
    let (items, _) = store.scan_page(None).await.unwrap();
    let mut noted = items.into_iter().find(|item| item.contains_key(&format!("o_{assignment}"))).unwrap();
    let sk = noted["sk"].as_s().unwrap().clone();
    let gone = store.client().delete_item().table_name(store.table());
    let gone = gone.key("pk", noted["pk"].clone()).key("sk", noted["sk"].clone());
    gone.send().await.unwrap();
    assert_eq!(store.offers_lapsing(&company, now, at).await.unwrap(), []);
    // One item a quarter.
    noted.insert("sk".to_owned(), AttributeValue::S(sk.rsplit_once('#').unwrap().0.to_owned()));
    store.client().put_item().table_name(store.table()).set_item(Some(noted)).send().await.unwrap();
    assert_eq!(store.offers_lapsing(&company, now, at).await.unwrap(), [offer]);
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_full_of_offers_keeps_nothing_from_being_counted() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("deadline_minutes", "300")])).await;
    yard.notes();
    yard.settled_lead(&Person::number(1)).await;
    yard.count().await;
    let store = &yard.cloud.store;
    let (items, _) = store.scan_page(None).await.unwrap();
    let text = |item: &Item, name: &str| item[name].as_s().unwrap().clone();
    let of_quarter = |item: &Item| text(item, "pk") == "T#acme" && text(item, "sk").starts_with("O#");
    let noted = text(items.iter().find(|item| of_quarter(item)).unwrap(), "sk");
    let quarter = noted.rsplit_once('#').unwrap().0;
    // There is no room for one more, whichever lead's.
    for part in 0..8 {
        let full = [("pk", "T#acme".to_owned()), ("sk", format!("{quarter}#{part}"))];
        let full = full.into_iter().chain([("junk", "x".repeat(409_500))]);
        let full: Item = full.map(|(name, text)| (name.to_owned(), AttributeValue::S(text))).collect();
        store.client().put_item().table_name(store.table()).set_item(Some(full)).send().await.unwrap();
    }
    yard.settled_lead(&Person::number(2)).await;
    counts_all(&yard, |_| true).await;
    let funnel = yard.report("funnel?from=2026-06-01&to=2026-06-01").await;
    assert_eq!(funnel["whole"]["leads"], 2, "{funnel}");
}

#[tokio::test(start_paused = true)]
async fn an_offer_that_ended_is_not_noted_again_when_its_seat_changes() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("deadline_minutes", "300")])).await;
    yard.notes();
    let lead = yard.settled_lead(&Person::number(1)).await;
    yard.count().await;
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    yard.settle().await;
    yard.count().await;
    let store = &yard.cloud.store;
    let quarters = async || -> Vec<_> {
        let (items, _) = store.scan_page(None).await.unwrap();
        let stands = |item: &Item| {
            let key = |name: &str| item[name].as_s().unwrap().clone();
            (key("pk") == "T#acme" && key("sk").starts_with("O#")).then(|| key("sk"))
        };
        items.iter().filter_map(stands).collect()
    };
    // Its quarter expires.
    let stood = quarters().await;
    assert_eq!(stood.len(), 1, "{stood:?}");
    for sk in stood {
        let gone = store.client().delete_item().table_name(store.table());
        let gone = gone.key("pk", AttributeValue::S("T#acme".to_owned())).key("sk", AttributeValue::S(sk));
        gone.send().await.unwrap();
    }
    // The seat goes on, and has its deadline as before.
    let _ = yard.answers("hudson", &lead, "contacted").await.is(200);
    yard.settle().await;
    yard.count().await;
    assert_eq!(quarters().await, Vec::<String>::new());
}
