//! Edits as the desk makes them.

use super::*;
use crate::rulebook::Rulebook;
use crate::rulebook::tests::folder;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

type Folder = BTreeMap<&'static str, Vec<u8>>;

fn files(folder: Folder) -> RulebookFiles {
    RulebookFiles::new(folder).unwrap()
}

/// Without its tests, which name contracts that an edit removes.
fn bare() -> Folder {
    let mut folder = folder();
    folder.remove("tests.toml");
    folder
}

#[allow(clippy::needless_pass_by_value, reason = "reads better where it is called")]
fn edit(table: &str, id: &str, body: Value) -> RowEdit {
    RowEdit::from_json(table, id, &body).unwrap()
}

#[allow(clippy::needless_pass_by_value, reason = "reads better where it is called")]
fn refusal(table: &str, id: &str, body: Value) -> String {
    let edit = RowEdit::from_json(table, id, &body);
    edit.and_then(|edit| edit.apply(&files(folder()))).unwrap_err().to_string()
}

/// One file of the good folder after an edit, or of `text` in its place.
fn edited(name: &'static str, text: &str, id: &str, body: Value) -> String {
    let mut folder = bare();
    folder.insert(name, text.as_bytes().to_vec());
    let table = name.split('.').next().unwrap();
    let files = edit(table, id, body).apply(&files(folder)).unwrap();
    String::from_utf8(files.get(name).unwrap().to_vec()).unwrap()
}

fn text_of(name: &str) -> String {
    String::from_utf8(folder()[name].clone()).unwrap()
}

mod a_table {
    use super::*;

    #[test]
    fn an_edit_changes_its_cells_and_no_other_byte() {
        let before = text_of("contracts.csv");
        let after = edited(
            "contracts.csv",
            &before,
            "hudson-miami",
            json!({"set": {"cap_day": "12", "price": 50, "needs": null}}),
        );
        let expected = before.replacen(",45.00,2,10,", ",50,2,12,", 1).replacen("consent dnc_clean", "", 1);
        assert_eq!(after, expected);
    }

    #[test]
    fn what_a_cell_says_already_is_not_written_again() {
        let before =
            text_of("contracts.csv").replacen(",45.00,", ", 45.00 ,", 1).replacen(",wait,", ",\"wait\",", 1);
        let same = json!({"set": {"price": "45.00", "when_unavailable": " wait ", "tier": 1}});
        assert_eq!(edited("contracts.csv", &before, "hudson-miami", same), before);
    }

    #[test]
    fn what_a_spreadsheet_left_in_the_file_stays() {
        let text = "\u{feff}sep=;\r\n\r\nArea ; PART;;\r\nmiami;\"zip3:331\";;\r\n;;\r\nflorida;state:FL";
        assert_eq!(
            edited("areas.csv", text, "miami", json!({"parts": ["zip3:332"]})),
            text.replace("331", "332")
        );
        assert_eq!(
            edited("areas.csv", text, "florida", json!({"parts": ["state:FL", "any"]})),
            format!("{text}\r\nflorida;any;;")
        );
        assert_eq!(
            edited("areas.csv", text, "florida", json!({"remove": true})),
            text.replace("\r\nflorida;state:FL", "")
        );
        assert_eq!(
            edited("areas.csv", text, "miami", json!({"remove": true})),
            text.replace("miami;\"zip3:331\";;\r\n", "")
        );
    }

    #[test]
    fn a_column_that_the_file_lacks_is_added() {
        let text = "contract,dealer,offers,sources,area,price\na,hudson,*,*,miami,1\nb,mia,*,*,miami,1\n";
        assert_eq!(
            edited("contracts.csv", text, "b", json!({"set": {"tier": "2", "cap_day": "9", "weight": ""}})),
            "contract,dealer,offers,sources,area,price,cap_day,tier\na,hudson,*,*,miami,1\nb,mia,*,*,miami,1,9,2\n"
        );
        // A cell without a name is taken first.
        let text = text.replacen("price\n", "price,,\n", 1).replace("miami,1\n", "miami,1,,\n");
        assert_eq!(
            edited("contracts.csv", &text, "a", json!({"set": {"tier": "2"}})),
            text.replacen("price,,", "price,tier,", 1).replacen("miami,1,,", "miami,1,2,", 1)
        );
    }

