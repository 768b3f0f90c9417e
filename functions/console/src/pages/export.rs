//! A list as a [table](crate::export), and single leads of one, which are looked at first.
//!
//! Determinations. *Where more stand behind a file the page goes on from there*; one that broke off is offered again. *Of single
//! leads, which are few and in one file, it is kept which they were.*

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use bytes::Bytes;
use futures::stream;
use jiff::{SignedDuration, Timestamp};
use leadyard_domain::access::Role;
use leadyard_domain::distribution::Core;
use leadyard_domain::error::Code;
use leadyard_domain::ids::LeadId;
use leadyard_domain::lead::{Lead, ScoreNow};
use leadyard_domain::limits;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::scores::Scores;
use leadyard_platform::store::Act;
use leadyard_platform::who::READS;
use serde::Deserialize;
use serde_json::{Value, json};

use super::list::{AT, Shown as List};
use super::shown::Row;
use super::signed::{For, Form, Sent, Signed};
use super::{Frame, download, many, rendered, troubled};
use crate::acts;
use crate::export::{self, Table};

const EXPORT: &str = "/console/leads/export";
/// How the form of a list asks for it.
pub(super) const WORD: &str = "export";

/// `since`: when somebody looked before they took a file. What they took since says where the next begins.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Since {
    since: String,
}

#[derive(askama::Template)]
#[template(path = "export.html")]
struct Page {
    frame: Frame,
    /// They may have it with who they are.
    named: bool,
    back: String,
    /// The list from where the file begins, as it is carried.
    list: String,
    says: String,
    most: usize,
    /// Which file it is, and how many leads the files before it have.
    part: u64,
    so_far: u64,
    done: String,
    /// All of it was taken.
    over: bool,
    /// Where one goes on when the file was taken.
    then: String,
}

