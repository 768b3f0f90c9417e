//! Territories of the same rank in one place: two contracts that compel, equally specific, of different
//! dealers, for a lead that both take. Each dealer was promised what the other may get.
//!
//! Two that share with each other for as many seats are no conflict: each may have one.

use std::collections::BTreeSet;

use super::figures::Figures;
use super::reach::Reach;
use super::survey::{Standing, Survey};
use super::warnings::Warnings;
use crate::contract::{Specificity, Territory};
use crate::place::{Place, State};
use crate::rulebook::problem::{Position, ProblemCode};

/// How many pairs are kept, and how many compared in all.
const PAIRS: usize = 500;
const COMPARISONS: u32 = 5_000_000;

/// The pairs found so far.
struct Pairs {
    found: BTreeSet<(usize, usize)>,
    comparisons_left: u32,
}

impl Pairs {
    fn is_full(&self) -> bool {
        self.found.len() >= PAIRS || self.comparisons_left == 0
    }
}

/// Where two overlap.
struct Shared {
    pair: (usize, usize),
    specificity: Specificity,
    /// The most populous place.
    example: Option<Place>,
    zips: u32,
    people: u64,
}

impl Survey<'_> {
    /// Notes territories that overlap at the same rank, those of the most people first.
    pub(super) fn find_overlaps(&self, reach: &Reach, warnings: &mut Warnings) {
        let mut pairs = Pairs { found: BTreeSet::new(), comparisons_left: COMPARISONS };
        for &state in State::ALL {
            self.compare(reach.wide(state), reach, &mut pairs);
        }
        let mut populous: Vec<Place> = self.ground.places.clone();
        populous.sort_by_key(|place| std::cmp::Reverse(place.population()));
        for place in populous {
            self.compare(reach.narrow(place.index()), reach, &mut pairs);
        }
        let mut shared: Vec<Shared> = pairs.found.iter().filter_map(|&pair| self.shared(pair)).collect();
        shared.sort_by_key(|shared| std::cmp::Reverse(shared.people));
        for shared in &shared {
            self.say_overlap(shared, warnings);
        }
        if pairs.is_full() || !reach.is_whole {
            let message = "so many territories stand in the same places that not all of them were compared: \
                           there may be more that overlap";
            warnings.note("contracts.csv", Position::START, ProblemCode::TooMany, message);
        }
    }

    /// Compares the contracts of these coverages, which all cover one place, where they are equally specific.
    fn compare(&self, rows: &[(u32, Specificity)], reach: &Reach, pairs: &mut Pairs) {
        let alone = rows.len() < 2 && rows.iter().all(|row| reach.contracts(row.0).len() < 2);
        if alone || pairs.is_full() {
            return;
        }
        let mut ranked: Vec<(Specificity, usize)> = rows
            .iter()
            .flat_map(|&(coverage, specificity)| {
                reach.contracts(coverage).iter().map(move |&number| (specificity, number))
            })
            .collect();
        ranked.sort_unstable();
        for (at, &(specificity, one)) in ranked.iter().enumerate() {
            let behind = ranked.get(at + 1..).unwrap_or_default();
            for &(_, other) in behind.iter().take_while(|row| row.0 == specificity) {
                if pairs.is_full() {
                    return;
                }
                pairs.comparisons_left -= 1;
                if !pairs.found.contains(&(one, other)) && self.contend(one, other) {
                    pairs.found.insert((one, other));
                }
            }
        }
    }

    /// Whether there is a lead that both would take, and cannot share.
    fn contend(&self, one: usize, other: usize) -> bool {
        let (Some(one), Some(other)) = (self.standings.get(one), self.standings.get(other)) else {
            return false;
        };
        one.dealing != other.dealing
            && !one.shares_with(other)
            && one.offers.meets(&other.offers)
            && one.sources.meets(&other.sources)
            && one.runs_beside(other)
    }

    /// Where two are equally specific.
    fn shared(&self, pair: (usize, usize)) -> Option<Shared> {
        let coverage = |number: usize| self.coverage(self.standings.get(number)?);
        let (one, other) = (coverage(pair.0)?, coverage(pair.1)?);
        let mut shared: Option<Shared> = None;
        let mut visit = |place: Place| {
            let Some(specificity) = one.at(place).filter(|&rank| other.at(place) == Some(rank)) else {
                return;
            };
            let people = u64::from(place.population());
            let shared =
                shared.get_or_insert(Shared { pair, specificity, example: None, zips: 0, people: 0 });
            shared.zips += 1;
            shared.people += people;
            if shared.example.is_none_or(|example| example.population() < place.population()) {
                shared.example = Some(place);
                shared.specificity = specificity;
            }
        };
        // Where both are wide, every place counts; elsewhere they can only be equal by a narrow part.
        let both_wide = |state: State| one.wide(state).is_some() && other.wide(state).is_some();
        for &state in State::ALL.iter().filter(|state| both_wide(**state)) {
            self.ground.in_state(state).iter().filter_map(|&at| self.ground.place(at)).for_each(&mut visit);
        }
        for (number, _) in one.narrow_places() {
            let place = self.ground.place(number).filter(|place| !both_wide(place.state()));
            place.into_iter().for_each(&mut visit);
        }
        shared.or_else(|| {
            // A state without places: leads of which only the state is known.
            let wide =
                |state: &&State| one.wide(**state).is_some_and(|rank| other.wide(**state) == Some(rank));
            let state = State::ALL.iter().find(wide)?;
            let specificity = one.wide(*state)?;
            Some(Shared { pair, specificity, example: None, zips: 0, people: 0 })
        })
    }

    fn say_overlap(&self, shared: &Shared, warnings: &mut Warnings) {
        let Shared { pair, specificity, example, zips, people } = *shared;
        let (Some(one), Some(other)) = (self.standings.get(pair.0), self.standings.get(pair.1)) else {
            return;
        };
        let place = match example {
            Some(place) if zips == 1 => format!("in ZIP {} ({})", place.zip(), place.city()),
            Some(place) => {
                format!("in {} ZIPs, {} ({}) among them", grouped(u64::from(zips)), place.zip(), place.city())
            }
            None => "where only the state is known".to_owned(),
        };
        let message = format!(
            "contracts {} and {} overlap {place}, where {} people live: both compel by {}, so the ranking \
             decides between them",
            one.described(),
            other.described(),
            grouped(people),
            rank(specificity)
        );
        let figures = Figures {
            contracts: vec![other.contract.id.to_string()],
            zip: example.map(|place| place.zip().to_string()),
            zips: Some(zips),
            people: Some(people),
            ..Figures::default()
        };
        warnings.note_with("contracts.csv", one.at, ProblemCode::Overlap, message, figures);
    }
}

impl Standing<'_> {
    /// Whether both may have a seat of the same lead, whoever is first.
    fn shares_with(&self, other: &Self) -> bool {
        let (one, other) = (self.contract, other.contract);
        let closed = Territory::Closed;
        one.sale.seats() > 1
            && one.sale == other.sale
            && one.territory != closed
            && other.territory != closed
            && (one.territory == Territory::Protected) == (other.territory == Territory::Protected)
    }

    /// Whether there is a day on which both run.
    fn runs_beside(&self, other: &Self) -> bool {
        let before = |one: &Self, other: &Self| {
            one.contract.ends.zip(other.contract.starts).is_some_and(|(ends, starts)| ends < starts)
        };
        !before(self, other) && !before(other, self)
    }
}

fn rank(specificity: Specificity) -> String {
    match specificity {
        Specificity::Zip => "ZIP".to_owned(),
        Specificity::Zip3 => "the first three digits".to_owned(),
        Specificity::County => "county".to_owned(),
        Specificity::RadiusMiles(miles) => format!("a radius of {miles} miles"),
        Specificity::State => "state".to_owned(),
        Specificity::Any => "no part of the country in particular".to_owned(),
    }
}

/// `12,034`
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
