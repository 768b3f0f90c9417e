//! The quarantine: what waits for a verdict, the longest waiting first; many at once, after a look at what would follow;
//! how often each reason was right.
//!
//! Determinations. *A verdict is on what somebody saw*: where somebody else decided meanwhile, the enquiry is left as it
//! is and said so, unless the two agree. *A page looks at [`LOOKED_AT`] enquiries*, whatever it is narrowed to: the next
//! page goes on behind them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use leadyard_domain::distribution::Core;
use leadyard_domain::error::Code;
use leadyard_domain::ids::EnquiryId;
use leadyard_domain::limits;
use leadyard_domain::screening::{Reason, Verdict};
use leadyard_platform::arriving::join::contactable;
use leadyard_platform::arriving::quarantine::{self as verdicts, Act, Listed};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::judging;
use leadyard_platform::store::{QUARANTINED, REJECTED, StoredEnquiry};
use leadyard_platform::who::ACTS;
use serde::Deserialize;

use super::shown::{self, Choice, instant};
use super::signed::{For, Form, Sent, Signed};
use super::{Frame, address, rendered, troubled};

/// Enquiries that one page looks at: one read of the table, and one of each shard.
pub(super) const LOOKED_AT: usize = 50;
const AT: &str = "/console/quarantine";

/// What the address says: which list, and what was just done.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) company: String,
    /// `done` for what is decided.
    pub(super) state: String,
    pub(super) reason: String,
    pub(super) source: String,
    pub(super) verdict: String,
    pub(super) after: String,
    /// What was just done, and with how many.
    pub(super) done: String,
    pub(super) count: usize,
    pub(super) kept: usize,
    /// With which.
    pub(super) was: String,
}

impl Asked {
    /// The list that a form stood on.
    pub(super) fn of(form: &Form) -> Self {
        let text = |name: &str| form.get(name).cloned().unwrap_or_default();
        Self {
            company: text("company"),
            reason: text("narrow_reason"),
            source: text("narrow_source"),
            verdict: text("narrow_verdict"),
            ..Self::default()
        }
    }

    /// The list, as the platform is asked for it.
    pub(super) fn listed(&self, after: &str) -> Listed {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Listed {
            company: some(&self.company),
            state: some(&self.state),
            reason: some(&self.reason),
            source: some(&self.source),
            verdict: some(&self.verdict),
            after: some(after),
            ..Listed::default()
        }
    }

    /// The list by its address.
    pub(super) fn list(&self) -> String {
        self.at(AT, &[])
    }

    /// A page of the list by its address, and more.
    pub(super) fn at(&self, path: &str, more: &[(&str, &str)]) -> String {
        let mut pairs = vec![
            ("company", self.company.as_str()),
            ("state", &self.state),
            ("reason", &self.reason),
            ("source", &self.source),
            ("verdict", &self.verdict),
        ];
        pairs.extend(more);
        address(path, &pairs)
    }
}

/// An enquiry in a list.
pub(super) struct Row {
    pub(super) enquiry: String,
    pub(super) at: String,
    pub(super) name: String,
    pub(super) place: String,
    pub(super) offer: String,
    pub(super) source: String,
    pub(super) verdict: String,
    pub(super) weight: String,
    pub(super) reasons: String,
    pub(super) received: String,
    pub(super) received_at: String,
    /// By when the desk is to look; of what is decided, what it came to.
    pub(super) due: String,
    pub(super) overdue: bool,
    /// The status that is seen: a verdict is on that.
    pub(super) status: String,
    /// What would keep it, were it released.
    pub(super) kept_by: String,
}

impl Row {
    fn of(core: &Core, asked: &Asked, enquiry: &StoredEnquiry, now: Timestamp) -> Self {
        let who = judging::understand(enquiry, core.source(&enquiry.source));
        let person = contactable(&who);
        let quarantine = enquiry.quarantine.as_ref();
        let offer = core
            .source(&enquiry.source)
            .and_then(|source| core.offer_of(source, who.offer.as_deref()))
            .map_or_else(|| "no offer known".to_owned(), |offer| offer.name.clone());
        let due = match quarantine {
            Some(quarantine) if enquiry.status == QUARANTINED => format!(
                "{}{}",
                if quarantine.until <= now { "overdue since " } else { "" },
                shown::due(quarantine.until, now).trim_end_matches(" ago")
            ),
            _ => judged(enquiry, now),
        };
        Self {
            enquiry: enquiry.id.to_string(),
            at: asked.at(&format!("{AT}/{}", enquiry.id), &[]),
            name: shown::name(&person),
            place: shown::place(&person),
            offer,
            source: enquiry.source.to_string(),
            verdict: quarantine.map_or_else(String::new, |found| found.verdict.to_string()),
            weight: quarantine.map_or_else(String::new, |found| found.weight.to_string()),
            reasons: enquiry.reasons.iter().map(shown::word).collect::<Vec<_>>().join(", "),
            received: shown::ago(enquiry.received_at, now),
            received_at: instant(core, enquiry.received_at),
            overdue: enquiry.status == QUARANTINED && quarantine.is_some_and(|found| found.until <= now),
            due,
            status: enquiry.status.clone(),
            kept_by: verdicts::kept_by(core, enquiry).map(says_kept).unwrap_or_default(),
        }
    }
}

