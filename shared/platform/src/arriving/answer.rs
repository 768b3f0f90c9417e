//! What became of an enquiry, as its sender may know: a page key learns that it was received, and nothing of who is
//! known; the secret learns what became of it.

use jiff::Timestamp;
use leadyard_domain::access::VisitorToken;
use leadyard_domain::ids::{ContractId, LeadId, VisitorId};
use serde_json::{Value, json};

use super::Arrival;
use crate::cloud::Cloud;
use crate::http::Problem;
use crate::metrics::Metric;

/// What became of an enquiry.
pub enum Answer {
    /// A new lead, or a new cycle of one.
    Received {
        /// Which.
        lead: LeadId,
    },
    /// A lead we had.
    Repeat {
        /// Which.
        lead: LeadId,
        /// When its person asked last.
        since: Timestamp,
    },
    /// Kept aside until a person looks.
    Quarantined {
        /// What screening found.
        reasons: Vec<&'static str>,
    },
    /// A test: where it would have gone.
    Test {
        /// The contracts, in their order.
        would_go_to: Vec<ContractId>,
        /// What it would wait for.
        waiting: Option<String>,
        /// What screening finds.
        reasons: Vec<&'static str>,
    },
    /// Only the queue could keep it.
    Spilled,
    /// Not taken, and why.
    Refused(Problem),
}

leadyard_domain::words! {
    /// An answer, without what it says of its enquiry: so that all of them can be named.
    pub enum AnswerKind as "an answer" {
        /// [`Answer::Received`].
        Received = "received",
        /// [`Answer::Repeat`].
        Repeat = "repeat",
        /// [`Answer::Quarantined`].
        Quarantined = "quarantined",
        /// [`Answer::Test`].
        Test = "test",
        /// [`Answer::Spilled`].
        Spilled = "spilled",
        /// [`Answer::Refused`].
        Refused = "refused",
    }
}

/// An answer, given for the first time or again.
pub struct Answered {
    /// What the sender is told.
    pub what: What,
    /// Where its page goes on to.
    pub pages: Pages,
    /// The browser that the page may name from now on.
    pub visitor: Option<VisitorId>,
    /// The enquiry stood there before.
    pub already: bool,
}

/// What the sender is told.
pub enum What {
    /// Told for the first time.
    Fresh(Answer),
    /// The first answer to the same idempotency key.
    Replay {
        /// Its HTTP status.
        status: u16,
        /// Its body.
        body: String,
    },
}

/// Where a plain HTML form goes next.
#[derive(Clone, Default)]
pub struct Pages {
    /// After what was received.
    pub thank_you: Option<String>,
    /// After what was not.
    pub error: Option<String>,
}

impl Answered {
    /// Told for the first time, of what was kept or not.
    pub fn fresh(answer: Answer) -> Self {
        Self { what: What::Fresh(answer), pages: Pages::default(), visitor: None, already: false }
    }

    /// Of an enquiry that was kept, now or before.
    pub fn kept(answer: Answer, visitor: Option<VisitorId>, already: bool) -> Self {
        Self { visitor, already, ..Self::fresh(answer) }
    }

    /// With the pages of its source.
    #[must_use]
    pub fn with_pages(self, pages: Pages) -> Self {
        Self { pages, ..self }
    }

    /// Counts what became of an enquiry, the first time that it is told.
    pub fn count(&self, cloud: &Cloud) {
        let metric = match &self.what {
            What::Fresh(_) if self.already => return,
            What::Fresh(Answer::Received { .. }) => Metric::LeadsReceived,
            What::Fresh(Answer::Repeat { .. }) => Metric::LeadsRepeated,
            What::Fresh(Answer::Quarantined { .. }) => Metric::LeadsQuarantined,
            What::Fresh(Answer::Spilled) => Metric::LeadsSpilled,
            What::Fresh(Answer::Test { .. } | Answer::Refused(_)) | What::Replay { .. } => return,
        };
        cloud.metrics.count(metric);
    }
}

impl Answered {
    /// Status and body.
    pub fn told(&self, cloud: &Cloud, arrival: &Arrival) -> (u16, String) {
        match &self.what {
            What::Fresh(answer) => {
                let (status, body) = answer.render(cloud, arrival, self.visitor);
                (status, body.to_string())
            }
            What::Replay { status, body } => (*status, body.clone()),
        }
    }
}

impl Answer {
    /// Which it is.
    pub const fn kind(&self) -> AnswerKind {
        match self {
            Self::Received { .. } => AnswerKind::Received,
            Self::Repeat { .. } => AnswerKind::Repeat,
            Self::Quarantined { .. } => AnswerKind::Quarantined,
            Self::Test { .. } => AnswerKind::Test,
            Self::Spilled => AnswerKind::Spilled,
            Self::Refused(_) => AnswerKind::Refused,
        }
    }

    /// Status and body, as this sender may know them. The same is remembered under an idempotency key.
    pub fn render(&self, cloud: &Cloud, arrival: &Arrival, visitor: Option<VisitorId>) -> (u16, Value) {
        let mut body = json!({ "enquiry": arrival.id });
        let put = |body: &mut Value, name: &str, value: Value| {
            if let Some(members) = body.as_object_mut() {
                members.insert(name.to_owned(), value);
            }
        };
        let (status, word) = match self {
            Self::Refused(problem) => return (problem.code().status(), problem.json()),
            Self::Spilled => (202, "spilled"),
            _ if !arrival.trusted => (201, "received"),
            Self::Received { lead } => {
                put(&mut body, "lead", json!(lead));
                (201, "received")
            }
            Self::Repeat { lead, since } => {
                put(&mut body, "lead", json!(lead));
                put(&mut body, "since", json!(since));
                (200, "repeat")
            }
            Self::Quarantined { reasons } => {
                put(&mut body, "reasons", json!(reasons));
                (202, "quarantined")
            }
            Self::Test { would_go_to, waiting, reasons } => {
                put(&mut body, "test", json!(true));
                put(&mut body, "would_go_to", json!(would_go_to));
                if let Some(waiting) = waiting {
                    put(&mut body, "would_wait", json!(waiting));
                }
                if !reasons.is_empty() {
                    put(&mut body, "reasons", json!(reasons));
                }
                (201, "received")
            }
        };
        put(&mut body, "status", json!(word));
        if let Some(visitor) = visitor {
            let token = VisitorToken { company: arrival.key.company.clone(), visitor };
            put(&mut body, "visitor", json!(cloud.master.mint(&token)));
        }
        (status, body)
    }
}
