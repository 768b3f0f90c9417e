//! The reports that there are, and their columns.

use leadyard_domain::error::Code;
use leadyard_domain::report::{Counter, Dimension, Speed};
use leadyard_platform::http::Problem;

/// A report: what it shows, by what it is told unless somebody asks otherwise, and its columns.
pub(crate) struct Report {
    pub(crate) name: &'static str,
    /// Its name for people.
    pub(crate) title: &'static str,
    pub(crate) says: &'static str,
    pub(crate) by: Dimension,
    /// Of reasons, those that begin so.
    pub(crate) prefix: &'static str,
    pub(crate) columns: &'static [Column],
    /// The column that shows at a glance what it is about.
    pub(crate) first: &'static str,
}

/// A column.
#[derive(Clone, Copy)]
pub(crate) enum Column {
    /// A counter.
    Count(Counter),
    /// A counter in minor units.
    Amount(Counter),
    /// What was charged less what was credited: what dealers owe.
    Owed,
    /// One counter's part of another: how many of these became those.
    Part(&'static str, Counter, Counter),
    /// What it cost: spend of the days in the period, and what its leads cost when they came.
    Cost,
    /// What dealers owe for each unit of what it cost.
    ReturnOnSpend,
    /// How many times were measured.
    Measured(Speed),
    /// Their median, in seconds.
    Median(Speed),
    /// The part of them that is at most so many seconds.
    Within(Speed, &'static str, i64),
    /// All leads that the company knew at the end of the period.
    Size,
}

use Column::{Amount, Cost, Count, Measured, Median, Owed, Part, ReturnOnSpend, Size, Within};

const SALES: &[Column] = &[
    Count(Counter::Distributed),
    Count(Counter::Delivered),
    Count(Counter::Accepted),
    Count(Counter::Declined),
    Count(Counter::Lapsed),
    Count(Counter::Withdrawn),
    Count(Counter::Returned),
    Count(Counter::Contacted),
    Count(Counter::Won),
    Count(Counter::Lost),
    Part("conversion", Counter::Won, Counter::Delivered),
    Amount(Counter::Charged),
    Amount(Counter::Credited),
    Owed,
    Amount(Counter::WonValue),
];

const TRADE: &[Column] = &[
    Count(Counter::Enquiries),
    Count(Counter::Spam),
    Count(Counter::Repeats),
    Count(Counter::Leads),
    Count(Counter::Waiting),
    Count(Counter::Delivered),
    Count(Counter::Returned),
    Count(Counter::Won),
    Part("conversion", Counter::Won, Counter::Leads),
    Amount(Counter::Charged),
    Amount(Counter::Credited),
    Owed,
    Amount(Counter::WonValue),
];

pub(crate) const REPORTS: &[Report] = &[
    Report {
        name: "sources",
        title: "sources",
        says: "what each source sent, what became of it, and what it brought for what it cost",
        by: Dimension::Source,
        first: "leads",
        prefix: "",
        columns: &[
            Count(Counter::Enquiries),
            Count(Counter::Ham),
            Count(Counter::Doubtful),
            Count(Counter::Spam),
            Count(Counter::Repeats),
            Count(Counter::Leads),
            Count(Counter::Delivered),
            Count(Counter::Returned),
            Count(Counter::Contacted),
            Count(Counter::Won),
            Part("conversion", Counter::Won, Counter::Leads),
            Amount(Counter::Charged),
            Amount(Counter::Credited),
            Owed,
            Amount(Counter::WonValue),
            Cost,
            ReturnOnSpend,
        ],
    },
    Report {
        name: "campaigns",
        title: "campaigns",
        says: "what each campaign brought for what was spent on it and what its leads cost",
        by: Dimension::Campaign,
        first: "leads",
        prefix: "",
        columns: &[
            Count(Counter::Enquiries),
            Count(Counter::Leads),
            Count(Counter::Delivered),
            Count(Counter::Returned),
            Count(Counter::Won),
            Part("conversion", Counter::Won, Counter::Leads),
            Amount(Counter::Charged),
            Amount(Counter::Credited),
            Owed,
            Amount(Counter::WonValue),
            Cost,
            ReturnOnSpend,
        ],
    },
    Report {
        name: "offers",
        title: "offers",
        says: "what was asked for, and what became of it",
        by: Dimension::Offer,
        first: "leads",
        prefix: "",
        columns: TRADE,
    },
    Report {
        name: "areas",
        title: "areas",
        says: "where leads come from, where they find a dealer, and where they wait",
        by: Dimension::State,
        first: "leads",
        prefix: "",
        columns: TRADE,
    },
    Report {
        name: "dealers",
        title: "dealers",
        says: "what each dealer had, what it made of it, and what it owes",
        by: Dimension::Dealer,
        first: "delivered",
        prefix: "",
        columns: SALES,
    },
    Report {
        name: "funnel",
        title: "funnel",
        says: "from the enquiry to the sale: how many came as far in the period",
        by: Dimension::All,
        first: "leads",
        prefix: "",
        columns: &[
            Count(Counter::Enquiries),
            Count(Counter::Ham),
            Count(Counter::Leads),
            Count(Counter::Distributed),
            Count(Counter::Delivered),
            Count(Counter::Accepted),
            Count(Counter::Contacted),
            Count(Counter::Won),
            Part("won_of_leads", Counter::Won, Counter::Leads),
        ],
    },
    Report {
        name: "speed",
        title: "speed",
        says: "from the enquiry to its delivery, acceptance and the first contact (speed to lead)",
        by: Dimension::All,
        first: "contact_median_s",
        prefix: "",
        columns: &[
            Measured(Speed::Delivery),
            Median(Speed::Delivery),
            Measured(Speed::Acceptance),
            Median(Speed::Acceptance),
            Measured(Speed::Contact),
            Median(Speed::Contact),
            Within(Speed::Contact, "contact_within_5_minutes", 300),
            Within(Speed::Contact, "contact_within_the_hour", 3_600),
        ],
    },
    Report {
        name: "returns",
        title: "returns",
        says: "why leads came back",
        by: Dimension::Reason,
        first: "returned",
        prefix: "returned:",
        columns: &[Count(Counter::Returned)],
    },
    Report {
        name: "waiting",
        title: "waiting",
        says: "why leads had to wait: a lead whose reason changed is counted by each",
        by: Dimension::Reason,
        first: "waiting",
        prefix: "waiting:",
        columns: &[Count(Counter::Waiting)],
    },
    Report {
        name: "unmet",
        title: "unmet demand",
        says: "where nobody serves what was asked for: decisions that found no contract for the offer, source and area",
        by: Dimension::State,
        first: "unserved",
        prefix: "",
        columns: &[
            Count(Counter::Leads),
            Count(Counter::Waiting),
            Count(Counter::Unserved),
            Part("unserved_of_leads", Counter::Unserved, Counter::Leads),
        ],
    },
    Report {
        name: "leads",
        title: "leads",
        says: "leads that came new or came back, and all that the company knew at the end",
        by: Dimension::All,
        first: "leads",
        prefix: "",
        columns: &[
            Count(Counter::Enquiries),
            Count(Counter::Repeats),
            Count(Counter::Leads),
            Count(Counter::NewLeads),
            Size,
        ],
    },
];

impl Report {
    /// A report by its name.
    pub(crate) fn named(name: &str) -> Result<&'static Self, Problem> {
        REPORTS.iter().find(|report| report.name == name).ok_or_else(|| {
            let names: Vec<&str> = REPORTS.iter().map(|report| report.name).collect();
            Problem::new(Code::NotFound, format!("there is no such report; there are {}", names.join(", ")))
        })
    }

    /// Whether it is told by a dimension: by those that know what it is about. Reasons are reports of their own.
    pub(crate) fn is_told_by(&self, by: Dimension) -> bool {
        if by == Dimension::Reason || self.by == Dimension::Reason {
            return by == self.by;
        }
        self.columns.iter().any(|column| column.name() == self.first && column.is_known_by(by))
    }

    /// Whether any column is such a one.
    pub(super) fn has(&self, one: fn(&Column) -> bool) -> bool {
        self.columns.iter().any(one)
    }
}

impl Column {
    /// The word that programs compare.
    pub(crate) fn name(self) -> String {
        match self {
            Count(counter) | Amount(counter) => counter.to_string(),
            Owed => "owed".to_owned(),
            Part(name, _, _) | Within(_, name, _) => name.to_owned(),
            Cost => "cost".to_owned(),
            ReturnOnSpend => "return_on_spend".to_owned(),
            Measured(speed) => format!("{speed}_measured"),
            Median(speed) => format!("{speed}_median_s"),
            Size => "size".to_owned(),
        }
    }

    /// Whether it is known of the values of a dimension: what is not is no zero.
    pub(crate) fn is_known_by(self, by: Dimension) -> bool {
        match self {
            Count(counter) | Amount(counter) => by.carries(counter),
            Owed => by.carries(Counter::Charged) && by.carries(Counter::Credited),
            Part(_, part, whole) => by.carries(part) && by.carries(whole),
            Measured(speed) | Median(speed) | Within(speed, ..) => by.carries(speed.counter()),
            Cost => matches!(by, Dimension::All | Dimension::Source | Dimension::Campaign),
            ReturnOnSpend => Owed.is_known_by(by) && Cost.is_known_by(by),
            Size => by == Dimension::All,
        }
    }
}
