//! A yard under the meter: what is posted and worked here is invoked as on AWS, and counted so.

use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use leadyard::aws::stream;
use leadyard::poller;
use leadyard::system::{self, Worked};
use leadyard_platform::stream::{StreamEvent, StreamRecord};
use leadyard_platform::telemetry::{self, LevelFilter};
use leadyard_tests::template::{template, words};
use leadyard_tests::{Person, Reply, Rules, Says, Sender, Yard, roles};
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::meter::{Meter, Used};
use crate::prices;

/// A system and what it uses.
pub(crate) struct Bench {
    pub(crate) yard: Yard,
    meter: Meter,
    logged: Logged,
    told: Cell<usize>,
    counted: Cell<usize>,
    _logs: tracing::subscriber::DefaultGuard,
}

/// A company with so many dealers in one area, each with caps and a price, and one offer more of its own for each
/// situation that is to be looked at.
pub(crate) fn rules(dealers: usize) -> Rules {
    let mut rules = Rules::company("brightside-home")
        .offer("roof-inspection", "roofing", "")
        .offer("bathroom", "bathrooms", "")
        .offer("solar-quote", "solar", "")
        .offer("gutter-guard", "gutters", "band = \"A1\"")
        .source("landing-page", "offer = \"roof-inspection\"")
        .source("partner-api", "offer = \"roof-inspection\"");
    for number in 1..=dealers {
        let dealer = format!("hudson-roofing-{number}");
        rules = rules.dealer(&dealer, [("cap_day", "100")]).contract(
            &format!("{dealer}-miami"),
            &dealer,
            [
                ("offers", "roof-inspection"),
                ("area", "zip3:331"),
                ("price", "45.00"),
                ("cap_day", "50"),
                ("cap_month", "500"),
            ],
        );
    }
    // Who must accept in time.
    let by =
        [("offers", "bathroom"), ("deadline_minutes", "30"), ("deadline_clock", "wall"), ("price", "90.00")];
    rules.dealer("ridge-bathrooms", []).contract("ridge-bathrooms-miami", "ridge-bathrooms", by)
}

/// One of many, as the form of a page sends it.
pub(crate) fn person(number: usize) -> Person {
    Person::number(number)
        .with("street", "1401 Brickell Avenue, Apt. 12")
        .with("city", "Miami")
        .with("state", "FL")
        .with("message", "Two shingles came off in the storm last week, and there is a stain on the ceiling now.")
        .with("consent", "yes")
        .with(
            "consent_text",
            "By clicking Get my quote I agree that Brightside Home and up to three of its partners may call and text \
             me at the number above about my request, also by automated means. Consent is not a condition of purchase.",
        )
        .with("utm_source", "google")
        .with("utm_medium", "cpc")
        .with("utm_campaign", "roof-leads-miami-summer")
}

impl Bench {
    pub(crate) async fn of(rules: Rules) -> Self {
        let (meter, logged) = (Meter::default(), Logged::default());
        // As `telemetry::json` does on AWS.
        let lines = layer().json().with_current_span(false).without_time().with_writer(logged.clone());
        let what = telemetry::filter(LevelFilter::INFO);
        let logs = tracing_subscriber::registry().with(lines).with(what);
        let logs = tracing::subscriber::set_default(logs);
        let dealers = rules.dealer_ids();
        let over = meter.clone();
        let yard = Yard::over("2026-06-01T16:00:00Z", rules, |http| over.over(http)).await;
        for dealer in dealers {
            yard.dealer_says(&dealer, Says::Slow(prices::DEALER_ANSWERS));
        }
        Self { yard, meter, logged, told: Cell::new(0), counted: Cell::new(0), _logs: logs }
    }

