//! Multipart, and a source's own words: what is sent so is understood, and kept as it came.

use leadyard_tests::{Person, Rules};

use super::{source, yard};

#[tokio::test(start_paused = true)]
async fn what_curl_sends_as_multipart_is_an_enquiry() {
    let yard = yard().await;
    // Recorded: curl 7.88.1 -F name='Ada Hill' -F email=ada@mail.example -F photo=@roof.txt
    let body = "--------------------------241b0961842b60f9\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAda Hill\r\n--------------------------241b0961842b60f9\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nada@mail.example\r\n--------------------------241b0961842b60f9\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"roof.txt\"\r\nContent-Type: text/plain\r\n\r\nshingles\n\r\n--------------------------241b0961842b60f9--\r\n";
    let kind = "multipart/form-data; boundary=------------------------241b0961842b60f9";
    let reply = yard.server("web").sends(kind, body).await.is(201);
    let kept = yard.enquiry(reply.text_of("enquiry")).await.unwrap();
    assert_eq!(kept.fields.get("email"), Some("ada@mail.example"));
    assert_eq!(kept.fields.get("photo"), Some("(a file of 9 bytes, not kept)"));
    // A browser that submits such a form gets a page.
    let browser = yard.page("web").header("accept", "text/html");
    let page = browser.sends(kind, body).await.is(201);
    assert!(page.header("content-type").starts_with("text/html") && page.text.contains("Thank you"));
    // What breaks off is kept raw.
    let cut = yard.server("web").sends(kind, &body[..300]).await.is(400).is_problem("malformed-body");
    assert!(yard.enquiry(cut.text_of("enquiry")).await.unwrap().raw.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_source_s_words_are_translated_before_they_are_understood() {
    let yard = yard().await;
    let ada = Person::named("Ada", "Hill").with("May we call?", " YES, please call me").with("Own?", "1");
    let lead = yard.server("worded").posts(&ada.with("Project", "roof-2")).await.is(201);
    assert_eq!(lead.text_of("status"), "received", "{}", lead.text);
    let stored = yard.stored(lead.text_of("lead")).await;
    assert_eq!(stored.offer.as_str(), "roof");
    assert_eq!(
        stored.brings,
        leadyard_domain::contract::Needs::NONE.with(leadyard_domain::contract::Need::Consent)
    );
    // What was received is kept as it came.
    let kept = yard.enquiry(lead.text_of("enquiry")).await.unwrap();
    assert_eq!(kept.fields.get("Own?"), Some("1"));
    let understood = leadyard_platform::judging::understand(&kept, Some(&source(&yard, "worded").await));
    assert_eq!(understood.extra.get("homeowner").map(String::as_str), Some("owner"));
}

#[tokio::test(start_paused = true)]
async fn a_value_map_that_cannot_be_kept_is_refused_by_its_place() {
    let yard = yard().await;
    for (values, says) in [
        ("values = { \"Own?\" = { a = \"b\" } }", "a field is named as we name it"),
        ("values = { consent = \"yes\" }", "this is a table"),
        ("values = { consent = { \"Ja\" = \"yes\", \"ja\" = \"no\" } }", "each of the sender's values once"),
        ("fields = { \"Mail\" = \"email\", \"mail\" = \"phone\" }", "each of the sender's fields once"),
    ] {
        let rules = Rules::roofing("acme").source("bad", &format!("offer = \"roof\"\n{values}"));
        let refused = yard.publish(&rules.seller("hudson", [])).await.is(422).is_problem("rulebook-refused");
        assert!(refused.text.contains(says), "{values}: {}", refused.text);
        assert!(refused.text.contains("sources.toml"), "{}", refused.text);
    }
}
