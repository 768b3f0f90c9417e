// The desk with its dealers, and a dealer with its inbox, each way in all four settings by the keyboard alone: see
// settings.mjs.

import assert from "node:assert/strict";
import { enter, tabTo } from "./desk.mjs";
import { chooses, journeys, opened, rulesOfSettings, says, takes, types, typesTime } from "./settings.mjs";
import { listen, until, whole } from "./support.mjs";

// What the dealers of the settings were sent, by dealer.
const sent = { "own-a": [], "own-b": [], "own-c": [], "own-d": [] };
// Those whose webhook is gone.
const gone = new Set();
let receiver;
const { inEverySetting } = journeys({
  opens: async () => {
    receiver = await listen(async (request, response) => {
      const dealer = request.url.slice(1);
      const message = JSON.parse(await whole(request));
      if (gone.has(dealer)) return response.writeHead(410).end();
      sent[dealer].push({ id: request.headers["webhook-id"], ...message });
      response.writeHead(204).end();
    });
    return opened({ files: rulesOfSettings(receiver.url) });
  },
  ends: () => {
    receiver.server.closeAllConnections();
    receiver.server.close();
  },
});

const ownName = (letter) => `Own ${letter.toUpperCase()} Roofs`;
/** A row of a table of the rulebook in force. */
const row = async (yard, table, id) => {
  const { files } = (await yard.desk("GET", "/v1/rulebook?files=yes")).json;
  return files[`${table}.csv`].split("\n").find((line) => line.startsWith(`${id},`));
};

