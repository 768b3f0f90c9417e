//! The ground that contracts cover: every place of the table by number, and coverages over them.
//!
//! A *coverage* is what the compiled rulebook means by it: an area, and for an area with a radius the ZIP
//! it is measured from. Many contracts share one. Its wide parts (states, everywhere) are kept by state,
//! for they cover leads of which only the state is known as well; its narrow parts as sorted lists of
//! places, the most specific first.

use std::collections::HashMap;
use std::rc::Rc;

use crate::contract::{AreaPart, Specificity};
use crate::place::{self, County, Place, State, Unit, Zip};

/// Places that circles may list in all: 16 MB. A circle beyond stays a centre and a radius: it is walked
/// where every place counts, and nothing else is said of who stands on it.
const CIRCLE_PLACES: usize = 8_000_000;

/// Every place, by its number.
pub(super) struct Ground {
    pub(super) places: Vec<Place>,
    /// The numbers of each state's places.
    pub(super) by_state: Vec<Vec<u16>>,
    /// How many live in each state.
    pub(super) people_of_state: Vec<u64>,
    /// How many live everywhere.
    pub(super) people: u64,
}

impl Ground {
    pub(super) fn new() -> Self {
        let places: Vec<Place> = place::all().collect();
        let mut by_state = vec![Vec::new(); State::ALL.len()];
        let mut people_of_state = vec![0; State::ALL.len()];
        for place in &places {
            let state = place.state().index();
            if let (Some(list), Some(people)) = (by_state.get_mut(state), people_of_state.get_mut(state)) {
                list.push(place.index());
                *people += u64::from(place.population());
            }
        }
        let people = people_of_state.iter().sum();
        Self { places, by_state, people_of_state, people }
    }

    pub(super) fn place(&self, number: u16) -> Option<Place> {
        self.places.get(usize::from(number)).copied()
    }

    pub(super) fn in_state(&self, state: State) -> &[u16] {
        self.by_state.get(state.index()).map_or(&[], Vec::as_slice)
    }
}

/// What an area covers, measured from one ZIP if it has a radius.
#[derive(Clone, Default)]
pub(super) struct Coverage {
    any: bool,
    /// A bit for each state of [`State::ALL`].
    states: u64,
    /// The most specific first; the places of each sorted.
    narrow: Vec<(Specificity, Rc<[u16]>)>,
    /// Circles that are not listed.
    circles: Vec<(Unit, u32)>,
}

const _: () = assert!(State::ALL.len() <= 64, "the states of a coverage are the bits of a number");

impl Coverage {
    /// Whether it covers no lead at all.
    pub(super) fn is_nowhere(&self) -> bool {
        !self.any
            && self.states == 0
            && self.circles.is_empty()
            && self.narrow.iter().all(|part| part.1.is_empty())
    }

    /// Whether all it covers is listed.
    pub(super) fn is_listed(&self) -> bool {
        self.circles.is_empty()
    }

    /// By which part it covers a lead of which only the state is known, and every place of that state that
    /// no narrower part covers.
    pub(super) fn wide(&self, state: State) -> Option<Specificity> {
        if self.states >> state.index() & 1 == 1 {
            Some(Specificity::State)
        } else {
            self.any.then_some(Specificity::Any)
        }
    }

    /// By which narrow part it covers a place, as far as that is listed.
    pub(super) fn narrow(&self, number: u16) -> Option<Specificity> {
        self.narrow.iter().find(|part| part.1.binary_search(&number).is_ok()).map(|part| part.0)
    }

    /// By which part it covers a place, as far as that is listed.
    pub(super) fn at(&self, place: Place) -> Option<Specificity> {
        self.narrow(place.index()).or_else(|| self.wide(place.state()))
    }

    /// The places of the narrow parts, each once, with the most specific part that covers it.
    pub(super) fn narrow_places(&self) -> impl Iterator<Item = (u16, Specificity)> {
        self.narrow.iter().enumerate().flat_map(|(at, (specificity, places))| {
            let before = self.narrow.get(..at).unwrap_or_default();
            places
                .iter()
                .filter(move |number| !before.iter().any(|part| part.1.binary_search(number).is_ok()))
                .map(|&number| (number, *specificity))
        })
    }

