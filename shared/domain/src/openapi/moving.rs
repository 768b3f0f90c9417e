//! What the desk has of intake: the quarantine, and files that are moved in.

use serde_json::json;

use super::route::{
    Function, Kind, MANAGER, Member, Method, Route, STAFF, at_most, by_name, closed, list, may, must, null,
    object, objects, one_of,
};
use crate::enquiry::Standard;
use crate::error::Code;
use crate::limits;
use crate::screening::{Reason, Verdict};

use Function::Leads;
use Kind::{Any, Count, Flag, Id, Instant, Of, Open, Short, Text, Uuid};
use Method::{Get, Post};

const QUARANTINE: &str = "Quarantine";
const MOVING_IN: &str = "Moving in";

pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![quarantine(), search(), enquiry(), reasons(), verdict()];
    routes.extend(["release", "edit", "reject"].map(verdicts));
    routes.extend(imports());
    routes
}

/// Shapes that several answers have.
pub(super) fn shapes() -> Vec<(&'static str, Kind)> {
    vec![("Quarantined", quarantined()), ("Moved", moved())]
}

fn of_desk(method: Method, path: &'static str, says: &'static str, tag: &'static str) -> Route {
    // Who moves a company in sets it up.
    let role = if tag == MOVING_IN { MANAGER } else { STAFF };
    Route::new(Leads, method, path, says).under(tag).by(&[role])
}

fn filters() -> Vec<Member> {
    vec![
        may(
            "state",
            one_of(&["open", "done"]),
            "What waits for a verdict, or what was decided; open, if none is named.",
        ),
        may("reason", closed!(Reason), ""),
        may("source", Id, ""),
        may("verdict", closed!(Verdict), ""),
        may("after", Text, "The `next` of the page before."),
    ]
}

fn page() -> [Member; 4] {
    [
        must("company", Id, ""),
        must("enquiries", list(Of("Quarantined")), ""),
        must("examined", Count, "How many were looked at."),
        null("next", Text, "What to send as `after`; null on the last page."),
    ]
}

fn quarantine() -> Route {
    of_desk(Get, "/v1/quarantine", "What screening kept aside.", QUARANTINE)
        .tells("What is open stands with the longest waiting first, so that what is overdue leads; what was decided, with the newest first.")
        .company()
        .query(filters())
        .answers(200, "A page.", page())
}

fn search() -> Route {
    let mut members = vec![may("company", Id, "Whose. Needed where the token is of several companies.")];
    members.extend(filters());
    members.push(may("email", Text, "Exactly."));
    members.push(may("phone", Text, "Exactly."));
    of_desk(
        Post,
        "/v1/quarantine/search",
        "The same, and by e-mail or phone: nothing personal stands in a URL.",
        QUARANTINE,
    )
    .takes(members)
    .answers(200, "A page.", page())
    .refuses(&[Code::InvalidField])
}

fn enquiry() -> Route {
    of_desk(Get, "/v1/quarantine/{enquiry}", "One enquiry, whole.", QUARANTINE).answers_as(
        200,
        "The enquiry.",
        [(super::route::JSON, Of("Quarantined"))],
    )
}

fn reasons() -> Route {
    of_desk(
        Get,
        "/v1/quarantine/reasons",
        "How often the desk found each reason right and wrong.",
        QUARANTINE,
    )
    .company()
    .answers(
        200,
        "The most wrong first.",
        [
            must("company", Id, ""),
            must(
                "reasons",
                objects([
                    must("reason", closed!(Reason), ""),
                    must("weight", Count, "As it is now."),
                    must("released", Count, "Verdicts that found it wrong."),
                    must("rejected", Count, "Verdicts that found it right."),
                    must("wrong_percent", Count, ""),
                ]),
                "",
            ),
        ],
    )
}

fn said() -> Vec<Member> {
    let standard = Standard::ALL.iter().filter(|field| !field.is_of_consent());
    let fields = standard.map(|field| Member { null: true, ..may(field.as_str(), Text, "") }).collect();
    vec![
        may("reason", Short(limits::NOTE_CHARS), "Why."),
        may(
            "fields",
            Kind::Object(fields),
            "To edit: standard fields and what they are to say. What was agreed to stays.",
        ),
    ]
}

fn judged() -> Vec<Member> {
    vec![
        may("enquiry", Uuid, ""),
        may("status", one_of(&["released", "rejected"]), ""),
        may("lead", Uuid, "Released: the lead that it became or belongs to."),
        may("became", Text, "Released: received or repeat."),
        may("already", Flag, "It stood so already."),
    ]
}

fn verdict() -> Route {
    of_desk(Post, "/v1/quarantine/{enquiry}/{act}", "The desk's verdict on one enquiry.", QUARANTINE)
        .part(must("act", one_of(&["release", "edit", "reject"]), "`edit` puts fields right and releases."))
        .may_take(said())
        .example(json!({ "reason": "a colleague of theirs called", "fields": { "phone": "305-555-0100" } }))
        .answers(200, "What it is now.", judged())
        .refuses(&[Code::InvalidField, Code::StateConflict])
}

fn verdicts(act: &'static str) -> Route {
    let path = match act {
        "release" => "/v1/quarantine/release",
        "edit" => "/v1/quarantine/edit",
        _ => "/v1/quarantine/reject",
    };
    let mut members = vec![must("enquiries", at_most(limits::ENQUIRIES_PER_VERDICT, Uuid), "Which.")];
    members.extend(said());
    let mut each = vec![must("done", Flag, ""), may("problem", Of("Problem"), "Why not.")];
    each.extend(judged());
    of_desk(Post, path, "The same verdict on many enquiries.", QUARANTINE)
        .takes(members)
        .answers(200, "Each has its own answer.", [must("results", objects(each), "")])
        .refuses(&[Code::InvalidField])
}

