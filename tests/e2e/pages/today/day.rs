//! The day so far: beside the same day last week; what a figure is of leads to a report that says the same.

use std::time::Duration;

use leadyard_domain::access::DeskToken;
use leadyard_tests::{Browser, Person, Rules, Yard};
use serde_json::json;

use crate::pages::leads::{link, listed};
use crate::pages::reports::table;

/// A figure of the day: today's, and that of a week ago.
async fn figures(desk: &Browser<'_>, says: &str) -> Vec<String> {
    let page = desk.opens("/console/today").await.is(200);
    let row = page.text.split(&format!(">{says}</a>")).nth(1);
    let row = row.unwrap_or_else(|| panic!("{says}: {}", page.text));
    let cells = row.split("</tr>").next().unwrap().split("<td").skip(1);
    cells.map(said).collect()
}

/// What a cell says, which may be a link.
fn said(cell: &str) -> String {
    let texts = cell.split('>').skip(1).map(|text| text.split('<').next().unwrap());
    texts.map(str::trim).find(|text| !text.is_empty()).unwrap_or_default().to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_speed_to_lead_of_the_day_is_what_a_count_by_hand_says() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    yard.notes();
    let mut leads = Vec::new();
    for n in 1..=7 {
        leads.push(yard.settled_lead(&Person::number(n)).await);
    }
    // Two are reached after 4 minutes, one after 14, two after 50 and one after two hours; one is not reached.
    let mut left = leads.iter();
    for (after, many) in [(240, 2), (600, 1), (2_160, 2), (4_200, 1)] {
        yard.advance(Duration::from_secs(after)).await;
        for lead in left.by_ref().take(many) {
            let _ = yard.answers("hudson", lead, "contacted").await.is(200);
        }
    }
    yard.count().await;
    let desk = Browser::of(&yard).await;
    // Between the third and the fourth, where what is counted within ten to fifteen minutes ends.
    assert_eq!(figures(&desk, "median time to the first contact").await, ["15 min", "–"]);
    // Of the six: 2, and 5.
    assert_eq!(figures(&desk, "reached within 5 minutes").await, ["33.3 %", "–"]);
    assert_eq!(figures(&desk, "reached within the hour").await, ["83.3 %", "–"]);
    assert_eq!(figures(&desk, "reached by their dealer").await, ["6", "0"]);
    yard.advance(Duration::from_secs(7 * 24 * 3_600)).await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    assert_eq!(figures(&desk, "median time to the first contact").await, ["–", "15 min"]);
    assert_eq!(figures(&desk, "reached within the hour").await, ["–", "83.3 %"]);
}

#[tokio::test(start_paused = true)]
async fn the_day_stands_beside_the_same_day_last_week() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    yard.notes();
    for n in 1..=3 {
        let lead = yard.settled_lead(&Person::number(n)).await;
        if n == 1 {
            yard.advance(Duration::from_secs(240)).await;
            let _ = yard.answers("hudson", &lead, "contacted").await.is(200);
        }
    }
    yard.count().await;
    let desk = Browser::of(&yard).await;
    assert_eq!(figures(&desk, "leads, new or back").await, ["3", "0"]);
    assert_eq!(figures(&desk, "reached within 5 minutes").await, ["100 %", "–"]);
    yard.advance(Duration::from_secs(7 * 24 * 3_600)).await;
    let _ = yard.settled_lead(&Person::number(9)).await;
    yard.count().await;
    let desk = Browser::of(&yard).await;
    assert_eq!(figures(&desk, "leads, new or back").await, ["1", "3"]);
    assert_eq!(figures(&desk, "reached by their dealer").await, ["0", "1"]);
    assert_eq!(figures(&desk, "reached within 5 minutes").await, ["–", "100 %"]);
}

#[tokio::test(start_paused = true)]
async fn each_figure_of_the_day_leads_to_a_report_that_says_the_same() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let other = yard.also(Rules::roofing("bolt").seller("ridge", [])).await;
    yard.notes();
    for n in 1..=3 {
        let lead = yard.settled_lead(&Person::number(n)).await;
        if n == 1 {
            let _ = yard.answers("hudson", &lead, "contacted").await.is(200);
        }
    }
    yard.advance(Duration::from_secs(7 * 24 * 3_600)).await;
    for n in 4..=5 {
        let lead = yard.settled_lead(&Person::number(n)).await;
        if n == 4 {
            yard.advance(Duration::from_secs(240)).await;
            let _ = yard.answers("hudson", &lead, "contacted").await.is(200);
            let value = json!({ "value": "900.00" });
            let _ = yard.answers_with("hudson", &lead, "won", Some(value)).await.is(200);
        }
    }
    yard.count().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/today").await.is(200);
    for (figure, row) in [
        ("enquiries", "enquiries"),
        ("leads, new or back", "leads"),
        ("given to dealers", "distributed"),
        ("reached by their dealer", "contacted"),
        ("won", "won"),
        ("median time to the first contact", "median time to contact"),
        ("reached within 5 minutes", "contact within 5 minutes"),
        ("reached within the hour", "contact within the hour"),
    ] {
        let at = link(&page, &format!("\">{figure}")).unwrap();
        let told = table(&desk.opens(&at).await.is(200));
        let told = told.iter().find(|cells| cells[0].0 == row).unwrap_or_else(|| panic!("{at}: {told:?}"));
        assert_eq!(told[1].0, figures(&desk, figure).await[0], "{figure}: {at}");
    }
    // So does each number of the companies side by side.
    let companies = vec![yard.company_id(), other.company_id()];
    let both = yard.cloud.master.mint(&DeskToken { staff: "ann".to_owned(), companies });
    let desk = Browser::with(&yard, &both).await;
    let page = desk.opens("/console/today").await.is(200);
    for (column, leads) in [("leads today", [2, 0]), ("a week ago", [3, 0])] {
        let begins = format!("<td class=\"number\" data-label=\"{column}\"");
        let cells: Vec<&str> = page.text.split(&begins).skip(1).collect();
        assert_eq!(cells.len(), 2, "{}", page.text);
        for (cell, leads) in cells.iter().zip(leads) {
            let cell = cell.split("</td>").next().unwrap();
            assert_eq!(said(cell), leads.to_string(), "{column}: {cell}");
            // Where there is none, there is nothing to lead to.
            let at = cell.split("<a href=\"").nth(1).and_then(|link| link.split('"').next());
            assert_eq!(at.is_some(), leads > 0, "{column}: {cell}");
            if let Some(at) = at {
                let page = desk.opens(&at.replace("&#38;", "&")).await.is(200);
                assert_eq!(listed(&page).len(), leads, "{column}: {at}");
            }
        }
    }
}