/// What became of an enquiry, who said so and when.
pub(super) fn judged(enquiry: &StoredEnquiry, now: Timestamp) -> String {
    let what = match enquiry.status.as_str() {
        QUARANTINED => return "waits for a verdict".to_owned(),
        REJECTED => "rejected",
        _ => "released",
    };
    let judged = enquiry.quarantine.as_ref().and_then(|quarantine| quarantine.judged.as_ref());
    match judged {
        Some(judged) => {
            let by = judged.by.as_deref().unwrap_or("its deadline");
            format!("{what} by {by}, {}", shown::ago(judged.at, now))
        }
        None => what.to_owned(),
    }
}

/// What keeps an enquiry from going on, for people.
pub(super) fn says_kept(word: &str) -> String {
    let why = match word {
        "test" => "its source is a test, and what that sends is nobody’s lead",
        "unknown_source" => "nobody knows who sends it any more",
        "unreadable" => "what was sent cannot be read",
        "unreachable_person" => "neither e-mail nor phone can be understood",
        "unknown_offer" => "nobody knows what it is about",
        _ => "",
    };
    if why.is_empty() { shown::word(word) } else { format!("{}: {why}", shown::word(word)) }
}

#[derive(askama::Template)]
#[template(path = "quarantine.html")]
struct Page {
    frame: Frame,
    company: String,
    companies: Vec<Choice>,
    reasons: Vec<Choice>,
    sources: Vec<Choice>,
    verdicts: Vec<Choice>,
    states: Vec<Choice>,
    asked: Asked,
    open: bool,
    rows: Vec<Row>,
    examined: usize,
    next: String,
    done: String,
}

