//! Rules 5 to 7, the ranking and the seats: the conclusion, with its reasons.
//!
//! Every seat is given by the same steps: the compelling contracts speak, the most specific first, and
//! then the rest compete. Determinations, where the rules leave room:
//!
//! - *A group of equally specific compelling contracts* is one voice: any of them that is free takes
//!   the lead by the ranking; if none is, one that says `wait` is enough to wait, since a territory
//!   that is bypassed cannot be given back.
//! - *Further seats* of a shared lead are asked of the less specific compelling contracts before the
//!   rest, as the first is. A protected contract that may not share what another fixed still keeps the
//!   rest out; a seat that stays empty costs less than a broken promise.
//! - *A further seat is kept* for a compelling contract that says `wait`, as the first is: the others have
//!   theirs meanwhile. Whom nobody compels is not waited for: what finds no taker at once stays empty. What finds
//!   one who may only be recommended has found one: it is kept until it may be given.
//! - *A closed territory* is one seat: nobody shares it, whatever its `sale` says.
//! - *Who is "nobody else".* A closed territory shuts out other dealers; the same dealer's other
//!   contracts may still take what the closed one does not. Likewise one that is protected and may not share: the
//!   seat is left to its own dealer's open contract, if that may, and to nobody else.
//! - *A compelling contract whose dealer has a seat already* has had its say: it neither compels the
//!   next seat nor makes the lead wait. Only a closed one that did not take the lead keeps others out.
//! - *Waiting ends* when the lead is too old for who it waits for, after a decline as well: the desk has
//!   had until then.
//! - *A contract that cannot share the seats left of a held lead* is recorded as shut out by
//!   `territory`: what the holders agreed on comes first.
//! - *A lead that only some of the covering contracts refuse* has their reason. Contracts elsewhere are
//!   not looked at: only where nothing covers is the reason `area`, or `offer` if nobody takes the
//!   category.
//! - *Whose turn it is* is asked of those the earlier steps left, since only they compete (`turns`).
//! - *Shares under concurrency.* Workers that read the same passes would all choose the same contract, and the
//!   floor would forgive what the others are owed: of weights 5 and 1, eight workers in step would give 53 and 47 of
//!   a hundred. So the commit holds only while it would still be the winner's turn; who is refused looks again. The
//!   share is then as exact as one worker's, but for those whose turn comes at once, as that of equals does: each may
//!   be given a lead of the same moment, and what was due to the rest meanwhile is given after.

mod territory;
mod available;
mod until;
mod turns;
mod best;
mod asked;
mod misses;
mod place;
mod takers;
mod sentence;

use std::cell::OnceCell;
use std::collections::HashSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use asked::Asking;
use available::unavailable;
use turns::Turn;

use super::compiled::{Calendar, Chunk, CompiledDealer, Day};
use super::counters::{Counters, InOrder, Reservation, Usage};
use super::facts::{LeadFacts, Location, OpenSeats};
use super::ranking::Step;
use super::reason::{Rule, Waiting};
use super::screen::{Candidate, Screened, too_old_at};
use crate::contract::{AcceptBy, Caps, Sale, Specificity, Territory, WhenUnavailable};
use crate::dealer::AfterHours;
use crate::ids::{ContractId, DealerId, LeadId};

use crate::money::Money;
use crate::rulebook::Mode;
use crate::time::{Period, WeekStart};

/// What distribution concluded, and why nobody else.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// What follows.
    pub conclusion: Conclusion,
    /// How many candidates failed by each [`Rule`] first, in its order.
    pub failed: [u32; 11],
    /// The nearest misses, those that failed latest first.
    pub near_misses: Vec<NearMiss>,
    /// Others hold the lead, or are given it now, and a further seat stays empty for a while.
    pub kept: Option<Kept>,
    /// The lead waits until this instant, at which somebody comes free: a period of a cap ends, a dealer opens,
    /// a pause is over. It is the same instant for all who wait for it, and the best of them come first.
    pub comes_free_at: Option<Timestamp>,
}

/// A further seat of a shared lead that is kept for a compelling contract which says `wait`, or until
/// distribution goes on, or the desk places it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// What is in its way.
    pub reason: Waiting,
    /// The earliest instant at which time alone may change that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What follows from a decision.
