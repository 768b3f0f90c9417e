//! Campaigns are strangers' words: however many somebody invents, the shard goes on, items stay small, what is named is
//! whole, and the rest is one row.

use super::poison::{items, text};
use super::stream::handle;
use super::*;

/// The name of a campaign as long as sums hold one.
fn longest(n: usize) -> String {
    format!("{n:05}-{}", "x".repeat(94))
}

/// Records like this one, numbered from `first` on, of these campaigns.
fn like(record: &Value, first: u128, campaigns: impl Iterator<Item = String>) -> Vec<StreamRecord> {
    let one = |(at, campaign): (usize, String)| {
        let mut record = record.clone();
        record["dynamodb"]["SequenceNumber"] = json!((first + at as u128).to_string());
        record["dynamodb"]["NewImage"]["asked"]["M"]["c"] = json!({ "S": campaign });
        StreamRecord(record)
    };
    campaigns.enumerate().map(one).collect()
}

/// Enquiries by campaign, of which the rest is `None`.
async fn enquiries(yard: &Yard, period: &str) -> BTreeMap<Option<String>, i64> {
    let told = yard.report(&format!("campaigns?{period}")).await;
    let rows = told["rows"].as_array().unwrap();
    let named = |row: &Value| {
        let unknown = if row["rest"] == true { None } else { Some(String::new()) };
        row["value"].as_str().map(str::to_owned).or(unknown)
    };
    let counted: BTreeMap<_, _> = rows
        .iter()
        .filter(|row| row["enquiries"].is_number())
        .map(|row| (named(row), said(row, "enquiries")))
        .collect();
    assert_eq!(counted.values().sum::<i64>(), said(&told["whole"], "enquiries"), "the rows are the whole");
    counted
}

#[tokio::test(start_paused = true)]
async fn five_thousand_campaigns_of_the_longest_name_stop_nothing() {
    let yard = Yard::of(trade()).await;
    yard.notes();
    yard.settled_lead(&Person::number(1).with("utm_campaign", "spring")).await;
    let noted = yard.aws.tables().stream_after(system::TABLE, 0, 1_000).unwrap();
    let record = noted
        .iter()
        .map(|(_, record)| record)
        .find(|record| record["eventName"] == "INSERT" && record["dynamodb"]["Keys"]["sk"]["S"] == "E");
    let record = record.expect("an enquiry").clone();
    // Another shard says so: five full batches, and now and then one that somebody knows.
    let shard = "shardId-strangers";
    for batch in 0..5 {
        let campaigns = (1_000 * batch..1_000 * (batch + 1))
            .map(|n| if n % 1_000 == 500 { "spring".to_owned() } else { longest(n) });
        let records = like(&record, 1 + 1_000 * batch as u128, campaigns);
        assert!(handle(&yard, shard, &records).await.is_empty(), "batch {batch}");
        assert!(handle(&yard, shard, &records).await.is_empty(), "again");
    }
    yard.count().await;
    for item in items(&yard).await {
        let bytes = item.get("b").and_then(|sums| sums.as_b().ok()).map_or(0, |sums| sums.as_ref().len());
        assert!(bytes <= 100_000, "{} / {}: {bytes} bytes", text(&item, "pk"), text(&item, "sk"));
    }
    // Two hundred are named; and what money is spent on, in any case. The real one of them was counted as well.
    let counted = enquiries(&yard, "from=2026-06-01&to=2026-06-01").await;
    assert_eq!(counted.values().sum::<i64>(), 5_001);
    assert_eq!(counted.get(&Some("spring".to_owned())), Some(&6));
    // Beside them stand those of no campaign, which cost something too, and the rest.
    assert_eq!((counted.len(), counted.get(&None)), (203, Some(&(5_001 - 200 - 6))));
    // The same once the day is sealed, and a campaign that comes now is among the rest.
    yard.advance_to("2026-06-02T15:00:00Z").await;
    yard.settled_lead(&Person::number(2).with("utm_campaign", "autumn")).await;
    yard.settled_lead(&Person::number(3).with("utm_campaign", "spring")).await;
    yard.count().await;
    assert!(yard.cloud.store.report_is_sealed(&yard.company_id(), date(2026, 6, 1)).await.unwrap());
    assert_eq!(enquiries(&yard, "from=2026-06-01&to=2026-06-01").await, counted, "sealing changes nothing");
    let both = enquiries(&yard, "from=2026-06-01&to=2026-06-02").await;
    assert_eq!(
        (both.get(&Some("spring".to_owned())), both.get(&Some("autumn".to_owned()))),
        (Some(&7), None)
    );
    assert_eq!(both.get(&None), Some(&(5_001 - 200 - 6 + 1)));
}

