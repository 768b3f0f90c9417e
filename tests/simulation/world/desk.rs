//! The desk: it holds and rejects, merges, places by hand, flips switches, enables channels that were gone, and
//! publishes the other edition of a rulebook while leads are held by this one.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use axum::body::Body;
use axum::http::{Request, header};
use jiff::SignedDuration;
use leadyard_domain::distribution::Waiting;
use leadyard_domain::ids::{CompanyId, DealerId, LeadId};
use leadyard_domain::lead::Stage;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::World;
use crate::rules::{self, Edition};

impl World {
    /// The desk does something; it tries again while nothing answers.
    async fn desk(&self, company: &str, path: &str, body: &Value) -> Option<Value> {
        self.desk_by("POST", company, path, body).await
    }

    async fn desk_by(&self, method: &str, company: &str, path: &str, body: &Value) -> Option<Value> {
        let token = self.desk_token(company)?;
        for _ in 0..4 {
            let request = Request::builder()
                .method(method)
                .uri(path)
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .body(Body::from(body.to_string()))
                .ok()?;
            match self.send(&self.console, request, &self.faults.invocation()).await {
                Some((200 | 400..=499, answer)) => return Some(answer),
                Some(_) | None => sleep(Duration::from_secs(2 + self.below(30))).await,
            }
        }
        None
    }

    /// The desk looks at some lead, at its returns, its switches or its rules, and does what comes to its mind.
    pub(super) async fn desk_acts(&self) {
        let known = self.ledger().leads.clone();
        let Some((company, lead)) = known.get(self.below(known.len().max(1) as u64) as usize) else { return };
        let path = |act: &str| format!("/v1/leads/{lead}/{act}");
        match self.below(34) {
            0 | 1 => {
                let amount = format!("{}.00", 40 * (1 + self.below(4)));
                let reference = format!("wire-{}", self.below(6));
                let body = json!({ "amount": amount, "reference": reference });
                let (company, dealer) = rules::PREPAID;
                self.desk(company, &format!("/v1/dealers/{dealer}/deposits"), &body).await;
            }
            2 => drop(self.desk(company, &path("hold"), &json!({ "reason": "later" })).await),
            3 => {
                let until = self.cloud.clock.now().checked_add(SignedDuration::from_hours(5)).ok();
                self.desk(company, &path("hold"), &json!({ "until": until })).await;
            }
            4 | 5 => drop(self.desk(company, &path("resume"), &json!({})).await),
            6 => {
                let body = json!({ "reason": "wrong", "hold": self.below(3) == 0 });
                self.desk(company, &path("take_back"), &body).await;
            }
            7..10 => self.places_with_any(company, lead).await,
            10 | 11 => self.decide_returns(company).await,
            12 => drop(self.desk(company, &path("reject"), &json!({ "reason": "nobody there" })).await),
            13 => drop(self.desk(company, &path("reopen"), &json!({})).await),
            14..17 => {
                // Into some other lead of the company; now and then into itself, or in a circle.
                let others: Vec<&String> =
                    known.iter().filter(|(of, _)| of == company).map(|(_, lead)| lead).collect();
                let into = others.get(self.below(others.len().max(1) as u64) as usize);
                let body = json!({ "into": into, "reason": "one person" });
                let told = self.desk(company, &path("merge"), &body).await;
                if told.is_some_and(|told| told["already"] == false) {
                    self.ledger().merges += 1;
                }
            }
            17..23 => self.places_as_recommended(&known).await,
            23 => self.flips_for_a_while(company, "stop", &json!({})).await,
            24 => self.flips_for_a_while(company, "shadow", &json!({})).await,
            25..28 => self.pauses(company).await,
            28..32 => self.publishes(company).await,
            32 | 33 => drop(self.enables_channels(company).await),
            _ => {}
        }
    }

