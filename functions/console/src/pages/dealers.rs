//! The dealers: who can be given leads now and who cannot, what of their caps is used, and how they fared in thirty days.
//!
//! Determinations. *A page has [`LISTED`] dealers*, in the order of their ids, and reads what concerns them alone; fewer,
//! where their contracts have more than [`COUNTERS`] counters to be read, and one at least. Of many contracts a row names
//! [`NAMED`], those that are full first. *Of what was not looked at nothing is said* but how many contracts that are. *Who
//! fails or is full is asked of the first [`ASKED`](now::ASKED) channels or counters*, and the page says so where there are
//! more.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use leadyard_domain::contract::{Caps, Contract};
use leadyard_domain::dealer::{Channel, ChannelKind, Dealer};
use leadyard_domain::delivery::Breaker;
use leadyard_domain::distribution::{Core, Counters, Pause, Reservation, Switches, Usage};
use leadyard_domain::error::Code;
use leadyard_domain::ids::{ContractId, DealerId};
use leadyard_domain::money::Money;
use leadyard_domain::report::{Counter, Dimension, Speed, Sums};
use leadyard_domain::rulebook::Rulebook;
use leadyard_domain::time;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::now::{self, Limit};
use leadyard_platform::store::{ChannelState, Tables};
use leadyard_platform::who::READS;
use serde::Deserialize;

use super::served::ByState;
use super::shown::{self, Choice, instant};
use super::signed::{For, Sent, Signed};
use super::{Frame, address, rendered, troubled};

const AT: &str = "/console/dealers";
/// Dealers on one page.
const LISTED: usize = 25;
/// Counters that a page reads, of its dealers and of their contracts: a read for each hundred.
const COUNTERS: usize = 300;
/// The same of a page for which all dealers were asked who fails or is full.
const COUNTERS_ASKED: usize = 100;
/// Contracts that a dealer's row names.
const NAMED: usize = 10;
/// Reasons that are told of why no contract takes leads.
const REASONS: usize = 5;
/// Days that a dealer's figures are of.
const DAYS: i64 = 30;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    company: String,
    /// `paused`, `failing`, `full`; all of them, if none is named.
    show: String,
    /// Behind which dealer the page begins.
    after: String,
}

#[derive(askama::Template)]
#[template(path = "dealers.html")]
struct Page {
    frame: Frame,
    company: String,
    companies: Vec<Choice>,
    shows: Vec<Choice>,
    all: usize,
    rows: Vec<Row>,
    next: String,
    /// Not all were asked whether they fail or are full.
    cut: bool,
    /// What was looked for by name.
    sought: bool,
    /// Where dealers are: of all of them, on the first page.
    served: Option<ByState>,
}

struct Row {
    at: String,
    name: String,
    dealer: String,
    kind: String,
    standing: Standing,
    /// Contracts with a cap that it does not name.
    more: usize,
    fared: Fared,
}

/// How a dealer can be given leads now.
pub(super) struct Standing {
    /// What keeps leads from it.
    pub(super) troubles: Vec<String>,
    /// Those that were asked for.
    pub(super) contracts: Vec<OfContract>,
    pub(super) channels: Vec<OfChannel>,
    pub(super) caps: Vec<Cap>,
    /// What is left of what it paid in advance, where it must.
    pub(super) balance: String,
}

/// A contract, and what of it is used.
pub(super) struct OfContract {
    pub(super) id: ContractId,
    /// Its id without its dealer's, where it begins with that.
    pub(super) short: String,
    pub(super) price: String,
    pub(super) caps: Vec<Cap>,
    /// Why it gets nothing now.
    pub(super) trouble: String,
    pub(super) paused: bool,
}

/// A cap or budget, and whether it is used up.
pub(super) struct Cap {
    pub(super) says: String,
    pub(super) full: bool,
}

/// A channel, and how it fares.
pub(super) struct OfChannel {
    pub(super) order: u8,
    pub(super) kind: ChannelKind,
    /// Why nothing goes through.
    pub(super) trouble: String,
    /// It takes nothing until the desk says so.
    pub(super) disabled: bool,
}

/// What a dealer made of its leads.
#[derive(Default)]
pub(super) struct Fared {
    pub(super) offered: i64,
    pub(super) accepted: String,
    pub(super) speed: String,
    pub(super) returned: String,
    pub(super) won: String,
}

/// The rules as they are written.
pub(super) async fn book_of(cloud: &Cloud, core: &Core) -> Result<Arc<Rulebook>, Problem> {
    let book = cloud.rulebooks.book(&cloud.store, core).await?;
    book.ok_or_else(|| Problem::new(Code::NotFound, "the text of the rules in force is not kept"))
}

