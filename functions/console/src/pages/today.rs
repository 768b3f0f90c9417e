//! The leads that matter now, across one's companies: the hottest that nobody has, and those that somebody has.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use leadyard_domain::distribution::Core;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::Problem;

use super::shown::Row;
use super::signed::Signed;
use super::{Frame, rendered, troubled};
use crate::find::{self, Asked, Only};

/// Leads in each list.
const LISTED: usize = 10;

#[derive(askama::Template)]
#[template(path = "today.html")]
struct Today {
    frame: Frame,
    companies: Vec<OfCompany>,
}

/// What matters in one company.
struct OfCompany {
    id: String,
    name: String,
    /// In nobody's hands.
    free: Vec<Row>,
    /// With a dealer.
    held: Vec<Row>,
    /// It has no rules in force.
    silent: bool,
}

/// `GET /console/today`.
pub(super) async fn page(State(cloud): State<Cloud>, signed: Signed) -> Response {
    let mut companies = Vec::with_capacity(signed.desk.companies.len());
    for company in &signed.desk.companies {
        let core = match cloud.rulebooks.current(&cloud.store, company).await {
            Ok(core) => core,
            Err(error) => return troubled(&signed, &Problem::from(error)),
        };
        let Some(core) = core else {
            let (id, name) = (company.to_string(), company.to_string());
            companies.push(OfCompany { id, name, free: Vec::new(), held: Vec::new(), silent: true });
            continue;
        };
        match of_company(&cloud, &signed, &core).await {
            Ok(of_company) => companies.push(of_company),
            Err(problem) => return troubled(&signed, &problem),
        }
    }
    rendered(&Today { frame: Frame::of("Today", "today", &signed), companies }, StatusCode::OK)
}

async fn of_company(cloud: &Cloud, signed: &Signed, core: &Core) -> Result<OfCompany, Problem> {
    let now = cloud.clock.now();
    let hottest = async |held| {
        let only = Only { held: Some(held), ..Only::default() };
        let asked = Asked { hottest: true, only, limit: Some(LISTED), ..Asked::default() };
        let found = find::find(cloud, &signed.desk, core, &asked).await?;
        Ok::<Vec<Row>, Problem>(
            found.leads.iter().map(|(lead, score)| Row::of(core, lead, score.as_ref(), now)).collect(),
        )
    };
    let (free, held) = futures::try_join!(hottest(false), hottest(true))?;
    let (id, name) = (core.company_id().to_string(), core.company.name.clone());
    Ok(OfCompany { id, name, free, held, silent: false })
}
