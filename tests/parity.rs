//! The template for AWS and the system on one machine are one system: functions, queues, redrive, schedules, variables,
//! the table and its indexes, held against each other in both directions. And what neither a linter nor an emulator
//! looks at in a template: who may do what, how long a message is kept from others, what a failed batch leaves.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot read the template has nothing else to say"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use leadyard::system::{SPILL, WORKED};
use leadyard_platform::metrics::{Metric, NAMESPACE};
use leadyard_platform::store::schema;
use leadyard_tests::roles::grants;
use leadyard_tests::template::{Resource, many, template, when_so, words};

const STAGE: &str = "leadyard-${Stage}-";

/// What a resource is called after its stage.
fn name(resource: &Resource, property: &str) -> String {
    let name = resource.text(&[property]);
    name.strip_prefix(STAGE).unwrap_or_else(|| panic!("{name} begins with {STAGE}")).to_owned()
}

fn functions() -> BTreeMap<String, Resource> {
    template()
        .of_type("AWS::Serverless::Function")
        .map(|function| (name(&function, "FunctionName"), function))
        .collect()
}

fn queues() -> BTreeMap<String, Resource> {
    template().of_type("AWS::SQS::Queue").map(|queue| (name(&queue, "QueueName"), queue)).collect()
}

fn role(function: &Resource) -> String {
    function.text(&["Role"]).strip_suffix(".Arn").expect("a role of the template").to_owned()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests stand in the workspace")
}

#[test]
fn the_functions_are_those_that_one_machine_runs() {
    use leadyard::gateway::Function::{Console, Interactions, Leads};
    let here: BTreeSet<String> = WORKED
        .iter()
        .map(|queue| queue.function)
        .chain([Leads, Interactions, Console].map(|function| function.name()))
        .chain(["sweep", "reporting"])
        .map(str::to_owned)
        .collect();
    assert_eq!(functions().into_keys().collect::<BTreeSet<_>>(), here);
}

#[test]
fn each_is_built_from_its_own_crate() {
    for (name, function) in functions() {
        let binary = words(&function.beside("Metadata")["BuildProperties"]["Binary"]);
        assert_eq!(words(&function.beside("Metadata")["BuildMethod"]), "rust-cargolambda", "{name}");
        assert_eq!(function.text(&["CodeUri"]), format!("../../functions/{binary}"), "{name}");
        let manifest = std::fs::read_to_string(root().join(format!("functions/{binary}/Cargo.toml")));
        let manifest = manifest.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(manifest.contains(&format!("[[bin]]\nname = \"{binary}\"")), "{name}");
        let main =
            std::fs::read_to_string(root().join(format!("functions/{binary}/src/main.rs"))).expect("a main");
        let roles = main.contains("Config::role()");
        let says = function.at(&["Environment", "Variables", "LEADYARD_ROLE"]);
        assert_eq!(
            says.as_str(),
            roles.then_some(name.as_str()),
            "{name}: a binary with roles is told which"
        );
        assert!(!roles || main.contains(&format!("\"{name}\"")), "{name}: its binary knows the role");
    }
    let crates = std::fs::read_dir(root().join("functions")).expect("functions").count();
    let built: BTreeSet<String> = functions().values().map(|function| function.text(&["CodeUri"])).collect();
    assert_eq!(built.len(), crates, "every function's crate is deployed");
}

