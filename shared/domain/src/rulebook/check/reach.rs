//! Who compels where: from a place to the coverages of compelling contracts.

use super::ground::Coverage;
use super::survey::{Standing, Survey};
use crate::contract::Specificity;
use crate::place::State;

/// Rows in all: at most 72 MB. A coverage for which there is no room is left out.
const ROWS: usize = 6_000_000;

/// A coverage, and the part by which it covers.
type Row = (u32, Specificity);

/// The coverages of the compelling contracts that may be given a lead.
pub(super) struct Reach {
    /// Where each place's rows begin; one more at the end.
    starts: Vec<u32>,
    narrow: Vec<Row>,
    by_state: Vec<Vec<Row>>,
    /// The contracts of each coverage, as they stand in the survey; none for one that was left out.
    contracts: Vec<Vec<usize>>,
    /// Whether every coverage is in it.
    pub(super) is_whole: bool,
}

impl Reach {
    pub(super) fn of(survey: &Survey<'_>) -> Self {
        let mut contracts: Vec<Vec<usize>> = vec![Vec::new(); survey.coverages.len()];
        for (number, standing) in survey.living() {
            if standing.contract.territory.compels()
                && let Some(list) = contracts.get_mut(standing.coverage)
            {
                list.push(number);
            }
        }
        let mut is_whole = true;
        let mut rows = 0;
        for (list, coverage) in contracts.iter_mut().zip(&survey.coverages) {
            if list.is_empty() {
                continue;
            }
            if coverage.is_listed() && rows + coverage.listed() <= ROWS {
                rows += coverage.listed();
            } else {
                list.clear();
                is_whole = false;
            }
        }
        let chosen = || {
            let numbered = (0_u32..).zip(survey.coverages.iter().zip(&contracts));
            numbered
                .filter(|(_, (_, list))| !list.is_empty())
                .map(|(number, (coverage, _))| (number, coverage))
        };
        let (starts, narrow) = narrow_rows(survey.ground.places.len(), chosen);
        let wide = |state: State| {
            chosen().filter_map(|(number, coverage)| Some((number, coverage.wide(state)?))).collect()
        };
        let by_state = State::ALL.iter().map(|&state| wide(state)).collect();
        Self { starts, narrow, by_state, contracts, is_whole }
    }

    /// The coverages of which a narrow part covers a place.
    pub(super) fn narrow(&self, place: u16) -> &[Row] {
        let start = |at: usize| self.starts.get(at).map_or(0, |&start| start as usize);
        let at = usize::from(place);
        self.narrow.get(start(at)..start(at + 1)).unwrap_or_default()
    }

    /// The coverages of which a wide part covers a state.
    pub(super) fn wide(&self, state: State) -> &[Row] {
        self.by_state.get(state.index()).map_or(&[], Vec::as_slice)
    }

    /// The compelling contracts of a coverage.
    pub(super) fn contracts(&self, coverage: u32) -> &[usize] {
        self.contracts.get(coverage as usize).map_or(&[], Vec::as_slice)
    }
}

/// Counted first, then filled in: a list for each place, all in one.
fn narrow_rows<'a, I: Iterator<Item = (u32, &'a Coverage)>>(
    places: usize,
    coverages: impl Fn() -> I,
) -> (Vec<u32>, Vec<Row>) {
    let mut starts = vec![0_u32; places + 1];
    for (_, coverage) in coverages() {
        for (place, _) in coverage.narrow_places() {
            if let Some(count) = starts.get_mut(usize::from(place) + 1) {
                *count += 1;
            }
        }
    }
    let mut sum = 0;
    for start in &mut starts {
        sum += *start;
        *start = sum;
    }
    let mut next = starts.clone();
    let mut rows = vec![(0, Specificity::Any); sum as usize];
    for (number, coverage) in coverages() {
        for (place, specificity) in coverage.narrow_places() {
            if let Some(at) = next.get_mut(usize::from(place)) {
                if let Some(row) = rows.get_mut(*at as usize) {
                    *row = (number, specificity);
                }
                *at += 1;
            }
        }
    }
    (starts, rows)
}

impl Standing<'_> {
    /// Whether it has a say before the ranking.
    pub(super) fn compels(&self) -> bool {
        self.contract.territory.compels()
    }
}
