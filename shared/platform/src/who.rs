//! Whose token it is, and what they may see and do. What somebody may not see does not exist for them. And the
//! rules of the company that they were given.
//!
//! A route names who may call it as the first of its arguments: [`Desk`], [`DeskOf`], [`Dealer`] or [`OfDealer`]; of the
//! desk with the role that it needs, [`READS`], [`ACTS`] or [`MANAGES`]. So who may is known before anything is said of
//! what was sent, and a route that forgot to say what it needs does not compile.
//!
//! Roles are of a company: one person may be a manager here and a reader there. So whoever was let in has the companies
//! in which their role suffices for what they ask, and whatever asks for a company asks [`Staff`].

use std::sync::Arc;

use axum::extract::{FromRef, FromRequestParts, RawPathParams};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use jiff::tz::TimeZone;
use leadyard_domain::access::{ApiToken, DealerToken, DeskToken, Role};
use leadyard_domain::distribution::Core;
use leadyard_domain::error::Code;
use leadyard_domain::ids::{CompanyId, DealerId, PersonId};
use leadyard_domain::rulebook::SignsInAs;
use leadyard_domain::time;
use serde::Deserialize;

use crate::cloud::Cloud;
use crate::http::{Problem, Query, bearer};
use crate::store::StoreError;

/// The generation of dealers' tokens.
const GENERATION: u32 = 1;

/// What only shows something: any role.
pub const READS: u8 = Role::Reader as u8;
/// What works at the desk, and whatever shows who somebody is.
pub const ACTS: u8 = Role::Desk as u8;
/// What answers for the company: its rules, switches, tokens, people, money.
pub const MANAGES: u8 = Role::Manager as u8;

/// The role that one of these numbers stands for.
pub const fn role_of(needs: u8) -> Role {
    match needs {
        READS => Role::Reader,
        ACTS => Role::Desk,
        // Whatever else is written there needs most.
        _ => Role::Manager,
    }
}

/// Somebody of the desk: who, and what they may do in which company.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staff {
    /// Who, as the log of changes names them.
    pub staff: String,
    /// The companies in which they may do what they ask.
    pub companies: Vec<CompanyId>,
    /// All that they were given, and as what.
    given: Vec<(CompanyId, Role)>,
    needs: Role,
}

impl Staff {
    /// Somebody with these roles, who asks to read.
    pub fn new(staff: String, given: Vec<(CompanyId, Role)>) -> Self {
        let companies = given.iter().map(|(company, _)| company.clone()).collect();
        Self { staff, companies, given, needs: Role::Reader }
    }

    /// The same, as they ask for what needs this role.
    ///
    /// # Errors
    /// A problem that names the role, where they have it in no company.
    pub fn asks(self, needs: Role) -> Result<Self, Problem> {
        let suffices = |(_, role): &&(CompanyId, Role)| *role >= needs;
        let companies: Vec<CompanyId> =
            self.given.iter().filter(suffices).map(|(company, _)| company.clone()).collect();
        // Whoever was given no company at all is told so by whatever they ask for.
        if companies.is_empty() && !self.given.is_empty() {
            return Err(lacks(needs));
        }
        Ok(Self { companies, needs, ..self })
    }

    /// Whether they have at least this role in a company.
    pub fn may(&self, company: &CompanyId, role: Role) -> bool {
        self.given.iter().any(|(of, has)| of == company && *has >= role)
    }

    /// That a company is theirs, and their role suffices there.
    ///
    /// # Errors
    /// What they may not see is `missing`; where they may only see, the role that is needed is named.
    pub fn allow(&self, company: &CompanyId, missing: impl FnOnce() -> Problem) -> Result<(), Problem> {
        if self.companies.contains(company) {
            return Ok(());
        }
        Err(if self.may(company, Role::Reader) { lacks(self.needs) } else { missing() })
    }

    /// Whether they have at least this role somewhere.
    pub fn may_anywhere(&self, role: Role) -> bool {
        self.given.iter().any(|(_, has)| *has >= role)
    }

    /// That they have this role in a company of theirs.
    ///
    /// # Errors
    /// A problem that names the role.
    pub fn must(&self, company: &CompanyId, role: Role) -> Result<(), Problem> {
        if self.may(company, role) { Ok(()) } else { Err(lacks(role)) }
    }
}

/// The token of the installation is a manager's.
impl From<DeskToken> for Staff {
    fn from(token: DeskToken) -> Self {
        Self::new(token.staff, token.companies.into_iter().map(|company| (company, Role::Manager)).collect())
    }
}

/// What somebody is told who may not.
fn lacks(role: Role) -> Problem {
    let needed = match role {
        Role::Reader => "reader, desk or manager",
        Role::Desk => "desk or manager",
        Role::Manager => "manager",
    };
    Problem::new(Code::Forbidden, format!("this needs the role {needed} in the company"))
}

/// The desk, by its token, for what needs this role.
#[derive(Clone, Debug)]
pub struct Desk<const NEEDS: u8>(pub Staff);

/// The desk, and the company that it asks about: `?company=`, or the only one in which its role suffices.
#[derive(Clone, Debug)]
pub struct DeskOf<const NEEDS: u8> {
    /// Who.
    pub desk: Staff,
    /// About whom.
    pub company: CompanyId,
}

