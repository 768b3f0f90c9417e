//! What asking for a place costs: one look-up, one distance, the places of a radius.
#![allow(missing_docs)] // criterion's macros write the functions

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use leadyard_domain::place::{self, Place, Reach, Unit, Zip};

/// Look-ups walk the ZIPs by this stride: prime, so that they meet the whole table and no cache line twice.
const STRIDE: usize = 7_919;

fn look_up(c: &mut Criterion) {
    let zips: Vec<Zip> = (0..100_000).filter_map(|number| Zip::try_from(number).ok()).collect();
    let mut at = 0;
    let mut next = move || {
        at = (at + STRIDE) % zips.len();
        zips[at]
    };
    c.bench_function("place of any ZIP", |b| b.iter(|| place::of(black_box(next()))));

    let known: Vec<Zip> = place::all().map(Place::zip).collect();
    let mut at = 0;
    let mut next = move || {
        at = (at + STRIDE) % known.len();
        known[at]
    };
    c.bench_function("place of a known ZIP, every field", |b| {
        b.iter(|| {
            let place = place::of(black_box(next()));
            place.map(|p| (p.unit(), p.county(), p.state(), p.zone(), p.city(), p.population()))
        });
    });
    c.bench_function("state of an area code", |b| b.iter(|| place::state_of_area_code(black_box(305))));
}

fn measure(c: &mut Criterion) {
    let units: Vec<Unit> = place::all().filter_map(Place::unit).collect();
    let (a, b) = (units[3], units[20_000]);
    c.bench_function("miles between two places", |bench| bench.iter(|| black_box(a).miles_to(black_box(b))));
    let reach = Reach::miles(25.0);
    c.bench_function("41,706 radius checks", |bench| {
        bench.iter(|| {
            let center = black_box(a);
            units.iter().filter(|unit| center.within(**unit, reach)).count()
        });
    });
}

fn radius(c: &mut Criterion) {
    // Where people live is where dealers are: the most crowded case.
    let mut crowded: Vec<(u32, Unit)> =
        place::all().filter_map(|place| Some((place.population(), place.unit()?))).collect();
    crowded.sort_by_key(|(population, _)| std::cmp::Reverse(*population));
    crowded.truncate(1_000);
    for miles in [10, 25, 50, 100, 500] {
        let mut at = 0;
        c.bench_function(&format!("places within {miles} miles"), |b| {
            b.iter(|| {
                at = (at + 1) % crowded.len();
                place::within(black_box(crowded[at].1), f64::from(miles)).count()
            });
        });
    }
}

criterion_group!(benches, look_up, measure, radius);
criterion_main!(benches);
