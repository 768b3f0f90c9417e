// The console and the dealer's inbox in a real browser: every page in two widths and two themes, with and without
// scripts, asked by axe; many at once, by the keyboard alone; and what the script does. Other journeys are in
// journeys-*.test.mjs, pages of two companies in companies.test.mjs, pages with a year's leads in demo.test.mjs.
//
//   LEADYARD=path/to/leadyard CHROMIUM=path/to/chromium node --test tests/browser
//
// What the pages looked like is in tests/output/pages.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PHOTOS, WIDTHS, enter, judged, looked, open, tabTo } from "./desk.mjs";
import { looksAtAll, named, ofDealer, ofDesk } from "./pages.mjs";
import { until } from "./support.mjs";

let yard;
const at = {};
before(async () => {
  yard = await open(process.env.LEADYARD, process.env.CHROMIUM);
  // Something for every page to show.
  const ada = await yard.asks("Ada", "Hill", { phone: "305-274-0100", message: "The roof leaks over the kitchen,\nsince the storm.", roof_age: "12 years" });
  const ben = await yard.asks("Ben", "Stone", { phone: "305-274-0101" });
  const far = await yard.asks("Far", "Away", { zip: "99501" });
  const sol = await yard.asks("Sol", "Winter", {}, "sun");
  const odd = await yard.asks("asdfghjkl", "qwrtzp", { email: "asdf@mailinator.com", message: "buy now http://a.example http://b.example http://c.example", website: "x" });
  const early = await yard.toBeCalled("Nia", "Early", { phone: "305-274-0102" });
  at.seat = await yard.seat(ada.lead, "hudson");
  at.sold = await yard.seat(ben.lead, "hudson");
  for (const act of ["accept", "contacted"]) await yard.dealer("hudson", "POST", `/v1/inbox/${at.sold}/${act}`);
  await yard.dealer("hudson", "POST", `/v1/inbox/${at.sold}/return`, { reason: "wrong-number", note: "a fax answers" });
  for (const lead of [far.lead, sol.lead]) await yard.waits(lead);
  // A second version, and something in the log of changes.
  const edit = await yard.desk("PATCH", "/v1/rulebook/contracts/ridge?base=1", { set: { cap_day: "30" } });
  assert.equal(edit.status, 200, edit.text);
  await yard.desk("POST", "/v1/persons/opt_out", { email: "nobody@mail.example" });
  const [{ id: decision }] = (await yard.story(ada.lead)).decisions;
  at.look = await looksAtAll(yard, "acme", "hold", "waiting");
  Object.assign(at, { company: "acme", dealer: "hudson", contract: "hudson", area: "florida", version: 2 });
  Object.assign(at, { returned: at.sold, seats: [at.seat, at.sold] });
  Object.assign(at, { lead: ada.lead, waits: far.lead, manual: sol.lead, odd: odd.enquiry, early, decision });
});
after(() => yard?.stop());

// What forms are answered with: looks before something is done, and why something was not. Where each is sent, with what, and
// the answer's status.
const ofForms = () => [
  ["/console/sign-in", { token: "none of ours" }, 401],
  ["/console/again", {}, 200],
  ["/console/leads", { company: "acme", who: "nobody@mail.example" }, 200],
  ["/console/leads/many", { act: "hold", list: "company=acme&list=waiting", every: "on" }, 200],
  [`/console/leads/${at.lead}/show`, {}, 200],
  [`/console/leads/${at.waits}/place`, { contract: "no such one", reason: "she asked for them" }, 400],
  ["/console/quarantine/many", { company: "acme", act: "reject", [`one.${at.odd}`]: "quarantined" }, 200],
  [`/console/quarantine/${at.odd}/show`, { company: "acme" }, 200],
  [`/console/quarantine/${at.odd}/reject`, { company: "acme", seen: "released", reason: "nobody is there" }, 409],
  ["/console/waiting/place", { company: "acme", [`one.${at.manual}`]: "on" }, 200],
  [`/console/follow-up/${at.early}/call`, { company: "acme", result: "", note: "it rang for long" }, 400],
  [`/console/returns/acme/${at.sold}/deny`, { reason: "" }, 400],
  ["/console/dealers", { company: "acme", name: "n" }, 200],
  ["/console/dealers/acme/hudson/pause", { reason: "away", until: "tomorrow" }, 400],
  ["/console/dealers/acme/hudson/contracts/hudson/edit", { base: "2", price: "46.00", ends: "2020-01-01" }, 200],
  ["/console/dealers/acme/hudson/contracts/hudson/edit", { base: "2", price: "a lot" }, 422],
  ["/console/dealers/acme/hudson/row/edit", { base: "2", name: "Hudson & Sons" }, 200],
  ["/console/rulebook/acme/areas/florida/edit", { base: "2", part: "state:FL\nstate:GA" }, 200],
  ["/console/rulebook/switch", { company: "acme", switch: "stop", on: "yes", reason: "" }, 400],
  ["/console/people/add", { company: "acme", people: "Ben B,b@acme.example,desk" }, 400],
];
const ofInbox = () => [
  [`/console/inbox/${at.sold}/won`, { value: "a lot" }, 400],
];

