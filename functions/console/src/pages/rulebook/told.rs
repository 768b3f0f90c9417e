//! Differences, warnings and problems of a rulebook as lines of a page.

use serde_json::Value;

/// Lines of a difference that a page shows: it stays light on a phone.
const LINES: usize = 200;
/// Warnings, and problems, that it shows.
const MESSAGES: usize = 50;

/// What is different, as far as it is shown.
#[derive(Default)]
pub(super) struct Difference {
    pub(super) tables: Vec<Table>,
    /// Rows and columns that are not.
    pub(super) more: usize,
}

/// A table or file.
pub(super) struct Table {
    pub(super) name: String,
    /// `2 added, 1 changed`.
    pub(super) counts: String,
    pub(super) rows: Vec<Row>,
}

/// A row of it.
pub(super) struct Row {
    pub(super) id: String,
    /// `added`, `removed`, `changed`.
    pub(super) change: String,
    pub(super) cells: Vec<Cell>,
}

/// A column or key.
pub(super) struct Cell {
    pub(super) column: String,
    pub(super) before: String,
    pub(super) after: String,
}

impl Difference {
    /// Of the API's `diff`.
    pub(super) fn of(diff: &Value) -> Self {
        let mut shown = Self { tables: Vec::new(), more: count(&diff["omitted"]) };
        let lines_of =
            |table: &Value| each(&table["rows"]).map(|row| 1 + each(&row["columns"]).count()).sum();
        let lines: Vec<usize> = each(&diff["tables"]).map(lines_of).collect();
        for (table, mut left) in each(&diff["tables"]).zip(shares(&lines, LINES)) {
            let counts = ["added", "removed", "changed"].iter().filter_map(|word| {
                let count = count(&table[word]);
                (count > 0).then(|| format!("{count} {word}"))
            });
            let counts = counts.collect::<Vec<_>>().join(", ");
            let mut rows = Vec::new();
            for row in each(&table["rows"]) {
                let cells: Vec<&Value> = each(&row["columns"]).collect();
                if left == 0 {
                    shown.more += 1 + cells.len();
                    continue;
                }
                left -= 1;
                let fit = cells.len().min(left);
                left -= fit;
                shown.more += cells.len() - fit;
                rows.push(Row {
                    id: text(&row["id"]),
                    change: text(&row["change"]),
                    cells: cells.into_iter().take(fit).map(cell).collect(),
                });
            }
            shown.tables.push(Table { name: text(&table["table"]), counts, rows });
        }
        shown
    }
}

/// How many lines each of some tables may show of `most` in all: a long one leaves the others what they need, or as much as
/// it has itself.
fn shares(lines: &[usize], most: usize) -> Vec<usize> {
    let mut shortest_first: Vec<usize> = (0..lines.len()).collect();
    shortest_first.sort_by_key(|table| lines[*table]);
    let (mut shares, mut left) = (vec![0; lines.len()], most);
    for (done, table) in shortest_first.into_iter().enumerate() {
        shares[table] = lines[table].min(left / (lines.len() - done));
        left -= shares[table];
    }
    shares
}

fn cell(cell: &Value) -> Cell {
    let said = |value: &Value| value.as_str().map_or_else(|| "nothing".to_owned(), |said| short(said, 200));
    Cell { column: text(&cell["column"]), before: said(&cell["before"]), after: said(&cell["after"]) }
}

/// Lines, and how many more there are.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) shown: Vec<String>,
    pub(super) more: usize,
}

impl Lines {
    /// Problems or warnings of the API: each with its file, line and column, or its cell of a workbook; of a test of the
    /// rulebook, what it found.
    pub(super) fn of(problems: &Value) -> Self {
        let list: Vec<&Value> =
            each(problems["list"].as_array().map_or(problems, |_| &problems["list"])).collect();
        let more = list.len().saturating_sub(MESSAGES) + count(&problems["omitted"]);
        Self { shown: list.into_iter().take(MESSAGES).map(line).collect(), more }
    }
}

fn line(problem: &Value) -> String {
    let Some(message) = problem["message"].as_str() else {
        let found = each(&problem["differences"]).map(text).collect::<Vec<_>>().join("; ");
        return short(&format!("the rulebook’s own test {} fails: {found}", text(&problem["name"])), 400);
    };
    let file = text(&problem["file"]);
    match problem["cell"].as_str() {
        Some(cell) => format!("{file}, {cell}: {message}"),
        None => {
            format!(
                "{file}, line {}, column {}: {message}",
                count(&problem["line"]),
                count(&problem["column"])
            )
        }
    }
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn count(value: &Value) -> usize {
    value.as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(0)
}

/// A text as it is, anything else as JSON.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// At most so many characters.
pub(super) fn short(text: &str, most: usize) -> String {
    crate::pages::shown::cut(text, most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_problem_says_where_it_stands() {
        let problems = json!({ "omitted": 3, "list": [
            { "file": "contracts.csv", "line": 14, "column": 23, "message": "cap_day is a whole number" },
            { "file": "rules.xlsx", "line": 2, "column": 3, "cell": "dealers!C2", "message": "no such zone" },
        ] });
        let lines = Lines::of(&problems);
        assert_eq!(lines.shown[0], "contracts.csv, line 14, column 23: cap_day is a whole number");
        assert_eq!((lines.shown[1].as_str(), lines.more), ("rules.xlsx, dealers!C2: no such zone", 3));
        let tests = Lines::of(&json!([{ "name": "Miami", "differences": ["assigned is []"] }]));
        assert_eq!(tests.shown, ["the rulebook’s own test Miami fails: assigned is []"]);
    }

    #[test]
    fn a_long_table_leaves_the_others_their_lines() {
        assert_eq!(shares(&[500, 3, 120], 200), [99, 3, 98]);
        assert_eq!(shares(&[500, 3], 200), [197, 3]);
        assert_eq!(shares(&[80, 60], 200), [80, 60]);
        assert_eq!(shares(&[], 200), Vec::<usize>::new());
    }

    #[test]
    fn a_long_difference_is_cut_and_says_how_much_is_left_out() {
        let column = json!({ "column": "zip", "before": null, "after": "33101" });
        let row = |id: usize| json!({ "id": id.to_string(), "change": "added", "columns": [column.clone()] });
        let rows: Vec<Value> = (0..150).map(row).collect();
        let shown = Difference::of(
            &json!({ "omitted": 7, "tables": [{ "table": "dealers", "added": 150, "removed": 0, "changed": 0, "rows": rows }] }),
        );
        let table = &shown.tables[0];
        assert_eq!((table.counts.as_str(), table.rows.len(), shown.more), ("150 added", 100, 107));
        assert_eq!(table.rows[0].cells[0].before, "nothing");
    }
}
