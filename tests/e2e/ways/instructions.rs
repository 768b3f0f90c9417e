//! Posting instructions: they name every field and list every answer as it is given, and trying them skews nothing.

use http::Method;
use leadyard_domain::access::Platform;
use leadyard_tests::{Person, Reply, Rules, Yard};
use serde_json::{Value, json};

use super::{adf, google, google_key, google_lead, meta, meta_notice, platform_key, signature, yard};

async fn instructions(yard: &Yard, source: &str) -> Reply {
    let page = yard.page(source).header("host", "leads.example");
    page.gets(&format!("/v1/leads/{}/instructions", page.key())).await
}

/// What stands in an element of the page, as its reader sees it.
fn shown(page: &str, id: &str) -> String {
    let (_, rest) = page.split_once(&format!("<pre id=\"{id}\">")).unwrap();
    let text = rest.split_once("</pre>").unwrap().0;
    let pairs = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
}

#[tokio::test(start_paused = true)]
async fn the_instructions_name_every_field_and_every_answer() {
    let yard = yard().await;
    let page = instructions(&yard, "worded").await.is(200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    for field in leadyard_domain::enquiry::Standard::ALL {
        assert!(page.text.contains(&format!("<code>{field}</code>")), "{field}");
    }
    let not_intake_s = ["version-conflict", "rulebook-refused"];
    for code in leadyard_domain::error::Code::ALL {
        let there = page.text.contains(&format!("urn:leadyard:problem:{}&#34;", code.slug()));
        assert_eq!(there, !not_intake_s.contains(&code.slug()), "{}", code.slug());
    }
    for word in ["received", "repeat", "quarantined", "spilled"] {
        assert!(page.text.contains(&format!("&#34;status&#34;: &#34;{word}&#34;")), "{word}");
    }
    // Its own words, and how it is read.
    for theirs in ["May we call?", "Yes, please call me", "ROOF-2", "New roof"] {
        assert!(page.text.contains(theirs), "{theirs}");
    }
    // What it is held to, as it is now.
    let capped = instructions(&yard, "capped").await.is(200);
    for limit in ["At most 1 new leads a day.", "A body has at most 65536 bytes."] {
        assert!(capped.text.contains(limit), "{limit}");
    }
    // No secret, and nothing of who receives.
    for hidden in [yard.secret("worded"), google_key(&yard, "worded"), "hudson".to_owned()] {
        assert!(!page.text.contains(&hidden));
    }
    let json = yard.page("worded").header("accept", "application/json");
    let json = json.gets(&format!("/v1/leads/{}/instructions", json.key())).await.is(200);
    assert_eq!(json.json["fields"][0]["name"], "email");
    let old = yard.page_of("worded", &[], 2);
    let _ =
        old.gets(&format!("/v1/leads/{}/instructions", old.key())).await.is(401).is_problem("unauthorized");
}

/// The answers of one way that a source's instructions list: status and body.
async fn listed(yard: &Yard, source: &str, way: &str) -> Vec<(u64, Value)> {
    let page = yard.page(source).header("accept", "application/json");
    let told = page.gets(&format!("/v1/leads/{}/instructions", page.key())).await.is(200).json;
    let of_way = |told: &&Value| told["when"].as_str().unwrap().starts_with(way);
    let body = |told: &Value| serde_json::from_str(told["body"].as_str().unwrap()).unwrap_or_default();
    let told = told["answers"].as_array().unwrap();
    told.iter().filter(of_way).map(|told| (told["status"].as_u64().unwrap(), body(told))).collect()
}

/// What programs tell answers apart by: the status, the names of the members, the word for what became of it.
fn looks(status: u64, body: &Value) -> (u64, Vec<String>, Value) {
    let mut names: Vec<String> =
        body.as_object().map(|body| body.keys().cloned().collect()).unwrap_or_default();
    // Which fields are at fault, where any is; and what a test would wait for, where it would.
    names.retain(|name| name != "errors" && name != "would_wait");
    names.sort();
    (status, names, body.get("status").cloned().unwrap_or_default())
}

/// Holds what was answered in one way against what the instructions list: all of it, and nothing else.
async fn lists(yard: &Yard, source: &str, way: &str, replies: &[&Reply]) {
    let listed: Vec<_> =
        listed(yard, source, way).await.iter().map(|(status, body)| looks(*status, body)).collect();
    let answered: Vec<_> =
        replies.iter().map(|reply| looks(reply.status.as_u16().into(), &reply.json)).collect();
    for one in &answered {
        assert!(listed.contains(one), "{way}: {one:?} is answered, and listed are {listed:?}");
    }
    for one in &listed {
        assert!(answered.contains(one), "{way}: {one:?} is listed, and answered were {answered:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_instructions_list_each_answer_as_it_is_given_in_each_way() {
    let yard = Yard::of(
        Rules::roofing("acme")
            .source_of("google", "ads", "offer = \"roof\"")
            .source_of("meta", "social", "offer = \"roof\"")
            .source("trials", "offer = \"roof\"\ntest = true")
            .seller("hudson", []),
    )
    .await;
    let (ada, bob) = (Person::named("Ada", "Hill"), Person::named("Bob", "Mann"));
    let doubtful = Person::named("Cy", "Young").with("email", "cy@mailinator.com");
    let (page, server) = (yard.page("web"), yard.server("web"));
    let by_page = [page.posts(&ada).await, page.posts(&ada).await, page.posts(&doubtful).await];
    let by_server = [server.posts(&bob).await, server.posts(&bob).await, server.posts(&doubtful).await];
    let test = yard.server("trials").posts(&bob).await;
    let documents = [
        adf(&[("Di Fox", "di@mail.example"), ("Ed Roe", "ed@mail.example")]),
        adf(&[("Di Fox", "di@mail.example"), ("Nobody", "-")]),
    ];
    let [well, refused] = documents.each_ref().map(|document| server.sends("text/xml", document.clone()));
    let (well, refused) = (well.await, refused.await);
    let lead = google_lead(&yard, "ads", "g-1");
    let mut unreachable = google_lead(&yard, "ads", "g-2");
    unreachable["user_column_data"] = json!([]);
    let by_google = [google(&yard, "ads", &lead).await, google(&yard, "ads", &unreachable).await];
    yard.faults.table(true);
    let away = (page.posts(&ada).await, server.posts(&bob).await);
    let several_away = server.sends("text/xml", documents[0].clone()).await;
    let google_away = google(&yard, "ads", &google_lead(&yard, "ads", "g-3")).await;
    yard.faults.table(false);

    let [first, again, aside] = &by_page;
    lists(&yard, "web", "with the page key", &[first, again, aside, &away.0]).await;
    let [first, again, aside] = &by_server;
    lists(&yard, "web", "with the secret", &[first, again, aside, &test, &away.1]).await;
    lists(&yard, "web", "an ADF document", &[&well, &refused, &several_away]).await;
    let [kept, refused] = &by_google;
    lists(&yard, "ads", "from Google Ads", &[kept, refused, &google_away]).await;

    // Meta is told nothing but a status, and its challenge.
    let body = meta_notice(&["77"]);
    let told = meta(&yard, "social", &body, &signature(&body)).await.is(200);
    assert_eq!(
        (told.text.as_str(), listed(&yard, "social", "to Meta's notice").await),
        ("", vec![(200, Value::Null)])
    );
    let token = platform_key(&yard, Platform::Meta, "social");
    let path = format!("/v1/leads/{}/meta", yard.page("social").key());
    let query = format!("hub.mode=subscribe&hub.verify_token={token}&hub.challenge=115");
    assert_eq!(yard.page("social").gets(&format!("{path}?{query}")).await.is(200).text, "115");
    assert_eq!(listed(&yard, "social", "to Meta's subscription").await.len(), 1);
    // Of a platform that a source is not, nothing is said.
    for (source, way) in
        [("web", "from Google"), ("web", "to Meta"), ("ads", "to Meta"), ("social", "from Google")]
    {
        assert!(listed(&yard, source, way).await.is_empty(), "{source}: {way}");
    }
}

/// The example as it stands in the page: its URL, its header, its body.
#[tokio::test(start_paused = true)]
async fn the_example_of_the_instructions_is_accepted_as_it_stands() {
    let yard = yard().await;
    for source in ["web", "worded"] {
        let page = instructions(&yard, source).await.is(200).text;
        let curl = shown(&page, "curl").replace("\\\n", " ");
        let quoted: Vec<&str> = curl.split('\'').skip(1).step_by(2).collect();
        let [url, header, body] = quoted.as_slice() else { panic!("{curl}") };
        let (name, kind) = header.split_once(": ").unwrap();
        assert_eq!(name, "Content-Type");
        let path = url.strip_prefix("https://leads.example").unwrap();
        let reply = yard.sends(None, Method::POST, path, kind, body.as_bytes().to_vec()).await.is(201);
        let kept = yard.enquiry(reply.text_of("enquiry")).await.unwrap();
        assert!(["received", "repeat"].contains(&kept.status.as_str()), "{}", kept.status);
    }
}

#[tokio::test(start_paused = true)]
async fn the_button_of_the_instructions_skews_nothing() {
    let yard = yard().await;
    let path = format!("/v1/leads/{}/instructions", yard.page("capped").key());
    let form = Person::named("Ada", "Hill").form().into_bytes();
    for _ in 0..3 {
        let kind = "application/x-www-form-urlencoded";
        let reply = yard.sends(None, Method::POST, &path, kind, form.clone()).await.is(201);
        assert!(reply.text.contains("The test lead was read"), "{}", reply.text);
        assert!(!reply.text.contains("hudson"));
        let answer: Value = serde_json::from_str(&shown(&reply.text, "answer")).unwrap();
        let kept = yard.enquiry(answer["enquiry"].as_str().unwrap()).await.unwrap();
        assert_eq!((kept.status.as_str(), kept.lead), ("test", None));
    }
    yard.settle().await;
    assert!(yard.told("hudson").is_empty());
    // The cap of one a day is whole, and the person is new.
    let real = yard.server("capped").posts(&Person::named("Ada", "Hill")).await.is(201);
    assert_eq!(real.text_of("status"), "received");
    // Full, it refuses no trial.
    let _ = yard.server("capped").posts(&Person::named("Bob", "Mann")).await.is(429);
    let kind = "application/x-www-form-urlencoded";
    let reply = yard.sends(None, Method::POST, &path, kind, form.clone()).await.is(201);
    assert!(reply.text.contains("The test lead was read"), "{}", reply.text);
    // What cannot be read is nobody's to put right.
    let broken = yard.sends(None, Method::POST, &path, "application/json", b"{broken".to_vec()).await;
    let answer: Value = serde_json::from_str(&shown(&broken.text, "answer")).unwrap();
    assert_eq!(yard.enquiry(answer["enquiry"].as_str().unwrap()).await.unwrap().status, "test");
    // What a page would be refused is refused here, in words.
    let nobody =
        yard.sends(None, Method::POST, &path, "application/x-www-form-urlencoded", b"zip=1".to_vec()).await;
    assert!(nobody.status.as_u16() < 500 && !nobody.text.is_empty());
}
