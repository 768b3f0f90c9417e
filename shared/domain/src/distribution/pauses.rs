//! Who gets nothing for a while, found by whose pause it is: there may be thousands of pauses, and a
//! decision asks for hundreds of contracts and dealers.

use std::collections::HashMap;
use std::hash::Hash;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A pause of one contract or dealer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause<Id> {
    /// Whose.
    pub id: Id,
    /// Why, as the desk wrote it.
    pub reason: String,
    /// When it ends by itself; never, if `None`.
    pub until: Option<Timestamp>,
}

impl<Id> Pause<Id> {
    fn ends(&self) -> Timestamp {
        self.until.unwrap_or(Timestamp::MAX)
    }
}

/// Pauses in the order they were made, read as a slice and stored as a list. Those that are over stay in it
/// and count for nothing.
#[derive(Clone, Debug)]
pub struct Pauses<Id> {
    list: Vec<Pause<Id>>,
    /// The last end of each.
    ends: HashMap<Id, Timestamp>,
}

impl<Id: Clone + Eq + Hash> Pauses<Id> {
    /// Pauses a contract or dealer; an earlier pause of it is forgotten.
    pub fn set(&mut self, pause: Pause<Id>) {
        self.lift(&pause.id);
        self.ends.insert(pause.id.clone(), pause.ends());
        self.list.push(pause);
    }

    /// Ends every pause of a contract or dealer.
    pub fn lift(&mut self, id: &Id) {
        if self.ends.remove(id).is_some() {
            self.list.retain(|pause| &pause.id != id);
        }
    }

    /// Ends every pause.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The end of the last pause of this one, whether it is over or not; [`Timestamp::MAX`] if by itself it
    /// never ends.
    pub(super) fn end(&self, id: &Id) -> Option<&Timestamp> {
        self.ends.get(id)
    }
}

impl<Id: Clone + Eq + Hash> From<Vec<Pause<Id>>> for Pauses<Id> {
    fn from(list: Vec<Pause<Id>>) -> Self {
        let mut ends = HashMap::with_capacity(list.len());
        for pause in &list {
            let last = ends.entry(pause.id.clone()).or_insert(pause.ends());
            *last = pause.ends().max(*last);
        }
        Self { list, ends }
    }
}

impl<Id: Clone + Eq + Hash> FromIterator<Pause<Id>> for Pauses<Id> {
    fn from_iter<Pauses: IntoIterator<Item = Pause<Id>>>(pauses: Pauses) -> Self {
        pauses.into_iter().collect::<Vec<_>>().into()
    }
}

impl<Id> Default for Pauses<Id> {
    fn default() -> Self {
        Self { list: Vec::new(), ends: HashMap::new() }
    }
}

impl<Id> std::ops::Deref for Pauses<Id> {
    type Target = [Pause<Id>];
    fn deref(&self) -> &[Pause<Id>] {
        &self.list
    }
}

impl<Id: PartialEq> PartialEq for Pauses<Id> {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl<Id: Serialize> Serialize for Pauses<Id> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.list.serialize(serializer)
    }
}

impl<'de, Id: Clone + Eq + Hash + Deserialize<'de>> Deserialize<'de> for Pauses<Id> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DealerId;
    use proptest::prelude::*;

    fn pause(id: u8, until: Option<i64>) -> Pause<DealerId> {
        Pause {
            id: format!("dealer-{id}").parse().unwrap(),
            reason: String::new(),
            until: until.map(|second| Timestamp::from_second(second).unwrap()),
        }
    }

    proptest! {
        #[test]
        fn the_last_pause_of_each_counts_however_they_came_about(
            stored in prop::collection::vec((0..4_u8, prop::option::of(0..9_i64)), 0..8),
            flips in prop::collection::vec((0..4_u8, prop::option::of(prop::option::of(0..9_i64))), 0..8),
        ) {
            let mut pauses: Pauses<DealerId> = stored.iter().map(|&(id, until)| pause(id, until)).collect();
            let mut list: Vec<Pause<DealerId>> = pauses.to_vec();
            for (id, flip) in flips {
                let new = pause(id, flip.flatten());
                list.retain(|pause| pause.id != new.id);
                match flip {
                    Some(_) => {
                        list.push(new.clone());
                        pauses.set(new);
                    }
                    None => pauses.lift(&new.id),
                }
            }
            prop_assert_eq!(&pauses[..], &list[..]);
            let text = serde_json::to_string(&pauses).unwrap();
            let read: Pauses<DealerId> = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(text, serde_json::to_string(&list).unwrap());
            for id in (0..5).map(|id| pause(id, None).id) {
                let last = list.iter().filter(|pause| pause.id == id).map(Pause::ends).max();
                prop_assert_eq!(pauses.end(&id), last.as_ref());
                prop_assert_eq!(read.end(&id), last.as_ref());
            }
        }
    }
}
