// Somebody of two companies in a real browser: both side by side on Today, and either on every page that asks for one; as
// in console.test.mjs in two widths and two themes, with and without scripts, asked by axe, and by the keyboard alone.
//
// The second company comes to a running program as the README says: by a token that its keys give, with its own rulebook.
// Who works for both signs in by an address that stands in both.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { RULES, enter, looked, tabTo, written } from "./desk.mjs";
import { both, signsInBy } from "./provider.mjs";
import { chooses, journeys, opened, says } from "./settings.mjs";
import { until } from "./support.mjs";

const BOREA = { ...RULES, "company.toml": RULES["company.toml"].replaceAll("acme", "borea").replaceAll("Acme", "Borea").replace("New_York", "Chicago") };
const folders = [];
let data;
let provider;

/** The second company's rules put in force; its ways in. */
async function joins(yard) {
  const rules = await written(BOREA);
  folders.push(rules);
  const keys = spawnSync(process.env.LEADYARD, ["keys", rules], { input: await readFile(join(data, "master.key")), encoding: "utf8" });
  assert.equal(keys.status, 0, keys.stderr);
  const borea = yard.also(JSON.parse(keys.stdout));
  const published = await borea.desk("PUT", "/v1/rulebook", { files: BOREA });
  assert.equal(published.status, 200, published.text);
  return borea;
}

/** Something for every page of a company to show. */
async function fill(company, name) {
  const far = await company.asks(`${name}far`, "Away", { zip: "99501" });
  await company.waits(far.lead);
  const seat = await company.seat((await company.asks(`${name}ret`, "Urned")).lead, "hudson");
  for (const act of ["accept", "contacted"]) await company.dealer("hudson", "POST", `/v1/inbox/${seat}/${act}`);
  await company.dealer("hudson", "POST", `/v1/inbox/${seat}/return`, { reason: "wrong-number", note: "a fax answers" });
  await company.asks(`${name}odd`, "Doubt", { email: `${name}.doubt@mailinator.com`.toLowerCase() });
  await company.toBeCalled(`${name}cal`, "Led", { phone: "305-274-0400" });
  await company.desk("POST", "/v1/persons/opt_out", { email: "nobody@mail.example" });
  await until("its leads are counted", async () => JSON.stringify((await company.desk("GET", "/v1/reports/sources")).json).includes("early"));
}

const { at, inEverySetting } = journeys({
  opens: async () => {
    data = await mkdtemp(join(tmpdir(), "leadyard-companies-"));
    folders.push(data);
    const { stop, ...of } = await both();
    provider = { stop };
    return opened({ ...of, data });
  },
  fills: async (yard) => {
    const borea = await joins(yard);
    await fill(yard, "Ac");
    await fill(borea, "Bo");
  },
  ends: async () => {
    provider?.stop();
    for (const folder of folders) await rm(folder, { recursive: true });
  },
  signsIn: async (yard, _, options) => {
    const page = await yard.visitor(options);
    await page.goto(`${yard.ready.url}/console/sign-in`);
    await signsInBy(page, "maria@acme.example");
    return page;
  },
});

// What tells of one company where there are several; what is Borea's on it.
const CHOOSES = [
  ["leads", "Bofar"], ["waiting", "Bofar"], ["quarantine", "Boodd"], ["quarantine/reasons", null], ["follow-up", "Bocal"], ["returns", "Boret"],
  ["dealers", "Hudson Roofing"], ["reports", null], ["reports/sources", "early"], ["rulebook", "version 1 is in force"],
  ["rulebook/changes", null], ["people", "maria"],
];
const named = (path) => path.replace(/[^a-z]+/g, "-");

/** What is wrong with any of the pages, each with either company. */
async function troublesOf(options, photo) {
  const page = await at.yard.visitor(options);
  await page.goto(`${at.yard.ready.url}/console/sign-in`);
  await signsInBy(page, "maria@acme.example");
  const troubles = [];
  const script = options.javaScriptEnabled !== false;
  for (const [path] of [["today"], ...CHOOSES]) {
    troubles.push(...(await looked(page, `${at.yard.ready.url}/console/${path}`, { photo: `companies-${named(path)}-${photo}`, script })));
    const offered = await page.locator("main select[name=company] option").allInnerTexts();
    if (path !== "today" && offered.join() !== "Acme,Borea") troubles.push(`${path} offers the companies ${offered}`);
  }
  await page.context().close();
  return troubles;
}

for (const width of [375, 1280]) {
  for (const colorScheme of ["light", "dark"]) {
    test(`with two companies every page that asks for one is whole at ${width} px, ${colorScheme}`, async () => {
      assert.deepEqual(await troublesOf({ viewport: { width, height: 900 }, colorScheme }, `${width}-${colorScheme}`), []);
    });
  }
}

test("with two companies no page needs a script", async () => {
  assert.deepEqual(await troublesOf({ viewport: { width: 375, height: 900 }, javaScriptEnabled: false }, "375-no-script"), []);
});

inEverySetting("who works for two companies sees them side by side, and goes from a number to the leads behind it", "maria", "today", async (page) => {
  const rows = await page.locator("section").first().locator("tbody tr").allInnerTexts();
  assert.equal(rows.length, 2);
  assert.match(rows[0], /^Acme/);
  assert.match(rows[1], /^Borea/);
  await tabTo(page, "Borea", true);
  await page.keyboard.press("Enter");
  assert.match(page.url(), /#borea$/);
  await enter(page, "in quarantine");
  assert.match(page.url(), /company=borea/);
  assert.match(await says(page), /Boodd/);
  assert.doesNotMatch(await says(page), /Acodd/);
});

inEverySetting("who works for two companies chooses either on every page that asks for one", "maria", null, async (page, _, { goes }) => {
  for (const [path, theirs] of CHOOSES) {
    await goes(path);
    await chooses(page, "Company", "Borea");
    await enter(page, "Show", true);
    assert.equal(await page.locator("main select[name=company]").inputValue(), "borea", path);
    assert.match(page.url(), /company=borea/);
    if (theirs) assert.match(await says(page), new RegExp(theirs), path);
    assert.doesNotMatch(await says(page), /Ac(far|odd|cal|ret)/, path);
  }
});
