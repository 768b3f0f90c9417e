// The posting instructions in a real browser: what they show works as it stands.
//
//   LEADYARD=path/to/leadyard CHROMIUM=path/to/chromium node --test tests/browser

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { start, until } from "./support.mjs";

let yard;
before(async () => { yard = await start(process.env.LEADYARD, process.env.CHROMIUM); });
after(() => yard.stop());

const instructions = async () => {
  const context = await yard.visitor();
  const page = await context.newPage();
  const answer = await page.goto(`${yard.road.url}/v1/leads/${yard.key}/instructions`);
  assert.equal(answer.status(), 200);
  return { context, page, shown: (id) => page.locator(`#${id}`).innerText() };
};

test("the HTML of the instructions is a form that sends a lead", async () => {
  const { context, shown } = await instructions();
  const page = await context.newPage();
  await page.goto(yard.page("/copied", await shown("html")));
  const typed = { first_name: "Hilda", last_name: "Tamm", email: "hilda@mail.example", phone: "305-274-0151", zip: "33101", message: "A leak" };
  for (const [name, value] of Object.entries(typed)) await page.fill(`[name=${name}]`, value);
  const [answer] = await Promise.all([page.waitForNavigation(), page.click("button")]);
  assert.equal(answer.status(), 201);
  assert.match(await page.innerText("body"), /received/i);
  const story = await yard.story(await yard.lead("hilda@mail.example"));
  assert.equal(Object.fromEntries(story.enquiries[0].fields).message, "A leak");
  await context.close();
});

test("the JavaScript of the instructions sends a lead from another page", async () => {
  const { context, shown } = await instructions();
  const page = await context.newPage();
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  await page.goto(yard.page("/script", ""));
  const script = (await shown("javascript")).replaceAll("ada.hill@example.com", "jan@mail.example");
  await page.addScriptTag({ content: script, type: "module" });
  await until("the answer is printed", () => said.some((text) => text.startsWith("201")));
  await yard.lead("jan@mail.example");
  await context.close();
});

test("the button of the instructions sends a test lead, which reaches nobody", async () => {
  const { context, page } = await instructions();
  const before = yard.told.length;
  await page.locator("form button").last().click();
  await page.waitForLoadState();
  assert.match(await page.innerText("body"), /test/i);
  assert.equal(yard.told.length, before);
  await context.close();
});
