//! Whose token it is, and what they may see. What somebody may not see does not exist for them. And the
//! rules of the company that they were given.

use std::sync::Arc;

use axum::http::HeaderMap;
use jiff::tz::TimeZone;
use leadyard_domain::access::{DealerToken, DeskToken};
use leadyard_domain::distribution::Core;
use leadyard_domain::error::Code;
use leadyard_domain::ids::CompanyId;
use leadyard_domain::time;

use crate::cloud::Cloud;
use crate::http::{Problem, bearer};

/// The generation of dealers' tokens.
const GENERATION: u32 = 1;

/// The desk's token.
pub fn desk(cloud: &Cloud, headers: &HeaderMap) -> Result<DeskToken, Problem> {
    bearer(headers)
        .and_then(|token| cloud.master.verify(token))
        .ok_or_else(|| Problem::new(Code::Unauthorized, "send the desk's token as bearer token"))
}

/// A dealer's token.
pub fn dealer(cloud: &Cloud, headers: &HeaderMap) -> Result<DealerToken, Problem> {
    bearer(headers)
        .and_then(|token| cloud.master.verify(token))
        .filter(|token: &DealerToken| token.generation == GENERATION)
        .ok_or_else(|| Problem::new(Code::Unauthorized, "send the dealer's token as bearer token"))
}

/// The company asked for, if the desk was given it; the only one, if none was asked for.
pub fn company(desk: &DeskToken, asked: Option<&str>) -> Result<CompanyId, Problem> {
    let found = match asked {
        Some(asked) => desk.companies.iter().find(|company| company.as_str() == asked),
        None if desk.companies.len() > 1 => {
            return Err(Problem::new(Code::InvalidField, "name the company: ?company=ID"));
        }
        None => desk.companies.first(),
    };
    found.cloned().ok_or_else(|| Problem::new(Code::NotFound, "there is no such company for this token"))
}

/// The rules in force, by their core.
pub async fn rules_of(cloud: &Cloud, company: &CompanyId) -> Result<Arc<Core>, Problem> {
    let core = cloud.rulebooks.current(&cloud.store, company).await?;
    core.ok_or_else(|| Problem::new(Code::NotFound, "this company has no rulebook yet"))
}

/// The company's zone: its months and days are read in it.
pub fn zone_of(core: &Core) -> Result<TimeZone, Problem> {
    time::zone(&core.company.zone).map_err(|rule| Problem::new(Code::Internal, rule.to_string()))
}
