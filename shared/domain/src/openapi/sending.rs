//! What senders of leads call: pages, servers, ad platforms; and what interactions are sent with.

use serde_json::json;

use super::route::{
    Function, HTML, JSON, Kind, Member, Method, Route, Who, at_most, closed, list, may, must, object, one_of,
};
use crate::enquiry::{Standard, Tag};
use crate::error::Code;
use crate::limits;

use Function::{Interactions, Leads};
use Kind::{Any, Flag, Id, Instant, Of, Open, Short, Text, Uuid};
use Method::{Get, Options, Post};
use Who::{Anyone, PageKey, Platform, SourceSecret};

const LEADS: &str = "Sending leads";
const INTERACTIONS: &str = "Sending interactions";

pub(super) fn routes() -> Vec<Route> {
    vec![
        lead(),
        preflight(Leads, "/v1/leads/{key}", LEADS),
        google(),
        subscription(),
        notice(),
        instructions(),
        trial(),
        form_token(),
        preflight(Leads, "/v1/leads/{key}/form_token", LEADS),
        interactions(),
        preflight(Interactions, "/v1/interactions/{key}", INTERACTIONS),
        visitor(),
        preflight(Interactions, "/v1/interactions/{key}/visitor", INTERACTIONS),
        snippet(),
        gpc(),
    ]
}

/// What a body may be.
const BODIES: [&str; 8] = [
    JSON,
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "application/x-adf+xml",
    "application/adf+xml",
    "application/xml",
    "text/xml",
];

fn fields() -> Kind {
    let standard = Standard::ALL.iter().map(|field| may(field.as_str(), Any, field.rule()));
    let tags = Tag::ALL.iter().map(|tag| may(tag.as_str(), Any, "Attribution."));
    Open(standard.chain(tags).collect())
}

fn told() -> Vec<Member> {
    vec![
        may("enquiry", Uuid, "The enquiry's id; of several in one body it stands with each."),
        must(
            "status",
            one_of(&["received", "repeat", "quarantined", "spilled"]),
            "A page is told received or spilled alone.",
        ),
        may("lead", Uuid, "With the secret: the lead."),
        may("since", Instant, "A repeat: the last enquiry before."),
        may("reasons", list(closed!(crate::screening::Reason)), "Quarantined: why."),
        may("test", Flag, "A test lead."),
        may("would_go_to", list(Id), "A test: the contracts that would have it."),
        may("would_wait", Text, "A test: why it would wait."),
        may("visitor", Text, "The browser's visitor token, for interactions."),
        may("enquiries", list(Any), "Of an ADF document with several prospects: what each was answered."),
    ]
}

fn lead() -> Route {
    let page = || [(JSON, object(told())), (HTML, Text)];
    Route::new(Leads, Post, "/v1/leads/{key}", "Sends a lead.")
        .under(LEADS)
        .by(&[PageKey, SourceSecret])
        .tells(
            "Names of fields are free: standard names are understood, the source's map adds its own, and the rest is kept. \
             A page is told 201 whatever becomes of the enquiry; a server learns what did. What cannot be understood is \
             kept all the same. The form of a page that accepts text/html is answered with a page, or led to the source's.",
        )
        .header(may(
            "Idempotency-Key",
            Short(limits::IDEMPOTENCY_KEY_BYTES),
            "The same request again gets the first answer, with `Idempotent-Replay: true`.",
        ))
        .header(may("Sec-GPC", one_of(&["1"]), "The person asks not to be tracked."))
        .takes_as(&BODIES, fields())
        .example(json!({
            "first_name": "Ada", "last_name": "Hill", "email": "ada.hill@example.com", "phone": "305-555-0142",
            "zip": "33101", "message": "The roof leaks over the porch.",
        }))
        .answers_as(200, "Somebody known asked again.", page())
        .answers_as(201, "Received: we have it and keep it.", page())
        .answers_as(202, "Quarantined until a person has looked, or kept by the queue alone and taken in later.", page())
        .empty(303, "A plain form: on to the source's thank-you or error page.")
        .refuses(&[
            Code::UnsupportedMediaType,
            Code::InvalidField,
            Code::UnreachablePerson,
            Code::OriginRefused,
            Code::SourceClosed,
            Code::CapReached,
            Code::IdempotencyMismatch,
            Code::StateConflict,
        ])
        .problems_as([(super::route::PROBLEM, Of("Problem")), (HTML, Text)])
}