#[derive(Clone, Debug, PartialEq)]
pub enum Conclusion {
    /// These contracts get a seat each, in order.
    Assign(Vec<Seat>),
    /// The lead waits.
    Wait {
        /// Why.
        reason: Waiting,
        /// The earliest instant at which time alone may change that.
        until: Option<Timestamp>,
        /// Who would have it, when it waits for a person to place it.
        recommended: Vec<Seat>,
    },
}

/// A seat given to a contract.
#[derive(Clone, Debug, PartialEq)]
pub struct Seat {
    /// The contract.
    pub contract: ContractId,
    /// Its dealer.
    pub dealer: DealerId,
    /// Its price, frozen.
    pub price: Money,
    /// How many seats the lead has, fixed by the first contract chosen.
    pub seats: u8,
    /// The contract is protected (and shares only with such).
    pub protected: bool,
    /// Set when unavailable means wait: until then delivery goes on slowly rather than elsewhere.
    pub patient_until: Option<Timestamp>,
    /// Which part of the area covered.
    pub specificity: Specificity,
    /// How far, where known.
    pub miles: Option<f64>,
    /// The contract's and the dealer's periods this is reserved from.
    pub reservation: Reservation,
    /// The contract's caps, which the commit enforces.
    pub contract_caps: Caps,
    /// The dealer's caps.
    pub dealer_caps: Caps,
    /// The contract's monthly budget, likewise.
    pub budget_month: Option<Money>,
    /// The dealer pays in advance: its balance must cover the price, likewise.
    pub prepaid: bool,
    /// Until when the dealer must accept it.
    pub accept_by: Option<AcceptBy>,
    /// The dealer may have the lead again in a later cycle.
    pub again: bool,
    /// The contract's pass as it was read, and as the winner's it becomes.
    pub pass: Pass,
}

/// The winner's pass, before and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pass {
    /// As stored.
    pub read: u64,
    /// Lifted to the floor and raised by 1/weight.
    pub next: u64,
    /// 1/weight.
    pub step: u64,
    /// The largest pass at which it is still the winner's turn: the commit holds only while its pass is no
    /// larger. So many workers share as one would; `None` where share had no say.
    pub at_most: Option<u64>,
}

/// Someone who might have had it: the first rule it failed, with both values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearMiss {
    /// The contract.
    pub contract: ContractId,
    /// Its dealer.
    pub dealer: DealerId,
    /// What it failed.
    pub rule: Rule,
    /// What the rule asked: `band A2`, `at most 10 a day`.
    pub needed: String,
    /// What it met: `band B1`, `10`.
    pub found: String,
}

/// One candidate of a decision, and the first rule it failed; none for those who got a seat or only
/// ranked lower.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The contract.
    pub contract: ContractId,
    /// Its dealer.
    pub dealer: DealerId,
    /// What it failed.
    pub failed: Option<Rule>,
    /// The same with both values.
    pub miss: Option<NearMiss>,
    /// What a desk reads of it: on what grounds it is in the running, or what was in its way.
    pub sentence: String,
    /// It would have had the lead but for that one rule; looked at for the nearest misses only.
    pub would_have_had_it: bool,
}

pub use place::{Placing, place};
pub use takers::{Taker, Takers, takers};

pub(super) use asked::{Asked, Said, asked};

/// Decides who should have the lead.
///
/// `seed` feeds the last tie-break; the rest follows from the arguments alone.
pub fn decide(screened: &Screened<'_>, counters: &Counters, now: Timestamp, seed: u64) -> Decision {
    let mut table = Table::new(screened, counters, now, seed);
    let conclusion = table.conclude();
    table.decision(conclusion)
}

