//! Days are sealed when they are over in the company's zone: once, by whomever, and however much there is of them.

use jiff::civil::Date;
use leadyard_domain::report::{REST, Sums};
use leadyard_platform::store::{PARTS_SEALED, ReportPart};

use super::poison::{items, text};
use super::*;

/// So many leads of one shard on a day.
fn part(day: Date, shard: usize, leads: i64) -> ReportPart {
    let mut tally = Tally::default();
    tally.add(Counter::Leads, leads);
    let mut sums = Sums::default();
    sums.add(Dimension::All, UNKNOWN, &tally);
    sums.add(Dimension::Source, "web", &tally);
    let shard = format!("shardId-{shard:03}");
    ReportPart { day, shard, sequence: "1".to_owned(), sums, ..ReportPart::default() }
}

async fn keeps(yard: &Yard, part: &ReportPart) {
    let (rules, now) = (rules_of(yard).await, yard.cloud.clock.now());
    assert!(yard.cloud.store.report_part_save(&yard.company_id(), part, &rules, now).await.unwrap());
}

async fn is_sealed(yard: &Yard, day: Date) -> bool {
    yard.cloud.store.report_is_sealed(&yard.company_id(), day).await.unwrap()
}

async fn leads_on(yard: &Yard, day: &str) -> i64 {
    said(&yard.report(&format!("leads?from={day}&to={day}")).await["whole"], "leads")
}

#[tokio::test(start_paused = true)]
async fn a_day_of_many_shards_is_sealed_at_once() {
    let yard = Yard::of(trade()).await;
    let day = date(2026, 6, 1);
    for shard in 0..25 {
        keeps(&yard, &part(day, shard, 1 + shard as i64)).await;
    }
    yard.advance_to("2026-06-02T15:00:00Z").await;
    yard.notes();
    yard.settled_lead(&Person::number(1)).await;
    yard.count().await;
    assert!(is_sealed(&yard, day).await);
    let parts = yard.cloud.store.report_parts(&yard.company_id()).await.unwrap();
    let left = parts.iter().filter(|part| part.day == day && !part.sums.is_empty()).count();
    assert_eq!((left, parts.iter().filter(|part| part.day == day).count()), (0, 25));
    assert_eq!(leads_on(&yard, "2026-06-01").await, (1..=25).sum::<i64>());
    assert_eq!(leads_on(&yard, "2026-06-02").await, 1);
}

#[tokio::test(start_paused = true)]
async fn of_two_who_seal_at_once_one_does() {
    let yard = Yard::of(trade()).await;
    let (day, company) = (date(2026, 6, 1), yard.company_id());
    for shard in 0..3 {
        keeps(&yard, &part(day, shard, 7)).await;
    }
    let (store, rules, now) = (&yard.cloud.store, rules_of(&yard).await, yard.cloud.clock.now());
    let parts = store.report_parts(&company).await.unwrap();
    // All of it both, and each its own part.
    let seals = |parts: &[ReportPart]| {
        let parts = parts.to_vec();
        let (company, rules) = (&company, &rules);
        async move { Box::pin(store.report_seal(company, day, &parts, rules, now)).await.unwrap() }
    };
    let done = tokio::join!(seals(&parts[..2]), seals(&parts[..2]), seals(&parts[2..]));
    let done = [done.0, done.1, done.2].into_iter().filter(|done| *done).count();
    assert!((1..=2).contains(&done), "{done} sealed");
    assert_eq!(leads_on(&yard, "2026-06-01").await, 21, "nothing is there twice, and nothing lost");
    // Whoever comes after does the rest.
    for _ in 0..2 {
        let parts = store.report_parts(&company).await.unwrap();
        assert!(seals(&parts).await);
    }
    assert_eq!(leads_on(&yard, "2026-06-01").await, 21);
}

