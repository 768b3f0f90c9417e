//! What the desk sees of a lead.

use serde_json::Value;

/// The answer of `GET /v1/leads/{id}`.
#[derive(Clone, Debug)]
pub struct Story(pub Value);

impl Story {
    /// Where it stands.
    pub fn stage(&self) -> &str {
        self.0["stage"].as_str().unwrap_or_default()
    }

    /// Why it waits; nothing when it does not.
    pub fn waiting(&self) -> &str {
        self.0["waiting"].as_str().unwrap_or_default()
    }

    /// The contracts of those who hold it.
    pub fn holders(&self) -> Vec<&str> {
        self.list("holders").map(|holder| holder["contract"].as_str().unwrap_or_default()).collect()
    }

    /// Every assignment it ever had, oldest first, those given back before those that stand: contract and
    /// state. Under a clock that stands still, one may follow the other at the same instant.
    pub fn assignments(&self) -> Vec<(&str, &str)> {
        let mut all: Vec<&Value> = self.list("assignments").collect();
        all.sort_by_key(|assignment| {
            let given_back = ["declined", "lapsed", "returned", "withdrawn"]
                .contains(&assignment["state"].as_str().unwrap_or_default());
            (assignment["offered_at"].as_str().unwrap_or_default(), !given_back)
        });
        all.into_iter()
            .map(|one| {
                (one["contract"].as_str().unwrap_or_default(), one["state"].as_str().unwrap_or_default())
            })
            .collect()
    }

    /// The assignment of a contract, the latest.
    pub fn assignment(&self, contract: &str) -> &Value {
        let found = self.list("assignments").filter(|assignment| assignment["contract"] == contract);
        found
            .max_by_key(|assignment| assignment["offered_at"].as_str().unwrap_or_default())
            .unwrap_or_else(|| panic!("{contract} never had it: {:?}", self.assignments()))
    }

    /// The ends of a contract's attempts.
    pub fn attempts(&self, contract: &str) -> Vec<String> {
        let attempts = self.assignment(contract)["attempts"].as_array().cloned().unwrap_or_default();
        attempts.iter().map(|attempt| attempt["end"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// What was decided, oldest first.
    pub fn decisions(&self) -> Vec<&str> {
        let mut all: Vec<&Value> = self.list("decisions").collect();
        all.sort_by_key(|decision| decision["at"].as_str().unwrap_or_default());
        all.into_iter().map(|decision| decision["conclusion"].as_str().unwrap_or_default()).collect()
    }

    /// How many enquiries it has.
    pub fn enquiries(&self) -> usize {
        self.list("enquiries").count()
    }

    /// Its band.
    pub fn band(&self) -> &str {
        self.0["score"]["band"].as_str().unwrap_or_default()
    }

    /// Its score in hundredths of a point.
    pub fn hundredths(&self) -> i64 {
        self.0["score"]["total_hundredths"].as_i64().unwrap_or_default()
    }

    /// Which cycle it is in.
    pub fn cycle(&self) -> u64 {
        self.0["cycle"].as_u64().unwrap_or_default()
    }

    /// Whether it may be somebody's second self.
    pub fn possible_duplicate(&self) -> bool {
        self.0["possible_duplicate"] == true
    }

    /// The items of a list.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.0[name].as_array().into_iter().flatten()
    }
}