    #[test]
    fn a_row_is_added_below_the_others_and_removed_with_its_line() {
        let before = text_of("dealers.csv");
        let row = json!({"add": {"name": "Roofs; \"Best\", Inc", "zip": "33101", "hours": "24/7"}});
        let after = edited("dealers.csv", &before, "best", row.clone());
        assert_eq!(after, format!("{before}best,,\"Roofs; \"\"Best\"\", Inc\",,,,,33101,,24/7,,,,,\n"));
        assert_eq!(edited("dealers.csv", &after, "best", json!({"remove": true})), before);
        let open_end = before.trim_end();
        let after = edited("dealers.csv", open_end, "best", row);
        assert!(after.starts_with(&format!("{open_end}\nbest,")) && !after.ends_with('\n'));
        assert_eq!(edited("dealers.csv", &after, "best", json!({"remove": true})), open_end);
    }

    #[test]
    fn the_parts_of_an_area_that_stay_keep_their_rows() {
        let text = "area,part\nmiami,zip3:331\nflorida,state:FL\nmiami,zip3:332\nmiami,any\n";
        let parts = |parts: &[&str]| edited("areas.csv", text, "miami", json!({"parts": parts}));
        assert_eq!(parts(&["zip3:331", "any"]), text.replace("miami,zip3:332\n", ""));
        assert_eq!(
            parts(&["zip3:331", "zip:33101", "zip:33102", "any"]),
            text.replace("miami,zip3:332\n", "miami,zip:33101\nmiami,zip:33102\n")
        );
        assert_eq!(
            parts(&["state:GA", "zip3:331", "zip3:332", "any"]),
            text.replace("part\n", "part\nmiami,state:GA\n")
        );
        assert_eq!(
            edited("areas.csv", text, "texas", json!({"parts": ["state:TX"]})),
            format!("{text}texas,state:TX\n")
        );
    }

    #[test]
    fn a_channel_is_called_by_dealer_and_order() {
        let before = text_of("channels.csv");
        let address = json!({"set": {"address": "https://new.example/"}});
        assert_eq!(
            edited("channels.csv", &before, "hudson:1", address),
            before.replace("https://hudson.example/leads", "https://new.example/")
        );
        assert_eq!(
            edited("channels.csv", &before, "hudson:2", json!({"remove": true})),
            before.replace("hudson,2,inbox,,,\n", "")
        );
        assert_eq!(
            refusal("channels", "hudson", json!({"remove": true})),
            "a channel is called by dealer and order: hudson:1"
        );
        let mut folder = bare();
        folder.remove("channels.csv");
        let added =
            edit("channels", "mia:1", json!({"add": {"kind": "inbox"}})).apply(&files(folder)).unwrap();
        assert_eq!(
            added.get("channels.csv").unwrap(),
            b"dealer,order,kind,address,when,format,vendor_id\nmia,1,inbox,,,,\n"
        );
    }
}

mod an_entry {
    use super::*;

    const OFFERS: &str = "\
# What people ask for.

# The bread and butter.
[[offer]]
id = 'roof-repair'   # never renamed
category = \"roofing\"
name = \"Roof repair\" # as the desk reads it
band = \"B3\"

# The prize of 2026.
[[offer]]
id = \"grill-prize\"
category = \"roofing\"
name = \"Win a grill\"

# The end.
";

    #[test]
    fn a_key_is_set_and_every_comment_stays() {
        let set = json!({"set": {"name": "Repairs", "band": null, "incentive": true, "ranking": ["tier"]}});
        assert_eq!(
            edited("offers.toml", OFFERS, "roof-repair", set),
            OFFERS
                .replace("name = \"Roof repair\" #", "name = \"Repairs\" #")
                .replace("band = \"B3\"\n", "incentive = true\nranking = [\"tier\"]\n")
        );
        let unchanged = json!({"set": {"id": "roof-repair", "name": "Roof repair"}});
        for text in [OFFERS.to_owned(), format!("\u{feff}{}", OFFERS.replace('\n', "\r\n"))] {
            assert_eq!(edited("offers.toml", &text, "roof-repair", unchanged.clone()), text);
        }
    }

    #[test]
    fn an_entry_is_added_at_the_end_and_removed_with_its_comment() {
        let added =
            edited("offers.toml", OFFERS, "new", json!({"add": {"category": "hail", "name": "Hail"}}));
        assert_eq!(
            added,
            format!("{OFFERS}\n[[offer]]\nid = \"new\"\ncategory = \"hail\"\nname = \"Hail\"\n")
        );
        let removed = edited("offers.toml", OFFERS, "roof-repair", json!({"remove": true}));
        assert!(
            removed.starts_with("# What people ask for.\n\n# The prize of 2026.\n[[offer]]\nid = \"grill"),
            "{removed}"
        );
        let removed = edited("offers.toml", OFFERS, "grill-prize", json!({"remove": true}));
        assert!(removed.contains("bread and butter") && removed.ends_with("\n# The end.\n"), "{removed}");
        assert!(!removed.contains("The prize"), "{removed}");
    }

