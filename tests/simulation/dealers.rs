//! Dealers' servers: each answers by the seed, and remembers what came.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use leadyard_domain::delivery::FailureKind;
use leadyard_platform::outbound::{Answer, Outbound, Request};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::faults::{Fault, Faults};

/// What became of a request at the dealer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Got {
    /// It has it, and said so.
    Yes,
    /// It may have it: nobody can tell from the answer.
    Maybe,
    /// It has it not.
    No,
}

/// A request that came to a dealer.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// When, virtual time since the world began.
    pub(crate) at: Duration,
    /// The company of its URL.
    pub(crate) company: String,
    /// The dealer of its URL.
    pub(crate) dealer: String,
    /// `assigned`, `withdrawn`, `repeated`.
    pub(crate) event: String,
    /// The assignment it is about.
    pub(crate) assignment: String,
    /// What became of it.
    pub(crate) got: Got,
}

/// All dealers of a world.
pub(crate) struct Dealers {
    faults: Arc<Faults>,
    started: Instant,
    log: Mutex<Vec<Seen>>,
    received: mpsc::UnboundedSender<Seen>,
    always: Mutex<Option<Fault>>,
}

impl Dealers {
    /// Dealers under these faults; assignments they received come out of the channel.
    pub(crate) fn new(faults: Arc<Faults>) -> (Arc<Self>, mpsc::UnboundedReceiver<Seen>) {
        let (received, receiver) = mpsc::unbounded_channel();
        (
            Arc::new(Self {
                faults,
                started: Instant::now(),
                log: Mutex::default(),
                received,
                always: Mutex::default(),
            }),
            receiver,
        )
    }

    /// The way to them.
    pub(crate) fn outbound(self: &Arc<Self>) -> Outbound {
        let this = Arc::clone(self);
        Outbound::answered_by(Arc::new(move |request| {
            let this = Arc::clone(&this);
            Box::pin(async move { this.answer(&request).await })
        }))
    }

    /// From now on every dealer has this fault at every request; or again those of the weather.
    pub(crate) fn always(&self, fault: Option<Fault>) {
        *self.always.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Everything that came, in order.
    pub(crate) fn log(&self) -> Vec<Seen> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What may be wrong with a dealer.
    const KINDS: [Fault; 5] = [
        Fault::DealerError,
        Fault::DealerHung,
        Fault::DealerRefused,
        Fault::DealerGone,
        Fault::DealerAnswerLost,
    ];

    async fn answer(&self, request: &Request) -> Result<Answer, FailureKind> {
        sleep(Duration::from_millis(5 + self.faults.below(400))).await;
        let by_weather = self.faults.happens(|weather| weather.dealers);
        let drawn = by_weather.then(|| Self::KINDS[self.faults.below(Self::KINDS.len() as u64) as usize]);
        let always = *self.always.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = always.or(drawn);
        let got = match fault {
            None => Got::Yes,
            Some(Fault::DealerRefused | Fault::DealerGone) => Got::No,
            Some(_) => Got::Maybe,
        };
        if let Some(fault) = fault {
            self.faults.count(fault);
        }
        self.remember(request, got);
        sleep(Duration::from_millis(5 + self.faults.below(1_500))).await;
        let status = |status| Ok(Answer { status, ..Answer::default() });
        match fault {
            None => status(204),
            Some(Fault::DealerError) => status(500),
            Some(Fault::DealerHung) => std::future::pending().await,
            Some(Fault::DealerRefused) => Err(FailureKind::Refused),
            Some(Fault::DealerGone) => status(410),
            Some(_) => Err(FailureKind::Reset),
        }
    }

    fn remember(&self, request: &Request, got: Got) {
        let id = request.headers.get("webhook-id").and_then(|id| id.to_str().ok()).unwrap_or_default();
        let mut id = id.split('_').skip(1);
        let (assignment, event) = (id.next().unwrap_or_default(), id.next().unwrap_or_default());
        let mut path = request.url.rsplit('/');
        let (dealer, company) = (path.next().unwrap_or_default(), path.next().unwrap_or_default());
        let seen = Seen {
            at: self.started.elapsed(),
            company: company.to_owned(),
            dealer: dealer.to_owned(),
            event: event.to_owned(),
            assignment: assignment.to_owned(),
            got,
        };
        self.faults.note(&format!("dealer {company}/{dealer} {event} {assignment} {got:?}"));
        if event == "assigned" && got == Got::Yes {
            // Nobody listens any more at the end of the world.
            let _ = self.received.send(seen.clone());
        }
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    }
}
