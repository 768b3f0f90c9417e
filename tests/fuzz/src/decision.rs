//! From the text of a rulebook to a decision, and what must hold of every one, whatever the input: it is the
//! same a second time, nobody gets more than its caps, and what was compiled reads the same when it is stored.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use leadyard_domain::distribution::{
    Chunk, ChunkKey, Compiled, Conclusion, Counters, Decision, Evidence, LeadFacts, Rule, Screened, Seat,
    Switches, decide, explain, place, screen,
};
use leadyard_domain::rulebook::Rulebook;
use leadyard_domain::time::Period;

use crate::bytes::Bytes;
use crate::draft::Draft;
use crate::moment;

/// What a run met.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Rulebooks tried.
    pub rulebooks: u64,
    /// Those that parsed.
    pub parsed: u64,
    /// Decisions made.
    pub decisions: u64,
    /// How often each conclusion: `assigned`, or why the lead waits.
    pub conclusions: BTreeMap<&'static str, u64>,
}

/// Every conclusion that a decision can come to.
pub fn every_conclusion() -> impl Iterator<Item = &'static str> {
    ["assigned", "stopped", "unplaced", "shadow", "manual"]
        .into_iter()
        .chain(Rule::ALL.iter().map(|rule| rule.as_str()))
}

/// Decisions on one rulebook at most.
const MOMENTS: usize = 64;

/// Reads a rulebook from the bytes, and decides with it until they end.
pub fn decision(data: &[u8], tally: &mut Tally) {
    let bytes = &mut Bytes::new(data);
    tally.rulebooks += 1;
    let Some(files) = Draft::of(bytes).files() else { return };
    let Ok(book) = Rulebook::parse(&files) else { return };
    let Ok(compiled) = book.compile(1) else { return };
    tally.parsed += 1;
    let stored = Stored::of(&compiled);
    for _ in 0..MOMENTS {
        one(bytes, &compiled, &stored, tally);
        if bytes.is_empty() {
            break;
        }
    }
}

/// The chunks as they are read from the table.
struct Stored {
    chunks: BTreeMap<ChunkKey, Arc<Chunk>>,
}

impl Stored {
    fn of(compiled: &Compiled) -> Self {
        let read = |(key, chunk): (&ChunkKey, &Chunk)| {
            let bytes = chunk.encode().unwrap_or_default();
            let read = Chunk::decode(&bytes);
            assert!(read.is_ok(), "a chunk that was encoded is read: {key}");
            let read = read.ok()?;
            assert_eq!(read.encode().ok().as_deref(), Some(&bytes[..]), "and says the same: {key}");
            Some((key.clone(), Arc::new(read)))
        };
        Self { chunks: compiled.chunks.iter().filter_map(read).collect() }
    }

    fn chunks_of(&self, compiled: &Compiled, facts: &LeadFacts) -> Vec<Arc<Chunk>> {
        let keys = compiled.core.chunks_for(&facts.category, facts.location.state());
        keys.iter().filter_map(|key| self.chunks.get(key).cloned()).collect()
    }
}

fn one(bytes: &mut Bytes<'_>, compiled: &Compiled, stored: &Stored, tally: &mut Tally) {
    let now = moment::instant(bytes);
    let Some(facts) = moment::lead(bytes, compiled, now) else { return };
    let switches = moment::switches(bytes);
    let chunks = stored.chunks_of(compiled, &facts);
    let screened = screen(&facts, &compiled.core, &chunks, &switches, now);
    let counters = moment::counters(bytes, &screened, now);
    let seed = bytes.number();
    let decision = decide(&screened, &counters, now, seed);

    tally.decisions += 1;
    let concluded = match &decision.conclusion {
        Conclusion::Assign(_) => "assigned",
        Conclusion::Wait { reason, .. } => reason.as_str(),
    };
    *tally.conclusions.entry(concluded).or_default() += 1;

    keeps_the_rules(&decision, &facts, &counters, now);
    assert!(decision.failed.iter().map(|&count| count as usize).sum::<usize>() <= screened.candidates.len());
    // Each of these costs as much as the decision itself: one at a time.
    match bytes.below(8) {
        0 => {
            let again = screen(&facts, &compiled.core, &chunks, &switches, now);
            assert_eq!(
                decide(&again, &counters, now, seed),
                decision,
                "the same arguments, the same decision"
            );
        }
        1 => {
            let (explained, judged) = explain(&screened, &counters, now, seed);
            assert_eq!(explained, decision, "an explanation is of the decision that was made");
            assert_eq!(judged.len(), screened.candidates.len());
        }
        2 => {
            let fresh = compiled.chunks_of(&facts);
            let fresh = screen(&facts, &compiled.core, &fresh, &switches, now);
            assert_eq!(
                decide(&fresh, &counters, now, seed),
                decision,
                "stored or not, a chunk says the same"
            );
        }
        3 => is_made_again_from_evidence(&screened, &chunks, &counters, (now, seed), &decision),
        4 => by_hand(bytes, compiled, &facts, &switches, &counters, now),
        _ => {}
    }
}