inEverySetting("the desk pauses a dealer with a reason and an end, and lets it go on", "desk", "today", async (page, { letter }, { yard }) => {
  const paused = async () => JSON.stringify((await yard.desk("GET", "/v1/switches")).json).includes(`own-${letter}`);
  await enter(page, "Dealers", true);
  await types(page, "Name or id", `own ${letter}`);
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  if (!page.url().includes(`own-${letter}`)) await enter(page, ownName(letter), true);
  await types(page, /^Why \| reason/, "On holiday");
  await typesTime(page, /^Until \(/, `0110${new Date().getUTCFullYear() + 1}`, "0930AM");
  await enter(page, "Pause", true);
  assert.match(await says(page), new RegExp(`Paused: it gets no more leads[^]*On holiday[^]*`));
  assert.match(await says(page), /Jan(uary)? 10|10 Jan|01-10/, "until when");
  assert.ok(await paused());
  await enter(page, "Resume", true);
  assert.match(await says(page), /Takes leads/);
  assert.ok(!(await paused()));
});

inEverySetting("the desk pauses a contract, and resumes it", "desk", null, async (page, { letter, zip }, { yard, goes }) => {
  const own = `own-${letter}`;
  const paused = async () => (await yard.desk("GET", "/v1/switches")).json.contracts.find((one) => one.id === own);
  await goes(`dealers/acme/${own}`);
  await chooses(page, "Pause \\|", `the contract ${own}`);
  await types(page, /^Why \| reason/, "The roofers are ill.");
  await enter(page, "Pause", true);
  assert.match(await says(page), /Paused: it gets no more leads until then/);
  assert.equal((await paused()).reason, "The roofers are ill.");
  const { lead } = await yard.asks(`Pia${letter}`, "Paused", { zip });
  await yard.waits(lead);
  // To whom it would go, or went meanwhile.
  const goesTo = async () => {
    const { seats } = (await yard.desk("GET", `/v1/leads/${lead}/recommendation`)).json;
    return (seats ?? (await yard.story(lead)).holders).map((one) => one.dealer);
  };
  assert.deepEqual(await goesTo(), []);
  await enter(page, `Resume ${own}`, true);
  assert.match(await says(page), /Resumed: leads that waited for it are looked at again/);
  assert.equal(await paused(), undefined);
  assert.deepEqual(await goesTo(), [own]);
});

inEverySetting("the desk changes a contract's row after a look at what would follow", "desk", null, async (page, { letter, zip }, { yard, goes }) => {
  const { lead } = await yard.asks(`Tom${letter}`, "Tried", { zip });
  await yard.seat(lead, `own-${letter}`);
  await goes(`dealers/acme/own-${letter}`);
  await enter(page, "change it", true);
  await types(page, /\| price$/, "31.50");
  await enter(page, "See what would change", true);
  assert.match(await says(page), /price: 30\.00 → 31\.50/);
  assert.match(await says(page), /What it would have done[^]*The decisions on \d+ leads?/, "the backtest speaks");
  assert.match(await row(yard, "contracts", `own-${letter}`), /30\.00/, "nothing is done by looking");
  await enter(page, "Publish", true);
  assert.match(await says(page), /Published: from now on it holds/);
  assert.match(await row(yard, "contracts", `own-${letter}`), /31\.50/);
});

inEverySetting("the desk hears what the check says of a contract's row, and puts it right", "desk", null, async (page, { letter }, { yard, goes }) => {
  await goes(`dealers/acme/own-${letter}/contracts/own-${letter}`);
  const before = await row(yard, "contracts", `own-${letter}`);
  await types(page, /\| cap_day$/, "many");
  await enter(page, "See what would change", true);
  assert.match(await says(page), /This was not done[^]*cap_day/);
  await tabTo(page, /\| cap_day$/);
  assert.equal(await page.evaluate(() => document.activeElement.value), "many", "what was typed stands there");
  await types(page, /\| cap_day$/, "60");
  await enter(page, "See what would change", true);
  assert.match(await says(page), /cap_day: 50 → 60/);
  assert.equal(await row(yard, "contracts", `own-${letter}`), before);
});

inEverySetting("the desk changes a dealer's row after a look", "desk", null, async (page, { letter }, { yard, goes }) => {
  await goes(`dealers/acme/own-${letter}`);
  await enter(page, "What the rules say of it", true);
  await types(page, /\| zip$/, "33109");
  await enter(page, "See what would change", true);
  assert.match(await says(page), /zip: 33101 → 33109/);
  await enter(page, "Publish", true);
  assert.match(await says(page), /Published/);
  assert.match(await row(yard, "dealers", `own-${letter}`), /33109/);
});

inEverySetting("the desk sees why a dealer got nothing today", "desk", null, async (page, { letter }, { yard, goes }) => {
  const { lead } = await yard.asks(`Wyn${letter}`, "Why", { zip: "99501" });
  await yard.waits(lead);
  await goes(`dealers/acme/own-${letter}`);
  await enter(page, "Why nothing today?", true);
  const { contracts } = (await yard.desk("GET", `/v1/why-nothing?dealer=own-${letter}`)).json;
  const counts = await page.locator("main table.counts td").allInnerTexts();
  assert.ok(contracts[`own-${letter}`].area >= 1, "somebody asked where it does not work");
  assert.deepEqual(counts.map(Number).sort(), Object.values(contracts[`own-${letter}`]).sort());
  await enter(page, "The day before", true);
  assert.match(await says(page), /Nobody asked on that day/);
});

inEverySetting("the desk tests a channel", "desk", null, async (page, { letter }, { yard, goes }) => {
  await goes(`dealers/acme/own-${letter}`);
  const before = sent[`own-${letter}`].length;
  await enter(page, "Test channel 1", true);
  await until("the test is told of", async () => {
    if (/The test of channel 1: .+ \(\d+ ms\)/.test(await says(page))) return true;
    await page.reload();
    return false;
  });
  assert.match(await says(page), /The test of channel 1: received/i);
  assert.equal(sent[`own-${letter}`].length, before + 1);
});

inEverySetting("the desk enables a channel that is gone", "desk", null, async (page, { letter, zip }, { yard, goes }) => {
  const own = `own-${letter}`;
  const isGone = async () => {
    const { channels } = (await yard.desk("GET", `/v1/dealers/${own}/channels`)).json;
    return channels.some((one) => one.disabled?.why === "gone");
  };
  gone.add(own);
  await yard.asks(`Gil${letter}`, "Gone", { zip });
  await until("the channel is gone", isGone);
  gone.delete(own);
  await goes(`dealers/acme/${own}`);
  assert.match(await says(page), /webhook takes nothing since/);
  await enter(page, "It takes leads again", true);
  assert.match(await says(page), /The channel takes leads again\./);
  assert.ok(!(await isGone()));
  const { lead } = await yard.asks(`Gia${letter}`, "Again", { zip });
  await yard.seat(lead, own);
});

inEverySetting("the desk sends a lead again", "desk", null, async (page, { letter, zip }, { yard, goes }) => {
  const { lead } = await yard.asks(`Red${letter}`, "Again", { zip });
  await yard.seat(lead, `own-${letter}`);
  const messages = () => sent[`own-${letter}`].filter((one) => one.type === "lead.assigned" && one.data.lead_id === lead);
  await goes(`dealers/acme/own-${letter}`);
  await enter(page, `Send again : Red${letter}`);
  assert.match(await says(page), /It is on its way again, as the same message/);
  await until("it came again", () => messages().length === 2);
  assert.equal(messages()[0].id, messages()[1].id);
});

inEverySetting("the desk reads a dealer's statement and takes its lines", "desk", null, async (page, { letter, zip }, { yard, goes }) => {
  const { lead } = await yard.asks(`Sid${letter}`, "Stated", { zip });
  await yard.seat(lead, `own-${letter}`);
  await goes(`dealers/acme/own-${letter}`);
  await enter(page, "Statement", true);
  const { lines } = (await yard.desk("GET", `/v1/dealers/own-${letter}/statement`)).json;
  assert.ok(lines.some((one) => one.lead === lead));
  assert.match(await says(page), /\d+\.\d\d/);
  const csv = await takes(page, "All lines as CSV");
  assert.match(csv, new RegExp(lead));
  assert.equal(csv.trim().split("\n").length, lines.length + 1);
});

// --- The dealer's inbox ---

inEverySetting("a dealer accepts, reaches and wins a lead", "hudson", null, async (page, { letter }, { yard, goes }) => {
  const { lead } = await yard.asks(`Ada${letter}`, "Hill", { phone: `305-274-011${"abcd".indexOf(letter)}` });
  const seat = await yard.seat(lead, "hudson");
  await goes("inbox");
  assert.doesNotMatch(await says(page), new RegExp(`Ada${letter} Hill`), "until it accepts");
  await enter(page, `Accept Ada${letter}`);
  assert.match(await says(page), new RegExp(`Ada${letter} Hill`));
  const phone = `+1305274011${"abcd".indexOf(letter)}`;
  await tabTo(page, phone);
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("href")), `tel:${phone}`);
  await enter(page, "I reached them", true);
  await types(page, "What it was worth to you", "9800.00");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  assert.match(await says(page), /won, 9800\.00 USD/i);
  const { assignments } = await yard.story(lead);
  assert.match(JSON.stringify(assignments.find((one) => one.assignment === seat)), /won.*9800\.00|9800\.00.*won/);
  await enter(page, "Closed", true);
  await enter(page, "Inbox", true);
});