#[test]
fn the_queues_are_those_that_one_machine_has() {
    let here: BTreeSet<String> =
        WORKED.iter().flat_map(|queue| [queue.name.to_owned(), queue.dead()]).collect();
    // On one machine a batch of the stream comes again until it is counted.
    let here: BTreeSet<String> = here.into_iter().chain(["reporting-dead".to_owned()]).collect();
    assert_eq!(queues().into_keys().collect::<BTreeSet<_>>(), here);
    for worked in &WORKED {
        let queue = &queues()[worked.name];
        let dead = &queues()[&worked.dead()];
        assert_eq!(queue.number(&["VisibilityTimeout"]), u64::from(worked.visibility_s), "{}", worked.name);
        assert_eq!(
            queue.number(&["RedrivePolicy", "maxReceiveCount"]),
            u64::from(worked.max_receive_count),
            "{}",
            worked.name
        );
        let target = queue.text(&["RedrivePolicy", "deadLetterTargetArn"]);
        assert_eq!(target, format!("{}.Arn", dead.id), "{}", worked.name);
        assert_eq!(dead.text(&["RedriveAllowPolicy", "redrivePermission"]), "byQueue", "{}", worked.name);
        let sources = many(dead.at(&["RedriveAllowPolicy", "sourceQueueArns"]));
        assert_eq!(sources.len(), 1, "{}", worked.name);
        assert!(sources[0].ends_with(&format!(":{STAGE}{}", worked.name)), "{}", worked.name);
        // A message that moves keeps its age: its dead letters must not expire with it.
        let kept = queue.number(&["MessageRetentionPeriod"]);
        assert!(dead.number(&["MessageRetentionPeriod"]) >= kept, "{}", worked.name);
    }
    for (name, queue) in queues() {
        assert_eq!(queue.text(&["SqsManagedSseEnabled"]), "true", "{name} is encrypted");
    }
    let spill = &queues()[SPILL.name];
    assert_eq!(
        spill.number(&["MessageRetentionPeriod"]),
        14 * 24 * 3_600,
        "what is spilled is kept for 14 days"
    );
}

#[test]
fn each_queue_is_worked_by_its_function_and_a_failed_message_fails_alone() {
    let mut worked_by = BTreeMap::new();
    for (name, function) in functions() {
        let events = function.at(&["Events"]);
        let Some(events) = events.as_mapping() else { continue };
        for event in events.values().filter(|event| event["Type"].as_str() == Some("SQS")) {
            let mapping = &event["Properties"];
            let id = words(&mapping["Queue"]);
            let (queue_name, queue) =
                queues().into_iter().find(|(_, queue)| format!("{}.Arn", queue.id) == id).expect("its queue");
            worked_by.insert(queue_name.clone(), name.clone());
            assert_eq!(many(&mapping["FunctionResponseTypes"]), ["ReportBatchItemFailures"], "{name}");
            // Above 0 it can hold a quiet queue for 20 seconds.
            assert_eq!(mapping["MaximumBatchingWindowInSeconds"].as_u64(), Some(0), "{name}");
            // AWS takes no less than 2. How many side by side is a matter of the place, not of the system.
            for most in template().numbers(&mapping["ScalingConfig"]["MaximumConcurrency"]) {
                assert!((2..=1_000).contains(&most), "{name}: {most} side by side");
            }
            let here =
                WORKED.iter().find(|worked| worked.name == queue_name).expect("a queue of this machine");
            assert_eq!(mapping["BatchSize"].as_u64(), Some(here.batch as u64), "{name}");
            assert!(here.batch <= 10, "{name}: AWS takes more only with a window");
            assert!(
                queue.number(&["VisibilityTimeout"]) >= 6 * function.number(&["Timeout"]),
                "{name}: a message is kept from others for six times what its function may take"
            );
            assert!(queue.number(&["RedrivePolicy", "maxReceiveCount"]) >= 5, "{name}");
            let on = format!("{}.Arn", queue.id);
            for action in ["ReceiveMessage", "DeleteMessage", "GetQueueAttributes"] {
                let grant = (format!("sqs:{action}"), on.clone());
                assert!(grants(&role(&function)).contains(&grant), "{name}: Lambda polls with its role");
            }
        }
    }
    let here: BTreeMap<String, String> =
        WORKED.iter().map(|queue| (queue.name.to_owned(), queue.function.to_owned())).collect();
    assert_eq!(worked_by, here);
}

