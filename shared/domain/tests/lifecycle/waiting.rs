//! In what order those who wait are woken: the highest score first. Their fit stands before it as a letter, and the day
//! that their cycle opened behind it, in the store's key; what is kept between the two is this number, which must tell two
//! of them apart on every day to come without being written again.

use std::cmp::Ordering;

use fastrand::Rng;
use leadyard_domain::scoring::{
    Activity, InteractionId, InteractionKind, ScoringModel, engagement, heat_key,
};
use leadyard_domain::time::UtcDay;

use crate::{holds, one_of};

broken! {
    /// What was done does not fade.
    Fades,
    /// It fades from one day to the next by half.
    HalfLife,
    /// Of a day any number counts.
    DailyCap,
    /// A quote asked for is worth as much as a page looked at.
    Weights,
    /// Only what they did last counts.
    Sum,
    /// Who did nothing comes first.
    ColdLast,
    /// The coldest come first.
    HottestFirst,
}

/// What they did, what that is worth, and how many of a day count: as the model has them unless a company says otherwise.
const KINDS: [(&str, f64, usize); 4] =
    [("quote_request", 30.0, 2), ("call", 20.0, 3), ("enquiry", 10.0, 3), ("page_view", 1.0, 10)];
const HALF_LIFE_DAYS: f64 = 14.0;
const FIRST_DAY: i32 = 20_600;
const LAST_DAY: i32 = 20_660;

/// How often a lead did something on a day: the day, the kind, how often.
type Did = Vec<(i32, usize, usize)>;

#[derive(Clone, Debug)]
struct Case {
    one: Did,
    other: Did,
    /// Days after the last one at which somebody reads the order.
    later: i32,
}

fn did(random: &mut Rng) -> Did {
    let days = random.usize(..5);
    let mut did: Did = (0..days)
        .map(|_| (random.i32(FIRST_DAY..LAST_DAY), random.usize(..KINDS.len()), random.usize(1..6)))
        .collect();
    did.sort_unstable();
    did.dedup_by_key(|(day, kind, _)| (*day, *kind));
    did
}

/// Two leads, of which one is hotter than the other by more than rounding could hide.
fn cases(random: &mut Rng) -> Case {
    loop {
        let case = Case { one: did(random), other: did(random), later: one_of(random, &[0, 1, 30]) };
        let [one, other] = [&case.one, &case.other].map(|did| points(did, None));
        if one.max(other) > 1.001 * one.min(other) {
            return case;
        }
    }
}

fn activity(did: &Did) -> Activity {
    let mut activity = Activity::new();
    for (day, kind, times) in did {
        for number in 0..*times {
            let id = InteractionId::hash8(&format!("{day} {kind} {number}"));
            activity.add(UtcDay(*day), InteractionKind::new(KINDS[*kind].0).unwrap(), id);
        }
    }
    activity
}

/// By the number that is kept, and by the points as of the day that somebody looks, which must say the same. The first to
/// be woken is the greater.
fn done(case: &Case) -> Ordering {
    let model = ScoringModel::default();
    let [one, other] = [&case.one, &case.other].map(activity);
    let kept = [&one, &other].map(|activity| heat_key(&model, activity));
    let texts = kept.map(|key| key.to_string());
    let today = UtcDay(LAST_DAY + case.later);
    let read = [&one, &other].map(|activity| engagement(&model, activity, today).points.bits());
    let order = kept[0].cmp(&kept[1]);
    assert_eq!(texts[0].cmp(&texts[1]), order, "as text: {texts:?}");
    assert_eq!(read[0].cmp(&read[1]), order, "as of {today:?}: {read:?}");
    order
}

/// The rules: so many points for each, halved every half-life.
fn points(did: &Did, broken: Option<Broken>) -> f64 {
    let keeps = |rule| broken != Some(rule);
    let half_life_days = if keeps(Broken::HalfLife) { HALF_LIFE_DAYS } else { 1.0 };
    let last = did.iter().map(|(day, ..)| *day).max();
    let counts = did.iter().filter(|(day, ..)| keeps(Broken::Sum) || Some(*day) == last);
    let points = counts.map(|(day, kind, times)| {
        let (_, worth, most) = KINDS[*kind];
        let times = if keeps(Broken::DailyCap) { *times.min(&most) } else { *times };
        let worth = if keeps(Broken::Weights) { worth } else { 1.0 };
        let age = if keeps(Broken::Fades) { f64::from(LAST_DAY - day) } else { 0.0 };
        times as f64 * worth * (-age / half_life_days).exp2()
    });
    points.sum()
}

fn plain(case: &Case, broken: Option<Broken>) -> Ordering {
    let [one, other] = [&case.one, &case.other].map(|did| {
        let cold = did.is_empty() && broken == Some(Broken::ColdLast);
        if cold { f64::INFINITY } else { points(did, broken) }
    });
    let order = one.total_cmp(&other);
    if broken == Some(Broken::HottestFirst) { order.reverse() } else { order }
}

#[test]
fn who_waits_is_woken_by_score_as_the_rules_say_and_each_of_them_counts() {
    holds(ALL, 3_000, cases, done, plain);
}
