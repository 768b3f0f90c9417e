//! How an attempt ended, and how a delivery did.
//!
//! The question behind every line is: *may the dealer hold the lead?* Where nothing can have been
//! sent, or the dealer said no, it does not (`not_received`), and another may have the lead at once.
//! Where we cannot know (`unknown`), the dealer is sent a withdrawal first.

use jiff::Timestamp;

use crate::limits;

/// How one attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The dealer has it: 2xx.
    Received,
    /// The dealer does not have it: nothing was sent, or the dealer refused it.
    NotReceived(Failure),
    /// The dealer may have it: the request was sent, or may have been, and nothing sure came back.
    Unknown(Failure),
}

/// Why an attempt did not end as received. Carries nothing personal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened.
    pub kind: FailureKind,
    /// The HTTP status, where one came.
    pub status: Option<u16>,
    /// What the dealer's Retry-After asked for, in seconds, at most [`limits::RETRY_AFTER_S`].
    pub retry_after_s: Option<u32>,
    /// The endpoint is gone (410) and takes nothing more until the desk enables it again.
    pub disable: bool,
}

words! {
    /// What kept an attempt from being received.
    pub enum FailureKind as "a failure" {
        /// The dealer's server answered with a status that is neither 2xx nor 3xx.
        Status = "status",
        /// It answered 3xx; redirects are not followed.
        Redirect = "redirect",
        /// The URL is none that may be posted to.
        BadUrl = "bad_url",
        /// The host's address is private, loopback or otherwise not the public internet's.
        AddressNotAllowed = "address_not_allowed",
        /// The host's name has no address.
        Dns = "dns",
        /// The connection was refused.
        Refused = "refused",
        /// The network did not lead there, or the connection broke before it stood.
        Unreachable = "unreachable",
        /// No secure connection: certificate, host name, protocol.
        Tls = "tls",
        /// The connection did not stand within [`limits::CONNECT_MS`].
        ConnectTimeout = "connect_timeout",
        /// No answer within [`limits::ATTEMPT_MS`], the request sent.
        Timeout = "timeout",
        /// The connection broke after the request was, or may have been, sent.
        Reset = "reset",
        /// What came back is not HTTP.
        Malformed = "malformed",
        /// The answer was read, and is not what the dealer's template asks of it.
        Answer = "answer",
        /// The answer cannot be read for what the dealer's template asks of it.
        Unreadable = "unreadable",
        /// The answer declines the lead.
        Declined = "declined",
        /// Nobody is left who could say: the process that made the attempt ended before it did.
        Interrupted = "interrupted",
    }
}

impl FailureKind {
    /// Whether the request can have left: if not, the dealer cannot hold the lead.
    const fn may_have_been_sent(self) -> bool {
        match self {
            Self::BadUrl
            | Self::AddressNotAllowed
            | Self::Dns
            | Self::Refused
            | Self::Unreachable
            | Self::Tls
            | Self::ConnectTimeout => false,
            Self::Status
            | Self::Redirect
            | Self::Timeout
            | Self::Reset
            | Self::Malformed
            | Self::Answer
            | Self::Unreadable
            | Self::Declined
            | Self::Interrupted => true,
        }
    }
}

impl Outcome {
    /// The end of an attempt that was answered with this status.
    ///
    /// A 1xx as the last word, or a status above 599, is as little an answer as a 5xx: unknown. A
    /// Retry-After is honoured on every answer that is not 2xx, as RFC 9110 has it on 3xx, 429 and 503.
    pub fn of_status(status: u16, retry_after_s: Option<u32>) -> Self {
        let kind = if (300..400).contains(&status) { FailureKind::Redirect } else { FailureKind::Status };
        let retry_after_s = retry_after_s.map(|seconds| seconds.min(limits::RETRY_AFTER_S));
        let failure = Failure { kind, status: Some(status), retry_after_s, disable: status == 410 };
        match status {
            200..300 => Self::Received,
            300..500 => Self::NotReceived(failure),
            _ => Self::Unknown(failure),
        }
    }

    /// The end of an attempt that was not answered.
    pub const fn of_failure(kind: FailureKind) -> Self {
        let failure = Failure { kind, status: None, retry_after_s: None, disable: false };
        if kind.may_have_been_sent() { Self::Unknown(failure) } else { Self::NotReceived(failure) }
    }

    /// Whether the dealer's own system declined the lead.
    pub fn is_declined(&self) -> bool {
        self.failure().is_some_and(|failure| failure.kind == FailureKind::Declined)
    }

    /// Whether no attempt can succeed until somebody puts the channel right: it is gone (410), or what is written of it
    /// cannot be sent to.
    pub fn is_gone(&self) -> bool {
        self.failure().is_some_and(|failure| failure.disable || failure.kind == FailureKind::BadUrl)
    }

    /// Why it was not received.
    pub const fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Received => None,
            Self::NotReceived(failure) | Self::Unknown(failure) => Some(failure),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.status {
            Some(status) => write!(f, "{} {status}", self.kind),
            None => write!(f, "{}", self.kind),
        }
    }
}

