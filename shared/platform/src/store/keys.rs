//! The data model. Every item of the one table is a [`Key`]: what it is, how it is laid out, who writes
//! it, whether it ever changes.
//!
//! Partition keys begin with a letter that says what stands there. What belongs to a lead stands in
//! the lead's partition, so that its whole story is one query.

use jiff::Timestamp;
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
use leadyard_domain::scoring::FitLetter;
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

/// How the sort keys of a company's partial sums begin.
pub const REPORT_PARTS: &str = "P#";
/// How the sort keys of a company's named campaigns begin.
pub const REPORT_NAMES: &str = "N#";

/// How the sort keys of somebody's sessions begin.
pub const SESSION: &str = "S#";

/// The sort key of a suppression: no scope is written so.
pub const SUPPRESSED: &str = "suppressed";
/// The sort key of a do-not-call entry.
pub const DO_NOT_CALL: &str = "do_not_call";

impl Key<'_> {
    /// The partition key.
    pub fn pk(&self) -> String {
        match self {
            Self::Lead(lead)
            | Self::Assignment { lead, .. }
            | Self::Decision { lead, .. }
            | Self::Delivery { lead, .. }
            | Self::Act { lead, .. }
            | Self::FollowUp(lead)
            | Self::Activity(lead, _) => format!("L#{lead}"),
            Self::Visitor(company, visitor) | Self::VisitorActivity(company, visitor, _) => {
                format!("V#{company}#{visitor}")
            }
            Self::Enquiry(enquiry) | Self::Postback(enquiry, _) => format!("E#{enquiry}"),
            Self::Identity { hash, .. } | Self::Suppressed { hash } | Self::DoNotCall { hash } => {
                format!("I#{hash}")
            }
            Self::Window { company, source, number, shard } => {
                format!("Z#{company}#{source}#{number}#{shard}")
            }
            Self::SourceCaps(company, source) => format!("K#{company}#s#{source}"),
            Self::Verdicts(company) => format!("N#{company}"),
            Self::Imported(company, mark) => format!("J#{company}#{mark}"),
            Self::Idempotency { company, source, hash } => format!("Q#{company}#{source}#{hash}"),
            Self::ContractCaps(company, contract) => format!("K#{company}#c#{contract}"),
            Self::DealerCaps(company, dealer) => format!("K#{company}#d#{dealer}"),
            Self::ReturnsOfMonth(company, contract, _) => format!("K#{company}#c#{contract}"),
            Self::LedgerLine { company, dealer, .. } | Self::Deposit(company, dealer, _) => {
                format!("B#{company}#{dealer}")
            }
            Self::Return { company, .. } => format!("U#{company}"),
            Self::Change { company, .. } => format!("G#{company}"),
            Self::RulebookPointer(company)
            | Self::RulebookVersion(company, _)
            | Self::RulebookWatch(company)
            | Self::RulebookCore(company, _)
            | Self::RulebookChunk(company, _, _)
            | Self::RulebookText(company, _, _)
            | Self::RulebookDraft(company, _, _)
            | Self::RulebookAccess(company, _, _) => format!("R#{company}"),
            Self::ApiToken(company, _) => format!("PT#{company}"),
            Self::Companies => "P#companies".to_owned(),
            Self::Channel { company, dealer, .. } | Self::DealerSecret(company, dealer) => {
                format!("N#{company}#{dealer}")
            }
            Self::Trial(company, trial) => format!("O#{company}#{trial}"),
            Self::Look(company, look) | Self::LookPart(company, look, _) => format!("LK#{company}#{look}"),
            Self::Invitation(company, _) => invitations(company),
            Self::GivenSecrets(company, Giver::Dealer(dealer)) => format!("NG#{company}#{dealer}"),
            Self::GivenSecrets(company, Giver::Source(source)) => format!("NS#{company}#{source}"),
            Self::Switches(company) => format!("S#{company}"),
            Self::Wake(company, _) | Self::WakeAt { company, .. } => format!("W#{company}"),
            Self::Erasure(company, _) => format!("X#{company}"),
            Self::ReportPart { company, .. }
            | Self::ReportSeal(company)
            | Self::ReportNames(company, _)
            | Self::Now(company)
            | Self::Lapsing { company, .. } => format!("T#{company}"),
            Self::ReportTable { company, table, .. } => format!("T#{company}#{table}"),
            Self::ReportAside { shard, .. } => format!("TA#{shard}"),
            Self::Forgotten { hash } => format!("F#{hash}"),
            Self::SessionOf { whose, .. } => format!("P#{whose}"),
            Self::Session { hash } => format!("T#{hash}"),
            Self::Synthetic => "P".to_owned(),
        }
    }

    /// The sort key.
    pub fn sk(&self) -> String {
        match self {
            Self::Lead(_) => "L".to_owned(),
            Self::Assignment { cycle, assignment, .. } => format!("A#{cycle:05}#{assignment}"),
            Self::Decision { at_ms, decision, .. } => format!("D#{}#{decision}", sort_time(*at_ms)),
            Self::Delivery { assignment, event, number, .. } => format!("M#{assignment}#{event}#{number}"),
            Self::Act { at_ms, act, .. } => format!("H#{}#{act}", sort_time(*at_ms)),
            Self::ReturnsOfMonth(_, _, month) => format!("returns#{month}"),
            Self::LedgerLine { at_ms, kind, what, .. } => format!("{}#{kind}#{what}", sort_time(*at_ms)),
            Self::Deposit(_, _, reference) => format!("deposit#{reference}"),
            Self::Return { open, assignment, .. } => {
                format!("{}#{assignment}", if *open { "open" } else { "done" })
            }
            Self::Change { at_ms, act, .. } => format!("{}#{act}", sort_time(*at_ms)),
            Self::Activity(_, day) | Self::VisitorActivity(_, _, day) => format!("Y#{:07}", day.0),
            Self::Visitor(_, _) => "V".to_owned(),
            Self::Enquiry(_) => "E".to_owned(),
            Self::Postback(_, status) => format!("P#{status}"),
            Self::Identity { scope, .. } => (*scope).to_owned(),
            Self::Suppressed { .. } => SUPPRESSED.to_owned(),
            Self::DoNotCall { .. } => DO_NOT_CALL.to_owned(),
            Self::Window { .. } => "Z".to_owned(),
            Self::Verdicts(_) => "N".to_owned(),
            Self::Imported(_, _) => "J".to_owned(),
            Self::Idempotency { .. } => "Q".to_owned(),
            Self::ContractCaps(_, _) | Self::DealerCaps(_, _) | Self::SourceCaps(_, _) => "K".to_owned(),
            Self::RulebookPointer(_) => "current".to_owned(),
            Self::RulebookVersion(_, version) => format!("version#{version:010}"),
            Self::RulebookWatch(_) => "watch".to_owned(),
            Self::RulebookCore(_, version) => format!("core#{version:010}"),
            Self::RulebookChunk(_, version, chunk) => format!("chunk#{version:010}#{chunk}"),
            Self::RulebookText(_, version, number) => format!("text#{version:010}#{number:05}"),
            Self::RulebookDraft(_, draft, number) => format!("draft#{draft}#{number:05}"),
            Self::RulebookAccess(_, version, part) => format!("access#{version:010}#{part:05}"),
            Self::ApiToken(_, id) => (*id).to_owned(),
            Self::Companies => "P".to_owned(),
            Self::Channel { order, .. } => format!("C#{order}"),
            Self::Trial(_, _) => "O".to_owned(),
            Self::Look(_, _) => "L".to_owned(),
            Self::LookPart(_, _, number) => format!("P#{number:05}"),
            Self::Invitation(_, to) => format!("{}#{}", to.kind(), to.id()),
            Self::GivenSecrets(_, _) => "G".to_owned(),
            Self::Switches(_) | Self::DealerSecret(_, _) => "S".to_owned(),
            Self::Wake(_, category) => format!("W#{category}"),
            Self::WakeAt { category, at_ms, .. } => format!("W#{category}#{}", sort_time(*at_ms)),
            Self::Erasure(_, erasure) => format!("E#{erasure}"),
            Self::ReportPart { day, shard, .. } => format!("{REPORT_PARTS}{day}#{shard}"),
            Self::ReportSeal(_) => "S".to_owned(),
            Self::Now(_) => "N".to_owned(),
            Self::Lapsing { from_ms, part, .. } => format!("O#{}#{part}", sort_time(*from_ms)),
            Self::ReportNames(_, year) => format!("{REPORT_NAMES}{year:04}"),
            Self::ReportTable { period, .. } => (*period).to_owned(),
            Self::ReportAside { sequence, .. } => (*sequence).to_owned(),
            Self::Forgotten { .. } | Self::FollowUp(_) => "F".to_owned(),
            Self::SessionOf { hash, .. } => format!("{SESSION}{hash}"),
            Self::Session { .. } => "T".to_owned(),
            Self::Synthetic => "P".to_owned(),
        }
    }
}