    #[test]
    fn a_source_keeps_its_shape() {
        let sources = "source = [{ id = \"a\", kind = \"form\" }]\n";
        assert_eq!(
            edited("sources.toml", sources, "a", json!({"set": {"kind": "meta"}})),
            "source = [{ id = \"a\", kind = \"meta\" }]\n"
        );
        let sources = "[[source]]\nid = \"a\"\nkind = \"form\"\nends = 2026-01-31 # last\n[source.fields] # theirs\nMail = \"email\" # theirs\nTel = \"phone\"\n";
        assert_eq!(
            edited(
                "sources.toml",
                sources,
                "a",
                json!({"set": {"ends": "2026-02-28", "fields": {"Mail": "email", "Plz": "zip"}}})
            ),
            sources.replace("2026-01-31", "2026-02-28").replace("Tel = \"phone\"", "Plz = \"zip\"")
        );
    }
}

mod refused {
    use super::*;

    #[test]
    fn what_there_is_not_is_named_with_what_there_is() {
        assert_eq!(
            refusal("cities", "miami", json!({"remove": true})),
            "a table that is edited by row is one of: people dealers channels areas contracts offers sources"
        );
        assert_eq!(
            refusal("channels", "hudson:1", json!({"set": {"adress": "x"}})),
            "there is no column \"adress\" in channels; did you mean \"address\"? (its columns are: dealer order kind address when format vendor_id)"
        );
        assert_eq!(
            refusal("offers", "roof-repair", json!({"set": {"price": "1"}})),
            "there is no column \"price\" in offers (its columns are: id category name mode ranking band incentive)"
        );
        assert_eq!(
            refusal("contracts", "none", json!({"set": {"tier": "1"}})),
            "there is no \"none\" in contracts"
        );
        assert_eq!(refusal("sources", "none", json!({"remove": true})), "there is no \"none\" in sources");
        assert_eq!(refusal("dealers", "mia", json!({"add": {}})), "\"mia\" is in dealers already");
        assert_eq!(
            refusal("dealers", "mia", json!({"set": {"dealer": "mia2"}})),
            "dealer is what the row is called by: add a new one and remove this"
        );
        for (table, body) in [
            ("dealers", json!({})),
            ("dealers", json!({"set": {}, "remove": true})),
            ("dealers", json!({"parts": ["any"]})),
            ("dealers", json!({"set": {"name": ["a"]}})),
            ("dealers", json!({"remove": false})),
            ("areas", json!({"set": {"part": "any"}})),
            ("areas", json!({"parts": []})),
            ("areas", json!({"parts": [""]})),
            ("areas", json!(null)),
        ] {
            assert!(
                matches!(RowEdit::from_json(table, "mia", &body), Err(EditError::Malformed(_))),
                "{body}"
            );
        }
    }

    #[test]
    fn every_known_key_of_an_entry_is_one_the_reader_knows() {
        for (table, id) in [("offers", "roof-repair"), ("sources", "storm-page")] {
            for key in table.parse::<EditTable>().unwrap().known().into_iter().filter(|key| *key != "id") {
                // Caps name their periods.
                let within = if key == "caps" { "hour" } else { "wrong" };
                let edited =
                    edit(table, id, json!({"set": {key: {within: [1]}}})).apply(&files(bare())).unwrap();
                let problems = Rulebook::parse(&edited).unwrap_err();
                let unknown = crate::rulebook::ProblemCode::UnknownKey;
                assert!(problems.list.iter().all(|problem| problem.code != unknown), "{key}: {problems}");
            }
        }
    }

    #[test]
    fn what_an_edit_breaks_is_told_where_it_stands() {
        let problems = |table, id, body| {
            let edited = edit(table, id, body).apply(&files(bare())).unwrap();
            Rulebook::parse(&edited).unwrap_err().to_string()
        };
        assert_eq!(
            problems("dealers", "mia", json!({"remove": true})),
            "channels.csv:4:1: error: there is no dealer \"mia\" in dealers.csv\ncontracts.csv:3:13: error: there is no dealer \"mia\" in dealers.csv"
        );
        assert_eq!(
            problems("contracts", "mia-florida", json!({"set": {"cap_day": "0"}})),
            "contracts.csv:3:57: error: cap_day is a whole number from 1 to 1000000"
        );
        assert_eq!(
            problems("offers", "grill-prize", json!({"set": {"band": "Z"}})),
            "offers.toml:14:8: error: a band is a letter from A to C and a digit from 1 to 3, such as B2"
        );
    }
}

