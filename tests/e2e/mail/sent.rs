//! What SES says when a mail is handed over: it is judged as a dealer's answer is.

use leadyard::aws::MailSays;
use leadyard_tests::Yard;
use serde_json::json;

use super::{HUDSON, MINUTE, ada, by_mail, charged, mails};

#[tokio::test(start_paused = true)]
async fn what_ses_says_is_judged_as_a_dealers_answer() {
    for (says, end, what) in [
        (MailSays::Throttles, "not_received", "TooManyRequestsException"),
        (MailSays::Rejects, "not_received", "MessageRejected"),
        (MailSays::Fails, "unknown", "InternalServiceErrorException"),
        (MailSays::Hangs, "unknown", "timeout"),
    ] {
        let yard = Yard::of(by_mail([])).await;
        yard.aws.mail().says(HUDSON, says);
        let lead = yard.settled_lead(&ada()).await;
        let story = yard.story(&lead).await;
        assert_eq!(story.attempts("hudson"), [end], "{says:?}");
        assert_eq!(story.assignment("hudson")["attempts"][0]["what"], what, "{says:?}");
        yard.aws.mail().says(HUDSON, MailSays::Accepts);
        yard.advance(MINUTE).await;
        let story = yard.story(&lead).await;
        assert_eq!(story.attempts("hudson"), [end, "received"], "{says:?}");
        assert_eq!(story.holders(), ["hudson"]);
        let ids: Vec<String> = mails(&yard).iter().map(|mail| mail.header("message-id").to_owned()).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "a second arrival can be told from a second lead");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lead_that_no_mail_takes_goes_to_the_next_dealer_and_is_withdrawn_where_it_may_have_arrived() {
    for (says, withdrawn) in [(MailSays::Rejects, 0), (MailSays::Hangs, 1)] {
        let yard = Yard::of(by_mail([])).await;
        yard.aws.mail().says(HUDSON, says);
        let lead = yard.lead(&ada()).await;
        yard.advance(MINUTE * 15).await;
        let story = yard.story(&lead).await;
        assert_eq!(story.assignments(), [("hudson", "withdrawn"), ("ridge", "offered")], "{says:?}");
        let told = mails(&yard).iter().filter(|mail| mail.tags["event"] == "withdrawn").count();
        assert!(told.min(1) == withdrawn, "{says:?}");
        assert_eq!(charged(&yard, "hudson").await, (json!(0), json!("0.00")));
    }
}