/// The partition in which a company's invitations stand.
pub fn invitations(company: &CompanyId) -> String {
    format!("PI#{company}")
}

/// The key of an assignment.
pub fn assignment(assignment: &Assignment) -> Key<'static> {
    Key::Assignment { lead: assignment.lead, cycle: assignment.cycle, assignment: assignment.id }
}

/// What a due item is, read back from its keys alone: the due index projects nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DueKey {
    /// A lead to distribute or to expire.
    Lead(LeadId),
    /// An assignment to deliver.
    Assignment(LeadId, u32, AssignmentId),
    /// A message to deliver.
    Delivery {
        /// The lead.
        lead: LeadId,
        /// To whom.
        assignment: AssignmentId,
        /// Which event.
        event: String,
        /// Which of them.
        number: String,
    },
    /// Leads to wake.
    Wake(CompanyId, CategoryId),
    /// Leads that wait for this instant, Unix milliseconds. An earlier version reads it as [`DueKey::Wake`], finds
    /// nobody, and leaves it due.
    WakeAt(CompanyId, CategoryId, i64),
    /// A quarantined enquiry whose deadline is there, or one that is to be fetched.
    Enquiry(EnquiryId),
    /// A sender that is to be told.
    Postback(EnquiryId, PostbackStatus),
    /// An erasure that is not done.
    Erasure(CompanyId, ErasureId),
    /// A lead that is to be called, or whose place in the day's list is to be looked at. An earlier version leaves it due.
    FollowUp(LeadId),
    /// A company's publish that is watched. An earlier version leaves it due.
    Watch(CompanyId),
    /// What matters of a company now, which is to be counted. An earlier version leaves it due.
    Now(CompanyId),
}

