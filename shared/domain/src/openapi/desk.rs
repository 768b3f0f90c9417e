//! Leads and persons, as the desk has them; what the counters say of all of them.

use serde_json::json;

use super::route::{
    CSV, Function, JSON, Kind, Member, Method, Route, Who, at_most, by_name, closed, list, may, must, null,
    object, objects, one_of,
};
use super::shapes;
use crate::delivery::OptedOutOf;
use crate::erasure::ErasureReason;
use crate::error::Code;
use crate::lead::Stage;
use crate::limits;
use crate::report::Dimension;
use crate::scoring::Priority;

use Function::Console;
use Kind::{Any, Count, Date, Flag, Id, Instant, Month, Of, Short, Text, Uuid};
use Method::{Get, Post};
use Who::{Dealer, Desk, Link};

const LEADS: &str = "Leads";
const PERSONS: &str = "Persons";
const NUMBERS: &str = "Who waits, and reports";

pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![search(), story(), recommendation(), decision(), act()];
    routes.extend(ACTS.map(acts));
    routes.extend([judge(), erase_lead(), erase_leads(), export(), erase_person(), opt_out()]);
    routes.extend(unsubscribe());
    routes.extend([ledger(), reapply(), waiting(), why_nothing(), shadow(), history(), report()]);
    routes
}

fn of_desk(method: Method, path: &'static str, says: &'static str, tag: &'static str) -> Route {
    Route::new(Console, method, path, says).under(tag).by(&[Desk])
}

fn search() -> Route {
    of_desk(Post, "/v1/leads/search", "Finds leads.", LEADS)
        .tells("Exactly one of `lead`, `email`, `phone`, `hottest`, `stage`, `dealer` and `source`; the last four are lists in an order of their own.")
        .takes([
            may("company", Id, "Whose. Needed where the token is of several companies."),
            may("lead", Uuid, "Exactly."),
            may("email", Text, "Exactly."),
            may("phone", Text, "Exactly."),
            may("hottest", Flag, "Open leads by their score of now; one page."),
            may("stage", closed!(Stage), "By score, then the newest."),
            may("dealer", Id, "Those of a dealer, the newest first; one page."),
            may("shut", Flag, "Of a dealer's: those that are over."),
            may("source", Id, "Those of a source, the newest first."),
            may(
                "only",
                object([
                    may("offer", Id, ""),
                    may("source", Id, ""),
                    may("held", Flag, "In somebody's hands, or in nobody's."),
                    may("state", Text, "Of the US."),
                    may("points", Count, "At least so many as of now."),
                ]),
                "Filters within the list.",
            ),
            may("limit", Count, "50, if none is named; 100 at most."),
            may("after", Text, "The `next` of the page before."),
        ])
        .example(json!({ "stage": "waiting", "only": { "offer": "roof" } }))
        .answers(
            200,
            "A page. An empty one is not the last while it has a `next`.",
            [
                must("leads", list(Of("ListedLead")), ""),
                must("examined", Count, "How many were looked at."),
                null("next", Text, "What to send as `after`; null on the last page."),
            ],
        )
        .refuses(&[Code::InvalidField])
}

fn story() -> Route {
    of_desk(Get, "/v1/leads/{lead}", "The whole story of a lead.", LEADS).answers_as(
        200,
        "The lead; those that it goes on for are told with it.",
        [(JSON, Of("Story"))],
    )
}

fn recommendation() -> Route {
    of_desk(Get, "/v1/leads/{lead}/recommendation", "Where the lead would go now, and why.", LEADS)
        .tells("Nothing is written, and no counter moves.")
        .answers_as(200, "What a decision would conclude.", [(JSON, Of("Explained"))])
        .refuses(&[Code::StateConflict])
}

fn decision() -> Route {
    of_desk(
        Get,
        "/v1/leads/{lead}/decisions/{decision}",
        "A recorded decision, made again from its record.",
        LEADS,
    )
    .answers_as(200, "The part of every candidate.", [(JSON, Of("Explained"))])
}

