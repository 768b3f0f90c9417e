// leadyard.js in a real browser, against the program itself.
//
//   LEADYARD=path/to/leadyard CHROMIUM=path/to/chromium node --test tests/browser

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { start, until } from "./support.mjs";

let yard;
before(async () => { yard = await start(process.env.LEADYARD, process.env.CHROMIUM); });
beforeEach(() => yard.road.clear());
after(() => yard.stop());

const email = (name) => `${name}@mail.example`;
const fill = async (page, name, form = "#ask") => {
  await page.fill(`${form} [name=first_name]`, name);
  await page.fill(`${form} [name=last_name]`, "Hill");
  await page.fill(`${form} [name=email]`, email(name.toLowerCase()));
};
const status = (page, text, form = "#ask") => page.locator(`${form} [data-leadyard-status]`, { hasText: text }).waitFor();
const stored = (page) => page.evaluate(() => Object.fromEntries(Object.entries(localStorage)));
const kept = async (page) => Object.keys(await stored(page)).filter((name) => name.startsWith("leadyard.kept."));
const fields = (enquiry) => Object.fromEntries(enquiry.fields);
const visit = async (context, address) => {
  const page = await context.newPage();
  await page.goto(address);
  return page;
};

test("a form is sent without leaving the page, and nothing of it stays in the browser", async () => {
  const context = await yard.visitor();
  const page = await visit(context, yard.page("/plain", yard.form()));
  await fill(page, "Plain");
  await page.check("[name=consent]");
  await page.click("button");
  await status(page, "Thank you");
  assert.equal(page.url(), `${yard.site}/plain`);
  assert.equal(await page.inputValue("[name=email]"), "", "the form is empty again");
  assert.deepEqual(await kept(page), []);
  const story = await yard.story(await yard.lead(email("plain")));
  const said = fields(story.enquiries[0]);
  assert.equal(said.consent_text, "You may call me about my roof.");
  assert.equal(said.consent_url, `${yard.site}/plain`);
  assert.match(said.form_token, /^ft_/);
  assert.equal(story.enquiries.length, 1);
  await context.close();
});

test("a double click is one enquiry, however slow or quick the answer", async () => {
  for (const [name, fault] of [["Slow", "slow"], ["Quick", undefined]]) {
    yard.road.clear();
    yard.road.next.push(fault);
    const context = await yard.visitor();
    const page = await visit(context, yard.page("/double", yard.form()));
    await fill(page, name);
    // The second click comes while the first is on its way, or when the form is empty again.
    await (fault ? page.dblclick("button") : page.click("button"));
    await status(page, "Thank you");
    if (!fault) await page.click("button");
    await page.waitForTimeout(300);
    assert.equal(yard.road.leads().length, 1, name);
    await context.close();
  }
});

test("a lost reply is asked for again under the same key, and is one enquiry", async () => {
  yard.road.next.push("loses the reply");
  const context = await yard.visitor();
  const page = await visit(context, yard.page("/lost", yard.form()));
  await fill(page, "Lost");
  await page.click("button");
  await status(page, "Thank you");
  const sent = yard.road.leads();
  // The browser itself may have asked again, or the script.
  assert.equal(sent.length, 2);
  assert.equal(sent[0].headers["idempotency-key"], sent[1].headers["idempotency-key"]);
  const story = await yard.story(await yard.lead(email("lost")));
  assert.equal(story.enquiries.length, 1);
  await context.close();
});

test("without a network it is kept, and sent when the network is back", async () => {
  const context = await yard.visitor();
  const page = await visit(context, yard.page("/offline", yard.form()));
  await fill(page, "Offline");
  await context.setOffline(true);
  await page.click("button");
  await status(page, "no connection");
  assert.equal((await kept(page)).length, 1);
  // Its next try of itself is eight seconds off: only the network's return can be what sends it.
  await until("a few tries", async () => JSON.parse(Object.values(await stored(page)).find((text) => text.includes('"tries"'))).value.tries >= 3);
  const back = Date.now();
  await context.setOffline(false);
  await status(page, "Thank you");
  assert.ok(Date.now() - back < 6_000, `after ${Date.now() - back} ms`);
  assert.deepEqual(await kept(page), []);
  const story = await yard.story(await yard.lead(email("offline")));
  assert.equal(story.enquiries.length, 1);
  await context.close();
});

