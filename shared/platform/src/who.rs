//! Whose token it is, and what they may see. What somebody may not see does not exist for them. And the
//! rules of the company that they were given.
//!
//! A route names who may call it as the first of its arguments: [`Desk`], [`DeskOf`], [`Dealer`] or [`OfDealer`]. So
//! who may is known before anything is said of what was sent.

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, RawPathParams};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use jiff::tz::TimeZone;
use leadyard_domain::access::{DealerToken, DeskToken};
use leadyard_domain::distribution::Core;
use leadyard_domain::error::Code;
use leadyard_domain::ids::{CompanyId, DealerId};
use leadyard_domain::time;
use serde::Deserialize;

use crate::cloud::Cloud;
use crate::http::{Problem, Query, bearer};

/// The generation of dealers' tokens.
const GENERATION: u32 = 1;

/// The desk, by its token.
#[derive(Clone, Debug)]
pub struct Desk(pub DeskToken);

/// The desk, and the company that it asks about: `?company=`, or the only one that it was given.
#[derive(Clone, Debug)]
pub struct DeskOf {
    /// Who.
    pub desk: DeskToken,
    /// About whom.
    pub company: CompanyId,
}

/// A dealer, by its token.
#[derive(Clone, Debug)]
pub struct Dealer(pub DealerToken);

/// The `{dealer}` of a path, for its own token or for the desk's of `?company=`.
#[derive(Clone, Debug)]
pub struct OfDealer {
    /// Whose dealer.
    pub company: CompanyId,
    /// Which.
    pub dealer: DealerId,
    /// The desk, where it is not the dealer itself that asks.
    pub desk: Option<DeskToken>,
}

#[derive(Deserialize)]
struct CompanyQuery {
    company: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Desk
where
    Cloud: FromRef<S>,
{
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        desk(&Cloud::from_ref(state), &parts.headers).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for DeskOf
where
    Cloud: FromRef<S>,
{
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Desk(desk) = Desk::from_request_parts(parts, state).await?;
        let Query(CompanyQuery { company: asked }) = Query::from_request_parts(parts, state).await?;
        let company = company(&desk, asked.as_deref())?;
        Ok(Self { desk, company })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Dealer
where
    Cloud: FromRef<S>,
{
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        dealer(&Cloud::from_ref(state), &parts.headers).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OfDealer
where
    Cloud: FromRef<S>,
{
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let (company, own, desk) = match dealer(&Cloud::from_ref(state), &parts.headers) {
            Ok(token) => (token.company, Some(token.dealer), None),
            Err(_) => {
                let DeskOf { desk, company } = DeskOf::from_request_parts(parts, state).await?;
                (company, None, Some(desk))
            }
        };
        let missing = || Problem::new(Code::NotFound, "there is no such dealer for this token");
        let path = RawPathParams::from_request_parts(parts, state).await.map_err(|_| missing())?;
        let named = path.iter().find(|(name, _)| *name == "dealer").map(|(_, value)| value);
        let dealer = named.and_then(|named| DealerId::new(named).ok()).ok_or_else(missing)?;
        // Another dealer does not exist for this one.
        if own.is_some_and(|own| own != dealer) {
            return Err(missing());
        }
        Ok(Self { company, dealer, desk })
    }
}

/// The desk's token.
pub fn desk(cloud: &Cloud, headers: &HeaderMap) -> Result<DeskToken, Problem> {
    bearer(headers)
        .and_then(|token| cloud.master.verify(token))
        .ok_or_else(|| Problem::new(Code::Unauthorized, "send the desk's token as bearer token"))
}

/// A dealer's token.
pub fn dealer(cloud: &Cloud, headers: &HeaderMap) -> Result<DealerToken, Problem> {
    bearer(headers)
        .and_then(|token| dealer_of(cloud, token))
        .ok_or_else(|| Problem::new(Code::Unauthorized, "send the dealer's token as bearer token"))
}

/// The dealer that a token is of.
pub fn dealer_of(cloud: &Cloud, token: &str) -> Option<DealerToken> {
    cloud.master.verify(token).filter(|token: &DealerToken| token.generation == GENERATION)
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