/// The same decision with every candidate's part in it, however many: for explanations.
pub fn explain(
    screened: &Screened<'_>,
    counters: &Counters,
    now: Timestamp,
    seed: u64,
) -> (Decision, Vec<Judged>) {
    let mut table = Table::new(screened, counters, now, seed);
    let conclusion = table.conclude();
    let decision = table.decision(conclusion);
    let near = |contract: &ContractId| decision.near_misses.iter().any(|miss| &miss.contract == contract);
    let judged = table
        .rows
        .iter()
        .enumerate()
        .map(|(at, row)| {
            let (contract, dealer) = (row.candidate.contract, row.candidate.dealer);
            let failed = table.failed(row);
            let miss = failed.map(|rule| table.near_miss(rule, row));
            let (would_have_had_it, sentence) = match &miss {
                None => (false, format!("{}: {}", dealer.name, table.standing(row))),
                Some(miss) if near(&contract.id) => table.missed(at, miss, &dealer.name),
                Some(miss) => {
                    (false, format!("{} {}", dealer.name, miss.rule.missed(&miss.needed, &miss.found)))
                }
            };
            let (contract, dealer) = (contract.id.clone(), dealer.id.clone());
            Judged { contract, dealer, failed, miss, sentence, would_have_had_it }
        })
        .collect();
    (decision, judged)
}

/// A candidate with everything judged. Every seat asks all of them: what each is asked stands here.
struct Row<'a> {
    candidate: &'a Candidate<'a>,
    territory: Territory,
    sale: Sale,
    /// The first rule that it fails by itself: all but territory.
    own: Option<Rule>,
    /// Whose territory shuts it out, a row.
    shut_out_by: Option<usize>,
    /// In [`Table::openings`], if it has a part in the decision.
    opening: usize,
    /// The contract's counters, if it may still have the lead and was ever used.
    usage: Option<&'a Usage>,
    /// How far: found when the first asks.
    miles: OnceCell<Option<f64>>,
}

/// When dealers who say alike are open, seen from now.
struct Opening<'a> {
    calendar: Calendar<'a>,
    is_open: bool,
    /// The next opening, if they are shut, and its day there.
    opens: OnceCell<Option<(Timestamp, Day)>>,
}

impl<'a> Opening<'a> {
    fn of(candidate: &Candidate<'a>, local: Option<&Local<'_>>, now: Timestamp) -> Option<Self> {
        let calendar = candidate.chunk.calendar(candidate.schedule)?;
        let is_open = calendar.hours.is_open(now, &local?.fixed, calendar.holidays);
        Some(Self { calendar, is_open, opens: OnceCell::new() })
    }
}

/// The openings met so far, by the schedules of the chunk at hand: dealers have few.
struct Openings<'a> {
    list: Vec<Opening<'a>>,
    chunk: Option<&'a Chunk>,
    by_schedule: Vec<Option<usize>>,
}

impl<'a> Openings<'a> {
    /// The index of a candidate's; one beyond the list if its chunk does not know it.
    fn of(&mut self, candidate: &Candidate<'a>, locals: &[Local<'_>], now: Timestamp) -> usize {
        let Candidate { chunk, zone, schedule, .. } = *candidate;
        if self.chunk.is_none_or(|at_hand| !std::ptr::eq(at_hand, chunk)) {
            self.chunk = Some(chunk);
            self.by_schedule.clear();
            self.by_schedule.resize(chunk.schedules(), None);
        }
        let Some(known) = self.by_schedule.get_mut(usize::from(schedule)) else {
            return usize::MAX;
        };
        if let Some(known) = *known {
            return known;
        }
        let Some(opening) = Opening::of(candidate, locals.get(zone), now) else { return usize::MAX };
        self.list.push(opening);
        *known.insert(self.list.len() - 1)
    }
}

/// A zone as it is now.
struct Local<'a> {
    zone: &'a TimeZone,
    /// With the offset in force: what is asked for every contract is then found without a search.
    fixed: TimeZone,
    week_starts: WeekStart,
    /// When the periods that now is in began, by [`Period`]: each is found when the first cap asks.
    starts: [OnceCell<i64>; 5],
    change: OnceCell<Option<Timestamp>>,
}

impl Local<'_> {
    /// The next clock change, until which the offset in force decides.
    fn change(&self, now: Timestamp) -> Option<Timestamp> {
        *self.change.get_or_init(|| Some(self.zone.following(now).next()?.timestamp()))
    }

    /// When the period that now is in began.
    fn start(&self, period: Period, now: Timestamp) -> i64 {
        let find = || period.start(now, self.zone, self.week_starts);
        self.starts.get(period as usize).map_or_else(find, |start| *start.get_or_init(find))
    }

    /// The periods that now is in.
    fn reservation(&self, now: Timestamp) -> Reservation {
        let mut starts = [0; 5];
        for (start, &period) in starts.iter_mut().zip(Period::ALL) {
            *start = self.start(period, now);
        }
        Reservation { starts }
    }
}