/// `GET /console/dealers?company&show&after`.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Query(asked): Query<Asked>,
) -> Response {
    match listed(&cloud, &signed, &asked, None).await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

/// `POST /console/dealers`: by a part of the name, which may be a person's and stands in no address. One is opened at
/// once.
pub(super) async fn find(
    State(cloud): State<Cloud>,
    Sent { signed: For(signed), form }: Sent<For<READS>>,
) -> Response {
    let asked = Asked { company: form.get("company").cloned().unwrap_or_default(), ..Asked::default() };
    let name = form.get("name").map(|name| name.trim().to_lowercase()).unwrap_or_default();
    match listed(&cloud, &signed, &asked, Some(&name)).await {
        Ok(page) => match page.rows.as_slice() {
            [only] => Redirect::to(&only.at).into_response(),
            _ => rendered(&page, StatusCode::OK),
        },
        Err(problem) => troubled(&signed, &problem),
    }
}

async fn listed(cloud: &Cloud, signed: &Signed, asked: &Asked, name: Option<&str>) -> Result<Page, Problem> {
    let core = signed.rules_of(cloud, &asked.company).await?;
    let (company, now) = (core.company_id(), cloud.clock.now());
    let book = book_of(cloud, &core).await?;
    let (switches, _) = cloud.store.switches_get(company).await?;
    let (only, cut) = match asked.show.as_str() {
        "paused" => (Some(paused(&book, &switches, now)), false),
        "failing" => some(now::failing(cloud, &core, &book).await?),
        "full" => {
            let full = now::full(cloud, &core, &book, now).await?;
            some((full.dealers, full.cut))
        }
        _ => (None, false),
    };
    let dealers = chosen(&book, only.as_ref(), name);
    let all = dealers.len();
    let limited = limited(&book);
    let most = if ["failing", "full"].contains(&asked.show.as_str()) { COUNTERS_ASKED } else { COUNTERS };
    let most = most - LISTED;
    let (of_page, more) = behind(dealers, &asked.after, &limited, most);
    // A name stands in no address: who looks for one types more of it.
    let next = of_page.last().filter(|_| more && name.is_none()).map(|last| {
        let pairs = [("company", company.as_str()), ("show", &asked.show), ("after", last.id.as_str())];
        address(AT, &pairs)
    });
    let contracts = of_page.iter().filter_map(|dealer| limited.get(&dealer.id)).flatten().copied();
    let contracts: Vec<&Contract> = contracts.take(most).collect();
    let known = Known::read(cloud, &core, &book, &switches, &of_page, &contracts, now).await?;
    let figures = figures(cloud, &core, now).await?;
    let rows = of_page.iter().map(|dealer| {
        let mut standing = known.standing(dealer);
        standing.contracts.sort_by_key(|contract| !contract.caps.iter().any(|cap| cap.full));
        standing.contracts.truncate(NAMED);
        let limited = limited.get(&dealer.id).map_or(0, Vec::len);
        Row {
            at: format!("{AT}/{company}/{}", dealer.id),
            name: dealer.name.clone(),
            dealer: dealer.id.to_string(),
            kind: dealer.kind.to_string(),
            more: limited.saturating_sub(standing.contracts.len()),
            standing,
            fared: figures.of(&dealer.id),
        }
    });
    let show = Some(asked.show.as_str());
    let first = name.is_none() && asked.show.is_empty() && asked.after.is_empty();
    let served = first.then(|| ByState::of(&book, &cloud.rulebooks.served(&core, &book), now));
    Ok(Page {
        frame: Frame::of("Dealers", "dealers", signed),
        companies: Choice::companies(cloud, &signed.desk, company),
        shows: vec![
            Choice::of("", "all", show),
            Choice::of("paused", "paused", show),
            Choice::of("failing", "not reached", show),
            Choice::of("full", "full", show),
        ],
        all,
        rows: rows.collect(),
        next: next.unwrap_or_default(),
        cut,
        sought: name.is_some(),
        served: served.flatten(),
        company: company.to_string(),
    })
}

/// Those that are asked for, by their ids.
fn chosen<'a>(book: &'a Rulebook, only: Option<&HashSet<DealerId>>, name: Option<&str>) -> Vec<&'a Dealer> {
    let named = |dealer: &Dealer| {
        name.is_none_or(|name| dealer.name.to_lowercase().contains(name) || dealer.id.as_str().contains(name))
    };
    let mut dealers: Vec<&Dealer> = book
        .dealers
        .iter()
        .filter(|dealer| named(dealer) && only.is_none_or(|only| only.contains(&dealer.id)))
        .collect();
    dealers.sort_by(|a, b| a.id.cmp(&b.id));
    dealers
}

