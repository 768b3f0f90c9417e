//! ADF: each prospect of a document is an enquiry of its own, and none is lost.

use leadyard_domain::ids::EnquiryId;
use leadyard_tests::Person;

use super::{adf, yard};

#[tokio::test(start_paused = true)]
async fn an_adf_prospect_is_an_enquiry_under_each_of_its_types() {
    let yard = yard().await;
    let body = adf(&[("Ada Hill", "ada@mail.example")]);
    let first = yard.server("web").sends("application/x-adf+xml", body.clone()).await.is(201);
    for kind in ["text/xml; charset=utf-8", "application/xml"] {
        let again = yard.server("web").sends(kind, body.clone()).await.is(200);
        assert_eq!(again.text_of("lead"), first.text_of("lead"));
    }
    let kept = yard.enquiry(first.text_of("enquiry")).await.unwrap();
    assert_eq!(kept.fields.get("vehicle_make"), Some("Chevrolet"));
    yard.settle().await;
    assert_eq!(yard.told("hudson")[0].lead(), first.text_of("lead"));
    // No prospect: kept raw, and said.
    let none = yard.server("web").sends("text/xml", "<adf/>").await.is(400).is_problem("malformed-body");
    assert_eq!(yard.enquiry(none.text_of("enquiry")).await.unwrap().raw.as_deref(), Some("<adf/>"));
}

#[tokio::test(start_paused = true)]
async fn several_prospects_are_several_enquiries_and_none_is_lost() {
    let yard = yard().await;
    let server = yard.server("web").header("idempotency-key", "file-1");
    let body = adf(&[("Ada Hill", "ada@mail.example"), ("Bob Mann", "bob@mail.example")]);
    let reply = server.sends("text/xml", body.clone()).await.is(201);
    let each = reply.json["enquiries"].as_array().unwrap().clone();
    assert_eq!((reply.text_of("status"), each.len()), ("received", 2));
    let again = server.sends("text/xml", body).await.is(201);
    assert_eq!(again.json, reply.json, "a replay of each");
    // Under one key, each of them is somebody.
    let of = |at: usize| each[at]["enquiry"].as_str().unwrap().to_owned();
    let email = async |at: usize| yard.enquiry(&of(at)).await.unwrap().fields.get("email").map(str::to_owned);
    assert_eq!(email(0).await.as_deref(), Some("ada@mail.example"));
    assert_eq!(email(1).await.as_deref(), Some("bob@mail.example"));
    assert_ne!(each[0]["lead"], each[1]["lead"]);
    // One that reaches nobody is named, and kept; the other is kept as usual.
    let body = adf(&[("Nobody", "-"), ("Cy Young", "cy@mail.example")]);
    let reply = yard.server("web").sends("text/xml", body).await.is(422).is_problem("unreachable-person");
    let each = reply.json["enquiries"].as_array().unwrap();
    let status_of =
        async |at: usize| yard.enquiry(each[at]["enquiry"].as_str().unwrap()).await.unwrap().status;
    assert_eq!((status_of(0).await, status_of(1).await), ("quarantined".to_owned(), "received".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn adf_is_spilled_prospect_by_prospect() {
    let yard = yard().await;
    yard.lead(&Person::named("Dan", "Fox")).await;
    yard.faults.table(true);
    let one = yard.server("web").sends("text/xml", adf(&[("Ada Hill", "ada@mail.example")])).await.is(202);
    let two = adf(&[("Bob Mann", "bob@mail.example"), ("Cy Young", "cy@mail.example")]);
    let two = yard.server("web").sends("text/xml", two).await.is(202);
    yard.faults.table(false);
    yard.settle().await;
    let each = two.json["enquiries"].as_array().unwrap();
    assert!(each.iter().all(|one| one["status"] == "spilled"), "{}", two.text);
    for id in each.iter().chain([&one.json]).map(|one| one["enquiry"].as_str().unwrap()) {
        let id: EnquiryId = id.parse().unwrap();
        assert_eq!(yard.enquiry(&id.to_string()).await.unwrap().status, "received");
    }
}
