//! The leads behind a number of a day, by the rule by which it was counted: of each item the facts that it states
//! ([`leadyard_domain::report`]), as far as they are of that day.
//!
//! | number | is found |
//! |---|---|
//! | enquiries, leads | by the enquiries that arrived on the day, the newest first; leads also by those that were released on it and had arrived before |
//! | given, reached (also in time), won | by the seats of each dealer that was counted with some, the last that it was given first |
//!
//! Determinations. *No index says on which day something became of a seat*, which would be written at every answer. Which
//! dealers to ask the counters of the day say, and of how many seats: so a dealer's are read back until as many were found,
//! and no further. What is won long after it was given takes some pages, and each says how far it has come. *What was
//! counted twice stands twice*: a lead that two dealers were given, and one that came back on the same day. *Of what was
//! released* a month is read back from the day, as long as fewer were found than were counted.

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::assignment::Assignment;
use leadyard_domain::error::Code;
use leadyard_domain::ids::{DealerId, EnquiryId, LeadId};
use leadyard_domain::lead::{Lead, ScoreNow};
use leadyard_domain::report::seen::facts_of;
use leadyard_domain::report::{Counter, Dimension, Fact, Happened, Speed, Tally, UNKNOWN};
use leadyard_domain::time::{self, UtcDay};
use leadyard_platform::http::Problem;
use leadyard_platform::store::{Arrived, SeatsAsked, StoreError, StoredEnquiry, Tables, keys};
use leadyard_platform::who;
use serde::{Deserialize, Serialize};

use super::{Found, SeatOf, Seek, unknown_place, written};
use crate::reports;

/// Enquiries that one page looks at.
const ENQUIRIES: usize = 50;
/// Released ones were kept aside no longer than this.
const KEPT_ASIDE: SignedDuration = SignedDuration::from_hours(24 * 31);
/// Lists of dealers that one page reads side by side, and the seats of all of them together: a page has twenty reads.
const LISTS: usize = 6;
const SEATS: usize = 240;

/// A number of a day that leads to the leads behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    Enquiries,
    Leads,
    Given,
    Reached,
    /// Reached within five minutes.
    AtOnce,
    WithinHour,
    Won,
}

impl Figure {
    const ALL: [Self; 7] =
        [Self::Enquiries, Self::Leads, Self::Given, Self::Reached, Self::AtOnce, Self::WithinHour, Self::Won];

    /// As an address has it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Enquiries => "enquiries",
            Self::Leads => "leads",
            Self::Given => "given",
            Self::Reached => "reached",
            Self::AtOnce => "reached_at_once",
            Self::WithinHour => "reached_within_hour",
            Self::Won => "won",
        }
    }

    /// For people, before the day.
    pub(crate) const fn says(self) -> &'static str {
        match self {
            Self::Enquiries => "enquiries of leads",
            Self::Leads => "leads, new or back,",
            Self::Given => "given to dealers",
            Self::Reached => "reached by their dealer",
            Self::AtOnce => "reached within 5 minutes",
            Self::WithinHour => "reached within the hour",
            Self::Won => "won",
        }
    }

    /// Whether it counts what arrived, and not seats.
    pub(crate) const fn is_of_enquiries(self) -> bool {
        matches!(self, Self::Enquiries | Self::Leads)
    }

    /// Within how many seconds the dealer must have reached them.
    const fn within_s(self) -> Option<i64> {
        match self {
            Self::AtOnce => Some(300),
            Self::WithinHour => Some(3_600),
            Self::Enquiries | Self::Leads | Self::Given | Self::Reached | Self::Won => None,
        }
    }

    /// How many were counted.
    pub(crate) fn counted(self, tally: &Tally) -> i64 {
        let counter = match self {
            Self::Enquiries => Counter::Enquiries,
            Self::Leads => Counter::Leads,
            Self::Given => Counter::Distributed,
            Self::Reached | Self::AtOnce | Self::WithinHour => Counter::Contacted,
            Self::Won => Counter::Won,
        };
        self.within_s()
            .map_or_else(|| tally.get(counter), |seconds| tally.speed(Speed::Contact).within(seconds))
    }

    /// Whether this is what it counts.
    fn is(self, what: &Happened) -> bool {
        let within = |taken: Option<i64>| {
            self.within_s().is_none_or(|most| taken.is_some_and(|seconds| seconds <= most))
        };
        match (self, what) {
            (Self::Enquiries, Happened::Enquired(_))
            | (Self::Leads, Happened::Opened { .. })
            | (Self::Given, Happened::Distributed)
            | (Self::Won, Happened::Won(_)) => true,
            (Self::Reached | Self::AtOnce | Self::WithinHour, Happened::Contacted(taken)) => within(*taken),
            _ => false,
        }
    }
}

