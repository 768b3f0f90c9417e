//! What was read is kept, in few bytes, and what was kept in the shape before is read.

use proptest::prelude::*;

use super::*;

fn slot() -> impl Strategy<Value = Slot> {
    prop_oneof![
        Just(Slot::Never),
        Just(Slot::Over),
        any::<u32>().prop_map(Slot::Now),
        (1..i64::MAX, any::<u32>()).prop_map(|(distance, count)| Slot::At(distance, count)),
    ]
}

fn seen() -> impl Strategy<Value = Seen> {
    let passes = prop_oneof![Just(0), (1..u64::MAX), (0..40_u64).prop_map(|turns| 1 << 40 | turns << 30)];
    let usual =
        (0..26_i32).prop_map(|weeks| (0..weeks).rev().map(|week| (week, 10, 1 + week as u32 % 4)).collect());
    let results = prop_oneof![prop::collection::vec(any::<(i32, u32, u32)>(), 0..4), usual];
    let money = (any::<i64>(), any::<i64>());
    ([slot(), slot(), slot(), slot(), slot()], passes, any::<Option<i64>>(), money, results).prop_map(
        |(used, pass, last_ms_ago, (spent_month, balance), results)| Seen {
            used,
            pass,
            last_ms_ago,
            spent_month,
            balance,
            results,
        },
    )
}

proptest! {
    #[test]
    fn whatever_was_read_is_kept(
        (stop, shadow, has_results) in any::<(bool, bool, bool)>(),
        usages in prop::collection::vec(prop::option::of(seen()), 0..12),
    ) {
        let dealers = vec![("hudson".parse().unwrap(), Some(Timestamp::UNIX_EPOCH))];
        for as_asked in [false, true] {
            let (contracts, dealers, usages) = (Vec::new(), dealers.clone(), usages.clone());
            let evidence = Evidence { stop, shadow, has_results, as_asked, contracts, dealers, usages };
            let kept = evidence.encode().unwrap();
            prop_assert_eq!(&Evidence::decode(&kept).unwrap(), &evidence);
            // What is cut short is no evidence.
            for end in 0..kept.len() {
                prop_assert!(Evidence::decode(&kept[..end]).is_err(), "{}", end);
            }
        }
    }
}

#[test]
fn the_shape_before_is_read() {
    let seen = SeenBefore {
        used: [None, Some((0, 3)), Some((-86_400, 4)), Some((3_600, 5)), Some((0, 6))],
        pass: 7 << 32,
        last_ms_ago: Some(1_234),
        spent_month: 4_500,
        balance: -5,
        results: vec![(2, 10, 1)],
    };
    let contracts = vec![("hudson".parse().unwrap(), None)];
    let before =
        Before { stop: true, shadow: false, contracts, dealers: Vec::new(), usages: vec![None, Some(seen)] };
    let read = Evidence::decode(&postcard::to_allocvec(&before).unwrap()).unwrap();
    let seen = read.usages[1].clone().unwrap();
    assert_eq!(
        seen.used,
        [Slot::Never, Slot::Now(3), Slot::At(-86_400, 4), Slot::At(3_600, 5), Slot::Now(6)]
    );
    assert_eq!((read.stop, read.contracts.len(), &read.usages[0], read.has_results), (true, 1, &None, true));
    // Seen as counters it is what was counted, to the last number.
    let starts = Reservation { starts: [100, 200, 300_000, 400, 0] };
    let now: Timestamp = "2026-06-01T16:00:00Z".parse().unwrap();
    let usage = seen.usage(&starts, &Reservation::default(), now);
    assert_eq!(usage.used, [None, Some((200, 3)), Some((213_600, 4)), Some((4_000, 5)), Some((0, 6))]);
    assert_eq!((usage.pass, usage.spent_month, usage.balance), (7 << 32, 4_500, -5));
    assert_eq!(now.as_millisecond() - usage.last_assigned_ms, 1_234);
    assert_eq!(usage.results, [WeekResults { week: week_of(now) - 2, delivered: 10, won: 1 }]);
}

