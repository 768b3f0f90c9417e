//! Where no page answers: an address that nobody has, one that only a form is sent to, a query that cannot be read. A
//! person's browser is shown a page that says so and leads on; a program is told the problem as it is.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use leadyard_domain::error::Code;
use leadyard_platform::cloud::Cloud;
use leadyard_platform::http::{self, Problem};

use super::signed::{Whoever, page_of};
use super::{Frame, Said, rendered, title_of};

/// Around all routes: a problem that would be shown to a person becomes a page.
pub(crate) async fn as_page(State(cloud): State<Cloud>, request: Request, next: Next) -> Response {
    if !is_of_console(request.uri().path()) || !takes_pages(request.headers()) {
        return next.run(request).await;
    }
    let (path, method) = (request.uri().path().to_owned(), request.method().clone());
    let headers = request.headers().clone();
    let mut answer = next.run(request).await;
    let Some(problem) = answer.extensions_mut().remove::<Problem>() else { return answer };
    // Without the store nobody is known, and the page says no less.
    let whoever = Whoever::of(&cloud, &headers).await.ok().flatten();
    let mut page = rendered(&told(&problem, &method, &path, whoever.as_ref()), answer.status());
    for kept in [header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = answer.headers_mut().remove(&kept) {
            page.headers_mut().insert(kept, value);
        }
    }
    page
}

fn is_of_console(path: &str) -> bool {
    path == "/console" || path.starts_with("/console/")
}

fn takes_pages(headers: &HeaderMap) -> bool {
    http::text(headers, "accept").is_some_and(|accepted| accepted.contains("text/html"))
}

fn told(problem: &Problem, method: &Method, path: &str, whoever: Option<&Whoever>) -> Said {
    let (title, detail, stands_on) = match (problem.code(), *method == Method::POST) {
        (Code::NotFound, _) => {
            ("There is nothing here", "No page has this address. Perhaps not all of it was copied.", "")
        }
        (Code::MethodNotAllowed, false) => (
            "Only a form is sent here",
            "This address shows nothing by itself, and nothing was done. What it does is done on the page of its form.",
            page_of(path),
        ),
        (Code::MethodNotAllowed, true) => {
            ("No form is taken here", "Nothing was done: this page only shows what it has.", path)
        }
        (code, _) => (title_of(code), problem.detail(), ""),
    };
    let frame = whoever.map_or_else(|| Frame::of_nobody(title), |whoever| Frame::of(title, "", whoever));
    Said { frame, detail: detail.to_owned(), stands_on: stands_on.to_owned() }
}
