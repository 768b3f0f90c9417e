//! The bytes of `data/places.bin`, read in place. Its layout is described, and written, by
//! `data/make_places.py`; everything here must agree with it, and what can be checked of that is
//! checked when this is compiled.

use super::sphere::{Reach, Unit, dot};
use super::state::State;
use super::zip::{County, Zip, Zip3};

static BYTES: &[u8] = include_bytes!("../../data/places.bin");

/// The most the table may take of the binary, in bytes.
const LIMIT_BYTES: usize = 1_200_000;

// The header counts the entries of the sections, which follow it in this order. Sizes are in bytes.
const ZIP3S_AT: usize = 44;
const ROWS_AT: usize = ZIP3S_AT + 2 * 1_001;
const WHERES_AT: usize = ROWS_AT + 19 * header(0);
const CITIES_AT: usize = WHERES_AT + 5 * header(1);
const CITY_NAMES_AT: usize = CITIES_AT + 3 * (header(2) + 1);
const ZONES_AT: usize = CITY_NAMES_AT + header(3);
const ZONE_NAMES_AT: usize = ZONES_AT + 2 * (header(4) + 1);
const CELLS_AT: usize = ZONE_NAMES_AT + header(5);
const INDEX_AT: usize = CELLS_AT + 5 * (header(6) + 1);
const STATES_AT: usize = INDEX_AT + 2 * header(7);
const AREAS_AT: usize = STATES_AT + 3 * header(8);
const END: usize = AREAS_AT + 800;

static ZIP3S: &[[u8; 2]] = section(ZIP3S_AT, ROWS_AT);
static ROWS: &[[u8; 19]] = section(ROWS_AT, WHERES_AT);
static WHERES: &[[u8; 5]] = section(WHERES_AT, CITIES_AT);
static CITIES: &[[u8; 3]] = section(CITIES_AT, CITY_NAMES_AT);
static CITY_NAMES: &[[u8; 1]] = section(CITY_NAMES_AT, ZONES_AT);
static ZONES: &[[u8; 2]] = section(ZONES_AT, ZONE_NAMES_AT);
static ZONE_NAMES: &[[u8; 1]] = section(ZONE_NAMES_AT, CELLS_AT);
static CELLS: &[[u8; 5]] = section(CELLS_AT, INDEX_AT);
static INDEX: &[[u8; 2]] = section(INDEX_AT, STATES_AT);
static STATES: &[[u8; 3]] = section(STATES_AT, AREAS_AT);
static AREAS: &[[u8; 1]] = section(AREAS_AT, END);

/// The first area code of the table.
const FIRST_AREA: u16 = 200;
/// The length of a stored unit vector, 2^23 − 1.
const SCALE: f64 = 8_388_607.0;
/// A stored unit vector is off by at most half a step on each axis: √3 / 2 steps, 1.04e-7. So is its
/// dot product with another.
const STORED_ERROR: f64 = 1.1e-7;
/// Cells of the index: half a degree of latitude and of longitude each.
const BANDS: usize = 360;
const COLUMNS: usize = 720;

const _: () = {
    assert!(BYTES.len() < LIMIT_BYTES, "the table of places is to stay below 1.2 MB");
    assert!(BYTES.len() == END, "the table of places is not as long as its header says");
    assert!(ROWS.len() < 1 << 16, "row numbers take two bytes");
    assert!(STATES.len() == State::ALL.len(), "the states of the table are not those of state.rs");
    let mut at = 0;
    while at < STATES.len() {
        let letters = State::ALL[at].as_str().as_bytes();
        assert!(
            letters[0] == STATES[at][0] && letters[1] == STATES[at][1],
            "the states stand in another order"
        );
        at += 1;
    }
};

/// A row of the table, by its number. Rows stand in the order of their ZIPs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Row(u16);

impl Row {
    pub(super) const fn number(self) -> u16 {
        self.0
    }

    pub(super) fn zip(self) -> Zip {
        Zip::of_table(u24(self.threes()[3]) as u32)
    }

    pub(super) fn unit(self) -> Option<Unit> {
        let stored = self.stored();
        (stored != [0; 3]).then(|| Unit::towards(stored.map(f64::from)))
    }

    /// [`SCALE`] times the unit vector, rounded; zeros if there are no coordinates.
    fn stored(self) -> [i32; 3] {
        [0, 1, 2].map(|axis| i24(self.threes()[axis]))
    }

    pub(super) fn county(self) -> Option<County> {
        let [a, b, c, _, _] = *self.place();
        let code = u24([a, b, c]) as u32;
        if code == 0 { None } else { County::try_from(code).ok() }
    }

    pub(super) fn state(self) -> State {
        let [_, _, _, state, _] = *self.place();
        state_at(state)
    }