test("what could not be sent survives a reload, and a closed page, and arrives once", async () => {
  for (const way of ["Reload", "Reopen"]) {
    yard.road.clear();
    yard.road.always = "down";
    const context = await yard.visitor();
    const address = yard.page("/reload", yard.form());
    let page = await visit(context, address);
    await fill(page, way);
    await page.click("button");
    await status(page, "no connection");
    if (way === "Reload") {
      await page.reload();
    } else {
      await page.close();
      page = await visit(context, address);
    }
    await until("what was typed stands there again", async () => await page.inputValue("[name=first_name]") === way);
    assert.equal((await kept(page)).length, 1);
    yard.road.always = undefined;
    await status(page, "Thank you");
    assert.deepEqual(await kept(page), []);
    const keys = new Set(yard.road.leads().map((one) => one.headers["idempotency-key"]));
    assert.equal(keys.size, 1, "one key for all tries");
    const story = await yard.story(await yard.lead(email(way.toLowerCase())));
    assert.equal(story.enquiries.length, 1, way);
    await context.close();
  }
});

test("a busy server is asked again when it says, not before", async () => {
  for (const code of [503, 429]) {
    yard.road.clear();
    yard.road.next.push({ status: code, after: 3 });
    const context = await yard.visitor();
    const page = await visit(context, yard.page("/busy", yard.form('data-leadyard-busy="Bitte warten"')));
    await fill(page, `Busy${code}`);
    await page.click("button");
    await status(page, "Bitte warten");
    const began = Date.now();
    // Not even a reload asks sooner.
    await page.reload();
    await status(page, "Thank you");
    assert.ok(Date.now() - began > 2_000, `after ${Date.now() - began} ms`);
    assert.equal(yard.road.leads().length, 2);
    await context.close();
  }
});

test("what is too old is forgotten, and not sent", async () => {
  const context = await yard.visitor();
  yard.road.always = "down";
  const address = yard.page("/old", yard.form());
  const page = await visit(context, address);
  await fill(page, "Old");
  await page.click("button");
  await status(page, "no connection");
  await page.evaluate(() => {
    for (const [name, text] of Object.entries(localStorage)) {
      if (name.startsWith("leadyard.kept.")) localStorage.setItem(name, JSON.stringify({ ...JSON.parse(text), until: Date.now() - 1 }));
    }
  });
  yard.road.clear();
  await page.reload();
  await until("it is gone", async () => (await kept(page)).length === 0);
  await page.waitForTimeout(300);
  assert.equal(yard.road.leads().length, 0);
  await context.close();
});

test("what cannot be taken is said beside its field, and taken once it is put right", async () => {
  const context = await yard.visitor();
  const page = await visit(context, yard.page("/wrong", yard.form("novalidate")));
  await page.fill("[name=first_name]", "Wrong");
  await page.fill("[name=email]", "wrong at mail");
  await page.click("button");
  const field = page.locator("[name=email]");
  await page.locator("[name=email][aria-invalid=true]").waitFor();
  const described = await field.getAttribute("aria-describedby");
  assert.match(await page.locator(`#${described.trim()}`).textContent(), /e-mail/);
  assert.equal(await page.evaluate(() => document.activeElement.name), "email");
  assert.equal(await field.inputValue(), "wrong at mail", "what was typed stays");
  assert.deepEqual(await kept(page), []);
  await field.fill(email("wrong"));
  assert.equal(await field.getAttribute("aria-invalid"), null);
  assert.equal(await page.locator(".leadyard-error").count(), 0);
  await page.click("button");
  await status(page, "Thank you");
  await yard.lead(email("wrong"));
  await context.close();
});

