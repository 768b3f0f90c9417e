//! The order in which a stage is read, against a plain comparison of scores.

use fastrand::Rng;
use leadyard_domain::rulebook::{Rulebook, RulebookFiles};

use super::*;

/// Rules with these points of A, B and C.
fn core(points: [u32; 3]) -> Core {
    let [a, b, c] = points;
    let files = [
        ("company.toml", "id = \"acme\"\nname = \"Acme\"\nzone = \"America/New_York\"\n".to_owned()),
        ("offers.toml", "[[offer]]\nid = \"roof\"\ncategory = \"roofing\"\nname = \"Roof\"\n".to_owned()),
        ("sources.toml", "[[source]]\nid = \"form\"\nkind = \"form\"\n".to_owned()),
        ("scoring.toml", format!("half_life_days = 14\nfit_points = {{ A = {a}, B = {b}, C = {c} }}\n")),
        ("dealers.csv", "dealer,name,zip\nhudson,Hudson Roofing,33101\n".to_owned()),
        ("areas.csv", "area,part\nall,any\n".to_owned()),
        (
            "contracts.csv",
            "contract,dealer,offers,sources,area,price\nhudson,hudson,*,*,all,45.00\n".to_owned(),
        ),
    ];
    let files = files.map(|(name, text)| (name.to_owned(), text.into_bytes()));
    Rulebook::parse(&RulebookFiles::new(files).unwrap()).unwrap().compile(1).unwrap().core
}

/// A place of who is worth so many points on a day, or of who was never scored.
fn place(rng: &mut Rng, today: UtcDay) -> String {
    let group = rng.choice(keys::stage_groups()).unwrap();
    // Engagement of whole points, of today or faded, so that scores of several letters are often the same.
    let engagement = f64::from(rng.u32(0..8)) * 10.0 + if rng.bool() { 0.0 } else { rng.f64() };
    let heat = match engagement {
        0.0 => i64::MIN,
        points => ((points.log2() + f64::from(today.0) / 14.0) * 2_f64.powi(32)) as i64,
    };
    format!("{}#{:013}#{}", keys::stage_before(&group, heat), rng.u32(..), rng.u8(..))
}

#[test]
fn who_stands_behind_a_place_stands_before_its_key_in_every_letter() {
    let today = UtcDay(20_600);
    let mut rng = Rng::with_seed(7);
    for points in [[100, 50, 0], [40, 40, 40], [60, 30, 0]] {
        let core = core(points);
        let scores = Scores::on(&core, today);
        let mut met = (0, 0);
        for _ in 0..4_000 {
            let (one, at) = (place(&mut rng, today), place(&mut rng, today));
            let behind = scores.behind(&at);
            let of = keys::stage_groups().iter().position(|group| one.starts_with(group.as_str())).unwrap();
            let stands_behind = scores.rank(&one) < scores.rank(&at);
            assert_eq!(one < behind[of], stands_behind, "{one} behind {at} under {points:?}");
            let plainly = scores.of_place(&one).cmp(&scores.of_place(&at));
            assert!(!plainly.is_lt() || stands_behind, "{one} is worth less than {at}");
            met.0 += usize::from(plainly.is_eq() && one.as_bytes()[0] != at.as_bytes()[0]);
            met.1 += usize::from(plainly.is_gt() && one.as_bytes()[0] < at.as_bytes()[0]);
        }
        assert!(met.0 > 20 && met.1 > 20, "of equals and of hotter ones of a lower letter: {met:?}");
    }
}

#[test]
fn the_front_of_a_letter_stands_before_all_of_it_and_who_was_never_scored_behind_all() {
    let today = UtcDay(20_600);
    let core = core([100, 50, 0]);
    let scores = Scores::on(&core, today);
    let mut rng = Rng::with_seed(11);
    for _ in 0..500 {
        let one = place(&mut rng, today);
        for group in ["3$", "2$", "1$"] {
            assert!(scores.rank(group) > scores.rank(&one));
        }
        assert_eq!(scores.rank("0$") < scores.rank(&one), !one.starts_with('0'), "{one}");
    }
}
