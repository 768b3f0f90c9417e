//! `dealers.csv` and `channels.csv`: who receives leads, and how they are reached.

use std::collections::{HashMap, HashSet};

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::dealer::{AfterHours, Channel, ChannelKind, ChannelWhen, Dealer, DealerKind, Format, Hours};
use crate::error::Invalid;
use crate::ids::{DealerId, TemplateId};
use crate::limits;
use crate::place::Zip;
use crate::rulebook::body::Body;
use crate::rulebook::columns::{CHANNELS, DEALERS};
use crate::rulebook::company::Defaults;
use crate::rulebook::index::{Index, Read, Refused};
use crate::rulebook::nearest::suggestion;
use crate::rulebook::problem::{Position, ProblemCode, Problems};
use crate::rulebook::table::{Row, Table};
use crate::rulebook::value;

pub(super) fn read(
    body: &Body<'_>,
    defaults: &Defaults,
    index: &mut Index<DealerId>,
    problems: &mut Problems,
) -> Vec<(Position, Dealer)> {
    let Some(mut table) = Table::open(body, &DEALERS, problems) else {
        index.broke_off();
        return Vec::new();
    };
    let mut zones = Zones { default: defaults.zone.as_deref(), known: HashMap::new() };
    let mut dealers = Vec::new();
    while let Some(row) = table.next_row(problems) {
        let offset = row.offset();
        let read = dealer(&row, offset, body, &mut zones, index, problems);
        dealers.extend(read.map(|dealer| (body.locate(offset), dealer)));
        if !table.at_most(limits::DEALERS, index.len(), "dealers", problems) {
            break;
        }
    }
    if table.broke_off {
        index.broke_off();
    }
    dealers
}

fn dealer(
    row: &Row<'_, '_>,
    offset: usize,
    body: &Body<'_>,
    zones: &mut Zones<'_>,
    index: &mut Index<DealerId>,
    problems: &mut Problems,
) -> Read<Dealer> {
    let id = row.needed("dealer", str::parse::<DealerId>, problems);
    let unique = id.as_ref().map_or(Ok(()), |id| index.insert(id, offset, body, problems));
    let kind = row.word_or("kind", DealerKind::Outside, problems);
    let name = row.fill("name", problems).and_then(|()| row.prose("name", limits::TEXT_CHARS, problems));
    let contact = row.prose("contact", limits::TEXT_CHARS, problems);
    let email = row.optional("email", value::email, problems);
    let phone = row.optional("phone", value::phone, problems);
    let billing_email = row.optional("billing_email", value::email, problems);
    let zip = row.needed("zip", Zip::from_spreadsheet, problems);
    let zone = zones.of(row, problems);
    let hours = row.optional("hours", hours, problems);
    let after_hours = row.word_or("after_hours", AfterHours::Hold, problems);
    let holidays = row.optional("holidays", holidays, problems);
    let cap_day = row.whole("cap_day", 1..=limits::CAP, problems);
    let cap_month = row.whole("cap_month", 1..=limits::CAP, problems);
    let prepaid = row.optional("prepaid", value::yes, problems);
    unique?;
    Ok(Dealer {
        id: id?,
        kind: kind?,
        name: name?,
        contact: contact?,
        email: email?.unwrap_or_default(),
        phone: phone?.unwrap_or_default(),
        billing_email: billing_email?.unwrap_or_default(),
        zip: zip?,
        zone: zone?,
        hours: hours?.unwrap_or_else(Hours::always),
        after_hours: after_hours?,
        holidays: holidays?.unwrap_or_default(),
        caps: Dealer::caps(cap_day?, cap_month?),
        prepaid: prepaid?.unwrap_or(false),
    })
}

fn hours(text: &str) -> Result<Hours, Invalid> {
    let hours: Hours = text.parse()?;
    if hours.ever_open() {
        Ok(hours)
    } else {
        Err(Invalid::new("hours must be open at some time; leave the cell empty for 24/7"))
    }
}

/// Days, and vacations from one day to another, both included.
fn holidays(text: &str) -> Result<Vec<Date>, Invalid> {
    let rule = || {
        Invalid::new(
            "holidays are days, and vacations from one to another, separated by spaces: 2026-12-25 2026-07-01..2026-07-14",
        )
    };
    let day = |text: &str| value::date(text).map_err(|_| rule());
    let mut days = Vec::new();
    for word in text.split_whitespace() {
        let (first, last) = word.split_once("..").unwrap_or((word, word));
        let (first, last) = (day(first)?, day(last)?);
        if last < first {
            return Err(Invalid::new(format!("holidays: {last} lies before {first}")));
        }
        days.extend(first.series(1_i64.day()).take_while(|day| *day <= last).take(limits::HOLIDAYS + 1));
        if days.len() > limits::HOLIDAYS {
            return Err(Invalid::new(format!("holidays are at most {} days", limits::HOLIDAYS)));
        }
    }
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

/// Zones by the name they were written with: a hundred thousand dealers share a dozen.
struct Zones<'a> {
    default: Option<&'a str>,
    known: HashMap<String, String>,
}

