//! A whole system in this process, under a clock that the test moves: the same functions, store and
//! queues as `serve`, with every queue worked by hand.
//!
//! The clock is tokio's. Under `#[tokio::test(start_paused = true)]` time passes only when everything
//! waits, and then at once: eight minutes of attempts take none.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use axum::Router;
use http::{HeaderMap, Method};
use jiff::{SignedDuration, Timestamp};
use leadyard::aws::LocalAws;
use leadyard::{gateway, poller, system};
use leadyard_domain::access::{DealerToken, DeskToken, MasterKey, PageKey, SourceSecret};
use leadyard_domain::ids::{CompanyId, DealerId, LeadId, SourceId};
use leadyard_platform::clock::Clock;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::entropy::Entropy;
use leadyard_platform::meta::MetaAccess;
use leadyard_platform::metrics::{Metric, Metrics};
use leadyard_platform::oidc::OidcAccess;
use leadyard_platform::store::StoredEnquiry;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::dealers::{Dealers, Told};
use crate::faults::Faults;
use crate::people::Person;
use crate::post::{Reply, Sender, ask, send};
use crate::roles;
use crate::rules::Rules;
use crate::story::Story;

/// A Monday noon in New York, in summer.
pub const MONDAY_NOON: &str = "2026-06-01T16:00:00Z";

const MASTER: [u8; 32] = [7; 32];

/// What Meta signs its notices with.
pub const APP_SECRET: &str = "the app's secret";

/// A system, as one company sees it.
#[derive(Clone)]
pub struct Yard {
    /// Whose words the verbs below speak.
    pub company: String,
    /// What the functions share.
    pub cloud: Cloud,
    /// Its services.
    pub aws: Arc<LocalAws>,
    /// Who receives.
    pub dealers: Dealers,
    /// What refuses.
    pub faults: Faults,
    app: Router,
}

impl Yard {
    /// A system with this rulebook in force, on a Monday noon.
    pub async fn of(rules: Rules) -> Self {
        Self::at(MONDAY_NOON, rules).await
    }

    /// A system with this rulebook in force, at this instant.
    pub async fn at(when: &str, rules: Rules) -> Self {
        Self::over(when, rules, |http| http).await
    }

    /// The same, with something of the test's between the functions and the services.
    pub async fn over(
        when: &str,
        rules: Rules,
        over: impl FnOnce(SharedHttpClient) -> SharedHttpClient,
    ) -> Self {
        let access = json!({ "tokens": { rules.company.clone(): "a token" } });
        Self::begun(when, rules, access, over).await
    }

    /// A system with this rulebook in force, on a Monday noon, that has this access to Meta: `tokens` and `pages`.
    pub async fn with_meta(rules: Rules, access: Value) -> Self {
        Self::begun(MONDAY_NOON, rules, access, |http| http).await
    }

    /// A system at this instant whose table and queues are empty, for what another left to be put there. Its
    /// randomness is not the other's.
    pub async fn empty(when: &str, company: &str) -> Self {
        Self::without_rules(when, company, json!({ "tokens": {} }), 2, |http| http).await
    }

    async fn begun(
        when: &str,
        rules: Rules,
        access: Value,
        over: impl FnOnce(SharedHttpClient) -> SharedHttpClient,
    ) -> Self {
        let yard = Self::without_rules(when, &rules.company, access, 1, over).await;
        yard.begin_with(&rules).await;
        yard
    }

    async fn without_rules(
        when: &str,
        company: &str,
        mut access: Value,
        seed: u64,
        over: impl FnOnce(SharedHttpClient) -> SharedHttpClient,
    ) -> Self {
        let base: Timestamp = when.parse().expect("an instant");
        let began = Instant::now();
        let clock = Clock::given(move || {
            base.checked_add(SignedDuration::try_from(began.elapsed()).unwrap_or_default()).unwrap_or(base)
        });
        let aws = LocalAws::memory(system::millis(&clock), None, &system::queue_specs())
            .expect("a cloud in memory");
        let master = MasterKey::new(MASTER);
        let dealers = Dealers::new(Some(master.clone()));
        let faults = Faults::default();
        access["app_secret"] = json!(APP_SECRET);
        access["graph"] = json!("http://127.0.0.1:9/graph");
        let meta = MetaAccess::read(&access.to_string());
        let entropy = Entropy::seeded(seed);
        let console_url = Some("https://leads.example".to_owned());
        let oidc = Some(crate::provider::access());
        let outbound = dealers.network();
        let parts = system::Parts { clock, entropy, outbound, master, console_url, meta, oidc };
        let mut cloud = system::cloud(faults.before(over(aws.http_client())), parts).await.expect("a table");
        cloud.metrics = Metrics::kept();
        let app = gateway::router(&cloud, Router::new());
        Self { company: company.to_owned(), cloud, aws: Arc::new(aws), dealers, faults, app }
    }