test("without JavaScript the form posts by itself", async () => {
  const context = await yard.visitor({ javaScriptEnabled: false });
  const page = await visit(context, yard.page("/noscript", yard.form()));
  await fill(page, "Noscript");
  await page.click("button");
  await page.locator("h1", { hasText: "Thank you" }).waitFor();
  await yard.lead(email("noscript"));
  await context.close();
});

test("several forms of a page, and one that comes later, are each an enquiry of their own", async () => {
  const context = await yard.visitor();
  const page = await visit(context, yard.page("/several", yard.form() + yard.form("", "", "second")));
  await page.evaluate((html) => document.body.insertAdjacentHTML("beforeend", html), yard.form("", "", "third"));
  for (const id of ["ask", "second", "third"]) {
    await fill(page, `Several${id}`, `#${id}`);
    await page.click(`#${id} button`);
    await status(page, "Thank you", `#${id}`);
    const story = await yard.story(await yard.lead(email(`several${id}`)));
    assert.match(fields(story.enquiries[0]).form_token, /^ft_/, id);
  }
  assert.equal(new Set(yard.road.leads().map((one) => one.headers["idempotency-key"])).size, 3);
  await context.close();
});

test("a browser that refuses storage sends all the same, and tries again", async () => {
  const context = await yard.visitor();
  await context.addInitScript(() => Object.defineProperty(window, "localStorage", { get() { throw new DOMException("no", "SecurityError"); } }));
  yard.road.next.push({ status: 503, after: 1 });
  const page = await visit(context, yard.page("/private", yard.form()));
  await fill(page, "Private");
  await page.click("button");
  await status(page, "very busy");
  await status(page, "Thank you");
  await yard.lead(email("private"));
  await context.close();
});

test("the page says what follows: a section, another page, or its own script", async () => {
  const context = await yard.visitor();
  const section = '<section id="thanks" hidden><h2>We call you</h2></section>';
  let page = await visit(context, yard.page("/section", yard.form('data-leadyard-thanks="#thanks"') + section));
  await fill(page, "Section");
  await page.click("button");
  await page.locator("#thanks h2").waitFor();
  assert.equal(await page.locator("#ask").isVisible(), false);
  assert.equal(await page.evaluate(() => document.activeElement.id), "thanks");

  yard.page("/done", "<h1>Done</h1>");
  page = await visit(context, yard.page("/redirect", yard.form('data-leadyard-thanks="/done"')));
  await fill(page, "Redirect");
  await page.click("button");
  await page.locator("h1", { hasText: "Done" }).waitFor();
  assert.equal(page.url(), `${yard.site}/done`, "nothing of the person is in the address");

  page = await visit(context, yard.page("/own", yard.form()));
  await page.evaluate(() => addEventListener("leadyard:received", (event) => {
    event.preventDefault();
    document.title = `received ${event.detail.status}`;
  }));
  await fill(page, "Own");
  await page.click("button");
  await until("the page's own word", async () => await page.title() === "received received");
  assert.doesNotMatch(await page.locator("[data-leadyard-status]").textContent(), /Thank you/);
  await context.close();
});

test("a step of a form is kept before the rest is typed, and the rest completes it", async () => {
  const context = await yard.visitor();
  const step = '<button type="button" data-leadyard-step id="next">Next</button>';
  const page = await visit(context, yard.page("/steps", yard.form("", step)));
  await page.click("#next");
  await page.waitForTimeout(200);
  assert.equal(yard.road.leads().length, 0, "nobody could be reached by it");
  await page.fill("[name=email]", email("step"));
  await page.click("#next");
  const lead = await yard.lead(email("step"));
  assert.equal(await page.inputValue("[name=email]"), email("step"), "the form goes on");
  await page.fill("[name=first_name]", "Step");
  await page.click("button:not([type])");
  await status(page, "Thank you");
  const story = await until("the lead is whole", async () => {
    const story = await yard.story(lead);
    return story.enquiries.length === 2 && story;
  });
  assert.equal(story.person.first_name, "Step");
  await context.close();
});

