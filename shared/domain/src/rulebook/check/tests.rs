//! One example for each warning, and for what comes near it and is none.

use crate::rulebook::{Problem, ProblemCode, Rulebook, RulebookFiles};

const CONTRACT: &str = "contract,dealer,offers,sources,area,price,territory,when_unavailable,sale,min_band,cap_day,cap_month,starts,ends";

/// Dealers in Miami and one where nobody knows where that is; two offers of one category, one of another.
fn rulebook(contracts: &[&str], edits: &[(&str, &str, &str)]) -> Rulebook {
    let mut files = vec![
        ("company.toml", "id = \"c\"\nname = \"C\"\nzone = \"America/New_York\"\n".to_owned()),
        (
            "offers.toml",
            [("roof", "roofing"), ("gutter", "roofing"), ("pool", "pools")].map(offer).concat(),
        ),
        (
            "sources.toml",
            "[[source]]\nid = \"page\"\nkind = \"form\"\n[[source]]\nid = \"old\"\nkind = \"form\"\nends = \"2026-05-31\"\n\
             [[source]]\nid = \"trial\"\nkind = \"form\"\ntest = true\n"
                .to_owned(),
        ),
        ("scoring.toml", String::new()),
        (
            "dealers.csv",
            "dealer,name,zip,hours,holidays,cap_day,cap_month\n\
             ann,A,33130,24/7,,,\nben,B,33125,24/7,,,\ncat,C,33130,Mo-Fr 08:00-18:00,2026-06-01 2026-06-02,5,\n\
             dot,D,90085,24/7,,,\n"
                .to_owned(),
        ),
        (
            "areas.csv",
            "area,part\nmiami,zip3:331\ncenter,zip:33130\nflorida,state:FL\nany,any\nnear,radius_mi:5\n\
             nowhere,zip:00001\nnowhere,county:99999\ndade,county:12086\n"
                .to_owned(),
        ),
        ("contracts.csv", format!("{CONTRACT}\n{}\n", contracts.join("\n"))),
    ];
    for (name, from, to) in edits {
        let (_, text) = files.iter_mut().find(|file| file.0 == *name).unwrap();
        assert!(from.is_empty() || text.contains(from), "{name} has no {from}");
        *text = if from.is_empty() { (*to).to_owned() } else { text.replace(from, to) };
    }
    let files = files.into_iter().map(|(name, text)| (name, text.into_bytes()));
    Rulebook::parse(&RulebookFiles::new(files).unwrap()).unwrap_or_else(|problems| panic!("{problems}"))
}

fn offer((id, category): (&str, &str)) -> String {
    format!("[[offer]]\nid = \"{id}\"\ncategory = \"{category}\"\nname = \"O\"\n")
}

fn all(contracts: &[&str], edits: &[(&str, &str, &str)]) -> Vec<Problem> {
    rulebook(contracts, edits).check("2026-06-01".parse().unwrap())
}

/// The messages of one kind.
fn warned(code: ProblemCode, contracts: &[&str], edits: &[(&str, &str, &str)]) -> Vec<String> {
    let warnings = all(contracts, edits).into_iter().filter(|warning| warning.code == code);
    warnings.map(|warning| warning.message).collect()
}

/// Asserts that one warning of the kind has all these words.
fn assert_warned(code: ProblemCode, contracts: &[&str], edits: &[(&str, &str, &str)], words: &[&str]) {
    let messages = warned(code, contracts, edits);
    assert!(
        messages.len() == 1 && words.iter().all(|word| messages[0].contains(word)),
        "{code}: {messages:?} should say {words:?}"
    );
}

mod dead {
    use super::*;
    use ProblemCode::Dead;

    #[test]
    fn an_area_of_no_place_is_never_given_a_lead() {
        assert_warned(Dead, &["a,ann,*,*,nowhere,1,,,,,,,,"], &[], &["\"a\"", "\"nowhere\" covers no place"]);
        let parts = warned(ProblemCode::NoPlace, &["a,ann,*,*,nowhere,1,,,,,,,,"], &[]);
        assert!(parts[0].contains("zip:00001 and 1 more parts of 2"), "{parts:?}");
    }