/// A number of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OfDay {
    pub(crate) figure: Figure,
    /// Today, if none is named.
    pub(crate) day: Option<Date>,
}

impl OfDay {
    /// `won`, `won:2026-06-01`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (name, day) = text.split_once(':').map_or((text, None), |(name, day)| (name, Some(day)));
        let figure = Figure::ALL.into_iter().find(|figure| figure.as_str() == name)?;
        let day = day.map(str::parse::<Date>).transpose().ok()?;
        Some(Self { figure, day })
    }
}

/// What is counted of which day.
struct Counted {
    figure: Figure,
    day: Date,
    today: Date,
    zone: TimeZone,
    /// When it begins, and when the next does.
    within: (Timestamp, Timestamp),
}

impl Counted {
    fn is_of_day(&self, at: Timestamp) -> bool {
        self.zone.to_datetime(at).date() == self.day
    }

    fn counts(&self, fact: &Fact) -> bool {
        self.figure.is(&fact.what) && self.is_of_day(fact.at)
    }

    /// When the seats were given that may be of it.
    fn offered(&self) -> (Timestamp, Timestamp) {
        let (from, to) = self.within;
        (if self.figure == Figure::Given { from } else { Timestamp::UNIX_EPOCH }, to)
    }

    fn tables(&self) -> Tables {
        if self.figure.within_s().is_some() { Tables::Times } else { Tables::Counts }
    }

    /// In which of a dealer's lists such a seat may stand: what is won it has.
    const fn open_or_shut(&self) -> &'static [bool] {
        if matches!(self.figure, Figure::Won) { &[true] } else { &[true, false] }
    }
}

/// Where a page of what arrived ended, and how many were found until then.
#[derive(Serialize, Deserialize)]
struct AmongEnquiries {
    at: Among,
    found: i64,
}

#[derive(Serialize, Deserialize)]
enum Among {
    /// Those that arrived on this day of UTC.
    Arrived(UtcDay, Option<Arrived>),
    /// Those that were kept aside, by the sort key.
    Released(String),
}

/// Where a page of seats ended, and how many of that dealer's were found until then.
#[derive(Clone, Serialize, Deserialize)]
struct AmongSeats {
    dealer: DealerId,
    open: bool,
    behind: Option<SeatOf>,
    found: i64,
}

/// A list of a dealer's, and how many are to be found in all of that dealer's.
#[derive(Clone, Copy)]
struct OfDealer<'a> {
    dealer: &'a DealerId,
    open: bool,
    many: i64,
}

impl OfDealer<'_> {
    fn place(&self, behind: Option<&Assignment>, found: i64) -> AmongSeats {
        let behind = behind.map(|seat| (seat.lead, seat.cycle, seat.id));
        AmongSeats { dealer: self.dealer.clone(), open: self.open, behind, found }
    }

    /// Whether it is not before a place.
    fn is_left(&self, place: &AmongSeats) -> bool {
        match self.dealer.cmp(&place.dealer) {
            Ordering::Less => false,
            Ordering::Equal => place.open || !self.open,
            Ordering::Greater => true,
        }
    }
}

/// What a page found among the seats.
#[derive(Default)]
struct Walked {
    leads: Vec<LeadId>,
    examined: usize,
    next: Option<AmongSeats>,
    /// The last list that was looked at.
    upto: usize,
}

