//! A lead's score as bars that add up, and why the next step is what it is.

use leadyard_domain::distribution::Core;
use leadyard_domain::lead::Lead;
use leadyard_domain::scoring::{Part, Score};

/// A line of the score: so many of a hundred.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) points: String,
    pub(super) percent: u64,
}

/// The lines that sum to the score, the longest of them a hundred.
pub(super) fn bars(score: &Score) -> Vec<Bar> {
    let lines = &score.explanation.lines;
    let most = lines.iter().map(|line| line.hundredths).max().unwrap_or(1).max(1);
    lines
        .iter()
        .map(|line| Bar {
            label: match &line.part {
                Part::Fit(letter) => format!("fit {letter}"),
                Part::Interactions { kind, counted } => {
                    format!("{} × {counted}", kind.as_str().replace('_', " "))
                }
            },
            points: points(line.hundredths),
            percent: line.hundredths * 100 / most,
        })
        .collect()
}

/// Why the next step is what it is, and what it means while the lead stands where it does.
pub(super) fn next_why(core: &Core, lead: &Lead, score: &Score) -> Vec<String> {
    let (band, step) = (score.band, score.next_step);
    let mut why = vec![format!(
        "Its band is {band}, {} for who they are and {} for what they did, and the rules {step} leads of that band.",
        band.fit, band.engagement
    )];
    if let Some(offer) = core.offer(&lead.offer) {
        let least = offer.min_band;
        why.push(match (lead.crossed, band.meets(least)) {
            (true, false) => format!(
                "{} is sold from the band {least} on. It counts as having reached it in this cycle: it was there once, or \
                 somebody gave it away or lifted it all the same.",
                offer.name
            ),
            (_, true) => format!("{} is sold from the band {least} on, which it meets.", offer.name),
            (false, false) => {
                format!(
                    "{} is sold from the band {least} on: until it is there nobody is given it.",
                    offer.name
                )
            }
        });
        if offer.incentive && !lead.crossed {
            why.push("The offer is an incentive: it is not sold before a second interaction.".to_owned());
        }
    }
    if lead.stage.closed() {
        why.push(format!("Its sale cycle is over ({}): nothing follows until they ask again.", lead.stage));
    } else if !lead.holders.is_empty() {
        why.push("A dealer has it: what follows is the dealer's to do.".to_owned());
    } else if lead.hold.is_some() {
        why.push("The desk holds it: nothing follows until it is resumed.".to_owned());
    }
    why
}

/// The profile rules that made the fit letter.
pub(super) fn fit(score: &Score) -> String {
    let rules: Vec<String> =
        score.fit.matched.iter().map(|rule| format!("{} {:+}", rule.label, rule.points)).collect();
    if rules.is_empty() { String::new() } else { format!("Fit {}: {}", score.fit.letter, rules.join(", ")) }
}

/// Hundredths of a point as points.
pub(super) fn points(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