mod two_people {
    use super::*;

    fn applied(merged: Merged) -> RulebookFiles {
        match merged {
            Merged::Applied(files) => files,
            Merged::Conflict(conflict) => panic!("{conflict:?}"),
        }
    }

    #[test]
    fn a_row_that_somebody_changed_is_a_conflict_that_shows_all_three() {
        let base = files(bare());
        let theirs = edit("contracts", "hudson-miami", json!({"set": {"price": "50.00", "cap_day": "11"}}));
        let current = theirs.apply(&base).unwrap();
        let yours = edit("contracts", "hudson-miami", json!({"set": {"price": "60.00", "tier": "2"}}));
        let Merged::Conflict(conflict) = yours.apply_since(&base, &current).unwrap() else { panic!() };
        assert_eq!(
            serde_json::to_value(&conflict).unwrap(),
            json!({"table": "contracts", "id": "hudson-miami", "columns": [
                {"column": "cap_day", "base": "10", "theirs": "11", "yours": "10"},
                {"column": "price", "base": "45.00", "theirs": "50.00", "yours": "60.00"},
                {"column": "tier", "base": "1", "theirs": "1", "yours": "2"},
            ]})
        );
        assert!(!format!("{conflict:?}").contains("45.00"));
    }

    #[test]
    fn a_row_that_somebody_removed_or_added_is_a_conflict() {
        let base = files(bare());
        let gone = edit("areas", "florida", json!({"remove": true})).apply(&base).unwrap();
        let yours = edit("areas", "florida", json!({"parts": ["state:FL", "state:GA"]}));
        let Merged::Conflict(conflict) = yours.apply_since(&base, &gone).unwrap() else { panic!() };
        let [parts] = &conflict.columns[..] else { panic!() };
        assert_eq!((parts.base.as_deref(), parts.theirs.as_deref()), (Some("state:FL"), None));
        assert_eq!(parts.yours.as_deref(), Some("state:FL state:GA"));
        let add = |name| edit("offers", "new", json!({"add": {"category": "a", "name": name}}));
        let current = add("theirs").apply(&base).unwrap();
        assert!(matches!(add("yours").apply_since(&base, &current), Ok(Merged::Conflict(_))));
    }

    #[test]
    fn a_request_sent_twice_is_answered_twice_alike() {
        let base = files(bare());
        for (table, id, body) in [
            ("contracts", "hudson-miami", json!({"set": {"price": "50.00"}})),
            ("dealers", "new", json!({"add": {"name": "New", "zip": "33101"}})),
            ("channels", "hudson:2", json!({"remove": true})),
        ] {
            let edit = edit(table, id, body);
            let current = edit.apply(&base).unwrap();
            assert_eq!(applied(edit.apply_since(&base, &current).unwrap()), current);
        }
    }

    #[test]
    fn blanks_and_order_are_no_change_of_a_row() {
        let base = files(bare());
        let mut other = bare();
        let text = text_of("areas.csv").replace("florida,state:FL", "\" florida \",state:FL ");
        other.insert("areas.csv", text.into_bytes());
        let yours = edit("areas", "florida", json!({"parts": ["any"]}));
        let merged = applied(yours.apply_since(&base, &files(other)).unwrap());
        assert!(std::str::from_utf8(merged.get("areas.csv").unwrap()).unwrap().contains("\" florida \",any"));
    }
}