/// `GET /console/quarantine?company&state&reason&source&verdict&after`.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<ACTS>,
    Query(asked): Query<Asked>,
) -> Response {
    match listed(&cloud, &signed, asked).await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

async fn listed(cloud: &Cloud, signed: &Signed, mut asked: Asked) -> Result<Page, Problem> {
    if asked.company.is_empty() {
        asked.company = signed.desk.companies.first().map(ToString::to_string).unwrap_or_default();
    }
    let query = asked.listed(&asked.after);
    let found = verdicts::page(cloud, &signed.desk, query, LOOKED_AT, LOOKED_AT).await?;
    let (core, now) = (&found.core, cloud.clock.now());
    let next = found.next.as_ref().map(|next| asked.at(AT, &[("after", next)])).unwrap_or_default();
    let state = if asked.state == "done" { "done" } else { "open" };
    Ok(Page {
        frame: Frame::of("Quarantine", "quarantine", signed),
        company: found.company.to_string(),
        companies: Choice::companies(cloud, &signed.desk, &found.company),
        reasons: Reason::ALL
            .iter()
            .map(|reason| Choice::of(reason, &shown::word(reason), Some(&asked.reason)))
            .collect(),
        sources: core
            .sources
            .iter()
            .map(|source| Choice::of(&source.id, &source.id, Some(&asked.source)))
            .collect(),
        verdicts: [Verdict::Doubtful, Verdict::Spam]
            .iter()
            .map(|verdict| Choice::of(verdict, verdict, Some(&asked.verdict)))
            .collect(),
        states: vec![
            Choice::of("open", "waiting for a verdict", Some(state)),
            Choice::of("done", "decided", Some(state)),
        ],
        open: state == "open",
        rows: found.enquiries.iter().map(|enquiry| Row::of(core, &asked, enquiry, now)).collect(),
        examined: found.examined,
        next,
        done: done(&asked),
        asked,
    })
}

/// What a page says of what was just done.
pub(super) fn done(asked: &Asked) -> String {
    let one = match asked.done.as_str() {
        "release" => "Released: it goes its way as if it had just come.",
        "edit" => "Put right and released.",
        "reject" => "Rejected. It stays here among what is decided, and can still be released.",
        "already" => "That had been decided so before: nothing changed.",
        "none" => "Nothing was chosen. Tick some, or all on the page.",
        "many_release" | "many_reject" => {
            let what = if asked.done == "many_release" { "released" } else { "rejected" };
            let kept = match asked.kept {
                0 => String::new(),
                kept => format!(
                    " {kept} stayed as they are: they cannot go on, or somebody else decided meanwhile. Open them to see."
                ),
            };
            return format!("{} {what}.{kept}", asked.count);
        }
        _ => "",
    };
    one.to_owned()
}

// --- Many at once ---

#[derive(askama::Template)]
#[template(path = "quarantine_look.html")]
struct Look {
    frame: Frame,
    asked: Asked,
    act: &'static str,
    /// What would be decided.
    goes: Vec<Row>,
    /// What would stay as it is.
    stays: Vec<Row>,
    reason: String,
}

/// `POST /console/quarantine/many`: `act` (`release` or `reject`), `one.ID` for each that is ticked or `every` and
/// `shown.ID` for all on the page, each with the status that was seen. First a look; with `sure` it is done.
pub(super) async fn many(
    State(cloud): State<Cloud>,
    Sent { signed: For(signed), form }: Sent<For<ACTS>>,
) -> Response {
    match decided(&cloud, &signed, &form).await {
        Ok(response) => response,
        Err(problem) => troubled(&signed, &problem),
    }
}

async fn decided(cloud: &Cloud, signed: &Signed, form: &Form) -> Result<Response, Problem> {
    let (act, word) = match form.get("act").map(String::as_str) {
        Some("release") => (Act::Release, "release"),
        Some("reject") => (Act::Reject, "reject"),
        _ => return Err(Problem::new(Code::InvalidField, "many are released or rejected")),
    };
    let asked = Asked::of(form);
    let chosen = chosen(form);
    if chosen.is_empty() {
        return Ok(Redirect::to(&asked.at(AT, &[("done", "none")])).into_response());
    }
    if chosen.len() > limits::ENQUIRIES_PER_VERDICT {
        let detail = format!("at most {} at once", limits::ENQUIRIES_PER_VERDICT);
        return Err(Problem::new(Code::InvalidField, detail));
    }
    let core = signed.rules_of(cloud, &asked.company).await?;
    let ids: Vec<EnquiryId> = chosen.iter().map(|(id, _)| *id).collect();
    let mut found = cloud.store.enquiries_get(&ids).await?;
    // A stranger's enquiry does not exist for this desk.
    found.retain(|enquiry| enquiry.company == *core.company_id() && enquiry.quarantine.is_some());
    found.sort_by_key(|enquiry| (enquiry.received_at, enquiry.id));
    let seen =
        |id: EnquiryId| chosen.iter().find(|(one, _)| *one == id).map_or("", |(_, seen)| seen.as_str());
    let reason =
        form.get("reason").map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    if !form.contains_key("sure") {
        let now = cloud.clock.now();
        let rows = found.iter().map(|enquiry| {
            let mut row = Row::of(&core, &asked, enquiry, now);
            if verdicts::moved_on(enquiry, act, seen(enquiry.id)) {
                row.kept_by = judged(enquiry, now);
            } else if act == Act::Reject {
                row.kept_by.clear();
            }
            row
        });
        let (goes, stays) = rows.partition(|row| row.kept_by.is_empty());
        let title = if act == Act::Release { "Release these?" } else { "Reject these?" };
        let reason = reason.unwrap_or_default();
        let look =
            Look { frame: Frame::of(title, "quarantine", signed), asked, act: word, goes, stays, reason };
        return Ok(rendered(&look, StatusCode::OK));
    }
    let (mut count, mut kept) = (0_usize, ids.len() - found.len());
    for enquiry in &found {
        let seen = Some(seen(enquiry.id).to_owned());
        let said = verdicts::Asked { reason: reason.clone(), seen, ..verdicts::Asked::default() };
        let judged = match verdicts::judge(cloud, &signed.desk, act, enquiry.id, &said).await {
            Ok(_) => true,
            // What was decided otherwise since, and what cannot go on, stays where it is, and says there why.
            Err(problem) if problem.code() == Code::StateConflict => false,
            Err(problem) => return Err(problem),
        };
        if judged {
            count += 1;
        } else {
            kept += 1;
        }
    }
    let (count, kept) = (count.to_string(), kept.to_string());
    let done = format!("many_{word}");
    Ok(Redirect::to(&asked.at(AT, &[("done", &done), ("count", &count), ("kept", &kept)])).into_response())
}

/// What is ticked, or all on the page, each with the status that was seen.
fn chosen(form: &Form) -> Vec<(EnquiryId, String)> {
    let under = if form.contains_key("every") { "shown." } else { "one." };
    form.iter()
        .filter_map(|(name, seen)| Some((name.strip_prefix(under)?.parse().ok()?, seen.clone())))
        .collect()
}

// --- How often each reason was right ---

#[derive(askama::Template)]
#[template(path = "quarantine_reasons.html")]
struct Reasons {
    frame: Frame,
    company: String,
    companies: Vec<Choice>,
    rows: Vec<Tried>,
}

struct Tried {
    reason: String,
    word: String,
    weight: u32,
    rejected: u32,
    released: u32,
    wrong: u32,
}

/// `GET /console/quarantine/reasons?company`.
pub(super) async fn reasons(
    State(cloud): State<Cloud>,
    For(signed): For<ACTS>,
    Query(asked): Query<Asked>,
) -> Response {
    let read = async {
        let core = signed.rules_of(&cloud, &asked.company).await?;
        let tried = verdicts::tried(&cloud, &core).await?;
        Ok::<_, Problem>(Reasons {
            frame: Frame::of("How often each reason was right", "quarantine", &signed),
            company: core.company_id().to_string(),
            companies: Choice::companies(&cloud, &signed.desk, core.company_id()),
            rows: tried
                .into_iter()
                .map(|one| Tried {
                    reason: shown::word(&one.reason),
                    word: one.reason.to_string(),
                    weight: one.weight,
                    rejected: one.rejected,
                    released: one.released,
                    wrong: one.wrong_percent(),
                })
                .collect(),
        })
    };
    match read.await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}
