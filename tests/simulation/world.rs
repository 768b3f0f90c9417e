//! A world: the real handlers and store in memory, under virtual time and a seed; people who ask,
//! workers that die, dealers who answer; a [`desk`]; and in some worlds [`counting`] for the reports.

mod desk;
mod counting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, header};
use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use leadyard::aws::LocalAws;
use leadyard::system::{self, Parts, Worked};
use leadyard::{poller, rules as files};
use leadyard_domain::access::{DealerToken, DeskToken, MasterKey, PageKey, SourceSecret};
use leadyard_domain::identity::IdentityHash;
use leadyard_domain::ids::{CompanyId, DealerId, SourceId};
use leadyard_domain::person::Phone;
use leadyard_platform::clock::Clock;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::entropy::Entropy;
use leadyard_platform::store::{Item, List, Suppression, schema};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};
use tower::ServiceExt as _;

use self::counting::Counting;
use crate::dealers::{Dealers, Seen};
use crate::faults::{Fault, Faults, Invocation, Weather};
use crate::promises::CapWatch;
use crate::rules::{self, Book, Editions, Texts};

/// What senders were promised.
#[derive(Default)]
pub(crate) struct Ledger {
    /// Enquiries that were acknowledged, with the status.
    pub(crate) acknowledged: BTreeMap<String, u16>,
    /// Interactions per lead, acknowledged: kind, id, time.
    pub(crate) interactions: BTreeMap<String, BTreeSet<(String, String, Timestamp)>>,
    /// Leads with an interaction of which we cannot say whether it counts.
    pub(crate) unsure: BTreeSet<String>,
    /// Leads that senders were told of, with their company.
    pub(crate) leads: Vec<(String, String)>,
    /// Enquiries posted, acknowledged or not.
    pub(crate) posts: u64,
    /// Answers of dealers that were taken.
    pub(crate) answers: u64,
    /// Leads that the desk merged, and was told so.
    pub(crate) merges: u64,
    /// What the desk was told and should not have been.
    pub(crate) wrong: Vec<String>,
}

/// One world.
pub(crate) struct World {
    /// The cloud that handlers are given, faults and all.
    pub(crate) cloud: Cloud,
    /// The same table without faults: for the checks.
    pub(crate) plain: Cloud,
    /// The services.
    pub(crate) aws: LocalAws,
    /// What goes wrong.
    pub(crate) faults: Arc<Faults>,
    /// The dealers.
    pub(crate) dealers: Arc<Dealers>,
    /// What was promised.
    pub(crate) ledger: Mutex<Ledger>,
    /// When it began.
    pub(crate) began: Timestamp,
    /// How many people there are: a few ask again and again, many ask for the same dealers at once.
    people: u64,
    /// How many distribute and how many deliver: a few, or so many that a crowd is decided at once, on few caps.
    workers: (usize, usize),
    /// Which editions of the rulebooks were published.
    pub(crate) editions: Editions,
    /// The texts of both editions of each rulebook.
    pub(crate) texts: Vec<(&'static str, Texts)>,
    /// How far the reports' counters are, in a world that has them.
    pub(crate) counting: Option<Mutex<Counting>>,
    leads: Router,
    interactions: Router,
    console: Router,
}

/// Monday morning in Denver; the days before the clocks change in March and in November.
const BEGINNINGS_S: [i64; 3] = [1_780_315_200, 1_772_884_800, 1_793_448_000];

impl World {
    /// A world of this seed, its rulebooks published; and what dealers receive.
    ///
    /// # Errors
    /// When it cannot be built: never the seed's doing.
    pub(crate) async fn build(
        seed: u64,
        books: &[Book],
        keeps_trace: bool,
    ) -> anyhow::Result<(Arc<Self>, tokio::sync::mpsc::UnboundedReceiver<Seen>)> {
        let started = Instant::now();
        // An ordinary week, and the two nights in which the clocks change; at any hour.
        let beginning = BEGINNINGS_S[(seed / 24 % 3) as usize] + (seed % 24) as i64 * 3_600;
        let clock = Clock::given(move || {
            let passed = SignedDuration::try_from(started.elapsed()).unwrap_or_default();
            Timestamp::from_second(beginning).and_then(|at| at.checked_add(passed)).unwrap_or_default()
        });
        let aws = LocalAws::memory(system::millis(&clock), Some(seed), &system::queue_specs())?;
        let faults = Faults::new(seed, Weather::FAIR, keeps_trace);
        let (dealers, received) = Dealers::new(Arc::clone(&faults));
        let master = MasterKey::new([7; 32]);
        let parts = |entropy| Parts {
            clock: clock.clone(),
            entropy: Entropy::seeded(entropy),
            outbound: dealers.outbound(),
            master: master.clone(),
            console_url: None,
            meta: None,
            oidc: None,
        };
        let plain = system::cloud(aws.http_client(), parts(seed ^ 1)).await?;
        let cloud = system::cloud(faults.over(aws.http_client()), parts(seed)).await?;
        let counting = Counting::begin(seed, &aws)?;
        for book in books {
            files::publish(&plain, &book.compiled, &book.files, "the seed", clock.now()).await?;
        }
        let editions = Editions::new(aws.tables().clone(), plain.store.table().to_owned());
        let watch = CapWatch::new(editions.clone());
        faults.watch(move |keys| watch.wrote(keys));
        let people = if seed.is_multiple_of(2) { 12 } else { 120 };
        for person in (0..people).filter(|person| rules::is_listed(*person)) {
            do_not_call(&plain, person).await?;
        }
        let world = Self {
            leads: leadyard_intake::leads(cloud.clone()),
            interactions: leadyard_intake::interactions(cloud.clone()),
            console: leadyard_console::router(cloud.clone()),
            cloud,
            plain,
            aws,
            faults,
            dealers,
            ledger: Mutex::default(),
            began: clock.now(),
            people,
            workers: if seed.is_multiple_of(3) { (16, 8) } else { (3, 3) },
            editions,
            texts: books.iter().map(|book| (book.company, book.texts.clone())).collect(),
            counting,
        };
        Ok((Arc::new(world), received))
    }

