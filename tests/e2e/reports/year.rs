//! What a year's report costs: it is read from days and months, and not from leads.

use jiff::civil::{Date, date};
use leadyard_domain::report::{Counter, Dimension, Speed, Sums, Tally};
use leadyard_platform::store::ReportPart;

use super::*;

/// A day of a company with a million leads a year, as if each of these many values had its part of it.
fn a_day(draw: &mut fastrand::Rng) -> Sums {
    const LEADS: i64 = 2_740;
    let mut sums = Sums::default();
    let values = [
        (Dimension::All, 1),
        (Dimension::Source, 40),
        (Dimension::Campaign, 100),
        (Dimension::Offer, 20),
        (Dimension::Category, 4),
        (Dimension::Dealer, 300),
        (Dimension::State, 51),
        (Dimension::Band, 9),
        (Dimension::Reason, 20),
    ];
    for (dimension, many) in values {
        for n in 0..many {
            let share = (LEADS / many).max(1);
            let mut tally = Tally::default();
            for counter in Counter::ALL {
                let money = [Counter::Charged, Counter::Credited, Counter::WonValue, Counter::LeadsCost]
                    .contains(counter);
                let most = if money { share * 10_000 } else { share * 2 };
                // Of rare things, nothing on most days.
                if money || draw.i64(0..10) < share {
                    tally.add(*counter, draw.i64(0..most));
                }
            }
            for speed in Speed::ALL {
                for _ in 0..share.min(60) {
                    tally.times[*speed as usize].add(draw.i64(1..20_000), 1);
                }
            }
            let value =
                if dimension == Dimension::All { String::new() } else { format!("{dimension}-{n}-of-it") };
            sums.add(dimension, &value, &tally);
        }
    }
    sums
}

#[tokio::test(start_paused = true)]
async fn a_years_report_costs_the_same_whatever_the_number_of_leads() {
    let yard = Yard::of(trade()).await;
    let company = yard.company_id();
    let (store, mut draw) = (&yard.cloud.store, fastrand::Rng::with_seed(1));
    let (rules, now) = (rules_of(&yard).await, yard.cloud.clock.now());
    let mut leads = 0;
    let today: Date = date(2026, 6, 1);
    let mut day = date(2025, 6, 2);
    while day <= today {
        let sums = a_day(&mut draw);
        leads += sums.get(Dimension::All, "").get(Counter::Leads);
        for shard in ["shardId-1", "shardId-2"] {
            // Of two shards, each has counted half: here one all and one nothing new.
            let sums = if shard == "shardId-1" { sums.clone() } else { Sums::default() };
            let part = ReportPart {
                day,
                shard: shard.to_owned(),
                sequence: "1".to_owned(),
                sums,
                ..ReportPart::default()
            };
            assert!(store.report_part_save(&company, &part, &rules, now).await.unwrap());
        }
        if day < today {
            let parts = store.report_parts(&company).await.unwrap();
            assert!(store.report_seal(&company, day, &parts, &rules, now).await.unwrap());
            // What is empty expires.
            for shard in ["shardId-1", "shardId-2"] {
                let key = json!({ "pk": format!("T#{company}"), "sk": format!("P#{day}#{shard}") });
                let key = key.as_object().unwrap().iter().map(|(name, value)| {
                    let value =
                        aws_sdk_dynamodb::types::AttributeValue::S(value.as_str().unwrap().to_owned());
                    (name.clone(), value)
                });
                store.item_delete(&key.collect()).await.unwrap();
            }
        }
        day = day.tomorrow().unwrap();
    }
    let (mut told, mut compared) = (Vec::new(), 0);
    for report in REPORTS.into_iter().chain(["speed?by=source", "speed?by=dealer"]) {
        let glue = if report.contains('?') { '&' } else { '?' };
        let report_of_year = yard.report(&format!("{report}{glue}from=2025-06-02&to=2026-06-01")).await;
        let units = report_of_year["read_units"].as_f64().unwrap();
        assert!(units <= 40.0, "{report}: {units} read units");
        told.push(format!(
            "{report}: {units} read units, {} rows",
            report_of_year["rows"].as_array().unwrap().len()
        ));
        // Every dealer has its row, and all other values of the rulebook's: none is the rest.
        if report == "dealers" {
            let rows = report_of_year["rows"].as_array().unwrap();
            assert!(rows.len() == 300 && rows.iter().all(|row| row["rest"].is_null()), "{} rows", rows.len());
        }
        // A page compares every row where both years together cost what one may.
        let desk = Browser::of(&yard).await;
        let page = desk.opens(&format!("/console/reports/{report}{glue}from=2025-06-02&to=2026-06-01")).await;
        let alone = page.is(200).text.contains("of the whole alone");
        assert_eq!(alone, 2.0 * units > 40.0, "{report}: {units} read units");
        compared += usize::from(!alone);
        if let Some(total) = report_of_year["whole"].get("leads") {
            assert_eq!(total.as_i64(), Some(leads), "{report}");
        }
    }
    assert!(0 < compared && compared < told.len(), "{compared} of {} are compared by row", told.len());
    // A page of a quarter compares every row: it costs at most what both periods cost, here cut across months.
    for report in ["sources", "campaigns", "areas", "dealers", "speed?by=dealer"] {
        let glue = if report.contains('?') { '&' } else { '?' };
        let mut units = 0.0;
        for period in ["from=2026-02-14&to=2026-05-16", "from=2025-11-14&to=2026-02-13"] {
            let read = yard.report(&format!("{report}{glue}{period}")).await;
            units += read["read_units"].as_f64().unwrap();
        }
        // Every one of the three hundred dealers is in it.
        let most = if report.contains("dealer") { 60.0 } else { 50.0 };
        assert!(units <= most, "{report}: {units} read units");
        told.push(format!("{report}: a page of a quarter, at most {units} read units"));
    }
    println!("{}", told.join("\n"));
}
