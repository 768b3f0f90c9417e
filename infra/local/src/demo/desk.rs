//! The desk: three looks a day at what waits for a verdict, one at the list of who is to be called, and whatever else a day
//! brings.

use http::{Method, StatusCode};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use leadyard_domain::ids::DealerId;
use leadyard_domain::limits;
use serde_json::{Value, json};

use super::plan::{Asking, Part, Plan};
use super::play::Play;
use super::{chance, zone};

/// Something that the desk does.
#[derive(Clone, Debug)]
pub(super) enum Duty {
    /// Looks at quarantine and returns.
    Round,
    /// Of who asked, by their place in the plan.
    Note(usize),
    Hold(usize),
    Resume(usize),
    /// Holds a lead that nobody has for two days.
    Keep(usize),
    Place(usize),
    /// Nobody knows where they are.
    GiveUp(usize),
    Erase(usize),
    OptOut(usize, &'static str),
    /// A dealer is away for so many days; without an end, where there are none.
    Pause(Option<i64>),
    /// That is over.
    Lift(DealerId),
    /// A price is put right.
    Reprice,
    /// A contract that had leads today has no more of them.
    Full,
    /// A dealer asks to give a lead back that it has.
    Returned,
    /// Claims the best of the list of who is to be called; who is, `promises` says, asks to be called again.
    Calls {
        promises: bool,
    },
    /// Calls a lead that it claimed.
    Rings {
        lead: String,
        promises: bool,
    },
    /// Chooses some to be called whom their dealer lost.
    Choose,
}

/// What it remembers.
pub(super) struct Desk {
    seed: u64,
    /// Enquiries that wait for a verdict: since when, which, and what they are.
    aside: Vec<(Timestamp, String, Part)>,
    /// How many dealers it paused, and prices it changed.
    nth: u64,
    /// How many returns it decided.
    verdicts: u64,
    /// How many calls it made.
    calls: u64,
}

/// In the last hours nobody is called: some are to be called still at the end.
const LEFT_OPEN: SignedDuration = SignedDuration::from_hours(20);
/// Who is called in these last days asks to be called again: so somebody is promised a call at the end.
const PROMISED: SignedDuration = SignedDuration::from_hours(4 * 24);

/// When the desk looks, and what else happens: a day's rounds and calls, a pause every three weeks, two prices; and what is
/// to be seen at the end.
pub(super) fn days(zone: &TimeZone, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, Duty)> {
    let mut duties = Vec::new();
    let (first, last) = (zone.to_datetime(from).date(), zone.to_datetime(until).date());
    let (mut day, mut nth) = (first, 0_u32);
    while day <= last {
        let weekend = day.weekday().to_monday_zero_offset() >= 5;
        let rounds: &[(i8, i8)] = if weekend { &[(10, 30)] } else { &[(9, 10), (12, 40), (16, 20)] };
        let at = |hour, minute| {
            let local = day.at(hour, minute, 0, 0);
            zone.to_ambiguous_zoned(local).compatible().map(|at| at.timestamp())
        };
        duties
            .extend(rounds.iter().filter_map(|(hour, minute)| Some((at(*hour, *minute).ok()?, Duty::Round))));
        let besides = match nth {
            nth if nth % 21 == 13 => Some(Duty::Pause(Some(7))),
            90 | 240 => Some(Duty::Reprice),
            120 | 200 | 280 => Some(Duty::Returned),
            _ => None,
        };
        duties.extend(besides.and_then(|duty| Some((at(11, 5).ok()?, duty))));
        if !weekend && let (Ok(chooses), Ok(calls)) = (at(10, 50), at(11, 20)) {
            let left = until.duration_since(calls);
            let promises = left < PROMISED;
            if left > LEFT_OPEN {
                duties.extend(promises.then_some((chooses, Duty::Choose)));
                duties.push((calls, Duty::Calls { promises }));
            }
        }
        nth += 1;
        match day.checked_add(1.day()) {
            Ok(next) => day = next,
            Err(_) => break,
        }
    }
    let ends = [
        (9 * 60, Duty::Returned),
        (7 * 60, Duty::Pause(Some(6))),
        (6 * 60, Duty::Choose),
        (5 * 60, Duty::Returned),
        (4 * 60, Duty::Pause(None)),
        (3 * 60, Duty::Full),
    ];
    let before = |minutes| until.checked_sub(SignedDuration::from_mins(minutes)).ok();
    duties.extend(ends.into_iter().filter_map(|(minutes, duty)| Some((before(minutes)?, duty))));
    duties.retain(|(at, _)| *at >= from && *at < until);
    duties
}

impl Desk {
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed, aside: Vec::new(), nth: 0, verdicts: 0, calls: 0 }
    }

    /// An enquiry came in that it is going to judge.
    pub(super) fn hears_of(&mut self, plan: &Plan, nth: usize, enquiry: Option<&str>, now: Timestamp) {
        let part = plan.askings.get(nth).map(|asking| asking.part);
        if let (Some(part @ (Part::Doubted | Part::Nobody | Part::Spam)), Some(enquiry)) = (part, enquiry) {
            self.aside.push((now, enquiry.to_owned(), part));
        }
    }
}

