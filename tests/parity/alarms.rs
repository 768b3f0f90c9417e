//! What rings, and when: every alarm of the template in one table, what a series of minutes does to it, the dashboards that
//! show what they watch, and the runbook that says what to do.

use std::collections::{BTreeMap, BTreeSet};

use leadyard::system::WORKED;
use leadyard_platform::metrics::{Metric, NAMESPACE};
use leadyard_platform::store::schema;
use leadyard_tests::template::{Resource, many, template, words};
use serde_json::Value as Json;
use serde_yaml_ng::Value;

use crate::{condition, functions, queues, root};

fn alarms() -> impl Iterator<Item = Resource> {
    template().of_type("AWS::CloudWatch::Alarm")
}

fn is_over_http(function: &Resource) -> bool {
    !function.at(&["FunctionUrlConfig"]).is_null()
}

fn runbook() -> String {
    std::fs::read_to_string(root().join("infra/README.md")).expect("the runbook")
}

/// A metric: its namespace, its name, and what it is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Watched {
    namespace: String,
    metric: String,
    of: BTreeMap<String, String>,
}

impl Watched {
    /// As an alarm names it.
    fn read(one: &Value) -> Self {
        let dimensions = one["Dimensions"].as_sequence().into_iter().flatten();
        let of = dimensions.map(|one| (words(&one["Name"]), words(&one["Value"]))).collect();
        Self { namespace: words(&one["Namespace"]), metric: words(&one["MetricName"]), of }
    }

    /// As a dashboard names it: `["AWS/Lambda", "Errors", "FunctionName", "${Leads}"]`.
    fn shown(row: &[Json]) -> Self {
        let texts: Vec<String> = row
            .iter()
            .filter_map(Json::as_str)
            .map(|text| text.trim_start_matches("${").trim_end_matches('}').to_owned())
            .collect();
        let [namespace, metric, of @ ..] = texts.as_slice() else { panic!("{row:?} names a metric") };
        assert!(of.len().is_multiple_of(2), "{row:?}: each dimension has a value");
        let of = of.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        Self { namespace: namespace.clone(), metric: metric.clone(), of }
    }

    /// `AWS/Lambda Errors of Leads`.
    fn says(&self) -> String {
        // The table before its index.
        let of: Vec<&str> = self.of.iter().rev().map(|(_, value)| value.as_str()).collect();
        format!("{} {} of {}", self.namespace, self.metric, of.join(" "))
    }
}

/// The metrics that an alarm watches: one, or several by their ids.
fn watched(alarm: &Resource) -> BTreeMap<String, Watched> {
    match alarm.at(&["Metrics"]).as_sequence() {
        None => BTreeMap::from([(String::new(), Watched::read(alarm.at(&[])))]),
        Some(several) => {
            let measured = several.iter().filter(|one| !one["MetricStat"].is_null());
            measured.map(|one| (words(&one["Id"]), Watched::read(&one["MetricStat"]["Metric"]))).collect()
        }
    }
}

/// What an alarm of several metrics computes of them.
fn expression(alarm: &Resource) -> Option<String> {
    let several = alarm.at(&["Metrics"]).as_sequence()?;
    let computed: Vec<&Value> = several.iter().filter(|one| one["MetricStat"].is_null()).collect();
    let [computed] = computed.as_slice() else { panic!("{} computes one thing", alarm.id) };
    let measured = several.iter().filter(|one| !one["MetricStat"].is_null());
    for one in measured {
        assert_eq!(one["ReturnData"].as_bool(), Some(false), "{} rings by what it computes", alarm.id);
    }
    Some(words(&computed["Expression"]))
}

/// How long what is compared was added up, in seconds.
fn period_s(alarm: &Resource) -> u64 {
    let Some(several) = alarm.at(&["Metrics"]).as_sequence() else { return alarm.number(&["Period"]) };
    let periods: BTreeSet<u64> =
        several.iter().filter_map(|one| one["MetricStat"]["Period"].as_u64()).collect();
    assert_eq!(periods.len(), 1, "{} compares what is of one length", alarm.id);
    periods.into_iter().next().expect("one")
}

/// Of so many periods so many must be over the threshold.
fn of_periods(alarm: &Resource) -> (u64, u64) {
    let periods = alarm.number(&["EvaluationPeriods"]);
    (alarm.at(&["DatapointsToAlarm"]).as_u64().unwrap_or(periods), periods)
}