/// What a decision read, kept and read again, gives the same decision.
fn is_made_again_from_evidence(
    screened: &Screened<'_>,
    chunks: &[Arc<Chunk>],
    counters: &Counters,
    (now, seed): (Timestamp, u64),
    decision: &Decision,
) {
    for evidence in
        [Evidence::of(screened, counters, now), Evidence::of_decision(screened, counters, (now, seed), 0)]
    {
        let kept = evidence.encode().and_then(|bytes| Evidence::decode(&bytes)).ok();
        assert_eq!(kept.as_ref(), Some(&evidence));
        let switches = evidence.switches();
        let again = screen(screened.facts, screened.core, chunks, &switches, now);
        assert_eq!(
            &decide(&again, &evidence.counters(&again, now), now, seed),
            decision,
            "evidence is all there was"
        );
    }
}

/// The desk places the lead with a contract of the category, wherever that is.
fn by_hand(
    bytes: &mut Bytes<'_>,
    compiled: &Compiled,
    facts: &LeadFacts,
    switches: &Switches,
    counters: &Counters,
    now: Timestamp,
) {
    let near = compiled.chunks_of(facts);
    let mut screened = screen(facts, &compiled.core, &near, switches, now);
    let Ok(contract) = format!("c{}", bytes.below(8)).parse() else { return };
    for key in compiled.core.chunks_of(&facts.category) {
        if let Some(chunk) = compiled.chunks.get(&key) {
            screened.also(chunk, &contract, now);
        }
    }
    place(&screened, counters, now, 1, &contract);
}

fn keeps_the_rules(decision: &Decision, facts: &LeadFacts, counters: &Counters, now: Timestamp) {
    let seats = match &decision.conclusion {
        Conclusion::Assign(seats) => {
            assert!(!seats.is_empty(), "somebody gets an assigned lead");
            seats
        }
        Conclusion::Wait { until, recommended, .. } => {
            assert!(until.is_none_or(|until| until > now), "a lead waits for what is to come");
            recommended
        }
    };
    let free = facts.open_seats.map(|seats| seats.free);
    assert!(free.is_none_or(|free| seats.len() <= usize::from(free)), "no more seats than there are");
    for (at, seat) in seats.iter().enumerate() {
        assert!(seats.len() <= usize::from(seat.seats).max(1), "no more seats than the first contract fixed");
        assert!(!facts.excluded.contains(&seat.dealer) && !facts.holders.contains(&seat.dealer));
        assert!(seats.iter().skip(at + 1).all(|other| other.dealer != seat.dealer), "a dealer has one seat");
        under_its_limits(seat, counters);
    }
}

fn under_its_limits(seat: &Seat, counters: &Counters) {
    let (contract, dealer) = (counters.contracts.get(&seat.contract), counters.dealers.get(&seat.dealer));
    assert_eq!(
        seat.reservation.full(&seat.contract_caps, contract),
        None,
        "no cap of a contract is exceeded"
    );
    assert_eq!(seat.reservation.full(&seat.dealer_caps, dealer), None, "no cap of a dealer is exceeded");
    if let Some(most) = seat.budget_month {
        let start = seat.reservation.start(Period::Month);
        let month = contract.and_then(|usage| usage.used[Period::Month as usize]);
        let spent = month.filter(|(at, _)| *at >= start).and(contract).map_or(0, |usage| usage.spent_month);
        assert!(spent.saturating_add(seat.price.minor()) <= most.minor(), "no budget is exceeded");
    }
    if seat.prepaid {
        assert!(
            dealer.map_or(0, |usage| usage.balance) >= seat.price.minor(),
            "what was paid in advance covers it"
        );
    }
}
