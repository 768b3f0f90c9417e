//! Every maximum in the system, in one place.

/// A slug (`hudson-roofing`), in bytes.
pub const SLUG_BYTES: usize = 48;
/// An HTTP body, in bytes (64 KiB).
pub const BODY_BYTES: usize = 64 * 1024;
/// A rulebook with all its files, in bytes (16 MiB).
pub const RULEBOOK_BYTES: usize = 16 * 1024 * 1024;
/// Files of a rulebook as a browser sends them, in bytes (4 MiB): a request of Lambda's is at most 6 MB, in which they
/// stand as base64. Packed, that is a rulebook of [`RULEBOOK_BYTES`].
pub const UPLOAD_BYTES: usize = 4 * 1024 * 1024;
/// Fields of one enquiry.
pub const ENQUIRY_FIELDS: usize = 200;
/// Parts of a form with files: more than fit into an enquiry of [`BODY_BYTES`].
pub const FORM_PARTS: usize = 2_000;
/// A field's name, in bytes.
pub const FIELD_NAME_BYTES: usize = 64;
/// A standard text field (name, street, city …), in characters.
pub const TEXT_CHARS: usize = 200;
/// The message, in characters.
pub const MESSAGE_CHARS: usize = 4_000;
/// An unknown field's value that is kept, in bytes.
pub const EXTRA_BYTES: usize = 512;
/// How deep JSON may nest.
pub const JSON_DEPTH: usize = 16;
/// How deep XML may nest.
pub const XML_DEPTH: usize = 32;
/// Prospects of one ADF document.
pub const PROSPECTS: usize = 50;
/// Leads that one notice of Meta's may name.
pub const NOTICES: usize = 1_000;
/// A post of Meta's, in bytes: some 250 for each notice, and more than a thousand of them.
pub const NOTICES_BYTES: usize = 1024 * 1024;
/// For how many days a lead that Meta told of is asked for.
pub const META_FETCH_DAYS: i64 = 7;
/// An e-mail address, in bytes (RFC 5321).
pub const EMAIL_BYTES: usize = 254;
/// A telephone number as typed, in bytes.
pub const PHONE_BYTES: usize = 40;
/// An idempotency key, in bytes.
pub const IDEMPOTENCY_KEY_BYTES: usize = 128;
/// How long an idempotency key is remembered, in hours.
pub const IDEMPOTENCY_HOURS: i64 = 96;
/// Interactions in one post.
pub const INTERACTIONS_PER_POST: usize = 100;
/// An interaction's id, in bytes.
pub const INTERACTION_ID_BYTES: usize = 128;
/// How far in the past an interaction may lie, in days.
pub const INTERACTION_PAST_DAYS: i64 = 400;
/// How far in the future an interaction's or enquiry's own clock may be, in hours.
pub const CLOCK_AHEAD_HOURS: i64 = 24;
/// Interaction kinds of one scoring model.
pub const INTERACTION_KINDS: usize = 64;
/// Enquiries a lead remembers by id in its own item (older ones stay in the arrivals index).
pub const ENQUIRIES_ON_LEAD: usize = 100;
/// Persons of earlier cycles that a lead remembers.
pub const FORMER_PERSONS: usize = 8;
/// For how long after the enquiry that opens a cycle the further steps of its form may come, in minutes.
pub const FORM_MINUTES: i64 = 60;
/// Further steps of a form: as many as one person sends within the hour before that is a sign by itself.
pub const FORM_STEPS: usize = 20;
/// Visitors linked to one lead.
pub const VISITORS_PER_LEAD: usize = 8;
/// Leads that one lead may have taken in by merging.
pub const MERGED_PER_LEAD: usize = 20;
/// Leads of one person in one company that are erased or exported at once.
pub const LEADS_PER_PERSON: usize = 200;
/// E-mails and phones of one person.
pub const IDENTITIES_PER_PERSON: usize = 500;
/// How long after an erasure everything is looked through once more, in minutes: what was under way has arrived.
pub const ERASURE_AGAIN_MINUTES: i64 = 60;
/// Erasures in one page of the ledger, or of one request that applies them again.
pub const ERASURES_PAGE: usize = 100;
/// Different surnames with which an e-mail or phone still identifies one person.
pub const SURNAMES_PER_IDENTITY: usize = 2;
/// Origins of one source; they stand in its page key.
pub const ORIGINS_PER_SOURCE: usize = 8;
/// Offers, sources, named areas, dealers, contracts of one rulebook.
pub const OFFERS: usize = 1_000;
/// Sources of one rulebook.
pub const SOURCES: usize = 10_000;
/// Area parts (rows of `areas.csv`) of one rulebook.
pub const AREA_PARTS: usize = 500_000;
/// Dealers of one rulebook.
pub const DEALERS: usize = 100_000;
/// Contracts of one rulebook.
pub const CONTRACTS: usize = 100_000;
/// A workbook with all its parts inflated, in bytes (256 MiB): some ten times the largest rulebook as text.
pub const WORKBOOK_BYTES: usize = 256 * 1024 * 1024;
/// Parts of a workbook: sheets, styles, notes.
pub const WORKBOOK_PARTS: usize = 1_000;
/// Files of a rulebook's archive, folders and what a system leaves beside them included.
pub const ARCHIVE_FILES: usize = 200;
/// Texts that a workbook may claim to hold.
pub const WORKBOOK_STRINGS: usize = 4_000_000;
/// Lines of a difference between two rulebooks that are listed: a row, or a column of it.
pub const DIFF_LINES: usize = 1_000;
/// Text of a difference that is listed, in bytes.
pub const DIFF_BYTES: usize = 256 * 1024;
/// By how many percentage points the share of unmatched leads may be said to rise before a publish rolls itself back: less
/// than five is noise.
pub const ROLLBACK_POINTS: std::ops::RangeInclusive<u32> = 5..=100;
/// Of how many new leads at least, before and after; and where the rulebook says nothing.
pub const ROLLBACK_LEADS: std::ops::RangeInclusive<u32> = 20..=200;
/// See [`ROLLBACK_LEADS`].
pub const ROLLBACK_USUAL_LEADS: u32 = 50;
/// For how many hours a publish is watched; and where the rulebook says nothing.
pub const ROLLBACK_HOURS: std::ops::RangeInclusive<u32> = 1..=48;
/// See [`ROLLBACK_HOURS`].
pub const ROLLBACK_USUAL_HOURS: u32 = 2;
/// For how many hours before a publish leads are compared with those after it.
pub const ROLLBACK_BEFORE_HOURS: i64 = 24;
/// Within how many minutes of its opening a cycle's first decision counts: who waited for a person first says nothing.
pub const ROLLBACK_FRESH_MINUTES: i64 = 15;
/// The decisions that one look at a publish reads, and one at the time before it: the newest.
pub const ROLLBACK_DECISIONS: usize = 500;
/// The least time between two looks at a publish, in minutes.
pub const ROLLBACK_LOOK_LEAST_MINUTES: i64 = 2;
/// And the most.
pub const ROLLBACK_LOOK_MOST_MINUTES: i64 = 60;
/// Problems one check reports before it stops.
pub const PROBLEMS: usize = 200;
/// The widest radius, in miles.
pub const RADIUS_MILES: u32 = 500;
/// Seats of a shared lead.
pub const SEATS: u8 = 10;
/// The largest cap.
pub const CAP: u32 = 1_000_000;
/// The last tier.
pub const TIER: u8 = 99;
/// The largest weight of a contract.
pub const WEIGHT: u32 = 1_000;
/// Steps of one ranking.
pub const RANKING_STEPS: usize = 8;
/// Near misses kept on a decision record.
pub const NEAR_MISSES: usize = 10;
/// Up to so many bytes, everything that a decision read is kept with it; of more, what it asked. A record is to have two
/// kilobytes, of which facts and nearest misses take most.
pub const EVIDENCE_WHOLE_BYTES: usize = 512;
/// Counters of which what was asked is kept; of more, everything is.
pub const EVIDENCE_ASKED: usize = 4_096;
/// What a decision read, as kept with it, in bytes: several thousand contracts' counters. It must fit an item of the
/// table, 400 KB, beside the rest of the decision, and in base64 where an earlier version kept it.
pub const EVIDENCE_BYTES: usize = 256 * 1024;
/// The longest deadline, in minutes (two weeks).
pub const DEADLINE_MINUTES: u32 = 20_160;
/// The longest window of returns, in days.
pub const RETURN_DAYS: u32 = 90;
/// Reasons for which a contract's leads may be returned.
pub const RETURN_REASONS: usize = 20;
/// The longest look-back of a ranking by performance, in days: that of the counters kept.
pub const PERFORMANCE_DAYS: u16 = 182;
/// The largest minimum sample of a ranking by performance, in leads.
pub const PERFORMANCE_SAMPLE: u32 = 10_000;
/// A note or reason of the desk or a dealer, in characters.
pub const NOTE_CHARS: usize = 2_000;
/// Leads of one act on many.
pub const LEADS_PER_ACT: usize = 100;
/// Leads that a count of the waiting room looks at.
pub const WAITING_EXAMINED: usize = 20_000;
/// Decisions that a dealer's "why nothing today" makes again, the newest of the day: a read each hundred, and the page
/// stays within twenty reads and fifty milliseconds.
pub const DECISIONS_EXAMINED: usize = 300;
/// Decisions in one page of history.
pub const HISTORY_PAGE: usize = 200;
/// A page of history, in bytes as it stands in the answer of a Lambda function, which has 6 MB: of some
/// hundreds of candidates a decision has a hundred kilobytes.
pub const HISTORY_BYTES: usize = 5_000_000;
/// The cells of a row that is edited on a page, in bytes: a page has them twice, and stays light.
pub const ROW_BYTES: usize = 20 * 1024;
/// Decisions that a look before publishing makes again under the changed rules.
pub const BACKTEST_DECISIONS: usize = 150;
/// Reads of the table that a look before publishing has for them: with its own it stays within twenty.
pub const BACKTEST_READS: usize = 14;
/// How long a look before publishing goes on reading for them, in milliseconds.
pub const BACKTEST_MS: u64 = 3_000;
/// Decisions that a comparison of shadow mode looks at.
pub const SHADOW_EXAMINED: usize = 2_000;
/// Lines in one page of a statement, some 2 MB of JSON.
pub const STATEMENT_LINES: usize = 5_000;
/// For how many hours a lead that was charged on arrival may be declined.
pub const DECLINE_HOURS: i64 = 24;
/// A deposit's reference, in bytes.
pub const REFERENCE_BYTES: usize = 64;
/// Rows of one request that moves data in.
pub const IMPORT_ROWS: usize = 100;
/// The body of one request that moves data in, in bytes (1 MiB).
pub const IMPORT_BYTES: usize = 1024 * 1024;
/// The first year that an imported lead may be from.
pub const HISTORY_FROM_YEAR: i16 = 1990;
/// How far a later date of an imported lead may lie before an earlier one and still be taken for a date
/// without its time, in hours.
pub const HISTORY_SLACK_HOURS: i64 = 24;
/// The id that a lead has in the system it comes from, in bytes.
pub const EXTERNAL_ID_BYTES: usize = 128;
/// Opening intervals of one day.
pub const INTERVALS_PER_DAY: usize = 4;
/// How many days ahead an opening is searched for.
pub const OPENING_SEARCH_DAYS: i64 = 400;
/// Counters that are read for the leads of a batch before the first is decided on.
pub const COUNTERS_AHEAD: usize = 1_000;
/// How long counters that were read for a batch are decided on, in milliseconds.
pub const COUNTERS_HELD_MS: i64 = 1_000;
/// Times a decision is made again after a refused condition, within one message.
pub const DECIDE_AGAIN: usize = 4;
/// Days after which a held lead without an outcome expires.
pub const HELD_DAYS: i64 = 90;
/// The shortest and the longest `retention_days`.
pub const RETENTION_LEAST_DAYS: u32 = 30;
/// See [`RETENTION_LEAST_DAYS`].
pub const RETENTION_MOST_DAYS: u32 = 3_650;
/// A lead that is over is looked at this often, in days: a retention that changes reaches it.
pub const RETENTION_LOOK_DAYS: i64 = 30;
/// For how many days a consent certificate can be claimed, unless the rulebook says otherwise: TrustedForm's own.
pub const CERTIFICATE_DAYS: u16 = 90;
/// The longest `certificate_days`: the years for which a certificate is kept once it is claimed.
pub const CERTIFICATE_MOST_DAYS: u32 = 1_826;
/// A certificate that expires within so many days is warned of.
pub const CERTIFICATE_WARNING_DAYS: i64 = 14;
/// The window of repeats unless the rulebook says otherwise, in days.
pub const REPEAT_WINDOW_DAYS: i64 = 30;
/// One webhook body, in bytes.
pub const WEBHOOK_BYTES: usize = 20_000;
/// What is read of a dealer's answer, in bytes.
pub const ANSWER_BYTES: usize = 16 * 1024;
/// One delivery attempt, in milliseconds.
///
/// Determination: ten seconds, where fifteen to thirty are usual for webhooks. A dealer's phone should ring
/// within seconds: a receiver that has not answered in ten is better tried again two seconds later, and after
/// four attempts another channel has its turn, or another dealer. And one that hangs must delay nobody: a
/// batch of deliveries is ten side by side and takes as long as its slowest, so that fifty batches are still
/// fifty deliveries a second where every dealer hangs, and would be seventeen at thirty seconds. The function
/// has fifteen seconds for the attempt and what is read and written around it, its queue shows a message
/// again after six times that, and an attempt whose process died is followed by the next after
/// [`ATTEMPT_CLAIM_MS`]: all three grow with this. A receiver that needs longer answers first, and works
/// then.
pub const ATTEMPT_MS: u64 = 10_000;
/// How long an attempt has its assignment to itself, in milliseconds: twice what it may take, so that it
/// is over, or its process is, before anybody begins the next.
pub const ATTEMPT_CLAIM_MS: u64 = 2 * ATTEMPT_MS;
/// Reaching a dealer's server within an attempt (name, connection, TLS), in milliseconds.
pub const CONNECT_MS: u64 = 3_000;
/// A webhook's id, in bytes.
pub const WEBHOOK_ID_BYTES: usize = 64;
/// The name of a dealer's queue, in bytes (SQS's own limit).
pub const QUEUE_NAME_BYTES: usize = 80;
/// A line of a letter to a dealer, in characters: what a mail program shows without wrapping, quoted once or twice.
pub const LETTER_COLUMNS: usize = 72;
/// Unknown fields that a letter tells, in bytes; what is left out is said.
pub const LETTER_EXTRA_BYTES: usize = 8_000;
/// How long the links of a letter answer, in days from the offer.
pub const ANSWER_LINK_DAYS: i64 = 30;
/// Mails to one channel that come back in a row, each for a reason that may pass, before it takes nothing more.
pub const MAIL_BOUNCES: u32 = 5;
/// How often a message is sent to a dealer again by hand.
pub const REDELIVERIES: u32 = 20;
/// A dealer's URL, in bytes.
pub const DEALER_URL_BYTES: usize = 512;
/// A page's URL in a rulebook, in bytes.
pub const PAGE_URL_BYTES: usize = 2_048;
/// The most of a dealer's Retry-After that is honoured, in seconds. The lead schedule honours less:
/// see `delivery::Schedule`.
pub const RETRY_AFTER_S: u32 = 3_600;
/// Attempts that fail in a row before a channel's breaker opens.
pub const BREAKER_FAILURES: u32 = 5;
/// How long a breaker is open at first, in seconds; twice as long each time, up to
/// [`BREAKER_LONGEST_S`].
pub const BREAKER_OPEN_S: u32 = 30;
/// The longest a breaker is open before the next probe, in seconds: the longest wait of a lead's schedule.
pub const BREAKER_LONGEST_S: u32 = 300;
/// Attempts that one process has under way at one dealer.
pub const IN_FLIGHT_PER_DEALER: usize = 4;
/// How long a lead waits for a dealer whose breaker is open, in seconds from the offer: about what its six
/// attempts take. Then the next dealer has its turn.
pub const LEAD_WAITS_S: i64 = 600;
/// How long a dealer's earlier webhook secret stands beside the new one, in hours.
pub const SECRET_OVERLAP_HOURS: i64 = 72;
/// What is kept of a dealer's answer with the attempt, in bytes.
pub const ANSWER_KEPT_BYTES: usize = 160;
/// How long a withdrawal is retried, in hours.
pub const WITHDRAWAL_HOURS: i64 = 24;
/// A compiled chunk of a rulebook, in bytes.
pub const CHUNK_BYTES: usize = 256 * 1024;
/// What one page of the quarantine answers with, in bytes, and one enquiry more.
pub const QUARANTINE_ANSWER_BYTES: usize = 1_000_000;
/// Chunks that a function keeps in memory, in bytes: those it was asked for last. Memory grows by a few hundredths
/// more, by what was moved while they were read; with that it is 16 MiB.
pub const CHUNKS_KEPT_BYTES: usize = 15 * 1024 * 1024;
/// A postback's URL as the rulebook has it, in bytes.
pub const POSTBACK_URL_BYTES: usize = 512;
/// What a sender calls its enquiry, in bytes.
pub const POSTBACK_REFERENCE_BYTES: usize = 128;
/// How long a sender that is told something is waited for, in milliseconds.
pub const POSTBACK_MS: u64 = 5_000;
/// How long a postback has the sender to itself, in milliseconds: longer than it is waited for.
pub const POSTBACK_CLAIM_MS: u64 = 15_000;
/// For how long a postback is tried, in hours.
pub const POSTBACK_HOURS: i64 = 24;
/// How long it is known that a postback was sent, in days: no enquiry is sold or returned later.
pub const POSTBACK_KEPT_DAYS: i64 = 400;
/// Postbacks that one process has under way to one source's sender.
pub const IN_FLIGHT_PER_SENDER: usize = 2;
/// How long one process leaves a sender alone that hung, in milliseconds.
pub const SENDER_RESTS_MS: u64 = 60_000;
/// One attribution value (a UTM parameter, a click id, the landing page), in bytes.
pub const ATTRIBUTION_BYTES: usize = 512;
/// A signed visitor token, in bytes.
pub const VISITOR_TOKEN_BYTES: usize = 256;
/// The largest threshold of screening.
pub const SCREENING_THRESHOLD: u32 = 10_000;
/// The most that a sign weighs.
pub const SCREENING_WEIGHT: u32 = 1_000;
/// The longest deadline of what is quarantined, in hours (a year).
pub const QUARANTINE_HOURS: u32 = 8_760;
/// Traps of one company's forms.
pub const HONEYPOTS: usize = 20;
/// Below how many seconds a form can at most be sent too fast.
pub const FORM_FAST_SECONDS: u32 = 600;
/// After how many hours a form can at the latest be too old (30 days).
pub const FORM_OLD_HOURS: u32 = 720;
/// The largest limit of what a source's pages send in ten minutes.
pub const SOURCE_VELOCITY: u32 = 50_000;
/// The largest limit of people at one address in ten minutes: their hashes are kept in one item.
pub const ADDRESS_VELOCITY: u32 = 1_000;
/// Within how many seconds of its sending at most nobody has read a message.
pub const SOON_SECONDS: u32 = 3_600;
/// How many links of one message at most make a burst.
pub const BURST_LINKS: u32 = 100;
/// Within how many seconds at most they make one.
pub const BURST_SECONDS: u32 = 600;
/// Interactions of a day and kind that a lead's story names.
pub const INTERACTIONS_NAMED: usize = 100;
/// The id that a sender gives a message, in bytes.
pub const MESSAGE_ID_BYTES: usize = 256;
/// A link of a message, in bytes.
pub const LINK_BYTES: usize = 2_048;
/// Links of a message.
pub const LINKS: u8 = 100;
/// Domains of mail that a company lists itself.
pub const MAIL_DOMAINS: usize = 1_000;
/// Enquiries in one page of the quarantine.
pub const QUARANTINE_PAGE: usize = 50;
/// Enquiries that one request for the quarantine looks at.
pub const QUARANTINE_EXAMINED: usize = 1_000;
/// Enquiries of one verdict on many.
pub const ENQUIRIES_PER_VERDICT: usize = 100;
/// A signed form token, in bytes.
pub const FORM_TOKEN_BYTES: usize = 512;
/// Entries of a source's field map.
pub const FIELD_MAP: usize = 200;
/// Values of a source's value map, of all fields together.
pub const VALUE_MAP: usize = 500;
/// An interaction's kind (`page_view`), in bytes.
pub const INTERACTION_KIND_BYTES: usize = 32;
/// Points of one interaction.
pub const INTERACTION_POINTS: i64 = 1_000;
/// The largest daily cap of an interaction kind.
pub const INTERACTION_DAILY_CAP: i64 = 1_000;
/// The longest half-life of engagement, in days.
pub const HALF_LIFE_DAYS: i64 = 365;
/// After how many half-lives a day no longer counts.
pub const HALF_LIVES: u32 = 10;
/// Points one fit rule may give or take.
pub const FIT_RULE_POINTS: i64 = 1_000;
/// Fit rules of one scoring model.
pub const FIT_RULES: usize = 200;
/// Values one condition of a fit rule lists.
pub const FIT_VALUES: usize = 1_000;
/// A fit rule's label, in characters.
pub const FIT_LABEL_CHARS: usize = 80;
/// The largest threshold of a band, and the most a fit letter is worth, in points.
pub const BAND_POINTS: i64 = 1_000_000;
/// One TOML file of a rulebook, in bytes (4 MiB): a TOML value takes many times its size in memory.
pub const TOML_BYTES: usize = 4 * 1024 * 1024;
/// Channels of one dealer, and so the last `order`.
pub const CHANNELS_PER_DEALER: u8 = 8;
/// Templates of one rulebook.
pub const TEMPLATES: usize = 50;
/// `templates.toml`, in bytes: what every function reads of a rulebook is one item of the table.
pub const TEMPLATES_BYTES: usize = 32 * 1024;
/// Fields of one body of a template, tables and lists included.
pub const TEMPLATE_FIELDS: usize = 200;
/// How deep a body of a template may nest.
pub const TEMPLATE_DEPTH: usize = 8;
/// A body that a template writes, in bytes: a text may stand in it many times.
pub const TEMPLATE_BODY_BYTES: usize = 256 * 1024;
/// Headers of one template.
pub const TEMPLATE_HEADERS: usize = 20;
/// A text of a template, in bytes.
pub const TEMPLATE_TEXT_BYTES: usize = 1_000;
/// The name of a secret that a dealer gave us, in bytes.
pub const SECRET_NAME_BYTES: usize = 32;
/// A secret that a dealer gave us, in bytes.
pub const SECRET_BYTES: usize = 1_024;
/// Secrets that one dealer gave us.
pub const SECRETS_PER_DEALER: usize = 10;
/// A dealer's own id of a lead, in bytes.
pub const DEALER_REFERENCE_BYTES: usize = 128;
/// What a dealer's API says of why it declines, in bytes.
pub const DECLINE_REASON_BYTES: usize = 160;
/// What a dealer is called in its own system, in characters.
pub const VENDOR_ID_CHARS: usize = 64;
/// Holidays of one dealer.
pub const HOLIDAYS: usize = 400;
/// How long somebody may take to come back from the OpenID provider, in seconds.
pub const SIGNING_IN_S: i64 = 600;
/// How long an OpenID provider may take over one step of a sign-in, in milliseconds.
pub const PROVIDER_MS: u64 = 8_000;
/// Tokens of one company that were made in the console.
pub const API_TOKENS: usize = 100;
/// People of one company's desk.
pub const PEOPLE: usize = 500;
/// People and dealers invited by one act: they are kept in one transaction, which takes 100 writes.
pub const INVITATIONS: usize = 50;
/// After how many minutes an invitation that was not sent is offered again.
pub const INVITATION_MINUTES: i64 = 15;
/// Rows of `spend.csv`.
pub const SPEND_ROWS: usize = 2_000;
/// Tests of one rulebook.
pub const TESTS: usize = 10_000;
/// The widest window of repeats, in days.
pub const REPEAT_WINDOW_MOST_DAYS: u32 = 365;
/// The largest `max_age_hours`, and the oldest lead of a rulebook's test (ten years).
pub const AGE_HOURS: u32 = 87_600;
/// How often a source's keys may be changed.
pub const KEY_GENERATIONS: u32 = 1_000_000;