/// When an alarm rings, as a line: `Sum of AWS/Lambda Errors of Leads > 0, 2 of 60 times 60 s`.
fn rule(alarm: &Resource) -> String {
    let what = expression(alarm).unwrap_or_else(|| {
        let statistic = [alarm.text(&["Statistic"]), alarm.text(&["ExtendedStatistic"])].concat();
        format!("{statistic} of {}", watched(alarm)[""].says())
    });
    let compared = match alarm.text(&["ComparisonOperator"]).as_str() {
        "GreaterThanThreshold" => ">",
        "LessThanThreshold" => "<",
        other => panic!("{}: {other}", alarm.id),
    };
    let ((points, periods), period_s) = (of_periods(alarm), period_s(alarm));
    let threshold = alarm.text(&["Threshold"]);
    let silence = match alarm.text(&["TreatMissingData"]).as_str() {
        "notBreaching" => "",
        "breaching" => ", or nothing is said",
        other => panic!("{}: {other}", alarm.id),
    };
    format!("{what} {compared} {threshold}, {points} of {periods} times {period_s} s{silence}")
}

/// Those there is one of.
const SINGLE: [(&str, &str); 16] = [
    (
        "ReportingDeadAlarm",
        "Maximum of AWS/SQS ApproximateNumberOfMessagesVisible of ReportingDead.QueueName > 0, 1 of 1 times 60 s",
    ),
    ("ReportingAgeAlarm", "Maximum of AWS/Lambda IteratorAge of Reporting > 3600000, 3 of 3 times 60 s"),
    (
        "ReportingSilentAlarm",
        "IF(FILL(received, 0) > 0 AND FILL(read, 0) < 1, 1, 0) > 0, 2 of 6 times 3600 s",
    ),
    (
        "SweepSilentAlarm",
        "Sum of AWS/Lambda Invocations of Sweep < 1, 1 of 1 times 300 s, or nothing is said",
    ),
    (
        "SyntheticAlarm",
        "Minimum of Leadyard SyntheticArrived of Sweep < 1, 2 of 3 times 300 s, or nothing is said",
    ),
    // One of the three over the API; whose it was, its log says.
    ("ApiFailuresAlarm", "Sum of AWS/ApiGateway 5xx of Api > 0, 1 of 1 times 60 s"),
    ("LeadsSlowAlarm", "p99 of AWS/Lambda Duration of Leads > 1000, 2 of 2 times 300 s"),
    ("InteractionsSlowAlarm", "p99 of AWS/Lambda Duration of Interactions > 1000, 2 of 2 times 300 s"),
    ("ConsoleSlowAlarm", "p99 of AWS/Lambda Duration of Console > 5000, 3 of 3 times 300 s"),
    ("UndistributedAlarm", "Maximum of Leadyard UndistributedAge of Sweep > 120, 2 of 5 times 60 s"),
    (
        "WaitingAlarm",
        "IF(FILL(waits, 0) + FILL(given, 0) >= 20, 100 * FILL(waits, 0) / (FILL(waits, 0) + FILL(given, 0)), 0) \
         > 50, 1 of 1 times 3600 s",
    ),
    (
        "UndeliveredAlarm",
        "IF(FILL(failed, 0) + FILL(arrived, 0) >= 10, \
         100 * FILL(failed, 0) / (FILL(failed, 0) + FILL(arrived, 0)), 0) > 20, 1 of 1 times 3600 s",
    ),
    ("BreakersAlarm", "Sum of Leadyard BreakersOpened of Delivery > 9, 1 of 1 times 900 s"),
    ("RolledBackAlarm", "Sum of Leadyard PublishesRolledBack of Sweep > 0, 1 of 1 times 300 s"),
    ("BouncesAlarm", "Sum of Leadyard DeliveriesFailed of MailEvents > 9, 1 of 1 times 3600 s"),
    ("SpilledAlarm", "Sum of Leadyard LeadsSpilled of Leads > 0, 1 of 1 times 300 s"),
];

/// The dollars of a thousand leads: the price of a unit written and of one read stands in it.
const COST: &str = "IF(FILL(leads, 0) >= 1000, \
    1000 * ((w + FILL(w1, 0) + FILL(w2, 0) + FILL(w3, 0) + FILL(w4, 0)) * 0.000000625 + r * 0.000000125) / leads, 0)";

