//! Contracts before which others always speak.
//!
//! A contract is in the *shadow* of others if, wherever it covers a lead and for every offer it takes,
//! one of them covers that lead too, takes whatever it takes, has its say earlier, and lets nothing go.
//! What that means is read off `decide`:
//!
//! - *Earlier.* Every compelling contract speaks before those that do not; among the compelling the more
//!   specific before the less. Of two that are equally specific the ranking decides: neither is in the
//!   other's shadow.
//! - *Lets nothing go.* One that says `wait` and takes the lead is given it or keeps it waiting, also after
//!   a decline. One that says `next` and is never shut or full lets go only of what it declined, let lapse
//!   or gave back: that is a warning of its own.
//! - *Further seats.* A contract that shares can be given a seat beside those who spoke earlier, unless the
//!   one that shadows it bars the rest: closed, or protected and exclusive. Nor may that one's dealer sit
//!   already, by another contract that shares: it would have had its say.
//! - *Spared.* A closed or protected contract that bars others spares its own dealer's, also where it shuts
//!   out a less specific one. So of a dealer with another closed or protected contract nothing is said.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::figures::Figures;
use super::reach::Reach;
use super::survey::{Dealing, Standing, Survey, bars};
use super::warnings::Warnings;
use crate::contract::{Specificity, Territory, WhenUnavailable};
use crate::dealer::Hours;
use crate::place::State;
use crate::rulebook::problem::ProblemCode;

/// How many others may be looked at for one contract, and for all.
const STEPS_EACH: u32 = 200_000;
const STEPS: u32 = 100_000_000;

/// What it takes to let nothing go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// To wait.
    Waits,
    /// To wait, or to be never shut or full.
    Steady,
}

/// A walk over what one contract covers.
struct Walk<'a, 'b> {
    survey: &'a Survey<'b>,
    reach: &'a Reach,
    shadowed: &'a Standing<'b>,
    number: usize,
    /// The offer at hand; none for a contract that takes those to come as well.
    offer: Option<u32>,
    patience: Patience,
    /// Those found so far: whoever speaks earlier in one place mostly does in the next.
    by: Vec<usize>,
    steps_left: u32,
}

impl Survey<'_> {
    /// Notes who stands in the shadow of others.
    pub(super) fn find_shadowed(&self, reach: &Reach, warnings: &mut Warnings) {
        let mut steps_left = STEPS;
        let any_steady = self.living().any(|(_, one)| one.compels() && one.is_steady());
        for (number, standing) in self.living() {
            let mut find = |patience| {
                let (by, steps) = self.shadow_of(reach, number, standing, patience, steps_left);
                steps_left = steps_left.saturating_sub(steps);
                by
            };
            let (code, by) = if let Some(by) = find(Patience::Waits) {
                (ProblemCode::Shadowed, by)
            } else if let Some(by) = any_steady.then(|| find(Patience::Steady)).flatten() {
                (ProblemCode::Leftovers, by)
            } else {
                continue;
            };
            let (message, figures) = self.say(standing, code, &by);
            warnings.note_with("contracts.csv", standing.at, code, message, figures);
        }
    }

    /// Those in whose shadow a contract stands, if it does; and how many were looked at.
    fn shadow_of(
        &self,
        reach: &Reach,
        number: usize,
        shadowed: &Standing<'_>,
        patience: Patience,
        steps_left: u32,
    ) -> (Option<Vec<usize>>, u32) {
        let most = steps_left.min(STEPS_EACH);
        let mut walk = Walk {
            survey: self,
            reach,
            shadowed,
            number,
            offer: None,
            patience,
            by: Vec::new(),
            steps_left: most,
        };
        let whole = walk.offers();
        let Walk { mut by, steps_left, .. } = walk;
        by.sort_unstable();
        (whole.then_some(by), most - steps_left)
    }

    fn say(&self, standing: &Standing<'_>, code: ProblemCode, by: &[usize]) -> (String, Figures) {
        const NAMED: usize = 3;
        let others = || by.iter().filter_map(|&number| self.standings.get(number));
        let mut names: Vec<String> = others().take(NAMED).map(Standing::described).collect();
        if by.len() > NAMED {
            names.push(format!("{} more", by.len() - NAMED));
        }
        let last = names.pop().unwrap_or_default();
        let (names, comes, s) = if names.is_empty() {
            (last, "comes", "s")
        } else {
            (format!("{} and {last}", names.join(", ")), "come", "")
        };
        let id = &standing.contract.id;
        let message = if code == ProblemCode::Shadowed {
            format!(
                "contract \"{id}\" is never given a lead: wherever it applies {names} {comes} first, and \
                 keep{s} a lead waiting rather than let it go"
            )
        } else {
            format!(
                "contract \"{id}\" is given only what {names} decline{s}, let{s} lapse or give{s} back: \
                 wherever it applies {comes} first who is never shut or full"
            )
        };
        let contracts = others().map(|other| other.contract.id.to_string()).collect();
        (message, Figures { contracts, ..Figures::default() })
    }
}

