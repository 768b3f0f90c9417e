//! Where a contract is, and how far from a lead: an area's parts as the worlds wrote them, compared digit by digit, and
//! miles by the haversine. Of the table of places only what it holds is read.

use leadyard_domain::contract::{Contract, Specificity};
use leadyard_domain::distribution::Location;
use leadyard_domain::place::{self, Zip};

use crate::world::AREAS;

/// The Earth's mean radius: R1 of the Geodetic Reference System 1980, 6,371.0088 km, in miles of 1.609344 km.
const EARTH_RADIUS_MILES: f64 = 6_371.008_8 / 1.609_344;

/// How narrow a part is: by what it says where, and of a radius by how many miles. The smaller is the narrower.
pub(super) type Narrowness = (u8, u32);

/// The parts of a contract's area.
pub(super) fn parts(contract: &Contract) -> &'static [&'static str] {
    AREAS.iter().find(|(name, _)| *name == contract.area.as_str()).unwrap().1
}

/// How narrow a part is.
pub(super) fn narrowness(part: &str) -> Narrowness {
    let (kind, value) = part.split_once(':').unwrap_or((part, ""));
    match kind {
        "zip" => (0, 0),
        "zip3" => (1, 0),
        "county" => (2, 0),
        "radius_mi" => (3, number(value)),
        "state" => (4, 0),
        "any" => (5, 0),
        other => panic!("no part of an area is a {other}"),
    }
}

/// The same in a decision's words.
pub(super) const fn specificity((by, miles): Narrowness) -> Specificity {
    match by {
        0 => Specificity::Zip,
        1 => Specificity::Zip3,
        2 => Specificity::County,
        3 => Specificity::RadiusMiles(miles),
        4 => Specificity::State,
        _ => Specificity::Any,
    }
}

/// Where a lead is, as far as that is known.
pub(super) struct Whereabouts {
    placed: bool,
    zip: Option<Zip>,
    county: Option<u32>,
    state: Option<&'static str>,
}

impl Whereabouts {
    /// `guesses`: a state that is a guess is as good as none, if not.
    pub(super) fn of(location: Location, guesses: bool) -> Self {
        let at = match location {
            Location::Zip(zip) => place::of(zip),
            Location::State { .. } | Location::Unplaced => None,
        };
        let state = match location {
            Location::Zip(_) => at.map(|at| at.state().as_str()),
            Location::State { guessed: true, .. } if !guesses => None,
            Location::State { state, .. } => Some(state.as_str()),
            Location::Unplaced => None,
        };
        Self {
            placed: location != Location::Unplaced,
            zip: at.map(|at| at.zip()),
            county: at.and_then(|at| at.county()).map(|county| county.as_u32()),
            state,
        }
    }

    /// Whether a part covers it, a radius being measured from `center`. Without a ZIP nothing finer than a state does,
    /// unless that is `finer` all the same.
    pub(super) fn is_in(&self, part: &str, center: Zip, finer: bool) -> bool {
        let (kind, value) = part.split_once(':').unwrap_or((part, ""));
        match (kind, self.zip) {
            ("any", _) => self.placed,
            ("state", _) => self.state == Some(value),
            (_, None) => finer,
            ("zip", Some(zip)) => zip.as_u32() == number(value),
            ("zip3", Some(zip)) => zip.as_u32() / 100 == number(value),
            ("county", Some(_)) => self.county == Some(number(value)),
            ("radius_mi", Some(zip)) => {
                miles(center, zip).is_some_and(|miles| miles <= f64::from(number(value)))
            }
            (other, Some(_)) => panic!("no part of an area is a {other}"),
        }
    }
}

fn number(digits: &str) -> u32 {
    digits.parse().unwrap()
}

/// Miles between two ZIPs that have coordinates, by the haversine (R. W. Sinnott, "Virtues of the Haversine", Sky and
/// Telescope 68, 1984).
pub(super) fn miles(one: Zip, other: Zip) -> Option<f64> {
    let (lat, lon) = radians(one)?;
    let (other_lat, other_lon) = radians(other)?;
    let half = |from: f64, to: f64| ((to - from) / 2.0).sin().powi(2);
    let haversine = half(lat, other_lat) + lat.cos() * other_lat.cos() * half(lon, other_lon);
    Some(2.0 * EARTH_RADIUS_MILES * haversine.sqrt().min(1.0).asin())
}

/// Latitude and longitude.
fn radians(zip: Zip) -> Option<(f64, f64)> {
    let [x, y, z] = place::of(zip)?.unit()?.xyz();
    Some((z.asin(), y.atan2(x)))
}

#[test]
fn no_two_places_of_the_worlds_are_so_far_apart_that_rounding_decides() {
    let zips = crate::world::ZIPS.map(|zip| zip.parse::<Zip>().unwrap());
    let mut measured = 0;
    for (at, one) in zips.iter().enumerate() {
        for other in &zips[at + 1..] {
            let Some(miles) = miles(*one, *other) else { continue };
            // Radii and buckets are whole miles; the two formulas differ by a millionth of this.
            assert!((miles - miles.round()).abs() > 1e-4, "{one} and {other}: {miles}");
            measured += 1;
        }
    }
    assert_eq!(measured, 10);
}