/// Every alarm that there is to be, by its id.
fn expected() -> BTreeMap<String, String> {
    let mut all: BTreeMap<String, String> =
        SINGLE.iter().map(|(id, rule)| ((*id).to_owned(), (*rule).to_owned())).collect();
    all.insert("CostAlarm".to_owned(), format!("{COST} > 0.06, 1 of 1 times 21600 s"));
    for worked in &WORKED {
        let (queue, dead) = (queues()[worked.name].id, queues()[&worked.dead()].id);
        let called = queue.strip_suffix("Queue").expect("a queue is called so");
        let late_s = match worked.name {
            "distribution" => 120,
            "delivery" => 300,
            "interactions" => 900,
            "spill" | "mail-events" => 3_600,
            other => panic!("{other}: how long may its messages wait?"),
        };
        all.insert(
            format!("{called}DeadAlarm"),
            format!("Maximum of AWS/SQS ApproximateNumberOfMessagesVisible of {dead}.QueueName > 0, 1 of 1 times 60 s"),
        );
        all.insert(
            format!("{called}AgeAlarm"),
            format!("Maximum of AWS/SQS ApproximateAgeOfOldestMessage of {queue}.QueueName > {late_s}, 3 of 3 times 60 s"),
        );
    }
    for function in functions().values() {
        let id = function.id;
        for kind in ["Errors", "Throttles"] {
            let rule = format!("Sum of AWS/Lambda {kind} of {id} > 0, 2 of 60 times 60 s");
            all.insert(format!("{id}{kind}Alarm"), rule);
        }
        if is_over_http(function) {
            let rule = format!("Sum of AWS/Lambda Url5xxCount of {id} > 0, 1 of 1 times 60 s");
            all.insert(format!("{id}FailuresAlarm"), rule);
            assert!(all.contains_key(&format!("{id}SlowAlarm")), "{id}: how slow may it be?");
        }
    }
    // The table's own metrics leave its indexes out.
    let indexes = schema::INDEXES.map(|index| (capital(index.name), format!("Table {}", index.name)));
    for (called, of) in indexes.into_iter().chain([("Table".to_owned(), "Table".to_owned())]) {
        for kind in ["Write", "Read"] {
            let rule = format!("Sum of AWS/DynamoDB {kind}ThrottleEvents of {of} > 0, 3 of 15 times 60 s");
            all.insert(format!("{called}{kind}ThrottleAlarm"), rule);
        }
    }
    all
}

fn capital(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_uppercase() + rest
}

#[test]
fn what_may_go_wrong_rings_when_it_should() {
    let there: BTreeMap<String, String> = alarms().map(|alarm| (alarm.id.to_owned(), rule(&alarm))).collect();
    for (id, rule) in expected() {
        assert_eq!(there.get(&id), Some(&rule), "{id}");
    }
    assert_eq!(there.len(), expected().len(), "no other alarm: {:?}", there.keys());
    // Only with the API that it watches.
    for alarm in alarms() {
        let condition = alarm.beside("Condition").as_str();
        assert_eq!(condition, (alarm.id == "ApiFailuresAlarm").then_some("HasApi"), "{}", alarm.id);
        // CloudWatch computes with ten at most, and looks no further back than a day, or a week where a period is an hour.
        assert!(watched(&alarm).len() <= 10, "{}", alarm.id);
        let back_s = of_periods(&alarm).1 * period_s(&alarm);
        assert!(back_s <= 86_400, "{}", alarm.id);
    }
}

#[test]
fn somebody_hears_it() {
    for alarm in alarms() {
        assert_eq!(many(alarm.at(&["AlarmActions"])), ["AlarmTopic"], "{} is wired", alarm.id);
        assert_eq!(many(alarm.at(&["OKActions"])), ["AlarmTopic"], "{} says when it is over", alarm.id);
    }
    let subscription = template().resource("AlarmSubscription");
    assert_eq!(subscription.text(&["TopicArn"]), "AlarmTopic");
    assert_eq!(subscription.text(&["Protocol"]), "email");
    assert_eq!(subscription.text(&["Endpoint"]), "AlarmEmail");
    assert_eq!(words(subscription.beside("Condition")), "Rings");
    assert_eq!(condition("Rings"), "Not(Equals(AlarmEmail, ))");
}

/// In which of these periods an alarm rings first, counted from one.
fn rings(alarm: &str, values: &[u64]) -> Option<usize> {
    let alarm = template().resource(alarm);
    let (points, periods) = of_periods(&alarm);
    let threshold = alarm.number(&["Threshold"]);
    (1..=values.len()).find(|now| {
        let looked_at = &values[now.saturating_sub(periods as usize)..*now];
        looked_at.iter().filter(|value| **value > threshold).count() as u64 >= points
    })
}

