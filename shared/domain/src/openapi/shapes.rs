//! What several answers share, and what the parts of a path are called.

use super::route::{Kind, Member, by_name, closed, list, may, must, null, object, objects, one_of};
use super::{dealers, dealing, moving, persons, ruling};
use crate::assignment::{DeliveryState, ReturnState};
use crate::delivery::{End, Event};
use crate::distribution::{Rule, Waiting};
use crate::error::Code;
use crate::lead::{AssignmentState, Stage};
use crate::scoring::{NextStep, Priority};

use Kind::{Any, Count, Flag, Id, Instant, Money, Number, Of, Open, Text, Uuid};

/// A part of a path by its name.
pub(super) fn part(name: &'static str) -> Member {
    match name {
        "key" => must(name, Text, "The source's page key, `pk_…`."),
        "lead" => must(name, Uuid, "The lead's id."),
        "enquiry" => must(name, Uuid, "The enquiry's id."),
        "assignment" => must(name, Uuid, "The assignment's id."),
        "decision" => must(name, Uuid, "The decision's id."),
        "test" => must(name, Uuid, "The test's id."),
        "dealer" => must(name, Id, "The dealer."),
        "source" => must(name, Id, "The source."),
        "order" => must(name, Count, "The channel, by its order in `channels.csv`."),
        "token" => must(name, Text, "The token of the link."),
        "interaction" => must(name, Text, "The interaction, as the lead's story names it."),
        _ => must(name, Text, ""),
    }
}

/// A band of the grid: A1 to C3.
pub(super) fn band() -> Kind {
    one_of(&["A1", "A2", "A3", "B1", "B2", "B3", "C1", "C2", "C3"])
}

/// Why a lead waits.
pub(super) fn waiting() -> Kind {
    let of_rules = Rule::ALL.iter().map(|rule| Waiting::For(*rule));
    let by_itself =
        [Waiting::Unplaced, Waiting::Manual, Waiting::Stopped, Waiting::Shadow, Waiting::Held].into_iter();
    Kind::Words(by_itself.chain(of_rules).map(|reason| reason.to_string()).collect())
}

/// Whether, until or from when a person may be called.
pub(super) fn may_be_called() -> Kind {
    object([
        must("now", Flag, "Whether it is an hour to call where the person is."),
        null("until", Instant, "Until when."),
        null("from", Instant, "From when."),
        must("zones", list(Text), "Where that is: time zones."),
        must("guessed", Flag, "Whether where is guessed."),
    ])
}

/// Everything that stands under `components`.
pub(super) fn all() -> Vec<(&'static str, Kind)> {
    vec![
        ("Problem", problem()),
        ("FieldError", field_error()),
        ("Person", person()),
        ("Holder", holder()),
        ("Attempt", attempt()),
        ("Assignment", assignment()),
        ("Act", act()),
        ("Done", done()),
        ("DoneToMany", done_to_many()),
        ("Explained", explained()),
        ("Enquiry", enquiry()),
        ("Story", story()),
        ("ListedLead", listed_lead()),
        ("FollowUp", super::desk::follow_up()),
    ]
    .into_iter()
    .chain(persons::shapes())
    .chain(moving::shapes())
    .chain(dealers::shapes())
    .chain(dealing::shapes())
    .chain(ruling::shapes())
    .collect()
}

