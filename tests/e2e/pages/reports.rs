//! The reports' pages: every number is the API's, and nothing that a URL said becomes more than text.

use std::time::Duration;

use http::{HeaderMap, Method};
use jiff::civil::date;
use leadyard_domain::access::DeskToken;
use leadyard_domain::report::{Counter, Dimension, Sums, Tally};
use leadyard_platform::reports;
use leadyard_platform::store::ReportPart;
use leadyard_tests::browser::FORM;
use leadyard_tests::routes::REPORTS;
use leadyard_tests::{Browser, Person, Reply, Rules, Yard};
use serde_json::json;

use super::{HOSTILE, READS, is_harmless, names_nobody};

const JULY: &str = "from=2026-07-01&to=2026-07-30";

fn rules() -> Rules {
    Rules::roofing("acme")
        .offer("gutter", "roofing", "mode = \"manual\"")
        .source("ads", "offer = \"gutter\"\ncost_per_lead = \"4.00\"")
        .seller("hudson", [("price", "1040.00"), ("return_days", "7"), ("return_reasons", "wrong-number")])
        .file("spend.csv", "month,source,campaign,amount\n2026-07,ads,spring,310.00\n2026-07,web,,60.00\n")
        .file("people.csv", "person,email,role\nmaria,maria@desk.example,manager\n")
}

/// Three leads in June; in July six that hudson gets and two that wait, of two campaigns and three states.
async fn traded() -> Yard {
    let yard = Yard::of(rules()).await;
    yard.notes();
    yard.advance_to("2026-06-20T16:00:00Z").await;
    for n in 1..=3 {
        yard.settled_lead(&Person::number(n)).await;
    }
    yard.advance_to("2026-07-15T16:00:00Z").await;
    for n in 4..=9 {
        let zip = ["33101", "10001", "30301"][n % 3];
        let mut person = Person::number(n).with("zip", zip);
        if n % 2 == 0 {
            person = person.with("utm_campaign", "spring");
        }
        let lead = yard.settled_lead(&person).await;
        yard.advance(Duration::from_secs(60 * n as u64)).await;
        let _ = yard.answers("hudson", &lead, "accept").await.is(200);
        match n {
            4 | 5 => {
                let _ = yard.answers("hudson", &lead, "contacted").await.is(200);
                let _ = yard.answers_with("hudson", &lead, "won", Some(json!({ "value": "12500.50" }))).await;
            }
            6 => {
                let body = json!({ "reason": "wrong-number" });
                let _ = yard.answers_with("hudson", &lead, "return", Some(body)).await.is(200);
                let seat = yard.story(&lead).await.assignment("hudson")["assignment"].clone();
                let path = format!("/v1/returns/{}/approve", seat.as_str().unwrap());
                let _ = yard.desk(Method::POST, &path, Some(json!({ "reason": "so it is" }))).await.is(200);
            }
            _ => {}
        }
        yard.settle().await;
    }
    for n in 10..=11 {
        let _ = yard.server("ads").posts(&Person::number(n).with("zip", "33101")).await.is(201);
    }
    yard.settle().await;
    yard.count().await;
    yard
}

/// Keeps partial sums as reporting would.
async fn keeps(yard: &Yard, part: &ReportPart) {
    let cloud = &yard.cloud;
    let rules = reports::rules_of(&cloud.store, &cloud.rulebooks, &yard.company_id()).await.unwrap();
    let saved = cloud.store.report_part_save(&yard.company_id(), part, &rules, cloud.clock.now()).await;
    assert!(saved.unwrap());
}

/// The table's rows: what stands in each cell, and beneath it.
pub(super) fn table(page: &Reply) -> Vec<Vec<(String, String)>> {
    let body = page.text.split_once("<tbody>").unwrap_or_else(|| panic!("no table: {}", page.text)).1;
    let body = body.split("</tbody>").next().unwrap();
    let cells = |row: &str| {
        let cells = row.split("</t").filter(|cell| cell.contains("<td") || cell.contains("<th"));
        cells
            .map(|cell| {
                let (_, inner) = cell.rsplit_once("<t").unwrap().1.split_once('>').unwrap();
                let (says, under) = inner.split_once("<span class=\"under\">").unwrap_or((inner, ""));
                let says = says.trim_end_matches("</a>");
                let says = if says.starts_with("<a ") { says.split_once('>').unwrap().1 } else { says };
                (says.to_owned(), under.trim_end_matches("</span>").replace('\u{a0}', " "))
            })
            .collect::<Vec<_>>()
    };
    body.split("</tr>").filter(|row| row.contains("<th")).map(cells).collect()
}

