//! Runs a rulebook's own tests (`tests.toml`): the same decision that a lead would get.

use std::sync::Arc;

use serde::Serialize;

use super::{RulebookTest, Used};
use crate::distribution::compiled::Compiled;
use crate::distribution::{
    Chunk, Conclusion, Counters, Decision, Judged, LeadFacts, Location, Pause, Reservation, Rule, Switches,
    Usage, explain, fails_uncovered, screen,
};
use crate::ids::{ContractId, DealerId, LeadId};

/// What came of one test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Examined {
    /// The test's name.
    pub name: String,
    /// What was not as expected; empty when it passed.
    pub differences: Vec<String>,
}

impl Compiled {
    /// Runs one test.
    pub fn examine(&self, test: &RulebookTest) -> Examined {
        let mut differences = Vec::new();
        match self.facts_of(test) {
            Err(problem) => differences.push(problem),
            Ok(facts) => self.compare(test, &facts, &mut differences),
        }
        Examined { name: test.name.clone(), differences }
    }

    fn facts_of(&self, test: &RulebookTest) -> Result<LeadFacts, String> {
        let offer = self.core.offer(&test.lead.offer).ok_or("the offer is not in the rulebook")?;
        let age = jiff::SignedDuration::from_hours(i64::from(test.lead.age_hours));
        Ok(LeadFacts {
            lead: LeadId::from_bytes([0; 16]),
            cycle: 1,
            offer: offer.id.clone(),
            category: offer.category.clone(),
            source: test.lead.source.clone(),
            opened_at: test.at.checked_sub(age).map_err(|_| "the lead's age leaves the calendar")?,
            location: Location::of(test.lead.zip, test.lead.state, None),
            band: test.lead.band,
            brings: test.lead.brings,
            excluded: test.lead.excluded.clone(),
            holders: test.holds.clone(),
            open_seats: None,
        })
    }

    /// The chunks of one lead.
    pub fn chunks_of(&self, facts: &LeadFacts) -> Vec<Arc<Chunk>> {
        self.core
            .chunks_for(&facts.category, facts.location.state())
            .iter()
            .filter_map(|key| self.chunks.get(key))
            .map(|chunk| Arc::new(chunk.clone()))
            .collect()
    }

    fn compare(&self, test: &RulebookTest, facts: &LeadFacts, differences: &mut Vec<String>) {
        let switches = self.switches_of(test);
        let chunks = self.chunks_of(facts);
        let screened = screen(facts, &self.core, &chunks, &switches, test.at);
        let counters = self.counters_of(test);
        let (decision, judged) = explain(&screened, &counters, test.at, 0);
        compare_conclusion(test, &decision, differences);
        for (contract, expected) in &test.expect.excluded {
            let found = self.first_failure(contract, facts, &switches, &judged, test);
            if found != Some(*expected) {
                let found = found.map_or("it passed every rule", Rule::as_str);
                differences.push(format!("{contract}: expected rule '{expected}', but {found}"));
            }
        }
    }

    /// The first rule one contract failed, whether or not its area covers.
    fn first_failure(
        &self,
        id: &ContractId,
        facts: &LeadFacts,
        switches: &Switches,
        judged: &[Judged],
        test: &RulebookTest,
    ) -> Option<Rule> {
        if let Some(covering) = judged.iter().find(|judged| &judged.contract == id) {
            return covering.failed;
        }
        let found = self
            .chunks
            .values()
            .find_map(|chunk| Some(fails_uncovered(facts, chunk.contract(id)?, chunk, switches, test.at)));
        // A contract that stands in no chunk has no area at all.
        Some(found.unwrap_or(Rule::Area))
    }

    fn switches_of(&self, test: &RulebookTest) -> Switches {
        let pause = |id: &str| (ContractId::new(id), DealerId::new(id));
        let mut switches = Switches::default();
        for id in &test.paused {
            let (contract, dealer) = pause(id);
            let is_contract = contract
                .as_ref()
                .is_ok_and(|id| self.chunks.values().any(|chunk| chunk.contract(id).is_some()));
            let reason = "paused by the test".to_owned();
            match (contract, dealer) {
                (Ok(id), _) if is_contract => switches.contracts.set(Pause { id, reason, until: None }),
                (_, Ok(id)) => switches.dealers.set(Pause { id, reason, until: None }),
                (Ok(_) | Err(_), Err(_)) => {}
            }
        }
        switches
    }

