//! Errors: what was wrong, in words a sender can act on, and one closed code that decides the HTTP
//! status, whether to retry, and the problem type.
//!
//! No error text here ever repeats what was sent: a name or a phone number would end in a log.

use serde::{Deserialize, Serialize};

/// A value that broke a rule. States the rule and its limit, never the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{rule}")]
pub struct Invalid {
    rule: std::borrow::Cow<'static, str>,
}

impl Invalid {
    /// A broken rule, e.g. `"tier is a whole number from 1 to 99"`.
    pub fn new(rule: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self { rule: rule.into() }
    }
}

/// A field at fault: where it stands in the body, and which rule it broke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// RFC 6901 pointer into the body, or the form field's name behind a `/`.
    pub pointer: String,
    /// The rule and its limit.
    pub detail: String,
}

/// What went wrong, as programs compare it. Decides HTTP status, retry and problem type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The body is larger than the route takes.
    BodyTooLarge,
    /// The content type is none the route takes.
    UnsupportedMediaType,
    /// The body is not what its content type says.
    MalformedBody,
    /// A field broke a rule.
    InvalidField,
    /// Neither e-mail nor phone could be understood; the enquiry is kept in quarantine.
    UnreachablePerson,
    /// The key in the path, or the bearer token, is unknown, damaged or of the wrong kind.
    Unauthorized,
    /// The token is good, but not for this.
    Forbidden,
    /// No such thing, or not for the one who asks.
    NotFound,
    /// The source is past its end or switched off.
    SourceClosed,
    /// The source's cap for the hour or the day is full.
    CapReached,
    /// The page's origin is not among the source's.
    OriginRefused,
    /// The same idempotency key came with another body.
    IdempotencyMismatch,
    /// What was asked does not fit the present state (a lead already won, say).
    StateConflict,
    /// Somebody else changed it meanwhile.
    VersionConflict,
    /// The rulebook has errors; nothing of it was published.
    RulebookRefused,
    /// The method is none of the route's.
    MethodNotAllowed,
    /// Nothing could keep it: try again.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 18] = [
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::MalformedBody,
        Self::InvalidField,
        Self::UnreachablePerson,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::SourceClosed,
        Self::CapReached,
        Self::OriginRefused,
        Self::IdempotencyMismatch,
        Self::StateConflict,
        Self::VersionConflict,
        Self::RulebookRefused,
        Self::MethodNotAllowed,
        Self::Unavailable,
        Self::Internal,
    ];

    /// HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::MalformedBody | Self::InvalidField => 400,
            Self::Unauthorized => 401,
            Self::Forbidden | Self::OriginRefused => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::StateConflict | Self::VersionConflict => 409,
            Self::SourceClosed => 410,
            Self::BodyTooLarge => 413,
            Self::CapReached => 429,
            Self::UnsupportedMediaType => 415,
            Self::UnreachablePerson | Self::IdempotencyMismatch | Self::RulebookRefused => 422,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// The stable last part of the problem's `type`, e.g. `body-too-large`.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "body-too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::MalformedBody => "malformed-body",
            Self::InvalidField => "invalid-field",
            Self::UnreachablePerson => "unreachable-person",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::SourceClosed => "source-closed",
            Self::CapReached => "cap-reached",
            Self::OriginRefused => "origin-refused",
            Self::IdempotencyMismatch => "idempotency-mismatch",
            Self::StateConflict => "state-conflict",
            Self::VersionConflict => "version-conflict",
            Self::RulebookRefused => "rulebook-refused",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// The problem's `type`, e.g. `urn:leadyard:problem:body-too-large`.
    pub fn problem_type(self) -> String {
        format!("urn:leadyard:problem:{}", self.slug())
    }

    /// A sentence for people, the problem's `title`.
    pub const fn title(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "The body is too large.",
            Self::UnsupportedMediaType => "This content type is not taken here.",
            Self::MalformedBody => "The body is not what its content type says.",
            Self::InvalidField => "A field broke a rule.",
            Self::UnreachablePerson => "Neither an e-mail address nor a phone number could be understood.",
            Self::Unauthorized => "The key or token is not valid.",
            Self::Forbidden => "This token may not do that.",
            Self::NotFound => "There is no such thing here.",
            Self::SourceClosed => "This source no longer takes leads.",
            Self::CapReached => "This source has sent as many leads as agreed.",
            Self::OriginRefused => "This page may not post for this source.",
            Self::IdempotencyMismatch => "This Idempotency-Key was used with another body.",
            Self::StateConflict => "That does not fit the present state.",
            Self::VersionConflict => "Somebody else changed this meanwhile.",
            Self::RulebookRefused => "The rulebook has errors; nothing was published.",
            Self::MethodNotAllowed => "This route does not take that method.",
            Self::Unavailable => "Nothing could keep this just now. Please try again.",
            Self::Internal => "Something went wrong on our side.",
        }
    }

    /// Whether the same request may succeed later.
    pub const fn retryable(self) -> bool {
        matches!(self, Self::CapReached | Self::Unavailable | Self::Internal | Self::VersionConflict)
    }
}
