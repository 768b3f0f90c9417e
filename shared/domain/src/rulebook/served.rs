//! In which states each contract takes leads: by its area alone, whatever it asks of a lead besides.

use std::collections::HashMap;

use super::Rulebook;
use super::compile::{CoverageKey, coverage_of, measured, states_of};
use crate::ids::DealerId;
use crate::place::{State, Zip};

/// Some of the states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct States(u64);

impl States {
    /// With one more.
    pub const fn insert(&mut self, state: State) {
        self.0 |= 1 << state.index();
    }

    /// With those of another set.
    pub const fn extend(&mut self, others: Self) {
        self.0 |= others.0;
    }

    /// Whether one is among them.
    pub const fn contains(self, state: State) -> bool {
        self.0 & (1 << state.index()) != 0
    }
}

/// Where a contract takes leads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// States in which a part of its area lies, be it one ZIP.
    pub states: States,
    /// A part of its area is the whole country: that is no state of its own.
    pub everywhere: bool,
}

impl Rulebook {
    /// Where each contract takes leads, in the order of [`Rulebook::contracts`]; nowhere, where nothing lies in its area.
    /// A wide circle looks at the places of the whole country, once per ZIP and radius: who asks often keeps what it says.
    pub fn served(&self) -> Vec<Served> {
        let zips: HashMap<&DealerId, Zip> =
            self.dealers.iter().map(|dealer| (&dealer.id, dealer.zip)).collect();
        let measured = measured(self);
        let (mut known, mut circles) = (HashMap::new(), HashMap::new());
        let mut of = |(area, zip): CoverageKey<'_>| {
            let mut served = Served::default();
            for part in self.areas.get(area).into_iter().flatten() {
                match states_of(*part, zip, &mut circles) {
                    Some(states) => states.into_iter().for_each(|state| served.states.insert(state)),
                    None => served.everywhere = true,
                }
            }
            served
        };
        let contracts = self.contracts.iter().map(|contract| {
            let key = coverage_of(contract, zips.get(&contract.dealer).copied(), &measured);
            *known.entry(key).or_insert_with(|| of(key))
        });
        contracts.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_room_for_every_state() {
        let mut all = States::default();
        for state in State::ALL {
            assert!(!all.contains(*state));
            all.insert(*state);
            assert!(all.contains(*state));
        }
        let mut one = States::default();
        one.insert(State::ALL[3]);
        let mut both = States::default();
        both.extend(one);
        assert!(both == one && !both.contains(State::ALL[4]));
    }
}