    #[test]
    fn a_radius_needs_a_dealer_whose_place_is_known() {
        assert_warned(Dead, &["a,dot,*,*,near,1,,,,,,,,"], &[], &["90085", "\"dot\""]);
        assert!(warned(Dead, &["a,ann,*,*,near,1,,,,,,,,"], &[]).is_empty());
    }

    #[test]
    fn sources_that_are_over_or_test_send_nobody() {
        assert_warned(Dead, &["a,ann,*,old,any,1,,,,,,,,"], &[], &["past its last day"]);
        assert_warned(Dead, &["a,ann,*,old trial,any,1,,,,,,,,"], &[], &["test leads only"]);
        assert!(warned(Dead, &["a,ann,*,old page,any,1,,,,,,,,"], &[]).is_empty());
    }

    #[test]
    fn a_contract_that_runs_on_holidays_alone_never_opens() {
        assert_warned(Dead, &["a,cat,*,*,any,1,,,,,,,,2026-06-02"], &[], &["\"cat\"", "shut on every day"]);
        assert!(warned(Dead, &["a,cat,*,*,any,1,,,,,,,,2026-06-03"], &[]).is_empty(), "open on Wednesday");
        assert_warned(Dead, &["a,cat,*,*,any,1,,,,,,,2026-06-06,2026-06-07"], &[], &["shut on every day"]);
        let delivers = [
            ("dealers.csv", "cap_day,cap_month\n", "cap_day,after_hours\n"),
            ("dealers.csv", "5,\n", "5,deliver\n"),
        ];
        assert!(warned(Dead, &["a,cat,*,*,any,1,,,,,,,,2026-06-02"], &delivers).is_empty());
    }

    #[test]
    fn a_band_beyond_every_score_is_never_met() {
        let contract = &["a,ann,roof,*,any,1,,,,A1,,,,"][..];
        let model = |rules: &'static str| [("scoring.toml", "", rules)];
        assert!(warned(Dead, contract, &[]).is_empty());
        let only_c = "[[fit]]\nlabel = 'x'\npoints = 5\nhas = ['phone']\n";
        assert_warned(Dead, contract, &model(only_c), &["min_band A1"]);
        let others = "[[fit]]\nlabel = 'x'\npoints = 50\noffer = ['pool']\n";
        assert_warned(Dead, contract, &model(others), &["min_band A1"]);
        let nurtured =
            "[next_step]\npitch = ['B2']\nnurture = ['A1', 'A2', 'A3', 'B1', 'B3', 'C1', 'C2', 'C3']\n";
        assert_warned(Dead, contract, &model(nurtured), &["min_band A1"]);
    }
}

mod shadow {
    use super::*;
    use ProblemCode::{Leftovers, Shadowed};

    #[test]
    fn one_that_waits_leaves_nothing() {
        let open = "b,ben,roof,*,center,1,,,,,,,,";
        let closed = |rest: &str| format!("a,ann,*,*,miami,1,{rest}");
        for territory in ["first", "protected", "closed"] {
            let closed = closed(&format!("{territory},wait,,,,,,"));
            assert_warned(
                Shadowed,
                &[&closed, open],
                &[],
                &["\"b\" is never", "\"a\"", territory, "\"ann\""],
            );
        }
        let closed = closed("open,wait,,,,,,");
        assert!(warned(Shadowed, &[&closed, open], &[]).is_empty(), "an open one does not compel");
    }

    #[test]
    fn one_that_takes_less_leaves_the_rest() {
        let open = "b,ben,roof,*,miami,1,,,,,,,,";
        for less in [
            "a,ann,gutter,*,miami,1,closed,wait,,,,,,",
            "a,ann,*,page,miami,1,closed,wait,,,,,,",
            "a,ann,*,*,center,1,closed,wait,,,,,,",
            "a,ann,*,*,miami,1,closed,wait,,A1,,,,",
            "a,ann,*,*,miami,1,closed,wait,,,,,2026-06-02,",
            "a,ann,*,*,miami,1,closed,wait,,,,,,2026-12-31",
        ] {
            assert!(warned(Shadowed, &[less, open], &[]).is_empty(), "{less}");
        }
    }

