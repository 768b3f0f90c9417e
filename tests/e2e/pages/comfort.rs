//! The small script beside the pages: where it stands, and that nothing else is let in.

use http::StatusCode;
use leadyard_tests::{Browser, Reply, Rules, Yard};

/// Where a page says that its sheet, or its script, stands.
fn named<'p>(page: &'p Reply, before: &str, end: &str) -> &'p str {
    let (_, rest) = page.text.split_once(before).unwrap_or_else(|| panic!("{}", page.text));
    let at = rest.split('"').next().unwrap();
    let hash = at.strip_prefix("/console/assets/").and_then(|name| name.strip_suffix(end)).unwrap();
    assert!(hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{at} is of its content");
    at
}

#[tokio::test(start_paused = true)]
async fn the_sheet_the_script_and_the_icon_are_kept_for_good_under_names_of_their_content() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/today").await.is(200);
    let sheet = named(&page, "<link rel=\"stylesheet\" href=\"", ".css");
    let script = named(&page, "<script src=\"", ".js");
    let icon = named(&page, "<link rel=\"icon\" type=\"image/svg+xml\" href=\"", ".svg");
    for (at, kind) in [
        (sheet, "text/css; charset=utf-8"),
        (script, "text/javascript; charset=utf-8"),
        (icon, "image/svg+xml"),
    ] {
        let asset = desk.opens(at).await.is(200);
        assert_eq!(asset.header("content-type"), kind);
        assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(asset.header("x-content-type-options"), "nosniff");
        // Of another content, or of another kind, there is none.
        let (bare, _) = at.rsplit_once('.').unwrap();
        for other in [at.replacen("/assets/", "/assets/0", 1), format!("{bare}.")] {
            assert_eq!(desk.opens(&other).await.status, StatusCode::NOT_FOUND, "{other}");
        }
    }
    let _ = desk.opens(&script.replace(".js", ".css")).await.is(404);
    let script = desk.opens(script).await.is(200).text;
    assert!(script.len() < 3_500, "{} bytes", script.len());
    for kept in ["Storage", "cookie", "indexedDB", "caches", "fetch(", "eval(", "innerHTML"] {
        assert!(!script.contains(kept), "it keeps nothing, asks nothing and writes no markup: {kept}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_runs_the_script_of_its_own_and_none_that_stands_in_it() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let (desk, dealer) = (Browser::of(&yard).await, Browser::of_dealer(&yard, "hudson").await);
    let pages = [
        desk.opens("/console/today").await.is(200),
        desk.opens("/console/leads/none").await.is(404),
        dealer.opens("/console/inbox").await.is(200),
    ];
    for page in &pages {
        let policy: Vec<&str> = page.header("content-security-policy").split(';').map(str::trim).collect();
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(&rule), "{rule} in {policy:?}");
        }
        assert!(!page.header("content-security-policy").contains("unsafe"));
        assert_eq!(page.text.matches("<script").count(), 1, "none stands in the page");
        assert!(page.text.contains(".js\" async></script>"), "nothing waits for it");
    }
    // Who looks again after five minutes sees what is; of a page that a form answered with, nothing is sent again.
    assert!(pages[0].text.contains("<body data-anew=\"300\">") && pages[1].text.contains("<body>"));
    let found = desk.sends("/console/leads", &format!("{}&company=acme&who=nobody", desk.csrf().await)).await;
    assert!(!found.text.contains("data-anew"), "{}", found.text);
}
