//! History, as a backtest takes it: what was decided, on what, and what came of it.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::assignment::Assignment;
use leadyard_domain::backtest::Window;
use leadyard_domain::backtest::history::{Assigned, Decided, Deposited, Event, Read, Switched};
use leadyard_domain::distribution::{LeadFacts, Switches};
use leadyard_domain::ids::{AssignmentId, CompanyId, DealerId, DecisionId, LeadId};
use leadyard_domain::limits;
use leadyard_domain::money::Money;
use leadyard_domain::time::UtcDay;
use serde::{Deserialize, Serialize};

use crate::cloud::Cloud;
use crate::judging::{self, Rules};
use crate::rulebooks;
use crate::store::{Act, DecisionRecord, PageEnd, StoreError, keys};

/// Where a page of history ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Ended {
    /// Among the decisions: there.
    Decisions(PageEnd),
    /// Among what the desk did to the company: so many of that were told.
    Company {
        /// How many.
        told: usize,
    },
}

/// Decisions that are read at once, with their seats: one that read the counters of thousands of contracts is
/// hundreds of kilobytes.
const AT_ONCE: usize = 50;

/// A page of history, in no order, and where the next begins. What the desk did to the company stands first.
/// A page ends with [`limits::HISTORY_PAGE`] decisions, before it is longer than [`limits::HISTORY_BYTES`],
/// and when it was read for [`limits::READING_SECONDS`]: where days are many and decisions few, one may have
/// none and not be the last.
///
/// # Errors
/// When the table cannot be read, or a record is damaged.
pub async fn page(
    cloud: &Cloud,
    company: &CompanyId,
    (from, to): (Timestamp, Timestamp),
    after: Option<Ended>,
) -> Result<(Vec<Event>, Option<Ended>), StoreError> {
    let long = SignedDuration::from_secs(limits::READING_SECONDS);
    let until = cloud.clock.now().saturating_add(long).unwrap_or(Timestamp::MAX);
    let mut page = Page::of(limits::HISTORY_BYTES);
    let (told, mut end) = match after {
        None => (Some(0), PageEnd::before_all(from)),
        Some(Ended::Company { told }) => (Some(told), PageEnd::before_all(from)),
        Some(Ended::Decisions(end)) => (None, end),
    };
    if let Some(told) = told {
        let events = of_company(cloud, company, from, to).await?;
        for (told, event) in events.into_iter().enumerate().skip(told) {
            if !page.takes(event) {
                return Ok((page.events, Some(Ended::Company { told })));
            }
        }
    }
    let (places, next) = stand_next(cloud, company, (from, to), end.clone(), until).await?;
    for some in places.chunks(AT_ONCE) {
        for (place, decided) in decided_at(cloud, company, some).await? {
            if !page.takes(Event::Decided(Box::new(decided))) {
                return Ok((page.events, Some(Ended::Decisions(end))));
            }
            end = place;
        }
        // The last of them may be there no more.
        if let Some(last) = some.last() {
            end = last.clone();
        }
        if cloud.clock.now() >= until {
            return Ok((page.events, Some(Ended::Decisions(end))));
        }
    }
    Ok((page.events, next.map(Ended::Decisions)))
}

/// A page as it is filled.
#[derive(Debug)]
struct Page {
    events: Vec<Event>,
    bytes: usize,
    most: usize,
}

impl Page {
    /// One of so many bytes at most.
    const fn of(most: usize) -> Self {
        Self { events: Vec::new(), bytes: 0, most }
    }

    /// Takes an event if there is room for it; in an empty page there is for any. A decision that no page has
    /// room for is told without the counters that it read, as one of which they were too many to be kept.
    fn takes(&mut self, mut event: Event) -> bool {
        let mut bytes = in_answer(&event);
        if bytes > self.most
            && let Event::Decided(decided) = &mut event
        {
            decided.read = None;
            bytes = in_answer(&event);
        }
        if !self.events.is_empty() && self.bytes + bytes > self.most {
            return false;
        }
        self.bytes += bytes;
        self.events.push(event);
        true
    }
}