#[test]
fn the_stream_is_counted_by_reporting_alone_shard_by_shard() {
    let mappings: Vec<(String, serde_yaml_ng::Value)> = functions()
        .into_iter()
        .flat_map(|(name, function)| {
            let events = function.at(&["Events"]).as_mapping().cloned().unwrap_or_default();
            events.into_iter().map(move |(_, event)| (name.clone(), event))
        })
        .filter(|(_, event)| event["Type"].as_str() == Some("DynamoDB"))
        .map(|(name, event)| (name, event["Properties"].clone()))
        .collect();
    let [(name, mapping)] = mappings.as_slice() else { panic!("one mapping of the stream") };
    assert_eq!(name, "reporting");
    assert_eq!(words(&mapping["Stream"]), "Table.StreamArn");
    assert_eq!(mapping["BatchSize"].as_u64(), Some(leadyard::poller::STREAM_BATCH as u64));
    // Lambda names the shard with a window alone, and keeps its order only one batch at a time.
    assert!(mapping["TumblingWindowInSeconds"].as_u64().is_some_and(|seconds| (1..=900).contains(&seconds)));
    assert_eq!(mapping["ParallelizationFactor"].as_u64(), Some(1));
    assert_eq!(many(&mapping["FunctionResponseTypes"]), ["ReportBatchItemFailures"]);
    // Without these a batch that fails is tried for ever, and holds up its shard.
    assert_eq!(mapping["BisectBatchOnFunctionError"].as_bool(), Some(true));
    assert!(mapping["MaximumRetryAttempts"].as_u64().is_some_and(|tries| (1..=10_000).contains(&tries)));
    assert!(mapping["MaximumRecordAgeInSeconds"].as_u64().is_some_and(|age| (60..86_400).contains(&age)));
    let dead = words(&mapping["DestinationConfig"]["OnFailure"]["Destination"]);
    assert_eq!(dead, "ReportingDead.Arn");
    let may = grants(&role(&functions()["reporting"]));
    for (action, on) in [
        ("dynamodb:GetRecords", "Table.StreamArn"),
        ("dynamodb:GetShardIterator", "Table.StreamArn"),
        ("dynamodb:DescribeStream", "Table.StreamArn"),
        ("sqs:SendMessage", "ReportingDead.Arn"),
    ] {
        assert!(may.contains(&(action.to_owned(), on.to_owned())), "Lambda polls with its role: {action}");
    }
    // What it writes itself must not wake it.
    let filters = mapping["FilterCriteria"]["Filters"].as_sequence().expect("filters");
    let kinds = |key: &str| -> BTreeSet<String> {
        let patterns = filters.iter().map(|filter| {
            serde_json::from_str::<serde_json::Value>(&words(&filter["Pattern"])).expect("JSON")
        });
        let keys = patterns
            .flat_map(|pattern| pattern["dynamodb"]["Keys"][key]["S"].as_array().expect("keys").clone());
        keys.map(|key| key["prefix"].as_str().or(key.as_str()).expect("a key").to_owned()).collect()
    };
    assert_eq!(kinds("pk"), ["E#", "L#"].map(str::to_owned).into());
    assert_eq!(kinds("sk"), ["A#", "D#", "E", "L"].map(str::to_owned).into());
}

#[test]
fn the_sweep_is_every_minute_and_nothing_else_has_a_schedule() {
    for (name, function) in functions() {
        let events = function.at(&["Events"]).as_mapping();
        let schedules: Vec<String> = events
            .into_iter()
            .flatten()
            .filter(|(_, event)| event["Type"].as_str() == Some("Schedule"))
            .map(|(_, event)| words(&event["Properties"]["Schedule"]))
            .collect();
        let expected: &[&str] = if name == "sweep" { &["rate(1 minute)"] } else { &[] };
        assert_eq!(schedules, expected, "{name}");
    }
    assert!(functions()["sweep"].number(&["Timeout"]) < 60, "one sweep ends before the next begins");
}

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
    let acts =
        leadyard_console::ACTS.iter().chain(&["search", "erase"]).map(|act| format!("/v1/leads/{act}"));
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
        for method in ["GET", "POST", "OPTIONS", "PUT"] {
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
        let alarms = many(function.at(&["DeploymentPreference", "Alarms"]));
        assert!(!alarms.is_empty(), "{name}: nothing would stop it");
        for alarm in alarms {
            let alarm = template().resource(&alarm);
            assert_eq!(words(&alarm.at(&["Dimensions"])[0]["Value"]), function.id, "{name}");
            // A shift of five minutes has to hear of it meanwhile.
            let heard_s = alarm.number(&["Period"]) * alarm.number(&["EvaluationPeriods"]);
            assert!(heard_s <= 180, "{name}: its alarm takes {heard_s} s");
        }
    }
}

