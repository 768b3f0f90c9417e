//! Metrics of our own: what happened, counted through an invocation and written at its end as one line of CloudWatch's
//! Embedded Metric Format, which its logs take for metrics. Of what it says AWS's own metrics say nothing: leads that
//! wait, deliveries that failed, breakers that opened.
//!
//! Nobody is in them: names, numbers and closed words only. The one dimension is the function, as of AWS's own: each
//! other would be paid for by its values.
//!
//! Determination. *The synthetic lead is received, and nothing more.* Twelve an hour that always go well would hide, in the
//! share that waits or fails, a company of ten an hour of which all do; `SyntheticArrived` says of it what there is to say.
//! What it would have counted is said as 0: so the sums that shares are made of are there in every hour, and CloudWatch has
//! not to fill a series of which it knows nothing.
//!
//! On one machine nobody reads them, and nothing is counted.
//!
//! Format: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use leadyard_domain::ids::{CompanyId, SYNTHETIC_COMPANY};
use serde_json::{Map, Value, json};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Enquiries that opened a lead or a cycle.
    LeadsReceived,
    /// Enquiries of somebody known.
    LeadsRepeated,
    /// Enquiries that wait for a verdict.
    LeadsQuarantined,
    /// Enquiries that the table did not take.
    LeadsSpilled,
    /// Leads that were given to their dealers.
    LeadsAssigned,
    /// Looks at a lead that ended with its waiting; beside it stands for what.
    LeadsWaiting,
    /// Leads that reached their dealer.
    LeadsDelivered,
    /// Deliveries of which nothing is left to try.
    DeliveriesFailed,
    /// Breakers that opened: a channel is left alone for a while.
    BreakersOpened,
    /// What the sweep found overdue and put back on its queue.
    Overdue,
    /// Of the leads that it found so and nobody has looked at, how long ago the oldest was received, in seconds; 0 where
    /// there is none.
    UndistributedAge,
    /// Whether the synthetic lead that was sent five minutes ago has reached its dealer: 1 or 0.
    SyntheticArrived,
    /// Publishes that rolled themselves back.
    PublishesRolledBack,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 13] = [
        Self::LeadsReceived,
        Self::LeadsRepeated,
        Self::LeadsQuarantined,
        Self::LeadsSpilled,
        Self::LeadsAssigned,
        Self::LeadsWaiting,
        Self::LeadsDelivered,
        Self::DeliveriesFailed,
        Self::BreakersOpened,
        Self::Overdue,
        Self::UndistributedAge,
        Self::SyntheticArrived,
        Self::PublishesRolledBack,
    ];

    /// Its name, as alarms and dashboards know it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LeadsReceived => "LeadsReceived",
            Self::LeadsRepeated => "LeadsRepeated",
            Self::LeadsQuarantined => "LeadsQuarantined",
            Self::LeadsSpilled => "LeadsSpilled",
            Self::LeadsAssigned => "LeadsAssigned",
            Self::LeadsWaiting => "LeadsWaiting",
            Self::LeadsDelivered => "LeadsDelivered",
            Self::DeliveriesFailed => "DeliveriesFailed",
            Self::BreakersOpened => "BreakersOpened",
            Self::Overdue => "Overdue",
            Self::UndistributedAge => "UndistributedAge",
            Self::SyntheticArrived => "SyntheticArrived",
            Self::PublishesRolledBack => "PublishesRolledBack",
        }
    }

    /// Its unit, as CloudWatch spells it.
    const fn unit(self) -> &'static str {
        match self {
            Self::UndistributedAge => "Seconds",
            Self::LeadsReceived
            | Self::LeadsRepeated
            | Self::LeadsQuarantined
            | Self::LeadsSpilled
            | Self::LeadsAssigned
            | Self::LeadsWaiting
            | Self::LeadsDelivered
            | Self::DeliveriesFailed
            | Self::BreakersOpened
            | Self::Overdue
            | Self::SyntheticArrived
            | Self::PublishesRolledBack => "Count",
        }
    }
}

/// The namespace of all of them.
pub const NAMESPACE: &str = "Leadyard";

/// The metrics of a function.
#[derive(Clone, Debug, Default)]
pub struct Metrics(Option<Arc<Mutex<Open>>>);

/// What was counted since the last line.
#[derive(Debug)]
struct Open {
    function: String,
    to: To,
    counts: BTreeMap<Metric, u64>,
    /// Counts beside them, by closed words: no metrics, for people to ask the logs.
    beside: BTreeMap<String, u64>,
}

#[derive(Debug)]
enum To {
    Stdout,
    /// For tests.
    Kept(Vec<String>),
}

impl Metrics {
    /// On AWS: lines to standard output, of the function of this name.
    pub fn to_stdout(function: String) -> Self {
        Self::of(function, To::Stdout)
    }

    /// Lines that are kept, for tests.
    pub fn kept() -> Self {
        Self::of("test".to_owned(), To::Kept(Vec::new()))
    }

    fn of(function: String, to: To) -> Self {
        let open = Open { function, to, counts: BTreeMap::new(), beside: BTreeMap::new() };
        Self(Some(Arc::new(Mutex::new(open))))
    }

