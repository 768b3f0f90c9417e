//! A score is a function of the set of interactions, bit for bit.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::*;
use crate::limits;
use crate::time::UtcDay;

const TODAY: UtcDay = UtcDay(20_700);

/// A change to a lead's activity, as it may arrive.
#[derive(Clone, Debug)]
enum Change {
    Did(UtcDay, &'static str, u8),
    Revoked(UtcDay, u8),
    Scanned(UtcDay, u8),
    Clicked(UtcDay, u8, Click),
    Said(UtcDay, u8, i64, Word),
}

fn days() -> impl Strategy<Value = UtcDay> {
    (0..=200_i32).prop_map(|age| UtcDay(TODAY.0 - age))
}

fn change() -> impl Strategy<Value = Change> {
    let kinds = prop::sample::select(vec!["enquiry", "page_view", "email_click", "call", "unheard_of"]);
    prop_oneof![
        9 => (days(), kinds, 0..12_u8).prop_map(|(day, kind, id)| Change::Did(day, kind, id)),
        1 => (days(), 0..12_u8).prop_map(|(day, id)| Change::Revoked(day, id)),
        1 => (days(), 0..12_u8).prop_map(|(day, id)| Change::Scanned(day, id)),
        3 => (days(), 0..2_u8, 0..12_u8, 0..8_u32, prop::option::of(0..8_u32), (prop::option::of(0..4_u8), prop::option::of(2..6_u8))).prop_map(
            |(day, message, id, at_s, after_s, (link, links))| {
                let id = InteractionId::from_bytes([id; 8]);
                let link = link.map(|link| [link; 4]);
                Change::Clicked(day, message, Click { at_s, id, after_s, link, links: links.filter(|_| link.is_some()) })
            }
        ),
        1 => (days(), 0..12_u8, 0..4_i64, any::<bool>()).prop_map(|(day, id, at, person)| {
            Change::Said(day, id, at, if person { Word::Restored } else { Word::Revoked })
        }),
    ]
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    prop::collection::vec(change(), 0..60)
}

fn activity_of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Activity {
    let mut activity = Activity::new();
    for change in changes {
        match *change {
            Change::Did(day, kind, id) => {
                activity.add(day, InteractionKind::new(kind).unwrap(), InteractionId::from_bytes([id; 8]));
            }
            Change::Revoked(day, id) => {
                activity.revoke(day, InteractionId::from_bytes([id; 8]));
            }
            Change::Scanned(day, id) => activity.by_scanner(day, InteractionId::from_bytes([id; 8])),
            Change::Clicked(day, message, click) => activity.click(day, MessageHash([message; 8]), click),
            Change::Said(day, id, at, word) => {
                activity.say(InteractionRef { day, id: InteractionId::from_bytes([id; 8]) }, (at, word));
            }
        }
    }
    activity
}

fn of(activity: &Activity, today: UtcDay) -> Score {
    let judged = activity.clone().judged(&MachineLimits::default());
    score(&ScoringModel::default(), &FitFacts::default(), &judged, today)
}

/// Unfaded points of the days that `E(today)` has let go.
fn let_go(model: &ScoringModel, activity: &Activity, today: UtcDay) -> f64 {
    let reach = i32::try_from(limits::HALF_LIVES).unwrap() * i32::from(model.half_life_days());
    let old = activity.days().filter(|(day, _)| today.since(*day) > reach);
    old.flat_map(|(_, day)| {
        model.interactions.iter().map(|(kind, weight)| weight.points(weight.counted(day.count(kind))) as f64)
    })
    .sum()
}

fn points(engagement: &Engagement) -> f64 {
    engagement.points.bits() as f64 / (1_u64 << 32) as f64
}

proptest! {
    #[test]
    fn order_and_repetition_change_nothing(
        (sent, arrived) in changes().prop_flat_map(|sent| {
            let twice: Vec<Change> = sent.iter().chain(&sent).cloned().collect();
            (Just(sent.clone()), subsequence(twice.clone(), 0..=twice.len()).prop_shuffle().prop_map(move |extra| {
                extra.into_iter().chain(sent.iter().rev().cloned()).collect::<Vec<_>>()
            }))
        })
    ) {
        let (one, other) = (activity_of(&sent), activity_of(&arrived));
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(of(&one, TODAY), of(&other, TODAY));
        prop_assert_eq!(
            heat_key(&ScoringModel::default(), &one),
            heat_key(&ScoringModel::default(), &other)
        );
    }

    #[test]
    fn union_is_commutative_associative_and_idempotent(a in changes(), b in changes(), c in changes()) {
        let (a, b, c) = (activity_of(&a), activity_of(&b), activity_of(&c));
        let union = |x: &Activity, y: &Activity| { let mut z = x.clone(); z.union(y); z };
        prop_assert_eq!(union(&a, &b), union(&b, &a));
        prop_assert_eq!(union(&a, &union(&b, &c)), union(&union(&a, &b), &c));
        prop_assert_eq!(union(&a, &a), a.clone());
        prop_assert_eq!(union(&a, &Activity::new()), a);
    }

    #[test]
    fn what_a_stranger_did_counts_as_if_the_lead_had_done_it(did in changes(), before in any::<prop::sample::Index>()) {
        let (before, after) = did.split_at(before.index(did.len() + 1));
        let (stranger, mut lead) = (activity_of(before), activity_of(after));
        lead.union(&stranger);
        prop_assert_eq!(&lead, &activity_of(&did));
        prop_assert_eq!(of(&lead, TODAY), of(&activity_of(&did), TODAY));
        lead.union(&stranger);
        prop_assert_eq!(lead, activity_of(&did));
    }

    #[test]
    fn a_revoked_interaction_counts_nothing_whenever_it_is_revoked(sent in changes(), day in days()) {
        let with = |order: [Change; 2]| activity_of(sent.iter().chain(&order));
        let (did, revoked) = (Change::Did(day, "call", 99), Change::Revoked(day, 99));
        let after = with([did.clone(), revoked.clone()]);
        prop_assert_eq!(&after, &with([revoked, did]));
        prop_assert_eq!(of(&after, TODAY), of(&activity_of(&sent), TODAY));
    }

    #[test]
    fn the_lines_of_an_explanation_sum_exactly_to_the_score(sent in changes(), later in 0..300_i32) {
        let score = of(&activity_of(&sent), UtcDay(TODAY.0 + later));
        let lines = &score.explanation.lines;
        prop_assert_eq!(lines.iter().map(|line| line.exact.bits()).sum::<u128>(), score.exact.bits());
        let shown: u64 = lines.iter().map(|line| line.hundredths).sum();
        prop_assert_eq!(shown, score.exact.hundredths());
        prop_assert_eq!(shown, score.explanation.total_hundredths);
        prop_assert_eq!(shown / 100, score.total);
        for line in lines {
            prop_assert!(line.hundredths.abs_diff(line.exact.hundredths()) <= 1);
        }
    }

    #[test]
    fn engagement_is_the_formula(sent in changes(), later in 0..100_i32) {
        let (model, activity) = (ScoringModel::default(), activity_of(&sent));
        let today = UtcDay(TODAY.0 + later);
        let oracle: f64 = activity.days().filter(|(day, _)| today.since(*day) <= 140).flat_map(|(day, of_day)| {
            let fading = (-f64::from(today.since(day)) / 14.0).exp2();
            model.interactions.iter().map(move |(kind, weight)| {
                (of_day.count(kind) as f64).min(weight.daily_cap.get() as f64) * weight.points.get() as f64 * fading
            })
        }).sum();
        let computed = points(&engagement(&model, &activity, today));
        prop_assert!((computed - oracle).abs() < 1e-6, "{} is not {}", computed, oracle);
    }

    #[test]
    fn heat_orders_leads_by_engagement_on_every_day(a in changes(), b in changes(), later in 0..60_i32) {
        let model = ScoringModel::default();
        let (a, b) = (activity_of(&a), activity_of(&b));
        let today = UtcDay(TODAY.0 + later);
        let (e_a, e_b) = (points(&engagement(&model, &a, today)), points(&engagement(&model, &b, today)));
        // The tolerance that `heat_key` states.
        let let_go = let_go(&model, &b, today) / 1024.0;
        if e_a > (e_b + let_go) * (1.0 + (-20_f64).exp2()) {
            prop_assert!(heat_key(&model, &a) >= heat_key(&model, &b), "{} and {} on {:?}", e_a, e_b, today);
        }
    }

    #[test]
    fn heat_says_what_the_formula_says(sent in changes()) {
        let (model, activity) = (ScoringModel::default(), activity_of(&sent));
        let key = heat_key(&model, &activity);
        // The newest day that counts: the first day, from the end, on which engagement is not nothing alone.
        let e = |today| points(&engagement(&model, &activity, today));
        let newest = activity.days().rev().find(|(_, day)| {
            model.interactions.iter().any(|(kind, _)| day.count(kind) > 0)
        });
        match newest {
            None => prop_assert_eq!(key, HeatKey::COLD),
            Some((day, _)) => {
                let exact = e(day).log2() + f64::from(day.0) / 14.0;
                let stated = key.number() as f64 / (1_u64 << 32) as f64;
                prop_assert!((exact - stated).abs() < 1e-6, "{} is not {}", stated, exact);
            }
        }
    }

    #[test]
    fn heat_says_how_engaged_a_lead_is_on_every_day(sent in changes(), later in 0..60_i32) {
        let (model, activity) = (ScoringModel::default(), activity_of(&sent));
        let today = UtcDay(TODAY.0 + later);
        let counted = points(&engagement(&model, &activity, today));
        let said = heat_key(&model, &activity).points_on(today, model.half_life_days()).bits() as f64 / (1_u64 << 32) as f64;
        let let_go = let_go(&model, &activity, today) / 1024.0;
        prop_assert!(said > counted * (1.0 - 1e-5) - 1e-6 && said < (counted + let_go) * (1.0 + 1e-5) + 1e-6, "{} is not {}", said, counted);
    }

    #[test]
    fn a_heat_key_sorts_as_text_as_it_sorts_as_a_number(a in any::<i64>(), b in any::<i64>()) {
        let (a, b) = (HeatKey::from_number(a), HeatKey::from_number(b));
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
    }
}

#[test]
fn engagement_halves_in_two_weeks_and_ends_after_ten_half_lives() {
    let enquired = activity_of(&[Change::Did(TODAY, "enquiry", 1)]);
    let shown = |later: i32| of(&enquired, UtcDay(TODAY.0 + later)).exact.to_string();
    assert_eq!(shown(0), "10.00");
    assert_eq!(shown(7), "7.07");
    assert_eq!(shown(14), "5.00");
    assert_eq!(shown(140), "0.00"); // 10/1024, rounded down
    let points = |later: i32| of(&enquired, UtcDay(TODAY.0 + later)).exact;
    assert!(points(140) > FinePoints::ZERO);
    assert_eq!(points(141), FinePoints::ZERO);
}

#[test]
fn a_day_ahead_of_the_clock_has_age_zero() {
    let ahead = activity_of(&[Change::Did(UtcDay(TODAY.0 + 1), "enquiry", 1)]);
    assert_eq!(of(&ahead, TODAY).exact, FinePoints::whole_points(10));
}

#[test]
fn a_fresh_enquiry_reaches_the_second_digit_and_a_quote_the_first() {
    let enquired = [Change::Did(TODAY, "enquiry", 1)];
    assert_eq!(of(&activity_of(&enquired), TODAY).band.to_string(), "C2");
    let quoted: Vec<Change> = enquired.into_iter().chain([Change::Did(TODAY, "quote_request", 2)]).collect();
    let score = of(&activity_of(&quoted), TODAY);
    assert_eq!(score.band.to_string(), "C1");
    assert_eq!((score.total, score.priority, score.next_step), (40, Priority::Normal, NextStep::Nurture));
}

#[test]
fn only_so_many_of_a_day_count() {
    let calls: Vec<Change> = (0..9).map(|id| Change::Did(TODAY, "call", id)).collect();
    let score = of(&activity_of(&calls), TODAY);
    assert_eq!(score.total, 60);
    assert_eq!(score.engagement.kinds.first().map(|kind| kind.counted), Some(3));
    // Revoking one that was above the cap lets another count.
    let revoked: Vec<Change> = calls.into_iter().chain([Change::Revoked(TODAY, 0)]).collect();
    assert_eq!(of(&activity_of(&revoked), TODAY).total, 60);
}

#[test]
fn a_lead_that_did_nothing_sorts_last() {
    let model = ScoringModel::default();
    let revoked = activity_of(&[Change::Did(TODAY, "call", 1), Change::Revoked(TODAY, 1)]);
    let long_ago = activity_of(&[Change::Did(UtcDay(0), "page_view", 1)]);
    assert_eq!(heat_key(&model, &Activity::new()), HeatKey::COLD);
    assert_eq!(heat_key(&model, &revoked), HeatKey::COLD);
    assert_eq!(heat_key(&model, &activity_of(&[Change::Did(TODAY, "unheard_of", 1)])), HeatKey::COLD);
    assert!(heat_key(&model, &long_ago) > HeatKey::COLD);
    assert_eq!(HeatKey::COLD.to_string(), "0000000000000000");
}

#[test]
fn a_day_later_is_hotter_and_a_half_life_doubles() {
    let model = ScoringModel::default();
    let key = |day: i32, n: u8| {
        let calls: Vec<Change> = (0..n).map(|id| Change::Did(UtcDay(day), "call", id)).collect();
        heat_key(&model, &activity_of(&calls))
    };
    assert!(key(20_001, 1) > key(20_000, 1));
    assert_eq!(key(20_014, 1), key(20_000, 2)); // one call now is two calls a half-life ago
}

#[test]
fn nothing_overflows_at_the_limits() {
    let kinds: BTreeSet<String> = (0..63).map(|i| format!("kind_{i}")).collect();
    let rows = kinds.iter().fold("half_life_days = 365\n".to_owned(), |text, kind| {
        text + &format!("[interactions.{kind}]\npoints = 1000\ndaily_cap = 1000\n")
    });
    let model: ScoringModel = toml::from_str(&rows).unwrap();
    let mut activity = Activity::new();
    // A full day of every kind, on the two ends of time and on some days between.
    for day in [i32::MIN, i32::MIN + 1, -1, 0, 1, i32::MAX - 1, i32::MAX] {
        for kind in &kinds {
            for id in 0..1_000_u64 {
                let kind = InteractionKind::new(kind).unwrap();
                activity.add(UtcDay(day), kind, InteractionId::from_bytes(id.to_be_bytes()));
            }
        }
    }
    for today in [i32::MIN, 0, i32::MAX] {
        let score = score(&model, &FitFacts::default(), &activity, UtcDay(today));
        assert!(score.total > 63_000_000);
    }
    assert!(heat_key(&model, &activity) > HeatKey::COLD);
    let one_day: ScoringModel = toml::from_str("half_life_days = 1").unwrap();
    for day in [i32::MIN, i32::MAX] {
        let far = activity_of(&[Change::Did(UtcDay(day), "enquiry", 1)]);
        assert!(heat_key(&one_day, &far) > HeatKey::COLD);
    }
}
