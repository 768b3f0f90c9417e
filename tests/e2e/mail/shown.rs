//! The page that shows mails on one machine.

use std::sync::Arc;

use http::{HeaderMap, Method};
use leadyard_tests::post::send;
use leadyard_tests::{Person, Yard};
use serde_json::json;

use super::{EMAIL, ada, by_mail, mails};

#[tokio::test(start_paused = true)]
async fn the_page_of_mails_shows_nobody_who_was_erased() {
    let yard = Yard::of(by_mail([])).await;
    let _ = yard.settled_lead(&ada()).await;
    let _ = yard.settled_lead(&Person::named("Bob", "Mann")).await;
    let page = leadyard::pages::mail::router(Arc::clone(yard.aws.mail()), yard.cloud.clone());
    let shown = async || send(&page, Method::GET, "/mail", HeaderMap::new(), Vec::new()).await.is(200).text;
    let before = shown().await;
    assert!(before.contains("Ada Hill") && before.contains(EMAIL) && before.contains("Bob Mann"), "{before}");

    let erase = json!({ "email": EMAIL, "reason": "requested" });
    let reply = yard.desk(Method::POST, "/v1/persons/erase", Some(erase)).await;
    assert!(reply.status.is_success(), "{}", reply.text);
    yard.settle().await;
    let after = shown().await;
    assert!(!after.contains("Ada") && !after.contains(EMAIL), "{after}");
    // What her dealer is asked to do names nobody, and whoever else was written about stays.
    assert!(after.contains("is to be forgotten") && after.contains("Bob Mann"), "{after}");
    assert!(mails(&yard).iter().all(|mail| !mail.raw.contains(EMAIL)), "it is kept behind the page");
}
