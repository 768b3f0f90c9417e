//! Dealers as they are: quick and slow, good and bad at selling, and now and then with a server that is down.
//!
//! They hear of leads by their webhooks, in process, and answer through their API when they would: in their own working
//! hours. Who does what with which lead follows from a sequence that is spread evenly, so that a small year has of
//! everything something too.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use fastrand::Rng;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use leadyard_domain::delivery::FailureKind;
use leadyard_domain::ids::{ContractId, DealerId};
use leadyard_domain::lead::Answer as Says;
use leadyard_domain::rulebook::Rulebook;
use leadyard_platform::clock::Clock;
use leadyard_platform::outbound::{Answer, Outbound};
use serde_json::{Value, json};

use super::{DEALERS, chance};

/// A lead that a dealer was sent.
pub(super) struct Sent {
    pub(super) dealer: DealerId,
    pub(super) assignment: String,
    pub(super) contract: String,
    pub(super) source: String,
    pub(super) category: String,
    /// Until when it must be accepted.
    pub(super) accept_by: Option<Timestamp>,
}

/// What a dealer is going to do.
#[derive(Clone, Debug)]
pub(super) struct Reaction {
    pub(super) at: Timestamp,
    pub(super) dealer: DealerId,
    pub(super) assignment: String,
    /// The path's last part, and the body.
    pub(super) act: &'static str,
    pub(super) body: Option<Value>,
}

/// Where all webhooks go.
#[derive(Clone)]
pub(super) struct Network {
    sent: Arc<Mutex<Vec<Sent>>>,
    seed: u64,
    ends: Timestamp,
}

impl Network {
    pub(super) fn new(seed: u64, ends: Timestamp) -> Self {
        Self { sent: Arc::default(), seed, ends }
    }

    /// What arrived since it was last asked.
    pub(super) fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The way to dealers, without a socket. Whatever else is told to anybody ends here too.
    pub(super) fn outbound(&self, clock: &Clock) -> Outbound {
        let (network, clock) = (self.clone(), clock.clone());
        Outbound::answered_by(Arc::new(move |request| {
            let status = network.answer(&request.url, &request.body, clock.now());
            let answered: Result<Answer, FailureKind> = Ok(Answer { status, ..Answer::default() });
            Box::pin(async move { answered })
        }))
    }

    fn answer(&self, url: &str, body: &Bytes, now: Timestamp) -> u16 {
        let Some((_, dealer)) = url.split_once(DEALERS) else { return 204 };
        if self.is_down(dealer, now) {
            return 500;
        }
        let said: Value = serde_json::from_slice(body).unwrap_or_default();
        if said["type"] == "lead.assigned" {
            let text = |name: &str| said["data"][name].as_str().unwrap_or_default().to_owned();
            if let Ok(dealer) = DealerId::new(dealer) {
                let sent = Sent {
                    dealer,
                    assignment: text("assignment_id"),
                    contract: text("contract"),
                    source: text("source"),
                    category: text("category"),
                    accept_by: said["data"]["accept_by"].as_str().and_then(|at| at.parse().ok()),
                };
                self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(sent);
            }
        }
        204
    }

    /// A few servers are down for some hours of a week; two of a hundred since yesterday.
    fn is_down(&self, dealer: &str, now: Timestamp) -> bool {
        let hours = now.as_second().div_euclid(3_600);
        let week = chance(self.seed ^ hours.div_euclid(168).unsigned_abs(), dealer);
        let down_now = self.ends.duration_since(now) < SignedDuration::from_hours(20)
            && chance(self.seed ^ 0x4d, dealer).is_multiple_of(50);
        let begins = (week / 150 % 160) as i64;
        down_now || (week.is_multiple_of(150) && (begins..begins + 7).contains(&hours.rem_euclid(168)))
    }
}

/// What a dealer is like, in hundredths unless it says otherwise.
struct Nature {
    /// Minutes until it looks at a lead, in the middle.
    minutes: u64,
    declines: u64,
    lapses: u64,
    returns: u64,
    contacts: u64,
    sells: u64,
    zone: TimeZone,
}

/// All of them.
pub(super) struct Dealers {
    natures: HashMap<DealerId, Nature>,
    /// Reasons for which a contract lets leads be returned.
    reasons: HashMap<ContractId, Vec<String>>,
    /// In hundredths of what is usual, by source.
    qualities: HashMap<String, u64>,
    rng: Rng,
    /// How many leads were sent so far.
    nth: u64,
}

impl Dealers {
    pub(super) fn new(book: &Rulebook, qualities: HashMap<String, u64>, seed: u64) -> Self {
        let natures = book.dealers.iter().map(|dealer| {
            let mut rng = Rng::with_seed(chance(seed, dealer.id.as_str()));
            let minutes = *rng.choice(&[3, 6, 12, 18, 35, 60, 95, 170, 320]).unwrap_or(&30);
            let nature = Nature {
                minutes,
                declines: rng.u64(4..16),
                // Who is slow is late as well.
                lapses: 3 + minutes / 18,
                returns: rng.u64(4..14),
                contacts: rng.u64(66..97),
                sells: rng.u64(9..34),
                zone: super::zone(&dealer.zone),
            };
            (dealer.id.clone(), nature)
        });
        let reasons = book.contracts.iter().filter_map(|contract| {
            let terms = contract.returns.as_ref()?;
            Some((contract.id.clone(), terms.reasons.iter().map(ToString::to_string).collect()))
        });
        Self {
            natures: natures.collect(),
            reasons: reasons.collect(),
            qualities,
            rng: Rng::with_seed(seed),
            nth: seed % 1_000,
        }
    }