    #[test]
    fn among_the_compelling_only_the_more_specific_speaks_earlier() {
        let broad = "b,ben,roof,*,center,1,closed,wait,,,,,,";
        assert!(warned(Shadowed, &["a,ann,*,*,center,1,closed,wait,,,,,,", broad], &[]).is_empty());
        let broad = "b,ben,roof,*,dade,1,closed,wait,,,,,,";
        assert!(
            warned(Shadowed, &["a,ann,*,*,miami,1,closed,wait,,,,,,", broad], &[]).is_empty(),
            "the county is larger"
        );
        let small = [("areas.csv", "dade,county:12086", "dade,zip3:331")];
        assert!(
            warned(Shadowed, &["a,ann,*,*,miami,1,closed,wait,,,,,,", broad], &small).is_empty(),
            "as specific"
        );
        let larger = [(
            "areas.csv",
            "any,any\n",
            "any,any\ncounties,county:12086\nzips,zip3:331\nzips,zip3:330\nzips,zip3:332\n",
        )];
        assert!(warned(Shadowed, &["a,ann,*,*,zips,1,closed,wait,,,,,,", broad], &larger).len() <= 1);
    }

    #[test]
    fn several_may_cast_one_shadow() {
        let open = "x,ben,roof,*,two,1,,,,,,,,";
        let areas = [("areas.csv", "any,any\n", "any,any\ntwo,zip:33130\ntwo,zip:33125\nwest,zip:33125\n")];
        let both =
            ["a,ann,roof,*,center,1,closed,wait,,,,,,", "c,cat,roof,*,west,1,protected,wait,,,,,,", open];
        assert_warned(Shadowed, &both, &areas, &["\"a\" (closed", "and \"c\" (protected"]);
        assert!(warned(Shadowed, &[both[0], open], &areas).is_empty());
    }

    #[test]
    fn one_that_shares_is_given_further_seats() {
        let shared = "b,ben,roof,*,center,1,,,shared:2,,,,,";
        assert_warned(Shadowed, &["a,ann,*,*,center,1,protected,wait,,,,,,", shared], &[], &["\"b\""]);
        assert!(warned(Shadowed, &["a,ann,*,*,center,1,first,wait,,,,,,", shared], &[]).is_empty());
        let both = "b,ben,roof,*,miami,1,protected,,shared:2,,,,,";
        assert!(warned(Shadowed, &["a,ann,*,*,center,1,protected,wait,shared:2,,,,,", both], &[]).is_empty());
    }

    #[test]
    fn one_that_never_shuts_and_is_never_full_leaves_what_it_gives_back() {
        let open = "b,ben,roof,*,center,1,,,,,,,,";
        assert_warned(Leftovers, &["a,ann,*,*,center,1,first,next,,,,,,", open], &[], &["\"b\"", "declines"]);
        assert!(warned(Leftovers, &["a,ann,*,*,center,1,first,next,,,9,,,", open], &[]).is_empty(), "a cap");
        assert!(warned(Leftovers, &["a,cat,*,*,center,1,first,next,,,,,,", open], &[]).is_empty(), "hours");
    }

    #[test]
    fn a_dealer_that_bars_others_is_spared() {
        let rows = [
            "a,ann,*,*,miami,1,closed,wait,,,,,,",
            "b,ben,roof,*,center,1,,,,,,,,",
            "z,ben,gutter,*,center,1,closed,,,,,,,",
        ];
        assert!(warned(Shadowed, &rows, &[]).iter().all(|message| !message.contains("\"b\" is never")));
    }
}

