// The console and the dealer's inbox in a real browser: every page in two widths and two themes, with and without
// scripts, asked by axe; and the desk's and a dealer's day by the keyboard alone.
//
//   LEADYARD=path/to/leadyard CHROMIUM=path/to/chromium node --test tests/browser
//
// What the pages looked like is in tests/output/pages.

import axe from "axe-core";
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { enter, open, tabTo } from "./desk.mjs";
import { until } from "./support.mjs";

const PHOTOS = fileURLToPath(new URL("../output/pages/", import.meta.url));
const WIDTHS = [375, 1280];
const MOST_BYTES = 100_000;

let yard;
const at = {};
before(async () => {
  yard = await open(process.env.LEADYARD, process.env.CHROMIUM);
  await mkdir(PHOTOS, { recursive: true });
  // Something for every page to show.
  const ada = await yard.asks("Ada", "Hill", { phone: "305-274-0100", message: "The roof leaks over the kitchen,\nsince the storm.", roof_age: "12 years" });
  const ben = await yard.asks("Ben", "Stone", { phone: "305-274-0101" });
  const far = await yard.asks("Far", "Away", { zip: "99501" });
  const sol = await yard.asks("Sol", "Winter", {}, "sun");
  const odd = await yard.asks("asdfghjkl", "qwrtzp", { message: "buy now http://a.example http://b.example http://c.example", website: "x" });
  at.seat = await yard.seat(ada.lead, "hudson");
  at.sold = await yard.seat(ben.lead, "hudson");
  for (const act of ["accept", "contacted"]) await yard.dealer("hudson", "POST", `/v1/inbox/${at.sold}/${act}`);
  await yard.dealer("hudson", "POST", `/v1/inbox/${at.sold}/return`, { reason: "wrong-number", note: "a fax answers" });
  for (const lead of [far.lead, sol.lead]) await yard.waits(lead);
  Object.assign(at, { lead: ada.lead, waits: far.lead, manual: sol.lead, odd });
});
after(() => yard?.stop());

const ofDesk = () => [
  "/console/today", "/console/leads", "/console/leads?list=waiting", `/console/leads/${at.lead}`, `/console/leads/${at.waits}`,
  "/console/quarantine", "/console/quarantine/reasons", "/console/waiting", "/console/follow-up", "/console/returns", `/console/returns/acme/${at.sold}`,
  "/console/dealers", "/console/dealers/acme/hudson", "/console/dealers/acme/hudson/contracts/hudson",
  "/console/dealers/acme/hudson/why", "/console/dealers/acme/hudson/statement", "/console/rulebook", "/console/people", "/console/reports",
  ...["leads", "sources", "campaigns", "offers", "dealers", "areas", "funnel", "speed", "returns", "unmet"].map((name) => `/console/reports/${name}`),
];
const ofDealer = () => ["/console/inbox", "/console/inbox/closed", "/console/inbox/figures", `/console/inbox/${at.seat}`, `/console/inbox/${at.sold}`];

/** Opens a page and says what is wrong with it. */
async function looked(page, path, { photo, script }) {
  const troubles = [];
  let bytes = 0;
  const heard = (message) => { if (message.type() === "error") troubles.push(message.text()); };
  const weighed = async (answer) => { bytes += (await answer.body().catch(() => Buffer.alloc(0))).length; };
  page.on("console", heard).on("response", weighed);
  const answer = await page.goto(yard.ready.url + path, { waitUntil: "load" });
  if (answer.status() !== 200) troubles.push(`answers ${answer.status()}`);
  const size = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  if (size[0] > size[1]) troubles.push(`is ${size[0]} px wide in a window of ${size[1]}`);
  if (script) {
    const shift = await page.evaluate(() => new Promise((resolve) => {
      let sum = 0;
      new PerformanceObserver((list) => { for (const one of list.getEntries()) sum += one.value; })
        .observe({ type: "layout-shift", buffered: true });
      setTimeout(() => resolve(sum), 50);
    }));
    if (shift > 0) troubles.push(`shifts by ${shift}`);
  }
  // Which makes the window as high as the page.
  await page.screenshot({ path: `${PHOTOS}${photo}.png`, fullPage: true });
  if (script) {
    await page.evaluate(axe.source);
    const found = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
    for (const one of found.violations) troubles.push(`axe: ${one.id}, ${one.help}: ${one.nodes[0].html.slice(0, 160)}`);
  }
  page.off("console", heard).off("response", weighed);
  if (bytes > MOST_BYTES) troubles.push(`weighs ${bytes} bytes`);
  return troubles.map((trouble) => `${photo}: ${trouble}`);
}

