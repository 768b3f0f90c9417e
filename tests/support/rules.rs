//! Small rulebooks, in the words of their files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// A rulebook in the making. Offers, sources, dealers and contracts are given as the keys and columns of
/// `contract.md`; what is not said takes the default a test can forget about.
#[derive(Clone)]
pub struct Rules {
    /// Whose.
    pub company: String,
    name: String,
    company_more: String,
    offers: String,
    sources: Vec<String>,
    source_text: String,
    scoring: String,
    dealers: Vec<BTreeMap<String, String>>,
    contracts: Vec<BTreeMap<String, String>>,
    inboxes: Vec<String>,
    base: String,
    more: Vec<(String, String)>,
}

/// Everyone with an e-mail or a phone may be sold, at any age: what a test does not ask about does not
/// change under it.
const SCORING: &str = r#"
half_life_days = 14
[[fit]]
label = "can be written to"
points = 20
has = ["email"]
[[fit]]
label = "can be called"
points = 20
has = ["phone"]
[interactions]
enquiry = { points = 10, daily_cap = 3 }
quote_request = { points = 30, daily_cap = 2 }
page_view = { points = 1, daily_cap = 10 }
[bands.fit]
A = 40
B = 10
[bands.engagement]
1 = 40
2 = 1
"#;

impl Rules {
    /// A company in New York's zone without anything; see [`Rules::roofing`].
    pub fn company(id: &str) -> Self {
        Self {
            company: id.to_owned(),
            name: id.to_owned(),
            company_more: String::new(),
            offers: String::new(),
            sources: Vec::new(),
            source_text: String::new(),
            scoring: SCORING.to_owned(),
            dealers: Vec::new(),
            contracts: Vec::new(),
            inboxes: Vec::new(),
            base: "http://127.0.0.1:9".to_owned(),
            more: Vec::new(),
        }
    }

    /// A company with one offer (`roof`, of `roofing`) and one source (`web`).
    pub fn roofing(id: &str) -> Self {
        Self::company(id).offer("roof", "roofing", "").source("web", "offer = \"roof\"")
    }

    /// What the company is called, where that is not its id.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// More of `company.toml`.
    #[must_use]
    pub fn with(mut self, toml: &str) -> Self {
        self.company_more.push_str(toml);
        self.company_more.push('\n');
        self
    }

    /// An `[[offer]]`, and more of it as TOML.
    #[must_use]
    pub fn offer(mut self, id: &str, category: &str, more: &str) -> Self {
        let _ = writeln!(
            self.offers,
            "[[offer]]\nid = \"{id}\"\ncategory = \"{category}\"\nname = \"{id}\"\n{more}"
        );
        self
    }

    /// A `[[source]]` of kind form, and more of it as TOML.
    #[must_use]
    pub fn source(mut self, id: &str, more: &str) -> Self {
        self.sources.push(id.to_owned());
        let _ = writeln!(self.source_text, "[[source]]\nid = \"{id}\"\nkind = \"form\"\n{more}");
        self
    }

    /// A `[[source]]` of kind file, and more of it as TOML.
    #[must_use]
    pub fn file_source(self, id: &str, more: &str) -> Self {
        self.source_of("file", id, more)
    }

    /// A `[[source]]` of any kind, and more of it as TOML.
    #[must_use]
    pub fn source_of(mut self, kind: &str, id: &str, more: &str) -> Self {
        self.sources.push(id.to_owned());
        let _ = writeln!(self.source_text, "[[source]]\nid = \"{id}\"\nkind = \"{kind}\"\n{more}");
        self
    }

    /// Another `scoring.toml`.
    #[must_use]
    pub fn scoring(mut self, toml: &str) -> Self {
        toml.clone_into(&mut self.scoring);
        self
    }

    /// A dealer in Miami, open always, with a webhook; `columns` say otherwise.
    #[must_use]
    pub fn dealer<const N: usize>(mut self, id: &str, columns: [(&str, &str); N]) -> Self {
        let mut row = BTreeMap::from([
            ("dealer".to_owned(), id.to_owned()),
            ("name".to_owned(), id.to_owned()),
            ("zip".to_owned(), "33101".to_owned()),
        ]);
        row.extend(columns.map(|(name, value)| (name.to_owned(), value.to_owned())));
        self.dealers.push(row);
        self
    }

