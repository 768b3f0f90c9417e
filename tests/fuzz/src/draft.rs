//! A rulebook as text: made cell by cell of what is right, and now and then of what is nasty; or the demo's,
//! damaged.

use std::fmt::Write as _;
use std::path::Path;

use leadyard_domain::rulebook::RulebookFiles;

use crate::bytes::Bytes;

/// The demo's files.
pub const DEMO: [(&str, &str); 9] = [
    ("company.toml", include_str!("../../../infra/local/demo/company.toml")),
    ("offers.toml", include_str!("../../../infra/local/demo/offers.toml")),
    ("sources.toml", include_str!("../../../infra/local/demo/sources.toml")),
    ("scoring.toml", include_str!("../../../infra/local/demo/scoring.toml")),
    ("dealers.csv", include_str!("../../../infra/local/demo/dealers.csv")),
    ("channels.csv", include_str!("../../../infra/local/demo/channels.csv")),
    ("areas.csv", include_str!("../../../infra/local/demo/areas.csv")),
    ("contracts.csv", include_str!("../../../infra/local/demo/contracts.csv")),
    ("tests.toml", include_str!("../../../infra/local/demo/tests.toml")),
];

/// What no cell should hold.
pub const NASTY: &[&str] = &[
    "",
    "0",
    "-1",
    "1e9",
    "18446744073709551616",
    "-9223372036854775808",
    "0.001",
    "99999999999999999999.99",
    "NaN",
    "*",
    "* *",
    "\"",
    "\"\"\"",
    "'",
    "=1+1",
    "\u{feff}",
    "\u{0}",
    "\u{202e}\u{e9}\u{301}",
    "ﬀ",
    "c0 c0",
    "24:00-24:00",
    "Mo-Mo 00:00-24:00",
    "Mo 08:00-18:00,18:00-24:00; Mo 00:00-01:00",
    "-9999-01-01",
    "9999-12-31",
    "2026-02-30",
    "2026-06-01 2026-06-01",
    "shared:255",
    "zip:00000",
    "zip3:999",
    "county:99999",
    "radius_mi:4294967296",
    "state:ZZ",
    "performance:182d:10000",
    "https://[::1]:99999/",
    "http://127.0.0.1/../../",
    "\n",
    "a,b",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

/// ZIPs in every kind of place: cities, the far north, the antimeridian, no coordinates, the military, none.
pub const ZIPS: &[&str] = &[
    "33101", "10001", "80219", "90085", "96799", "99546", "99723", "00601", "96940", "09020", "83858",
    "79901", "33130", "06390", "33100",
];

/// States beside them.
pub const STATES: &[&str] = &["FL", "NY", "CO", "CA", "AS", "AK", "PR", "AE", "ID", "TX"];

/// Zones that change their clocks at odd times, or never.
pub const ZONES: &[&str] = &[
    "",
    "America/New_York",
    "America/Los_Angeles",
    "Asia/Beirut",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Australia/Lord_Howe",
    "Asia/Gaza",
    "Etc/GMT+12",
    "Pacific/Kiritimati",
    "UTC",
    "Europe/Dublin",
];

/// Opening hours, never open among them.
pub const HOURS: &[&str] = &[
    "",
    "24/7",
    "Mo-Fr 08:00-18:00",
    "Mo-Fr 08:00-18:00; Sa 09:00-12:00",
    ";",
    "Su 00:00-24:00",
    "Mo 00:00-00:01",
    "Mo-Su 02:00-03:00",
    "Sa-Mo 23:59-24:00",
    "Mo-Su 00:00-00:30,01:30-02:30,12:00-12:01,23:00-24:00",
    "Fr 20:00-24:00; Sa 00:00-02:00",
];

const CONTRACTS: &[(&str, &[&str])] = &[
    ("territory", &["", "open", "open", "first", "protected", "closed"]),
    ("sale", &["", "exclusive", "shared:2", "shared:3", "shared:10"]),
    ("when_unavailable", &["", "next", "wait"]),
    ("min_band", &["", "C3", "C3", "B2", "A1"]),
    ("needs", &["", "", "consent", "certificate dnc_clean", "*"]),
    ("max_age_hours", &["", "", "1", "72", "87600"]),
    ("tier", &["", "1", "2", "99"]),
    ("weight", &["", "1", "7", "1000"]),
    ("price", &["45.00", "0", "0.01", "10000000"]),
    ("cap_hour", &["", "", "1", "1000000"]),
    ("cap_day", &["", "", "2"]),
    ("cap_week", &["", "", "3"]),
    ("cap_month", &["", "", "4"]),
    ("cap_total", &["", "", "", "1"]),
    ("budget_month", &["", "", "0.01", "100.00", "10000000"]),
    ("deadline_minutes", &["", "", "1", "20160"]),
    ("deadline_clock", &["", "", "", "wall"]),
    ("after_hours", &["", "hold", "deliver"]),
    ("starts", &["", "", "", "", "2026-03-08", "2026-06-01"]),
    ("ends", &["", "", "", "2026-06-01", "2026-11-01", "9999-12-31"]),
];

const RANKINGS: &[&str] = &[
    "\"tier\", \"distance:10mi\", \"share\", \"longest_ago\"",
    "\"share\"",
    "\"price\", \"share\"",
    "\"performance:90d:20\", \"longest_ago\"",
    "\"distance:1mi\"",
    "\"distance:500mi\", \"performance:7d:1\", \"share\", \"tier\", \"price\"",
];

/// A rulebook before it is read.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Names and text.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Draft {
    /// The demo.
    pub fn demo() -> Self {
        let files = DEMO.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
        Self { files: files.collect() }
    }

    /// From bytes: the demo or one of a few rows, with some damage or none.
    pub fn of(bytes: &mut Bytes<'_>) -> Self {
        // A rulebook of hundreds of rows takes a thousand times as long to read as one of five.
        let mut draft = if bytes.chance(2) { Self::demo() } else { Self::small(bytes) };
        let damages = if bytes.chance(64) { 1 + bytes.below(4) } else { 0 };
        for _ in 0..damages {
            draft.damage(bytes);
        }
        draft
    }

    /// A few dealers and contracts, on areas that overlap.
    pub fn small(bytes: &mut Bytes<'_>) -> Self {
        let mut files = Vec::new();
        let mut add = |name: &str, text: String| files.push((name.to_owned(), text.into_bytes()));
        let zone = bytes.pick(&ZONES[1..]);
        let week = bytes.pick(&["monday", "sunday"]);
        let window = bytes.pick(&["30", "1", "365"]);
        let (mode, ranking) =
            (bytes.pick(&["automatic", "automatic", "automatic", "manual"]), bytes.pick(RANKINGS));
        add(
            "company.toml",
            format!(
                "id = \"yard\"\nname = \"Yard\"\nzone = \"{zone}\"\nwindow_days = {window}\nweek_starts = \"{week}\"\nmode = \"{mode}\"\nranking = [{ranking}]\ndeadline_minutes = 60\n"
            ),
        );
        let mut offers = String::new();
        for id in ["roof", "gutter", "solar", "moon"] {
            let category = if id == "gutter" { "roof" } else { id };
            let ranking = bytes.pick(RANKINGS);
            let _ = write!(
                offers,
                "[[offer]]\nid = \"{id}\"\ncategory = \"{category}\"\nname = \"Offer\"\nranking = [{ranking}]\n"
            );
        }
        add("offers.toml", offers);
        let source = |id: &str| format!("[[source]]\nid = \"{id}\"\nkind = \"form\"\n");
        add("sources.toml", source("page") + &source("list"));
        add("scoring.toml", String::new());
        let dealers = 1 + bytes.below(5);
        let mut rows =
            "dealer,name,zip,zone,hours,after_hours,holidays,cap_day,cap_month,prepaid\n".to_owned();
        for number in 0..dealers {
            let cells = [
                format!("d{number}"),
                "Dealer".to_owned(),
                bytes.pick(&ZIPS[..14]).to_owned(),
                cell(bytes, ZONES),
                cell(bytes, HOURS),
                cell(bytes, &["", "hold", "deliver"]),
                cell(bytes, &["", "", "2026-06-01", "2026-03-08 2026-11-01 9999-12-31"]),
                cell(bytes, &["", "", "1", "5"]),
                cell(bytes, &["", "", "6"]),
                cell(bytes, &["", "no", "no", "yes"]),
            ];
            rows += &row(&cells);
        }
        add("dealers.csv", rows);
        let mut rows = "area,part\nany,any\nr10,radius_mi:10\nr500,radius_mi:500\n".to_owned();
        for zip in ZIPS {
            let _ = write!(rows, "z{zip},zip:{zip}\nwide,zip3:{}\n", &zip[..3]);
        }
        for state in STATES {
            let _ = writeln!(rows, "s-{},state:{state}", state.to_lowercase());
        }
        rows += "mixed,county:12086\nmixed,radius_mi:60\nmixed,state:FL\nmixed,any\nmixed,zip:33101\n";
        add("areas.csv", rows);
        let names: Vec<&str> = CONTRACTS.iter().map(|(name, _)| *name).collect();
        let mut rows = format!("contract,dealer,offers,sources,area,{}\n", names.join(","));
        // Near each other, or nothing would ever compete.
        let home = bytes.below(4);
        for number in 0..=bytes.below(8) {
            let area = match bytes.below(8) {
                0 => "any".to_owned(),
                1 => "r10".to_owned(),
                2 => "r500".to_owned(),
                3 => "wide".to_owned(),
                4 => "mixed".to_owned(),
                5 => format!("z{}", ZIPS[home]),
                6 => format!("s-{}", STATES[home].to_lowercase()),
                _ => format!("z{}", bytes.pick(ZIPS)),
            };
            let mut cells = vec![
                format!("c{number}"),
                format!("d{}", bytes.below(dealers)),
                cell(bytes, &["*", "roof", "roof gutter", "solar roof", "gutter"]),
                cell(bytes, &["*", "*", "page", "list page"]),
                area,
            ];
            cells.extend(CONTRACTS.iter().map(|(_, right)| cell(bytes, right)));
            rows += &row(&cells);
        }
        add("contracts.csv", rows);
        Self { files }
    }

    /// Changes one thing in one file: a cell, a row, a byte, the end.
    pub fn damage(&mut self, bytes: &mut Bytes<'_>) {
        let at = bytes.below(self.files.len());
        let Some((name, text)) = self.files.get_mut(at) else { return };
        match bytes.below(8) {
            0 => {
                let byte = bytes.byte();
                let at = bytes.below(text.len());
                if let Some(known) = text.get_mut(at) {
                    *known ^= byte;
                }
            }
            1 => text.truncate(bytes.below(text.len() + 1)),
            2 => {
                // A row once more, or none of it.
                let mut rows: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
                let at = bytes.below(rows.len());
                if at < rows.len() {
                    if bytes.chance(128) {
                        let again = rows[at];
                        rows.insert(bytes.below(rows.len()), again);
                    } else {
                        rows.remove(at);
                    }
                }
                *text = rows.concat();
            }
            3 => {
                *name = bytes
                    .pick(&["contracts.csv", "areas.csv", "README", "x.toml", "tests.toml", "b.xlsx"])
                    .to_owned();
            }
            4 => {
                let at = bytes.below(text.len() + 1);
                let nasty = bytes.pick(NASTY);
                text.splice(at..at, nasty.bytes());
            }
            _ => {
                let is_table = Path::new(name.as_str()).extension().is_some_and(|end| end == "csv");
                let between = |byte: &u8| *byte == b'\n' || *byte == if is_table { b',' } else { b'"' };
                let ends: Vec<usize> =
                    text.iter().enumerate().filter(|(_, byte)| between(byte)).map(|(at, _)| at).collect();
                let at = bytes.below(ends.len());
                if let (Some(&end), start) = (ends.get(at), at.checked_sub(1).and_then(|at| ends.get(at))) {
                    let start = start.map_or(0, |start| start + 1);
                    let nasty = bytes.pick(NASTY);
                    text.splice(start..end, nasty.bytes());
                }
            }
        }
    }

    /// As the parser takes it; `None` where it is refused already.
    pub fn files(&self) -> Option<RulebookFiles> {
        RulebookFiles::new(self.files.clone()).ok()
    }
}

/// Mostly what is right there.
fn cell(bytes: &mut Bytes<'_>, right: &[&str]) -> String {
    if bytes.chance(1) { bytes.pick(NASTY) } else { bytes.pick(right) }.to_owned()
}

fn row(cells: &[String]) -> String {
    let quoted: Vec<String> = cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
    quoted.join(",") + "\n"
}
