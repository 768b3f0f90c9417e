//! In what order leads of one stage and category stand in their index: each fit letter for itself, since what a letter is
//! worth stays and engagement fades. By what somebody is worth on a day the letters are merged when they are read: see
//! [`crate::scores`].

use leadyard_domain::lead::{Lead, Stage};

use crate::store::keys;

/// Of each fit letter the highest score first when read backwards: by the engagement key, then the freshest. The lead's id makes
/// it unlike every other, so that a page of a list ends at a place.
pub(super) fn stage_sort(lead: &Lead) -> String {
    sort_by(lead, sorts_coarsely(lead.stage))
}

/// The same in steps of engagement, whatever the stage: whoever reads a list by it knows the leads' scores.
pub(in crate::store) fn coarse_sort(lead: &Lead) -> String {
    sort_by(lead, true)
}

fn sort_by(lead: &Lead, coarsely: bool) -> String {
    let letter =
        lead.score.as_ref().map_or_else(|| "0".to_owned(), |score| keys::stage_letter(score.band.fit));
    let heat = lead.score.as_ref().map_or(i64::MIN, |score| score.heat);
    let heat = if coarsely { heat & !((1 << COARSE_BITS) - 1) } else { heat };
    // Signed to unsigned, keeping the order.
    let heat = (heat as u64) ^ (1 << 63);
    format!("{letter}#{heat:020}#{}#{}", keys::sort_time(lead.opened_at.as_millisecond()), lead.id)
}

/// The engagement key is log₂ in 32 fractional bits: without the last thirty it moves when engagement has risen by a
/// fifth or so, and not at every page that is viewed. Each move costs what the lead itself does.
const COARSE_BITS: u32 = 30;

/// Whether leads of this stage stand in steps of engagement: nobody chooses among them by it.
const fn sorts_coarsely(stage: Stage) -> bool {
    match stage {
        Stage::Received | Stage::Nurturing | Stage::Waiting => false,
        Stage::Quarantined
        | Stage::Assigned
        | Stage::Won
        | Stage::Lost
        | Stage::Expired
        | Stage::Rejected => true,
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use fastrand::Rng;
    use jiff::Timestamp;
    use leadyard_domain::contract::Needs;
    use leadyard_domain::ids::EnquiryId;
    use leadyard_domain::lead::{Arrival, Contactable, LeadScope, ScoreState};
    use leadyard_domain::scoring::{Band, EngagementDigit, FitLetter, NextStep, Priority};

    use super::*;

    /// A rule of the order, and how it is broken.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Broken {
        /// Fit says nothing.
        Fit,
        /// Who hardly fits stands first.
        BestFirst,
        /// Who was never scored stands before the others.
        UnscoredLast,
        /// Engagement says nothing.
        Engagement,
        /// It stands before fit.
        FitBeforeEngagement,
        /// As a number without its sign.
        BelowNothing,
        /// Of those alike whoever has waited longest stands first.
        FreshestFirst,
        /// When they asked says nothing.
        Opened,
    }

    const ALL: [Broken; 8] = [
        Broken::Fit,
        Broken::BestFirst,
        Broken::UnscoredLast,
        Broken::Engagement,
        Broken::FitBeforeEngagement,
        Broken::BelowNothing,
        Broken::FreshestFirst,
        Broken::Opened,
    ];

    /// Fit from 2, the best, to 0, and the engagement key; and when the cycle opened.
    type Case = (Option<(u8, i64)>, i64);

    fn drawn(random: &mut Rng) -> Case {
        let heat = match random.u8(..3) {
            0 => random.i64(-3..=3),
            1 => random.i64(..),
            _ => i64::MIN,
        };
        ((random.u8(..5) > 0).then(|| (random.u8(..3), heat)), random.i64(0..4) * 1_000)
    }

    fn lead((score, opened): Case) -> Lead {
        let arrival = Arrival {
            enquiry: EnquiryId::from_bytes([1; 16]),
            at: Timestamp::from_millisecond(1_780_002_000_000 + opened).unwrap(),
            person: Contactable::default(),
            offer: "roof".parse().unwrap(),
            category: "roofing".parse().unwrap(),
            source: "page".parse().unwrap(),
            campaign: None,
            brings: Needs::NONE,
            certificate_warning: None,
            visitor: None,
        };
        let scope = LeadScope::Category("roofing".parse().unwrap());
        let mut lead = Lead::open("c".parse().unwrap(), scope, &arrival);
        lead.stage = Stage::Waiting;
        lead.score = score.map(|(fit, heat)| ScoreState {
            band: Band {
                fit: [FitLetter::C, FitLetter::B, FitLetter::A][usize::from(fit)],
                engagement: EngagementDigit::Two,
            },
            priority: Priority::Normal,
            next_step: NextStep::Pitch,
            heat,
            model: String::new(),
            points: 0,
            at: arrival.at,
        });
        lead
    }

    /// The rules: who fits best, of those whoever is most engaged, of those whoever asked last; who was never scored
    /// stands behind all.
    fn plain(one: Case, other: Case, broken: Option<Broken>) -> Ordering {
        let keeps = |rule| broken != Some(rule);
        let unscored = if keeps(Broken::UnscoredLast) { -1 } else { 9 };
        let fits = |fit: u8| if keeps(Broken::BestFirst) { i16::from(fit) } else { -i16::from(fit) };
        let fit = |(score, _): Case| match score {
            _ if !keeps(Broken::Fit) => 0,
            None => unscored,
            Some((fit, _)) => fits(fit),
        };
        let heat = |(score, _): Case| match score {
            _ if !keeps(Broken::Engagement) => 0,
            None => i128::from(i64::MIN),
            Some((_, heat)) if keeps(Broken::BelowNothing) => i128::from(heat),
            Some((_, heat)) => i128::from(heat.cast_unsigned()),
        };
        let by_fit = fit(one).cmp(&fit(other));
        let by_heat = heat(one).cmp(&heat(other));
        let opened = if keeps(Broken::Opened) { one.1.cmp(&other.1) } else { Ordering::Equal };
        let opened = if keeps(Broken::FreshestFirst) { opened } else { opened.reverse() };
        let by_score =
            if keeps(Broken::FitBeforeEngagement) { by_fit.then(by_heat) } else { by_heat.then(by_fit) };
        by_score.then(opened)
    }

    #[test]
    fn who_waits_stands_by_fit_then_engagement_then_freshness_and_each_of_them_counts() {
        let mut left = ALL.to_vec();
        for seed in 0..4_000 {
            let mut random = Rng::with_seed(seed);
            let cases @ [one, other] = [drawn(&mut random), drawn(&mut random)];
            // One lead each, so that the id, which keeps two apart, says nothing here.
            let stands = cases.map(|case| stage_sort(&lead(case)));
            let order = stands[0].cmp(&stands[1]);
            assert_eq!(order, plain(one, other, None), "{cases:?}: {stands:?}");
            left.retain(|broken| plain(one, other, Some(*broken)) == order);
        }
        assert!(left.is_empty(), "nobody notices that these are broken: {left:?}");
    }

    #[test]
    fn in_steps_of_engagement_nobody_stands_before_who_is_more_engaged() {
        for seed in 0..4_000 {
            let mut random = Rng::with_seed(seed);
            let cases @ [one, other] = [drawn(&mut random), drawn(&mut random)];
            let coarse = cases.map(|case| coarse_sort(&lead((case.0, 0))));
            let exact = plain((one.0, 0), (other.0, 0), None);
            let order = coarse[0].cmp(&coarse[1]);
            assert!(order == exact || order == Ordering::Equal, "{cases:?}: {coarse:?}");
        }
    }
}
