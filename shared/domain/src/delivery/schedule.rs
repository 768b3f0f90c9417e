//! When the next attempt follows.
//!
//! The example schedule of Standard Webhooks (5 s, 5 m, 30 m … 24 h) is too slow for leads, which
//! cool by the minute. Ours gives a dealer about eight minutes, then the next dealer has its turn.

use jiff::Timestamp;

use super::{FailureKind, Outcome};
use crate::limits;

/// How patient a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// A lead: 0, 2 s, 10 s, 30 s, 2 m, 5 m, each counted from the attempt before; then final.
    Lead,
    /// The same where another of the dealer's channels stands behind this one: 0, 2 s, 10 s, 30 s, and that
    /// one has its turn.
    Brief,
    /// A lead whose contract says `when_unavailable = wait`: after those 15 m, 30 m, 1 h, then hourly. Where the
    /// channel is gone, every 15 m from the first on.
    Patient {
        /// Until the lead is too old for the contract, in milliseconds from now. No attempt is made
        /// after it.
        left_ms: u64,
    },
    /// A withdrawal: 0, 1 m, 5 m, 15 m, 1 h, then every two hours.
    Withdrawal {
        /// Until [`limits::WITHDRAWAL_HOURS`] have passed, in milliseconds from now. No attempt is made
        /// after it.
        left_ms: u64,
    },
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Another attempt, so many milliseconds from now.
    At(u64),
    /// None.
    Final,
}

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;

/// Attempts of a lead: after the last it goes to the next dealer, or, where the contract waits, goes on slowly.
pub const LEAD_ATTEMPTS: u32 = LEAD_MS.len() as u32 + 1;
/// The waits after attempts 1 to 5.
const LEAD_MS: [u64; 5] = [2 * SECOND_MS, 10 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 5 * MINUTE_MS];
/// The waits after attempts 1 to 3, where another channel stands behind.
const BRIEF_MS: [u64; 3] = [2 * SECOND_MS, 10 * SECOND_MS, 30 * SECOND_MS];
/// What follows them for the patient, before it goes on hourly.
const PATIENT_MS: [u64; 3] = [15 * MINUTE_MS, 30 * MINUTE_MS, HOUR_MS];
/// How often is looked whether somebody has put a channel right that is gone: no haste of ours helps, and a lead
/// that has waited for it cools no further than it must.
const GONE_MS: u64 = 15 * MINUTE_MS;
/// The waits after attempts 1 to 4 of a withdrawal, before it goes on every two hours.
const WITHDRAWAL_MS: [u64; 4] = [MINUTE_MS, 5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS];

/// Jitter either way, in thousandths of the wait.
const JITTER_MILLI: u64 = 200;

impl Schedule {
    /// For a lead that its contract waits for until `deadline`.
    pub fn patient(deadline: Timestamp, now: Timestamp) -> Self {
        Self::Patient { left_ms: left_ms(deadline, now) }
    }

    /// For a withdrawal first sent at `since`.
    pub fn withdrawal(since: Timestamp, now: Timestamp) -> Self {
        let hours = jiff::SignedDuration::from_hours(limits::WITHDRAWAL_HOURS);
        Self::Withdrawal { left_ms: left_ms(since.saturating_add(hours).unwrap_or(since), now) }
    }

    /// The wait after this attempt (1 is the first), before jitter; `None` when it was the last.
    fn wait_ms(self, attempt_no: u32) -> Option<u64> {
        let waited = attempt_no.saturating_sub(1) as usize;
        match self {
            Self::Lead => LEAD_MS.get(waited).copied(),
            Self::Brief => BRIEF_MS.get(waited).copied(),
            Self::Patient { .. } => {
                Some(LEAD_MS.iter().chain(&PATIENT_MS).nth(waited).copied().unwrap_or(HOUR_MS))
            }
            Self::Withdrawal { .. } => Some(WITHDRAWAL_MS.get(waited).copied().unwrap_or(2 * HOUR_MS)),
        }
    }

    /// The wait after an attempt at a channel that is gone, before jitter; `None` where nobody waits for somebody to put
    /// it right.
    const fn gone_wait_ms(self) -> Option<u64> {
        match self {
            Self::Patient { .. } => Some(GONE_MS),
            Self::Lead | Self::Brief | Self::Withdrawal { .. } => None,
        }
    }

    /// The most that a Retry-After may ask for. A lead is not kept from the next dealer for longer than
    /// our own longest wait.
    const fn longest_retry_after_ms(self) -> u64 {
        match self {
            Self::Brief => 30 * SECOND_MS,
            Self::Lead => 5 * MINUTE_MS,
            Self::Patient { .. } | Self::Withdrawal { .. } => limits::RETRY_AFTER_S as u64 * SECOND_MS,
        }
    }

    const fn left_ms(self) -> u64 {
        match self {
            Self::Lead | Self::Brief => u64::MAX,
            Self::Patient { left_ms } | Self::Withdrawal { left_ms } => left_ms,
        }
    }
}

