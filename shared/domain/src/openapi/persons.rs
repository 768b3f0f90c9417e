//! Persons: what is held of them, their erasure and its ledger, and who wants to be left alone.

use serde_json::json;

use super::desk::of_desk;
use super::route::{
    Function, JSON, Kind, MANAGER, Member, Method, Route, STAFF, Who, at_most, closed, list, may, must, null,
    object, objects, one_of,
};
use crate::delivery::OptedOutOf;
use crate::erasure::ErasureReason;
use crate::error::Code;
use crate::lead::AssignmentState;
use crate::limits;

use Function::Console;
use Kind::{Any, Count, Flag, Id, Instant, Of, Text, Uuid};
use Method::{Get, Post};
use Who::Link;

const PERSONS: &str = "Persons";

pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![erase_lead(), erase_leads(), export(), erase_person(), opt_out()];
    routes.extend(unsubscribe());
    routes.extend([ledger(), reapply()]);
    routes
}

/// Shapes that several answers have.
pub(super) fn shapes() -> Vec<(&'static str, Kind)> {
    vec![("Erasing", erasing()), ("Erasure", erasure()), ("Gone", gone())]
}

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
    let route = of_desk(STAFF, Post, "/v1/leads/{lead}/erase", "Erases the person of a lead.", PERSONS);
    erased(route.takes(how_to_erase()).example(json!({ "reason": "requested", "dry_run": true })))
}

fn erase_leads() -> Route {
    let mut each =
        vec![must("lead", Uuid, "Which."), must("done", Flag, ""), may("problem", Of("Problem"), "Why not.")];
    let told = erasing_members().into_iter().map(|member| Member { always: false, ..member });
    each.extend(told);
    of_desk(STAFF, Post, "/v1/leads/erase", "Erases the persons of these leads.", PERSONS)
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
    let route =
        of_desk(STAFF, Post, "/v1/persons/erase", "Erases a person, also where no lead is theirs.", PERSONS);
    let members = whom().into_iter().chain(how_to_erase());
    erased(
        route
            .company()
            .takes(members)
            .example(json!({ "email": "ada.hill@example.com", "reason": "requested" })),
    )
}

fn export() -> Route {
    of_desk(STAFF, Post, "/v1/persons/export", "All that is held of a person.", PERSONS)
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
    of_desk(STAFF, Post, "/v1/persons/opt_out", "A person wants no mail, or to be left alone.", PERSONS)
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
        STAFF,
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
    of_desk(
        MANAGER,
        Post,
        "/v1/erasures/reapply",
        "Applies lines of the ledger to a restored table.",
        PERSONS,
    )
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

// --- Shapes ---

/// What an erasure is told with.
fn erasing_members() -> Vec<Member> {
    vec![
        must("already", Flag, "They were erased before: only `erased_at` and `leads` are told."),
        may("dry_run", Flag, ""),
        may("reason", Text, ""),
        may("suppress", Flag, "Whether they are kept out from now on."),
        must("leads", list(Uuid), "What is theirs."),
        may("enquiries", Count, ""),
        may("aside", list(Uuid), "Enquiries that have no lead."),
        may("visits", Count, ""),
        may(
            "seats",
            objects([
                must("assignment", Uuid, ""),
                must("lead", Uuid, ""),
                must("dealer", Id, ""),
                must("state", closed!(AssignmentState), ""),
                must("becomes", closed!(AssignmentState), ""),
                must("to_be_told", Flag, "Whether its dealer is told."),
            ]),
            "Who has or had them.",
        ),
        may("tell_by_hand", list(Any), "Whom no channel can tell."),
        may("others", list(Any), "Leads that share an e-mail or phone with them, and stay."),
        may("erased_at", Instant, ""),
        may("erasure", Uuid, "Its line in the ledger."),
        may("at", Instant, ""),
        may(
            "state",
            one_of(&["under_way", "erased", "done"]),
            "`erased` is looked at once more within the hour.",
        ),
        may("gone", Of("Gone"), ""),
    ]
}

fn erasing() -> Kind {
    Kind::Object(erasing_members())
}

fn gone() -> Kind {
    let count = |name| must(name, Count, "");
    object([count("leads"), count("enquiries"), count("visits"), count("items")])
}

fn erasure() -> Kind {
    let hashes = |name| must(name, list(Text), "Keyed hashes.");
    object([
        must("id", Uuid, ""),
        must("company", Id, ""),
        must("at", Instant, ""),
        must("by", Text, ""),
        must("reason", Text, ""),
        hashes("people"),
        hashes("shared"),
        hashes("surnames"),
        must("leads", list(Uuid), ""),
        must("enquiries", list(Uuid), ""),
        null("over_by", Instant, ""),
        must("suppress", Flag, ""),
        must("tell", Flag, ""),
        must("state", one_of(&["under_way", "erased", "done"]), ""),
        must("gone", Of("Gone"), ""),
    ])
}
