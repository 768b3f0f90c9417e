//! Whether the small worlds bring about what the rules speak of: a comparison of worlds in which nothing
//! ever shuts, shares or runs out would agree about nothing.

use std::collections::BTreeMap;

use leadyard_domain::contract::{Contract, DeadlineClock, Need, Territory, WhenUnavailable};
use leadyard_domain::dealer::AfterHours;
use leadyard_domain::distribution::{
    Conclusion, Counters, Decision, Judged, Location, Reservation, Rule, Seat, Step, Waiting,
};
use leadyard_domain::rulebook::Rulebook;
use leadyard_domain::time::{self, Period};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::oracle::{Next, Oracle};
use crate::world::{World, compiled, decide_on};
use crate::worlds::worlds;

const WORLDS: u32 = 20_000;
/// Each situation occurs at least so often: some three times fewer than the rarest does.
const LEAST: u32 = 10;

/// How often each situation occurred.
#[derive(Default)]
struct Tally(BTreeMap<String, u32>);

impl Tally {
    fn saw(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    fn saw_if(&mut self, so: bool, what: impl Into<String>) {
        if so {
            self.saw(what);
        }
    }
}

/// A world with all that is known of it.
struct Seen<'a> {
    world: &'a World,
    book: &'a Rulebook,
    counters: &'a Counters,
    oracle: Oracle<'a>,
    decision: &'a Decision,
    judged: &'a [Judged],
}