    /// The counters a test asks for. What a contract has had, its dealer has had too.
    fn counters_of(&self, test: &RulebookTest) -> Counters {
        let mut counters = Counters::default();
        for (id, used) in &test.used {
            let found = self.chunks.values().find_map(|chunk| {
                let contract = chunk.contract(id)?;
                Some((chunk.dealer_of(contract)?, chunk.calendar(contract.schedule())?.zone))
            });
            let Some((dealer, zone)) = found else { continue };
            let usage = usage(used, &Reservation::at(test.at, zone, self.core.company.week_starts));
            let of_dealer = counters.dealers.entry(dealer.id.clone()).or_default();
            of_dealer.exists = true;
            for (sum, used) in of_dealer.used.iter_mut().zip(usage.used) {
                if let Some((start, count)) = used {
                    *sum = Some((start, sum.map_or(0, |(_, sum)| sum).saturating_add(count)));
                }
            }
            counters.contracts.insert(id.clone(), usage);
        }
        counters
    }
}

fn usage(used: &Used, reservation: &Reservation) -> Usage {
    let counts = [used.hour, used.day, used.week, used.month, used.total];
    let mut usage = Usage { exists: true, ..Usage::default() };
    for ((slot, count), start) in usage.used.iter_mut().zip(counts).zip(reservation.starts) {
        *slot = count.map(|count| (start, count));
    }
    usage
}

fn compare_conclusion(test: &RulebookTest, decision: &Decision, differences: &mut Vec<String>) {
    let (assigned, waiting, until) = match &decision.conclusion {
        Conclusion::Assign(seats) => (seats.iter().map(|seat| seat.contract.clone()).collect(), None, None),
        Conclusion::Wait { reason, until, .. } => (Vec::new(), Some(*reason), *until),
    };
    let found = || match waiting {
        Some(reason) => format!("it waits: {reason}"),
        None => format!("assigned {assigned:?}"),
    };
    if let Some(expected) = &test.expect.assigned
        && *expected != assigned
    {
        differences.push(format!("expected assigned {expected:?}, but {}", found()));
    }
    if let Some(expected) = test.expect.waiting
        && waiting != Some(expected)
    {
        differences.push(format!("expected waiting '{expected}', but {}", found()));
    }
    if let Some(expected) = test.expect.until
        && until != Some(expected)
    {
        let found = until.map_or_else(|| "nothing but a change".to_owned(), |until| until.to_string());
        differences.push(format!("expected until {expected}, but it waits for {found}"));
    }
}

#[cfg(test)]
mod tests {
    use crate::rulebook::{Rulebook, RulebookFiles};

    /// What comes of one test: hudson takes one roof a day anywhere, ridge the best leads, crest roofs and grove pools
    /// in New York.
    fn differences(test: &str) -> Vec<String> {
        let contracts = "contract,dealer,offers,sources,area,price,tier,min_band,cap_day\n\
            hudson,hudson,roof,*,all,45.00,1,,1\n\
            ridge,ridge,roof,*,all,45.00,2,A1,\n\
            crest,crest,roof,*,york,45.00,3,,\n\
            grove,grove,pool,*,york,45.00,3,,\n";
        let offer = |id| format!("[[offer]]\nid = \"{id}\"\ncategory = \"homes\"\nname = \"{id}\"\n");
        let lead = "lead = { zip = \"33101\", offer = \"roof\", source = \"form\", band = \"B1\" }";
        let files = [
            ("company.toml", "id = \"acme\"\nname = \"Acme\"\nzone = \"America/New_York\"\n".to_owned()),
            ("offers.toml", offer("roof") + &offer("pool")),
            ("sources.toml", "[[source]]\nid = \"form\"\nkind = \"form\"\n".to_owned()),
            ("scoring.toml", String::new()),
            (
                "dealers.csv",
                "dealer,name,zip\nhudson,H,33101\nridge,R,33101\ncrest,C,10001\ngrove,G,10001\n".to_owned(),
            ),
            ("areas.csv", "area,part\nall,any\nyork,state:NY\n".to_owned()),
            ("contracts.csv", contracts.to_owned()),
            ("tests.toml", format!("[[test]]\nname = \"it\"\nat = 2026-06-01T16:00:00Z\n{lead}\n{test}\n")),
        ];
        let files = RulebookFiles::new(files.map(|(name, text)| (name, text.into_bytes()))).unwrap();
        let book = Rulebook::parse(&files).unwrap_or_else(|problems| panic!("{test}: {problems}"));
        let examined = book.compile(1).unwrap().examine(&book.tests[0]);
        assert_eq!(examined.name, "it");
        examined.differences
    }

