// Every page with a year that looks like trade, as `leadyard demo` makes it: names and dealers of all lengths, and more
// rows than fit. Each page is looked at as in console.test.mjs; none says that there is nothing; each report is one
// screen.
//
// What the pages looked like is in tests/output/pages, under names that begin with `demo`.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { judged, looked, shiftOf } from "./desk.mjs";
import { REPORTS, looksAtAll, named, ofDealer, ofDesk } from "./pages.mjs";
import { opened } from "./settings.mjs";
import { badLine } from "./support.mjs";

const LEADS = 200;

let data;
let yard;
const at = {};
before(async () => {
  data = await mkdtemp(join(tmpdir(), "leadyard-demo-"));
  await promisify(execFile)(process.env.LEADYARD, ["demo", "--leads", String(LEADS), "--data", data, "--json"]);
  yard = await opened({ data, files: null });
  Object.assign(at, await found());
});
after(async () => {
  await yard?.stop();
  await rm(data, { recursive: true });
});

/** One of everything that a page is of. */
async function found() {
  const desk = async (path, body) => (await yard.desk(body ? "POST" : "GET", path, body)).json;
  const first = async (stage) => (await desk("/v1/leads/search", { stage, limit: 1 })).leads[0].lead;
  const { company, zone } = await desk("/v1/rulebook");
  // What the desk changed in the year: the newest version has other addresses of the dealers alone.
  const { version } = (await desk("/v1/rulebook/versions")).versions.find((one) => one.by !== "serve");
  const lead = await first("won");
  // Who had the most leads has the most to show.
  const { rows } = await desk("/v1/reports/dealers");
  const dealer = rows.reduce((most, row) => (row.delivered > most.delivered ? row : most)).value;
  const { assignments } = (await yard.dealer(dealer, "GET", "/v1/inbox")).json;
  const settled = assignments.filter((one) => one.settled_at);
  const newest = settled.reduce((last, one) => (one.settled_at > last.settled_at ? one : last));
  const { contract } = newest;
  const { set } = await desk(`/v1/rulebook/contracts/${contract}`);
  const local = new Intl.DateTimeFormat("en-CA", { timeZone: zone, dateStyle: "short" });
  const dayOf = (instant) => local.format(new Date(instant));
  return {
    company, version, dealer, contract, area: set.area, lead, waits: await first("waiting"),
    decision: (await yard.story(lead)).decisions[0].id,
    odd: (await desk("/v1/quarantine")).enquiries[0].enquiry,
    early: (await desk("/v1/follow-ups")).follow_ups[0].lead.lead,
    returned: (await desk("/v1/returns")).returns[0].return,
    look: await looksAtAll(yard, company, "hold", "waiting"),
    // One in each state.
    seats: [...new Map(assignments.map((one) => [one.state, one.assignment])).values()],
    // When the dealer was given a lead, and when it was charged for it.
    day: dayOf(newest.offered_at), month: dayOf(newest.settled_at).slice(0, 7),
    from: dayOf(Date.now() - 364 * 86_400_000), to: dayOf(Date.now()),
  };
}

/** Goes through the pages of the desk, and `more` of them, and of the dealer, each signed in with such a browser. */
async function goesThrough(options, looks, more = []) {
  for (const [who, paths] of [["desk", [...ofDesk(at), ...more]], [at.dealer, ofDealer(at)]]) {
    const page = await yard.signedIn(who, options);
    for (const path of paths) await looks(page, path);
    await page.context().close();
  }
}

/** What a page's photo is called: by what it is of, in whatever year. */
const photoOf = (path) => {
  const of = (name) => path.includes(at[name]);
  const known = ["contract", "dealer", "area", "company", "waits"].filter(of);
  return `demo-${named(known.reduce((called, name) => called.replaceAll(at[name], name), path))}`;
};