#[test]
fn territories_of_the_same_rank_in_one_place_are_named_with_the_people_who_live_there() {
    let protected = "a,ann,roof,*,center,1,protected,,,,,,,";
    let closed = "b,ben,*,*,center,1,closed,,,,,,,";
    assert_warned(
        ProblemCode::Overlap,
        &[protected, closed],
        &[],
        &[
            "\"a\" (protected, of \"ann\")",
            "\"b\" (closed, of \"ben\")",
            "ZIP 33130 (Miami)",
            "people live",
            "by ZIP",
        ],
    );
    let warning =
        all(&[protected, closed], &[]).into_iter().find(|one| one.code == ProblemCode::Overlap).unwrap();
    let figures = warning.figures.unwrap();
    let place = crate::place::of("33130".parse().unwrap()).unwrap();
    assert_eq!((figures.zips, figures.people), (Some(1), Some(u64::from(place.population()))));
    for other in [
        "b,ben,*,*,miami,1,closed,,,,,,,",               // less specific
        "b,ann,*,*,center,1,closed,,,,,,,",              // the same dealer
        "b,ben,gutter,*,center,1,closed,,,,,,,",         // another offer
        "b,ben,roof,*,center,1,open,,,,,,,",             // compels nobody
        "b,ben,roof,*,center,1,closed,,,,,,,2026-06-30", // before the other starts
    ] {
        let later = "a,ann,roof,*,center,1,protected,,,,,,2026-07-01,";
        assert!(warned(ProblemCode::Overlap, &[later, other], &[]).is_empty(), "{other}");
    }
    let shares =
        ["a,ann,roof,*,center,1,protected,,shared:2,,,,,", "b,ben,roof,*,center,1,protected,,shared:2,,,,,"];
    assert!(warned(ProblemCode::Overlap, &shares, &[]).is_empty(), "each may have a seat");
}

#[test]
fn a_gap_is_counted_in_zips_and_people() {
    let rows = ["a,ann,roof,*,florida,1,,,,,,,,", "b,ben,gutter,*,any,1,,,,,,,,"];
    let gaps: Vec<Problem> =
        all(&rows, &[]).into_iter().filter(|warning| warning.code == ProblemCode::Gap).collect();
    let [gap] = &gaps[..] else { panic!("{gaps:?}") };
    assert!(gap.message.contains("\"roof\"") && gap.message.contains("all of California"), "{gap}");
    let figures = gap.figures.as_ref().unwrap();
    let florida = "FL".parse().unwrap();
    let outside: Vec<_> = crate::place::all().filter(|place| place.state() != florida).collect();
    assert_eq!(figures.zips, Some(outside.len() as u32));
    assert_eq!(figures.people, Some(outside.iter().map(|place| u64::from(place.population())).sum()));
    assert!(figures.states.iter().all(|state| state.state != "FL"));
    assert_eq!(figures.offer.as_deref(), Some("roof"));
    // What nobody takes at all, nobody takes of the whole country.
    let list = all(&["a,ann,gutter,*,any,1,,,,,,,,"], &[]);
    let untaken =
        list.iter().find(|one| one.code == ProblemCode::Unused && one.message.contains("\"roof\"")).unwrap();
    let country: u64 = crate::place::all().map(|place| u64::from(place.population())).sum();
    let untaken = untaken.figures.as_ref().unwrap();
    assert_eq!((untaken.people, untaken.of_people), (Some(country), Some(country)));
    // Who can never be given a lead leaves all of it open.
    let dead = warned(ProblemCode::Gap, &["a,ann,roof,*,nowhere,1,,,,,,,,"], &[]);
    assert!(dead.len() == 1 && dead[0].contains("100.0 %"), "{dead:?}");
}