    pub(super) fn zone(self) -> &'static str {
        let [_, _, _, _, zone] = *self.place();
        zone_name(zone)
    }

    pub(super) fn population(self) -> u32 {
        let [.., a, b, c, _, _] = *self.bytes();
        u24([a, b, c]) as u32
    }

    pub(super) fn city(self) -> &'static str {
        let [.., a, b] = *self.bytes();
        let city = u16([a, b]);
        name(CITY_NAMES, u24(CITIES[city]), u24(CITIES[city + 1]))
    }

    fn bytes(self) -> &'static [u8; 19] {
        &ROWS[usize::from(self.0)]
    }

    /// The first fields, of three bytes each: x, y, z, ZIP.
    fn threes(self) -> &'static [[u8; 3]] {
        self.bytes().as_chunks().0
    }

    /// County, state and zone.
    fn place(self) -> &'static [u8; 5] {
        let [.., a, b, _, _, _, _, _] = *self.bytes();
        &WHERES[u16([a, b])]
    }
}

/// The row of a ZIP: its ZIP3 says where to look, among at most a hundred.
pub(super) fn row_of(zip: Zip) -> Option<Row> {
    let (from, to) = zip3_rows(zip.zip3());
    let at = search(from, to, |at| Row(at as u16).zip() < zip);
    (at < to).then_some(Row(at as u16)).filter(|row| row.zip() == zip)
}

/// All rows.
pub(super) fn rows() -> impl ExactSizeIterator<Item = Row> {
    (0..ROWS.len() as u16).map(Row)
}

/// The rows of a ZIP3.
pub(super) fn rows_in_zip3(zip3: Zip3) -> impl ExactSizeIterator<Item = Row> {
    let (from, to) = zip3_rows(zip3);
    (from as u16..to as u16).map(Row)
}

/// The rows within reach.
pub(super) fn rows_within(center: Unit, reach: Reach) -> impl Iterator<Item = Row> {
    let window = Window::around(center, reach);
    (window.first_band..=window.last_band)
        .flat_map(move |band| window.columns.map(|columns| (band, columns)))
        .flat_map(|(band, (first, last))| cell_rows(band * COLUMNS + first, band * COLUMNS + last))
        .map(|entry| Row(u16::from_le_bytes(*entry)))
        .filter(move |row| is_within(*row, center, reach))
}

/// As [`Unit::within`] of the row's unit vector. Making a unit vector of the stored one takes a root
/// and divisions; all but the few rows on the very border are decided without.
fn is_within(row: Row, center: Unit, reach: Reach) -> bool {
    let rough = dot(row.stored().map(f64::from), center.xyz()) / SCALE;
    if (rough - reach.cos()).abs() > STORED_ERROR {
        rough > reach.cos()
    } else {
        row.unit().is_some_and(|unit| center.within(unit, reach))
    }
}

/// The state of a county; the wheres stand in the order of counties.
pub(super) fn state_of_county(county: County) -> Option<State> {
    let county = county.as_u32() as usize;
    let code = |at: usize| u24([WHERES[at][0], WHERES[at][1], WHERES[at][2]]);
    let at = search(0, WHERES.len(), |at| code(at) < county);
    (county > 0 && at < WHERES.len() && code(at) == county).then(|| state_at(WHERES[at][3]))
}

/// The zone of a state.
pub(super) fn state_zone(state: State) -> &'static str {
    let [_, _, zone] = STATES[state.index()];
    zone_name(zone)
}

/// The state of an area code.
pub(super) fn state_of_area_code(code: u16) -> Option<State> {
    let [state] = *AREAS.get(usize::from(code.checked_sub(FIRST_AREA)?))?;
    State::from_index(state)
}

/// The cells that a circle touches: bands of latitude, and one or two ranges of columns (two where
/// it crosses the antimeridian). First and last are both in.
struct Window {
    first_band: usize,
    last_band: usize,
    columns: [(usize, usize); 2],
}

impl Window {
    /// The bounding box of a circle on the sphere
    /// (Matuschek, <http://janmatuschek.de/LatitudeLongitudeBoundingCoordinates>).
    fn around(center: Unit, reach: Reach) -> Self {
        // Past every rounding here and in the table, and still only 36 feet.
        const MARGIN_DEGREES: f64 = 1e-4;
        const NOTHING: (usize, usize) = (1, 0);

        let (lat, lon) = center.degrees();
        // What reaches nothing has a cosine above 1: a window of the margin alone will do.
        let radius = reach.cos().clamp(-1.0, 1.0).acos().to_degrees() + MARGIN_DEGREES;
        let (south, north) = (lat - radius, lat + radius);
        let band = |lat: f64| (((lat + 90.0) * 2.0).max(0.0) as usize).min(BANDS - 1);
        let column = |lon: f64| (((lon + 180.0) * 2.0).max(0.0) as usize).min(COLUMNS - 1);

        let columns = if south <= -90.0 || north >= 90.0 {
            [(0, COLUMNS - 1), NOTHING] // a pole is inside: all around
        } else {
            let half = (radius.to_radians().sin() / lat.to_radians().cos()).min(1.0).asin().to_degrees();
            let half = half + MARGIN_DEGREES;
            let (west, east) = (lon - half, lon + half);
            if west < -180.0 {
                [(0, column(east)), (column(west + 360.0), COLUMNS - 1)]
            } else if east > 180.0 {
                [(0, column(east - 360.0)), (column(west), COLUMNS - 1)]
            } else {
                [(column(west), column(east)), NOTHING]
            }
        };
        Self { first_band: band(south), last_band: band(north), columns }
    }
}