const where = (path) => yard.ready.url + path;

for (const who of ["desk", "hudson"]) {
  for (const width of WIDTHS) {
    for (const colorScheme of ["light", "dark"]) {
      test(`every page of ${who}'s is whole at ${width} px, ${colorScheme}`, async () => {
        const page = await yard.signedIn(who, { viewport: { width, height: 900 }, colorScheme });
        const troubles = [];
        for (const path of who === "desk" ? ofDesk(at) : ofDealer(at)) {
          troubles.push(...(await looked(page, yard.ready.url + path, { photo: `${named(path)}-${width}-${colorScheme}`, script: true })));
        }
        assert.deepEqual(troubles, []);
        await page.context().close();
      });
    }
  }
  test(`no page of ${who}'s needs a script`, async () => {
    const page = await yard.signedIn(who, { viewport: { width: 375, height: 900 }, javaScriptEnabled: false });
    const troubles = [];
    for (const path of who === "desk" ? ofDesk(at) : ofDealer(at)) {
      troubles.push(...(await looked(page, yard.ready.url + path, { photo: `${named(path)}-375-no-script`, script: false })));
    }
    assert.deepEqual(troubles, []);
    await page.context().close();
  });
}

/** Sends a form as a page of theirs would; the answer's status. */
async function sends(page, path, fields) {
  const send = ([action, said]) => {
    const form = Object.assign(document.createElement("form"), { method: "post", action });
    const csrf = document.querySelector("[name=csrf]")?.value;
    for (const [name, value] of Object.entries({ ...(csrf && { csrf }), ...said })) {
      form.append(Object.assign(document.createElement("textarea"), { name, value }));
    }
    document.body.append(form);
    form.submit();
  };
  const [answer] = await Promise.all([page.waitForNavigation(), page.evaluate(send, [path, fields])]);
  return answer.status();
}

for (const width of WIDTHS) {
  test(`what a form is answered with is whole at ${width} px`, async () => {
    const troubles = [];
    const sees = async (page, photo, status, wanted) => {
      if (status !== wanted) troubles.push(`${photo} answers ${status}: ${await page.innerText("main")}`);
      troubles.push(...(await judged(page, { photo: `${photo}-${width}-light`, script: true })));
    };
    for (const [who, home, forms] of [["desk", "/console/today", ofForms()], ["hudson", "/console/inbox", ofInbox()]]) {
      const page = await yard.signedIn(who, { viewport: { width, height: 900 } });
      for (const [path, fields, wanted] of forms) {
        await page.goto(yard.ready.url + home);
        await sees(page, `form-${named(path)}-${wanted}`, await sends(page, path, fields), wanted);
      }
      // Where no page answers; a form of an earlier sign-in; one that comes when it is over.
      for (const [path, wanted] of [["/console/nothing-here", 404], ["/console/waiting/place", 405], ["/console/waiting?count=many", 400]]) {
        if (who === "desk") await sees(page, `lost-${wanted}`, (await page.goto(yard.ready.url + path)).status(), wanted);
      }
      const note = who === "desk" ? `/console/leads/${at.lead}/note` : `/console/inbox/${at.sold}/won`;
      const said = who === "desk" ? { text: "She said maybe." } : { value: "900.00" };
      await page.goto(yard.ready.url + home);
      await sees(page, `earlier-${who}`, await sends(page, note, { ...said, csrf: "of another session" }), 403);
      await page.goto(yard.ready.url + home);
      await page.context().clearCookies();
      await sees(page, `over-${who}`, await sends(page, note, said), 401);
      await page.context().close();
    }
    assert.deepEqual(troubles, []);
  });
}