    /// What was promised so far.
    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn below(&self, n: u64) -> u64 {
        self.faults.below(n)
    }

    // ---- Workers.

    /// Starts everything that AWS would run: it ends with the set.
    pub(crate) fn start(self: &Arc<Self>, tasks: &mut JoinSet<()>) {
        let (distributing, delivering) = self.workers;
        for (queue, workers) in [
            (system::DISTRIBUTION, distributing),
            (system::DELIVERY, delivering),
            (system::INTERACTIONS, 2),
            (system::SPILL, 1),
        ] {
            for _ in 0..workers {
                let world = Arc::clone(self);
                tasks.spawn(async move {
                    loop {
                        if world.work(&queue, &world.faults.invocation()).await == 0 {
                            world.doze(&queue).await;
                        }
                    }
                });
            }
        }
        let world = Arc::clone(self);
        tasks.spawn(async move { Box::pin(world.sweep_for_ever()).await });
        if self.counting.is_some() {
            let world = Arc::clone(self);
            tasks.spawn(async move { Box::pin(world.count_for_ever()).await });
        }
    }

    /// Works one batch of a queue; how many messages it had.
    pub(crate) async fn work(&self, queue: &Worked, invocation: &Arc<Invocation>) -> usize {
        let queues = self.aws.queues();
        let most = 1 + self.below(queue.batch as u64) as usize;
        let Ok(received) = queues.receive(queue.name, most, queue.visibility_s).await else { return 0 };
        if received.is_empty() {
            return 0;
        }
        let receipts: Vec<(String, String)> = received
            .iter()
            .map(|message| (message.message_id.clone(), message.receipt_handle.clone()))
            .collect();
        let count = received.len();
        let response = invocation.run(poller::call(&self.cloud, queue, poller::event(received))).await;
        let Some(response) = response else {
            for (_, receipt) in &receipts {
                // Most come back when their visibility ends; some are given back at once.
                if self.below(3) == 0 {
                    let _ = queues.release(queue.name, receipt, self.below(30) as u32);
                }
            }
            return count;
        };
        let failed: BTreeSet<String> =
            response.batch_item_failures.into_iter().map(|failure| failure.item_identifier).collect();
        let done: Vec<String> =
            receipts.into_iter().filter(|(id, _)| !failed.contains(id)).map(|(_, receipt)| receipt).collect();
        if self.faults.happens(|weather| weather.crashes / 2) {
            self.faults.count(Fault::DeleteLost);
        } else {
            let _ = queues.delete(queue.name, &done).await;
        }
        count
    }

