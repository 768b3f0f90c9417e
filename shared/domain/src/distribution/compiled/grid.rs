//! Where circles stand, so that those around a point are found without looking at all.

use crate::place::{self, Unit};

/// A net over the Earth that finds the circles around a point. Two of them, so that a wide circle does
/// not stand in a thousand cells, nor a small one among strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Grid {
    /// Cells of half a degree of latitude and longitude.
    Fine,
    /// Cells of four degrees.
    Coarse,
}

impl Grid {
    pub(super) const ALL: [Self; 2] = [Self::Fine, Self::Coarse];

    /// In which a circle stands.
    pub(super) const fn of(miles: u32) -> Self {
        if miles <= 60 { Self::Fine } else { Self::Coarse }
    }

    /// The width of a cell in 1e-4 degrees.
    const fn width_e4(self) -> i32 {
        match self {
            Self::Fine => 5_000,
            Self::Coarse => 40_000,
        }
    }

    pub(super) fn cell_of(self, unit: Unit) -> u32 {
        let point = unit.point();
        self.cell(point.lat_e4.div_euclid(self.width_e4()), point.lon_e4.div_euclid(self.width_e4()))
    }

    fn cell(self, row: i32, column: i32) -> u32 {
        // Rows are at most 180 from the equator; columns go around the world. The fine grid has fewer
        // than 2^19 cells: the coarse one stands above it.
        let around = 3_600_000 / self.width_e4();
        let base = match self {
            Self::Fine => 0,
            Self::Coarse => 1 << 19,
        };
        base + ((row + 181) * around + column.rem_euclid(around)) as u32
    }

    /// Every cell that a circle may touch: those of its bounding box. On the sphere of
    /// [`place::EARTH_RADIUS_MILES`], a circle of angular radius r around latitude φ reaches
    /// asin(sin r / cos φ) to the east and west, and all around where it holds a pole.
    pub(super) fn cells_of(self, center: Unit, miles: u32) -> Vec<u32> {
        // Points are read to 1e-4 degrees, at both ends.
        const ROUNDING: f64 = 3e-4;
        let r = f64::from(miles) / place::EARTH_RADIUS_MILES;
        let center = center.point();
        let (lat, lon) = (f64::from(center.lat_e4) / 1e4, f64::from(center.lon_e4) / 1e4);
        let lat_reach = r.to_degrees() + ROUNDING;
        let lon_reach = if lat.abs() + lat_reach >= 89.9 {
            180.0
        } else {
            ((r + ROUNDING.to_radians()).sin() / (lat.abs() + ROUNDING).to_radians().cos())
                .asin()
                .to_degrees()
                + ROUNDING
        };
        let width = f64::from(self.width_e4()) / 1e4;
        let index = |degrees: f64| (degrees / width).floor() as i32;
        let rows = index((lat - lat_reach).max(-90.0))..=index((lat + lat_reach).min(90.0));
        let columns = index(lon - lon_reach)..=index(lon + lon_reach);
        let mut cells: Vec<u32> =
            rows.flat_map(|row| columns.clone().map(move |column| self.cell(row, column))).collect();
        cells.sort_unstable();
        cells.dedup();
        cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;
    use crate::place::{Place, Point, Reach};
    use proptest::prelude::*;
    use proptest::sample::select;

    fn unit(lat: f64, lon: f64) -> Unit {
        // Around the poles and the world once.
        let lon = (lon + 540.0).rem_euclid(360.0) - 180.0;
        Point { lat_e4: (lat.clamp(-90.0, 90.0) * 1e4) as i32, lon_e4: (lon * 1e4) as i32 }.unit()
    }

    fn found(center: Unit, miles: u32, point: Unit) -> bool {
        let grid = Grid::of(miles);
        grid.cells_of(center, miles).contains(&grid.cell_of(point))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

        #[test]
        fn no_point_within_a_radius_is_missed(
            // Miami, the North Slope, both sides of the antimeridian, Samoa, a pole.
            (lat, lon) in select(&[(25.8, -80.2), (71.3, -156.8), (51.9, 179.9), (51.9, -179.9), (-14.3, -170.7), (89.7, 10.0)][..]),
            (north, east) in (-1.0..1.0, -1.0..1.0),
            miles in prop_oneof![1..=3_u32, 1..=60_u32, 61..=500_u32],
            (bearing, part) in (0.0..std::f64::consts::TAU, prop_oneof![Just(0.999_999), 0.9..1.1, 0.0..1.0]),
        ) {
            let center = unit(lat + north, lon + east);
            let r = (f64::from(miles) * part / place::EARTH_RADIUS_MILES).to_degrees();
            // The destination along a great circle, by the spherical law of cosines.
            let (lat, lon) = (f64::from(center.point().lat_e4) / 1e4, f64::from(center.point().lon_e4) / 1e4);
            let (sin, cos) = (lat.to_radians().sin_cos(), r.to_radians().sin_cos());
            let to = (sin.0 * cos.1 + sin.1 * cos.0 * bearing.cos()).clamp(-1.0, 1.0).asin();
            let turn = (bearing.sin() * cos.0 * sin.1).atan2(cos.1 - sin.0 * to.sin()).to_degrees();
            let point = unit(to.to_degrees(), lon + turn);
            if center.within(point, Reach::miles(f64::from(miles))) {
                prop_assert!(found(center, miles, point), "{:?} {miles} mi {:?}", center.point(), point.point());
            }
        }
    }

    #[test]
    fn no_place_within_a_radius_is_missed() {
        let centers = ["33130", "99546", "99723", "96799", "96910", "10001", "79901", "83858"];
        for zip in centers {
            let center = place::of(zip.parse().unwrap()).and_then(Place::unit).unwrap();
            for miles in [1, 2, 5, 10, 25, 59, 60, 61, 100, 250, 500] {
                for place in place::within(center, f64::from(miles)) {
                    assert!(
                        found(center, miles, place.unit().unwrap()),
                        "{miles} miles around {zip}: {place:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn a_circle_stands_in_few_cells() {
        for zip in ["33130", "99723"] {
            let center = place::of(zip.parse().unwrap()).and_then(Place::unit).unwrap();
            for miles in 1..=limits::RADIUS_MILES {
                let cells = Grid::of(miles).cells_of(center, miles).len();
                assert!(cells <= 120, "{cells} for {miles} miles around {zip}");
            }
        }
    }
}
