//! Hostile input over HTTP: whatever is sent to any route, the answer is no error of ours, and says nothing of
//! the person in it.

use http::Method;
use leadyard_domain::access::{AnswerLink, Platform, PlatformKey, SourceSecret};
use leadyard_domain::ids::SourceId;
use leadyard_domain::lead::Answer;
use leadyard_tests::{Person, Reply, Rules, Yard};

/// Mutations of each body.
const MUTATIONS: u64 = 120;

/// Stands in every body: no problem may repeat it.
const CANARY: &str = "canary.person@example.com";

/// Who sends, where to, as what, and a body that is nearly right. `{lead}` and `{other}` are leads that
/// dealers hold, `{waiting}` one that nobody has, `{held}` one that the desk holds.
const SENT: [(&str, &str, &str, &str, &str); 54] = [
    (
        "page",
        "POST",
        "/v1/leads/{page}",
        "application/json",
        r#"{"email":"canary.person@example.com","phone":"305 555 0123","name":"Ann Lee","zip":"33101","consent":true,"a":{"b":[1,{"c":null}]}}"#,
    ),
    (
        "page",
        "POST",
        "/v1/leads/{page}",
        "application/x-www-form-urlencoded",
        "email=canary.person%40example.com&phone=3055550123&zip=33101&offer=roof&consent=yes",
    ),
    (
        "page",
        "POST",
        "/v1/leads/{page}",
        "multipart/form-data; boundary=b",
        "--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\ncanary.person@example.com\r\n--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"canary.person@example.com\"\r\n\r\nx\r\n--b--\r\n",
    ),
    (
        "page",
        "POST",
        "/v1/leads/{page}",
        "application/x-adf+xml",
        "<?xml version=\"1.0\"?><adf><prospect><customer><contact><name part=\"full\">Ann Lee</name><email>canary.person@example.com</email></contact></customer></prospect></adf>",
    ),
    (
        "page",
        "POST",
        "/v1/leads/{page}",
        "text/xml",
        "<adf><prospect><customer><contact><email>canary.person@example.com</email></contact></customer></prospect><prospect><customer><contact><email>-</email></contact></customer></prospect></adf>",
    ),
    (
        "nobody",
        "POST",
        "/v1/leads/{page}/google",
        "application/json",
        r#"{"lead_id":"1","google_key":"{google}","user_column_data":[{"column_id":"EMAIL","string_value":"canary.person@example.com"},{"column_id":"q","column_name":"q?","string_value":"x"}],"campaign_id":12345678901234567890,"is_test":false}"#,
    ),
    (
        "nobody",
        "POST",
        "/v1/leads/{page}/meta",
        "application/json",
        r#"{"object":"page","entry":[{"id":1,"changes":[{"field":"leadgen","value":{"leadgen_id":"canary.person@example.com"}}]}]}"#,
    ),
    (
        "page",
        "POST",
        "/v1/interactions/{page}",
        "text/plain",
        r#"[{"id":"019e83e9-d400-7796-bf59-9dd1058f44d1","kind":"page_view","at":"2026-06-01T16:00:00Z","visitor":"v_x.y","email":"canary.person@example.com"}]"#,
    ),
    (
        "server",
        "POST",
        "/v1/interactions/{page}",
        "application/json",
        r#"{"id":"019e83e9-d400-7796-bf59-9dd1058f44d1","kind":"quote_request","at":"2026-06-01T16:00:00Z","offer":"roof","email":"canary.person@example.com"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/leads/{lead}/note",
        "application/json",
        r#"{"text":"canary.person@example.com","reason":"x"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/leads/place",
        "application/json",
        r#"{"leads":["019e83e9-d400-7796-bf59-9dd1058f44d1"],"contract":"ridge","override":true,"reason":"canary.person@example.com","dry_run":true}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/leads/{lead}/hold",
        "application/json",
        r#"{"until":"2026-07-01T00:00:00Z","reason":"canary.person@example.com"}"#,
    ),
    (
        "desk",
        "PUT",
        "/v1/rulebook?dry_run=1",
        "application/json",
        r#"{"files":{"company.toml":"id = \"acme\"","contracts.csv":"contract,dealer\ncanary.person@example.com,x\n"}}"#,
    ),
    (
        "desk",
        "PATCH",
        "/v1/rulebook/contracts/hudson?base=1&dry_run=1",
        "application/json",
        r#"{"set":{"cap_day":"12","tier":"canary"}}"#,
    ),
    (
        "desk",
        "PUT",
        "/v1/rulebook/workbook?dry_run=1",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "PK\u{3}\u{4}canary.person@example.com",
    ),
    (
        "desk",
        "POST",
        "/v1/switches/pause",
        "application/json",
        r#"{"dealer":"ridge","on":true,"until":"2026-07-01T00:00:00Z","reason":"canary.person@example.com"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/dealers/hudson/deposits",
        "application/json",
        r#"{"amount":"12.34","reference":"canary-1"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/dealers/hudson/deposits/canary-1/reverse",
        "application/json",
        r#"{"amount":"12.34","reason":"canary.person@example.com"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/import/history",
        "application/json",
        r#"{"company":"acme","rows":[{"line":2,"received_at":"2025-11-03 14:05","source":"web","email":"canary.person@example.com","dealer":"hudson","outcome":"won","won_value":"100.00"}]}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/import/counts",
        "application/json",
        r#"{"company":"acme","rows":[{"line":2,"contract":"hudson","day":"3","balance":"10.00"}]}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/import/suppressed",
        "application/json",
        r#"{"company":"acme","rows":[{"line":2,"email":"canary.person@example.com","reason":"asked"}]}"#,
    ),
    (
        "dealer",
        "POST",
        "/v1/inbox/{assignment}/won",
        "application/json",
        r#"{"value":"900.00","note":"canary.person@example.com"}"#,
    ),
    (
        "dealer",
        "POST",
        "/v1/inbox/{assignment}/return",
        "application/json",
        r#"{"reason":"wrong-number","note":"canary.person@example.com"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/leads/{lead}/merge",
        "application/json",
        r#"{"into":"{other}","reason":"canary.person@example.com","dry_run":true}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/leads/merge",
        "application/json",
        r#"{"leads":["{waiting}","019e83e9-d400-7796-bf59-9dd1058f44d1"],"into":"{other}","reason":"canary.person@example.com"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/leads/{lead}/take_back",
        "application/json",
        r#"{"assignment":"{assignment}","hold":true,"reason":"canary.person@example.com","dry_run":true}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/leads/{held}/resume",
        "application/json",
        r#"{"reason":"canary.person@example.com"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/leads/{lead}/priority",
        "application/json",
        r#"{"priority":"urgent","reason":"canary.person@example.com"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/leads/{held}/reject",
        "application/json",
        r#"{"reason":"canary.person@example.com"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/leads/{held}/reopen",
        "application/json",
        r#"{"reason":"canary.person@example.com"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/rulebook/rollback?base=1&dry_run=1&backtest=1",
        "application/json",
        r#"{"version":1,"note":"canary.person@example.com"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/leads/merge",
        "application/json",
        r#"{"leads":["{lead}"],"into":["canary.person@example.com"],"reason":"x"}"#,
    ),
    ("desk", "POST", "/v1/leads/search", "application/json", r#"{"email":"canary.person@example.com"}"#),
    (
        "desk",
        "POST",
        "/v1/quarantine/search",
        "application/json",
        r#"{"state":"open","email":"canary.person@example.com","reason":"disposable_email","after":"x"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/quarantine/{aside}/edit",
        "application/json",
        r#"{"fields":{"email":"lee@mail.example","phone":null,"message":"canary.person@example.com"},"reason":"x"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/quarantine/{other_aside}/reject",
        "application/json",
        r#"{"reason":"canary.person@example.com"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/quarantine/release",
        "application/json",
        r#"{"enquiries":["{aside}","019e83e9-d400-7796-bf59-9dd1058f44d1"],"reason":"canary.person@example.com"}"#,
    ),
    ("desk", "POST", "/v1/persons/export", "application/json", r#"{"email":"canary.person@example.com"}"#),
    (
        "desk",
        "POST",
        "/v1/persons/erase",
        "application/json",
        r#"{"phone":"+1 305 555 0123","reason":"requested","suppress":true,"dry_run":true}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/persons/opt_out",
        "application/json",
        r#"{"email":"canary.person@example.com","of":"mail"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/erasures/reapply",
        "application/json",
        r#"{"erasures":[{"id":"019e83e9-d400-7796-bf59-9dd1058f44d1","company":"acme","at":"2026-06-01T16:00:00Z","by":"canary.person@example.com","reason":"requested","leads":["019e83e9-d400-7796-bf59-9dd1058f44d1"],"suppress":true,"tell":false}]}"#,
    ),
    (
        "nobody",
        "POST",
        "{unsubscribe}",
        "application/x-www-form-urlencoded",
        "List-Unsubscribe=One-Click&email=canary.person%40example.com",
    ),
    (
        "nobody",
        "POST",
        "{unsubscribe}",
        "multipart/form-data; boundary=b",
        "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\ncanary.person@example.com\r\n--b--\r\n",
    ),
    (
        "nobody",
        "POST",
        "/v1/unsubscribe/u_canary.person@example.com",
        "application/x-www-form-urlencoded",
        "List-Unsubscribe=One-Click",
    ),
    (
        "nobody",
        "POST",
        "{answer}",
        "application/x-www-form-urlencoded",
        "answer=accept&note=canary.person%40example.com",
    ),
    ("nobody", "POST", "/answer/a_canary.person@example.com", "application/json", r#"{"answer":"decline"}"#),
    (
        "page",
        "POST",
        "/v1/leads/{page}/instructions",
        "application/json",
        r#"{"email":"canary.person@example.com","phone":"305 555 0123","zip":"33101"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/import/enquiries?source=list",
        "application/json",
        r#"{"company":"acme","source":"web","rows":[{"line":2,"key":"k","received_at":"2026-05-30 14:05","email":"canary.person@example.com","zip":"33101"}]}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/import/do_not_call",
        "application/json",
        r#"{"company":"acme","rows":[{"line":2,"phone":"canary.person@example.com"},{"line":3,"phone":"305 555 0123","remove":"yes"}]}"#,
    ),
    (
        "desk",
        "PUT",
        "/v1/dealers/hudson/secrets/api_key",
        "application/json",
        r#"{"secret":"canary.person@example.com"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/dealers/hudson/secret/rotate",
        "application/json",
        r#"{"overlap_hours":24,"reason":"canary.person@example.com"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/sources/web/keys",
        "application/json",
        r#"{"generation":2,"ends":"2026-07-01","reason":"canary.person@example.com"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/dealers/hudson/channels/1/test",
        "application/json",
        r#"{"to":"canary.person@example.com"}"#,
    ),
    (
        "desk",
        "POST",
        "/v1/leads/{lead}/interactions/{interaction}/restore",
        "application/json",
        r#"{"reason":"canary.person@example.com"}"#,
    ),
];

/// Those of [`SENT`] that are refused as they stand, in their order: each is nearly right, and meets a rule.
const REFUSED_WHOLE: [(u16, &str); 12] = [
    (422, "/v1/leads/{page}"),
    (401, "/v1/leads/{page}/meta"),
    (400, "/v1/interactions/{page}"),
    (409, "/v1/leads/{lead}/hold"),
    (422, "/v1/rulebook?dry_run=1"),
    (422, "/v1/rulebook/contracts/hudson?base=1&dry_run=1"),
    (422, "/v1/rulebook/workbook?dry_run=1"),
    (409, "/v1/inbox/{assignment}/return"),
    (409, "/v1/leads/{lead}/take_back"),
    (400, "/v1/leads/merge"),
    (404, "/v1/unsubscribe/u_canary.person@example.com"),
    (404, "/answer/a_canary.person@example.com"),
];

/// Paths and queries that name nothing, too much, or nonsense.
const ASKED: [&str; 46] = [
    "/v1/leads/%ff%fe",
    "/v1/leads/%00",
    "/v1/leads/..%2f..%2fetc",
    "/v1/leads/019e83e9-d400-7796-bf59-9dd1058f44d1",
    "/v1/leads/{lead}/decisions/x",
    "/v1/leads/{lead}/decisions/%F0%9F%98%80",
    "/v1/waiting?category=%00",
    "/v1/waiting?company=%F0%9F%98%80&limit=-1",
    "/v1/why-nothing?dealer=",
    "/v1/why-nothing?dealer=nobody&day=9999-99-99",
    "/v1/shadow?month=0000-00",
    "/v1/shadow?month=9999-12",
    "/v1/history?from=x",
    "/v1/history?from=9999-12-31T23:59:59Z&to=1970-01-01T00:00:00Z",
    "/v1/history?from=1970-01-01T00:00:00Z&to=9999-12-30T00:00:00Z&after=%7B%7D",
    "/v1/returns?open=perhaps",
    "/v1/dealers?show=",
    "/v1/dealers?show=perhaps",
    "/v1/dealers?show=%00&after=hudson",
    "/v1/dealers?show=full&show=paused",
    "/v1/dealers?show=failing&after=%ff%fe",
    "/v1/dealers?after=%F0%9F%98%80",
    "/v1/dealers?after=zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
    "/v1/dealers/%ff",
    "/v1/dealers/%00?contracts=hudson",
    "/v1/dealers/hudson?contracts=",
    "/v1/dealers/hudson?contracts=%00",
    "/v1/dealers/hudson?contracts=%27%20or%201=1",
    "/v1/dealers/hudson?contracts=hudson&contracts=ridge",
    "/v1/dealers/%20/figures",
    "/v1/dealers/nobody/figures?company=%ff",
    "/v1/dealers/nobody/statement",
    "/v1/dealers/hudson/statement?month=-001-01",
    "/v1/dealers/hudson/statement?month=9999-12",
    "/v1/rulebook?version=99999999999999999999",
    "/v1/rulebook?version=-1&files=1",
    "/v1/rulebook/versions?company=%00",
    "/v1/changes?from=9999-12-31T23:59:59Z",
    "/v1/inbox?dealer=%27%20or%201=1",
    "/v1/inbox/%ff",
    "/v1/inbox/%00?dealer=hudson",
    "/v1/inbox/{lead}",
    "/v1/inbox/{assignment}?after=%ff&state=%00",
    "/v1/leads/{page}/meta?hub.mode=subscribe&hub.verify_token=%00&hub.challenge=%3Cscript%3E",
    "/v1/leads/{page}/meta?hub.challenge=%ff",
    "/v1/nothing/of/the/kind",
];

/// How a look at changed rules is asked for: as it should be, then with nonsense, and without saying that it is a look.
const LOOKED: [&str; 10] = [
    "dry_run&backtest",
    "dry_run=%00&backtest=%ff%fe",
    "dry_run=no&backtest=%F0%9F%98%80&base=1",
    "dry_run=1&dry_run=1&backtest=1",
    "dry_run=1&backtest=1&company=%00",
    "dry_run=1&backtest=1&base=0",
    "dry_run=1&backtest=1&base=-1",
    "dry_run=1&backtest=1&base=99999999999999999999",
    "backtest=1&base=1",
    "backtest=%00&dry-run=1",
];

fn mutated(body: &[u8], seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut bytes = body.to_vec();
    for _ in 0..=random.usize(0..4) {
        let at = random.usize(0..=bytes.len());
        let nasty: [&[u8]; 12] = [
            b"\0",
            b"\xff\xfe",
            b"\"",
            b"}",
            b"[[[[[[[[[[[[[[[[",
            b"1e999",
            b"-0",
            "\u{202e}".as_bytes(),
            b"\\ud800",
            b"null",
            b"99999999999999999999999999",
            b"=1+1",
        ];
        match random.u8(0..6) {
            0 => bytes.truncate(at),
            1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.u8(..);
                }
            }
            2 => bytes.splice(at..at, nasty[random.usize(0..nasty.len())].iter().copied()).for_each(drop),
            3 => {
                let again = bytes.get(..at).unwrap_or_default().to_vec();
                bytes.extend(again);
            }
            4 => bytes.splice(at..at, std::iter::repeat_n(b'[', 300)).for_each(drop),
            _ => {
                let end = (at + random.usize(0..12)).min(bytes.len());
                bytes.drain(at..end);
            }
        }
    }
    bytes
}

#[tokio::test(start_paused = true)]
async fn whatever_is_sent_is_no_error_of_ours_and_comes_back_in_no_problem() {
    let rules = Rules::roofing("acme").file_source("list", "offer = \"roof\"");
    let rules = rules.seller("hudson", []).seller("ridge", []);
    let yard = Yard::of(rules.clone()).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    let other = yard.settled_lead(&Person::number(2)).await;
    // One waits, so that the desk may merge it; one is held, so that it may be let go, rejected and reopened.
    let _ = yard.flip("stop", serde_json::json!({ "on": true })).await;
    let waiting = yard.settled_lead(&Person::number(3)).await;
    let held_back = yard.settled_lead(&Person::number(4)).await;
    let _ = yard.flip("stop", serde_json::json!({ "on": false })).await;
    let hold = format!("/v1/leads/{held_back}/hold");
    let _ = yard.desk(Method::POST, &hold, Some(serde_json::json!({}))).await.is(200);
    // One is kept aside; one clicked something; and one link may answer for a dealer.
    let doubtful = |name: &str| Person::named(name, "Hill").with("email", &format!("{name}@mailinator.com"));
    let aside = yard.server("web").posts(&doubtful("Ann")).await.is(202).text_of("enquiry").to_owned();
    let other_aside = yard.server("web").posts(&doubtful("Bea")).await.is(202).text_of("enquiry").to_owned();
    let click = serde_json::json!({ "id": "click-1", "kind": "page_view", "at": "2026-06-01T15:00:00Z", "lead": lead });
    let _ = yard.server("web").reports(click).await.is(202);
    yard.settle().await;
    let unsubscribe = yard.story(&other).await.0["unsubscribe"].as_str().unwrap().to_owned();
    let views = yard.story(&lead).await.list("interactions").find(|one| one["kind"] == "page_view").cloned();
    let interaction = views.unwrap()["names"][0].as_str().unwrap().to_owned();
    let held = yard.story(&lead).await;
    let link = AnswerLink {
        lead: lead.parse().unwrap(),
        cycle: 1,
        assignment: held.0["holders"][0]["assignment"].as_str().unwrap().parse().unwrap(),
        answer: Answer::Accept,
        until_s: i64::MAX,
    };
    let answer = format!("/answer/{}", yard.cloud.master.mint(&link));
    let assignment = held.0["holders"][0]["assignment"].clone();
    let (desk, dealer, secret) =
        (yard.desk_token(), yard.dealer_token(held.holders()[0]), yard.secret("web"));
    let web =
        SourceSecret { company: yard.company_id(), source: SourceId::new("web").unwrap(), generation: 1 };
    let google = PlatformKey::of(&yard.cloud.master, Platform::Google, &web).reveal().to_owned();
    let bearer = |who: &str| match who {
        "desk" => Some(desk.as_str()),
        "dealer" => Some(dealer.as_str()),
        "server" => Some(secret.as_str()),
        _ => None,
    };
    let fill = |text: &str| {
        text.replace("{lead}", &lead)
            .replace("{other}", &other)
            .replace("{waiting}", &waiting)
            .replace("{held}", &held_back)
            .replace("{page}", yard.page("web").key())
            .replace("{google}", &google)
            .replace("{aside}", &aside)
            .replace("{other_aside}", &other_aside)
            .replace("{unsubscribe}", &unsubscribe)
            .replace("{answer}", &answer)
            .replace("{interaction}", &interaction)
            .replace("{assignment}", assignment.as_str().unwrap())
    };
    let mut statuses = std::collections::BTreeMap::<u16, u32>::new();
    let mut refused_whole = Vec::new();
    let mut seen = |what: &str, reply: &Reply| {
        let status = reply.status.as_u16();
        *statuses.entry(status).or_default() += 1;
        assert!(status < 500, "{what}: {status} {}", reply.text);
        if status >= 400 {
            // Google reads a message of its own; who follows a mail's link, or tries the instructions, a page.
            let kind = match what {
                _ if what.contains("/google") => "application/json",
                _ if what.contains("/answer/") || what.contains("/instructions") => {
                    "text/html; charset=utf-8"
                }
                _ => "application/problem+json",
            };
            assert_eq!(reply.header("content-type"), kind, "{what}: {}", reply.text);
            assert!(!reply.text.contains(CANARY), "{what}: {}", reply.text);
        }
    };
    for (number, (who, method, path, kind, body)) in SENT.iter().enumerate() {
        let (path, body) = (fill(path), fill(body));
        for mutation in 0..MUTATIONS {
            let body = match mutation {
                0 => body.as_bytes().to_vec(),
                _ => mutated(body.as_bytes(), number as u64 * 1_000 + mutation),
            };
            let method: Method = method.parse().unwrap();
            let reply = yard.sends(bearer(who), method.clone(), &path, kind, body).await;
            if mutation == 0 && reply.status.as_u16() >= 400 {
                refused_whole.push((reply.status.as_u16(), SENT[number].2));
            }
            seen(&format!("{method} {path} ({mutation})"), &reply);
        }
    }
    for path in ASKED {
        for who in ["desk", "dealer", "nobody"] {
            let reply = yard.sends(bearer(who), Method::GET, &fill(path), "text/plain", Vec::new()).await;
            seen(&format!("GET {path} by {who}"), &reply);
        }
    }
    // Other rules, in each of the ways in which they may be looked at.
    let workbook = yard.desk(Method::GET, "/v1/rulebook/workbook", None).await.is(200);
    let files = serde_json::json!({ "files": rules.seller("crest", []).files() }).to_string();
    for (method, path, kind, body) in [
        (Method::PUT, "/v1/rulebook", "application/json", files.into_bytes()),
        (Method::PUT, "/v1/rulebook/workbook", workbook.header("content-type"), workbook.bytes.clone()),
        (Method::POST, "/v1/rulebook/rollback", "application/json", br#"{"version":1}"#.to_vec()),
    ] {
        let mut looks = 0;
        for asked in LOOKED {
            for who in ["desk", "dealer", "nobody"] {
                let path = format!("{path}?{asked}");
                let reply = yard.sends(bearer(who), method.clone(), &path, kind, body.clone()).await;
                seen(&format!("{method} {path} by {who}"), &reply);
                let is_look = reply.json["backtest"].is_object();
                assert!(reply.status != 200 || is_look && who == "desk", "{path} by {who}: {}", reply.text);
                looks += usize::from(is_look);
            }
        }
        assert!(looks >= 3, "{method} {path} says nothing of the last decisions");
    }
    // However it was asked for, a look publishes nothing.
    assert_eq!(yard.version().await, 1);
    assert_eq!(refused_whole, REFUSED_WHOLE, "the others are understood as they stand");
    // What was understood of it is worked on, and nothing of it kills a worker.
    yard.settle().await;
    assert!(yard.dead_letters().is_empty());
    assert!(
        [201, 202, 400, 401, 404, 422].iter().all(|status| statuses.contains_key(status)),
        "{statuses:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn who_may_is_known_before_anything_is_said_of_what_was_sent() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let (of_dealer, secret) = (yard.dealer_token("hudson"), yard.secret("web"));
    // Each path, query and body is wrong in its own way.
    for (method, path) in [
        (Method::GET, "/v1/leads/%ff"),
        (Method::GET, "/v1/leads/x/decisions/%ff"),
        (Method::POST, "/v1/leads/x/sell"),
        (Method::POST, "/v1/leads/place"),
        (Method::GET, "/v1/dealers?show=x"),
        (Method::GET, "/v1/dealers/%ff?contracts=x"),
        (Method::GET, "/v1/rulebook?version=x"),
        (Method::PUT, "/v1/rulebook?base=x"),
        (Method::PUT, "/v1/rulebook?backtest=1"),
        (Method::PUT, "/v1/rulebook/workbook?base=x"),
        (Method::PATCH, "/v1/rulebook/nothing/hudson?base=x"),
        (Method::POST, "/v1/rulebook/rollback?base=x"),
        (Method::GET, "/v1/rulebook/template"),
        (Method::GET, "/v1/history?to=x"),
        (Method::GET, "/v1/shadow?month=x"),
        (Method::GET, "/v1/waiting?company=nobody"),
        (Method::GET, "/v1/returns?state=x"),
        (Method::POST, "/v1/returns/x/perhaps"),
        (Method::POST, "/v1/switches/nothing"),
        (Method::GET, "/v1/changes?company=nobody"),
        (Method::GET, "/v1/erasures?after=x"),
        (Method::POST, "/v1/persons/export?company=nobody"),
        (Method::POST, "/v1/dealers/%ff/deposits"),
        (Method::POST, "/v1/dealers/hudson/channels/x/enable"),
        (Method::GET, "/v1/dealers/hudson/channels/x/test/x"),
        (Method::POST, "/v1/sources/%ff/keys"),
        (Method::GET, "/v1/quarantine?email=a"),
        (Method::POST, "/v1/quarantine/search"),
        (Method::POST, "/v1/quarantine/release"),
        (Method::POST, "/v1/import/counts?file_rows=x"),
        (Method::POST, "/v1/import/do_not_call?company=nobody"),
    ] {
        for bearer in [None, Some("x"), Some(&*secret), Some(&*of_dealer)] {
            let reply = yard.sends(bearer, method.clone(), path, "application/json", b"{".to_vec()).await;
            assert_eq!(reply.status, 401, "{method} {path}: {}", reply.text);
        }
    }
    // So it is where a dealer may ask as well; and another dealer does not exist for it.
    for (method, path) in [
        (Method::GET, "/v1/dealers/%20/statement?month=x"),
        (Method::GET, "/v1/dealers/%ff/channels"),
        (Method::GET, "/v1/dealers/%20/figures?company=x"),
        (Method::POST, "/v1/dealers/%20/secret/rotate"),
        (Method::PUT, "/v1/dealers/ridge/secrets/%20"),
        (Method::DELETE, "/v1/dealers/ridge/secrets/%20"),
    ] {
        for bearer in [None, Some("x"), Some(&*secret)] {
            let reply = yard.sends(bearer, method.clone(), path, "application/json", b"{".to_vec()).await;
            assert_eq!(reply.status, 401, "{method} {path}: {}", reply.text);
        }
        let reply =
            yard.sends(Some(&of_dealer), method.clone(), path, "application/json", b"{".to_vec()).await;
        assert_eq!(reply.status, 404, "{method} {path}: {}", reply.text);
    }
    for (method, path) in [
        (Method::GET, "/v1/inbox?state=x"),
        (Method::GET, "/v1/inbox/%ff"),
        (Method::POST, "/v1/inbox/%ff/accept"),
    ] {
        let desk = yard.desk_token();
        for bearer in [None, Some(&*secret), Some(&*desk)] {
            let reply = yard.sends(bearer, method.clone(), path, "application/json", b"{".to_vec()).await;
            assert_eq!(reply.status, 401, "{method} {path}: {}", reply.text);
        }
    }
}