    /// Until a message may be visible.
    async fn doze(&self, queue: &Worked) {
        let queues = self.aws.queues();
        let next = queues.next_visible_ms(queue.name).ok().flatten();
        let wait = next.map(|at| at - self.cloud.clock.now().as_millisecond());
        let bell = queues.wait(queue.name);
        match wait {
            Some(wait) => {
                let wait = Duration::from_millis(wait.max(1) as u64);
                let _ = tokio::time::timeout(wait, bell).await;
            }
            None => bell.await,
        }
    }

    /// Sweeps when something is due, at least five seconds apart.
    async fn sweep_for_ever(&self) {
        loop {
            match self.next_due_ms().await {
                None => self.faults.wrote.notified().await,
                Some(at) => {
                    let wait = at - self.cloud.clock.now().as_millisecond();
                    if wait > 0 {
                        let until = Instant::now() + Duration::from_millis(wait as u64);
                        let wrote = self.faults.wrote.notified();
                        if tokio::time::timeout_at(until, wrote).await.is_ok() {
                            // What was written is due no sooner than this.
                            sleep(Duration::from_secs(15)).await;
                        }
                        continue;
                    }
                    // A sweep that fails is followed by the next.
                    let sweep = Box::pin(leadyard_sweep::sweep(&self.cloud));
                    let _ = self.faults.invocation().run(sweep).await;
                    sleep(Duration::from_secs(5 + self.below(55))).await;
                }
            }
        }
    }

    /// When the next item is due: the least of the whole due index, in one call.
    pub(crate) async fn next_due_ms(&self) -> Option<i64> {
        let store = &self.plain.store;
        let scan = store.client().scan().table_name(store.table()).index_name(schema::DUE.name);
        let answer = scan.send().await.ok()?;
        let due = |item: &Item| item.get("dt")?.as_n().ok()?.parse().ok();
        answer.items().iter().filter_map(due).min()
    }

    /// Whether all queues are empty.
    pub(crate) fn queues_empty(&self) -> bool {
        system::WORKED
            .iter()
            .all(|queue| self.aws.queues().next_visible_ms(queue.name).ok().flatten().is_none())
    }

    // ---- Senders.

    /// Posts an enquiry; tries again as a page's script would. The answer, once acknowledged.
    pub(crate) async fn enquire(
        &self,
        company: &str,
        trusted: bool,
        key: Option<String>,
        body: &Value,
    ) -> Option<Value> {
        for _ in 0..4 {
            self.ledger().posts += 1;
            let answer = self
                .post(
                    &self.leads,
                    &format!("/v1/leads/{}", self.page_key(company)),
                    trusted.then(|| self.secret(company)),
                    key.as_deref(),
                    body,
                )
                .await;
            if let Some((status @ 200..=202, answer)) = answer {
                let enquiry = answer["enquiry"].as_str().unwrap_or_default().to_owned();
                self.ledger().acknowledged.insert(enquiry, status);
                return Some(answer);
            }
            sleep(Duration::from_secs(2 + self.below(20))).await;
        }
        None
    }

    /// Posts interactions of a lead until they are acknowledged, some of them twice.
    pub(crate) async fn interact(
        &self,
        company: &str,
        lead: &str,
        interactions: &[(String, String, Timestamp)],
    ) {
        let body: Vec<Value> = interactions
            .iter()
            .map(|(kind, id, at)| json!({ "id": id, "kind": kind, "at": at, "lead": lead }))
            .collect();
        let mut times = 1 + self.below(2);
        for _ in 0..10 {
            let path = format!("/v1/interactions/{}", self.page_key(company));
            let answer =
                self.post(&self.interactions, &path, Some(self.secret(company)), None, &json!(body)).await;
            if matches!(answer, Some((202, _))) {
                self.ledger()
                    .interactions
                    .entry(lead.to_owned())
                    .or_default()
                    .extend(interactions.iter().cloned());
                times -= 1;
                if times == 0 {
                    return;
                }
            }
            sleep(Duration::from_secs(1 + self.below(60))).await;
        }
        self.ledger().unsure.insert(lead.to_owned());
    }