fn imports() -> Vec<Route> {
    let dry_run = || may("dry_run", Text, "Only say what would become of each row; any value.");
    let import = |path, says| {
        of_desk(Post, path, says, MOVING_IN)
            .tells("Each row has its own answer; the same request again changes nothing.")
            .company()
            .query([dry_run()])
            .answers_as(200, "What became of each row.", [(super::route::JSON, Of("Moved"))])
    };
    // What is no row refuses itself alone.
    let rows = |row: Kind| {
        let each = Kind::Either(vec![row, Any]);
        [must("rows", at_most(limits::IMPORT_ROWS, each), "1 at least.")]
    };
    let text = |name, says| may(name, Any, says);
    vec![
        import("/v1/import/enquiries", "Enquiries of a file, as if they had been posted.")
            .query([
                must("source", Id, "A source of kind file."),
                may("file_rows", Count, "How many rows the whole file has: its leads wait until it has come in."),
            ])
            .takes(rows(by_name(Any)))
            .bytes(limits::IMPORT_BYTES)
            .example(json!({ "rows": [{ "email": "ada.hill@example.com", "zip": "33101" }] }))
            .refuses(&[Code::SourceClosed]),
        import("/v1/import/history", "Past leads with their dealers and outcomes.")
            .takes(rows(Open(vec![
                text("received_at", "When."),
                text("source", ""),
                text("email", "This or a phone."),
                text("phone", ""),
                text("offer", ""),
                text("dealer", "Its id or name."),
                text("contract", ""),
                text("assigned_at", ""),
                text("price", ""),
                text("outcome", "accepted contacted won lost declined returned expired rejected"),
                text("outcome_at", ""),
                text("won_value", ""),
                text("external_id", ""),
            ])))
            .bytes(limits::IMPORT_BYTES)
            .example(json!({ "rows": [{ "received_at": "2025-11-03", "source": "web", "email": "ada.hill@example.com" }] })),
        import("/v1/import/counts", "What contracts and dealers have had in the periods that run; balances.")
            .takes(rows(object([
                text("contract", "This or a dealer."),
                text("dealer", ""),
                text("hour", ""),
                text("day", ""),
                text("week", ""),
                text("month", ""),
                text("total", ""),
                text("spent_month", ""),
                text("balance", "Of a dealer."),
            ])))
            .bytes(limits::IMPORT_BYTES)
            .example(json!({ "rows": [{ "contract": "hudson-miami", "month": "18" }] })),
        import("/v1/import/suppressed", "Whom the company must not take in.")
            .takes(rows(listed()))
            .bytes(limits::IMPORT_BYTES)
            .example(json!({ "rows": [{ "email": "ada.hill@example.com", "reason": "unsubscribed" }] })),
        import("/v1/import/do_not_call", "Whom the company must not call: phones alone.")
            .takes(rows(listed()))
            .bytes(limits::IMPORT_BYTES)
            .example(json!({ "rows": [{ "phone": "305-555-0142" }] })),
    ]
}

fn listed() -> Kind {
    Open(vec![
        may("email", Any, ""),
        may("phone", Any, ""),
        may("value", Any, "One of both."),
        may("reason", Any, ""),
        may("remove", Any, "Takes it off the list."),
    ])
}

// --- Shapes ---

fn quarantined() -> Kind {
    let pairs = || list(list(Text));
    object([
        must("enquiry", Uuid, ""),
        must("source", Id, ""),
        must("received_at", Instant, ""),
        must("status", Text, "quarantined, rejected, or what it became."),
        must("reasons", list(closed!(Reason)), ""),
        null("lead", Uuid, "The lead that it became."),
        must("fields", pairs(), "As they were received: pairs of name and value."),
        null("raw", Text, "The body, where it could not be read."),
        null("raw_base64", Text, "The same, where it is no UTF-8."),
        null("user_agent", Text, ""),
        may("verdict", closed!(Verdict), ""),
        may("weight", Count, "The reasons' weights, summed."),
        may("until", Instant, "By when the desk decides."),
        may("overdue", Flag, "That is over."),
        may("edited", Kind::Either(vec![pairs(), Any]), "The fields as the desk put them right."),
        may("judged", Any, "When and by whom it was decided, and what was said."),
    ])
}

fn moved() -> Kind {
    let row = object([
        must("row", Count, "From 0."),
        must("status", one_of(&["imported", "already", "refused"]), ""),
        may("lead", Uuid, ""),
        may(
            "as",
            one_of(&["lead", "cycle", "repeat", "late", "received", "quarantined", "test"]),
            "What it is.",
        ),
        may("since", Instant, "Of a repeat: since when the person is known."),
        may("reasons", list(Text), "Why it is quarantined."),
        may("would_go_to", list(Id), "In a dry run, or of a test: the contracts that would have it."),
        may("would_wait", Text, "The same: why it would wait."),
        may("rejected", list(Uuid), "Leads of a suppressed person that nobody held."),
        may("reopened", list(Uuid), "Leads that are open again."),
        may("errors", list(Of("FieldError")), "Why it is refused."),
        may("notes", list(Of("FieldError")), "What could not be understood, and is kept as it came."),
    ]);
    object([
        must("company", Id, ""),
        must("dry_run", Flag, ""),
        must("imported", Count, ""),
        must("already", Count, "There before: the same request again changes nothing."),
        must("refused", Count, ""),
        must("rows", list(row), ""),
    ])
}
