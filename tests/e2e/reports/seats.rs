//! The counters of which there is no report, or not by every dimension, held against the seats of the table.

use leadyard_domain::assignment::Assignment;
use leadyard_domain::lead::AssignmentState;

use super::*;

/// What a seat is counted by, and what of it: as it stands, and when the enquiry that opened its cycle arrived.
fn of_a_seat(seat: &Assignment, enquired_at: jiff::Timestamp) -> Tally {
    let mut tally = Tally::default();
    let mut one = |counter, so: bool| tally.add(counter, i64::from(so));
    one(Counter::Distributed, true);
    one(Counter::Delivered, seat.delivered_at.is_some());
    one(Counter::Accepted, seat.accepted_at.is_some());
    one(Counter::Contacted, seat.contacted_at.is_some());
    one(Counter::Withdrawn, seat.state == AssignmentState::Withdrawn);
    one(Counter::Returned, seat.state == AssignmentState::Returned);
    one(Counter::Charges, seat.settled_at.is_some());
    let came_back = [
        AssignmentState::Declined,
        AssignmentState::Lapsed,
        AssignmentState::Withdrawn,
        AssignmentState::Returned,
    ];
    one(Counter::Credits, seat.settled_at.is_some() && came_back.contains(&seat.state));
    for (speed, at) in [
        (Speed::Delivery, seat.delivered_at),
        (Speed::Acceptance, seat.accepted_at),
        (Speed::Contact, seat.contacted_at),
    ] {
        if let Some(at) = at {
            tally.times[speed as usize].add(at.duration_since(enquired_at).as_secs(), 1);
        }
    }
    tally
}

/// Holds the counters of June of which there is no report, or not by every dimension, and the times, against the seats.
pub(super) async fn agree(yard: &Yard) {
    const COUNTED: [Counter; 8] = [
        Counter::Distributed,
        Counter::Delivered,
        Counter::Accepted,
        Counter::Contacted,
        Counter::Withdrawn,
        Counter::Returned,
        Counter::Charges,
        Counter::Credits,
    ];
    let store = &yard.cloud.store;
    let mut plain: BTreeMap<(Dimension, String), Tally> = BTreeMap::new();
    for lead in leads(yard).await {
        let story = store.lead_story(lead.parse().unwrap()).await.unwrap().unwrap();
        let lead = &story.lead;
        let opening = store.enquiry_get(lead.opening).await.unwrap().unwrap();
        for seat in &story.assignments {
            let state = lead.location().state().map(|state| state.to_string()).unwrap_or_default();
            let by = [
                (Dimension::All, UNKNOWN.to_owned()),
                (Dimension::Source, lead.source.to_string()),
                (Dimension::Campaign, lead.campaign.clone().unwrap_or_default()),
                (Dimension::Offer, lead.offer.to_string()),
                (Dimension::Category, "roofing".to_owned()),
                (Dimension::Dealer, seat.dealer.to_string()),
                (Dimension::State, state),
                (Dimension::Band, seat.band.expect("it was decided").to_string()),
            ];
            for key in by {
                plain.entry(key).or_default().merge(&of_a_seat(seat, opening.received_at));
            }
        }
    }
    let whole = plain[&(Dimension::All, UNKNOWN.to_owned())];
    assert!(COUNTED.iter().all(|counter| whole.get(*counter) > 0), "nothing to compare: {whole:?}");
    assert!(whole.times.iter().all(|times| times.total() > 2), "nothing to compare: {whole:?}");
    let (company, june) = (yard.company_id(), (date(2026, 6, 1), date(2026, 6, 30)));
    let read = |tables| store.report_read(&company, Dimension::ALL, tables, june, date(2026, 6, 30));
    let (counts, times) = (read(Tables::Counts).await.unwrap().sums, read(Tables::Times).await.unwrap().sums);
    for dimension in Dimension::ALL.iter().filter(|dimension| **dimension != Dimension::Reason) {
        let of_it = |value: &str| plain.get(&(*dimension, value.to_owned())).copied().unwrap_or_default();
        let named = plain.keys().filter(|(of, _)| of == dimension).map(|(_, value)| value.as_str());
        for value in named.chain(counts.by(*dimension).map(|(value, _)| value)) {
            for counter in COUNTED {
                let (told, so) = (counts.get(*dimension, value).get(counter), of_it(value).get(counter));
                assert_eq!(told, so, "{counter} of {dimension} {value:?}");
            }
            for speed in Speed::ALL {
                let (told, so) = (*times.get(*dimension, value).speed(*speed), *of_it(value).speed(*speed));
                assert_eq!(told, so, "{speed} of {dimension} {value:?}");
            }
        }
    }
}

/// All leads of the table.
async fn leads(yard: &Yard) -> Vec<String> {
    let (mut leads, mut start) = (Vec::new(), None);
    loop {
        let (page, next) = yard.cloud.store.scan_page(start).await.unwrap();
        let of_a_lead = page.iter().filter(|item| item["sk"].as_s().unwrap() == "L");
        leads.extend(of_a_lead.map(|item| item["pk"].as_s().unwrap().trim_start_matches("L#").to_owned()));
        start = next;
        if start.is_none() {
            return leads;
        }
    }
}