#[test]
fn what_is_over_is_kept_as_over_and_what_is_not_to_the_last_number() {
    let starts = Reservation { starts: [1_000, 2_000, 3_000, 4_000, 0] };
    let over = Reservation { starts: [900, 1_900, 2_900, 3_900, -1] };
    let now: Timestamp = "2026-06-01T16:00:00Z".parse().unwrap();
    let results =
        (0..40).map(|ago| WeekResults { week: week_of(now) - ago, delivered: 10, won: ago as u32 % 2 });
    let usage = Usage {
        used: [Some((999, 1)), Some((2_000, 2)), Some((3_001, 3)), Some((3_999, 4)), None],
        spent_month: 4_500,
        results: results.collect(),
        exists: true,
        ..Usage::default()
    };
    let read = Seen::of(&usage, &starts, now, true).usage(&starts, &over, now);
    assert_eq!(read.used, [Some((900, 0)), Some((2_000, 2)), Some((3_001, 3)), Some((3_900, 0)), None]);
    // What an earlier month cost, and who won half a year ago, count for nothing.
    assert_eq!((read.spent_month, read.results.len()), (0, RESULT_WEEKS as usize));
    let decides = |usage: &Usage| {
        let counted = Period::ALL.iter().map(|period| usage.counted(*period, starts.start(*period)));
        let days = [7, 90, crate::limits::PERFORMANCE_DAYS].map(|days| usage.performance(now, days));
        (counted.collect::<Vec<_>>(), usage.spent(starts.start(Period::Month)), days)
    };
    assert_eq!(decides(&read), decides(&usage));
    assert_eq!(Seen::of(&usage, &starts, now, false).results, [], "the ranking does not ask");
}

#[test]
fn what_a_contract_in_use_has_had_takes_some_twenty_bytes() {
    // A decision's record is to be two kilobytes: facts, misses, and some forty of these.
    let in_use = |number: u32| Seen {
        used: [
            Slot::Over,
            Slot::Now(number % 7),
            Slot::Now(9 + number),
            Slot::Now(40),
            Slot::Now(3_000 + number),
        ],
        pass: (1_000 << 32) + u64::from(number) * ((1 << 32) / 3),
        last_ms_ago: Some(200_000_000 + i64::from(number)),
        spent_month: 180_000,
        balance: 0,
        results: Vec::new(),
    };
    let of = |usages| Evidence {
        stop: false,
        shadow: false,
        has_results: false,
        as_asked: false,
        contracts: Vec::new(),
        dealers: Vec::new(),
        usages,
    };
    let bytes = |usages| of(usages).encode().unwrap().len();
    assert!(bytes((0..40).map(|number| Some(in_use(number))).collect()) <= 40 * 20 + 30);
    // Half a year of results is a byte a week; who never had any is one byte.
    let results =
        |number| Seen { results: (0..26).rev().map(|ago| (ago, 12, 1)).collect(), ..in_use(number) };
    assert!(bytes((0..40).map(|number| Some(results(number))).collect()) <= 40 * (20 + 30) + 30);
    assert!(bytes(vec![None; 40]) <= 40 + 30);
}

#[test]
fn who_says_the_same_takes_a_few_bits() {
    let usage = |number: u32| {
        let mut used = [Slot::Never; 5];
        used[1] = Slot::Now(number % 7);
        Some(Seen { used, pass: u64::from(number % 3) << 40, ..Seen::default() })
    };
    let of = |usages| Evidence {
        stop: false,
        shadow: false,
        has_results: false,
        as_asked: true,
        contracts: Vec::new(),
        dealers: Vec::new(),
        usages,
    };
    let bytes = |count: u32| of((0..count).map(usage).collect()).encode().unwrap().len();
    // Two bits say that it has another count or pass than most, three which count, one which pass.
    assert!(bytes(800) - bytes(400) <= 400 * 6 / 8 + 4, "{}, {}", bytes(400), bytes(800));
    // Of more than is ever kept so, few bytes are refused before they are made into many.
    let many = of(vec![None; limits::EVIDENCE_ASKED + 1]).encode().unwrap();
    assert!(many.len() < 100 && Evidence::decode(&many).is_err());
    assert!(Evidence::decode(&of(vec![None; limits::EVIDENCE_ASKED]).encode().unwrap()).is_ok());
}
