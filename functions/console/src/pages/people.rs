//! Who may come in: the desk's people of a company, added many at once, who of them and of the dealers was invited by mail,
//! and the tokens for programs. For managers.
//!
//! Determinations. *People are rows of the rulebook*: adding some publishes it, so that who may what has a version, a
//! difference and a way back like every other rule. *A page has some people*, in the order of their ids, those that are
//! ticked first; others are found by a part of their id or address, which stands in no address of a page. *All or none*:
//! of a list with a fault nothing is published, each fault is named by its line, and what was typed stays. *A list whose
//! every line stands so already was added by a first click*: the answer is the same, and who was invited is not invited
//! again. *A token is shown on the page that made it* and on no other. *Who is left of a long list is named on the page
//! that answers the form*, whose own form invites them.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use leadyard_domain::access::Role;
use leadyard_domain::error::Code;
use leadyard_domain::ids::{ActId, CompanyId, PersonId};
use leadyard_domain::rulebook::{DeskPerson, Invitee, Rulebook, RulebookFiles};
use leadyard_domain::{limits, time};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::who::{self, MANAGES};
use serde::Deserialize;

use super::invited::{self, Lists, Sought};
use super::shown::{self, Choice};
use super::signed::{For, Form, Sent, Signed};
use super::{Frame, address, rendered, troubled};
use crate::dealers::book_of;
use crate::invitations::{self, Invited, Wanted};
use crate::{rulebook, tokens};

const AT: &str = "/console/people";
const FILE: &str = "people.csv";
const HEADER: &str = "person,email,role\n";

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    company: String,
    done: String,
    /// Behind whom of the people the page begins.
    after: String,
}

#[derive(askama::Template)]
#[template(path = "people.html")]
struct Page {
    frame: Frame,
    company: String,
    companies: Vec<Choice>,
    lists: Lists,
    /// Where the list goes on.
    next: String,
    /// Why nobody can be invited.
    hindered: &'static str,
    /// Who was left by the act before, by name.
    left: String,
    /// How many are invited at once, at most.
    most: usize,
    /// What this page's forms invite by: the same form again is the same act.
    once: String,
    tokens: Vec<Token>,
    /// What a token may be given.
    roles: Vec<Choice>,
    /// The token that was made just now.
    made: String,
    done: &'static str,
    /// What is wrong with what was typed, by line.
    troubles: Vec<String>,
    typed: Form,
}

impl Page {
    fn typed(&self, name: &str) -> &str {
        self.typed.get(name).map(String::as_str).unwrap_or_default()
    }
}

struct Token {
    id: String,
    name: String,
    role: String,
    by: String,
    made: String,
    /// Until when, and when it was used last.
    stands: String,
}