/// What the first contract fixed.
#[derive(Clone, Copy)]
struct Terms {
    seats: u8,
    protected: bool,
}

/// The winner of a ranking, and its turn; `None` where share had no say.
#[derive(Clone, Copy)]
struct Best {
    row: usize,
    turn: Option<Turn>,
}

/// When the periods of each zone end, by [`Period`]: found when the first full cap of the zone asks.
type Ends = Vec<Option<[Option<i64>; 5]>>;

/// Why nobody takes a seat.
struct Untaken {
    rule: Rule,
    /// The earliest instant at which time alone may change that.
    until: Option<Timestamp>,
    /// Somebody comes free then.
    comes_free: bool,
    /// A compelling contract is waited for.
    kept: bool,
}

/// When time alone may first change who takes a seat.
#[derive(Clone, Copy, Default)]
struct Changes {
    first: Option<Timestamp>,
    /// When the first of those who may have it comes free.
    comes_free: Option<Timestamp>,
}

impl Changes {
    fn comes_free_at(self, at: Option<Timestamp>) -> bool {
        at.is_some() && self.comes_free == at
    }
}

impl Untaken {
    fn kept(&self) -> Option<Kept> {
        self.kept.then_some(Kept { reason: Waiting::For(self.rule), until: self.until })
    }
}

struct Table<'a> {
    facts: &'a LeadFacts,
    screened: &'a Screened<'a>,
    ranking: &'a [Step],
    mode: Mode,
    counters: &'a Counters,
    rows: Vec<Row<'a>>,
    /// Those that have a part in the decision: they may have the lead, keep others from it, or come free. The
    /// rest is counted, and explained.
    live: Vec<usize>,
    /// Of those, the ones with a territory that has a say before the ranking: few, and every seat asks for them.
    compelling: Vec<usize>,
    locals: Vec<Local<'a>>,
    openings: Vec<Opening<'a>>,
    now: Timestamp,
    seed: u64,
    /// The desk places: after a decline, a lapse or a return nobody is waited for.
    by_hand: bool,
    /// The row that the desk places although it does not take the lead: it compels nobody.
    no_say: Option<usize>,
    kept: Option<Kept>,
    comes_free_at: Option<Timestamp>,
    /// What the rankings ask, where it is to be known.
    asking: Option<Asking>,
}

impl<'a> Table<'a> {
    fn new(screened: &'a Screened<'a>, counters: &'a Counters, now: Timestamp, seed: u64) -> Self {
        let offer = screened.core.offer(&screened.facts.offer);
        let week_starts = screened.core.company.week_starts;
        let locals: Vec<Local<'_>> = screened
            .zones
            .iter()
            .map(|&zone| Local {
                zone,
                fixed: TimeZone::fixed(zone.to_offset(now)),
                week_starts,
                starts: Default::default(),
                change: OnceCell::new(),
            })
            .collect();
        let mut usage = InOrder::new(&counters.contracts);
        let mut openings = Openings { list: Vec::new(), chunk: None, by_schedule: Vec::new() };
        let mut rows: Vec<Row<'_>> = screened.candidates.iter().map(Row::new).collect();
        let live = live(&screened.candidates);
        let mut compelling = Vec::new();
        for &at in &live {
            let Some(row) = rows.get_mut(at) else { continue };
            if row.territory.compels() {
                compelling.push(at);
            }
            let candidate = row.candidate;
            row.opening = openings.of(candidate, &locals, now);
            if candidate.failed.is_none() {
                row.usage = usage.find(&candidate.contract.id);
                let (opening, local) = (openings.list.get(row.opening), locals.get(candidate.zone));
                row.own = unavailable(row, opening, local, counters, now);
            }
        }
        Self {
            facts: screened.facts,
            screened,
            ranking: offer.map_or(&super::DEFAULT_RANKING, |offer| offer.ranking.as_slice()),
            mode: offer.map_or(Mode::Automatic, |offer| offer.mode),
            counters,
            rows,
            live,
            compelling,
            locals,
            openings: openings.list,
            now,
            seed,
            by_hand: false,
            no_say: None,
            kept: None,
            comes_free_at: None,
            asking: None,
        }
    }