    async fn decide_returns(&self, company: &str) {
        let Ok(id) = CompanyId::new(company) else { return };
        for asked in self.plain.store.returns(&id, true, 3).await.unwrap_or_default() {
            let verdict = if self.below(2) == 0 { "approve" } else { "deny" };
            let path = format!("/v1/returns/{}/{verdict}", asked.assignment);
            self.desk(company, &path, &json!({ "reason": "looked at" })).await;
        }
    }

    // ---- Placing by hand.

    /// With some contract of the company, whatever the rules say; against them if it says so.
    async fn places_with_any(&self, company: &str, lead: &str) {
        let of_company = rules::CONTRACTS.iter().filter(|contract| contract.company == company);
        let ids: Vec<&str> = of_company.map(|contract| contract.id).collect();
        let contract = ids.get(self.below(ids.len() as u64) as usize);
        let against = self.below(3) != 0;
        let body = json!({ "contract": contract, "override": against, "reason": "they asked for it" });
        let told = self.desk(company, &format!("/v1/leads/{lead}/place"), &body).await;
        if let Some(told) = told.filter(|told| !against && !told["after"]["override"].is_null()) {
            let what =
                format!("promise 3: lead {lead} was placed against a rule that nobody overrode: {told}");
            self.ledger().wrong.push(what);
        }
    }

    /// Leads that wait to be placed, with whom the newest decision recommends.
    async fn places_as_recommended(&self, known: &[(String, String)]) {
        let first = self.below(known.len().max(1) as u64) as usize;
        let mut placed = 0;
        for (company, lead) in known.iter().cycle().skip(first).take(known.len()) {
            let Ok(id) = lead.parse::<LeadId>() else { continue };
            let Ok(Some(story)) = self.plain.store.lead_story(id).await else { continue };
            let is_the_desks = matches!(story.lead.waiting, Some(Waiting::Manual | Waiting::Shadow));
            let newest = story.decisions.last();
            let Some(contract) = newest.and_then(|record| record.contracts.first()) else { continue };
            if story.lead.stage == Stage::Waiting && is_the_desks {
                let body = json!({ "contract": contract, "reason": "as recommended" });
                self.desk(company, &format!("/v1/leads/{lead}/place"), &body).await;
                placed += 1;
            }
            if placed == 2 {
                return;
            }
        }
    }

    // ---- Switches.

    async fn flip(&self, company: &str, switch: &str, on: bool, whom: &Value) {
        let mut body = whom.clone();
        body["on"] = json!(on);
        self.desk(company, &format!("/v1/switches/{switch}?company={company}"), &body).await;
    }

    async fn flips_for_a_while(&self, company: &str, switch: &str, whom: &Value) {
        self.flip(company, switch, true, whom).await;
        sleep(Duration::from_secs(600 + self.below(3 * 3_600))).await;
        self.flip(company, switch, false, whom).await;
    }

    /// A dealer or one of its contracts gets nothing: until a time, or until the desk lifts it.
    async fn pauses(&self, company: &str) {
        let of_company: Vec<_> =
            rules::CONTRACTS.iter().filter(|contract| contract.company == company).collect();
        let Some(contract) = of_company.get(self.below(of_company.len() as u64) as usize) else { return };
        let mut whom = match self.below(2) {
            0 => json!({ "contract": contract.id, "reason": "full" }),
            _ => json!({ "dealer": contract.dealer, "reason": "vacation" }),
        };
        if self.below(3) == 0 {
            self.flips_for_a_while(company, "pause", &whom).await;
            return;
        }
        let until = SignedDuration::from_mins(20 + self.below(360) as i64);
        whom["until"] = json!(self.cloud.clock.now().checked_add(until).ok());
        self.flip(company, "pause", true, &whom).await;
    }