fn problem() -> Kind {
    let types: Vec<String> = Code::ALL.iter().map(|code| code.problem_type()).collect();
    object([
        must("type", Kind::Words(types), "What went wrong: a closed list that programs compare."),
        must("title", Text, "The same for people."),
        must("status", Count, "The status of HTTP."),
        must("detail", Text, "What exactly, with the limit that was passed. Never what was sent."),
        may("errors", list(Of("FieldError")), "The fields at fault."),
        may("enquiry", Uuid, "Under which id the enquiry is kept all the same."),
        may("enquiries", list(Any), "Of a body that held several: what each was answered."),
        may(
            "until",
            Instant,
            "`cap-reached`: when the source may go on. A return: since when its window is over. A callback: until when they may \
             be called.",
        ),
        may("reasons", list(Text), "A release: what keeps it. A return: the contract's reasons."),
        may("lead", Uuid, "`state-conflict`: the lead that the enquiry became."),
        may("stage", Any, "`state-conflict`: the lead's stage; of a merge, both."),
        may("state", Text, "`state-conflict`: the assignment's state."),
        may("failed", miss(), "Placing: the first rule that the contract fails."),
        may("also_failed", list(miss()), "Placing: all the others, in the order of the rules."),
        may("merged_into", Uuid, "`state-conflict`: the lead that goes on for this one."),
        may("scope", Text, "Merging: the lead's scope."),
        may("into_scope", Text, "Merging: the survivor's."),
        may("erased_at", Instant, "`state-conflict`: when the person was erased."),
        may("hold", object([null("until", Instant, "")]), "`state-conflict`: how the desk keeps it already."),
        may(
            "claim",
            object([must("by", Text, ""), must("until", Instant, "")]),
            "`state-conflict`: who is calling.",
        ),
        may("may_be_called", may_be_called(), "`state-conflict`: when they may be called."),
        may("callback_at", Instant, "`state-conflict`: when they were promised a call."),
        may(
            "opted_out",
            Flag,
            "`unavailable`, a call: they are opted out; what the call came to was not kept.",
        ),
        may("leads", list(Uuid), "`state-conflict`: leads of several persons that share what was named."),
        may("quota", Count, "Returning: how many leads of a month may be returned."),
        may("reversed", Money, "Reversing a deposit: what is taken back already."),
        may("version", Count, "`version-conflict`: the version in force."),
        may("conflict", Any, "`version-conflict`: the row as it was, as it is in force, and as it was sent."),
        may("problems", Any, "`rulebook-refused`: each with file, line and column; or the tests that fail."),
    ])
}

fn miss() -> Kind {
    object([
        must("rule", closed!(Rule), "The rule."),
        must("needed", Text, "What it asks."),
        must("found", Text, "What it met."),
    ])
}

fn field_error() -> Kind {
    object([
        must(
            "pointer",
            Text,
            "Where it stands in the body: an RFC 6901 pointer, or a form field's name behind `/`.",
        ),
        must("detail", Text, "The rule and its limit."),
    ])
}

fn person() -> Kind {
    let text = |name| may(name, Text, "");
    object([
        text("first_name"),
        text("last_name"),
        text("email"),
        may("phone", Text, "E.164."),
        text("organization"),
        text("street"),
        text("city"),
        text("state"),
        text("zip"),
    ])
}

fn holder() -> Kind {
    object([
        must("dealer", Id, "Who."),
        must("contract", Id, "Under which contract."),
        must("assignment", Uuid, "The seat."),
        may("again", Flag, "False where it may not have the lead again in a later cycle."),
        may("came_from", Any, "Where the seat stands, if it came with a lead that was merged into this one."),
    ])
}

fn attempt() -> Kind {
    object([
        must("at", Instant, "When it began."),
        must("end", closed!(End), "How it ended."),
        must("what", Text, "What happened, in one word: `200`, `refused`, `timeout`."),
        must("ms", Count, "How long it took, in milliseconds."),
        may("channel", Count, "By which channel."),
        may("answer", Text, "The beginning of the answer."),
        may("reference", Text, "The dealer's own id of the lead."),
        may("reason", Text, "Why the dealer's system declined."),
    ])
}

fn assignment_members() -> Vec<Member> {
    let asked = object([
        must("at", Instant, "When it was asked for."),
        must("reason", Text, "Why."),
        may("note", Text, "In the dealer's words."),
        must("state", closed!(ReturnState), ""),
        may("decided_at", Instant, ""),
        may("decided_by", Text, "Who of the desk; the desk alone sees it."),
        may("said", Text, "What the desk said to it."),
    ]);
    vec![
        must("assignment", Uuid, "Which."),
        must("lead", Uuid, ""),
        must("cycle", Count, "The lead's sale cycle."),
        must("contract", Id, ""),
        must("dealer", Id, ""),
        must("price", Money, "Frozen when the lead was assigned."),
        must("state", closed!(AssignmentState), ""),
        must("state_at", Instant, "Since when."),
        must("offered_at", Instant, ""),
        null("settled_at", Instant, "When it was charged."),
        must("delivery", closed!(DeliveryState), ""),
        must("channel", Count, "The channel in use; 0 before any."),
        null("accept_by", Instant, "By when the dealer must accept."),
        must("warned", Flag, "Whether it was told that this is near."),
        null("return", asked, "A return, asked for or decided."),
        must("shadow", Flag, "Placed while the company only watched: nothing was sent."),
        must("imported", Flag, "Sold before the company moved here."),
        must("attempts", list(Of("Attempt")), "The last attempts."),
        must("attempt_count", Count, "All of them."),
        null("next_attempt_at", Instant, ""),
        null("won_value", Money, "The dealer's own revenue, as it said."),
        must("rulebook", Count, "Under which version it was sold."),
    ]
}