/// The sweep claims what it finds for 60 to 70 seconds: it says a lead's age at every second run, at every third where its
/// runs come unevenly, and 0 in between.
#[test]
fn a_lead_that_nobody_looks_at_rings_within_minutes() {
    assert_eq!(rings("UndistributedAlarm", &[0, 112, 0, 232, 0, 352, 0, 472]), Some(6));
    assert_eq!(rings("UndistributedAlarm", &[118, 0, 0, 292, 0, 0, 472]), Some(7));
    assert_eq!(rings("UndistributedAlarm", &[0, 125, 245, 365]), Some(3));
    // Found late once, and looked at then.
    assert_eq!(rings("UndistributedAlarm", &[0, 119, 0, 239, 0, 0, 0, 0, 0, 0]), None);
    assert_eq!(rings("UndistributedAlarm", &[119; 60]), None, "what the sweep brings back at once");
}

#[test]
fn who_fails_at_every_try_rings_before_the_last_however_seldom_it_is_called() {
    for function in functions().values() {
        for kind in ["Errors", "Throttles"] {
            let alarm = format!("{}{kind}Alarm", function.id);
            // Called each twenty minutes.
            let seldom: Vec<u64> = (0..60).map(|minute| u64::from(minute % 20 == 0)).collect();
            assert_eq!(rings(&alarm, &seldom), Some(21), "{alarm}");
            let mut once = [0; 120];
            once[30] = 5;
            assert_eq!(rings(&alarm, &once), None, "{alarm}: it went well when it was tried again");
        }
    }
    for worked in &WORKED {
        let function = functions()[worked.function].id;
        let mut minutes = vec![0; 60];
        let tries = worked.max_receive_count.min(10);
        for number in 0..tries {
            minutes[(number * worked.visibility_s / 60) as usize] = 1;
        }
        let rung = rings(&format!("{function}ErrorsAlarm"), &minutes).expect("it rings");
        let dead = ((tries - 1) * worked.visibility_s / 60) as usize + 1;
        assert!(rung < dead, "{}: rung in minute {rung}, a dead letter in minute {dead}", worked.name);
    }
}

#[test]
fn what_is_watched_of_ours_is_counted() {
    let ours: BTreeSet<Watched> = alarms()
        .flat_map(|alarm| watched(&alarm).into_values())
        .chain(boards().into_iter().flat_map(|board| board.shown))
        .filter(|one| one.namespace == NAMESPACE)
        .collect();
    for one in &ours {
        assert!(Metric::ALL.iter().any(|metric| metric.name() == one.metric), "{} is counted", one.metric);
        let of: Vec<(&str, &str)> =
            one.of.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let [("FunctionName", function)] = of.as_slice() else { panic!("{one:?} is of a function") };
        assert!(functions().values().any(|known| known.id == *function), "{function} is a function");
    }
    for metric in [
        Metric::LeadsReceived,
        Metric::UndistributedAge,
        Metric::LeadsWaiting,
        Metric::DeliveriesFailed,
        Metric::BreakersOpened,
        Metric::LeadsSpilled,
        Metric::PublishesRolledBack,
    ] {
        assert!(ours.iter().any(|one| one.metric == metric.name()), "{} is watched", metric.name());
    }
}

/// A dashboard.
struct Board {
    name: String,
    shown: BTreeSet<Watched>,
    /// What is shown at the hundredth that is slowest.
    p99: BTreeSet<Watched>,
    by_id: BTreeMap<String, Watched>,
    expressions: Vec<String>,
}

fn boards() -> Vec<Board> {
    template().of_type("AWS::CloudWatch::Dashboard").map(|board| read(&board)).collect()
}

fn read(dashboard: &Resource) -> Board {
    let body: Json = serde_json::from_str(&dashboard.text(&["DashboardBody"])).expect("JSON");
    let mut board = Board {
        name: dashboard.text(&["DashboardName"]),
        shown: BTreeSet::new(),
        p99: BTreeSet::new(),
        by_id: BTreeMap::new(),
        expressions: Vec::new(),
    };
    let mut places = BTreeSet::new();
    for widget in body["widgets"].as_array().expect("widgets") {
        assert!(places.insert((widget["x"].as_u64(), widget["y"].as_u64())), "one lies upon another");
        let properties = &widget["properties"];
        for row in properties["metrics"].as_array().expect("metrics") {
            let row = row.as_array().expect("a metric");
            let options = row.last().filter(|last| last.is_object());
            if let Some(expression) = options.and_then(|options| options["expression"].as_str()) {
                board.expressions.push(expression.to_owned());
                continue;
            }
            let one = Watched::shown(row);
            let statistic = options.map(|options| &options["stat"]).filter(|stat| !stat.is_null());
            let statistic = statistic.unwrap_or(&properties["stat"]).as_str();
            assert!(statistic.is_some(), "{one:?}: which statistic");
            if statistic == Some("p99") {
                board.p99.insert(one.clone());
            }
            if let Some(id) = options.and_then(|options| options["id"].as_str()) {
                board.by_id.insert(id.to_owned(), one.clone());
            }
            board.shown.insert(one);
        }
    }
    board
}

