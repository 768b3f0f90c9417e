//! How a dealer's own system is told: ADF by POST, and templates; and what its answers mean.

use std::time::Duration;

use http::Method;
use leadyard_domain::delivery::Giver;
use leadyard_domain::limits;
use leadyard_tests::{Person, Rules, Says, Told, Yard};
use serde_json::{Value, json};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// Somebody whose name means something in JSON, in a form and in XML.
fn hostile() -> Person {
    Person::named("Ada \"<&>'{lead_id}", "O\u{2019}Hill=&\u{1F600}]]>")
        .with("email", "ada.hill@mail.example")
        .with("phone", "+13052740142")
        .with("message", "It leaks.\nTwice & \"badly\" <b>now</b> \u{1F600}")
        .with("roof_age", "20 & more")
}

/// Hudson first, by a webhook of this format, then Ridge.
fn by(format: &str, templates: &str) -> Rules {
    let channels = format!(
        "dealer,order,kind,address,format,vendor_id\n\
         hudson,1,webhook,http://127.0.0.1:9/acme/hudson,{format},D-4711\n\
         ridge,1,webhook,http://127.0.0.1:9/acme/ridge,,\n"
    );
    let rules = Rules::roofing("acme")
        .seller("hudson", [("tier", "1")])
        .seller("ridge", [("tier", "2")])
        .file("channels.csv", &channels);
    if templates.is_empty() { rules } else { rules.file("templates.toml", templates) }
}

const CRM: &str = r#"
[[template]]
id = "crm"
kind = "json"
method = "PUT"
headers = { X-Source = "leadyard/{company}", X-Lead = "{lead_id}" }
success = { status = [200, 201], json = "$.status", is = ["ok"] }
reference = "$.lead.id"
decline = { json = "$.status", is = ["duplicate", "rejected"], reason = "$.why" }

[template.assigned]
who = "{name}"
zeta = 1
alpha = true
note = "{message}"
[template.assigned.contact]
email = "{email}"
phone = "{phone_digits}"
campaign = "{campaign}"
tags = ["{offer}", "age {extra.roof_age}", "{{braces}}"]

[template.withdrawn]
id = "{reference}"
why = "{reason}"
"#;

async fn acts(yard: &Yard, act: &str) -> Vec<Value> {
    let reply = yard.desk(Method::GET, "/v1/changes", None).await.is(200);
    let all = reply.json["changes"].as_array().cloned().unwrap_or_default();
    all.into_iter().filter(|change| change["act"] == act).collect()
}

async fn take_back(yard: &Yard, lead: &str) {
    let path = format!("/v1/leads/{lead}/take_back");
    let _ = yard.desk(Method::POST, &path, Some(json!({ "reason": "wrong" }))).await.is(200);
}

/// What a dealer owes this month.
async fn owed(yard: &Yard, dealer: &str) -> Value {
    let path = format!("/v1/dealers/{dealer}/statement?month=2026-06");
    yard.desk(Method::GET, &path, None).await.is(200).json["owed"].clone()
}

fn types(told: &[Told]) -> Vec<&str> {
    told.iter().map(|told| told.header("content-type")).collect()
}

// --- ADF ---

#[tokio::test(start_paused = true)]
async fn adf_is_posted_and_signed() {
    let yard = Yard::of(by("adf", "")).await;
    let lead = yard.settled_lead(&hostile()).await;
    let told = yard.told("hudson").remove(0);
    assert_eq!((told.header("content-type"), told.signed), ("application/x-adf+xml", true));
    let text = told.text();
    assert!(
        text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<?adf version=\"1.0\"?>\n<adf>"),
        "{text}"
    );
    for part in [
        format!("<prospect status=\"new\"><id sequence=\"1\" source=\"leadyard\">{lead}</id>"),
        "<requestdate>2026-06-01T16:00:00+00:00</requestdate>".to_owned(),
        "Ada &quot;&lt;&amp;&gt;&apos;{lead_id}</name>".to_owned(),
        "<email>ada.hill@mail.example</email>".to_owned(),
        "It leaks.\nTwice &amp; &quot;badly&quot; &lt;b&gt;now&lt;/b&gt; \u{1F600}".to_owned(),
        "roof_age: 20 &amp; more".to_owned(),
        "<id sequence=\"1\" source=\"acme\">D-4711</id>".to_owned(),
        "<vendorname>hudson</vendorname>".to_owned(),
    ] {
        assert!(text.contains(&part), "{part}\n{text}");
    }
    assert_eq!(yard.story(&lead).await.attempts("hudson"), ["received"]);
    assert_eq!(owed(&yard, "hudson").await, "10.00");
}

