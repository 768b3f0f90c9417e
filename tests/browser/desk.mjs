// The console in a real browser: a company with something to show on every page, and whoever signs in.
//
// | name   | is                                                                                          |
// |--------|---------------------------------------------------------------------------------------------|
// | desk   | the lead desk, by its token; in a browser with or without scripts, of any width and theme   |
// | hudson | a dealer who reads its inbox, must accept within the hour and may return                    |
// | keys   | the keyboard alone: the tabulator to get somewhere, Enter and typing to do something         |

import axe from "axe-core";
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startBrowser, startProgram, until } from "./support.mjs";

/** A phone, a desk, and a wide screen. */
export const WIDTHS = [375, 1280, 1920];
/** Letters of a line that is still read with ease. */
const MOST_LETTERS = 100;
export const PHOTOS = fileURLToPath(new URL("../output/pages/", import.meta.url));
const MOST_BYTES = 100_000;

export const RULES = {
  "company.toml": 'id = "acme"\nname = "Acme"\nzone = "America/New_York"\n[mail]\nfrom = "desk@acme.example"\nname = "Acme Leads"\n',
  "people.csv": "person,email,role\nmaria,maria@acme.example,manager\n",
  "offers.toml": '[[offer]]\nid = "roof"\ncategory = "roofing"\nname = "A new roof"\n'
    + '[[offer]]\nid = "solar"\ncategory = "solar"\nname = "Solar panels"\nmode = "manual"\n'
    + '[[offer]]\nid = "gutter"\ncategory = "roofing"\nname = "New gutters"\nband = "A1"\n',
  "sources.toml": '[[source]]\nid = "web"\nkind = "form"\noffer = "roof"\ncost_per_lead = "4.00"\n'
    + '[[source]]\nid = "sun"\nkind = "form"\noffer = "solar"\n'
    + '[[source]]\nid = "early"\nkind = "form"\noffer = "gutter"\n',
  "followup.toml": 'not_ready = ["1d", "2d"]\n',
  "scoring.toml": 'half_life_days = 14\n[[fit]]\nlabel = "can be written to"\npoints = 20\nhas = ["email"]\n'
    + "[interactions]\nenquiry = { points = 10, daily_cap = 3 }\npage_view = { points = 1, daily_cap = 10 }\n"
    + "[bands.fit]\nA = 20\nB = 10\n[bands.engagement]\n1 = 400\n2 = 1\n",
  "dealers.csv": "dealer,name,zip,prepaid,email\nhudson,Hudson Roofing,33101,,sam@hudson.example\n"
    + "ridge,Ridge & Sons,33101,,ann@ridge.example\nsunny,Sunny Solar,33101,,\n",
  "areas.csv": "area,part\nflorida,state:FL\n",
  "contracts.csv": "contract,dealer,offers,sources,area,tier,price,cap_day,deadline_minutes,deadline_clock,return_days,return_reasons\n"
    + "hudson,hudson,roof,*,florida,1,45.00,20,60,wall,7,wrong-number out-of-area\n"
    + "ridge,ridge,roof gutter,*,florida,2,40.00,,,,,\nsunny,sunny,solar,*,florida,1,90.00,,,,,\n",
};