impl Walk<'_, '_> {
    /// Whether somebody speaks earlier for every offer it takes.
    fn offers(&mut self) -> bool {
        use super::survey::Taken;
        match &self.shadowed.offers {
            Taken::All => self.everywhere(),
            Taken::These(offers) => offers.iter().all(|&offer| {
                self.offer = Some(offer);
                self.everywhere()
            }),
        }
    }

    /// Whether somebody speaks earlier everywhere.
    fn everywhere(&mut self) -> bool {
        let Some(coverage) = self.survey.coverage(self.shadowed).filter(|coverage| coverage.is_listed())
        else {
            return false;
        };
        let states = State::ALL
            .iter()
            .all(|&state| coverage.wide(state).is_none_or(|specificity| self.in_state(state, specificity)));
        states
            && coverage.narrow_places().all(|(place, specificity)| {
                let state = self.survey.ground.place(place).map(crate::place::Place::state);
                // Who speaks earlier in the whole state does so here, unless this contract is specific here.
                let done =
                    !self.shadowed.compels() && state.is_some_and(|state| coverage.wide(state).is_some());
                done || state.is_some_and(|state| self.in_place(place, state, specificity))
            })
    }

    fn in_state(&mut self, state: State, specificity: Specificity) -> bool {
        let survey = self.survey;
        let wide = |walk: &Self, number: usize| {
            let other = walk.survey.standings.get(number)?;
            walk.survey.coverage(other)?.wide(state)
        };
        self.known(specificity, wide) || self.search(self.reach.wide(state), specificity, survey)
    }

    fn in_place(&mut self, place: u16, state: State, specificity: Specificity) -> bool {
        let survey = self.survey;
        let here = survey.ground.place(place);
        let at = |walk: &Self, number: usize| {
            let other = walk.survey.standings.get(number)?;
            walk.survey.coverage(other)?.at(here?)
        };
        self.known(specificity, at)
            || self.search(self.reach.narrow(place), specificity, survey)
            || self.search(self.reach.wide(state), specificity, survey)
    }

    /// Whether one of those found before speaks earlier here, too.
    fn known(
        &mut self,
        specificity: Specificity,
        covers: impl Fn(&Self, usize) -> Option<Specificity>,
    ) -> bool {
        let found = self.by.iter().position(|&number| {
            covers(self, number).is_some_and(|theirs| self.is_earlier(theirs, specificity))
                && self.survey.standings.get(number).is_some_and(|other| self.takes_offer(other))
        });
        self.steps_left = self.steps_left.saturating_sub(self.by.len() as u32 + 1);
        found.is_some() && self.steps_left > 0
    }