/// How many bytes an event is in the answer of a Lambda function, which is text in JSON.
fn in_answer(event: &Event) -> usize {
    let mut counted = InAnswer(",".len());
    // What cannot be written fails where it is told.
    let _ = serde_json::to_writer(&mut counted, event);
    counted.0
}

struct InAnswer(usize);

impl std::io::Write for InAnswer {
    fn write(&mut self, part: &[u8]) -> std::io::Result<usize> {
        // Of JSON nothing else is escaped once more.
        self.0 += part.len() + part.iter().filter(|byte| matches!(byte, b'"' | b'\\')).count();
        Ok(part.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Where the next decisions stand, from there on, at most [`limits::HISTORY_PAGE`]; and where it goes on
/// then.
async fn stand_next(
    cloud: &Cloud,
    company: &CompanyId,
    window: (Timestamp, Timestamp),
    end: PageEnd,
    until: Timestamp,
) -> Result<(Vec<PageEnd>, Option<PageEnd>), StoreError> {
    let (mut places, mut next) = (Vec::new(), Some(end));
    while places.len() < limits::HISTORY_PAGE
        && cloud.clock.now() < until
        && let Some(end) = &next
    {
        let left = limits::HISTORY_PAGE - places.len();
        let (found, then) = cloud.store.decisions_on(company, window, end, left).await?;
        places.extend(found);
        next = then;
    }
    Ok((places, next))
}

/// The decisions that stand there, with what they read and the seats that were given with them.
async fn decided_at(
    cloud: &Cloud,
    company: &CompanyId,
    places: &[PageEnd],
) -> Result<Vec<(PageEnd, Decided)>, StoreError> {
    let records = cloud.store.decisions_at(places).await?;
    let mut given = given_with(cloud, &records).await?;
    let mut found = Vec::with_capacity(records.len());
    for (place, record) in records {
        let read = judging::what_was_read(cloud, company, &record).await?;
        let given = given.remove(&record.id).unwrap_or_default();
        found.push((place, Decided { given, ..decided_as(&record, read) }));
    }
    Ok(found)
}

/// The seats that were given with each of these decisions, in their order. A read for each hundred that are
/// named; where an earlier version named none, one for each decision, all at once.
async fn given_with(
    cloud: &Cloud,
    records: &[(PageEnd, DecisionRecord)],
) -> Result<HashMap<DecisionId, Vec<Assigned>>, StoreError> {
    let gave = records.iter().map(|(_, record)| record).filter(|record| record.gave());
    let (unnamed, named): (Vec<_>, Vec<_>) = gave.partition(|record| record.given.is_empty());
    let cycles =
        unnamed.iter().map(|record| cloud.store.assignments_of(record.facts.lead, record.facts.cycle));
    let cycles = try_join_all(cycles).await?;
    let mut given = HashMap::new();
    for (record, seats) in unnamed.iter().zip(&cycles) {
        let with_it = seats.iter().filter(|seat| record.gave_seat(seat)).map(assigned);
        given.insert(record.id, with_it.collect::<Vec<_>>());
    }
    let mut wanted = Vec::new();
    for record in &named {
        let facts = &record.facts;
        wanted.extend(record.given.iter().map(|id| (facts.lead, facts.cycle, *id)));
    }
    let seats = cloud.store.assignments_get(&wanted).await?;
    let by_id: HashMap<AssignmentId, &Assignment> = seats.iter().map(|seat| (seat.id, seat)).collect();
    for record in &named {
        let mut with_it: Vec<&Assignment> =
            record.given.iter().filter_map(|id| by_id.get(id).copied()).collect();
        with_it.sort_by_key(|seat| seat.id);
        given.insert(record.id, with_it.into_iter().map(assigned).collect());
    }
    Ok(given)
}

fn decided_as(record: &DecisionRecord, read: Option<(Switches, Read)>) -> Decided {
    let (switches, read) = read.unzip();
    Decided {
        at: record.at,
        facts: record.facts.clone(),
        seed: record.seed,
        contracts: record.contracts.clone(),
        waiting: record.waiting,
        beside_desk: record.placed.is_some(),
        switches,
        read,
        given: Vec::new(),
    }
}

fn assigned(seat: &Assignment) -> Assigned {
    Assigned {
        at: seat.offered_at,
        contract: seat.contract.clone(),
        dealer: seat.dealer.clone(),
        price: seat.price,
        prepaid: seat.prepaid,
        by_desk: seat.by_desk,
        state: seat.state,
        state_at: seat.state_at,
    }
}

/// Switches and deposits, from the log of changes, in their order: what comes later stands behind.
async fn of_company(
    cloud: &Cloud,
    company: &CompanyId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    let acts = cloud.store.changes_between(company, from, to).await?;
    let flips = flips(cloud, company, &acts, (from, to)).await?;
    let mut events: Vec<Event> = flips.into_iter().map(Event::Switched).collect();
    events.extend(deposits(&acts)?);
    events.sort_by_key(Event::at);
    Ok(events)
}

fn deposits(acts: &[Act]) -> Result<Vec<Event>, StoreError> {
    let mut events = Vec::new();
    for act in acts.iter().filter(|act| [DEPOSIT, REVERSAL].contains(&act.act.as_str())) {
        let booked: Booked = read(&act.after)?;
        let amount: Money = booked.amount.parse().map_err(|rule| StoreError::damaged("change", rule))?;
        let amount = if act.act == DEPOSIT { amount } else { Money::from_minor(-amount.minor()) };
        events.push(Event::Deposited(Deposited { at: act.at, dealer: booked.dealer, amount }));
    }
    Ok(events)
}

/// The newest decisions of a company, with all that making them again needs, within bounds; and what the bounds left
/// out.
#[derive(Debug)]
pub struct Recent {
    /// What happened, in its order.
    pub events: Vec<Event>,
    /// When.
    pub window: Window,
    /// There may be earlier ones on that day: there are more than were looked at, or it took too long.
    pub cut: bool,
    /// Leads that are not in it, since their cycle began before.
    pub earlier: usize,
    /// Leads that are not in it, since what their decisions stood on is not kept, or was not read.
    pub unknown: usize,
}

/// What one may still read of the table, and until when.
struct Bounds<'a> {
    cloud: &'a Cloud,
    reads: usize,
    until: Timestamp,
}

impl Bounds<'_> {
    /// Keys of one batch.
    const BATCH: usize = 100;

    fn batches(&mut self, keys: usize) {
        self.reads = self.reads.saturating_sub(keys.div_ceil(Self::BATCH));
    }

    fn are_met(&self) -> bool {
        self.cloud.clock.now() < self.until
    }
}

/// The newest decisions on leads whose cycle began on the last day (of UTC) of which half is over, to be made again: at
/// most [`limits::BACKTEST_DECISIONS`], by [`limits::BACKTEST_READS`] reads at most, and not for longer than
/// [`limits::BACKTEST_MS`]. `rules` are those versions that the caller knows.
///
/// A day and not a week: decisions stand in shards by the day, and each of them is a read. A lead that came before goes as
/// it went, as in a backtest from then on; its own seats count in what the others read.
///
/// # Errors
/// When the table cannot be read, or a record is damaged.
pub async fn recent(cloud: &Cloud, company: &CompanyId, mut rules: Vec<Rules>) -> Result<Recent, StoreError> {
    let now = cloud.clock.now();
    let until = now.checked_add(Duration::from_millis(limits::BACKTEST_MS)).unwrap_or(now);
    // Those of the shards, and of what the desk did to the company.
    let reads = limits::BACKTEST_READS - usize::from(keys::DECISION_SHARDS) - 2;
    let mut bounds = Bounds { cloud, reads, until };
    let (mut from, to) = last_day(now);
    let records = cloud.store.decisions_between(company, from, to, limits::BACKTEST_DECISIONS).await?;
    bounds.batches(records.len());
    let mut cut = records.len() == limits::BACKTEST_DECISIONS;
    if let Some(oldest) = records.last().filter(|_| cut) {
        from = after(oldest);
    }
    let mut wanted = Vec::new();
    for record in &records {
        if wanted.len() + record.given.len() > bounds.reads * Bounds::BATCH {
            (from, cut) = (after(record), true);
            break;
        }
        let facts = &record.facts;
        wanted.extend(record.given.iter().map(|id| (facts.lead, facts.cycle, *id)));
    }
    let seats = cloud.store.assignments_get(&wanted).await?;
    bounds.batches(wanted.len());
    let mut by_id: HashMap<AssignmentId, Assignment> =
        seats.into_iter().map(|seat| (seat.id, seat)).collect();
    more_rules(&mut bounds, company, &records, &mut rules).await?;
    let (mut decided, mut unknown) = (Vec::new(), BTreeSet::new());
    for record in &records {
        if !bounds.are_met() {
            (from, cut) = (from.max(after(record)), true);
            break;
        }
        match again(record, &rules, &mut by_id)? {
            Some(again) => decided.push(again),
            None => {
                let _ = unknown.insert(record.facts.lead);
            }
        }
    }
    let came = |facts: &LeadFacts| facts.opened_at >= from;
    let earlier: BTreeSet<LeadId> = records
        .iter()
        .filter(|record| record.at >= from && !came(&record.facts))
        .map(|record| record.facts.lead)
        .collect();
    let of_those: BTreeSet<LeadId> =
        records.iter().filter(|record| came(&record.facts)).map(|record| record.facts.lead).collect();
    decided.retain(|one| one.at >= from && came(&one.facts) && !unknown.contains(&one.facts.lead));
    let mut events = of_company_by(cloud, company, (from, to), now).await?;
    events.extend(decided.into_iter().map(|one| Event::Decided(Box::new(one))));
    // As the command line has them.
    events.sort_by_key(Event::at);
    let window = Window { from, to };
    let unknown = unknown.intersection(&of_those).count();
    Ok(Recent { events, window, cut, earlier: earlier.len(), unknown })
}

/// The last day of UTC of which half is over, as far as it is.
fn last_day(now: Timestamp) -> (Timestamp, Timestamp) {
    const HALF_S: i64 = 12 * 3_600;
    let day_s = |day: i32| i64::from(day) * 86_400;
    let begins = |day: i32| Timestamp::from_second(day_s(day)).unwrap_or(now);
    let today = UtcDay::of(now).0;
    if now.as_second() - day_s(today) >= HALF_S {
        (begins(today), now)
    } else {
        (begins(today - 1), begins(today))
    }
}

/// The first instant of which nothing is left out, where this is the last that was looked at.
fn after(record: &DecisionRecord) -> Timestamp {
    record.at.checked_add(SignedDuration::from_millis(1)).unwrap_or(record.at)
}

/// As many more versions that decisions were made under as may be read, those of the newest first.
async fn more_rules(
    bounds: &mut Bounds<'_>,
    company: &CompanyId,
    records: &[DecisionRecord],
    rules: &mut Vec<Rules>,
) -> Result<(), StoreError> {
    let mut asked: Vec<u64> = rules.iter().map(Rules::version).collect();
    for record in records.iter().filter(|record| !record.is_imported()) {
        if asked.contains(&record.rulebook) {
            continue;
        }
        if bounds.reads == 0 || !bounds.are_met() {
            return Ok(());
        }
        asked.push(record.rulebook);
        let store = &bounds.cloud.store;
        let text = store.rulebook_text_within(company, record.rulebook, &mut bounds.reads).await?;
        let book = text.and_then(|text| rulebooks::written(text).ok());
        rules.extend(book.and_then(|book| book.compile(record.rulebook).ok()).map(Rules::from));
    }
    Ok(())
}

/// A decision with what it read and the seats it gave; nothing, where one of them is not known.
fn again(
    record: &DecisionRecord,
    rules: &[Rules],
    seats: &mut HashMap<AssignmentId, Assignment>,
) -> Result<Option<Decided>, StoreError> {
    let Some(rules) = rules.iter().find(|rules| rules.version() == record.rulebook) else { return Ok(None) };
    let Some((switches, read)) = rules.what_was_read(record)? else { return Ok(None) };
    if record.gave() && record.given.is_empty() {
        return Ok(None);
    }
    let given: Option<Vec<Assignment>> = record.given.iter().map(|id| seats.remove(id)).collect();
    let Some(mut given) = given else { return Ok(None) };
    given.sort_by_key(|seat| seat.id);
    let given = given.iter().map(assigned).collect();
    Ok(Some(Decided { given, ..decided_as(record, Some((switches, read))) }))
}

/// Switches and deposits of a time, by one read of what the desk did since, and one of the switches where it flipped none.
async fn of_company_by(
    cloud: &Cloud,
    company: &CompanyId,
    (from, to): (Timestamp, Timestamp),
    now: Timestamp,
) -> Result<Vec<Event>, StoreError> {
    let acts = cloud.store.changes_between(company, from, now).await?;
    let at_first = match acts.iter().find(|act| is_flip(act)) {
        Some(next) => switches(&next.before)?,
        None => cloud.store.switches_get(company).await?.0,
    };
    let within: Vec<Act> = acts.into_iter().filter(|act| act.at < to).collect();
    let stood = stood(at_first, from, within.iter().filter(|act| is_flip(act)))?;
    let mut events: Vec<Event> = stood.into_iter().map(Event::Switched).collect();
    events.extend(deposits(&within)?);
    Ok(events)
}

/// How a company's switches stood from one instant to before another: at first, and after each flip, in their order.
///
/// # Errors
/// When the table cannot be read, or a record is damaged.
pub async fn switches_between(
    cloud: &Cloud,
    company: &CompanyId,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Switched>, StoreError> {
    let acts = cloud.store.changes_between(company, from, to).await?;
    flips(cloud, company, &acts, (from, to)).await
}

async fn flips(
    cloud: &Cloud,
    company: &CompanyId,
    acts: &[Act],
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<Switched>, StoreError> {
    let flips: Vec<&Act> = acts.iter().filter(|act| is_flip(act)).collect();
    let at_first = match flips.first() {
        Some(first) => switches(&first.before)?,
        // Nobody flipped any since, at least until then: as they are, or as the next flip found them.
        None => {
            let later = cloud.store.changes_between(company, to, Timestamp::MAX).await?;
            match later.iter().find(|act| is_flip(act)) {
                Some(next) => switches(&next.before)?,
                None => cloud.store.switches_get(company).await?.0,
            }
        }
    };
    stood(at_first, from, flips.into_iter())
}

/// How they stood: at first, and after each of these flips.
fn stood<'a>(
    at_first: Switches,
    from: Timestamp,
    flips: impl Iterator<Item = &'a Act>,
) -> Result<Vec<Switched>, StoreError> {
    let mut stood = vec![Switched { at: from, switches: at_first }];
    for act in flips {
        stood.push(Switched { at: act.at, switches: switches(&act.after)? });
    }
    Ok(stood)
}

/// Whether an act flips a switch: `stop`, `shadow` or `pause`.
pub fn is_flip(act: &Act) -> bool {
    FLIPS.contains(&act.act.as_str())
}

/// The switches, as their acts are called.
const FLIPS: [&str; 3] = ["stop", "shadow", "pause"];

/// A deposit, as its act is called.
pub const DEPOSIT: &str = "deposit";
/// A deposit that is taken back, as its act is called.
pub const REVERSAL: &str = "deposit_reverse";

#[derive(Deserialize)]
struct Booked {
    dealer: DealerId,
    amount: String,
}

fn switches(json: &str) -> Result<Switches, StoreError> {
    read(json)
}

fn read<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::damaged("change", error))
}

