//! DynamoDB's contract, as far as the store relies on it: one suite in memory and over a file.
//!
//! Determinations: where ours knowingly differs from AWS, and no test asks for more.
//!
//! | AWS | ours |
//! |---|---|
//! | two transactions on one item may both be refused with `TransactionConflict` | one after the other; the simulation's decorator supplies conflicts |
//! | a read is stale unless it asks not to be; an index always may be | every read is consistent; the decorator serves stale pages |
//! | throttles, per table and per key | never |
//! | request tokens are of the table, good for ten minutes | of the process, good for ten minutes: who would send one again died with it |
//! | expired items vanish within days | they stay, which a reader must bear on AWS too |

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use leadyard::aws::{Calls, LocalAws};
use leadyard_platform::entropy::Entropy;
use leadyard_platform::store::{Item, Store};

use super::{Place, clock, open, pass};

const TABLE: &str = "leadyard";

/// Declares each test in both places.
macro_rules! everywhere {
    ($($test:ident)*) => {
        mod in_memory {
            $(#[test]
            fn $test() { super::super::run(super::Place::Memory, super::$test(super::Place::Memory)); })*
        }
        mod over_a_file {
            $(#[test]
            fn $test() { super::super::run(super::Place::File, super::$test(super::Place::File)); })*
        }
    };
}

everywhere! {
    a_read_sees_what_was_answered_before_it
    a_put_replaces_the_whole_item
    a_failed_condition_refuses_a_put_and_leaves_what_stands
    a_failed_condition_refuses_an_update_and_makes_no_item
    a_transaction_is_all_or_nothing_and_says_what_stood_in_its_way
    a_transaction_touches_an_item_once
    a_token_sent_again_applies_once_and_answers_the_same
    a_token_with_another_transaction_is_refused
    a_token_knows_its_transaction_in_any_order_of_its_attributes
    a_token_is_forgotten_after_ten_minutes
    a_refused_transaction_leaves_its_token_free
    an_addition_to_a_number_begins_at_nothing_and_counts_every_time
    an_addition_to_a_set_counts_once_however_often_it_comes
    an_empty_set_is_refused
    an_index_has_an_item_only_while_it_has_both_keys
    an_item_moves_within_an_index_when_its_key_changes
    a_numeric_index_sorts_by_number
    an_index_is_paged_without_a_gap_or_a_repeat
    a_prefix_of_a_partition_is_read_in_order_and_in_pages
    a_reserved_word_is_refused_unless_it_is_given_by_name
    an_item_has_its_limit
    many_are_got_at_once_and_what_is_missing_is_left_out
}

async fn a_read_sees_what_was_answered_before_it(place: Place) {
    let table = Table::new(place).await;
    for n in 0..20 {
        table.put("a", "L", [("n", number(n))]).await;
        assert_eq!(table.get("a", "L").await.unwrap()["n"], number(n));
        let query = table.client.query().table_name(TABLE).consistent_read(true);
        let query =
            query.key_condition_expression("pk = :pk").expression_attribute_values(":pk", string("a"));
        assert_eq!(query.send().await.unwrap().items()[0]["n"], number(n));
    }
    assert_eq!(table.get("a", "M").await, None);
}

async fn a_put_replaces_the_whole_item(place: Place) {
    let table = Table::new(place).await;
    table.put("a", "L", [("old", number(1)), ("both", number(1))]).await;
    table.put("a", "L", [("new", number(2)), ("both", number(2))]).await;
    assert_eq!(names(&table.get("a", "L").await.unwrap()), ["both", "new", "pk", "sk"]);
}

