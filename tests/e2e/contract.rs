//! The public contract: the document has every route and no other, is served, and is what answers are held against.

use std::collections::BTreeSet;

use http::{HeaderMap, Method, StatusCode};
use leadyard::gateway;
use leadyard_domain::openapi::{self, Function};
use leadyard_tests::contract::{Asked, faults};
use leadyard_tests::routes::{is_page, routes_of};
use leadyard_tests::{Reply, Rules, Yard};
use serde_json::{Value, json};

#[tokio::test(start_paused = true)]
async fn the_document_has_every_route_of_every_function_and_no_other() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    for (function, router) in [
        (Function::Leads, leadyard_intake::leads(yard.cloud.clone())),
        (Function::Interactions, leadyard_intake::interactions(yard.cloud.clone())),
        (Function::Console, leadyard_console::router(yard.cloud.clone())),
    ] {
        let routed: BTreeSet<_> = routes_of(&router).into_iter().filter(|(_, path)| !is_page(path)).collect();
        let documented = openapi::routes().into_iter().filter(|route| route.function == function);
        let documented: BTreeSet<_> =
            documented.map(|route| (route.method.to_string(), route.path.to_owned())).collect();
        assert_eq!(routed, documented, "{function:?}: what is routed, what is documented");
    }
}

#[test]
fn the_gateway_leads_each_route_to_the_function_that_the_document_names() {
    for route in openapi::routes() {
        let path: Vec<&str> =
            route.path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
        let method: Method = route.method.to_string().to_uppercase().parse().unwrap();
        let function = gateway::function_of(&method, &path.join("/")).name();
        assert_eq!(function, route.function.name(), "{method} {}", route.path);
    }
}

#[tokio::test(start_paused = true)]
async fn whom_the_document_does_not_name_a_route_refuses() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let callers = [
        ("nobody", None),
        ("desk_token", Some(yard.desk_token())),
        ("dealer_token", Some(yard.dealer_token("hudson"))),
        ("source_secret", Some(yard.secret("web"))),
    ];
    let document = openapi::document();
    let mut refused = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        let parts = path.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
        let filled = parts.collect::<Vec<&str>>().join("/");
        for (method, operation) in methods.as_object().unwrap() {
            let Some(security) = operation["security"].as_array() else { continue };
            let named: Vec<&str> =
                security.iter().flat_map(|way| way.as_object().unwrap().keys()).map(String::as_str).collect();
            // What stands in the path lets in.
            if security.contains(&json!({})) || named.is_empty() {
                continue;
            }
            let method: Method = method.to_uppercase().parse().unwrap();
            for (caller, token) in callers.iter().filter(|(caller, _)| !named.contains(caller)) {
                let body = b"{}".to_vec();
                let reply =
                    yard.sends(token.as_deref(), method.clone(), &filled, "application/json", body).await;
                assert_eq!(reply.status, 401, "{method} {path} by {caller}: {}", reply.text);
                refused += 1;
            }
        }
    }
    assert!(refused > 200, "{refused}");
}

#[tokio::test(start_paused = true)]
async fn anyone_is_given_the_document() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let reply = yard.sends(None, Method::GET, "/openapi.json", "text/plain", Vec::new()).await.is(200);
    assert_eq!(reply.json, openapi::document());
    assert_eq!(reply.json["openapi"], "3.1.0");
    let search = &reply.json["paths"]["/v1/leads/search"]["post"];
    assert_eq!(search["security"], json!([{ "desk_token": ["reader"] }]));
    assert_eq!(search["requestBody"]["description"], "At most 65536 bytes.");
}

/// An answer as it is not given.
fn reply(status: u16, media: &str, body: &Value) -> Reply {
    let headers = HeaderMap::from_iter([("content-type".parse().unwrap(), media.parse().unwrap())]);
    let text = body.to_string();
    let status = StatusCode::from_u16(status).unwrap();
    Reply { status, headers, bytes: text.clone().into_bytes(), text, json: body.clone() }
}

#[test]
fn an_answer_that_the_document_does_not_have_fails_the_test_that_gets_it() {
    let good = json!({ "returns": [], "next": null });
    let of = |path: &str, status, media: &str, body: &Value| {
        faults(&Method::GET, path, &reply(status, media, body)).join("; ")
    };
    assert_eq!(of("/v1/returns", 200, "application/json", &good), "");
    for (path, status, media, body, said) in [
        ("/v1/return", 200, "application/json", good.clone(), "answered 200 OK, and is no path of it"),
        (
            "/v1/leads/search",
            200,
            "application/json",
            good.clone(),
            "answered 200 OK, and is no method of it",
        ),
        ("/v1/returns", 201, "application/json", good.clone(), "it has no answer 201 Created"),
        ("/v1/returns", 200, "text/plain", good, "its answer 200 OK is no text/plain"),
        (
            "/v1/returns",
            200,
            "application/json",
            json!({ "returns": [], "next": null, "more": 1 }),
            "it does not have /more",
        ),
        ("/v1/returns", 200, "application/json", json!({ "next": null }), " lacks returns"),
        (
            "/v1/returns",
            200,
            "application/json",
            json!({ "returns": 1, "next": null }),
            "/returns is no \"array\"",
        ),
        (
            "/healthz",
            200,
            "application/json",
            json!({ "status": "well" }),
            "/status is none of its words: \"well\"",
        ),
    ] {
        assert_eq!(of(path, status, media, &body), said, "{path}");
    }
    // Of a code that the route does not answer with.
    let problem =
        json!({ "type": "urn:leadyard:problem:cap-reached", "title": "", "status": 404, "detail": "" });
    let said = of("/v1/returns", 404, "application/problem+json", &problem);
    assert!(said.contains("/type is none of its words"), "{said}");
}

#[test]
fn so_does_a_request_that_the_document_does_not_have() {
    let well = reply(200, "application/json", &json!({}));
    let headers =
        HeaderMap::from_iter([("content-type".parse().unwrap(), "application/json".parse().unwrap())]);
    let of = |method, path: &str, body: &str| {
        Asked::of(&method, path, &headers, body.as_bytes()).faults(&well).join("; ")
    };
    assert_eq!(of(Method::GET, "/v1/returns?company=acme&state=done", ""), "");
    assert_eq!(of(Method::GET, "/v1/returns?month=2026-06", ""), "it has no month in its query");
    assert_eq!(of(Method::POST, "/v1/switches/stop", r#"{"on":true}"#), "");
    assert_eq!(
        of(Method::POST, "/v1/switches/stop", r#"{"on":true,"why":""}"#),
        "it does not have its body/why"
    );
    assert_eq!(of(Method::POST, "/v1/switches/stop", "{}"), "its body lacks on");
    assert_eq!(of(Method::GET, "/v1/returns", "{}"), "it takes no JSON");
}