/// How long a verdict takes, at the least.
const LOOKS_AFTER: SignedDuration = SignedDuration::from_hours(2);
/// What comes so late is not judged by the end.
const NOT_YET: SignedDuration = SignedDuration::from_hours(40);
/// Returns are looked at a day after they were asked for.
const RETURNS_AFTER: SignedDuration = SignedDuration::from_hours(20);

impl Play {
    pub(super) async fn does(&mut self, duty: Duty) -> anyhow::Result<()> {
        match duty {
            Duty::Round => {
                self.judges().await?;
                self.decides_returns().await
            }
            Duty::Note(nth) => {
                let seed = self.plan.askings.get(nth).map_or(0, |asking| asking.seed);
                let texts = [
                    "Prefers calls after five.",
                    "Asked for somebody who speaks Spanish.",
                    "Landlord; the tenant opens the door.",
                    "Has a quote from a neighbour's firm, decides by Friday.",
                    "Rang back, very interested.",
                ];
                let text = texts.get(seed as usize % texts.len()).copied().unwrap_or_default();
                self.acts(nth, "note", &json!({ "text": text }), "noted").await.map(drop)
            }
            Duty::Hold(nth) => self.holds(nth).await,
            Duty::Resume(nth) => self.acts(nth, "resume", &json!({}), "resumed").await.map(drop),
            Duty::Keep(nth) => {
                let until = self.year.cloud.clock.now().checked_add(SignedDuration::from_hours(48))?;
                let body = json!({ "reason": "no answer yet, where they are", "until": until });
                self.acts(nth, "hold", &body, "held").await.map(drop)
            }
            Duty::Place(nth) => {
                let body = json!({ "recommended": true, "reason": "as recommended" });
                self.acts(nth, "place", &body, "placed").await.map(drop)
            }
            Duty::GiveUp(nth) => {
                let body = json!({ "reason": "says nowhere where, and does not answer" });
                self.acts(nth, "reject", &body, "given_up").await.map(drop)
            }
            Duty::Erase(nth) => {
                let body = json!({ "email": self.email(nth), "reason": "requested" });
                self.asks_for("/v1/persons/erase", &body, "erased").await
            }
            Duty::OptOut(nth, of) => {
                let body = json!({ "email": self.email(nth), "of": of });
                self.asks_for("/v1/persons/opt_out", &body, "opted_out").await
            }
            Duty::Pause(days) => self.pauses(days).await,
            Duty::Lift(dealer) => {
                let body = json!({ "on": false, "dealer": dealer });
                self.asks_for("/v1/switches/pause", &body, "resumed_dealer").await
            }
            Duty::Reprice => self.reprices().await,
            Duty::Full => self.fills().await,
            Duty::Returned => self.returned().await,
            Duty::Calls { promises } => self.calls(promises).await,
            Duty::Rings { lead, promises } => self.rings(&lead, promises).await,
            Duty::Choose => self.chooses().await,
        }
    }

    // --- Quarantine and returns ---

    async fn judges(&mut self) -> anyhow::Result<()> {
        let now = self.year.cloud.clock.now();
        let until = self.until;
        let seed = self.desk.seed;
        let due = |(at, enquiry, _): &(Timestamp, String, Part)| {
            // Each takes its time, and what came last is not done.
            let takes = SignedDuration::from_mins((chance(seed, enquiry) % 900) as i64);
            now.duration_since(*at) > LOOKS_AFTER + takes && until.duration_since(*at) > NOT_YET
        };
        let (due, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.desk.aside).into_iter().partition(due);
        self.desk.aside = rest;
        let of = |part: &dyn Fn(Part) -> bool| -> Vec<String> {
            let those = due.iter().filter(|(_, _, of)| part(*of));
            those.map(|(_, enquiry, _)| enquiry.clone()).collect()
        };
        // What a fifth of the doubted is, the deadline decides.
        let mut released = of(&|part| part == Part::Doubted);
        released.retain(|enquiry| !chance(seed ^ 5, enquiry).is_multiple_of(5));
        let nobody = of(&|part| part == Part::Nobody);
        let spam = of(&|part| part == Part::Spam);
        self.judged("release", &released, "rang them: they want it", "released").await?;
        self.judged("reject", &nobody, "nobody of that name", "rejected").await?;
        self.judged("reject", &spam, "sells something", "rejected").await
    }

