// What the browser tests share: the program, the road to it, a site with pages, a dealer, a browser.
//
// | name        | is                                                                                       |
// |-------------|------------------------------------------------------------------------------------------|
// | leadyard    | the program itself, in memory, with a small rulebook                                       |
// | road        | a proxy before it, on an origin of its own: down, busy, slow, or losing replies, as a test says |
// | site        | the pages of a firm, on another origin                                                     |
// | dealer      | a webhook that takes what it is sent                                                       |
// | browser     | Debian's chromium, by playwright-core                                                       |

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

// Screening takes a browser without a window for the robot it usually is.
const AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36";

export const listen = (handler) => new Promise((resolve) => {
  const server = http.createServer(handler);
  server.listen(0, "127.0.0.1", () => resolve({ server, url: `http://127.0.0.1:${server.address().port}` }));
});
export const whole = async (message) => {
  const parts = [];
  for await (const part of message) parts.push(part);
  return Buffer.concat(parts);
};

/** A road to `url` on which every answer comes in pieces, one a moment after the other, as on a bad line; or half of it,
 * and no more. It keeps no file of tests from its end. */
export async function badLine(url, { pieces = 8, moment = 40, half = false } = {}) {
  const line = await listen(async (request, response) => {
    const asked = http.request(url + request.url, { method: request.method, headers: request.headers }, async (answer) => {
      const body = await whole(answer);
      response.writeHead(answer.statusCode, answer.headers);
      const length = Math.ceil(body.length / pieces);
      for (let at = 0; at < body.length; at += length) {
        if (half && at > body.length / 2 && answer.headers["content-type"].startsWith("text/html")) return;
        if (at) await new Promise((resolve) => setTimeout(resolve, moment));
        response.write(body.subarray(at, at + length));
      }
      response.end();
    });
    asked.on("error", () => response.destroy());
    asked.end(await whole(request));
  });
  line.server.unref();
  return line;
}