#[test]
fn hours_in_which_nobody_is_open_are_those_of_the_lead() {
    let shut = |zip: &str| {
        let zone = [("dealers.csv", "cat,C,33130", zip)];
        let rows = ["a,cat,roof,*,center,1,,,,,,,,", "b,ann,gutter,*,any,1,,,,,,,,"];
        let list = all(&rows, &zone).into_iter().filter(|warning| warning.code == ProblemCode::Shut);
        let [warning] = &list.collect::<Vec<_>>()[..] else { panic!() };
        assert!(warning.message.contains("\"roof\""));
        *warning.figures.clone().unwrap()
    };
    let figures = shut("cat,C,33130");
    // 50 of 168 hours are open.
    assert_eq!(figures.week_permille, Some(118 * 1_000 / 168));
    let longest = &figures.blocks[0];
    assert_eq!((longest.from.as_str(), longest.to.as_str()), ("Fr 18:00", "Mo 08:00"));
    // All who live where the offer is taken find nobody, and they are so many of the country's.
    assert_eq!(longest.people_permille, 1_000);
    let center = crate::place::of("33130".parse().unwrap()).unwrap().population();
    let country: u64 = crate::place::all().map(|place| u64::from(place.population())).sum();
    assert_eq!((figures.people, figures.of_people), (Some(u64::from(center)), Some(country)));
    // Beside one who never shuts a few miles on, it is a part of them only.
    let miami =
        ["a,cat,roof,*,center,1,,,,,,,,", "c,ann,roof,*,beach,1,,,,,,,,", "b,ann,gutter,*,any,1,,,,,,,,"];
    let beach = [("areas.csv", "center,", "beach,zip:33139\ncenter,")];
    let part = all(&miami, &beach).into_iter().find(|warning| warning.code == ProblemCode::Shut).unwrap();
    let of = |zip: &str| u64::from(crate::place::of(zip.parse().unwrap()).unwrap().population());
    let both = of("33130") + of("33139");
    let part = part.figures.unwrap();
    assert_eq!(u64::from(part.blocks[0].people_permille), of("33130") * 1_000 / both);
    assert_eq!(part.people, Some(both));
    // Two dealers of one place cover each other's hours.
    let rows = ["a,cat,roof,*,center,1,,,,,,,,", "b,ann,*,*,any,1,,,,,,,,"];
    assert!(warned(ProblemCode::Shut, &rows, &[]).is_empty());
    // Where the dealer is an hour behind, its morning begins an hour later for the lead.
    let behind = [
        ("dealers.csv", "cap_day,cap_month\n", "cap_day,zone\n"),
        ("dealers.csv", "5,\n", "5,America/Chicago\n"),
    ];
    let rows = ["a,cat,roof,*,center,1,,,,,,,,", "b,ann,gutter,*,any,1,,,,,,,,"];
    let shut = all(&rows, &behind).into_iter().find(|warning| warning.code == ProblemCode::Shut).unwrap();
    assert_eq!(shut.figures.unwrap().blocks[0].to, "Mo 09:00");
}

#[test]
fn a_closed_territory_keeps_what_it_does_not_take_from_everybody() {
    let rows = ["a,ann,roof,*,miami,1,closed,,,,,,,", "b,ben,*,*,any,1,,,,,,,,"];
    assert_warned(
        ProblemCode::Gap,
        &rows,
        &[],
        &["\"a\" (closed, of \"ann\")", "\"gutter\"", "those leads wait"],
    );
    let own = [rows[0], rows[1], "c,ann,gutter,*,any,1,,,,,,,,"];
    assert!(warned(ProblemCode::Gap, &own, &[]).is_empty(), "the same dealer takes it");
    let narrower = [rows[0], rows[1], "c,cat,gutter,*,miami,1,first,,,,,,,"];
    assert!(warned(ProblemCode::Gap, &narrower, &[]).is_empty(), "as specific, and compels");
}

#[test]
fn caps_that_contradict_each_other_are_named() {
    let odd = |row: &str| warned(ProblemCode::Contradiction, &[row], &[]);
    assert!(odd("a,ann,*,*,any,1,,,,,9,5,,")[0].contains("cap_day 9 is above cap_month 5"));
    assert!(
        odd("a,ann,*,*,any,1,,,,,2,63,,")[0].contains("cap_month 63 can never be reached with cap_day 2")
    );
    assert!(
        odd("a,cat,*,*,any,1,,,,,6,,,")[0].contains("cap_day 6 is above cap_day 5 of its dealer \"cat\"")
    );
    assert!(odd("a,cat,*,*,any,1,,,,,5,62,,").is_empty());
    assert!(odd("a,ann,*,*,any,1,,,,,2,62,,").is_empty());
}

