//! What taking in one enquiry costs before anything is stored: a body read, understood and screened.
#![allow(missing_docs)] // criterion's macros write the functions

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::enquiry::{Enquiry, FieldMap, Fields};
use leadyard_domain::screening::{
    FormSeen, PageSeen, Screening, ScreeningRules, Seen, Tally, conclude, signs,
};

const AGENT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";

fn body(message: &str) -> Vec<u8> {
    format!(
        r#"{{"first_name":"Siobhán","last_name":"O'Shaughnessy","email":"siobhan.os@mail.example","phone":"(408) 555-0107",
        "street":"1432 Alder Lane","city":"San Jose","state":"CA","zip":"95112","consent":"yes",
        "consent_text":"I agree that Brightside and up to three companies near me may call me.","utm_source":"google",
        "utm_campaign":"spring","gclid":"Cj0KCQ","homeowner":"yes","message":{message:?}}}"#
    )
    .into_bytes()
}

fn screened(rules: &ScreeningRules, body: &[u8]) -> Screening {
    let fields = Fields::from_json(body).unwrap_or_default();
    let enquiry =
        Enquiry { fields, received_at: Timestamp::UNIX_EPOCH, global_privacy_control: false, ip: None };
    let understood = enquiry.understand(&FieldMap::default());
    let page = PageSeen {
        user_agent: Some(AGENT),
        form: FormSeen::Opened { age: SignedDuration::from_secs(40), elsewhere: false },
        tally: Some(Tally {
            in_shard: 1,
            shards: 64,
            people_at_address: 1,
            people_of_token: 1,
            people_who_said_so: 1,
        }),
    };
    conclude(
        rules,
        signs(rules, &Seen { fields: &enquiry.fields, understood: &understood, page: Some(page) }),
    )
}

fn take_in(c: &mut Criterion) {
    let rules = ScreeningRules::default();
    let usual = body(
        "Looking at bay windows for the front room, two of them have rotted sills. Call after six, please.",
    );
    let long = body(&"We bought the house in 1994 from my aunt, and the roof was old then. ".repeat(55));
    c.bench_function("read, understand and screen an enquiry", |b| {
        b.iter(|| screened(&rules, black_box(&usual)));
    });
    c.bench_function("the same with a message of 3,800 characters", |b| {
        b.iter(|| screened(&rules, black_box(&long)));
    });
}

criterion_group!(benches, take_in);
criterion_main!(benches);
