//! Personal data stays where it belongs.

use std::collections::BTreeMap;

use http::Method;
use leadyard::aws::{QueueSpec, Returns};
use leadyard_domain::distribution::{Rule, Waiting};
use leadyard_platform::metrics::Metric;
use leadyard_tests::logs::Logs;
use leadyard_tests::{Person, Rules, Says, Yard};
use serde_json::{Value, json};

/// Nothing else in the system reads like these.
const CANARIES: [&str; 7] =
    ["Zebulon", "Quackenbush", "zq.canary", "5550177", "555-0177", "xylophone", "Marmalade"];

fn canary() -> Person {
    Person::named("Zebulon", "Quackenbush")
        .with("email", "zq.canary@mail.example")
        .with("phone", "305-555-0177")
        .with("street", "7 Marmalade Row")
        .with("message", "a xylophone on the roof")
}

fn assert_nobody(place: &str, text: &str) {
    for canary in CANARIES {
        assert!(!text.to_lowercase().contains(&canary.to_lowercase()), "{canary} stands in {place}: {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_stands_in_no_log_queue_problem_or_decision() {
    let (logs, _guard) = Logs::keep();
    let yard =
        Yard::of(Rules::roofing("acme").seller("hudson", [("tier", "1")]).seller("ridge", [("tier", "2")]))
            .await;
    yard.dealer_says("hudson", Says::Status(500));
    let queues_hold_nobody = || {
        for queue in [
            "interactions",
            "distribution",
            "delivery",
            "interactions-dead",
            "distribution-dead",
            "delivery-dead",
        ] {
            assert_nobody(queue, &yard.queued(queue).join("\n"));
        }
    };

    // A journey with everything that can go wrong on it: an unknown end, a withdrawal, a repeat, a decline.
    let lead = yard.lead(&canary()).await;
    queues_hold_nobody();
    for queue in &leadyard::system::WORKED {
        leadyard::poller::work(&yard.cloud, yard.aws.queues(), queue).await;
        queues_hold_nobody();
    }
    yard.advance(std::time::Duration::from_secs(900)).await;
    let _ = yard.server("web").posts(&canary()).await.is(200);
    let report = json!({ "id": "q", "kind": "quote_request", "at": "2026-06-01T15:00:00Z", "email": "zq.canary@mail.example" });
    let _ = yard.server("web").reports(report).await.is(202);
    assert_eq!(yard.queued("interactions").len(), 1);
    queues_hold_nobody();
    yard.settle().await;
    let _ = yard.answers("ridge", &lead, "decline").await.is(200);
    queues_hold_nobody();
    yard.settle().await;
    yard.faults.table(true);
    let _ = yard.server("web").posts(&canary()).await.is(202);
    yard.faults.table(false);
    yard.advance(std::time::Duration::from_secs(300)).await;

    // What no try could handle is set aside, and as bare as it was.
    let _ = yard.server("web").posts(&canary().with("email", "zq.canary@other.example")).await.is(201);
    let late = json!({ "id": "late", "kind": "quote_request", "at": "2026-06-01T15:00:00Z", "email": "zq.canary@mail.example" });
    let _ = yard.server("web").reports(late).await.is(202);
    yard.faults.table(true);
    for _ in 0..10 {
        for queue in &leadyard::system::WORKED {
            leadyard::poller::work(&yard.cloud, yard.aws.queues(), queue).await;
        }
        tokio::time::sleep(std::time::Duration::from_secs(900)).await;
    }
    yard.faults.table(false);
    for queue in ["distribution-dead", "interactions-dead"] {
        assert!(!yard.queued(queue).is_empty(), "nothing died of {queue}");
    }
    queues_hold_nobody();

    // What is refused says what and why, and never repeats it.
    let mut problems = Vec::new();
    let unreachable = canary().with("email", "zq.canary at mail").with("phone", "555-0177x");
    problems.push(yard.server("web").posts(&unreachable).await.is(422));
    problems.push(
        yard.server("web").sends("application/json", "{\"email\": zq.canary@mail.example}").await.is(400),
    );
    problems.push(yard.server("web").sends("text/zq.canary", "Quackenbush").await.is(415));
    let bad =
        json!({ "id": "q", "kind": "Quackenbush !", "at": "2026-06-01T15:00:00Z", "email": "zq.canary" });
    problems.push(yard.server("web").reports(bad).await.is(400));
    problems.push(yard.page("web").with_key("pk_Quackenbush.zq").posts(&canary()).await.is(401));
    for problem in &problems {
        assert_nobody("a problem", &problem.text);
    }

    let story = yard.story(&lead).await;
    let decisions: Vec<String> = story.list("decisions").map(ToString::to_string).collect();
    assert!(decisions.len() >= 2);
    assert_nobody("a decision", &decisions.join("\n"));

    let text = logs.text();
    for sentence in [
        "the lead is assigned",
        "an attempt was made",
        "the lead was taken back",
        "declined",
        "an enquiry was spilled",
    ] {
        assert!(text.contains(sentence), "the journey was not logged: {sentence}");
    }
    assert_nobody("the log", &text);
    let counted = yard.cloud.metrics.lines().join("");
    for metric in ["LeadsReceived", "LeadsRepeated", "LeadsSpilled", "LeadsAssigned", "DeliveriesFailed"] {
        assert!(counted.contains(metric), "the journey was not counted: {metric}");
    }
    assert_nobody("the metrics", &counted);
}

/// What was counted since this was asked last, by name. Whatever it is, its names are ours, and no value is a text.
fn counted(yard: &Yard, seen: &mut usize) -> BTreeMap<String, u64> {
    let lines = yard.cloud.metrics.lines();
    let by_hand = [Waiting::Unplaced, Waiting::Manual, Waiting::Stopped, Waiting::Shadow, Waiting::Held]
        .map(Waiting::as_str);
    let mut counted = BTreeMap::new();
    for line in &lines[*seen..] {
        assert_nobody("the metrics", line);
        let line: Value = serde_json::from_str(line).unwrap();
        let of_aws = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(
            (&of_aws["Dimensions"], &line["FunctionName"]),
            (&json!([["FunctionName"]]), &json!("test"))
        );
        for (name, value) in line.as_object().unwrap() {
            if name == "_aws" || name == "FunctionName" {
                continue;
            }
            let (metric, beside) =
                name.split_once('.').map_or((name.as_str(), None), |(of, what)| (of, Some(what)));
            assert!(Metric::ALL.iter().any(|known| known.name() == metric), "{name} is none of ours");
            assert!(
                beside.is_none_or(
                    |what| by_hand.contains(&what) || Rule::ALL.iter().any(|rule| rule.as_str() == what)
                ),
                "{name} is no closed word"
            );
            *counted.entry(name.clone()).or_default() += value.as_u64().unwrap();
        }
    }
    *seen = lines.len();
    counted
}

#[tokio::test(start_paused = true)]
async fn a_person_stands_in_no_metric_whatever_way_they_come_and_whatever_comes_back() {
    let channels = "dealer,order,kind,address\n\
        hudson,1,mail,leads@hudson.example\nridge,1,webhook,http://127.0.0.1:9/acme/ridge\n";
    let rules = Rules::roofing("acme")
        .with("[mail]\nfrom = \"desk@acme.example\"")
        .source_of("google", "ads", "offer = \"roof\"")
        .source_of("meta", "social", "offer = \"roof\"")
        .file_source("fair", "offer = \"roof\"")
        .seller("hudson", [("tier", "1")])
        .seller("ridge", [("tier", "2"), ("cap_total", "1")])
        .file("channels.csv", channels);
    let yard = Yard::of(rules).await;
    let mut seen = yard.cloud.metrics.lines().len();
    let had = |counted: &BTreeMap<String, u64>, metrics: &[&str], way: &str| {
        for metric in metrics {
            assert!(counted.contains_key(*metric), "{way}: {metric} was not counted: {counted:?}");
        }
    };

    // By Google; its mail comes back, and the next dealer's cap is full after it.
    let said =
        [("FULL_NAME", "Zebulon Quackenbush"), ("EMAIL", "zq.canary@mail.example"), ("POSTAL_CODE", "33101")];
    let google = crate::ways::google_lead_of(&yard, "ads", "g-1", &said);
    let _ = crate::ways::google(&yard, "ads", &google).await.is(200);
    yard.settle().await;
    had(&counted(&yard, &mut seen), &["LeadsReceived", "LeadsAssigned", "LeadsDelivered"], "Google");
    let mail = yard.aws.mail().caught_by("leads@hudson.example").pop().unwrap();
    assert!(mail.raw.contains("Zebulon") && yard.aws.mail().returns(mail.number, Returns::Bounced));
    yard.settle().await;
    had(&counted(&yard, &mut seen), &["DeliveriesFailed", "LeadsAssigned", "LeadsDelivered"], "a bounce");

    // By Meta, which refuses first; in a document of two, one of whom nobody can be reached by.
    crate::ways::graph_says(&yard, "77", Says::Status(500));
    let notice = crate::ways::meta_notice(&["77"]);
    let _ = crate::ways::meta(&yard, "social", &notice, &crate::ways::signature(&notice)).await.is(200);
    yard.settle().await;
    let fetched = r#"{"id":"77","field_data":[{"name":"full_name","values":["Zebulon Quackenbush"]},{"name":"email","values":["zq.canary@mail.example"]}]}"#;
    crate::ways::graph_says(&yard, "77", Says::Body(200, fetched));
    yard.advance(std::time::Duration::from_secs(180)).await;
    had(&counted(&yard, &mut seen), &["LeadsRepeated"], "Meta");
    let prospect = |email: &str| {
        format!(
            "<prospect><customer><contact><name part=\"full\">Zebulon Quackenbush</name><email>{email}</email></contact></customer></prospect>"
        )
    };
    let adf = format!("<adf>{}{}</adf>", prospect("zq.canary@mail.example"), prospect("zq.canary at mail"));
    let _ = yard.server("web").sends("text/xml", adf).await.is(422);
    had(&counted(&yard, &mut seen), &["LeadsRepeated"], "ADF");

    // By a file, with lists of whom not to take; and from a page that screening looks twice at.
    let row = json!({ "name": "Zebulon Quackenbush", "email": "zq.canary.2@mail.example", "zip": "33101", "message": "a xylophone" });
    let body = Some(json!({ "rows": [row] }));
    let _ = yard.desk(Method::POST, "/v1/import/enquiries?source=fair", body).await.is(200);
    yard.settle().await;
    had(&counted(&yard, &mut seen), &["LeadsWaiting", "LeadsWaiting.cap"], "a file");
    let past = json!({ "received_at": "2026-05-20T12:00:00Z", "source": "web", "name": "Zebulon Quackenbush", "email": "zq.canary.3@mail.example" });
    for (what, row) in [
        ("history", past),
        ("suppressed", json!({ "email": "zq.canary.4@mail.example" })),
        ("do_not_call", json!({ "phone": "305-555-0177" })),
    ] {
        let path = format!("/v1/import/{what}");
        let _ = yard.desk(Method::POST, &path, Some(json!({ "rows": [row] }))).await.is(200);
    }
    let doubtful = canary().with("email", "zq.canary@mailinator.com");
    let _ = yard.page("web").posts(&doubtful).await.is(201);
    had(&counted(&yard, &mut seen), &["LeadsQuarantined"], "a page");

    // By the spill: acknowledged while the table is away, and taken in after.
    yard.faults.table(true);
    let mut second = google.clone();
    second["lead_id"] = json!("g-2");
    let _ = crate::ways::google(&yard, "ads", &second).await.is(200);
    // Without the phone that is on the list by now.
    let fifth = Person::named("Zebulon", "Quackenbush").with("email", "zq.canary.5@mail.example");
    let _ = yard.server("web").posts(&fifth).await.is(202);
    yard.faults.table(false);
    had(&counted(&yard, &mut seen), &["LeadsSpilled"], "the table is away");
    yard.advance(std::time::Duration::from_secs(300)).await;
    had(&counted(&yard, &mut seen), &["LeadsReceived", "LeadsRepeated", "UndistributedAge"], "the spill");
}

/// What every dealer answers with: all it was told.
const ECHO: &str = r#"{"status":"ok","lead":{"id":"D-1"},"who":"Zebulon Quackenbush, zq.canary@mail.example, 305-555-0177, 7 Marmalade Row"}"#;

const CRM: &str = r#"
[[template]]
id = "crm"
kind = "json"
headers = { X-Key = "{secret.key}" }
success = { json = "$.status", is = ["ok"] }
reference = "$.lead.id"
[template.assigned]
who = "{name}"
email = "{email}"
[template.withdrawn]
id = "{reference}"
"#;

#[tokio::test(start_paused = true)]
async fn a_person_stands_in_no_log_or_queue_whatever_way_they_come_and_whatever_way_they_go() {
    let (logs, _guard) = Logs::keep();
    let channels = "dealer,order,kind,address,format,vendor_id,when\n\
        hudson,1,webhook,http://127.0.0.1:9/acme/hudson,adf,D-1,\n\
        hudson,2,webhook,http://127.0.0.1:9/acme/hudson/crm,crm,,always\n\
        hudson,3,mail,leads@hudson.example,,,always\n\
        hudson,4,sqs,hudson-leads,,,always\n\
        hudson,5,mail,adf@hudson.example,adf,D-1,always\n\
        ridge,1,webhook,http://127.0.0.1:9/acme/ridge,,,\n";
    let rules = Rules::roofing("acme")
        .with("[mail]\nfrom = \"desk@acme.example\"")
        .source_of("google", "ads", "offer = \"roof\"")
        .source_of("meta", "social", "offer = \"roof\"")
        .seller("hudson", [("tier", "1")])
        .seller("ridge", [("tier", "2")])
        .file("templates.toml", CRM)
        .file("channels.csv", channels);
    let yard = Yard::of(rules).await;
    yard.aws.queues().ensure(&QueueSpec::new("hudson-leads")).unwrap();
    let secret = json!({ "secret": "xylophone-key" });
    let _ = yard.desk(Method::PUT, "/v1/dealers/hudson/secrets/key", Some(secret)).await.is(200);
    for dealer in ["acme/hudson", "acme/hudson/crm", "acme/ridge"] {
        yard.dealers.says(dealer, Says::Body(200, ECHO));
    }
    let queues_hold_nobody = || {
        for queue in &leadyard::system::WORKED {
            if queue.name != "spill" {
                assert_nobody(queue.name, &yard.queued(queue.name).join("\n"));
            }
            assert_nobody(&queue.dead(), &yard.queued(&queue.dead()).join("\n"));
        }
    };

    // Google, Meta (which refuses first, and repeats what it was asked), an ADF document, a form.
    let mut google = crate::ways::google_lead(&yard, "ads", "g-1");
    let said = [
        ("FULL_NAME", "Zebulon Quackenbush"),
        ("EMAIL", "zq.canary@mail.example"),
        ("PHONE_NUMBER", "305-555-0177"),
    ];
    google["user_column_data"] =
        said.iter().map(|(id, value)| json!({ "column_id": id, "string_value": value })).collect();
    let _ = crate::ways::google(&yard, "ads", &google).await.is(200);
    google["user_column_data"] = json!("zq.canary@mail.example");
    assert_nobody("a problem", &crate::ways::google(&yard, "ads", &google).await.text);
    crate::ways::graph_says(
        &yard,
        "77",
        Says::Body(400, r#"{"error":{"message":"zq.canary@mail.example"}}"#),
    );
    let notice = crate::ways::meta_notice(&["77"]);
    let _ = crate::ways::meta(&yard, "social", &notice, &crate::ways::signature(&notice)).await.is(200);
    queues_hold_nobody();
    yard.settle().await;
    let fetched = r#"{"id":"77","field_data":[{"name":"full_name","values":["Zebulon Quackenbush"]},{"name":"email","values":["zq.canary@mail.example"]}]}"#;
    crate::ways::graph_says(&yard, "77", Says::Body(200, fetched));
    yard.advance(std::time::Duration::from_secs(180)).await;
    let adf = "<adf><prospect><customer><contact><name part=\"full\">Zebulon Quackenbush</name><email>zq.canary@mail.example</email></contact></customer></prospect></adf>";
    let _ = yard.server("web").sends("text/xml", adf).await.is(200);
    let broken = adf.replace("</customer></prospect></adf>", "<Marmalade>");
    assert_nobody("a problem", &yard.server("web").sends("text/xml", broken).await.is(400).text);
    queues_hold_nobody();
    yard.settle().await;

    // It went by every channel there is, and the mail comes back.
    let asked = json!({ "email": "zq.canary@mail.example" });
    let found = yard.desk(Method::POST, "/v1/persons/export", Some(asked.clone())).await.is(200);
    let lead = found.json["leads"][0]["lead"].as_str().unwrap().to_owned();
    assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
    // The lead, and that it asked twice more.
    assert_eq!(yard.queued("hudson-leads").len(), 3);
    let mails = yard.aws.mail().caught_by("leads@hudson.example");
    assert!(mails[0].raw.contains("Zebulon"), "it is the dealer's to read");
    assert!(yard.aws.mail().returns(mails[0].number, Returns::Bounced));
    queues_hold_nobody();
    yard.settle().await;
    let _ = yard.answers("hudson", &lead, "decline").await.is(200);
    queues_hold_nobody();
    yard.settle().await;
    let mut erase = asked;
    erase["reason"] = json!("requested");
    let _ = yard.desk(Method::POST, "/v1/persons/erase", Some(erase)).await;
    queues_hold_nobody();
    yard.advance(std::time::Duration::from_secs(4_000)).await;
    queues_hold_nobody();

    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200).text;
    assert_nobody("the changes", &changes);
    let text = logs.text();
    for sentence in
        ["a lead of Meta's was not fetched", "an attempt was made", "an erasure began", "a mail came back"]
    {
        assert!(text.contains(sentence), "the journey was not logged: {sentence}");
    }
    assert_nobody("the log", &text);
    for told in yard.dealers.told() {
        assert_nobody("an address", &told.who);
    }
}
