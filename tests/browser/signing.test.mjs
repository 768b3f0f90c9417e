// Signing in by a real OpenID provider on this machine (npm `oidc-provider`, certified by the OpenID Foundation), which
// signs with RS256: what the tests end to end leave to one that they wrote themselves. And what leads there: an invitation.

import assert from "node:assert/strict";
import { test } from "node:test";
import { WIDTHS, enter, judged, open, tabTo } from "./desk.mjs";
import { both, signsInBy } from "./provider.mjs";
import { startProgram, until } from "./support.mjs";

/** A browser without scripts: cookies by origin and path, redirects one by one. */
class Browser {
  jar = [];

  async asks(url, form) {
    const { origin, pathname } = new URL(url);
    const own = this.jar.filter((one) => one.origin === origin && pathname.startsWith(one.path));
    const response = await fetch(url, {
      method: form ? "POST" : "GET",
      body: form && new URLSearchParams(form),
      headers: { cookie: own.map((one) => `${one.name}=${one.value}`).join("; ") },
      redirect: "manual",
    });
    for (const set of response.headers.getSetCookie()) {
      const [pair, ...rules] = set.split(";").map((part) => part.trim());
      const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
      const path = rules.find((rule) => rule.toLowerCase().startsWith("path="))?.slice(5) ?? "/";
      this.jar = this.jar.filter((one) => one.origin !== origin || one.name !== name || one.path !== path);
      if (value && !/max-age=0|expires=Thu, 01 Jan 1970/i.test(set)) this.jar.push({ origin, name, value, path });
    }
    const to = response.headers.get("location");
    if (to && response.status >= 300 && response.status < 400) return this.asks(new URL(to, url).href);
    return { status: response.status, url, text: await response.text() };
  }

  /** Through the provider's own pages: who one is, and that one agrees. */
  async signsIn(url, address) {
    let page = await this.asks(url);
    for (let step = 0; page.url.includes("/interaction/") && step < 3; step += 1) {
      const action = new URL(page.text.match(/action="([^"]+)"/)[1], page.url).href;
      const prompt = page.text.match(/name="prompt" value="([^"]+)"/)[1];
      page = await this.asks(action, prompt === "login" ? { prompt, login: address, password: "any" } : { prompt });
    }
    return page;
  }
}

test("somebody of people.csv signs in by a real provider, and nobody else does", async (t) => {
  const { base, stop, ...at } = await both((address) => !address.startsWith("dora@"));
  t.after(stop);
  const { child } = await startProgram(process.env.LEADYARD, at);
  t.after(() => child.kill());
  const start = `${base}/console/sign-in/provider?next=%2Fconsole%2Freports`;

  const maria = new Browser();
  const page = await maria.signsIn(start, "Maria@Sunshine.example");
  assert.equal(page.status, 200, page.text);
  assert.equal(page.url, `${base}/console/reports`);
  assert.match(page.text, /<span>maria<\/span>/);
  assert.match(page.text, /href="\/console\/people"/);

  const rita = await new Browser().signsIn(start, "rita@sunshine.example");
  assert.match(rita.text, /<span>rita<\/span>/);
  assert.doesNotMatch(rita.text, /href="\/console\/people"/);

  const eve = await new Browser().signsIn(start, "eve@sunshine.example");
  assert.equal(eve.status, 403);
  assert.match(eve.text, /Nobody here knows you/);

  const dora = await new Browser().signsIn(start, "dora@sunshine.example");
  assert.equal(dora.status, 403);
  assert.match(dora.text, /has not verified your e-mail address/);
});

// --- An invitation, from the page of people to where each of them stands ---

/** Opens what an address was sent, and the page that it links to, by the keyboard. */
async function followsMail(yard, page, address) {
  await until(`a mail to ${address}`, async () => (await (await fetch(yard.ready.mail)).text()).includes(`to ${address}`));
  await page.goto(yard.ready.mail);
  await tabTo(page, `to ${address}`);
  await page.keyboard.press("Enter");
  await enter(page, "/console/sign-in");
}