test("what is printed is dark on white in either theme, without its forms, and names stand whole", async () => {
  const page = await yard.signedIn("desk", { viewport: { width: 720, height: 900 }, colorScheme: "dark" });
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  await page.goto(`${yard.ready.url}/console/reports/areas`);
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).color), "rgb(24, 34, 44)");
  const name = await page.evaluate(() => document.querySelector(".figures tbody th").getBoundingClientRect().width);
  assert.ok(name >= 90, `a name has ${name} px`);
  await page.goto(`${yard.ready.url}/console/leads/${at.waits}`);
  assert.ok(!(await page.innerText("main")).includes("What to do"));
  assert.equal(await page.locator("main button:visible").count(), 0);
  // A statement says by itself whose it is and of when, and its lines stand whole on the paper.
  await page.goto(`${yard.ready.url}/console/dealers/acme/hudson/statement`);
  assert.match(await page.innerText("main"), /hudson[^]*Statement \d{4}-\d{2}[^]*Owed[^]*45\.00 USD/);
  assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector("main td")).color), "rgb(24, 34, 44)");
  assert.equal(await page.locator("main :is(button, input):visible").count(), 0);
  assert.ok(await page.locator("main table").evaluate((lines) => lines.getBoundingClientRect().right <= innerWidth));
  await page.screenshot({ path: `${PHOTOS}print-statement-720.png`, fullPage: true });
  await page.context().close();
});