async fn a_failed_condition_refuses_a_put_and_leaves_what_stands(place: Place) {
    let table = Table::new(place).await;
    let put = |n: i64, condition: &str, seen: Option<i64>| {
        let put =
            table.client.put_item().table_name(TABLE).set_item(Some(item("a", "L", [("v", number(n))])));
        let put = put.condition_expression(condition);
        put.set_expression_attribute_values(seen.map(|seen| HashMap::from([(":seen".into(), number(seen))])))
    };
    put(1, "attribute_not_exists(pk)", None).send().await.unwrap();
    let error = put(2, "attribute_not_exists(pk)", None).send().await.unwrap_err().into_service_error();
    assert!(error.is_conditional_check_failed_exception(), "{error:?}");
    assert_eq!(table.get("a", "L").await.unwrap()["v"], number(1));
    put(2, "v = :seen", Some(1)).send().await.unwrap();
    let error = put(3, "v = :seen", Some(1)).send().await.unwrap_err().into_service_error();
    assert!(error.is_conditional_check_failed_exception(), "{error:?}");
    assert_eq!(table.get("a", "L").await.unwrap()["v"], number(2));
}

async fn a_failed_condition_refuses_an_update_and_makes_no_item(place: Place) {
    let table = Table::new(place).await;
    let claim = |pk: &str, since: i64, until: i64| {
        let update =
            table.client.update_item().table_name(TABLE).key("pk", string(pk)).key("sk", string("L"));
        let update = update.update_expression("SET dt = :until").condition_expression("dt = :since");
        let update = update.expression_attribute_values(":since", number(since));
        update.expression_attribute_values(":until", number(until)).send()
    };
    table.put("a", "L", [("dt", number(10))]).await;
    claim("a", 10, 20).await.unwrap();
    for pk in ["a", "nobody"] {
        let error = claim(pk, 10, 30).await.unwrap_err().into_service_error();
        assert!(error.is_conditional_check_failed_exception(), "{error:?}");
    }
    assert_eq!(table.get("a", "L").await.unwrap()["dt"], number(20));
    assert_eq!(table.get("nobody", "L").await, None);
}

async fn a_transaction_is_all_or_nothing_and_says_what_stood_in_its_way(place: Place) {
    let table = Table::new(place).await;
    table.put("lead", "L", [("v", number(3))]).await;
    table.put("caps", "K", [("used", number(5)), ("dealer", string("hudson"))]).await;
    let writes = |seen: i64, most: i64| {
        vec![
            put_if(item("lead", "L", [("v", number(seen + 1))]), "v = :seen", [(":seen", number(seen))]),
            update_if(
                "caps",
                "K",
                "ADD used :one",
                "used < :most",
                [(":one", number(1)), (":most", number(most))],
            ),
            put_if(item("lead", "A", []), "attribute_not_exists(pk)", []),
        ]
    };
    let refused = table.transact("1", writes(3, 5)).await.unwrap_err();
    assert_eq!(reasons(&refused), ["None", "ConditionalCheckFailed", "None"]);
    let stood = item("caps", "K", [("used", number(5)), ("dealer", string("hudson"))]);
    assert_eq!(old_items(&refused), [None, Some(stood.clone()), None]);
    // Every failed condition is told, not the first alone.
    let refused = table.transact("2", writes(2, 5)).await.unwrap_err();
    assert_eq!(reasons(&refused), ["ConditionalCheckFailed", "ConditionalCheckFailed", "None"]);
    let lead = item("lead", "L", [("v", number(3))]);
    assert_eq!(old_items(&refused), [Some(lead.clone()), Some(stood.clone()), None]);
    // None of it stands.
    assert_eq!((table.get("lead", "L").await, table.get("lead", "A").await), (Some(lead), None));
    assert_eq!(table.get("caps", "K").await, Some(stood));
    table.transact("3", writes(3, 6)).await.unwrap();
    assert_eq!(table.get("lead", "L").await.unwrap()["v"], number(4));
    assert_eq!(table.get("caps", "K").await.unwrap()["used"], number(6));
    assert!(table.get("lead", "A").await.is_some());
    // Where nothing stands, there is no old item to tell.
    let missing = vec![put_if(item("nobody", "L", []), "v = :seen", [(":seen", number(1))])];
    let refused = table.transact("4", missing).await.unwrap_err();
    assert_eq!(
        (reasons(&refused), old_items(&refused)),
        (vec!["ConditionalCheckFailed".to_owned()], vec![None])
    );
}

