//! What a dealer may give back of what it was charged for, and what follows when that is approved.

use fastrand::Rng;
use jiff::Timestamp;
use leadyard_domain::assignment::NoReturn;
use leadyard_domain::contract::{ReturnApproval, ReturnTerms};
use leadyard_domain::ids::ReturnReason;
use leadyard_domain::lead::{AssignmentState, Holder, Stage};
use leadyard_domain::ledger::{CreditReason, Line, LineKind, Sums};

use crate::{at, holds, lead, offered, one_of};

broken! {
    /// What is not with the dealer any more, or won, may be given back.
    Stands,
    /// What was never charged may be given back.
    NeverCharged,
    /// A contract without terms takes returns.
    Terms,
    /// A dealer that is trusted waits for the desk.
    Trusted,
    /// One that is not gives back by itself.
    Desk,
    /// The window never ends.
    Window,
    /// It runs from when the lead was offered.
    WindowFromCharge,
    /// Its last instant is outside.
    LastInstant,
    /// A quota is none.
    Quota,
    /// A part of a lead is one more.
    QuotaRoundsDown,
    /// Of few leads none may be returned.
    AlwaysOne,
    /// The quota is of the returns and not of the leads charged.
    QuotaOfCharged,
    /// Any reason will do.
    Reasons,
    /// It is credited though it was never charged.
    CreditOfCharge,
    /// The credit is dated as the charge.
    CreditAtApproval,
    /// Half the price is credited.
    WholePrice,
    /// What another system sold is given back and credited here.
    Imported,
    /// The lead stays with its dealer.
    SlotBack,
    /// The dealer may have it again.
    Excluded,
    /// The lead is not distributed again.
    DistributedAgain,
    /// A cycle that is over is opened again.
    ClosedStays,
}

const REASONS: [&str; 3] = ["wrong-number", "duplicate", "spam"];
/// The first three may be given back, and come as often as the rest.
const STATES: [AssignmentState; 12] = [
    AssignmentState::Offered,
    AssignmentState::Accepted,
    AssignmentState::Contacted,
    AssignmentState::Offered,
    AssignmentState::Accepted,
    AssignmentState::Contacted,
    AssignmentState::Declined,
    AssignmentState::Lapsed,
    AssignmentState::Returned,
    AssignmentState::Withdrawn,
    AssignmentState::Won,
    AssignmentState::Lost,
];
const APPROVALS: [Option<ReturnApproval>; 5] = [
    Some(ReturnApproval::Desk),
    Some(ReturnApproval::Trusted),
    Some(ReturnApproval::Desk),
    Some(ReturnApproval::Trusted),
    None,
];
const HOUR: i64 = 3_600;

#[derive(Clone, Debug)]
struct Case {
    days: u32,
    quota_percent: Option<u32>,
    /// How many of [`REASONS`], from the first, the contract names.
    reasons: usize,
    /// Hours after it was offered; `None` if it never arrived.
    charged_after: Option<i64>,
    /// Hours after that.
    asked_after: i64,
    reason: usize,
    /// Leads of the month, and of those how many were returned before.
    charged: u32,
    returned: u32,
    imported: bool,
    /// What the dealer has said of it.
    state: AssignmentState,
    /// Who approves what the contract takes back; `None` if it takes nothing back.
    approval: Option<ReturnApproval>,
    /// The cycle was closed meanwhile.
    closed: bool,
}

fn cases(random: &mut Rng) -> Case {
    let days = one_of(random, &[1, 7, 14]);
    let charged = random.u32(..60);
    let edge = one_of(random, &[-1, 0, 0, 1, 5]);
    Case {
        days,
        quota_percent: one_of(random, &[None, Some(5), Some(10), Some(33), Some(100)]),
        reasons: random.usize(1..=3),
        charged_after: Some(random.i64(0..6)).filter(|_| random.u8(..8) > 0),
        asked_after: one_of(random, &[1, 12, 24 * i64::from(days) + edge]),
        reason: random.usize(..3),
        charged,
        returned: one_of(random, &[0, 0, 1, 2, 3, 5, charged]),
        imported: random.u8(..8) == 0,
        state: one_of(random, &STATES),
        approval: one_of(random, &APPROVALS),
        closed: random.u8(..4) == 0,
    }
}

/// Whether it may be returned, and what follows when that is approved.
#[derive(Debug, PartialEq)]
struct Said {
    /// Where the return stands once it is asked for, or what keeps it from being asked for.
    asked: &'static str,
    /// Whether of the month's quota one is left.
    quota_left: bool,
    /// When, and how much.
    credit: Option<(Timestamp, i64)>,
    /// Charges less credits.
    owed: i64,
    /// Whether the dealer holds the lead still, and whether it is excluded.
    dealer: [bool; 2],
    stage: Stage,
}