    fn search(&mut self, rows: &[(u32, Specificity)], specificity: Specificity, survey: &Survey<'_>) -> bool {
        for &(coverage, theirs) in rows {
            self.steps_left = self.steps_left.saturating_sub(1);
            if self.steps_left == 0 {
                return false;
            }
            if !self.is_earlier(theirs, specificity) {
                continue;
            }
            for &number in self.reach.contracts(coverage) {
                self.steps_left = self.steps_left.saturating_sub(1);
                if self.steps_left == 0 {
                    return false;
                }
                let Some(other) = survey.standings.get(number) else { continue };
                if number != self.number && self.takes_offer(other) && self.shadows(other) {
                    if !self.by.contains(&number) {
                        self.by.push(number);
                    }
                    return true;
                }
            }
        }
        false
    }

    fn is_earlier(&self, theirs: Specificity, ours: Specificity) -> bool {
        !self.shadowed.compels() || theirs < ours
    }

    fn takes_offer(&self, other: &Standing<'_>) -> bool {
        match self.offer {
            Some(offer) => other.offers.takes(offer),
            None => matches!(other.offers, super::survey::Taken::All),
        }
    }

    /// Whether another, where it covers the lead and speaks earlier, leaves nothing to this one.
    fn shadows(&self, other: &Standing<'_>) -> bool {
        let patient = other.contract.when_unavailable == WhenUnavailable::Wait
            || self.patience == Patience::Steady && other.is_steady();
        patient
            && self.takes_whatever_is_taken(other)
            && other.runs_as_long(self.shadowed, self.survey.today)
            && self.nobody_is_spared(other)
            && self.leaves_no_seat(other)
    }

    fn takes_whatever_is_taken(&self, other: &Standing<'_>) -> bool {
        let (ours, theirs) = (self.shadowed.contract, other.contract);
        let is_old_enough = match (theirs.max_age_hours, ours.max_age_hours) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(theirs), Some(ours)) => theirs >= ours,
        };
        other.sources.takes_all_of(&self.shadowed.sources)
            && is_old_enough
            && ours.min_band.meets(theirs.min_band)
            && ours.needs.meets(theirs.needs)
    }

    /// Whether no third contract, by barring others, shuts the other out and spares this one.
    fn nobody_is_spared(&self, other: &Standing<'_>) -> bool {
        let Dealing { barring, .. } = self.survey.dealing(self.shadowed);
        let is_own = self.shadowed.dealing == other.dealing;
        let ours = u32::from(bars(self.shadowed.contract.territory));
        let theirs = u32::from(is_own && bars(other.contract.territory));
        barring == ours + theirs
    }

    /// Whether this contract can be given no seat beside others.
    fn leaves_no_seat(&self, other: &Standing<'_>) -> bool {
        let sits_alone = |standing: &Standing<'_>| {
            standing.contract.territory == Territory::Closed || standing.contract.sale.seats() == 1
        };
        sits_alone(self.shadowed)
            || bars(other.contract.territory)
                && sits_alone(other)
                && self.shadowed.dealing != other.dealing
                && !self.survey.dealing(other).shares
    }
}

impl Standing<'_> {
    /// Whether it is never shut and never full.
    fn is_steady(&self) -> bool {
        let is_open =
            self.delivers() || self.dealer.hours == Hours::always() && self.dealer.holidays.is_empty();
        let is_bounded = self.contract.budget_month.is_some()
            || self.dealer.prepaid
            || !self.contract.caps.0.is_empty()
            || !self.dealer.caps.0.is_empty();
        is_open && !is_bounded
    }

    /// Whether it runs on every day from `today` on which another does. Days are the dealers' own: where
    /// their clocks differ, two days are allowed for.
    fn runs_as_long(&self, other: &Self, today: Date) -> bool {
        let slack = if self.dealer.zone == other.dealer.zone { 0 } else { 2 };
        let later = |day: Date| day.checked_add(slack.days()).unwrap_or(Date::MAX);
        let first = other.contract.starts.map_or(today, |starts| starts.max(today));
        let begins = self.contract.starts.is_none_or(|starts| later(starts) <= first);
        let ends = match (self.contract.ends, other.contract.ends) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(ends), Some(theirs)) => ends >= later(theirs),
        };
        begins && ends
    }
}