    /// How many places its narrow parts list.
    pub(super) fn listed(&self) -> usize {
        self.narrow.iter().map(|part| part.1.len()).sum()
    }

    /// Every place of the narrow parts, some more than once.
    pub(super) fn every_narrow_place(&self, mut visit: impl FnMut(u16)) {
        for (_, places) in &self.narrow {
            places.iter().copied().for_each(&mut visit);
        }
        for &(center, miles) in &self.circles {
            place::within(center, f64::from(miles)).map(Place::index).for_each(&mut visit);
        }
    }
}

/// Makes coverages: an area's lists and a circle's are made once, however many share them.
#[derive(Default)]
pub(super) struct Coverages {
    /// Filled when the first county asks.
    by_county: HashMap<County, Vec<u16>>,
    circles: HashMap<(Zip, u32), Rc<[u16]>>,
    listed: usize,
}

impl Coverages {
    /// What these parts cover but for their radii.
    pub(super) fn of_area(&mut self, parts: &[AreaPart]) -> Coverage {
        let mut coverage = Coverage::default();
        let (mut zips, mut zip3s, mut counties) = (Vec::new(), Vec::new(), Vec::new());
        for part in parts {
            match *part {
                AreaPart::Any => coverage.any = true,
                AreaPart::State(state) => coverage.states |= 1 << state.index(),
                AreaPart::Zip(zip) => zips.extend(place::of(zip).map(Place::index)),
                AreaPart::Zip3(zip3) => zip3s.extend(place::in_zip3(zip3).map(Place::index)),
                AreaPart::County(county) => counties.extend_from_slice(self.in_county(county)),
                AreaPart::RadiusMiles(_) => {}
            }
        }
        for (specificity, mut places) in
            [(Specificity::Zip, zips), (Specificity::Zip3, zip3s), (Specificity::County, counties)]
        {
            if !places.is_empty() {
                places.sort_unstable();
                places.dedup();
                coverage.narrow.push((specificity, places.into()));
            }
        }
        coverage
    }

    /// The same with circles of these radii around a ZIP.
    pub(super) fn around(&mut self, area: &Coverage, zip: Zip, radii: &[u32]) -> Coverage {
        let mut coverage = area.clone();
        let Some(center) = place::of(zip).and_then(Place::unit) else { return coverage };
        for &miles in radii {
            match self.circle(center, zip, miles) {
                Some(places) => coverage.narrow.push((Specificity::RadiusMiles(miles), places)),
                None => coverage.circles.push((center, miles)),
            }
        }
        coverage
    }

    fn in_county(&mut self, county: County) -> &[u16] {
        if self.by_county.is_empty() {
            for place in place::all() {
                if let Some(county) = place.county() {
                    self.by_county.entry(county).or_default().push(place.index());
                }
            }
        }
        self.by_county.get(&county).map_or(&[], Vec::as_slice)
    }

    fn circle(&mut self, center: Unit, zip: Zip, miles: u32) -> Option<Rc<[u16]>> {
        if let Some(known) = self.circles.get(&(zip, miles)) {
            return Some(Rc::clone(known));
        }
        if self.listed >= CIRCLE_PLACES {
            return None;
        }
        let mut places: Vec<u16> = place::within(center, f64::from(miles)).map(Place::index).collect();
        places.sort_unstable();
        self.listed += places.len();
        let places: Rc<[u16]> = places.into();
        self.circles.insert((zip, miles), Rc::clone(&places));
        Some(places)
    }
}

/// Whether a part of an area covers no lead, wherever its dealer is.
pub(super) fn is_no_place(part: AreaPart) -> bool {
    match part {
        AreaPart::Zip(zip) => place::of(zip).is_none(),
        AreaPart::Zip3(zip3) => place::in_zip3(zip3).len() == 0,
        AreaPart::County(county) => place::state_of_county(county).is_none(),
        AreaPart::RadiusMiles(_) | AreaPart::State(_) | AreaPart::Any => false,
    }
}
