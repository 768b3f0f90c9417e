//! The store's own promise on top of the table's: whoever assigns and gives back, in whatever order and
//! by whatever clock, no cap is exceeded, the counters say what is held, and they come back to zero.
//!
//! Workers here look at a lead, go away for a while, and commit what they saw then: of two who saw the
//! same, the store refuses one. Their clocks disagree by hours, so that one has turned a dealer's day
//! while another still assigns in the day before; two contracts share that dealer.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use leadyard::aws::{LocalAws, LocalAwsError};
use leadyard_domain::assignment::Assignment;
use leadyard_domain::contract::{Cap, Caps, Needs, Specificity};
use leadyard_domain::distribution::counters::PASS_UNIT;
use leadyard_domain::distribution::{Counters, Pass, Reservation, Seat, Usage};
use leadyard_domain::enquiry::Fields;
use leadyard_domain::ids::{
    ActId, AssignmentId, CategoryId, CompanyId, ContractId, DealerId, DecisionId, EnquiryId, LeadId, OfferId,
    SourceId,
};
use leadyard_domain::lead::{Arrival, AssignmentState, Contactable, Lead, LeadScope};
use leadyard_domain::money::Money;
use leadyard_domain::scoring::Band;
use leadyard_domain::time::{Period, WeekStart};
use leadyard_platform::entropy::Entropy;
use leadyard_platform::store::{
    Act, Assign, Changes, Conflict, DecisionRecord, Given, Keep, Kept, Store, StoredEnquiry,
};

/// Contracts and their dealers: two share one.
const CONTRACTS: [(&str, &str); 3] = [("north", "hudson"), ("south", "hudson"), ("west", "ridge")];
const LEADS: u8 = 16;
/// Hours by which workers' clocks are off.
const SKEWS: [i64; 4] = [0, 7, -5, 2];

fn caps(of: &[(Period, u32)]) -> Caps {
    Caps(of.iter().map(|&(period, most)| Cap { period, most }).collect())
}

fn contract_caps() -> Caps {
    caps(&[(Period::Hour, 2), (Period::Day, 3), (Period::Total, 6)])
}

fn dealer_caps() -> Caps {
    caps(&[(Period::Day, 4), (Period::Week, 7)])
}

/// What a worker saw, and means to commit.
struct Looked {
    lead: Lead,
    seat: Seat,
    counters: Counters,
    at: Timestamp,
    /// By what it saw, a cap is full: a decision would have passed the contract over.
    full: bool,
}

struct Market {
    store: Store,
    entropy: Entropy,
    company: CompanyId,
    leads: Vec<LeadId>,
}

impl Market {
    async fn open(seed: u64) -> Result<Self, LocalAwsError> {
        let aws = LocalAws::memory(super::clock(), None, &[])?;
        let entropy = Entropy::seeded(seed);
        let store = Store::new(aws.dynamodb(), "leadyard", entropy.clone());
        store.create_table().await.unwrap();
        let mut market = Self { store, entropy, company: id(CompanyId::new, "acme"), leads: Vec::new() };
        for n in 0..LEADS {
            market.arrives(EnquiryId::from_bytes([n; 16])).await;
        }
        Ok(market)
    }

    async fn arrives(&mut self, enquiry: EnquiryId) {
        let at = noon();
        let arrival = Arrival {
            enquiry,
            at,
            person: Contactable::default(),
            offer: id(OfferId::new, "roof"),
            category: id(CategoryId::new, "roofing"),
            source: id(SourceId::new, "web"),
            campaign: None,
            brings: Needs::NONE,
            certificate_warning: None,
            visitor: None,
        };
        let lead = Lead::open(self.company.clone(), LeadScope::Category(arrival.category.clone()), &arrival);
        let received = StoredEnquiry {
            id: enquiry,
            company: self.company.clone(),
            source: arrival.source.clone(),
            received_at: at,
            fields: Fields::default(),
            consent: None,
            asked: None,
            raw: None,
            raw_base64: None,
            lead: Some(lead.id),
            status: "received".to_owned(),
            reasons: Vec::new(),
            user_agent: None,
            spilled: false,
            gpc: false,
            visitor: None,
            quarantine: None,
            fetch: None,
            replay_of: None,
        };
        let keep = Keep {
            enquiry: &received,
            lead: Some(&lead),
            opens: true,
            identities: Vec::new(),
            flagged: None,
            deliveries: Vec::new(),
            postback: None,
            visitor: None,
            answer: None,
            past: None,
            released: None,
            caps: None,
        };
        assert_eq!(self.store.enquiry_keep(keep).await.unwrap(), Kept::Done);
        self.leads.push(lead.id);
    }

