//! Somebody wants no more mail, or nothing more; and when whoever is left may be called.

use std::time::Duration;

use http::Method;
use leadyard_domain::scoring::{InteractionId, InteractionRef};
use leadyard_domain::time::UtcDay;
use leadyard_tests::{Person, Reply, Rules, Says, Yard};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const CERTIFICATE: &str = "https://cert.trustedform.com/0123456789abcdef0123456789abcdef01234567";
const LEADID: &str = "7F9A2C3E-1B4D-4E6F-8A90-0123456789AB";
const FORM: &str = "application/x-www-form-urlencoded";
const CLICK: &[u8] = b"List-Unsubscribe=One-Click";

fn rules() -> Rules {
    Rules::roofing("acme")
        .offer("gutter", "gutters", "")
        .source("rain", "offer = \"gutter\"")
        .dealer("hudson", [])
        .contract("hudson", "hudson", [("offers", "roof")])
}

fn ada() -> Person {
    Person::named("Ada", "Hill").with("phone", "305-274-0100")
}

/// Ada's roof is hudson's, and nobody takes gutters.
async fn held_and_waiting(yard: &Yard) -> (String, String) {
    let roof = yard.settled_lead(&ada()).await;
    let gutter = yard.server("rain").posts(&ada()).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    assert_eq!(yard.story(&roof).await.holders(), ["hudson"]);
    assert_eq!(yard.story(&gutter).await.stage(), "waiting");
    (roof, gutter)
}

async fn link(yard: &Yard, lead: &str) -> String {
    yard.story(lead).await.0["unsubscribe"].as_str().unwrap().to_owned()
}

async fn clicks(yard: &Yard, link: &str, kind: &str, body: &[u8]) -> Reply {
    yard.sends(None, Method::POST, link, kind, body.to_vec()).await
}

fn opted_out(yard: &Yard) -> Vec<Value> {
    let told = yard.told("hudson").into_iter().filter(|told| told.event == "lead.opted_out");
    told.map(|told| told.body["data"].clone()).collect()
}

