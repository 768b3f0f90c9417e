//! Worlds at random: what stands in their rows, what has been given, and when a lead is asked about.

use jiff::Timestamp;
use leadyard_domain::contract::{Need, Needs};
use leadyard_domain::distribution::counters::PASS_UNIT;
use leadyard_domain::distribution::{LeadFacts, Location, OpenSeats, Pause, Switches};
use leadyard_domain::ids::{ContractId, DealerId, LeadId};
use proptest::prelude::*;
use proptest::sample::select;

use crate::world::{
    AREAS, ContractRow, Count, DealerRow, OFFERS, World, ZIPS, at, contract, dealer, dealer_id,
};

fn dealer_row() -> impl Strategy<Value = DealerRow> {
    (
        select(&ZIPS[..]),
        select(&["America/New_York", "America/New_York", "America/Chicago", "America/Los_Angeles"][..]),
        select(
            &[
                "24/7",
                "24/7",
                "24/7",
                "Mo-Fr 08:00-18:00; Sa 09:00-12:00",
                "Mo-Su 10:00-12:00",
                "Tu 20:00-24:00; We 00:00-04:00",
                // Over midnight into the day that clocks change, and in the hour that they skip or repeat.
                "Sa 22:00-24:00; Su 00:00-01:30,02:15-02:45; Mo-Th 13:00-17:30",
                // Around the end of the week, with a break.
                "Fr-Mo 08:00-12:00,12:30-20:00",
            ][..],
        ),
        select(&["hold", "hold", "deliver"][..]),
        select(&["", "", "", "2026-06-01 2026-06-02", "2026-05-30..2026-06-01", "2026-03-08"][..]),
        select(&["", "", "1", "2"][..]),
        select(&["", "", "", "", "1", "2"][..]),
        select(&["", "", "", "yes", "no"][..]),
    )
        .prop_map(|(zip, zone, hours, after_hours, holidays, cap_day, cap_month, prepaid)| DealerRow {
            zip,
            zone,
            hours,
            after_hours,
            holidays,
            cap_day,
            cap_month,
            prepaid,
        })
}

fn contract_row(dealers: usize) -> impl Strategy<Value = ContractRow> {
    let names: Vec<&'static str> = AREAS.iter().map(|(name, _)| *name).collect();
    let whom = (
        0..dealers,
        select(&["*", "*", "*", "*", "roof", "roof", "roof", "gutter", "roof pool", "pool"][..]),
        select(&["*", "*", "*", "page", "mail"][..]),
        select(names),
        select(&["open", "open", "open", "first", "protected", "closed"][..]),
        select(&["exclusive", "exclusive", "shared:2", "shared:3"][..]),
        select(&["wait", "next"][..]),
    );
    let terms = (
        select(&["C3", "C3", "C3", "C3", "B2", "A1", "A3", "C1", "B3"][..]),
        select(&["", "", "", "", "", "consent", "certificate", "consent dnc_clean"][..]),
        select(&["", "", "12", "24"][..]),
        1..=2_u8,
        1..=3_u32,
        select(&[10_u32, 20][..]),
    );
    let limits = (
        select(&["", "", "", "1"][..]),
        select(&["", "", "1", "2"][..]),
        select(&["", "", "", "2"][..]),
        select(&["", "", "", "", "1"][..]),
        select(&["", "", "hold", "deliver"][..]),
        select(&["", "", "", "2026-06-02", "2026-03-08"][..]),
        select(&["", "", "", "2026-11-01", "2026-12-31"][..]),
    );
    let money = (
        select(&["", "", "", "2"][..]),
        select(&["", "", "", "15", "20", "35"][..]),
        select(&[",", ",", "90,", "30,open", "90,wall"][..]),
    );
    (whom, terms, limits, money).prop_map(|(whom, terms, limits, money)| ContractRow {
        id: String::new(),
        dealer: whom.0,
        offers: whom.1,
        sources: whom.2,
        area: whom.3,
        territory: whom.4,
        sale: whom.5,
        when_unavailable: whom.6,
        min_band: terms.0,
        needs: terms.1,
        max_age_hours: terms.2,
        tier: terms.3,
        weight: terms.4,
        price: terms.5,
        cap_hour: limits.0,
        cap_day: limits.1,
        cap_week: limits.2,
        cap_total: limits.3,
        cap_month: money.0,
        budget_month: money.1,
        deadline: money.2,
        after_hours: limits.4,
        starts: limits.5,
        ends: limits.6,
    })
}

