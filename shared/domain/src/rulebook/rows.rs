//! From what was parsed back to the cells of a table: what a table must say to be read as this.
//!
//! Defaults are spelled out, so that a difference between two rulebooks is seen where it comes from a
//! default. Each function takes its struct apart, so that a field that is not written does not compile.

use std::fmt::Display;

use jiff::civil::Date;

#[cfg(feature = "xlsx")]
use crate::contract::AreaPart;
use crate::contract::{Caps, Contract, Selection};
use crate::dealer::{Channel, Dealer};
#[cfg(feature = "xlsx")]
use crate::ids::AreaId;
use crate::rulebook::DeskPerson;
use crate::time::Period;

/// Column and cell; an empty cell is not listed.
pub(super) type RowText = Vec<(&'static str, String)>;

/// A row of `people.csv`.
pub(super) fn person(person: &DeskPerson) -> RowText {
    let DeskPerson { person, email, role } = person;
    filled([("person", person.to_string()), ("email", email.clone()), ("role", role.to_string())])
}

/// A row of `dealers.csv`.
pub(super) fn dealer(dealer: &Dealer) -> RowText {
    let Dealer {
        id,
        kind,
        name,
        contact,
        email,
        phone,
        billing_email,
        zip,
        zone,
        hours,
        after_hours,
        holidays,
        caps,
        prepaid,
    } = dealer;
    filled([
        ("dealer", id.to_string()),
        ("kind", kind.to_string()),
        ("name", name.clone()),
        ("contact", contact.clone()),
        ("email", email.clone()),
        ("phone", phone.clone()),
        ("billing_email", billing_email.clone()),
        ("zip", zip.to_string()),
        ("zone", zone.clone()),
        ("hours", hours.to_string()),
        ("after_hours", after_hours.to_string()),
        ("holidays", days(holidays)),
        ("cap_day", cap(caps, Period::Day)),
        ("cap_month", cap(caps, Period::Month)),
        ("prepaid", yes(*prepaid)),
    ])
}

/// A row of `channels.csv`.
pub(super) fn channel(channel: &Channel) -> RowText {
    let Channel { dealer, order, kind, address, when, format, vendor_id } = channel;
    filled([
        ("dealer", dealer.to_string()),
        ("order", order.to_string()),
        ("kind", kind.to_string()),
        ("address", address.clone()),
        ("when", when.to_string()),
        ("format", format.to_string()),
        ("vendor_id", vendor_id.clone()),
    ])
}

/// A row of `areas.csv`.
#[cfg(feature = "xlsx")]
pub(super) fn area(area: &AreaId, part: AreaPart) -> RowText {
    filled([("area", area.to_string()), ("part", part.to_string())])
}

/// A row of `contracts.csv`.
pub(super) fn contract(contract: &Contract) -> RowText {
    let Contract {
        id,
        dealer,
        offers,
        sources,
        area,
        territory,
        sale,
        when_unavailable,
        min_band,
        needs,
        max_age_hours,
        tier,
        weight,
        price,
        caps,
        budget_month,
        deadline,
        returns,
        after_hours,
        again,
        starts,
        ends,
    } = contract;
    let returns = returns.as_ref();
    filled([
        ("contract", id.to_string()),
        ("dealer", dealer.to_string()),
        ("offers", selection(offers)),
        ("sources", selection(sources)),
        ("area", area.to_string()),
        ("territory", territory.to_string()),
        ("sale", sale.to_string()),
        ("when_unavailable", when_unavailable.to_string()),
        ("min_band", min_band.to_string()),
        ("needs", spaced(needs.iter())),
        ("max_age_hours", perhaps(*max_age_hours)),
        ("tier", tier.to_string()),
        ("weight", weight.to_string()),
        ("price", price.to_string()),
        ("cap_hour", cap(caps, Period::Hour)),
        ("cap_day", cap(caps, Period::Day)),
        ("cap_week", cap(caps, Period::Week)),
        ("cap_month", cap(caps, Period::Month)),
        ("cap_total", cap(caps, Period::Total)),
        ("budget_month", perhaps(*budget_month)),
        // None is said aloud: an empty cell would be the company's.
        ("deadline_minutes", deadline.map_or(0, |deadline| deadline.minutes).to_string()),
        ("deadline_clock", perhaps(deadline.map(|deadline| deadline.clock))),
        ("after_hours", perhaps(*after_hours)),
        ("return_days", perhaps(returns.map(|terms| terms.days))),
        ("return_quota", perhaps(returns.and_then(|terms| terms.quota_percent))),
        ("return_reasons", returns.map(|terms| spaced(&terms.reasons)).unwrap_or_default()),
        ("return_approval", perhaps(returns.map(|terms| terms.approval))),
        ("again", yes(*again)),
        ("starts", perhaps(*starts)),
        ("ends", perhaps(*ends)),
    ])
}

fn filled<const N: usize>(cells: [(&'static str, String); N]) -> RowText {
    cells.into_iter().filter(|(_, text)| !text.is_empty()).collect()
}

fn selection<Id: Display>(selection: &Selection<Id>) -> String {
    match selection {
        Selection::All => "*".to_owned(),
        Selection::These(ids) => spaced(ids),
    }
}

fn cap(caps: &Caps, period: Period) -> String {
    perhaps(caps.0.iter().find(|cap| cap.period == period).map(|cap| cap.most))
}

fn perhaps<T: Display>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn yes(said: bool) -> String {
    if said { "yes" } else { "no" }.to_owned()
}

/// Days in order: those that follow one another as a vacation.
fn days(days: &[Date]) -> String {
    let follows = |one: &Date, next: &Date| one.tomorrow().is_ok_and(|tomorrow| tomorrow == *next);
    let vacations = days.chunk_by(follows).filter_map(|run| Some((run.first()?, run.last()?)));
    spaced(vacations.map(
        |(first, last)| {
            if first == last { first.to_string() } else { format!("{first}..{last}") }
        },
    ))
}

fn spaced<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(" ")
}