    /// A worker looks at a lead and chooses a contract, by its own clock.
    async fn looks(&self, lead: usize, contract: usize, at: Timestamp) -> Looked {
        let (contract, dealer) = CONTRACTS[contract];
        let (contract, dealer) = (id(ContractId::new, contract), id(DealerId::new, dealer));
        let lead = self.store.lead_get(self.leads[lead]).await.unwrap().unwrap();
        let counters = self
            .store
            .caps_get(&self.company, std::slice::from_ref(&contract), std::slice::from_ref(&dealer))
            .await
            .unwrap();
        let zone = TimeZone::get("America/New_York").unwrap();
        let reservation = Reservation::at(at, &zone, WeekStart::Monday);
        let usage = counters.contracts.get(&contract);
        let full = reservation.full(&contract_caps(), usage).is_some()
            || reservation.full(&dealer_caps(), counters.dealers.get(&dealer)).is_some();
        let read = usage.map_or(0, |usage| usage.pass);
        let seat = Seat {
            contract,
            dealer,
            price: Money::from_minor(1_000),
            seats: 1,
            protected: false,
            patient_until: None,
            specificity: Specificity::Any,
            miles: None,
            reservation,
            contract_caps: contract_caps(),
            dealer_caps: dealer_caps(),
            budget_month: None,
            prepaid: false,
            accept_by: None,
            again: true,
            pass: Pass { read, next: read + PASS_UNIT, step: PASS_UNIT, at_most: None },
        };
        Looked { lead, seat, counters, at, full }
    }

    /// The worker commits what it saw.
    async fn commits(&self, looked: &Looked) -> Result<Assignment, Conflict> {
        self.gives(looked).await.map(|mut given| given.assignments.remove(0))
    }

    /// The same, and what it left of the counters.
    async fn gives(&self, looked: &Looked) -> Result<Given, Conflict> {
        self.gives_by(looked, &self.record(looked)).await
    }

    /// Why a worker commits what it saw.
    fn record(&self, looked: &Looked) -> DecisionRecord {
        DecisionRecord {
            id: DecisionId::mint(looked.at, self.entropy.bytes()),
            at: looked.at,
            facts: looked.lead.facts(Band::LEAST),
            rulebook: 1,
            algorithm: 1,
            places: String::new(),
            zones: String::new(),
            seed: 1,
            conclusion: "assigned".to_owned(),
            waiting: None,
            until: None,
            kept: None,
            contracts: vec![looked.seat.contract.clone()],
            placed: None,
            failed: BTreeMap::new(),
            near_misses: Vec::new(),
            counters: BTreeMap::new(),
            evidence: String::new(),
            digest: String::new(),
            given: Vec::new(),
            seal: Default::default(),
        }
    }

    /// The worker commits it with this record.
    async fn gives_by(&self, looked: &Looked, record: &DecisionRecord) -> Result<Given, Conflict> {
        let seats = [(looked.seat.clone(), AssignmentId::mint(looked.at, self.entropy.bytes()))];
        let (lead, counters) = (&looked.lead, &looked.counters);
        let assign = Assign {
            lead,
            seats: &seats,
            kept: None,
            counters,
            decision: record,
            placed: None,
            now: looked.at,
        };
        self.store.lead_assign(assign).await.unwrap()
    }

    /// A dealer pays for a hundred leads.
    async fn pays_in_advance(&self, dealer: &str, at: Timestamp) {
        let act = Act {
            id: ActId::mint(at, self.entropy.bytes()),
            at,
            by: "desk".to_owned(),
            act: "deposit".to_owned(),
            reason: None,
            before: String::new(),
            after: String::new(),
        };
        let (dealer, amount) = (id(DealerId::new, dealer), Money::from_minor(140_000));
        let booked = self.store.deposit_book(&self.company, &dealer, amount, "wire-1", None, &act).await;
        assert!(booked.unwrap());
    }

    /// A dealer gives a seat back, and the lead may be had again, by the same dealer too.
    async fn gives_back(&self, held: &Assignment, at: Timestamp) -> bool {
        let mut lead = self.store.lead_get(held.lead).await.unwrap().unwrap();
        lead.give_back(held.id, at);
        lead.excluded.clear();
        let assignment = Assignment { state: AssignmentState::Declined, state_at: at, ..held.clone() };
        let changes = Changes {
            lead: Some(&lead),
            gives_back: true,
            wakes: Some(&lead.category),
            ..Changes::of(&assignment, at)
        };
        self.store.assignment_change(&changes).await.unwrap()
    }