    /// A dealer that reads its inbox and has no webhook.
    #[must_use]
    pub fn inbox_dealer<const N: usize>(self, id: &str, columns: [(&str, &str); N]) -> Self {
        let mut rules = self.dealer(id, columns);
        rules.inboxes.push(id.to_owned());
        rules
    }

    /// A contract of a dealer, of the same name: any offer, any source, anywhere, 10.00; `columns` say
    /// otherwise. `area` is a part (`zip:33101`), or several separated by spaces.
    #[must_use]
    pub fn contract<const N: usize>(mut self, id: &str, dealer: &str, columns: [(&str, &str); N]) -> Self {
        let mut row = BTreeMap::from(
            [
                ("contract", id),
                ("dealer", dealer),
                ("offers", "*"),
                ("sources", "*"),
                ("area", "any"),
                ("price", "10.00"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        row.extend(columns.map(|(name, value)| (name.to_owned(), value.to_owned())));
        self.contracts.push(row);
        self
    }

    /// A dealer and its contract under one name.
    #[must_use]
    pub fn seller<const N: usize>(self, id: &str, contract: [(&str, &str); N]) -> Self {
        self.dealer(id, []).contract(id, id, contract)
    }

    /// Where the dealers' webhooks are: `BASE/COMPANY/DEALER`.
    #[must_use]
    pub fn received_at(mut self, base: &str) -> Self {
        base.clone_into(&mut self.base);
        self
    }

    /// A whole file in place of the one built here.
    #[must_use]
    pub fn file(mut self, name: &str, text: &str) -> Self {
        self.more.push((name.to_owned(), text.to_owned()));
        self
    }

    /// The sources' ids.
    pub fn source_ids(&self) -> &[String] {
        &self.sources
    }

    /// The dealers' ids.
    pub fn dealer_ids(&self) -> Vec<String> {
        self.dealers.iter().map(|row| row["dealer"].clone()).collect()
    }

    /// The files.
    pub fn files(&self) -> BTreeMap<String, String> {
        let company = &self.company;
        let mut channels = "dealer,order,kind,address\n".to_owned();
        for row in &self.dealers {
            let dealer = &row["dealer"];
            let _ = if self.inboxes.contains(dealer) {
                writeln!(channels, "{dealer},1,inbox,")
            } else {
                writeln!(channels, "{dealer},1,webhook,{}/{company}/{dealer}", self.base)
            };
        }
        let mut areas = "area,part\n".to_owned();
        let mut contracts = self.contracts.clone();
        for row in &mut contracts {
            let name = format!("of-{}", row["contract"]);
            for part in row["area"].split_whitespace() {
                let _ = writeln!(areas, "{name},{part}");
            }
            row.insert("area".to_owned(), name);
        }
        let mut files = BTreeMap::from([
            (
                "company.toml".to_owned(),
                format!(
                    "id = \"{company}\"\nname = \"{}\"\nzone = \"America/New_York\"\n{}",
                    self.name, self.company_more
                ),
            ),
            ("offers.toml".to_owned(), self.offers.clone()),
            ("sources.toml".to_owned(), self.source_text.clone()),
            ("scoring.toml".to_owned(), self.scoring.clone()),
            ("dealers.csv".to_owned(), csv(&self.dealers)),
            ("channels.csv".to_owned(), channels),
            ("areas.csv".to_owned(), areas),
            ("contracts.csv".to_owned(), csv(&contracts)),
        ]);
        files.extend(self.more.iter().cloned());
        files
    }

    /// Writes the files into a folder.
    pub fn write_to(&self, folder: &Path) {
        for (name, text) in self.files() {
            std::fs::write(folder.join(name), text).expect("the rulebook's folder can be written");
        }
    }
}

fn csv(rows: &[BTreeMap<String, String>]) -> String {
    let mut columns: Vec<&str> = rows.iter().flat_map(|row| row.keys().map(String::as_str)).collect();
    columns.sort_unstable();
    columns.dedup();
    let mut text = columns.join(",");
    for row in rows {
        let cells: Vec<&str> =
            columns.iter().map(|column| row.get(*column).map_or("", String::as_str)).collect();
        text.push('\n');
        text.push_str(&cells.join(","));
    }
    text
}
