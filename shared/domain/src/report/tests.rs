//! Sums add up in any order; what is put right is put right where it was counted; bytes and back.

use jiff::Timestamp;
use proptest::prelude::*;

use super::tally::EDGES_S;
use super::*;
use crate::money::Money;
use crate::screening::Verdict;

fn facets(source: &str, dealer: Option<&str>) -> Facets {
    Facets {
        source: Some(source.parse().unwrap()),
        dealer: dealer.map(|dealer| dealer.parse().unwrap()),
        ..Facets::default()
    }
}

fn happened() -> impl Strategy<Value = Happened> {
    prop_oneof![
        Just(Happened::Enquired(Verdict::Ham)),
        Just(Happened::Enquired(Verdict::Spam)),
        any::<bool>().prop_map(|new| Happened::Opened { new }),
        Just(Happened::Distributed),
        proptest::option::of(0..3_000_000_i64).prop_map(Happened::Delivered),
        (0..10_000_i64).prop_map(|seconds| Happened::Contacted(Some(seconds))),
        (0..1_000_000_i64).prop_map(|minor| Happened::Won(Some(Money::from_minor(minor)))),
        (0..10_000_i64).prop_map(|minor| Happened::Charged(Money::from_minor(minor))),
        "[a-z]{1,8}".prop_map(Happened::Quarantined),
    ]
}

fn counted() -> impl Strategy<Value = (Happened, Facets, i64)> {
    let facets = ("[a-z]{1,2}", proptest::option::of("[a-z]{1,2}"))
        .prop_map(|(source, dealer)| facets(&source, dealer.as_deref()));
    (happened(), facets, prop_oneof![Just(1), Just(-1)])
}

fn sums_of(facts: &[(Happened, Facets, i64)]) -> Sums {
    let mut sums = Sums::default();
    for (what, facets, times) in facts {
        sums.count(&Fact { at: Timestamp::UNIX_EPOCH, what: what.clone() }, facets, *times);
    }
    sums
}

/// Fourteen enquiries of one source on one day, and what became of them.
#[test]
fn a_source_of_fourteen_leads_a_day_takes_less_than_a_hundred_bytes() {
    let mut facts = Vec::new();
    for n in 0..14_i64 {
        facts.extend([
            Happened::Enquired(Verdict::Ham),
            Happened::Opened { new: true },
            Happened::Distributed,
        ]);
        facts.push(Happened::Delivered(Some(n)));
        facts.push(Happened::Charged(Money::from_minor(4_500)));
        if n % 2 == 0 {
            facts.push(Happened::Contacted(Some(200 * n)));
        }
        if n % 7 == 0 {
            facts.push(Happened::Won(Some(Money::from_minor(1_200_000))));
        }
    }
    let of = facets("search-ads", None);
    let facts: Vec<_> = facts.into_iter().map(|what| (what, of.clone(), 1)).collect();
    let bytes = sums_of(&facts).only(Dimension::Source).encode().len();
    println!("{bytes} bytes");
    assert!((40..100).contains(&bytes), "{bytes}");
}

proptest! {
    #[test]
    fn partial_sums_add_up_in_any_order_and_grouping(
        a in prop::collection::vec(counted(), 0..20),
        b in prop::collection::vec(counted(), 0..20),
        c in prop::collection::vec(counted(), 0..20),
    ) {
        let plus = |one: &Sums, other: &Sums| { let mut sum = one.clone(); sum.merge(other); sum };
        let whole = sums_of(&[a.clone(), b.clone(), c.clone()].concat());
        let (a, b, c) = (sums_of(&a), sums_of(&b), sums_of(&c));
        prop_assert_eq!(plus(&plus(&a, &b), &c), plus(&a, &plus(&b, &c)));
        prop_assert_eq!(plus(&a, &b), plus(&b, &a));
        prop_assert_eq!(plus(&plus(&c, &b), &a), whole);
    }

    #[test]
    fn sums_are_the_same_after_bytes_and_back(facts in prop::collection::vec(counted(), 0..60)) {
        let sums = sums_of(&facts);
        prop_assert_eq!(Sums::decode(&sums.encode()), Ok(sums));
    }

    #[test]
    fn what_is_no_sums_is_refused_and_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Sums::decode(&bytes);
    }

    #[test]
    fn the_top_and_the_rest_are_the_whole(
        facts in prop::collection::vec(counted(), 0..60), most in 0..5_usize
    ) {
        let sums = sums_of(&facts);
        let top = sums.top(most);
        for dimension in Dimension::ALL {
            let whole = |sums: &Sums| {
                let mut all = Tally::default();
                sums.by(*dimension).for_each(|(_, tally)| all.merge(tally));
                all
            };
            prop_assert_eq!(whole(&top), whole(&sums));
            prop_assert!(top.by(*dimension).filter(|(value, _)| *value != REST).count() <= most);
            let least = top.by(*dimension).filter(|(value, _)| *value != REST).map(|(_, tally)| tally.weight()).min();
            let left_out = sums.by(*dimension).filter(|(value, _)| top.get(*dimension, value).is_empty());
            for (_, tally) in left_out {
                prop_assert!(least.is_none_or(|least| tally.weight() <= least));
            }
        }
    }

    #[test]
    fn what_is_taken_back_leaves_nothing(facts in prop::collection::vec(counted(), 0..30)) {
        let back: Vec<_> =
            facts.iter().rev().map(|(what, facets, times)| (what.clone(), facets.clone(), -times)).collect();
        prop_assert!(sums_of(&[facts, back].concat()).is_empty());
    }

    #[test]
    fn the_median_lies_in_the_bucket_of_the_true_one(mut times in prop::collection::vec(0..2_000_000_i64, 1..50)) {
        let mut histogram = Histogram::default();
        for time in &times {
            histogram.add(*time, 1);
        }
        times.sort_unstable();
        let bucket = |time: i64| EDGES_S.iter().position(|edge| time <= *edge);
        let middle = times[(times.len() - 1) / 2];
        let edge = bucket(middle).map_or(i64::MAX, |at| EDGES_S[at]);
        let below = bucket(middle).and_then(|at| at.checked_sub(1)).map_or(0, |at| EDGES_S[at]);
        let median = histogram.median_s().unwrap();
        prop_assert!((below..=edge).contains(&median), "{} is not in {}..={}", median, below, edge);
        let exact = |limit: i64| times.iter().filter(|time| **time <= limit).count() as i64;
        prop_assert_eq!(histogram.within(300), exact(300));
        prop_assert_eq!(histogram.within(3_600), exact(3_600));
    }
}
