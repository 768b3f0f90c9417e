//! The rules as they are written, over the rulebook as parsed: every contract is looked at every time,
//! nothing is compiled, indexed or kept. Hours, periods and places are its own as well, so that an error in those of the
//! decision is not in both.
//!
//! | module | holds |
//! |---|---|
//! | [`hours`] | when a dealer is open |
//! | [`periods`] | when a cap's period began |
//! | [`area`] | what an area covers, how narrowly, and how far places are apart |

mod hours;
mod periods;
mod area;

use jiff::Timestamp;
use leadyard_domain::contract::{
    AcceptBy, Cap, Contract, DeadlineClock, Specificity, Territory, WhenUnavailable,
};
use leadyard_domain::dealer::{AfterHours, Dealer};
use leadyard_domain::distribution::{
    Counters, LeadFacts, Location, OpenSeats, Rule, Step, Switches, Usage, Waiting,
};
use leadyard_domain::ids::ContractId;
use leadyard_domain::money::Money;
use leadyard_domain::rulebook::{Mode, Rulebook};
use leadyard_domain::time::{Period, WeekStart};

use self::area::Narrowness;
use crate::broken::Broken;
use crate::world::{DealerRow, World};

#[derive(Clone, Copy)]
pub(crate) struct Oracle<'a> {
    pub(crate) book: &'a Rulebook,
    /// The dealers as they are written.
    pub(crate) rows: &'a [DealerRow],
    pub(crate) facts: &'a LeadFacts,
    pub(crate) switches: &'a Switches,
    pub(crate) counters: &'a Counters,
    pub(crate) now: Timestamp,
    /// A rule that it has wrong, to see that the comparison notices.
    pub(crate) broken: Option<Broken>,
}

/// What becomes of one seat.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// One of these takes it: they differ by the last tie-break only.
    OneOf(Vec<ContractId>),
    /// Nobody, for this rule.
    Nobody(Rule),
    /// Nobody, since a compelling contract that fails this rule is waited for.
    WaitsFor(Rule),
}

/// What becomes of one seat, and the contracts that a territory keeps from it.
pub(crate) struct Asked<'a> {
    pub(crate) next: Next,
    /// When the latest of anybody's last leads began, where they shared: a pass is read as at least that, less its own
    /// 1/weight.
    pub(crate) latest_start: u64,
    shut_out: Vec<&'a Contract>,
}

impl<'a> Oracle<'a> {
    pub(crate) fn of(world: &'a World, book: &'a Rulebook, counters: &'a Counters) -> Self {
        let (facts, switches) = (&world.facts, &world.switches);
        Self { book, rows: &world.dealers, facts, switches, counters, now: world.now, broken: None }
    }

    pub(crate) fn at(&self, now: Timestamp) -> Self {
        Self { now, ..*self }
    }

    /// Whether it keeps to a rule.
    fn keeps(&self, rule: Broken) -> bool {
        self.broken != Some(rule)
    }

    /// Why the lead waits before anyone is looked at.
    pub(crate) fn waits_anyway(&self) -> Option<Waiting> {
        if self.switches.stop && self.keeps(Broken::Stop) {
            return Some(Waiting::Stopped);
        }
        let unplaced = self.facts.location == Location::Unplaced && self.keeps(Broken::Unplaced);
        unplaced.then_some(Waiting::Unplaced)
    }

    /// Why whoever would get it only is recommended.
    pub(crate) fn only_recommends(&self) -> Option<Waiting> {
        let mut offers = self.book.offers.iter();
        let manual = offers.any(|offer| offer.id == self.facts.offer && offer.mode == Mode::Manual);
        if manual && self.keeps(Broken::Manual) {
            return Some(Waiting::Manual);
        }
        (self.switches.shadow && self.keeps(Broken::Shadow)).then_some(Waiting::Shadow)
    }