async fn a_transaction_touches_an_item_once(place: Place) {
    let table = Table::new(place).await;
    let twice = vec![add("a", "n"), add("b", "n"), add("a", "m")];
    let error = table.transact("1", twice).await.unwrap_err();
    assert_eq!(error.code(), Some("ValidationException"), "{error:?}");
    assert_eq!((table.get("a", "K").await, table.get("b", "K").await), (None, None));
}

async fn a_token_sent_again_applies_once_and_answers_the_same(place: Place) {
    let table = Table::new(place).await;
    for _ in 0..3 {
        table.transact("token", vec![add("a", "n"), add("b", "n")]).await.unwrap();
    }
    assert_eq!(table.get("a", "K").await.unwrap()["n"], number(1));
    assert_eq!(table.get("b", "K").await.unwrap()["n"], number(1));
    table.transact("another", vec![add("a", "n"), add("b", "n")]).await.unwrap();
    assert_eq!(table.get("a", "K").await.unwrap()["n"], number(2));
    // Even where the condition would not hold a second time: the reply was lost, the commit was not.
    for _ in 0..2 {
        let first = vec![put_if(item("c", "L", []), "attribute_not_exists(pk)", [])];
        table.transact("once", first).await.unwrap();
    }
}

async fn a_token_with_another_transaction_is_refused(place: Place) {
    let table = Table::new(place).await;
    table.transact("token", vec![add("a", "n")]).await.unwrap();
    let error = table.transact("token", vec![add("b", "n")]).await.unwrap_err();
    let error = error.as_service_error().unwrap();
    assert!(error.is_idempotent_parameter_mismatch_exception(), "{error:?}");
    assert_eq!(table.get("b", "K").await, None);
    for token in ["", &"x".repeat(37)] {
        let error = table.transact(token, vec![add("b", "n")]).await.unwrap_err();
        assert_eq!(error.code(), Some("ValidationException"), "{error:?}");
    }
}

async fn a_token_knows_its_transaction_in_any_order_of_its_attributes(place: Place) {
    let table = Table::new(place).await;
    // A map's order is another each time that it is made.
    let written = |first: &str, last: &str| {
        let more = [("n1", first), ("n2", "b"), ("n3", "c"), ("n4", "d"), ("n5", last)];
        vec![put_if(item("a", "L", more.map(|(name, value)| (name, string(value)))), "", [])]
    };
    for _ in 0..20 {
        table.transact("token", written("a", "e")).await.unwrap();
    }
    // The same texts, elsewhere.
    let error = table.transact("token", written("e", "a")).await.unwrap_err();
    assert!(error.as_service_error().unwrap().is_idempotent_parameter_mismatch_exception(), "{error:?}");
    assert_eq!(table.get("a", "L").await.unwrap()["n1"], string("a"));
}

async fn a_token_is_forgotten_after_ten_minutes(place: Place) {
    let table = Table::new(place).await;
    table.transact("token", vec![add("a", "n")]).await.unwrap();
    pass(599.0).await;
    table.transact("token", vec![add("a", "n")]).await.unwrap();
    assert_eq!(table.get("a", "K").await.unwrap()["n"], number(1));
    pass(2.0).await;
    table.transact("token", vec![add("a", "n")]).await.unwrap();
    assert_eq!(table.get("a", "K").await.unwrap()["n"], number(2));
}

async fn a_refused_transaction_leaves_its_token_free(place: Place) {
    let table = Table::new(place).await;
    let change = || vec![put_if(item("a", "L", [("v", number(2))]), "v = :seen", [(":seen", number(1))])];
    let refused = table.transact("token", change()).await.unwrap_err();
    assert_eq!(reasons(&refused), ["ConditionalCheckFailed"]);
    table.put("a", "L", [("v", number(1))]).await;
    table.transact("token", change()).await.unwrap();
    assert_eq!(table.get("a", "L").await.unwrap()["v"], number(2));
}