    /// The same system as another company sees it, with its own rulebook.
    pub async fn also(&self, rules: Rules) -> Self {
        let other = Self { company: rules.company.clone(), ..self.clone() };
        other.begin_with(&rules).await;
        other
    }

    /// The first rulebook. Nobody waits for it: would it wake everybody all the same, a test of a slot would be
    /// one of that.
    async fn begin_with(&self, rules: &Rules) {
        let _ = self.publish(rules).await.is(200);
        let company = self.company_id();
        let current = self.cloud.rulebooks.current(&self.cloud.store, &company).await.expect("a table");
        for category in current.expect("a rulebook").categories() {
            if let Some(wake) = self.cloud.store.wake_get(&company, category).await.expect("a table") {
                self.cloud.store.wake_done(&company, category, &wake).await.expect("a table");
            }
        }
    }

    /// From now on it is run as on one machine: whoever comes may choose who they are.
    pub fn runs_on_one_machine(&mut self) {
        self.cloud.offers_people = true;
        self.app = gateway::router(&self.cloud, Router::new());
    }

    /// From now on its functions do not know at which address the console is.
    pub async fn knows_no_console(&mut self) {
        self.begins_again(None, Some(crate::provider::access())).await;
    }

    /// Its functions have just started: of what the table holds they know nothing yet.
    pub async fn starts_anew(&mut self) {
        self.begins_again(Some("https://leads.example".to_owned()), Some(crate::provider::access())).await;
    }

    /// From now on people sign in by this provider.
    pub async fn signs_in_by(&mut self, access: OidcAccess) {
        self.begins_again(Some("https://leads.example".to_owned()), Some(access)).await;
    }

    async fn begins_again(&mut self, console_url: Option<String>, oidc: Option<OidcAccess>) {
        let parts = system::Parts {
            clock: self.cloud.clock.clone(),
            // Its ids are none that were made before.
            entropy: Entropy::seeded(self.cloud.entropy.u64()),
            outbound: self.dealers.network(),
            master: self.cloud.master.clone(),
            console_url,
            meta: MetaAccess::read("{}"),
            oidc,
        };
        let http = self.faults.before(self.aws.http_client());
        self.cloud = system::cloud(http, parts).await.expect("a table");
        self.app = gateway::router(&self.cloud, Router::new());
    }

    // --- What is posted ---

    /// A page of a source, with the page key alone.
    pub fn page(&self, source: &str) -> Sender {
        self.page_of(source, &[], 1)
    }

    /// A page with a key for these origins, of this generation.
    pub fn page_of(&self, source: &str, origins: &[&str], generation: u32) -> Sender {
        let key = self.cloud.master.mint(&PageKey {
            company: self.company_id(),
            source: SourceId::new(source).expect("a source"),
            generation,
            origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
        });
        Sender { app: self.app.clone(), key, headers: HeaderMap::new() }
    }

    /// A server of a source, with its secret.
    pub fn server(&self, source: &str) -> Sender {
        self.page(source).header("authorization", &format!("Bearer {}", self.secret(source)))
    }

    /// A new lead comes in by `web`; its id.
    pub async fn lead(&self, person: &Person) -> String {
        let reply = self.server("web").posts(person).await.is(201);
        assert_eq!(reply.text_of("status"), "received", "{}", reply.text);
        reply.text_of("lead").to_owned()
    }

    /// A new lead comes in, and all that follows from it at once.
    pub async fn settled_lead(&self, person: &Person) -> String {
        let lead = self.lead(person).await;
        self.settle().await;
        lead
    }

    // --- What happens ---

    /// Works all queues until they are quiet; what is delayed or refused stays for later.
    pub async fn settle(&self) {
        for _ in 0..10_000 {
            let mut worked = 0;
            for queue in &system::WORKED {
                let work = poller::work(&self.cloud, self.aws.queues(), queue);
                worked += roles::as_function(queue.function, work).await;
            }
            if worked == 0 {
                return;
            }
        }
        panic!("the queues never came to rest");
    }

    /// From now on what happens is noted, to be counted: what no test asks about is not.
    pub fn notes(&self) {
        self.aws.tables().stream_begin(system::TABLE).expect("a table");
    }

    /// Counts what was noted, for the reports.
    pub async fn count(&self) {
        let mut after = 0;
        loop {
            let count = poller::count(&self.cloud, self.aws.tables(), after);
            match roles::as_function("reporting", count).await {
                Some((last, _)) => after = last,
                None => return,
            }
        }
    }