/// An assignment as its dealer sees it.
pub(super) fn own_assignment() -> Kind {
    Kind::Object(own_members())
}

/// See [`own_assignment`].
pub(super) fn own_members() -> Vec<Member> {
    let mut members = assignment_members();
    members.extend([
        may("person", Of("Person"), "Once delivered: the person; first name and ZIP until it is accepted."),
        may("masked", Flag, "Whether the person is masked yet."),
        may("offer", Id, "What it is about."),
        Member { null: true, ..may("offer_name", Text, "What that is called.") },
        may("source", Id, "Who sent it."),
        Member { null: true, ..may("campaign", Text, "The marketing push.") },
        may("received_at", Instant, "When the enquiry arrived."),
        Member { null: true, ..may("message", Text, "What the person wrote.") },
        may(
            "consent",
            object([
                must("given", Flag, "Whether consent to be contacted was given."),
                null("text", Text, "The text that was shown."),
                null("certificate", Text, "TrustedForm's; without one, the Jornaya LeadiD."),
                may("leadid", Text, "The Jornaya LeadiD beside a certificate of TrustedForm."),
            ]),
            "What the person agreed to.",
        ),
        may("extra", Kind::Map(Box::new(Text)), "Fields of the enquiry that have no standard name."),
        may("repeats", Count, "How often the person asked again since."),
        may("opted_out", Flag, "Whether the person is on the company's list of those who opted out."),
        may("may_be_called", may_be_called(), "Whether it is an hour to call."),
        may("erased_at", Instant, "When the person was erased."),
    ]);
    members
}

fn assignment() -> Kind {
    Kind::Object(assignment_members())
}

fn act() -> Kind {
    object([
        must("act", Text, "What was done."),
        must("at", Instant, "When."),
        must("by", Text, "Who."),
        null("reason", Text, "Why."),
        null("before", Any, "How it stood; by act."),
        null("after", Any, "How it stands; by act."),
    ])
}

fn done_members() -> Vec<Member> {
    vec![
        may("act", Text, "What was done."),
        may("already", Flag, "It stood so already."),
        may("before", Any, "How it stood; by act."),
        may("after", Any, "How it stands, or would stand; by act."),
    ]
}

fn done() -> Kind {
    Kind::Object(done_members())
}

fn done_to_many() -> Kind {
    let mut each = vec![
        must("lead", Uuid, "Which."),
        must("done", Flag, "Whether it was done; never in a dry run."),
        may("problem", Of("Problem"), "Why not."),
    ];
    each.extend(done_members());
    object([
        must("dry_run", Flag, ""),
        must("results", objects(each), "Of each lead, in the order in which they were named."),
    ])
}

const PLACED: &str = "Of a recorded decision: with whom the desk placed the lead instead.";

fn explained() -> Kind {
    let seat = object([
        must("contract", Id, ""),
        must("dealer", Id, ""),
        must("price", Money, ""),
        must("area", Any, "How narrow the part of the area is that covers the lead."),
        null("miles", Number, "How far the dealer is."),
    ]);
    let candidate = object([
        must("contract", Id, ""),
        must("dealer", Id, ""),
        must("says", Text, "A sentence for people."),
        may("is", one_of(&["chosen", "ranked lower"]), "Of one that fails nothing."),
        may("failed", closed!(Rule), "The first rule that it fails."),
        may("needed", Text, "What the rule asks."),
        may("found", Text, "What it met."),
        may("would_have_had_it", Flag, "It would have had the lead, but for this rule."),
    ]);
    object([
        must("says", list(Text), "Who has it and why; who nearly had."),
        must("assign", Flag, "Whether it goes to these seats at once."),
        must("seats", list(seat), "Given, or recommended to the desk."),
        null("waiting", waiting(), "Why it waits."),
        null("until", Instant, "When time alone may change that."),
        must("rulebook", Count, "The version it is decided under."),
        null("kept", Any, "A further seat that is kept for a territory."),
        must("failed", by_name(Count), "How many candidates failed by each rule first."),
        must("candidates", list(candidate), "Everyone who was looked at."),
        may("as_recorded", Flag, "Of a recorded decision: made again, it came out the same."),
        Member { null: true, ..may("placed", Id, PLACED) },
        may("digest", Text, "Of a recorded decision: SHA-256 of its record, cut."),
    ])
}

