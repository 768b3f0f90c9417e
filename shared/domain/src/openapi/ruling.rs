//! The rulebook, what is flipped beside it, its sources; and what is asked of the console itself.

use serde_json::json;

use super::desk::of_desk;
use super::route::{
    Function, JSON, Kind, MANAGER, Member, Method, READER, Route, STAFF, Who, XLSX, by_name, closed, list,
    may, must, null, object, objects, one_of,
};
use crate::access::Role;
use crate::delivery::SourceGives;
use crate::error::Code;
use crate::limits;
use crate::rulebook::{EditTable, RowFate};

use Function::Console;
use Kind::{Any, Count, Date, Flag, Id, Instant, Of, Open, Short, Text, Uuid};
use Method::{Delete, Get, Patch, Post, Put};
use Who::Anyone;

const RULEBOOK: &str = "The rulebook";
const SWITCHES: &str = "Switches";
const SOURCES: &str = "Sources";
const TOKENS: &str = "Tokens";
const INVITATIONS: &str = "Invitations";
const ITSELF: &str = "Leadyard itself";

pub(super) fn routes() -> Vec<Route> {
    vec![
        current(),
        publish(),
        versions(),
        difference(),
        workbook(),
        publish_workbook(),
        template(),
        rollback(),
        row(),
        edit(),
        switches(),
        flip(),
        changes(),
        keys(),
        postback_secret(),
    ]
    .into_iter()
    .chain(given())
    .chain(tokens())
    .chain([invited(), invitations()])
    .chain([document(), health()])
    .collect()
}

/// Shapes that several answers have.
pub(super) fn shapes() -> Vec<(&'static str, Kind)> {
    vec![("Switches", switches_shape()), ("Published", published_shape())]
}

fn current() -> Route {
    of_desk(READER, Get, "/v1/rulebook", "The rulebook in force, or an earlier one.", RULEBOOK)
        .company()
        .query([
            may("version", Count, "That in force, if none is named."),
            may("files", Text, "With its files; any value."),
        ])
        .answers(
            200,
            "The version.",
            [
                must("company", Id, ""),
                must("version", Count, ""),
                must("in_force", Count, "The version in force."),
                must("at", Instant, "When it was published."),
                must("by", Text, ""),
                null("how", Text, "whole, workbook, files, a row, or a rollback."),
                may("name", Text, "What the company is called, by the rules in force."),
                may("zone", Text, "In which its days and months are read."),
                may("currency", Text, "Of all amounts."),
                may("offers", by_name(Text), "What each offer is called, by its id."),
                may(
                    "files",
                    by_name(Text),
                    "By name: where people are reached stands in them, so for managers alone.",
                ),
            ],
        )
        .refuses(&[Code::Forbidden])
}

fn versions() -> Route {
    let rolled_back = object([
        must("leads", Count, "New leads after the publish."),
        must("unmatched", Count, "Of those, how many waited for a rule."),
        must("leads_before", Count, "New leads before it."),
        must("unmatched_before", Count, ""),
    ]);
    let version = object([
        must("version", Count, ""),
        must("base", Count, "That it was made from."),
        must("at", Instant, ""),
        must("by", Text, "Who; `leadyard`, where the version before rolled itself back."),
        must("how", Text, ""),
        may("rolled_back", rolled_back, "Why the version before rolled itself back to this one."),
    ]);
    of_desk(READER, Get, "/v1/rulebook/versions", "Every version, the newest first.", RULEBOOK)
        .company()
        .query([may("before", Count, "Only those before this version.")])
        .answers(200, "At most 200.", [must("company", Id, ""), must("versions", list(version), "")])
}

fn difference() -> Route {
    of_desk(MANAGER, Get, "/v1/rulebook/diff", "What one version says otherwise than another.", RULEBOOK)
        .company()
        .query([must("from", Count, "The version before."), must("to", Count, "The version after.")])
        .answers(
            200,
            "What is different.",
            [
                must("company", Id, ""),
                must("from", Count, ""),
                must("to", Count, ""),
                must("diff", difference_shape(), ""),
            ],
        )
        .refuses(&[Code::RulebookRefused])
}

fn how() -> [Member; 3] {
    [
        may(
            "base",
            Count,
            "The version that this was made from, 0 for the first: another one in force is a conflict.",
        ),
        may("dry_run", Text, "Only say what would be different; any value."),
        may("backtest", Text, "With `dry_run`: and what the last decisions would have been; any value."),
    ]
}

fn published(route: Route) -> Route {
    route
        .query(how())
        .answers_as(200, "The new version, and what is different.", [(JSON, Of("Published"))])
        .refuses(&[Code::RulebookRefused, Code::VersionConflict])
}