/// `GET /console/leads/export?company&list&order&offer&held&state&after&since`: with `after`, from there down the list.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<READS>,
    Query(list): Query<List>,
    Query(since): Query<Since>,
) -> Response {
    match of(&cloud, &signed, list, &since.since).await {
        Ok(page) => rendered(&page, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

async fn of(cloud: &Cloud, signed: &Signed, mut list: List, since: &str) -> Result<Page, Problem> {
    let core = signed.rules_of(cloud, &list.company).await?;
    list.company = core.company_id().to_string();
    if list.list.is_empty() {
        "hottest".clone_into(&mut list.list);
    }
    // A filter that is none is said here already.
    let _ = list.search()?;
    // The first look is what later ones go on from, whether a file was taken since or not.
    let since = since.parse().unwrap_or_else(|_| cloud.clock.now());
    let taken = taken(cloud, signed, &core, &list, since).await?;
    let mut page = Page {
        frame: Frame::of("The list as a table", "leads", signed),
        named: signed.desk.may(core.company_id(), Role::Desk),
        back: list.at(AT, &[]),
        list: list.kept(),
        says: words(&list),
        most: limits::EXPORT_LEADS,
        part: 1,
        so_far: 0,
        done: String::new(),
        over: false,
        then: String::new(),
    };
    page.then = list.at(EXPORT, &[("since", &since.to_string())]);
    let Some((from, taken)) = taken else { return Ok(page) };
    let number = |name: &str| taken[name].as_u64().unwrap_or(0);
    (page.part, page.so_far) = (number("part"), number("so_far"));
    if taken["ended"] != true {
        // The same file again, from where it began.
        page.list = List { after: from, ..list }.kept();
        page.done = format!(
            "File {} is being written still, or broke off: look again when you have it, or take it once more.",
            page.part
        );
        return Ok(page);
    }
    match taken["next"].as_str() {
        None => {
            page.over = true;
            page.done = format!("That is all of them: {} leads in {} files.", page.so_far, page.part);
            if page.part > 1 {
                page.done.push_str(match list.list.split_once(':') {
                    Some(("source", _)) => {
                        " Who asked again meanwhile may be in none of them: they stand first now."
                    }
                    Some(_) => " Who was given more than once may stand in more than one of them.",
                    None => "",
                });
            }
        }
        Some(next) => {
            page.done = format!("{} leads are in your files so far. More follow.", page.so_far);
            page.list = List { after: next.to_owned(), ..list }.kept();
            page.part += 1;
        }
    }
    Ok(page)
}

/// Where the last file began that somebody took of a list since then, and what came of it.
async fn taken(
    cloud: &Cloud,
    signed: &Signed,
    core: &Core,
    list: &List,
    since: Timestamp,
) -> Result<Option<(String, Value)>, Problem> {
    // What is asked for at this instant is not behind it.
    let to = cloud.clock.now().saturating_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
    let changes = cloud.store.changes_between(core.company_id(), since, to).await?;
    let whole = list.whole().kept();
    let own = |act: &Act| {
        let before: Value = serde_json::from_str(&act.before).unwrap_or_default();
        if act.act != export::ACT || act.by != signed.desk.staff || before["list"] != json!(whole) {
            return None;
        }
        let from = before["after"].as_str().unwrap_or_default().to_owned();
        Some((from, serde_json::from_str(&act.after).ok()?))
    };
    Ok(changes.iter().rev().find_map(own))
}

/// A list in words.
fn words(list: &List) -> String {
    let mut words =
        vec![if list.list.is_empty() { "hottest".to_owned() } else { list.list.replace(':', " ") }];
    let narrowed =
        [("waits", &list.waits), ("offer", &list.offer), ("in hands", &list.held), ("state", &list.state)];
    let narrowed = narrowed.iter().filter(|(_, value)| !value.is_empty());
    words.extend(narrowed.map(|(name, value)| format!("{name}: {value}")));
    if !list.after.is_empty() {
        words.push("from further down on".to_owned());
    }
    if list.is_look_at_top() {
        words.push(format!(
            "a look at the top, {} at most: a stage or a source has all",
            limits::SEARCH_LEADS
        ));
    }
    words.join(", ")
}

/// `POST /console/leads/export`: `list`, `part`, `so_far`, `most`, `who`: a file. Of single leads: `list`, `who`, `shown.LEAD`
/// for each that was looked at and `one.LEAD` for each that is ticked.
pub(super) async fn csv(
    State(cloud): State<Cloud>,
    Sent { signed: For(signed), form }: Sent<For<READS>>,
) -> Response {
    // Where nobody is ticked it is not all of the list that is asked for.
    let singly = form.keys().any(|name| ["one.", "shown."].iter().any(|under| name.starts_with(under)));
    let answered =
        if singly { taken_singly(&cloud, &signed, &form).await } else { begun(&cloud, &signed, &form).await };
    answered.unwrap_or_else(|problem| troubled(&signed, &problem))
}

/// A file of a list, as it is written.
async fn begun(cloud: &Cloud, signed: &Signed, form: &Form) -> Result<Response, Problem> {
    let text = |name: &str| many::text(form, name);
    let list = List::read(text("list"));
    let core = signed.rules_of(cloud, &list.company).await?;
    let who = form.contains_key("who");
    let leads = match text("most") {
        "" => limits::EXPORT_LEADS,
        most => {
            most.parse().ok().filter(|most| (1..=limits::EXPORT_LEADS).contains(most)).ok_or_else(|| {
                let detail = format!("a file has from 1 to {} leads", limits::EXPORT_LEADS);
                Problem::new(Code::InvalidField, detail)
            })?
        }
    };
    let (part, so_far) = (text("part").parse().unwrap_or(1), text("so_far").parse().unwrap_or(0));
    let name = format!("leads-{}-{}-{part}.csv", core.company_id(), list.list);
    let before = json!({ "list": list.whole().kept(), "after": list.after });
    let file_of = export::File { who, leads, part, so_far };
    let table = Table::begin(cloud, &signed.desk, core, list.search()?, file_of, &before).await?;
    let pages = stream::unfold(Some(table), |table| async move {
        let mut table = table?;
        match Box::pin(table.page()).await {
            Ok(page) => Some((Ok(Bytes::from(page?)), Some(table))),
            // The answer breaks off, so that nobody takes a part of the file for all of it.
            Err(problem) => Some((Err(std::io::Error::other(problem.detail().to_owned())), None)),
        }
    });
    Ok(file(Body::from_stream(pages), &name))
}

fn file(table: Body, name: &str) -> Response {
    download((export::CSV, table).into_response(), name)
}

// --- Single leads ---

#[derive(askama::Template)]
#[template(path = "export_ticked.html")]
struct Ticked {
    frame: Frame,
    /// The list that they were chosen on, as it is carried, and by its address.
    list: String,
    back: String,
    rows: Vec<Row>,
    /// Those that were chosen and are there no more.
    gone: usize,
}

/// What the form of a list asks for with [`WORD`]: a look at those that are chosen; with `whole` the page of the list's
/// files, from there down.
pub(super) async fn chosen(
    cloud: &Cloud,
    signed: &Signed,
    form: &Form,
    list: &List,
) -> Result<Response, Problem> {
    if form.contains_key("whole") {
        return Ok(Redirect::to(&list.at(EXPORT, &[])).into_response());
    }
    let ids = many::chosen_of(form);
    if ids.is_empty() {
        return Ok(of_nobody(list));
    }
    let core = signed.rules_of(cloud, &list.company).await?;
    let leads = single(cloud, &core, &ids).await?;
    let now = cloud.clock.now();
    let look = Ticked {
        frame: Frame::of("Take these as a table?", "leads", signed),
        list: list.kept(),
        back: list.at(AT, &[]),
        rows: leads.iter().map(|(lead, score)| Row::of(&core, lead, score.as_ref(), now)).collect(),
        gone: ids.len().saturating_sub(leads.len()),
    };
    Ok(rendered(&look, StatusCode::OK))
}

fn of_nobody(list: &List) -> Response {
    Redirect::to(&list.at(AT, &[("done", "none")])).into_response()
}

/// Those of them that are the company's, the hottest first, with their scores as of now.
async fn single(
    cloud: &Cloud,
    core: &Core,
    ids: &[LeadId],
) -> Result<Vec<(Lead, Option<ScoreNow>)>, Problem> {
    let mut leads = cloud.store.leads_get(ids).await?;
    leads.retain(|lead| lead.company == *core.company_id());
    if leads.is_empty() {
        return Err(Problem::new(Code::NotFound, "there is none of these leads"));
    }
    let now = cloud.clock.now();
    many::hottest_first(core, &mut leads, now);
    let scores = Scores::of(core, now);
    let scored = |lead: Lead| {
        let score = scores.now(&lead);
        (lead, score)
    };
    Ok(leads.into_iter().map(scored).collect())
}

/// Keeps that somebody asked for these, and gives them.
async fn taken_singly(cloud: &Cloud, signed: &Signed, form: &Form) -> Result<Response, Problem> {
    let list = List::read(many::text(form, "list"));
    let core = signed.rules_of(cloud, &list.company).await?;
    let who = form.contains_key("who");
    if who {
        signed.desk.must(core.company_id(), Role::Desk)?;
    }
    let ids = many::chosen_of(form);
    if ids.is_empty() {
        return Ok(of_nobody(&list));
    }
    let leads = single(cloud, &core, &ids).await?;
    let table = export::of(&leads, who)?;
    let of: Vec<String> = leads.iter().map(|(lead, _)| lead.id.to_string()).collect();
    let after = json!({ "who": who, "leads": of, "so_far": of.len(), "ended": true });
    let act = acts::record(cloud, &signed.desk, export::ACT, None, &json!({}), &after);
    cloud.store.change_keep(core.company_id(), &act).await?;
    tracing::info!(staff = %signed.desk.staff, company = %core.company_id(), who, "leads are exported");
    Ok(file(Body::from(table), &format!("leads-{}-ticked.csv", core.company_id())))
}
