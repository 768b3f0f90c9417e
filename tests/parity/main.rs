//! The template for AWS and the system on one machine are one system: functions, queues, redrive, schedules, variables,
//! the table and its indexes, held against each other in both directions. And what neither a linter nor an emulator
//! looks at in a template: who may do what, how long a message is kept from others, what a failed batch leaves.
//!
//! Here: functions, queues, the stream, the table, roles. [`http`]: what answers over HTTP. [`alarms`]: what rings, the
//! dashboards, the runbook.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot read the template has nothing else to say"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use leadyard::system::{SPILL, WORKED};
use leadyard_platform::store::schema;
use leadyard_tests::roles::grants;
use leadyard_tests::template::{Resource, many, template, when_so, words};
use serde_yaml_ng::Value;

mod alarms;
mod http;

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

/// A value with its intrinsic functions spelt out: `If(HasApi, [A, B], [A])`. What names something is that name.
fn spelt(value: &Value) -> String {
    let list = |several: &[Value]| several.iter().map(spelt).collect::<Vec<_>>().join(", ");
    match value {
        Value::Tagged(tagged) => {
            let function = tagged.tag.to_string();
            match (function.trim_start_matches('!'), &tagged.value) {
                ("Ref" | "GetAtt" | "Sub", one) => words(one),
                (function, Value::Sequence(several)) => format!("{function}({})", list(several)),
                (function, one) => format!("{function}({})", spelt(one)),
            }
        }
        Value::Sequence(several) => format!("[{}]", list(several)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Mapping(_) => {
            words(value)
        }
    }
}

/// A property as it stands, with its function.
fn as_it_stands(resource: &Resource, property: &str) -> String {
    spelt(&resource.at(&[])[property])
}

/// A condition of the template, spelt out.
fn condition(name: &str) -> String {
    let text = std::fs::read_to_string(root().join("infra/aws/template.yaml")).expect("the template");
    let template: Value = serde_yaml_ng::from_str(&text).expect("YAML");
    spelt(&template["Conditions"][name])
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

/// How many batches a function works side by side, where the scale is small, usual and large: AWS takes no less than 2 and
/// no more than 1,000. More than eight decisions side by side contend for the same caps, on any scale.
fn side_by_side(function: &str) -> Vec<u64> {
    match function {
        "distribution" => vec![2, 8, 8],
        "delivery" => vec![2, 50, 250],
        "scoring" => vec![2, 4, 16],
        // However much there is of it, the table is to have its breath left.
        "spill" | "mail-events" => vec![2],
        _ => panic!("{function} works no queue"),
    }
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
            let most = template().numbers(&mapping["ScalingConfig"]["MaximumConcurrency"]);
            assert_eq!(most, side_by_side(&name), "{name}: batches side by side");
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
    // A table that was restored has another stream, of which CloudFormation knows nothing.
    let stream = "If(IsRestored, RestoredStreamArn, Table.StreamArn)";
    assert_eq!(spelt(&mapping["Stream"]), stream);
    assert_eq!(condition("IsRestored"), "Not(Equals(RestoredStreamArn, ))");
    assert_eq!(template().default_of("RestoredStreamArn"), "");
    // All that it holds: what was written before the mapping looked, too.
    assert_eq!(words(&mapping["StartingPosition"]), "TRIM_HORIZON");
    // `ReportingSilentAlarm` wants it called within half a minute.
    assert_eq!(mapping["MaximumBatchingWindowInSeconds"].as_u64(), Some(30));
    assert_eq!(mapping["BatchSize"].as_u64(), Some(leadyard::poller::STREAM_BATCH as u64));
    // Lambda names the shard with a window alone, and keeps its order only one batch at a time.
    assert!(mapping["TumblingWindowInSeconds"].as_u64().is_some_and(|seconds| (1..=900).contains(&seconds)));
    assert_eq!(mapping["ParallelizationFactor"].as_u64(), Some(1));
    assert_eq!(stream_faults(mapping), Vec::<&str>::new());
    let dead = words(&mapping["DestinationConfig"]["OnFailure"]["Destination"]);
    assert_eq!(dead, "ReportingDead.Arn");
    let role = role(&functions()["reporting"]);
    let to_dead = ("sqs:SendMessage".to_owned(), "ReportingDead.Arn".to_owned());
    assert!(grants(&role).contains(&to_dead), "Lambda polls with its role");
    let statements = template().resource(&role).at(&["Policies", "0", "PolicyDocument", "Statement"]);
    let polls =
        |statement: &&Value| many(&statement["Action"]).iter().any(|one| one == "dynamodb:GetRecords");
    let polls = statements.as_sequence().expect("statements").iter().find(polls).expect("Lambda polls");
    assert_eq!(spelt(&polls["Resource"]), stream, "the role follows the mapping");
    for action in ["GetShardIterator", "DescribeStream", "ListStreams"] {
        assert!(many(&polls["Action"]).contains(&format!("dynamodb:{action}")), "Lambda polls: {action}");
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

/// What is wrong with how a stream is read: AWS tries a batch that fails again for ever, and holds its shard up.
fn stream_faults(mapping: &serde_yaml_ng::Value) -> Vec<&'static str> {
    let number = |name: &str| mapping[name].as_i64();
    let faults = [
        (
            "its tries have no end",
            !number("MaximumRetryAttempts").is_some_and(|tries| (1..=500).contains(&tries)),
        ),
        (
            "a record may hold its shard for a day",
            !number("MaximumRecordAgeInSeconds").is_some_and(|age| (60..86_400).contains(&age)),
        ),
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
    // On one machine the access to Meta and to the OpenID provider stand in the variables themselves.
    let itself = ["LEADYARD_META", "LEADYARD_OIDC"];
    let read: BTreeSet<String> =
        read.into_iter().filter(|variable| !itself.contains(variable)).map(str::to_owned).collect();
    assert_eq!(given, read);
    let secret = |variable: &&String| variable.split('_').any(|word| ["KEY", "META"].contains(&word));
    for variable in given.iter().filter(secret) {
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

#[test]
fn concurrency_is_kept_for_what_comes_from_outside() {
    for (name, function) in functions() {
        let kept = as_it_stands(&function, "ReservedConcurrentExecutions");
        let expected = match name.as_str() {
            "leads" => "If(KeepsForLeads, LeadsConcurrency, AWS::NoValue)",
            "interactions" => "If(KeepsForInteractions, InteractionsConcurrency, AWS::NoValue)",
            // Its mapping's most is its own; reserved besides, what the mapping lets in would be refused.
            _ => "",
        };
        assert_eq!(kept, expected, "{name}");
    }
    // 0 keeps none, and does not shut the function: a new account has ten in all.
    assert_eq!(condition("KeepsForLeads"), "Not(Equals(LeadsConcurrency, 0))");
    assert_eq!(condition("KeepsForInteractions"), "Not(Equals(InteractionsConcurrency, 0))");
    let default = |name: &str| template().default_of(name).parse::<u64>().expect("a number");
    // Of an account's 1,000, of which AWS lets none reserve the last hundred.
    assert!((1..=900).contains(&(default("LeadsConcurrency") + default("InteractionsConcurrency"))));
}

/// The functions that work what a function sends, and what those send.
fn sends_on_to(function: &str) -> BTreeSet<String> {
    let (functions, queues) = (functions(), queues());
    let mut reached = BTreeSet::new();
    let mut next = vec![function.to_owned()];
    while let Some(function) = next.pop() {
        let may = grants(&role(&functions[&function]));
        for worked in &WORKED {
            let sends = ("sqs:SendMessage".to_owned(), format!("{}.Arn", queues[worked.name].id));
            if may.contains(&sends) && reached.insert(worked.function.to_owned()) {
                next.push(worked.function.to_owned());
            }
        }
    }
    reached
}

/// Lambda ends a chain of calls that leads to the same function some sixteen times by way of queues: a third dealer's
/// attempts, or a large waiting room after a publish, would be dead letters.
#[test]
fn what_sends_to_itself_may() {
    let mut around = BTreeSet::new();
    for (name, function) in functions() {
        let loops = sends_on_to(&name).contains(&name);
        let says = function.at(&["RecursiveLoop"]).as_str();
        assert_eq!(
            says,
            loops.then_some("Allow"),
            "{name}: the guard is off where we send in circles, and there alone"
        );
        around.extend(loops.then_some(name));
    }
    assert_eq!(around, ["delivery", "distribution"].map(str::to_owned).into());
}
