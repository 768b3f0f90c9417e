//! What each step may use: as measured last. Whatever uses more fails; who uses less writes it down here.

use std::io::Write;

use crate::steps::Step;

/// Write units, read units, requests of SQS, invocations.
type Figure = (&'static str, [f64; 4]);

const ONE_BY_ONE: &[Figure] = &[
    ("intake by a server", [3.00, 1.00, 1.00, 32.00]),
    ("distribution among 8", [15.00, 3.00, 1.00, 10.50]),
    ("delivery by webhook", [6.00, 2.00, 1.00, 85.50]),
    ("intake by a page", [4.00, 1.00, 2.00, 44.00]),
    ("repeat, told to its holder", [20.00, 6.00, 3.00, 148.00]),
    ("interaction of a lead", [5.00, 3.00, 2.00, 12.25]),
    ("interaction of a stranger", [2.00, 3.00, 2.00, 7.25]),
    ("interaction of a nurtured lead", [5.00, 3.00, 2.00, 12.25]),
    ("interaction of a lead, ten in a post", [0.50, 0.30, 0.20, 1.22]),
    ("accept, and the whole lead is sent", [11.50, 3.00, 2.00, 131.25]),
    ("waiting", [7.00, 2.00, 1.00, 6.75]),
    ("waking, and given to its dealer", [8.40, 0.60, 0.20, 7.85]),
    ("sweep when idle", [4.00, 0.00, 1.00, 1.75]),
    ("distribution among 16", [23.00, 3.00, 1.00, 10.50]),
];
const TEN_AT_A_TIME: &[Figure] = &[
    ("intake by a server", [3.00, 1.00, 1.00, 32.00]),
    ("distribution among 8", [6.00, 0.30, 0.10, 2.17]),
    ("delivery by webhook", [6.00, 0.20, 0.10, 8.55]),
    ("intake by a page", [4.00, 1.00, 2.00, 44.00]),
    ("repeat, told to its holder", [22.20, 2.40, 1.20, 62.98]),
    ("interaction of a lead", [4.10, 1.20, 1.10, 10.68]),
    ("interaction of a stranger", [2.00, 1.20, 1.10, 6.80]),
    ("interaction of a nurtured lead", [4.10, 1.20, 1.10, 10.68]),
    ("interaction of a lead, ten in a post", [0.50, 0.30, 0.20, 1.22]),
    ("accept, and the whole lead is sent", [11.50, 1.80, 1.10, 55.42]),
    ("waiting", [5.20, 0.20, 0.10, 1.80]),
    ("waking, and given to its dealer", [8.40, 0.60, 0.20, 7.85]),
    ("sweep when idle", [4.00, 0.00, 1.00, 1.75]),
    ("distribution among 16", [6.80, 0.30, 0.10, 2.17]),
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