inEverySetting("a dealer puts right what a lead was worth that it won", "hudson", null, async (page, { letter }, { yard, goes }) => {
  const { lead } = await yard.asks(`Val${letter}`, "Ued");
  const seat = await yard.seat(lead, "hudson");
  for (const act of ["accept", "contacted"]) await yard.dealer("hudson", "POST", `/v1/inbox/${seat}/${act}`);
  await yard.dealer("hudson", "POST", `/v1/inbox/${seat}/won`, { value: "980.00" });
  const worth = async () => (await yard.story(lead)).assignments.find((one) => one.assignment === seat).won_value;
  assert.equal(await worth(), "980.00");
  await goes("inbox");
  await enter(page, `Val${letter} Ued`, true);
  assert.match(await says(page), /won, 980\.00 USD/i);
  await types(page, "What it was worth to you", "9800.00");
  await enter(page, "Put the value right", true);
  assert.match(await says(page), /won, 9800\.00 USD/i);
  assert.equal(await worth(), "9800.00");
});

inEverySetting("a dealer declines one lead, asks to return another and loses a third", "hudson", null, async (page, { letter }, { yard, goes }) => {
  const seats = {};
  for (const name of ["Dee", "Ray", "Lou"]) {
    const { lead } = await yard.asks(name + letter, "Keys");
    seats[name] = { lead, seat: await yard.seat(lead, "hudson") };
    if (name !== "Dee") await yard.dealer("hudson", "POST", `/v1/inbox/${seats[name].seat}/accept`);
  }
  const state = async (name) => {
    const { assignments } = await yard.story(seats[name].lead);
    return JSON.stringify(assignments.find((one) => one.assignment === seats[name].seat));
  };
  const opens = async (name) => {
    await goes("inbox");
    await enter(page, new RegExp(`^${name}${letter}( Keys)?$`));
  };
  await opens("Dee");
  await enter(page, "Decline", true);
  assert.match(await says(page), /Declined: it goes to another/);
  assert.match(await state("Dee"), /declined/);
  await opens("Ray");
  await chooses(page, "Why", "wrong-number");
  await types(page, "What speaks for it", "Nobody of that name lives there.");
  await enter(page, "Ask to return it", true);
  assert.match(await says(page), /Asked: the desk decides/);
  assert.match(await state("Ray"), /wrong-number/);
  await opens("Lou");
  await enter(page, "Lost", true);
  assert.match(await says(page), /Noted as lost/);
  assert.match(await state("Lou"), /lost/);
});

inEverySetting("a dealer reads its own figures and takes its statement", "hudson", null, async (page, { letter }, { yard, goes }) => {
  const { lead } = await yard.asks(`Fig${letter}`, "Ures");
  const seat = await yard.seat(lead, "hudson");
  await yard.dealer("hudson", "POST", `/v1/inbox/${seat}/accept`);
  await goes("inbox");
  await enter(page, "Figures and statement", true);
  assert.match(await says(page), /Thirty days[^]*Statement/);
  assert.match(await takes(page, "All lines as CSV"), new RegExp(lead));
});