    fn conclude(&mut self) -> Conclusion {
        let wait = |reason, until, recommended| Conclusion::Wait { reason, until, recommended };
        if self.screened.switches.stop {
            // A seat that came back is given when distribution goes on.
            let others_hold_it = !self.facts.holders.is_empty();
            self.kept = others_hold_it.then_some(Kept { reason: Waiting::Stopped, until: None });
            return wait(Waiting::Stopped, None, Vec::new());
        }
        if self.facts.location == Location::Unplaced {
            return wait(Waiting::Unplaced, None, Vec::new());
        }
        match self.seats() {
            // Also for an offer placed by hand: why nobody may have it says more than that.
            Err(Untaken { rule, until, comes_free, .. }) => {
                self.comes_free_at = until.filter(|_| comes_free);
                wait(Waiting::For(rule), until, Vec::new())
            }
            Ok(seats) => {
                let reason = match self.mode {
                    Mode::Automatic if self.screened.switches.shadow => Waiting::Shadow,
                    Mode::Automatic => return Conclusion::Assign(seats),
                    Mode::Manual => Waiting::Manual,
                };
                if !self.facts.holders.is_empty() {
                    // Nor is a seat lost that came back while nobody is given any by itself.
                    self.kept = Some(Kept { reason, until: None });
                }
                wait(reason, None, seats)
            }
        }
    }

    /// Gives seat after seat, each dealer once, until all are taken or nobody is left.
    fn seats(&mut self) -> Result<Vec<Seat>, Untaken> {
        let mut terms =
            self.facts.open_seats.map(|OpenSeats { of, protected, .. }| Terms { seats: of, protected });
        let first = self.next_seat(terms, &[]);
        if !self.facts.holders.is_empty() {
            self.kept = first.as_ref().err().and_then(Untaken::kept);
        }
        let first = first?;
        let fixed = *terms.get_or_insert_with(|| self.terms_of(first));
        let free = self.facts.open_seats.map_or(fixed.seats, |seats| seats.free);
        let mut chosen = vec![first];
        while chosen.len() < usize::from(free) {
            match self.next_seat(terms, &chosen) {
                Ok(next) => chosen.push(next),
                Err(untaken) => {
                    self.kept = untaken.kept();
                    break;
                }
            }
        }
        for best in &chosen {
            if let Some(row) = self.rows.get_mut(best.row) {
                row.shut_out_by = None;
            }
        }
        Ok(chosen.into_iter().filter_map(|best| self.seat(best, fixed)).collect())
    }

    fn terms_of(&self, first: Best) -> Terms {
        let Some(row) = self.rows.get(first.row) else { return Terms { seats: 1, protected: false } };
        let contract = row.candidate.contract;
        Terms {
            // Nobody else gets any lead of a closed area.
            seats: if contract.territory == Territory::Closed { 1 } else { contract.sale.seats() },
            protected: contract.territory == Territory::Protected,
        }
    }

