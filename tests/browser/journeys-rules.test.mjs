// The desk with its rules, reports and tokens, and whoever signs in and out, each way in all four settings by the
// keyboard alone: see settings.mjs. Inviting people is in signing.test.mjs: it needs a provider.

import assert from "node:assert/strict";
import { enter, tabTo } from "./desk.mjs";
import { chooses, journeys, says, takes, types } from "./settings.mjs";
import { until } from "./support.mjs";

const { inEverySetting } = journeys();

// --- Rulebook ---

const inForce = async (yard) => (await yard.desk("GET", "/v1/rulebook?files=yes")).json;
const contract = async (yard, letter) => (await inForce(yard)).files["contracts.csv"].split("\n").find((line) => line.startsWith(`own-${letter},`));

/** Chooses a file by the keyboard, as the window of the browser's own would give it. */
async function choosesFile(page, name, text) {
  // Asked for well before: a window that opens earlier than it is waited for is nobody's.
  const chooser = page.waitForEvent("filechooser");
  await tabTo(page, "Its files");
  await page.keyboard.press("Enter");
  await (await chooser).setFiles({ name, mimeType: "text/csv", buffer: Buffer.from(text) });
}

inEverySetting("the desk sends a file of the rulebook, compares two versions and goes back to the first", "desk", "today", async (page, { letter }, { yard }) => {
  const before = await inForce(yard);
  const row = await contract(yard, letter);
  await enter(page, "Rulebook", true);
  await choosesFile(page, "contracts.csv", before.files["contracts.csv"].replace(row, row.replace("30.00", "33.00")));
  await enter(page, "Look at it", true);
  assert.match(await says(page), new RegExp(`own-${letter}[^]*price: 30\\.00 → 33\\.00`));
  assert.equal((await inForce(yard)).version, before.version, "nothing is done by looking");
  await enter(page, "Publish", true);
  assert.match(await says(page), /Published: from now on it holds/);
  assert.match(await contract(yard, letter), /33\.00/);

  await types(page, "Compare version", String(before.version + 1));
  await types(page, /^with/, String(before.version));
  await enter(page, "Compare", true);
  assert.match(await page.innerText("h1"), new RegExp(`version ${before.version} says otherwise than version ${before.version + 1}`));
  assert.match(await says(page), /price: 33\.00 → 30\.00/);

  await enter(page, "Rulebook", true);
  await enter(page, `Roll back … to version ${before.version}`, true);
  assert.match(await says(page), /price: 33\.00 → 30\.00/);
  await enter(page, "Put it in force again", true);
  assert.match(await says(page), /Published/);
  assert.equal(await contract(yard, letter), row);
  await enter(page, "Who did what to the company", true);
});

inEverySetting("the desk sends a broken file and is told what to put right", "desk", "rulebook", async (page, _, { yard }) => {
  const { version } = await inForce(yard);
  await choosesFile(page, "contracts.csv", "contract,dealer,offers,sources,area,price\nnew,nobody,roof,*,florida,10.00\n");
  await enter(page, "Look at it", true);
  assert.match(await says(page), /Nothing was published[^]*contracts\.csv, line 2[^]*no dealer "nobody"/);
  assert.equal(await page.getByRole("button", { name: "Publish" }).count(), 0);
  await enter(page, "Choose the files again", true);
  assert.equal((await inForce(yard)).version, version);
});

inEverySetting("the desk changes the parts of an area after a look", "desk", null, async (page, { letter, state }, { yard, goes }) => {
  const parts = async () => {
    const rows = (await inForce(yard)).files["areas.csv"].split("\n").map((line) => line.split(","));
    return rows.filter(([area]) => area === `own-${letter}`).map(([, part]) => part);
  };
  await goes(`dealers/acme/own-${letter}/contracts/own-${letter}`);
  await enter(page, `The area own-${letter}`, true);
  await types(page, /\| part$/, `state:${state}\nzip:nowhere`);
  await enter(page, "See what would change", true);
  assert.match(await says(page), /This was not done[^]*a ZIP is five digits/);
  await types(page, /\| part$/, `state:${state}\nzip:05401`);
  await enter(page, "See what would change", true);
  assert.match(await says(page), /part: nothing → zip:05401/);
  assert.deepEqual(await parts(), [`state:${state}`], "nothing is done by looking");
  await enter(page, "Publish", true);
  assert.match(await says(page), new RegExp(`Published: from now on it holds[^]*areas/own-${letter}`));
  assert.deepEqual(await parts(), [`state:${state}`, "zip:05401"]);
});