/// The metrics of AWS's own that are shown: one that is misspelt is an empty graph.
const OF_AWS: [(&str, &[&str]); 3] = [
    (
        "AWS/Lambda",
        &[
            "ConcurrentExecutions",
            "Duration",
            "Errors",
            "Invocations",
            "IteratorAge",
            "Throttles",
            "Url5xxCount",
        ],
    ),
    ("AWS/SQS", &["ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesVisible"]),
    (
        "AWS/DynamoDB",
        &[
            "ConsumedReadCapacityUnits",
            "ConsumedWriteCapacityUnits",
            "ReadThrottleEvents",
            "WriteThrottleEvents",
        ],
    ),
];

#[test]
fn the_dashboards_show_what_is_watched() {
    let boards = boards();
    let names: Vec<&str> = boards.iter().map(|board| board.name.as_str()).collect();
    assert_eq!(names, ["leadyard-${Stage}", "leadyard-${Stage}-functions"]);
    // Three of at most fifty metrics are free.
    for board in &boards {
        assert!(board.shown.len() <= 50, "{}: {} metrics", board.name, board.shown.len());
    }
    let shown: BTreeSet<&Watched> = boards.iter().flat_map(|board| &board.shown).collect();
    for one in shown.iter().filter(|one| one.namespace != NAMESPACE) {
        let known = OF_AWS.iter().find(|(namespace, _)| *namespace == one.namespace);
        assert!(known.is_some_and(|(_, metrics)| metrics.contains(&one.metric.as_str())), "{}", one.says());
    }
    // What only some stacks have, no dashboard can name.
    for alarm in alarms().filter(|alarm| alarm.beside("Condition").is_null()) {
        for one in watched(&alarm).values() {
            assert!(shown.contains(one), "{} is shown: {}", alarm.id, one.says());
        }
    }
    let p99: BTreeSet<String> = boards.iter().flat_map(|board| &board.p99).map(Watched::says).collect();
    for function in functions().values().filter(|function| is_over_http(function)) {
        assert!(p99.contains(&format!("AWS/Lambda Duration of {}", function.id)), "{}", function.id);
    }
    let cost = template().resource("CostAlarm");
    let board = boards.iter().find(|board| !board.expressions.is_empty()).expect("what leads cost is shown");
    assert_eq!(board.expressions, [expression(&cost).expect("computed")]);
    assert_eq!(board.by_id, watched(&cost), "as its alarm computes it");
}

#[test]
fn the_runbook_says_what_to_do_about_each() {
    let runbook = runbook();
    for alarm in alarms() {
        let kinds =
            ["Dead", "Age", "Errors", "Throttles", "Failures", "Slow", "WriteThrottle", "ReadThrottle"];
        let named = kinds
            .iter()
            .find(|kind| alarm.id.ends_with(&format!("{kind}Alarm")))
            .map_or_else(|| format!("`{}`", alarm.id), |kind| format!("`…{kind}Alarm`"));
        assert!(runbook.contains(&named), "the runbook says what to do about {}", alarm.id);
    }
    for parameter in ["RestoredStreamArn", "LeadsConcurrency", "Protected", "Gradual"] {
        assert!(runbook.contains(parameter), "the runbook knows {parameter}");
    }
    // Each metric of an alarm is ten cents a month.
    let paid: usize =
        alarms().filter(|alarm| alarm.beside("Condition").is_null()).map(|alarm| watched(&alarm).len()).sum();
    let cents = paid * 10;
    let idle = format!("alarms ${}.{:02} ({paid} metrics)", cents / 100, cents % 100);
    assert!(runbook.contains(&idle), "idle: {idle}");
    // A receipt each 90 seconds, a thousand of them.
    let spill = WORKED.iter().find(|worked| worked.name == "spill").expect("the spill");
    let hours = spill.max_receive_count * spill.visibility_s / 3_600;
    assert!(runbook.contains(&format!("{hours} hours")), "what is spilled is tried for {hours} hours");
}
