//! Dealers: how they are reached, what they give in confidence, what they owe; their own inbox.

use serde_json::json;

use super::route::{
    CSV, Function, HTML, JSON, Kind, MANAGER, Method, READER, Route, STAFF, Who, at_most, closed, list, may,
    must, null, object, objects, one_of,
};
use super::shapes;
use crate::assignment::ReturnState;
use crate::contract::ReturnApproval;
use crate::error::Code;
use crate::lead::Answer;
use crate::ledger::LineKind;
use crate::limits;

use Function::Console;
use Kind::{Any, Count, Flag, Id, Instant, Money, Month, Of, Short, Text, Uuid};
use Method::{Delete, Get, Post, Put};
use Who::{Dealer, Link};

const INBOX: &str = "A dealer's inbox";
const RETURNS: &str = "Returns";
const MONEY: &str = "What dealers owe";
const CHANNELS: &str = "Reaching dealers";

pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![inbox(), seat(), answer(), ask_return()];
    routes.extend(link());
    routes.extend([
        returns(),
        verdict(),
        statement(),
        deposit(),
        reverse(),
        channels(),
        enable(),
        try_channel(),
    ]);
    routes.extend([
        tried(),
        secret("/v1/dealers/{dealer}/secret"),
        secret("/v1/dealers/{dealer}/secret/rotate"),
    ]);
    routes.extend(given());
    routes
}

/// Shapes that several answers have.
pub(super) fn shapes() -> Vec<(&'static str, Kind)> {
    vec![("Return", returned())]
}

fn new(method: Method, path: &'static str, says: &'static str, tag: &'static str, who: &[Who]) -> Route {
    Route::new(Console, method, path, says).under(tag).by(who)
}

fn inbox() -> Route {
    new(Get, "/v1/inbox", "A dealer's own leads, the newest first.", INBOX, &[Dealer])
        .query([
            may("state", one_of(&["open", "shut"]), "`shut` for those that are over."),
            may("after", Uuid, "The `next` of the page before."),
        ])
        .answers(
            200,
            "At most 50.",
            [
                must("assignments", list(shapes::own_assignment()), ""),
                null("next", Uuid, "What to send as `after`; null on the last page."),
            ],
        )
}

fn seat() -> Route {
    let may_return = object([
        must("until", Instant, "Until when."),
        must("reasons", list(Text), "One of these."),
        null("quota_percent", Count, "Of a month's leads, at most so many in a hundred."),
        must("decides", closed!(ReturnApproval), "`trusted`: nobody need."),
        null("refused", Text, "Why it may not, though its time is not over: the month's quota is used."),
    ]);
    let mut members = shapes::own_members();
    members.extend([
        must("may_answer", list(closed!(Answer)), "What may be answered now."),
        null("may_return", may_return, "How it may be returned; null where it may not."),
    ]);
    new(Get, "/v1/inbox/{assignment}", "One of a dealer's own leads.", INBOX, &[Dealer]).answers(
        200,
        "As in the list, with what may be said of it.",
        members,
    )
}

fn answer() -> Route {
    new(Post, "/v1/inbox/{assignment}/{act}", "What a dealer says of a lead.", INBOX, &[Dealer])
        .tells("The same answer twice is one answer. A second `won` with another value corrects the first.")
        .part(must("act", closed!(Answer), "What."))
        .may_take([may("value", Money, "won: the dealer's revenue.")])
        .example(json!({ "value": "1200.00" }))
        .answers_as(200, "The assignment as it stands.", [(JSON, shapes::own_assignment())])
        .refuses(&[Code::InvalidField, Code::StateConflict])
}

fn ask_return() -> Route {
    new(Post, "/v1/inbox/{assignment}/return", "Asks to give a lead back.", INBOX, &[Dealer])
        .takes([
            must("reason", Text, "One of the contract's."),
            may("note", Short(limits::NOTE_CHARS), "In the dealer's words."),
        ])
        .example(json!({ "reason": "wrong-number", "note": "Nobody of that name." }))
        .answers_as(
            200,
            "The assignment; where the contract trusts the dealer, the return is approved.",
            [(JSON, Of("Assignment"))],
        )
        .refuses(&[Code::InvalidField, Code::StateConflict])
}

fn link() -> [Route; 2] {
    let path = "/answer/{token}";
    let page = |route: Route| route.problems_as([(HTML, Text)]).refuses(&[Code::StateConflict]);
    [
        page(new(Get, path, "The page of a letter's link to accept or decline.", INBOX, &[Link]))
            .shows(200, "Where the lead stands, and a button."),
        page(new(Post, path, "Accepts or declines.", INBOX, &[Link]))
            .empty(303, "Done: on to the page.")
            .shows(410, "The link is too old."),
    ]
}