test("a token that is shown once stands whole on a phone", async () => {
  const page = await yard.signedIn("desk", { viewport: { width: 375, height: 900 } });
  await page.goto(`${yard.ready.url}/console/people`);
  await page.fill("#name", "nightly-export");
  await enter(page, "Make it", true);
  assert.match(await page.innerText("main"), /api_acme\./);
  assert.deepEqual(await judged(page, { photo: "people-token-375-light", script: true }), []);
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

// --- Many at once: in both widths, with and without a script ---

// Where each journey's own leads live, so that a list holds no others.
const states = [["GA", "30301"], ["AL", "36602"], ["SC", "29401"], ["TN", "37201"]];
let called = 0;
for (const width of [375, 1280]) {
  for (const javaScriptEnabled of [true, false]) {
    const [state, zip] = states.pop();
    const how = `at ${width} px, ${javaScriptEnabled ? "with" : "without"} a script, by the keyboard`;
    const opened = () => yard.signedIn("desk", { javaScriptEnabled, viewport: { width, height: 900 } });

    test(`the desk has many of a list called, after a look, ${how}`, async () => {
      const page = await opened();
      const leads = [];
      for (let one = 0; one < 2; one += 1) {
        called += 1;
        leads.push((await yard.asks("Cal", `Many${called}`, { zip, phone: `305-274-02${String(called).padStart(2, "0")}` }, "early")).lead);
      }
      for (const lead of leads) await until("it is nurtured", async () => (await yard.story(lead)).stage === "nurturing");
      await page.goto(where(`/console/leads?list=nurturing&state=${state}`));
      await tabTo(page, "on this page");
      await page.keyboard.press("Space");
      await tabTo(page, "To do");
      for (let press = 0; press < 9 && (await page.inputValue("[name=act]")) !== "follow_up"; press += 1) await page.keyboard.press("ArrowDown");
      await enter(page, "Look first");
      assert.match(await page.innerText("main"), /2 would be called/);
      await enter(page, "Do it with those that are ticked");
      assert.match(await page.innerText("main"), /2 chosen to be called\./);
      for (const lead of leads) assert.equal((await yard.story(lead)).follow_up.stands, "due");
      await page.context().close();
    });

    test(`the desk places all that wait, and sees how far it has come, ${how}`, async () => {
      const page = await opened();
      const leads = [];
      for (let one = 0; one < 27; one += 1) leads.push((await yard.asks("Max", `Sun${width}${one}`, {}, "sun")).lead);
      for (const lead of leads) await yard.waits(lead);
      const all = (await yard.desk("GET", "/v1/waiting")).json.by_reason.manual;
      assert.ok(all >= leads.length);
      await enter(page, "Waiting");
      await enter(page, "manual");
      await tabTo(page, "all that wait for this reason");
      await page.keyboard.press("Space");
      await enter(page, "Place as recommended");
      // The steps go on by themselves, until all of them were looked at.
      await page.getByText(`${all} would go`).waitFor();
      assert.deepEqual(await judged(page, { photo: `whole-look-${width}-${javaScriptEnabled}`, script: javaScriptEnabled }), []);
      await tabTo(page, `Do it with all ${all}`);
      await page.keyboard.press("Enter");
      await page.getByText(`${all} placed.`).waitFor();
      assert.deepEqual(await page.locator("progress").evaluate((one) => [one.value, one.max, one.labels[0].innerText]), [all, all, `Done with ${all} of ${all}`]);
      assert.deepEqual(await judged(page, { photo: `whole-done-${width}-${javaScriptEnabled}`, script: javaScriptEnabled }), []);
      for (const lead of leads) assert.equal((await yard.story(lead)).holders.length, 1);
      await page.context().close();
    });

    test(`the desk puts lists in another order, and goes where a number leads, ${how}`, async () => {
      const page = await opened();
      await enter(page, "with a dealer and not reached");
      const [shown, said] = [await page.locator("tbody tr").count(), await page.innerText("main")];
      assert.match(said, new RegExp(`${shown} shown of`));
      await page.goto(where("/console/leads?list=assigned"));
      await tabTo(page, "By");
      for (let press = 0; press < 3 && (await page.inputValue("[name=order]")) !== "time"; press += 1) await page.keyboard.press("ArrowDown");
      await enter(page, "Show", true);
      assert.match(await page.innerText("main"), /whose sale cycle began last first/);
      await page.goto(where("/console/leads?list=dealer:hudson"));
      await tabTo(page, "By");
      for (let press = 0; press < 3 && (await page.inputValue("[name=order]")) !== "score"; press += 1) await page.keyboard.press("ArrowDown");
      await enter(page, "Show", true);
      assert.match(await page.innerText("main"), /the highest score first/);
      await page.context().close();
    });
  }
}

test("a report is one screen of a desk: its chart stands beside its table, and above it on a phone", async () => {
  const page = await yard.signedIn("desk");
  for (const [width, beside] of [[1280, true], [375, false]]) {
    await page.setViewportSize({ width, height: 900 });
    for (const report of ["sources", "campaigns", "areas", "speed"]) {
      await page.goto(where(`/console/reports/${report}`));
      const [drawn, table] = await Promise.all(["svg.chart, svg.map", "table.figures"].map((one) => page.locator(one).first().boundingBox()));
      assert.equal(table.y < drawn.y + drawn.height, beside, `${report}, ${width} px`);
      assert.equal(table.x > drawn.x + drawn.width, beside, `${report}, ${width} px`);
      if (beside) assert.ok(Math.max(drawn.y + drawn.height, table.y + table.height) <= 900, `${report}: below the screen`);
    }
  }
  await page.context().close();
});

// --- The script, where there is one ---

/** A lead's form for a note, and its button. */
const noteOf = (page) => page.locator("form[action$='/note']");

test("a form that is being sent is sent once, with the button that was pressed, and may be sent after coming back", async () => {
  const page = await yard.signedIn("desk");
  await yard.asks("Dan", "Twice", { email: "dan.twice@mailinator.com" });
  await page.goto(where("/console/quarantine"));
  const sent = [];
  // The answer is slow: nobody has gone on to another page yet.
  await page.route("**/console/quarantine/many", async (route) => {
    sent.push(route.request().postData());
    await new Promise((resolve) => setTimeout(resolve, 500));
    await route.fulfill({ status: 204 });
  });
  const button = page.locator("button[value=release]");
  const said = () => Promise.all(["aria-busy", "aria-disabled"].map((name) => button.getAttribute(name)));
  await page.evaluate(() => {
    const one = document.querySelector("button[value=release]");
    one.focus();
    one.click();
    one.click();
  });
  assert.deepEqual(await said(), ["true", "true"]);
  // Whoever works with the keyboard stays where they were.
  assert.equal(await page.evaluate(() => document.activeElement.matches("button[value=release]:not([disabled])")), true);
  await until("it was sent", () => sent.length > 0);
  await page.evaluate(() => document.querySelector("button[value=release]").form.requestSubmit());
  await page.waitForTimeout(700);
  assert.equal(sent.length, 1);
  assert.match(sent[0], /act=release/);
  // As a browser tells that one came back to a page that it kept.
  await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true })));
  assert.deepEqual(await said(), ["false", "false"]);
  await page.context().close();
});

