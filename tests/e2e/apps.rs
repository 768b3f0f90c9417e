//! Meta's apps: the installation's, and those of sources whose agencies have their own.

use http::Method;
use leadyard_domain::access::Platform;
use leadyard_tests::logs::Logs;
use leadyard_tests::{Reply, Rules, Says, Yard};
use serde_json::{Value, json};

use crate::ways::{
    META_LEAD, graph_says, id_of, meta, meta_enquiry, meta_notice, meta_notice_of, signature, signature_by,
};

/// Two agencies with an app each, and a source of the installation's app.
async fn agencies() -> Yard {
    let rules = Rules::roofing("acme").seller("hudson", []);
    let of_meta = |rules: Rules, id| rules.source_of("meta", id, "offer = \"roof\"");
    let yard = Yard::of(["north", "south", "house"].into_iter().fold(rules, of_meta)).await;
    for source in ["north", "south"] {
        let _ = gives(&yard, source, &format!("{source}'s app")).await.is(200);
    }
    yard
}

/// The desk sets the secret of a source's own app.
async fn gives(yard: &Yard, source: &str, secret: &str) -> Reply {
    let path = format!("/v1/sources/{source}/secrets/meta_app_secret");
    yard.desk(Method::PUT, &path, Some(json!({ "secret": secret }))).await
}