fn count() -> impl Strategy<Value = Count> {
    let used = prop::array::uniform5(select(&[0_u32, 0, 0, 1, 2][..]));
    // Within a turn of each other, by steps that weights of 1 to 3 make; of any age; and at the end.
    let pass = prop_oneof![
        4 => (0..8_u64).prop_map(|quarters| quarters * (PASS_UNIT / 4)),
        3 => (0..40_u64, 0..3_u64).prop_map(|(sixths, beside)| sixths * (PASS_UNIT / 6) + beside),
        2 => 0..100 * PASS_UNIT,
        1 => (0..2 * PASS_UNIT).prop_map(|left| u64::MAX - left),
    ];
    // Few wins and many, this week, some weeks ago, and before any look-back.
    let results = prop::collection::vec((select(&[0_i32, 1, 12, 13, 40][..]), 0..40_u32, 0..=100_u32), 0..4)
        .prop_map(|weeks| {
            weeks.into_iter().map(|(ago, delivered, part)| (ago, delivered, delivered * part / 100)).collect()
        });
    let money = select(&[0_i64, 500, 1_000, 2_000, 2_500][..]);
    (used, any::<bool>(), pass, select(&[0_i64, 1_000, 2_000][..]), money, results).prop_map(
        |(used, stale, pass, last_assigned_ms, money, results)| Count {
            used,
            stale,
            pass,
            last_assigned_ms,
            money,
            results,
        },
    )
}

fn location() -> impl Strategy<Value = Location> {
    let zip = select(&ZIPS[..]).prop_map(|zip| Location::Zip(zip.parse().unwrap()));
    let state = (select(&["FL", "GA"][..]), any::<bool>())
        .prop_map(|(state, guessed)| Location::State { state: state.parse().unwrap(), guessed });
    prop_oneof![
        6 => Just(Location::Zip("33130".parse().unwrap())),
        5 => zip,
        2 => state,
        1 => Just(Location::Unplaced),
    ]
}

fn lead(dealers: usize) -> impl Strategy<Value = LeadFacts> {
    // Seats that are held, and seats that were lost: mostly some are left.
    let held = prop_oneof![
        8 => Just(None),
        2 => (2..=3_u8, any::<bool>(), 0..dealers, 1..=3_u8, any::<bool>()).prop_map(Some),
    ];
    (
        any::<[u8; 16]>(),
        select(&[OFFERS[0], OFFERS[0], OFFERS[0], OFFERS[1], OFFERS[1], OFFERS[2]][..]),
        select(&["page", "mail"][..]),
        location(),
        select(&["A1", "A1", "B2", "B2", "C3", "A2", "A3", "B1", "B3", "C1", "C2"][..]),
        prop::array::uniform3(any::<bool>()),
        prop_oneof![3 => Just(None), 1 => (0..dealers).prop_map(Some)],
        held,
    )
        .prop_map(move |(lead, (offer, category), source, location, band, brings, excluded, held)| {
            let open_seats = held.map(|(of, protected, _, given, _)| OpenSeats {
                of,
                free: of - given.min(of),
                protected,
            });
            let holders: Vec<DealerId> = held
                .iter()
                .flat_map(|&(of, _, first, given, lost)| {
                    let holding = usize::from(given.min(of) - u8::from(lost && given > 1)).min(dealers);
                    (0..holding).map(move |next| dealer_id((first + next) % dealers))
                })
                .collect();
            let needs = [Need::Consent, Need::Certificate, Need::DncClean].into_iter().zip(brings);
            let brings =
                needs.filter(|(_, brings)| *brings).fold(Needs::NONE, |set, (need, _)| set.with(need));
            LeadFacts {
                lead: LeadId::from_bytes(lead),
                cycle: 1,
                offer: offer.parse().unwrap(),
                category: category.parse().unwrap(),
                source: source.parse().unwrap(),
                opened_at: Timestamp::UNIX_EPOCH, // the world knows
                location,
                band: band.parse().unwrap(),
                brings,
                excluded: excluded.map(dealer_id).into_iter().collect(),
                holders,
                open_seats,
            }
        })
}

fn switches(
    dealers: usize,
    contracts: usize,
) -> impl Strategy<Value = (bool, bool, Option<usize>, Option<usize>, Option<i64>)> {
    let some = |count: usize| prop_oneof![4 => Just(None), 1 => (0..count).prop_map(Some)];
    (
        prop::bool::weighted(0.03),
        prop::bool::weighted(0.05),
        some(contracts),
        some(dealers),
        select(&[None, Some(-1_i64), Some(3), Some(30)][..]),
    )
}

/// What many of a world's contracts have in common: rows that are each drawn by themselves mostly stand in
/// one another's way, and hardly ever share a lead.
#[derive(Clone, Copy, Debug)]
struct Leaning {
    /// Most take whatever comes, at any hour.
    undemanding: bool,
    /// Most are shared for so many.
    sharing: Option<&'static str>,
    /// Most are of this territory.
    territory: Option<&'static str>,
    /// All of them may have the lead, and the ranking alone tells them apart.
    ranked: bool,
}