fn returns() -> Route {
    new(Get, "/v1/returns", "What dealers ask to give back.", RETURNS, &[READER])
        .company()
        .query([
            may("state", one_of(&["open", "done"]), "`done` for those that are decided."),
            may("after", Uuid, "The `next` of the page before."),
        ])
        .answers(
            200,
            "At most 200.",
            [
                must("returns", list(Of("Return")), ""),
                null("next", Uuid, "What to send as `after`; null on the last page."),
            ],
        )
}

fn verdict() -> Route {
    new(Post, "/v1/returns/{id}/{verdict}", "Decides a return.", RETURNS, &[STAFF])
        .part(must("id", Uuid, "Which: its assignment."))
        .part(must(
            "verdict",
            one_of(&["approve", "deny", "claim"]),
            "`approve` credits it and lets the lead go on; `claim`, of one that is approved, claims what the lead cost back \
             from its source.",
        ))
        .company()
        .may_take([
            may("reason", Short(limits::NOTE_CHARS), "Why; needed to deny. The dealer is told."),
            may("claim", Flag, "Claim what the lead cost back from its source."),
        ])
        .example(json!({ "reason": "the number is dead" }))
        .answers_as(200, "The return as it stands.", [(JSON, Of("Return"))])
        .refuses(&[Code::StateConflict])
}

fn statement() -> Route {
    let line = object([
        must("at", Instant, ""),
        must("kind", closed!(LineKind), ""),
        must("amount", Money, ""),
        null("lead", Uuid, ""),
        null("assignment", Uuid, ""),
        null("contract", Id, ""),
        null("reason", Text, ""),
    ]);
    let whole = object([
        must("company", Id, ""),
        must("dealer", Id, ""),
        must("billed_by", Text, "The company's name."),
        must("month", Month, ""),
        must("from", Instant, ""),
        must("to", Instant, "Before this."),
        must("currency", Text, ""),
        must("charged", Count, "How many charges."),
        must("credited", Count, "How many credits."),
        must("charges", Money, ""),
        must("credits", Money, ""),
        must("owed", Money, "Charges less credits."),
        must("deposits", Money, "What was paid in advance in the month."),
        must("balance", Money, "What is left of it now."),
        must("lines", at_most(limits::STATEMENT_LINES, line), "A page; the sums are of all."),
        null("next", Text, "What to send as `after`; null on the last page."),
    ]);
    new(Get, "/v1/dealers/{dealer}/statement", "What a dealer owes for a month.", MONEY, &[READER, Dealer])
        .tells("A table that is not the last of its month says in the header `Link` where the next is.")
        .company()
        .query([
            may("month", Month, "This one, if none is named."),
            may("after", Text, "The `next` of the page before."),
        ])
        .answers_as(200, "JSON, or CSV where that is accepted.", [(JSON, whole), (CSV, Text)])
}

fn deposit() -> Route {
    new(Post, "/v1/dealers/{dealer}/deposits", "Books what a dealer pays in advance.", MONEY, &[MANAGER])
        .company()
        .takes([
            must("amount", Money, "Above 0."),
            must(
                "reference",
                Short(limits::REFERENCE_BYTES),
                "Letters, digits, '-', '_' or '.'; booked once for each.",
            ),
        ])
        .example(json!({ "amount": "500.00", "reference": "wire-2231" }))
        .answers(
            200,
            "Booked, now or before.",
            [
                must("dealer", Id, ""),
                must("amount", Money, ""),
                must("reference", Text, ""),
                must("booked", Flag, "False where it was booked before."),
            ],
        )
}

fn reverse() -> Route {
    let path = "/v1/dealers/{dealer}/deposits/{reference}/reverse";
    new(Post, path, "Takes a deposit back, once, whole or in part.", MONEY, &[MANAGER])
        .part(must("reference", Short(limits::REFERENCE_BYTES), "The deposit's."))
        .company()
        .takes([
            may("amount", Money, "All of it, if none is named."),
            must("reason", Short(limits::NOTE_CHARS), "Why."),
        ])
        .example(json!({ "reason": "the wire was recalled" }))
        .answers(
            200,
            "Taken back, now or before.",
            [
                must("dealer", Id, ""),
                must("reference", Text, ""),
                must("deposited", Money, ""),
                must("amount", Money, ""),
                must("reversed", Flag, "False where it was taken back before."),
            ],
        )
        .refuses(&[Code::StateConflict])
}