    /// One more.
    pub fn count(&self, metric: Metric) {
        if let Some(mut open) = self.open() {
            *open.counts.entry(metric).or_default() += 1;
        }
    }

    /// One more of a company's; of the synthetic lead, none.
    pub fn count_of(&self, metric: Metric, company: &CompanyId) {
        if is_synthetic(company) {
            self.at_least(metric, 0);
        } else {
            self.count(metric);
        }
    }

    /// The same, and for what: one of few words.
    pub fn count_for(&self, metric: Metric, company: &CompanyId, what: &str) {
        self.count_of(metric, company);
        if is_synthetic(company) {
            return;
        }
        if let Some(mut open) = self.open() {
            *open.beside.entry(format!("{}.{what}", metric.name())).or_default() += 1;
        }
    }

    /// This many, or as many as were said before if those are more.
    pub fn at_least(&self, metric: Metric, value: u64) {
        if let Some(mut open) = self.open() {
            let most = open.counts.entry(metric).or_default();
            *most = value.max(*most);
        }
    }

    /// An invocation ends: what it counted is written, if anything was.
    pub fn write(&self, now: Timestamp) {
        let Some(mut open) = self.open() else { return };
        let counts = std::mem::take(&mut open.counts);
        let beside = std::mem::take(&mut open.beside);
        if counts.is_empty() {
            return;
        }
        let line = line(&open.function, &counts, &beside, now);
        match &mut open.to {
            // Whoever cannot write its metrics does its work all the same.
            To::Stdout => drop(std::io::stdout().lock().write_all(line.as_bytes())),
            To::Kept(lines) => lines.push(line),
        }
    }

    /// The lines that were written, where they are kept.
    pub fn lines(&self) -> Vec<String> {
        match self.open().as_deref() {
            Some(Open { to: To::Kept(lines), .. }) => lines.clone(),
            Some(Open { to: To::Stdout, .. }) | None => Vec::new(),
        }
    }

    fn open(&self) -> Option<MutexGuard<'_, Open>> {
        self.0.as_ref().map(|open| open.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn is_synthetic(company: &CompanyId) -> bool {
    company.as_str() == SYNTHETIC_COMPANY
}

fn line(
    function: &str,
    counts: &BTreeMap<Metric, u64>,
    beside: &BTreeMap<String, u64>,
    now: Timestamp,
) -> String {
    let metrics: Vec<Value> =
        counts.keys().map(|metric| json!({ "Name": metric.name(), "Unit": metric.unit() })).collect();
    let mut line = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": now.as_millisecond(),
            "CloudWatchMetrics": [
                { "Namespace": NAMESPACE, "Dimensions": [["FunctionName"]], "Metrics": metrics }
            ],
        }),
    );
    line.insert("FunctionName".to_owned(), function.into());
    line.extend(counts.iter().map(|(metric, count)| (metric.name().to_owned(), (*count).into())));
    line.extend(beside.iter().map(|(name, count)| (name.clone(), (*count).into())));
    format!("{}\n", Value::Object(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invocation_writes_one_line_of_what_it_counted_and_the_next_begins_anew() {
        let metrics = Metrics::kept();
        let now = Timestamp::from_millisecond(1_780_329_600_000).unwrap();
        metrics.write(now);
        metrics.count(Metric::LeadsAssigned);
        metrics.count(Metric::LeadsAssigned);
        metrics.count_for(Metric::LeadsWaiting, &CompanyId::new("acme").unwrap(), "cap");
        metrics.at_least(Metric::UndistributedAge, 7);
        metrics.at_least(Metric::UndistributedAge, 3);
        metrics.write(now);
        metrics.write(now);
        let lines = metrics.lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        let said: Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(
            said,
            json!({
                "_aws": {
                    "Timestamp": 1_780_329_600_000_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Leadyard",
                        "Dimensions": [["FunctionName"]],
                        "Metrics": [
                            { "Name": "LeadsAssigned", "Unit": "Count" },
                            { "Name": "LeadsWaiting", "Unit": "Count" },
                            { "Name": "UndistributedAge", "Unit": "Seconds" },
                        ],
                    }],
                },
                "FunctionName": "test",
                "LeadsAssigned": 2,
                "LeadsWaiting": 1,
                "LeadsWaiting.cap": 1,
                "UndistributedAge": 7,
            })
        );
    }

    #[test]
    fn the_synthetic_lead_is_none_and_keeps_the_series_alive() {
        let metrics = Metrics::kept();
        let company = CompanyId::new(SYNTHETIC_COMPANY).unwrap();
        metrics.count_of(Metric::LeadsAssigned, &company);
        metrics.count_for(Metric::LeadsWaiting, &company, "cap");
        metrics.write(Timestamp::UNIX_EPOCH);
        let said: Value = serde_json::from_str(&metrics.lines()[0]).unwrap();
        assert_eq!([&said["LeadsAssigned"], &said["LeadsWaiting"]], [&json!(0), &json!(0)]);
        assert!(said.get("LeadsWaiting.cap").is_none(), "{said}");
    }

    #[test]
    fn where_nobody_reads_them_nothing_is_kept() {
        let metrics = Metrics::default();
        metrics.count(Metric::LeadsAssigned);
        metrics.write(Timestamp::UNIX_EPOCH);
        assert!(metrics.lines().is_empty());
    }
}