fn left_ms(deadline: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(deadline.as_millisecond() - now.as_millisecond()).unwrap_or(0)
}

/// What follows attempt `attempt_no` (1 is the first, made at once) that ended as `outcome`.
///
/// The wait is the schedule's ±20 %, spread by `entropy`, so that what failed together does not come
/// back together. A Retry-After moves the attempt later, never earlier, and is spread by up to +20 %
/// only. It is honoured up to five minutes on [`Schedule::Lead`], half a minute on [`Schedule::Brief`], up to [`limits::RETRY_AFTER_S`] on
/// the others. Nothing follows what was received or declined; nor an endpoint that is gone or a URL that never works,
/// but on [`Schedule::Patient`]: the desk may put it right while the contract waits.
pub fn next_attempt(attempt_no: u32, outcome: &Outcome, schedule: &Schedule, entropy: u64) -> Next {
    let Some(failure) = outcome.failure() else { return Next::Final };
    if failure.kind == FailureKind::Declined {
        return Next::Final;
    }
    let wait_ms = if outcome.is_gone() { schedule.gone_wait_ms() } else { schedule.wait_ms(attempt_no) };
    let Some(wait_ms) = wait_ms else { return Next::Final };
    let jittered_ms = wait_ms * (1_000 - JITTER_MILLI + entropy % (2 * JITTER_MILLI + 1)) / 1_000;
    let asked_ms = failure.retry_after_s.map_or(0, |seconds| {
        let asked_ms = (u64::from(seconds) * SECOND_MS).min(schedule.longest_retry_after_ms());
        asked_ms * (1_000 + entropy % (JITTER_MILLI + 1)) / 1_000
    });
    let delay_ms = jittered_ms.max(asked_ms);
    if delay_ms > schedule.left_ms() { Next::Final } else { Next::At(delay_ms) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Entropy that leaves the wait as it stands in the schedule.
    const NO_JITTER: u64 = JITTER_MILLI;
    const FOREVER: u64 = u64::MAX;

    fn failed() -> Outcome {
        Outcome::of_status(500, None)
    }

    fn waits_s(schedule: Schedule, attempts: u32) -> Vec<u64> {
        (1..=attempts)
            .map_while(|attempt_no| match next_attempt(attempt_no, &failed(), &schedule, NO_JITTER) {
                Next::At(delay_ms) => Some(delay_ms / 1_000),
                Next::Final => None,
            })
            .collect()
    }

    #[test]
    fn a_lead_is_tried_six_times_and_then_the_next_dealer_has_its_turn() {
        assert_eq!(waits_s(Schedule::Lead, 20), [2, 10, 30, 120, 300]);
    }

    #[test]
    fn a_contract_that_waits_is_tried_slowly_until_its_deadline() {
        let waits = waits_s(Schedule::Patient { left_ms: FOREVER }, 11);
        assert_eq!(waits, [2, 10, 30, 120, 300, 900, 1_800, 3_600, 3_600, 3_600, 3_600]);
        let short = Schedule::Patient { left_ms: 60_000 };
        assert_eq!(next_attempt(3, &failed(), &short, NO_JITTER), Next::At(30_000));
        assert_eq!(next_attempt(4, &failed(), &short, NO_JITTER), Next::Final);
    }

    #[test]
    fn a_channel_with_another_behind_it_is_tried_for_less_than_a_minute() {
        assert_eq!(waits_s(Schedule::Brief, 20), [2, 10, 30]);
        let busy = Outcome::of_status(429, Some(600));
        assert_eq!(next_attempt(1, &busy, &Schedule::Brief, 0), Next::At(30_000));
    }

    #[test]
    fn a_withdrawal_is_retried_for_a_day() {
        let waits = waits_s(Schedule::Withdrawal { left_ms: FOREVER }, 7);
        assert_eq!(waits, [60, 300, 900, 3_600, 7_200, 7_200, 7_200]);
        let since: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let later: Timestamp = "2026-06-01T23:00:00Z".parse().unwrap();
        assert_eq!(Schedule::withdrawal(since, later), Schedule::Withdrawal { left_ms: 3_600_000 });
        let over: Timestamp = "2026-06-02T00:00:01Z".parse().unwrap();
        assert_eq!(next_attempt(15, &failed(), &Schedule::withdrawal(since, over), 0), Next::Final);
    }

    #[test]
    fn a_dealer_that_asks_for_time_is_given_it_but_does_not_hold_the_lead_up() {
        let busy = |seconds| Outcome::of_status(429, Some(seconds));
        assert_eq!(next_attempt(1, &busy(60), &Schedule::Lead, 0), Next::At(60_000));
        // Never earlier than the schedule.
        assert_eq!(next_attempt(4, &busy(1), &Schedule::Lead, NO_JITTER), Next::At(120_000));
        // An hour is too long while the next dealer waits, not when the contract waits for this one.
        assert_eq!(next_attempt(1, &busy(3_600), &Schedule::Lead, 0), Next::At(300_000));
        let patient = Schedule::Patient { left_ms: FOREVER };
        assert_eq!(next_attempt(1, &busy(3_600), &patient, 0), Next::At(3_600_000));
    }

    #[test]
    fn nothing_follows_what_was_received_or_declined_or_is_gone_where_nobody_waits_for_it() {
        let patient = Schedule::Patient { left_ms: FOREVER };
        for outcome in [Outcome::Received, Outcome::of_failure(FailureKind::Declined)] {
            assert_eq!(next_attempt(1, &outcome, &Schedule::Lead, 7), Next::Final);
            assert_eq!(next_attempt(1, &outcome, &patient, 7), Next::Final);
        }
        let withdrawal = Schedule::Withdrawal { left_ms: FOREVER };
        for outcome in [Outcome::of_status(410, Some(60)), Outcome::of_failure(FailureKind::BadUrl)] {
            for schedule in [Schedule::Lead, Schedule::Brief, withdrawal] {
                assert_eq!(next_attempt(1, &outcome, &schedule, 7), Next::Final);
            }
        }
    }

    #[test]
    fn a_contract_that_waits_looks_slowly_whether_a_channel_that_is_gone_was_put_right() {
        for outcome in [Outcome::of_status(410, None), Outcome::of_failure(FailureKind::BadUrl)] {
            for attempt_no in [1, 2, 6, 100] {
                let patient = Schedule::Patient { left_ms: FOREVER };
                let next = next_attempt(attempt_no, &outcome, &patient, NO_JITTER);
                assert_eq!(next, Next::At(15 * MINUTE_MS));
                let short = Schedule::Patient { left_ms: 15 * MINUTE_MS - 1 };
                assert_eq!(next_attempt(attempt_no, &outcome, &short, NO_JITTER), Next::Final);
            }
        }
    }

    /// Makes attempts until the last, and says how long that took.
    fn patience_ms(start: Schedule, entropy: &[u64], retry_after_s: Option<u32>) -> (u32, u64) {
        let mut passed_ms = 0_u64;
        for attempt_no in 1.. {
            let left = |left_ms: u64| left_ms.saturating_sub(passed_ms);
            let schedule = match start {
                Schedule::Lead => Schedule::Lead,
                Schedule::Brief => Schedule::Brief,
                Schedule::Patient { left_ms } => Schedule::Patient { left_ms: left(left_ms) },
                Schedule::Withdrawal { left_ms } => Schedule::Withdrawal { left_ms: left(left_ms) },
            };
            let entropy = entropy[attempt_no as usize % entropy.len()];
            match next_attempt(attempt_no, &Outcome::of_status(503, retry_after_s), &schedule, entropy) {
                Next::At(delay_ms) => passed_ms += delay_ms,
                Next::Final => return (attempt_no, passed_ms),
            }
        }
        unreachable!()
    }

    proptest! {
        #[test]
        fn a_wait_keeps_within_a_fifth_of_the_schedule(
            attempt_no in 1_u32..100, entropy: u64, retry_after_s in prop::option::of(0_u32..10_000)
        ) {
            let outcome = Outcome::of_status(429, retry_after_s);
            for schedule in [
                Schedule::Lead,
                Schedule::Patient { left_ms: FOREVER },
                Schedule::Withdrawal { left_ms: FOREVER },
            ] {
                let Next::At(delay_ms) = next_attempt(attempt_no, &outcome, &schedule, entropy) else {
                    prop_assert!(schedule == Schedule::Lead && attempt_no >= 6);
                    continue;
                };
                let wait_ms = schedule.wait_ms(attempt_no).unwrap();
                prop_assert!(delay_ms * 10 >= wait_ms * 8);
                let asked_ms = u64::from(retry_after_s.unwrap_or(0)) * 1_000;
                let honoured_ms = asked_ms.min(schedule.longest_retry_after_ms());
                prop_assert!(delay_ms >= honoured_ms);
                prop_assert!(delay_ms * 10 <= wait_ms.max(honoured_ms) * 12);
            }
        }

        #[test]
        fn patience_ends(
            entropy in prop::collection::vec(any::<u64>(), 1..20),
            retry_after_s in prop::option::of(0_u32..10_000),
            left_ms in 0_u64..100 * HOUR_MS,
        ) {
            let (attempts, passed_ms) = patience_ms(Schedule::Lead, &entropy, retry_after_s);
            prop_assert_eq!(attempts, 6);
            // 462 s and a fifth; with every wait stretched by Retry-After, five times six minutes.
            let most_ms = if retry_after_s.is_some() { 30 * MINUTE_MS } else { 555_000 };
            prop_assert!(passed_ms <= most_ms);
            for start in [Schedule::Patient { left_ms }, Schedule::Withdrawal { left_ms }] {
                let (attempts, passed_ms) = patience_ms(start, &entropy, retry_after_s);
                prop_assert!(passed_ms <= left_ms);
                prop_assert!(u64::from(attempts) <= 10 + left_ms / (48 * MINUTE_MS));
            }
        }
    }
}
