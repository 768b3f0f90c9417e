//! What answers over HTTP: each under a URL of its own, all under one name of one's own, and a new version of each changed
//! over to slowly.

use std::collections::BTreeSet;

use leadyard_tests::template::{template, words};

use crate::{condition, functions, spelt};

#[test]
fn what_is_over_http_is_what_the_gateway_leads_to() {
    use leadyard::gateway::Function::{Console, Interactions, Leads};
    let over_http: BTreeSet<String> = functions()
        .into_iter()
        .filter(|(_, function)| !function.at(&["FunctionUrlConfig"]).is_null())
        .map(|(name, _)| name)
        .collect();
    let here = [Leads, Interactions, Console].map(|function| function.name().to_owned());
    assert_eq!(over_http, BTreeSet::from(here));
}

/// How exactly a route of an HTTP API takes a path (`ANY /v1/leads/{key}/meta`), if it does: of two, API Gateway takes the
/// one with more named parts, then the one that names the method.
fn taken(route: &str, method: &str, path: &str) -> Option<(Vec<u8>, bool)> {
    let Some((on, pattern)) = route.split_once(' ') else { return Some((Vec::new(), false)) };
    if on != "ANY" && on != method {
        return None;
    }
    let (pattern, path): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    let rest = pattern.last().is_some_and(|part| part.ends_with("+}"));
    if if rest { path.len() < pattern.len() } else { path.len() != pattern.len() } {
        return None;
    }
    let mut exactly = Vec::new();
    for (part, said) in pattern.iter().zip(&path) {
        match (part.starts_with('{'), part == said) {
            (true, _) => exactly.push(u8::from(!part.ends_with("+}"))),
            (false, true) => exactly.push(2),
            (false, false) => return None,
        }
    }
    Some((exactly, on != "ANY"))
}

#[test]
fn the_api_leads_where_the_gateway_does() {
    let functions = functions();
    let routes: Vec<(String, String)> = template()
        .of_type("AWS::ApiGatewayV2::Route")
        .map(|route| {
            let to = route.text(&["Target"]).replace("integrations/${", "").replace('}', "");
            let alias = template().resource(&to).text(&["IntegrationUri"]);
            let to = functions.iter().find(|(_, function)| format!("{}.Alias", function.id) == alias);
            (route.text(&["RouteKey"]), to.expect("an alias of a function").0.clone())
        })
        .collect();
    assert!(routes.iter().any(|(route, _)| route == "$default"));
    let acts = leadyard_domain::openapi::ACTS
        .iter()
        .chain(&["search", "export", "erase"])
        .map(|act| format!("/v1/leads/{act}"));
    let ways = ["form_token", "google", "meta", "instructions"].map(|way| format!("/v1/leads/pk_x.y/{way}"));
    let others = [
        "/v1/leads/pk_x.y",
        "/v1/leads/0190/place",
        "/v1/leads/0190/decisions/0191",
        "/v1/interactions/pk_x.y",
        "/v1/interactions/pk_x.y/visitor",
        "/v1/import/history",
        "/v1/quarantine",
        "/v1/quarantine/0190/release",
        "/leadyard.js",
        "/.well-known/gpc.json",
        "/v1/dealers/hudson/statement",
        "/healthz",
        "/",
    ];
    for path in acts.chain(ways).chain(others.map(str::to_owned)) {
        for method in ["GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"] {
            let best = routes.iter().filter_map(|(route, to)| Some((taken(route, method, &path)?, to))).max();
            let here = leadyard::gateway::function_of(&method.parse().expect("a method"), &path).name();
            assert_eq!(best.expect("a route").1, here, "{method} {path}");
        }
    }
    for (name, function) in functions.iter().filter(|(_, one)| !one.at(&["FunctionUrlConfig"]).is_null()) {
        let mut allowed = template().of_type("AWS::Lambda::Permission");
        let alias = format!("{}.Alias", function.id);
        let may = allowed
            .any(|one| one.text(&["FunctionName"]) == alias && one.text(&["SourceArn"]).contains("${Api}"));
        assert!(may, "{name}: the API may call it");
    }
}

#[test]
fn what_is_over_http_changes_over_slowly_and_back_when_its_alarm_rings() {
    let gradual = template().parameter("Gradual");
    assert_eq!(words(&gradual["Default"]), "true", "who says nothing is careful");
    for (name, function) in functions() {
        let over_http = !function.at(&["FunctionUrlConfig"]).is_null();
        // The URL of a function that has an alias leads to it.
        assert_eq!(function.at(&["AutoPublishAlias"]).as_str(), over_http.then_some("live"), "{name}");
        if !over_http {
            assert!(function.at(&["DeploymentPreference"]).is_null(), "{name}: what fails comes again");
            continue;
        }
        assert_eq!(function.text(&["AutoPublishAliasAllProperties"]), "true", "{name}");
        assert_eq!(function.text(&["DeploymentPreference", "Enabled"]), "Gradual", "{name}");
        let shift = function.text(&["DeploymentPreference", "Type"]);
        assert!(shift.starts_with("Canary") || shift.starts_with("Linear"), "{name}: {shift}");
        // What the API answers, the function's URL has no part in.
        let own = format!("{}FailuresAlarm", function.id);
        let alarms = spelt(&function.at(&["DeploymentPreference"])["Alarms"]);
        assert_eq!(alarms, format!("If(HasApi, [{own}, ApiFailuresAlarm], [{own}])"), "{name}");
        assert_eq!(words(&template().resource(&own).at(&["Dimensions"])[0]["Value"]), function.id, "{name}");
        for alarm in [own.as_str(), "ApiFailuresAlarm"] {
            // A shift of five minutes has to hear of it meanwhile.
            let alarm = template().resource(alarm);
            let heard_s = alarm.number(&["Period"]) * alarm.number(&["EvaluationPeriods"]);
            assert!(heard_s <= 180, "{name}: its alarm takes {heard_s} s");
        }
    }
    let of_the_api = template().resource("ApiFailuresAlarm");
    assert_eq!(words(of_the_api.beside("Condition")), "HasApi");
    assert_eq!(words(&of_the_api.at(&["Dimensions"])[0]["Value"]), "Api");
    assert_eq!(condition("HasApi"), "Not(Equals(ApiDomain, ))");
}

/// What API Gateway may write down of a request: no path (a key stands in it), no address, nothing that was sent.
const LOGGED: [&str; 5] = ["integrationErrorMessage", "requestTime", "responseLatency", "routeKey", "status"];

#[test]
fn the_api_logs_no_key_and_nobody() {
    let stage = template().resource("ApiStage");
    assert_eq!(stage.text(&["AccessLogSettings", "DestinationArn"]), "ApiLog.Arn");
    let log = template().resource("ApiLog");
    assert_eq!(log.text(&["RetentionInDays"]), "LogDays");
    assert_eq!(log.text(&["LogGroupName"]), "/aws/apigateway/leadyard-${Stage}");
    let format = stage.text(&["AccessLogSettings", "Format"]);
    let line: serde_json::Value = serde_json::from_str(&format).expect("a line of JSON");
    let values = line.as_object().expect("members").values();
    let logged: BTreeSet<&str> = values
        .map(|value| value.as_str().and_then(|text| text.strip_prefix("$context.")).expect("$context"))
        .collect();
    assert_eq!(logged, BTreeSet::from(LOGGED));
}