fn publish() -> Route {
    let files = [must("files", by_name(Text), "By name: `company.toml`, `contracts.csv` …")];
    published(of_desk(MANAGER, Put, "/v1/rulebook", "Publishes a whole rulebook.", RULEBOOK))
        .tells("One with an error is never published, not even in part. Its company is the one it names.")
        .takes(files)
        .bytes(2 * limits::RULEBOOK_BYTES)
        .example(json!({ "files": { "company.toml": "id = \"acme\"\n…" } }))
}

fn workbook() -> Route {
    of_desk(MANAGER, Get, "/v1/rulebook/workbook", "The tables in force as a workbook.", RULEBOOK)
        .company()
        .answers_as(200, "XLSX.", [(XLSX, Any)])
        .refuses(&[Code::RulebookRefused])
}

fn publish_workbook() -> Route {
    let route =
        of_desk(MANAGER, Put, "/v1/rulebook/workbook", "Publishes a workbook's tables.", RULEBOOK).company();
    published(route)
        .tells("Its sheets replace the tables; the rest stays as it is in force.")
        .takes_as(&[XLSX], Any)
        .bytes(limits::RULEBOOK_BYTES)
}

fn template() -> Route {
    of_desk(
        READER,
        Get,
        "/v1/rulebook/template",
        "An empty workbook whose columns say their rules.",
        RULEBOOK,
    )
    .answers_as(200, "XLSX.", [(XLSX, Any)])
}

fn rollback() -> Route {
    let route =
        of_desk(MANAGER, Post, "/v1/rulebook/rollback", "Publishes an earlier version once more.", RULEBOOK);
    published(route.company()).takes([must("version", Count, "Which.")]).example(json!({ "version": 7 }))
}

fn row() -> Route {
    of_desk(READER, Get, "/v1/rulebook/{table}/{id}", "One row in force, as an edit takes it.", RULEBOOK)
        .tells("Of a dealer without how its people are reached, but to a manager.")
        .part(must("table", one_of(&["dealers", "contracts", "areas"]), "Which table."))
        .part(must("id", Text, "Which row."))
        .company()
        .answers(
            200,
            "What it says.",
            [
                must("company", Id, ""),
                must("table", Text, ""),
                must("id", Text, ""),
                must("base", Count, "The version in force: an edit made from it names it."),
                may("set", by_name(Text), "Columns and what they say; empty for nothing."),
                may("parts", list(Text), "Of an area, instead: its parts."),
            ],
        )
        .refuses(&[Code::RulebookRefused])
}

fn edit() -> Route {
    let route = of_desk(MANAGER, Patch, "/v1/rulebook/{table}/{id}", "Publishes one row.", RULEBOOK)
        .part(must("table", closed!(EditTable), "Which table."))
        .part(must("id", Text, "Which row; of a channel `dealer:order`."))
        .company();
    published(route)
        .tells("`base` is needed. Rows that others changed since stay as they made them; if it is this one, the answer is both.")
        .takes_as(
            &[JSON],
            object([
                may("set", by_name(Any), "Columns and what they are to say."),
                may("add", Any, "A row that is not there yet."),
                may("parts", list(Text), "Of an area, instead of both: its parts."),
                may("remove", Flag, "True: the row goes."),
            ]),
        )
        .example(json!({ "set": { "cap_day": "12" } }))
        .refuses(&[Code::StateConflict])
}

fn switches() -> Route {
    of_desk(READER, Get, "/v1/switches", "What is stopped, watched or paused.", SWITCHES)
        .company()
        .answers_as(200, "The switches.", [(JSON, Of("Switches"))])
}

fn flip() -> Route {
    of_desk(
        STAFF,
        Post,
        "/v1/switches/{switch}",
        "Flips a switch at once; publishing leaves it alone.",
        SWITCHES,
    )
    .part(must("switch", one_of(&["stop", "shadow", "pause"]), "Which."))
    .company()
    .takes([
        must("on", Flag, ""),
        may("contract", Id, "pause: whom, this or a dealer."),
        may("dealer", Id, "pause: whom."),
        may("reason", Short(limits::NOTE_CHARS), "Why."),
        may("until", Instant, "pause: it ends by itself."),
    ])
    .example(
        json!({ "on": true, "dealer": "hudson", "reason": "on holiday", "until": "2026-06-08T12:00:00Z" }),
    )
    .answers_as(200, "The switches as they stand.", [(JSON, Of("Switches"))])
}

fn changes() -> Route {
    of_desk(
        READER,
        Get,
        "/v1/changes",
        "Who did what to the company; whose delivery goes on slowly.",
        SWITCHES,
    )
    .company()
    .answers(200, "The newest first, at most 200.", [must("changes", list(Of("Act")), "")])
}

