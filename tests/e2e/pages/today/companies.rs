//! Several companies side by side: what is not known of one is not said to be none, and one that cannot be read takes no
//! other with it.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use leadyard_domain::access::DeskToken;
use leadyard_tests::{Browser, Person, Reply, Rules, Yard};

use super::behind;

/// A cell of a company's row in the table of all of them.
fn side_by_side<'p>(page: &'p Reply, company: &str, label: &str) -> &'p str {
    let table = page.text.split("Companies side by side").nth(1).unwrap_or_else(|| panic!("{}", page.text));
    let row = table.split("<tr>").find(|row| row.contains(&format!("href=\"#{company}\"")));
    let cell = row.and_then(|row| row.split(&format!("data-label=\"{label}\">")).nth(1));
    cell.unwrap_or_else(|| panic!("{label} of {company}: {}", page.text)).split("</td>").next().unwrap()
}

#[tokio::test(start_paused = true)]
async fn of_companies_side_by_side_one_whose_hottest_are_reached_is_not_said_to_have_reached_all() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let other = yard.also(Rules::roofing("other").seller("ridge", [])).await;
    yard.notes();
    // As many as are looked at, and all of them reached; one that is not asked before them.
    let first = yard.settled_lead(&Person::number(1)).await;
    yard.advance(Duration::from_secs(60)).await;
    for n in 2..=51 {
        let lead = yard.settled_lead(&Person::number(n)).await;
        let _ = yard.answers("hudson", &lead, "contacted").await.is(200);
    }
    yard.settle().await;
    yard.count().await;
    let companies = vec![yard.company_id(), other.company_id()];
    let both = yard.cloud.master.mint(&DeskToken { staff: "ann".to_owned(), companies });
    let desk = Browser::with(&yard, &both).await;
    let page = desk.opens("/console/today").await.is(200);
    let unknown = side_by_side(&page, "acme", "not reached");
    assert!(unknown.starts_with("<a href=\"/console/leads?company=acme&#38;list=unreached\""), "{unknown}");
    assert!(unknown.contains("class=\"unseen\">not known: none of the hottest"), "{unknown}");
    assert!(!unknown.contains(">0<"), "{unknown}");
    assert_eq!(side_by_side(&page, "other", "not reached"), "0");
    // The list says who, and of whom the number is known it is said.
    assert!(behind(&desk, "/console/leads?company=acme&list=unreached").await.contains(&first));
    other.settled_lead(&Person::number(60)).await;
    yard.count().await;
    let page = desk.opens("/console/today").await.is(200);
    assert!(side_by_side(&page, "other", "not reached").ends_with(">1</a>"), "{}", page.text);
}

#[tokio::test(start_paused = true)]
async fn a_company_that_cannot_be_read_takes_no_other_with_it() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let other = yard.also(Rules::roofing("other").seller("hudson", [])).await;
    let lead = yard.settled_lead(&Person::number(1)).await;
    // The core of the other's next version is none.
    let _ = other.publish(&Rules::roofing("other").seller("hudson", [("price", "11.00")])).await.is(200);
    let store = &yard.cloud.store;
    let (items, _) = store.scan_page(None).await.unwrap();
    let of_core = |item: &&std::collections::HashMap<String, AttributeValue>| {
        item["pk"].as_s().unwrap() == "R#other" && item["sk"].as_s().unwrap().starts_with("core#")
    };
    let mut damaged =
        items.iter().filter(of_core).max_by_key(|item| item["sk"].as_s().unwrap().clone()).unwrap().clone();
    damaged.insert("core".to_owned(), AttributeValue::S("{".to_owned()));
    damaged.insert("sk".to_owned(), AttributeValue::S("core#0000000099".to_owned()));
    store.client().put_item().table_name(store.table()).set_item(Some(damaged)).send().await.unwrap();
    let pointer = std::collections::HashMap::from([
        ("pk".to_owned(), AttributeValue::S("R#other".to_owned())),
        ("sk".to_owned(), AttributeValue::S("current".to_owned())),
        ("version".to_owned(), AttributeValue::N("99".to_owned())),
        ("at".to_owned(), AttributeValue::N("1780329600000".to_owned())),
        ("by".to_owned(), AttributeValue::S("desk".to_owned())),
    ]);
    store.client().put_item().table_name(store.table()).set_item(Some(pointer)).send().await.unwrap();
    let companies = vec![other.company_id(), yard.company_id()];
    let both = yard.cloud.master.mint(&DeskToken { staff: "ann".to_owned(), companies });
    let desk = Browser::with(&yard, &both).await;
    let page = desk.opens("/console/today").await.is(200);
    assert!(page.text.contains("This company could not be read"), "{}", page.text);
    assert!(page.text.contains(&lead) && page.text.contains("Companies side by side"), "{}", page.text);
}