/// A dealer, by its token.
#[derive(Clone, Debug)]
pub struct Dealer(pub DealerToken);

/// The `{dealer}` of a path, for its own token or for the desk's of `?company=` and this role.
#[derive(Clone, Debug)]
pub struct OfDealer<const NEEDS: u8> {
    /// Whose dealer.
    pub company: CompanyId,
    /// Which.
    pub dealer: DealerId,
    /// The desk, where it is not the dealer itself that asks.
    pub desk: Option<Staff>,
}

#[derive(Deserialize)]
struct CompanyQuery {
    company: Option<String>,
}

impl<S: Send + Sync, const NEEDS: u8> FromRequestParts<S> for Desk<NEEDS>
where
    Cloud: FromRef<S>,
{
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        desk(&Cloud::from_ref(state), &parts.headers).await?.asks(role_of(NEEDS)).map(Self)
    }
}

impl<S: Send + Sync, const NEEDS: u8> FromRequestParts<S> for DeskOf<NEEDS>
where
    Cloud: FromRef<S>,
{
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Desk(desk) = Desk::<NEEDS>::from_request_parts(parts, state).await?;
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

impl<S: Send + Sync, const NEEDS: u8> FromRequestParts<S> for OfDealer<NEEDS>
where
    Cloud: FromRef<S>,
{
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let missing = || Problem::new(Code::NotFound, "there is no such dealer for this token");
        let (company, own, desk) = match dealer(&Cloud::from_ref(state), &parts.headers) {
            Ok(token) => {
                // A dealer need not say whose it is; another company's does not exist for it.
                let Query(CompanyQuery { company: asked }) = Query::from_request_parts(parts, state).await?;
                if asked.is_some_and(|asked| asked != token.company.as_str()) {
                    return Err(missing());
                }
                (token.company, Some(token.dealer), None)
            }
            Err(_) => {
                let DeskOf { desk, company } = DeskOf::<NEEDS>::from_request_parts(parts, state).await?;
                (company, None, Some(desk))
            }
        };
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

/// Somebody of the desk who signed in by a mailbox, as the rules in force at these companies have them; none, where they
/// have them no more. Whom companies call by different names is told apart by the first that has them.
pub async fn staff_of(
    cloud: &Cloud,
    mailbox: &str,
    companies: &[CompanyId],
) -> Result<Option<Staff>, StoreError> {
    let mut given: Vec<(CompanyId, Role)> = Vec::new();
    let mut names: Vec<PersonId> = Vec::new();
    for (company, signs_in_as) in cloud.store.access_of(mailbox, companies).await? {
        if let SignsInAs::Staff(person, role) = signs_in_as {
            given.push((company, role));
            names.push(person);
        }
    }
    let (Some((company, _)), Some(name)) = (given.first(), names.first()) else { return Ok(None) };
    let same = names.iter().all(|other| other == name);
    let staff = if same { name.to_string() } else { format!("{name} ({company})") };
    Ok(Some(Staff::new(staff, given)))
}

/// The desk, by its token: the installation's own, or one that was made in the console.
pub async fn desk(cloud: &Cloud, headers: &HeaderMap) -> Result<Staff, Problem> {
    let missing = || Problem::new(Code::Unauthorized, "send the desk's token as bearer token");
    let token = bearer(headers).ok_or_else(missing)?;
    let Some(sent) = ApiToken::read(token) else {
        return cloud.master.verify::<DeskToken>(token).map(Staff::from).ok_or_else(missing);
    };
    let kept = cloud.store.token_get(&sent, cloud.clock.now()).await?.ok_or_else(missing)?;
    Ok(Staff::new(format!("token {}", kept.name), vec![(sent.company, kept.role)]))
}

/// A dealer's token.
pub fn dealer(cloud: &Cloud, headers: &HeaderMap) -> Result<DealerToken, Problem> {
    bearer(headers)
        .and_then(|token| dealer_of(cloud, token))
        .ok_or_else(|| Problem::new(Code::Unauthorized, "send the dealer's token as bearer token"))
}

/// What stands for a dealer that signed in without a token.
pub const fn token_of(company: CompanyId, dealer: DealerId) -> DealerToken {
    DealerToken { company, dealer, generation: GENERATION }
}

/// The dealer that a token is of.
pub fn dealer_of(cloud: &Cloud, token: &str) -> Option<DealerToken> {
    cloud.master.verify(token).filter(|token: &DealerToken| token.generation == GENERATION)
}

/// The company asked for, if the desk was given it and has the role there; the only one, if none was asked for.
pub fn company(desk: &Staff, asked: Option<&str>) -> Result<CompanyId, Problem> {
    let missing = || Problem::new(Code::NotFound, "there is no such company for this token");
    match asked {
        Some(asked) => {
            let company = CompanyId::new(asked).map_err(|_| missing())?;
            desk.allow(&company, missing)?;
            Ok(company)
        }
        None if desk.companies.len() > 1 => {
            Err(Problem::new(Code::InvalidField, "name the company: ?company=ID"))
        }
        None => desk.companies.first().cloned().ok_or_else(missing),
    }
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
