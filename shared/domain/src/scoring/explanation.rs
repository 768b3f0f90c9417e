//! A score in lines that add up.

use super::activity::InteractionKind;
use super::band::FitLetter;
use super::engagement::Engagement;
use super::fit::{Fit, Matched};
use super::model::ScoringModel;
use super::score::FinePoints;

/// Why a score is what it is.
///
/// The exact points of the lines sum to the exact score, and their hundredths to its hundredths.
/// Hundredths are rounded down, line by line; what that leaves of the rounded sum goes, a hundredth
/// each, to the lines that lost most (largest remainder; among equals the earlier line).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The fit letter, then each kind of interaction that contributes, by name.
    pub lines: Vec<Line>,
    /// The profile rules that made the fit letter. Information: their points are points of fit, and
    /// enter the score only by the letter.
    pub fit_rules: Vec<Matched>,
    /// The points of fit, that is the sum of `fit_rules`.
    pub fit_points: i64,
    /// The score in hundredths, rounded down: the sum of the lines'.
    pub total_hundredths: u64,
}

/// One part of a score.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// What it is for.
    pub part: Part,
    /// What it gives, exactly.
    pub exact: FinePoints,
    /// What it gives as shown, in hundredths of a point.
    pub hundredths: u64,
}

/// What a line is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The points of the fit letter.
    Fit(FitLetter),
    /// The faded points of one kind of interaction.
    Interactions {
        /// The kind.
        kind: InteractionKind,
        /// How many count.
        counted: u64,
    },
}

impl Explanation {
    pub(super) fn of(model: &ScoringModel, fit: &Fit, engagement: &Engagement) -> Self {
        let letter = (Part::Fit(fit.letter), model.fit_points.of(fit.letter));
        let kinds = engagement
            .kinds
            .iter()
            .map(|kind| (Part::Interactions { kind: kind.kind.clone(), counted: kind.counted }, kind.points));
        let mut lines: Vec<Line> = std::iter::once(letter)
            .chain(kinds)
            .map(|(part, exact)| Line { part, exact, hundredths: exact.hundredths() })
            .collect();
        let exact = lines.iter().fold(FinePoints::ZERO, |sum, line| sum + line.exact);
        let total_hundredths = exact.hundredths();
        share_out(&mut lines, total_hundredths);
        Self { lines, fit_rules: fit.matched.clone(), fit_points: fit.points, total_hundredths }
    }
}

/// Gives what rounding down left of the total, a hundredth each, to the lines with the largest
/// remainders. There are fewer hundredths left than lines with a remainder, as each lost less than one.
fn share_out(lines: &mut [Line], total_hundredths: u64) {
    let given: u64 = lines.iter().map(|line| line.hundredths).sum();
    let left = total_hundredths.saturating_sub(given) as usize;
    let mut losers: Vec<&mut Line> = lines.iter_mut().collect();
    // Stable, so among equals the earlier line comes first.
    losers.sort_by_key(|line| std::cmp::Reverse(line.exact.hundredths_and_rest().1));
    for line in losers.into_iter().take(left) {
        line.hundredths += 1;
    }
}