/// What is wrong with how a stream is read: AWS tries a batch that fails again for ever, and holds its shard up.
fn stream_faults(mapping: &serde_yaml_ng::Value) -> Vec<&'static str> {
    let number = |name: &str| mapping[name].as_i64();
    let faults = [
        (
            "its tries have no end",
            !number("MaximumRetryAttempts").is_some_and(|tries| (0..=500).contains(&tries)),
        ),
        ("a record may hold its shard for a day", number("MaximumRecordAgeInSeconds").is_none_or(|s| s <= 0)),
        (
            "one bad record takes its batch along",
            mapping["BisectBatchOnFunctionError"].as_bool() != Some(true),
        ),
        ("what is given up is gone", mapping["DestinationConfig"]["OnFailure"]["Destination"].is_null()),
        (
            "a failed record fails all before it too",
            many(&mapping["FunctionResponseTypes"]) != ["ReportBatchItemFailures"],
        ),
    ];
    faults.into_iter().filter(|(_, wrong)| *wrong).map(|(fault, _)| fault).collect()
}

#[test]
fn a_stream_is_read_with_an_end_to_its_tries() {
    let streams = functions().into_iter().flat_map(|(name, function)| {
        let events = function.at(&["Events"]).as_mapping().into_iter().flat_map(|events| events.values());
        let read = events.filter(|event| matches!(event["Type"].as_str(), Some("DynamoDB" | "Kinesis")));
        read.map(|event| (name.clone(), stream_faults(&event["Properties"]))).collect::<Vec<_>>()
    });
    for (name, faults) in streams {
        assert_eq!(faults, Vec::<&str>::new(), "{name}");
    }
    // That the check sees it is shown by one as it should not be, and as it should.
    let read = |yaml: &str| stream_faults(&serde_yaml_ng::from_str(yaml).expect("YAML"));
    assert_eq!(read("{ Stream: Table.StreamArn, StartingPosition: TRIM_HORIZON }").len(), 5);
    let good = "{ MaximumRetryAttempts: 20, MaximumRecordAgeInSeconds: 3600, BisectBatchOnFunctionError: true, \
        DestinationConfig: { OnFailure: { Destination: Dead } }, FunctionResponseTypes: [ReportBatchItemFailures] }";
    assert_eq!(read(good), Vec::<&str>::new());
}

#[test]
fn the_variables_are_those_that_are_read() {
    let config = std::fs::read_to_string(root().join("shared/platform/src/config.rs")).expect("its reader");
    let code: String = config.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let read: BTreeSet<&str> =
        code.split('"').filter(|text| text.starts_with("LEADYARD_") && !text.contains(' ')).collect();
    let of_all = template().of_all_functions(&["Environment", "Variables"]).as_mapping().expect("variables");
    let given: BTreeSet<String> = functions()
        .into_values()
        .filter_map(|function| function.at(&["Environment", "Variables"]).as_mapping())
        .chain([of_all])
        .flat_map(|variables| variables.keys().map(words))
        .collect();
    // On one machine the access to Meta stands in the variable itself.
    let read: BTreeSet<String> =
        read.into_iter().filter(|variable| *variable != "LEADYARD_META").map(str::to_owned).collect();
    assert_eq!(given, read);
    for variable in given.iter().filter(|variable| variable.contains("KEY") || variable.contains("META")) {
        assert!(variable.ends_with("_SECRET"), "{variable}: a variable names a secret and never holds one");
    }
}