#[tokio::test(start_paused = true)]
async fn a_day_ends_when_it_is_over_in_the_company_s_zone() {
    let yard = Yard::of(trade()).await;
    yard.notes();
    // Ten to midnight in New York, where it is long tomorrow by UTC.
    yard.advance_to("2026-06-02T03:50:00Z").await;
    yard.settled_lead(&Person::number(1)).await;
    yard.count().await;
    assert_eq!((leads_on(&yard, "2026-06-01").await, leads_on(&yard, "2026-06-02").await), (1, 0));
    // The first of an hour asks whether days can be sealed: this one is not over.
    assert!(!is_sealed(&yard, date(2026, 6, 1)).await);
    yard.advance_to("2026-06-02T04:10:00Z").await;
    yard.settled_lead(&Person::number(2)).await;
    yard.count().await;
    assert_eq!((leads_on(&yard, "2026-06-01").await, leads_on(&yard, "2026-06-02").await), (1, 1));
    assert!(is_sealed(&yard, date(2026, 6, 1)).await && !is_sealed(&yard, date(2026, 6, 2)).await);
}

/// Six thousand dealers, of each of whom so much happened.
fn of_many_dealers(times: i64) -> Sums {
    let mut sums = Sums::default();
    for n in 0..6_000 {
        let mut tally = Tally::default();
        for (at, counter) in Counter::ALL.iter().enumerate() {
            tally.add(*counter, times * (1 + n + at as i64));
        }
        tally.times[Speed::Contact as usize].add(200 + n, times);
        sums.add(Dimension::Dealer, &format!("dealer-{:04x}", n.wrapping_mul(40_503) % 65_536), &tally);
    }
    sums
}

#[tokio::test(start_paused = true)]
async fn every_dealer_has_its_whole_figure_however_many_there_are_and_however_a_period_is_cut() {
    let yard = Yard::of(trade()).await;
    let (store, company) = (&yard.cloud.store, yard.company_id());
    let days = [date(2026, 5, 31), date(2026, 6, 1), date(2026, 6, 2)];
    let today = days[2];
    for (day, times) in days.into_iter().zip([1, 2, 4]) {
        let sums = of_many_dealers(times);
        let shard = "shardId-1".to_owned();
        let part = ReportPart { day, shard, sequence: "9".to_owned(), sums, ..ReportPart::default() };
        keeps(&yard, &part).await;
    }
    let read = async |from, to| {
        let (mut sums, dimension) = (Sums::default(), [Dimension::Dealer]);
        for (tables, counts) in [(Tables::Counts, true), (Tables::Times, false)] {
            let read = store.report_read(&company, &dimension, tables, (from, to), today).await.unwrap().sums;
            let (counted, measured) = read.split();
            sums.merge(if counts { &counted } else { &measured });
        }
        sums
    };
    assert_eq!(read(days[0], days[2]).await, of_many_dealers(7), "as partial sums");
    // Too much for an item is several, of which each knows nothing but its own.
    let parts = store.report_parts(&company).await.unwrap();
    assert!(parts.len() > 6, "{} parts", parts.len());
    let (rules, now) = (rules_of(&yard).await, yard.cloud.clock.now());
    for day in &days[..2] {
        let of_day: Vec<_> = parts.iter().filter(|part| part.day == *day).cloned().collect();
        for some in of_day.chunks(PARTS_SEALED) {
            assert!(Box::pin(store.report_seal(&company, *day, some, &rules, now)).await.unwrap());
        }
        assert!(store.report_part(&company, *day, "shardId-1").await.unwrap().has("9"), "it is still known");
    }
    for (from, to, times) in [(0, 0, 1), (1, 1, 2), (2, 2, 4), (0, 1, 3), (1, 2, 6), (0, 2, 7)] {
        assert_eq!(read(days[from], days[to]).await, of_many_dealers(times), "days {from} to {to}");
    }
    assert!(read(days[0], days[2]).await.get(Dimension::Dealer, REST).is_empty());
    // DynamoDB takes no item above 400 KB.
    for item in items(&yard).await {
        let bytes = item.get("b").and_then(|sums| sums.as_b().ok()).map_or(0, |sums| sums.as_ref().len());
        assert!(bytes <= 300_000, "{} / {}: {bytes} bytes", text(&item, "pk"), text(&item, "sk"));
    }
}
