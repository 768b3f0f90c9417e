//! Charts: bars along an axis with round ticks, as numbers that a template writes into an inline SVG.
//!
//! Determinations. *Lengths are parts of the width*, so that a chart fits a phone and a desk alike while its words keep
//! their size; heights are pixels and known beforehand, so that nothing moves while a page loads. *The axis always has
//! zero*: a bar's length is its value. *The period before is a thinner bar beneath*, told apart by its shape and not by
//! its colour alone.

/// What is measured along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// Whole things.
    Count,
    /// Money in minor units.
    Money,
    /// Ten-thousandths, said as per cent.
    Share,
    /// Ten-thousandths, said as how many times.
    Times,
    /// Seconds.
    Seconds,
}

/// What a bar shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) label: String,
    /// In the unit of the axis; nothing, where there is nothing to tell.
    pub(super) now: Option<i64>,
    pub(super) before: Option<i64>,
    /// How the value is said.
    pub(super) says: String,
}

/// A chart, as it is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chart {
    pub(super) bars: Vec<Drawn>,
    pub(super) ticks: Vec<Tick>,
    /// How high it is, and where the axis runs, in pixels.
    pub(super) height: usize,
    pub(super) axis: usize,
    /// Where zero is, in per cent of the width.
    pub(super) zero: String,
}

/// A bar as it is drawn: pixels from above, per cent of the width from the left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Drawn {
    pub(super) label: String,
    pub(super) says: String,
    pub(super) label_y: usize,
    pub(super) now_y: usize,
    pub(super) says_y: usize,
    pub(super) before_y: usize,
    pub(super) now: Option<Extent>,
    pub(super) before: Option<Extent>,
    /// Where its value is written: behind the longer of both.
    pub(super) end: String,
}

/// From where a bar runs and how far, in per cent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) from: String,
    pub(super) long: String,
}

/// A round value on the axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tick {
    pub(super) at: String,
    pub(super) label: String,
    /// It is the first, and its label would stand outside.
    pub(super) first: bool,
}

/// Pixels for a bar with its label, and beneath the last for the axis.
const EACH: usize = 46;
const FOOT: usize = 26;
/// Ticks that an axis aims at, besides the first.
const AIM: i128 = 4;

impl Chart {
    /// A chart of these bars; none of no bars.
    pub(super) fn of(unit: Unit, bars: &[Bar]) -> Option<Self> {
        if bars.is_empty() {
            return None;
        }
        let values = || bars.iter().flat_map(|bar| [bar.now, bar.before]).flatten();
        let axis = Axis::of(unit, values().min().unwrap_or(0), values().max().unwrap_or(0));
        let drawn = bars.iter().enumerate().map(|(n, bar)| {
            let top = n * EACH;
            let ends = [bar.now, bar.before, Some(0)];
            Drawn {
                label: bar.label.clone(),
                says: bar.says.clone(),
                label_y: top + 13,
                now_y: top + 19,
                says_y: top + 30,
                before_y: top + 34,
                now: bar.now.map(|value| axis.extent(value)),
                before: bar.before.map(|value| axis.extent(value)),
                end: axis.at(ends.into_iter().flatten().max().unwrap_or(0)),
            }
        });
        let foot = bars.len() * EACH;
        Some(Self {
            bars: drawn.collect(),
            ticks: axis.ticks(unit),
            height: foot + FOOT,
            axis: foot,
            zero: axis.at(0),
        })
    }
}

/// An axis that begins and ends at a round value and has zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Axis {
    from: i128,
    to: i128,
    step: i128,
}

impl Axis {
    fn of(unit: Unit, least: i64, most: i64) -> Self {
        let (least, most) = (i128::from(least.min(0)), i128::from(most.max(0)));
        let step = step(unit, most - least);
        let from = least.div_euclid(step) * step;
        let to = -((-most).div_euclid(step)) * step;
        Self { from, to: to.max(from + step), step }
    }

    /// Where a value stands, in per cent with two digits.
    fn at(self, value: i64) -> String {
        percent((i128::from(value) - self.from) * 10_000 / (self.to - self.from))
    }

    fn extent(self, value: i64) -> Extent {
        let (value, wide) = (i128::from(value), self.to - self.from);
        let from = (value.min(0) - self.from) * 10_000 / wide;
        let to = (value.max(0) - self.from) * 10_000 / wide;
        Extent { from: percent(from), long: percent(to - from) }
    }

