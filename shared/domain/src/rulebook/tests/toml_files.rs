//! The company, its offers, sources, scoring, screening and examples: every key of the TOML files.

use super::*;

#[test]
fn every_key_is_checked_where_it_stands() {
    for (name, from, to, expected) in [
        (
            "company.toml",
            "zone = \"America/New_York\"",
            "zone = \"EST5\"",
            "3:8: error: a zone is an IANA name such as America/New_York",
        ),
        ("company.toml", "name = \"Gulf Leads\"", "name = 7", "2:8: error: name: this is text, in quotes"),
        ("company.toml", "id = \"gulf-leads\"\n", "", "1:1: error: the key id is missing here"),
        (
            "company.toml",
            "mode = \"automatic\"",
            "mode = \"auto\"",
            "5:8: error: mode is one of: automatic manual",
        ),
        (
            "company.toml",
            "mode = \"automatic\"",
            "currency = \"usd\"",
            "5:12: error: currency is three capital letters, such as USD",
        ),
        (
            "company.toml",
            "mode = \"automatic\"",
            "week_starts = \"friday\"",
            "5:15: error: week_starts is one of: monday sunday",
        ),
        (
            "company.toml",
            "mode = \"automatic\"",
            "scope = \"trade\"",
            "5:9: error: scope is one of: category offer",
        ),
        ("company.toml", "mode = \"automatic\"", "ranking = []", "5:11: error: ranking has 1 to 8 steps"),
        (
            "company.toml",
            "mode = \"automatic\"",
            "ranking = [\"tier\", \"luck\"]",
            "5:20: error: a ranking step is tier, distance:10mi (1 to 500), share, longest_ago, price or performance:90d:20 (7 to 182 days, at least 1 to 10000 leads)",
        ),
        (
            "company.toml",
            "window_days",
            "windowdays",
            "4:1: error: there is no key \"windowdays\" here; did you mean \"window_days\"?",
        ),
        (
            "company.toml",
            "window_days = 45",
            "branding = {}",
            "4:12: error: branding is not supported yet: leave it out",
        ),
        (
            "company.toml",
            "window_days = 45",
            "window_days = 45\nretention_days = 29",
            "5:18: error: retention_days is a whole number from 30 to 3650",
        ),
        (
            "company.toml",
            "window_days = 45",
            "window_days = 45\nretention_days = 44",
            "5:18: error: retention_days is at least window_days, 45",
        ),
        (
            "company.toml",
            "window_days = 45",
            "window_days = 45\ncertificate_days = 0",
            "5:20: error: certificate_days is a whole number from 1 to 1826",
        ),
        (
            "company.toml",
            "window_days = 45",
            "window_days = 45\ncall_hours = \"07:59-21:00\"",
            "5:14: error: call_hours is from and to, such as 09:00-20:00, within 08:00-21:00",
        ),
        (
            "company.toml",
            "window_days = 45",
            "window_days = 45\ncall_hours = \"09:00-21:01\"",
            "5:14: error: call_hours is from and to, such as 09:00-20:00, within 08:00-21:00",
        ),
        (
            "company.toml",
            "window_days = 45",
            "window_days = 45\ncall_hours = \"20:00-09:00\"",
            "5:14: error: call_hours is from and to, such as 09:00-20:00, within 08:00-21:00",
        ),
        (
            "company.toml",
            "mode = \"automatic\"",
            "[rollback]\nunmatched_points = 4",
            "6:20: error: unmatched_points is a whole number from 5 to 100",
        ),
        (
            "company.toml",
            "mode = \"automatic\"",
            "[rollback]\nunmatched_points = \"20%\"",
            "6:20: error: unmatched_points is a whole number from 5 to 100",
        ),
        (
            "company.toml",
            "mode = \"automatic\"",
            "[rollback]\nunmatched_points = 20\nafter_leads = 3",
            "7:15: error: after_leads is a whole number from 20 to 200",
        ),
        (
            "company.toml",
            "mode = \"automatic\"",
            "[rollback]\nunmatched_points = 20\nwithin_hours = 49",
            "7:16: error: within_hours is a whole number from 1 to 48",
        ),
        (
            "company.toml",
            "mode = \"automatic\"",
            "[rollback]\nafter_leads = 50",
            "5:1: error: the key unmatched_points is missing here",
        ),
        (
            "company.toml",
            "mode = \"automatic\"",
            "[rollback]\nunmatched_points = 20\nafter_lead = 50",
            "7:1: error: there is no key \"after_lead\" here; did you mean \"after_leads\"?",
        ),
        ("company.toml", "mode = \"automatic\"", "rollback = \"20%\"", "5:12: error: rollback is a table"),
        (
            "offers.toml",
            "ranking = [\"price\", \"distance:25mi\"]",
            "[[offer]]\nid = \"roof-repair\"\ncategory = \"roofing\"\nname = \"Again\"",
            "14:6: error: offer \"roof-repair\" is here twice: it stands in line 2 already",
        ),
        (
            "offers.toml",
            "band = \"B3\"",
            "band = \"D3\"",
            "5:8: error: a band is a letter from A to C and a digit from 1 to 3, such as B2",
        ),
        (
            "offers.toml",
            "incentive = true",
            "incentive = \"yes\"",
            "12:13: error: incentive is true or false, without quotes",
        ),
        (
            "sources.toml",
            "offer = \"roof-repair\"",
            "offer = \"roof-repairs\"",
            "4:9: error: there is no offer \"roof-repairs\" in offers.toml; did you mean \"roof-repair\"?",
        ),
        (
            "sources.toml",
            "\"grill-prize\"",
            "\"prize\"",
            "5:21: error: there is no offer \"prize\" in offers.toml",
        ),
        (
            "sources.toml",
            "\"email\"",
            "\"E-mail\"",
            "6:28: error: fields: a standard field is 1 to 64 characters: lower-case letters, digits and '_', a letter first",
        ),
        (
            "sources.toml",
            "http://localhost:8080",
            "http://localhost:8080/",
            "7:37: error: origins: an origin is https://host or https://host:8443, with nothing after it, not even '/'",
        ),
        (
            "sources.toml",
            "https://storm.example/thanks",
            "/thanks",
            "8:13: error: thank_you: a page is an http:// or https:// URL of at most 2048 ASCII characters",
        ),
        (
            "sources.toml",
            "kind = \"file\"",
            "kind = \"fax\"",
            "12:8: error: kind: a source's kind is one of: form google meta adf file",
        ),
        (
            "sources.toml",
            "2026-01-31",
            "2026-01-31T10:00:00Z",
            "13:8: error: ends: a date is written 2026-05-09",
        ),
        (
            "sources.toml",
            "key_generation = 3",
            "key_generation = 0",
            "15:18: error: key_generation is a whole number from 1 to 1000000",
        ),
        ("sources.toml", "key_generation = 3", "postback = \"x\"", "15:12: error: postback is a table"),
        (
            "tests.toml",
            "\"roof-repair\"",
            "\"roof\"",
            "4:33: error: there is no offer \"roof\" in offers.toml",
        ),
        (
            "tests.toml",
            "hudson-miami = {",
            "hudson = {",
            "5:10: error: there is no contract \"hudson\" in contracts.csv",
        ),
        (
            "tests.toml",
            "day = 9",
            "days = 9",
            "5:27: error: there is no key \"days\" here; did you mean \"day\"?",
        ),
        (
            "tests.toml",
            "holds = [\"mia\"]",
            "holds = [\"maa\"]",
            "6:10: error: there is no dealer \"maa\" in dealers.csv; did you mean \"mia\"?",
        ),
        (
            "tests.toml",
            "paused = [\"mia-florida\", \"mia\"]",
            "paused = [\"nobody\"]",
            "7:11: error: paused: this is the id of a contract or dealer; there is none of that name",
        ),
        (
            "tests.toml",
            "\"inactive\"",
            "\"asleep\"",
            "9:30: error: excluded: a rule is one of: inactive offer source age area band needs excluded territory hours cap",
        ),
        (
            "tests.toml",
            "2026-06-01T09:00:00-04:00",
            "2026-06-01T09:00:00",
            "3:6: error: at: a time is written with its offset: 2026-06-01T09:00:00-04:00",
        ),
        (
            "tests.toml",
            "assigned = [\"hudson-miami\"]\n",
            "waiting = \"hours\"\nassigned = [\"hudson-miami\"]\n",
            "8:11: error: a lead is assigned or waiting, not both",
        ),
        (
            "tests.toml",
            "assigned = [\"hudson-miami\"]",
            "assigned = []",
            "8:12: error: assigned names at least one contract; of a lead that nobody gets, say waiting",
        ),
        (
            "tests.toml",
            "waiting = \"hours\"\n",
            "",
            "15:9: error: until needs waiting: an assigned lead waits for nothing",
        ),
        (
            "tests.toml",
            "waiting = \"hours\"\nuntil = 2026-06-02T08:00:00-04:00\n",
            "",
            "11:1: error: this test expects nothing: say assigned, waiting or excluded",
        ),
    ] {
        assert_only(edited(name, from, to), &format!("{name}:{expected}"));
    }
}