#[tokio::test(start_paused = true)]
async fn adf_says_a_repeat_as_the_prospect_again_and_a_withdrawal_not_at_all() {
    let yard = Yard::of(by("adf", "")).await;
    let lead = yard.settled_lead(&hostile()).await;
    let _ = yard.server("web").posts(&hostile().with("message", "Still leaking.")).await.is(200);
    yard.settle().await;
    let told = yard.told("hudson");
    assert_eq!(types(&told), ["application/x-adf+xml"; 2]);
    let again = told[1].text();
    assert!(again.contains("<prospect status=\"resend\">") && again.contains(&lead), "{again}");
    assert!(again.contains("<comments>Still leaking.") && !again.contains("Twice"), "{again}");
    assert_ne!(told[0].id, told[1].id);

    take_back(&yard, &lead).await;
    yard.advance(MINUTE * 30).await;
    assert_eq!(yard.told("hudson").len(), 2, "there is no way to say it, and it is not tried again");
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"], "the lead does not wait for a person");
    let told = acts(&yard, "tell_by_hand").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["after"]["dealer"], &told[0]["after"]["lead"]), (&json!("hudson"), &json!(lead)));
    assert_eq!(told[0]["after"]["event"], "lead.withdrawn");
    let history = yard.story(&lead).await.0["history"].to_string();
    assert!(history.contains("tell_by_hand"), "{history}");
    assert_eq!(owed(&yard, "hudson").await, "0.00");
}

