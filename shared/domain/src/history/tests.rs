//! Rows of a spreadsheet, and the leads they become.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::contract::Needs;
use crate::distribution::Core;
use crate::enquiry::Fields;
use crate::error::FieldError;
use crate::ids::{AssignmentId, CompanyId, ContractId, DealerId, EnquiryId};
use crate::lead::{self, AssignmentState, Contactable, Lead, LeadScope, Stage};
use crate::ledger::{CreditReason, Line};
use crate::rulebook::{Rulebook, RulebookFiles};

fn core() -> Core {
    let files = [
        ("company.toml", "id = \"acme\"\nname = \"Acme\"\nzone = \"America/New_York\"\n"),
        ("offers.toml", "[[offer]]\nid = \"roof\"\ncategory = \"roofing\"\nname = \"Roof\"\n"),
        (
            "sources.toml",
            "[[source]]\nid = \"web\"\nkind = \"form\"\noffer = \"roof\"\noffers = { \"New roof\" = \"roof\" }\n[[source]]\nid = \"trial\"\nkind = \"form\"\noffer = \"roof\"\ntest = true\n",
        ),
        ("scoring.toml", "half_life_days = 14\n"),
        ("dealers.csv", "dealer,name,zip\nhudson,Hudson,33101\n"),
        ("areas.csv", "area,part\nall,any\n"),
        ("contracts.csv", "contract,dealer,offers,sources,area,price\nhudson,hudson,*,*,all,10.00\n"),
    ];
    let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    let files = RulebookFiles::new(files).unwrap();
    Rulebook::parse(&files).unwrap().compile(1).unwrap().core
}

fn nobody(_: &str) -> DealerNamed {
    DealerNamed::Nobody
}

fn now() -> Timestamp {
    "2026-06-01T16:00:00Z".parse().unwrap()
}

fn row(cells: &[(&str, &str)]) -> Fields {
    let mut row = Fields::default();
    for (name, value) in cells {
        row.push(name, (*value).to_owned()).unwrap();
    }
    row
}

const ADA: [(&str, &str); 4] = [
    ("received_at", "2026-05-01 12:00"),
    ("source", "web"),
    ("E-Mail Address", "ada@mail.example"),
    ("ZIP", "2134"),
];

fn with(more: &[(&'static str, &'static str)]) -> Fields {
    row(&[ADA.as_slice(), more].concat())
}

/// The fields at fault.
fn at_fault<T: std::fmt::Debug>(read: Result<T, Vec<FieldError>>) -> Vec<String> {
    read.unwrap_err().into_iter().map(|error| error.pointer).collect()
}

fn faults(more: &[(&'static str, &'static str)]) -> Vec<String> {
    at_fault(PastLead::read(&with(more), &core(), now(), nobody))
}

#[test]
fn a_row_becomes_what_it_says() {
    let core = core();
    let row = with(&[
        ("Offer", "New roof"),
        ("Dealer", "Hudson"),
        ("Assigned At", "5/1/2026"),
        ("price", "$1,045.00"),
        ("outcome", "Won"),
        ("outcome_at", "2026-05-03"),
        ("won value", "8000"),
        ("external id", "8841.0"),
        ("roof age", "12"),
    ]);
    let past = PastLead::read(&row, &core, now(), nobody).unwrap();
    let sale = past.sale.as_ref().unwrap();
    assert_eq!(past.received_at.to_string(), "2026-05-01T16:00:00Z");
    // A date without its time cannot be before what it follows.
    assert_eq!((sale.at, sale.price.minor()), (past.received_at, 104_500));
    assert_eq!(past.outcome, PastOutcome::Won);
    assert_eq!(sale.won_value.map(|value| value.minor()), Some(800_000));
    assert_eq!((past.offer.id.as_str(), past.external_id.as_deref()), ("roof", Some("8841")));
    // What is the person's is kept as the enquiry, the rest is not.
    let names: Vec<&str> = past.fields.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["E-Mail Address", "ZIP", "Offer", "external id", "roof age"]);
    assert_eq!(past.understood.zip.unwrap().to_string(), "02134");
}

