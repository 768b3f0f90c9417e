//! The landing page of the demo company: what a marketer would put in front of Leadyard.
//!
//! A plain form that posts to `/v1/leads/{page_key}` and needs no script. `/leadyard.js` adds to it what it adds to
//! any page: nothing that was sent gets lost, campaigns, interactions.

use axum::Router;
use axum::http::header;
use axum::response::Html;
use axum::routing::get;

use super::{escape, fill};

/// The `Content-Security-Policy` under which the page works: intake's script, its own styles, posts to
/// where it came from.
pub const LANDING_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; \
    img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

const TEMPLATE: &str = include_str!("landing.html");

/// What a visitor agrees to. Shown beside the box and sent with the form, so that the record holds what
/// was read.
const CONSENT: &str = "I agree that Brightside and up to three roofing companies near me may call, text or \
    e-mail me about my request, also with automated technology. Consent is not a condition of purchase. I \
    can withdraw it at any time.";

/// The landing page of this source.
pub fn router(page_key: &str, offers: &[(String, String)]) -> Router {
    let page = landing_page(page_key, offers);
    let answer = move || async move { ([(header::CONTENT_SECURITY_POLICY, LANDING_POLICY)], Html(page)) };
    Router::new().route("/", get(answer))
}

/// The page as HTML. `offers` are ids and names, in the order they are shown; the first is chosen.
pub fn landing_page(page_key: &str, offers: &[(String, String)]) -> String {
    let options: Vec<String> = offers
        .iter()
        .map(|(id, name)| format!(r#"<option value="{}">{}</option>"#, escape(id), escape(name)))
        .collect();
    let options = options.concat();
    let (page_key, consent) = (escape(page_key), escape(CONSENT));
    fill(TEMPLATE, &[("page_key", &page_key), ("offers", &options), ("consent", &consent)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> String {
        landing_page("pk_demo", &[("roof-inspection".into(), "Free roof inspection".into())])
    }

    #[test]
    fn the_form_works_without_a_script() {
        let page = page();
        assert!(page.contains(r#"method="post""#) && page.contains(r#"action="/v1/leads/pk_demo""#));
        for name in [
            "first_name",
            "last_name",
            "email",
            "phone",
            "zip",
            "offer",
            "message",
            "consent",
            "consent_text",
        ] {
            assert!(page.contains(&format!(r#"name="{name}""#)), "{name}");
        }
        assert!(page.contains(r#"<option value="roof-inspection">Free roof inspection</option>"#));
        assert!(!page.contains("{{") && !page.contains("onclick"));
        assert!(page.contains(r#"<script src="/leadyard.js" data-key="pk_demo" defer>"#));
    }

    #[test]
    fn every_field_has_a_label() {
        let page = page();
        for field in page.split("<input").chain(page.split("<select")).chain(page.split("<textarea")).skip(1)
        {
            let tag = field.split('>').next().unwrap_or("");
            let Some(id) = tag.split(r#"id=""#).nth(1).and_then(|rest| rest.split('"').next()) else {
                continue;
            };
            assert!(page.contains(&format!(r#"for="{id}""#)), "{id}");
        }
    }

    #[test]
    fn a_hostile_offer_or_key_is_only_text() {
        let hostile = r#""><script>alert(1)</script>{{consent}}"#;
        let page = landing_page(hostile, &[(hostile.into(), hostile.into())]);
        assert!(!page.contains("<script>alert"));
        assert_eq!(page.matches("<script").count(), 1);
        assert!(page.contains("{{consent}}"));
    }
}