/// Categories that a rulebook no longer has and that leads may still wait in.
pub const FORMER_CATEGORIES: usize = 200;
/// How long after the best of those who wait for one instant a lead looks for itself, in minutes: the sweep's, the
/// message's and the decision's own time, with room for one that is lost.
pub const LOOKS_AFTER_THE_BEST_MINUTES: i64 = 5;
/// Contracts and dealers whose turns one message says where those who wait for an instant are looked for in several
/// runs: with ids of [`SLUG_BYTES`] some 150 KB of the 256 that a queue takes.
pub const TURNS_CARRIED: usize = 2_000;

/// How often an assigned lead looks whether the seat it keeps may be given, in minutes.
pub const KEPT_SEAT_LOOK_MINUTES: i64 = 60;

/// How long somebody stays signed in at the console, in hours.
pub const SESSION_HOURS: i64 = 24;
/// How long somebody stays signed in who does nothing, in hours.
pub const SESSION_IDLE_HOURS: i64 = 8;
/// Leads in one file of an export. Behind API Gateway an answer has 30 seconds and 6 MB; a longer list goes on in the next
/// file.
pub const EXPORT_LEADS: usize = 20_000;
/// Bytes after which a file of an export ends, as they stand in the answer of a Lambda function, which has 6 MB.
pub const EXPORT_BYTES: usize = 5_000_000;
/// Seconds that an answer goes on reading a list, page after page; behind API Gateway it has 29.
pub const READING_SECONDS: i64 = 20;
/// Leads in one answer to a search.
pub const SEARCH_LEADS: usize = 100;
/// Leads of a list that one search looks at: on one machine they are read and shown within fifty milliseconds.
pub const SEARCH_EXAMINED: usize = 300;
/// Leads with all of which one act is done after one look.
pub const LOOK_LEADS: usize = 1_000;
/// Leads of a stage that are put in order of time: of each fit letter and shard so many.
pub const BY_TIME_LEADS: usize = 1_000;
/// Campaigns of a year that reports name beside those of `spend.csv` ([`SPEND_ROWS`]): the rest are one.
pub const REPORT_CAMPAIGNS: usize = 200;
/// Partial sums in one item, in bytes: more are cut into several. Each batch writes one anew.
pub const REPORT_PART_BYTES: usize = 100_000;
/// A table of sealed sums in one item, in bytes: more are cut into several.
pub const REPORT_TABLE_BYTES: usize = 300_000;
/// Days that a report may cover.
pub const REPORT_DAYS: i64 = 3_700;

/// Waits of one reason in a plan to follow up.
pub const FOLLOW_UP_WAITS: usize = 20;
/// The longest wait of a plan to follow up, in hours: a year.
pub const FOLLOW_UP_WAIT_HOURS: u32 = 365 * 24;
/// Calls of one lead in a plan to follow up, until it does something.
pub const FOLLOW_UP_CALLS: u32 = 50;
/// Days after an enquiry that somebody may be called who did not agree to it.
pub const ENQUIRY_DAYS: u32 = 92;
/// Days after an enquiry that somebody may be called who agreed to it.
pub const CONSENT_DAYS: u32 = 1_826;
/// How long somebody who calls a lead has it for themselves, in minutes.
pub const CLAIM_MINUTES: i64 = 15;
/// Days ahead for which a callback may be promised.
pub const CALLBACK_DAYS: i64 = 365;
/// Leads in one answer of the day's list of calls.
pub const FOLLOW_UPS: usize = 50;
/// How often it is looked at whether a lead in the day's list belongs there still, in hours.
pub const FOLLOW_UP_LOOK_HOURS: i64 = 24;
