//! The year is played: event after event, and between them whatever time alone brings.

use std::collections::{BTreeMap, HashMap, VecDeque};

use anyhow::Context as _;
use fastrand::Rng;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::rulebook::{Rulebook, SourceKind};
use serde_json::{Map, Value, json};

use super::book::Files;
use super::dealers::{Dealers, Network, Reaction};
use super::desk::{Desk, Duty};
use super::plan::{Asking, Part, Plan};
use super::progress::Progress;
use super::senders::Sender;
use super::year::{Year, bearer};
use super::{Options, Told, dealers, people, zone};
use crate::rules;

/// Something that somebody does at its time.
enum Event {
    /// By its place in the plan; for the second time.
    Asks(usize, bool),
    /// Somebody looks around, rings or clicks; the how manyth time.
    Interacts(usize, u32),
    Reacts(Reaction),
    Desk(Duty),
}

/// A year under way.
pub(super) struct Play {
    pub(super) year: Year,
    pub(super) book: Rulebook,
    pub(super) plan: Plan,
    pub(super) until: Timestamp,
    pub(super) desk: Desk,
    /// What dealers were sent last: when, whose, by which contract, which assignment.
    pub(super) sent: VecDeque<(Timestamp, dealers::Sent)>,
    from: Timestamp,
    network: Network,
    dealers: Dealers,
    events: BTreeMap<(i64, u64), Event>,
    /// How many events there were: those of one instant stay in order.
    nth: u64,
    enquiries: u64,
    done: BTreeMap<&'static str, u64>,
}

/// So many of what dealers were sent are remembered.
const REMEMBERED: usize = 2_000;
/// Who is offered a lead so late has not answered at the end.
const UNANSWERED: SignedDuration = SignedDuration::from_mins(100);
/// Browsers as they name themselves.
const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_6_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 \
     Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; SM-S918U) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Mobile \
     Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 \
     Safari/605.1.15",
];
/// An app that sends its form by itself, as a library that machines use too: screening doubts it.
const APP: &str = "okhttp/4.12.0";

impl Play {
    /// Everything stands, and nothing has happened.
    pub(super) async fn begin(
        options: &Options,
        files: Files,
        plan: Plan,
        (from, until): (Timestamp, Timestamp),
    ) -> anyhow::Result<Self> {
        let (checked, files) = rules::check(files, from);
        let (Some((book, compiled)), Some(files)) = (checked.rulebook, files) else {
            let errors: Vec<String> = checked.errors.iter().map(ToString::to_string).collect();
            anyhow::bail!("the rulebook of the year has errors\n{}", errors.join("\n"));
        };
        let network = Network::new(options.seed, until);
        let begins = from.checked_sub(SignedDuration::from_hours(1))?;
        // A minute, as on AWS; five where so much happens that nobody would see the difference.
        let sweep_each_ms = 60_000 * i64::from((options.leads / 4_000).clamp(1, 5));
        let outbound = |clock: &_| network.outbound(clock);
        let year = Year::begin(&options.data, options.seed, begins, sweep_each_ms, &book, outbound).await?;
        let now = year.cloud.clock.now();
        rules::publish(&year.cloud, &compiled, &files, "leadyard demo", now).await?;
        let quality = |sender: &Sender| (sender.id().to_string(), u64::from(sender.quality));
        let qualities: HashMap<String, u64> = plan.senders.iter().map(quality).collect();
        let dealers = Dealers::new(&book, qualities, options.seed);
        let desk = Desk::new(options.seed);
        let mut play = Self {
            year,
            book,
            plan,
            until,
            desk,
            sent: VecDeque::new(),
            from,
            network,
            dealers,
            events: BTreeMap::new(),
            nth: 0,
            enquiries: 0,
            done: BTreeMap::new(),
        };
        for nth in 0..play.plan.askings.len() {
            play.foresees(nth);
        }
        for (at, duty) in super::desk::days(&zone(&play.book.company.zone), from, until) {
            play.later(at, Event::Desk(duty));
        }
        Ok(play)
    }

    /// Plays it to its end; and the rulebook's files as they are in force then.
    pub(super) async fn run(mut self, progress: &Progress) -> anyhow::Result<(Told, Files)> {
        self.year.settle().await?;
        while let Some(((at_ms, _), event)) = self.events.pop_first() {
            self.time_passes(at_ms).await?;
            let asks = matches!(event, Event::Asks(_, false));
            Box::pin(self.happens(event)).await?;
            self.year.settle().await?;
            self.hears();
            if asks {
                progress.one_more(self.year.cloud.clock.now());
            }
        }
        self.time_passes(self.until.as_millisecond()).await?;
        progress.finish();
        self.year.count().await;
        let leads = self.leads().await?;
        let told =
            Told { leads, enquiries: self.enquiries, from: self.from, until: self.until, done: self.done };
        let in_force = self.year.rules().await?;
        self.year.end().await?;
        Ok((told, in_force))
    }