    async fn counters(&self) -> Counters {
        let contracts = CONTRACTS.map(|(contract, _)| id(ContractId::new, contract));
        let dealers = ["hudson", "ridge"].map(|dealer| id(DealerId::new, dealer));
        self.store.caps_get(&self.company, &contracts, &dealers).await.unwrap()
    }

    /// No cap is exceeded by what is held, and every counter says how many are held in its period.
    async fn adds_up(&self, held: &[Assignment]) {
        let counters = self.counters().await;
        for (contract, usage) in &counters.contracts {
            agree(usage, &contract_caps(), held.iter().filter(|one| &one.contract == contract), contract);
        }
        for (dealer, usage) in &counters.dealers {
            agree(usage, &dealer_caps(), held.iter().filter(|one| &one.dealer == dealer), dealer);
        }
    }

    /// Nothing is held, and nothing counted.
    async fn is_empty(&self) {
        let counters = self.counters().await;
        assert_eq!((counters.contracts.len(), counters.dealers.len()), (3, 2), "all were used");
        for usage in counters.contracts.values().chain(counters.dealers.values()) {
            let left: Vec<u32> = usage.used.iter().map(|used| used.unwrap().1).collect();
            assert_eq!(left, [0; 5], "{usage:?}");
        }
    }
}

fn agree<'a>(
    usage: &Usage,
    caps: &Caps,
    held: impl Iterator<Item = &'a Assignment>,
    whose: &impl std::fmt::Display,
) {
    let held: Vec<&Assignment> = held.collect();
    for &period in Period::ALL {
        let mut in_periods: HashMap<i64, u32> = HashMap::new();
        for assignment in &held {
            *in_periods.entry(assignment.reservation.start(period)).or_default() += 1;
        }
        let (start, used) = usage.used[period as usize].unwrap();
        assert_eq!(used, in_periods.get(&start).copied().unwrap_or(0), "{whose}, {period}, of {held:#?}");
        if let Some(cap) = caps.0.iter().find(|cap| cap.period == period) {
            assert!(in_periods.values().all(|held| *held <= cap.most), "{whose}, {period}: {in_periods:?}");
        }
    }
}

/// A Monday noon in New York.
fn noon() -> Timestamp {
    Timestamp::from_millisecond(super::MONDAY_NOON_MS).unwrap()
}

fn id<Id, E: std::fmt::Debug>(new: fn(&str) -> Result<Id, E>, text: &str) -> Id {
    new(text).unwrap()
}

/// How a run went: a run in which nothing was refused would show nothing.
#[derive(Debug, Default)]
struct Tally {
    assigned: usize,
    refused_for_the_lead: usize,
    refused_for_a_cap: usize,
    committed_to_a_turned_period: usize,
    given_back: usize,
    given_back_twice: usize,
}

/// One run of a seed: what happens next is drawn, and after each step everything must add up.
async fn run(seed: u64, tally: &mut Tally) {
    const STEPS: usize = 150;
    let market = Market::open(seed).await.unwrap();
    let mut rng = fastrand::Rng::with_seed(seed);
    let (mut held, mut gone): (Vec<Assignment>, Vec<Assignment>) = (Vec::new(), Vec::new());
    let mut hands: [Option<Looked>; SKEWS.len()] = [const { None }; SKEWS.len()];
    let mut now = noon();
    for _ in 0..STEPS {
        now = now.checked_add(SignedDuration::from_mins(rng.i64(0..40))).unwrap();
        let worker = rng.usize(0..SKEWS.len());
        let at = now.checked_add(SignedDuration::from_hours(SKEWS[worker])).unwrap();
        match (hands[worker].take(), rng.u8(0..10)) {
            (Some(looked), 0..8) => match market.commits(&looked).await {
                Ok(assignment) => {
                    tally.assigned += 1;
                    let turned = assignment.reservation != looked.seat.reservation;
                    tally.committed_to_a_turned_period += usize::from(turned);
                    held.push(assignment);
                }
                Err(Conflict::Lead) => tally.refused_for_the_lead += 1,
                Err(Conflict::Caps) => tally.refused_for_a_cap += 1,
            },
            // It keeps what it saw, and somebody gives back meanwhile.
            (hand, 8..10) if !held.is_empty() => {
                hands[worker] = hand;
                let back = held.swap_remove(rng.usize(0..held.len()));
                assert!(market.gives_back(&back, at).await);
                tally.given_back += 1;
                gone.push(back);
            }
            (None, 0) if !gone.is_empty() => {
                // A click that was repeated, long after.
                let again = &gone[rng.usize(0..gone.len())];
                assert!(!market.gives_back(again, at).await);
                tally.given_back_twice += 1;
            }
            (_, _) => {
                let lead = rng.usize(0..usize::from(LEADS));
                let looked = market.looks(lead, rng.usize(0..CONTRACTS.len()), at).await;
                // Mostly as a decision would; now and then as if it had not looked at the caps.
                hands[worker] = (!looked.full || rng.u8(0..4) == 0).then_some(looked);
            }
        }
        market.adds_up(&held).await;
    }
    for back in &held {
        assert!(market.gives_back(back, now).await);
    }
    market.is_empty().await;
}

