//! Which coverages of a chunk cover a lead, each by the narrowest part of its area.

use serde::{Deserialize, Serialize};

use super::grid::Grid;
use super::lists::equal;
use super::{Chunk, CompiledContract};
use crate::contract::Specificity;
use crate::place::{Place, Reach, State, Unit, Zip};

/// What of one area touches this chunk's state, and whose it is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Coverage {
    /// Where its radii are measured from, if it has any.
    pub(super) zip: Option<Zip>,
    /// Its contracts end before this one; they begin where those of the coverage before it end.
    pub(super) end: u32,
    /// The area is everywhere, and has narrower parts too: its contracts may stand in a second chunk.
    pub(super) twin: bool,
}

/// A circle around the centre of a coverage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Radius {
    pub(super) miles: u32,
    pub(super) coverage: u32,
}

/// A radius on the sphere; none around a ZIP without coordinates.
pub(super) type Circle = Option<(Unit, Reach)>;

/// Where a lead is, and the cells in which to look for circles around it.
pub(crate) struct Target {
    place: Place,
    unit: Option<(Unit, [u32; 2])>,
}

impl Target {
    pub(crate) fn of(place: Place) -> Self {
        let unit = place.unit().map(|unit| (unit, Grid::ALL.map(|grid| grid.cell_of(unit))));
        Self { place, unit }
    }
}

/// A coverage that covers a lead, and by which part: in one number, since hundreds are sorted, by coverage and
/// then the narrowest part first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit(u64);

impl Hit {
    fn new(coverage: u32, specificity: Specificity) -> Self {
        Self(u64::from(coverage) << 32 | u64::from(specificity.order()))
    }

    const fn coverage(self) -> usize {
        (self.0 >> 32) as usize
    }

    /// By which part.
    pub(crate) const fn specificity(self) -> Specificity {
        Specificity::from_order(self.0 as u32)
    }
}

impl Chunk {
    /// The contracts of a coverage.
    pub(crate) fn contracts_of(&self, hit: Hit) -> &[CompiledContract] {
        let end = |coverage: usize| self.coverages.get(coverage).map_or(0, |coverage| coverage.end as usize);
        let at = hit.coverage();
        let start = at.checked_sub(1).map_or(0, end);
        self.contracts.get(start..end(at)).unwrap_or_default()
    }

    /// Whether the contracts of a coverage that was found by its widest part may stand in the chunk of
    /// the lead's state as well, by a narrower one.
    pub(crate) fn may_be_twin(&self, hit: Hit) -> bool {
        hit.specificity() == Specificity::Any
            && self.coverages.get(hit.coverage()).is_some_and(|coverage| coverage.twin)
    }

    /// The coverages that cover a place, each once, by its narrowest part.
    pub(crate) fn covering(&self, target: &Target) -> Vec<Hit> {
        let place = target.place;
        let mut hits = Vec::with_capacity(HITS);
        let mut found = |coverage, specificity| hits.push(Hit::new(coverage, specificity));
        for &(_, coverage) in equal(&self.by_zip, |row| row.0, place.zip().as_u32()) {
            found(coverage, Specificity::Zip);
        }
        for &coverage in self.by_zip3.of(place.zip().zip3().as_u16()) {
            found(coverage, Specificity::Zip3);
        }
        if let Some(county) = place.county() {
            for &coverage in self.by_county.of(county.as_u32()) {
                found(coverage, Specificity::County);
            }
        }
        if let Some((unit, cells)) = target.unit {
            for cell in cells {
                for &at in self.by_cell.of(cell) {
                    if let Some(Some((center, reach))) = self.circles.get(at as usize)
                        && center.within(unit, *reach)
                        && let Some(radius) = self.radii.get(at as usize)
                    {
                        found(radius.coverage, Specificity::RadiusMiles(radius.miles));
                    }
                }
            }
        }
        self.find_wide(place.state(), &mut found);
        in_order(hits)
    }

    /// The same for a place of which only the state is known.
    pub(crate) fn covering_state(&self, state: State) -> Vec<Hit> {
        let mut hits = Vec::with_capacity(HITS);
        self.find_wide(state, &mut |coverage, specificity| hits.push(Hit::new(coverage, specificity)));
        in_order(hits)
    }

    fn find_wide(&self, state: State, found: &mut impl FnMut(u32, Specificity)) {
        for &coverage in self.by_state.of(state) {
            found(coverage, Specificity::State);
        }
        for &coverage in &self.anywhere {
            found(coverage, Specificity::Any);
        }
    }
}

/// As many coverages as most leads have, so that their list seldom grows.
const HITS: usize = 128;

/// Each coverage once, by its narrowest part.
fn in_order(mut hits: Vec<Hit>) -> Vec<Hit> {
    hits.sort_unstable();
    hits.dedup_by_key(|hit| hit.coverage());
    hits
}