impl DueKey {
    /// Reads the keys of an item of the due index; `None` for what was never put there.
    pub fn read(pk: &str, sk: &str) -> Option<Self> {
        let (kind, owner) = pk.split_once('#')?;
        let mut parts = sk.split('#');
        match (kind, parts.next()?) {
            ("L", "L") => Some(Self::Lead(owner.parse().ok()?)),
            ("L", "F") => Some(Self::FollowUp(owner.parse().ok()?)),
            ("L", "A") => Some(Self::Assignment(
                owner.parse().ok()?,
                parts.next()?.parse().ok()?,
                parts.next()?.parse().ok()?,
            )),
            ("L", "M") => Some(Self::Delivery {
                lead: owner.parse().ok()?,
                assignment: parts.next()?.parse().ok()?,
                event: parts.next()?.to_owned(),
                number: parts.next()?.to_owned(),
            }),
            ("E", "P") => Some(Self::Postback(owner.parse().ok()?, parts.next()?.parse().ok()?)),
            ("E", "E") => Some(Self::Enquiry(owner.parse().ok()?)),
            ("R", "watch") => Some(Self::Watch(owner.parse().ok()?)),
            ("T", "N") => Some(Self::Now(owner.parse().ok()?)),
            ("X", "E") => Some(Self::Erasure(owner.parse().ok()?, parts.next()?.parse().ok()?)),
            ("W", "W") => {
                let (company, category) = (owner.parse().ok()?, parts.next()?.parse().ok()?);
                match parts.next() {
                    None => Some(Self::Wake(company, category)),
                    Some(at_ms) => Some(Self::WakeAt(company, category, at_ms.parse().ok()?)),
                }
            }
            _ => None,
        }
    }
}