    /// As the reports have it: by then they are counted.
    async fn leads(&self) -> anyhow::Result<u64> {
        let day = |at: Timestamp| zone(&self.book.company.zone).to_datetime(at).date();
        let path = format!("/v1/reports/leads?from={}&to={}", day(self.from), day(self.until));
        let reply = self.year.desk(Method::GET, &path, None).await?;
        reply.json["whole"]["new_leads"].as_u64().context("the reports were not counted")
    }

    async fn time_passes(&mut self, until_ms: i64) -> anyhow::Result<()> {
        while self.year.next_until(until_ms).await? {
            self.hears();
        }
        Ok(())
    }

    /// Something at its time, if the year has it still.
    fn later(&mut self, at: Timestamp, event: Event) {
        let at_ms = at.as_millisecond().max(self.year.now_ms());
        if at_ms < self.until.as_millisecond() {
            self.nth += 1;
            self.events.insert((at_ms, self.nth), event);
        }
    }

    /// The desk is going to do something.
    pub(super) fn duty(&mut self, at: Timestamp, duty: Duty) {
        self.later(at, Event::Desk(duty));
    }

    /// What was done, once more.
    pub(super) fn done(&mut self, what: &'static str) {
        *self.done.entry(what).or_default() += 1;
    }

    /// What dealers were sent: they are going to answer.
    fn hears(&mut self) {
        let now = self.year.cloud.clock.now();
        for sent in self.network.take() {
            let late = self.until.duration_since(now) < UNANSWERED && sent.accept_by.is_some();
            let reactions = if late { Vec::new() } else { self.dealers.reactions(&sent, now) };
            for reaction in reactions {
                self.later(reaction.at, Event::Reacts(reaction));
            }
            self.sent.push_back((now, sent));
            if self.sent.len() > REMEMBERED {
                self.sent.pop_front();
            }
        }
    }

    // --- What is going to happen ---

    /// An enquiry, and what its person does besides.
    fn foresees(&mut self, nth: usize) {
        let Some(asking) = self.plan.askings.get(nth) else { return };
        let (at, part, mut rng) = (asking.at, asking.part, Rng::with_seed(asking.seed));
        self.later(at, Event::Asks(nth, false));
        let days = |rng: &mut Rng, from: u64, below: u64| {
            let hours = SignedDuration::from_mins(rng.u64(from * 1_440..below * 1_440) as i64);
            at.checked_add(hours).unwrap_or(at)
        };
        match part {
            Part::AsksAgain => {
                let again = days(&mut rng, 1, 20);
                self.later(again, Event::Asks(nth, true));
            }
            Part::ComesBack => {
                let again = days(&mut rng, 50, 150);
                self.later(again, Event::Asks(nth, true));
            }
            Part::Forgotten => self.duty(days(&mut rng, 8, 45), Duty::Erase(nth)),
            Part::NoMail => self.duty(days(&mut rng, 2, 30), Duty::OptOut(nth, "mail")),
            Part::LeftAlone => self.duty(days(&mut rng, 1, 20), Duty::OptOut(nth, "everything")),
            Part::Noted => self.duty(days(&mut rng, 0, 3), Duty::Note(nth)),
            Part::Held => self.duty(days(&mut rng, 0, 2), Duty::Hold(nth)),
            Part::Kept => {
                let soon = at.checked_add(SignedDuration::from_mins(4)).unwrap_or(at);
                self.duty(soon, Duty::Keep(nth));
            }
            Part::Nowhere if !asking_is_fresh(&self.plan, nth) => {
                self.duty(days(&mut rng, 3, 9), Duty::GiveUp(nth));
            }
            Part::Plain | Part::Nowhere | Part::Doubted | Part::Nobody | Part::Spam => {}
        }
        if part.is_lead() {
            self.foresees_interest(nth, at, &mut rng);
        }
    }

    /// Most come back to the page; some soon and often.
    fn foresees_interest(&mut self, nth: usize, at: Timestamp, rng: &mut Rng) {
        let times = match rng.u32(..100) {
            0..35 => 0,
            35..65 => 1,
            65..85 => 2,
            85..95 => 4,
            _ => 7,
        };
        let mut minutes = 0;
        for time in 0..times {
            minutes += match rng.u32(..3) {
                0 => rng.u64(4..120),
                1 => rng.u64(120..2_880),
                _ => rng.u64(2_880..20_000),
            };
            let then = at.checked_add(SignedDuration::from_mins(minutes as i64)).unwrap_or(at);
            self.later(then, Event::Interacts(nth, time));
        }
    }

    // --- What happens ---