    /// Who takes the next seat: the compelling contracts first, the most specific before the others; then
    /// the rest.
    fn next_seat(&mut self, terms: Option<Terms>, chosen: &[Best]) -> Result<Best, Untaken> {
        self.each_live(|_, row| row.shut_out_by = None);
        let voices = self.voices(chosen);
        let mut until = None;
        for group in voices.chunk_by(|a, b| a.0 == b.0) {
            let specificity = group.first().map_or(Specificity::Any, |&(specificity, _)| specificity);
            let group = || group.iter().map(|&(_, at)| at).filter(|&at| self.is_in(at));
            let free = group().filter(|&at| self.free(at, terms, chosen)).collect();
            if let Some(best) = self.best(free) {
                self.shut_out(best.row, specificity, |_| false);
                return Ok(best);
            }
            let waiting: Vec<usize> = group().filter(|&at| self.waits(at, terms, chosen)).collect();
            if let Some(rule) = waiting.iter().filter_map(|&at| self.rows.get(at)?.own).max() {
                let by = waiting.first().copied().unwrap_or(0);
                self.shut_out(by, specificity, |_| false);
                let changes = self.changes(terms);
                let until = changes.first.into_iter().chain(self.lapses(&waiting)).chain(until).min();
                return Err(Untaken { rule, until, comes_free: changes.comes_free_at(until), kept: true });
            }
            let bars: Vec<usize> = group().filter(|&at| self.bars(at, terms, chosen)).collect();
            if let Some(&by) = bars.first() {
                let dealer = |at: usize| self.rows.get(at).map(|row| &row.candidate.dealer.id);
                let theirs: Vec<DealerId> = bars.iter().filter_map(|&at| dealer(at)).cloned().collect();
                until = until.into_iter().chain(self.lapses(&bars)).chain(self.shuts(&bars)).min();
                self.shut_out(by, specificity, |dealer| theirs.contains(dealer));
            }
        }
        let mut free = Vec::with_capacity(self.live.len());
        free.extend(self.live.iter().filter(|&&at| self.is_in(at) && self.free(at, terms, chosen)));
        self.best(free).ok_or_else(|| {
            // A further seat that nobody compels is not waited for.
            let changes = if chosen.is_empty() { self.changes(terms) } else { Changes::default() };
            let until = changes.first.into_iter().chain(until).min();
            let comes_free = changes.comes_free_at(until);
            Untaken { rule: self.nearest(), until, comes_free, kept: false }
        })
    }