/// An edit of the good folder that leaves it good, whatever other such edits were made.
fn an_edit() -> impl Strategy<Value = RowEdit> {
    let contract = (
        select(vec!["hudson-miami", "mia-florida"]),
        select(vec!["", "5", "12"]),
        select(vec!["45", "0.5", "10.00"]),
        select(vec!["open", "closed", ""]),
        any::<bool>(),
    )
        .prop_map(|(id, cap, price, territory, gone)| {
            let set = json!({"set": {"cap_week": cap, "price": price, "territory": territory}});
            ("contracts", id, if gone { json!({"remove": true}) } else { set })
        });
    let new_contract =
        (select(vec!["new-a", "new-b"]), select(vec!["hudson", "mia"])).prop_map(|(id, dealer)| {
            let add = json!({"dealer": dealer, "offers": "*", "sources": "*", "area": "miami", "price": "1"});
            ("contracts", id, json!({"add": add}))
        });
    let dealer = (
        select(vec!["hudson", "mia"]),
        "[A-Za-z;,\"é][A-Za-z;,\" é]{0,8}[A-Za-z;,\"é]",
        select(vec!["24/7", "Mo-Fr 08:00-18:00; Sa 09:00-12:00", ""]),
    )
        .prop_map(|(id, name, hours)| ("dealers", id, json!({"set": {"name": name, "hours": hours}})));
    let channel = select(vec![
        ("channels", "hudson:1", json!({"set": {"address": "https://elsewhere.example/"}})),
        ("channels", "hudson:2", json!({"remove": true})),
        ("channels", "mia:2", json!({"add": {"kind": "inbox"}})),
    ]);
    let parts = prop::collection::vec(
        select(vec!["zip:33101", "zip:2134", "zip3:331", "county:12086", "radius_mi:9", "state:FL", "any"]),
        1..6,
    );
    let area = (select(vec!["miami", "florida", "texas"]), parts)
        .prop_map(|(id, parts)| ("areas", id, json!({"parts": parts})));
    let offer =
        (select(vec!["roof-repair", "grill-prize"]), select(vec![json!("A1"), json!(null)]), any::<bool>())
            .prop_map(|(id, band, incentive)| {
                ("offers", id, json!({"set": {"band": band, "incentive": incentive}}))
            });
    let source = (
        select(vec!["storm-page", "old-list"]),
        select(vec![json!({}), json!({"Their \"name\"": "name"}), json!(null)]),
        select(vec![json!("2027-01-01"), json!(null)]),
    )
        .prop_map(|(id, fields, ends)| ("sources", id, json!({"set": {"fields": fields, "ends": ends}})));
    let entry = select(vec![
        ("offers", "x", json!({"add": {"category": "hail", "name": "X"}})),
        ("sources", "y", json!({"add": {"kind": "adf", "offers": {"a b": "roof-repair"}}})),
        ("sources", "old-list", json!({"remove": true})),
    ]);
    prop_oneof![contract, new_contract, dealer, channel, area, offer, source, entry]
        .prop_map(|(table, id, body)| edit(table, id, body))
}

/// The good folder as people and spreadsheets save it.
fn a_folder() -> impl Strategy<Value = RulebookFiles> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(mark, crlf, open_end)| {
        // Nothing names the source that an edit removes.
        let saved = |(name, bytes): (&'static str, Vec<u8>)| {
            let mut text = String::from_utf8(bytes).unwrap();
            if open_end {
                text.truncate(text.trim_end().len());
            }
            if crlf {
                text = text.replace('\n', "\r\n");
            }
            (name, if mark { format!("\u{feff}{text}") } else { text }.into_bytes())
        };
        RulebookFiles::new(bare().into_iter().map(saved)).unwrap()
    })
}

fn read(files: &RulebookFiles) -> Rulebook {
    Rulebook::parse(files).unwrap_or_else(|problems| panic!("{problems}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn edits_of_different_rows_commute((files, one, other) in (a_folder(), an_edit(), an_edit())) {
        prop_assume!((one.table, &one.id) != (other.table, &other.id));
        let one_first = other.apply(&one.apply(&files).unwrap()).unwrap();
        let other_first = one.apply(&other.apply(&files).unwrap()).unwrap();
        let diff = read(&one_first).diff(&read(&other_first));
        prop_assert!(diff.is_empty(), "{diff}");
        // Neither is in the way of the other, whichever comes first.
        let merged = other.apply_since(&files, &one.apply(&files).unwrap()).unwrap();
        prop_assert_eq!(merged, Merged::Applied(one_first));
    }

    #[test]
    fn an_edit_and_its_inverse_restore_the_rulebook((files, edit) in (a_folder(), an_edit())) {
        let before = read(&files);
        let edited = edit.apply(&files).unwrap();
        let restored = edit.inverse(&files).unwrap().apply(&edited).unwrap();
        let diff = before.diff(&read(&restored));
        prop_assert!(diff.is_empty(), "{diff}");
        // Even its order, unless the row was gone for a while.
        if !matches!(edit.change, RowChange::Remove) {
            prop_assert_eq!(before, read(&restored));
        }
    }

    #[test]
    fn an_edit_leaves_every_other_row_as_it_was((files, edit) in (a_folder(), an_edit())) {
        let diff = read(&files).diff(&read(&edit.apply(&files).unwrap()));
        for table in &diff.tables {
            prop_assert_eq!(table.table, edit.table.as_str());
            for row in &table.rows {
                prop_assert_eq!(&row.id, &edit.id);
            }
        }
    }
}