    /// What a dealer does with what it was sent now.
    pub(super) fn reactions(&mut self, sent: &Sent, now: Timestamp) -> Vec<Reaction> {
        let Some(nature) = self.natures.get(&sent.dealer) else { return Vec::new() };
        self.nth += 1;
        // The golden ratio spreads any run of them evenly.
        let spread = |step: u64| (self.nth * step) % 100_000_000 / 1_000_000;
        let (answers, goes_on) = (spread(61_803_399), spread(75_487_767));
        let rng = &mut self.rng;
        let mut reactions = Vec::new();
        let mut react = |at: Timestamp, act, body| {
            let (dealer, assignment) = (sent.dealer.clone(), sent.assignment.clone());
            reactions.push(Reaction { at, dealer, assignment, act, body });
        };
        let mut at = working(&nature.zone, later(rng, now, nature.minutes * 60), rng);
        if let Some(by) = sent.accept_by {
            if answers < nature.lapses {
                return reactions;
            }
            // Who means to answer does so in time, mostly.
            let left_s = by.duration_since(now).as_secs().max(2).unsigned_abs();
            if at >= by && rng.u32(..100) < 88 {
                at = after(now, left_s * rng.u64(20..95) / 100);
            }
            if answers < nature.lapses + nature.declines {
                react(at, Says::Decline.as_str(), None);
                return reactions;
            }
            react(at, Says::Accept.as_str(), None);
        }
        let reasons = ContractId::new(&sent.contract).ok().and_then(|id| self.reasons.get(&id));
        let quality = self.qualities.get(&sent.source).copied().unwrap_or(100).max(20);
        if let Some(reasons) = reasons.filter(|_| goes_on < nature.returns * 100 / quality) {
            let at = working(&nature.zone, later(rng, at, 30 * 3_600), rng);
            let reason = reasons.get(rng.usize(..reasons.len().max(1))).cloned();
            let notes =
                ["Nobody of that name.", "Rang five times.", "Is with us already.", "Says it was not them."];
            let note = *rng.choice(&notes).unwrap_or(&"");
            react(at, "return", Some(json!({ "reason": reason, "note": note })));
            return reactions;
        }
        if rng.u64(..100) >= nature.contacts {
            return reactions;
        }
        at = working(&nature.zone, later(rng, at, nature.minutes * 90), rng);
        react(at, Says::Contacted.as_str(), None);
        let sells = nature.sells * quality / 100;
        let (days, least, most) = trade(&sent.category);
        at = working(&nature.zone, later(rng, at, days * 86_400), rng);
        match 99 - goes_on {
            chance if chance < sells => {
                let value = format!("{}.00", rng.u64(least..most) / 10 * 10);
                react(at, Says::Won.as_str(), Some(json!({ "value": value })));
            }
            // Some never say what became of it.
            chance if chance < sells + 45 => react(at, Says::Lost.as_str(), None),
            _ => {}
        }
        reactions
    }
}

/// How long a sale takes in days, and what it brings, from and below.
fn trade(category: &str) -> (u64, u64, u64) {
    if category.contains("roof") {
        (12, 6_500, 21_000)
    } else if category.contains("solar") {
        (24, 14_000, 38_000)
    } else if category.contains("insurance") {
        (3, 700, 2_900)
    } else {
        (9, 400, 4_000)
    }
}

fn after(at: Timestamp, seconds: u64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds as i64)).unwrap_or(at)
}

/// Some time later: mostly sooner than `middle_s`, now and then much later.
fn later(rng: &mut Rng, at: Timestamp, middle_s: u64) -> Timestamp {
    let hundredths = match rng.u32(..10) {
        0..4 => rng.u64(20..70),
        4..8 => rng.u64(70..160),
        _ => rng.u64(160..420),
    };
    after(at, 20 + middle_s * hundredths / 100)
}

/// The same, or the next morning: people answer between eight and seven, on a Sunday not at all.
fn working(zone: &TimeZone, at: Timestamp, rng: &mut Rng) -> Timestamp {
    let local = zone.to_datetime(at);
    let open = (8..19).contains(&local.hour()) && local.weekday() != jiff::civil::Weekday::Sunday;
    if open {
        return at;
    }
    let mut day = if local.hour() < 8 { local.date() } else { local.date().saturating_add(1.day()) };
    if day.weekday() == jiff::civil::Weekday::Sunday {
        day = day.saturating_add(1.day());
    }
    let morning = day.at(8, rng.i8(0..55), rng.i8(0..60), 0);
    let morning = zone.to_ambiguous_zoned(morning).compatible().map(|morning| morning.timestamp());
    morning.unwrap_or(at).max(at)
}
