//! The columns of the tables: name, what an empty cell means, rule. One table, read by the reader, by the
//! notes of the spreadsheet template, by the edits of single rows, and held to the docs by a test.

/// Whether a table must have a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The column, and a value in every row.
    Needed,
    /// An empty cell means the default.
    Usual,
    /// Known, and not implemented by this version: may only be empty.
    Later,
}

/// One column of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// As the first row names it.
    pub name: &'static str,
    /// Whether it must be there.
    pub presence: Presence,
    /// What an empty cell means; `needed` where it may not be empty.
    pub empty: &'static str,
    /// What a cell may say.
    pub rule: &'static str,
    /// All that a cell may say, where that is a short list of words.
    pub words: &'static [&'static str],
    /// Whether it holds dates, so that a spreadsheet's own date is one.
    pub is_date: bool,
}

/// One table of the rulebook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableColumns {
    /// Without its ending: `dealers` stands in `dealers.csv`, or in the sheet `dealers`.
    pub table: &'static str,
    /// In the usual order.
    pub columns: &'static [Column],
}

/// The tables of this version, in the order they are read.
pub const TABLES: [TableColumns; 5] = [
    TableColumns { table: "dealers", columns: &DEALERS },
    TableColumns { table: "channels", columns: &CHANNELS },
    TableColumns { table: "areas", columns: &AREAS },
    TableColumns { table: "contracts", columns: &CONTRACTS },
    TableColumns { table: "people", columns: &PEOPLE },
];

/// Of `people.csv`.
pub(super) const PEOPLE: [Column; 3] = [
    needed("person", "an id, as the log of changes names them"),
    needed("email", "an address, each once; they sign in by it"),
    needed("role", "reader desk manager").words(&["reader", "desk", "manager"]),
];

/// Of `dealers.csv`.
pub(super) const DEALERS: [Column; 15] = [
    needed("dealer", "an id"),
    usual("kind", "outside", "outside own").words(&["outside", "own"]),
    needed("name", "1 to 200 characters"),
    usual("contact", "none", "to 200 characters"),
    usual("email", "none", "an address"),
    usual("phone", "none", "a number"),
    usual("billing_email", "none", "an address"),
    needed("zip", "33101; 2134 is mended to 02134"),
    usual("zone", "the company's", "IANA name"),
    usual("hours", "24/7", "Mo-Fr 08:00-18:00; Sa 09:00-12:00"),
    usual("after_hours", "hold", "hold deliver").words(&["hold", "deliver"]),
    usual("holidays", "none", "days and vacations, 2026-12-25 2026-07-01..2026-07-14, to 400 days").dates(),
    usual("cap_day", "none", "1 to 1,000,000"),
    usual("cap_month", "none", "1 to 1,000,000"),
    usual("prepaid", "no", "yes no: leads only as far as what was paid in advance goes")
        .words(&["yes", "no"]),
];

/// Of `channels.csv`.
pub(super) const CHANNELS: [Column; 7] = [
    needed("dealer", "of dealers.csv"),
    needed("order", "1 to 8, each once a dealer"),
    needed("kind", "webhook inbox mail sqs").words(&["webhook", "inbox", "mail", "sqs"]),
    usual(
        "address",
        "an inbox has none",
        "webhook: https://, on loopback http:// too; mail: leads@example.com; sqs: a queue's name or URL",
    ),
    usual("when", "fallback", "fallback: when those before it have failed; always: side by side with them")
        .words(&["fallback", "always"]),
    usual("format", "standard", "standard adf, or a template of templates.toml; of webhooks"),
    usual("vendor_id", "none", "what the dealer is called in its own system, to 64 characters"),
];

/// Of `spend.csv`.
pub(super) const SPEND: [Column; 4] = [
    needed("month", "2026-06"),
    needed("source", "of sources.toml"),
    usual("campaign", "none in particular", "as UTM parameters name it, to 200 characters"),
    needed("amount", "1200.00, 0 to 10,000,000"),
];

/// Of `areas.csv`.
pub(super) const AREAS: [Column; 2] = [
    needed("area", "an id, the same in every row of the area"),
    needed("part", "zip:33101, zip3:331, county:12086, radius_mi:25 (1 to 500), state:FL or any"),
];

/// Of `contracts.csv`.
pub(super) const CONTRACTS: [Column; 30] = [
    needed("contract", "an id"),
    needed("dealer", "of dealers.csv"),
    needed("offers", "ids separated by spaces, or * for all"),
    needed("sources", "ids separated by spaces, or * for all"),
    needed("area", "of areas.csv"),
    usual("territory", "open", "open first protected closed").words(&[
        "open",
        "first",
        "protected",
        "closed",
    ]),
    usual("sale", "exclusive", "exclusive shared:2 … shared:10").words(&[
        "exclusive",
        "shared:2",
        "shared:3",
        "shared:4",
        "shared:5",
        "shared:6",
        "shared:7",
        "shared:8",
        "shared:9",
        "shared:10",
    ]),
    usual("when_unavailable", "next", "wait next").words(&["wait", "next"]),
    usual("min_band", "C3", "A1 … C3").words(&["A1", "A2", "A3", "B1", "B2", "B3", "C1", "C2", "C3"]),
    usual("needs", "none", "consent certificate dnc_clean, or *"),
    usual("max_age_hours", "no limit", "1 to 87,600"),
    usual("tier", "1", "1 to 99"),
    usual("weight", "1", "1 to 1,000"),
    needed("price", "45.00, 0 to 10,000,000"),
    usual("cap_hour", "none", "1 to 1,000,000"),
    usual("cap_day", "none", "1 to 1,000,000"),
    usual("cap_week", "none", "1 to 1,000,000"),
    usual("cap_month", "none", "1 to 1,000,000"),
    usual("cap_total", "none", "1 to 1,000,000"),
    usual("budget_month", "none", "an amount above 0, for a calendar month"),
    usual("deadline_minutes", "the company's", "0 (none) to 20,160"),
    usual("deadline_clock", "the company's, else open", "open wall").words(&["open", "wall"]),
    usual("after_hours", "the dealer's", "hold deliver").words(&["hold", "deliver"]),
    usual("return_days", "nothing may be returned", "1 to 90, from the charge on"),
    usual("return_quota", "no limit", "10% of the leads charged in a month, though always one"),
    usual("return_reasons", "", "ids separated by spaces, to 20; needed with return_days"),
    usual("return_approval", "desk", "desk trusted").words(&["desk", "trusted"]),
    usual("again", "yes", "yes no: whether it may have a lead again that comes back in a later cycle")
        .words(&["yes", "no"]),
    usual("starts", "open", "first day, 2026-01-31").dates(),
    usual("ends", "open", "last day, 2026-12-31").dates(),
];