#[tokio::test(start_paused = true)]
async fn adf_shows_nobody_before_the_lead_is_accepted_and_the_same_prospect_whole_after() {
    let rules = by("adf", "").with("deadline_minutes = 30\ndeadline_clock = \"wall\"");
    let yard = Yard::of(rules).await;
    let lead = yard.settled_lead(&Person::number(7).with("message", "ring 305-274-0007")).await;
    let masked = yard.told("hudson").remove(0);
    for hidden in ["Hill7", "mail.example", "2740007", "274-0007"] {
        assert!(!masked.text().contains(hidden), "{hidden}: {}", masked.text());
    }
    assert!(masked.text().contains(&format!("<email>{lead}@not-given.invalid</email>")));
    yard.advance(MINUTE * 21).await;
    // The warning has no words in ADF.
    assert_eq!(yard.told("hudson").len(), 1);
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    yard.settle().await;
    let told = yard.told("hudson");
    assert_eq!(told.len(), 2);
    let whole = told[1].text();
    assert!(whole.contains("status=\"resend\"") && whole.contains("ann7.hill7@mail.example"), "{whole}");
    assert!(acts(&yard, "tell_by_hand").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn adf_says_no_erasure_and_the_desk_is_told_to_say_it() {
    let yard = Yard::of(by("adf", "")).await;
    let lead = yard.settled_lead(&hostile()).await;
    let asked = Some(json!({ "reason": "requested" }));
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{lead}/erase"), asked).await.is(200);
    yard.advance(MINUTE * 30).await;
    assert_eq!(yard.told("hudson").len(), 1, "there is no way to say it, and it is not tried again");
    let told = acts(&yard, "tell_by_hand").await;
    assert_eq!(told.len(), 1, "{told:?}");
    let after = &told[0]["after"];
    assert_eq!((&after["dealer"], &after["lead"]), (&json!("hudson"), &json!(lead)));
    assert_eq!(after["event"], "lead.erased");
    // By its id alone: the dealer knows whose it was.
    let text = told[0].to_string();
    assert!(!text.contains("Hill") && !text.contains("mail.example") && !text.contains("2740142"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_a_format_has_no_words_for_is_told_by_hand_of_an_opting_out_as_well() {
    for (format, templates) in [("adf", ""), ("crm", CRM)] {
        let yard = Yard::of(by(format, templates)).await;
        yard.dealer_says("hudson", Says::Body(200, r#"{"status":"ok","lead":{"id":90210}}"#));
        let lead = yard.settled_lead(&hostile()).await;
        assert_eq!(yard.story(&lead).await.holders(), ["hudson"]);
        for of in ["mail", "everything"] {
            let body = Some(json!({ "email": "ada.hill@mail.example", "of": of }));
            let _ = yard.desk(Method::POST, "/v1/persons/opt_out", body).await.is(200);
            yard.advance(MINUTE * 30).await;
        }
        assert_eq!(yard.told("hudson").len(), 1, "{format}: there is no way to say it");
        let told = acts(&yard, "tell_by_hand").await;
        assert_eq!(told.len(), 2, "{format}: {told:?}");
        for act in &told {
            let after = &act["after"];
            let about = (&after["dealer"], &after["lead"], &after["event"]);
            assert_eq!(about, (&json!("hudson"), &json!(lead), &json!("lead.opted_out")), "{format}");
            let text = act.to_string();
            assert!(!text.contains("Hill") && !text.contains("mail.example") && !text.contains("2740142"));
        }
    }
}

// --- Templates: what is posted ---

#[tokio::test(start_paused = true)]
async fn a_template_posts_json_as_it_is_written() {
    let yard = Yard::of(by("crm", CRM)).await;
    yard.dealer_says("hudson", Says::Body(201, r#"{"status":"ok","lead":{"id":90210}}"#));
    let lead = yard.settled_lead(&hostile()).await;
    let told = yard.told("hudson").remove(0);
    assert_eq!((told.method.as_str(), told.header("content-type")), ("PUT", "application/json"));
    assert_eq!((told.header("x-source"), told.header("x-lead")), ("leadyard/acme", lead.as_str()));
    assert!(told.signed && !told.id.is_empty());
    assert_eq!(
        told.body,
        json!({
            "who": "Ada \"<&>'{lead_id} O\u{2019}Hill=&\u{1F600}]]>", "zeta": 1, "alpha": true,
            "note": "It leaks.\nTwice & \"badly\" <b>now</b> \u{1F600}",
            "contact": {
                "email": "ada.hill@mail.example", "phone": "3052740142", "campaign": null,
                "tags": ["roof", "age 20 & more", "{braces}"],
            },
        })
    );
    let order: Vec<usize> = ["who", "zeta", "alpha", "note", "contact"]
        .iter()
        .map(|name| told.text().find(&format!("\"{name}\":")).unwrap())
        .collect();
    assert!(order.is_sorted(), "{}", told.text());
    let story = yard.story(&lead).await;
    assert_eq!(story.attempts("hudson"), ["received"]);
    assert_eq!(story.assignment("hudson")["attempts"][0]["reference"], "90210");
}

#[tokio::test(start_paused = true)]
async fn a_template_posts_a_form() {
    let template = "[[template]]\nid = \"form\"\nkind = \"form\"\nomit_empty = true\nsuccess = { text = \"thank you\" }\n\
        [template.assigned]\nfull_name = \"{name}\"\nnote = \"{message}\"\ncampaign = \"{campaign}\"\n\
        vendor = \"{vendor_id}\"\ntag = [\"a b\", \"{offer}\"]\nnumber = 7\n";
    let yard = Yard::of(by("form", template)).await;
    yard.dealer_says("hudson", Says::Body(200, "<p>Thank You!</p>"));
    let lead = yard.settled_lead(&hostile()).await;
    let told = yard.told("hudson").remove(0);
    assert_eq!(told.header("content-type"), "application/x-www-form-urlencoded");
    let url = reqwest::Url::parse(&format!("http://form.example/?{}", told.text())).unwrap();
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let expected = [
        ("full_name", "Ada \"<&>'{lead_id} O\u{2019}Hill=&\u{1F600}]]>"),
        ("note", "It leaks.\nTwice & \"badly\" <b>now</b> \u{1F600}"),
        ("vendor", "D-4711"),
        ("tag", "a b"),
        ("tag", "roof"),
        ("number", "7"),
    ];
    assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(yard.story(&lead).await.attempts("hudson"), ["received"]);
}

#[tokio::test(start_paused = true)]
async fn a_template_posts_xml() {
    let template = "[[template]]\nid = \"xml\"\nkind = \"xml\"\n\
        [template.assigned.lead]\n\"@id\" = \"{lead_id}\"\nname = \"{name}\"\n\
        [template.assigned.lead.zip]\n\"@country\" = \"US\"\n\"#text\" = \"{zip}\"\n\
        [template.assigned.lead.note]\n\"@said\" = \"{message}\"\n\"#text\" = \"{message}\"\n";
    let yard = Yard::of(by("xml", template)).await;
    let lead = yard.settled_lead(&hostile()).await;
    let told = yard.told("hudson").remove(0);
    assert_eq!(told.header("content-type"), "application/xml; charset=utf-8");
    let note = "Twice &amp; &quot;badly&quot; &lt;b&gt;now&lt;/b&gt; \u{1F600}";
    assert_eq!(
        told.text().replace('\n', ""),
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><lead id=\"{lead}\">\
             <name>Ada &quot;&lt;&amp;&gt;&apos;{{lead_id}} O\u{2019}Hill=&amp;\u{1F600}]]&gt;</name>\
             <zip country=\"US\">33101</zip><note said=\"It leaks.&#10;{note}\">It leaks.{note}</note></lead>"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_template_shows_nobody_before_the_lead_is_accepted() {
    let rules = by("crm", CRM).with("deadline_minutes = 30\ndeadline_clock = \"wall\"");
    let yard = Yard::of(rules).await;
    yard.dealer_says("hudson", Says::Body(200, r#"{"status":"ok"}"#));
    let lead = yard.settled_lead(&Person::number(7).with("roof_age", "Hill7 lives here")).await;
    let masked = yard.told("hudson").remove(0);
    assert_eq!((&masked.body["who"], &masked.body["contact"]["email"]), (&json!("Ann7"), &Value::Null));
    assert!(!masked.text().contains("Hill7"), "{}", masked.text());
    let _ = yard.answers("hudson", &lead, "accept").await.is(200);
    yard.settle().await;
    let told = yard.told("hudson");
    assert_eq!((told.len(), &told[1].body["who"]), (2, &json!("Ann7 Hill7")));
}

// --- Templates: what an answer means ---

#[tokio::test(start_paused = true)]
async fn an_answer_that_says_error_in_a_200_is_not_received() {
    let yard = Yard::of(by("crm", CRM)).await;
    yard.dealer_says("hudson", Says::Body(200, r#"{"status":"error","message":"try later"}"#));
    let lead = yard.settled_lead(&hostile()).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.attempts("hudson"), ["not_received"]);
    assert_eq!(story.assignment("hudson")["attempts"][0]["what"], "answer 200");
    // Another status than those it names is none either.
    yard.dealer_says("hudson", Says::Body(202, r#"{"status":"ok"}"#));
    yard.advance(SECOND * 3).await;
    assert_eq!(yard.story(&lead).await.attempts("hudson"), ["not_received"; 2]);
    yard.advance(MINUTE * 15).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), story.attempts("hudson").len()), (vec!["ridge"], 6));
    assert_eq!(story.assignment("hudson")["delivery"], "not_received");
    assert_eq!(owed(&yard, "hudson").await, "0.00");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_cannot_be_read_leaves_open_whether_the_dealer_has_the_lead() {
    let yard = Yard::of(by("crm", CRM)).await;
    yard.dealer_says("hudson", Says::Body(200, "<html>Welcome</html>"));
    let lead = yard.settled_lead(&hostile()).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.attempts("hudson"), ["unknown"]);
    assert_eq!(story.assignment("hudson")["attempts"][0]["what"], "unreadable 200");
    yard.advance(MINUTE * 20).await;
    let told = yard.dealers.told();
    let withdrawn =
        told.iter().position(|told| told.who == "acme/hudson" && told.body["why"] == "unconfirmed");
    let next = told.iter().position(|told| told.who == "acme/ridge");
    assert!(withdrawn.is_some() && withdrawn < next, "it is withdrawn before Ridge has it");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_declines_sends_the_lead_to_the_next_dealer_at_once() {
    let yard = Yard::of(by("crm", CRM)).await;
    let said = r#"{"status":"duplicate","why":"We know Ada.Hill@mail.example already, 305-274-0142"}"#;
    yard.dealer_says("hudson", Says::Body(422, said));
    let lead = yard.settled_lead(&hostile()).await;
    let story = yard.story(&lead).await;
    assert_eq!(story.assignments(), [("hudson", "declined"), ("ridge", "offered")]);
    assert_eq!(story.holders(), ["ridge"]);
    let attempt = &story.assignment("hudson")["attempts"][0];
    assert_eq!((&attempt["end"], &attempt["what"]), (&json!("not_received"), &json!("declined 422")));
    assert_eq!(attempt["reason"], "We know *** already, ***");
    assert!(!attempt["answer"].as_str().unwrap().contains("mail.example"), "{attempt}");
    // It is not asked again, nor charged, nor told of what happens to a lead that is not its own.
    yard.advance(MINUTE * 30).await;
    assert_eq!(yard.told("hudson").len(), 1);
    assert_eq!((owed(&yard, "hudson").await, owed(&yard, "ridge").await), (json!("0.00"), json!("10.00")));
    assert_eq!(yard.taken("hudson", 4).await, 0);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_decline_after_an_attempt_that_may_have_arrived_is_withdrawn_first() {
    let yard = Yard::of(by("crm", CRM)).await;
    yard.dealer_says("hudson", Says::Resets);
    let lead = yard.settled_lead(&hostile()).await;
    assert_eq!(yard.story(&lead).await.attempts("hudson"), ["unknown"]);
    yard.dealer_says("hudson", Says::Body(200, r#"{"status":"duplicate"}"#));
    yard.advance(SECOND * 5).await;
    let told = yard.dealers.told();
    let withdrawn =
        told.iter().position(|told| told.who == "acme/hudson" && told.body["why"] == "unconfirmed");
    let next = told.iter().position(|told| told.who == "acme/ridge");
    assert!(withdrawn.is_some() && withdrawn < next, "{told:?}");
    assert_eq!(yard.story(&lead).await.assignments(), [("hudson", "declined"), ("ridge", "offered")]);
}

#[tokio::test(start_paused = true)]
async fn a_withdrawal_names_the_lead_as_the_dealer_does() {
    let yard = Yard::of(by("crm", CRM)).await;
    yard.dealer_says("hudson", Says::Body(200, r#"{"status":"ok","lead":{"id":"L-7"}}"#));
    let lead = yard.settled_lead(&hostile()).await;
    take_back(&yard, &lead).await;
    yard.settle().await;
    let told = yard.told("hudson");
    assert_eq!((told.len(), &told[1].body), (2, &json!({ "id": "L-7", "why": "taken_back" })));
    assert!(acts(&yard, "tell_by_hand").await.is_empty());
}

/// What one message says, by the names that the template gives it.
type Said<'a> = Vec<(&'a str, String)>;

/// A template of every message, in a form of its own.
fn of_every_message(kind: &str, method: &str) -> String {
    // XML has one root.
    let root = if kind == "xml" { ".lead" } else { "" };
    format!(
        "[[template]]\nid = \"api\"\nkind = \"{kind}\"\nmethod = \"{method}\"\nreference = \"$.id\"\n\
         headers = {{ X-Event = \"{{event}}\", X-Lead = \"{{lead_id}}\" }}\n\
         [template.assigned{root}]\nwho = \"{{name}}\"\n\
         [template.repeated{root}]\ntheirs = \"{{reference}}\"\nnote = \"{{message}}\"\nwho = \"{{name}}\"\n\
         [template.warned{root}]\ntheirs = \"{{reference}}\"\nuntil = \"{{accept_by}}\"\n\
         [template.opted_out{root}]\ntheirs = \"{{reference}}\"\nwants = \"{{reason}}\"\n\
         [template.erased{root}]\ntheirs = \"{{reference}}\"\nours = \"{{lead_id}}\"\n"
    )
}

/// In the order of the names: which stands first, another test asks.
fn by_name(mut said: Said<'_>) -> Said<'_> {
    said.sort();
    said
}

/// What was posted, read as its content type says.
fn read(told: &Told) -> Said<'static> {
    let named = |name: &str, value: String| {
        let known =
            ["who", "theirs", "note", "until", "wants", "ours"].into_iter().find(|known| *known == name);
        (known.unwrap_or("?"), value)
    };
    match told.header("content-type") {
        "application/json" => {
            let members = told.body.as_object().unwrap().iter();
            members.map(|(name, value)| named(name, value.as_str().unwrap().to_owned())).collect()
        }
        "application/x-www-form-urlencoded" => {
            let url = reqwest::Url::parse(&format!("http://form.example/?{}", told.text())).unwrap();
            url.query_pairs().map(|(name, value)| named(&name, value.into_owned())).collect()
        }
        "application/xml; charset=utf-8" => {
            let (_, within) = told.text().split_once("<lead>").unwrap();
            let within = within.trim().strip_suffix("</lead>").unwrap();
            let lines = within.lines().filter(|line| !line.is_empty());
            let of_line = |line: &str| {
                let (name, rest) = line.strip_prefix('<').unwrap().split_once('>').unwrap();
                let value = rest.strip_suffix(&format!("</{name}>")).unwrap();
                named(
                    name,
                    value
                        .replace("&lt;", "<")
                        .replace("&gt;", ">")
                        .replace("&quot;", "\"")
                        .replace("&amp;", "&"),
                )
            };
            lines.map(of_line).collect()
        }
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_template_says_repeats_warnings_opting_out_and_erasures_in_each_of_its_forms() {
    const AGAIN: &str = "Still <b>leaking</b> & \"badly\"";
    for (kind, method) in [("json", "PUT"), ("form", "POST"), ("xml", "PATCH")] {
        let rules = by("api", &of_every_message(kind, method));
        let yard = Yard::of(rules.with("deadline_minutes = 30\ndeadline_clock = \"wall\"")).await;
        yard.dealer_says("hudson", Says::Body(200, r#"{"id":"L-7"}"#));
        let ada = Person::named("Ada", "Hill").with("phone", "+13052740142");
        let lead = yard.settled_lead(&ada).await;
        let again = ada.with("message", AGAIN);
        let _ = yard.server("web").posts(&again).await.is(200);
        yard.advance(MINUTE * 21).await;
        let until = yard.story(&lead).await.assignment("hudson")["accept_by"].as_str().unwrap().to_owned();
        let _ = yard.answers("hudson", &lead, "accept").await.is(200);
        yard.settle().await;
        let _ = yard.server("web").posts(&again).await.is(200);
        yard.settle().await;
        let body = Some(json!({ "email": "ada.hill@mail.example", "of": "mail" }));
        let _ = yard.desk(Method::POST, "/v1/persons/opt_out", body).await.is(200);
        yard.settle().await;
        let asked = Some(json!({ "reason": "requested" }));
        let _ = yard.desk(Method::POST, &format!("/v1/leads/{lead}/erase"), asked).await.is(200);
        yard.advance(MINUTE).await;

        let told = yard.told("hudson");
        let said = |pairs: &[(&'static str, &str)]| -> Said<'static> {
            pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
        };
        let expected = [
            ("lead.assigned", said(&[("who", "Ada")])),
            ("lead.repeated", said(&[("theirs", "L-7"), ("note", AGAIN), ("who", "Ada")])),
            ("lead.warned", said(&[("theirs", "L-7"), ("until", &until)])),
            ("lead.assigned", said(&[("who", "Ada Hill")])),
            ("lead.repeated", said(&[("theirs", "L-7"), ("note", AGAIN), ("who", "Ada Hill")])),
            ("lead.opted_out", said(&[("theirs", "L-7"), ("wants", "mail")])),
            ("lead.erased", said(&[("theirs", "L-7"), ("ours", &lead)])),
        ];
        let heard: Vec<(&str, Said<'_>)> =
            told.iter().map(|told| (told.header("x-event"), by_name(read(told)))).collect();
        let expected = expected.map(|(event, said)| (event, by_name(said)));
        assert_eq!(heard, expected, "{kind}");
        let ids: std::collections::BTreeSet<&str> = told.iter().map(|told| told.id.as_str()).collect();
        assert_eq!(ids.len(), told.len(), "{kind}: each is a message of its own");
        for told in &told {
            assert_eq!(
                (told.method.as_str(), told.header("x-lead"), told.signed),
                (method, lead.as_str(), true),
                "{kind}"
            );
        }
        assert!(acts(&yard, "tell_by_hand").await.is_empty() && yard.dead_letters().is_empty(), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_template_has_no_body_for_is_not_sent() {
    let template = CRM.split("[template.withdrawn]").next().unwrap();
    let yard = Yard::of(by("crm", template)).await;
    yard.dealer_says("hudson", Says::Body(200, r#"{"status":"ok"}"#));
    let lead = yard.settled_lead(&hostile()).await;
    let _ = yard.server("web").posts(&hostile()).await.is(200);
    yard.settle().await;
    take_back(&yard, &lead).await;
    yard.advance(MINUTE * 10).await;
    assert_eq!(yard.told("hudson").len(), 1);
    assert_eq!(acts(&yard, "tell_by_hand").await.len(), 1);
    let messages = yard.story(&lead).await.0["messages"].to_string();
    assert!(messages.contains("unsaid"), "{messages}");
}

#[tokio::test(start_paused = true)]
async fn what_an_answer_repeats_of_the_person_is_not_kept() {
    let yard = Yard::of(by("crm", CRM)).await;
    let echo =
        r#"{"status":"ok","lead":{"id":"Hill7"},"name":"ANN7 hill7","mail":"ann7.hill7@mail.example"}"#;
    yard.dealer_says("hudson", Says::Body(200, echo));
    let lead = yard.settled_lead(&Person::number(7)).await;
    let attempts = yard.story(&lead).await.assignment("hudson")["attempts"].to_string().to_lowercase();
    assert!(attempts.contains("***") && !attempts.contains("hill7"), "{attempts}");
}

// --- What a dealer gives in confidence ---

#[tokio::test(start_paused = true)]
async fn a_secret_is_used_and_never_shown() {
    const SECRET: &str = "k3y-0f-Huds0n";
    let template = CRM
        .replace("X-Lead = \"{lead_id}\"", "Authorization = \"Bearer {secret.api_key}\"")
        .replace("zeta = 1", "zeta = \"{secret.api_key}\"");
    let rules = by("crm", &template);
    let yard = Yard::of(rules.clone()).await;
    // Without it nothing is sent, and the next dealer has the lead.
    let lead = yard.settled_lead(&Person::number(0)).await;
    let story = yard.story(&lead).await;
    assert_eq!((story.holders(), yard.told("hudson").len()), (vec!["ridge"], 0));
    assert_eq!(story.assignment("hudson")["attempts"][0]["what"], "no_secret");

    let path = "/v1/dealers/hudson/secrets/api_key";
    let body = || Some(json!({ "secret": SECRET }));
    let _ = yard.dealer("ridge", Method::PUT, path, body()).await.is(404);
    let _ = yard.desk(Method::PUT, "/v1/dealers/hudson/secrets/API", body()).await.is(400);
    let _ = yard.desk(Method::PUT, path, Some(json!({ "secret": "a\nb" }))).await.is(400);
    let set = yard.desk(Method::PUT, path, body()).await.is(200);
    let again = yard.dealer("hudson", Method::PUT, path, body()).await.is(200);

    let echo = "{\"status\":\"ok\",\"lead\":{\"id\":\"k3y-0f-Huds0n\"},\"key\":\"k3y-0f-Huds0n\"}";
    yard.dealer_says("hudson", Says::Body(200, echo));
    let lead = yard.settled_lead(&Person::number(1)).await;
    let told = yard.told("hudson").remove(0);
    assert_eq!(told.header("authorization"), format!("Bearer {SECRET}"));
    assert_eq!(told.body["zeta"], SECRET);

    // Nor where the channel is tried, and its answer is shown.
    let works = async {
        for _ in 0..50 {
            yard.settle().await;
            tokio::time::sleep(SECOND / 10).await;
        }
    };
    let tried = yard.desk(Method::POST, "/v1/dealers/hudson/channels/1/test", None);
    let tried = tokio::join!(tried, works).0.is(200);
    assert_eq!(tried.json["attempt"]["end"], "received", "{}", tried.text);
    assert!(!tried.text.contains(SECRET), "{}", tried.text);

    let listed = yard.desk(Method::GET, "/v1/dealers/hudson/secrets", None).await.is(200);
    assert_eq!(listed.json["secrets"][0]["name"], "api_key");
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200);
    assert!(changes.text.contains("given_secret_set"), "{}", changes.text);
    let story = yard.story(&lead).await.0.to_string();
    for shown in [&set.text, &again.text, &listed.text, &changes.text, &story] {
        assert!(!shown.contains(SECRET), "{shown}");
    }
    let (company, hudson) = (yard.company_id(), "hudson".parse().unwrap());
    let kept = yard.cloud.store.given_secrets(&company, Giver::Dealer(&hudson)).await.unwrap();
    assert_eq!(kept.secrets.len(), 1);
    assert!(!serde_json::to_string(&kept).unwrap().contains(SECRET), "it is sealed where it is kept");

    // A dealer has so many, and no more.
    for n in 1..limits::SECRETS_PER_DEALER {
        let path = format!("/v1/dealers/hudson/secrets/key_{n}");
        let _ = yard.desk(Method::PUT, &path, body()).await.is(200);
    }
    let refused = yard.desk(Method::PUT, "/v1/dealers/hudson/secrets/one_more", body()).await.is(409);
    assert!(refused.text.contains("at most 10 secrets"), "{}", refused.text);
    let _ = yard.desk(Method::PUT, path, body()).await.is(200);

    let _ = yard.desk(Method::DELETE, path, None).await.is(200);
    let _ = yard.desk(Method::DELETE, path, None).await.is(404);
    let lead = yard.settled_lead(&Person::number(2)).await;
    assert_eq!(yard.story(&lead).await.holders(), ["ridge"]);
}

#[tokio::test(start_paused = true)]
async fn a_template_that_says_too_much_is_not_sent_and_the_lead_goes_on() {
    let many = "{message}".repeat(100);
    let template = format!(
        "[[template]]\nid = \"crm\"\nkind = \"json\"\n[template.assigned]\nlong = \"{many}\"\nlonger = \"{many}\"\n"
    );
    let yard = Yard::of(by("crm", &template)).await;
    let short = yard.settled_lead(&Person::named("Ada", "Hill").with("message", "a leak")).await;
    assert_eq!(yard.story(&short).await.holders(), ["hudson"]);
    let long =
        Person::named("Ben", "Shaw").with("email", "ben@mail.example").with("message", &"leak ".repeat(780));
    let long = yard.settled_lead(&long).await;
    yard.advance(MINUTE).await;
    let story = yard.story(&long).await;
    assert_eq!(story.assignment("hudson")["attempts"][0]["what"], "body_too_large");
    assert_eq!(story.holders(), ["ridge"]);
}