/// Shards of every index partition: a single one takes at most 1,000 writes a second, and an index that
/// is throttled throttles the table behind it.
pub const SHARDS: u8 = 8;

/// Shards of the leads of one stage and category in the *stage* index. Fewer, since whoever asks for the hottest reads all
/// of them at each look, and no company moves two thousand leads of a category within a second.
pub const STAGE_SHARDS: u8 = 2;

/// Shards of a company's decisions of a day in the *arrivals* index. Whoever asks of a day of theirs reads all of them, of
/// up to two days of UTC.
pub const DECISION_SHARDS: u8 = 4;

/// The shard of an id: its last byte is random.
pub fn shard(id: &[u8; 16]) -> u8 {
    id[15] % SHARDS
}

/// The shard of what goes by a name.
pub fn shard_of_name(name: &str) -> u8 {
    name.bytes().fold(0, u8::wrapping_add) % SHARDS
}

/// The partition of the *due* index.
pub fn due_shard(shard: u8) -> String {
    format!("due#{shard}")
}

/// The partition of the *stage* index.
pub fn stage_shard(company: &CompanyId, stage: &str, category: &CategoryId, shard: u8) -> String {
    format!("{company}#{stage}#{category}#{shard}")
}

/// How the sort keys of a fit letter begin in the *stage* index: read backwards, A stands first.
pub fn stage_letter(letter: FitLetter) -> String {
    let place = match letter {
        FitLetter::A => 3,
        FitLetter::B => 2,
        FitLetter::C => 1,
    };
    format!("{place}")
}

/// How the sort keys of each fit letter begin, and those of who was never scored, the best first.
pub fn stage_groups() -> Vec<String> {
    FitLetter::ALL.iter().map(|letter| stage_letter(*letter)).chain(["0".to_owned()]).collect()
}

/// The engagement key of a sort key of the *stage* index: see [`leadyard_domain::scoring::HeatKey`].
pub fn heat_of_stage(sort: &str) -> Option<i64> {
    let heat: u64 = sort.split('#').nth(1)?.parse().ok()?;
    Some((heat ^ (1 << 63)) as i64)
}

/// When the cycle began of who stands at a sort key of the *stage* index, as [`sort_time`] writes it.
pub fn opened_of_stage(sort: &str) -> Option<&str> {
    sort.split('#').nth(2)
}

/// The fit letter of a sort key of the *stage* index; none, where it was never scored.
pub fn letter_of_stage(sort: &str) -> Option<FitLetter> {
    FitLetter::ALL.iter().find(|letter| sort.starts_with(&stage_letter(**letter))).copied()
}

/// Behind every sort key of a fit letter: `$` stands right behind the `#` that ends the letter.
pub fn after_stage_letter(letter: FitLetter) -> String {
    format!("{}$", stage_letter(letter))
}

/// The partition of the *stage* index in which a company's leads that are to be called now stand. No stage is called so.
pub fn follow_ups_shard(company: &CompanyId, shard: u8) -> String {
    format!("{company}#follow_up#due#{shard}")
}

/// That in which those stand who were promised a call and whose time has come: people promise them one by one, and no
/// shards are needed.
pub fn promised_calls(company: &CompanyId) -> String {
    format!("{company}#follow_up#promised#0")
}

/// The partition of the *stage* index in which quarantined enquiries stand: those that are open, or those
/// that were decided.
pub fn quarantine_shard(company: &CompanyId, open: bool, shard: u8) -> String {
    format!("{company}#quarantine#{}#{shard}", if open { "open" } else { "done" })
}

/// The partition of the *stage* index in which a company's test enquiries stand.
pub fn tests_shard(company: &CompanyId, shard: u8) -> String {
    format!("{company}#tests#{shard}")
}

/// The sort key there: in order of arrival.
pub fn quarantine_sort(received_at: Timestamp, enquiry: EnquiryId) -> String {
    format!("{}#{enquiry}", sort_time(received_at.as_millisecond()))
}

/// The partition of the *inbox* index.
pub fn inbox(company: &CompanyId, dealer: &DealerId) -> String {
    format!("{company}#{dealer}")
}

