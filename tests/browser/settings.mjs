// Journeys by the keyboard alone, each in all four settings: on a phone and at a desk, with scripts and without.
//
// | name    | is                                                                                                  |
// |---------|-----------------------------------------------------------------------------------------------------|
// | setting | a width, with scripts or without; a letter that tells its things from those of the others, and a state |
// | journey | begins at an address that is opened, and goes on by the tabulator, arrows, Enter, Space and typing     |
//
// What a journey acts on is its setting's own: none meets what another left, in whatever order they go.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { RULES, open, tabTo } from "./desk.mjs";

export const SETTINGS = [
  { letter: "a", width: 375, script: true, state: "GA", stateName: "Georgia", zip: "30301" },
  { letter: "b", width: 375, script: false, state: "AL", stateName: "Alabama", zip: "36602" },
  { letter: "c", width: 1280, script: true, state: "SC", stateName: "South Carolina", zip: "29401" },
  { letter: "d", width: 1280, script: false, state: "TN", stateName: "Tennessee", zip: "37201" },
];

/** The rules with what each setting has of its own: two sources, and a dealer who works where nobody else does. */
export function rulesOfSettings(webhook) {
  const lines = (line) => SETTINGS.map(line).join("");
  return {
    ...RULES,
    "sources.toml": RULES["sources.toml"]
      + lines(({ letter }) => `[[source]]\nid = "one-${letter}"\nkind = "form"\noffer = "roof"\n[[source]]\nid = "many-${letter}"\nkind = "form"\noffer = "roof"\n`),
    "dealers.csv": RULES["dealers.csv"] + lines(({ letter }) => `own-${letter},Own ${letter.toUpperCase()} Roofs,33101,,\n`),
    ...(webhook && { "channels.csv": `dealer,order,kind,address\n${lines(({ letter }) => `own-${letter},1,webhook,${webhook}/own-${letter}\n`)}` }),
    "areas.csv": RULES["areas.csv"] + lines(({ letter, state }) => `own-${letter},state:${state}\nsunbelt,state:${state}\n`) + "sunbelt,state:FL\n",
    "contracts.csv": RULES["contracts.csv"].replace("45.00,20,", "45.00,,").replace("sunny,sunny,solar,*,florida", "sunny,sunny,solar,*,sunbelt")
      + lines(({ letter }) => `own-${letter},own-${letter},roof,*,own-${letter},1,30.00,50,,,,\n`),
  };
}

/** Starts the program and a browser, as `node --test` was told of them. */
export const opened = (options) => open(process.env.LEADYARD, process.env.CHROMIUM, options);

/** Opens a yard for a file's journeys, by default one with the rules of the settings, and `fills` it; `signsIn` whoever works there. */
export function journeys({
  opens = () => opened({ files: rulesOfSettings() }),
  fills = () => {},
  ends = () => {},
  signsIn = (yard, who, options) => yard.signedIn(who, options),
} = {}) {
  const at = {};
  const pages = new Map();
  before(async () => {
    at.yard = await opens();
    await fills(at.yard);
  });
  after(async () => {
    await at.yard?.stop();
    await ends();
  });

  /** The page of somebody who is signed in, the same one in all of a setting's journeys. */
  const pageOf = async (who, { width, script }) => {
    const key = `${who} ${width} ${script}`;
    if (!pages.has(key)) {
      const page = await signsIn(at.yard, who, { viewport: { width, height: 900 }, javaScriptEnabled: script });
      // What a journey that failed had typed keeps no other from its page.
      page.on("dialog", (dialog) => dialog.accept());
      pages.set(key, page);
    }
    return pages.get(key);
  };

  /** A test of one journey in each setting, of `who` where it is signed in; `begins` is a page of the console. */
  const inEverySetting = (name, who, begins, journey) => {
    for (const setting of SETTINGS) {
      const { width, script } = setting;
      test(`${name}, by the keyboard, ${width} px, ${script ? "with" : "without"} scripts`, async () => {
        const page = who && (await pageOf(who, setting));
        const goes = (path) => page.goto(`${at.yard.ready.url}/console/${path}`);
        if (begins) await goes(begins);
        await journey(page, setting, { yard: at.yard, goes });
      });
    }
  };
  return { at, inEverySetting };
}

/** What a page says. */
export const says = (page) => page.innerText("main");

/** Types into a field that is reached by the tabulator, in place of what stood there. */
export async function types(page, field, text) {
  await tabTo(page, field);
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text);
}

/** Types a day and a time, as `12312027` and `0930AM`, into the parts of such a field. */
export async function typesTime(page, field, day, time) {
  await tabTo(page, field);
  await page.keyboard.type(day);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.type(time);
}

/** Ticks, or unticks, a box that is reached by the tabulator. */
export async function ticks(page, box) {
  await tabTo(page, box);
  await page.keyboard.press("Space");
}

/** Chooses among the options of a field that is reached by the tabulator, by arrows. */
export async function chooses(page, field, option) {
  await tabTo(page, new RegExp(`^${field}`));
  const chosen = () => page.evaluate(() => document.activeElement.selectedOptions[0].innerText.trim());
  await page.keyboard.press("Home");
  for (let press = 0; press < 80 && (await chosen()) !== option; press += 1) await page.keyboard.press("ArrowDown");
  assert.equal(await chosen(), option);
}

/** Presses Enter on what brings a file; the file's text. */
export async function takes(page, words) {
  await tabTo(page, words);
  const [file] = await Promise.all([page.waitForEvent("download"), page.keyboard.press("Enter")]);
  const parts = [];
  for await (const part of await file.createReadStream()) parts.push(part);
  return Buffer.concat(parts).toString();
}