/** A rulebook's files in a folder of their own. */
export async function written(files) {
  const folder = await mkdtemp(join(tmpdir(), "leadyard-desk-"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

/** What the tests do to a company: as its desk, as a dealer of its, and as people who ask. */
function companyOf(ask, { desk_token, dealers, sources }) {
  const source = Object.fromEntries(sources.map((one) => [one.source, one]));
  const tokens = Object.fromEntries(dealers.map((one) => [one.dealer, one.token]));
  const company = {
    tokens,
    desk: (method, path, body) => ask(desk_token, method, path, body),
    dealer: (who, method, path, body) => ask(tokens[who], method, path, body),
    story: async (lead) => (await company.desk("GET", `/v1/leads/${lead}`)).json,
    /** A person asks; their lead. */
    asks: async (first_name, last_name, more = {}, from = "web") => {
      const email = `${first_name}.${last_name}.${randomUUID().slice(0, 8)}@mail.example`.toLowerCase();
      const person = { first_name, last_name, email, zip: "33101", consent: "yes", ...more };
      return (await ask(source[from].secret, "POST", `/v1/leads/${source[from].key}`, person)).json;
    },
    /** The seat that a dealer has of a lead, once it has it. */
    seat: (lead, contract) => until(`${contract} has the lead`, async () => {
      const { assignments = [] } = await company.story(lead);
      return assignments.find((one) => one.contract === contract && one.delivery === "received")?.assignment;
    }),
    /** The lead of one who is not ready, in the day's list of calls. */
    toBeCalled: async (first_name, last_name, more) => {
      const { lead } = await company.asks(first_name, last_name, more, "early");
      await until("it is to be called", async () => (await company.desk("POST", `/v1/leads/${lead}/follow_up`, {})).status === 200);
      return lead;
    },
    waits: (lead) => until("the lead waits", async () => (await company.story(lead)).stage === "waiting"),
  };
  return company;
}

/** Starts the program, by the rules of its data where there are no `files`; everything that the tests act on. */
export async function open(program, executablePath, { port, env, data, files = RULES } = {}) {
  const rules = files && (await written(files));
  const { child, ready } = await startProgram(program, { rules, port, env, data });
  const ask = async (token, method, path, body) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const answer = await fetch(ready.url + path, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    return { status: answer.status, json: text.startsWith("{") ? JSON.parse(text) : {}, text };
  };
  const browser = await startBrowser(executablePath);
  await mkdir(PHOTOS, { recursive: true });

  const yard = {
    ready, browser, ...companyOf(ask, ready),
    /** Another company of the same program, by its ways in. */
    also: (keys) => companyOf(ask, keys),
    /** Somebody with a browser of their own. */
    visitor: async (options = {}) => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
      context.setDefaultTimeout(15_000);
      return context.newPage();
    },
    /** Whoever signs in by a token, in a browser of their own. */
    signedIn: async (who, options = {}) => {
      const page = await yard.visitor(options);
      await page.goto(`${ready.url}/console/sign-in`);
      await page.fill("#token", who === "desk" ? ready.desk_token : yard.tokens[who]);
      await page.press("#token", "Enter");
      await page.waitForURL(who === "desk" ? "**/console/today" : "**/console/inbox");
      return page;
    },
    stop: async () => {
      await browser.close();
      child.kill();
      if (rules) await rm(rules, { recursive: true });
    },
  };
  return yard;
}

/** How much of what a page shows was moved since it was opened (https://web.dev/articles/cls); asked a second time, nothing. */
export const shiftOf = (page) => page.evaluate(() => window.wasJudged ? 0 : new Promise((resolve) => {
  window.wasJudged = true;
  let sum = 0;
  new PerformanceObserver((list) => { for (const one of list.getEntries()) sum += one.value; })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => resolve(sum), 50);
}));

/** Says what is wrong with a page as it stands, and keeps what it looks like. */
export async function judged(page, { photo, script }) {
  const troubles = [];
  const size = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  if (size[0] > size[1]) troubles.push(`is ${size[0]} px wide in a window of ${size[1]}`);
  const long = await page.evaluate((most) => [...document.querySelectorAll("main p, main li, main dd")]
    .filter((one) => {
      const lines = Math.round(one.getBoundingClientRect().height / parseFloat(getComputedStyle(one).lineHeight));
      const flows = [...one.children].every((child) => getComputedStyle(child).display.startsWith("inline"));
      return flows && lines > 1 && getComputedStyle(one).display !== "flex" && one.innerText.length / lines > most;
    })
    .map((one) => one.innerText.slice(0, 80)), MOST_LETTERS);
  for (const text of long) troubles.push(`has lines that are too long to read: ${text}`);
  if (script) {
    const shift = await shiftOf(page);
    if (shift > 0) troubles.push(`shifts by ${shift}`);
  }
  // Which makes the window as high as the page.
  await page.screenshot({ path: `${PHOTOS}${photo}.png`, fullPage: true });
  if (script) {
    await page.evaluate(axe.source);
    // Upon the shade by which a table says that it goes on, it would measure no contrast.
    await page.evaluate(() => { for (const one of document.querySelectorAll(".scroll")) one.style.background = "none"; });
    const found = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
    for (const one of found.violations) troubles.push(`axe: ${one.id}, ${one.help}: ${one.nodes[0].html.slice(0, 160)}`);
  }
  return troubles.map((trouble) => `${photo}: ${trouble}`);
}

/** Opens a page and says what is wrong with it. */
export async function looked(page, url, { photo, script }) {
  const troubles = [];
  let bytes = 0;
  const heard = (message) => { if (message.type() === "error") troubles.push(message.text()); };
  const weighed = async (answer) => { bytes += (await answer.body().catch(() => Buffer.alloc(0))).length; };
  page.on("console", heard).on("response", weighed);
  const answer = await page.goto(url, { waitUntil: "load" });
  if (answer.status() !== 200) troubles.push(`answers ${answer.status()}`);
  const seen = await judged(page, { photo, script });
  page.off("console", heard).off("response", weighed);
  if (bytes > MOST_BYTES) troubles.push(`weighs ${bytes} bytes`);
  return [...seen, ...troubles.map((trouble) => `${photo}: ${trouble}`)];
}

/** What has the focus, as a person who cannot see would be told of it. */
const focused = (page) => page.evaluate(() => {
  const one = document.activeElement;
  // A table that can be scrolled says all that is in it.
  if (!one || one === document.body || one.getAttribute("role") === "region") return "";
  const label = one.labels?.length ? one.labels[0].innerText : "";
  const said = [one.getAttribute("aria-label"), label, one.innerText, one.value, one.name];
  return said.filter(Boolean).map((text) => text.replace(/\s+/g, " ").trim()).join(" | ");
});

/** Goes on with the tabulator until something with these words, or these alone, or what a pattern says has the focus. */
export async function tabTo(page, words, alone = false) {
  const is = (now) => {
    if (words instanceof RegExp) return words.test(now);
    return alone ? now === words : now.toLowerCase().includes(words.toLowerCase());
  };
  const seen = [];
  for (let press = 0; press < 250; press += 1) {
    await page.keyboard.press("Tab");
    const now = await focused(page);
    if (is(now)) return;
    seen.push(now);
  }
  throw new Error(`the keyboard never comes to "${words}": ${seen.slice(0, 60).join(" · ")}`);
}

/** Presses Enter on something that is reached by the tabulator, and waits for the page that follows. */
export async function enter(page, words, alone = false) {
  await tabTo(page, words, alone);
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
}