#[test]
fn nothing_said_of_a_sale_is_accepted_and_of_none_expired() {
    let core = core();
    let outcome = |more: &[(&'static str, &'static str)]| {
        PastLead::read(&with(more), &core, now(), nobody).unwrap().outcome
    };
    assert_eq!(outcome(&[("dealer", "hudson")]), PastOutcome::Accepted);
    assert_eq!(outcome(&[("dealer", "N/A"), ("price", "0.00")]), PastOutcome::Expired);
}

#[test]
fn a_row_is_refused_by_the_fields_at_fault() {
    assert_eq!(
        faults(&[("outcome", "Sold"), ("dealer", "Hudson Inc."), ("price", "abc")]),
        ["/outcome", "/dealer", "/price"]
    );
    assert_eq!(faults(&[("outcome", "returned")]), ["/outcome"]);
    assert_eq!(faults(&[("price", "10"), ("assigned_at", "2026-05-02")]), ["/assigned_at", "/price"]);
    assert_eq!(faults(&[("dealer", "hudson"), ("assigned_at", "2026-04-01")]), ["/assigned_at"]);
    assert_eq!(faults(&[("dealer", "hudson"), ("won_value", "9"), ("outcome", "lost")]), ["/won_value"]);
    assert_eq!(faults(&[("offer", "pool")]), ["/offer"]);
    let read = |cells: &[(&str, &str)]| at_fault(PastLead::read(&row(cells), &core(), now(), nobody));
    assert_eq!(read(&[]), ["/source", "/received_at"]);
    assert_eq!(
        read(&[("source", "trial"), ("received_at", "2030-01-01"), ("email", "a@b.example")]),
        ["/source", "/received_at"]
    );
    let nobody = read(&[("source", "web"), ("received_at", "2026-05-01"), ("phone", "12"), ("email", "x")]);
    assert_eq!(nobody, ["/email", "/email", "/phone"]);
}

#[test]
fn no_refusal_repeats_what_was_sent() {
    let canary = "xylophone";
    let cells: Vec<(&str, &str)> = [
        "received_at",
        "source",
        "dealer",
        "contract",
        "price",
        "outcome",
        "email",
        "phone",
        "offer",
        "won_value",
    ]
    .into_iter()
    .map(|name| (name, "Xylophone @ 5550177"))
    .collect();
    let errors = PastLead::read(&row(&cells), &core(), now(), nobody).unwrap_err();
    assert!(errors.len() >= 5);
    assert!(
        !errors
            .iter()
            .any(|error| error.detail.to_lowercase().contains(canary) || error.detail.contains("5550177"))
    );
}

#[test]
fn a_row_is_itself_however_it_is_written_and_a_named_one_whatever_else_it_says() {
    let core = core();
    let key = HistoryKey::from_bytes([1; 32]);
    let acme = CompanyId::new("acme").unwrap();
    let of = |company: &CompanyId, row: &Fields| {
        Fingerprint::of(&key, company, row, &PastLead::read(row, &core, now(), nobody).unwrap())
    };
    let mut turned: Vec<(&str, &str)> = ADA.to_vec();
    turned.reverse();
    turned.push(("message", "  "));
    assert_eq!(of(&acme, &row(&ADA)), of(&acme, &row(&turned)));
    assert_ne!(of(&acme, &row(&ADA)), of(&acme, &with(&[("message", "hello")])));
    assert_ne!(of(&acme, &row(&ADA)), of(&CompanyId::new("other").unwrap(), &row(&ADA)));
    let named = of(&acme, &with(&[("external_id", "7"), ("dealer", "hudson")]));
    assert_eq!(named, of(&acme, &with(&[("external_id", "7"), ("dealer", "hudson"), ("outcome", "won")])));
    assert_ne!(named, of(&acme, &with(&[("external_id", "7"), ("dealer", "ridge")])));
    assert!(named.mark().is_some() && of(&acme, &row(&ADA)).mark().is_none());
    let at = now();
    assert_eq!(AssignmentId::mint(at, [0; 10]).minted_ms(), named.assignment(at).minted_ms());
    assert_ne!(named.enquiry(at).bytes(), named.assignment(at).bytes());
}

