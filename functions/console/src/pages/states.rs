//! A map of the states as tiles of one size: each has its place, its number and a shade by its share.
//!
//! A small state with much trade is seen as well as a large one without. What stands on no tile is told beside the map.

use leadyard_domain::place::State;

use super::chart::{Unit, brief};

/// Where each state stands: column and row (the arrangement that newspapers use, with Puerto Rico).
#[rustfmt::skip] // a row of the map a line
const PLACES: [(&str, usize, usize); 52] = [
    ("AK", 0, 0), ("ME", 10, 0),
    ("WI", 5, 1), ("VT", 9, 1), ("NH", 10, 1),
    ("WA", 0, 2), ("ID", 1, 2), ("MT", 2, 2), ("ND", 3, 2), ("MN", 4, 2), ("IL", 5, 2), ("MI", 6, 2),
    ("NY", 8, 2), ("MA", 9, 2),
    ("OR", 0, 3), ("NV", 1, 3), ("WY", 2, 3), ("SD", 3, 3), ("IA", 4, 3), ("IN", 5, 3), ("OH", 6, 3),
    ("PA", 7, 3), ("NJ", 8, 3), ("CT", 9, 3), ("RI", 10, 3),
    ("CA", 0, 4), ("UT", 1, 4), ("CO", 2, 4), ("NE", 3, 4), ("MO", 4, 4), ("KY", 5, 4), ("WV", 6, 4),
    ("VA", 7, 4), ("MD", 8, 4), ("DE", 9, 4),
    ("AZ", 1, 5), ("NM", 2, 5), ("KS", 3, 5), ("AR", 4, 5), ("TN", 5, 5), ("NC", 6, 5), ("SC", 7, 5),
    ("DC", 8, 5),
    ("OK", 3, 6), ("LA", 4, 6), ("MS", 5, 6), ("AL", 6, 6), ("GA", 7, 6),
    ("HI", 0, 7), ("TX", 3, 7), ("FL", 8, 7), ("PR", 10, 7),
];

/// Units of the drawing for a tile and its gap.
const TILE: usize = 44;
/// The least share of each shade but the first, in hundredths of a per cent.
const SHADES: [i128; 4] = [1, 200, 500, 1_000];

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Map {
    pub(super) tiles: Vec<Tile>,
    /// How much of it is elsewhere, or nobody knows where; empty, where nothing is.
    pub(super) elsewhere: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) state: &'static str,
    /// Empty, where there is nothing.
    pub(super) number: String,
    /// `Florida: 12, 24 % of all`.
    pub(super) title: String,
    /// From 0, nothing, to 4, a tenth of all or more.
    pub(super) shade: usize,
}

impl Map {
    /// A map of values by their states, of which each may be said in a way of its own; `whole` is all of it.
    pub(super) fn of(unit: Unit, values: &[(String, i64, String)], whole: i64) -> Self {
        let tiles = PLACES.iter().map(|(letters, column, row)| {
            let of_it = values.iter().find(|(state, ..)| state == letters);
            let (value, says) = of_it.map_or((0, "nothing"), |(_, value, says)| (*value, says.as_str()));
            let name = letters.parse::<State>().map_or(*letters, |state| state.name());
            let share = share(value, whole);
            let of_all = if share > 0 { format!(", {} of all", said(share)) } else { String::new() };
            Tile {
                x: column * TILE,
                y: row * TILE,
                state: letters,
                number: if value == 0 { String::new() } else { brief(unit, value) },
                title: format!("{name}: {says}{of_all}"),
                shade: SHADES.iter().filter(|least| share >= **least).count(),
            }
        });
        let elsewhere: i64 = values
            .iter()
            .filter(|(state, ..)| !PLACES.iter().any(|(letters, ..)| letters == state))
            .map(|(_, value, _)| *value)
            .fold(0, i64::saturating_add);
        Self {
            tiles: tiles.collect(),
            elsewhere: if elsewhere == 0 { String::new() } else { brief(unit, elsewhere) },
        }
    }
}

/// In hundredths of a per cent; of what is there, at least one.
fn share(value: i64, whole: i64) -> i128 {
    if value <= 0 || whole <= 0 {
        return 0;
    }
    (i128::from(value) * 10_000 / i128::from(whole)).max(1)
}

fn said(hundredths: i128) -> String {
    match hundredths {
        ..100 => "less than 1 %".to_owned(),
        _ => format!("{} %", (hundredths + 50) / 100),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn tile<'m>(map: &'m Map, state: &str) -> &'m Tile {
        map.tiles.iter().find(|tile| tile.state == state).unwrap()
    }

    #[test]
    fn each_of_the_fifty_states_has_a_place_of_its_own() {
        let places: BTreeSet<_> = PLACES.iter().map(|(_, column, row)| (column, row)).collect();
        let states: BTreeSet<_> = PLACES.iter().map(|(state, ..)| state.parse::<State>().unwrap()).collect();
        assert_eq!((places.len(), states.len()), (52, 52));
        let left_out: Vec<&str> =
            State::ALL.iter().filter(|state| !states.contains(state)).map(|state| state.as_str()).collect();
        assert_eq!(left_out, ["AA", "AE", "AP", "AS", "FM", "GU", "MH", "MP", "PW", "VI"]);
    }

    #[test]
    fn a_tile_is_shaded_by_its_share_and_says_it() {
        let values = [("FL", 60), ("NY", 30), ("TX", 9), ("GA", 1), ("GU", 2), ("", 3)];
        let values = values.map(|(state, value)| (state.to_owned(), value, value.to_string()));
        let map = Map::of(Unit::Count, &values, 1_000);
        let shades = ["FL", "NY", "TX", "CA"].map(|state| tile(&map, state).shade);
        assert_eq!(shades, [3, 2, 1, 0]);
        assert_eq!(tile(&map, "FL").title, "Florida: 60, 6 % of all");
        assert_eq!(tile(&map, "GA").title, "Georgia: 1, less than 1 % of all");
        assert_eq!(tile(&map, "CA").title, "California: nothing");
        assert_eq!((tile(&map, "FL").number.as_str(), tile(&map, "CA").number.as_str()), ("60", ""));
        assert_eq!(map.elsewhere, "5", "islands, and what is not known");
        assert_eq!(tile(&Map::of(Unit::Count, &values, 60), "FL").shade, 4);
    }

    #[test]
    fn a_map_of_nothing_is_empty_and_of_a_loss_unshaded() {
        let map = Map::of(Unit::Count, &[], 0);
        assert!(map.tiles.iter().all(|tile| tile.shade == 0 && tile.number.is_empty()));
        let map = Map::of(Unit::Money, &[("FL".to_owned(), -500, "−5.00".to_owned())], -500);
        assert_eq!((tile(&map, "FL").shade, tile(&map, "FL").number.as_str()), (0, "−5"));
    }
}