fn done(case: &Case) -> Said {
    let terms = ReturnTerms {
        days: case.days,
        quota_percent: case.quota_percent,
        reasons: REASONS.iter().take(case.reasons).map(|reason| reason.parse().unwrap()).collect(),
        approval: case.approval.unwrap_or(ReturnApproval::Desk),
    };
    let mut lead = lead();
    let mut seat = offered(&lead, None);
    let (dealer, contract) = (seat.dealer.clone(), seat.contract.clone());
    let holder = Holder { dealer, contract, assignment: seat.id, again: true, came_from: None };
    lead.holders.push(holder);
    lead.rest_assigned();
    seat.imported = case.imported;
    let arrived = at(case.charged_after.unwrap_or(0) * HOUR);
    if case.charged_after.is_some() {
        seat.arrive(arrived);
    }
    let asked = at((case.charged_after.unwrap_or(0) + case.asked_after) * HOUR);
    if case.closed {
        lead.close(Stage::Lost, asked);
    }
    let reason: ReturnReason = REASONS[case.reason].parse().unwrap();
    if case.state != AssignmentState::Offered {
        seat.move_to(case.state, arrived);
    }
    let judged = match seat.asks_to_return(Some(&terms).filter(|_| case.approval.is_some()), &reason, asked) {
        Ok(state) => state.as_str(),
        Err(NoReturn::Imported) => "imported",
        Err(NoReturn::Stands(_)) => "stands",
        Err(NoReturn::NotCharged) => "never charged",
        Err(NoReturn::NoTerms) => "no terms",
        Err(NoReturn::Reason(_)) => "reason",
        Err(NoReturn::Over { .. }) => "over",
    };
    let lines: Vec<Line> =
        Line::charge(&seat).into_iter().chain(Line::credit(&seat, CreditReason::Returned, asked)).collect();
    seat.move_to(AssignmentState::Returned, asked);
    lead.give_back(seat.id, asked);
    let credit = lines.iter().find(|line| line.kind == LineKind::Credit);
    Said {
        asked: judged,
        quota_left: terms.quota_of(case.charged).is_none_or(|quota| case.returned < quota),
        credit: credit.map(|line| (line.at, line.amount.minor())),
        owed: Sums::of(&lines).owed(),
        dealer: [
            lead.holders.iter().any(|holder| holder.dealer == seat.dealer),
            lead.excluded.contains(&seat.dealer),
        ],
        stage: lead.stage,
    }
}

/// The rules.
fn plain(case: &Case, broken: Option<Broken>) -> Said {
    let keeps = |rule| broken != Some(rule);
    let charged_at = case.charged_after.unwrap_or(0);
    let since = if keeps(Broken::WindowFromCharge) { charged_at } else { 0 };
    let asked = charged_at + case.asked_after;
    let last = since + 24 * i64::from(case.days);
    let timely = asked < last || asked == last && keeps(Broken::LastInstant) || !keeps(Broken::Window);
    // Of a hundred leads so many: one by one, as long as the next is whole, and always one.
    let quota = |percent: u32| {
        let of = if keeps(Broken::QuotaOfCharged) { case.charged } else { case.returned };
        let whole = (0..=of).take_while(|more| (more + 1) * 100 <= of * percent).count();
        let part = usize::from(!(of * percent).is_multiple_of(100) && !keeps(Broken::QuotaRoundsDown));
        (whole + part).max(usize::from(keeps(Broken::AlwaysOne)))
    };
    let left = |quota: usize| usize::try_from(case.returned).unwrap() < quota;
    let charged = case.charged_after.is_some() && (!case.imported || !keeps(Broken::Imported));
    let price = if keeps(Broken::WholePrice) { 4_500 } else { 2_250 };
    let dated = if keeps(Broken::CreditAtApproval) { asked } else { charged_at };
    let credited = charged || !keeps(Broken::CreditOfCharge);
    let again = !case.closed && keeps(Broken::DistributedAgain) || case.closed && !keeps(Broken::ClosedStays);
    Said {
        // What another system sold is settled there; what is over is over; what cost nothing cannot be given back.
        asked: if case.imported && keeps(Broken::Imported) {
            "imported"
        } else if keeps(Broken::Stands) && !STATES[..3].contains(&case.state) {
            "stands"
        } else if case.charged_after.is_none() && keeps(Broken::NeverCharged) {
            "never charged"
        } else if case.approval.is_none() && keeps(Broken::Terms) {
            "no terms"
        } else if case.reason >= case.reasons && keeps(Broken::Reasons) {
            "reason"
        } else if !timely {
            "over"
        } else if case.approval == Some(ReturnApproval::Trusted) && keeps(Broken::Trusted)
            || !keeps(Broken::Desk)
        {
            "approved"
        } else {
            "requested"
        },
        quota_left: case.quota_percent.is_none_or(|percent| left(quota(percent)) || !keeps(Broken::Quota)),
        credit: credited.then_some((at(dated * HOUR), price)),
        owed: i64::from(charged) * 4_500 - i64::from(credited) * price,
        dealer: [!keeps(Broken::SlotBack), keeps(Broken::Excluded)],
        stage: match (again, case.closed) {
            (true, _) => Stage::Received,
            (false, true) => Stage::Lost,
            (false, false) => Stage::Assigned,
        },
    }
}

#[test]
fn what_may_be_returned_and_what_follows_is_what_the_rules_say_and_each_of_them_counts() {
    holds(ALL, 4_000, cases, done, plain);
}