#[tokio::test(start_paused = true)]
async fn a_source_with_an_app_of_its_own_is_told_of_leads_by_that_app_alone() {
    let yard = agencies().await;
    let apps = ["north's app", "south's app", leadyard_tests::APP_SECRET];
    for (number, source) in ["north", "south", "house"].into_iter().enumerate() {
        for (other, secret) in apps.into_iter().enumerate() {
            let lead = format!("9{number}{other}");
            let body = meta_notice(&[&lead]);
            let reply = meta(&yard, source, &body, &signature_by(secret, &body)).await;
            let id = id_of(&yard, Platform::Meta, source, &lead);
            if number == other {
                let _ = reply.is(200);
                assert_eq!(yard.enquiry(&id).await.unwrap().status, "unfetched", "{source}");
            } else {
                let _ = reply.is(401).is_problem("unauthorized");
                assert!(yard.enquiry(&id).await.is_none(), "{source} by {secret}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_agency_s_app_speaks_for_no_other_company_whatever_page_it_names() {
    let rules = |company: &str, dealer: &str| {
        Rules::roofing(company).source_of("meta", "ads", "offer = \"roof\"").seller(dealer, [])
    };
    let access = json!({
        "tokens": { "acme": "acme's", "bolt": "bolt's" },
        "pages": { "1": { "company": "acme", "source": "ads" }, "2": { "company": "bolt", "source": "ads" } },
    });
    let acme = Yard::with_meta(rules("acme", "hudson"), access).await;
    let bolt = acme.also(rules("bolt", "ridge")).await;
    let _ = gives(&acme, "ads", "an agency's").await.is(200);
    // Another company's source of the same id has none of it.
    let body = meta_notice_of(2, &["84"]);
    let _ = meta(&bolt, "ads", &body, &signature_by("an agency's", &body)).await.is(401);
    let _ = meta(&acme, "ads", &body, &signature_by("an agency's", &body)).await.is(200);
    acme.settle().await;
    assert!(meta_enquiry(&bolt, "84").await.is_none());
    // Nor is the page, which is not listed as its company's, read with its token.
    assert_eq!(meta_enquiry(&acme, "84").await.unwrap().status, "unfetched");
    assert!(!acme.dealers.told().iter().any(|told| told.who.starts_with("graph/84")));
    graph_says(&acme, "85", Says::Body(200, META_LEAD));
    let body = meta_notice_of(1, &["85"]);
    let _ = meta(&acme, "ads", &body, &signature_by("an agency's", &body)).await.is(200);
    acme.settle().await;
    assert_eq!(meta_enquiry(&acme, "85").await.unwrap().status, "received");
}

#[tokio::test(start_paused = true)]
async fn the_installation_s_app_speaks_for_no_source_that_has_its_own_by_whatever_page() {
    let of_meta = |rules: Rules, id| rules.source_of("meta", id, "offer = \"roof\"");
    let rules = ["house", "north"].into_iter().fold(Rules::roofing("acme").seller("hudson", []), of_meta);
    let access = json!({
        "app_secret": leadyard_tests::APP_SECRET, "tokens": { "acme": "acme's" },
        "pages": { "1": { "company": "acme", "source": "north" } },
    });
    let yard = Yard::with_meta(rules, access).await;
    let body = meta_notice_of(1, &["86"]);
    let _ = meta(&yard, "house", &body, &signature(&body)).await.is(200);
    assert!(yard.enquiry(&id_of(&yard, Platform::Meta, "north", "86")).await.is_some());
    let _ = gives(&yard, "north", "an agency's").await.is(200);
    let body = meta_notice_of(1, &["87"]);
    let _ = meta(&yard, "house", &body, &signature(&body)).await.is(200);
    for source in ["north", "house"] {
        assert!(yard.enquiry(&id_of(&yard, Platform::Meta, source, "87")).await.is_none(), "{source}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_s_app_secret_is_set_and_taken_away_by_the_desk_and_shown_to_nobody() {
    let (logs, _guard) = Logs::keep();
    let yard = agencies().await;
    let path = "/v1/sources/north/secrets/meta_app_secret";
    // Set again, it stands at once; taken away, the installation's does.
    let _ = gives(&yard, "north", "canary app secret").await.is(200);
    let body = meta_notice(&["91"]);
    let _ = meta(&yard, "north", &body, &signature_by("north's app", &body)).await.is(401);
    let _ = meta(&yard, "north", &body, &signature_by("canary app secret", &body)).await.is(200);
    let listed = yard.desk(Method::GET, "/v1/sources/north/secrets", None).await.is(200);
    assert_eq!(listed.json["secrets"][0]["name"], "meta_app_secret");
    let gone = yard.desk(Method::DELETE, path, None).await.is(200);
    assert_eq!(gone.json["set_at"], Value::Null);
    let _ = yard.desk(Method::DELETE, path, None).await.is(404);
    let _ = meta(&yard, "north", &body, &signature_by("canary app secret", &body)).await.is(401);
    let _ = meta(&yard, "north", &body, &signature(&body)).await.is(200);
    // Whoever is to send is told to hand it over.
    let page = yard.page("north");
    let page = page.gets(&format!("/v1/leads/{}/instructions", page.key())).await.is(200);
    assert!(page.text.contains("the secret of your app"), "{}", page.text);
    let changes = yard.desk(Method::GET, "/v1/changes", None).await.is(200);
    assert_eq!(changes.text.matches("given_secret_set").count(), 3, "{}", changes.text);
    let table = crate::moving_in::table(&yard).await.join("\n");
    for told in [&listed.text, &gone.text, &changes.text, &logs.text(), &table] {
        assert!(!told.contains("canary"), "{told}");
    }
    // What it cannot have is said; and a stranger has no word in it.
    let _ = gives(&yard, "north", " x").await.is(400).is_problem("invalid-field");
    let _ = gives(&yard, "web", "x").await.is(400).is_problem("invalid-field");
    let _ = gives(&yard, "nobody", "x").await.is(404).is_problem("not-found");
    let other = "/v1/sources/north/secrets/api_key";
    let _ = yard.desk(Method::PUT, other, Some(json!({ "secret": "x" }))).await.is(400);
    let body = || Some(json!({ "secret": "x" }));
    let _ = yard.dealer("hudson", Method::PUT, path, body()).await.is(401);
    let bolt = yard.also(Rules::roofing("bolt").seller("ridge", [])).await;
    let _ = bolt.desk(Method::PUT, &format!("{path}?company=acme"), body()).await.is(404);
    assert_eq!(
        bolt.desk(Method::GET, "/v1/sources/north/secrets", None).await.is(200).json["secrets"],
        json!([])
    );
}