fn preflight(function: Function, path: &'static str, tag: &'static str) -> Route {
    Route::new(function, Options, path, "What a browser may send from another origin.")
        .under(tag)
        .by(&[PageKey])
        .empty(204, "It may.")
        .refuses(&[Code::OriginRefused])
        .alone()
}

fn google() -> Route {
    let refused = object([must("message", Text, "What was wrong.")]);
    Route::new(Leads, Post, "/v1/leads/{key}/google", "Google Ads sends what its lead form took.")
        .under(LEADS)
        .by(&[Platform])
        .takes_as(
            &[JSON],
            Open(vec![
                must("google_key", Text, "What Google was given."),
                must("lead_id", Text, "The same lead has the same, however often it is sent."),
                may("is_test", Any, "Somebody pressed \"Send test data\"."),
                may("user_column_data", list(Any), "The columns."),
            ]),
        )
        .answers(200, "It is kept.", [])
        .refuses(&[Code::OriginRefused, Code::SourceClosed, Code::UnreachablePerson, Code::StateConflict])
        .problems_as([(JSON, refused)])
}

fn subscription() -> Route {
    Route::new(Leads, Get, "/v1/leads/{key}/meta", "Meta asks whether we are who the operator says.")
        .under(LEADS)
        .by(&[Platform])
        .query([
            may("hub.mode", one_of(&["subscribe"]), ""),
            may("hub.verify_token", Text, "The source's `meta_verify_token`."),
            may("hub.challenge", Short(128), "Letters and digits."),
        ])
        .answers_as(200, "The challenge.", [("text/plain", Text)])
        .refuses(&[Code::OriginRefused, Code::Forbidden])
        .alone()
}

fn notice() -> Route {
    Route::new(Leads, Post, "/v1/leads/{key}/meta", "Meta tells of leads; each is fetched after.")
        .under(LEADS)
        .by(&[Platform])
        .header(must(
            "X-Hub-Signature-256",
            Text,
            "Over the body, by the secret of the source's app, or of the installation's where it gave none.",
        ))
        .takes_as(
            &[JSON],
            Open(vec![may("object", Text, "`page`."), may("entry", list(Any), "What happened.")]),
        )
        .bytes(limits::NOTICES_BYTES)
        .empty(200, "Kept, and on its way.")
        .refuses(&[Code::OriginRefused, Code::InvalidField])
}

fn instructions() -> Route {
    let told = object([
        must("company", Text, "Its name."),
        must("source", Id, ""),
        must("url", Text, "Where to post."),
        must("formats", list(Text), "Media types."),
        must("example", list(list(Text)), "Pairs of name and value."),
        must("curl", Text, ""),
        must("html", Text, ""),
        must("javascript", Text, ""),
        must("fields", list(object([must("name", Text, ""), must("rule", Text, "")])), "Standard fields."),
        must("attribution", list(Text), "Names of attribution."),
        must("attribution_bytes", Kind::Count, "How long each may be."),
        must("own", list(list(Text)), "The source's names, and ours."),
        must("values", list(Any), "What the source's words mean."),
        super::route::null("offer", Id, "The one that all its leads are about."),
        must("offers", list(list(Text)), "Words for offers, and what they are."),
        must("limits", list(Text), ""),
        must("answers", list(Any), "Every answer, with its status."),
        must("errors", list(Any), "Every problem."),
    ]);
    Route::new(Leads, Get, "/v1/leads/{key}/instructions", "Posting instructions of a source.")
        .under(LEADS)
        .by(&[PageKey])
        .answers_as(200, "A page; JSON where that is accepted.", [(HTML, Text), (JSON, told)])
        .refuses(&[Code::NotFound])
}

