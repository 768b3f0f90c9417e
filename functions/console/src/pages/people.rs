//! Who may come in: the desk's people of a company, added many at once, and the tokens for programs. For managers.
//!
//! Determinations. *People are rows of the rulebook*: adding some publishes it, so that who may what has a version, a
//! difference and a way back like every other rule. *All or none*: of a list with a fault nothing is published, each
//! fault is named by its line, and what was typed stays. *A token is shown on the page that made it* and on no other.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use jiff::civil::Date;
use leadyard_domain::access::Role;
use leadyard_domain::error::Code;
use leadyard_domain::ids::{CompanyId, PersonId};
use leadyard_domain::rulebook::{Rulebook, RulebookFiles};
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{Problem, Query};
use leadyard_platform::who::{self, MANAGES};
use serde::Deserialize;

use super::dealers::book_of;
use super::shown::{self, Choice};
use super::signed::{For, Form, Sent, Signed};
use super::{Frame, address, rendered, troubled};
use crate::{rulebook, tokens};

const AT: &str = "/console/people";
const FILE: &str = "people.csv";
const HEADER: &str = "person,email,role\n";

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    company: String,
    done: String,
}

#[derive(askama::Template)]
#[template(path = "people.html")]
struct Page {
    frame: Frame,
    company: String,
    companies: Vec<Choice>,
    people: Vec<(String, String, String)>,
    tokens: Vec<Token>,
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

/// `GET /console/people?company&done`.
pub(super) async fn page(
    State(cloud): State<Cloud>,
    For(signed): For<MANAGES>,
    Query(asked): Query<Asked>,
) -> Response {
    let done = match asked.done.as_str() {
        "added" => "They are added, and may sign in by their addresses.",
        "revoked" => "The token lets nobody in any more.",
        _ => "",
    };
    match of(&cloud, &signed, &asked.company, Form::new()).await {
        Ok(page) => rendered(&Page { done, ..page }, StatusCode::OK),
        Err(problem) => troubled(&signed, &problem),
    }
}

async fn of(cloud: &Cloud, signed: &Signed, company: &str, typed: Form) -> Result<Page, Problem> {
    let core = signed.rules_of(cloud, Some(company).filter(|company| !company.is_empty())).await?;
    let (company, now) = (core.company_id(), cloud.clock.now());
    let book = book_of(cloud, &core).await?;
    let people =
        book.people.iter().map(|one| (one.person.to_string(), one.email.clone(), one.role.to_string()));
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
        companies: Choice::companies(&signed.desk, company),
        company: company.to_string(),
        people: people.collect(),
        tokens: tokens.collect(),
        made: String::new(),
        done: "",
        troubles: Vec::new(),
        typed,
    })
}

/// `POST /console/people/{add, token, revoke}`.
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
        "add" => add(&cloud, &signed, &company, &form).await.map(|()| back("added")),
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
    let until = match field("until").as_str() {
        "" => Ok(None),
        day => day
            .parse::<Date>()
            .ok()
            .and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok())
            .map(|start| Some(start.timestamp()))
            .ok_or_else(|| Problem::new(Code::InvalidField, "until is a day, written 2027-01-31")),
    };
    let made = match until {
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

/// A line as it is to stand in the file.
fn row(line: &str) -> Result<(String, String, Role), String> {
    let cells: Vec<&str> = line.split([',', ';', '\t']).map(str::trim).collect();
    let [person, email, role] = cells[..] else {
        return Err("is written person, e-mail, role".to_owned());
    };
    let person = PersonId::new(person).map_err(|rule| format!("person: {rule}"))?;
    let role: Role = role.parse().map_err(|rule: leadyard_domain::error::Invalid| rule.to_string())?;
    if email.contains('"') || !email.contains('@') {
        return Err("an address is written leads@example.com".to_owned());
    }
    Ok((person.to_string(), email.to_owned(), role))
}

/// Adds the people of a list; or says what is wrong with each line.
async fn add(cloud: &Cloud, signed: &Signed, company: &CompanyId, form: &Form) -> Result<(), Vec<String>> {
    let told = |problem: &Problem| vec![problem.detail().to_owned()];
    let core = who::rules_of(cloud, company).await.map_err(|problem| told(&problem))?;
    let files = rulebook::files_of(cloud, company, core.version).await.map_err(|problem| told(&problem))?;
    let book =
        Rulebook::parse(&files).map_err(|_| vec!["the rulebook in force could not be read".to_owned()])?;
    let mut known: BTreeSet<String> =
        book.people.iter().flat_map(|one| [one.person.to_string(), one.email.to_lowercase()]).collect();
    let (mut rows, mut troubles) = (String::new(), Vec::new());
    let lines = form.get("people").map(String::as_str).unwrap_or_default().lines().zip(1..);
    for (line, number) in lines.filter(|(line, _): &(&str, usize)| !line.trim().is_empty()) {
        match row(line) {
            Ok((person, email, role)) => {
                if known.insert(person.clone()) && known.insert(email.to_lowercase()) {
                    rows.push_str(&format!("{person},{email},{role}\n"));
                } else {
                    troubles.push(format!("line {number}: this person or address is there already"));
                }
            }
            Err(rule) => troubles.push(format!("line {number}: {rule}")),
        }
    }
    if rows.is_empty() && troubles.is_empty() {
        troubles.push("nobody is named".to_owned());
    }
    if !troubles.is_empty() {
        return Err(troubles);
    }
    let mut all: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(name, bytes)| (name.to_owned(), bytes.to_vec())).collect();
    let stands = all.entry(FILE.to_owned()).or_insert_with(|| HEADER.as_bytes().to_vec());
    if !stands.ends_with(b"\n") {
        stands.push(b'\n');
    }
    stands.extend_from_slice(rows.as_bytes());
    let files = RulebookFiles::new(all).map_err(|_| vec!["this is more than a rulebook holds".to_owned()])?;
    let of = Some(core.company_id());
    let how = rulebook::How { desk: &signed.desk, of, word: "people".to_owned(), dry_run: false };
    match rulebook::put_in_force(cloud, how, Some(core.version), files).await {
        Ok(_) => Ok(()),
        Err(problem) => {
            // What the rulebook's own reader finds: by line of the file.
            let json = problem.json();
            let list = json["problems"]["list"].as_array().into_iter().flatten();
            let mut said = told(&problem);
            said.extend(list.filter_map(|one| one["message"].as_str()).map(str::to_owned));
            Err(said)
        }
    }
}
