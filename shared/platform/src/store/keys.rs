//! The data model. Every item of the one table is a [`Key`]: what it is, how it is laid out, who writes
//! it, whether it ever changes.
//!
//! Partition keys begin with a letter that says what stands there. What belongs to a lead stands in
//! the lead's partition, so that its whole story is one query.
//!
//! | module | holds |
//! |---|---|
//! | `layout` | how each key is written: its partition, its place there |
//! | `due` | what a due item is, read back from its keys |
//! | `indexes` | where an item stands in the indexes, and over how many shards |

mod layout;
mod due;
mod indexes;

pub use due::DueKey;
pub use indexes::{
    DECISION_SHARDS, SHARDS, STAGE_SHARDS, arrivals_shard, decisions_shard, due_shard, follow_ups_shard,
    heat_of_stage, inbox, letter_of_stage, opened_of_stage, promised_calls, quarantine_shard,
    quarantine_sort, shard, shard_of_name, source_shard, source_sort, stage_before, stage_groups,
    stage_letter, stage_shard, tests_shard,
};
pub use layout::{DO_NOT_CALL, REPORT_NAMES, REPORT_PARTS, SESSION, SUPPRESSED, invitations, sort_time};

use jiff::civil::Date;
use leadyard_domain::assignment::Assignment;
use leadyard_domain::delivery::Giver;
use leadyard_domain::distribution::ChunkKey;
use leadyard_domain::ids::{
    ActId, AssignmentId, CategoryId, CompanyId, ContractId, DealerId, DecisionId, EnquiryId, ErasureId,
    LeadId, SourceId, VisitorId,
};
use leadyard_domain::ledger::{LineKind, Month};
use leadyard_domain::rulebook::{Invitee, PostbackStatus};
use leadyard_domain::time::UtcDay;