#[tokio::test(start_paused = true)]
async fn what_money_was_spent_on_and_is_named_brought_nothing_where_it_brought_nothing() {
    // Before there is any rest `spring` is named: it spends.
    let yard = Yard::of(trade()).await;
    yard.notes();
    yard.settled_lead(&Person::number(1)).await;
    let noted = yard.aws.tables().stream_after(system::TABLE, 0, 1_000).unwrap();
    let record = noted
        .iter()
        .map(|(_, record)| record)
        .find(|record| record["eventName"] == "INSERT" && record["dynamodb"]["Keys"]["sk"]["S"] == "E");
    for some in like(record.expect("an enquiry"), 1, (0..1_500).map(longest)).chunks(1_000) {
        assert!(handle(&yard, "shardId-strangers", some).await.is_empty());
    }
    let told = yard.report("campaigns?from=2026-06-01&to=2026-06-30").await;
    let rows = told["rows"].as_array().unwrap();
    assert!(rows.iter().any(|row| row["rest"] == true), "{told}");
    let spring = rows.iter().find(|row| row["value"] == "spring").unwrap_or_else(|| panic!("{told}"));
    assert_eq!((&spring["cost"], &spring["enquiries"]), (&json!("300.00"), &json!(0)));
}

#[tokio::test(start_paused = true)]
async fn a_campaign_of_a_long_name_costs_what_was_spent_on_it() {
    let name = format!("summer-{}", "x".repeat(140));
    let spend = format!("month,source,campaign,amount\n2026-06,ads,{name},300.00\n");
    let yard = Yard::of(trade().file("spend.csv", &spend)).await;
    yard.notes();
    yard.settled_lead(&Person::number(1).with("utm_campaign", &name)).await;
    yard.count().await;
    let told = yard.report("campaigns?from=2026-06-01&to=2026-06-30").await;
    let rows = told["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{told}");
    // A lead of the web's costs 4.00 besides.
    assert_eq!((&rows[0]["leads"], &rows[0]["cost"]), (&json!(1), &json!("304.00")));
}

#[tokio::test(start_paused = true)]
async fn what_money_was_spent_on_and_may_be_among_the_rest_says_what_it_cost_and_not_nothing() {
    let yard = Yard::of(trade()).await;
    yard.notes();
    yard.settled_lead(&Person::number(1)).await;
    let noted = yard.aws.tables().stream_after(system::TABLE, 0, 1_000).unwrap();
    let record = noted
        .iter()
        .map(|(_, record)| record)
        .find(|record| record["eventName"] == "INSERT" && record["dynamodb"]["Keys"]["sk"]["S"] == "E");
    // So many that there is no room, and among them one that spends from tomorrow on.
    let campaigns = (0..1_500).map(|n| if n == 700 { "radio".to_owned() } else { longest(n) });
    let records = like(record.expect("an enquiry"), 1, campaigns);
    for some in records.chunks(1_000) {
        assert!(handle(&yard, "shardId-strangers", some).await.is_empty());
    }
    let spends = trade().file(
        "spend.csv",
        "month,source,campaign,amount\n2026-06,ads,radio,300.00\n2026-06,ads,spring,30.00\n",
    );
    let _ = yard.publish(&spends).await.is(200);
    let of = async |period: &str, campaign: &str| {
        let told = yard.report(&format!("campaigns?{period}")).await;
        let rows = told["rows"].as_array().unwrap();
        rows.iter()
            .find(|row| row["value"] == campaign)
            .cloned()
            .unwrap_or_else(|| panic!("{campaign}: {told}"))
    };
    let june = "from=2026-06-01&to=2026-06-30";
    let radio = of(june, "radio").await;
    assert_eq!(
        (&radio["cost"], &radio["enquiries"], &radio["return_on_spend"]),
        (&json!("300.00"), &Value::Null, &Value::Null)
    );
    // From the day after it was named on it is whole.
    yard.advance_to("2026-06-02T15:00:00Z").await;
    yard.settled_lead(&Person::number(2)).await;
    yard.count().await;
    yard.advance_to("2026-06-03T15:00:00Z").await;
    yard.settled_lead(&Person::number(3).with("utm_campaign", "radio")).await;
    yard.settled_lead(&Person::number(4).with("utm_campaign", "autumn")).await;
    yard.count().await;
    yard.advance_to("2026-06-04T15:00:00Z").await;
    yard.settled_lead(&Person::number(5)).await;
    yard.count().await;
    let counted = enquiries(&yard, "from=2026-06-03&to=2026-06-04").await;
    assert_eq!((counted.get(&Some("radio".to_owned())), counted.get(&None)), (Some(&1), Some(&1)));
    for from in ["2026-06-01", "2026-06-02"] {
        let told = of(&format!("from={from}&to=2026-06-04"), "radio").await;
        assert_eq!(told["enquiries"], Value::Null, "from {from}: {told}");
    }
}
