//! Leads, as the desk has them.

use serde_json::json;

use super::route::{
    CSV, Function, JSON, Kind, Member, Method, READER, Route, STAFF, Who, at_most, closed, list, may, must,
    null, object, objects, one_of,
};
use super::shapes::may_be_called;
use crate::distribution::Rule;
use crate::error::Code;
use crate::followup::{CallResult, Ended, Plan, Reason, Rests};
use crate::lead::Stage;
use crate::limits;
use crate::scoring::Priority;

use Function::Console;
use Kind::{Count, Flag, Id, Instant, Of, Short, Text, Uuid};
use Method::{Get, Post};

const LEADS: &str = "Leads";

pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![search(), export(), story(), recommendation(), decision(), act()];
    routes.extend(ACTS.map(acts));
    routes.extend([judge(), follow_ups()]);
    routes
}

/// A route of the console that the desk calls: whoever has this role at least.
pub(super) fn of_desk(
    role: Who,
    method: Method,
    path: &'static str,
    says: &'static str,
    tag: &'static str,
) -> Route {
    Route::new(Console, method, path, says).under(tag).by(&[role])
}

fn search() -> Route {
    let exactly =
        [may("lead", Uuid, "Exactly."), may("email", Text, "Exactly."), may("phone", Text, "Exactly.")];
    of_desk(READER, Post, "/v1/leads/search", "Finds leads.", LEADS)
        .tells("Exactly one of `lead`, `email`, `phone`, `hottest`, `stage`, `dealer`, `source`, `lapsing` and `day`; the last six are lists in an order of their own, of which three have another as well.")
        .takes(exactly.into_iter().chain(list_of_leads("50, if none is named; 100 at most.")))
        .example(json!({ "stage": "waiting", "only": { "offer": "roof" } }))
        .answers(
            200,
            "A page. An empty one is not the last while it has a `next`.",
            [
                must("leads", list(Of("ListedLead")), ""),
                must("examined", Count, "How many were looked at."),
                null("next", Text, "What to send as `after`; null on the last page."),
                must("more", Flag, "Of the hottest, and of a list in another order than its own: whether more stand behind those that could be looked at or shown, to which no `next` leads. By its own order a list has all."),
            ],
        )
        .refuses(&[Code::InvalidField])
}

/// A list of leads, as it is asked for.
fn list_of_leads(limit: &'static str) -> Vec<Member> {
    vec![
        may("company", Id, "Whose. Needed where the token is of several companies."),
        may(
            "hottest",
            Flag,
            "Open leads by their score of now: `only` filters the hottest hundred in nobody's hands and the hottest hundred that dealers have, and of a source its newest. One page.",
        ),
        may("stage", closed!(Stage), "By score, then the newest."),
        may("dealer", Id, "Those of a dealer, the newest first."),
        may("shut", Flag, "Of a dealer's: those that are over."),
        may("source", Id, "The leads that count as a source's, who asked last first."),
        may("lapsing", Flag, "Those whose offer lapses within two hours, the next first."),
        may(
            "day",
            Text,
            "Those behind a number of a day: `leads:2026-06-01`, or `leads` of today. The numbers are enquiries, leads, given, reached, reached_at_once (within five minutes), reached_within_hour and won.",
        ),
        may(
            "order",
            one_of(&["time", "score"]),
            "Of a stage by `time`, whose sale cycle began last first, of as many as stand in its thousands of highest scores. Of a dealer by `score`, of the three hundred that it was given last; of a source by `score`, of the hottest and its hundred and fifty newest: one page. Else the list's own.",
        ),
        may(
            "only",
            object([
                may("offer", Id, ""),
                may("source", Id, ""),
                may("held", Flag, "In somebody's hands, or in nobody's."),
                may("state", Text, "Of the US."),
                may("points", Count, "At least so many as of now."),
                may("waits", super::shapes::waiting(), "Those that wait for this."),
                may("unreached", Flag, "Those that a dealer has, and none has reached."),
            ]),
            "Filters within the list.",
        ),
        may("limit", Count, limit),
        may("after", Text, "The `next` of the page before."),
    ]
}

/// The header of an answer that has a part of a list: what to send as `after` for the next part. It is missing with the last.
pub const NEXT: &str = "leadyard-next";
/// The header of an answer behind which others stand to whom no [`NEXT`] leads: it is `true`, or missing.
pub const MORE: &str = "leadyard-more";

fn export() -> Route {
    of_desk(READER, Post, "/v1/leads/export", "A list of leads as a table.", LEADS)
        .tells("Each lead once in an answer, in the order of the list; the header `leadyard-next` has what to send as `list.after` for the leads behind them, and is missing with the last. Of a list that is a look at the top, as the hottest are, `leadyard-more` is `true` where others stand behind. That it was asked for is kept among the company's changes.")
        .takes([
            must("list", object(list_of_leads("Leads of one answer: 20,000 at most, or what 5 MB hold or 20 seconds find.")), "Exactly one of `hottest`, `stage`, `dealer`, `source`, `lapsing` and `day`, as for a search."),
            may("who", Flag, "With who they are, which needs the role desk."),
        ])
        .example(json!({ "list": { "stage": "won", "only": { "state": "FL" } } }))
        .answers_as(200, "A row for each lead.", [(CSV, Text)])
        .refuses(&[Code::InvalidField, Code::Forbidden])
}

fn story() -> Route {
    of_desk(READER, Get, "/v1/leads/{lead}", "The whole story of a lead.", LEADS).answers_as(
        200,
        "The lead; those that it goes on for are told with it.",
        [(JSON, Of("Story"))],
    )
}

