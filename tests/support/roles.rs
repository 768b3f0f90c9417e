//! The template's roles, where the functions run in this process: a call that the role of the function at work does not
//! allow ends the test, and says which permission is missing. What a test asks the services itself is its own affair.
//!
//! That no role allows more than its function needs is not seen here: the deployed test takes each away in turn.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use serde_json::Value;

use crate::template::{many, template, when_so};

tokio::task_local! {
    static AT_WORK: &'static str;
}

/// Lets a function work under its role: `leads`, `scoring`, as the template names it after its stage.
pub async fn as_function<F: Future>(function: &'static str, work: F) -> F::Output {
    Box::pin(AT_WORK.scope(function, work)).await
}

/// An action on a resource: `dynamodb:Query` on `Table.Arn`, `${Table.Arn}/index/due`, `DeliveryQueue.Arn`.
type Grant = (String, String);

/// What each function's role allows.
static ROLES: LazyLock<BTreeMap<String, BTreeSet<Grant>>> = LazyLock::new(|| {
    let functions = template().of_type("AWS::Serverless::Function");
    functions
        .map(|function| {
            let name = function.text(&["FunctionName"]).replace("leadyard-${Stage}-", "");
            let role = function.text(&["Role"]).replace(".Arn", "");
            (name, grants(&role))
        })
        .collect()
});

/// What a role allows.
pub fn grants(role: &str) -> BTreeSet<Grant> {
    let policies = template().resource(role).at(&["Policies"]).as_sequence().expect("policies");
    let statements = policies.iter().flat_map(|policy| {
        policy["PolicyDocument"]["Statement"].as_sequence().expect("statements").iter().map(when_so)
    });
    statements
        .flat_map(|statement| {
            let (actions, resources) = (many(&statement["Action"]), many(&statement["Resource"]));
            actions.into_iter().flat_map(move |action| {
                resources.clone().into_iter().map(move |resource| (action.clone(), resource))
            })
        })
        .collect()
}

/// Sees to it that the function at work may make this call.
pub(crate) fn check(request: &HttpRequest) {
    let Ok(function) = AT_WORK.try_with(|function| *function) else { return };
    let allowed = ROLES.get(function).unwrap_or_else(|| panic!("the template has a function {function}"));
    for (action, resource) in asked(request) {
        let dealers = action == "sqs:SendMessage" && resource == DEALERS;
        let has = allowed
            .iter()
            .any(|(may, on)| *may == action && (*on == resource || dealers && on.contains(DEALERS)));
        assert!(has, "the role of {function} lacks {action} on {resource}");
    }
}

/// Queues that are not ours.
const DEALERS: &str = "${DealerQueuePrefix}";

/// What a call asks of a role.
fn asked(request: &HttpRequest) -> Vec<Grant> {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    let (service, operation) = target.rsplit_once('.').unwrap_or_default();
    let body: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
    if service.starts_with("DynamoDB") {
        let table = "Table.Arn".to_owned();
        return match operation {
            "TransactWriteItems" => {
                let items = body["TransactItems"].as_array().expect("items");
                let kinds = items.iter().flat_map(|item| item.as_object().expect("an item").keys());
                kinds.map(|kind| (format!("dynamodb:{kind}Item"), table.clone())).collect()
            }
            _ => {
                let index = body["IndexName"].as_str();
                let on = index.map_or(table, |index| format!("${{Table.Arn}}/index/{index}"));
                vec![(format!("dynamodb:{operation}"), on)]
            }
        };
    }
    if service.starts_with("AmazonSQS") {
        let name = body["QueueUrl"].as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let queue = template()
            .of_type("AWS::SQS::Queue")
            .find(|queue| queue.text(&["QueueName"]).replace("leadyard-${Stage}-", "") == name);
        let on = queue.map_or(DEALERS.to_owned(), |queue| format!("{}.Arn", queue.id));
        return vec![(format!("sqs:{}", operation.trim_end_matches("Batch")), on)];
    }
    if request.uri().contains("email") {
        return vec![("ses:SendEmail".to_owned(), "MailIdentityArn".to_owned())];
    }
    panic!("a call of a service that no role knows: {}", request.uri())
}