    /// Everything is as the rulebook says again: nothing stopped, nobody only watches, nobody paused without an end.
    ///
    /// # Errors
    /// When the desk cannot do so in fair weather.
    pub(super) async fn switch_back(&self) -> anyhow::Result<()> {
        for (company, _) in rules::OFFERS {
            let (switches, _) = self.plain.store.switches_get(&CompanyId::new(company)?).await?;
            for (switch, on) in [("stop", switches.stop), ("shadow", switches.shadow)] {
                if on {
                    self.flip(company, switch, false, &json!({})).await;
                }
            }
            for pause in switches.contracts.iter().filter(|pause| pause.until.is_none()) {
                self.flip(company, "pause", false, &json!({ "contract": pause.id })).await;
            }
            for pause in switches.dealers.iter().filter(|pause| pause.until.is_none()) {
                self.flip(company, "pause", false, &json!({ "dealer": pause.id })).await;
            }
            let (switches, _) = self.plain.store.switches_get(&CompanyId::new(company)?).await?;
            let for_ever = switches.contracts.iter().any(|pause| pause.until.is_none())
                || switches.dealers.iter().any(|pause| pause.until.is_none());
            anyhow::ensure!(
                !switches.stop && !switches.shadow && !for_ever,
                "{company}'s switches were not flipped back: {switches:?}"
            );
        }
        Ok(())
    }

    // ---- Channels.

    /// The company's channels that take nothing any more.
    async fn gone(&self, company: &str) -> anyhow::Result<Vec<(DealerId, u8)>> {
        let id = CompanyId::new(company)?;
        let of_company = rules::CONTRACTS.iter().filter(|contract| contract.company == company);
        let dealers: BTreeSet<&str> = of_company.map(|contract| contract.dealer).collect();
        let mut gone = Vec::new();
        for dealer in dealers {
            let dealer = DealerId::new(dealer)?;
            let states = self.plain.store.channels_of(&id, &dealer).await?;
            let disabled = states.into_iter().filter(|state| state.disabled.is_some());
            gone.extend(disabled.map(|state| (dealer.clone(), state.order)));
        }
        Ok(gone)
    }

    async fn enables_channels(&self, company: &str) -> anyhow::Result<()> {
        for (dealer, order) in self.gone(company).await? {
            let path = format!("/v1/dealers/{dealer}/channels/{order}/enable");
            self.desk(company, &path, &json!({})).await;
        }
        Ok(())
    }

    /// Every channel takes leads again: what waits for its dealer is delivered.
    ///
    /// # Errors
    /// When the desk cannot do so in fair weather.
    pub(super) async fn enable_all(&self) -> anyhow::Result<()> {
        for (company, _) in rules::OFFERS {
            self.enables_channels(company).await?;
            let gone = self.gone(company).await?;
            anyhow::ensure!(gone.is_empty(), "{company}'s channels were not enabled: {gone:?}");
        }
        Ok(())
    }

    // ---- Rules.

    /// Puts the other edition in force: whole, or by rolling back to a version that had it.
    async fn publishes(&self, company: &str) {
        if let Err(error) = self.publish_over(company).await {
            self.faults.note(&format!("{company} could not be published: {error:#}"));
        }
    }

    async fn publish_over(&self, company: &str) -> anyhow::Result<()> {
        let pointer = self.plain.store.rulebook_pointer(&CompanyId::new(company)?).await?;
        let base = pointer.context("no rulebook")?.version;
        let edition = self.editions.of(company, base);
        let texts = self.texts.iter().find(|(of, _)| *of == company).map(|(_, texts)| texts);
        // The first was in force once.
        if edition == Edition::Second && self.below(2) == 0 {
            let path = format!("/v1/rulebook/rollback?company={company}&base={base}");
            self.desk(company, &path, &json!({ "version": 1 })).await;
        } else {
            let files = json!({ "files": *texts.context("no texts")?[edition.other() as usize] });
            let path = format!("/v1/rulebook?company={company}&base={base}");
            self.desk_by("PUT", company, &path, &files).await;
        }
        Ok(())
    }
}