fn news(past: &PastLead<'_>, id: u8) -> lead::Arrival {
    let mut bytes = [id; 10];
    bytes[0] = 0x10;
    lead::Arrival {
        enquiry: EnquiryId::mint(past.received_at, bytes),
        at: past.received_at,
        person: Contactable::default(),
        offer: past.offer.id.clone(),
        category: past.offer.category.clone(),
        source: past.source.id.clone(),
        campaign: None,
        brings: Needs::NONE,
        certificate_warning: None,
        visitor: None,
    }
}

fn placed(dealer: &str, gone: bool) -> Placed {
    Placed { dealer: DealerId::new(dealer).unwrap(), contract: ContractId::new(dealer).unwrap(), gone }
}

const WINDOW: u16 = 30;

/// A lead as rows in this order leave it, with its seats: (received_at, dealer, outcome). Dealers whose name
/// begins with `old` are gone.
fn history(rows: &[(&str, &str, &str)]) -> (Lead, Vec<crate::assignment::Assignment>, Vec<PastMet>) {
    let core = core();
    let mut lead: Option<Lead> = None;
    let (mut seats, mut mets) = (Vec::new(), Vec::new());
    for (n, (at, dealer, outcome)) in rows.iter().enumerate() {
        let row = row(&[
            ("received_at", at),
            ("source", "web"),
            ("email", "ada@mail.example"),
            ("dealer", dealer),
            ("outcome", outcome),
        ]);
        let past = PastLead::read(&row, &core, now(), nobody).unwrap();
        let news = news(&past, n as u8);
        let met = match &mut lead {
            Some(lead) => recall(lead, &news, WINDOW),
            None => PastMet::Opens,
        };
        let lead = lead.get_or_insert_with(|| {
            Lead::open(core.company.id.clone(), LeadScope::Category(past.offer.category.clone()), &news)
        });
        let placed = placed(if dealer.is_empty() { "nobody" } else { dealer }, dealer.starts_with("old"));
        let seat = past.seat(lead, &placed, AssignmentId::mint(past.received_at, [n as u8; 10]), met);
        past.settle(lead, met, seat.as_ref().map(|seat| (seat, &placed)), WINDOW, now());
        seats.extend(seat);
        mets.push(met);
    }
    (lead.unwrap(), seats, mets)
}

fn stage(rows: &[(&str, &str, &str)]) -> (Stage, Vec<String>, Option<String>) {
    let (lead, _, _) = history(rows);
    let holders = lead.holders.iter().map(|holder| holder.dealer.to_string()).collect();
    (lead.stage, holders, lead.closed_at.map(|at| at.to_string()))
}

#[test]
fn the_stage_follows_from_the_outcome() {
    let held = vec!["hudson".to_owned()];
    assert_eq!(stage(&[("2026-05-01", "hudson", "")]), (Stage::Assigned, held.clone(), None));
    let closed = Some("2026-05-01T04:00:00Z".to_owned());
    assert_eq!(stage(&[("2026-05-01", "hudson", "won")]), (Stage::Won, held.clone(), closed.clone()));
    assert_eq!(stage(&[("2026-05-01", "hudson", "lost")]), (Stage::Lost, held.clone(), closed.clone()));
    assert_eq!(stage(&[("2026-05-01", "", "rejected")]), (Stage::Rejected, vec![], closed));
    // In nobody's hands: at the window's end, or now where that is still to come.
    let unsold = |at: &str| (Stage::Expired, Vec::new(), Some(at.to_owned()));
    assert_eq!(stage(&[("2026-04-01", "", "")]), unsold("2026-05-01T04:00:00Z"));
    assert_eq!(stage(&[("2026-05-25", "", "")]), unsold("2026-06-01T16:00:00Z"));
    assert_eq!(stage(&[("2026-04-01", "hudson", "declined")]), unsold("2026-05-01T04:00:00Z"));
    // Held for ninety days without an outcome; and by a dealer who is gone.
    assert_eq!(
        stage(&[("2026-01-01", "hudson", "")]),
        (Stage::Expired, held, Some("2026-04-01T05:00:00Z".to_owned()))
    );
    assert_eq!(stage(&[("2026-04-01", "old-dealer", "")]), unsold("2026-05-01T04:00:00Z"));
}

