//! What is written of the cost for people is what was measured, with the prices of the day that [`prices`] says: a figure
//! that is not fails, and says what is to be written.

use std::io::Write;
use std::path::Path;

use crate::steps::{
    ACCEPTED, DELIVERED, DISTRIBUTED, DISTRIBUTED_16, INTAKE, INTAKE_PAGE, INTERACTION, INTERACTIONS_TEN,
    NURTURED, REPEAT, STRANGER, Step, WAITING,
};
use crate::{idle, of, prices};

/// A row of the table in `infra/README.md`: what it says, and the steps of each of its figures.
type Row = (&'static str, &'static [&'static [&'static str]]);

const BY_SERVER: &[&str] = &[INTAKE, DISTRIBUTED, DELIVERED];
const BY_PAGE: &[&str] = &[INTAKE_PAGE, DISTRIBUTED, DELIVERED];

const TABLE: [Row; 10] = [
    ("lead by a server, to its dealer's 2xx", &[BY_SERVER]),
    ("lead by a page with our snippet, the same", &[BY_PAGE]),
    ("of which: intake by a server, by a page", &[&[INTAKE], &[INTAKE_PAGE]]),
    ("distribution among 8 contracts, among 16", &[&[DISTRIBUTED], &[DISTRIBUTED_16]]),
    ("delivery by webhook, first attempt", &[&[DELIVERED]]),
    ("a repeat that its holder is told", &[&[REPEAT]]),
    ("accepting, and sending the whole lead", &[&[ACCEPTED]]),
    ("a decision that the lead waits", &[&[WAITING]]),
    (
        "an interaction in a post of its own: of a lead, of a nurtured one, of a stranger",
        &[&[INTERACTION], &[NURTURED], &[STRANGER]],
    ),
    ("an interaction of a lead, ten in a post", &[&[INTERACTIONS_TEN]]),
];

/// Whether the runbook's table, and what is said in words beside it and in the README, are as measured.
pub(crate) fn hold(out: &mut impl Write, one_by_one: &[Step], ten: &[Step]) -> anyhow::Result<bool> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or_else(|| Path::new("."));
    let runbook = flat(&std::fs::read_to_string(root.join("infra/README.md"))?);
    let readme = flat(&std::fs::read_to_string(root.join("README.md"))?);
    let dollars = |steps: &[Step], names: &[&str]| of(steps, names).dollars().all();
    let mut written: Vec<(&str, &str, String)> =
        TABLE.iter().map(|row| ("infra/README.md", &*runbook, line(row, one_by_one, ten))).collect();
    let server = of(one_by_one, BY_SERVER);
    let page_and_ten = dollars(one_by_one, BY_PAGE) + 10.0 * dollars(one_by_one, &[INTERACTIONS_TEN]);
    let units = server.writes();
    written.extend([
        ("infra/README.md", &*runbook, format!("in one post, that is ${page_and_ten:.0} a month.")),
        (
            "infra/README.md",
            &*runbook,
            format!("Of the {units:.0} write units of a server's lead (${:.2})", units * prices::WRITE_UNIT),
        ),
        ("infra/README.md", &*runbook, format!("the sweep ${:.2},", idle(one_by_one))),
        ("infra/README.md", &*runbook, format!("to its dealer's 2xx, is {units:.0} write units")),
        (
            "README.md",
            &*readme,
            format!("cost ${:.0} to ${:.0} on AWS", dollars(ten, BY_SERVER), dollars(one_by_one, BY_PAGE)),
        ),
    ]);
    let mut well = true;
    for (file, text, figure) in written {
        if !text.contains(&figure) {
            writeln!(
                out,
                "{file} does not say what was measured, by the prices of {}: {figure}",
                prices::AS_OF
            )?;
            well = false;
        }
    }
    Ok(well)
}

fn line((says, figures): &Row, one_by_one: &[Step], ten: &[Step]) -> String {
    let cell = |steps: &[Step]| {
        let each: Vec<String> =
            figures.iter().map(|names| format!("{:.2}", of(steps, names).dollars().all())).collect();
        each.join(", ")
    };
    let (one, ten) = (cell(one_by_one), cell(ten));
    let ten = if ten == one { "the same".to_owned() } else { ten };
    format!("| {says} | {one} | {ten} |")
}

/// A text without its lines' ends.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