#[tokio::test(start_paused = true)]
async fn one_click_and_no_more_mail() {
    let yard = Yard::of(rules()).await;
    let (roof, gutter) = held_and_waiting(&yard).await;
    let link = link(&yard, &roof).await;
    for person in ["ada", "hill", "274"] {
        assert!(!link.to_lowercase().contains(person), "{link}");
    }

    // Whoever only looks, as scanners do, changes nothing.
    for _ in 0..3 {
        let page = yard.sends(None, Method::GET, &link, FORM, Vec::new()).await.is(200);
        assert!(page.text.contains("<button>Unsubscribe</button>") && page.text.contains("method=\"post\""));
        assert_eq!(page.header("referrer-policy"), "no-referrer");
    }
    let _ = clicks(&yard, &link, FORM, b"").await.is(400);
    let _ = clicks(&yard, &link, FORM, b"List-Unsubscribe=No").await.is(400);
    yard.settle().await;
    assert!(opted_out(&yard).is_empty());
    assert_eq!(yard.story(&gutter).await.stage(), "waiting");

    // Once, twice, and as another mail program says it.
    let multipart =
        b"--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
    for (kind, body) in
        [(FORM, CLICK), (FORM, CLICK), ("multipart/form-data; boundary=x", multipart.as_slice())]
    {
        let reply = clicks(&yard, &link, kind, body).await.is(200);
        assert!(reply.text.contains("no more mail"));
    }
    yard.settle().await;
    // What nobody holds is over; whoever holds one keeps it, and is told once.
    assert_eq!(yard.story(&gutter).await.stage(), "rejected");
    assert_eq!(yard.story(&roof).await.holders(), ["hudson"]);
    let told = opted_out(&yard);
    assert_eq!(told.len(), 1);
    assert_eq!((&told[0]["lead_id"], &told[0]["of"]), (&json!(roof), &json!("mail")));
    // The e-mail is on the list; the phone, of another person, is not.
    let again = yard.server("web").posts(&ada()).await.is(202);
    assert_eq!(again.json["reasons"], json!(["suppressed"]));
    let by_phone = Person::named("Ada", "Hill").without("email").with("phone", "305-274-0100");
    let _ = yard.server("web").posts(&by_phone).await.is(200);

    // What is not ours is not found, and who was erased is answered the same.
    let _ = clicks(&yard, "/v1/unsubscribe/u_AAAA.BBBB", FORM, CLICK).await.is(404);
    let tampered = link.replace("/u_", "/u_A");
    let _ = yard.sends(None, Method::GET, &tampered, FORM, Vec::new()).await.is(404);
    let body = json!({ "reason": "requested" });
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{roof}/erase"), Some(body)).await.is(200);
    let _ = clicks(&yard, &link, FORM, CLICK).await.is(200);
    assert!(yard.dead_letters().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_desk_opts_somebody_out_of_everything() {
    let yard = Yard::of(rules()).await;
    let (roof, gutter) = held_and_waiting(&yard).await;
    yard.dealer_says("hudson", Says::Status(500));
    let opt_out = |body: Value| yard.desk(Method::POST, "/v1/persons/opt_out", Some(body));
    let told = opt_out(json!({ "phone": "(305) 274-0100" })).await.is(200);
    assert_eq!((&told.json["listed"], &told.json["rejected"]), (&json!(2), &json!([gutter])));
    assert_eq!((&told.json["told"], &told.json["already"]), (&json!(1), &json!(false)));
    // A second click changes nothing.
    let again = opt_out(json!({ "email": "ada.hill@mail.example" })).await.is(200);
    assert_eq!((&again.json["already"], &again.json["told"]), (&json!(true), &json!(0)));
    // Its dealer is told as patiently as of a withdrawal.
    yard.advance(Duration::from_secs(3_600)).await;
    yard.dealer_says("hudson", Says::Status(200));
    yard.advance(Duration::from_secs(6 * 3_600)).await;
    let last = opted_out(&yard);
    assert!(last.len() >= 2 && last.iter().all(|told| told["of"] == "everything" && told["lead_id"] == roof));
    let by_phone = Person::named("Ada", "Hill").without("email").with("phone", "305-274-0100");
    assert_eq!(yard.server("web").posts(&by_phone).await.is(202).json["reasons"], json!(["suppressed"]));
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200);
    assert!(changes.json["changes"].as_array().unwrap().iter().any(|act| act["act"] == "opt_out"));
    assert!(!changes.text.contains("ada.hill") && !changes.text.contains("274"));
    // Nobody else's desk, and no dealer.
    let body = Some(json!({ "email": "ada.hill@mail.example" }));
    let _ = yard.dealer("hudson", Method::POST, "/v1/persons/opt_out", body).await.is(401);
}

/// Three surnames by one e-mail, which identifies nobody from then on: the lead of the first.
async fn family(yard: &Yard) -> String {
    let mut leads = Vec::new();
    for (n, surname) in ["Hill", "Berg", "Ortiz"].into_iter().enumerate() {
        let one = Person::named("Ada", surname).with("email", "family@mail.example");
        let one = one.with("phone", &format!("305-274-010{n}"));
        let posted = yard.server("rain").posts(&one).await;
        assert!(posted.status.is_success(), "{}", posted.text);
        leads.push(posted.text_of("lead").to_owned());
        yard.settle().await;
    }
    leads.swap_remove(0)
}

#[tokio::test(start_paused = true)]
async fn an_e_mail_that_several_use_gets_no_more_mail_once_one_of_them_says_so() {
    let yard = Yard::of(rules()).await;
    let lead = family(&yard).await;
    let link = link(&yard, &lead).await;
    let _ = clicks(&yard, &link, FORM, CLICK).await.is(200);
    let next = Person::named("Ada", "Hill").with("email", "family@mail.example").without("phone");
    assert_eq!(yard.server("rain").posts(&next).await.is(202).json["reasons"], json!(["suppressed"]));
}

#[tokio::test(start_paused = true)]
async fn the_desk_opts_an_e_mail_out_that_several_use_and_erases_nobody_by_it() {
    let yard = Yard::of(rules()).await;
    let lead = family(&yard).await;
    let body = json!({ "email": "family@mail.example" });
    let told = yard.desk(Method::POST, "/v1/persons/opt_out", Some(body)).await.is(200);
    assert_eq!(told.json["listed"], json!(1), "{}", told.text);
    // Whom it is of is not guessed: the desk names a lead.
    let body = json!({ "email": "family@mail.example", "reason": "requested" });
    let refused = yard.desk(Method::POST, "/v1/persons/erase", Some(body)).await.is(409);
    assert!(refused.json["leads"].as_array().unwrap().contains(&json!(lead)), "{}", refused.text);
}

#[tokio::test(start_paused = true)]
async fn an_e_mail_that_is_typed_to_get_past_a_form_is_put_on_no_list() {
    let yard = Yard::of(rules()).await;
    let body = json!({ "email": "noreply@mail.example" });
    let told = yard.desk(Method::POST, "/v1/persons/opt_out", Some(body.clone())).await;
    assert_eq!(told.json["listed"], json!(0), "{}", told.text);
    let _ = yard.server("rain").reports(unsubscribe("u1", "email", "noreply@mail.example")).await.is(202);
    yard.settle().await;
    // Whoever else types it is doubted for that alone.
    let next = ada().with("email", "noreply@mail.example");
    let told = yard.server("rain").posts(&next).await.is(202);
    assert_eq!(told.json["reasons"], json!(["dummy_email"]));
}

#[tokio::test(start_paused = true)]
async fn what_is_done_under_a_phone_that_several_use_is_nobody_s() {
    let yard = Yard::of(rules()).await;
    let mut leads = Vec::new();
    for surname in ["Hill", "Berg", "Ortiz"] {
        let one = Person::named("Ada", surname).with("phone", "305-274-0199").without("email");
        leads.push(yard.server("rain").posts(&one).await.text_of("lead").to_owned());
        yard.settle().await;
    }
    for (id, kind) in [("c1", "call"), ("u1", "unsubscribe")] {
        let did = json!({ "id": id, "kind": kind, "at": "2026-06-01T15:00:00Z", "phone": "305-274-0199" });
        let _ = yard.server("rain").reports(did).await.is(202);
        yard.settle().await;
    }
    let first = yard.story(&leads[0]).await;
    assert_eq!((first.stage(), first.list("interactions").count()), ("waiting", 0));
    // Nor is the phone on a list: whoever else has it is taken in.
    let next = Person::named("Eve", "Stone").with("phone", "305-274-0199").without("email");
    let _ = yard.server("rain").posts(&next).await.is(201);
}

/// What a mail tool reports of whoever wants no more mail.
fn unsubscribe(id: &str, of: &str, whom: &str) -> Value {
    json!({ "id": id, "kind": "unsubscribe", "at": "2026-06-01T15:00:00Z", of: whom })
}

#[tokio::test(start_paused = true)]
async fn a_phone_of_one_person_and_an_e_mail_that_several_use_are_listed_when_a_server_says_so() {
    let yard = Yard::of(rules()).await;
    let one = Person::named("Cy", "Young").with("phone", "305-274-0166").without("email");
    let lead = yard.server("rain").posts(&one).await.is(201).text_of("lead").to_owned();
    let _ = family(&yard).await;
    for unsubscribed in
        [unsubscribe("u1", "phone", "305-274-0166"), unsubscribe("u2", "email", "family@mail.example")]
    {
        let _ = yard.server("rain").reports(unsubscribed).await.is(202);
        yard.settle().await;
    }
    assert_eq!(yard.story(&lead).await.stage(), "rejected");
    let next = Person::named("Ada", "Hill").with("email", "family@mail.example").without("phone");
    for person in [one, next] {
        let again = yard.server("rain").posts(&person).await.is(202);
        assert_eq!(again.json["reasons"], json!(["suppressed"]), "{}", again.text);
    }
}

/// What followed the links of a mail that was sent at three o'clock, each so many seconds after.
fn opened(of: &str, whom: &str, links: &[(&str, u32)]) -> Value {
    let one = |(link, after_s): &(&str, u32)| {
        let kind = if link.starts_with("unsubscribe") { "unsubscribe" } else { "email_click" };
        let at = format!("2026-06-01T15:{:02}:{:02}Z", after_s / 60, after_s % 60);
        json!({
            "id": link, "kind": kind, "at": at, of: whom,
            "message": "mail-1", "sent_at": "2026-06-01T15:00:00Z", "link": link,
        })
    };
    links.iter().map(one).collect()
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_opens_all_links_of_a_mail_opts_nobody_out_unless_the_desk_knows_better() {
    let yard = Yard::of(rules()).await;
    let (_, gutter) = held_and_waiting(&yard).await;
    // At once, and later in one burst; also where no lead is known.
    let burst = [("offer", 300), ("imprint", 300), ("unsubscribe", 301)];
    for followed in [
        opened("lead", &gutter, &[("unsubscribe-at-once", 2)]),
        opened("lead", &gutter, &burst),
        opened("email", "cy@mail.example", &burst),
    ] {
        let _ = yard.server("web").reports(followed).await.is(202);
        yard.settle().await;
    }
    assert_eq!((yard.story(&gutter).await.stage(), opted_out(&yard).len()), ("waiting", 0));
    let cy = Person::named("Cy", "Young").with("email", "cy@mail.example");
    let _ = yard.server("web").posts(&cy).await.is(201);

    let day = UtcDay::of("2026-06-01T15:00:00Z".parse().unwrap());
    let name = InteractionRef { day, id: InteractionId::hash8("unsubscribe") };
    let path = format!("/v1/leads/{gutter}/interactions/{name}/restore");
    for _ in 0..2 {
        let body = json!({ "reason": "she told us on the phone" });
        let _ = yard.desk(Method::POST, &path, Some(body)).await.is(200);
        yard.settle().await;
    }
    assert_eq!((yard.story(&gutter).await.stage(), opted_out(&yard).len()), ("rejected", 1));
    assert_eq!(yard.server("web").posts(&ada()).await.is(202).json["reasons"], json!(["suppressed"]));
}

#[tokio::test(start_paused = true)]
async fn whoever_unsubscribes_minutes_after_a_machine_opened_the_mail_is_opted_out() {
    let yard = Yard::of(rules()).await;
    let (_, gutter) = held_and_waiting(&yard).await;
    let by_email = |links: &[(&str, u32)]| opened("email", "ada.hill@mail.example", links);
    let machine = by_email(&[("offer", 1), ("imprint", 2), ("unsubscribe", 2)]);
    for (followed, stage) in [(machine, "waiting"), (by_email(&[("unsubscribe-2", 600)]), "rejected")] {
        let _ = yard.server("web").reports(followed).await.is(202);
        yard.settle().await;
        assert_eq!(yard.story(&gutter).await.stage(), stage);
    }
}

#[tokio::test(start_paused = true)]
async fn who_opts_out_of_mail_and_then_of_everything_is_told_of_by_two_messages() {
    let yard = Yard::of(rules()).await;
    let _ = held_and_waiting(&yard).await;
    for of in ["mail", "everything", "everything"] {
        let body = json!({ "email": "ada.hill@mail.example", "of": of });
        let _ = yard.desk(Method::POST, "/v1/persons/opt_out", Some(body)).await.is(200);
        yard.settle().await;
    }
    let told: Vec<_> =
        yard.told("hudson").into_iter().filter(|told| told.event == "lead.opted_out").collect();
    let said: Vec<&str> = told.iter().filter_map(|told| told.body["data"]["of"].as_str()).collect();
    assert_eq!(said, ["mail", "everything"]);
    assert_ne!(told[0].id, told[1].id, "a dealer that takes each id once hears of both");
}

#[tokio::test(start_paused = true)]
async fn what_a_mail_tool_reports_opts_out_and_what_a_page_reports_does_not() {
    let yard = Yard::of(rules()).await;
    let (roof, gutter) = held_and_waiting(&yard).await;
    let at = yard.cloud.clock.now();
    let page = yard.page("web").posts(&ada()).await.is(201);
    if let Some(visitor) = page.json["visitor"].as_str() {
        let one = json!({ "id": "1", "kind": "unsubscribe", "at": at, "visitor": visitor });
        let _ = yard.page("web").reports(one).await.is(202);
    }
    yard.settle().await;
    assert_eq!((yard.story(&gutter).await.stage(), opted_out(&yard).len()), ("waiting", 0));
    let one = json!({ "id": "2", "kind": "unsubscribe", "at": at, "email": "ada.hill@mail.example" });
    for _ in 0..2 {
        let _ = yard.server("web").reports(one.clone()).await.is(202);
        yard.settle().await;
    }
    assert_eq!((yard.story(&gutter).await.stage(), opted_out(&yard).len()), ("rejected", 1));
    assert_eq!(yard.story(&roof).await.holders(), ["hudson"]);
}

#[tokio::test(start_paused = true)]
async fn the_desk_and_the_dealer_see_when_somebody_may_be_called() {
    let yard = Yard::at("2026-06-02T00:59:00Z", rules()).await;
    let lead = yard.settled_lead(&ada()).await;
    let may = |story: &Value| story["may_be_called"].clone();
    let story = yard.story(&lead).await.0;
    assert_eq!((&may(&story)["now"], &may(&story)["until"]), (&json!(true), &json!("2026-06-02T01:00:00Z")));
    assert_eq!(may(&story)["zones"], json!(["America/New_York"]));
    yard.advance_to("2026-06-02T01:00:00Z").await;
    let story = yard.story(&lead).await.0;
    assert_eq!((&may(&story)["now"], &may(&story)["from"]), (&json!(false), &json!("2026-06-02T12:00:00Z")));
    let inbox = yard.inbox("hudson").await;
    assert_eq!(may(&inbox[0])["from"], "2026-06-02T12:00:00Z");
    // By the phone's area code alone it is a guess, and of a state with two zones.
    let somewhere = Person::named("Ben", "King").without("zip").with("phone", "305-274-0199");
    let guessed = yard.settled_lead(&somewhere).await;
    let story = yard.story(&guessed).await.0;
    assert_eq!(
        (&may(&story)["guessed"], &may(&story)["from"]),
        (&json!(true), &json!("2026-06-02T13:00:00Z"))
    );
    // Whoever only reads is told the same, and not the link by which they are kept out.
    let asked = json!({ "name": "reads", "role": "reader" });
    let made = yard.desk(Method::POST, "/v1/tokens", Some(asked)).await.is(201);
    let path = format!("/v1/leads/{guessed}");
    let token = Some(made.text_of("token"));
    let read = yard.sends(token, Method::GET, &path, "application/json", Vec::new()).await.is(200).json;
    assert_eq!((may(&read), read["unsubscribe"].is_null()), (may(&story), true));
    assert!(!story["unsubscribe"].is_null());
}

#[tokio::test(start_paused = true)]
async fn consent_stands_on_its_enquiry_and_no_repeat_or_merge_changes_it() {
    let yard = Yard::of(rules()).await;
    let agreed = ada().with("consent", "yes").with("consent_text", "I agree to be called");
    let first = yard.server("web").posts(&agreed).await.is(201);
    let (lead, enquiry) = (first.text_of("lead").to_owned(), first.text_of("enquiry").to_owned());
    yard.settle().await;
    let consent = || async {
        let reply =
            yard.desk(Method::POST, "/v1/persons/export", Some(json!({ "lead": lead }))).await.is(200);
        let leads = reply.json["leads"].as_array().unwrap().clone();
        let all: Vec<Value> =
            leads.iter().flat_map(|lead| lead["enquiries"].as_array().unwrap().clone()).collect();
        all.into_iter().find(|one| one["id"] == enquiry).unwrap()["consent"].clone()
    };
    let before = consent().await;
    assert_eq!((&before["given"], &before["text"]), (&json!(true), &json!("I agree to be called")));
    let kept = yard.enquiry(&enquiry).await;
    let refuses = ada().with("consent", "no").with("consent_text", "I do not");
    let _ = yard.server("web").posts(&refuses).await.is(200);
    let other = ada().with("email", "ada@work.example").with("consent", "no");
    let other = yard.server("web").posts(&other).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    let body = json!({ "into": lead, "reason": "one person" });
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{other}/merge"), Some(body)).await.is(200);
    yard.settle().await;
    assert_eq!(consent().await, before);
    assert_eq!(yard.enquiry(&enquiry).await, kept);
}

#[tokio::test(start_paused = true)]
async fn a_consent_is_as_it_was_given_whatever_the_source_s_words_come_to_mean() {
    let worded = |fields: &str, values: &str| {
        let worded = format!("offer = \"roof\"\nfields = {{ {fields} }}\nvalues = {{ {values} }}");
        Rules::roofing("acme").seller("hudson", []).source("worded", &worded)
    };
    let yard = Yard::of(worded(
        r#""May we call?" = "consent", "Terms" = "consent_text""#,
        r#"consent = { "Fine" = "yes" }"#,
    ))
    .await;
    let agreed = ada()
        .with("May we call?", "Fine")
        .with("Terms", "I agree to be called\r\nby  Hudson.")
        .with("consent_version", "7b")
        .with("consent_sellers", "Hudson, Ridge")
        .with("consent_channels", "call, text")
        .with("consent_url", "https://roofs.example/offer")
        .with("consent_form", "quote-form")
        .with("consent_at", "2026-06-01T11:59:00Z")
        .with("universal_leadid", LEADID)
        .with("xxTrustedFormCertUrl", CERTIFICATE);
    let page = yard.page("worded").header("x-forwarded-for", "203.0.113.9, 198.51.100.23");
    let page = page.header("user-agent", "Mozilla/5.0 (Hers)");
    let enquiry = page.posts(&agreed).await.is(201).text_of("enquiry").to_owned();
    yard.settle().await;
    let lead = yard.enquiry(&enquiry).await.unwrap().lead.unwrap().to_string();
    let consent = || async {
        let asked = Some(json!({ "lead": lead }));
        let all = yard.desk(Method::POST, "/v1/persons/export", asked).await.is(200);
        all.json["leads"][0]["enquiries"][0]["consent"].clone()
    };
    let given = consent().await;
    let sha256 = format!("{:x}", Sha256::digest("I agree to be called\r\nby  Hudson."));
    let expected = json!({
        "given": true, "at": "2026-06-01T11:59:00Z", "text": "I agree to be called\nby Hudson.", "text_sha256": sha256,
        "version": "7b", "sellers": "Hudson, Ridge", "channels": "call, text", "url": "https://roofs.example/offer",
        "form": "quote-form", "ip": "198.51.100.23", "user_agent": "Mozilla/5.0 (Hers)", "trusted_form": CERTIFICATE, "leadid": LEADID,
    });
    assert_eq!(given, expected);
    // The page's words change, and then the source goes.
    let _ = yard
        .publish(&worded(r#""May we call?" = "message""#, r#"consent = { "Fine" = "no" }"#))
        .await
        .is(200);
    assert_eq!(consent().await, expected);
    let _ = yard.publish(&Rules::roofing("acme").seller("hudson", [])).await.is(200);
    assert_eq!(consent().await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_server_says_from_where_and_in_what_a_consent_was_given_and_its_own_is_nobodys() {
    let yard = Yard::of(rules()).await;
    let server =
        yard.server("web").header("x-forwarded-for", "192.0.2.10").header("user-agent", "okhttp/4.12");
    let agreed = |n: usize| Person::number(n).with("consent", "yes").with("consent_text", "I agree");
    let told = agreed(1).with("consent_ip", "203.0.113.77").with("consent_user_agent", "Hers/1.0");
    let with = server.posts(&told).await.is(201);
    let without = server.posts(&agreed(2)).await.is(201);
    // A page speaks for whoever looks at it.
    let page = yard
        .page("web")
        .header("x-forwarded-for", "198.51.100.9")
        .header("user-agent", "Mozilla/5.0 Theirs/1.0");
    let from_page = page.posts(&agreed(3).with("consent_user_agent", "Another/1.0")).await.is(201);
    yard.settle().await;
    for (reply, ip, browser) in [
        (&with, Some("203.0.113.77"), Some("Hers/1.0")),
        (&without, None, None),
        (&from_page, Some("198.51.100.9"), Some("Mozilla/5.0 Theirs/1.0")),
    ] {
        let kept = yard.enquiry(reply.text_of("enquiry")).await.unwrap();
        let asked = Some(json!({ "lead": kept.lead.unwrap() }));
        let all = yard.desk(Method::POST, "/v1/persons/export", asked).await.is(200);
        let consent = &all.json["leads"][0]["enquiries"][0]["consent"];
        let told = (consent["given"] == true, consent["ip"].as_str(), consent["user_agent"].as_str());
        assert_eq!(told, (true, ip, browser));
        assert!(!all.text.contains("192.0.2.10") && !all.text.contains("okhttp"), "{}", all.text);
    }
    let stored = crate::moving_in::table(&yard).await.join("\n");
    assert!(
        stored.contains("203.0.113.77") && !stored.contains("192.0.2.10") && !stored.contains("okhttp"),
        "a server's address and program are not kept"
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_gives_a_consent_for_another_and_a_spilled_one_keeps_its_address() {
    let yard = Yard::of(rules()).await;
    let odd = ada().with("email", "ada at mail").without("phone");
    let enquiry = yard.server("web").posts(&odd).await.is(422).text_of("enquiry").to_owned();
    for (field, value) in [("consent", "yes"), ("consent_text", "I agree"), ("universal_leadid", LEADID)] {
        let body = json!({ "fields": { "email": "ada@mail.example", field: value } });
        let path = format!("/v1/quarantine/{enquiry}/edit");
        let reply = yard.desk(Method::POST, &path, Some(body)).await.is(400);
        assert!(
            reply.text.contains(field) && reply.text.contains("stays as it was received"),
            "{}",
            reply.text
        );
    }
    yard.faults.table(true);
    let page = yard.page("web").header("x-forwarded-for", "198.51.100.24");
    let spilled =
        page.posts(&Person::number(3).with("consent", "yes")).await.is(202).text_of("enquiry").to_owned();
    let silent = page.posts(&Person::number(4)).await.is(202).text_of("enquiry").to_owned();
    yard.faults.table(false);
    yard.settle().await;
    yard.advance(Duration::from_secs(1_200)).await;
    let kept = yard.enquiry(&spilled).await.unwrap();
    let of = |kept: &leadyard_platform::store::StoredEnquiry| {
        kept.consent.as_ref().unwrap().consent(&kept.fields, kept.received_at)
    };
    assert_eq!(of(&kept).ip, Some("198.51.100.24".parse().unwrap()));
    let kept = yard.enquiry(&silent).await.unwrap();
    assert_eq!(of(&kept).ip, None, "without a consent to prove, nobody's address is kept");
}

#[tokio::test(start_paused = true)]
async fn whoever_has_no_lead_is_listed_and_a_scanner_of_mail_opts_nobody_out() {
    let yard = Yard::of(rules()).await;
    let (_, gutter) = held_and_waiting(&yard).await;
    let at = yard.cloud.clock.now();
    let scanner = json!({
        "id": "1", "kind": "unsubscribe", "at": at, "email": "ada.hill@mail.example",
        "user_agent": "BarracudaCentral/1.0",
    });
    let _ = yard.server("web").reports(scanner).await.is(202);
    yard.settle().await;
    assert_eq!((yard.story(&gutter).await.stage(), opted_out(&yard).len()), ("waiting", 0));
    let stranger =
        json!({ "id": "2", "kind": "unsubscribe", "at": at, "email": "cy@mail.example", "offer": "roof" });
    let _ = yard.server("web").reports(stranger).await.is(202);
    yard.settle().await;
    let cy = Person::named("Cy", "Young").with("email", "cy@mail.example");
    assert_eq!(yard.server("web").posts(&cy).await.is(202).json["reasons"], json!(["suppressed"]));
}
