//! Posting instructions: they name every field and list every answer as it is given, and trying them skews nothing.

use http::Method;
use leadyard_domain::access::Platform;
use leadyard_domain::enquiry::Standard;
use leadyard_domain::error::Code;
use leadyard_domain::limits;
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
    as_read(rest.split_once("</pre>").unwrap().0)
}

/// A page's text as its reader sees it.
fn as_read(html: &str) -> String {
    let pairs = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")];
    pairs.iter().fold(html.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
}

/// The same instructions as a program reads them.
async fn as_json(yard: &Yard, source: &str) -> Value {
    let page = yard.page(source).header("accept", "application/json");
    page.gets(&format!("/v1/leads/{}/instructions", page.key())).await.is(200).json
}

#[tokio::test(start_paused = true)]
async fn the_instructions_name_every_field_its_rule_and_every_answer() {
    let yard = yard().await;
    let page = instructions(&yard, "worded").await.is(200);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
    let (read, told) = (as_read(&page.text), as_json(&yard, "worded").await);
    let fields = Standard::ALL.iter().map(|field| json!({ "name": field.as_str(), "rule": field.rule() }));
    assert_eq!(told["fields"], fields.collect::<Value>());
    for field in Standard::ALL {
        assert!(read.contains(&format!("<code>{field}</code><td>{}", field.rule())), "{field}");
    }
    let errors = told["errors"].as_array().unwrap();
    let not_intake_s = [Code::VersionConflict, Code::RulebookRefused];
    for code in Code::ALL {
        let there = errors.iter().filter(|told| body(told)["type"] == code.problem_type()).count();
        assert_eq!(there, usize::from(!not_intake_s.contains(&code)), "{}", code.slug());
    }
    for error in errors {
        let [when, body] = ["when", "body"].map(|member| error[member].as_str().unwrap());
        assert!(
            read.contains(&format!("<h3>{} · {when}</h3>\n<pre>{body}</pre>", error["status"])),
            "{when}"
        );
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
    let old = yard.page_of("worded", &[], 2);
    let _ =
        old.gets(&format!("/v1/leads/{}/instructions", old.key())).await.is(401).is_problem("unauthorized");
}

/// The body of an answer or an error that the instructions list.
fn body(told: &Value) -> Value {
    serde_json::from_str(told["body"].as_str().unwrap()).unwrap_or_default()
}

/// The answers of one way that a source's instructions list: status and body.
async fn listed(yard: &Yard, source: &str, way: &str) -> Vec<(u64, Value)> {
    let told = as_json(yard, source).await;
    let of_way = |told: &&Value| told["when"].as_str().unwrap().starts_with(way);
    let told = told["answers"].as_array().unwrap();
    told.iter().filter(of_way).map(|told| (told["status"].as_u64().unwrap(), body(told))).collect()
}

/// The names of a body's members.
fn members(body: &Value) -> Vec<String> {
    let mut names: Vec<String> =
        body.as_object().map(|body| body.keys().cloned().collect()).unwrap_or_default();
    names.sort();
    names
}

/// What programs tell answers apart by: the status, the names of the members, the word for what became of it.
fn looks(status: u64, body: &Value) -> (u64, Vec<String>, Value) {
    let mut names = members(body);
    // Which fields are at fault, where any is; and what a test would wait for, where it would.
    names.retain(|name| name != "errors" && name != "would_wait");
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

/// Each is provoked, and has the members that it is listed with.
#[tokio::test(start_paused = true)]
async fn the_instructions_list_each_error_with_the_members_it_is_given_with() {
    let yard = Yard::of(
        Rules::roofing("acme")
            .source_of("meta", "social", "offer = \"roof\"")
            .source("capped", "offer = \"roof\"\ncaps = { day = 1 }")
            .source("over", "offer = \"roof\"\nends = \"2026-05-31\"")
            .seller("hudson", []),
    )
    .await;
    let (page, server, capped) = (yard.page("web"), yard.server("web"), yard.server("capped"));
    let (ada, bob) = (Person::named("Ada", "Hill"), Person::named("Bob", "Mann"));
    let once = server.clone().header("idempotency-key", "order-1");
    let long = "x".repeat(limits::IDEMPOTENCY_KEY_BYTES + 1);
    let _ = (once.posts(&ada).await.is(201), capped.posts(&bob).await.is(201));
    let elsewhere = yard.page_of("web", &["https://roofs.example"], 1);
    let social = yard.page("social");
    let subscription = "hub.mode=subscribe&hub.verify_token=another&hub.challenge=115";
    let mut given = vec![
        server.sends("application/json", vec![b' '; limits::BODY_BYTES + 1]).await.is(413),
        server.sends("application/pdf", "%PDF").await.is(415),
        server.sends("application/json", "{broken").await.is(400),
        server.clone().header("idempotency-key", &long).posts(&ada).await.is(400),
        server.posts(&ada.clone().with("email", "not an address")).await.is(422),
        server.clone().with_key("pk_nothing.AAAA").posts(&ada).await.is(401),
        yard.server("over").posts(&ada).await.is(410),
        capped.posts(&ada).await.is(429),
        elsewhere.header("origin", "https://elsewhere.example").posts(&ada).await.is(403),
        once.posts(&bob).await.is(422),
        page.gets(&format!("/v1/leads/{}/google", page.key())).await.is(405),
        page.gets(&format!("/v1/leads/{}/google/nothing", page.key())).await.is(404),
        social.gets(&format!("/v1/leads/{}/meta?{subscription}", social.key())).await.is(403),
    ];
    yard.faults.table(true);
    yard.faults.queues(true);
    given.push(server.posts(&ada).await.is(503));
    yard.faults.table(false);
    yard.faults.queues(false);

    let told = as_json(&yard, "web").await;
    let mut listed = Vec::new();
    for error in told["errors"].as_array().unwrap() {
        let (body, waits) = (body(error), error["when"].as_str().unwrap().contains("Retry-After"));
        listed.push((error["status"].clone(), body["type"].clone(), members(&body), waits));
    }
    for reply in &given {
        let (status, waits) = (json!(reply.status.as_u16()), !reply.header("retry-after").is_empty());
        let looks = (status, reply.json["type"].clone(), members(&reply.json), waits);
        assert!(listed.contains(&looks), "{looks:?} is given, and listed are {listed:?}");
    }
    let was_given = |kind: &Value| given.iter().any(|reply| reply.json["type"] == *kind);
    let others: Vec<&Value> =
        listed.iter().map(|(_, kind, ..)| kind).filter(|kind| !was_given(kind)).collect();
    // A fault of ours; and what is told of somebody who was erased while it was under way.
    assert_eq!(others, ["urn:leadyard:problem:state-conflict", "urn:leadyard:problem:internal"]);
    // What a sender is to do next, it reads from there.
    let of = |code: Code| given.iter().find(|reply| reply.json["type"] == code.problem_type()).unwrap();
    assert_eq!(of(Code::CapReached).text_of("until"), "2026-06-02T04:00:00Z");
    assert_eq!(of(Code::UnreachablePerson).json["errors"][0]["pointer"], "/email");
}

/// The example as it stands in the page, with the secret in its place: its URL, its headers, its body, and by curl.
#[tokio::test(start_paused = true)]
async fn the_example_of_the_instructions_is_accepted_as_it_stands() {
    let yard = yard().await;
    for source in ["web", "worded"] {
        let page = instructions(&yard, source).await.is(200).text;
        let curl = shown(&page, "curl").replace("\\\n", " ");
        let quoted: Vec<&str> = curl.split('\'').skip(1).step_by(2).collect();
        let [url, secret, kind, body] = quoted.as_slice() else { panic!("{curl}") };
        let bearer = secret.strip_prefix("Authorization: ").unwrap();
        assert!(bearer.contains("YOUR_SECRET"), "{curl}");
        let kind = kind.strip_prefix("Content-Type: ").unwrap();
        let by_curl = yard.page(source).header("user-agent", "curl/8.5.0");
        assert_eq!(*url, format!("https://leads.example/v1/leads/{}", by_curl.key()));
        let by = async |bearer: &str| {
            by_curl.clone().header("authorization", bearer).sends(kind, body.as_bytes()).await
        };
        let _ = by(bearer).await.is(401);
        let reply = by(&bearer.replace("YOUR_SECRET", &yard.secret(source))).await;
        assert!(reply.status.is_success(), "{}", reply.text);
        let kept = yard.enquiry(reply.text_of("enquiry")).await.unwrap();
        assert!(["received", "repeat"].contains(&kept.status.as_str()), "{}", kept.status);
        // Without the secret it is doubted: the page says so.
        let aside = by_curl.sends(kind, body.as_bytes()).await.is(201);
        let kept = yard.enquiry(aside.text_of("enquiry")).await.unwrap();
        assert_eq!(kept.status, "quarantined");
        assert!(page.contains("a program that does is taken for a robot"), "{page}");
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