    async fn happens(&mut self, event: Event) -> anyhow::Result<()> {
        match event {
            Event::Asks(nth, again) => self.asks(nth, again).await,
            Event::Interacts(nth, time) => self.interacts(nth, time).await,
            Event::Reacts(reaction) => self.reacts(reaction).await,
            Event::Desk(duty) => Box::pin(self.does(duty)).await,
        }
    }

    async fn asks(&mut self, nth: usize, again: bool) -> anyhow::Result<()> {
        let Some(asking) = self.plan.askings.get(nth) else { return Ok(()) };
        let Some(sender) = self.plan.senders.get(asking.sender) else { return Ok(()) };
        let fields = self.fields(asking, sender, again);
        let reply = match sender.source.kind {
            SourceKind::Google => self.by_google(sender, &fields, nth, again).await?,
            SourceKind::File => self.by_file(sender, &fields).await?,
            SourceKind::Form | SourceKind::Meta | SourceKind::Adf => {
                self.by_form(asking, sender, &fields).await?
            }
        };
        // What nobody can read is kept all the same.
        anyhow::ensure!(
            reply.0.is_success() || reply.0 == StatusCode::UNPROCESSABLE_ENTITY,
            "an enquiry was refused: {} {}",
            reply.0,
            reply.1
        );
        self.enquiries += 1;
        let now = self.year.cloud.clock.now();
        self.done(if again { "asked_again" } else { "asked" });
        if !again {
            self.desk.hears_of(&self.plan, nth, reply.1["enquiry"].as_str(), now);
            let by_hand = self.plan.askings.get(nth).and_then(|asking| self.book.offers.get(asking.offer));
            if by_hand.is_some_and(|offer| offer.mode == leadyard_domain::rulebook::Mode::Manual) {
                let at = now.checked_add(SignedDuration::from_hours(26))?;
                self.duty(at, Duty::Place(nth));
            }
        }
        Ok(())
    }

    /// What is filled in, by our names.
    fn fields(&self, asking: &Asking, sender: &Sender, again: bool) -> Map<String, Value> {
        let person = &asking.person;
        let mut rng = Rng::with_seed(asking.seed ^ u64::from(again));
        let mut fields = Map::new();
        let mut say = |name: &str, value: &str| drop(fields.insert(name.to_owned(), json!(value)));
        let (first, last) = super::desk::name_of(asking);
        say("first_name", first);
        say("last_name", last);
        say("email", &person.email);
        if let Some(offer) = self.book.offers.get(asking.offer) {
            say("offer", offer.id.as_str());
        }
        if asking.part.is_somewhere() {
            if let Some(phone) = &person.phone {
                say("phone", phone);
            }
            say("zip", &person.place.zip().to_string());
            say("city", person.place.city());
            if rng.u32(..3) == 0 {
                say("street", &person.street);
            }
        }
        let said = super::desk::message_of(asking);
        if let Some(message) = said.or(asking.message.as_deref()).filter(|_| !again) {
            say("message", message);
        }
        if rng.u32(..100) < 72 {
            say("consent", "yes");
            say("consent_text", "I agree to be contacted about my request by up to three companies.");
        }
        if let Some((source, medium)) = sender.utm {
            let unpaid = sender.cents > 0 && asking.campaign.is_none();
            say("utm_source", if unpaid { "direct" } else { source });
            say("utm_medium", if unpaid { "none" } else { medium });
        }
        if let Some(campaign) = &asking.campaign {
            say("utm_campaign", campaign);
            say("utm_content", people::pick(&mut rng, &["headline-a", "headline-b", "image-1", "image-2"]));
        }
        fields
    }

    /// A page, or the server of a sender who has one.
    async fn by_form(
        &self,
        asking: &Asking,
        sender: &Sender,
        fields: &Map<String, Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let (key, secret) = self.way_in(sender)?;
        let mut rng = Rng::with_seed(asking.seed);
        let mut headers = if sender.is_server() { bearer(&secret)? } else { HeaderMap::new() };
        let agent = if asking.part == Part::Doubted { APP } else { people::pick(&mut rng, &AGENTS) };
        // Networks that are set aside for documentation.
        let net = people::pick(&mut rng, &["192.0.2", "198.51.100", "203.0.113"]);
        let address = format!("{net}.{}", rng.u32(1..255));
        headers.insert("user-agent", HeaderValue::from_str(agent)?);
        headers.insert("x-forwarded-for", HeaderValue::from_str(&address)?);
        // By their own names.
        let theirs = |ours: &str| {
            let found = sender.source.fields.iter().find(|(_, standard)| *standard == ours);
            found.map_or_else(|| ours.to_owned(), |(theirs, _)| theirs.clone())
        };
        let offer = |value: &Value| {
            let found = sender.source.offers.iter().find(|(_, id)| value == id.as_str());
            found.map_or_else(|| value.clone(), |(said, _)| json!(said))
        };
        let body: Map<String, Value> = fields
            .iter()
            .map(|(name, value)| (theirs(name), if name == "offer" { offer(value) } else { value.clone() }))
            .collect();
        let path = format!("/v1/leads/{key}");
        let reply = self.year.ask(Method::POST, &path, headers, Some(&Value::Object(body))).await?;
        Ok((reply.status, reply.json))
    }