    fn each_live(&mut self, mut visit: impl FnMut(usize, &mut Row<'a>)) {
        for &at in &self.live {
            if let Some(row) = self.rows.get_mut(at) {
                visit(at, row);
            }
        }
    }

    /// The rows that have a part in the decision.
    fn live(&self) -> impl Iterator<Item = (usize, &Row<'a>)> {
        self.live.iter().filter_map(|&at| Some((at, self.rows.get(at)?)))
    }

    fn has_seat(&self, row: &Row<'_>, chosen: &[Best]) -> bool {
        let candidate = row.candidate;
        let took = |best: &Best| {
            self.rows
                .get(best.row)
                .is_some_and(|other| other.candidate.contract.is_beside(candidate.contract))
        };
        chosen.iter().any(took)
            || !self.facts.holders.is_empty() && self.facts.holders.contains(&candidate.dealer.id)
    }

    /// Whether no territory has shut this row out so far.
    fn is_in(&self, at: usize) -> bool {
        self.rows.get(at).is_some_and(|row| row.shut_out_by.is_none())
    }

    /// Whether a row's contract may sit beside those who fixed the terms.
    fn may_sit(&self, row: &Row<'_>, terms: Option<Terms>) -> bool {
        let has_room = self.facts.open_seats.is_none_or(|seats| seats.free > 0);
        has_room
            && terms.is_none_or(|terms| {
                row.sale.seats() >= terms.seats
                    && row.territory != Territory::Closed
                    && terms.protected == (row.territory == Territory::Protected)
            })
    }

    /// Whether this row may take a seat now, territories aside.
    fn free(&self, at: usize, terms: Option<Terms>, chosen: &[Best]) -> bool {
        self.rows
            .get(at)
            .is_some_and(|row| row.own.is_none() && self.may_sit(row, terms) && !self.has_seat(row, chosen))
    }

    /// The first rule a row failed, territory in its place.
    #[inline]
    fn failed(&self, row: &Row<'_>) -> Option<Rule> {
        match row.own {
            Some(
                rule @ (Rule::Inactive
                | Rule::Offer
                | Rule::Source
                | Rule::Age
                | Rule::Area
                | Rule::Band
                | Rule::Needs
                | Rule::Excluded),
            ) => Some(rule),
            Some(Rule::Territory | Rule::Hours | Rule::Cap) | None => {
                let out = row.shut_out_by.is_some() || !self.may_share(row);
                if out { Some(Rule::Territory) } else { row.own }
            }
        }
    }

    /// Whether a row may have a seat of a lead that others hold already.
    fn may_share(&self, row: &Row<'_>) -> bool {
        let terms =
            self.facts.open_seats.map(|OpenSeats { of, protected, .. }| Terms { seats: of, protected });
        self.may_sit(row, terms)
    }

    /// Why nobody takes the seat when nobody compels: the rule nearest to passing.
    fn nearest(&self) -> Rule {
        let category = &self.facts.category;
        let nobody = || if self.screened.core.has_contracts(category) { Rule::Area } else { Rule::Offer };
        self.rows.iter().filter_map(|row| self.failed(row)).max().unwrap_or_else(nobody)
    }

    fn seat(&self, best: Best, terms: Terms) -> Option<Seat> {
        let row = self.rows.get(best.row)?;
        let Candidate { contract, dealer, chunk, zone, .. } = *row.candidate;
        let (read, step) = (self.pass(row), turns::step(row.weight()));
        Some(Seat {
            contract: contract.id.clone(),
            dealer: dealer.id.clone(),
            price: contract.price,
            seats: terms.seats,
            protected: terms.protected,
            patient_until: self.patience(row),
            specificity: row.candidate.specificity,
            miles: self.miles(row),
            reservation: self.locals.get(zone)?.reservation(self.now),
            contract_caps: chunk.caps_of(contract).clone(),
            dealer_caps: chunk.caps_of_dealer(contract).clone(),
            budget_month: contract.budget_month,
            prepaid: dealer.prepaid,
            accept_by: self.accept_by(row),
            again: contract.again,
            pass: Pass {
                read,
                next: read.max(best.turn.map_or(0, |turn| turn.floor)).saturating_add(step),
                step,
                at_most: best.turn.map(|turn| turn.at_most),
            },
        })
    }

    /// Until when it must be accepted.
    fn accept_by(&self, row: &Row<'_>) -> Option<AcceptBy> {
        let Candidate { chunk, schedule, .. } = *row.candidate;
        let Calendar { hours, holidays, zone, .. } = chunk.calendar(schedule)?;
        Some(row.candidate.contract.deadline?.from(self.now, hours, zone, holidays))
    }

    /// Until when delivery to a compelling contract that says `wait` goes on: the lead's `max_age_hours`,
    /// or the window of repeats, after which it expires anyway.
    fn patience(&self, row: &Row<'_>) -> Option<Timestamp> {
        let contract = row.candidate.contract;
        let waits = contract.territory.compels() && contract.when_unavailable == WhenUnavailable::Wait;
        let window = u32::from(self.screened.core.company.window_days) * 24;
        let hours = contract.max_age_hours.unwrap_or(window).min(window);
        let until = self.facts.opened_at.checked_add(jiff::SignedDuration::from_hours(i64::from(hours)));
        until.ok().filter(|_| waits)
    }
}

/// Those that have a part in the decision: counted without asking which, since half of them have, and in no
/// order that a processor could guess.
fn live(candidates: &[Candidate<'_>]) -> Vec<usize> {
    let mut live = vec![0; candidates.len()];
    let mut count = 0;
    for (at, candidate) in candidates.iter().enumerate() {
        if let Some(next) = live.get_mut(count) {
            *next = at;
        }
        count += usize::from(candidate.has_a_part());
    }
    live.truncate(count);
    live
}

impl<'a> Row<'a> {
    fn new(candidate: &'a Candidate<'a>) -> Self {
        Self {
            candidate,
            territory: candidate.territory,
            sale: candidate.sale,
            own: candidate.failed,
            shut_out_by: None,
            opening: usize::MAX,
            usage: None,
            miles: OnceCell::new(),
        }
    }

    /// The contract's counters, if it was ever used; of one that fails an earlier rule, only a desk asks.
    fn usage(&self, counters: &'a Counters) -> Option<&'a Usage> {
        let candidate = self.candidate;
        if candidate.failed.is_none() { self.usage } else { counters.contracts.get(&candidate.contract.id) }
    }

    fn weight(&self) -> u64 {
        u64::from(self.candidate.contract.weight.max(1))
    }
}

/// A hash of seed, lead and contract: FNV-1a over the bytes, finished by the mixer of SplitMix64
/// (Steele, Lea, Flood 2014), so that nearby ids do not give nearby hashes.
fn tie_break(seed: u64, lead: LeadId, contract: &ContractId) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325 ^ seed;
    for &byte in lead.bytes().iter().chain(contract.as_str().as_bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}
