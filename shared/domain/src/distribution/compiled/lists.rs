//! Sorted lists, searched by key.

use serde::{Deserialize, Serialize};

/// Rows by a key that many of them share. The keys stand apart from the rows, so that a search reads few of
/// them, and those lie close together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Lists<Key> {
    /// Each key once, sorted; its rows end before this one, and begin where those of the key before it end.
    keys: Vec<(Key, u32)>,
    rows: Vec<u32>,
}

impl<Key> Default for Lists<Key> {
    fn default() -> Self {
        Self { keys: Vec::new(), rows: Vec::new() }
    }
}

impl<Key: Ord + Copy> Lists<Key> {
    /// Of rows under their keys, in any order; one that is named twice under a key counts once.
    pub(super) fn new(mut pairs: Vec<(Key, u32)>) -> Self {
        pairs.sort_unstable();
        pairs.dedup();
        let mut lists = Self { keys: Vec::new(), rows: Vec::with_capacity(pairs.len()) };
        for (key, row) in pairs {
            lists.rows.push(row);
            let end = lists.rows.len() as u32;
            match lists.keys.last_mut() {
                Some(last) if last.0 == key => last.1 = end,
                Some(_) | None => lists.keys.push((key, end)),
            }
        }
        lists.keys.shrink_to_fit();
        lists
    }

    /// How many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        size_of_val(self.keys.as_slice()) + size_of_val(self.rows.as_slice())
    }

    /// The rows of a key, in order.
    pub(super) fn of(&self, key: Key) -> &[u32] {
        let Ok(at) = self.keys.binary_search_by_key(&key, |known| known.0) else { return &[] };
        let end = |at: usize| self.keys.get(at).map_or(0, |known| known.1 as usize);
        let start = at.checked_sub(1).map_or(0, end);
        self.rows.get(start..end(at)).unwrap_or_default()
    }
}

/// The rows whose key equals `key`, in a list sorted by it.
pub(super) fn equal<Row, Key: Ord + Copy>(rows: &[Row], of: impl Fn(&Row) -> Key, key: Key) -> &[Row] {
    let from = rows.partition_point(|row| of(row) < key);
    let rest = rows.get(from..).unwrap_or_default();
    let count = rest.iter().position(|row| of(row) != key).unwrap_or(rest.len());
    rest.get(..count).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_row_is_found_under_its_key_and_no_other(
            pairs in prop::collection::vec((0..9_u32, 0..9_u32), 0..30),
            key in 0..10_u32,
        ) {
            let lists = Lists::new(pairs.clone());
            let mut own: Vec<u32> = pairs.iter().filter(|pair| pair.0 == key).map(|pair| pair.1).collect();
            own.sort_unstable();
            let mut sorted = pairs;
            sorted.sort_unstable();
            let equals: Vec<u32> = equal(&sorted, |pair| pair.0, key).iter().map(|pair| pair.1).collect();
            prop_assert_eq!(&equals, &own);
            own.dedup();
            prop_assert_eq!(lists.of(key), &own[..]);
        }
    }
}
