//! When time alone may first change a decision: a dealer opens or shuts, a period of a cap ends, a pause
//! or a contract begins or ends, the lead grows too old for somebody.
//!
//! Too early costs a look that concludes the same; too late, or never, leaves a lead asleep.

use jiff::Timestamp;

use super::available::caps;
use super::{
    AfterHours, Calendar, Candidate, Changes, CompiledDealer, Day, DealerId, Ends, HashSet, Opening, Period,
    Row, Rule, Table, Terms, Territory, WhenUnavailable, too_old_at,
};

impl<'a> Table<'a> {
    /// When time alone may first change who takes the seat, among those who are not shut out: one of them
    /// comes free, or begins to keep others out.
    pub(super) fn changes(&self, terms: Option<Terms>) -> Changes {
        let mut ends: Ends = vec![None; self.locals.len()];
        let rows = || self.live().map(|(_, row)| row).filter(|row| row.shut_out_by.is_none());
        let comes_free = rows()
            .filter(|row| self.may_sit(row, terms))
            .filter_map(|row| self.comes_free(row, &mut ends))
            .min();
        let bars: Vec<(&DealerId, Timestamp)> = rows()
            .filter_map(|row| Some((&row.candidate.dealer.id, self.begins_to_bar(row, terms, &mut ends)?)))
            .collect();
        // Who keeps others out spares its own: another contract of this dealer is free then, if it is shut
        // out by one that the new bar shuts out in turn, or stands beside.
        let spared: HashSet<&DealerId> = self
            .live()
            .map(|(_, row)| row)
            .filter(|row| !bars.is_empty() && row.shut_out_by.is_some() && self.may_sit(row, terms))
            .filter(|row| row.candidate.refuses_when_active.is_none() && row.own != Some(Rule::Excluded))
            .map(|row| &row.candidate.dealer.id)
            .collect();
        let bars = bars.into_iter().filter(|(dealer, _)| spared.contains(dealer)).map(|(_, at)| at);
        Changes { first: bars.chain(comes_free).min(), comes_free }
    }

    /// When time alone may first make a row free.
    fn comes_free(&self, row: &Row<'a>, ends: &mut Ends) -> Option<Timestamp> {
        match row.own? {
            Rule::Cap => self.cap_ends(row, ends).and_then(|at| self.then_open(row, at)),
            Rule::Inactive => self.becomes_active(row).and_then(|at| self.then_open(row, at)),
            Rule::Hours => self.opens(row),
            Rule::Offer
            | Rule::Source
            | Rule::Age
            | Rule::Area
            | Rule::Band
            | Rule::Needs
            | Rule::Excluded
            | Rule::Territory => None,
        }
    }

    /// When a row that keeps nobody out may begin to: a closed one refuses the lead as soon as it is active,
    /// or too old; one that may not share it takes it.
    fn begins_to_bar(&self, row: &Row<'a>, terms: Option<Terms>, ends: &mut Ends) -> Option<Timestamp> {
        let Candidate { contract, refuses, refuses_when_active, .. } = *row.candidate;
        let may_sit = self.may_sit(row, terms);
        let closed = match contract.territory {
            Territory::Open | Territory::First => return None,
            Territory::Protected => false,
            Territory::Closed => true,
        };
        if !closed && may_sit || refuses.is_some_and(|rule| rule != Rule::Inactive) {
            return None;
        }
        let active = if refuses.is_some() { self.activates(row)? } else { self.now };
        let too_old = || too_old_at(contract, self.facts.opened_at).filter(|_| closed);
        let at = if refuses_when_active.is_some() || refuses.is_some() && !may_sit {
            Some(active)
        } else {
            let takes = if may_sit { None } else { self.comes_free(row, ends) };
            too_old().map(|too_old| too_old.max(active)).into_iter().chain(takes).min()
        };
        at.filter(|&at| at > self.now && !self.is_over(row, at))
    }

    /// When a row that is shut opens, if the contract would take the lead then.
    fn opens(&self, row: &Row<'a>) -> Option<Timestamp> {
        let opening = self.openings.get(row.opening)?;
        let next = || {
            let opens = self.next_opening(opening, row.candidate.zone)?;
            Some((opens, Day::of(opening.calendar.zone.to_datetime(opens).date())))
        };
        let (opens, day) = (*opening.opens.get_or_init(next))?;
        (self.young_enough(row, opens) && !row.candidate.contract.is_over(day)).then_some(opens)
    }

    fn next_opening(&self, opening: &Opening<'_>, zone: usize) -> Option<Timestamp> {
        let Calendar { hours, holidays, .. } = opening.calendar;
        let local = self.locals.get(zone)?;
        if !hours.ever_open() {
            return None;
        }
        let change = local.change(self.now);
        hours
            .next_opening(self.now, &local.fixed, holidays)
            .filter(|&opens| change.is_none_or(|change| opens < change))
            .or_else(|| hours.next_opening(self.now, local.zone, holidays))
    }

    /// That instant, or the first opening after it, if the contract would take the lead then.
    fn then_open(&self, row: &Row<'a>, at: Timestamp) -> Option<Timestamp> {
        let Calendar { hours, holidays, zone, .. } = self.openings.get(row.opening)?.calendar;
        let always = row.candidate.contract.after_hours == AfterHours::Deliver;
        let open = always || hours.is_open(at, zone, holidays);
        let at = if open { at } else { hours.next_opening(at, zone, holidays)? };
        self.in_time(row, at).then_some(at)
    }