#[test]
fn budgets_that_contradict_price_or_caps_are_named() {
    let budget = [("contracts.csv", "min_band", "budget_month")];
    let warned = |code, row: &str| warned(code, &[row], &budget);
    let dead = warned(ProblemCode::Dead, "a,ann,*,*,any,45,,,,44.99,,,,");
    assert!(dead.len() == 1 && dead[0].contains("budget_month 44.99 is below its price 45.00"), "{dead:?}");
    assert!(warned(ProblemCode::Dead, "a,ann,*,*,any,45,,,,45,,,,").is_empty());
    let odd = |row| warned(ProblemCode::Contradiction, row);
    assert!(odd("a,ann,*,*,any,45,,,,450,,11,,")[0].contains("pays for 10 leads at 45.00"));
    assert!(odd("a,ann,*,*,any,45,,,,450,,10,,").is_empty());
    assert!(odd("a,ann,*,*,any,10,,,,320,1,,,")[0].contains("cap_day 1 allows at most 31 leads a month"));
    assert!(odd("a,ann,*,*,any,10,,,,310,1,,,").is_empty());
    assert!(odd("a,ann,*,*,any,0,,,,310,1,,,").is_empty(), "free");
}

#[test]
fn terms_that_change_nothing_are_named() {
    let idle = |row: &str| warned(ProblemCode::NoEffect, &[row], &[]);
    assert!(idle("a,ann,*,*,any,1,open,wait,,,,,,")[0].contains("wait changes nothing"));
    assert!(idle("a,ann,*,*,any,1,closed,,shared:2,,,,,")[0].contains("shared:2 changes nothing"));
    assert!(idle("a,ann,*,*,any,1,protected,wait,shared:2,,,,,").is_empty());
}

#[test]
fn no_kind_crowds_out_another() {
    let mut rows: Vec<String> =
        (0..500).map(|number| format!("n{number},ann,*,*,nowhere,1,,,,,,,,")).collect();
    rows.extend((0..3).map(|number| format!("e{number},ann,*,*,any,1,,,,,,,,2026-05-01")));
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let list = all(&rows, &[]);
    assert!(list.len() <= crate::limits::PROBLEMS);
    let count = |code| list.iter().filter(|warning| warning.code == code).count();
    assert_eq!(count(ProblemCode::Ended), 3 + 1, "with the source \"old\"");
    let last = list.iter().rfind(|warning| warning.code == ProblemCode::Dead).unwrap();
    let more = last.figures.as_ref().unwrap().more.unwrap();
    assert_eq!(count(ProblemCode::Dead) - 1 + more as usize, 500);
}

#[test]
fn a_warning_is_the_same_json_every_time() {
    let rows = ["a,ann,roof,*,center,1,protected,,,,,,,", "b,ben,*,*,center,1,closed,,,,,,,"];
    let list = all(&rows, &[]);
    let overlap = list.iter().find(|warning| warning.code == ProblemCode::Overlap).unwrap();
    let json = serde_json::to_value(overlap).unwrap();
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    let mut expected = ["file", "line", "column", "severity", "code", "message", "figures"];
    let mut keys = keys;
    keys.sort_unstable();
    expected.sort_unstable();
    assert_eq!(keys, expected);
    assert_eq!(json["code"], "overlap");
    assert_eq!(json["figures"]["contracts"], serde_json::json!(["b"]));
    assert_eq!(serde_json::from_value::<Problem>(json).unwrap(), *overlap);
}

#[test]
fn an_offer_map_that_leads_nowhere_is_refused() {
    let files = [
        (
            "sources.toml",
            "[[source]]\nid = \"page\"\nkind = \"form\"\noffers = { \"New roof\" = \"rooof\" }\n",
        ),
        ("offers.toml", "[[offer]]\nid = \"roof\"\ncategory = \"roofing\"\nname = \"Roof\"\n"),
    ];
    let files = files.map(|(name, text)| (name, text.as_bytes().to_vec()));
    let problems = Rulebook::parse(&RulebookFiles::new(files).unwrap()).unwrap_err();
    let unknown: Vec<_> =
        problems.list.iter().filter(|problem| problem.code == ProblemCode::UnknownReference).collect();
    assert!(unknown.len() == 1 && unknown[0].message.contains("did you mean \"roof\"?"), "{problems}");
}
