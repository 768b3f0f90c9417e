//! The forms of dealers' own APIs.

use super::*;
use crate::delivery::{Event, Node};

const CRM: &str = r#"[[template]]
id = "crm"
kind = "json"
method = "PATCH"
headers = { Authorization = "Bearer {secret.api_key}" }
success = { status = [200], json = "$.status", is = ["ok"] }
reference = "$.id"
decline = { status = [409], reason = "$.why" }
assigned = { zip = "{zip}", email = "{email}", list = [1, 2.5, true, "x"] }
withdrawn = { id = "{reference}", why = "{reason}" }
"#;

fn book(templates: &str) -> Result<Rulebook, Problems> {
    let mut folder = folder();
    folder.insert("templates.toml", templates.as_bytes().to_vec());
    folder.insert("channels.csv", CHANNELS.replacen("leads,,", "leads,crm,", 1).into_bytes());
    parse(folder)
}

#[test]
fn a_template_is_read_in_the_order_in_which_it_is_written_and_compiled() {
    let book = book(CRM).unwrap();
    let compiled = book.compile(1).unwrap();
    let core: crate::distribution::Core =
        serde_json::from_str(&serde_json::to_string(&compiled.core).unwrap()).unwrap();
    let template = core.template(&"crm".parse().unwrap()).unwrap();
    let Some(Node::Table(parts)) = template.body(Event::Assigned) else { panic!("it has one") };
    let names: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["zip", "email", "list"]);
    assert!(template.body(Event::Warned).is_none());
    assert!(template.headers[0].0 == "authorization");
    // One that nobody uses is warned of; a difference is told.
    let idle = with("templates.toml", CRM).unwrap();
    let warned = idle.check("2026-06-01".parse().unwrap());
    assert!(format!("{warned:?}").contains("no channel names the template"), "{warned:?}");
    let other = super::templates::book(&CRM.replace("{zip}", "{state}")).unwrap();
    let told = book.diff(&other).to_string();
    assert!(told.starts_with("templates: 1 changed\n  ~ crm\n"), "{told}");
}

#[test]
fn what_a_template_would_send_is_shown_of_the_dealer_that_uses_it() {
    let at = "2026-06-01T13:00:00Z".parse().unwrap();
    let crm = CRM.replace("{zip}", "{zip} {last_name} {dealer} {contract} {offer} {price}");
    let examples = super::templates::book(&crm).unwrap().template_examples(at);
    let shown: Vec<(Event, bool)> = examples.iter().map(|one| (one.event, one.masked)).collect();
    let expected = [(Event::Assigned, true), (Event::Assigned, false), (Event::Withdrawn, false)];
    assert_eq!(shown, expected);
    for one in &examples {
        assert_eq!((one.template.as_str(), one.method.as_str()), ("crm", "PATCH"));
        assert_eq!(one.headers[1], ("authorization".to_owned(), "Bearer {secret.api_key}".to_owned()));
    }
    let said = |at: usize| -> serde_json::Value { serde_json::from_str(&examples[at].body).unwrap() };
    let who = "hudson hudson-miami roof-repair 45.00";
    assert_eq!(said(0)["zip"], format!("12534  {who}"));
    assert_eq!(said(1)["zip"], format!("12534 O'Example & Sons {who}"));
    assert_eq!((said(0)["email"].is_null(), &said(1)["email"]), (true, &"ada@example.com".into()));
    assert_eq!(said(2), serde_json::json!({ "id": "L-1042", "why": "lapsed" }));
    // One that no channel names is shown under the first contract there is.
    let idle = with("templates.toml", CRM).unwrap().template_examples(at);
    assert_eq!(idle.len(), 3);
}

#[test]
fn what_is_wrong_with_a_template_is_told_where_it_stands() {
    // What is replaced by what, the place that is told, and what is said of it.
    for (from, to, place, expected) in [
        ("{email}", "{emial}", "\"{emial}", "there is no field \"emial\"; did you mean \"email\"?"),
        ("{email}", "{email", "\"{email\"", "a field stands in braces"),
        ("{reason}", "{first_name}", "\"{first", "lead.withdrawn says nothing of first_name"),
        ("{reason}", "{extra.age}", "\"{extra", "lead.withdrawn says nothing of the person"),
        ("{zip}", "{reason}", "\"{reason}", "lead.assigned says nothing of reason"),
        ("{secret.api_key}", "{email}", "\"Bearer", "nothing of the person stands in a header"),
        ("Authorization", "Content-Type", "Content-Type", "this header is ours: leave it out"),
        ("Authorization", "Webhook-Id", "Webhook-Id", "this header is ours: leave it out"),
        ("\"crm\"", "\"adf\"", "\"adf\"", "id: standard and adf are formats already"),
        ("\"json\"", "\"yaml\"", "\"yaml\"", "a template's kind is one of: json form xml"),
        ("\"PATCH\"", "\"GET\"", "\"GET\"", "a template's method is one of: POST PUT PATCH"),
        ("[200]", "[404]", "[404]", "status is a list of numbers, each 2xx"),
        ("[409]", "[500]", "[500]", "status is a list of numbers, each 2xx or 4xx"),
        ("\"$.id\"", "\"id\"", "\"id\"", "a place in JSON is written $.lead.id"),
        ("status = [409], ", "", "{ reason = ", "decline says how it is known"),
        ("json = \"$.status\", ", "text = \"a\", ", "[\"ok\"]", "is goes with json"),
        (
            "assigned = {",
            "assinged = {",
            "assinged",
            "there is no key \"assinged\" here; did you mean \"assigned\"?",
        ),
        ("kind = \"json\"\n", "", "[[template]]", "the key kind is missing here"),
    ] {
        assert!(CRM.contains(from), "{from}");
        let changed = CRM.replacen(from, to, 1);
        let before = &changed[..changed.find(place).unwrap()];
        let (line, column) =
            (before.matches('\n').count() + 1, before.chars().rev().take_while(|c| *c != '\n').count() + 1);
        let found = lines(book(&changed));
        let stands = format!("templates.toml:{line}:{column}: error: ");
        let told = |found: &String| found.starts_with(&stands) && found.contains(expected);
        assert!(found.iter().any(told), "{stands}{expected}\n{found:#?}");
    }
    let nested =
        CRM.replace("json\"\nmethod", "form\"\nmethod").replace("[1, 2.5, true, \"x\"]", "{ a = 1 }");
    assert!(lines(book(&nested))[0].contains("a form has no tables within it"));
    let xml = CRM.replace("json\"\nmethod", "xml\"\nmethod");
    assert!(lines(book(&xml))[0].contains("an XML document has one element"));
    let twice = format!("{CRM}{CRM}");
    assert!(lines(book(&twice)).iter().any(|line| line.contains("template \"crm\" is here twice")));
    let deep = CRM.replace("[1, 2.5, true, \"x\"]", &format!("{}1{}", "[".repeat(9), "]".repeat(9)));
    assert!(lines(book(&deep))[0].contains("at most 8 deep"));
    let huge = format!("{CRM}#{}", "x".repeat(crate::limits::TEMPLATES_BYTES));
    assert!(lines(book(&huge))[0].contains("at most 32768 bytes"));
    let many = CRM.replacen("[1, 2.5, true, \"x\"]", &format!("[{}]", "1,".repeat(201)), 1);
    assert!(lines(book(&many))[0].contains("at most 200 fields"));
}