async fn an_addition_to_a_number_begins_at_nothing_and_counts_every_time(place: Place) {
    let table = Table::new(place).await;
    for expected in [1, 2, 3] {
        table.update("a", "ADD n :some SET m = :some", [(":some", number(1))]).await.unwrap();
        assert_eq!(table.get("a", "K").await.unwrap()["n"], number(expected));
    }
    table.update("a", "ADD n :some", [(":some", number(-1))]).await.unwrap();
    // 2^53 + 1 and beyond: numbers are decimal, never floats.
    table.update("a", "ADD n :some", [(":some", number(9_007_199_254_740_993_i64))]).await.unwrap();
    let stands = table.get("a", "K").await.unwrap();
    assert_eq!((&stands["n"], &stands["m"]), (&number(9_007_199_254_740_995_i64), &number(1)));
}

async fn an_addition_to_a_set_counts_once_however_often_it_comes(place: Place) {
    let table = Table::new(place).await;
    let ids = |ids: &[u8]| AttributeValue::Bs(ids.iter().map(|id| Blob::new([*id; 8])).collect());
    let surnames = |names: &[&str]| AttributeValue::Ss(names.iter().map(|name| (*name).to_owned()).collect());
    for (some, names) in [([1, 2], ["hill", "ada"]), ([2, 3], ["ada", "brook"]), ([1, 2], ["hill", "ada"])] {
        let values = [(":some", ids(&some)), (":names", surnames(&names))];
        table.update("a", "ADD visits :some, surnames :names", values).await.unwrap();
    }
    let stands = table.get("a", "K").await.unwrap();
    let visits: BTreeSet<Vec<u8>> =
        stands["visits"].as_bs().unwrap().iter().map(|id| id.as_ref().to_vec()).collect();
    assert_eq!(visits, BTreeSet::from([vec![1; 8], vec![2; 8], vec![3; 8]]));
    assert_eq!(stands["visits"].as_bs().unwrap().len(), 3);
    let mut surnames = stands["surnames"].as_ss().unwrap().clone();
    surnames.sort();
    assert_eq!(surnames, ["ada", "brook", "hill"]);
}

async fn an_empty_set_is_refused(place: Place) {
    let table = Table::new(place).await;
    let error = table.update("a", "ADD visits :none", [(":none", AttributeValue::Bs(Vec::new()))]).await;
    assert_eq!(error.unwrap_err().code(), Some("ValidationException"));
    assert_eq!(table.get("a", "K").await, None);
}

async fn an_index_has_an_item_only_while_it_has_both_keys(place: Place) {
    let table = Table::new(place).await;
    table.put("none", "L", [("n", number(1))]).await;
    table.put("half", "L", [("dk", string("due#1"))]).await;
    table.put("both", "L", [("dk", string("due#1")), ("dt", number(5)), ("n", number(1))]).await;
    let due = table.due("due#1", 100).await;
    assert_eq!(keys(&due), ["both"]);
    assert_eq!(names(&due[0]), ["dk", "dt", "pk", "sk"], "it projects keys alone");
    // The other half comes, by an update.
    table.update_of("half", "L", "SET dt = :dt", [(":dt", number(4))]).await.unwrap();
    assert_eq!(keys(&table.due("due#1", 100).await), ["half", "both"]);
    // And goes: by an update, and by a put without it.
    table.update_of("half", "L", "REMOVE dt", []).await.unwrap();
    assert_eq!(keys(&table.due("due#1", 100).await), ["both"]);
    table.put("both", "L", [("n", number(1))]).await;
    assert_eq!(keys(&table.due("due#1", 100).await), Vec::<String>::new());
    // In a transaction, too.
    let enters = item("both", "L", [("dk", string("due#1")), ("dt", number(6))]);
    table.transact("1", vec![put_if(enters, "attribute_exists(pk)", [])]).await.unwrap();
    assert_eq!(keys(&table.due("due#1", 100).await), ["both"]);
    table.transact("2", vec![put_if(item("both", "L", []), "dt = :dt", [(":dt", number(6))])]).await.unwrap();
    assert_eq!(keys(&table.due("due#1", 100).await), Vec::<String>::new());
}