    /// What was used since this was asked last, for each of so many.
    pub(crate) fn per(&self, parts: usize) -> Used {
        let (lines, bytes) = self.logged.take();
        let told = self.yard.dealers.told();
        let posted: usize = told
            .iter()
            .skip(self.told.replace(told.len()))
            .map(|told| told.raw.len() + prices::HEADER_BYTES)
            .sum();
        let counted = self.yard.cloud.metrics.lines();
        let lines_of_metrics = counted.len() - self.counted.get();
        let bytes_of_metrics: usize =
            counted.iter().skip(self.counted.replace(counted.len())).map(String::len).sum();
        let (lines, bytes) = (lines + lines_of_metrics, bytes + bytes_of_metrics);
        let mut used = self.meter.take();
        used.log_bytes += (bytes + lines * prices::LOG_LINE_BYTES) as f64;
        let (lines, bytes) = prices::LAMBDA_LINES;
        used.log_bytes += used.invocations * (bytes + lines * prices::LOG_LINE_BYTES) as f64;
        used.egress_bytes += posted as f64;
        used.per(parts as f64)
    }

    /// A function is invoked.
    async fn invoked<T>(&self, function: &'static str, work: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let done = roles::as_function(function, work).await;
        let ms = began.elapsed().as_millis() + prices::OWN_MS;
        let gb_s = ms as f64 / 1_000.0 * memory_mb(function) / 1_024.0;
        self.meter.add(&Used { invocations: 1.0, gb_s, ..Used::default() });
        done
    }

    /// Somebody asks by HTTP.
    async fn asked(&self, function: &'static str, ask: impl Future<Output = Reply>) -> Reply {
        let reply = self.invoked(function, ask).await;
        let egress_bytes = (reply.bytes.len() + prices::HEADER_BYTES) as f64;
        self.meter.add(&Used { egress_bytes, ..Used::default() });
        reply
    }

    /// A browser on the landing page.
    fn page(&self, number: usize) -> Sender {
        self.yard
            .page("landing-page")
            .header("user-agent", BROWSER)
            .header("x-forwarded-for", &format!("203.0.{}.{}", 113 + number / 250, 1 + number % 250))
    }

    /// A lead by our snippet: the form is opened, filled in and sent with all that the snippet knows.
    pub(crate) async fn posted_by_page(&self, number: usize, person: &Person) -> String {
        let page = self.page(number);
        let path = format!("/v1/leads/{}/form_token", page.key());
        let token = self.asked("leads", page.gets(&path)).await.is(200).text_of("form_token").to_owned();
        let path = format!("/v1/interactions/{}/visitor", page.key());
        let visitor = page.gets(&path).await.is(200).text_of("visitor").to_owned();
        // Nobody fills in a form at once.
        tokio::time::sleep(Duration::from_secs(30)).await;
        let mut body = person.json();
        let more = json!({
            "form_token": token,
            "visitor": visitor,
            "consent_url": "https://www.brightside-home.example/roofing/free-inspection",
            "consent_at": "2026-06-01T16:00:00Z",
            "consent_form": "quote",
            "gclid": "EAIaIQobChMI3oX8s7qL_gIVkRitBh0WJQ2wEAAYASAAEgJ5T_D_BwE",
            "landing_page": "https://www.brightside-home.example/roofing",
            "referrer": "https://www.google.com/",
            "first_touch": {
                "utm_source": "facebook", "utm_medium": "social", "utm_campaign": "storm-season",
                "landing_page": "https://www.brightside-home.example/", "at": "2026-05-28T14:12:09Z",
            },
        });
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let key = format!("0192f3c4-7a1e-7000-8000-{number:012}");
        let page = page.header("idempotency-key", &key);
        let reply = self.asked("leads", page.sends("application/json", body.to_string())).await.is(201);
        assert_eq!(reply.text_of("status"), "received", "{}", reply.text);
        visitor
    }

    /// A lead by a partner's server; its id.
    pub(crate) async fn posted_by_server(&self, person: &Person) -> String {
        let reply = self.asked("leads", self.yard.server("partner-api").posts(person)).await;
        assert!(reply.status.is_success(), "{}", reply.text);
        reply.text_of("lead").to_owned()
    }