    fn ticks(self, unit: Unit) -> Vec<Tick> {
        let count = (self.to - self.from) / self.step;
        let tick = |n: i128| {
            let value = self.from + n * self.step;
            let at = percent((value - self.from) * 10_000 / (self.to - self.from));
            Tick { at, label: short(unit, value), first: n == 0 }
        };
        (0..=count).map(tick).collect()
    }
}

fn percent(hundredths: i128) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// The smallest round step of which few cover so much.
fn step(unit: Unit, covers: i128) -> i128 {
    const TIMES_S: [i128; 20] = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
        172_800, 604_800,
    ];
    let wanted = (covers + AIM - 1) / AIM;
    if unit == Unit::Seconds
        && let Some(step) = TIMES_S.into_iter().find(|step| *step >= wanted)
    {
        return step;
    }
    let mut tens = match unit {
        Unit::Count | Unit::Money | Unit::Times => 1,
        // Parts of a per cent are no round values.
        Unit::Share => 100,
        Unit::Seconds => 604_800,
    };
    loop {
        for times in [1, 2, 5] {
            if tens * times >= wanted {
                return tens * times;
            }
        }
        tens *= 10;
    }
}

/// A value of an axis in few characters: `20k`, `1.5M`, `25 %`, `10 min`.
fn short(unit: Unit, value: i128) -> String {
    match unit {
        Unit::Count => rounded(value * 100),
        Unit::Money => rounded(value),
        Unit::Share => format!("{} %", decimals(value)),
        Unit::Times => decimals(value / 100),
        Unit::Seconds => {
            let (of, unit) = match value {
                ..60 => (1, "s"),
                60..3_600 => (60, "min"),
                3_600..172_800 => (3_600, "h"),
                _ => (86_400, "days"),
            };
            format!("{} {unit}", decimals(value * 100 / of))
        }
    }
    .replace('-', "−")
}

/// A number of hundredths with a letter for its thousands.
fn rounded(hundredths: i128) -> String {
    const LETTERS: [&str; 7] = ["", "k", "M", "bn", "tn", "qd", "qn"];
    let (mut value, mut thousands) = (hundredths, 0);
    while value.abs() >= 100_000 && thousands + 1 < LETTERS.len() {
        value /= 1_000;
        thousands += 1;
    }
    format!("{}{}", decimals(value), LETTERS[thousands])
}

/// Hundredths with as many decimals as they have.
fn decimals(hundredths: i128) -> String {
    let (sign, size) = (if hundredths < 0 { "-" } else { "" }, hundredths.unsigned_abs());
    match (size / 100, size % 100) {
        (whole, 0) => format!("{sign}{whole}"),
        (whole, part) if part % 10 == 0 => format!("{sign}{whole}.{}", part / 10),
        (whole, part) => format!("{sign}{whole}.{part:02}"),
    }
}

