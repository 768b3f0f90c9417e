//! Sums add up in any order; what is put right is put right where it was counted; bytes and back.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan as _};
use proptest::prelude::*;

use super::named::{has_rest, told};
use super::tally::EDGES_S;
use super::*;
use crate::limits;
use crate::money::Money;
use crate::screening::Verdict;

mod carried;

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
        (any::<bool>(), proptest::option::of(0..10_000_i64))
            .prop_map(|(new, cost)| Happened::Opened { new, cost: cost.map(Money::from_minor) }),
        Just(Happened::Imported),
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

/// As the first version wrote it: whole names, and whole masks.
fn first_version(sums: &Sums) -> Vec<u8> {
    fn number(out: &mut Vec<u8>, mut left: u64) {
        while left >= 0x80 {
            out.push(left as u8 | 0x80);
            left >>= 7;
        }
        out.push(left as u8);
    }
    fn counts(out: &mut Vec<u8>, counts: &[i64]) {
        let bits = counts.iter().enumerate().filter(|(_, count)| **count != 0);
        number(out, bits.map(|(at, _)| 1 << at).sum());
        for count in counts.iter().filter(|count| **count != 0) {
            number(out, ((count << 1) ^ (count >> 63)) as u64);
        }
    }
    let mut out = vec![1];
    for (dimension, value, tally) in sums.iter() {
        out.push(dimension as u8);
        number(&mut out, value.len() as u64);
        out.extend_from_slice(value.as_bytes());
        counts(&mut out, &tally.counts);
        let measured = |at: &usize| tally.times[*at] != Histogram::default();
        out.push((0..tally.times.len()).filter(measured).map(|at| 1 << at).sum());
        for at in (0..tally.times.len()).filter(measured) {
            counts(&mut out, &tally.times[at].0);
        }
    }
    out
}

#[test]
fn the_first_versions_bytes_are_these() {
    // One source, `web`, of a hundred enquiries, of which the only one that was delivered took seven seconds.
    let bytes = [1, 1, 3, b'w', b'e', b'b', 0b1, 0xc8, 1, 0b1, 0b1000, 2];
    let mut tally = Tally::default();
    tally.add(Counter::Enquiries, 100);
    tally.times[Speed::Delivery as usize].add(7, 1);
    let mut sums = Sums::default();
    sums.add(Dimension::Source, "web", &tally);
    assert_eq!((first_version(&sums).as_slice(), Sums::decode(&bytes)), (bytes.as_slice(), Ok(sums)));
}

