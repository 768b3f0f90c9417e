//! A person is exported, and goes: everywhere, whatever interrupts it, and also after a restore.
//!
//! | module | holds |
//! |---|---|
//! | `everything` | everything of a person goes, however much there is of it |
//! | `exported` | what is exported is what goes |
//! | `interrupted` | whatever interrupts it, or is under way meanwhile |
//! | `holders` | whoever has the lead: what they are told, and what they owe |
//! | `others` | nobody else goes, and nobody else may |
//! | `again` | who was forgotten stays so: in the next list, after a restore |

mod everything;
mod exported;
mod interrupted;
mod holders;
mod others;
mod again;

use std::collections::BTreeMap;
use std::time::Duration;

use http::Method;
use leadyard_tests::{Person, Reply, Rules, Says, Yard};
use serde_json::{Value, json};

use crate::moving_in::table;

const HOUR: Duration = Duration::from_secs(3_600);
const BROWSER: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36";

/// Nothing else in the system reads like these.
const CANARIES: [&str; 11] = [
    "zebulon",
    "quackenbush",
    "zq.canary",
    "5550177",
    "555-0177",
    "5550178",
    "xylophone",
    "marmalade",
    "kumquat",
    "rutabaga",
    "persimmon",
];

fn rules() -> Rules {
    Rules::roofing("acme")
        .offer("gutter", "gutters", "")
        .source("rain", "offer = \"gutter\"")
        .source("trial", "offer = \"roof\"\ntest = true")
        .dealer("hudson", [])
        .contract(
            "hudson",
            "hudson",
            [
                ("offers", "roof"),
                ("return_days", "7"),
                ("return_quota", "100%"),
                ("return_reasons", "wrong-number"),
            ],
        )
        .dealer("ridge", [])
        .contract("ridge", "ridge", [("offers", "gutter"), ("deadline_minutes", "60")])
}

fn zeb() -> Person {
    Person::named("Zebulon", "Quackenbush")
        .with("email", "zq.canary@mail.example")
        .with("phone", "305-555-0177")
        .with("street", "7 Marmalade Row")
        .with("city", "Miami")
        .with("message", "a xylophone on the roof")
        .with("utm_campaign", "kumquat")
        .with("favourite_fruit", "kumquat")
        .with("consent", "yes")
        .with("consent_text", "Zebulon agrees to be called")
}

fn ada() -> Person {
    Person::named("Ada", "Hill").with("phone", "305-555-0100")
}

fn assert_nobody(place: &str, text: &str) {
    let text = text.to_lowercase();
    for canary in CANARIES {
        let at = text.find(canary);
        assert!(at.is_none(), "{canary} stands in {place}: …{}…", &text[at.unwrap().saturating_sub(200)..]);
    }
}

async fn erase(yard: &Yard, lead: &str, more: Value) -> Reply {
    let mut body = json!({ "reason": "requested" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    yard.desk(Method::POST, &format!("/v1/leads/{lead}/erase"), Some(body)).await
}

async fn export(yard: &Yard, body: Value) -> Reply {
    yard.desk(Method::POST, "/v1/persons/export", Some(body)).await
}

fn events(yard: &Yard, dealer: &str) -> Vec<String> {
    yard.told(dealer).iter().map(|told| told.event.clone()).collect()
}

/// What a life with us leaves: by every way in, with everything that may be said of somebody on it.
struct Life {
    roof: String,
    gutter: String,
}

async fn live(yard: &Yard) -> Life {
    yard.dealer_says("hudson", Says::Body(200, "thank you, Zebulon Quackenbush is ours"));
    let roof = yard.server("web").posts(&zeb().with("consent_user_agent", "Persimmon/1.0")).await.is(201);
    let roof = roof.text_of("lead").to_owned();
    yard.settle().await;
    // Asks again by a plain form with another phone, and for another thing.
    let again = zeb().with("phone", "3055550178").with("message", "still the rutabaga").with("state", "FL");
    let _ = yard.server("web").submits(&again).await;
    let gutter = yard.server("rain").posts(&zeb()).await.is(201).text_of("lead").to_owned();
    yard.settle().await;
    // What they did, by e-mail and in the browser.
    let at = yard.cloud.clock.now();
    let by_email =
        json!({ "id": "kumquat-1", "kind": "quote_request", "at": at, "email": "zq.canary@mail.example" });
    let _ = yard.server("web").reports(by_email).await.is(202);
    let page = yard.page("web").header("user-agent", BROWSER).posts(&zeb()).await.is(201);
    if let Some(visitor) = page.json["visitor"].as_str() {
        let visit = json!({ "id": "v-1", "kind": "page_view", "at": at, "visitor": visitor });
        let _ = yard.page("web").reports(visit).await.is(202);
    }
    yard.settle().await;
    // What the desk and the dealer wrote of them.
    let note = json!({ "text": "Zebulon called: the xylophone is loud" });
    let _ = yard.desk(Method::POST, &format!("/v1/leads/{roof}/note"), Some(note)).await.is(200);
    let _ = yard.answers("hudson", &roof, "accept").await.is(200);
    let seat = yard.story(&roof).await.assignment("hudson")["assignment"].as_str().unwrap().to_owned();
    let back = json!({ "reason": "wrong-number", "note": "555-0177 is a Marmalade shop" });
    let _ =
        yard.dealer("hudson", Method::POST, &format!("/v1/inbox/{seat}/return"), Some(back)).await.is(200);
    let said = json!({ "reason": "Quackenbush answered us on 555-0177" });
    let _ = yard.desk(Method::POST, &format!("/v1/returns/{seat}/deny"), Some(said)).await.is(200);
    // What was kept aside: doubted, rejected with a word, a test, and what nobody could read.
    let doubted = zeb().with("message", "We offer 500 backlinks for your website, reply YES to Zebulon");
    let aside = yard.server("web").posts(&doubted).await.is(202).text_of("enquiry").to_owned();
    let why = json!({ "reason": "Zebulon sells links" });
    let _ = yard.desk(Method::POST, &format!("/v1/quarantine/{aside}/reject"), Some(why)).await.is(200);
    let _ = yard
        .server("web")
        .posts(
            &doubted.with("message", "backlinks backlinks casino Zebulon, cheap backlinks for your website"),
        )
        .await;
    let _ = yard.server("trial").posts(&zeb()).await.is(201);
    let _ = yard
        .server("web")
        .sends("application/json", "{\"email\": zq.canary@mail.example, Zebulon")
        .await
        .is(400);
    Life { roof, gutter }
}

/// The table by item, and what stands in each.
async fn items(yard: &Yard) -> BTreeMap<(String, String), String> {
    let of = |line: String| {
        let item: Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
        ((text("pk"), text("sk")), line)
    };
    table(yard).await.into_iter().map(of).collect()
}