fn enquiry() -> Kind {
    Open(vec![
        must("id", Uuid, ""),
        must("company", Id, ""),
        must("source", Id, ""),
        must("received_at", Instant, ""),
        must("fields", Any, "As they were received: names and values."),
        must("status", Text, "received, repeat, quarantined, rejected, test, imported, unfetched or replay."),
    ])
}

fn story_members() -> Vec<Member> {
    let touch = || by_name(Text);
    vec![
        must("lead", Uuid, ""),
        must("company", Id, ""),
        must("scope", Text, "What the lead is of: a category or an offer."),
        must("category", Id, ""),
        must("offer", Id, ""),
        must("source", Id, ""),
        null("campaign", Text, ""),
        must("person", Of("Person"), ""),
        must("cycle", Count, "The sale cycle, from 1."),
        must("opened_at", Instant, ""),
        must("last_enquiry_at", Instant, ""),
        null("closed_at", Instant, ""),
        must("stage", closed!(Stage), ""),
        null("waiting", waiting(), "Why it waits."),
        null("due", Instant, "When it is looked at next."),
        null("follow_up", Of("FollowUp"), "How it is followed up."),
        null("hold", object([null("until", Instant, "")]), "The desk keeps it."),
        null("priority", closed!(Priority), ""),
        null("priority_set", closed!(Priority), "By the desk."),
        null("next_step", closed!(NextStep), ""),
        null("erased_at", Instant, "When its person was erased."),
        must("possible_duplicate", Flag, ""),
        null("merged_into", Uuid, "The lead that goes on for it."),
        must("merged", list(Uuid), "Those that it goes on for."),
        must("holders", list(Of("Holder")), "Who has it."),
        must("excluded", list(Any), "Which dealers may not have it in this cycle."),
        null(
            "score",
            object([
                must("total", Number, ""),
                must("total_hundredths", Number, "In hundredths of a point."),
                must("band", band(), ""),
                must("priority", closed!(Priority), ""),
                must("next_step", closed!(NextStep), ""),
                must("lines", list(Any), "Lines that sum to it."),
                must("fit", Any, "The points of the profile, and the rules that match."),
            ]),
            "",
        ),
        null(
            "attribution",
            object([
                must("by", Text, "By first or last touch."),
                must("credited", touch(), ""),
                must("first", touch(), ""),
                must("last", touch(), ""),
            ]),
            "",
        ),
        null(
            "certificate",
            object([must("expires", Instant, ""), null("warning", one_of(&["expires_soon", "expired"]), "")]),
            "Until when the certificate of consent can be claimed.",
        ),
        must("interactions", list(Any), "By day and kind, how many count."),
        must("interactions_of_machines", list(Any), "What is worth nothing, each with its sign."),
        must("enquiries", list(Of("Enquiry")), ""),
        must("decisions", list(Any), "Oldest first; each is explained by a route of its own."),
        must("assignments", list(Of("Assignment")), ""),
        must("history", list(Of("Act")), "What the desk did."),
        must(
            "messages",
            objects([
                must("assignment", Uuid, ""),
                must("dealer", Id, ""),
                must("event", closed!(Event), ""),
                must("channel", Any, ""),
                must("since", Any, ""),
                must("state", closed!(DeliveryState), ""),
                must("attempts", list(Of("Attempt")), ""),
            ]),
            "What dealers were told besides.",
        ),
        may("may_be_called", may_be_called(), "Whether it is an hour to call."),
        may("unsubscribe", Text, "The path of the link that ends mail to the person."),
    ]
}

fn story() -> Kind {
    Kind::Object(story_members())
}

fn listed_lead() -> Kind {
    object([
        must("lead", Uuid, ""),
        must("company", Id, ""),
        must("offer", Id, ""),
        must("category", Id, ""),
        must("source", Id, ""),
        null("campaign", Text, ""),
        must("name", Text, ""),
        null("city", Text, ""),
        null("state", Text, ""),
        null("zip", Text, ""),
        must("stage", closed!(Stage), ""),
        null("waiting", waiting(), ""),
        must("hold", Flag, "The desk keeps it."),
        null("score", Number, "As of now."),
        null("band", band(), ""),
        null("priority", closed!(Priority), ""),
        null("next_step", closed!(NextStep), ""),
        must("opened_at", Instant, ""),
        must("last_enquiry_at", Instant, ""),
        must("dealers", list(Id), "Who has it."),
    ])
}