    /// A dealer says something of an assignment; the status.
    pub(crate) async fn say(&self, company: &str, dealer: &str, assignment: &str, act: &str) -> Option<u16> {
        let body = if act == "return" { returned() } else { Value::Null };
        for _ in 0..4 {
            let token = self.dealer_token(company, dealer)?;
            let path = format!("/v1/inbox/{assignment}/{act}");
            let answer = self.post(&self.console, &path, Some(token), None, &body).await;
            match answer {
                Some((status @ (200 | 409), _)) => {
                    self.ledger().answers += 1;
                    return Some(status);
                }
                Some(_) | None => sleep(Duration::from_secs(2 + self.below(30))).await,
            }
        }
        None
    }

    async fn post(
        &self,
        router: &Router,
        path: &str,
        token: Option<String>,
        key: Option<&str>,
        body: &Value,
    ) -> Option<(u16, Value)> {
        let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = request.body(body).ok()?;
        let (status, answer) = self.send(router, request, &self.faults.invocation()).await?;
        Some((status, answer))
    }

    async fn send(
        &self,
        router: &Router,
        request: Request<Body>,
        invocation: &Arc<Invocation>,
    ) -> Option<(u16, Value)> {
        let response = invocation.run(router.clone().oneshot(request)).await?.ok()?;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.ok()?.to_bytes();
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        self.faults.note(&format!("answered {status} {}", answer["enquiry"].as_str().unwrap_or_default()));
        Some((status, answer))
    }

    // ---- One call at a time, for the crash matrix.

