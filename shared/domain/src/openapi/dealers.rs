//! Dealers: how each stands with its leads now, and what it made of them.

use super::desk::of_desk;
use super::route::{
    Function, Kind, Member, Method, READER, Route, Who, closed, list, may, must, null, object, one_of,
};
use crate::dealer::{ChannelKind, DealerKind};
use crate::error::Code;
use crate::time::Period;

use Function::Console;
use Kind::{Count, Date, Flag, Id, Instant, Money, Of, Text};
use Method::Get;
use Who::Dealer;

const DEALERS: &str = "Dealers";

pub(super) fn routes() -> Vec<Route> {
    vec![dealers(), dealer(), figures()]
}

/// Shapes that several answers have.
pub(super) fn shapes() -> Vec<(&'static str, Kind)> {
    vec![("DealerNow", Kind::Object(now())), ("Limit", limit()), ("Trouble", trouble())]
}

fn dealers() -> Route {
    of_desk(READER, Get, "/v1/dealers", "Dealers: who can be given leads now and who cannot.", DEALERS)
        .tells("By their ids. Of their contracts those are told that have a cap or a budget.")
        .company()
        .query([
            may(
                "show",
                one_of(&["paused", "failing", "full"]),
                "Those alone that are paused, are not reached, or have used up a limit, or of which a contract is or has.",
            ),
            may("after", Id, "The `next` of the list before."),
        ])
        .answers(
            200,
            "At most 25, or fewer where they have many contracts.",
            [
                must("company", Id, ""),
                must("currency", Text, "Of all amounts."),
                must("dealers", list(Of("DealerNow")), ""),
                must("all", Count, "How many there are of those that were asked for."),
                must("complete", Flag, "Whether all were asked whether they are reached or full."),
                null("next", Id, "What to send as `after`; null on the last list."),
            ],
        )
        .refuses(&[Code::InvalidField])
}

fn dealer() -> Route {
    let mut members = now();
    members.extend([
        must("company", Id, ""),
        must("currency", Text, "Of all amounts."),
        null("next_contracts", Id, "What to send as `contracts`; null with the last of them."),
    ]);
    of_desk(READER, Get, "/v1/dealers/{dealer}", "A dealer, with all its contracts.", DEALERS)
        .company()
        .query([may("contracts", Id, "The contract behind which they begin.")])
        .answers(200, "At most 50 contracts at a time.", members)
}

fn figures() -> Route {
    let path = "/v1/dealers/{dealer}/figures";
    let mut members = vec![must("company", Id, ""), must("dealer", Id, "")];
    members.extend(fared());
    Route::new(Console, Get, path, "What a dealer made of its leads in thirty days.")
        .under(DEALERS)
        .by(&[READER, Dealer])
        .company()
        .answers(200, "Counts.", members)
}

fn now() -> Vec<Member> {
    let contract = object([
        must("contract", Id, ""),
        must("price", Money, "Of a lead."),
        must("limits", list(Of("Limit")), "Its caps, and its budget."),
        null("trouble", Of("Trouble"), "Why it gets nothing now."),
    ]);
    let channel = object([
        must("order", Count, ""),
        must("kind", closed!(ChannelKind), ""),
        null("trouble", Of("Trouble"), "Why nothing goes through."),
    ]);
    vec![
        must("dealer", Id, ""),
        must("name", Text, ""),
        must("kind", closed!(DealerKind), ""),
        must("zip", Text, ""),
        must("zone", Text, ""),
        must("hours", Text, "As the rulebook writes them, in its zone."),
        must("open", Flag, "Whether it is open now."),
        null("opens", Instant, "When it opens next, where it is shut."),
        must("takes_leads", Flag, "Whether nothing is known that keeps leads from it."),
        must("troubles", list(Of("Trouble")), "What keeps leads from it."),
        must("limits", list(Of("Limit")), "The caps of all its contracts together."),
        null("balance", Money, "What is left of what it paid in advance, where it must or did."),
        must("contracts", list(contract), ""),
        must("channels", list(channel), ""),
        must("figures", object(fared()), ""),
    ]
}

fn fared() -> Vec<Member> {
    vec![
        must("from", Date, "In the company's zone."),
        must("to", Date, "Today."),
        must("offered", Count, "Leads that it was offered."),
        must("delivered", Count, ""),
        must("accepted", Count, ""),
        must("declined", Count, ""),
        must("lapsed", Count, ""),
        must("returned", Count, ""),
        must("won", Count, ""),
        null("accepts_in_s", Count, "The median from an enquiry to its acceptance, in seconds."),
    ]
}

fn limit() -> Kind {
    object([
        must("of", one_of(&["leads", "money"]), ""),
        must("period", closed!(Period), ""),
        must("used", Kind::Either(vec![Count, Money]), ""),
        must("most", Kind::Either(vec![Count, Money]), ""),
        must("full", Flag, ""),
    ])
}

fn trouble() -> Kind {
    let why = [
        "paused",
        "no_contract",
        "no_contract_takes",
        "full",
        "nothing_paid",
        "not_begun",
        "ended",
        "disabled",
        "left_alone",
        "did_not_answer",
    ];
    object([
        must("why", one_of(&why), ""),
        Member {
            null: true,
            ..may("reason", Text, "paused: what the desk wrote; disabled: why, in a word.")
        },
        Member {
            null: true,
            ..may("until", Instant, "paused, left_alone: until when; null, until somebody resumes it.")
        },
        may("since", Instant, "disabled: since when."),
        may("date", Date, "not_begun, ended: when."),
        may("limit", Of("Limit"), "full: which."),
        may("channel", closed!(ChannelKind), "Of a dealer: which channel."),
        may("contracts", list(Of("Trouble")), "no_contract_takes: why, each once."),
        may("not_looked_at", Count, "no_contract_takes: contracts of which that is not known."),
    ])
}