    /// Whether a contract would take the lead at an instant to come: it is not too old by then, nor the
    /// contract over.
    fn in_time(&self, row: &Row<'a>, at: Timestamp) -> bool {
        self.young_enough(row, at) && !self.is_over(row, at)
    }

    fn young_enough(&self, row: &Row<'a>, at: Timestamp) -> bool {
        too_old_at(row.candidate.contract, self.facts.opened_at).is_none_or(|too_old| at < too_old)
    }

    /// Whether a contract's last day is over at an instant to come.
    fn is_over(&self, row: &Row<'a>, at: Timestamp) -> bool {
        let contract = row.candidate.contract;
        let zone = self.locals.get(row.candidate.zone).map(|local| local.zone);
        // Most have no last day, and need no calendar.
        contract.ends.is_some()
            && zone.is_some_and(|zone| contract.is_over(Day::of(zone.to_datetime(at).date())))
    }

    /// When all full periods of a row have ended; never, if one is its total.
    fn cap_ends(&self, row: &Row<'a>, known: &mut Ends) -> Option<Timestamp> {
        let zone = row.candidate.zone;
        let local = self.locals.get(zone)?;
        let week_starts = self.screened.core.company.week_starts;
        let ends = known.get_mut(zone)?.get_or_insert_with(|| {
            [Period::Hour, Period::Day, Period::Week, Period::Month, Period::Total]
                .map(|period| period.end(self.now, local.zone, week_starts))
        });
        let mut last = None;
        let Candidate { contract, dealer, .. } = *row.candidate;
        if dealer.prepaid && self.balance(dealer) < contract.price.minor() {
            // Only a deposit or a lead that comes back changes that.
            return None;
        }
        if let Some(most) = contract.budget_month {
            if contract.price > most {
                return None;
            }
            let spent = self.usage(row).map_or(0, |usage| usage.spent(local.start(Period::Month, self.now)));
            if spent.saturating_add(contract.price.minor()) > most.minor() {
                last = Some((*ends.get(Period::Month as usize)?)?);
            }
        }
        for (caps, usage) in caps(row, self.counters) {
            for cap in &caps.0 {
                let used =
                    usage.map_or(0, |usage| usage.counted(cap.period, local.start(cap.period, self.now)));
                if used >= cap.most {
                    last = last.max(Some((*ends.get(cap.period as usize)?)?));
                }
            }
        }
        Timestamp::from_second(last?).ok()
    }

    fn balance(&self, dealer: &CompiledDealer) -> i64 {
        self.counters.dealers.get(&dealer.id).map_or(0, |usage| usage.balance)
    }

    /// When a row that is not active will be, if it takes the lead then.
    fn becomes_active(&self, row: &Row<'a>) -> Option<Timestamp> {
        let Candidate { dealer, refuses_when_active, .. } = *row.candidate;
        let had = self.facts.excluded.contains(&dealer.id) || self.facts.holders.contains(&dealer.id);
        if refuses_when_active.is_some() || had { None } else { self.activates(row) }
    }

    /// When a row that is not active will be, whether it takes the lead then or not.
    fn activates(&self, row: &Row<'a>) -> Option<Timestamp> {
        let Candidate { contract, zone, paused_until, .. } = *row.candidate;
        // Every pause must end, and the first day begin; whether the last is over then, the caller asks.
        let paused_until = paused_until.copied();
        if paused_until == Some(Timestamp::MAX) {
            return None;
        }
        let begins = match contract.starts {
            Some(day) => {
                let start = crate::time::start_of_day(day, self.locals.get(zone)?.zone);
                Some(Timestamp::from_second(start).ok()?)
            }
            None => None,
        };
        let last = paused_until.max(begins).unwrap_or(self.now);
        (last > self.now).then_some(last)
    }

    /// When the first of these compelling contracts has no say any more: the lead is too old for it, or
    /// its last day is over.
    pub(super) fn lapses(&self, rows: &[usize]) -> Option<Timestamp> {
        rows.iter()
            .filter_map(|&at| self.rows.get(at))
            .flat_map(|row| {
                let contract = row.candidate.contract;
                // A closed one that does not take the lead anyway keeps others out at any age.
                let takes = row.candidate.refuses.is_none();
                let too_old = too_old_at(contract, self.facts.opened_at).filter(|_| takes);
                let day_after = contract.ends.and_then(|ends| ends.tomorrow().ok());
                let ended = day_after.zip(self.locals.get(row.candidate.zone)).and_then(|(day, local)| {
                    Timestamp::from_second(crate::time::start_of_day(day, local.zone)).ok()
                });
                [too_old, ended]
            })
            .flatten()
            .filter(|&at| at > self.now)
            .min()
    }

    /// When the first of these, which take the lead and may not share it, shuts: then, those that say
    /// `next` keep nobody out.
    pub(super) fn shuts(&self, rows: &[usize]) -> Option<Timestamp> {
        rows.iter()
            .filter_map(|&at| self.rows.get(at))
            .filter(|row| row.own.is_none())
            .filter_map(|row| {
                let contract = row.candidate.contract;
                let leaves = contract.after_hours == AfterHours::Hold
                    && contract.when_unavailable == WhenUnavailable::Next;
                let opening = self.openings.get(row.opening).filter(|_| leaves)?;
                let Calendar { hours, holidays, zone, .. } = opening.calendar;
                hours.next_closing(self.now, zone, holidays)
            })
            .min()
    }
}