impl Seen<'_> {
    fn seats(&self) -> &[Seat] {
        match &self.decision.conclusion {
            Conclusion::Assign(seats) => seats,
            Conclusion::Wait { recommended, .. } => recommended,
        }
    }

    fn covering(&self) -> impl Iterator<Item = &Contract> {
        self.book.contracts.iter().filter(|contract| self.oracle.covers(contract).is_some())
    }

    fn failed(&self, contract: &Contract) -> Option<Rule> {
        self.judged.iter().find(|judged| judged.contract == contract.id).and_then(|judged| judged.failed)
    }

    /// Why the lead waits, if it does; and what each contract failed.
    fn reasons(&self, tally: &mut Tally) {
        if let Some(kept) = self.decision.kept {
            let beside = if self.seats().is_empty() { "held" } else { "given" };
            tally.saw(match kept.reason {
                Waiting::Stopped => "a seat that came back waits for distribution to go on".to_owned(),
                Waiting::Manual | Waiting::Shadow => "a seat that came back is recommended".to_owned(),
                Waiting::For(_) | Waiting::Unplaced | Waiting::Held => {
                    format!("a further seat is kept beside those that are {beside}")
                }
            });
        }
        if let Conclusion::Wait { reason, until, .. } = &self.decision.conclusion {
            tally.saw(format!("waits: {reason}"));
            tally.saw_if(until.is_some(), "waits until an instant");
        }
        for judged in self.judged {
            if let Some(rule) = judged.failed {
                tally.saw(format!("fails: {rule}"));
            }
        }
        let facts = &self.world.facts;
        match facts.location {
            Location::Zip(zip) if leadyard_domain::place::of(zip).is_some_and(|at| at.unit().is_none()) => {
                tally.saw("placed: a ZIP without coordinates");
            }
            Location::Zip(_) => tally.saw("placed: by ZIP"),
            Location::State { guessed: true, .. } => tally.saw("placed: by a guess"),
            Location::State { .. } => tally.saw("placed: by state"),
            Location::Unplaced => {}
        }
        for contract in self.covering().filter(|contract| self.failed(contract) == Some(Rule::Needs)) {
            for need in facts.brings.missing(contract.needs) {
                tally.saw(format!("lacks: {need}"));
            }
        }
    }

    /// Who compels, who is waited for, and who is passed by.
    fn territories(&self, tally: &mut Tally) {
        let seats = self.seats();
        if let Some(first) = seats.first() {
            let contract = self.oracle.contract(&first.contract);
            let part = format!("{:?}", first.specificity);
            let kind = part.split('(').next().unwrap();
            tally.saw_if(contract.territory.compels(), format!("compels: {} by {kind}", contract.territory));
            tally.saw_if(!contract.territory.compels(), "competes");
        }
        let own = |one: &Contract| self.oracle.own(one);
        for one in self.covering().filter(|one| one.territory.compels()) {
            let Some(rule @ (Rule::Excluded | Rule::Hours | Rule::Cap)) = own(one) else {
                let keeps = own(one).is_some_and(|rule| rule != Rule::Inactive);
                let out = self.judged.iter().any(|other| other.failed == Some(Rule::Territory));
                tally.saw_if(
                    one.territory == Territory::Closed && keeps && out,
                    "closed to others without taking the lead",
                );
                tally.saw_if(
                    one.territory == Territory::Closed && own(one) == Some(Rule::Inactive),
                    "closed and not active",
                );
                continue;
            };
            match one.when_unavailable {
                WhenUnavailable::Wait => {
                    let waits = matches!(&self.decision.conclusion, Conclusion::Wait { reason, .. } if reason.to_string() == rule.to_string());
                    tally.saw_if(waits, format!("is waited for: {rule}"));
                }
                WhenUnavailable::Next => {
                    let next = seats.first().map(|seat| self.oracle.contract(&seat.contract).territory);
                    tally.saw_if(next == Some(Territory::Open), format!("goes on to the rest: {rule}"));
                    tally.saw_if(
                        next.is_some_and(Territory::compels),
                        format!("goes on to another territory: {rule}"),
                    );
                }
            }
        }
    }

    /// How many share, and on what terms.
    fn sharing(&self, tally: &mut Tally) {
        let seats = self.seats();
        match self.world.facts.open_seats {
            None => tally.saw_if(seats.len() > 1, format!("is given {} seats", seats.len())),
            Some(open) => {
                tally.saw_if(!seats.is_empty(), "a seat that was left is given");
                tally.saw_if(open.free == 0, "held, without a seat left");
                let given = usize::from(open.of - open.free);
                tally.saw_if(given > self.world.facts.holders.len(), "a seat of it is lost");
                tally
                    .saw_if(open.protected && !seats.is_empty(), "a seat beside a protected holder is given");
            }
        }
        tally.saw_if(seats.len() > 1 && seats[0].protected, "protected shares");
        let fewer = seats.first().is_some_and(|first| seats.len() < usize::from(first.seats));
        tally.saw_if(fewer && self.world.facts.open_seats.is_none(), "a seat stays empty");
        let other = |one: &&Contract| {
            seats.iter().any(|seat| seat.dealer == one.dealer && seat.contract != one.id)
                && self.oracle.own(one).is_none()
        };
        tally.saw_if(self.covering().any(|one| other(&one)), "a dealer with two contracts takes one seat");
        for seat in seats.iter().skip(1) {
            let own = self.oracle.contract(&seat.contract).sale.seats();
            tally.saw_if(own > seat.seats, "shares with one that is shared for fewer");
        }
    }

    /// Which limits were reached.
    fn limits(&self, tally: &mut Tally) {
        let weeks = self.book.company.week_starts;
        for contract in self.covering() {
            let dealer = self.oracle.dealer(contract);
            let zone = time::zone(&dealer.zone).unwrap();
            let starts = Reservation::at(self.world.now, &zone, weeks).starts;
            let full = |caps: &[leadyard_domain::contract::Cap], used: &dyn Fn(Period) -> u32| {
                let full = caps.iter().filter(|cap| used(cap.period) >= cap.most);
                full.map(|cap| cap.period).collect::<Vec<_>>()
            };
            let of_contract = self.counters.contracts.get(&contract.id);
            let of_dealer = self.counters.dealers.get(&dealer.id);
            let in_period = |usage: Option<&leadyard_domain::distribution::Usage>, period: Period| {
                usage.map_or(0, |usage| usage.in_period(period, starts[period as usize]))
            };
            if self.failed(contract) == Some(Rule::Cap) {
                for period in full(&contract.caps.0, &|period| in_period(of_contract, period)) {
                    tally.saw(format!("a contract's cap is full: {period}"));
                }
                for period in full(&dealer.caps.0, &|period| in_period(of_dealer, period)) {
                    tally.saw(format!("a dealer's cap is full: {period}"));
                }
                let spent = of_contract.map_or(0, |usage| usage.spent_month);
                let price = contract.price.minor();
                let over = contract.budget_month.is_some_and(|budget| spent + price > budget.minor());
                tally.saw_if(over, "a budget does not reach");
                let left = of_dealer.map_or(0, |usage| usage.balance);
                tally.saw_if(dealer.prepaid && left < price, "a balance does not reach");
            }
            let chosen = self.seats().iter().any(|seat| seat.contract == contract.id);
            let stale = |usage: Option<&leadyard_domain::distribution::Usage>,
                         caps: &[leadyard_domain::contract::Cap]| {
                caps.iter().any(|cap| {
                    usage
                        .and_then(|usage| usage.used[cap.period as usize])
                        .is_some_and(|(at, used)| at < starts[cap.period as usize] && used >= cap.most)
                })
            };
            tally.saw_if(
                chosen && stale(of_contract, &contract.caps.0),
                "a period that is over does not count",
            );
            let budget = contract.budget_month.is_some_and(|budget| {
                of_contract.is_some_and(|usage| usage.spent_month + contract.price.minor() == budget.minor())
            });
            tally.saw_if(chosen && budget, "a budget is used to the last");
            let last = of_dealer.is_some_and(|usage| usage.balance == contract.price.minor());
            tally.saw_if(chosen && dealer.prepaid && last, "a balance is used to the last");
            let today = self.world.now.to_zoned(zone.clone()).date();
            let hours = (Period::Day.end(self.world.now, &zone, weeks).unwrap()
                - Period::Day.start(self.world.now, &zone, weeks))
                / 3_600;
            tally.saw_if(chosen && hours != 24, format!("a day of {hours} hours"));
            tally.saw_if(contract.starts.is_some_and(|starts| today < starts), "before the first day");
            tally.saw_if(contract.starts == Some(today) && chosen, "on the first day");
            tally.saw_if(contract.ends == Some(today) && chosen, "on the last day");
            tally.saw_if(contract.ends.is_some_and(|ends| ends < today), "after the last day");
            let open = dealer.hours.is_open(self.world.now, &zone, &dealer.holidays);
            tally.saw_if(!open && chosen, "is delivered after hours");
            let would = dealer.hours.is_open(self.world.now, &zone, &[]);
            tally.saw_if(!open && would && self.failed(contract) == Some(Rule::Hours), "shut for a holiday");
            let own = contract.after_hours.is_some_and(|own| own != dealer.after_hours);
            tally.saw_if(
                own && !open
                    && contract.after_hours == Some(AfterHours::Hold)
                    && self.failed(contract) == Some(Rule::Hours),
                "holds although its dealer delivers",
            );
        }
        let company_day = self.world.now.to_zoned(jiff::tz::TimeZone::UTC).date();
        let elsewhere = self.seats().iter().any(|seat| {
            let zone = time::zone(&self.oracle.dealer(self.oracle.contract(&seat.contract)).zone).unwrap();
            self.world.now.to_zoned(zone).date() != company_day
        });
        tally.saw_if(elsewhere, "another day in the dealer's zone than in UTC");
    }

    /// How the ranking came to its winner.
    fn ranking(&self, tally: &mut Tally) {
        let asked = self.oracle.ask(&[]);
        if let Next::OneOf(best) = &asked.next {
            tally.saw_if(best.len() > 1, "only the hash decides");
        }
        let (mut lifted, mut at_the_end) = (false, false);
        for seat in self.seats() {
            lifted |= seat.pass.next > seat.pass.read.saturating_add(seat.pass.step);
            at_the_end |= seat.pass.next == u64::MAX;
            match self.oracle.contract(&seat.contract).deadline.map(|deadline| deadline.clock) {
                Some(DeadlineClock::Open) => tally.saw("a deadline in open hours"),
                Some(DeadlineClock::Wall) => tally.saw("a deadline by the wall clock"),
                None => {}
            }
            tally.saw_if(seat.patient_until.is_some(), "delivery is patient");
        }
        tally.saw_if(lifted, "a pass is lifted to the floor");
        tally.saw_if(at_the_end, "a pass is at its end");
        let free: Vec<&Contract> = self.covering().filter(|one| self.oracle.own(one).is_none()).collect();
        let offer = self.book.offers.iter().find(|offer| offer.id == self.world.facts.offer).unwrap();
        for step in offer.ranking.iter().filter(|_| free.len() > 1 && !self.seats().is_empty()) {
            let Step::Performance { days, sample } = *step else {
                tally.saw(format!("ranked by {}", step.to_string().split(':').next().unwrap()));
                continue;
            };
            for one in &free {
                let usage = self.counters.contracts.get(&one.id).cloned().unwrap_or_default();
                let enough = usage.performance(self.world.now, days).0 >= u64::from(sample);
                tally.saw(if enough { "ranked by performance" } else { "too few for performance" });
            }
        }
    }

    fn switches(&self, tally: &mut Tally) {
        let switches = &self.world.switches;
        let runs = |until: Option<jiff::Timestamp>| until.is_none_or(|until| until > self.world.now);
        for contract in self.covering() {
            let of_contract = switches.contracts.iter().filter(|pause| pause.id == contract.id);
            let of_dealer = switches.dealers.iter().filter(|pause| pause.id == contract.dealer);
            for until in of_contract.map(|pause| pause.until) {
                tally.saw(if runs(until) { "a contract is paused" } else { "a pause is over" });
            }
            tally.saw_if(of_dealer.into_iter().any(|pause| runs(pause.until)), "a dealer is paused");
        }
    }
}