#[test]
fn the_table_is_the_stores() {
    let table = template().resource("Table");
    assert_eq!(table.text(&["BillingMode"]), "PAY_PER_REQUEST");
    assert_eq!(table.text(&["TimeToLiveSpecification", "AttributeName"]), schema::TTL);
    assert_eq!(table.text(&["TimeToLiveSpecification", "Enabled"]), "true");
    assert_eq!(table.text(&["StreamSpecification", "StreamViewType"]), "NEW_AND_OLD_IMAGES");
    assert_eq!(table.text(&["PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"]), "true");
    assert_eq!(table.text(&["SSESpecification", "SSEEnabled"]), "true");
    assert_eq!(table.text(&["DeletionProtectionEnabled"]), "Protected");
    let key = |of: &serde_yaml_ng::Value| -> Vec<(String, String)> {
        let parts = of.as_sequence().expect("a key schema");
        parts.iter().map(|part| (words(&part["AttributeName"]), words(&part["KeyType"]))).collect()
    };
    let two = |partition: &str, sort: &str| {
        vec![(partition.to_owned(), "HASH".to_owned()), (sort.to_owned(), "RANGE".to_owned())]
    };
    assert_eq!(key(table.at(&["KeySchema"])), two("pk", "sk"));
    let indexes = table.at(&["GlobalSecondaryIndexes"]).as_sequence().expect("indexes");
    let there: BTreeMap<String, _> = indexes
        .iter()
        .map(|index| {
            let projection = words(&index["Projection"]["ProjectionType"]);
            (words(&index["IndexName"]), (key(&index["KeySchema"]), projection))
        })
        .collect();
    let here: BTreeMap<String, _> = schema::INDEXES
        .iter()
        .map(|index| (index.name.to_owned(), (two(index.partition, index.sort), "KEYS_ONLY".to_owned())))
        .collect();
    assert_eq!(there, here);
    let attributes = table.at(&["AttributeDefinitions"]).as_sequence().expect("attributes");
    let there: BTreeMap<String, String> = attributes
        .iter()
        .map(|attribute| (words(&attribute["AttributeName"]), words(&attribute["AttributeType"])))
        .collect();
    let mut here = BTreeMap::from([("pk", "S"), ("sk", "S")]);
    for index in schema::INDEXES {
        here.insert(index.partition, "S");
        here.insert(index.sort, if index.numeric { "N" } else { "S" });
    }
    let here: BTreeMap<String, String> =
        here.into_iter().map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect();
    assert_eq!(there, here);
}

#[test]
fn a_role_names_what_it_may_do_and_on_what() {
    let mut roles = BTreeSet::new();
    for (name, function) in functions() {
        let role = role(&function);
        assert!(roles.insert(role.clone()), "{name} has a role of its own");
        assert!(
            template().resource(&role).at(&["ManagedPolicyArns"]).is_null(),
            "{name}: managed policies say *"
        );
        let log = function.text(&["LoggingConfig", "LogGroup"]);
        let group = template().resource(&log);
        assert_eq!(group.text(&["LogGroupName"]), format!("/aws/lambda/{STAGE}{name}"), "{name}");
        assert_eq!(group.text(&["RetentionInDays"]), "LogDays", "{name}");
        for (action, on) in grants(&role) {
            assert!(!action.contains('*') && !action.contains("Scan"), "{name}: {action}");
            // Dealers' queues alone are named by how they begin.
            assert!(!on.contains('*') || on.ends_with(":${DealerQueuePrefix}*"), "{name}: {action} on {on}");
            let logs = action.starts_with("logs:");
            assert!(!logs || on == format!("{log}.Arn"), "{name}: {action} on {on}");
        }
        assert!(grants(&role).contains(&("logs:PutLogEvents".to_owned(), format!("{log}.Arn"))), "{name}");
    }
    let all = template().of_type("AWS::IAM::Role").map(|role| role.id.to_owned());
    assert_eq!(all.collect::<BTreeSet<_>>(), roles, "no role is anybody else's");
}

#[test]
fn mails_that_come_back_reach_their_queue() {
    let subscription = template().resource("MailSubscription");
    assert_eq!(subscription.text(&["Endpoint"]), "MailEventsQueue.Arn");
    let policy = template().resource("MailEventsQueuePolicy");
    assert_eq!(many(policy.at(&["Queues"])), ["MailEventsQueue"]);
    let statement = when_so(&policy.at(&["PolicyDocument", "Statement"])[0]);
    assert_eq!(words(&statement["Principal"]["Service"]), "sns.amazonaws.com");
    assert_eq!(
        words(&statement["Condition"]["ArnEquals"]["aws:SourceArn"]),
        subscription.text(&["TopicArn"])
    );
}