    pub(crate) fn contract(&self, id: &ContractId) -> &'a Contract {
        self.book.contracts.iter().find(|contract| &contract.id == id).unwrap()
    }

    pub(crate) fn dealer(&self, contract: &Contract) -> &'a Dealer {
        self.book.dealers.iter().find(|dealer| dealer.id == contract.dealer).unwrap()
    }

    /// The row of `d0`, `d1` …
    fn row(&self, dealer: &Dealer) -> &'a DealerRow {
        &self.rows[dealer.id.as_str().strip_prefix('d').unwrap().parse::<usize>().unwrap()]
    }

    /// Rule 2: the narrowest part that covers.
    fn narrowest(&self, contract: &Contract) -> Option<Narrowness> {
        let center = if self.keeps(Broken::Center) { self.dealer(contract) } else { &self.book.dealers[0] };
        let lead = area::Whereabouts::of(self.facts.location, self.keeps(Broken::Guess));
        let everywhere = !self.keeps(Broken::Area) && self.facts.location != Location::Unplaced;
        let covers = |part: &str| everywhere || lead.is_in(part, center.zip, !self.keeps(Broken::Finer));
        let parts = area::parts(contract).iter().filter(|part| covers(part));
        let parts = parts.map(|part| area::narrowness(part));
        if self.keeps(Broken::Narrowest) { parts.min() } else { parts.max() }
    }

    pub(crate) fn covers(&self, contract: &Contract) -> Option<Specificity> {
        self.narrowest(contract).map(area::specificity)
    }

    /// What of rule 1 a contract fails.
    fn rule_1(&self, contract: &Contract) -> [Option<Rule>; 4] {
        let dealer = self.dealer(contract);
        let runs = |until: Option<Timestamp>| until.is_none_or(|until| until > self.now);
        let paused = self.switches.contracts.iter().any(|pause| pause.id == contract.id && runs(pause.until))
            || self.switches.dealers.iter().any(|pause| pause.id == dealer.id && runs(pause.until));
        let today = self.now.to_zoned(periods::zone(&dealer.zone)).date();
        let dated = contract.starts.is_some_and(|starts| today < starts)
            || contract.ends.is_some_and(|ends| ends < today);
        let age_ms = self.now.as_millisecond() - self.facts.opened_at.as_millisecond();
        let too_old = |most: u32| {
            let most_ms = i64::from(most) * 3_600_000;
            age_ms > most_ms || !self.keeps(Broken::AgeToTheHour) && age_ms == most_ms
        };
        let inactive = paused && self.keeps(Broken::Pauses) || dated && self.keeps(Broken::Dates);
        let takes_offer = contract.offers.takes(&self.facts.offer) || !self.keeps(Broken::Offer);
        let takes_source = contract.sources.takes(&self.facts.source) || !self.keeps(Broken::Source);
        let too_old = contract.max_age_hours.is_some_and(too_old) && self.keeps(Broken::Age);
        [
            inactive.then_some(Rule::Inactive),
            (!takes_offer).then_some(Rule::Offer),
            (!takes_source).then_some(Rule::Source),
            too_old.then_some(Rule::Age),
        ]
    }

    /// What of rule 3 a contract fails.
    fn rule_3(&self, contract: &Contract) -> [Option<Rule>; 2] {
        let (band, least) = (self.facts.band, contract.min_band);
        let brings = |need| self.facts.brings.iter().any(|brought| brought == need);
        let below = band.fit > least.fit && self.keeps(Broken::Fit)
            || band.engagement > least.engagement && self.keeps(Broken::Engagement);
        let lacks = contract.needs.iter().any(|need| !brings(need)) && self.keeps(Broken::Needs);
        [below.then_some(Rule::Band), lacks.then_some(Rule::Needs)]
    }

    /// What of rules 1 to 3 a contract fails, in their order: it does not take the lead.
    fn refusals(&self, contract: &Contract) -> impl Iterator<Item = Rule> {
        let area = self.narrowest(contract).is_none().then_some(Rule::Area);
        self.rule_1(contract).into_iter().chain([area]).chain(self.rule_3(contract)).flatten()
    }

    /// The first of them.
    fn refuses(&self, contract: &Contract) -> Option<Rule> {
        self.refusals(contract).next()
    }

    /// The first failure, territories aside.
    pub(crate) fn own(&self, contract: &Contract) -> Option<Rule> {
        self.fails(contract).into_iter().next()
    }

    /// Every failure, each rule asked by itself, territories aside.
    pub(crate) fn fails(&self, contract: &Contract) -> Vec<Rule> {
        let dealer = self.dealer(contract);
        let excluded = self.facts.excluded.contains(&dealer.id) && self.keeps(Broken::Excluded)
            || self.facts.holders.contains(&dealer.id) && self.keeps(Broken::Holds);
        let after_hours = contract.after_hours.filter(|_| self.keeps(Broken::AfterHours));
        let shut = after_hours.unwrap_or(dealer.after_hours) == AfterHours::Hold
            && !self.is_open(dealer)
            && self.keeps(Broken::Hours);
        let usage = self.counters.contracts.get(&contract.id);
        let dealer_usage = self.counters.dealers.get(&dealer.id);
        let full = self.full(&contract.caps.0, usage, dealer) && self.keeps(Broken::Caps)
            || self.full(&dealer.caps.0, dealer_usage, dealer) && self.keeps(Broken::DealerCaps);
        let full = full || self.unpaid(contract, dealer, usage, dealer_usage);
        let (shut, full) = (shut.then_some(Rule::Hours), full.then_some(Rule::Cap));
        let last = if self.keeps(Broken::Order) { [shut, full] } else { [full, shut] };
        let after = std::iter::once(excluded.then_some(Rule::Excluded)).chain(last).flatten();
        self.refusals(contract).chain(after).collect()
    }

    fn is_open(&self, dealer: &Dealer) -> bool {
        let zone = periods::zone(if self.keeps(Broken::Zone) { &dealer.zone } else { "UTC" });
        let DealerRow { hours, holidays, .. } = *self.row(dealer);
        let holidays = if self.keeps(Broken::Holidays) { holidays } else { "" };
        hours::are_open(hours, holidays, zone.to_datetime(self.now))
    }

    fn full(&self, caps: &[Cap], usage: Option<&Usage>, dealer: &Dealer) -> bool {
        let zone = periods::zone(if self.keeps(Broken::PeriodsZone) { &dealer.zone } else { "UTC" });
        let week_starts = self.book.company.week_starts;
        let week_starts = if self.keeps(Broken::WeekStarts) { week_starts } else { WeekStart::Monday };
        let most = |cap: &Cap| if self.keeps(Broken::OneMore) { cap.most } else { cap.most + 1 };
        caps.iter().any(|cap| {
            let began = periods::began(cap.period, self.now, &zone, week_starts);
            let used = |usage: &Usage| match usage.used[cap.period as usize] {
                Some((of, used)) if of == began || !self.keeps(Broken::Periods) => used,
                Some(_) | None => 0,
            };
            usage.is_some_and(|usage| used(usage) >= most(cap))
        })
    }

    /// Whether the month's budget or what was paid in advance does not cover one more lead.
    fn unpaid(
        &self,
        contract: &Contract,
        dealer: &Dealer,
        usage: Option<&Usage>,
        dealer_usage: Option<&Usage>,
    ) -> bool {
        let this_month = |usage: &&Usage| {
            let zone = periods::zone(&dealer.zone);
            let month = periods::began(Period::Month, self.now, &zone, self.book.company.week_starts);
            let of = usage.used[Period::Month as usize];
            of.is_some_and(|of| of.0 == month) || !self.keeps(Broken::BudgetsMonth)
        };
        let spent = || usage.filter(this_month).map_or(0, |usage| usage.spent_month);
        let price = contract.price.minor();
        let over = contract.budget_month.is_some_and(|budget| spent() + price > budget.minor());
        let balance = dealer_usage.map_or(0, |usage| usage.balance);
        over && self.keeps(Broken::Budget) || dealer.prepaid && balance < price && self.keeps(Broken::Balance)
    }

    /// Until when a lead offered now must be accepted, and the warning before: minute by minute.
    pub(crate) fn accept_by(&self, contract: &Contract) -> Option<AcceptBy> {
        let deadline = contract.deadline?;
        let dealer = self.dealer(contract);
        let zone = periods::zone(&dealer.zone);
        let DealerRow { hours, holidays, .. } = *self.row(dealer);
        let after = |minutes: u32| {
            let mut left = minutes;
            let mut at = self.now;
            while left > 0 {
                let runs = match deadline.clock {
                    DeadlineClock::Wall => true,
                    DeadlineClock::Open => {
                        !self.keeps(Broken::Clock) || hours::are_open(hours, holidays, zone.to_datetime(at))
                    }
                };
                left -= u32::from(runs);
                at = Timestamp::from_second(at.as_second() + 60).unwrap();
            }
            at
        };
        let warned =
            if self.keeps(Broken::Warning) { deadline.minutes / 3 * 2 } else { deadline.minutes / 2 };
        Some(AcceptBy { warn_at: after(warned), at: after(deadline.minutes) })
    }

    fn seated(&self, contract: &Contract, chosen: &[&Contract]) -> bool {
        self.facts.holders.contains(&contract.dealer)
            || chosen.iter().any(|other| other.dealer == contract.dealer)
                && self.keeps(Broken::OneSeatADealer)
    }

    /// Whether a contract may share with those who have a seat: for at least as many, never a closed
    /// one, protected only with protected.
    fn may_sit(&self, contract: &Contract, chosen: &[&Contract]) -> bool {
        let fixed = match (self.facts.open_seats, chosen.first()) {
            (Some(OpenSeats { free: 0, .. }), _) if self.keeps(Broken::SeatsLeft) => return false,
            (Some(_), _) if !self.keeps(Broken::KeptSeats) => None,
            (Some(open), _) => Some((open.of, open.protected)),
            (None, Some(first)) => Some((first.sale.seats(), first.territory == Territory::Protected)),
            (None, None) => None,
        };
        fixed.is_none_or(|(seats, protected)| {
            let is_protected = contract.territory == Territory::Protected;
            (contract.sale.seats() >= seats || !self.keeps(Broken::FixedSeats))
                && (contract.territory != Territory::Closed || !self.keeps(Broken::ClosedAlone))
                && (is_protected == protected || !self.keeps(Broken::ProtectedAlone))
        })
    }

    fn free(&self, contract: &Contract, chosen: &[&Contract]) -> bool {
        self.own(contract).is_none() && self.may_sit(contract, chosen) && !self.seated(contract, chosen)
    }

    /// How many seats the lead has, and whether its holders are protected, once the first is chosen.
    pub(crate) fn terms(&self, first: &Contract) -> (u8, bool) {
        let closed = first.territory == Territory::Closed;
        let seats = if closed { 1 } else { first.sale.seats() };
        let fixed = (seats, first.territory == Territory::Protected);
        self.facts.open_seats.map_or(fixed, |open| (open.of, open.protected))
    }

    /// Until when delivery goes on to a compelling contract that says `wait`: the lead's age, at most the
    /// window of repeats.
    pub(crate) fn patience(&self, contract: &Contract) -> Option<Timestamp> {
        let waits = contract.territory.compels() && contract.when_unavailable == WhenUnavailable::Wait;
        let waits = waits && self.keeps(Broken::Patience);
        let window = i64::from(self.book.company.window_days) * 24;
        let hours = contract.max_age_hours.map_or(window, |hours| i64::from(hours).min(window));
        waits.then(|| Timestamp::from_second(self.facts.opened_at.as_second() + hours * 3_600).unwrap())
    }

    /// How many seats there are to give, once the first is chosen.
    pub(crate) fn seats(&self, first: &Contract) -> usize {
        match self.facts.open_seats {
            Some(open) => usize::from(open.free),
            None if first.territory == Territory::Closed => 1,
            None if !self.keeps(Broken::Exclusive) => usize::from(first.sale.seats().max(2)),
            None => usize::from(first.sale.seats()),
        }
    }

    /// What the lead costs.
    pub(crate) fn price(&self, contract: &Contract) -> Money {
        if self.keeps(Broken::Charge) { contract.price } else { Money::from_minor(0) }
    }

    /// By how much its turn moves on.
    pub(crate) fn step_of(&self, contract: &Contract) -> u64 {
        if self.keeps(Broken::Weight) { pass_step(contract) } else { 1 << 32 }
    }

    /// Where those who share stand: a pass is read as at least what lets its contract be one lead behind the latest, and
    /// the mean by weight is how far everybody should be. The sum of all passes, each times its weight; the weights.
    fn shared(&self, among: &[&Contract], latest_start: i128) -> (i128, i128) {
        let weight = |one: &Contract| self.weight_of(one);
        let sum = among.iter().map(|one| weight(one) * self.read_pass(one, latest_start)).sum();
        (sum, among.iter().map(|one| weight(one)).sum())
    }

    fn read_pass(&self, contract: &Contract, latest_start: i128) -> i128 {
        let pass = i128::from(self.counters.contracts.get(&contract.id).map_or(0, |usage| usage.pass));
        let floor = latest_start - i128::from(self.step_of(contract));
        if self.keeps(Broken::Floor) { pass.max(floor) } else { pass }
    }

    fn weight_of(&self, contract: &Contract) -> i128 {
        if self.keeps(Broken::Weight) { i128::from(contract.weight) } else { 1 }
    }

    /// Rule 5 and the ranking: who takes the next seat.
    pub(crate) fn ask(&self, chosen: &[&Contract]) -> Asked<'a> {
        let in_question = |one: &&Contract| self.narrowest(one).is_some() && self.takes_category(one);
        let mut pool: Vec<&Contract> = self.book.contracts.iter().filter(in_question).collect();
        let everyone = pool.clone();
        let gone = |pool: &[&'a Contract]| -> Vec<&'a Contract> {
            everyone.iter().copied().filter(|one| !pool.iter().any(|other| other.id == one.id)).collect()
        };
        let mut levels: Vec<Narrowness> =
            pool.iter().filter_map(|contract| self.narrowest(contract)).collect();
        levels.sort_unstable();
        levels.dedup();
        if !self.keeps(Broken::Specificity) {
            levels.reverse();
        }
        for level in levels {
            let group: Vec<&Contract> = pool
                .iter()
                .copied()
                .filter(|one| self.narrowest(one) == Some(level) && self.speaks(one, chosen))
                .collect();
            // Compelling contracts that are more specific, or as specific, are not shut out by this level.
            let before =
                |one: &Contract| one.territory.compels() && self.narrowest(one).is_some_and(|at| at <= level);
            let mut free: Vec<&Contract> =
                group.iter().copied().filter(|one| self.free(one, chosen)).collect();
            if !free.is_empty() {
                free.truncate(if self.keeps(Broken::Ties) { usize::MAX } else { 1 });
                pool.retain(|one| before(one));
                let (best, latest_start) = self.best(free);
                return Asked { next: Next::OneOf(best), latest_start, shut_out: gone(&pool) };
            }
            let waits = group.iter().filter(|one| {
                let waits = one.when_unavailable == WhenUnavailable::Wait && self.keeps(Broken::Wait);
                (waits || !self.keeps(Broken::Next)) && self.may_sit(one, chosen) && !self.seated(one, chosen)
            });
            let rules = waits.filter_map(|one| self.own(one));
            if let Some(rule) =
                rules.filter(|rule| [Rule::Excluded, Rule::Hours, Rule::Cap].contains(rule)).max()
            {
                pool.retain(|one| before(one));
                return Asked { next: Next::WaitsFor(rule), latest_start: 0, shut_out: gone(&pool) };
            }
            let closing: Vec<&Contract> =
                group.iter().copied().filter(|one| self.keeps_others_out(one, chosen)).collect();
            if !closing.is_empty() {
                pool.retain(|one| before(one) || closing.iter().any(|closed| closed.dealer == one.dealer));
            }
        }
        let free: Vec<&Contract> = pool.iter().copied().filter(|one| self.free(one, chosen)).collect();
        let shut_out = gone(&pool);
        if !free.is_empty() {
            let (best, latest_start) = self.best(free);
            return Asked { next: Next::OneOf(best), latest_start, shut_out };
        }
        let nearest = everyone.iter().filter_map(|contract| self.failed(contract, chosen, &shut_out)).max();
        let anyone = self.book.contracts.iter().any(|contract| self.takes_category(contract));
        Asked {
            next: Next::Nobody(nearest.unwrap_or(if anyone { Rule::Area } else { Rule::Offer })),
            latest_start: 0,
            shut_out,
        }
    }

    /// Whether a contract is of the lead's trade: it takes some offer of its category.
    pub(crate) fn takes_category(&self, contract: &Contract) -> bool {
        let mut offers = self.book.offers.iter().filter(|offer| offer.category == self.facts.category);
        offers.any(|offer| contract.offers.takes(&offer.id))
    }

    /// Whether a contract has a say before the ranking.
    fn speaks(&self, contract: &Contract, chosen: &[&Contract]) -> bool {
        let refuses = self.refuses(contract);
        match contract.territory {
            Territory::Open => false,
            Territory::First if !self.keeps(Broken::First) => false,
            Territory::Protected if !self.keeps(Broken::Protected) => false,
            Territory::Closed if !self.keeps(Broken::Closed) => false,
            Territory::First | Territory::Protected => refuses.is_none() && !self.seated(contract, chosen),
            Territory::Closed => {
                refuses != Some(Rule::Inactive) && (refuses.is_some() || !self.seated(contract, chosen))
            }
        }
    }

    /// Whether a compelling contract that does not get the seat leaves it empty rather than to others.
    fn keeps_others_out(&self, contract: &Contract, chosen: &[&Contract]) -> bool {
        let goes_on = self.own(contract).is_some() && contract.when_unavailable == WhenUnavailable::Next;
        let takes_alone = !goes_on && !self.may_sit(contract, chosen);
        match contract.territory {
            Territory::Open | Territory::First => false,
            Territory::Protected => takes_alone,
            Territory::Closed => {
                self.refuses(contract).is_some() && self.keeps(Broken::ClosedToWhatItRefuses) || takes_alone
            }
        }
    }

    /// The first rule a contract failed for the last seat that was asked for.
    fn failed(&self, contract: &Contract, chosen: &[&Contract], shut_out: &[&Contract]) -> Option<Rule> {
        let own = self.own(contract);
        let held = self.facts.open_seats.is_some() && !self.may_sit(contract, &[]);
        let out = held || shut_out.iter().any(|other| other.id == contract.id);
        let got = chosen.iter().any(|other| other.id == contract.id);
        if !got && out && own.is_none_or(|own| own > Rule::Territory) { Some(Rule::Territory) } else { own }
    }

    pub(crate) fn failures(
        &self,
        chosen: &[&Contract],
        asked: &Asked<'_>,
    ) -> Vec<(ContractId, Option<Rule>)> {
        self.book
            .contracts
            .iter()
            .map(|contract| (contract.id.clone(), self.failed(contract, chosen, &asked.shut_out)))
            .collect()
    }

    /// The ranking: those that only a hash tells apart, and when the latest of anybody's last leads began.
    fn best(&self, mut among: Vec<&Contract>) -> (Vec<ContractId>, u64) {
        let mut shared_since = 0;
        let ranking = self
            .book
            .offers
            .iter()
            .find(|offer| offer.id == self.facts.offer)
            .map(|offer| offer.ranking.clone());
        let usage =
            |contract: &Contract| self.counters.contracts.get(&contract.id).cloned().unwrap_or_default();
        for step in ranking.unwrap() {
            let starts = among.iter().map(|one| i128::from(usage(one).pass) - i128::from(self.step_of(one)));
            let latest_start = starts.max().unwrap().max(0);
            let (sum, weights) = self.shared(&among, latest_start);
            if step == Step::Share {
                shared_since = u64::try_from(latest_start).unwrap();
            }
            let key = |contract: &&Contract| -> i128 {
                match step {
                    Step::Tier if !self.keeps(Broken::Tier) => -i128::from(contract.tier),
                    Step::Tier => i128::from(contract.tier),
                    Step::Distance { bucket_miles } => {
                        let bucket_miles = if self.keeps(Broken::Bucket) { bucket_miles } else { 1 };
                        let from = self.dealer(contract).zip;
                        let miles = match self.facts.location {
                            Location::Zip(to) => area::miles(from, to),
                            Location::State { .. } | Location::Unplaced => None,
                        };
                        let bucket = miles.map(|miles| (miles / f64::from(bucket_miles)).floor() as i128);
                        let nearer = if self.keeps(Broken::Distance) { 1 } else { -1 };
                        bucket.map_or(i128::MAX, |bucket| nearer * bucket)
                    }
                    Step::Share if !self.keeps(Broken::Share) => -i128::from(usage(contract).pass),
                    Step::Share => {
                        let pass = self.read_pass(contract, latest_start);
                        // Its next lead begins where its last one ended: at or after the end of the lead at hand?
                        let early = weights * pass >= sum + (1 << 32) && self.keeps(Broken::Early);
                        // And it must have come a turn later; u64 ends there.
                        let due = (pass + i128::from(self.step_of(contract))).min(i128::from(u64::MAX));
                        if early { due + (1 << 100) } else { due }
                    }
                    Step::LongestAgo if !self.keeps(Broken::LongestAgo) => {
                        -i128::from(usage(contract).last_assigned_ms)
                    }
                    Step::LongestAgo => i128::from(usage(contract).last_assigned_ms),
                    Step::Price if !self.keeps(Broken::Price) => i128::from(contract.price.minor()),
                    Step::Price => -i128::from(contract.price.minor()),
                    Step::Performance { days, sample } => {
                        let counted = |one: &Contract| {
                            let days = if self.keeps(Broken::LookBack) { days } else { 7 * 52 };
                            let first = periods::week(self.now) - i32::from(days.div_ceil(7)) + 1;
                            let weeks: Vec<_> =
                                usage(one).results.into_iter().filter(|week| week.week >= first).collect();
                            let delivered: u32 = weeks.iter().map(|week| week.delivered).sum();
                            let won: u32 = weeks.iter().map(|week| week.won).sum();
                            (f64::from(delivered), f64::from(won))
                        };
                        let all = among.iter().map(|one| counted(one));
                        let all = all.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
                        let mean = if all.0 > 0.0 { all.1 / all.0 } else { 0.0 };
                        let sample = f64::from(sample);
                        let (delivered, won) = counted(contract);
                        let few = delivered < sample && self.keeps(Broken::Sample);
                        let (delivered, won) = if few { (0.0, 0.0) } else { (delivered, won) };
                        let sample = if self.keeps(Broken::Shrinking) { sample } else { 1e-9 };
                        // A hair above, since what is exact in fractions is not in floats.
                        let percent = 100.0 * (won + sample * mean) / (delivered + sample);
                        let better = if self.keeps(Broken::Performance) { -1 } else { 1 };
                        better * (percent + 1e-9).floor() as i128
                    }
                }
            };
            let least = among.iter().map(key).min().unwrap();
            let kept: Vec<&Contract> = among.iter().copied().filter(|one| key(one) == least).collect();
            among = kept;
        }
        (among.into_iter().map(|contract| contract.id.clone()).collect(), shared_since)
    }
}

/// 1/weight, as a pass is counted.
pub(crate) fn pass_step(contract: &Contract) -> u64 {
    (1 << 32) / u64::from(contract.weight)
}