/// What the desk can do to a lead.
const ACTS: [&str; 10] =
    ["place", "take_back", "hold", "resume", "reject", "reopen", "merge", "priority", "note", "redeliver"];

fn asked() -> Vec<Member> {
    vec![
        may("contract", Id, "place: with whom."),
        may("override", Flag, "place: although the contract fails a rule. It needs a reason."),
        may("assignment", Uuid, "take_back, redeliver: which seat."),
        may("hold", Flag, "take_back: keep it afterwards."),
        may("until", Instant, "hold: until then."),
        may("into", Uuid, "merge: the lead that goes on for both."),
        may("priority", closed!(Priority), "priority: the score's own, if none is named."),
        may("text", Short(limits::NOTE_CHARS), "note: its text."),
        may("reason", Short(limits::NOTE_CHARS), "Why. reject and merge need one."),
        may("dry_run", Flag, "Only say what would follow."),
    ]
}

fn act() -> Route {
    of_desk(Post, "/v1/leads/{lead}/{act}", "Does something to a lead.", LEADS)
        .tells("Each act stands in the lead's history: who, when, before and after.")
        .part(must("act", one_of(&ACTS), "What."))
        .may_take(asked())
        .example(json!({ "contract": "hudson-miami", "reason": "they know each other" }))
        .answers_as(200, "What was done.", [(JSON, Of("Done"))])
        .refuses(&[Code::InvalidField, Code::StateConflict])
}

fn acts(act: &'static str) -> Route {
    let path = match act {
        "place" => "/v1/leads/place",
        "take_back" => "/v1/leads/take_back",
        "hold" => "/v1/leads/hold",
        "resume" => "/v1/leads/resume",
        "reject" => "/v1/leads/reject",
        "reopen" => "/v1/leads/reopen",
        "merge" => "/v1/leads/merge",
        "priority" => "/v1/leads/priority",
        "note" => "/v1/leads/note",
        _ => "/v1/leads/redeliver",
    };
    let mut members = vec![must("leads", at_most(limits::LEADS_PER_ACT, Uuid), "Which.")];
    members.extend(asked());
    of_desk(Post, path, "Does the same to many leads.", LEADS)
        .tells("A dry run says what would follow if those before in the list had been done.")
        .takes(members)
        .answers_as(200, "Each has its own answer.", [(JSON, Of("DoneToMany"))])
        .refuses(&[Code::InvalidField])
}

fn judge() -> Route {
    let word = object([must("interaction", Text, ""), null("word", Text, "restored or revoked.")]);
    of_desk(
        Post,
        "/v1/leads/{lead}/interactions/{interaction}/{word}",
        "The desk's word on an interaction.",
        LEADS,
    )
    .part(must("word", one_of(&["restore", "revoke"]), "A person's after all, or a machine's."))
    .may_take([may("reason", Short(limits::NOTE_CHARS), "Why.")])
    .answers(
        200,
        "The later word holds.",
        [must("act", Text, ""), must("before", word.clone(), ""), must("after", word, "")],
    )
    .refuses(&[Code::InvalidField, Code::StateConflict])
}

// --- Persons ---

fn whom() -> [Member; 3] {
    [
        may("lead", Uuid, "The person of this lead,"),
        may("email", Text, "or whoever has this e-mail,"),
        may("phone", Text, "or this phone."),
    ]
}

fn how_to_erase() -> Vec<Member> {
    vec![
        may(
            "leads",
            at_most(limits::LEADS_PER_PERSON, Uuid),
            "Further leads that the desk knows to be theirs.",
        ),
        may("enquiries", list(Uuid), "Enquiries without a lead that the desk knows to be theirs."),
        must("reason", closed!(ErasureReason), "Why."),
        may("suppress", Flag, "Not to be taken in again; so it is, but for retention."),
        may("dry_run", Flag, "Only say what would go."),
    ]
}