/** Looks until something is so. */
export async function until(what, look, seconds = 20) {
  const limit = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > limit) throw new Error(`never came to be: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A port that nobody has yet: for who must be told of it before. */
export const free = () => new Promise((resolve) => {
  const server = http.createServer();
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

/** Starts the program: by its demo, or by the rulebook of a folder; keeping nothing, or all in a folder. */
export async function startProgram(path, { rules, port = 0, env = {}, data } = {}) {
  const kept = data ? ["--data", data] : ["--memory"];
  const args = ["serve", ...kept, "--json", "--port", String(port), "--log", "error", ...(rules ? ["--rules", rules] : [])];
  const child = spawn(path, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout });
  const ready = await new Promise((resolve, reject) => {
    lines.once("line", (line) => resolve(JSON.parse(line)));
    child.once("exit", (code) => reject(new Error(`the program ended with ${code}`)));
  });
  // Where what comes after it fails, nobody has it to stop it: it keeps no file of tests from its end, and ends with it.
  child.unref();
  child.stdout.unref();
  process.once("exit", () => child.kill());
  return { child, ready };
}

/** Starts the browser; once more where it breaks while it starts, which says nothing of what is tested. */
export async function startBrowser(executablePath, tries = 3) {
  try {
    return await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  } catch (error) {
    if (tries <= 1) throw error;
    console.error(`the browser did not start: ${error.message.split("\n")[0]}`);
    return startBrowser(executablePath, tries - 1);
  }
}

function rulebook(dealer) {
  return {
    "company.toml": 'id = "acme"\nname = "Acme"\nzone = "America/New_York"\n',
    "offers.toml": '[[offer]]\nid = "roof"\ncategory = "roofing"\nname = "Roof"\n',
    "sources.toml": '[[source]]\nid = "web"\nkind = "form"\noffer = "roof"\n',
    "scoring.toml": 'half_life_days = 14\n[[fit]]\nlabel = "can be written to"\npoints = 20\nhas = ["email"]\n'
      + "[interactions]\nenquiry = { points = 10, daily_cap = 3 }\npage_view = { points = 1, daily_cap = 10 }\n"
      + "price_click = { points = 5, daily_cap = 3 }\n"
      + "[bands.fit]\nA = 40\nB = 10\n[bands.engagement]\n1 = 400\n2 = 1\n",
    "screening.toml": "[form]\nfast_seconds = 0\n[velocity]\naddress = 1000\nsource = 50000\n",
    "dealers.csv": "dealer,name,zip\nhudson,Hudson,33101\n",
    "channels.csv": `dealer,order,kind,address\nhudson,1,webhook,${dealer}/leads\n`,
    "areas.csv": "area,part\neverywhere,any\n",
    "contracts.csv": "contract,dealer,offers,sources,area,price\nhudson,hudson,*,*,everywhere,10.00\n",
  };
}

export async function start(program, executablePath) {
  const told = [];
  const dealer = await listen(async (request, response) => {
    told.push(JSON.parse(await whole(request)));
    response.writeHead(204).end();
  });
  const rules = await mkdtemp(join(tmpdir(), "leadyard-browser-"));
  for (const [name, text] of Object.entries(rulebook(dealer.url))) await writeFile(join(rules, name), text);
  const [leadyard, demo] = await Promise.all([startProgram(program, { rules }), startProgram(program)]);
  const { ready } = leadyard;
  const key = ready.sources[0].key;

  // Each says what it does with the next request, or with all.
  const road = { asked: [], ...(await listen(async (request, response) => {
    const body = await whole(request);
    const asked = { method: request.method, path: request.url, headers: request.headers, body: body.toString() };
    road.asked.push(asked);
    const fault = request.method === "POST" && request.url.startsWith("/v1/leads/") ? road.next.shift() || road.always : undefined;
    if (fault === "down") return request.socket.destroy();
    if (typeof fault === "object") {
      response.writeHead(fault.status, {
        "access-control-allow-origin": request.headers.origin || "*",
        "access-control-expose-headers": "retry-after",
        "content-type": "application/problem+json",
        "retry-after": fault.after,
      });
      return response.end(JSON.stringify({ status: fault.status, detail: "not now" }));
    }
    const through = http.request(`${ready.url}${request.url}`, { method: request.method, headers: request.headers }, async (answer) => {
      const text = await whole(answer);
      asked.status = answer.statusCode;
      if (fault === "loses the reply") return request.socket.destroy();
      if (fault === "slow") await new Promise((resolve) => setTimeout(resolve, 700));
      response.writeHead(answer.statusCode, answer.headers).end(text);
    });
    through.end(body);
  })), next: [], always: undefined };
  road.leads = () => road.asked.filter((one) => one.method === "POST" && one.path === `/v1/leads/${key}`);
  road.clear = () => { road.asked.length = 0; road.next.length = 0; road.always = undefined; };

  const pages = new Map();
  const site = await listen((request, response) => {
    const html = pages.get(new URL(request.url, "http://site").pathname);
    response.writeHead(html ? 200 : 404, { "content-type": "text/html; charset=utf-8" }).end(html || "");
  });
  const browser = await startBrowser(executablePath);

  return {
    key, road, told, browser, demo: demo.ready, site: site.url,
    /** A visitor with a browser of their own. */
    visitor: async (options = {}) => {
      const context = await browser.newContext({ userAgent: AGENT, ...options });
      context.setDefaultTimeout(15_000);
      return context;
    },
    /** Puts a page on the site; its address. */
    page: (path, body) => {
      pages.set(path, `<!doctype html><html lang="en"><title>${path}</title>
<script src="${road.url}/leadyard.js" data-key="${key}" defer></script>${body}</html>`);
      return site.url + path;
    },
    /** A form as a marketer would write it. */
    form: (attributes = "", more = "", id = "ask") => `<form id="${id}" data-leadyard method="post" action="${road.url}/v1/leads/${key}" ${attributes}>
<label>First name <input name="first_name"></label> <label>Last name <input name="last_name"></label>
<label>E-mail <input name="email" type="email"></label> <label>ZIP <input name="zip" value="33101"></label>
<label><input type="checkbox" name="consent" value="yes"> You may call me about my roof.</label>${more}
<button>Send</button></form>`,
    /** The lead of this e-mail, once the dealer has it. */
    lead: async (email) => {
      const assigned = await until(`the dealer hears of ${email.split("@")[0]}`, () =>
        told.find((one) => one.type === "lead.assigned" && JSON.stringify(one.data).includes(email)));
      return assigned.data.lead_id;
    },
    /** What the desk sees of it. */
    story: async (lead) => (await fetch(`${ready.url}/v1/leads/${lead}`, {
      headers: { authorization: `Bearer ${ready.desk_token}` },
    })).json(),
    stop: async () => {
      await browser.close();
      for (const { child } of [leadyard, demo]) child.kill();
      for (const one of [dealer, road, site]) {
        one.server.closeAllConnections();
        one.server.close();
      }
      await rm(rules, { recursive: true });
    },
  };
}