    async fn judged(
        &mut self,
        verdict: &str,
        enquiries: &[String],
        reason: &str,
        what: &'static str,
    ) -> anyhow::Result<()> {
        for some in enquiries.chunks(limits::ENQUIRIES_PER_VERDICT) {
            let body = json!({ "enquiries": some, "reason": reason });
            let reply =
                self.year.desk(Method::POST, &format!("/v1/quarantine/{verdict}"), Some(&body)).await?;
            let results = reply.json["results"].as_array().cloned().unwrap_or_default();
            for _ in results.iter().filter(|result| result["done"] == true) {
                self.done(what);
            }
        }
        Ok(())
    }

    async fn decides_returns(&mut self) -> anyhow::Result<()> {
        let now = self.year.cloud.clock.now();
        let reply = self.year.desk(Method::GET, "/v1/returns", None).await?;
        for asked in reply.json["returns"].as_array().into_iter().flatten() {
            let at = asked["at"].as_str().and_then(|at| at.parse::<Timestamp>().ok());
            let Some(id) = asked["return"].as_str() else { continue };
            if at.is_none_or(|at| now.duration_since(at) < RETURNS_AFTER) {
                continue;
            }
            self.desk.verdicts += 1;
            let (verdict, body, what) = if [1, 3, 4].contains(&(self.desk.verdicts % 5)) {
                (
                    "approve",
                    json!({ "reason": "so it is", "claim": self.desk.verdicts.is_multiple_of(2) }),
                    "approved",
                )
            } else {
                ("deny", json!({ "reason": "they answered us at once" }), "denied")
            };
            let path = format!("/v1/returns/{id}/{verdict}");
            if self.year.desk(Method::POST, &path, Some(&body)).await?.status == StatusCode::OK {
                self.done(what);
            }
        }
        Ok(())
    }

    // --- Follow-up ---

    /// Claims the best who may be called at this hour; each is called some minutes later.
    async fn calls(&mut self, promises: bool) -> anyhow::Result<()> {
        let most = (self.plan.askings.len() / 500).clamp(1, 4);
        let path = format!("/v1/follow-ups?limit={}", 5 * most);
        let reply = self.year.desk(Method::GET, &path, None).await?;
        let listed = reply.json["follow_ups"].as_array().into_iter().flatten();
        let now = listed.filter(|call| call["may_be_called"]["now"] == true);
        let now = now.filter_map(|call| call["lead"]["lead"].as_str().map(str::to_owned));
        let leads: Vec<String> = now.take(most).collect();
        for (minutes, lead) in [3, 6, 9, 12].into_iter().zip(leads) {
            if !self.follows(&lead, "claim", &json!({})).await? {
                continue;
            }
            let at = self.year.cloud.clock.now().checked_add(SignedDuration::from_mins(minutes))?;
            self.duty(at, Duty::Rings { lead, promises });
        }
        Ok(())
    }

    /// What a call comes to is left to chance.
    async fn rings(&mut self, lead: &str, promises: bool) -> anyhow::Result<()> {
        self.desk.calls += 1;
        let nth = self.desk.seed % 1_000 + self.desk.calls;
        // The golden ratio spreads any run of them evenly: of few calls not all come to the same.
        let (result, note) = match nth * 61_803_399 % 100_000_000 / 1_000_000 {
            _ if promises => ("callback", "Drives; asked to be called tomorrow at this hour."),
            0..28 => ("no_answer", ""),
            28..48 => ("voicemail", "Said who we are and when we call again."),
            48..53 => ("busy", ""),
            53..70 => ("not_now", "Waits for the insurer, then goes on."),
            70..84 => ("callback", "Wants the other half of the house on the phone too."),
            84..91 => ("interested", "Wants somebody to come by this week."),
            91..96 => ("wrong_number", "Somebody else's number for years."),
            _ => ("not_interested", "Had it done by a brother-in-law."),
        };
        let mut body = json!({ "result": result, "note": note });
        if result == "callback" {
            let days = if promises { 1 } else { 1 + nth % 3 };
            // At the same hour: one at which they may be called.
            let at = SignedDuration::from_hours(24 * days as i64);
            body["callback_at"] = json!(self.year.cloud.clock.now().checked_add(at)?);
        }
        if self.follows(lead, "call", &body).await? {
            self.done(result);
        } else {
            // It is too late to promise them a call, or the lead has gone on: somebody else may have it.
            self.follows(lead, "unclaim", &json!({})).await?;
        }
        Ok(())
    }