for (const width of [375, 1280]) {
  test(`with a year's leads every page is whole at ${width} px, light and dark`, async () => {
    const troubles = [];
    await goesThrough({ viewport: { width, height: 900 }, colorScheme: "light" }, async (page, path) => {
      const as = (theme) => ({ photo: `${photoOf(path)}-${width}-${theme}`, script: true });
      await page.emulateMedia({ colorScheme: "light" });
      troubles.push(...(await looked(page, yard.ready.url + path, as("light"))));
      await page.emulateMedia({ colorScheme: "dark" });
      troubles.push(...(await judged(page, as("dark"))));
    });
    assert.deepEqual(troubles, []);
  });
}

test("what comes slowly moves nothing that is already seen", async () => {
  const line = await badLine(yard.ready.url);
  const moved = [];
  for (const width of [375, 1280]) {
    await goesThrough({ viewport: { width, height: 900 } }, async (page, path) => {
      const answer = await page.goto(line.url + path, { waitUntil: "load" });
      assert.equal(answer.status(), 200, path);
      const shift = await shiftOf(page);
      if (shift > 0) moved.push(`${path} at ${width} px: by ${shift}`);
    });
  }
  assert.deepEqual(moved, []);
});

test("of what stalls in the middle that is seen which came", async () => {
  const line = await badLine(yard.ready.url, { half: true });
  const page = await yard.signedIn("desk");
  await page.goto(`${line.url}/console/leads`, { waitUntil: "commit" });
  await page.waitForFunction(() => performance.getEntriesByType("paint").length > 0);
  assert.match(await page.innerText("main"), /^Leads/);
  await page.context().close();
});

// How every page begins to say that it has nothing to show.
const NOTHING = /^(Nothing|Nobody|None|No |There (are|is) no|It has (had )?none|Of the hottest that were looked at)/;
// What is true of the demo's year: nobody makes tokens for programs.
const TRUE = ["/console/people: There are none."];

/** The page of a time of which there is something to tell: with so few leads a year, a month has not everything. */
const inItsTime = (path) => {
  if (path.endsWith("/why")) return `${path}?date=${at.day}`;
  if (/\/(statement|figures)$/.test(path)) return `${path}?month=${at.month}`;
  return path.includes("/reports/") ? `${path}?from=${at.from}&to=${at.to}` : path;
};

test("with a year's leads no page says that there is nothing", async () => {
  const of = ["source:landing", `dealer:${at.dealer}`, `past:${at.dealer}`];
  const more = ["assigned", "won", "lost", "expired", "rejected", ...of].map((list) => `/console/leads?list=${list}`);
  more.push("/console/quarantine?state=done", "/console/returns?state=done");
  const said = [];
  await goesThrough({ javaScriptEnabled: false }, async (page, path) => {
    const answer = await page.goto(yard.ready.url + inItsTime(path));
    assert.equal(answer.status(), 200, path);
    const words = (await page.locator("main p").allInnerTexts()).map((one) => one.trim());
    said.push(...words.filter((one) => NOTHING.test(one)).map((one) => `${path}: ${one}`));
  }, more);
  assert.deepEqual(said, TRUE);
});

test("with a year's leads every report is one screen of a desk, though it has as many rows as it shows", async () => {
  const page = await yard.signedIn("desk", { viewport: { width: 1280, height: 900 } });
  const ends = (parts) => Math.max(...parts.map((one) => one.getBoundingClientRect().bottom));
  const [tall, rows] = [[], []];
  for (const report of REPORTS) {
    await page.goto(`${yard.ready.url}/console/reports/${report}`);
    const below = (await page.locator("svg.chart, svg.map, table.figures").evaluateAll(ends)) - 900;
    if (below > 0) tall.push(`${report}: ${Math.ceil(below)} px below the screen`);
    rows.push(await page.locator("table.figures:not(.lone) tbody tr:not(.whole)").count());
  }
  assert.equal(Math.max(...rows), 6);
  assert.deepEqual(tall, []);
  await page.context().close();
});
