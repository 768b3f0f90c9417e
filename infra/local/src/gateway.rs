//! The gateway: one port in front of the functions that AWS would give a URL each.

use axum::body::Body;
use axum::http::{Method, Request, Response};
use axum::{Router, middleware};
use leadyard_platform::cloud::Cloud;
use tower::ServiceExt as _;

/// All HTTP functions behind one router. `pages` answers what none of them takes (the demo).
pub fn router(cloud: &Cloud, pages: Router) -> Router {
    let leads = leadyard_intake::leads(cloud.clone());
    let interactions = leadyard_intake::interactions(cloud.clone());
    let console = leadyard_console::router(cloud.clone());
    pages
        .fallback(move |request: Request<Body>| {
            let function = match function_of(request.method(), request.uri().path()) {
                Function::Leads => leads.clone(),
                Function::Interactions => interactions.clone(),
                Function::Console => console.clone(),
            };
            async move { forward(function, request).await }
        })
        .layer(middleware::from_fn(one_line))
}

/// Which function's URL a path would have on AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// Intake, deployed for leads.
    Leads,
    /// Intake, deployed for interactions.
    Interactions,
    /// The console.
    Console,
}

impl Function {
    /// As the template names it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Leads => "leads",
            Self::Interactions => "interactions",
            Self::Console => "console",
        }
    }
}

/// `/v1/leads/{key}` is intake's to post to, and what it has behind the key, `/v1/import/…`, `/v1/quarantine…`; everything else about leads is the console's.
pub fn function_of(method: &Method, path: &str) -> Function {
    let posts = method == Method::POST || method == Method::OPTIONS;
    if path.starts_with("/v1/interactions/") {
        return Function::Interactions;
    }
    if path.starts_with("/v1/import/") || path == "/v1/quarantine" || path.starts_with("/v1/quarantine/") {
        return Function::Leads;
    }
    if path == "/leadyard.js" || path == "/.well-known/gpc.json" {
        return Function::Leads;
    }
    match path.strip_prefix("/v1/leads/") {
        Some(rest) if rest.split_once('/').is_some_and(|(_, way)| WAYS.contains(&way)) => Function::Leads,
        Some(rest) if posts && !rest.contains('/') && !is_act(rest) => Function::Leads,
        Some(_) | None => Function::Console,
    }
}

/// What intake has behind a source's key.
const WAYS: [&str; 4] = ["form_token", "google", "meta", "instructions"];

/// `search`, `export`, or an act on many leads.
fn is_act(rest: &str) -> bool {
    ["search", "export", "erase"].contains(&rest) || leadyard_domain::openapi::ACTS.contains(&rest)
}

async fn forward(function: Router, request: Request<Body>) -> Response<Body> {
    match function.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// One line a request, without its path: a key stands in it.
async fn one_line(request: Request<Body>, next: middleware::Next) -> Response<Body> {
    let method = request.method().clone();
    let response = next.run(request).await;
    tracing::debug!(http.method = %method, http.status = response.status().as_u16(), "answered");
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_the_function_that_has_it_on_aws() {
        for (method, path, function) in [
            (Method::POST, "/v1/leads/pk_x.y", Function::Leads),
            (Method::OPTIONS, "/v1/leads/pk_x.y", Function::Leads),
            (Method::POST, "/v1/leads/pk_x.y/google", Function::Leads),
            (Method::GET, "/v1/leads/pk_x.y/meta", Function::Leads),
            (Method::GET, "/v1/leads/pk_x.y/instructions", Function::Leads),
            (Method::GET, "/v1/leads/0190", Function::Console),
            (Method::POST, "/v1/leads/search", Function::Console),
            (Method::POST, "/v1/leads/export", Function::Console),
            (Method::POST, "/v1/leads/0190/place", Function::Console),
            (Method::POST, "/v1/leads/take_back", Function::Console),
            (Method::POST, "/v1/leads/reject", Function::Console),
            (Method::POST, "/v1/interactions/pk_x.y", Function::Interactions),
            (Method::POST, "/v1/import/history", Function::Leads),
            (Method::GET, "/v1/leads/pk_x.y/form_token", Function::Leads),
            (Method::GET, "/leadyard.js", Function::Leads),
            (Method::GET, "/.well-known/gpc.json", Function::Leads),
            (Method::GET, "/v1/interactions/pk_x.y/visitor", Function::Interactions),
            (Method::GET, "/v1/quarantine", Function::Leads),
            (Method::POST, "/v1/quarantine/0190/release", Function::Leads),
            (Method::GET, "/healthz", Function::Console),
        ] {
            assert_eq!(function_of(&method, path), function, "{method} {path}");
        }
    }
}