    /// Whether it was done.
    async fn follows(&self, lead: &str, act: &str, body: &Value) -> anyhow::Result<bool> {
        let path = format!("/v1/leads/{lead}/{act}");
        Ok(self.year.desk(Method::POST, &path, Some(body)).await?.status == StatusCode::OK)
    }

    /// Of those who were lost it chooses a few, to be called at once.
    async fn chooses(&mut self) -> anyhow::Result<()> {
        let most = (self.plan.askings.len() / 1_000).clamp(2, 6);
        let body = json!({ "stage": "lost", "limit": 30 });
        let reply = self.year.desk(Method::POST, "/v1/leads/search", Some(&body)).await?;
        let lost = reply.json["leads"].as_array().into_iter().flatten();
        let lost: Vec<String> = lost.filter_map(|lead| lead["lead"].as_str().map(str::to_owned)).collect();
        let from = chance(self.desk.seed ^ self.desk.calls, "choose") as usize % lost.len().max(1);
        let (before, behind) = lost.split_at(from);
        let mut chosen = 0;
        for lead in behind.iter().chain(before) {
            if chosen == most {
                break;
            }
            // Who left no phone, or asked too long ago, is refused.
            let body = json!({ "reason": "their dealer had no time for them" });
            if self.follows(lead, "follow_up", &body).await? {
                chosen += 1;
                self.done("chosen");
            }
        }
        Ok(())
    }

    // --- A lead ---

    fn email(&self, nth: usize) -> &str {
        self.plan.askings.get(nth).map_or("", |asking| asking.person.email.as_str())
    }

    async fn lead(&self, nth: usize) -> anyhow::Result<Option<String>> {
        let body = json!({ "email": self.email(nth) });
        let reply = self.year.desk(Method::POST, "/v1/leads/search", Some(&body)).await?;
        Ok(reply.json["leads"][0]["lead"].as_str().map(str::to_owned))
    }

    /// Whether it was done.
    async fn acts(
        &mut self,
        nth: usize,
        act: &str,
        body: &Value,
        what: &'static str,
    ) -> anyhow::Result<bool> {
        let Some(lead) = self.lead(nth).await? else { return Ok(false) };
        let path = format!("/v1/leads/{lead}/{act}");
        let done = self.year.desk(Method::POST, &path, Some(body)).await?.status == StatusCode::OK;
        if done {
            self.done(what);
        }
        Ok(done)
    }

    async fn asks_for(&mut self, path: &str, body: &Value, what: &'static str) -> anyhow::Result<()> {
        if self.year.desk(Method::POST, path, Some(body)).await?.status.is_success() {
            self.done(what);
        }
        Ok(())
    }

    /// Takes a lead back from whoever has it, and keeps it for some days.
    async fn holds(&mut self, nth: usize) -> anyhow::Result<()> {
        let reason = json!({ "reason": "asked us to wait until they are back" });
        if !self.acts(nth, "hold", &reason, "held").await? {
            let body = json!({ "reason": "asked us to wait until they are back", "hold": true });
            self.acts(nth, "take_back", &body, "taken_back").await?;
        }
        let at = self.year.cloud.clock.now().checked_add(SignedDuration::from_hours(61))?;
        self.duty(at, Duty::Resume(nth));
        Ok(())
    }

    // --- Dealers ---

    async fn pauses(&mut self, days: Option<i64>) -> anyhow::Result<()> {
        self.desk.nth += 1;
        let at = chance(self.desk.seed ^ self.desk.nth, "pause") as usize % self.book.dealers.len().max(1);
        let Some(dealer) = self.book.dealers.get(at) else { return Ok(()) };
        let id = dealer.id.clone();
        let now = self.year.cloud.clock.now();
        let until = days.and_then(|days| now.checked_add(SignedDuration::from_hours(24 * days)).ok());
        let reason = if days.is_some() { "the crew is on vacation" } else { "payment is overdue" };
        let body = json!({ "on": true, "dealer": id, "reason": reason, "until": until });
        if let Some(until) = until {
            // The crew is back a little sooner: what is over does not stay on the list.
            self.duty(until.checked_sub(SignedDuration::from_hours(3))?, Duty::Lift(id));
        }
        self.asks_for("/v1/switches/pause", &body, "paused").await
    }