/// The contracts of each dealer that have a cap or a budget.
type Limited<'a> = HashMap<&'a DealerId, Vec<&'a Contract>>;

fn limited(book: &Rulebook) -> Limited<'_> {
    let mut limited: Limited<'_> = HashMap::new();
    for contract in book.contracts.iter().filter(|contract| now::is_limited(contract)) {
        limited.entry(&contract.dealer).or_default().push(contract);
    }
    limited
}

/// A page of them behind this id, which have at most so many limited contracts, or of one who has more; and whether
/// there are more.
fn behind<'a>(
    dealers: Vec<&'a Dealer>,
    after: &str,
    limited: &Limited<'_>,
    most: usize,
) -> (Vec<&'a Dealer>, bool) {
    let (mut page, mut contracts) = (Vec::new(), 0);
    for dealer in dealers.into_iter().filter(|dealer| dealer.id.as_str() > after) {
        contracts += limited.get(&dealer.id).map_or(0, Vec::len);
        if page.len() == LISTED || !page.is_empty() && contracts > most {
            return (page, true);
        }
        page.push(dealer);
    }
    (page, false)
}

fn some((only, cut): (HashSet<DealerId>, bool)) -> (Option<HashSet<DealerId>>, bool) {
    (Some(only), cut)
}

/// Dealers that are paused now, or a contract of theirs is.
fn paused(book: &Rulebook, switches: &Switches, now: Timestamp) -> HashSet<DealerId> {
    let contracts =
        book.contracts.iter().filter(|contract| pause(&switches.contracts, &contract.id, now).is_some());
    let by_contract = contracts.map(|contract| contract.dealer.clone());
    let dealers = switches.dealers.iter().filter(|pause| is_on(pause, now)).map(|pause| pause.id.clone());
    dealers.chain(by_contract).collect()
}

/// How many dealers are paused now, or have a contract that is: those that the page of the paused lists. A pause outlasts a
/// dealer or contract that the rules no longer have, and counts for nothing then. The rules as they are written are read
/// where somebody is paused; where their text is not kept, nobody is counted.
pub(super) async fn paused_now(
    cloud: &Cloud,
    core: &Core,
    switches: &Switches,
    now: Timestamp,
) -> Result<usize, Problem> {
    let any = switches.dealers.iter().any(|pause| is_on(pause, now))
        || switches.contracts.iter().any(|pause| is_on(pause, now));
    if !any {
        return Ok(0);
    }
    let Some(book) = cloud.rulebooks.book(&cloud.store, core).await? else { return Ok(0) };
    let paused = paused(&book, switches, now);
    Ok(book.dealers.iter().filter(|dealer| paused.contains(&dealer.id)).count())
}

fn is_on<Id>(pause: &Pause<Id>, now: Timestamp) -> bool {
    pause.until.is_none_or(|until| now < until)
}

/// A pause that holds now.
pub(super) fn pause<'a, Id: PartialEq>(
    pauses: &'a [Pause<Id>],
    id: &Id,
    now: Timestamp,
) -> Option<&'a Pause<Id>> {
    pauses.iter().find(|pause| pause.id == *id && is_on(pause, now))
}

/// Each cap and the budget, with what is used of it.
fn caps(
    core: &Core,
    caps: &Caps,
    budget: Option<Money>,
    usage: Option<&Usage>,
    reserves: &Reservation,
) -> Vec<Cap> {
    let of = |limit: Limit| {
        let says = match limit {
            Limit::Cap { period, used, most } => format!("{period} {used} of {most}"),
            Limit::Budget { spent, most } => {
                format!("budget {spent} of {} a month", shown::money(core, most))
            }
        };
        Cap { says, full: limit.is_full() }
    };
    now::limits(caps, budget, usage, reserves).into_iter().map(of).collect()
}

fn of_channel(core: &Core, channel: &Channel, state: Option<&ChannelState>, now: Timestamp) -> OfChannel {
    let state = now::failure(channel, state);
    let disabled = state.and_then(|state| state.disabled.as_ref());
    let trouble = match (disabled, state.map(|state| state.breaker)) {
        (Some(disabled), _) => {
            format!("takes nothing since {}: {}", instant(core, disabled.at), shown::word(&disabled.why))
        }
        (None, Some(Breaker::Open { until, .. } | Breaker::Probing { until, .. })) if until > now => {
            format!("does not answer; left alone until {}", instant(core, until))
        }
        (None, Some(Breaker::Open { .. } | Breaker::Probing { .. })) => {
            "did not answer; the next lead tries it".to_owned()
        }
        (None, Some(Breaker::Closed { .. }) | None) => String::new(),
    };
    OfChannel { order: channel.order, kind: channel.kind, trouble, disabled: disabled.is_some() }
}