    async fn by_google(
        &self,
        sender: &Sender,
        fields: &Map<String, Value>,
        nth: usize,
        again: bool,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let keys = self.year.keys.sources.iter().find(|keys| keys.source == sender.id().as_str());
        let keys = keys.context("a source has no keys")?;
        let text = |name: &str| fields.get(name).and_then(Value::as_str).unwrap_or_default();
        let columns = [
            ("FIRST_NAME", text("first_name")),
            ("LAST_NAME", text("last_name")),
            ("EMAIL", text("email")),
            ("PHONE_NUMBER", text("phone")),
            ("POSTAL_CODE", text("zip")),
        ];
        let columns = columns.into_iter().filter(|(_, value)| !value.is_empty());
        let columns: Vec<Value> =
            columns.map(|(id, value)| json!({ "column_id": id, "string_value": value })).collect();
        let body = json!({
            "lead_id": format!("demo-{nth}-{}", u8::from(again)), "user_column_data": columns, "api_version": "1.0",
            "campaign_id": text("utm_campaign"), "google_key": keys.google_key, "is_test": false,
        });
        let path = format!("/v1/leads/{}/google", keys.key);
        let reply = self.year.ask(Method::POST, &path, HeaderMap::new(), Some(&body)).await?;
        Ok((reply.status, reply.json))
    }

    async fn by_file(
        &self,
        sender: &Sender,
        fields: &Map<String, Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let path = format!("/v1/import/enquiries?company={}&source={}", self.year.company, sender.id());
        let mut row = fields.clone();
        // A person's second row is another one.
        row.insert("external_id".to_owned(), json!(format!("row-{}", self.enquiries)));
        let reply = self.year.desk(Method::POST, &path, Some(&json!({ "rows": [row] }))).await?;
        let told = reply.json["rows"].get(0).cloned().unwrap_or_default();
        anyhow::ensure!(told["status"] == "imported", "a row of a file was refused: {told}");
        Ok((reply.status, told))
    }

    fn way_in(&self, sender: &Sender) -> anyhow::Result<(String, String)> {
        let keys = self.year.keys.sources.iter().find(|keys| keys.source == sender.id().as_str());
        let keys = keys.context("a source has no keys")?;
        Ok((keys.key.clone(), keys.secret.clone()))
    }

    async fn interacts(&mut self, nth: usize, time: u32) -> anyhow::Result<()> {
        let Some(asking) = self.plan.askings.get(nth) else { return Ok(()) };
        let Some(sender) = self.plan.senders.get(asking.sender) else { return Ok(()) };
        let mut rng = Rng::with_seed(asking.seed ^ (u64::from(time) << 7));
        let kinds: &[&str] = match rng.u32(..100) {
            0..38 => &["page_view", "scroll", "page_view"],
            38..56 => &["email_open", "email_click", "page_view"],
            56..72 => &["email_open"],
            72..82 => &["page_view", "page_view", "form_start"],
            82..90 => &["call"],
            90..95 => &["chat", "page_view"],
            _ => &["page_view", "quote_request"],
        };
        let now = self.year.cloud.clock.now();
        let one = |(at, kind): (usize, &&str)| {
            let then = SignedDuration::from_secs(20 * (kinds.len() - at) as i64);
            let happened = now.checked_sub(then).unwrap_or(now);
            json!({ "id": format!("i-{nth}-{time}-{at}"), "kind": kind, "at": happened, "email": asking.person.email })
        };
        let body: Vec<Value> = kinds.iter().enumerate().map(one).collect();
        let (key, secret) = self.way_in(sender)?;
        let path = format!("/v1/interactions/{key}");
        let reply = self.year.ask(Method::POST, &path, bearer(&secret)?, Some(&json!(body))).await?;
        anyhow::ensure!(reply.status == StatusCode::ACCEPTED, "interactions were refused: {}", reply.json);
        self.done("interacted");
        Ok(())
    }

    async fn reacts(&mut self, reaction: Reaction) -> anyhow::Result<()> {
        let Reaction { dealer, assignment, act, body, .. } = reaction;
        let path = format!("/v1/inbox/{assignment}/{act}");
        let reply = self.year.dealer(&dealer, &path, body.as_ref()).await?;
        if reply.status == StatusCode::OK {
            self.done(act);
        }
        Ok(())
    }
}

fn asking_is_fresh(plan: &Plan, nth: usize) -> bool {
    plan.askings.get(nth).is_some_and(|asking| asking.fresh)
}
