//! History: fetched page by page, kept as a file of one event a line.

use std::io::{BufRead as _, Write};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use http::Method;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use leadyard_domain::backtest::Event;
use leadyard_domain::ids::CompanyId;
use serde::Deserialize;

use crate::api::Api;

/// Parts of a time that are read each by itself, and how many of them at once.
const PARTS: i64 = 8;
const AT_ONCE: usize = 4;

/// A bar on a terminal, nothing elsewhere.
pub(super) fn bar(what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} {msg}");
    let bar = ProgressBar::no_length().with_message(what.to_owned());
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

#[derive(Deserialize)]
struct Page {
    events: Vec<Event>,
    next: Option<String>,
}

/// All history of a time, in its order. Parts of the time are read beside each other.
pub(super) async fn fetch(
    api: Api,
    company: &CompanyId,
    from: Timestamp,
    to: Timestamp,
) -> anyhow::Result<Vec<Event>> {
    let api = Arc::new(api);
    let bar = ProgressBar::new_spinner().with_message("events read");
    let read = parts(from, to).map(|part| {
        let (api, company, bar) = (Arc::clone(&api), company.clone(), bar.clone());
        // Each on a thread that is free: a page is as much work as waiting.
        async move { tokio::spawn(async move { of_part(&api, &company, part, &bar).await }).await? }
    });
    let read: Vec<Vec<Event>> = stream::iter(read).buffered(AT_ONCE).try_collect().await?;
    bar.finish_and_clear();
    let mut events: Vec<Event> = whole(read);
    events.sort_by_key(Event::at);
    Ok(events)
}

/// What was read of the parts, together. Each begins with how the switches stood; where another went before, that is no
/// flip.
fn whole(parts: Vec<Vec<Event>>) -> Vec<Event> {
    let mut whole = Vec::new();
    for mut part in parts {
        if !whole.is_empty()
            && let Some(stood) = part.iter().position(|event| matches!(event, Event::Switched(_)))
        {
            part.remove(stood);
        }
        whole.extend(part);
    }
    whole
}

/// A time in parts, without a gap.
fn parts(from: Timestamp, to: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
    let (first, last) = (from.as_millisecond(), to.as_millisecond());
    let at = move |part: i64| match part {
        0 => from,
        PARTS => to,
        part => {
            Timestamp::from_millisecond(first + (last - first) * part / PARTS).map_or(to, |at| at.max(from))
        }
    };
    (0..PARTS).map(move |part| (at(part), at(part + 1))).filter(|(from, to)| from < to)
}

async fn of_part(
    api: &Api,
    company: &CompanyId,
    (from, to): (Timestamp, Timestamp),
    bar: &ProgressBar,
) -> anyhow::Result<Vec<Event>> {
    let (mut events, mut after) = (Vec::new(), None);
    loop {
        let more = after.map_or_else(String::new, |after: String| format!("&after={after}"));
        let path = format!("/v1/history?company={company}&from={from}&to={to}{more}");
        let answer = api.ask_again(Method::GET, &path, None).await?.success()?;
        let page: Page = serde_json::from_slice(&answer).context("the system's history could not be read")?;
        bar.inc(page.events.len() as u64);
        events.extend(page.events);
        after = page.next;
        if after.is_none() {
            return Ok(events);
        }
    }
}

pub(super) fn read(path: &Path) -> anyhow::Result<Vec<Event>> {
    let file = std::fs::File::open(path).with_context(|| format!("{} could not be read", path.display()))?;
    let mut events = Vec::new();
    for (number, line) in std::io::BufReader::new(file).lines().enumerate() {
        let line = line.with_context(|| format!("{} could not be read", path.display()))?;
        if line.trim().is_empty() {
            continue;
        }
        let event = serde_json::from_str(&line);
        events.push(event.with_context(|| {
            format!("{}, line {}: this is no event of an export", path.display(), number + 1)
        })?);
    }
    Ok(events)
}

pub(super) fn write(events: &[Event], out: &mut impl Write) -> anyhow::Result<()> {
    for event in events {
        serde_json::to_writer(&mut *out, event)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use leadyard_domain::backtest::history::Switched;
    use leadyard_domain::distribution::Switches;

    use super::*;

    #[test]
    fn the_parts_of_history_say_once_how_the_switches_stood_at_first_and_keep_each_flip() {
        let switched = |second, stop| {
            let at = Timestamp::from_second(second).unwrap();
            Event::Switched(Switched { at, switches: Switches { stop, ..Switches::default() } })
        };
        // The second part ends with the flip, the third begins as it left them.
        let parts = vec![
            vec![switched(0, false)],
            vec![switched(10, false), switched(15, true)],
            vec![switched(20, true)],
        ];
        let told: Vec<_> = whole(parts)
            .into_iter()
            .map(|event| match event {
                Event::Switched(one) => (one.at.as_second(), one.switches.stop),
                Event::Decided(_) | Event::Deposited(_) => (0, true),
            })
            .collect();
        assert_eq!(told, [(0, false), (15, true)]);
    }

    #[test]
    fn the_parts_of_a_time_are_all_of_it_and_each_instant_is_in_one() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (from, to) in [
            ("2026-01-01T00:00:00Z", "2026-06-03T17:04:00.123456Z"),
            ("2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00.004Z"),
            ("1970-01-01T00:00:00Z", "9999-12-30T00:00:00Z"),
        ] {
            let (from, to) = (at(from), at(to));
            let parts: Vec<_> = parts(from, to).collect();
            assert_eq!((parts[0].0, parts[parts.len() - 1].1), (from, to));
            assert!(parts.iter().all(|(from, to)| from < to));
            assert!(parts.iter().zip(&parts[1..]).all(|(part, next)| part.1 == next.0), "{parts:?}");
        }
    }
}