impl Seek<'_> {
    /// The leads behind a number of a day.
    pub(super) async fn of_day(&self, asked: OfDay) -> Result<Found, Problem> {
        let (zone, today) = (who::zone_of(self.core)?, reports::today(self.cloud, self.core)?);
        let day = asked.day.unwrap_or(today);
        if day > today || day.year() < 2000 {
            return Err(Problem::new(Code::InvalidField, "a day of a list is today or one that is over"));
        }
        let midnight =
            |day: Date| Timestamp::from_second(time::start_of_day(day, &zone)).unwrap_or(Timestamp::MAX);
        let within = (midnight(day), midnight(day.tomorrow().unwrap_or(day)));
        let of = Counted { figure: asked.figure, day, today, zone, within };
        if of.figure.is_of_enquiries() {
            Box::pin(self.of_enquiries(&of)).await
        } else {
            Box::pin(self.of_seats(&of)).await
        }
    }

    async fn of_enquiries(&self, of: &Counted) -> Result<Found, Problem> {
        let (from, to) = of.within;
        let last = to.checked_sub(SignedDuration::from_millis(1)).unwrap_or(to);
        let (first, last) = (UtcDay::of(from), UtcDay::of(last.min(self.cloud.clock.now())));
        match self.after::<AmongEnquiries>()? {
            None => self.arrived(of, (last, None), 0).await,
            Some(AmongEnquiries { at: Among::Arrived(day, behind), found }) => {
                if day < first || day > last {
                    return Err(unknown_place());
                }
                self.arrived(of, (day, behind), found).await
            }
            Some(AmongEnquiries { at: Among::Released(behind), found }) => {
                if behind.is_empty() || of.figure != Figure::Leads {
                    return Err(unknown_place());
                }
                self.released(of, &behind, found).await
            }
        }
    }

    /// By those that arrived on a day of UTC, from behind one of them on. Where that day has none, by those of the day
    /// before as well.
    async fn arrived(
        &self,
        of: &Counted,
        (asked, behind): (UtcDay, Option<Arrived>),
        before: i64,
    ) -> Result<Found, Problem> {
        let (store, first) = (&self.cloud.store, UtcDay::of(of.within.0));
        let (mut day, company) = (asked, self.company());
        let mut places = store.enquiries_of_day(company, day, of.within, behind, ENQUIRIES).await?;
        if places.is_empty() && day > first {
            day = UtcDay(day.0 - 1);
            places = store.enquiries_of_day(company, day, of.within, None, ENQUIRIES).await?;
        }
        let ids: Vec<EnquiryId> = places.iter().map(|(_, enquiry)| *enquiry).collect();
        let (enquiries, _) = store.enquiries_readable(&ids).await?;
        let enquiries: HashMap<EnquiryId, StoredEnquiry> =
            enquiries.into_iter().map(|enquiry| (enquiry.id, enquiry)).collect();
        let (mut found, mut leads, mut counted, mut last) = (Found::default(), Vec::new(), before, None);
        for place in &places {
            if leads.len() == self.limit {
                break;
            }
            (found.examined, last) = (found.examined + 1, Some(*place));
            let counts = |enquiry: &&StoredEnquiry| enquiry.seen().facts().iter().any(|fact| of.counts(fact));
            if let Some(enquiry) = enquiries.get(&place.1).filter(counts) {
                counted += 1;
                leads.extend(enquiry.lead);
            }
        }
        let more = places.len() == ENQUIRIES || last != places.last().copied();
        let next = if more {
            Some(Among::Arrived(day, last))
        } else if day > first {
            Some(Among::Arrived(UtcDay(day.0 - 1), None))
        } else if of.figure == Figure::Leads && self.counted_of_day(of).await? > counted {
            Some(Among::Released(keys::sort_time(of.within.0.as_millisecond())))
        } else {
            None
        };
        found.next = next.map(|at| written(&AmongEnquiries { at, found: counted }));
        found.leads = self.standing(&leads).await?;
        Ok(found)
    }

    /// By those that had arrived before the day and were released on it: they are among what was kept aside.
    async fn released(&self, of: &Counted, behind: &str, before: i64) -> Result<Found, Problem> {
        let (mut found, mut leads, mut counted) = (Found::default(), Vec::new(), before);
        let all = self.counted_of_day(of).await?;
        if counted >= all {
            return Ok(found);
        }
        let store = &self.cloud.store;
        let (page, behind_page) =
            store.quarantine_page(self.company(), false, Some(behind), ENQUIRIES).await?;
        let mut next = behind_page;
        for enquiry in &page {
            found.examined += 1;
            if enquiry.seen().facts().iter().any(|fact| of.counts(fact)) {
                counted += 1;
                leads.extend(enquiry.lead);
            }
            if leads.len() == self.limit {
                next = Some(keys::quarantine_sort(enquiry.received_at, enquiry.id));
                break;
            }
        }
        let earliest = of.within.0.checked_sub(KEPT_ASIDE).unwrap_or(Timestamp::MIN);
        let is_too_old = page.last().is_some_and(|enquiry| enquiry.received_at < earliest);
        let next = next.filter(|_| counted < all && !is_too_old);
        found.next = next.map(|sort| written(&AmongEnquiries { at: Among::Released(sort), found: counted }));
        found.leads = self.standing(&leads).await?;
        Ok(found)
    }

    /// How many of the whole company were counted.
    async fn counted_of_day(&self, of: &Counted) -> Result<i64, StoreError> {
        let days = self.cloud.store.report_days(self.company(), &[of.day]).await?;
        Ok(days.first().map_or(0, |sums| of.figure.counted(&sums.get(Dimension::All, UNKNOWN))))
    }

    /// By the seats of the dealers that were counted with some.
    async fn of_seats(&self, of: &Counted) -> Result<Found, Problem> {
        let (store, company) = (&self.cloud.store, self.company());
        let days = (of.day, of.day);
        let read = store.report_read(company, &[Dimension::Dealer], of.tables(), days, of.today).await?;
        let counted = read.sums.by(Dimension::Dealer);
        let counted = counted.map(|(dealer, tally)| (DealerId::new(dealer), of.figure.counted(tally)));
        let dealers: Vec<(DealerId, i64)> =
            counted.filter_map(|(dealer, many)| Some((dealer.ok()?, many))).filter(|one| one.1 > 0).collect();
        let place: Option<AmongSeats> = self.after()?;
        let lists: Vec<OfDealer<'_>> = dealers
            .iter()
            .flat_map(|(dealer, many)| {
                of.open_or_shut().iter().map(|open| OfDealer { dealer, open: *open, many: *many })
            })
            .filter(|list| place.as_ref().is_none_or(|place| list.is_left(place)))
            .collect();
        let is_at = |place: &&AmongSeats| {
            lists.first().is_some_and(|list| *list.dealer == place.dealer && list.open == place.open)
        };
        let behind = self.behind(of, place.as_ref().filter(is_at)).await?;
        // Who has very many is read alone.
        let at_once = if behind.is_some() { 1 } else { LISTS };
        let asked: Vec<SeatsAsked<'_>> = lists
            .iter()
            .take(at_once)
            .enumerate()
            .map(|(nth, list)| SeatsAsked {
                dealer: list.dealer,
                open: list.open,
                behind: behind.as_ref().filter(|_| nth == 0),
            })
            .collect();
        let most = SEATS / asked.len().max(1);
        let read = store.seats_offered(company, &asked, of.offered(), most).await?;
        let enquired = self.enquired(of, read.iter().flat_map(|(seats, _)| seats)).await?;
        let counts = |seat: &Assignment| {
            let enquired_at = seat.enquiry.and_then(|enquiry| enquired.get(&enquiry).copied());
            facts_of(seat, enquired_at).iter().any(|fact| of.counts(fact))
        };
        let walked = walk(&lists, &read, place.as_ref(), self.limit, counts);
        let upto = lists.get(walked.upto).map(|list| list.dealer);
        let upto = dealers.iter().position(|(dealer, _)| Some(dealer) == upto).map_or(0, |nth| nth + 1);
        Ok(Found {
            leads: self.standing(&walked.leads).await?,
            examined: walked.examined,
            next: walked.next.map(|place| written(&place)),
            more: false,
            dealers: Some((upto, dealers.len())).filter(|_| upto > 0),
        })
    }

    /// The seat at which the page before ended, if it ended at one.
    async fn behind(&self, of: &Counted, place: Option<&AmongSeats>) -> Result<Option<Assignment>, Problem> {
        let Some((place, (lead, cycle, seat))) = place.and_then(|place| Some((place, place.behind?))) else {
            return Ok(None);
        };
        let stood = self.cloud.store.assignment_get(lead, cycle, seat).await?;
        let (from, to) = of.offered();
        let own = |seat: &Assignment| {
            let is_theirs = seat.company == *self.company() && seat.dealer == place.dealer;
            is_theirs && seat.offered_at >= from && seat.offered_at < to
        };
        Ok(Some(stood.filter(own).ok_or_else(unknown_place)?))
    }

    /// When those enquired whom a dealer reached on the day, where it matters how soon that was.
    async fn enquired(
        &self,
        of: &Counted,
        seats: impl Iterator<Item = &Assignment>,
    ) -> Result<HashMap<EnquiryId, Timestamp>, StoreError> {
        if of.figure.within_s().is_none() {
            return Ok(HashMap::new());
        }
        let reached = seats.filter(|seat| seat.contacted_at.is_some_and(|at| of.is_of_day(at)));
        let ids: BTreeSet<EnquiryId> = reached.filter_map(|seat| seat.enquiry).collect();
        let ids: Vec<EnquiryId> = ids.into_iter().collect();
        let (enquiries, _) = self.cloud.store.enquiries_readable(&ids).await?;
        Ok(enquiries.into_iter().map(|enquiry| (enquiry.id, enquiry.received_at)).collect())
    }

    /// These leads in their order, each as often as it is named, and of one that was merged the one that goes on, as far as
    /// the filters take them.
    async fn standing(&self, ids: &[LeadId]) -> Result<Vec<(Lead, Option<ScoreNow>)>, StoreError> {
        let mut leads = self.leads(ids).await?;
        let merged: Vec<LeadId> = leads.values().filter_map(|lead| lead.merged_into).collect();
        let survivors = self.leads(&merged).await?;
        for lead in leads.values_mut() {
            if let Some(survivor) = lead.merged_into.and_then(|into| survivors.get(&into)) {
                *lead = survivor.clone();
            }
        }
        Ok(ids.iter().filter_map(|id| self.takes(leads.get(id)?.clone())).collect())
    }
}