/// All that is known of some dealers now.
pub(super) struct Known<'a> {
    core: &'a Core,
    book: &'a Rulebook,
    switches: &'a Switches,
    /// The contracts of theirs that were asked for.
    asked: HashSet<&'a ContractId>,
    counters: Counters,
    channels: HashMap<(DealerId, u8), ChannelState>,
    now: Timestamp,
}

impl<'a> Known<'a> {
    /// These dealers, and these contracts of theirs. A read for each hundred of both that are limited, and for each hundred
    /// channels.
    pub(super) async fn read(
        cloud: &Cloud,
        core: &'a Core,
        book: &'a Rulebook,
        switches: &'a Switches,
        dealers: &[&Dealer],
        contracts: &[&'a Contract],
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let ids: HashSet<&DealerId> = dealers.iter().map(|dealer| &dealer.id).collect();
        let asked = contracts.iter().map(|&contract| &contract.id).collect();
        let limited = contracts.iter().filter(|contract| now::is_limited(contract));
        let limited: Vec<ContractId> = limited.map(|contract| contract.id.clone()).collect();
        let of_page: Vec<DealerId> = dealers.iter().map(|dealer| dealer.id.clone()).collect();
        let channels = book.channels.iter().filter(|channel| ids.contains(&channel.dealer));
        let channels: Vec<(&DealerId, u8)> =
            channels.map(|channel| (&channel.dealer, channel.order)).collect();
        let (counters, channels) = futures::try_join!(
            cloud.store.caps_get(core.company_id(), &limited, &of_page),
            cloud.store.channels_get(core.company_id(), &channels)
        )?;
        Ok(Self { core, book, switches, asked, counters, channels, now })
    }

    pub(super) fn standing(&self, dealer: &Dealer) -> Standing {
        let (core, now) = (self.core, self.now);
        let reserves = now::reserves(core, dealer, now);
        let usage = self.counters.dealers.get(&dealer.id);
        let zone = time::zone(&dealer.zone).unwrap_or(jiff::tz::TimeZone::UTC);
        let today = zone.to_datetime(now).date();
        let (contracts, none_takes) = self.contracts(dealer, &reserves, today);
        let channels = self.book.channels.iter().filter(|channel| channel.dealer == dealer.id);
        let channels: Vec<OfChannel> = channels
            .map(|channel| {
                let state = self.channels.get(&(channel.dealer.clone(), channel.order));
                of_channel(core, channel, state, now)
            })
            .collect();
        let caps = caps(core, &dealer.caps, None, usage, &reserves);
        let balance = usage.map_or(0, |usage| usage.balance);
        let mut troubles = Vec::new();
        if let Some(pause) = pause(&self.switches.dealers, &dealer.id, now) {
            troubles.push(says_pause(core, pause));
        }
        troubles.extend(none_takes);
        troubles.extend(caps.iter().filter(|cap| cap.full).map(|cap| format!("full: {}", cap.says)));
        if dealer.prepaid && balance <= 0 {
            troubles.push("nothing is left of what was paid in advance".to_owned());
        }
        let failing = channels.iter().filter(|channel| !channel.trouble.is_empty());
        troubles.extend(failing.map(|channel| format!("{} {}", channel.kind, channel.trouble)));
        let money = |minor| shown::money(core, Money::from_minor(minor));
        let balance = if dealer.prepaid || balance != 0 { money(balance) } else { String::new() };
        Standing { troubles, contracts, channels, caps, balance }
    }

    /// Those of its contracts that were asked for; and why none of its contracts takes leads, as far as is known.
    fn contracts(
        &self,
        dealer: &Dealer,
        reserves: &Reservation,
        today: Date,
    ) -> (Vec<OfContract>, Option<String>) {
        let (mut asked, mut why, mut takes, mut unknown) = (Vec::new(), Vec::<String>::new(), false, 0);
        for contract in self.book.contracts.iter().filter(|contract| contract.dealer == dealer.id) {
            let is_asked = self.asked.contains(&contract.id);
            let stands = self.contract(contract, reserves, today);
            if stands.trouble.is_empty() {
                // Whether one is full that was not asked for, nobody knows.
                let is_known = is_asked || !now::is_limited(contract);
                takes |= is_known;
                unknown += usize::from(!is_known);
            } else if !why.contains(&stands.trouble) {
                why.push(stands.trouble.clone());
            }
            if is_asked {
                asked.push(stands);
            }
        }
        if takes {
            return (asked, None);
        }
        let mut said = why.iter().take(REASONS).cloned().collect::<Vec<_>>().join("; ");
        if why.len() > REASONS {
            said.push_str("; and others");
        }
        let none = match (why.is_empty(), unknown) {
            (true, 0) => "has no contract".to_owned(),
            (false, 0) => format!("no contract takes leads: {said}"),
            (true, unknown) => format!("{unknown} contracts were not looked at"),
            (false, unknown) => {
                format!("no contract that was looked at takes leads: {said}; {unknown} were not")
            }
        };
        (asked, Some(none))
    }

    fn contract(&self, contract: &Contract, reserves: &Reservation, today: Date) -> OfContract {
        let usage = self.counters.contracts.get(&contract.id);
        let caps = caps(self.core, &contract.caps, contract.budget_month, usage, reserves);
        let pause = pause(&self.switches.contracts, &contract.id, self.now);
        let full = caps.iter().find(|cap| cap.full);
        let trouble = match (pause, contract.starts, contract.ends, full) {
            (Some(pause), ..) => says_pause(self.core, pause),
            (None, Some(starts), ..) if today < starts => format!("starts {starts}"),
            (None, _, Some(ends), _) if today > ends => format!("ended {ends}"),
            (None, _, _, Some(cap)) => format!("full: {}", cap.says),
            (None, _, _, None) => String::new(),
        };
        let price = shown::money(self.core, contract.price);
        let own = contract.id.as_str().strip_prefix(contract.dealer.as_str());
        let short = own.and_then(|rest| rest.strip_prefix('-')).unwrap_or(contract.id.as_str()).to_owned();
        OfContract { id: contract.id.clone(), short, price, caps, trouble, paused: pause.is_some() }
    }
}

fn says_pause<Id>(core: &Core, pause: &Pause<Id>) -> String {
    let until = pause.until.map_or_else(
        || "until somebody resumes it".to_owned(),
        |until| format!("until {}", instant(core, until)),
    );
    let why = if pause.reason.is_empty() { String::new() } else { format!(": {}", pause.reason) };
    format!("paused {until}{why}")
}

/// What all dealers made of their leads in thirty days.
pub(super) struct Figures {
    counts: Sums,
    times: Sums,
}

pub(super) async fn figures(cloud: &Cloud, core: &Core, now: Timestamp) -> Result<Figures, Problem> {
    let today = shown::zone(core).to_datetime(now).date();
    let from = today.checked_sub((DAYS - 1).days()).unwrap_or(today);
    let read = |tables| {
        cloud.store.report_read(core.company_id(), &[Dimension::Dealer], tables, (from, today), today)
    };
    let (counts, times) = futures::try_join!(read(Tables::Counts), read(Tables::Times))?;
    Ok(Figures { counts: counts.sums, times: times.sums })
}

impl Figures {
    pub(super) fn of(&self, dealer: &DealerId) -> Fared {
        let counts = self.counts.get(Dimension::Dealer, dealer.as_str());
        let of = |counter| counts.get(counter);
        let part = |part: i64, whole: i64| match whole {
            0 => String::new(),
            whole => format!("{} %", (part as f64 / whole as f64 * 100.0).round()),
        };
        let (accepted, delivered) = (of(Counter::Accepted), of(Counter::Delivered));
        let answered = accepted + of(Counter::Declined) + of(Counter::Lapsed);
        let median = self.times.get(Dimension::Dealer, dealer.as_str()).speed(Speed::Acceptance).median_s();
        Fared {
            offered: of(Counter::Distributed),
            accepted: part(accepted, answered),
            speed: median.map(lasts).unwrap_or_default(),
            returned: part(of(Counter::Returned), delivered),
            won: part(of(Counter::Won), delivered),
        }
    }
}

/// `45 s`, `12 min`, `3 h`: the largest unit alone.
fn lasts(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// What a day's decisions said of a contract, the most often first.
pub(super) fn most_often(words: &BTreeMap<&'static str, u32>) -> Vec<(&'static str, u32)> {
    let mut words: Vec<_> = words.iter().map(|(word, count)| (*word, *count)).collect();
    words.sort_by_key(|(word, count)| (std::cmp::Reverse(*count), *word));
    words
}