impl Zones<'_> {
    fn of(&mut self, row: &Row<'_, '_>, problems: &mut Problems) -> Read<String> {
        let written = row.text("zone");
        if written.is_empty() {
            // Without a company's zone the rulebook is refused already.
            return self.default.map(str::to_owned).ok_or(Refused);
        }
        if let Some(zone) = self.known.get(written) {
            return Ok(zone.clone());
        }
        let zone = row.needed("zone", value::zone, problems)?;
        self.known.insert(written.to_owned(), zone.clone());
        Ok(zone)
    }
}

pub(super) fn read_channels(
    body: &Body<'_>,
    defaults: &Defaults,
    dealers: &Index<DealerId>,
    templates: &Index<TemplateId>,
    problems: &mut Problems,
) -> Vec<Channel> {
    let Some(mut table) = Table::open(body, &CHANNELS, problems) else { return Vec::new() };
    let mut channels: Vec<Channel> = Vec::new();
    let mut taken = HashSet::new();
    while let Some(row) = table.next_row(problems) {
        if let Ok(channel) = channel(&row, defaults, dealers, templates, problems) {
            if taken.insert((channel.dealer.clone(), channel.order)) {
                channels.push(channel);
            } else {
                let message = format!("dealer \"{}\" has a channel of this order already", channel.dealer);
                let _noted: Read<()> = row.refuse("order", ProblemCode::DuplicateId, message, problems);
            }
        }
    }
    channels.sort_by(|one, other| (&one.dealer, one.order).cmp(&(&other.dealer, other.order)));
    channels
}

fn channel(
    row: &Row<'_, '_>,
    defaults: &Defaults,
    dealers: &Index<DealerId>,
    templates: &Index<TemplateId>,
    problems: &mut Problems,
) -> Read<Channel> {
    let dealer = row.reference("dealer", dealers, problems);
    let order = row
        .fill("order", problems)
        .and_then(|()| row.whole("order", 1..=u32::from(limits::CHANNELS_PER_DEALER), problems));
    let kind = row.needed("kind", str::parse::<ChannelKind>, problems);
    let address = match kind {
        Ok(ChannelKind::Webhook) => row.needed("address", value::webhook, problems),
        Ok(ChannelKind::Inbox) if !row.text("address").is_empty() => {
            let message = "an inbox has no address: leave it empty";
            row.refuse("address", ProblemCode::Contradiction, message, problems)
        }
        Ok(ChannelKind::Inbox) => Ok(String::new()),
        Ok(ChannelKind::Mail) => row.needed("address", value::mailbox, problems).and_then(|address| {
            if defaults.has_mail {
                return Ok(address);
            }
            let message = "a mail channel needs a sender: [mail] with from in company.toml";
            row.refuse("kind", ProblemCode::Contradiction, message, problems)
        }),
        Ok(ChannelKind::Sqs) => row.needed("address", value::queue, problems),
        Err(Refused) => Err(Refused),
    };
    let when = row.word_or("when", ChannelWhen::Fallback, problems);
    let format = kind.and_then(|kind| format(row, kind, templates, problems));
    let vendor_id = row.prose("vendor_id", limits::VENDOR_ID_CHARS, problems);
    let vendor_id = match (&format, vendor_id) {
        (Ok(Format::Standard), Ok(named)) if !named.is_empty() => {
            let message = "a vendor_id goes with the format adf, or with a template";
            row.refuse("vendor_id", ProblemCode::Contradiction, message, problems)
        }
        (_, vendor_id) => vendor_id,
    };
    Ok(Channel {
        dealer: dealer?,
        order: order?.ok_or(Refused)? as u8,
        kind: kind?,
        address: address?,
        when: when?,
        format: format?,
        vendor_id: vendor_id?,
    })
}

/// Our own, ADF, or a template's.
fn format(
    row: &Row<'_, '_>,
    kind: ChannelKind,
    templates: &Index<TemplateId>,
    problems: &mut Problems,
) -> Read<Format> {
    let Some(format) = row.optional("format", str::parse::<Format>, problems)? else {
        return Ok(Format::default());
    };
    if kind == ChannelKind::Inbox && format != Format::Standard {
        let message = "an inbox has no format: leave it empty";
        return row.refuse("format", ProblemCode::Contradiction, message, problems);
    }
    if let (ChannelKind::Mail | ChannelKind::Sqs, Format::Template(_)) = (kind, &format) {
        let message = "a template is of webhooks: a mail or a queue is standard or adf";
        return row.refuse("format", ProblemCode::Contradiction, message, problems);
    }
    match &format {
        Format::Template(id) if templates.is_complete() && !templates.has(id.as_str()) => {
            let mut known: Vec<&str> = Format::WORDS.to_vec();
            known.extend(templates.names());
            let message = format!(
                "there is no format \"{id}\": it is standard, adf or a template of templates.toml{}",
                suggestion(id.as_str(), known.into_iter())
            );
            row.refuse("format", ProblemCode::UnknownReference, message, problems)
        }
        Format::Standard | Format::Adf | Format::Template(_) => Ok(format),
    }
}