fn channel() -> Kind {
    object([
        must("channel", Count, "Its order."),
        must("breaker", Any, "Whether it is left alone for a while, and until when."),
        null("disabled", Any, "Since when and why it takes nothing any more."),
        must("bounces", Count, "Mails that came back in a row."),
    ])
}

fn channels() -> Route {
    new(Get, "/v1/dealers/{dealer}/channels", "How a dealer's channels fare.", CHANNELS, &[READER, Dealer])
        .company()
        .answers(200, "Those that something is known of.", [must("channels", list(channel()), "")])
}

fn enable() -> Route {
    let path = "/v1/dealers/{dealer}/channels/{order}/enable";
    new(Post, path, "A channel that was gone takes leads again.", CHANNELS, &[STAFF]).company().answers_as(
        200,
        "The channel.",
        [(JSON, channel())],
    )
}

fn attempt(route: Route) -> Route {
    let told = || {
        object([
            must("test", Uuid, ""),
            must("dealer", Id, ""),
            must("channel", Count, ""),
            must("at", Instant, ""),
            null("attempt", Of("Attempt"), "How it went."),
        ])
    };
    route.answers_as(200, "It was tried.", [(JSON, told())]).answers_as(
        202,
        "Not yet: ask again for the same test.",
        [(JSON, told())],
    )
}

fn try_channel() -> Route {
    let path = "/v1/dealers/{dealer}/channels/{order}/test";
    attempt(
        new(Post, path, "Sends a made-up lead by one channel; nothing of it counts.", CHANNELS, &[STAFF])
            .company(),
    )
}

fn tried() -> Route {
    let path = "/v1/dealers/{dealer}/channels/{order}/test/{test}";
    attempt(new(Get, path, "How a test went.", CHANNELS, &[READER]).company())
}

fn secret(path: &'static str) -> Route {
    let says = if path.ends_with("rotate") {
        "A new webhook secret; the one before stands beside it for three days."
    } else {
        "The secret that a dealer's webhooks are verified with: shown once."
    };
    new(Post, path, says, CHANNELS, &[MANAGER, Dealer])
        .company()
        .answers(
            200,
            "The secret.",
            [
                must("dealer", Id, ""),
                must("generation", Count, ""),
                must("secret", Text, "`whsec_…`"),
                null("previous_until", Instant, "Until when the one before stands."),
            ],
        )
        .refuses(&[Code::StateConflict])
}

fn given() -> [Route; 3] {
    let named = "/v1/dealers/{dealer}/secrets/{name}";
    let name = || must("name", Short(limits::SECRET_NAME_BYTES), "As templates call it: `{secret.NAME}`.");
    let told = || [must("dealer", Id, ""), must("secret", Text, "Its name."), null("set_at", Instant, "")];
    [
        new(
            Get,
            "/v1/dealers/{dealer}/secrets",
            "What a dealer gave in confidence, by name.",
            CHANNELS,
            &[MANAGER, Dealer],
        )
        .company()
        .answers(
            200,
            "Written, never read.",
            [
                must("dealer", Id, ""),
                must(
                    "secrets",
                    objects([must("name", Text, ""), must("set_at", Instant, ""), must("by", Text, "")]),
                    "",
                ),
            ],
        ),
        new(Put, named, "Sets a secret that a dealer gives.", CHANNELS, &[MANAGER, Dealer])
            .part(name())
            .company()
            .takes([must("secret", Short(limits::SECRET_BYTES), "")])
            .example(json!({ "secret": "…" }))
            .answers(200, "It stands at once.", told())
            .refuses(&[Code::StateConflict]),
        new(Delete, named, "Takes it away.", CHANNELS, &[MANAGER, Dealer]).part(name()).company().answers(
            200,
            "It is gone.",
            told(),
        ),
    ]
}

// --- Shapes ---

fn returned() -> Kind {
    object([
        must("return", Uuid, "Which: its assignment."),
        must("lead", Uuid, ""),
        must("assignment", Uuid, ""),
        must("dealer", Id, ""),
        must("contract", Id, ""),
        must("price", Money, ""),
        must("month", Month, "Against whose quota it counts."),
        must("source", Id, ""),
        must("reason", Text, ""),
        must("at", Instant, ""),
        must("state", closed!(ReturnState), ""),
        null("claim", Money, "What is claimed back from the source."),
    ])
}
