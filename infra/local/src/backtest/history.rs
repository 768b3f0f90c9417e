//! History: fetched page by page, kept as a file of one event a line.

use std::io::{BufRead as _, Write};
use std::path::Path;

use anyhow::Context as _;
use http::Method;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use leadyard_domain::backtest::Event;
use leadyard_domain::ids::CompanyId;
use serde::Deserialize;

use crate::api::Api;

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

/// All history of a time, in its order.
pub(super) async fn fetch(
    api: &Api,
    company: &CompanyId,
    from: Timestamp,
    to: Timestamp,
) -> anyhow::Result<Vec<Event>> {
    let bar = ProgressBar::new_spinner().with_message("events read");
    let (mut events, mut after) = (Vec::new(), None);
    loop {
        let more = after.map_or_else(String::new, |after: String| format!("&after={after}"));
        let path = format!("/v1/history?company={company}&from={from}&to={to}{more}");
        let answer = api.ask(Method::GET, &path, None).await?.json()?;
        let page: Page = serde_json::from_value(answer).context("the system's history could not be read")?;
        events.extend(page.events);
        bar.set_position(events.len() as u64);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    bar.finish_and_clear();
    events.sort_by_key(Event::at);
    Ok(events)
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