    /// A report, as the desk sees it.
    pub async fn report(&self, query: &str) -> Value {
        self.desk(Method::GET, &format!("/v1/reports/{query}"), None).await.is(200).json
    }

    /// Lets time pass, as it passes in production: messages come when their delay is over, and the sweep
    /// looks every minute (for long times, a hundred times in all).
    pub async fn advance(&self, time: Duration) {
        let end = Instant::now() + time;
        let sweep = Duration::from_secs(60).max(time / 100);
        self.settle().await;
        while Instant::now() < end {
            let now_ms = self.cloud.clock.now().as_millisecond();
            let next_message = system::WORKED
                .iter()
                .filter_map(|queue| self.aws.queues().next_visible_ms(queue.name).ok().flatten())
                .map(|at| Duration::from_millis(u64::try_from(at - now_ms).unwrap_or(0) + 1))
                .min()
                .unwrap_or(sweep);
            tokio::time::sleep(next_message.min(sweep).min(end - Instant::now())).await;
            let sweep = leadyard_sweep::sweep(&self.cloud);
            Box::pin(roles::as_function("sweep", sweep)).await.expect("the sweep can ask the store");
            self.settle().await;
        }
    }

    /// Lets time pass until an instant.
    pub async fn advance_to(&self, when: &str) {
        let when: Timestamp = when.parse().expect("an instant");
        let left = when.duration_since(self.cloud.clock.now());
        self.advance(Duration::try_from(left).expect("an instant that lies ahead")).await;
    }

    // --- What the desk does and sees ---

    /// The whole story of a lead.
    pub async fn story(&self, lead: &str) -> Story {
        Story(self.desk(Method::GET, &format!("/v1/leads/{lead}"), None).await.is(200).json)
    }

    /// The desk asks.
    pub async fn desk(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        self.ask_as(&self.desk_token(), method, path, body).await
    }

    /// The desk asks for a table: its header, and its rows.
    pub async fn desk_csv(&self, path: &str) -> (Vec<String>, Vec<Vec<String>>) {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", format!("Bearer {}", self.desk_token()).parse().expect("a token"));
        headers.insert("accept", http::HeaderValue::from_static("text/csv"));
        let reply = ask(&self.app, Method::GET, path, headers, Vec::new()).await.is(200);
        assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8", "{}", reply.text);
        let mut table = csv::Reader::from_reader(reply.text.as_bytes());
        let cells = |row: &csv::StringRecord| row.iter().map(str::to_owned).collect();
        let header = cells(table.headers().expect("a header"));
        (header, table.records().map(|row| cells(&row.expect("a row"))).collect())
    }

    /// The desk's token.
    pub fn desk_token(&self) -> String {
        self.cloud.master.mint(&DeskToken { staff: "desk".to_owned(), companies: vec![self.company_id()] })
    }

    /// A dealer's token.
    pub fn dealer_token(&self, dealer: &str) -> String {
        let dealer = DealerId::new(dealer).expect("a dealer");
        self.cloud.master.mint(&DealerToken { company: self.company_id(), dealer, generation: 1 })
    }

    /// A source's secret.
    pub fn secret(&self, source: &str) -> String {
        let source = SourceId::new(source).expect("a source");
        self.cloud.master.mint(&SourceSecret { company: self.company_id(), source, generation: 1 })
    }

    /// The desk publishes a rulebook over whatever is in force.
    pub async fn publish(&self, rules: &Rules) -> Reply {
        self.desk(Method::PUT, "/v1/rulebook", Some(json!({ "files": rules.files() }))).await
    }

    /// The desk publishes a rulebook that was made from a version.
    pub async fn publish_on(&self, base: u64, rules: &Rules) -> Reply {
        let path = format!("/v1/rulebook?base={base}");
        self.desk(Method::PUT, &path, Some(json!({ "files": rules.files() }))).await
    }

    /// The version in force.
    pub async fn version(&self) -> u64 {
        let reply = self.desk(Method::GET, "/v1/rulebook", None).await.is(200);
        reply.json["version"].as_u64().expect("a version")
    }

    /// The desk flips a switch.
    pub async fn flip(&self, switch: &str, how: Value) -> Reply {
        self.desk(Method::POST, &format!("/v1/switches/{switch}"), Some(how)).await.is(200)
    }

    // --- What dealers do and see ---

    /// A dealer's inbox.
    pub async fn inbox(&self, dealer: &str) -> Vec<Value> {
        let reply = self.dealer(dealer, Method::GET, "/v1/inbox", None).await.is(200);
        reply.json["assignments"].as_array().cloned().unwrap_or_default()
    }

