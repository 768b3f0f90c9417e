//! What a router routes: so that nothing that is about every page or every route forgets one.

use std::collections::BTreeSet;

use axum::Router;

/// Every method and path of a router, as it is routed.
///
/// axum has no other way to be asked. What it prints is its own affair, and may change with its version: then nothing
/// is found, and the tests say so.
pub fn routes_of(router: &Router) -> BTreeSet<(String, String)> {
    let printed = format!("{router:?}");
    let (routes, paths) = printed.split_once("node: Node { paths: {").expect("a router prints its paths");
    let paths = paths.split_once('}').map_or(paths, |_| paths);
    let mut found = BTreeSet::new();
    for one in routes.split("RouteId(").skip(1) {
        let (id, methods) = one.split_once("): MethodRouter(MethodRouter { ").expect("a route has methods");
        let methods = methods.split_once(", fallback:").map_or(methods, |(methods, _)| methods);
        let path = paths.split_once(&format!("RouteId({id}): \"")).and_then(|(_, path)| path.split_once('"'));
        let (path, _) = path.expect("a route has a path");
        for method in methods.split(", ") {
            let (name, handler) = method.split_once(": ").expect("a method has a handler, or none");
            if handler != "None" {
                found.insert((name.to_owned(), path.to_owned()));
            }
        }
    }
    assert!(!found.is_empty(), "{printed}");
    found
}

/// The reports, by name: of each a route and a page.
pub const REPORTS: [&str; 11] = [
    "sources",
    "campaigns",
    "offers",
    "areas",
    "dealers",
    "funnel",
    "speed",
    "returns",
    "waiting",
    "unmet",
    "leads",
];

/// The pages of the console are for people.
pub fn is_page(path: &str) -> bool {
    path == "/console" || path.starts_with("/console/")
}