/// A count in at most four characters or so, to be written into a small place.
pub(super) fn brief(unit: Unit, value: i64) -> String {
    let hundredths = i128::from(value) * if unit == Unit::Money { 1 } else { 100 };
    let mut rounding = 100;
    while hundredths.abs() >= rounding * 1_000 {
        rounding *= 10;
    }
    rounded(hundredths / rounding * rounding).replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(now: Option<i64>, before: Option<i64>) -> Bar {
        Bar { label: "web".to_owned(), now, before, says: String::new() }
    }

    fn labels(unit: Unit, values: &[i64]) -> Vec<String> {
        let bars: Vec<Bar> = values.iter().map(|value| bar(Some(*value), None)).collect();
        let chart = Chart::of(unit, &bars).unwrap();
        chart.ticks.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn an_empty_period_has_no_chart() {
        assert_eq!(Chart::of(Unit::Count, &[]), None);
    }

    #[test]
    fn ticks_are_round_begin_at_zero_and_reach_over_the_longest_bar() {
        for (unit, most, said) in [
            (Unit::Count, 3, "0 1 2 3"),
            (Unit::Count, 17, "0 5 10 15 20"),
            (Unit::Count, 23, "0 10 20 30"),
            (Unit::Count, 4_000, "0 1k 2k 3k 4k"),
            (Unit::Count, 5_200_000, "0 2M 4M 6M"),
            (Unit::Money, 12_345, "0 50 100 150"),
            (Unit::Money, 3, "0 0.01 0.02 0.03"),
            (Unit::Share, 10_000, "0 % 50 % 100 %"),
            (Unit::Share, 1_250, "0 % 5 % 10 % 15 %"),
            (Unit::Times, 24_500, "0 1 2 3"),
            (Unit::Seconds, 45, "0 s 15 s 30 s 45 s"),
            (Unit::Seconds, 1_500, "0 s 10 min 20 min 30 min"),
            (Unit::Seconds, 200_000, "0 s 24 h 2 days 3 days"),
        ] {
            assert_eq!(labels(unit, &[most]).join(" "), said, "{unit:?} up to {most}");
        }
        let chart = Chart::of(Unit::Count, &[bar(Some(17), Some(4))]).unwrap();
        let drawn = &chart.bars[0];
        assert_eq!(drawn.now, Some(Extent { from: "0.00".to_owned(), long: "85.00".to_owned() }));
        assert_eq!(drawn.before.as_ref().unwrap().long, "20.00");
        assert_eq!((drawn.end.as_str(), chart.zero.as_str()), ("85.00", "0.00"));
        assert_eq!(chart.ticks.iter().map(|tick| tick.at.as_str()).next_back(), Some("100.00"));
    }

    #[test]
    fn all_zeros_lie_on_an_axis_that_has_a_length() {
        assert_eq!(labels(Unit::Count, &[0, 0]), ["0", "1"]);
        assert_eq!(labels(Unit::Share, &[0]), ["0 %", "1 %"]);
        let chart = Chart::of(Unit::Seconds, &[bar(None, None), bar(Some(0), None)]).unwrap();
        assert_eq!((chart.bars[0].now.clone(), chart.bars[0].end.as_str()), (None, "0.00"));
        assert_eq!(chart.bars[1].now.as_ref().unwrap().long, "0.00");
    }

    #[test]
    fn what_is_less_than_nothing_runs_to_the_left_of_zero() {
        let chart = Chart::of(Unit::Money, &[bar(Some(-2_000), None), bar(Some(6_000), None)]).unwrap();
        let said: Vec<&str> = chart.ticks.iter().map(|tick| tick.label.as_str()).collect();
        assert_eq!(said, ["−20", "0", "20", "40", "60"]);
        assert_eq!(chart.zero, "25.00");
        let (below, above) = (chart.bars[0].now.clone().unwrap(), chart.bars[1].now.clone().unwrap());
        assert_eq!((below.from.as_str(), below.long.as_str()), ("0.00", "25.00"));
        assert_eq!((above.from.as_str(), above.long.as_str()), ("25.00", "75.00"));
        assert_eq!(chart.bars[0].end, "25.00", "its value is written beside zero");
    }

    #[test]
    fn no_number_is_too_large_to_be_drawn() {
        for unit in [Unit::Count, Unit::Money, Unit::Share, Unit::Times, Unit::Seconds] {
            let chart = Chart::of(unit, &[bar(Some(i64::MAX), Some(i64::MIN)), bar(Some(1), None)]).unwrap();
            assert!((2..=7).contains(&chart.ticks.len()), "{unit:?}: {:?}", chart.ticks);
            for drawn in chart.bars.iter().flat_map(|bar| [&bar.now, &bar.before]).flatten() {
                let (from, long): (f64, f64) = (drawn.from.parse().unwrap(), drawn.long.parse().unwrap());
                assert!(from >= 0.0 && long >= 0.0 && from + long <= 100.01, "{drawn:?}");
            }
        }
        assert_eq!(brief(Unit::Count, i64::MAX), "9.22qn");
        assert_eq!(brief(Unit::Count, 1_234), "1.23k");
        assert_eq!(brief(Unit::Count, 999), "999");
        assert_eq!(brief(Unit::Money, 123_456), "1.23k");
    }

    #[test]
    fn bars_stand_beneath_each_other_above_the_axis() {
        let chart = Chart::of(Unit::Count, &[bar(Some(1), None), bar(Some(2), None)]).unwrap();
        assert!(chart.bars[0].before_y < chart.bars[1].label_y);
        assert!(chart.bars[1].before_y < chart.axis && chart.axis < chart.height);
    }
}
