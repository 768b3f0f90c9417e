//! `spend.csv`: what was spent on a source or one of its campaigns in a month. No rule: reports set it against what came
//! of it.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::ids::SourceId;
use crate::ledger::Month;
use crate::limits;
use crate::money::Money;
use crate::rulebook::body::Body;
use crate::rulebook::columns::SPEND;
use crate::rulebook::index::Index;
use crate::rulebook::problem::{ProblemCode, Problems};
use crate::rulebook::table::Table;
use crate::rulebook::value;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spend {
    /// In which month of the company.
    #[serde(rename = "m")]
    pub month: Month,
    /// On whom.
    #[serde(rename = "s")]
    pub source: SourceId,
    /// On which of its campaigns, as UTM parameters name it; none of them in particular.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<String>,
    /// How much.
    #[serde(rename = "a")]
    pub amount: Money,
}

pub(super) fn read(body: &Body<'_>, sources: &Index<SourceId>, problems: &mut Problems) -> Vec<Spend> {
    let mut spend = Vec::new();
    let mut known = HashSet::new();
    let Some(mut table) = Table::open(body, &SPEND, problems) else { return spend };
    while let Some(row) = table.next_row(problems) {
        let month = row.needed("month", str::parse::<Month>, problems);
        let source = row.reference("source", sources, problems);
        let campaign = row.prose("campaign", limits::TEXT_CHARS, problems);
        let amount = row.needed("amount", value::price, problems);
        if let (Ok(month), Ok(source), Ok(campaign), Ok(amount)) = (month, source, campaign, amount) {
            if known.insert((month, source.clone(), campaign.clone())) {
                let campaign = Some(campaign).filter(|campaign| !campaign.is_empty());
                spend.push(Spend { month, source, campaign, amount });
            } else {
                let message = "this month, source and campaign stand here twice";
                let _ = row.refuse::<()>("month", ProblemCode::DuplicateId, message, problems);
            }
        }
        if !table.at_most(limits::SPEND_ROWS, spend.len(), "rows of spend", problems) {
            break;
        }
    }
    spend
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::{Rulebook, RulebookFiles};

    fn read(spend: &str) -> Result<Vec<String>, Vec<String>> {
        let files = [
            ("company.toml", "id = \"acme\"\nname = \"Acme\"\nzone = \"America/New_York\"\n"),
            ("offers.toml", "[[offer]]\nid = \"roof\"\ncategory = \"roofing\"\nname = \"Roof\"\n"),
            ("sources.toml", "[[source]]\nid = \"web\"\nkind = \"form\"\noffer = \"roof\"\n"),
            ("scoring.toml", "half_life_days = 14\n"),
            ("dealers.csv", "dealer,name,zip\nhudson,Hudson,33101\n"),
            ("areas.csv", "area,part\nall,any\n"),
            ("contracts.csv", "contract,dealer,offers,sources,area,price\nhudson,hudson,*,*,all,10.00\n"),
            ("spend.csv", spend),
        ];
        let files = files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
        match Rulebook::parse(&RulebookFiles::new(files).unwrap()) {
            Ok(book) => {
                let compiled = book.compile(1).unwrap();
                assert_eq!(compiled.core.spend, book.spend, "reports find it in the core");
                let json = serde_json::to_string(&compiled.core).unwrap();
                assert_eq!(
                    serde_json::from_str::<crate::distribution::Core>(&json).unwrap().spend,
                    book.spend
                );
                let told =
                    |row: &Spend| format!("{} {} {:?} {}", row.month, row.source, row.campaign, row.amount);
                Ok(book.spend.iter().map(told).collect())
            }
            Err(problems) => Err(problems.list.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn what_was_spent_is_read_and_what_is_wrong_is_named() {
        assert_eq!(
            read("month,source,campaign,amount\n2026-06,web,spring,1200.00\n2026-06,web,,80\n").unwrap(),
            ["2026-06 web Some(\"spring\") 1200.00", "2026-06 web None 80.00"]
        );
        for (rows, word) in [
            ("2026-13,web,,1", "month"),
            ("Jun-26,web,,1", "month"),
            ("2026-06,tv,,1", "tv"),
            ("2026-06,web,,many", "amount"),
            ("2026-06,web,a,1\n2026-06,web,a,2", "twice"),
        ] {
            let problems = read(&format!("month,source,campaign,amount\n{rows}\n")).unwrap_err();
            assert!(problems.len() == 1 && problems[0].contains(word), "{rows}: {problems:?}");
        }
    }
}