const named = (path) => path.replace(/^\/console\//, "").replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, "one").replace(/[^a-z]+/g, "-");

for (const who of ["desk", "hudson"]) {
  for (const width of WIDTHS) {
    for (const colorScheme of ["light", "dark"]) {
      test(`every page of ${who}'s is whole at ${width} px, ${colorScheme}`, async () => {
        const page = await yard.signedIn(who, { viewport: { width, height: 900 }, colorScheme });
        const troubles = [];
        for (const path of who === "desk" ? ofDesk() : ofDealer()) {
          troubles.push(...(await looked(page, path, { photo: `${named(path)}-${width}-${colorScheme}`, script: true })));
        }
        assert.deepEqual(troubles, []);
        await page.context().close();
      });
    }
  }
  test(`no page of ${who}'s needs a script`, async () => {
    const page = await yard.signedIn(who, { viewport: { width: 375, height: 900 }, javaScriptEnabled: false });
    const troubles = [];
    for (const path of who === "desk" ? ofDesk() : ofDealer()) {
      troubles.push(...(await looked(page, path, { photo: `${named(path)}-375-no-script`, script: false })));
    }
    assert.deepEqual(troubles, []);
    await page.context().close();
  });
}

test("the desk finds a lead, holds it back and lets it go, by the keyboard", async () => {
  const page = await yard.signedIn("desk", { javaScriptEnabled: false });
  await enter(page, "Leads");
  await tabTo(page, "E-mail, phone or id");
  await page.keyboard.type(at.waits);
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  assert.match(page.url(), new RegExp(at.waits));
  await enter(page, "Hold");
  await until("it is held", async () => (await yard.story(at.waits)).hold);
  await enter(page, "Resume");
  await until("it is let go", async () => !(await yard.story(at.waits)).hold);
  await page.context().close();
});

test("the desk places what waits as recommended, after a look, by the keyboard", async () => {
  const page = await yard.signedIn("desk", { javaScriptEnabled: false, viewport: { width: 375, height: 900 } });
  await enter(page, "Waiting");
  await tabTo(page, "on this page");
  await page.keyboard.press("Space");
  await enter(page, "Place as recommended");
  assert.match(await page.innerText("main"), /sunny/);
  await enter(page, "Place");
  await until("sunny has it", async () => (await yard.story(at.manual)).holders.some((one) => one.dealer === "sunny"));
  await page.context().close();
});

test("the desk decides a return by the keyboard", async () => {
  const page = await yard.signedIn("desk", { javaScriptEnabled: false });
  await enter(page, "Returns");
  await enter(page, "Ben S.");
  assert.match(await page.innerText("main"), /a fax answers/);
  await tabTo(page, "What you say of it");
  await page.keyboard.type("They answered us at once.");
  await enter(page, "Deny");
  assert.match(await page.innerText("main"), /Denied/);
  await page.context().close();
});

test("the desk pauses a dealer and lets it go on, by the keyboard", async () => {
  const page = await yard.signedIn("desk", { javaScriptEnabled: false });
  await enter(page, "Dealers");
  await enter(page, "Ridge & Sons");
  await tabTo(page, "Why | reason");
  await page.keyboard.type("On holiday");
  await enter(page, "Pause", true);
  assert.match(await page.innerText("main"), /Paused/);
  await enter(page, "Resume", true);
  assert.match(await page.innerText("main"), /Takes leads/);
  await page.context().close();
});

test("a dealer accepts, reaches and wins a lead on a phone, by the keyboard", async () => {
  const page = await yard.signedIn("hudson", { javaScriptEnabled: false, viewport: { width: 375, height: 700 } });
  assert.ok(!(await page.innerText("main")).includes("Hill"), "until it accepts");
  await enter(page, "Accept");
  assert.match(await page.innerText("main"), /Ada Hill/);
  await tabTo(page, "+13052740100");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("href")), "tel:+13052740100");
  await enter(page, "I reached them");
  await tabTo(page, "What it was worth to you");
  await page.keyboard.type("9800.00");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  assert.match(await page.innerText("main"), /won, 9800\.00 USD/i);
  await enter(page, "Inbox");
  assert.match(await page.innerText("main"), /Won 1[^]*Ada Hill/);
  await page.context().close();
});

test("back, forward and loading again do nothing twice", async () => {
  const page = await yard.signedIn("desk");
  const { lead } = await yard.asks("Zoe", "Back", { zip: "99501" });
  await yard.waits(lead);
  await page.goto(`${yard.ready.url}/console/leads/${lead}`);
  const notes = async () => (await yard.story(lead)).history.filter((act) => act.act === "note").length;
  await page.fill("[name=text]", "Called, nobody there.");
  await Promise.all([page.waitForNavigation(), page.locator("form", { has: page.locator("[name=text]") }).locator("button").first().click()]);
  assert.equal(await notes(), 1);
  await page.reload();
  await page.goBack();
  await page.goForward();
  assert.equal(await notes(), 1);
  await page.context().close();
});
