//! What each step may use: as measured last. Whatever uses more fails; who uses less writes it down here.

use std::io::Write;

use crate::steps::Step;

/// Write units, read units, requests of SQS, invocations.
type Figure = (&'static str, [f64; 4]);

const ONE_BY_ONE: &[Figure] = &[
    ("intake by a server", [11.00, 3.00, 1.00, 1.00]),
    ("distribution among 8", [16.00, 23.00, 3.00, 1.00]),
    ("delivery by webhook", [6.00, 6.00, 2.00, 1.00]),
    ("intake by a page", [18.00, 4.00, 1.00, 2.00]),
    ("repeat, told to its holder", [22.00, 20.00, 6.00, 3.00]),
    ("interaction of a lead", [2.00, 5.00, 3.00, 2.00]),
    ("interaction of a stranger", [1.00, 3.00, 3.00, 2.00]),
    ("interaction of a nurtured lead", [6.00, 6.00, 3.00, 2.00]),
    ("interaction of a lead, ten in a post", [0.40, 0.50, 0.30, 0.20]),
    ("accept, and the whole lead is sent", [10.00, 15.50, 3.00, 2.00]),
    ("waiting", [8.00, 7.00, 2.00, 1.00]),
    ("waking, and given to its dealer", [20.80, 14.30, 0.60, 0.20]),
    ("sweep when idle", [0.00, 4.00, 0.00, 1.00]),
    ("distribution among 16", [18.00, 39.00, 3.00, 1.00]),
    ("a thousand events, counted", [7.00, 271.00, 0.00, 1.00]),
];
const TEN_AT_A_TIME: &[Figure] = &[
    ("intake by a server", [11.00, 3.00, 1.00, 1.00]),
    ("distribution among 8", [16.00, 6.80, 0.30, 0.10]),
    ("delivery by webhook", [6.00, 6.00, 0.20, 0.10]),
    ("intake by a page", [18.00, 4.00, 1.00, 2.00]),
    ("repeat, told to its holder", [22.00, 22.20, 2.40, 1.20]),
    ("interaction of a lead", [2.00, 4.10, 1.20, 1.10]),
    ("interaction of a stranger", [1.00, 2.10, 1.20, 1.10]),
    ("interaction of a nurtured lead", [6.00, 5.10, 1.20, 1.10]),
    ("interaction of a lead, ten in a post", [0.40, 0.50, 0.30, 0.20]),
    ("accept, and the whole lead is sent", [10.60, 15.50, 1.80, 1.10]),
    ("waiting", [8.00, 5.20, 0.20, 0.10]),
    ("waking, and given to its dealer", [20.80, 14.30, 0.60, 0.20]),
    ("sweep when idle", [0.00, 4.00, 0.00, 1.00]),
    ("distribution among 16", [18.00, 8.40, 0.30, 0.10]),
    ("a thousand events, counted", [7.00, 271.00, 0.00, 1.00]),
];

/// Whether every step uses no more than it may.
pub(crate) fn hold(out: &mut impl Write, together: usize, steps: &[Step]) -> std::io::Result<bool> {
    const WHAT: [&str; 4] = ["write units", "read units", "requests of SQS", "invocations"];
    const ROUNDING: f64 = 0.005;
    let figures = if together == 1 { ONE_BY_ONE } else { TEN_AT_A_TIME };
    let mut well = true;
    for Step { name, used } in steps {
        let now = [used.writes(), used.reads, used.queue_requests, used.invocations];
        let Some((_, most)) = figures.iter().find(|(of, _)| of == name) else {
            writeln!(out, "no figure stands for it: (\"{name}\", {now:.2?}),")?;
            well = false;
            continue;
        };
        for ((now, most), what) in now.into_iter().zip(most).zip(WHAT) {
            if now > most + ROUNDING {
                writeln!(out, "MORE than its figure: {name} takes {now:.2} {what}, and may take {most:.2}")?;
                well = false;
            } else if now < most - ROUNDING {
                writeln!(
                    out,
                    "less than its figure: {name} takes {now:.2} {what}; write that for {most:.2}"
                )?;
            }
        }
        if used.refused > 0.0 {
            writeln!(out, "{name}: {} calls were refused, and nobody says what they use", used.refused)?;
            well = false;
        }
    }
    Ok(well)
}