    /// A page reports what its visitor did.
    pub(crate) async fn reported(&self, number: usize, what: Value) {
        let _ = self.asked("interactions", self.page(number).reports(what)).await.is(202);
    }

    /// A dealer answers about a lead that it holds.
    pub(crate) async fn answered(&self, dealer: &str, assignment: &str, act: &str) {
        let path = format!("/v1/inbox/{assignment}/{act}");
        let _ = self.asked("console", self.yard.dealer(dealer, Method::POST, &path, None)).await.is(200);
    }

    /// Works all that a queue has now, in batches of ten at most.
    pub(crate) async fn worked(&self, queue: &Worked) -> usize {
        let mut all = 0;
        loop {
            // An empty look at a queue is no batch, and no invocation.
            if self.yard.aws.queues().counts(queue.name).expect("a queue").visible == 0 {
                return all;
            }
            let work = poller::work(&self.yard.cloud, self.yard.aws.queues(), queue);
            all += self.invoked(queue.function, work).await;
            self.meter.add(&Used { queue_requests: prices::CALLS_PER_BATCH, ..Used::default() });
        }
    }

    /// Works every queue until all are quiet.
    pub(crate) async fn settled(&self) {
        loop {
            let mut worked = 0;
            for queue in &system::WORKED {
                worked += self.worked(queue).await;
            }
            if worked == 0 {
                return;
            }
        }
    }

    /// What was noted after a number, of what the stream's mapping lets pass; each with its number.
    pub(crate) fn noted(&self, after: i64) -> Vec<(i64, StreamRecord)> {
        let noted = self.yard.aws.tables().stream_after(system::TABLE, after, 1_000_000).expect("a stream");
        let noted = noted.into_iter().map(|(number, record)| (number, StreamRecord(record)));
        let counts = |(_, record): &(i64, StreamRecord)| {
            let kind = record.key().map(|(pk, sk)| (pk.split('#').next(), sk.split('#').next()));
            matches!(kind, Some((Some("E"), Some("E")) | (Some("L"), Some("A" | "D" | "L"))))
        };
        noted.filter(counts).collect()
    }

    /// Counts these for the reports, in one batch.
    pub(crate) async fn counted(&self, records: Vec<StreamRecord>) {
        let event = StreamEvent { records, shard: Some(stream::SHARD.to_owned()) };
        let work = Box::pin(leadyard_reporting::handle(&self.yard.cloud, event));
        assert!(self.invoked("reporting", work).await.failures.is_empty(), "it was counted");
    }

    /// The sweep looks once.
    pub(crate) async fn swept(&self) -> usize {
        let sweep = Box::pin(leadyard_sweep::sweep(&self.yard.cloud));
        let swept = self.invoked("sweep", sweep).await;
        swept.expect("the sweep can ask").queued
    }
}

const BROWSER: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                       Version/18.5 Mobile/15E148 Safari/604.1";

/// A function's memory as the template gives it.
fn memory_mb(function: &str) -> f64 {
    let found = template()
        .of_type("AWS::Serverless::Function")
        .find(|resource| resource.text(&["FunctionName"]).ends_with(&format!("-{function}")));
    let own = words(found.unwrap_or_else(|| panic!("a function {function}")).at(&["MemorySize"]));
    let parameter = if own.is_empty() { words(template().of_all_functions(&["MemorySize"])) } else { own };
    template().default_of(&parameter).parse().expect("megabytes")
}

/// How much was logged: lines and bytes.
#[derive(Clone, Default)]
struct Logged(Arc<(AtomicUsize, AtomicUsize)>);

impl Logged {
    fn take(&self) -> (usize, usize) {
        (self.0.0.swap(0, Ordering::Relaxed), self.0.1.swap(0, Ordering::Relaxed))
    }
}

impl<'a> MakeWriter<'a> for Logged {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl std::io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // A line is written at once.
        self.0.0.fetch_add(usize::from(bytes.ends_with(b"\n")), Ordering::Relaxed);
        self.0.1.fetch_add(bytes.len(), Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