fn keys() -> Route {
    of_desk(MANAGER, Post, "/v1/sources/{source}/keys", "What a source's senders are let in by.", SOURCES)
        .company()
        .answers(
            200,
            "That they were shown stands in the changes.",
            [
                must("source", Id, ""),
                must("key", Text, "The page key, which may stand in a public page."),
                must("secret", Text, "For servers."),
                may("google_key", Text, "Of kind google: what Google Ads sends with every lead."),
                may("meta_verify_token", Text, "Of kind meta: what Meta sends when it subscribes."),
            ],
        )
}

fn postback_secret() -> Route {
    of_desk(
        MANAGER,
        Post,
        "/v1/sources/{source}/postback_secret",
        "What a sender verifies postbacks with.",
        SOURCES,
    )
    .company()
    .answers(
        200,
        "The secret.",
        [must("source", Id, ""), must("generation", Count, ""), must("secret", Text, "`whsec_…`")],
    )
}

fn given() -> [Route; 3] {
    let named = "/v1/sources/{source}/secrets/{name}";
    let name = || {
        must("name", closed!(SourceGives), "meta_app_secret: of the app that Meta tells of this source by.")
    };
    let told = || [must("source", Id, ""), must("secret", Text, "Its name."), null("set_at", Instant, "")];
    let says = "What a source gave in confidence, by name.";
    [
        of_desk(MANAGER, Get, "/v1/sources/{source}/secrets", says, SOURCES).company().answers(
            200,
            "Written, never read.",
            [
                must("source", Id, ""),
                must(
                    "secrets",
                    objects([must("name", Text, ""), must("set_at", Instant, ""), must("by", Text, "")]),
                    "",
                ),
            ],
        ),
        of_desk(MANAGER, Put, named, "Sets a secret of a source; for Meta, of its own app.", SOURCES)
            .tells("Notices that another app signed are refused from then on, the installation's too.")
            .part(name())
            .company()
            .takes([must("secret", Short(limits::SECRET_BYTES), "")])
            .example(json!({ "secret": "…" }))
            .answers(200, "It stands at once.", told()),
        of_desk(MANAGER, Delete, named, "Takes it away: the installation's stands again.", SOURCES)
            .part(name())
            .company()
            .answers(200, "It is gone.", told()),
    ]
}

/// What is told of a token.
fn token() -> Vec<Member> {
    vec![
        must("id", Short(8), "What it is called here and in the token."),
        must("name", Id, "What people call it: in histories it is `token NAME`."),
        must("role", closed!(Role), "What it may do in the company."),
        must("by", Text, "Who made it."),
        must("made_at", Instant, ""),
        null("until", Instant, "Until when it lets in."),
        must("over", Flag, "It lets in no more, for its end is over."),
        null("used_on", Date, "The UTC day on which it let in last."),
    ]
}

fn tokens() -> [Route; 3] {
    let made = token().into_iter().chain([must("token", Text, "The token: nobody is shown it again.")]);
    [
        of_desk(MANAGER, Get, "/v1/tokens", "The tokens for programs, the newest first.", TOKENS)
            .company()
            .answers(200, "Their names, and none of them.", [must("tokens", objects(token()), "")]),
        of_desk(MANAGER, Post, "/v1/tokens", "Makes a token for a program.", TOKENS)
            .tells("It is a bearer token of the desk, for one company and one role.")
            .company()
            .takes([
                must("name", Id, "Its own within the company."),
                must("role", closed!(Role), ""),
                may("until", Instant, "Its end; it lets in for good, if none is named."),
            ])
            .example(json!({ "name": "crm", "role": "desk" }))
            .answers(201, "The token, once.", made)
            .refuses(&[Code::StateConflict]),
        of_desk(MANAGER, Delete, "/v1/tokens/{token}", "Takes a token away, at once.", TOKENS)
            .part(must("token", Text, "Its id."))
            .company()
            .answers(200, "It lets in no more.", [must("id", Text, ""), must("revoked", Flag, "")]),
    ]
}

fn invited() -> Route {
    let invited = object([
        must("at", Instant, ""),
        must("by", Text, "Who invited them."),
        must("act", Uuid, "By which they were."),
        null("attempt", Of("Attempt"), "How sending the mail went; null while it is on its way."),
        null("came_back", Text, "The mail came back: how, in one word."),
    ]);
    of_desk(MANAGER, Get, "/v1/invitations", "Who may sign in, and who of them was invited.", INVITATIONS)
        .company()
        .answers(
            200,
            "Everybody of the rules in force.",
            [
                must("company", Id, ""),
                must(
                    "invitations",
                    objects([
                        must("kind", one_of(&["person", "dealer"]), ""),
                        must("id", Id, ""),
                        must("takes_mail", Flag, "Whether a mail can be sent to their address."),
                        null("invited", invited, "The last mail; null where none was sent."),
                    ]),
                    "",
                ),
            ],
        )
}

