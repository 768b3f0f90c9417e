//! A company's rules of screening. What is not said has a default; so it works without a file.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Reason, Screening, Verdict};
use crate::scoring::MachineLimits;

/// What `screening.toml` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScreeningRules {
    /// From this weight on an enquiry is doubtful, 1 to 10,000.
    pub doubtful: u32,
    /// From this weight on it is spam; not below `doubtful`.
    pub spam: u32,
    /// For how many hours the desk has time to look, 1 to 8,760.
    pub deadline_hours: u32,
    /// What becomes then of what is doubtful.
    pub at_deadline: AtDeadline,
    /// The fields that no person sees, as they are named in the form.
    pub honeypot: Vec<String>,
    /// The weights that differ from [`Reason::default_weight`], 0 to 1,000; 0 passes over the sign.
    pub weights: BTreeMap<Reason, u32>,
    /// When a form was opened and sent.
    pub form: FormLimits,
    /// How many are too many.
    pub velocity: VelocityLimits,
    /// Which interactions are a machine's.
    pub interactions: MachineLimits,
    /// More domains of throw-away mail, in lower case.
    pub disposable: BTreeSet<String>,
    /// Domains that are not, whatever the list says.
    pub not_disposable: BTreeSet<String>,
}

words! {
    /// What becomes of a doubtful enquiry that nobody looked at in time.
    pub enum AtDeadline as "at_deadline" {
        /// It goes its way: silence is no verdict against a person. Never what somebody must look at
        /// ([`Reason::waits_for_a_person`]), nor spam.
        Release = "release",
        /// It stays in quarantine, overdue.
        Keep = "keep",
    }
}

/// When a form was opened and sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FormLimits {
    /// Below it, nobody has typed anything. In seconds, 0 to 600.
    pub fast_seconds: u32,
    /// Beyond it, the form was kept for later. In hours, 1 to 720.
    pub old_hours: u32,
}

/// How many are too many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct VelocityLimits {
    /// From the pages of one source in ten minutes, 1 to 50,000.
    pub source: u32,
    /// People from one address, through one source, in ten minutes, 1 to 1,000.
    pub address: u32,
    /// Enquiries of one person in an hour, 1 to 100.
    pub identity: u32,
}

impl Default for ScreeningRules {
    fn default() -> Self {
        Self {
            doubtful: 50,
            spam: 110,
            deadline_hours: 72,
            at_deadline: AtDeadline::Release,
            honeypot: TRAPS.map(str::to_owned).to_vec(),
            weights: BTreeMap::new(),
            form: FormLimits::default(),
            velocity: VelocityLimits::default(),
            interactions: MachineLimits::default(),
            disposable: BTreeSet::new(),
            not_disposable: BTreeSet::new(),
        }
    }
}

impl Default for FormLimits {
    fn default() -> Self {
        // The snippet sends what it kept at once; a tab stays open for days.
        Self { fast_seconds: 1, old_hours: 168 }
    }
}

impl Default for VelocityLimits {
    fn default() -> Self {
        // Offices and mobile networks share an address; a source that is advertised on television is busy.
        Self { source: 3_000, address: 10, identity: 20 }
    }
}

/// Traps as form builders name them: Formspree, Netlify, and plain ones. A browser fills none of them in.
const TRAPS: [&str; 7] = ["honeypot", "_honeypot", "_gotcha", "_honey", "bot-field", "hp", "hp_field"];

impl ScreeningRules {
    /// What a sign weighs.
    pub fn weight(&self, reason: Reason) -> u32 {
        self.weights.get(&reason).copied().unwrap_or_else(|| reason.default_weight())
    }

    /// Whether time alone releases what was concluded so.
    pub fn releases(&self, screening: &Screening) -> bool {
        self.at_deadline == AtDeadline::Release
            && screening.verdict == Verdict::Doubtful
            && !screening.reasons.iter().any(|reason| reason.waits_for_a_person())
    }
}
