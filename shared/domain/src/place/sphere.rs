//! The Earth as a sphere: how far two places are apart, and whether one is near enough.
//!
//! A position is a unit vector, so that "within so many miles" is a dot product and a comparison.
//! The sphere is at most 0.6 % off the ellipsoid, less than a ZIP's own size.

use std::f64::consts::PI;

/// Mean radius of the Earth in miles: R1 of the Geodetic Reference System 1980, 6,371.0088 km
/// (Moritz, Journal of Geodesy 74, 2000), at 1.609344 km a mile.
pub const EARTH_RADIUS_MILES: f64 = 3_958.761_3;

/// Coordinates in 1e-4 degrees, at most 36 feet: latitude north, longitude east (WGS 84).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Point {
    /// Latitude, −900,000 to 900,000.
    pub lat_e4: i32,
    /// Longitude, −1,800,000 to 1,800,000.
    pub lon_e4: i32,
}

impl Point {
    /// The same on the sphere. For a place of the table take [`super::Place::unit`]: it is finer,
    /// and the same on every machine, which sine and cosine are not.
    pub fn unit(self) -> Unit {
        let (lat, lon) =
            ((f64::from(self.lat_e4) / 1e4).to_radians(), (f64::from(self.lon_e4) / 1e4).to_radians());
        Unit::towards([lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()])
    }
}

/// A position on the sphere: a vector of length 1, from the Earth's centre. x points to 0° N 0° E,
/// y to 90° E, z to the north pole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit([f64; 3]);

impl Unit {
    /// The position that lies in the direction of a vector that is not zero. Only IEEE 754's exact
    /// operations, so every machine gets the same bits.
    pub(super) fn towards([x, y, z]: [f64; 3]) -> Self {
        let length = (x * x + y * y + z * z).sqrt();
        Self([x / length, y / length, z / length])
    }

    /// x, y, z.
    pub const fn xyz(self) -> [f64; 3] {
        self.0
    }

    /// Degrees north and east, −90 to 90 and −180 to 180.
    pub(super) fn degrees(self) -> (f64, f64) {
        let [x, y, z] = self.0;
        // Not `hypot`, which glibc has anew since 2.35: Lambda's has 2.34.
        (z.atan2((x * x + y * y).sqrt()).to_degrees(), y.atan2(x).to_degrees())
    }

    /// The nearest coordinates.
    pub fn point(self) -> Point {
        let (lat, lon) = self.degrees();
        Point { lat_e4: (lat * 1e4).round() as i32, lon_e4: (lon * 1e4).round() as i32 }
    }

    /// Miles along the great circle: 2 R asin(c / 2) of the chord c, which, unlike the arc cosine of
    /// the dot product, keeps its digits when the two are close
    /// (<https://en.wikipedia.org/wiki/Great-circle_distance>).
    pub fn miles_to(self, other: Self) -> f64 {
        let [x, y, z] = [0, 1, 2].map(|axis| self.0[axis] - other.0[axis]);
        let chord = (x * x + y * y + z * z).sqrt();
        2.0 * EARTH_RADIUS_MILES * (chord / 2.0).min(1.0).asin()
    }

    /// Whether the other is within reach.
    pub fn within(self, other: Self, reach: Reach) -> bool {
        self.cos_to(other) >= reach.cos
    }

    /// The cosine of the angle between the two: 1 at the same place, −1 at the opposite.
    pub fn cos_to(self, other: Self) -> f64 {
        dot(self.0, other.0)
    }
}

pub(super) fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// A radius, made ready for comparing it with many distances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reach {
    cos: f64,
}

impl Reach {
    /// Rounding may put the dot product of a place with itself this far below 1. It makes every
    /// radius longer by less than a foot.
    const SLACK: f64 = 1e-15;

    /// A radius in miles. From half the Earth's circumference on it reaches everything; a negative
    /// radius or none (NaN) reaches nothing.
    pub fn miles(miles: f64) -> Self {
        if miles >= 0.0 {
            Self { cos: (miles / EARTH_RADIUS_MILES).min(PI).cos() - Self::SLACK }
        } else {
            Self { cos: f64::INFINITY }
        }
    }

    /// The cosine that a dot product must reach.
    pub const fn cos(self) -> f64 {
        self.cos
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MIAMI: Point = Point { lat_e4: 257_617, lon_e4: -801_918 };
    const NEW_YORK: Point = Point { lat_e4: 407_128, lon_e4: -740_060 };

    #[test]
    fn miami_to_new_york_is_1090_miles() {
        let miles = MIAMI.unit().miles_to(NEW_YORK.unit());
        assert!((miles - 1_090.0).abs() < 3.0, "{miles}");
    }

    #[test]
    fn short_distances_keep_their_digits() {
        let next = Point { lat_e4: MIAMI.lat_e4 + 1, ..MIAMI };
        let feet = MIAMI.unit().miles_to(next.unit()) * 5_280.0;
        assert!((feet - 36.48).abs() < 0.01, "{feet}");
        assert_eq!(MIAMI.unit().miles_to(MIAMI.unit()).to_bits(), 0.0_f64.to_bits());
        assert!(!MIAMI.unit().within(next.unit(), Reach::miles(36.0 / 5_280.0)));
        assert!(MIAMI.unit().within(next.unit(), Reach::miles(37.5 / 5_280.0)));
    }

    #[test]
    fn opposite_places_are_half_the_circumference_apart() {
        let [x, y, z] = MIAMI.unit().xyz();
        let miles = MIAMI.unit().miles_to(Unit([-x, -y, -z]));
        assert!((miles - PI * EARTH_RADIUS_MILES).abs() < 1e-3, "{miles}");
    }

    proptest! {
        #[test]
        fn coordinates_survive_the_sphere(lat_e4 in -899_999..=899_999, lon_e4 in -1_799_999..=1_800_000) {
            let point = Point { lat_e4, lon_e4 };
            prop_assert_eq!(point.unit().point(), point);
        }

        #[test]
        fn a_place_is_within_any_radius_of_itself(lat_e4 in -900_000..=900_000, lon_e4 in -1_800_000..=1_800_000) {
            let unit = Point { lat_e4, lon_e4 }.unit();
            prop_assert!(unit.within(unit, Reach::miles(0.0)));
        }
    }
}