/// Where an item stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// `L#lead` / `L`. The current state and the open cycle, slim, under a version. Written by every
    /// function. At most 1 KB in the usual case. In the indexes *due* and, once it was
    /// looked at, *stage*.
    Lead(LeadId),
    /// `L#lead` / `A#cycle#assignment`. A seat: who, under which contract, frozen price, state, the
    /// first attempts, due time, under a version. Written by distribution, delivery and console.
    /// Under 1 KB. In the indexes *due*, *inbox*.
    Assignment {
        /// The lead.
        lead: LeadId,
        /// Its cycle.
        cycle: u32,
        /// The seat.
        assignment: AssignmentId,
    },
    /// `L#lead` / `D#time#decision`. What was decided, and why: no person in it. Immutable. About 700 bytes, 50 for each
    /// near miss, and some 25 for each contract and dealer whose counters were read, up to
    /// [`EVIDENCE_WHOLE_BYTES`](leadyard_domain::limits::EVIDENCE_WHOLE_BYTES); of more there is a byte or two for each,
    /// what the decision asked. They are left out above [`EVIDENCE_BYTES`](leadyard_domain::limits::EVIDENCE_BYTES), and
    /// the decision says so. Beside it stand the ids of the seats that were given with it. Written by distribution and
    /// console.
    Decision {
        /// The lead.
        lead: LeadId,
        /// When, Unix milliseconds.
        at_ms: i64,
        /// Which.
        decision: DecisionId,
    },
    /// `L#lead` / `M#assignment#event#number[@channel]`. A message to a holder other than the assignment itself
    /// (a repeat, a withdrawal): attempts, state, due time. Written by intake and delivery. In the
    /// index *due*.
    Delivery {
        /// The lead.
        lead: LeadId,
        /// To whom.
        assignment: AssignmentId,
        /// `lead.repeated`, `lead.withdrawn` …
        event: &'a str,
        /// The enquiry that repeated, or `1`; and of a copy the channel that it goes by.
        number: &'a str,
    },
    /// `L#lead` / `H#time#act`. Something the desk did: who, when, before and after. Immutable. Written
    /// by the console.
    Act {
        /// The lead.
        lead: LeadId,
        /// When, Unix milliseconds.
        at_ms: i64,
        /// Which.
        act: ActId,
    },
    /// `L#lead` / `F`. How the lead is followed up: why, which attempt, what is next, who is calling, under a version; no
    /// person in it. Only of leads that are or were followed up. Some 400 bytes. Written by distribution, scoring, console
    /// and sweep. In the index *due* for its next call; once that is due, in *stage* in the day's list of its company, and in
    /// *due* once a day.
    FollowUp(LeadId),
    /// `L#lead` / `Y#day`. Interactions of one UTC day: per kind a set of 8-byte ids, and a set of
    /// revoked ones; per message a set of its clicks, a set of what scanners did, a set of the desk's words. Only
    /// ever added to. Written by scoring and, of words, by the console.
    Activity(LeadId, UtcDay),
    /// `V#company#visitor` / `V`. Whose browser this is, once we know. Written by intake. Expires after
    /// 400 days.
    Visitor(&'a CompanyId, VisitorId),
    /// `V#company#visitor` / `Y#day`. Interactions of someone not yet known. Written by scoring.
    /// Expires after 30 days.
    VisitorActivity(&'a CompanyId, VisitorId, UtcDay),
    /// `E#enquiry` / `E`. An enquiry as received, for proof: what it says is understood anew. What was
    /// received never changes; what a verdict on a quarantined one says is added. Written by intake. 1 to 64 KB: proof is kept whole. In the index *arrivals*; while
    /// it is or was quarantined in *stage*, and in *due* for its deadline, or while it is to be fetched. Expires by the company's
    /// retention.
    Enquiry(EnquiryId),
    /// `E#enquiry` / `P#status`. What became of an enquiry, for its sender to be told: attempts, state, due time. No
    /// person in it. Some 400 bytes. Written with the fact it tells, and by delivery, under a version. In the index
    /// *due*. Expires after 400 days.
    Postback(EnquiryId, PostbackStatus),
    /// `I#hash` / scope. Whose e-mail or phone this is, in one scope: uniqueness is this item's
    /// condition, not a check before an insert. Written by intake.
    Identity {
        /// A keyed hash of company, kind and value.
        hash: &'a str,
        /// `c:category` or `o:offer`.
        scope: &'a str,
    },
    /// `I#hash` / `suppressed`. Whoever has this e-mail or phone is not to be taken in: a word for why, and
    /// since when; never the value. It stands where the identities do, so that intake reads both at once.
    /// Written by importing suppression lists.
    Suppressed {
        /// As in [`Key::Identity`].
        hash: &'a str,
    },
    /// `I#hash` / `do_not_call`. The phone is on the company's do-not-call list. As [`Key::Suppressed`].
    DoNotCall {
        /// As in [`Key::Identity`].
        hash: &'a str,
    },
    /// `Z#company#source#window#shard` / `Z`. What came from a source's pages in ten minutes, as far as it
    /// falls in this shard: how many, and by address, form token and message a set of people, each eight
    /// bytes of a keyed hash. At most a few kilobytes. Written by intake. Expires when no form token that
    /// was opened in it is good any more: after a week, unless the rulebook says otherwise.
    Window {
        /// The company.
        company: &'a CompanyId,
        /// The source.
        source: &'a SourceId,
        /// Ten minutes, counted from the epoch.
        number: i64,
        /// By the address.
        shard: u32,
    },
    /// `K#company#s#source` / `K`. The new leads that a source with a cap has brought, every period an
    /// attribute. Written by intake.
    SourceCaps(&'a CompanyId, &'a SourceId),
    /// `N#company` / `N`. By reason, how many quarantined enquiries were released, and how many rejected.
    /// Written by whoever gives a verdict.
    Verdicts(&'a CompanyId),
    /// `J#company#mark` / `J`. A row of another system, by a keyed hash of the id it had there, and the lead
    /// it became: it comes once, whatever else was put right in it. Immutable. Written by importing history.
    Imported(&'a CompanyId, &'a str),
    /// `Q#company#source#hash` / `Q`. The first answer to an idempotency key. Immutable. Written by
    /// intake. Expires after a day.
    Idempotency {
        /// The company.
        company: &'a CompanyId,
        /// The source.
        source: &'a SourceId,
        /// A hash of the key as sent.
        hash: &'a str,
    },
    /// `K#company#c#contract` / `K`. What a contract has had, every period an attribute, and whose turn
    /// it is. Written by whoever assigns or gives back.
    ContractCaps(&'a CompanyId, &'a ContractId),
    /// `K#company#d#dealer` / `K`. The same for a dealer, across its contracts.
    DealerCaps(&'a CompanyId, &'a DealerId),
    /// `K#company#c#contract` / `returns#month`. How many of a contract's leads charged in that month are
    /// returned, or asked to be. Written by the console.
    ReturnsOfMonth(&'a CompanyId, &'a ContractId, Month),
    /// `B#company#dealer` / `time#kind#assignment`. A line of a dealer's ledger. Immutable. Written by
    /// whoever settles, credits or books a deposit. Some 300 bytes.
    LedgerLine {
        /// Whose bill.
        company: &'a CompanyId,
        /// Who owes.
        dealer: &'a DealerId,
        /// When, Unix milliseconds.
        at_ms: i64,
        /// What it says.
        kind: LineKind,
        /// The assignment, or the deposit's reference.
        what: &'a str,
    },
    /// `B#company#dealer` / `deposit#reference`. A deposit with this reference is booked; how much of it was taken
    /// back, once.
    Deposit(&'a CompanyId, &'a DealerId, &'a str),
    /// `U#company` / `open#assignment`, once decided `done#assignment`. A lead that a dealer asks to
    /// return. Written by the console.
    Return {
        /// Whose lead.
        company: &'a CompanyId,
        /// Whether the desk is still to decide.
        open: bool,
        /// The seat.
        assignment: AssignmentId,
    },
    /// `U#company` / `claim#enquiry`. That what an enquiry cost was claimed back from its source, and with
    /// the return of which seat: once, however many it was sold to. Immutable. Some 150 bytes. Written by the
    /// console.
    Claim(&'a CompanyId, EnquiryId),
    /// `G#company` / `time#act`. A change to a company's switches, rulebook or deposits: who, when, before
    /// and after. Immutable. Written by the console.
    Change {
        /// The company.
        company: &'a CompanyId,
        /// When, Unix milliseconds.
        at_ms: i64,
        /// Which.
        act: ActId,
    },
    /// `R#company` / `current`. Which version is in force. Written by publishing.
    RulebookPointer(&'a CompanyId),
    /// `R#company` / `version#version`. Who put it in force, when, and how. Immutable. Written by publishing.
    RulebookVersion(&'a CompanyId, u64),
    /// `R#company` / `watch`. The version whose unmatched leads are watched: since when, and what was before it. Only where
    /// its rules say so; some 200 bytes. Written by publishing and the sweep. In the index *due* until the watch is over: an
    /// earlier version leaves it due.
    RulebookWatch(&'a CompanyId),
    /// `R#company` / `core#version`. The compiled core. Immutable, at most 256 KB.
    RulebookCore(&'a CompanyId, u64),
    /// `R#company` / `chunk#version#category/state/part`. A compiled chunk. Immutable, at most 256 KB.
    RulebookChunk(&'a CompanyId, u64, &'a ChunkKey),
    /// `R#company` / `text#version#number`. The files as published, in pieces. Immutable, at most 350 KB
    /// each.
    RulebookText(&'a CompanyId, u64, u32),
    /// `R#company` / `draft#id#number`. Files that somebody sent to look at before they are published, in pieces as of
    /// [`Key::RulebookText`]. Immutable, expires after an hour. Written by the console.
    RulebookDraft(&'a CompanyId, &'a str, u32),
    /// `R#company` / `access#version#part`. Who may sign in under this version, and as what: by a keyed hash of the
    /// address. Immutable, some 60 bytes for each; those whose hashes fall in one part.
    RulebookAccess(&'a CompanyId, u64, u32),
    /// `PT#company` / id. A token that was made in the console: what it may do, a hash of it, when it was used last to a
    /// day. Some 300 bytes. Written by the console, and by whoever lets it in.
    ApiToken(&'a CompanyId, &'a str),
    /// `P#companies` / `P`. The companies whose rules let anybody sign in by an address. Written by publishing.
    Companies,
    /// `N#company#dealer` / `C#order`. How one of a dealer's channels fares: breaker, disabled. Only of
    /// channels that failed. Written by delivery and console, under a version. Some 200 bytes.
    Channel {
        /// Whose dealer.
        company: &'a CompanyId,
        /// Whose channel.
        dealer: &'a DealerId,
        /// Which of them.
        order: u8,
    },
    /// `N#company#dealer` / `S`. Which generation of webhook secret the dealer has, and until when the one before
    /// stands beside it; never the secret, which is derived. Written by the console, under a version.
    DealerSecret(&'a CompanyId, &'a DealerId),
    /// `O#company#trial` / `O`. A test of one of a dealer's channels, and how it ended. Written by the console and by
    /// delivery. Expires after a day.
    Trial(&'a CompanyId, ActId),
    /// `LK#company#look` / `L`. Many leads that the desk looks at before something is done with all of them: which, and once
    /// it is sure why; no person in it. At most 60 KB, of a thousand leads. Written by the console. Expires after two hours.
    Look(&'a CompanyId, ActId),
    /// `LK#company#look` / `P#number`. Some of them: what would follow for each, and then what came of it. Some 10 KB.
    /// Written by the console. Expires with the look.
    LookPart(&'a CompanyId, ActId, u32),
    /// `PI#company` / `person#person` or `dealer#dealer`. That somebody was invited to sign in last: by whom, when, and what
    /// became of the mail; their address until delivery begins to send it, and not after. Some 300 bytes. Written by the
    /// console and by delivery, under a version. Kept while the company is: an earlier version asks for none.
    Invitation(&'a CompanyId, &'a Invitee),
    /// `NG#company#dealer` / `G`. What the dealer gave us in confidence, sealed: at most ten secrets, some 15 KB where
    /// all are as long as they may be, else less than 1 KB. In a partition of its own: only templates that name
    /// one read it. Written by the console, under a version.
    /// Of a source `NS#company#source` / `G`: the secret of its app at Meta; intake reads it with each notice.
    GivenSecrets(&'a CompanyId, Giver<'a>),
    /// `S#company` / `S`. Stop and pauses, under a version. Written by the console.
    Switches(&'a CompanyId),
    /// `W#company` / `W#category`. Leads of this category are to be woken: how many at most, and whose
    /// slots came free; of everybody, up to where they are due. Written by publishing, switches and whoever gives a slot back. In the index *due*.
    Wake(&'a CompanyId, &'a CategoryId),
    /// `W#company` / `W#category#time`. Somebody comes free at this time, and leads of this company wait for it: the
    /// best of them are to be woken. It stands under the first of the rulebook's categories, whatever theirs.
    /// Immutable but for its due time. Written by distribution, who deletes it. Some 100 bytes. In the index
    /// *due*.
    WakeAt {
        /// Whose leads.
        company: &'a CompanyId,
        /// The first of its rulebook's categories.
        category: &'a CategoryId,
        /// When, Unix milliseconds.
        at_ms: i64,
    },
    /// `X#company` / `E#erasure`. A person's erasure: when, by whom, which leads, and keyed hashes of what they were
    /// known by; no person. Under a version, kept for good: it is the ledger that is applied again after a restore.
    /// A few KB at most. Written by the console and the sweep. In the index *due* until it is done.
    Erasure(&'a CompanyId, ErasureId),
    /// `T#company` / `P#day#shard`. What happened on a day of the company, as far as one shard of the table's stream said
    /// it: sums, packed, with the last sequence number that is in them, under a version. Some 50 bytes for each value of
    /// a dimension, at most [`REPORT_PART_BYTES`](leadyard_domain::limits::REPORT_PART_BYTES): more are laid beside it
    /// under `shard/version.n`. Written by reporting. Once sealed or counted anew it is empty, and expires after eight
    /// days: until then it knows what it has counted.
    ReportPart {
        /// Whose.
        company: &'a CompanyId,
        /// Which day, in the company's zone.
        day: Date,
        /// The stream's shard.
        shard: &'a str,
    },
    /// `T#company` / `S`. Counts the sealings of a company's days, so that two at a time do not overwrite each other.
    /// Written by reporting.
    ReportSeal(&'a CompanyId),
    /// `T#company` / `N#2026`. The campaigns of a year that reports name, each with the day since which it is, and
    /// whether anything is in the rest; under a version. Some 40 bytes a campaign, at most 2,200 of them and 300 KB; usually
    /// under 5 KB. Written by reporting. Kept for good: no person is in it.
    ReportNames(&'a CompanyId, i16),
    /// `T#company#table` / `day#2026-06-01`, `part#2026-06-01` (of eight days), `month#2026-06-01` or
    /// `quarter#2026-04-01`. What happened on days that are sealed, by one dimension: counters in one table, times in
    /// another (`source`, `source/times`). Some 50 bytes for each value to which something happened, usually under 1 KB,
    /// at most [`REPORT_TABLE_BYTES`](leadyard_domain::limits::REPORT_TABLE_BYTES): a larger one goes on under
    /// `day#2026-06-01#1`, and the first says how many there are. Written by reporting when it seals. Kept for good: no
    /// person is in it.
    ReportTable {
        /// Whose.
        company: &'a CompanyId,
        /// Which dimension, and what of it.
        table: &'a str,
        /// Which day, or which of what it is in.
        period: &'a str,
    },
    /// `T#company` / `N`. What matters of a company now: how much waits for the desk, and which leads stand at the top of
    /// its lists; see [`crate::now`]. No person is in it. Under 24 KB. Due when it is to be counted though nothing more
    /// happens. Written by reporting and the sweep; the console, and the import of counts, take away what they outdated.
    Now(&'a CompanyId),
    /// `T#company` / `O#time#part`. Offers of a company that lapse within a quarter of an hour, by its beginning, and by
    /// their leads in one of eight parts: an attribute for each, named by its assignment, which says where it stands and
    /// when it lapses. Some 100 bytes each. Written by reporting, when an offer is made and when it ends. Expires a day
    /// later.
    Lapsing {
        /// Whose.
        company: &'a CompanyId,
        /// Unix milliseconds.
        from_ms: i64,
        /// Which part.
        part: u8,
    },
    /// `TA#shard` / sequence number. A record of the stream that could not be read, set aside: where its item stands and
    /// when it was seen, nothing of what it says. Written by reporting. Expires after 30 days.
    ReportAside {
        /// The stream's shard.
        shard: &'a str,
        /// Its sequence number.
        sequence: &'a str,
    },
    /// `P` / `P`. Which synthetic lead was sent last, and when. Written by the sweep.
    Synthetic,
    /// `F#hash` / `F`. Whoever has this e-mail or phone was erased, and when: what was sent before that is not taken in
    /// when it arrives later. Apart from [`Key::Identity`], whose partition an earlier version reads as scopes.
    Forgotten {
        /// As in [`Key::Identity`].
        hash: &'a str,
    },
    /// `P#whose` / `S#hash`. That a session is somebody's, so that all of theirs can be ended: whose by the keyed hash
    /// of their address, or by a hash of what their token says. Written by the console. Expires with the session.
    SessionOf {
        /// Whoever signed in.
        whose: &'a str,
        /// Of the cookie.
        hash: &'a str,
    },
    /// `T#hash` / `T`. Somebody who signed in at the console: who, of which companies or which dealer, since when. Known by a hash of
    /// the cookie. Some 300 bytes. Written by the console. Expires with the session.
    Session {
        /// Of the cookie.
        hash: &'a str,
    },
}

/// The key of an assignment.
pub fn assignment(assignment: &Assignment) -> Key<'static> {
    Key::Assignment { lead: assignment.lead, cycle: assignment.cycle, assignment: assignment.id }
}
