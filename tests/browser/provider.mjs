// An OpenID provider on this machine (npm `oidc-provider`), and signing in by its pages.

import Provider from "oidc-provider";
import { enter, tabTo } from "./desk.mjs";
import { free } from "./support.mjs";

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
  // Its pages want a font of the internet, for which a browser waits.
  oidc.use(async (context, next) => {
    await next();
    if (typeof context.body === "string") context.body = context.body.replace(/@import [^;]+;/, "");
  });
  return new Promise((resolve) => {
    const server = oidc.listen(port, "127.0.0.1", () => resolve({ issuer, server }));
  });
}

/** Ports for the program and the provider, the provider, and what tells the program of it. */
export async function both(verified = () => true) {
  const [ours, theirs] = [await free(), await free()];
  const { issuer, server } = await provider(theirs, `http://127.0.0.1:${ours}`, verified);
  const env = { LEADYARD_OIDC: JSON.stringify({ issuer, client_id: "leadyard", client_secret: "what we prove ourselves with" }) };
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  return { port: ours, base: `http://127.0.0.1:${ours}`, env, stop };
}

/** From the page to sign in through the provider's own, by the keyboard. */
export async function signsInBy(page, address) {
  await enter(page, "Sign in with your account");
  await tabTo(page, "login", true);
  await page.keyboard.type(address);
  await tabTo(page, "password", true);
  await page.keyboard.type("any");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  await enter(page, "Continue");
}