fn leaning() -> impl Strategy<Value = Leaning> {
    let territory = select(&[None, None, None, Some("open"), Some("first"), Some("protected")][..]);
    let sharing = select(&[None, None, None, Some("shared:2"), Some("shared:3"), Some("shared:3")][..]);
    (prop::bool::weighted(0.5), sharing, territory, prop::bool::weighted(0.1)).prop_map(
        |(undemanding, sharing, territory, ranked)| Leaning { undemanding, sharing, territory, ranked },
    )
}

impl Leaning {
    fn of_dealers(self, dealers: &mut [DealerRow]) {
        for (number, row) in dealers.iter_mut().enumerate() {
            if self.undemanding && number % 3 != 2 {
                (row.hours, row.holidays, row.prepaid) = ("24/7", "", "");
            }
            if self.ranked {
                *row = DealerRow { zip: row.zip, ..dealer() };
            }
        }
    }

    fn of_contracts(self, contracts: &mut [ContractRow]) {
        for (number, row) in contracts.iter_mut().enumerate() {
            if self.undemanding && number % 4 != 3 {
                *row = ContractRow {
                    offers: "*",
                    sources: "*",
                    min_band: "C3",
                    needs: "",
                    max_age_hours: "",
                    starts: "",
                    ends: "",
                    ..row.clone()
                };
            }
            row.sale = self.sharing.filter(|_| number % 5 != 4).unwrap_or(row.sale);
            row.territory = self.territory.filter(|_| number % 4 != 3).unwrap_or(row.territory);
            if self.ranked {
                let ContractRow { tier, weight, price, sale, .. } = *row;
                *row = ContractRow { tier, weight, price, sale, ..contract("", row.dealer) };
            }
        }
    }
}

/// Worlds of two to four dealers and two to nine contracts.
pub(crate) fn worlds() -> impl Strategy<Value = World> {
    (2..=4_usize, 2..=9_usize).prop_flat_map(|(dealers, contracts)| {
        let rows = (
            prop::collection::vec(dealer_row(), dealers),
            prop::collection::vec(contract_row(dealers), contracts),
            prop::collection::vec(count(), 0..=contracts),
            prop::collection::vec(count(), 0..=dealers),
        );
        let moment = (
            // An ordinary week, and the two in which the clocks change.
            select(&["2026-05-29T12:00:00Z", "2026-03-07T00:00:00Z", "2026-10-31T00:00:00Z"][..]),
            0..6_000_i64,
            select(&[0_i64, 0, 0, 11, 12, 13, 30][..]),
        );
        let company = (
            select(
                &[
                    r#"["tier", "distance:10mi", "share", "longest_ago"]"#,
                    r#"["share"]"#,
                    r#"["price", "longest_ago"]"#,
                    r#"["distance:1mi"]"#,
                    r#"["performance:90d:20", "tier"]"#,
                    r#"["tier", "performance:7d:5"]"#,
                ][..],
            ),
            prop_oneof![9 => Just("automatic"), 1 => Just("manual")],
            select(&["", "week_starts = \"sunday\"\n"][..]),
        );
        (rows, moment, company, lead(dealers), switches(dealers, contracts), leaning()).prop_map(
            |(
                rows,
                (base, minutes, age),
                (ranking, mode, company),
                mut facts,
                (stop, shadow, contract, dealer, until),
                leaning,
            )| {
                let (mut dealers, mut contracts, contract_counts, dealer_counts) = rows;
                leaning.of_dealers(&mut dealers);
                leaning.of_contracts(&mut contracts);
                for (number, row) in contracts.iter_mut().enumerate() {
                    row.id = format!("k{number}");
                }
                let now = Timestamp::from_second(at(base).as_second() + minutes * 60).unwrap();
                facts.opened_at = Timestamp::from_second(now.as_second() - age * 3_600).unwrap();
                let until =
                    until.map(|hours| Timestamp::from_second(now.as_second() + hours * 3_600).unwrap());
                let reason = String::new();
                let contract = contract.map(|number| ContractId::new(&format!("k{number}")).unwrap());
                let switches = Switches {
                    stop,
                    shadow,
                    contracts: contract
                        .map(|id| Pause { id, reason: reason.clone(), until })
                        .into_iter()
                        .collect(),
                    dealers: dealer
                        .map(|number| Pause { id: dealer_id(number), reason, until })
                        .into_iter()
                        .collect(),
                };
                World {
                    company,
                    ranking,
                    mode,
                    dealers,
                    contracts,
                    now,
                    facts,
                    switches,
                    contract_counts,
                    dealer_counts,
                }
            },
        )
    })
}