/// The entries of the index for the cells from `first` to `last`, none if the last is before.
fn cell_rows(first: usize, last: usize) -> &'static [[u8; 2]] {
    let key = |at: usize| u24([CELLS[at][0], CELLS[at][1], CELLS[at][2]]);
    let start = |at: usize| u16([CELLS[at][3], CELLS[at][4]]);
    // The last cell is the end of all.
    let from = search(0, CELLS.len() - 1, |at| key(at) < first);
    let mut to = from;
    while key(to) <= last {
        to += 1; // a step is cheaper than a search: cells that hold places are few in a row
    }
    &INDEX[start(from)..start(to)]
}

/// The first row of a ZIP3, and the first after it.
fn zip3_rows(zip3: Zip3) -> (usize, usize) {
    let at = usize::from(zip3.as_u16());
    (u16(ZIP3S[at]), u16(ZIP3S[at + 1]))
}

/// The first position in `from..to` that does not come before, or `to`.
fn search(mut from: usize, mut to: usize, before: impl Fn(usize) -> bool) -> usize {
    while from < to {
        let middle = usize::midpoint(from, to);
        if before(middle) { from = middle + 1 } else { to = middle }
    }
    from
}

fn state_at(number: u8) -> State {
    // The table is a constant, and a test reads every row: the default is never taken.
    State::from_index(number).unwrap_or(State::ALL[0])
}

fn zone_name(number: u8) -> &'static str {
    let number = usize::from(number);
    name(ZONE_NAMES, u16(ZONES[number]), u16(ZONES[number + 1]))
}

fn name(names: &'static [[u8; 1]], from: usize, to: usize) -> &'static str {
    std::str::from_utf8(names[from..to].as_flattened()).unwrap_or_default()
}

/// The entries from one byte up to another.
const fn section<const SIZE: usize>(from: usize, to: usize) -> &'static [[u8; SIZE]] {
    BYTES.split_at(to).0.split_at(from).1.as_chunks().0
}

/// A number of the header.
const fn header(at: usize) -> usize {
    let at = 8 + 4 * at;
    u32::from_le_bytes([BYTES[at], BYTES[at + 1], BYTES[at + 2], BYTES[at + 3]]) as usize
}

const fn u16(bytes: [u8; 2]) -> usize {
    u16::from_le_bytes(bytes) as usize
}

const fn u24([a, b, c]: [u8; 3]) -> usize {
    u32::from_le_bytes([a, b, c, 0]) as usize
}

const fn i24([a, b, c]: [u8; 3]) -> i32 {
    i32::from_le_bytes([0, a, b, c]) >> 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_small_and_whole() {
        assert!(BYTES.len() < LIMIT_BYTES);
        assert_eq!(&BYTES[..8], b"LYPLACE1");
        assert_eq!(u16(ZIP3S[1_000]), ROWS.len());
        assert!(WHERES.iter().all(|[.., state, _]| usize::from(*state) < STATES.len()));
        assert!(WHERES.iter().all(|[.., zone]| usize::from(*zone) + 1 < ZONES.len()));
        assert!(std::str::from_utf8(CITY_NAMES.as_flattened()).is_ok());
        assert!(ZONE_NAMES.as_flattened().is_ascii());
        // Reading the rest of every row is `every_zip_can_be_asked_for`.
        assert!(rows().all(|row| row.zone().contains('/') && row.city().len() < 64));
    }

    #[test]
    fn every_place_with_coordinates_is_in_the_index_once() {
        let mut indexed: Vec<_> = INDEX.iter().map(|entry| Row(u16::from_le_bytes(*entry))).collect();
        indexed.sort_unstable();
        let with: Vec<_> = rows().filter(|row| row.unit().is_some()).collect();
        assert!(indexed == with);
    }

    #[test]
    fn a_stored_vector_is_as_near_as_it_is_said_to_be() {
        for row in rows() {
            let Some(unit) = row.unit() else { continue };
            let [x, y, z] = row.stored().map(|part| f64::from(part) / SCALE);
            assert!(((x * x + y * y + z * z).sqrt() - 1.0).abs() < STORED_ERROR, "{:?}", unit.point());
        }
    }
}
