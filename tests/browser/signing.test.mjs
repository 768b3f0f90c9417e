// Signing in by a real OpenID provider on this machine (npm `oidc-provider`, certified by the OpenID Foundation), which
// signs with RS256: what the tests end to end leave to one that they wrote themselves.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import http from "node:http";
import { createInterface } from "node:readline";
import { test } from "node:test";
import Provider from "oidc-provider";

const free = () => new Promise((resolve) => {
  const server = http.createServer();
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

/** A provider at which whoever names an address is let in; `verified` says of which it is known to be theirs. */
async function provider(port, console_, verified) {
  const issuer = `http://127.0.0.1:${port}`;
  const oidc = new Provider(issuer, {
    clients: [{ client_id: "leadyard", client_secret: "what we prove ourselves with", redirect_uris: [`${console_}/console/sign-in/back`] }],
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: id, email_verified: verified(id) }) }),
    features: { devInteractions: { enabled: true } },
  });
  return new Promise((resolve) => {
    const server = oidc.listen(port, "127.0.0.1", () => resolve({ issuer, server }));
  });
}

async function leadyard(port, issuer) {
  const env = { ...process.env, LEADYARD_OIDC: JSON.stringify({ issuer, client_id: "leadyard", client_secret: "what we prove ourselves with" }) };
  const args = ["serve", "--memory", "--json", "--port", String(port), "--log", "error"];
  const child = spawn(process.env.LEADYARD, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", resolve);
    child.once("exit", (code) => reject(new Error(`the program ended with ${code}`)));
  });
  return child;
}

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
  const [ours, theirs] = [await free(), await free()];
  const base = `http://127.0.0.1:${ours}`;
  const { issuer, server } = await provider(theirs, base, (address) => !address.startsWith("dora@"));
  const child = await leadyard(ours, issuer);
  t.after(() => {
    child.kill();
    server.close();
    server.closeAllConnections();
  });
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