    /// A dealer answers about the lead it holds.
    pub async fn answers(&self, dealer: &str, lead: &str, act: &str) -> Reply {
        self.answers_with(dealer, lead, act, None).await
    }

    /// A dealer answers about the lead it has or had, and says more.
    pub async fn answers_with(&self, dealer: &str, lead: &str, act: &str, body: Option<Value>) -> Reply {
        let story = self.story(lead).await;
        let found = story.list("assignments").filter(|assignment| assignment["dealer"] == dealer);
        let latest =
            found.max_by_key(|assignment| assignment["offered_at"].as_str().unwrap_or_default().to_owned());
        let assignment =
            latest.expect("the dealer has or had the lead")["assignment"].as_str().unwrap_or_default();
        self.dealer(dealer, Method::POST, &format!("/v1/inbox/{assignment}/{act}"), body).await
    }

    /// A dealer asks.
    pub async fn dealer(&self, dealer: &str, method: Method, path: &str, body: Option<Value>) -> Reply {
        self.ask_as(&self.dealer_token(dealer), method, path, body).await
    }

    /// A browser asks, with headers of its own.
    pub async fn requests(
        &self,
        method: Method,
        path: &str,
        mut headers: HeaderMap,
        kind: &str,
        body: Vec<u8>,
    ) -> Reply {
        headers.insert("content-type", kind.parse().expect("a type"));
        send(&self.app, method, path, headers, body).await
    }

    /// Anybody sends anything.
    pub async fn sends(
        &self,
        bearer: Option<&str>,
        method: Method,
        path: &str,
        kind: &str,
        body: Vec<u8>,
    ) -> Reply {
        let mut headers = HeaderMap::new();
        if let Some(bearer) = bearer {
            headers.insert("authorization", format!("Bearer {bearer}").parse().expect("a token"));
        }
        headers.insert("content-type", kind.parse().expect("a type"));
        send(&self.app, method, path, headers, body).await
    }

    /// What one of this company's dealers was told.
    pub fn told(&self, dealer: &str) -> Vec<Told> {
        self.dealers.told_to(&format!("{}/{dealer}", self.company))
    }

    /// From now on one of this company's dealers does this.
    pub fn dealer_says(&self, dealer: &str, says: crate::dealers::Says) {
        self.dealers.says(&format!("{}/{dealer}", self.company), says);
    }

    // --- What lies underneath ---

    /// An enquiry as it is kept.
    pub async fn enquiry(&self, id: &str) -> Option<StoredEnquiry> {
        let id = id.parse().expect("an enquiry's id");
        self.cloud.store.enquiry_get(id).await.expect("the store can be asked")
    }

    /// Leads of a contract's counters: how many are taken in a period of its cap (`0` is the hour … `4`
    /// the total).
    pub async fn taken(&self, contract: &str, period: usize) -> u32 {
        let contract = leadyard_domain::ids::ContractId::new(contract).expect("a contract");
        let counters = self
            .cloud
            .store
            .caps_get(&self.company_id(), std::slice::from_ref(&contract), &[])
            .await
            .expect("the store");
        counters.contracts.get(&contract).and_then(|usage| usage.used[period]).map_or(0, |(_, used)| used)
    }

    /// How much of something was counted so far; of an age, how much each time it was said.
    pub fn counted(&self, metric: Metric) -> Vec<u64> {
        let lines = self.cloud.metrics.lines();
        let said = lines.iter().map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
        said.filter_map(|line| line[metric.name()].as_u64()).collect()
    }

    /// Every message that no function could handle.
    pub fn dead_letters(&self) -> Vec<String> {
        system::WORKED
            .iter()
            .flat_map(|queue| self.aws.queues().peek(&queue.dead(), 1_000).expect("a queue"))
            .collect()
    }

    /// The bodies in a queue, handled or not.
    pub fn queued(&self, queue: &str) -> Vec<String> {
        self.aws.queues().peek(queue, 10_000).expect("a queue")
    }

    /// A lead by its id, as it is stored.
    pub async fn stored(&self, lead: &str) -> leadyard_domain::lead::Lead {
        let id: LeadId = lead.parse().expect("a lead's id");
        self.cloud.store.lead_get(id).await.expect("the store").expect("a lead")
    }

    /// This company's id.
    pub fn company_id(&self) -> CompanyId {
        CompanyId::new(&self.company).expect("a company")
    }

    async fn ask_as(&self, token: &str, method: Method, path: &str, body: Option<Value>) -> Reply {
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let mut headers = HeaderMap::new();
        headers.insert("authorization", format!("Bearer {token}").parse().expect("a token"));
        headers.insert("content-type", http::HeaderValue::from_static("application/json"));
        ask(&self.app, method, path, headers, body).await
    }
}