#[cfg(test)]
mod tests {
    use leadyard_domain::contract::Needs;
    use leadyard_domain::distribution::Counters;
    use leadyard_domain::ids::ContractId;
    use serde_json::json;

    use super::*;

    fn deposited() -> Event {
        let (at, dealer) = (Timestamp::UNIX_EPOCH, "hudson".parse().unwrap());
        Event::Deposited(Deposited { at, dealer, amount: Money::from_minor(2_500) })
    }

    /// A decision that read the counters of so many contracts.
    fn decided(contracts: usize) -> Event {
        let facts = json!({
            "lead": LeadId::from_bytes([1; 16]), "cycle": 1, "offer": "roof", "category": "roofing",
            "source": "web", "opened_at": "2026-06-01T16:00:00Z", "location": "Unplaced", "band": "A1",
            "brings": Needs::NONE, "excluded": [], "holders": [], "open_seats": null,
        });
        let contracts: Vec<ContractId> = (0..contracts).map(|n| format!("c-{n}").parse().unwrap()).collect();
        let read = Read::of(&contracts, &[], &Counters::default());
        Event::Decided(Box::new(Decided {
            at: Timestamp::UNIX_EPOCH,
            facts: serde_json::from_value(facts).unwrap(),
            seed: 1,
            contracts: Vec::new(),
            waiting: None,
            beside_desk: false,
            switches: Some(Switches::default()),
            read: Some(read),
            given: Vec::new(),
        }))
    }