/// The situations that the rules speak of.
fn expected() -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut say = |prefix: &str, words: &[&str]| {
        all.extend(words.iter().map(|word| format!("{prefix}{word}")));
    };
    let rules = "inactive offer source age band needs excluded territory hours cap";
    let rules: Vec<&str> = rules.split(' ').collect();
    say("fails: ", &rules);
    say("waits: ", &rules);
    say("waits: ", &["stopped", "unplaced", "manual", "shadow", "area"]);
    say("lacks: ", &Need::ALL.iter().map(|need| need.as_str()).collect::<Vec<_>>());
    say("placed: ", &["by ZIP", "by state", "by a guess", "a ZIP without coordinates"]);
    for territory in ["first", "protected", "closed"] {
        let kinds = ["Zip", "Zip3", "County", "RadiusMiles", "State", "Any"];
        say(&format!("compels: {territory} by "), &kinds);
    }
    for what in ["is waited for: ", "goes on to the rest: ", "goes on to another territory: "] {
        say(what, &["excluded", "hours", "cap"]);
    }
    say("a contract's cap is full: ", &["hour", "day", "week", "month", "total"]);
    say("a dealer's cap is full: ", &["day", "month"]);
    say("ranked by ", &["tier", "distance", "share", "longest_ago", "price", "performance"]);
    say(
        "",
        &[
            "competes",
            "waits until an instant",
            "closed to others without taking the lead",
            "closed and not active",
            "is given 2 seats",
            "is given 3 seats",
            "a seat that was left is given",
            "a seat beside a protected holder is given",
            "held, without a seat left",
            "a seat of it is lost",
            "protected shares",
            "a seat stays empty",
            "a further seat is kept beside those that are given",
            "a further seat is kept beside those that are held",
            "a seat that came back waits for distribution to go on",
            "a dealer with two contracts takes one seat",
            "shares with one that is shared for fewer",
            "a budget does not reach",
            "a budget is used to the last",
            "a balance does not reach",
            "a balance is used to the last",
            "a period that is over does not count",
            "a day of 23 hours",
            "a day of 25 hours",
            "before the first day",
            "on the first day",
            "on the last day",
            "after the last day",
            "is delivered after hours",
            "holds although its dealer delivers",
            "shut for a holiday",
            "another day in the dealer's zone than in UTC",
            "only the hash decides",
            "a pass is lifted to the floor",
            "a pass is at its end",
            "a deadline in open hours",
            "a deadline by the wall clock",
            "delivery is patient",
            "too few for performance",
            "a contract is paused",
            "a dealer is paused",
            "a pause is over",
        ],
    );
    all
}

#[test]
fn the_worlds_bring_about_whatever_the_rules_speak_of() {
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &[5; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let mut tally = Tally::default();
    for _ in 0..WORLDS {
        let world = worlds().new_tree(&mut runner).unwrap().current();
        let book = world.book();
        let counters = world.counters(&book);
        let (decision, judged) = decide_on(&compiled(&book), &world, &counters);
        let seen = Seen {
            oracle: Oracle::of(&world, &book, &counters),
            world: &world,
            book: &book,
            counters: &counters,
            decision: &decision,
            judged: &judged,
        };
        seen.reasons(&mut tally);
        if world.switches.stop || world.facts.location == Location::Unplaced {
            continue;
        }
        seen.territories(&mut tally);
        seen.sharing(&mut tally);
        seen.limits(&mut tally);
        seen.ranking(&mut tally);
        seen.switches(&mut tally);
    }
    for (what, count) in &tally.0 {
        println!("{count:>7} {what}");
    }
    for what in expected() {
        let count = tally.0.get(&what).copied().unwrap_or(0);
        assert!(count >= LEAST, "{what}: {count} in {WORLDS} worlds");
    }
}