fn invitations() -> Route {
    let left = object([must("people", list(Id), ""), must("dealers", list(Id), "")]);
    of_desk(MANAGER, Post, "/v1/invitations", "Invites people and dealers to sign in, by mail.", INVITATIONS)
        .tells("Each gets one mail from the company's sender, with a link to the page to sign in. What becomes of it `GET` says.")
        .company()
        .takes([
            may("people", list(Id), "As `people.csv` has them."),
            may("dealers", list(Id), "As `dealers.csv` has them, with an `email`."),
            may("act", Uuid, "A UUID of version 7. The same again sends nobody a second mail; and nobody is invited by one who was by a later."),
        ])
        .example(json!({ "people": ["ben"], "dealers": [] }))
        .answers(
            202,
            "They are invited, but for those left: at most 50 are by one act.",
            [must("act", Uuid, "By which they are."), must("left", left, "For the next act.")],
        )
        .refuses(&[Code::StateConflict])
}

fn document() -> Route {
    Route::new(Console, Get, "/openapi.json", "This document.")
        .under(ITSELF)
        .by(&[Anyone])
        .answers_as(200, "OpenAPI 3.1.", [(JSON, Open(vec![must("openapi", Text, "")]))])
        .alone()
}

fn health() -> Route {
    Route::new(Console, Get, "/healthz", "Whether it is alive.")
        .under(ITSELF)
        .by(&[Anyone])
        .answers(200, "It is.", [must("status", one_of(&["ok"]), "")])
        .alone()
}

// --- Shapes ---

fn switches_shape() -> Kind {
    let pauses = || {
        objects([
            must("id", Id, ""),
            must("reason", Text, ""),
            null("until", Instant, "When it ends by itself."),
        ])
    };
    object([
        must("stop", Flag, "Nothing is distributed."),
        must("shadow", Flag, "Everything is decided and recorded, and the desk places."),
        must("contracts", pauses(), "These get nothing."),
        must("dealers", pauses(), "These get nothing."),
    ])
}

fn difference_shape() -> Kind {
    let column = object([
        must("column", Text, ""),
        null("before", Text, "What it said."),
        null("after", Text, "What it says."),
    ]);
    let row = object([
        must("id", Text, ""),
        must("change", closed!(RowFate), ""),
        must("columns", list(column), ""),
    ]);
    let table = object([
        must("table", Text, ""),
        must("added", Count, ""),
        must("removed", Count, ""),
        must("changed", Count, ""),
        must("rows", list(row), ""),
    ]);
    object([must("tables", list(table), ""), must("omitted", Count, "Rows and columns that are not listed.")])
}

fn published_shape() -> Kind {
    object([
        must("company", Id, ""),
        may("version", Count, "The new one."),
        may("in_force", Count, "In a dry run: the version it was compared with."),
        null("diff", difference_shape(), "What is different."),
        must("warnings", Any, "What is worth a second look."),
        Member {
            null: true,
            ..may("backtest", backtest_shape(), "Where it was asked for; null, where no rules are in force.")
        },
    ])
}

/// As `leadyard backtest --json` prints it, and what a look's bounds left out.
fn backtest_shape() -> Kind {
    let side = || {
        object([
            must("matched", Count, "Leads that somebody had."),
            must("unmatched", Count, "Leads that nobody had."),
            must("seats", Count, ""),
            must("value", Count, "What was charged, in minor units."),
        ])
    };
    let left_out = object([
        must("cut", Flag, "There may be more on that day, before the first that was looked at."),
        must("earlier", Count, "Leads that came in before, and go as they went."),
        must("unknown", Count, "Leads of which it is not kept, or was not read, what was decided on."),
    ]);
    object([
        may("trouble", Text, "Why it cannot be said; then there is nothing else."),
        may("from", Instant, "What came in from then on."),
        may("to", Instant, "Before this."),
        may("leads", Count, "Leads that were decided anew."),
        may("changed", Count, "Those that would end with another contract."),
        may("before", side(), "As it was."),
        may("after", side(), "As it would have been."),
        may("dealers", list(Any), "Who gains and who loses, the largest change first."),
        may("contracts", list(Any), "The same by contract."),
        may("unmatched", list(Any), "Why leads had nobody, before and after."),
        may("changes", list(Any), "Which leads changed, and why."),
        may("assumptions", list(Text), "What was assumed where history cannot say."),
        may("left_out", left_out, "What the bounds of a look left out: it is one day at most."),
    ])
}