fn trial() -> Route {
    Route::new(
        Leads,
        Post,
        "/v1/leads/{key}/instructions",
        "Sends a test lead from the posting instructions.",
    )
    .under(LEADS)
    .by(&[PageKey])
    .takes_as(&BODIES, fields())
    .shows(201, "How it was read.")
    .refuses(&[Code::UnsupportedMediaType, Code::UnreachablePerson, Code::SourceClosed, Code::CapReached])
    .problems_as([(super::route::PROBLEM, Of("Problem")), (HTML, Text)])
}

fn form_token() -> Route {
    Route::new(Leads, Get, "/v1/leads/{key}/form_token", "A token for a form that is opened now.")
        .under(LEADS)
        .by(&[PageKey, SourceSecret])
        .answers(200, "Sent along as `form_token`; never cached.", [must("form_token", Text, "")])
        .refuses(&[Code::OriginRefused])
        .alone()
}

fn interactions() -> Route {
    let one = || {
        object([
            must("id", Short(limits::INTERACTION_ID_BYTES), "The same on a retry."),
            must("kind", Short(limits::INTERACTION_KIND_BYTES), "What the lead did."),
            must("at", Instant, "When: at most 400 days back and 24 hours ahead."),
            may("offer", Id, "For which offer; that of the latest open lead, if none."),
            may("visitor", Text, "Who: a visitor token. A page names nobody else."),
            may("lead", Uuid, "Who, by a server."),
            may("email", Text, "Who, by a server."),
            may("phone", Text, "Who, by a server."),
            may("message", Short(limits::MESSAGE_ID_BYTES), "The message that brought it about."),
            may("sent_at", Instant, "When that was sent."),
            may("link", Short(limits::LINK_BYTES), "Which of its links this was."),
            may("links", Kind::Count, "How many links it has, 1 to 100."),
            may("user_agent", Text, "What did it, as it named itself to the server."),
        ])
    };
    Route::new(Interactions, Post, "/v1/interactions/{key}", "Reports what leads or visitors did.")
        .under(INTERACTIONS)
        .by(&[PageKey, SourceSecret])
        .header(may("Sec-GPC", one_of(&["1"]), "The person asks not to be tracked: nothing is kept."))
        .takes_as(&[JSON, "text/plain"], Kind::Either(vec![one(), at_most(limits::INTERACTIONS_PER_POST, one())]))
        .example(json!([{ "id": "m-17", "kind": "click", "at": "2026-06-01T16:00:00Z", "email": "ada.hill@example.com" }]))
        .answers(
            202,
            "Received.",
            [
                must("status", one_of(&["received", "not_kept"]), ""),
                may("reason", one_of(&["gpc"]), "Why it is not kept."),
            ],
        )
        .refuses(&[Code::OriginRefused, Code::InvalidField])
}

fn visitor() -> Route {
    Route::new(Interactions, Get, "/v1/interactions/{key}/visitor", "A visitor whom nobody knows yet.")
        .under(INTERACTIONS)
        .by(&[PageKey, SourceSecret])
        .header(may("Sec-GPC", one_of(&["1"]), "The person asks not to be tracked."))
        .answers(200, "The token that interactions name.", [must("visitor", Text, "")])
        .empty(204, "Under Global Privacy Control there is none.")
        .refuses(&[Code::OriginRefused])
        .alone()
}

fn snippet() -> Route {
    Route::new(Leads, Get, "/leadyard.js", "The script that a page sends all of it with.")
        .under(LEADS)
        .by(&[Anyone])
        .answers_as(200, "The script.", [("text/javascript", Text)])
        .empty(304, "As it was.")
        .alone()
}

fn gpc() -> Route {
    Route::new(Leads, Get, "/.well-known/gpc.json", "That Global Privacy Control is honoured.")
        .under(LEADS)
        .by(&[Anyone])
        .answers(200, "It is.", [must("gpc", Flag, ""), must("lastUpdate", Kind::Date, "")])
        .alone()
}
