//! A test delivery: a made-up lead by one of a dealer's channels, the way a real one goes.
//!
//! It says that it is a test, in the words of its channel, and its person does not exist: a telephone number that is
//! kept for fiction, an address under `example.com`. Nothing of it is counted: no lead, no cap, no charge, and the
//! channel's breaker neither hears of it nor keeps it from being sent, since what is asked is how the channel fares now.
//! It is made once: a duplicate of the message finds it begun. A process that dies in the middle leaves it without an
//! end, and the desk asks again.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use leadyard_domain::assignment::Attempt;
use leadyard_domain::delivery::letter::Terms;
use leadyard_domain::delivery::{Address, AssignedPayload, Consent, Event, Person, webhook_id};
use leadyard_domain::distribution::{Chunk, Core};
use leadyard_domain::ids::{
    ActId, AssignmentId, CategoryId, CompanyId, ContractId, DealerId, LeadId, SourceId,
};
use leadyard_domain::money::Money;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::mail::About;
use leadyard_platform::store::{StoreError, Trial};

use crate::channels::{self, Reached};
use crate::form::{Form, Message, Says};
use crate::post::{self, Echoes, Post, Way};

/// Makes the one attempt, and keeps how it ended.
pub(crate) async fn deliver(cloud: &Cloud, company: &CompanyId, id: ActId) -> Result<(), StoreError> {
    let Some(mut trial) = cloud.store.trial_get(company, id, cloud.clock.now()).await? else { return Ok(()) };
    if trial.begun {
        return Ok(());
    }
    trial.begun = true;
    if !cloud.store.trial_save(&trial).await? {
        return Ok(());
    }
    trial.v += 1;
    let attempt = attempt(cloud, &trial).await?;
    tracing::info!(
        dealer.id = %trial.dealer, channel.order = trial.order, attempt.end = %attempt.end,
        attempt.what = %attempt.what, "a channel was tried"
    );
    trial.attempt = Some(attempt);
    cloud.store.trial_save(&trial).await.map(drop)
}

async fn attempt(cloud: &Cloud, trial: &Trial) -> Result<Attempt, StoreError> {
    let now = cloud.clock.now();
    let way = way(cloud, trial, now).await?;
    let under_way = cloud.outbound.enter(&trial.company, &trial.dealer);
    let way = if way.leaves() && under_way.is_none() { Way::None("busy") } else { way };
    Ok(post::attempt(cloud, way, trial.order, now).await.1)
}

async fn way(cloud: &Cloud, trial: &Trial, now: Timestamp) -> Result<Way, StoreError> {
    let (company, dealer) = (&trial.company, &trial.dealer);
    let Some(core) = cloud.rulebooks.current(&cloud.store, company).await? else {
        return Ok(Way::None("no_channel"));
    };
    let Some((category, reached)) = find(cloud, &core, dealer).await? else {
        return Ok(Way::None("no_channel"));
    };
    let Some(channel) = reached.channels.iter().find(|channel| channel.order == trial.order) else {
        return Ok(Way::None("no_channel"));
    };
    // Ids of its own, that name nothing.
    let lead = LeadId::from_bytes(*trial.id.bytes());
    let assignment = AssignmentId::from_bytes(*trial.id.bytes());
    let offer = core.offers.iter().find(|offer| offer.category == category);
    let (Some(offer), Ok(made_up), Ok(source)) = (offer, ContractId::new("test"), SourceId::new("test"))
    else {
        return Ok(Way::None("no_channel"));
    };
    let payload = AssignedPayload {
        assignment,
        lead,
        dealer,
        contract: &made_up,
        company,
        category: &category,
        offer: &offer.id,
        source: &source,
        campaign: None,
        received_at: trial.at,
        assigned_at: trial.at,
        accept_by: None,
        band: None,
        price: Money::ZERO,
        person: Person {
            first_name: Some("Test"),
            last_name: Some("Lead"),
            email: Some("test.lead@example.com"),
            phone: Some("+13055550100"),
        },
        address: Address {
            street: Some("1 Example Street"),
            city: Some("Miami"),
            state: Some("FL"),
            zip: Some("33101"),
        },
        message: Some(Cow::Borrowed("This is a test of how leads reach you. Nobody asked for anything.")),
        consent: Consent::default(),
        extra: BTreeMap::new(),
        test: true,
        masked: false,
        truncated: false,
    };
    let template = channels::template(&core, channel);
    let given = channels::given(cloud, company, dealer, template.as_deref().into_iter()).await?;
    let form = Form {
        kind: channel.kind,
        format: &channel.format,
        template: template.as_deref(),
        vendor: channel.vendor(),
        provider: &core.company.name,
        secrets: &given,
        terms: Terms {
            company: core.company.name.clone(),
            offer: offer.name.clone(),
            zone: reached.zone.clone(),
            call: None,
            links: None,
        },
    };
    let webhook_id = webhook_id(assignment, Event::Assigned, 1);
    let message = Message { webhook_id: &webhook_id, lead, assignment, company, dealer, reference: None };
    let says = Says::Assigned { payload, again: false };
    let said = form.write(&message, trial.at, says);
    let secrets = cloud.store.dealer_reach(company, dealer).await?.secret;
    let secrets = channels::derived(cloud, company, dealer, &secrets, now);
    let about = About {
        company: company.clone(),
        dealer: dealer.clone(),
        channel: channel.order,
        mark: channels::mark(channel),
        lead,
        cycle: 0,
        assignment,
        event: Event::Assigned,
        message: Some("test".to_owned()),
        copy: 0,
    };
    let post = Post {
        webhook_id,
        written: said,
        about,
        sender: core.company.mail.clone(),
        secrets: secrets.unwrap_or_default(),
        echoes: Echoes::of_secrets(&given),
        template,
    };
    Ok(post::way(channel, post, now))
}

/// How a dealer is reached, wherever it has a contract; and one of the categories that it takes.
async fn find(
    cloud: &Cloud,
    core: &Core,
    dealer: &DealerId,
) -> Result<Option<(CategoryId, Reached)>, StoreError> {
    let categories: BTreeSet<&CategoryId> = core.chunks.iter().map(|(category, _, _)| category).collect();
    for category in categories {
        let of = |chunk: &Chunk| Reached::of(chunk, dealer);
        if let Some(reached) = cloud.rulebooks.find(&cloud.store, core, category, None, of).await? {
            return Ok(Some((category.clone(), reached)));
        }
    }
    Ok(None)
}