for (const [name, option, on, off] of [
  ["stop", "stop: all of distribution", /Stopped: nobody gets a lead/, /Started: leads that waited/],
  ["shadow", "shadow: rules say, the desk places", /The company only watches/, /The rules place leads by themselves again/],
]) {
  inEverySetting(`the desk flips the switch ${name} with a reason, and back`, "desk", "rulebook", async (page, { letter }, { yard }) => {
    const flipped = async () => JSON.stringify((await yard.desk("GET", "/v1/switches")).json);
    const was = await flipped();
    await chooses(page, "Switch", option);
    await chooses(page, "To", "on");
    await types(page, /^Why \| reason/, `A storm ${letter}.`);
    await enter(page, "Flip it", true);
    assert.match(await says(page), on);
    assert.notEqual(await flipped(), was);
    await chooses(page, "Switch", option);
    await chooses(page, "To", "off");
    await types(page, /^Why \| reason/, "It is over.");
    await enter(page, "Flip it", true);
    assert.match(await says(page), off);
    await enter(page, "Who did what to the company", true);
    assert.match(await says(page), new RegExp(`A storm ${letter}\\.`));
  });
}

// --- Reports ---

inEverySetting("the desk asks a report of another period and by another dimension, and takes it as a table", "desk", null, async (page, { letter }, { yard, goes }) => {
  const source = `one-${letter}`;
  for (const name of ["Rob", "Rex"]) await yard.asks(name + letter, "Counted", {}, source);
  await until("they are counted", async () => JSON.stringify((await yard.desk("GET", "/v1/reports/sources")).json).includes(source));
  await goes("reports");
  await enter(page, /^sources/i);
  const row = page.locator("tbody tr", { hasText: source });
  await until("both are counted", async () => {
    if (/^2\b/.test(await row.locator("td").first().innerText())) return true;
    await page.reload();
    return false;
  });
  await enter(page, "Last 30 days", true);
  assert.equal(await page.locator("nav.presets [aria-current]").innerText(), "Last 30 days");
  const csv = await takes(page, "CSV of this period");
  assert.match(csv, new RegExp(`^${source},2,`, "m"));
  await chooses(page, "By", "offer");
  await enter(page, "Show", true);
  assert.match(await page.innerText("thead"), /offer/i);
  assert.equal(await row.count(), 0);
  await tabTo(page, /^From/);
  await page.keyboard.type("01012020");
  await tabTo(page, /^To, included/);
  await page.keyboard.type("01312020");
  await enter(page, "Show", true);
  assert.match(await says(page), /2020-01-01 to 2020-01-31[^]*Nothing happened in this period/);
});

// --- Tokens, and signing in and out ---

inEverySetting("the desk makes a token for a program and takes it away", "desk", "today", async (page, { letter }, { yard }) => {
  const may = async (token) => (await fetch(`${yard.ready.url}/v1/waiting`, { headers: { authorization: `Bearer ${token}` } })).status;
  await enter(page, "People", true);
  await types(page, "Make one, called", `nightly-${letter}`);
  await chooses(page, "It may what this role may", "reader");
  await enter(page, "Make it", true);
  const token = await page.innerText("main code");
  assert.match(token, /^api_acme\./);
  assert.equal(await may(token), 200);
  await enter(page, "People", true);
  assert.ok(!(await page.content()).includes(token), "it is shown once");
  await enter(page, `Take nightly-${letter} away`, true);
  assert.match(await says(page), /The token lets nobody in any more/);
  assert.equal(await may(token), 401);
});

inEverySetting("somebody signs in in two browsers and out of both at once", null, null, async (_, { width, script }, { yard }) => {
  const opens = async () => {
    const page = await yard.visitor({ viewport: { width, height: 900 }, javaScriptEnabled: script });
    await page.goto(`${yard.ready.url}/console/leads`);
    await enter(page, "maria", true);
    return page;
  };
  const [one, other] = [await opens(), await opens()];
  assert.match(one.url(), /\/console\/leads$/, "where they were going to");
  await enter(one, "Sign out in every browser");
  for (const page of [one, other]) {
    await page.goto(`${yard.ready.url}/console/today`);
    assert.match(await page.innerText("h1"), /Sign in/);
    await page.context().close();
  }
});

inEverySetting("who has a token signs in by it, and out", null, null, async (_, { width, script }, { yard }) => {
  const page = await yard.visitor({ viewport: { width, height: 900 }, javaScriptEnabled: script });
  await page.goto(`${yard.ready.url}/console/reports`);
  await types(page, "Your token", yard.ready.desk_token);
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  assert.match(await page.innerText("h1"), /Reports/);
  await enter(page, "Sign out", true);
  assert.match(await page.innerText("h1"), /Sign in/);
  await page.context().close();
});