    /// Posts an enquiry once, in this run of the handler; its answer, if there was one.
    pub(crate) async fn enquire_in(
        &self,
        invocation: &Arc<Invocation>,
        company: &str,
        body: &Value,
    ) -> Option<Value> {
        let request = Request::post(format!("/v1/leads/{}", self.page_key(company)))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.secret(company)))
            .body(Body::from(body.to_string()))
            .ok()?;
        let (status, answer) = self.send(&self.leads, request, invocation).await?;
        if (200..=202).contains(&status) {
            let enquiry = answer["enquiry"].as_str().unwrap_or_default().to_owned();
            self.ledger().acknowledged.insert(enquiry, status);
            return Some(answer);
        }
        None
    }

    /// Posts one interaction once, in this run of the handler.
    pub(crate) async fn interact_in(
        &self,
        invocation: &Arc<Invocation>,
        company: &str,
        lead: &str,
        at: Timestamp,
    ) -> Option<()> {
        let body = json!([{ "id": "i1", "kind": "quote_request", "at": at, "lead": lead }]);
        let request = Request::post(format!("/v1/interactions/{}", self.page_key(company)))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.secret(company)))
            .body(Body::from(body.to_string()))
            .ok()?;
        let (202, _) = self.send(&self.interactions, request, invocation).await? else { return None };
        let one = ("quote_request".to_owned(), "i1".to_owned(), at);
        self.ledger().interactions.entry(lead.to_owned()).or_default().insert(one);
        Some(())
    }

    /// A dealer says something once, in this run of the handler; the status.
    pub(crate) async fn say_in(
        &self,
        invocation: &Arc<Invocation>,
        company: &str,
        dealer: &str,
        assignment: &str,
        act: &str,
    ) -> Option<u16> {
        let body = if act == "return" { Body::from(returned().to_string()) } else { Body::empty() };
        let request = Request::post(format!("/v1/inbox/{assignment}/{act}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.dealer_token(company, dealer)?))
            .body(body)
            .ok()?;
        self.send(&self.console, request, invocation).await.map(|(status, _)| status)
    }

    /// The desk does something once, in this run of the handler; the status.
    pub(crate) async fn desk_in(
        &self,
        invocation: &Arc<Invocation>,
        company: &str,
        (method, path): (&str, &str),
        body: &Value,
    ) -> Option<u16> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, format!("Bearer {}", self.desk_token(company)?))
            .body(Body::from(body.to_string()))
            .ok()?;
        self.send(&self.console, request, invocation).await.map(|(status, _)| status)
    }

    fn page_key(&self, company: &str) -> String {
        let (Ok(company), Ok(source)) = (CompanyId::new(company), SourceId::new("web")) else {
            return String::new();
        };
        self.cloud.master.mint(&PageKey { company, source, generation: 1, origins: Vec::new() })
    }

    fn secret(&self, company: &str) -> String {
        let (Ok(company), Ok(source)) = (CompanyId::new(company), SourceId::new("web")) else {
            return String::new();
        };
        self.cloud.master.mint(&SourceSecret { company, source, generation: 1 })
    }

    fn desk_token(&self, company: &str) -> Option<String> {
        let companies = vec![CompanyId::new(company).ok()?];
        Some(self.cloud.master.mint(&DeskToken { staff: "desk".to_owned(), companies }))
    }

    fn dealer_token(&self, company: &str, dealer: &str) -> Option<String> {
        let token = DealerToken {
            company: CompanyId::new(company).ok()?,
            dealer: DealerId::new(dealer).ok()?,
            generation: 1,
        };
        Some(self.cloud.master.mint(&token))
    }

    // ---- A whole life.

    /// Lives through a seed: people ask for two days while everything goes wrong, then the weather
    /// clears and time runs until nothing is left to do.
    ///
    /// # Errors
    /// When it does not come to rest within three days of fair weather.
    pub(crate) async fn live(
        self: &Arc<Self>,
        mut received: tokio::sync::mpsc::UnboundedReceiver<Seen>,
        leads: u64,
        weather: Weather,
    ) -> anyhow::Result<()> {
        let mut workers = JoinSet::new();
        self.start(&mut workers);
        let mut people = JoinSet::new();
        let world = Arc::clone(self);
        workers.spawn(async move {
            let mut dealing = JoinSet::new();
            while let Some(seen) = received.recv().await {
                let world = Arc::clone(&world);
                dealing.spawn(async move { world.deal(&seen.company, &seen.dealer, &seen.assignment).await });
            }
        });
        self.faults.weather(weather);
        let mut desk = JoinSet::new();
        let ends = Instant::now() + Duration::from_secs(48 * 3_600);
        let mut asked = 0;
        while asked < leads {
            let together = match self.below(12) {
                0 => 20_u64.min(leads - asked),
                1..4 => 3_u64.min(leads - asked),
                _ => 1,
            };
            // At times everybody is the same person.
            let crowd = self.below(3) == 0;
            let person = self.below(self.people);
            for _ in 0..together {
                let person = if crowd { person } else { self.below(self.people) };
                let world = Arc::clone(self);
                people.spawn(async move { world.person(person).await });
            }
            asked += together;
            if self.below(25) == 0 {
                self.faults.take_table_away(Duration::from_secs(10 + self.below(180)));
            }
            let pause = match self.below(3) {
                0 => self.below(60),
                1 => self.below(3_600),
                _ => self.below(4 * 3_600),
            };
            sleep(Duration::from_secs(pause)).await;
            self.inbox_of_doug().await;
            for _ in 0..self.below(3) {
                let world = Arc::clone(self);
                let later = Duration::from_secs(self.below(900));
                desk.spawn(async move {
                    sleep(later).await;
                    Box::pin(world.desk_acts()).await;
                });
            }
        }
        while people.join_next().await.is_some() {}
        sleep_until(ends.min(Instant::now() + Duration::from_secs(1_800))).await;
        self.faults.weather(Weather::FAIR);
        self.faults.note("fair weather");
        for _ in 0..8 {
            let world = Arc::clone(self);
            desk.spawn(async move { Box::pin(world.desk_acts()).await });
        }
        while desk.join_next().await.is_some() {}
        self.switch_back().await?;
        self.enable_all().await?;
        let rested = self.come_to_rest().await;
        workers.abort_all();
        while workers.join_next().await.is_some() {}
        Box::pin(self.count_the_rest()).await?;
        rested
    }

    /// Until the queues are empty and nothing is due for half a day.
    ///
    /// # Errors
    /// When that does not happen within three days.
    pub(crate) async fn come_to_rest(&self) -> anyhow::Result<()> {
        for _ in 0..72 {
            sleep(Duration::from_secs(3_600)).await;
            let due = self.next_due_ms().await.unwrap_or(i64::MAX);
            if self.queues_empty() && due > self.cloud.clock.now().as_millisecond() + 12 * 3_600_000 {
                return Ok(());
            }
        }
        // What is due by rule (a patient delivery, hours that open) is looked at by the checks.
        anyhow::ensure!(self.queues_empty(), "the queues did not come to rest");
        Ok(())
    }

    async fn person(&self, person: u64) {
        let (company, offers) = company_of(person);
        let zip = rules::ZIPS[(person % rules::ZIPS.len() as u64) as usize];
        let mut offer = offers[self.below(offers.len() as u64) as usize];
        if self.below(20) == 0 {
            offer = "no-such-offer";
        }
        let mut body = json!({ "last_name": format!("Person{person}"), "zip": zip, "offer": offer, "message": "please call" });
        // The e-mail, the phone, or both: one person all the same.
        let which = self.below(3);
        if which != 0 {
            body["email"] = json!(format!("person{person}@mail.example.org"));
        }
        if which != 1 {
            body["phone"] = json!(phone(person));
        }
        if rules::consents(person) {
            body["consent"] = json!("yes");
        }
        let key = (self.below(3) == 0).then(|| format!("key-{person}-{}", self.below(1_000)));
        let trusted = self.below(2) == 0;
        let Some(answer) = self.enquire(company, trusted, key, &body).await else { return };
        let Some(lead) = answer["lead"].as_str() else { return };
        self.ledger().leads.push((company.to_owned(), lead.to_owned()));
        for _ in 0..self.below(3) {
            sleep(Duration::from_secs(self.below(3_600))).await;
            let now = self.cloud.clock.now();
            let some: Vec<_> = (0..=self.below(3))
                .map(|_| {
                    let kind = ["page_view", "email_click", "quote_request"][self.below(3) as usize];
                    let at =
                        now.checked_sub(SignedDuration::from_hours(self.below(72) as i64)).unwrap_or(now);
                    (kind.to_owned(), format!("i{}", self.below(200)), at)
                })
                .collect();
            self.interact(company, lead, &some).await;
        }
    }

    async fn deal(&self, company: &str, dealer: &str, assignment: &str) {
        let act = match self.below(10) {
            0..3 => "accept",
            3..6 => "decline",
            6 => "won",
            7 => "lost",
            8 => "return",
            _ => return,
        };
        sleep(Duration::from_secs(self.below(3_600))).await;
        self.say(company, dealer, assignment, act).await;
        if self.below(4) == 0 {
            // A second click, or a second thought.
            self.say(company, dealer, assignment, if self.below(2) == 0 { act } else { "won" }).await;
        }
    }

    /// Doug has no webhook: he looks at his inbox.
    async fn inbox_of_doug(&self) {
        let (Ok(company), Ok(dealer)) = (CompanyId::new("alpha"), DealerId::new("doug")) else { return };
        let (open, _) = self.plain.store.inbox(&company, &dealer, true, None, 5).await.unwrap_or_default();
        for assignment in open {
            self.deal("alpha", "doug", &assignment.id.to_string()).await;
        }
    }
}

/// A person's phone.
fn phone(person: u64) -> String {
    format!("+1303555{:04}", 2000 + person)
}

/// Puts a person's phone on the do-not-call list of the company that it asks.
async fn do_not_call(cloud: &Cloud, person: u64) -> anyhow::Result<()> {
    let company = CompanyId::new(company_of(person).0)?;
    let hash = IdentityHash::of_phone(&cloud.identity_key(), &company, &Phone::parse(&phone(person))?);
    cloud.store.identity_list(List::DoNotCall, &hash, Suppression::On(None), cloud.clock.now()).await?;
    Ok(())
}

/// The company that a person asks, and its offers.
const fn company_of(person: u64) -> (&'static str, &'static [&'static str]) {
    rules::OFFERS[if person % 4 == 3 { 1 } else { 0 }]
}

/// Why a lead comes back: the one reason that every contract with returns takes.
fn returned() -> Value {
    json!({ "reason": "wrong-number" })
}

/// Runs a world on its own thread's runtime, its time its own.
///
/// # Errors
/// What the world itself says.
pub(crate) fn in_virtual_time<T>(
    seed: u64,
    world: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    // The SDK draws its jitter from this.
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .context("no runtime")?;
    runtime.block_on(world)
}
