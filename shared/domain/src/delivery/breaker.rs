//! When a dealer's channel is left alone.
//!
//! A channel that fails time after time is not asked for every lead: its breaker *opens*, and what is meant
//! for it waits without using up its attempts. When the wait is over *one* attempt goes through, the probe; if
//! it succeeds the breaker closes, else it opens for twice as long. All workers share it through the store.
//!
//! Determinations:
//!
//! - *Only what ails the channel counts*: no answer, 5xx, 429, and the refusals that every lead would meet
//!   (401, 403, 404, 405, 407, 3xx). Any other 4xx is about the one lead: whoever says no is alive, and that
//!   closes the breaker as a success does.
//! - *A Retry-After opens it at once*, for as long as it asks: what one lead is told holds for the next.
//! - *An attempt that began before it opened changes nothing* by failing: otherwise everything that was under
//!   way would open it anew, longer each time.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{FailureKind, Outcome};
use crate::limits;

/// How a channel fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Breaker {
    /// Everything goes through.
    Closed {
        /// How many attempts failed in a row.
        failures: u32,
    },
    /// Nothing goes through.
    Open {
        /// Until then.
        until: Timestamp,
        /// How often it opened in a row.
        times: u32,
    },
    /// One attempt has gone through, and nothing else does.
    Probing {
        /// By then the probe has ended, or its process has: the next one may go.
        until: Timestamp,
        /// How often it opened in a row.
        times: u32,
    },
}

/// What a breaker says to an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Go.
    Pass,
    /// Go, if you are the one who keeps the breaker as it is given here.
    Probe(Breaker),
    /// Not before then.
    Shut(Timestamp),
}

impl Default for Breaker {
    fn default() -> Self {
        Self::Closed { failures: 0 }
    }
}

impl Breaker {
    /// Whether an attempt may be made now.
    pub fn gate(self, now: Timestamp) -> Gate {
        match self {
            Self::Closed { .. } => Gate::Pass,
            Self::Open { until, .. } | Self::Probing { until, .. } if now < until => Gate::Shut(until),
            Self::Open { times, .. } | Self::Probing { times, .. } => {
                let claim = SignedDuration::from_millis(limits::ATTEMPT_CLAIM_MS as i64);
                Gate::Probe(Self::Probing { until: now.saturating_add(claim).unwrap_or(now), times })
            }
        }
    }

    /// The breaker after an attempt that ended so at `now`. The wait is spread by `entropy`, by up to a
    /// fifth upwards.
    #[must_use]
    pub fn after(self, outcome: &Outcome, now: Timestamp, entropy: u64) -> Self {
        let Some(ailment) = Ailment::of(outcome) else { return Self::default() };
        let asked_s = ailment.asked_s.map(|seconds| seconds.min(limits::BREAKER_LONGEST_S));
        let opened = |times: u32| {
            let doubled = limits::BREAKER_OPEN_S.saturating_mul(1 << times.saturating_sub(1).min(10));
            let wait_s = asked_s.unwrap_or(0).max(doubled.min(limits::BREAKER_LONGEST_S));
            Self::Open { until: later(now, wait_s, entropy), times }
        };
        match self {
            Self::Closed { failures } => match asked_s {
                // What it asks for, however little that is.
                Some(seconds) => Self::Open { until: later(now, seconds, entropy), times: 1 },
                None if failures + 1 >= limits::BREAKER_FAILURES => opened(1),
                None => Self::Closed { failures: failures + 1 },
            },
            Self::Open { .. } => self,
            Self::Probing { times, .. } => opened(times.saturating_add(1)),
        }
    }
}

fn later(now: Timestamp, wait_s: u32, entropy: u64) -> Timestamp {
    let wait_ms = i64::from(wait_s) * 1_000;
    let spread_ms = wait_ms * (entropy % 201) as i64 / 1_000;
    now.saturating_add(SignedDuration::from_millis(wait_ms + spread_ms)).unwrap_or(now)
}

/// A failure of the channel, whatever the lead.
struct Ailment {
    /// How long it asks to be left alone, in seconds.
    asked_s: Option<u32>,
}