/// Fourteen enquiries of one source on one day, and what became of them.
#[test]
fn a_source_of_fourteen_leads_a_day_takes_less_than_a_hundred_bytes() {
    let mut facts = Vec::new();
    for n in 0..14_i64 {
        facts.extend([
            Happened::Enquired(Verdict::Ham),
            Happened::Opened { new: true, cost: None },
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
    fn what_the_first_version_wrote_is_read(facts in prop::collection::vec(counted(), 0..60)) {
        let sums = sums_of(&facts);
        prop_assert_eq!(Sums::decode(&first_version(&sums)), Ok(sums));
    }

    #[test]
    fn what_the_second_version_wrote_is_read(facts in prop::collection::vec(counted(), 0..60)) {
        let sums = sums_of(&facts);
        let mut bytes = sums.encode();
        // It had fewer counters, and wrote the same.
        bytes[0] = 2;
        prop_assert_eq!(Sums::decode(&bytes), Ok(sums));
    }

    #[test]
    fn what_is_no_sums_is_refused_and_never_panics(
        facts in prop::collection::vec(counted(), 1..40),
        first in any::<bool>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let sums = sums_of(&facts);
        let mut bytes = if first { first_version(&sums) } else { sums.encode() };
        // What ends too early, what goes on, and a version that nobody has written.
        prop_assert_eq!(Sums::decode(&bytes[..bytes.len() - 1]), Err(Damaged));
        prop_assert_eq!(Sums::decode(&[&bytes[..], &[0]].concat()), Err(Damaged));
        for version in [0, Sums::default().encode()[0] + 1] {
            prop_assert_eq!(Sums::decode(&[&[version], &bytes[1..]].concat()), Err(Damaged));
        }
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        // What can be read yet is sums like any other.
        if let Ok(read) = Sums::decode(&bytes) {
            prop_assert_eq!(Sums::decode(&read.encode()), Ok(read));
        }
    }

    #[test]
    fn pieces_are_the_whole_and_each_fits(
        facts in prop::collection::vec(counted(), 0..60), most in 60..400_usize
    ) {
        let sums = sums_of(&facts);
        let mut whole = Sums::default();
        for piece in sums.pieces(most) {
            // A value is never cut.
            prop_assert!(piece.encode().len() <= most || piece.iter().count() == 1);
            whole.merge(&piece);
        }
        prop_assert_eq!(whole, sums);
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

/// So many leads of these campaigns.
fn leads_of(campaigns: impl IntoIterator<Item = usize>) -> Sums {
    let mut sums = Sums::default();
    for n in campaigns {
        let mut tally = Tally::default();
        tally.add(Counter::Leads, 1 + (n % 3) as i64);
        sums.add(Dimension::Campaign, &campaign(n), &tally);
    }
    sums
}

fn campaign(n: usize) -> String {
    format!("campaign-{n}")
}

/// A company's days about the turn of a year: as they were, and as reporting keeps them.
struct Days {
    first: Date,
    truth: Vec<Sums>,
    /// Those of the first days are sealed; the last are partial sums yet.
    kept: Vec<Sums>,
    years: Years,
}

impl Days {
    /// Days on each of which so many campaigns came, from that one on; `late` of them come once all is sealed.
    fn of(days: &[(usize, usize)], late: &[(usize, usize)], sealed: usize) -> Self {
        let first = date(2025, 12, 26);
        let truth: Vec<Sums> = days.iter().map(|(from, many)| leads_of(*from..from + many)).collect();
        let mut kept = Self {
            first,
            truth: truth.clone(),
            kept: vec![Sums::default(); days.len()],
            years: Years::new(),
        };
        for (at, sums) in truth.iter().enumerate() {
            if at < sealed {
                kept.seals(at, sums, kept.day(at).tomorrow().unwrap());
            } else {
                kept.kept[at] = sums.clone();
            }
        }
        for (at, campaign) in late {
            let at = at % sealed.max(1);
            if at < sealed {
                let sums = leads_of([*campaign]);
                kept.seals(at, &sums, kept.day(days.len()));
                kept.truth[at].merge(&sums);
            }
        }
        kept
    }

    fn day(&self, at: usize) -> Date {
        self.first.checked_add((at as i64).days()).unwrap()
    }

    fn seals(&mut self, at: usize, sums: &Sums, today: Date) {
        let named = self.years.entry(self.day(at).year()).or_default();
        let ours: BTreeSet<String> = [campaign(7), campaign(300)].into();
        self.kept[at].merge(sums);
        let _ = named.admit(&self.kept[at], &ours, today);
        self.kept[at] = named.fold(&self.kept[at]);
    }

    /// What a report says of the days from one to another, both included; and what is so.
    fn reads(&self, from: usize, to: usize) -> (Sums, Sums) {
        let merged = |days: &[Sums]| {
            let mut sums = Sums::default();
            days[from..=to].iter().for_each(|day| sums.merge(day));
            sums
        };
        let years = self
            .years
            .iter()
            .filter(|(year, _)| (self.day(from).year()..=self.day(to).year()).contains(*year));
        let years: Years = years.map(|(year, named)| (*year, named.clone())).collect();
        (told(merged(&self.kept), &years, self.day(from)), merged(&self.truth))
    }
}

fn all_campaigns(sums: &Sums) -> Tally {
    let mut all = Tally::default();
    sums.by(Dimension::Campaign).for_each(|(_, tally)| all.merge(tally));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn however_a_period_is_cut_the_sums_agree_and_what_is_named_is_whole(
        days in prop::collection::vec((0..400_usize, 0..120_usize), 2..14),
        late in prop::collection::vec((0..14_usize, 0..600_usize), 0..6),
        open in 0..3_usize,
        cut in any::<prop::sample::Index>(),
    ) {
        let kept = Days::of(&days, &late, days.len().saturating_sub(open));
        let last = days.len() - 1;
        let cut = cut.index(last);
        let (whole, truth) = kept.reads(0, last);
        let ((one, _), (other, _)) = (kept.reads(0, cut), kept.reads(cut + 1, last));
        // The rows and the rest are the whole, of the period and of its parts.
        prop_assert_eq!(all_campaigns(&whole), all_campaigns(&truth));
        let mut parts = one.clone();
        parts.merge(&other);
        prop_assert_eq!(all_campaigns(&parts), all_campaigns(&truth));
        for (campaign, tally) in whole.by(Dimension::Campaign).filter(|(value, _)| *value != REST) {
            prop_assert_eq!(*tally, truth.get(Dimension::Campaign, campaign), "{} is not whole", campaign);
            prop_assert_eq!(*tally, parts.get(Dimension::Campaign, campaign), "{} depends on the cut", campaign);
        }
        for (from, to) in [(0, cut), (cut + 1, last)] {
            let (told, truth) = kept.reads(from, to);
            for (campaign, tally) in told.by(Dimension::Campaign).filter(|(value, _)| *value != REST) {
                prop_assert_eq!(*tally, truth.get(Dimension::Campaign, campaign), "{} is not whole", campaign);
            }
        }
    }
}

#[test]
fn so_many_campaigns_of_strangers_are_named_and_ours_in_any_case() {
    let (ours, today) = (BTreeSet::new(), date(2026, 3, 1));
    let mut named = Named::default();
    assert!(named.admit(&leads_of(0..150), &ours, today));
    assert!(!named.rest && !named.admit(&leads_of(0..150), &ours, today), "they are named once");
    // There is room for fifty of these: for those to which most happened.
    assert!(named.admit(&leads_of(150..300), &ours, today));
    assert!(named.rest && named.since.len() == limits::REPORT_CAMPAIGNS);
    assert!((150..300).filter(|n| named.since.contains_key(&campaign(*n))).all(|n| n % 3 == 2));
    let folded = named.fold(&leads_of(150..300));
    assert!(has_rest(&folded));
    // Who spends is named even now: for the days that come.
    let ours = BTreeSet::from([campaign(900), campaign(902)]);
    assert!(named.admit(&leads_of([900, 901]), &ours, today));
    assert!(!named.since.contains_key(&campaign(901)));
    // And who spends before there is a rest, before anything came of it: for the whole year.
    let mut early = Named::default();
    assert!(early.admit(&leads_of(0..300), &ours, today) && early.rest);
    assert_eq!(early.since.get(&campaign(902)), Some(&Date::MIN));
    let years = BTreeMap::from([(2026, named.clone())]);
    let mut both = folded;
    both.merge(&leads_of([0, 900]));
    let of = |from| {
        let told = told(both.clone(), &years, from);
        (told.get(Dimension::Campaign, &campaign(0)), told.get(Dimension::Campaign, &campaign(900)))
    };
    let (whole, later) = of(date(2026, 1, 1));
    assert!(!whole.is_empty() && later.is_empty(), "what was named later is among the rest");
    assert!(!of(date(2026, 3, 2)).1.is_empty());
    // A year in which it is not named says nothing of it.
    let years = BTreeMap::from([(2025, Named { rest: true, ..Named::default() }), (2026, named)]);
    assert!(told(both.clone(), &years, date(2025, 12, 31)).get(Dimension::Campaign, &campaign(0)).is_empty());
}