test("a second click brings no second file, and another file of the same form comes at once", async () => {
  const page = await yard.signedIn("desk");
  await page.goto(where("/console/leads?list=waiting"));
  await Promise.all([page.waitForNavigation(), page.getByRole("link", { name: "The list as a table (CSV)" }).click()]);
  const files = [];
  page.on("download", (file) => files.push(file));
  const take = () => page.evaluate(() => [...document.querySelectorAll("button")].find((one) => one.textContent === "Take the file").click());
  await take();
  await take();
  await until("a file came", () => files.length > 0);
  await page.getByLabel("with who they are").check();
  await take();
  await until("the other came", () => files.length > 1);
  await page.waitForTimeout(500);
  assert.equal(files.length, 2);
  await page.context().close();
});

test("all of a list are ticked and none, and without scripts nothing offers it", async () => {
  const page = await yard.signedIn("desk");
  await page.goto(where("/console/leads"));
  const ticked = () => page.locator(".pick tbody input:checked").count();
  const all = await page.locator(".pick tbody input[type=checkbox]").count();
  assert.ok(all > 1);
  await page.click("text=Tick all");
  assert.equal(await ticked(), all);
  await page.click("text=Tick none");
  assert.equal(await ticked(), 0);
  await page.context().close();
  const plain = await yard.signedIn("desk", { javaScriptEnabled: false });
  await plain.goto(where("/console/leads"));
  assert.equal(await plain.locator("text=Tick all").count(), 0);
  await plain.context().close();
});

test("a list that was opened long ago is loaded anew when it is looked at again, unless something was ticked", async () => {
  const page = await yard.signedIn("desk");
  await page.clock.install();
  const opens = async () => {
    await page.goto(where("/console/leads"));
    await page.evaluate(() => { window.asItWas = true; });
  };
  const looksAgain = async (minutes) => {
    await page.clock.setFixedTime(Date.now() + minutes * 60_000);
    await page.evaluate(() => { document.dispatchEvent(new Event("visibilitychange")); });
    await page.waitForTimeout(500);
    await page.waitForLoadState();
    return page.evaluate(() => window.asItWas === true);
  };
  await opens();
  assert.equal(await looksAgain(4), true, "it is not old yet");
  await page.check(".pick tbody input >> nth=0");
  assert.equal(await looksAgain(60), true, "what was ticked is not lost");
  await page.uncheck(".pick tbody input >> nth=0");
  assert.equal(await looksAgain(61), false, "it is loaded anew");
  await page.context().close();
});

test("who leaves what they typed is asked, and who sends it is not", async () => {
  const page = await yard.signedIn("desk");
  const { lead } = await yard.asks("Una", "Typed", { zip: "99501" });
  await yard.waits(lead);
  await page.goto(where(`/console/leads/${lead}`));
  const asked = [];
  page.on("dialog", async (dialog) => {
    asked.push(dialog.type());
    await dialog.dismiss();
  });
  await noteOf(page).locator("[name=text]").fill("Half a sentence");
  await page.click("nav >> text=Reports");
  await until("it is asked", () => asked.length > 0);
  assert.deepEqual(asked, ["beforeunload"]);
  assert.match(page.url(), new RegExp(lead), "who stays, stays");
  await Promise.all([page.waitForNavigation(), noteOf(page).locator("button").first().click()]);
  assert.equal(asked.length, 1);
  await page.click("nav >> text=Reports");
  await page.waitForURL("**/console/reports**");
  assert.equal(asked.length, 1, "what was sent is not missed");
  await page.context().close();
});
