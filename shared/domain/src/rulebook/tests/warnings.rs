//! What is allowed and hardly meant.

use super::*;

fn warned(result: Result<Rulebook, Problems>, today: &str) -> Vec<String> {
    let mut warnings = result.unwrap().check(today.parse().unwrap());
    warnings.retain(|warning| !is_about_the_country(warning));
    warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_hardly_meant_is_warned_of() {
    assert_eq!(
        warned(parse(folder()), "2027-01-01"),
        [
            "contracts.csv:2:1: warning: the last day of contract \"hudson-miami\" is over",
            "dealers.csv:2:1: warning: dealer \"hudson\" has no running contract",
            "sources.toml:10:1: warning: the last day of source \"old-list\" is over",
        ]
    );
    assert_eq!(
        warned(short_contracts("c,hudson,roof-repair,*,miami,45,,,"), "2026-01-01"),
        [
            "areas.csv:4:1: warning: no contract names the area \"florida\"",
            "dealers.csv:3:1: warning: dealer \"mia\" has no running contract",
            "offers.toml:7:1: warning: no running contract takes the offer \"grill-prize\", \
             and there are 334,365,877 people to ask for it",
        ]
    );
}

#[test]
fn a_dealer_that_nothing_is_sent_to_is_warned_of() {
    assert_eq!(
        warned(edited("channels.csv", "mia,1,inbox,,,\n", ""), "2026-01-01"),
        ["dealers.csv:3:1: warning: dealer \"mia\" has no channel: it reads the inbox only"]
    );
    let mut folder = folder();
    folder.remove("channels.csv");
    assert_eq!(
        warned(parse(folder), "2026-01-01"),
        ["channels.csv:1:1: warning: there is no channels.csv: every dealer reads the inbox only"]
    );
}

#[test]
fn a_slip_in_a_standard_field_is_warned_of() {
    assert_eq!(
        warned(edited("sources.toml", "\"email\"", "\"emial\""), "2026-01-01"),
        [
            "sources.toml:1:1: warning: fields of source \"storm-page\": \"emial\" is no standard field; did you mean \"email\"?"
        ]
    );
}
