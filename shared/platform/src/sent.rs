//! How sending through a service of AWS ended: a letter through SES, a message to a dealer's queue.
//!
//! Both speak HTTP, and are judged by its status as a dealer's server is. Where their statuses say too little, the
//! code of the error says which status is meant: everything that every lead would meet opens the channel's breaker.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use leadyard_domain::delivery::{FailureKind, Outcome};
use leadyard_domain::limits;

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// What it means for the lead.
    pub outcome: Outcome,
    /// What happened, in a word: `accepted`, or the service's own code.
    pub what: String,
    /// The service's id of the message, once it has it.
    pub id: String,
    /// How long it took.
    pub elapsed_ms: u64,
}

impl Sent {
    /// The service has it.
    pub fn received(id: String, elapsed: Duration) -> Self {
        Self { outcome: Outcome::Received, what: "accepted".to_owned(), id, elapsed_ms: ms(elapsed) }
    }

    /// It could not be sent at all, ever.
    pub fn never(why: &str, elapsed: Duration) -> Self {
        let outcome = Outcome::of_failure(FailureKind::BadUrl);
        Self { outcome, what: why.to_owned(), id: String::new(), elapsed_ms: ms(elapsed) }
    }

    /// The service did not say that it has it. Its message may name an address, and is not kept.
    pub fn failed<E>(error: &SdkError<E, HttpResponse>, elapsed: Duration) -> Self
    where
        E: aws_sdk_sqs::error::ProvideErrorMetadata,
    {
        let (outcome, code) = match error {
            // Not even a request came of it.
            SdkError::ConstructionFailure(_) => (Outcome::of_failure(FailureKind::Unreachable), None),
            SdkError::TimeoutError(_) => (Outcome::of_failure(FailureKind::Timeout), None),
            // Whether anything was sent is not to be had from it.
            SdkError::DispatchFailure(_) => (Outcome::of_failure(FailureKind::Reset), None),
            SdkError::ServiceError(refused) => {
                let code = refused.err().code().unwrap_or_default();
                (Outcome::of_status(status(code, refused.raw().status().as_u16()), None), Some(code))
            }
            // Others that may come to be say as little.
            SdkError::ResponseError(_) | _ => (Outcome::of_failure(FailureKind::Malformed), None),
        };
        let code = code
            .filter(|code| !code.is_empty())
            .map(|code| code.chars().take(limits::FIELD_NAME_BYTES).collect());
        let what = code.or_else(|| outcome.failure().map(ToString::to_string)).unwrap_or_default();
        Self { outcome, what, id: String::new(), elapsed_ms: ms(elapsed) }
    }
}

/// The status that an error means.
fn status(code: &str, answered: u16) -> u16 {
    match code {
        "TooManyRequestsException"
        | "LimitExceededException"
        | "Throttling"
        | "ThrottlingException"
        | "RequestThrottled"
        | "KmsThrottled" => 429,
        "AccessDenied"
        | "AccessDeniedException"
        | "AccountSuspendedException"
        | "SendingPausedException"
        | "MailFromDomainNotVerifiedException" => 403,
        "QueueDoesNotExist" | "AWS.SimpleQueueService.NonExistentQueue" | "NotFoundException" => 404,
        _ => answered,
    }
}

fn ms(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