    const FULL: &str = "used = { hudson = { day = 1 } }\n";

    #[test]
    fn what_follows_is_no_difference() {
        let full = |expected: &str| format!("{FULL}{expected}");
        for test in [
            "assigned = [\"hudson\"]".to_owned(),
            "assigned = [\"hudson\"]\nexcluded = { ridge = \"band\", crest = \"area\", grove = \"offer\" }".to_owned(),
            // A pause speaks before the offer, and the area: also of those whose area is elsewhere.
            "paused = [\"hudson\", \"crest\", \"grove\"]\nwaiting = \"band\"\nexcluded = { hudson = \"inactive\", crest = \"inactive\", grove = \"inactive\" }".to_owned(),
            full("waiting = \"cap\"\nuntil = 2026-06-02T04:00:00Z\nexcluded = { hudson = \"cap\" }"),
        ] {
            assert_eq!(differences(&test), Vec::<String>::new(), "{test}");
        }
    }

    #[test]
    fn each_expectation_that_is_wrong_is_a_difference_of_its_own() {
        let full = |expected: &str| format!("{FULL}{expected}");
        for (test, difference) in [
            ("assigned = [\"ridge\"]".to_owned(), "expected assigned [ridge], but assigned [hudson]"),
            (
                "assigned = [\"hudson\", \"ridge\"]".to_owned(),
                "expected assigned [hudson, ridge], but assigned [hudson]",
            ),
            (full("assigned = [\"hudson\"]"), "expected assigned [hudson], but it waits: cap"),
            ("waiting = \"cap\"".to_owned(), "expected waiting 'cap', but assigned [hudson]"),
            (full("waiting = \"hours\""), "expected waiting 'hours', but it waits: cap"),
            (
                full("waiting = \"cap\"\nuntil = 2026-06-03T04:00:00Z"),
                "expected until 2026-06-03T04:00:00Z, but it waits for 2026-06-02T04:00:00Z",
            ),
            (
                "paused = [\"hudson\"]\nwaiting = \"band\"\nuntil = 2026-06-02T04:00:00Z".to_owned(),
                "expected until 2026-06-02T04:00:00Z, but it waits for nothing but a change",
            ),
            (full("excluded = { hudson = \"hours\" }"), "hudson: expected rule 'hours', but cap"),
            (
                "excluded = { hudson = \"cap\" }".to_owned(),
                "hudson: expected rule 'cap', but it passed every rule",
            ),
            ("excluded = { crest = \"band\" }".to_owned(), "crest: expected rule 'band', but area"),
            ("excluded = { grove = \"area\" }".to_owned(), "grove: expected rule 'area', but offer"),
            (
                "paused = [\"crest\"]\nexcluded = { crest = \"area\" }".to_owned(),
                "crest: expected rule 'area', but inactive",
            ),
        ] {
            assert_eq!(differences(&test), [difference], "{test}");
        }
        // All of them at once are four.
        let all = full(
            "waiting = \"hours\"\nuntil = 2026-06-03T04:00:00Z\nexcluded = { hudson = \"hours\", ridge = \"cap\" }",
        );
        assert_eq!(differences(&all).len(), 4);
    }
}