fn erased(route: Route) -> Route {
    route
        .answers_as(200, "What went, or would go; or that it went before.", [(JSON, Of("Erasing"))])
        .answers_as(202, "It goes on by itself.", [(JSON, Of("Erasing"))])
        .refuses(&[Code::InvalidField, Code::StateConflict])
}

fn erase_lead() -> Route {
    let route = of_desk(Post, "/v1/leads/{lead}/erase", "Erases the person of a lead.", PERSONS);
    erased(route.takes(how_to_erase()).example(json!({ "reason": "requested", "dry_run": true })))
}

fn erase_leads() -> Route {
    let mut each =
        vec![must("lead", Uuid, "Which."), must("done", Flag, ""), may("problem", Of("Problem"), "Why not.")];
    let told = shapes::erasing_members().into_iter().map(|member| Member { always: false, ..member });
    each.extend(told);
    of_desk(Post, "/v1/leads/erase", "Erases the persons of these leads.", PERSONS)
        .takes([
            must("leads", at_most(limits::LEADS_PER_ACT, Uuid), "Which."),
            must("reason", closed!(ErasureReason), "Why."),
            may("suppress", Flag, "Not to be taken in again; so it is, but for retention."),
            may("dry_run", Flag, "Only say what would go."),
        ])
        .example(json!({ "leads": [], "reason": "requested", "dry_run": true }))
        .answers(
            200,
            "Each has its own answer.",
            [must("dry_run", Flag, ""), must("results", objects(each), "")],
        )
        .refuses(&[Code::InvalidField])
}

fn erase_person() -> Route {
    let route = of_desk(Post, "/v1/persons/erase", "Erases a person, also where no lead is theirs.", PERSONS);
    let members = whom().into_iter().chain(how_to_erase());
    erased(
        route
            .company()
            .takes(members)
            .example(json!({ "email": "ada.hill@example.com", "reason": "requested" })),
    )
}

fn export() -> Route {
    of_desk(Post, "/v1/persons/export", "All that is held of a person.", PERSONS)
        .company()
        .takes(whom().into_iter().chain([
            may(
                "leads",
                at_most(limits::LEADS_PER_PERSON, Uuid),
                "Further leads that the desk knows to be theirs.",
            ),
            may("enquiries", list(Uuid), "Enquiries without a lead that the desk knows to be theirs."),
        ]))
        .example(json!({ "email": "ada.hill@example.com" }))
        .answers(
            200,
            "Everything. That it was given stands in the lead's history.",
            [
                must("company", Id, ""),
                must("at", Instant, ""),
                must("leads", list(Of("Story")), ""),
                must("aside", list(Of("Enquiry")), "Enquiries that have no lead."),
                must("visits", Count, ""),
                must(
                    "recipients",
                    objects([
                        must("dealer", Id, ""),
                        must("contract", Id, ""),
                        must("lead", Uuid, ""),
                        must("offered_at", Instant, ""),
                        null("received_at", Instant, ""),
                        must("state", Text, ""),
                        must("from_elsewhere", Flag, "Another system sold it."),
                    ]),
                    "Who received them.",
                ),
                must("suppressed", Flag, ""),
                must("do_not_call", Flag, ""),
                must("others", list(Any), "Leads that share an e-mail or phone with them."),
            ],
        )
        .refuses(&[Code::StateConflict])
}

fn opt_out() -> Route {
    of_desk(Post, "/v1/persons/opt_out", "A person wants no mail, or to be left alone.", PERSONS)
        .company()
        .takes(whom().into_iter().chain([may("of", closed!(OptedOutOf), "Everything, if none is named.")]))
        .example(json!({ "email": "ada.hill@example.com", "of": "mail" }))
        .answers(
            200,
            "What follows; whoever holds a lead of theirs is told.",
            [
                must("of", closed!(OptedOutOf), ""),
                must("already", Flag, ""),
                must("listed", Count, "E-mails and phones."),
                must("rejected", list(Uuid), "Leads that nobody held."),
                must("told", Count, "Dealers."),
            ],
        )
        .refuses(&[Code::StateConflict])
}

