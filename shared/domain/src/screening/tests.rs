//! What follows from signs, by class and by rulebook.

use proptest::prelude::*;

use super::rules::VelocityLimits;
use super::*;

fn concluded(signs: &[Reason]) -> (Verdict, u32) {
    let screening = conclude(&ScreeningRules::default(), signs.iter().copied());
    (screening.verdict, screening.weight)
}

#[test]
fn one_sign_is_a_doubt_and_two_of_different_classes_are_spam() {
    assert_eq!(concluded(&[]), (Verdict::Ham, 0));
    assert_eq!(concluded(&[Reason::DisposableEmail]).0, Verdict::Doubtful);
    assert_eq!(concluded(&[Reason::DisposableEmail, Reason::DummyPhone]).0, Verdict::Doubtful);
    assert_eq!(concluded(&[Reason::DisposableEmail, Reason::GibberishName]).0, Verdict::Spam);
    assert_eq!(concluded(&[Reason::Honeypot]).0, Verdict::Doubtful);
    assert_eq!(concluded(&[Reason::Honeypot, Reason::FormTooFast]).0, Verdict::Spam);
    assert_eq!(concluded(&[Reason::Advertising]).0, Verdict::Spam);
}

#[test]
fn half_signs_make_a_doubt_together_and_change_nothing_beside_a_sign() {
    assert_eq!(concluded(&[Reason::NoAgent]).0, Verdict::Ham);
    assert_eq!(concluded(&[Reason::NoAgent, Reason::FormTooOld]).0, Verdict::Doubtful);
    let beside = [Reason::NoAgent, Reason::FormTooOld, Reason::DisposableEmail];
    assert_eq!(concluded(&beside).0, Verdict::Doubtful);
}

#[test]
fn what_compels_is_at_least_a_doubt_and_stands_first() {
    for &reason in Reason::ALL.iter().filter(|reason| reason.compels()) {
        let screening = conclude(&ScreeningRules::default(), [Reason::NoAgent, reason, reason]);
        assert_eq!(screening.verdict, Verdict::Doubtful, "{reason}");
        assert_eq!(screening.reasons, [reason, Reason::NoAgent], "each once");
        assert!(!ScreeningRules::default().releases(&screening), "{reason}");
    }
}

#[test]
fn time_releases_a_doubt_and_neither_a_flood_nor_spam() {
    let rules = ScreeningRules::default();
    let releases = |signs: &[Reason]| rules.releases(&conclude(&rules, signs.iter().copied()));
    assert!(releases(&[Reason::DisposableEmail]));
    assert!(!releases(&[Reason::AddressVelocity]) && !releases(&[Reason::DoNotCall]));
    assert!(!releases(&[Reason::Advertising]));
    let keeps = ScreeningRules { at_deadline: AtDeadline::Keep, ..rules };
    assert!(!keeps.releases(&conclude(&keeps, [Reason::DisposableEmail])));
}

#[test]
fn a_crowd_at_one_address_says_nothing_of_the_source_s_others() {
    let limits = VelocityLimits { source: 100, address: 10, identity: 20 };
    let signs = |tally: Tally| {
        let mut signs = Vec::new();
        tally.signs(&limits, &mut signs);
        signs
    };
    // All sixty that came into this shard are of one address: twenty such shards are no 1,200 people.
    let crowd = Tally { in_shard: 60, shards: 20, people_at_address: 60, ..Tally::default() };
    assert_eq!(signs(crowd), [Reason::AddressVelocity]);
    let flood = Tally { in_shard: 60, shards: 20, people_at_address: 1, ..Tally::default() };
    assert_eq!(signs(flood), [Reason::SourceVelocity]);
}

#[test]
fn a_rulebook_s_weight_counts_and_none_passes_over_the_sign() {
    let mut rules = ScreeningRules::default();
    rules.weights.insert(Reason::DisposableEmail, 0);
    rules.weights.insert(Reason::LinkInName, 200);
    assert!(conclude(&rules, [Reason::DisposableEmail]).reasons.is_empty());
    assert_eq!(conclude(&rules, [Reason::LinkInName]).verdict, Verdict::Spam);
}

#[test]
fn rules_that_another_version_wrote_are_read() {
    let read: ScreeningRules =
        serde_json::from_str(r#"{"doubtful": 40, "velocity": {"source": 9}}"#).unwrap();
    assert_eq!((read.doubtful, read.spam, read.velocity.source, read.velocity.identity), (40, 110, 9, 20));
    let text = serde_json::to_string(&ScreeningRules::default()).unwrap();
    assert_eq!(serde_json::from_str::<ScreeningRules>(&text).unwrap(), ScreeningRules::default());
}

#[test]
fn an_address_is_known_by_its_household_and_loopback_is_none() {
    let company = crate::ids::CompanyId::new("acme").unwrap();
    let other = crate::ids::CompanyId::new("brook").unwrap();
    let of = |text: &str| AddressHash::of(&[7; 32], &company, text.parse().unwrap());
    assert_eq!(of("2001:db8:0:1::1"), of("2001:db8:0:1::2"));
    assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
    assert_eq!(of("203.0.113.7"), of("::ffff:203.0.113.7"));
    assert_ne!(of("203.0.113.7"), of("203.0.113.8"));
    assert_ne!(of("203.0.113.7"), AddressHash::of(&[7; 32], &other, "203.0.113.7".parse().unwrap()));
    assert_eq!((of("127.0.0.1"), of("::1")), (None, None));
    assert_eq!(format!("{:?}", of("203.0.113.7")), "Some(AddressHash(…))");
}

proptest! {
    /// Whatever is sent: no panic, and the order of the signs changes nothing.
    #[test]
    fn screening_is_total_and_free_of_order(
        name in "\\PC{0,40}", message in any::<String>(), email in "\\PC{0,20}@?[a-z.]{0,12}", phone in "[-+0-9() ]{0,16}",
    ) {
        let mut fields = Fields::default();
        for (field, value) in [("name", name), ("message", message), ("email", email), ("phone", phone)] {
            fields.push(field, value).unwrap();
        }
        let enquiry = crate::enquiry::Enquiry {
            fields: fields.clone(),
            received_at: jiff::Timestamp::UNIX_EPOCH,
            global_privacy_control: false,
        };
        let understood = enquiry.understand(&crate::enquiry::FieldMap::default());
        let rules = ScreeningRules::default();
        let mut found = signs(&rules, &Seen { fields: &fields, understood: &understood, page: None });
        let one = conclude(&rules, found.clone());
        found.reverse();
        prop_assert_eq!(one, conclude(&rules, found));
    }
}
