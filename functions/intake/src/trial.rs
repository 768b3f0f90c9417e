//! A test lead: it creates no identity, moves no counter, touches no score, reaches no dealer. Its
//! answer says where it would have gone.

use leadyard_domain::distribution::Conclusion;
use leadyard_domain::lead::{self, Lead, LeadScope};
use leadyard_domain::rulebook::Offer;
use leadyard_domain::scoring::{Activity, NextStep};
use leadyard_domain::screening::{self, Reason, Verdict};
use leadyard_platform::arriving::answer::{Answer, Answered};
use leadyard_platform::arriving::join;
use leadyard_platform::arriving::whose::{Asking, Known};
use leadyard_platform::arriving::{Arrived, visitor};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::judging::{self, with_enquiries};
use leadyard_platform::store::{StoreError, StoredEnquiry, TEST};
use leadyard_platform::suppression::OnLists;

use crate::screen;

/// What a test waits for that screening would keep aside.
pub(crate) const QUARANTINED: &str = "quarantined";

pub(crate) async fn keep(
    cloud: &Cloud,
    arrived: &Arrived<'_>,
    offer: Option<&Offer>,
    mut enquiry: StoredEnquiry,
) -> Result<Answered, StoreError> {
    let answer = match offer {
        Some(offer) => Box::pin(would_go(cloud, arrived, offer)).await?,
        None => {
            let reachable = arrived.understood.reachable();
            let why = if reachable { Reason::UnknownOffer } else { Reason::UnreachablePerson };
            let waiting = Some(QUARANTINED.to_owned());
            Answer::Test { would_go_to: Vec::new(), waiting, reasons: vec![why.as_str()] }
        }
    };
    enquiry.status = TEST.to_owned();
    let browser = visitor(cloud, arrived);
    join::aside(cloud, arrived.core, arrived.arrival, &enquiry, answer, browser).await
}

/// Where it would go if it were a lead of its own.
pub(crate) async fn would_go(
    cloud: &Cloud,
    arrived: &Arrived<'_>,
    offer: &Offer,
) -> Result<Answer, StoreError> {
    let (arrival, now) = (arrived.arrival, cloud.clock.now());
    let who = &arrived.understood;
    let asking = Asking { company: &arrival.key.company, core: arrived.core, who, at: arrival.at };
    let known = Known::of(cloud, asking, offer).await?;
    let news = lead::Arrival {
        enquiry: arrival.id,
        at: arrival.at,
        person: join::contactable(&arrived.understood),
        offer: offer.id.clone(),
        category: offer.category.clone(),
        source: arrived.source.id.clone(),
        campaign: None,
        brings: who.brings(),
        certificate_warning: None,
        visitor: None,
    };
    let lead = Lead::open(arrival.key.company.clone(), LeadScope::Category(offer.category.clone()), &news);
    let facts = arrived.understood.fit_facts(&arrived.source.id, &offer.id, arrived.core.company.attribution);
    let activity = with_enquiries(Activity::new(), &lead);
    let today = leadyard_domain::time::UtcDay::of(now);
    let score = leadyard_domain::scoring::score(&arrived.core.scoring, &facts, &activity, today);
    // The rest is nurtured first; an incentive's lead until its second interaction.
    let sold_at_once =
        score.band.meets(offer.min_band) && score.next_step == NextStep::Pitch && !offer.incentive;
    let signs = screen::signs(cloud, arrived, false).await;
    let listed = join::listed(&known, who, true);
    let screening = screening::conclude(&arrived.core.screening, signs.into_iter().chain(listed));
    let reasons: Vec<&str> = screening.reasons.iter().map(|reason| reason.as_str()).collect();
    let ham = screening.verdict == Verdict::Ham;
    Ok(match judging::in_force(cloud, &arrival.key.company).await? {
        _ if !ham => Answer::Test { would_go_to: Vec::new(), waiting: Some(QUARANTINED.to_owned()), reasons },
        Some(in_force) if sold_at_once => {
            let on_lists = OnLists { suppressed: known.suppressed, do_not_call: known.do_not_call };
            let facts = on_lists.facts(&lead, &in_force.core, score.band);
            let considered = judging::consider(cloud, &in_force, &facts, now).await?;
            match considered.decision.conclusion {
                Conclusion::Assign(seats) => Answer::Test {
                    would_go_to: seats.into_iter().map(|seat| seat.contract).collect(),
                    waiting: None,
                    reasons,
                },
                Conclusion::Wait { reason, recommended, .. } => Answer::Test {
                    would_go_to: recommended.into_iter().map(|seat| seat.contract).collect(),
                    waiting: Some(reason.to_string()),
                    reasons,
                },
            }
        }
        Some(_) | None => {
            Answer::Test { would_go_to: Vec::new(), waiting: Some("nurturing".to_owned()), reasons }
        }
    })
}