for (const width of WIDTHS) {
  for (const script of [true, false]) {
    test(`who is invited opens the mail, signs in and may what their role may, by the keyboard, ${width} px, ${script ? "with" : "without"} scripts`, async (t) => {
      const { base, stop, ...at } = await both();
      t.after(stop);
      const yard = await open(process.env.LEADYARD, process.env.CHROMIUM, at);
      t.after(() => yard.stop());
      const offered = await yard.asks("Ada", "Hill", { phone: "305-274-0100" });
      const { lead } = await yard.asks("Zeb", "Marsh", { zip: "99501" });
      await yard.seat(offered.lead, "hudson");
      await yard.waits(lead);

      const troubles = [];
      const somebody = () => yard.visitor({ viewport: { width, height: 900 }, javaScriptEnabled: script });
      const looks = async (page, what) => {
        for (const colorScheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme });
          troubles.push(...(await judged(page, { photo: `invited-${what}-${width}-${colorScheme}${script ? "" : "-no-script"}`, script })));
        }
      };
      const says = (page) => page.innerText("main");
      const sections = (page) => page.innerText("nav");
      const invited = async (address) => {
        const page = await somebody();
        await followsMail(yard, page, address);
        await signsInBy(page, address);
        return page;
      };

      const maria = await somebody();
      await maria.goto(`${base}/console/sign-in`);
      await signsInBy(maria, "maria@acme.example");
      await enter(maria, "People", true);
      await tabTo(maria, "Person, e-mail, role");
      await maria.keyboard.type("rita,rita@acme.example,reader\nben,ben@acme.example,desk");
      await enter(maria, "Add them", true);
      assert.match(await says(maria), /They are added, and invited/);
      await enter(maria, "Invite all dealers not invited yet (2)");
      assert.match(await says(maria), /They are invited/);

      const rita = await invited("rita@acme.example");
      assert.equal(rita.url(), `${base}/console/today`);
      assert.match(await rita.textContent("header"), /rita/);
      assert.doesNotMatch(await sections(rita), /Quarantine|People/);
      await looks(rita, "reader-today");
      await rita.goto(`${base}/console/leads/${lead}`);
      assert.doesNotMatch(await rita.content(), /Marsh|zeb\.marsh/i, "a reader learns nobody's surname or address");
      assert.equal(await rita.locator("main form[method=post]").count(), 0, "and changes nothing");
      await looks(rita, "reader-lead");
      assert.equal((await rita.goto(`${base}/console/people`)).status(), 403);
      assert.match(await says(rita), /This is not yours to do/);
      await looks(rita, "reader-people");
      await rita.context().close();

      const ben = await invited("ben@acme.example");
      assert.equal(ben.url(), `${base}/console/today`);
      assert.match(await sections(ben), /Quarantine/);
      assert.doesNotMatch(await sections(ben), /People/);
      await looks(ben, "desk-today");
      await ben.goto(`${base}/console/leads/${lead}`);
      await enter(ben, "Hold");
      const { history } = await yard.story(lead);
      assert.deepEqual(history.filter((one) => one.act === "hold").map((one) => one.by), ["ben"]);
      assert.equal((await ben.goto(`${base}/console/people`)).status(), 403);
      await ben.context().close();

      const sam = await invited("sam@hudson.example");
      assert.equal(sam.url(), `${base}/console/inbox`);
      assert.match(await sam.textContent("header"), /hudson/);
      await looks(sam, "dealer-inbox");
      await enter(sam, "Accept");
      assert.match(await says(sam), /Ada Hill/);
      await sam.goto(`${base}/console/leads/${lead}`);
      assert.equal(sam.url(), `${base}/console/inbox`, "what is the desk's is not a dealer's");
      await sam.context().close();

      const ann = await invited("ann@ridge.example");
      assert.equal(ann.url(), `${base}/console/inbox`);
      assert.doesNotMatch(await says(ann), /Ada|Hill|Accept/, "nor another dealer's");
      await ann.context().close();

      // Who was handed somebody else's mail.
      const eve = await somebody();
      await followsMail(yard, eve, "rita@acme.example");
      await looks(eve, "sign-in");
      await signsInBy(eve, "eve@acme.example");
      assert.match(await says(eve), /Nobody here knows you/);
      await looks(eve, "nobody");
      await eve.context().close();

      await enter(maria, "People", true);
      for (const one of ["rita", "ben", "hudson", "ridge"]) {
        const beside = maria.locator("li", { has: maria.locator(`strong:text-is("${one}")`) });
        assert.match(await beside.innerText(), /invited on .+ by maria$/, one);
      }
      await looks(maria, "people");
      assert.deepEqual(troubles, []);
    });
  }
}