/// A time in a sort key, Unix milliseconds: 14 digits, so that text sorts as time does, from 1970 to 5138.
pub fn sort_time(at_ms: i64) -> String {
    const LAST: i64 = 99_999_999_999_999;
    format!("{:014}", at_ms.clamp(0, LAST))
}

/// The partition of the *arrivals* index in which decisions stand.
pub fn decisions_shard(company: &CompanyId, day: UtcDay, shard: u8) -> String {
    format!("{company}#decided#{}#{shard}", day.0)
}

/// The partition of the *arrivals* index in which the leads of a source stand, by when each asked last.
pub fn source_shard(company: &CompanyId, source: &SourceId, shard: u8) -> String {
    format!("{company}#source#{source}#{shard}")
}

/// Its sort key there: the millisecond in which its person asked last, and six digits of its id, since the rows of a file
/// may all be of one millisecond.
pub fn source_sort(asked_at: Timestamp, lead: LeadId) -> i64 {
    const WITHIN: u32 = 1_000_000;
    let [.., a, b, c, d] = *lead.bytes();
    let within = u32::from_be_bytes([a, b, c, d]) % WITHIN;
    asked_at.as_millisecond().max(0) * i64::from(WITHIN) + i64::from(within)
}

/// The partition of the *arrivals* index in which a day's enquiries stand.
pub fn arrivals_shard(company: &CompanyId, day: UtcDay, shard: u8) -> String {
    format!("{company}#{}#{shard}", day.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_due_item_is_known_by_its_keys_alone() {
        let lead = LeadId::from_bytes([1; 16]);
        let assignment = AssignmentId::from_bytes([2; 16]);
        let company = CompanyId::new("acme").unwrap();
        let category = CategoryId::new("roofing").unwrap();
        let read = |key: Key<'_>| DueKey::read(&key.pk(), &key.sk());
        assert_eq!(read(Key::Lead(lead)), Some(DueKey::Lead(lead)));
        assert_eq!(read(Key::FollowUp(lead)), Some(DueKey::FollowUp(lead)));
        assert_eq!(
            read(Key::Assignment { lead, cycle: 3, assignment }),
            Some(DueKey::Assignment(lead, 3, assignment))
        );
        assert_eq!(
            read(Key::Delivery { lead, assignment, event: "lead.withdrawn", number: "1" }),
            Some(DueKey::Delivery { lead, assignment, event: "lead.withdrawn".into(), number: "1".into() })
        );
        assert_eq!(
            read(Key::Wake(&company, &category)),
            Some(DueKey::Wake(company.clone(), category.clone()))
        );
        assert_eq!(
            read(Key::WakeAt { company: &company, category: &category, at_ms: 7 }),
            Some(DueKey::WakeAt(company.clone(), category.clone(), 7))
        );
        let enquiry = EnquiryId::from_bytes([3; 16]);
        assert_eq!(read(Key::Enquiry(enquiry)), Some(DueKey::Enquiry(enquiry)));
        let erasure = ErasureId::from_bytes([4; 16]);
        assert_eq!(read(Key::Erasure(&company, erasure)), Some(DueKey::Erasure(company.clone(), erasure)));
        assert_eq!(
            read(Key::Postback(enquiry, PostbackStatus::Sold)),
            Some(DueKey::Postback(enquiry, PostbackStatus::Sold))
        );
        assert_eq!(read(Key::RulebookWatch(&company)), Some(DueKey::Watch(company.clone())));
        assert_eq!(read(Key::Now(&company)), Some(DueKey::Now(company.clone())));
        assert_eq!(read(Key::RulebookPointer(&company)), None);
        assert_eq!(read(Key::Switches(&company)), None);
    }

    #[test]
    fn what_belongs_to_a_lead_stands_in_its_partition_in_order_of_time() {
        let lead = LeadId::from_bytes([1; 16]);
        let decision = DecisionId::from_bytes([2; 16]);
        let early = Key::Decision { lead, at_ms: 999_999_999_999, decision };
        let late = Key::Decision { lead, at_ms: 1_000_000_000_000, decision };
        assert_eq!(early.pk(), Key::Lead(lead).pk());
        assert!(early.sk() < late.sk());
    }
}