#[tokio::test(start_paused = true)]
async fn in_any_order_and_by_any_clock_no_cap_is_exceeded_and_all_come_back_to_zero() {
    const SEEDS: u64 = 10;
    let mut tally = Tally::default();
    for seed in 1..=SEEDS {
        run(seed, &mut tally).await;
    }
    for (what, times) in [
        ("assigned", tally.assigned),
        ("refused for the lead", tally.refused_for_the_lead),
        ("refused for a cap", tally.refused_for_a_cap),
        ("committed to a period that somebody else had turned", tally.committed_to_a_turned_period),
        ("given back", tally.given_back),
        ("given back twice", tally.given_back_twice),
    ] {
        assert!(times as u64 >= SEEDS, "hardly any was {what}: {tally:?}");
    }
}

/// The known hard case, by itself: one worker's clock has turned the dealer's day by a contract, another
/// assigns under the other contract in the day before.
#[tokio::test(start_paused = true)]
async fn a_seat_taken_by_a_slow_clock_counts_where_the_dealer_s_day_has_turned_to() {
    let market = Market::open(1).await.unwrap();
    let tomorrow = noon().checked_add(SignedDuration::from_hours(14)).unwrap();
    let ahead = market.commits(&market.looks(0, 0, tomorrow).await).await.unwrap();
    let behind = market.commits(&market.looks(1, 1, noon()).await).await.unwrap();
    assert_eq!(behind.reservation.start(Period::Day), ahead.reservation.start(Period::Day));
    market.adds_up(&[ahead.clone(), behind.clone()]).await;
    let west = market.commits(&market.looks(2, 2, noon()).await).await.unwrap();
    assert!(west.reservation.start(Period::Day) < ahead.reservation.start(Period::Day), "nobody turned it");
    for back in [&behind, &ahead, &west] {
        assert!(market.gives_back(back, noon()).await);
    }
    market.is_empty().await;
}

/// A worker reads the counters once, and goes on by what its own commits left: of every attribute, over turned
/// periods, lifted passes, prices, balances and forgotten weeks.
#[tokio::test(start_paused = true)]
async fn what_a_commit_left_of_the_counters_is_what_stands() {
    const SEEDS: u64 = 20;
    for seed in 1..=SEEDS {
        let market = Market::open(seed).await.unwrap();
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut now = noon();
        for dealer in ["hudson", "ridge"] {
            market.pays_in_advance(dealer, now).await;
        }
        let mut known = market.counters().await;
        for lead in 0..usize::from(LEADS) {
            let hours = [0, 1, 30, 24 * 40, 24 * 7 * 30];
            let hours = hours[rng.usize(0..hours.len())];
            now = now.checked_add(SignedDuration::from_hours(hours)).unwrap();
            // Its clock may be behind what it turned itself.
            let at = now.checked_sub(SignedDuration::from_hours(rng.i64(0..3) * 12)).unwrap();
            let mut looked = market.looks(lead, rng.usize(0..CONTRACTS.len()), at).await;
            let seat = &mut looked.seat;
            (seat.contract_caps, seat.dealer_caps) = (caps(&[]), caps(&[(Period::Total, 100)]));
            seat.budget_month = rng.bool().then(|| Money::from_minor(1_000_000));
            seat.price = Money::from_minor(rng.i64(0..3) * 700);
            seat.prepaid = rng.bool();
            let read = known.contracts.get(&seat.contract).map_or(0, |usage| usage.pass);
            let lifted = read + rng.u64(0..2) * 7 * PASS_UNIT;
            seat.pass = Pass { read, next: lifted + PASS_UNIT, step: PASS_UNIT, at_most: None };
            looked.counters = known.clone();
            let given = market.gives(&looked).await.unwrap();
            known.contracts.extend(given.counters.contracts);
            known.dealers.extend(given.counters.dealers);
            let stands = market.counters().await;
            assert_eq!(known.contracts, stands.contracts, "seed {seed}, lead {lead}");
            assert_eq!(known.dealers, stands.dealers, "seed {seed}, lead {lead}");
        }
    }
}