words! {
    /// How a delivery ended, over all its attempts.
    pub enum End as "a delivery's end" {
        /// One attempt was received.
        Received = "received",
        /// None was, and none can have been.
        NotReceived = "not_received",
        /// None was for sure, but one may have been: the dealer may hold the lead.
        Unknown = "unknown",
    }
}

impl End {
    /// Where a delivery stands before its first attempt.
    pub const BEFORE_ANY: Self = Self::NotReceived;

    /// Where it stands after one more attempt. Once received it stays so; once unknown, no later
    /// refusal makes it certain that the dealer holds nothing.
    #[must_use]
    pub const fn and(self, outcome: &Outcome) -> Self {
        match (self, outcome) {
            (Self::Received, _) | (_, Outcome::Received) => Self::Received,
            (Self::Unknown, _) | (_, Outcome::Unknown(_)) => Self::Unknown,
            (Self::NotReceived, Outcome::NotReceived(_)) => Self::NotReceived,
        }
    }
}

/// Reads a Retry-After header (RFC 9110, 10.2.3): seconds, or an IMF-fixdate counted from `now`. At
/// most [`limits::RETRY_AFTER_S`]; a date in the past is zero; anything else is no Retry-After.
///
/// The two obsolete date forms are not read: the schedule then speaks alone.
pub fn retry_after_s(header: &str, now: Timestamp) -> Option<u32> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|b| b.is_ascii_digit()) {
        // All digits: what does not fit is only too large.
        return Some(header.parse().unwrap_or(u32::MAX).min(limits::RETRY_AFTER_S));
    }
    let until = DATE.parse_timestamp(header).ok()?;
    let seconds = until.as_second().saturating_sub(now.as_second()).max(0);
    Some(u32::try_from(seconds).unwrap_or(u32::MAX).min(limits::RETRY_AFTER_S))
}

/// IMF-fixdate is a form of RFC 2822's. A wrong weekday does not make a wrong date.
const DATE: jiff::fmt::rfc2822::DateTimeParser =
    jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_answer_says_whether_the_dealer_holds_the_lead() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(Outcome::of_status(status, None), Outcome::Received, "{status}");
        }
        for status in [300, 301, 302, 304, 307, 308, 400, 401, 404, 409, 410, 422, 429, 499] {
            assert!(matches!(Outcome::of_status(status, None), Outcome::NotReceived(_)), "{status}");
        }
        for status in [100, 101, 500, 502, 503, 504, 599, 600, 999] {
            assert!(matches!(Outcome::of_status(status, None), Outcome::Unknown(_)), "{status}");
        }
    }

    #[test]
    fn gone_disables_the_endpoint_and_nothing_else_does() {
        for status in 100..=999 {
            let disables = Outcome::of_status(status, None).failure().is_some_and(|failure| failure.disable);
            assert_eq!(disables, status == 410, "{status}");
        }
    }

    #[test]
    fn what_cannot_have_been_sent_was_not_received() {
        for &kind in FailureKind::ALL {
            let unknown = matches!(Outcome::of_failure(kind), Outcome::Unknown(_));
            let before_sending =
                ["bad_url", "address_not_allowed", "dns", "refused", "unreachable", "tls", "connect_timeout"]
                    .contains(&kind.as_str());
            assert_ne!(unknown, before_sending, "{kind}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "1994-11-06T08:49:00Z".parse().unwrap();
        assert_eq!(retry_after_s("120", now), Some(120));
        assert_eq!(retry_after_s(" 0 ", now), Some(0));
        assert_eq!(retry_after_s("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(37));
        assert_eq!(retry_after_s("Sun, 06 Nov 1994 08:00:00 GMT", now), Some(0));
        // Capped at an hour, however it is written.
        assert_eq!(retry_after_s("86400", now), Some(3_600));
        assert_eq!(retry_after_s("99999999999999999999", now), Some(3_600));
        assert_eq!(retry_after_s("Sun, 06 Nov 2094 08:49:37 GMT", now), Some(3_600));
        for none in ["", "-1", "1.5", "soon", "12 seconds", "Sunday, 06-Nov-94 08:49:37 GMT"] {
            assert_eq!(retry_after_s(none, now), None, "{none}");
        }
        assert_eq!(
            Outcome::of_status(429, Some(90_000)).failure().unwrap().retry_after_s,
            Some(limits::RETRY_AFTER_S)
        );
    }

    fn any_outcome() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            (100_u16..1_000).prop_map(|status| Outcome::of_status(status, None)),
            proptest::sample::select(FailureKind::ALL).prop_map(Outcome::of_failure),
        ]
    }

    proptest! {
        #[test]
        fn a_delivery_ends_as_the_worst_that_may_be_true(outcomes in prop::collection::vec(any_outcome(), 0..8)) {
            let end = outcomes.iter().fold(End::BEFORE_ANY, End::and);
            let received = outcomes.contains(&Outcome::Received);
            let unknown = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Unknown(_)));
            prop_assert_eq!(end, match (received, unknown) {
                (true, _) => End::Received,
                (false, true) => End::Unknown,
                (false, false) => End::NotReceived,
            });
        }
    }
}