    #[test]
    fn an_event_is_as_long_as_it_stands_in_an_answer_that_is_text_in_json() {
        for event in [deposited(), decided(3)] {
            let text = serde_json::to_string(&event).unwrap();
            let in_json = serde_json::to_string(&text).unwrap();
            // Its own quotes less, and a comma more.
            assert_eq!(in_answer(&event), in_json.len() - 1, "{text}");
        }
    }

    #[test]
    fn a_page_ends_before_it_is_too_long_and_is_never_empty() {
        let bytes = in_answer(&deposited());
        for (most, takes) in [(2 * bytes, 2), (3 * bytes - 1, 2), (bytes, 1), (bytes - 1, 1)] {
            let mut page = Page::of(most);
            let taken: Vec<bool> = (0..3).map(|_| page.takes(deposited())).collect();
            assert_eq!(taken.iter().filter(|taken| **taken).count(), takes, "{most}");
            assert_eq!(page.events, vec![deposited(); takes]);
        }
    }

    #[test]
    fn a_decision_that_no_page_has_room_for_is_told_without_its_counters() {
        let bytes = in_answer(&decided(100));
        for (most, is_told_whole) in [(bytes, true), (bytes - 1, false)] {
            let mut page = Page::of(most);
            assert!(page.takes(decided(100)) && page.bytes <= most, "{}", page.bytes);
            let Some(Event::Decided(told)) = page.events.pop() else { panic!("it was taken") };
            assert_eq!((told.read.is_some(), told.switches), (is_told_whole, Some(Switches::default())));
        }
    }

    #[test]
    fn the_last_day_is_one_of_which_half_is_over() {
        let day = |now: &str| {
            let (from, to) = last_day(now.parse().unwrap());
            (from.to_string(), to.to_string())
        };
        let of = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        let (first, second) = ("2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z");
        assert_eq!(day("2026-06-01T12:00:00Z"), of(first, "2026-06-01T12:00:00Z"));
        assert_eq!(day("2026-06-01T23:59:59Z"), of(first, "2026-06-01T23:59:59Z"));
        assert_eq!(day("2026-06-02T00:00:00Z"), of(first, second));
        assert_eq!(day("2026-06-02T11:59:59Z"), of(first, second));
    }
}