/// The metrics of ours that an alarm watches, alone or in a sum of several: name, and function.
fn own_metrics(alarm: &Resource) -> Vec<(String, String)> {
    let several = alarm.at(&["Metrics"]).as_sequence().into_iter().flatten();
    let several = several.map(|one| &one["MetricStat"]["Metric"]);
    let alone = [alarm.at(&["Namespace"]), alarm.at(&["MetricName"]), alarm.at(&["Dimensions"])];
    let alone = (words(alone[0]), words(alone[1]), words(&alone[2][0]["Value"]));
    let several = several.map(|one| {
        (words(&one["Namespace"]), words(&one["MetricName"]), words(&one["Dimensions"][0]["Value"]))
    });
    several
        .chain([alone])
        .filter(|(namespace, _, _)| namespace == NAMESPACE)
        .map(|(_, metric, function)| (metric, function))
        .collect()
}

#[test]
fn whatever_may_go_wrong_rings_and_somebody_hears_it() {
    let alarms: Vec<Resource> = template().of_type("AWS::CloudWatch::Alarm").collect();
    for alarm in &alarms {
        assert_eq!(many(alarm.at(&["AlarmActions"])), ["AlarmTopic"], "{} is wired", alarm.id);
    }
    assert_eq!(template().resource("AlarmSubscription").text(&["TopicArn"]), "AlarmTopic");
    let watched: BTreeSet<(String, String)> = alarms
        .iter()
        .map(|alarm| (alarm.text(&["MetricName"]), words(&alarm.at(&["Dimensions"])[0]["Value"])))
        .collect();
    let on = |metric: &str, resource: String| {
        assert!(watched.contains(&(metric.to_owned(), resource.clone())), "{metric} of {resource} rings");
    };
    for worked in &WORKED {
        on("ApproximateNumberOfMessagesVisible", format!("{}.QueueName", queues()[&worked.dead()].id));
        on("ApproximateAgeOfOldestMessage", format!("{}.QueueName", queues()[worked.name].id));
    }
    for function in functions().values() {
        if !function.at(&["FunctionUrlConfig"]).is_null() {
            on("Url5xxCount", function.id.to_owned());
        }
        on("Errors", function.id.to_owned());
        on("Throttles", function.id.to_owned());
    }
    on("Invocations", functions()["sweep"].id.to_owned());
    // Whatever is watched of our own metrics is counted, by the function that is asked for it.
    let ours = alarms.iter().flat_map(own_metrics).collect::<BTreeSet<(String, String)>>();
    for (metric, function) in &ours {
        let counts = |name: &&Metric| name.name() == metric;
        assert!(Metric::ALL.iter().any(|name| counts(&name)), "{metric} is counted");
        assert!(functions().values().any(|known| known.id == function), "{function} is a function");
    }
    for metric in [
        Metric::UndistributedAge,
        Metric::LeadsWaiting,
        Metric::DeliveriesFailed,
        Metric::BreakersOpened,
        Metric::LeadsSpilled,
    ] {
        assert!(ours.iter().any(|(name, _)| name == metric.name()), "{} rings", metric.name());
    }
    on("IteratorAge", functions()["reporting"].id.to_owned());
    on("ApproximateNumberOfMessagesVisible", "ReportingDead.QueueName".to_owned());
    let runbook = std::fs::read_to_string(root().join("infra/README.md")).expect("the runbook");
    for alarm in &alarms {
        let named = ["Dead", "Age", "Errors", "Throttles", "Failures"]
            .iter()
            .find(|kind| alarm.id.ends_with(&format!("{kind}Alarm")))
            .map_or_else(|| format!("`{}`", alarm.id), |kind| format!("`…{kind}Alarm`"));
        assert!(runbook.contains(&named), "the runbook says what to do about {}", alarm.id);
    }
}
