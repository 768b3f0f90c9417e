//! A dealer's mailbox or queue that fails is left alone as its webhook is: whatever the service says that every lead
//! would meet opens the channel's breaker, for all workers.

use std::time::Duration;

use http::Method;
use leadyard::aws::{MailSays, QueueSpec};
use leadyard_tests::{Person, Rules, Yard};
use serde_json::json;

use crate::channels::another_worker;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

const HUDSON: &str = "leads@hudson.example";
const QUEUE: &str = "hudson-leads";
/// How many leads come while the channel fails.
const LEADS: usize = 8;

/// Why nothing goes through.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// SES says that too much is mailed.
    Throttles,
    /// SES takes no mail of this account.
    Pauses,
    /// SES fails itself.
    Fails,
    /// There is no such queue.
    NoQueue,
    /// We may not send to the queue.
    Denied,
}

impl Trouble {
    const ALL: [Self; 5] = [Self::Throttles, Self::Pauses, Self::Fails, Self::NoQueue, Self::Denied];

    /// A company whose one dealer has this channel alone.
    async fn yard(self) -> Yard {
        let channel = match self {
            Self::Throttles | Self::Pauses | Self::Fails => format!("mail,{HUDSON}"),
            Self::NoQueue | Self::Denied => format!("sqs,{QUEUE}"),
        };
        let rules = Rules::roofing("acme")
            .with("[mail]\nfrom = \"desk@acme.example\"")
            .seller("hudson", [])
            .file("channels.csv", &format!("dealer,order,kind,address\nhudson,1,{channel}\n"));
        Yard::of(rules).await
    }

    fn begins(self, yard: &Yard) {
        let says = |says| yard.aws.mail().says(HUDSON, says);
        match self {
            Self::Throttles => says(MailSays::Throttles),
            Self::Pauses => says(MailSays::Pauses),
            Self::Fails => says(MailSays::Fails),
            Self::NoQueue => {}
            Self::Denied => {
                yard.aws.queues().ensure(&QueueSpec::new(QUEUE)).unwrap();
                yard.faults.denies(Some(QUEUE));
            }
        }
    }

    fn ends(self, yard: &Yard) {
        match self {
            Self::Throttles | Self::Pauses | Self::Fails => yard.aws.mail().says(HUDSON, MailSays::Accepts),
            Self::NoQueue => yard.aws.queues().ensure(&QueueSpec::new(QUEUE)).unwrap(),
            Self::Denied => yard.faults.denies(None),
        }
    }

    /// How an attempt ends meanwhile: its end, and the service's word.
    const fn says(self) -> (&'static str, &'static str) {
        match self {
            Self::Throttles => ("not_received", "TooManyRequestsException"),
            Self::Pauses => ("not_received", "SendingPausedException"),
            Self::Fails => ("unknown", "InternalServiceErrorException"),
            Self::NoQueue => ("not_received", "AWS.SimpleQueueService.NonExistentQueue"),
            Self::Denied => ("not_received", "AccessDeniedException"),
        }
    }

    /// How often the service was asked to take something for the dealer, since this was asked last.
    fn asked(self, yard: &Yard) -> usize {
        match self {
            Self::Throttles | Self::Pauses | Self::Fails => {
                yard.faults.calls().remove("SendEmail").unwrap_or_default()
            }
            Self::NoQueue | Self::Denied => yard.faults.take_sent_to(QUEUE),
        }
    }

    /// How many messages the dealer has.
    fn arrived(self, yard: &Yard) -> usize {
        match self {
            Self::Throttles | Self::Pauses | Self::Fails => yard.aws.mail().caught_by(HUDSON).len(),
            Self::NoQueue | Self::Denied if yard.aws.queues().exists(QUEUE) => yard.queued(QUEUE).len(),
            Self::NoQueue | Self::Denied => 0,
        }
    }
}

async fn breaker(yard: &Yard) -> String {
    let known = yard.desk(Method::GET, "/v1/dealers/hudson/channels", None).await.is(200).json;
    known["channels"][0]["breaker"]["state"].as_str().unwrap_or("closed").to_owned()
}

/// How many attempts these leads have used up in all.
async fn used_up(yard: &Yard, leads: &[String]) -> usize {
    let mut attempts = 0;
    for lead in leads {
        attempts += yard.story(lead).await.attempts("hudson").len();
    }
    attempts
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_or_a_queue_that_fails_is_left_alone_uses_up_nothing_and_one_probe_mends_it_for_all() {
    for trouble in Trouble::ALL {
        let yard = trouble.yard().await;
        let other = another_worker(&yard).await;
        trouble.begins(&yard);
        let mut leads = Vec::new();
        for n in 0..LEADS {
            leads.push(yard.lead(&Person::number(n)).await);
        }
        yard.advance(SECOND * 8).await;
        let tried = used_up(&yard, &leads).await;
        assert!((5..=8).contains(&tried), "{trouble:?}: {tried}: it opens at the fifth");
        assert_eq!((breaker(&yard).await.as_str(), trouble.asked(&yard)), ("open", tried), "{trouble:?}");
        let first = yard.story(&leads[0]).await.assignment("hudson")["attempts"][0].clone();
        let (end, word) = trouble.says();
        assert_eq!((&first["end"], &first["what"]), (&json!(end), &json!(word)), "{trouble:?}");

        // From here on another worker works, which has never heard of the trouble: nothing is sent.
        leads.push(yard.lead(&Person::number(LEADS)).await);
        other.settle().await;
        other.advance(SECOND * 18).await;
        assert_eq!((trouble.asked(&yard), used_up(&yard, &leads).await), (0, tried), "{trouble:?}");

        // Half a minute after it opened one goes first; the others wait for what becomes of it, and for a minute more.
        other.advance(SECOND * 20).await;
        assert_eq!((trouble.asked(&yard), used_up(&yard, &leads).await), (1, tried + 1), "{trouble:?}");
        trouble.ends(&yard);
        other.advance(SECOND * 30).await;
        assert_eq!((trouble.asked(&yard), breaker(&yard).await.as_str()), (0, "open"), "{trouble:?}");

        // The next probe arrives, and all follow it: each once, by either worker.
        other.advance(MINUTE).await;
        assert_eq!(
            (trouble.arrived(&yard), breaker(&yard).await.as_str()),
            (leads.len(), "closed"),
            "{trouble:?}"
        );
        assert_eq!(
            used_up(&yard, &leads).await,
            tried + 1 + leads.len(),
            "{trouble:?}: waiting used up nothing"
        );
        for lead in &leads {
            let story = yard.story(lead).await;
            assert_eq!(
                (story.holders(), &story.assignment("hudson")["delivery"]),
                (vec!["hudson"], &json!("received")),
                "{trouble:?}"
            );
        }
        yard.settled_lead(&Person::number(LEADS + 1)).await;
        assert_eq!(trouble.arrived(&yard), leads.len() + 1, "{trouble:?}");
        assert!(yard.dead_letters().is_empty(), "{trouble:?}");
    }
}
