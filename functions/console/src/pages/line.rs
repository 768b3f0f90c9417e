//! What happened to a lead, on one time line: enquiries, decisions, seats, what the desk did, what the person did.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::distribution::Core;
use leadyard_domain::lead::AssignmentState;
use leadyard_platform::store::{Act, DecisionRecord, StoredEnquiry};

use super::shown::{self, instant};
use crate::leads::Whole;

/// Something that happened.
pub(super) struct Event {
    pub(super) at: Timestamp,
    pub(super) when: String,
    pub(super) what: String,
    pub(super) detail: String,
    /// `enquiry`, `decision`, `seat`, `desk`, `did`.
    pub(super) kind: &'static str,
    /// Of a decision, where its full table is.
    pub(super) more: String,
}

/// All that happened, the newest first.
pub(super) fn line(core: &Core, whole: &Whole, enquiries: &[StoredEnquiry], shown: bool) -> Vec<Event> {
    let mut line = Vec::new();
    let mut add = |at: Timestamp, kind: &'static str, what: String, detail: String, more: String| {
        line.push(Event { at, when: instant(core, at), what, detail, kind, more });
    };
    for enquiry in enquiries {
        let message = enquiry.fields.get("message").filter(|_| shown).unwrap_or_default();
        let what = format!("Enquiry by {}: {}", enquiry.source, enquiry.status);
        add(enquiry.received_at, "enquiry", what, message.to_owned(), String::new());
    }
    for act in whole.acts() {
        let what = match act.act.as_str() {
            "show" => "looked at who it is".to_owned(),
            "call" => came_to(act),
            "place" => placed(act),
            "unclaim" => "let go of the claim".to_owned(),
            word => word.replace('_', " "),
        };
        let why = act.reason.clone().unwrap_or_default();
        add(act.at, "desk", format!("{}: {what}", act.by), why, String::new());
    }
    for seat in whole.assignments().into_iter().filter(|seat| seat.state.is_given_back()) {
        let what = format!("{}: {}", seat.dealer, seat.state);
        add(seat.state_at, "seat", what, String::new(), String::new());
    }
    let lead = whole.story.lead.id;
    for record in whole.decisions() {
        let more = if record.is_imported() {
            String::new()
        } else {
            format!("/console/leads/{lead}/decisions/{}", record.id)
        };
        add(record.at, "decision", decided(record), misses(record), more);
    }
    for seat in whole.assignments() {
        for (at, what) in of_seat(core, seat).into_iter().rev() {
            add(at, "seat", what, String::new(), String::new());
        }
    }
    for (day, of_day) in whole.story.activity.days() {
        let kinds: Vec<String> = of_day
            .kinds()
            .map(|(kind, _)| (kind, of_day.count(kind)))
            .filter(|(_, count)| *count > 0)
            .map(|(kind, count)| format!("{} × {count}", kind.as_str().replace('_', " ")))
            .collect();
        let at = Timestamp::from_second(i64::from(day.0) * 86_400).unwrap_or(Timestamp::MIN);
        if !kinds.is_empty() {
            let when = at.to_zoned(TimeZone::UTC).strftime("%a, %b %-d, %Y (UTC day)").to_string();
            let (what, detail, more) = (kinds.join(", "), String::new(), String::new());
            line.push(Event { at, when, what, detail, kind: "did", more });
        }
    }
    // Of one instant, what brought the other about was before it: in the order above.
    line.sort_by_key(|event| event.at);
    line.reverse();
    line
}

/// What became of a seat until it was given back, the last first: what was delivered, accepted and reached stays, whatever
/// followed.
fn of_seat(core: &Core, seat: &Assignment) -> Vec<(Timestamp, String)> {
    let (dealer, state) = (&seat.dealer, seat.state);
    // Of what was only watched nobody said yes.
    let accepted = seat.accepted_at.filter(|_| !seat.shadow);
    // Whoever won has reached the person by that, and said nothing of it.
    let contacted = seat.contacted_at.filter(|at| state != AssignmentState::Won || *at != seat.state_at);
    let is_told = match state {
        AssignmentState::Accepted => accepted.is_some(),
        AssignmentState::Contacted => contacted.is_some(),
        AssignmentState::Offered
        | AssignmentState::Declined
        | AssignmentState::Lapsed
        | AssignmentState::Returned
        | AssignmentState::Withdrawn
        | AssignmentState::Won
        | AssignmentState::Lost => false,
    };
    let last = Some(seat.state_at).filter(|at| *at > seat.offered_at && !is_told && !state.is_given_back());
    let price = shown::money(core, seat.price);
    let offered = format!("Offered to {dealer} ({}) for {price}", seat.contract);
    let became = [
        (last, state.as_str()),
        (contacted, AssignmentState::Contacted.as_str()),
        (accepted, AssignmentState::Accepted.as_str()),
        (seat.delivered_at, "delivered"),
    ];
    let became = became.into_iter().filter_map(|(at, what)| Some((at?, format!("{dealer}: {what}"))));
    became.chain([(seat.offered_at, offered)]).collect()
}

/// That the desk placed it, and which rules it passed over.
fn placed(act: &Act) -> String {
    let after: serde_json::Value = serde_json::from_str(&act.after).unwrap_or_default();
    // An earlier version named one rule beside the first.
    let others =
        after["also_over"].as_array().map_or(std::slice::from_ref(&after["also_over"]), Vec::as_slice);
    let over = std::iter::once(&after["override"]).chain(others).filter_map(|miss| miss["rule"].as_str());
    let over: Vec<String> = over.map(shown::word).collect();
    if over.is_empty() { "place".to_owned() } else { format!("place, over the rules {}", over.join(", ")) }
}

/// What a call came to.
fn came_to(act: &Act) -> String {
    let after: serde_json::Value = serde_json::from_str(&act.after).unwrap_or_default();
    let result = after["last_call"]["result"].as_str().unwrap_or_default();
    format!("called: {}", result.replace('_', " "))
}

/// What was decided, in a sentence.
pub(super) fn decided(record: &DecisionRecord) -> String {
    let contracts: Vec<&str> = record.contracts.iter().map(|contract| contract.as_str()).collect();
    let contracts = contracts.join(", ");
    let rules = match record.waiting.map(shown::reason_says) {
        None if record.is_imported() && contracts.is_empty() => "by another system, to nobody".to_owned(),
        None if record.is_imported() => format!("by another system, to {contracts}"),
        None => format!("to {contracts}"),
        Some(why) if contracts.is_empty() => format!("it waits, since {why}"),
        Some(why) => format!("it waits, since {why}; recommended: {contracts}"),
    };
    match &record.placed {
        Some(placed) => format!("Placed by the desk with {placed}; the rules said: {rules}"),
        None => format!("Decided: {rules}"),
    }
}

/// Who nearly had it.
fn misses(record: &DecisionRecord) -> String {
    let near = record.near_misses.iter().take(3);
    let said: Vec<String> = near
        .map(|miss| format!("{} {}", miss.contract, miss.rule.missed(&miss.needed, &miss.found)))
        .collect();
    said.join(" · ")
}