async fn an_item_moves_within_an_index_when_its_key_changes(place: Place) {
    let table = Table::new(place).await;
    for (pk, due) in [("a", 1), ("b", 2), ("c", 3)] {
        table.put(pk, "L", [("dk", string("due#1")), ("dt", number(due))]).await;
    }
    table.update_of("a", "L", "SET dt = :dt", [(":dt", number(9))]).await.unwrap();
    assert_eq!(keys(&table.due("due#1", 100).await), ["b", "c", "a"]);
    assert_eq!(keys(&table.due("due#1", 3).await), ["b", "c"]);
    table.put("b", "L", [("dk", string("due#2")), ("dt", number(2))]).await;
    assert_eq!(keys(&table.due("due#1", 100).await), ["c", "a"]);
    assert_eq!(keys(&table.due("due#2", 100).await), ["b"]);
}

async fn a_numeric_index_sorts_by_number(place: Place) {
    let table = Table::new(place).await;
    for due in [100, 9, 1_780_329_600_000, 10, -5, 1_780_329_600_001, 0] {
        table.put(&due.to_string(), "L", [("dk", string("due#1")), ("dt", number(due))]).await;
    }
    let all = keys(&table.due("due#1", i64::MAX).await);
    assert_eq!(all, ["-5", "0", "9", "10", "100", "1780329600000", "1780329600001"]);
    assert_eq!(keys(&table.due("due#1", 1_780_329_600_000).await), all[..6]);
}

async fn an_index_is_paged_without_a_gap_or_a_repeat(place: Place) {
    let table = Table::new(place).await;
    for n in 0..25 {
        // Five of each state's time: the pages end among equals.
        let state = format!("open#{:02}", n / 5);
        table.put(&format!("{n:02}"), "A", [("ik", string("acme#hudson")), ("is", string(state))]).await;
        let other = [("ik", string("acme#hudson")), ("is", string(format!("shut#{n:02}")))];
        table.put(&format!("shut {n:02}"), "A", other).await;
    }
    table.put("elsewhere", "A", [("ik", string("acme#ridge")), ("is", string("open#00"))]).await;
    for forward in [true, false] {
        for limit in [1, 4, 5, 7, 100] {
            let (mut seen, mut start, mut pages) = (Vec::new(), None, 0);
            loop {
                let answer = table
                    .client
                    .query()
                    .table_name(TABLE)
                    .index_name("inbox")
                    .key_condition_expression("ik = :dealer AND begins_with(#is, :state)")
                    .expression_attribute_names("#is", "is")
                    .expression_attribute_values(":dealer", string("acme#hudson"))
                    .expression_attribute_values(":state", string("open#"))
                    .scan_index_forward(forward)
                    .limit(limit)
                    .set_exclusive_start_key(start)
                    .send()
                    .await
                    .unwrap();
                assert!(answer.items().len() <= limit as usize);
                seen.extend(answer.items().iter().map(|item| (text(item, "is"), text(item, "pk"))));
                pages += 1;
                start = answer.last_evaluated_key;
                if start.is_none() {
                    break;
                }
            }
            assert!(pages >= 25_i32.div_euclid(limit), "limit {limit}: {pages} pages");
            let states: Vec<&String> = seen.iter().map(|(state, _)| state).collect();
            let ordered = if forward { states.is_sorted() } else { states.iter().rev().is_sorted() };
            assert!(ordered, "limit {limit}: {states:?}");
            let once: BTreeSet<String> = seen.iter().map(|(_, pk)| pk.clone()).collect();
            assert_eq!((once.len(), seen.len()), (25, 25), "limit {limit}, forward {forward}");
        }
    }
}