#[test]
fn an_imported_lead_that_is_held_is_due_when_it_expires_and_not_before() {
    let (lead, seats, _) = history(&[("2026-05-01", "hudson", "contacted")]);
    assert_eq!((lead.due, seats[0].due), (Some(lead.held_until()), None));
    assert_eq!(seats[0].state, AssignmentState::Contacted);
}

#[test]
fn rows_of_one_person_are_repeats_within_the_window_and_cycles_outside() {
    let (lead, seats, mets) = history(&[
        ("2025-11-01", "hudson", "lost"),
        ("2025-11-20", "", ""),
        ("2026-01-10", "ridge", "won"),
        ("2026-01-12", "", "rejected"),
    ]);
    assert_eq!(mets, [PastMet::Opens, PastMet::Repeats, PastMet::Opens, PastMet::Repeats]);
    assert_eq!((lead.cycle, lead.stage, lead.enquiries.len()), (2, Stage::Won, 4));
    assert_eq!(seats.iter().map(|seat| seat.cycle).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn each_buyer_of_a_shared_lead_has_a_row_and_one_who_won_wins_it() {
    let rows =
        [("2026-05-01", "hudson", "lost"), ("2026-05-01", "ridge", "won"), ("2026-05-01", "crest", "lost")];
    let (lead, seats, _) = history(&rows);
    assert_eq!((lead.stage, seats.len(), lead.cycle), (Stage::Won, 3, 1));
    let rows = [("2026-05-01", "hudson", "lost"), ("2026-05-01", "ridge", "accepted")];
    let (lead, ..) = history(&rows);
    assert_eq!((lead.stage, lead.closed_at, lead.due), (Stage::Assigned, None, Some(lead.held_until())));
}

#[test]
fn a_late_row_moves_nothing() {
    let (before, ..) = history(&[("2026-05-01", "hudson", "")]);
    let (lead, seats, mets) = history(&[("2026-05-01", "hudson", ""), ("2025-03-01", "ridge", "won")]);
    assert_eq!(mets[1], PastMet::Late);
    assert_eq!((seats[1].cycle, lead.enquiries.len()), (0, 2));
    let oldest_first: Vec<i32> = lead.enquiries.iter().map(|enquiry| enquiry.day.0).collect();
    assert!(oldest_first.is_sorted());
    assert_eq!(Lead { enquiries: Vec::new(), ..lead }, Lead { enquiries: Vec::new(), ..before });
}

#[test]
fn a_lead_that_arrived_here_is_not_moved_by_history() {
    let (mut lead, ..) = history(&[("2026-05-01", "hudson", "")]);
    lead.last_conclusion = Some("assigned".to_owned());
    let core = core();
    let cells = [
        ("received_at", "2026-05-02"),
        ("source", "web"),
        ("email", "ada@mail.example"),
        ("dealer", "ridge"),
    ];
    let past = PastLead::read(&row(&cells), &core, now(), nobody).unwrap();
    let before = (lead.stage, lead.holders.clone(), lead.due, lead.cycle);
    assert_eq!(recall(&mut lead, &news(&past, 9), WINDOW), PastMet::Late);
    assert_eq!((lead.stage, lead.holders.clone(), lead.due, lead.cycle), before);
}

#[test]
fn what_was_sold_elsewhere_is_neither_charged_nor_credited_here() {
    let (_, seats, _) = history(&[("2026-05-01", "hudson", "contacted")]);
    assert!(seats[0].settled_at.is_some());
    assert_eq!(Line::charge(&seats[0]), None);
    assert_eq!(Line::credit(&seats[0], CreditReason::TakenBack, now()), None);
}

proptest! {
    #[test]
    fn no_history_leaves_a_lead_that_distribution_would_touch(
        mut rows in prop::collection::vec(
            (0_i64..500, prop::sample::select(vec!["", "hudson", "ridge", "old-dealer"]), prop::sample::select(vec!["", "won", "lost", "expired", "rejected"])),
            1..8,
        ),
        sorted in any::<bool>(),
    ) {
        if sorted {
            rows.sort_unstable_by_key(|(days, ..)| std::cmp::Reverse(*days));
        }
        let dated: Vec<(String, &str, &str)> = rows
            .iter()
            .map(|(days, dealer, outcome)| (now().checked_sub(jiff::SignedDuration::from_hours(24 * days)).unwrap().to_string(), *dealer, *outcome))
            .collect();
        let dated: Vec<(&str, &str, &str)> = dated.iter().map(|(at, dealer, outcome)| (at.as_str(), *dealer, *outcome)).collect();
        let (lead, seats, mets) = history(&dated);
        prop_assert!(lead.stage.closed() || lead.stage == Stage::Assigned);
        prop_assert!(lead.due.is_some_and(|due| due > now()));
        prop_assert!(lead.stage != Stage::Assigned || lead.due == Some(lead.held_until()));
        prop_assert!(lead.closed_at.is_none_or(|at| at <= now()));
        prop_assert!(lead.holders.iter().all(|holder| !holder.dealer.as_str().starts_with("old")));
        prop_assert!(seats.iter().all(|seat| seat.imported && seat.due.is_none()));
        prop_assert!(!sorted || !mets.contains(&PastMet::Late));
    }
}

#[test]
fn opening_counts_fill_the_longer_periods_and_contradict_themselves_by_name() {
    let read = |cells: &[(&str, &str)]| OpeningCounts::read(&row(cells));
    let hudson =
        read(&[("contract", "hudson"), ("day", "4"), ("month", "1,204"), ("spent_month", "$120.00")])
            .unwrap();
    assert_eq!((hudson.used, hudson.spent_month.minor()), (Some([0, 4, 4, 1204, 1204]), 12_000));
    let paid = read(&[("Dealer", "hudson"), ("balance", "250")]).unwrap();
    assert_eq!((paid.used, paid.balance.map(|balance| balance.minor())), (None, Some(25_000)));
    assert_eq!(at_fault(read(&[("contract", "a"), ("day", "5"), ("week", "4")])), ["/week"]);
    assert_eq!(at_fault(read(&[("contract", "a"), ("day", "-5"), ("balance", "9")])), ["/day", "/balance"]);
    assert_eq!(at_fault(read(&[("dealer", "a"), ("contract", "a")])), ["/contract"]);
    assert_eq!(at_fault(read(&[("day", "1")])), ["/contract"]);
    assert_eq!(at_fault(read(&[("dealer", "a"), ("spent_month", "9")])), ["/spent_month"]);
}

#[test]
fn a_suppression_list_has_e_mails_and_phones_under_any_name() {
    let read = |cells: &[(&str, &str)]| Listed::read(&row(cells));
    let one =
        read(&[("E-mail", "Ada@Mail.example"), ("Phone Number", "3055550100.0"), ("reason", "Do Not Call")])
            .unwrap();
    assert_eq!(
        (one.email.unwrap().as_str(), one.phone.unwrap().as_str()),
        ("Ada@mail.example", "+13055550100")
    );
    assert_eq!((one.reason.as_deref(), one.remove), (Some("do-not-call"), false));
    assert!(read(&[("value", "ada@mail.example"), ("remove", "Yes")]).unwrap().remove);
    assert!(read(&[("value", "305-555-0100")]).unwrap().phone.is_some());
    // One of two that cannot be understood: whoever is meant, it is not let through.
    assert_eq!(at_fault(read(&[("email", "ada"), ("phone", "305-555-0100")])), ["/email"]);
    assert_eq!(at_fault(read(&[("name", "Ada")])), ["/email"]);
    assert_eq!(at_fault(read(&[("email", "a@b.example"), ("reason", "305 555 0100")])), ["/reason"]);
}