fn recommendation() -> Route {
    of_desk(READER, Get, "/v1/leads/{lead}/recommendation", "Where the lead would go now, and why.", LEADS)
        .tells("Nothing is written, and no counter moves.")
        .answers_as(200, "What a decision would conclude.", [(JSON, Of("Explained"))])
        .refuses(&[Code::StateConflict])
}

fn decision() -> Route {
    of_desk(
        READER,
        Get,
        "/v1/leads/{lead}/decisions/{decision}",
        "A recorded decision, made again from its record.",
        LEADS,
    )
    .answers_as(200, "The part of every candidate.", [(JSON, Of("Explained"))])
}

/// What the desk can do to a lead, and to many: `POST /v1/leads/{act}`, which intake leaves to the console.
pub const ACTS: [&str; 14] = [
    "place",
    "take_back",
    "hold",
    "resume",
    "reject",
    "reopen",
    "merge",
    "priority",
    "note",
    "redeliver",
    "follow_up",
    "claim",
    "unclaim",
    "call",
];

fn asked() -> Vec<Member> {
    vec![
        may("contract", Id, "place: with whom."),
        may("recommended", Flag, "place: with whom the rules recommend, in place of a contract."),
        may(
            "override",
            Flag,
            "place: although the contract fails rules: all that it fails now, or those of `over_only`. It needs a reason.",
        ),
        may(
            "over_only",
            list(closed!(Rule)),
            "place: the rules that `override` passes over, and no other. Where one more fails by now, it is refused.",
        ),
        may("assignment", Uuid, "take_back, redeliver: which seat."),
        may("hold", Flag, "take_back: keep it afterwards."),
        may("until", Instant, "hold: until then."),
        may("into", Uuid, "merge: the lead that goes on for both."),
        may("priority", closed!(Priority), "priority: the score's own, if none is named."),
        may("text", Short(limits::NOTE_CHARS), "note: its text."),
        may("reason", Short(limits::NOTE_CHARS), "Why. reject and merge need one."),
        may("result", closed!(CallResult), "call: what it came to."),
        may("callback_at", Instant, "call: when they asked to be called; with `callback` alone."),
        may("note", Short(limits::NOTE_CHARS), "call: what was said."),
        may("dry_run", Flag, "Only say what would follow."),
    ]
}

fn act() -> Route {
    of_desk(STAFF, Post, "/v1/leads/{lead}/{act}", "Does something to a lead.", LEADS)
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
        "follow_up" => "/v1/leads/follow_up",
        "claim" => "/v1/leads/claim",
        "unclaim" => "/v1/leads/unclaim",
        "call" => "/v1/leads/call",
        _ => "/v1/leads/redeliver",
    };
    let mut members = vec![must("leads", at_most(limits::LEADS_PER_ACT, Uuid), "Which.")];
    members.extend(asked());
    of_desk(STAFF, Post, path, "Does the same to many leads.", LEADS)
        .tells("A dry run says what would follow if those before in the list had been done.")
        .takes(members)
        .answers_as(200, "Each has its own answer.", [(JSON, Of("DoneToMany"))])
        .refuses(&[Code::InvalidField])
}

fn judge() -> Route {
    let word = object([must("interaction", Text, ""), null("word", Text, "restored or revoked.")]);
    of_desk(
        STAFF,
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

fn follow_ups() -> Route {
    of_desk(READER, Get, "/v1/follow-ups", "Who is to be called now, in order of score.", LEADS)
        .tells("Callbacks whose time has come stand first. Who opted out, is on a list, was erased or is somebody's is not in it.")
        .company()
        .query([
            may("limit", Count, "50, if none is named; 50 at most."),
            may("after", Text, "The `next` of the page before."),
        ])
        .answers(
            200,
            "The day's list, page by page.",
            [
                must("company", Id, ""),
                must("examined", Count, "How many were looked at."),
                must("more", Flag, "Whether more stand behind them."),
                null("next", Text, "What to send as `after`; null on the last page."),
                must(
                    "follow_ups",
                    objects([
                        must("lead", Of("ListedLead"), ""),
                        must("follow_up", Of("FollowUp"), ""),
                        must("may_be_called", may_be_called(), ""),
                        must("callable_until", Instant, "No call after this: consent is too old then."),
                    ]),
                    "",
                ),
            ],
        )
}

/// How a lead is followed up.
pub(super) fn follow_up() -> Kind {
    object([
        must("reason", closed!(Reason), "Why they are called."),
        must("says", Text, "The same as a sentence."),
        must("plan", closed!(Plan), "On which plan it began."),
        must("attempt", Count, "Which of the reason's attempts the next call is."),
        must("of", Count, "How many attempts the reason has."),
        must("calls", Count, "Calls since it began, or they last did something."),
        must("since", Instant, "Since when the reason holds."),
        must("stands", one_of(&["planned", "due", "rests", "ended"]), ""),
        null("at", Instant, "Planned for; due since; ended."),
        null(
            "why",
            Kind::Words(
                Rests::ALL
                    .iter()
                    .map(|why| why.as_str())
                    .chain(Ended::ALL.iter().map(|why| why.as_str()))
                    .map(str::to_owned)
                    .collect(),
            ),
            "Why it rests or ended.",
        ),
        null(
            "claim",
            object([must("by", Text, "Who is calling."), must("until", Instant, "")]),
            "Somebody has it for themselves.",
        ),
        null(
            "last_call",
            object([must("result", closed!(CallResult), ""), must("at", Instant, ""), must("by", Text, "")]),
            "",
        ),
    ])
}