/// Keys of an `[[offer]]`.
pub(super) const OFFER_KEYS: [&str; 7] = ["id", "category", "name", "mode", "ranking", "band", "incentive"];

/// Keys of a `[[source]]`.
pub(super) const SOURCE_KEYS: [&str; 17] = [
    "id",
    "kind",
    "offer",
    "offers",
    "fields",
    "values",
    "origins",
    "thank_you",
    "error_page",
    "test",
    "ends",
    "key_generation",
    "earlier_key_until",
    "postback",
    "caps",
    "cost_per_lead",
    "form_token",
];

const fn needed(name: &'static str, rule: &'static str) -> Column {
    Column { name, presence: Presence::Needed, empty: "needed", rule, words: &[], is_date: false }
}

const fn usual(name: &'static str, empty: &'static str, rule: &'static str) -> Column {
    Column { name, presence: Presence::Usual, empty, rule, words: &[], is_date: false }
}

impl Column {
    const fn words(self, words: &'static [&'static str]) -> Self {
        Self { words, ..self }
    }

    const fn dates(self) -> Self {
        Self { is_date: true, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;
    use crate::contract::{Sale, Territory, WhenUnavailable};
    use crate::dealer::{AfterHours, ChannelKind, ChannelWhen, DealerKind};
    use crate::scoring::Band;

    fn column(table: &str, name: &str) -> Column {
        let table = TABLES.iter().find(|known| known.table == table).unwrap();
        *table.columns.iter().find(|column| column.name == name).unwrap()
    }

    /// The rows of a table in the docs, without the marks of code: names, default, rule.
    fn documented(file: &str) -> Vec<(Vec<String>, String, String)> {
        let docs = include_str!("mod.rs");
        let (_, section) = docs.split_once(&format!("//! **`{file}`**")).unwrap();
        section
            .lines()
            .skip(4)
            .take_while(|line| line.starts_with("//! | "))
            .map(|line| {
                let cells: Vec<&str> = line.trim_start_matches("//! |").split('|').map(str::trim).collect();
                let names = cells[0].split('`').skip(1).step_by(2).map(str::to_owned).collect();
                (names, cells[1].replace('`', ""), cells[2].replace('`', ""))
            })
            .collect()
    }

    #[test]
    fn the_docs_say_what_the_columns_are() {
        for TableColumns { table, columns } in TABLES {
            let rows = documented(&format!("{table}.csv"));
            let named: Vec<&String> = rows.iter().flat_map(|(names, ..)| names).collect();
            let mut known: Vec<&str> = columns
                .iter()
                .filter(|column| column.presence != Presence::Later)
                .map(|column| column.name)
                .collect();
            let mut sorted: Vec<&str> = named.iter().map(|name| name.as_str()).collect();
            known.sort_unstable();
            sorted.sort_unstable();
            assert_eq!(sorted, known, "{table}");
            for (names, empty, rule) in &rows {
                for name in names {
                    assert_eq!(&column(table, name).empty, empty, "{table}.{name}");
                }
                if let [name] = &names[..] {
                    assert_eq!(&column(table, name).rule, rule, "{table}.{name}");
                }
            }
        }
    }

    #[test]
    fn the_words_of_a_column_are_those_of_its_type() {
        let words = |all: Vec<String>| all;
        for (table, name, all) in [
            ("people", "role", words(Role::ALL.iter().map(ToString::to_string).collect())),
            ("dealers", "kind", words(DealerKind::ALL.iter().map(ToString::to_string).collect())),
            ("dealers", "after_hours", words(AfterHours::ALL.iter().map(ToString::to_string).collect())),
            ("contracts", "after_hours", words(AfterHours::ALL.iter().map(ToString::to_string).collect())),
            ("channels", "kind", words(ChannelKind::ALL.iter().map(ToString::to_string).collect())),
            ("channels", "when", words(ChannelWhen::ALL.iter().map(ToString::to_string).collect())),
            ("contracts", "territory", words(Territory::ALL.iter().map(ToString::to_string).collect())),
            (
                "contracts",
                "when_unavailable",
                words(WhenUnavailable::ALL.iter().map(ToString::to_string).collect()),
            ),
        ] {
            assert_eq!(column(table, name).words, all, "{table}.{name}");
        }
        for word in column("contracts", "sale").words {
            assert_eq!(word.parse::<Sale>().unwrap().to_string(), *word);
        }
        assert_eq!(column("contracts", "sale").words.len(), usize::from(crate::limits::SEATS));
        for word in column("contracts", "min_band").words {
            assert_eq!(word.parse::<Band>().unwrap().to_string(), *word);
        }
        assert_eq!(column("contracts", "min_band").words.len(), 9);
    }
}