impl Ailment {
    fn of(outcome: &Outcome) -> Option<Self> {
        let failure = outcome.failure()?;
        let of_every_lead = match (failure.kind, failure.status) {
            (FailureKind::Status, Some(status)) => {
                matches!(status, 401 | 403 | 404 | 405 | 407 | 429) || !(400..500).contains(&status)
            }
            // Whoever says no to a lead in so many words is alive; whoever answers what cannot be read, to one as
            // to the next, may not be.
            (FailureKind::Answer | FailureKind::Declined, _) => false,
            // That we died says nothing of the dealer; nor does what nobody can dial, which is final anyhow.
            (FailureKind::Interrupted | FailureKind::BadUrl, _) => false,
            (
                FailureKind::Status
                | FailureKind::Redirect
                | FailureKind::AddressNotAllowed
                | FailureKind::Dns
                | FailureKind::Refused
                | FailureKind::Unreachable
                | FailureKind::Tls
                | FailureKind::ConnectTimeout
                | FailureKind::Timeout
                | FailureKind::Reset
                | FailureKind::Unreadable
                | FailureKind::Malformed,
                _,
            ) => true,
        };
        of_every_lead.then_some(Self { asked_s: failure.retry_after_s.filter(|seconds| *seconds > 0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NO_SPREAD: u64 = 0;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_780_000_000 + seconds).unwrap()
    }

    fn failed() -> Outcome {
        Outcome::of_status(503, None)
    }

    fn after(breaker: Breaker, outcomes: &[Outcome]) -> Breaker {
        outcomes.iter().fold(breaker, |breaker, outcome| breaker.after(outcome, at(0), NO_SPREAD))
    }

    fn open(seconds: i64, times: u32) -> Breaker {
        Breaker::Open { until: at(seconds), times }
    }

    #[test]
    fn it_opens_after_five_failures_in_a_row() {
        assert_eq!(after(Breaker::default(), &[failed(); 4]), Breaker::Closed { failures: 4 });
        assert_eq!(after(Breaker::default(), &[failed(); 5]), open(30, 1));
        let mended = [failed(), failed(), failed(), failed(), Outcome::Received, failed()];
        assert_eq!(after(Breaker::default(), &mended), Breaker::Closed { failures: 1 });
    }

    #[test]
    fn one_probe_goes_through_and_decides() {
        let opened = after(Breaker::default(), &[failed(); 5]);
        assert_eq!(opened.gate(at(29)), Gate::Shut(at(30)));
        let Gate::Probe(probing) = opened.gate(at(30)) else { panic!("the wait is over") };
        assert_eq!(probing.gate(at(31)), Gate::Shut(at(50)), "a second one does not go");
        assert_eq!(probing.after(&Outcome::Received, at(31), NO_SPREAD), Breaker::default());
        let reopened = probing.after(&failed(), at(31), NO_SPREAD);
        assert_eq!(reopened, Breaker::Open { until: at(31 + 60), times: 2 });
        // A probe whose process died is followed by another.
        assert!(matches!(probing.gate(at(50)), Gate::Probe(Breaker::Probing { times: 1, .. })));
    }

    #[test]
    fn it_stays_open_longer_each_time_up_to_five_minutes() {
        let mut breaker = after(Breaker::default(), &[failed(); 5]);
        let (mut now, mut waits) = (at(0), Vec::new());
        for _ in 0..7 {
            let Gate::Shut(until) = breaker.gate(now) else { panic!("it is open") };
            waits.push(until.duration_since(now).as_secs());
            now = until;
            let Gate::Probe(probing) = breaker.gate(now) else { panic!("the wait is over") };
            breaker = probing.after(&failed(), now, NO_SPREAD);
        }
        assert_eq!(waits, [30, 60, 120, 240, 300, 300, 300]);
    }

    #[test]
    fn what_is_about_one_lead_is_no_failure_of_the_channel() {
        for status in [400, 402, 406, 408, 409, 410, 413, 415, 422, 451] {
            let answered = [failed(), failed(), Outcome::of_status(status, None)];
            assert_eq!(after(Breaker::default(), &answered), Breaker::default(), "{status}");
        }
        for status in [301, 401, 403, 404, 405, 429, 500, 502, 503, 504] {
            let outcomes = [Outcome::of_status(status, None); 5];
            assert_eq!(after(Breaker::default(), &outcomes), open(30, 1), "{status}");
        }
        let died = [Outcome::of_failure(FailureKind::Interrupted); 9];
        assert_eq!(after(Breaker::default(), &died), Breaker::default());
    }

    #[test]
    fn a_retry_after_opens_it_at_once_for_as_long_as_it_asks_and_no_longer_than_a_lead_can_wait() {
        for (asked, seconds) in [(10, 10), (120, 120), (3_600, 300)] {
            let busy = Outcome::of_status(429, Some(asked));
            assert_eq!(after(Breaker::default(), &[busy]), open(seconds, 1), "{asked}");
        }
        assert_eq!(
            after(Breaker::default(), &[Outcome::of_status(503, Some(0))]),
            Breaker::Closed { failures: 1 }
        );
    }

    #[test]
    fn what_was_under_way_when_it_opened_neither_prolongs_it_nor_is_lost_on_it() {
        assert_eq!(after(open(30, 1), &[failed(); 20]), open(30, 1));
        assert_eq!(after(open(30, 1), &[Outcome::Received]), Breaker::default());
    }

    #[test]
    fn as_it_is_stored() {
        for (breaker, stored) in [
            (Breaker::Closed { failures: 3 }, r#"{"state":"closed","failures":3}"#),
            (open(30, 2), r#"{"state":"open","until":"2026-05-28T20:27:10Z","times":2}"#),
        ] {
            assert_eq!(serde_json::to_string(&breaker).unwrap(), stored);
            assert_eq!(serde_json::from_str::<Breaker>(stored).unwrap(), breaker);
        }
    }

    proptest! {
        #[test]
        fn it_is_never_shut_for_longer_than_six_minutes_and_one_goes_through_at_a_time(
            steps in prop::collection::vec((0_i64..400, 100_u16..600, prop::option::of(0_u32..10_000), any::<u64>()), 1..60)
        ) {
            let (mut breaker, mut now) = (Breaker::default(), 0);
            for (wait, status, retry_after, entropy) in steps {
                now += wait;
                match breaker.gate(at(now)) {
                    Gate::Shut(until) => prop_assert!(until <= at(now + 360)),
                    Gate::Pass => {
                        breaker = breaker.after(&Outcome::of_status(status, retry_after), at(now), entropy);
                    }
                    Gate::Probe(probing) => {
                        prop_assert!(matches!(probing.gate(at(now)), Gate::Shut(_)));
                        breaker = probing.after(&Outcome::of_status(status, retry_after), at(now), entropy);
                        let probes_on = matches!(breaker, Breaker::Probing { .. });
                        prop_assert!(!probes_on);
                    }
                }
            }
        }
    }
}
