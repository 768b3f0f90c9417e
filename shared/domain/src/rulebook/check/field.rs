//! Who takes an offer where, and when: the hours of the week for every place of the table.
//!
//! Hours are those of an ordinary week, holidays aside, by the clocks as they stand today.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::ground::Ground;
use super::survey::{Survey, Taken};
use super::week::{SLOTS, Week};
use crate::dealer::Hours;
use crate::place::{Place, State};

/// The hours of the week in which somebody takes an offer, by place. Nobody does where there are none.
#[derive(Clone)]
pub(super) struct Field {
    narrow: Vec<Week>,
    by_state: Vec<Week>,
}

impl Field {
    fn empty(ground: &Ground) -> Self {
        Self {
            narrow: vec![Week::default(); ground.places.len()],
            by_state: vec![Week::default(); State::ALL.len()],
        }
    }

    pub(super) fn at(&self, place: Place) -> Week {
        let mut week = self.narrow.get(usize::from(place.index())).copied().unwrap_or_default();
        if let Some(wide) = self.by_state.get(place.state().index()) {
            week.join(wide);
        }
        week
    }
}

/// What a field leaves open.
#[derive(Clone)]
pub(super) struct Lack {
    /// ZIPs and people without a taker, by state.
    pub(super) states: Vec<(u32, u64)>,
    /// The most populous ZIP without a taker.
    pub(super) example: Option<Place>,
    /// People with a taker.
    pub(super) taken: u64,
    /// For how many of those nobody is open, by the half-hour where they live.
    pub(super) shut: Vec<u64>,
}

/// Makes the fields of all offers.
pub(super) struct Fields<'s, 'b> {
    survey: &'s Survey<'b>,
    /// By contract, as they stand in the survey.
    weeks: Vec<Week>,
    /// By offer; those that take all offers apart.
    takers: Vec<Vec<usize>>,
    /// Of those that take all offers.
    base: Field,
    of_base: Option<Lack>,
    offsets: HashMap<&'static str, Offset>,
}

impl<'s, 'b> Fields<'s, 'b> {
    pub(super) fn of(survey: &'s Survey<'b>) -> Self {
        let noon = survey.today.at(12, 0, 0, 0).to_zoned(TimeZone::UTC);
        let now = noon.map_or(Timestamp::UNIX_EPOCH, |noon| noon.timestamp());
        let offset = |zone: &str| crate::time::zone(zone).map_or(Offset::UTC, |zone| zone.to_offset(now));
        let mut known: HashMap<&str, Offset> = HashMap::new();
        let mut weeks = Vec::with_capacity(survey.standings.len());
        let mut takers = vec![Vec::new(); survey.book.offers.len()];
        let mut base = Vec::new();
        let whole = Week::whole();
        for (number, standing) in survey.standings.iter().enumerate() {
            let always = standing.delivers() || standing.dealer.hours == Hours::always();
            weeks.push(if always {
                whole
            } else {
                let zone = standing.dealer.zone.as_str();
                Week::of(&standing.dealer.hours, *known.entry(zone).or_insert_with(|| offset(zone)))
            });
            if standing.is_dead {
                continue;
            }
            match &standing.offers {
                Taken::All => base.push(number),
                Taken::These(offers) => {
                    for &offer in offers {
                        takers.get_mut(offer as usize).into_iter().for_each(|list| list.push(number));
                    }
                }
            }
        }
        let mut offsets = HashMap::new();
        for place in &survey.ground.places {
            offsets.entry(place.zone()).or_insert_with(|| offset(place.zone()));
        }
        let empty = Field::empty(&survey.ground);
        let mut fields = Self { survey, weeks, takers, base: empty.clone(), of_base: None, offsets };
        fields.base = fields.joined(empty, &base);
        fields
    }

    /// The field of an offer; none if nobody takes it at all.
    pub(super) fn field(&self, offer: usize) -> Field {
        let takers = self.takers.get(offer).map_or(&[][..], Vec::as_slice);
        self.joined(self.base.clone(), takers)
    }

    /// What the field of an offer leaves open.
    pub(super) fn lack(&mut self, offer: usize) -> Lack {
        if self.takers.get(offer).is_none_or(Vec::is_empty) {
            if self.of_base.is_none() {
                self.of_base = Some(self.lack_of(&self.base));
            }
            if let Some(known) = &self.of_base {
                return known.clone();
            }
        }
        self.lack_of(&self.field(offer))
    }

    fn joined(&self, mut field: Field, takers: &[usize]) -> Field {
        let mut by_coverage: BTreeMap<usize, Week> = BTreeMap::new();
        for &number in takers {
            if let (Some(standing), Some(week)) = (self.survey.standings.get(number), self.weeks.get(number))
            {
                by_coverage.entry(standing.coverage).or_default().join(week);
            }
        }
        for (coverage, week) in by_coverage {
            let Some(coverage) = self.survey.coverages.get(coverage) else { continue };
            for (&state, of_state) in State::ALL.iter().zip(&mut field.by_state) {
                if coverage.wide(state).is_some() {
                    of_state.join(&week);
                }
            }
            coverage.every_narrow_place(|place| {
                if let Some(here) = field.narrow.get_mut(usize::from(place)) {
                    here.join(&week);
                }
            });
        }
        field
    }

    fn lack_of(&self, field: &Field) -> Lack {
        let states = vec![(0, 0); State::ALL.len()];
        let mut lack = Lack { states, example: None, taken: 0, shut: vec![0; SLOTS] };
        // Many places have the same hours.
        let mut people_of: HashMap<(Week, Offset), u64> = HashMap::new();
        for &place in &self.survey.ground.places {
            let week = field.at(place);
            let people = u64::from(place.population());
            if week == Week::default() {
                if lack.example.is_none_or(|example| u64::from(example.population()) < people) {
                    lack.example = Some(place);
                }
                if let Some((zips, in_state)) = lack.states.get_mut(place.state().index()) {
                    *zips += 1;
                    *in_state += people;
                }
                continue;
            }
            lack.taken += people;
            if people > 0 && !week.is_whole() {
                let offset = self.offsets.get(place.zone()).copied().unwrap_or(Offset::UTC);
                *people_of.entry((week, offset)).or_default() += people;
            }
        }
        for ((week, offset), people) in people_of {
            for slot in week.shut_at(offset) {
                if let Some(shut) = lack.shut.get_mut(slot) {
                    *shut += people;
                }
            }
        }
        lack
    }
}