/// Goes through the lists of the dealers in their order, as far as they were read, until a page is full or one has more than
/// was read of it. A dealer of whom all were found is gone past.
fn walk(
    lists: &[OfDealer<'_>],
    read: &[(Vec<Assignment>, bool)],
    from: Option<&AmongSeats>,
    limit: usize,
    counts: impl Fn(&Assignment) -> bool,
) -> Walked {
    let mut walked = Walked::default();
    let mut at: Option<&DealerId> = from.map(|place| &place.dealer);
    let mut found = from.map_or(0, |place| place.found);
    for (nth, (list, (seats, more))) in lists.iter().zip(read).enumerate() {
        if at != Some(list.dealer) {
            (at, found) = (Some(list.dealer), 0);
        }
        walked.upto = nth;
        let mut last = None;
        for seat in seats {
            if found >= list.many || walked.leads.len() == limit {
                break;
            }
            (walked.examined, last) = (walked.examined + 1, Some(seat));
            if counts(seat) {
                found += 1;
                walked.leads.push(seat.lead);
            }
        }
        let is_all_read = !more && last.map(|seat| seat.id) == seats.last().map(|seat| seat.id);
        if found < list.many && !is_all_read && !seats.is_empty() {
            walked.next = Some(list.place(last, found));
            return walked;
        }
        if walked.leads.len() == limit {
            walked.next = following(lists, nth, found);
            return walked;
        }
    }
    if let Some(last) = read.len().checked_sub(1) {
        walked.next = following(lists, last, found);
    }
    walked
}

/// The beginning of the list behind this one in which some are to be found yet.
fn following(lists: &[OfDealer<'_>], nth: usize, found: i64) -> Option<AmongSeats> {
    let list = lists.get(nth)?;
    let is_left = |next: &&OfDealer<'_>| next.dealer != list.dealer || found < list.many;
    let next = lists.iter().skip(nth + 1).find(is_left)?;
    Some(next.place(None, if next.dealer == list.dealer { found } else { 0 }))
}