/// Whether a number as people write it is the one that programs read.
fn is(column: &str, shown: &str, told: &str) -> bool {
    let plain = shown.replace(',', "").replace('−', "-");
    if told.is_empty() {
        return plain == "–";
    }
    let (shown, unit) = plain.split_once(' ').unwrap_or((plain.as_str(), ""));
    let (Ok(shown), Ok(told)) = (shown.parse::<f64>(), told.parse::<f64>()) else { return false };
    let (one, within) = match unit {
        "" if column.ends_with("_s") => return false,
        "" => (1.0, 0.000_1),
        "%" => (0.01, 0.001),
        "×" => (1.0, 0.01),
        "s" => (1.0, 0.01),
        "min" => (60.0, 6.0),
        "h" => (3_600.0, 360.0),
        "days" => (86_400.0, 8_640.0),
        _ => return false,
    };
    (shown * one - told).abs() <= within
}

#[tokio::test(start_paused = true)]
async fn every_number_on_a_page_is_the_api_s_for_the_same_period() {
    let yard = traded().await;
    let desk = Browser::of(&yard).await;
    let mut compared = 0;
    for name in REPORTS.iter().copied().chain([
        "leads?by=source",
        "speed?by=dealer",
        "dealers?by=band",
        "offers?by=campaign",
        "unmet?by=band",
        "sources?by=all",
    ]) {
        let glue = if name.contains('?') { '&' } else { '?' };
        let path = format!("{name}{glue}{JULY}");
        let (page, reads) = desk.reads(&format!("/console/reports/{path}")).await;
        assert!(reads <= READS, "{name}: {reads} reads");
        assert!(page.text.len() <= 100_000, "{name}: {} bytes", page.text.len());
        let (header, rows) = yard.desk_csv(&format!("/v1/reports/{path}")).await;
        let shown = table(&page);
        // The table behind the link is the API's, word for word.
        let link = page.text.split("<a href=\"").find(|link| link.contains("CSV of this period")).unwrap();
        let csv = desk.opens(&link.split('"').next().unwrap().replace("&#38;", "&")).await.is(200);
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
        let mut read = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.text.as_bytes());
        let read: Vec<Vec<String>> =
            read.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        assert_eq!(read, [vec![header.clone()], rows.clone()].concat(), "{name}");
        if header[0] == "all" {
            // The whole alone stands a figure a row.
            assert_eq!(rows.len(), 1, "{name}: {rows:?}");
            for (at, column) in header.iter().enumerate().skip(1) {
                let told = rows[0][at].as_str();
                assert!(is(column, &shown[at - 1][1].0, told), "{name}, {column}: {shown:?} is not {told}");
                compared += 1;
            }
            continue;
        }
        assert!(!rows.is_empty(), "{name}: nothing to compare");
        for (row, told) in shown.iter().skip(1).zip(&rows) {
            assert_eq!(row.len(), header.len(), "{name}");
            for (at, column) in header.iter().enumerate().skip(1) {
                assert!(is(column, &row[at].0, &told[at]), "{name}, {column}: {row:?} is not {told:?}");
                compared += 1;
            }
        }
        // The whole, and beneath it what it was.
        let api = yard.report(&path).await;
        for (at, column) in header.iter().enumerate().skip(1) {
            let text = |value: &serde_json::Value| match value {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Null => String::new(),
                number => number.to_string(),
            };
            let (now, before) = (text(&api["whole"][column]), text(&api["before"]["whole"][column]));
            assert!(is(column, &shown[0][at].0, &now), "{name}, {column}: {:?} is not {now}", shown[0][at]);
            if let Some((_, was)) = shown[0][at].1.split_once(" from ") {
                assert!(is(column, was, &before), "{name}, {column}: {was} is not {before}");
                compared += 1;
            }
        }
    }
    assert!(compared > 200, "{compared} figures were compared");
    // Nobody is in a report.
    for name in REPORTS {
        names_nobody(
            &desk.opens(&format!("/console/reports/{name}?{JULY}")).await,
            &["mail.example", "5550"],
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_before_stands_beneath_each_number_and_what_came_to_an_end_has_a_row() {
    let yard = traded().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(&format!("/console/reports/sources?{JULY}")).await.is(200);
    let rows = table(&page);
    let at =
        page.text.split("<th scope=\"col\"").skip(2).position(|head| head.contains(">leads<")).unwrap() + 1;
    let of = |name: &str| rows.iter().find(|row| row[0].0 == name).unwrap_or_else(|| panic!("{rows:?}"));
    // The month before had three, all of the web's.
    assert_eq!(of("All")[at], ("8".to_owned(), "+5 from 3".to_owned()));
    assert_eq!(of("web")[at], ("6".to_owned(), "+3 from 3".to_owned()));
    assert_eq!(of("ads")[at], ("2".to_owned(), "+2 from 0".to_owned()));
    // In August nobody asks: both have rows, and what they were.
    yard.advance_to("2026-08-20T16:00:00Z").await;
    let desk = Browser::of(&yard).await;
    let august = desk.opens("/console/reports/sources?from=2026-08-01&to=2026-08-20").await.is(200);
    let rows = table(&august);
    let web = rows.iter().find(|row| row[0].0 == "web").unwrap_or_else(|| panic!("{rows:?}"));
    assert_eq!(web[at], ("0".to_owned(), "−6 from 6".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn every_row_of_a_long_period_is_compared_too_where_there_are_few() {
    let yard = traded().await;
    yard.advance_to("2026-12-01T16:00:00Z").await;
    let desk = Browser::of(&yard).await;
    // Of 92 days both periods are read at once, of 93 and more one after the other.
    for (from, to, all, web) in [
        ("2026-04-18", "2026-07-18", "+11 from 0", "+9 from 0"),
        ("2026-04-17", "2026-07-18", "+11 from 0", "+9 from 0"),
        ("2026-07-01", "2026-12-01", "+5 from 3", "+3 from 3"),
    ] {
        let page = desk.opens(&format!("/console/reports/sources?from={from}&to={to}")).await.is(200);
        let rows = table(&page);
        let of = |name: &str| rows.iter().find(|row| row[0].0 == name).unwrap_or_else(|| panic!("{rows:?}"));
        assert_eq!((of("All")[1].1.as_str(), of("web")[1].1.as_str()), (all, web), "{from}");
        assert!(!page.text.contains("of the whole alone"), "{from}");
    }
    // Also where both begin and end amid a part of a month, for somebody who came by their mailbox.
    let maria = Browser::by_mail(&yard, "maria@desk.example").await;
    for by in ["source", "campaign", "state"] {
        let amid = format!("/console/reports/sources?by={by}&from=2025-02-12&to=2026-02-11");
        let (page, reads) = maria.reads(&amid).await;
        assert!(reads <= READS && !page.text.contains("of the whole alone"), "{by}: {reads} reads");
    }
    // Days to come cost nothing: what they will, and the year before with them, nobody knows.
    let to_come = desk.opens("/console/reports/sources?from=2026-12-01&to=2027-11-30").await.is(200);
    assert!(to_come.text.contains("of the whole alone"), "{}", to_come.text);
}

#[tokio::test(start_paused = true)]
async fn a_period_is_one_click_away_and_says_that_it_is_chosen() {
    let yard = Yard::of(rules()).await;
    // A Wednesday.
    yard.advance_to("2026-06-10T16:00:00Z").await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/reports/leads").await.is(200);
    for (name, from, to) in [
        ("This week", "2026-06-08", "2026-06-10"),
        ("Last week", "2026-06-01", "2026-06-07"),
        ("This month", "2026-06-01", "2026-06-10"),
        ("Last 30 days", "2026-05-12", "2026-06-10"),
        ("This year", "2026-01-01", "2026-06-10"),
        ("Last 365 days", "2025-06-11", "2026-06-10"),
    ] {
        let link = page.text.split("<a href=\"").find(|link| link.contains(&format!(">{name}<"))).unwrap();
        assert_eq!(link.contains("aria-current"), name == "Last 30 days", "{link}");
        let at = link.split('"').next().unwrap().replace("&#38;", "&");
        assert_eq!(at, format!("/console/reports/leads?company=acme&from={from}&to={to}"));
        let chosen = desk.opens(&at).await.is(200);
        assert!(chosen.text.contains(&format!("aria-current=\"true\">{name}<")), "{name}: {}", chosen.text);
        for day in [from, to] {
            assert!(chosen.text.contains(&format!("type=\"date\" value=\"{day}\"")), "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_day_stays_as_it_was_typed_and_is_said() {
    let yard = Yard::of(rules()).await;
    let desk = Browser::of(&yard).await;
    for (asked, kept, said) in [
        (
            "from=June&to=2026-06-30",
            "type=\"text\" value=\"June\" aria-invalid",
            "From: a day is written 2026-06-01",
        ),
        ("from=2026-06-01&to=06%2F30", "value=\"06/30\" aria-invalid", "To: a day is written 2026-06-01"),
        ("from=2026-06-30&to=2026-06-01", "value=\"2026-06-30\" aria-invalid", "From: a day not after to"),
        ("from=1970-01-01&to=1970-01-02", "value=\"1970-01-02\"", "not before 2000"),
        ("from=%22%3E%3Cscript%3E", "value=\"&#34;&#62;&#60;script&#62;\"", "From: a day is written"),
        (
            "by=colour",
            "<select name=\"by\" aria-invalid",
            "By: the report sources is told by one of: all, source, campaign, offer, category, state.",
        ),
        ("by=dealer", "<select name=\"by\" aria-invalid", "By: the report sources is told by one of"),
    ] {
        let page = desk.opens(&format!("/console/reports/sources?{asked}")).await.is(400);
        assert!(page.text.contains(kept) && page.text.contains(said), "{asked}: {}", page.text);
        assert!(!page.text.contains("<table"), "{asked}");
        is_harmless(&page);
    }
    // Nothing typed is no fault: an empty form asks for the last thirty days.
    let _ = desk.opens("/console/reports/sources?company=acme&from=&to=&by=&chart=").await.is(200);
}

#[tokio::test(start_paused = true)]
async fn what_a_dimension_does_not_know_is_a_dash_and_can_neither_be_chosen_nor_drawn() {
    let yard = traded().await;
    let desk = Browser::of(&yard).await;
    let offers = |page: &Reply, value: &str| page.text.contains(&format!("<option value=\"{value}\""));
    let page = desk.opens(&format!("/console/reports/offers?by=campaign&{JULY}")).await.is(200);
    let heads: Vec<&str> = page.text.split("<th scope=\"col\"").skip(2).collect();
    let at = heads.iter().position(|head| head.contains(">waiting<")).unwrap() + 1;
    let rows = table(&page);
    // Some wait, and of none it is known which campaign brought it.
    assert!(!["0", "–"].contains(&rows[0][at].0.as_str()), "{rows:?}");
    assert!(rows.len() > 2 && rows.iter().skip(1).all(|row| row[at].0 == "–"), "{rows:?}");
    assert!(offers(&page, "leads") && !offers(&page, "waiting"), "{}", page.text);
    let drawn =
        desk.opens(&format!("/console/reports/offers?by=campaign&chart=waiting&{JULY}")).await.is(200);
    assert!(drawn.text.contains("<h2>Chart: leads</h2>"), "{}", drawn.text);
    for (report, dealer) in [("sources", false), ("areas", false), ("dealers", true), ("speed", true)] {
        let page = desk.opens(&format!("/console/reports/{report}?{JULY}")).await.is(200);
        assert_eq!((offers(&page, "state"), offers(&page, "dealer")), (true, dealer), "{report}");
    }
}

#[tokio::test(start_paused = true)]
async fn another_company_s_reports_and_reports_that_are_none_are_not_there() {
    let yard = traded().await;
    let other = yard.also(Rules::roofing("zenith").seller("hudson", [])).await;
    let (ours, theirs) = (Browser::of(&yard).await, Browser::of(&other).await);
    for name in REPORTS {
        for path in [format!("/console/reports/{name}"), format!("/console/reports/{name}/table.csv")] {
            let _ = theirs.opens(&format!("{path}?company=acme&{JULY}")).await.is(404);
            let _ = ours.opens(&format!("{path}?company=zenith")).await.is(404);
            let nobody = yard.requests(Method::GET, &path, HeaderMap::new(), FORM, Vec::new()).await.is(303);
            assert!(nobody.header("location").starts_with("/console/sign-in?next="), "{path}");
        }
    }
    let _ = theirs.opens("/console/reports?company=acme").await.is(404);
    let _ = ours.opens("/console/reports/persons").await.is(404);
    let own = theirs.opens(&format!("/console/reports/dealers?{JULY}")).await.is(200);
    assert!(own.text.contains("Nothing happened") && !own.text.contains("1,040"), "{}", own.text);
}

#[tokio::test(start_paused = true)]
async fn a_company_to_which_nothing_happened_has_pages_that_say_so() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [])).await;
    let desk = Browser::of(&yard).await;
    let list = desk.opens("/console/reports").await.is(200);
    for name in REPORTS {
        assert!(list.text.contains(&format!("href=\"/console/reports/{name}?company=acme\"")), "{name}");
        let page = desk.opens(&format!("/console/reports/{name}")).await.is(200);
        assert!(page.text.contains("Nothing happened in this period, nor in the one before"), "{name}");
        assert!(!page.text.contains("NaN") && !page.text.contains("class=\"chart\""), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_report_says_is_said_in_words() {
    let acme = Rules::roofing("acme").named("Acme Roofs").seller("hudson", [("area", "state:FL")]);
    let yard = Yard::of(acme).await;
    let other = yard.also(Rules::roofing("bolt").named("Bolt Gutters").seller("ridge", [])).await;
    yard.notes();
    yard.settled_lead(&Person::number(1).without("phone").with("zip", "99501")).await;
    yard.count().await;
    let token =
        DeskToken { staff: "maria".to_owned(), companies: vec![yard.company_id(), other.company_id()] };
    let desk = Browser::with(&yard, &yard.cloud.master.mint(&token)).await;
    for path in ["/console/reports", "/console/reports/waiting", "/console/reports/sources"] {
        let page = desk.opens(path).await.is(200);
        for (id, name) in [("acme", "Acme Roofs"), ("bolt", "Bolt Gutters")] {
            let named = page.text.split(&format!("<option value=\"{id}\"")).nth(1).unwrap();
            assert!(named.split_once('>').unwrap().1.starts_with(name), "{path}: {}", page.text);
        }
        let has_money = path.ends_with("sources");
        assert_eq!(page.text.contains("Money is in USD."), has_money, "{path}: {}", page.text);
    }
    let waiting = desk.opens("/console/reports/waiting").await.is(200);
    let row = "reason=area\">no contract covers where they are</a>";
    assert!(waiting.text.contains(row), "{}", waiting.text);
    let list = desk.opens("/console/reports").await.is(200);
    let unmet = desk.opens("/console/reports/unmet").await.is(200);
    assert!(list.text.contains("/unmet?company=acme\"><strong class=\"title\">unmet demand</strong>"));
    assert!(unmet.text.contains("<h1 class=\"title\">unmet demand</h1>"), "{}", unmet.text);
}

#[tokio::test(start_paused = true)]
async fn a_campaign_is_whatever_a_url_said_and_stays_text() {
    let yard = Yard::of(rules()).await;
    yard.notes();
    for (n, campaign) in [(1, HOSTILE), (2, "=HYPERLINK(\"https://evil.example\")"), (3, "</title></svg>")] {
        yard.settled_lead(&Person::number(n).with("utm_campaign", campaign)).await;
    }
    yard.count().await;
    let desk = Browser::of(&yard).await;
    for path in ["campaigns", "campaigns?chart=won", "leads?by=campaign", "speed?by=campaign"] {
        let page = desk.opens(&format!("/console/reports/{path}")).await.is(200);
        is_harmless(&page);
        assert!(page.text.contains("&#60;script&#62;alert(1)"), "{path}: {}", page.text);
        assert_eq!(page.text.matches("</title>").count(), 1, "{path}");
    }
    let csv = desk.opens("/console/reports/campaigns/table.csv").await.is(200);
    assert!(csv.text.contains("'=HYPERLINK"), "{}", csv.text);
}

#[tokio::test(start_paused = true)]
async fn a_name_leads_to_the_leads_behind_it() {
    let yard = traded().await;
    let desk = Browser::of(&yard).await;
    for (report, name, count) in [
        ("sources", "ads", 2),
        ("offers", "gutter", 2),
        // Of two one is won, and not open any more.
        ("areas", "New York", 1),
        ("dealers", "hudson", 8),
        ("waiting", "their offer is placed by the desk", 2),
    ] {
        let page = desk.opens(&format!("/console/reports/{report}?{JULY}")).await.is(200);
        let cell = page.text.split("<th scope=\"row\">").find(|cell| cell.contains(&format!(">{name}</a>")));
        let link = cell.unwrap_or_else(|| panic!("{report}: {}", page.text)).split('"').nth(1).unwrap();
        // The list of an offer's or a state's leads is the hottest of them.
        let hottest = page.text.contains("A name leads to the hottest of its leads that are open now.");
        assert_eq!(hottest, ["offers", "areas"].contains(&report), "{report}: {}", page.text);
        let behind = desk.opens(&link.replace("&#38;", "&")).await.is(200);
        let leads = behind.text.matches("<a href=\"/console/leads/0").count();
        assert_eq!(leads, count, "{report}, {link}: {}", behind.text);
    }
    // A campaign has no list: its name is text.
    let page = desk.opens(&format!("/console/reports/campaigns?{JULY}")).await.is(200);
    assert!(page.text.contains("<th scope=\"row\">spring</th>"), "{}", page.text);
}

#[tokio::test(start_paused = true)]
async fn a_map_has_each_state_s_number_and_what_is_drawn_can_be_chosen() {
    let yard = traded().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens(&format!("/console/reports/areas?{JULY}")).await.is(200);
    for (title, shade) in
        [("Florida: 4, 50 % of all", 4), ("New York: 2, 25 % of all", 4), ("Ohio: nothing", 0)]
    {
        let tile = format!("<g class=\"shade{shade}\"><title>{title}</title>");
        assert!(page.text.contains(&tile), "{tile}: {}", page.text);
    }
    // A rate is no part of a whole: it is drawn as bars.
    let rates = desk.opens(&format!("/console/reports/areas?{JULY}&chart=conversion")).await.is(200);
    assert!(rates.text.contains("class=\"chart\"") && !rates.text.contains("class=\"map\""));
    assert!(rates.text.contains("class=\"many\">50 %</text>"), "{}", rates.text);
    // Two wait, but to be placed by hand: nobody's demand is unmet.
    let unmet = desk.opens(&format!("/console/reports/unmet?{JULY}")).await.is(200);
    assert!(unmet.text.contains("<title>Florida: 0</title>"), "{}", unmet.text);
    let won = desk.opens(&format!("/console/reports/dealers?{JULY}&chart=won_value")).await.is(200);
    assert!(won.text.contains("class=\"many\">25,001.00</text>") && won.text.contains(">30k</text>"));
}

#[tokio::test(start_paused = true)]
async fn where_demand_is_unmet_is_drawn_on_a_map() {
    let yard = Yard::of(Rules::roofing("acme").seller("hudson", [("area", "state:FL")])).await;
    yard.notes();
    for (n, zip) in [(1, "99501"), (2, "33101")] {
        yard.settled_lead(&Person::number(n).without("phone").with("zip", zip)).await;
    }
    yard.count().await;
    let desk = Browser::of(&yard).await;
    let page = desk.opens("/console/reports/unmet").await.is(200);
    let tile = "<g class=\"shade4\"><title>Alaska: 1, 100 % of all</title>";
    assert!(page.text.contains(tile) && page.text.contains("<title>Florida: 0</title>"), "{}", page.text);
}

#[tokio::test(start_paused = true)]
async fn a_chart_of_the_whole_alone_says_in_what_it_is_measured() {
    let yard = traded().await;
    let desk = Browser::of(&yard).await;
    for (asked, about) in [
        ("dealers?by=all&chart=owed", "money, USD"),
        ("dealers?by=all&chart=delivered", "how many"),
        ("dealers?by=all&chart=conversion", "share"),
        ("sources?by=all&chart=return_on_spend", "times"),
        ("speed?by=all", "time"),
    ] {
        let page = desk.opens(&format!("/console/reports/{asked}&{JULY}")).await.is(200);
        assert!(page.text.contains(&format!("<h2>Chart: {about}</h2>")), "{asked}: {}", page.text);
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_csv_has_more_is_of_this_period() {
    // (campaigns of today, others of yesterday, more in the CSV, more of yesterday)
    for (now, before, in_csv, gone) in [(30, 40, 0, 20), (60, 10, 10, 10), (30, 20, 0, 0), (51, 0, 1, 0)] {
        let yard = Yard::of(rules()).await;
        for (day, word, many) in [(date(2026, 6, 1), "new", now), (date(2026, 5, 31), "old", before)] {
            let mut sums = Sums::default();
            let mut tally = Tally::default();
            tally.add(Counter::Leads, 1);
            for n in 0..many {
                sums.add(Dimension::Campaign, &format!("{word}-{n}"), &tally);
                sums.add(Dimension::All, "", &tally);
            }
            let (shard, sequence) = ("shardId-1".to_owned(), "1".to_owned());
            let part = ReportPart { day, shard, sequence, sums, ..ReportPart::default() };
            keeps(&yard, &part).await;
        }
        let desk = Browser::of(&yard).await;
        let period = "from=2026-06-01&to=2026-06-01";
        let screen = desk.opens(&format!("/console/reports/campaigns?{period}")).await.is(200);
        // At first as many as a screen has room for, and a way to the others.
        assert_eq!(table(&screen).len(), 1 + 6, "{now}, {before}");
        assert!(
            screen.text.contains(&format!("; {} more are not drawn.", now + before - 6)),
            "{}",
            screen.text
        );
        let further = super::leads::link(&screen, &format!("Show {} rows", (now + before).min(50))).unwrap();
        let page = desk.opens(&further).await.is(200);
        assert!(!page.text.contains(">Show "), "{}", page.text);
        let csv = desk.opens(&format!("/console/reports/campaigns/table.csv?{period}")).await.is(200);
        // The whole has a row, and the CSV a head.
        let shown = table(&page).iter().skip(1).filter(|row| row[0].0.starts_with("new")).count();
        assert_eq!(csv.text.lines().count() - 1, shown + in_csv, "{now}, {before}");
        for (many, said) in
            [(in_csv, "more are in the CSV"), (gone, "more were there in the period before alone")]
        {
            let says = page.text.contains(&format!("; {many} {said}"));
            assert_eq!((says, page.text.contains(said)), (many > 0, many > 0), "{now}, {before}: {said}");
        }
        // The bars are of all, and not of the table's rows alone.
        assert!(page.text.contains(&format!("; {} more are not drawn.", now + before - 12)), "{}", page.text);
    }
}

#[tokio::test(start_paused = true)]
async fn two_hundred_campaigns_of_a_year_make_a_page_of_bounded_size() {
    let yard = Yard::of(rules()).await;
    let mut sums = Sums::default();
    for n in 0..250 {
        let mut tally = Tally::default();
        for counter in Counter::ALL {
            tally.add(*counter, 1_234_567 - n);
        }
        sums.add(Dimension::Campaign, &format!("a campaign with a long name, number {n}"), &tally);
        sums.add(Dimension::All, "", &tally);
    }
    for day in [date(2026, 6, 1), date(2025, 5, 1)] {
        let sums = sums.clone();
        let (shard, sequence) = ("shardId-1".to_owned(), "1".to_owned());
        let part = ReportPart { day, shard, sequence, sums, ..ReportPart::default() };
        keeps(&yard, &part).await;
    }
    let desk = Browser::of(&yard).await;
    // Also of a year that begins and ends amid a part of a month, and of the one before it.
    let amid = "/console/reports/sources?by=campaign&from=2025-02-12&to=2026-02-11";
    let _ = desk.opens(amid).await.is(200);
    let (_, reads) = desk.reads(amid).await;
    assert!(reads <= READS, "{reads} reads");
    for by in ["campaign", "all"] {
        let (page, reads) = desk
            .reads(&format!("/console/reports/sources?by={by}&from=2025-06-02&to=2026-06-01&rows=all"))
            .await;
        assert!(page.text.len() <= 100_000, "{by}: {} bytes", page.text.len());
        // Also where what sources cost a lead is a third table; and the first page reads the rulebook.
        assert!(reads <= READS, "{by}: {reads} reads");
        if by == "campaign" {
            assert!(page.text.contains("200 more are in the CSV"), "of 250");
        }
    }
}