fn unsubscribe() -> [Route; 2] {
    let route = |method, says| {
        Route::new(Console, method, "/v1/unsubscribe/{token}", says).under(PERSONS).by(&[Link])
    };
    [
        route(Get, "The page of the link that ends mail.").shows(200, "A page with a button.").alone(),
        route(Post, "Ends mail to the person: one click, RFC 8058.")
            .takes_as(
                &["application/x-www-form-urlencoded", "multipart/form-data"],
                object([must("List-Unsubscribe", one_of(&["One-Click"]), "")]),
            )
            .shows(200, "It is done.")
            .refuses(&[Code::InvalidField, Code::StateConflict]),
    ]
}

fn ledger() -> Route {
    of_desk(
        Get,
        "/v1/erasures",
        "The ledger of erasures, the oldest first: to be kept apart from the table.",
        PERSONS,
    )
    .company()
    .query([may("after", Uuid, "The `next` of the page before.")])
    .answers(
        200,
        "A page.",
        [
            must("erasures", list(Of("Erasure")), ""),
            null("next", Uuid, "What to send as `after`; null on the last page."),
        ],
    )
}

fn reapply() -> Route {
    of_desk(Post, "/v1/erasures/reapply", "Applies lines of the ledger to a restored table.", PERSONS)
        .takes([must("erasures", at_most(limits::ERASURES_PAGE, Of("Erasure")), "As they were given.")])
        .bytes(limits::IMPORT_BYTES)
        .answers(
            200,
            "What became of each.",
            [must(
                "erasures",
                objects([
                    must("erasure", Uuid, ""),
                    must("applied", Flag, "False where the table knew it."),
                    must("state", one_of(&["under_way", "erased", "done"]), ""),
                    must("gone", Of("Gone"), ""),
                ]),
                "",
            )],
        )
        .refuses(&[Code::InvalidField])
}

// --- Numbers ---

fn waiting() -> Route {
    of_desk(Get, "/v1/waiting", "Who waits and why; the demand that no contract serves.", NUMBERS)
        .company()
        .answers(
            200,
            "Counts.",
            [
                must("company", Id, ""),
                must("examined", Count, "Leads that were looked at."),
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
        .by(&[Desk, Dealer])
        .company()
        .query([
            may("dealer", Id, "Which; a dealer's token names its own."),
            may("date", Date, "A day of the company's zone; today, if none is named."),
        ])
        .answers(
            200,
            "What its contracts failed first.",
            [
                must("dealer", Id, ""),
                must("date", Date, ""),
                must("complete", Flag, "Whether all decisions of the day were looked at."),
                must("contracts", by_name(by_name(Count)), "Of each contract how often each word."),
                may("examined", Count, "To the desk: decisions that were looked at."),
                may("repeated", Count, "To the desk: those that could be made again."),
            ],
        )
}

fn shadow() -> Route {
    of_desk(Get, "/v1/shadow", "What the rules would have done, beside what the desk did.", NUMBERS)
        .company()
        .query([may("month", Month, "This one, if none is named.")])
        .answers(
            200,
            "Of the leads that were the desk's to place.",
            [
                must("company", Id, ""),
                must("month", Month, ""),
                must("leads", Count, ""),
                must("complete", Flag, ""),
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
        Get,
        "/v1/history",
        "What was decided, on what, and what came of it: what a backtest takes.",
        NUMBERS,
    )
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
    of_desk(Get, "/v1/reports/{name}", "A report for any period, against the one before.", NUMBERS)
        .part(must("name", one_of(&names), "Which."))
        .company()
        .query([
            may("from", Date, "The thirtieth day back, if none is named."),
            may("to", Date, "Included; today, if none is named."),
            may("by", closed!(Dimension), ""),
        ])
        .answers_as(200, "JSON, or CSV where that is accepted.", [(JSON, table), (CSV, Text)])
}