/// A decision is immutable: whoever comes to write another under its id, with a seat or with a lead that waits, is
/// refused, and nothing else of that write stands.
#[tokio::test(start_paused = true)]
async fn a_decision_that_stands_is_never_written_over() {
    let market = Market::open(1).await.unwrap();
    let looked = market.looks(0, 0, noon()).await;
    let record = market.record(&looked);
    let given = market.gives_by(&looked, &record).await.unwrap();
    assert!(market.gives_back(&given.assignments[0], noon()).await);
    let counters = market.counters().await;

    let again = market.looks(0, 2, noon()).await;
    let other = DecisionRecord { id: record.id, seed: 2, ..market.record(&again) };
    assert!(market.gives_by(&again, &other).await.is_err());
    assert!(!market.store.lead_save_decided(&again.lead, &other).await.unwrap());
    let story = market.store.lead_story(market.leads[0]).await.unwrap().unwrap();
    let stands: Vec<(DecisionId, u64)> = story.decisions.iter().map(|one| (one.id, one.seed)).collect();
    assert_eq!(stands, [(record.id, 1)]);
    assert_eq!((market.counters().await.contracts, story.assignments.len()), (counters.contracts, 1));
    // Under an id of its own it stands beside it.
    let own = DecisionRecord { id: DecisionId::mint(noon(), [9; 10]), ..other };
    assert!(market.store.lead_save_decided(&again.lead, &own).await.unwrap());
    // And so does a seat, of who looks again.
    let fresh = market.looks(0, 2, noon()).await;
    let given = market.gives_by(&fresh, &market.record(&fresh)).await.unwrap();
    let story = market.store.lead_story(market.leads[0]).await.unwrap().unwrap();
    assert_eq!((given.assignments.len(), story.assignments.len(), story.decisions.len()), (1, 2, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_assign_and_give_back_at_once_never_exceed_a_cap() {
    const WORKERS: usize = 8;
    const ROUNDS: usize = 40;
    let market = Arc::new(Market::open(1).await.unwrap());
    let held: Arc<Mutex<Vec<Assignment>>> = Arc::default();
    let refused = Arc::new(AtomicUsize::new(0));
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..WORKERS {
        let (market, held, refused) = (Arc::clone(&market), Arc::clone(&held), Arc::clone(&refused));
        workers.spawn(async move {
            let mut rng = fastrand::Rng::with_seed(worker as u64);
            let skew = SignedDuration::from_hours(SKEWS[worker % SKEWS.len()]);
            let at = noon().checked_add(skew).unwrap();
            for _ in 0..ROUNDS {
                let (lead, contract) = (rng.usize(0..usize::from(LEADS)), rng.usize(0..CONTRACTS.len()));
                // Only the store keeps to the caps here.
                match market.commits(&market.looks(lead, contract, at).await).await {
                    Ok(assignment) => held.lock().unwrap().push(assignment),
                    Err(_) => drop(refused.fetch_add(1, Ordering::Relaxed)),
                }
                let counters = market.counters().await;
                within(counters.contracts.values(), &contract_caps());
                within(counters.dealers.values(), &dealer_caps());
                let back = {
                    let mut held = held.lock().unwrap();
                    let at = rng.usize(0..=held.len());
                    (at < held.len()).then(|| held.swap_remove(at))
                };
                if let Some(back) = back {
                    // Somebody else changed the counters between: look again, as every caller does.
                    while !market.gives_back(&back, at).await {}
                }
            }
        });
    }
    workers.join_all().await;
    let held = std::mem::take(&mut *held.lock().unwrap());
    assert!(refused.load(Ordering::Relaxed) > 0, "nobody stood in anybody's way");
    market.adds_up(&held).await;
    for back in &held {
        assert!(market.gives_back(back, noon()).await);
    }
    market.is_empty().await;
}

fn within<'a>(usages: impl Iterator<Item = &'a Usage>, caps: &Caps) {
    for usage in usages {
        for cap in &caps.0 {
            let used = usage.used[cap.period as usize].unwrap().1;
            assert!(used <= cap.most, "{}: {used} of {}", cap.period, cap.most);
        }
    }
}
