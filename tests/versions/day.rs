//! A busy day, at whose end a lead is at every stage, and something in every queue.

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use leadyard::{poller, system};
use leadyard_tests::{Person, Rules, Says, Yard};
use serde_json::{Value, json};

use crate::left::Left;

pub(crate) const COMPANY: &str = "acme";

/// What is left: by table (how its keys begin), and by queue. What is not among them, the day does not bring about.
pub(crate) const KINDS: [&str; 33] = [
    "B deposit",
    "B time",
    "E E",
    "F F",
    "G time",
    "I c",
    "I suppressed",
    "K K",
    "K returns",
    "L A",
    "L D",
    "L H",
    "L L",
    "L M",
    "L Y",
    "N C",
    "R chunk",
    "R core",
    "R current",
    "R text",
    "R version",
    "S S",
    "T N",
    "T O",
    "T P",
    "U open",
    "V V",
    "X E",
    "Z Z",
    "queue delivery assignment",
    "queue distribution lead",
    "queue interactions ",
    "queue spill ",
];

/// Florida is hudson's, New York crest's with a deadline, Texas ridge's; Illinois nobody's yet.
pub(crate) fn rules() -> Rules {
    Rules::roofing(COMPANY)
        .seller(
            "hudson",
            [
                ("area", "state:FL"),
                ("price", "45.00"),
                ("cap_day", "40"),
                ("return_days", "7"),
                ("return_reasons", "wrong-number"),
            ],
        )
        .seller("crest", [("area", "state:NY"), ("deadline_minutes", "60"), ("deadline_clock", "wall")])
        .seller("ridge", [("area", "state:TX"), ("sale", "shared:2")])
}

pub(crate) fn sold() -> Person {
    Person::named("Ada", "Hill").with("phone", "305-274-5678").with("message", "the roof leaks")
}

pub(crate) fn erased() -> Person {
    Person::named("Erin", "Gone")
}

async fn desk(yard: &Yard, lead: &str, act: &str, body: Value) {
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{lead}/{act}"), Some(body)).await.is(200);
}

/// What the day leaves.
pub(crate) async fn busy() -> Left {
    let yard = Yard::of(rules()).await;
    yard.notes();
    let mut leads = BTreeMap::new();
    let florida = |name: &str| Person::named(name, "Hill");
    let in_zip = |name: &str, zip: &str| Person::named(name, "Hill").with("zip", zip);

    // Sold: asked twice, did something.
    let lead = yard.settled_lead(&sold()).await;
    let _ = yard.server("web").posts(&sold().with("message", "and the gutter")).await.is(200);
    let did = |id: &str, lead: &str| json!([{ "id": id, "kind": "quote_request", "at": yard.cloud.clock.now(), "lead": lead }]);
    let _ = yard.server("web").reports(did("r-1", &lead)).await.is(202);
    leads.insert("sold", lead);
    yard.settle().await;
    // A visitor nobody knows yet but the page.
    let page = yard.page("web").posts(&florida("Vera")).await.is(201);
    let visit = json!([{ "id": "v-1", "kind": "page_view", "at": yard.cloud.clock.now(),
        "visitor": page.json["visitor"] }]);
    let _ = yard.page("web").reports(visit).await.is(202);

    for (name, person) in [
        ("won", florida("Wanda")),
        ("return_asked", florida("Rita")),
        ("offered", in_zip("Olga", "10001")),
        ("declined", in_zip("Dora", "10001")),
        ("waiting", in_zip("Wilma", "60601")),
        ("held", in_zip("Hilda", "60601")),
        ("merged", in_zip("Mary", "60601")),
        ("erased", erased()),
    ] {
        leads.insert(name, yard.settled_lead(&person).await);
    }
    let won = Some(json!({ "value": "1200.00" }));
    let _ = yard.answers_with("hudson", &leads["won"], "won", won).await.is(200);
    let reason = Some(json!({ "reason": "wrong-number" }));
    let _ = yard.answers_with("hudson", &leads["return_asked"], "return", reason).await.is(200);
    let _ = yard.answers("crest", &leads["declined"], "decline").await.is(200);
    desk(&yard, &leads["held"], "hold", json!({})).await;
    desk(&yard, &leads["held"], "note", json!({ "text": "on holiday until Monday" })).await;
    desk(&yard, &leads["merged"], "merge", json!({ "into": leads["waiting"], "reason": "she said so" }))
        .await;
    desk(&yard, &leads["erased"], "erase", json!({ "reason": "requested" })).await;
    let body = json!({ "amount": "25.00", "reference": "wire-1" });
    let _ = yard.desk(Method::POST, "/v1/dealers/hudson/deposits", Some(body)).await.is(200);
    yard.flip("pause", json!({ "on": true, "dealer": "ridge", "reason": "holiday" })).await;
    yard.flip("pause", json!({ "on": false, "dealer": "ridge" })).await;
    let _ = yard.server("web").posts(&Person::named("Una", "Hill").without("email")).await.is(422);
    yard.dealer_says("ridge", Says::IsShut);
    leads.insert("unreachable", yard.settled_lead(&in_zip("Tess", "75001")).await);
    // Whoever is woken by all that.
    yard.advance(Duration::from_secs(20)).await;
    // What happened is counted, and what lapses noted.
    yard.count().await;

    // And in the queues: an assignment, a lead, an interaction, and what the table did not take.
    let lead = yard.lead(&florida("Dela")).await;
    let distribution = system::WORKED.iter().find(|queue| queue.name == "distribution").unwrap();
    while poller::work(&yard.cloud, yard.aws.queues(), distribution).await > 0 {}
    leads.insert("just_assigned", lead);
    leads.insert("just_received", yard.lead(&florida("Nora")).await);
    let _ = yard.server("web").reports(did("r-2", &leads["sold"])).await.is(202);
    yard.faults.table(true);
    let _ = yard
        .server("web")
        .posts(&florida("Spilled").with("email", "spilled.hill@mail.example"))
        .await
        .is(202);
    yard.faults.table(false);
    Left::of(&yard, leads).await
}