async fn a_prefix_of_a_partition_is_read_in_order_and_in_pages(place: Place) {
    let table = Table::new(place).await;
    for n in (0..30).rev() {
        table.put("L#1", &format!("D#{n:03}"), []).await;
        table.put("L#1", &format!("Y#{n:03}"), []).await;
        table.put("L#2", &format!("D#{n:03}"), []).await;
    }
    let (mut seen, mut start) = (Vec::new(), None);
    loop {
        let query = table.client.query().table_name(TABLE).consistent_read(true).limit(7);
        let query = query.key_condition_expression("pk = :pk AND begins_with(sk, :prefix)");
        let query = query.expression_attribute_values(":pk", string("L#1"));
        let query = query.expression_attribute_values(":prefix", string("D#"));
        let answer = query.set_exclusive_start_key(start).send().await.unwrap();
        seen.extend(answer.items().iter().map(|item| (text(item, "pk"), text(item, "sk"))));
        start = answer.last_evaluated_key;
        if start.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (0..30).map(|n| ("L#1".to_owned(), format!("D#{n:03}"))).collect();
    assert_eq!(seen, expected);
}

async fn a_reserved_word_is_refused_unless_it_is_given_by_name(place: Place) {
    let table = Table::new(place).await;
    // Those that the store's items have.
    for word in ["last", "is", "ttl"] {
        let error = table.update("a", &format!("SET {word} = :n"), [(":n", number(1))]).await.unwrap_err();
        assert_eq!(error.code(), Some("ValidationException"), "{word}: {error:?}");
        let update = table.client.update_item().table_name(TABLE).set_key(Some(item("a", "K", [])));
        let update = update.update_expression("SET #word = :n").expression_attribute_names("#word", word);
        let update = update.condition_expression("attribute_not_exists(#word)");
        update.expression_attribute_values(":n", string("one")).send().await.unwrap();
    }
    assert_eq!(names(&table.get("a", "K").await.unwrap()), ["is", "last", "pk", "sk", "ttl"]);
    // And those that it writes without a name, since they are none.
    for word in ["v", "dt", "used", "pass", "slots", "gen", "day_used", "total_at", "lead_id"] {
        table.update("b", &format!("SET {word} = :n"), [(":n", number(1))]).await.unwrap();
    }
}

async fn an_item_has_its_limit(place: Place) {
    let table = Table::new(place).await;
    let put = |bytes: usize| {
        let content = item("a", "T", [("text", string("x".repeat(bytes)))]);
        table.client.put_item().table_name(TABLE).set_item(Some(content)).send()
    };
    put(350 * 1024).await.unwrap();
    let error = put(400 * 1024).await.unwrap_err();
    assert_eq!(error.code(), Some("ValidationException"), "names count too");
    assert_eq!(text(&table.get("a", "T").await.unwrap(), "text").len(), 350 * 1024);
}

async fn many_are_got_at_once_and_what_is_missing_is_left_out(place: Place) {
    let table = Table::new(place).await;
    for n in 0..50 {
        table.put(&n.to_string(), "L", []).await;
    }
    let wanted = |many: usize| {
        let keys = (0..many).map(|n| item(&n.to_string(), "L", [])).collect();
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build().unwrap();
        table.client.batch_get_item().request_items(TABLE, wanted).send()
    };
    let answer = wanted(100).await.unwrap();
    let found: BTreeSet<String> =
        answer.responses().unwrap()[TABLE].iter().map(|item| text(item, "pk")).collect();
    assert_eq!(found, (0..50).map(|n| n.to_string()).collect());
    assert!(answer.unprocessed_keys().is_none_or(HashMap::is_empty));
    assert_eq!(wanted(101).await.unwrap_err().code(), Some("ValidationException"));
}

/// The file alone: what was answered stands after closing, indexes and all; tokens do not.
#[test]
fn a_table_survives_closing() {
    super::run(Place::File, async {
        let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
        let table = Table::over(open(folder.path(), &clock, &[])).await;
        table.put("a", "L", [("dk", string("due#1")), ("dt", number(5))]).await;
        table.put("b", "L", [("dk", string("due#1")), ("dt", number(4))]).await;
        table.transact("token", vec![add("c", "n"), put_if(item("b", "L", []), "", [])]).await.unwrap();
        drop(table);

        let table = Table::over(open(folder.path(), &clock, &[])).await;
        assert_eq!(keys(&table.due("due#1", 100).await), ["a"]);
        assert_eq!(table.get("c", "K").await.unwrap()["n"], number(1));
        table.transact("token", vec![add("c", "n")]).await.unwrap();
        assert_eq!(table.get("c", "K").await.unwrap()["n"], number(2));
    });
}

/// As `serve` runs it: on threads of their own, many at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_lose_no_addition_and_overrun_no_condition() {
    const WORKERS: i64 = 16;
    const ROUNDS: i64 = 20;
    const MOST: i64 = 100;
    let folder = tempfile::tempdir().unwrap();
    let aws = LocalAws::open(folder.path(), clock(), 1, Calls::OffThread, &[]).unwrap();
    let table = std::sync::Arc::new(Table::over(aws).await);
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..WORKERS {
        let table = std::sync::Arc::clone(&table);
        workers.spawn(async move {
            let mut taken = 0;
            for round in 0..ROUNDS {
                table.update("counter", "ADD n :one", [(":one", number(1))]).await.unwrap();
                let most = [(":one", number(1)), (":most", number(MOST))];
                let condition = "attribute_not_exists(used) OR used < :most";
                let cap = update_if("caps", "K", "ADD used :one", condition, most);
                let seat = put_if(item(&format!("seat {worker} {round}"), "A", []), "", []);
                match table.transact(&format!("{worker} {round}"), vec![cap, seat]).await {
                    Ok(()) => taken += 1,
                    Err(refused) => assert_eq!(reasons(&refused)[0], "ConditionalCheckFailed"),
                }
            }
            taken
        });
    }
    let taken: i64 = workers.join_all().await.into_iter().sum();
    assert_eq!(table.get("counter", "K").await.unwrap()["n"], number(WORKERS * ROUNDS));
    assert_eq!((taken, &table.get("caps", "K").await.unwrap()["used"]), (MOST, &number(MOST)));
    let scanned = table.client.scan().table_name(TABLE).send().await.unwrap();
    let seats = scanned.items().iter().filter(|item| text(item, "sk") == "A").count();
    assert_eq!(seats as i64, MOST, "a seat stands for each that was taken, and no other");
}

