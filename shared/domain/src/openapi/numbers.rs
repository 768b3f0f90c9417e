//! What the counters say: who waits, why somebody got nothing, history, reports.

use super::desk::of_desk;
use super::route::{
    CSV, Function, JSON, Kind, Member, Method, READER, Route, Who, by_name, closed, list, may, must, null,
    object, objects, one_of,
};
use crate::report::Dimension;

use Function::Console;
use Kind::{Any, Count, Date, Flag, Id, Instant, Month, Text, Uuid};
use Method::Get;
use Who::Dealer;

const NUMBERS: &str = "Who waits, and reports";

pub(super) fn routes() -> Vec<Route> {
    vec![waiting(), why_nothing(), shadow(), history(), report()]
}

fn waiting() -> Route {
    of_desk(READER, Get, "/v1/waiting", "Who waits and why; the demand that no contract serves.", NUMBERS)
        .company()
        .answers(
            200,
            "Counts.",
            [
                must("company", Id, ""),
                must("examined", Count, "Leads that were looked at, at most 20,000."),
                must("complete", Flag, "Whether these are all."),
                must("by_reason", by_name(Count), ""),
                must(
                    "unmet_demand",
                    objects([
                        must("category", Id, ""),
                        must("state", Text, ""),
                        must("zip3", Text, ""),
                        must("leads", Count, ""),
                        must("reasons", by_name(Count), ""),
                    ]),
                    "The most first.",
                ),
            ],
        )
}

fn why_nothing() -> Route {
    Route::new(Console, Get, "/v1/why-nothing", "Why a dealer got nothing on a day.")
        .under(NUMBERS)
        .by(&[READER, Dealer])
        .company()
        .query([
            may("dealer", Id, "Which; a dealer's token names its own."),
            may("date", Date, "A day of the company's zone; today, if none is named."),
            may("before", Text, "For the desk: the `next` of the answer before."),
        ])
        .answers(
            200,
            "What its contracts failed first.",
            [
                must("dealer", Id, ""),
                must("date", Date, ""),
                must(
                    "complete",
                    Flag,
                    "Whether none of the day stand before these, and all of these could be made again.",
                ),
                must("contracts", by_name(by_name(Count)), "Of each contract how often each word."),
                may("examined", Count, "To the desk: decisions that were looked at, at most 300."),
                may("repeated", Count, "To the desk: those that could be made again."),
                Member {
                    null: true,
                    ..may("next", Text, "To the desk: what to send as `before`; null on the last.")
                },
            ],
        )
}

fn shadow() -> Route {
    of_desk(READER, Get, "/v1/shadow", "What the rules would have done, beside what the desk did.", NUMBERS)
        .company()
        .tells("Of a month's decisions 2,000 are looked at, the newest first; the answers of a month add up.")
        .query([
            may("month", Month, "This one, if none is named."),
            may("after", Text, "The `next` of the answer before."),
        ])
        .answers(
            200,
            "Of leads that were the desk's to place: those whose first such decision was looked at.",
            [
                must("company", Id, ""),
                must("month", Month, ""),
                must("leads", Count, ""),
                must("complete", Flag, "Whether none of the month were decided before those looked at."),
                null("next", Text, "What to send as `after`; null where there are none before."),
                must("as_recommended", Count, ""),
                must("otherwise", Count, ""),
                must("not_placed", Count, ""),
                must("nobody", Count, "Those that the rules had nobody for."),
                must(
                    "differences",
                    objects([
                        must("lead", Uuid, ""),
                        must("recommended", Any, ""),
                        must("waiting", Any, ""),
                        must("placed", Any, ""),
                    ]),
                    "",
                ),
            ],
        )
}

fn history() -> Route {
    of_desk(
        READER,
        Get,
        "/v1/history",
        "What was decided, on what, and what came of it: what a backtest takes.",
        NUMBERS,
    )
    .tells("A page has 200 decisions at most; none, and a `next`, where few stand on many days.")
    .company()
    .query([
        must("from", Instant, ""),
        must("to", Instant, "Before this."),
        may("after", Text, "The `next` of the page before."),
    ])
    .answers(
        200,
        "A page, in no order.",
        [
            must("company", Id, ""),
            must("events", list(Any), ""),
            null("next", Text, "What to send as `after`; null on the last page."),
        ],
    )
}

fn report() -> Route {
    let names = [
        "sources",
        "campaigns",
        "offers",
        "areas",
        "dealers",
        "funnel",
        "speed",
        "returns",
        "waiting",
        "unmet",
        "leads",
    ];
    let cells = || by_name(Any);
    let table = object([
        must("report", Text, ""),
        must("says", Text, "What it shows."),
        must("company", Id, ""),
        must("currency", Text, ""),
        must("from", Date, ""),
        must("to", Date, ""),
        must("zone", Text, "Whose days these are."),
        must("by", closed!(Dimension), ""),
        must("whole", cells(), "By column."),
        must(
            "before",
            object([must("from", Date, ""), must("to", Date, ""), must("whole", cells(), "")]),
            "As many days before.",
        ),
        must("rows", list(cells()), "A row for each value; `value` names it."),
        must("read_units", Kind::Number, "What it cost to read."),
    ]);
    of_desk(READER, Get, "/v1/reports/{name}", "A report for any period, against the one before.", NUMBERS)
        .part(must("name", one_of(&names), "Which."))
        .company()
        .query([
            may("from", Date, "The thirtieth day back, if none is named."),
            may("to", Date, "Included; today, if none is named."),
            may("by", closed!(Dimension), ""),
        ])
        .answers_as(200, "JSON, or CSV where that is accepted.", [(JSON, table), (CSV, Text)])
}