/// `GET /console/people?company&done&after`.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<MANAGES>,
    Query(asked): Query<Asked>,
) -> Response {
    let done = match asked.done.as_str() {
        "added" => "They are added, and may sign in by their addresses.",
        "added_invited" => "They are added, and invited: what becomes of each mail stands beside them.",
        "invited" => "They are invited: what becomes of each mail stands beside them.",
        "revoked" => "The token lets nobody in any more.",
        _ => "",
    };
    let sought = Sought { after: asked.after, ..Sought::default() };
    match part(&cloud, &signed, &asked.company, (Form::new(), sought)).await {
        Ok(page) => rendered(&Page { done, ..page }, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

/// The page with what was typed, and who is ticked in it.
async fn of(cloud: &Cloud, signed: &Signed, company: &str, typed: Form) -> Result<Page, Problem> {
    let sought = Sought { ticked: ticked(&typed), ..Sought::default() };
    part(cloud, signed, company, (typed, sought)).await
}

async fn part(
    cloud: &Cloud,
    signed: &Signed,
    company: &str,
    (typed, sought): (Form, Sought),
) -> Result<Page, Problem> {
    let core = signed.rules_of(cloud, company).await?;
    let (company, now) = (core.company_id(), cloud.clock.now());
    let book = book_of(cloud, &core).await?;
    let stand = invitations::stand(cloud, &core).await?;
    let lists = Lists::of(&book, &core, &stand, &sought, now);
    let tokens = tokens::all(cloud, company).await?.into_iter().map(|token| Token {
        stands: match (token.is_over(now), token.until, token.used_on) {
            (true, ..) => "its end is over".to_owned(),
            (false, until, used) => {
                let until = until.map(|until| format!("until {}, ", shown::instant(&core, until)));
                let used =
                    used.map_or_else(|| "never used".to_owned(), |used: Date| format!("used last on {used}"));
                format!("{}{used}", until.unwrap_or_default())
            }
        },
        id: token.id,
        name: token.name,
        role: token.role.to_string(),
        by: token.by,
        made: shown::instant(&core, token.made_at),
    });
    Ok(Page {
        frame: Frame::of("People and tokens", "people", signed),
        companies: Choice::companies(cloud, &signed.desk, company),
        company: company.to_string(),
        next: lists
            .next
            .as_ref()
            .map_or_else(String::new, |last| address(AT, &[("company", company.as_str()), ("after", last)])),
        lists,
        hindered: invitations::hindered(cloud, &core).unwrap_or_default(),
        left: String::new(),
        most: limits::INVITATIONS,
        // Whatever became of a form, the same again is the same act.
        once: typed
            .get("once")
            .filter(|once| invitations::act_of(cloud, once).is_ok())
            .cloned()
            .unwrap_or_else(|| ActId::mint(now, cloud.entropy.bytes()).to_string()),
        tokens: tokens.collect(),
        roles: Role::ALL
            .iter()
            .map(|role| Choice::of(role, role, typed.get("role").map(String::as_str)))
            .collect(),
        made: String::new(),
        done: "",
        troubles: Vec::new(),
        typed,
    })
}

/// Who is ticked in a form: `person.ada`, `dealer.hudson`.
fn ticked(form: &Form) -> BTreeSet<Invitee> {
    let named = form.keys().filter_map(|name| name.split_once('.'));
    named.filter_map(|(kind, id)| Invitee::of(kind, id)).collect()
}

/// `POST /console/people/{add, find, invite, token, revoke}`.
pub(super) async fn act(
    State(cloud): State<Cloud>,
    leadyard_platform::http::Path(act): leadyard_platform::http::Path<String>,
    Sent { signed: For(signed), form }: Sent<For<MANAGES>>,
) -> Response {
    let company = match who::company(&signed.desk, form.get("company").map(String::as_str)) {
        Ok(company) => company,
        Err(problem) => return troubled(&signed, &problem),
    };
    let back = |done: &str| {
        Redirect::to(&address(AT, &[("company", company.as_str()), ("done", done)])).into_response()
    };
    let done = match act.as_str() {
        "add" => match add(&cloud, &signed, &company, &form).await {
            Ok(_) if !form.contains_key("invite") => Ok(back("added")),
            Ok(added) => {
                let done = (form, "added_invited");
                return Box::pin(invited(&cloud, &signed, &company, done, &added)).await;
            }
            Err(troubles) => Err(troubles),
        },
        "invite" => {
            let wanted = match form.get("who").map(String::as_str) {
                Some("people") => Wanted::People,
                Some("dealers") => Wanted::Dealers,
                Some(_) | None => Wanted::Named(ticked(&form)),
            };
            return Box::pin(invited(&cloud, &signed, &company, (form, "invited"), &wanted)).await;
        }
        "find" => {
            let named = form.get("named").map(|named| named.trim().to_lowercase()).unwrap_or_default();
            let sought = Sought { named, ..Sought::default() };
            return match part(&cloud, &signed, company.as_str(), (Form::new(), sought)).await {
                Ok(page) => rendered(&page, StatusCode::OK),
                Err(problem) => troubled(&signed, &problem),
            };
        }
        "revoke" => {
            let token = form.get("token").map(String::as_str).unwrap_or_default();
            let revoked = tokens::revoked(&cloud, &signed.desk, &company, token).await;
            revoked.map(|()| back("revoked")).map_err(|problem| vec![problem.detail().to_owned()])
        }
        "token" => return made(&cloud, &signed, &company, form).await,
        _ => return troubled(&signed, &Problem::new(Code::NotFound, "there is no such act")),
    };
    match done {
        Ok(response) => response,
        Err(troubles) => again(&cloud, &signed, &company, form, troubles).await,
    }
}

/// Invites them, and goes on to a page that says so; or to one that names who is left, or what went wrong.
async fn invited(
    cloud: &Cloud,
    signed: &Signed,
    company: &CompanyId,
    (form, done): (Form, &'static str),
    wanted: &Wanted,
) -> Response {
    let Invited { left, unhanded } = match invites(cloud, signed, company, &form, wanted).await {
        Ok(invited) => invited,
        Err(problem) => {
            let (mut form, mut said) = (form, problem.detail().to_owned());
            if form.remove("people").is_some() {
                said = format!("they are added, and nobody was invited: {said}");
            }
            return again(cloud, signed, company, form, vec![said]).await;
        }
    };
    if left.is_empty() && unhanded.is_empty() {
        let to = address(AT, &[("company", company.as_str()), ("done", done)]);
        return Redirect::to(&to).into_response();
    }
    let rest = if unhanded.is_empty() { &left } else { &unhanded };
    let mut ticks: Form = rest.iter().map(|one| (one.to_string(), "on".to_owned())).collect();
    if unhanded.is_empty() {
        return match of(cloud, signed, company.as_str(), ticks).await {
            Ok(page) => rendered(&Page { left: invited::named(&left), ..page }, StatusCode::OK),
            Err(problem) => troubled(signed, &problem),
        };
    }
    // The same act again: those that the queue took are sent nothing more.
    ticks.extend(form.get("once").map(|once| ("once".to_owned(), once.clone())));
    let said = "they are kept as invited, and not every mail could be handed on: invite those who are ticked once more";
    match of(cloud, signed, company.as_str(), ticks).await {
        Ok(page) => {
            rendered(&Page { troubles: vec![said.to_owned()], ..page }, StatusCode::SERVICE_UNAVAILABLE)
        }
        Err(problem) => troubled(signed, &problem),
    }
}

async fn invites(
    cloud: &Cloud,
    signed: &Signed,
    company: &CompanyId,
    form: &Form,
    wanted: &Wanted,
) -> Result<Invited, Problem> {
    if matches!(wanted, Wanted::Named(named) if named.is_empty()) {
        return Err(Problem::new(Code::InvalidField, "nobody is ticked"));
    }
    let act = invitations::act_of(cloud, form.get("once").map(String::as_str).unwrap_or_default())?;
    let core = who::rules_of(cloud, company).await?;
    let book = book_of(cloud, &core).await?;
    invitations::invite(cloud, &signed.desk, &core, &book.signers(), (act, wanted)).await
}

async fn again(
    cloud: &Cloud,
    signed: &Signed,
    company: &CompanyId,
    form: Form,
    troubles: Vec<String>,
) -> Response {
    match of(cloud, signed, company.as_str(), form).await {
        Ok(page) => rendered(&Page { troubles, ..page }, StatusCode::BAD_REQUEST),
        Err(problem) => troubled(signed, &problem),
    }
}

/// The page with the token that was made, once.
async fn made(cloud: &Cloud, signed: &Signed, company: &CompanyId, form: Form) -> Response {
    let field = |name: &str| form.get(name).map(|value| value.trim().to_owned()).unwrap_or_default();
    let made = match end_of(cloud, company, &field("until")).await {
        Ok(until) => {
            let asked = tokens::Asked { name: field("name"), role: field("role"), until };
            tokens::made(cloud, &signed.desk, company, &asked).await
        }
        Err(problem) => Err(problem),
    };
    match made {
        Ok((token, _)) => match of(cloud, signed, company.as_str(), Form::new()).await {
            Ok(page) => rendered(&Page { made: token.reveal(), ..page }, StatusCode::OK),
            Err(problem) => troubled(signed, &problem),
        },
        Err(problem) => again(cloud, signed, company, form, vec![problem.detail().to_owned()]).await,
    }
}

/// When a day of the company's is over; never, where none is named.
async fn end_of(cloud: &Cloud, company: &CompanyId, day: &str) -> Result<Option<Timestamp>, Problem> {
    if day.is_empty() {
        return Ok(None);
    }
    let unwritten = |_| Problem::new(Code::InvalidField, "until is a day, written 2027-01-31");
    let next = day.parse::<Date>().and_then(Date::tomorrow).map_err(unwritten)?;
    let core = who::rules_of(cloud, company).await?;
    let over = time::start_of_day(next, &who::zone_of(&core)?);
    Timestamp::from_second(over).map(Some).map_err(unwritten)
}

/// Adds the people of a list, and says who of them is to be invited; or what is wrong with each line.
async fn add(
    cloud: &Cloud,
    signed: &Signed,
    company: &CompanyId,
    form: &Form,
) -> Result<Wanted, Vec<String>> {
    let told = |problem: &Problem| vec![problem.detail().to_owned()];
    let list = form.get("people").map(String::as_str).unwrap_or_default();
    for _ in 0..rulebook::ROUNDS {
        let core = who::rules_of(cloud, company).await.map_err(|problem| told(&problem))?;
        let files =
            rulebook::files_of(cloud, company, core.version).await.map_err(|problem| told(&problem))?;
        let (rows, people) = match laid(list, &files)? {
            Laid::Standing(people) => return Ok(Wanted::Unsent(people)),
            Laid::New { rows, people } => (rows, people),
        };
        let of = Some(core.company_id());
        let how = rulebook::How {
            desk: &signed.desk,
            of,
            word: "people".to_owned(),
            intent: rulebook::Intent::Publish,
        };
        match rulebook::put_in_force(cloud, how, Some(core.version), with_rows(&files, &rows)?).await {
            Ok(_) => return Ok(Wanted::Named(people)),
            // Somebody published in between, perhaps the first of two clicks: theirs stands, ours is made on top.
            Err(problem) if problem.code() == Code::VersionConflict => {}
            Err(problem) => {
                // What the rulebook's own reader finds: by line of the file.
                let json = problem.json();
                let list = json["problems"]["list"].as_array().into_iter().flatten();
                let mut said = told(&problem);
                said.extend(list.filter_map(|one| one["message"].as_str()).map(str::to_owned));
                return Err(said);
            }
        }
    }
    Err(vec!["others kept publishing; try again".to_owned()])
}

/// A list of people, laid over those that stand.
enum Laid {
    /// They are new: their rows in the file, and who they are.
    New { rows: String, people: BTreeSet<Invitee> },
    /// Each of them stands so already.
    Standing(BTreeSet<Invitee>),
}

/// Lays a list of people over those of the rulebook in force; or says what is wrong with each line.
fn laid(list: &str, files: &RulebookFiles) -> Result<Laid, Vec<String>> {
    let lines = list.lines().zip(1..).filter(|(line, _): &(&str, usize)| !line.trim().is_empty());
    let lines: Vec<(usize, Result<DeskPerson, String>)> =
        lines.map(|(line, number)| (number, row(line))).collect();
    if lines.is_empty() {
        return Err(vec!["nobody is named".to_owned()]);
    }
    let book =
        Rulebook::parse(files).map_err(|_| vec!["the rulebook in force could not be read".to_owned()])?;
    let standing = lines.iter().map(|(_, row)| row.as_ref().ok().filter(|row| book.people.contains(row)));
    let standing = standing.map(|row| row.map(|one| Invitee::Person(one.person.clone())));
    if let Some(people) = standing.collect::<Option<_>>() {
        return Ok(Laid::Standing(people));
    }
    let mut known: BTreeSet<String> =
        book.people.iter().flat_map(|one| [one.person.to_string(), one.email.to_lowercase()]).collect();
    let (mut rows, mut troubles, mut people) = (String::new(), Vec::new(), BTreeSet::new());
    for (number, row) in lines {
        match row {
            Ok(DeskPerson { person, email, role }) => {
                if known.insert(person.to_string()) && known.insert(email.to_lowercase()) {
                    rows.extend([person.as_str(), ",", &email, ",", role.as_str(), "\n"]);
                    people.insert(Invitee::Person(person));
                } else {
                    troubles.push(format!("line {number}: this person or address is there already"));
                }
            }
            Err(rule) => troubles.push(format!("line {number}: {rule}")),
        }
    }
    if troubles.is_empty() { Ok(Laid::New { rows, people }) } else { Err(troubles) }
}

/// A line as it is to stand in the file.
fn row(line: &str) -> Result<DeskPerson, String> {
    let cells: Vec<&str> = line.split([',', ';', '\t']).map(str::trim).collect();
    let [person, email, role] = cells[..] else {
        return Err("is written person, e-mail, role".to_owned());
    };
    let person = PersonId::new(person).map_err(|rule| format!("person: {rule}"))?;
    let role: Role = role.parse().map_err(|rule: leadyard_domain::error::Invalid| rule.to_string())?;
    if email.contains('"') || !email.contains('@') {
        return Err("an address is written leads@example.com".to_owned());
    }
    Ok(DeskPerson { person, email: email.to_owned(), role })
}

/// The files with these rows behind those of the people.
fn with_rows(files: &RulebookFiles, rows: &str) -> Result<RulebookFiles, Vec<String>> {
    let mut all: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect();
    let stands = all.entry(FILE.to_owned()).or_insert_with(|| HEADER.as_bytes().to_vec());
    if !stands.ends_with(b"\n") {
        stands.push(b'\n');
    }
    stands.extend_from_slice(rows.as_bytes());
    RulebookFiles::new(all).map_err(|_| vec!["this is more than a rulebook holds".to_owned()])
}