test("what a visitor did before the enquiry counts after it, and both touches arrive", async () => {
  const context = await yard.visitor();
  const address = yard.page("/ad", '<button data-leadyard-click="price_click">Prices</button>' + yard.form());
  let page = await visit(context, `${address}?utm_source=google&utm_campaign=spring&gclid=g1&email=canary@mail.example`);
  await until("a visitor", async () => Object.keys(await stored(page)).some((name) => name.startsWith("leadyard.visitor.")));
  await page.click("[data-leadyard-click]");
  await page.close({ runBeforeUnload: true });
  page = await visit(context, `${address}?utm_source=newsletter&utm_campaign=june&msclkid=m1`);
  page = await visit(context, address);
  await until("three visits are told", () =>
    yard.road.asked.filter((one) => one.path === `/v1/interactions/${yard.key}` && one.body.includes("page_view")).length === 3);
  await fill(page, "Touched");
  await page.click("#ask button");
  await status(page, "Thank you");
  const story = await until("its interactions count", async () => {
    const story = await yard.story(await yard.lead(email("touched")));
    return story.interactions.some((one) => one.kind === "price_click") && story;
  });
  const count = (kind) => story.interactions.filter((one) => one.kind === kind).reduce((sum, one) => sum + one.count, 0);
  assert.equal(count("page_view"), 3);
  assert.equal(count("price_click"), 1);
  const said = fields(story.enquiries[0]);
  assert.equal(said.utm_source, "newsletter", "who comes back by himself came by the newsletter");
  assert.equal(said.msclkid, "m1");
  assert.equal(said["first_touch.utm_source"], "google");
  assert.equal(said["first_touch.gclid"], "g1");
  assert.equal(said["first_touch.landing_page"], `${yard.site}/ad`);
  assert.equal(story.campaign, "june");
  const told = yard.road.asked.filter((one) => one.path.startsWith("/v1/interactions/"));
  assert.ok(told.every((one) => (one.status || 200) < 300), "every beacon was taken");
  assert.ok(!JSON.stringify(yard.road.asked).includes("canary"), "nothing else of the address is sent");
  await context.close();
});

test("under Global Privacy Control nobody is followed, and the enquiry says so", async () => {
  const context = await yard.visitor();
  const address = yard.page("/gpc", yard.form());
  // Followed before he said so.
  let page = await visit(context, `${address}?utm_source=google&gclid=g1`);
  await until("a visitor", async () => Object.keys(await stored(page)).some((name) => name.startsWith("leadyard.visitor.")));
  await page.close();
  yard.road.clear();
  await context.addInitScript(() => Object.defineProperty(navigator, "globalPrivacyControl", { value: true }));
  await context.setExtraHTTPHeaders({ "sec-gpc": "1" });
  page = await visit(context, `${address}?utm_source=google&gclid=g2`);
  await fill(page, "Gpc");
  await page.click("button");
  await status(page, "Thank you");
  assert.deepEqual(await stored(page), {});
  await page.close();
  const story = await yard.story(await yard.lead(email("gpc")));
  const said = fields(story.enquiries[0]);
  assert.equal(said.gpc, "1");
  assert.equal(story.enquiries[0].gpc, true);
  assert.deepEqual([said.visitor, said.utm_source, said.gclid, said["first_touch.gclid"]], [undefined, undefined, undefined, undefined]);
  assert.ok(!yard.road.asked.some((one) => one.path.startsWith("/v1/interactions/")));
  await context.close();
});

test("the demo's landing page sends by it", async () => {
  const context = await yard.visitor();
  const page = await visit(context, yard.demo.landing_page);
  const errors = [];
  page.on("console", (message) => { if (message.type() === "error") errors.push(message.text()); });
  await fill(page, "Demo", "form");
  await page.fill("[name=phone]", "303-555-0147");
  await page.fill("[name=zip]", "80219");
  await page.check("[name=consent]");
  await page.waitForTimeout(1_100);
  await page.click("button[type=submit]");
  await page.locator("#thanks h2").waitFor();
  assert.deepEqual(errors, []);
  await context.close();
});