    /// A contract's price goes up by a dollar.
    async fn reprices(&mut self) -> anyhow::Result<()> {
        self.desk.nth += 1;
        let at = chance(self.desk.seed ^ self.desk.nth, "price") as usize % self.book.contracts.len().max(1);
        let Some(contract) = self.book.contracts.get(at) else { return Ok(()) };
        let price = format!("{}.00", contract.price.minor() / 100 + 1);
        let id = contract.id.to_string();
        self.edits(&id, &json!({ "set": { "price": price } })).await
    }

    /// Of who had leads today, the last gets no more.
    async fn fills(&mut self) -> anyhow::Result<()> {
        let now = self.year.cloud.clock.now();
        let of_dealer = |dealer: &DealerId| self.book.dealers.iter().find(|known| known.id == *dealer);
        let today = |at: Timestamp, dealer: &DealerId| {
            let zone = zone(of_dealer(dealer).map_or("UTC", |known| known.zone.as_str()));
            zone.to_datetime(at).date() == zone.to_datetime(now).date()
        };
        let last = self.sent.iter().rev().find(|(at, sent)| today(*at, &sent.dealer));
        let Some((_, last)) = last else { return Ok(()) };
        let of_contract = |(at, sent): &&(Timestamp, super::dealers::Sent)| {
            sent.contract == last.contract && today(*at, &sent.dealer)
        };
        let cap = self.sent.iter().filter(of_contract).count();
        let id = last.contract.clone();
        self.edits(&id, &json!({ "set": { "cap_day": cap.to_string() } })).await
    }

    async fn edits(&mut self, contract: &str, body: &Value) -> anyhow::Result<()> {
        let reply = self.year.desk(Method::GET, "/v1/rulebook", None).await?;
        let path = format!("/v1/rulebook/contracts/{contract}?base={}", reply.json["version"]);
        if self.year.desk(Method::PATCH, &path, Some(body)).await?.status == StatusCode::OK {
            self.done("rules_changed");
        }
        Ok(())
    }

    /// One of those who were sent a lead in these days, and may, gives it back.
    async fn returned(&mut self) -> anyhow::Result<()> {
        let now = self.year.cloud.clock.now();
        let recent = |(at, _): &&(Timestamp, super::dealers::Sent)| {
            let age = now.duration_since(*at);
            age > SignedDuration::from_hours(3) && age < SignedDuration::from_hours(11 * 24)
        };
        let asked: Vec<_> = self
            .sent
            .iter()
            .rev()
            .filter(recent)
            .take(60)
            .map(|(_, sent)| (sent.dealer.clone(), sent.assignment.clone()))
            .collect();
        for (dealer, assignment) in asked {
            let path = format!("/v1/inbox/{assignment}/return");
            let body = json!({ "reason": "wrong-number", "note": "The number is somebody else's." });
            let reply = self.year.dealer(&dealer, &path, Some(&body)).await?;
            if reply.status == StatusCode::OK {
                self.done("return");
                break;
            }
        }
        Ok(())
    }
}

// --- What is doubtful to look at ---

/// The name that is filled in.
pub(super) fn name_of(asking: &Asking) -> (&str, &str) {
    const NOBODIES: [(&str, &str); 4] =
        [("Xkqzvb", "Wrtpljk"), ("Test", "Testing"), ("Qwrtzp", "Bvnmxk"), ("Asdf", "Asdfgh")];
    if asking.part == Part::Nobody {
        let at = asking.seed as usize % NOBODIES.len();
        return NOBODIES.get(at).copied().unwrap_or(("Test", "Testing"));
    }
    (asking.person.first, asking.person.last)
}

/// What is written by who sells something.
pub(super) fn message_of(asking: &Asking) -> Option<&'static str> {
    const SOLD: [&str; 4] = [
        "We publish your guest post with three dofollow backlinks.",
        "Your site could be on the first page of google by June.",
        "Real followers and instagram likes, delivered tonight.",
        "Free seo audit: we found 41 seo errors on your pages.",
    ];
    (asking.part == Part::Spam).then(|| SOLD.get(asking.seed as usize % SOLD.len()).copied()).flatten()
}