/// The store's table, spoken to as the store does.
pub(super) struct Table {
    client: Client,
    _aws: LocalAws,
    _folder: Option<tempfile::TempDir>,
}

impl Table {
    async fn new(place: Place) -> Self {
        let folder = (place == Place::File).then(|| tempfile::tempdir().unwrap());
        let aws = match &folder {
            Some(folder) => open(folder.path(), &clock(), &[]),
            None => LocalAws::memory(clock(), None, &[]).unwrap(),
        };
        Self { _folder: folder, ..Self::over(aws).await }
    }

    /// The table of these services, made where it is missing.
    pub(super) async fn over(aws: LocalAws) -> Self {
        Store::new(aws.dynamodb(), TABLE, Entropy::seeded(1)).create_table().await.unwrap();
        Self { client: aws.dynamodb(), _aws: aws, _folder: None }
    }

    pub(super) async fn put<const N: usize>(&self, pk: &str, sk: &str, more: [(&str, AttributeValue); N]) {
        let put = self.client.put_item().table_name(TABLE).set_item(Some(item(pk, sk, more)));
        put.send().await.unwrap();
    }

    async fn get(&self, pk: &str, sk: &str) -> Option<Item> {
        let get = self.client.get_item().table_name(TABLE).set_key(Some(item(pk, sk, [])));
        get.consistent_read(true).send().await.unwrap().item
    }

    /// Updates an item of sort key `K`.
    async fn update<const N: usize>(
        &self,
        pk: &str,
        expression: &str,
        values: [(&str, AttributeValue); N],
    ) -> Result<(), SdkError<aws_sdk_dynamodb::operation::update_item::UpdateItemError>> {
        self.update_of(pk, "K", expression, values).await
    }