#[test]
fn a_plan_to_follow_up_is_read_and_checked_where_it_stands() {
    use crate::followup::{FollowUpPlan, Wait};
    let plan = "not_ready = [\"4h\", \"1d\", \"2w\"]\nlost = []\nmost_calls = 3\nconsent_days = 400\n";
    assert_eq!(
        with("followup.toml", plan).unwrap().follow_up,
        FollowUpPlan {
            not_ready: vec![Wait::hours(4), Wait::hours(24), Wait::hours(14 * 24)],
            lost: Vec::new(),
            most_calls: 3,
            consent_days: 400,
            ..FollowUpPlan::default()
        }
    );
    // Without the file, and with an empty one, it is the usual one.
    assert_eq!(parse(folder()).unwrap().follow_up, FollowUpPlan::default());
    assert_eq!(with("followup.toml", "").unwrap().follow_up, FollowUpPlan::default());
    let wait = "a wait is written 4h, 3d or 2w, from an hour to 365 days";
    for (text, expected) in [
        ("not_ready = \"1d\"", "1:13: error: not_ready is a list: [ … ]".to_owned()),
        ("not_ready = [\"1d\", \"1m\"]", format!("1:20: error: not_ready: {wait}")),
        ("lost = [\"\"]", format!("1:9: error: lost: {wait}")),
        ("lost = [\"+1d\"]", format!("1:9: error: lost: {wait}")),
        ("lost = [\"0h\"]", format!("1:9: error: lost: {wait}")),
        ("lost = [\"53w\"]", format!("1:9: error: lost: {wait}")),
        ("lost = [\"ü\"]", format!("1:9: error: lost: {wait}")),
        ("\nmost_calls = 0", "2:14: error: most_calls is a whole number from 1 to 50".to_owned()),
        ("enquiry_days = 93", "1:16: error: enquiry_days is a whole number from 1 to 92".to_owned()),
        (
            "consent_days = 80",
            "1:16: error: consent_days is not below enquiry_days: who agreed to be called may be called for as long"
                .to_owned(),
        ),
        (
            "consent_days = 90\nlost = [\"1d\", \"13w\"]",
            "2:8: error: lost: 13w is no wait here: nobody is called later than 90 days after they asked".to_owned(),
        ),
        ("notready = []", "1:1: error: there is no key \"notready\" here; did you mean \"not_ready\"?".to_owned()),
        (
            &format!("lost = [{}]", "\"1h\", ".repeat(21)),
            "1:8: error: lost has at most 20 waits".to_owned(),
        ),
    ] {
        assert_only(with("followup.toml", text), &format!("followup.toml:{expected}"));
    }
}

#[test]
fn what_is_no_toml_is_refused_where_it_breaks() {
    for name in ["company.toml", "offers.toml", "sources.toml", "scoring.toml", "followup.toml", "tests.toml"]
    {
        let problems = with(name, "a = 1\né = ü\n").unwrap_err();
        assert_eq!(problems.list.len(), 1, "{problems}");
        assert_eq!((problems.list[0].at.line, problems.list[0].code), (2, ProblemCode::Syntax));
    }
}

#[test]
fn a_file_of_the_wrong_shape_is_one_problem() {
    assert_only(with("offers.toml", "offer = 1"), "offers.toml:1:9: error: offer is a list: [ … ]");
    assert_only(
        with("offers.toml", "offer = [1]"),
        "offers.toml:1:10: error: each offer is a table: [[offer]]",
    );
    assert_only(with("sources.toml", ""), "sources.toml:1:1: error: a rulebook has at least one [[source]]");
}