    async fn update_of<const N: usize>(
        &self,
        pk: &str,
        sk: &str,
        expression: &str,
        values: [(&str, AttributeValue); N],
    ) -> Result<(), SdkError<aws_sdk_dynamodb::operation::update_item::UpdateItemError>> {
        let update = self.client.update_item().table_name(TABLE).set_key(Some(item(pk, sk, [])));
        let update = update.update_expression(expression).set_expression_attribute_values(bound(values));
        update.send().await.map(drop)
    }

    async fn transact(
        &self,
        token: &str,
        writes: Vec<TransactWriteItem>,
    ) -> Result<(), SdkError<TransactWriteItemsError>> {
        let request = self.client.transact_write_items().client_request_token(token);
        request.set_transact_items(Some(writes)).send().await.map(drop)
    }

    /// What is due by a time, in order.
    async fn due(&self, shard: &str, by: i64) -> Vec<Item> {
        let query = self.client.query().table_name(TABLE).index_name("due");
        let query = query.key_condition_expression("dk = :shard AND dt <= :by");
        let query = query.expression_attribute_values(":shard", string(shard));
        query.expression_attribute_values(":by", number(by)).send().await.unwrap().items.unwrap_or_default()
    }
}

fn put_if<const N: usize>(
    item: Item,
    condition: &str,
    values: [(&str, AttributeValue); N],
) -> TransactWriteItem {
    let put = Put::builder().table_name(TABLE).set_item(Some(item));
    let put = put.set_condition_expression(Some(condition.to_owned()).filter(|text| !text.is_empty()));
    let put = put.set_expression_attribute_values(bound(values));
    let put = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    TransactWriteItem::builder().put(put.build().unwrap()).build()
}

fn update_if<const N: usize>(
    pk: &str,
    sk: &str,
    expression: &str,
    condition: &str,
    values: [(&str, AttributeValue); N],
) -> TransactWriteItem {
    let update = Update::builder().table_name(TABLE).set_key(Some(item(pk, sk, [])));
    let update = update.update_expression(expression);
    let update = update.set_condition_expression(Some(condition.to_owned()).filter(|text| !text.is_empty()));
    let update = update.set_expression_attribute_values(bound(values));
    let update = update.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    TransactWriteItem::builder().update(update.build().unwrap()).build()
}

/// One more in an attribute of an item of sort key `K`.
fn add(pk: &str, attribute: &str) -> TransactWriteItem {
    update_if(pk, "K", &format!("ADD {attribute} :one"), "", [(":one", number(1))])
}

fn item<const N: usize>(pk: &str, sk: &str, more: [(&str, AttributeValue); N]) -> Item {
    let keys = [("pk", string(pk)), ("sk", string(sk))];
    keys.into_iter().chain(more).map(|(name, value)| (name.to_owned(), value)).collect()
}

fn bound<const N: usize>(values: [(&str, AttributeValue); N]) -> Option<Item> {
    let values: Item = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Some(values).filter(|values| !values.is_empty())
}

fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn string(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn text(item: &Item, name: &str) -> String {
    item[name].as_s().unwrap().clone()
}

/// The names of an item's attributes, in order.
fn names(item: &Item) -> Vec<&str> {
    let mut names: Vec<&str> = item.keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// The partition keys of items.
fn keys(items: &[Item]) -> Vec<String> {
    items.iter().map(|item| text(item, "pk")).collect()
}

/// Per item of a refused transaction, why.
fn reasons(refused: &SdkError<TransactWriteItemsError>) -> Vec<String> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) =
        refused.as_service_error().unwrap()
    else {
        panic!("{refused:?}")
    };
    cancelled.cancellation_reasons().iter().map(|reason| reason.code().unwrap().to_owned()).collect()
}

/// Per item of a refused transaction, what stands there.
fn old_items(refused: &SdkError<TransactWriteItemsError>) -> Vec<Option<Item>> {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) =
        refused.as_service_error().unwrap()
    else {
        panic!("{refused:?}")
    };
    cancelled.cancellation_reasons().iter().map(|reason| reason.item().cloned()).collect()
}
