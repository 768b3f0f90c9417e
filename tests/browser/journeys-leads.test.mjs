// The desk's day with leads, each way in all four settings by the keyboard alone: see settings.mjs.

import assert from "node:assert/strict";
import { enter, tabTo } from "./desk.mjs";
import { chooses, journeys, says, takes, ticks, types, typesTime } from "./settings.mjs";
import { until } from "./support.mjs";

const { inEverySetting } = journeys();
const acts = async (yard, lead) => (await yard.story(lead)).history.map((one) => one.act);

// --- One lead ---

inEverySetting("the desk finds a lead, holds it back and lets it go", "desk", "today", async (page, { letter }, { yard }) => {
  const email = `fay.${letter}@mail.example`;
  const { lead } = await yard.asks(`Fay${letter}`, "Found", { zip: "99501", email });
  await yard.waits(lead);
  await enter(page, "Leads", true);
  await types(page, "E-mail, phone or id", email.toUpperCase());
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  if (!page.url().includes(lead)) await enter(page, `Fay${letter}`);
  assert.match(page.url(), new RegExp(lead));
  await types(page, "Hold it, because", "She is away.");
  await enter(page, "Hold", true);
  assert.match(await says(page), /Held: nobody gets it/);
  const { hold, history } = await yard.story(lead);
  assert.ok(hold);
  assert.ok(history.some((one) => one.act === "hold" && one.reason === "She is away."));
  await enter(page, "Resume", true);
  assert.match(await says(page), /Resumed/);
  assert.ok(!(await yard.story(lead)).hold);
});

inEverySetting("the desk looks who somebody is, and that is kept", "desk", null, async (page, { letter }, { yard, goes }) => {
  const { lead } = await yard.asks(`Una${letter}`, "Unmasked", { zip: "99501", phone: "305-274-0300" });
  await yard.waits(lead);
  await goes(`leads/${lead}`);
  assert.doesNotMatch(await says(page), /Unmasked|274/);
  await enter(page, "Show who it is", true);
  assert.match(await says(page), /Unmasked/);
  await tabTo(page, "+13052740300");
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute("href")), "tel:+13052740300");
  assert.ok((await acts(yard, lead)).includes("show"));
});

inEverySetting("the desk places a lead by hand with a reason", "desk", null, async (page, { letter }, { yard, goes }) => {
  const { lead } = await yard.asks(`Han${letter}`, "Hand", {}, "sun");
  await yard.waits(lead);
  await goes(`leads/${lead}`);
  await tabTo(page, "Place with the contract");
  assert.equal(await page.evaluate(() => document.activeElement.value), "sunny", "the recommendation stands there");
  await types(page, "Why (if you like)", "They asked for Sunny.");
  await enter(page, "Place", true);
  assert.match(await says(page), /Placed\./);
  const { holders, history } = await yard.story(lead);
  assert.deepEqual(holders.map((one) => one.dealer), ["sunny"]);
  assert.ok(history.some((one) => one.act === "place" && one.reason === "They asked for Sunny."));
});

inEverySetting("the desk places a lead against a rule, knowing it", "desk", null, async (page, { letter }, { yard, goes }) => {
  const { lead } = await yard.asks(`Ovi${letter}`, "Over", { zip: "99501" });
  await yard.waits(lead);
  await goes(`leads/${lead}`);
  await types(page, "Place with the contract", "ridge");
  await enter(page, "Place", true);
  assert.match(await says(page), /This was not done: the contract fails a rule/);
  assert.deepEqual((await yard.story(lead)).holders, []);
  await tabTo(page, "place it all the same");
  assert.equal(await page.evaluate(() => document.activeElement.checked), true);
  await types(page, "Why", "Ridge travels that far.");
  await enter(page, "Place", true);
  assert.match(await says(page), /Placed\./);
  const { holders, history } = await yard.story(lead);
  assert.deepEqual(holders.map((one) => one.dealer), ["ridge"]);
  assert.match(JSON.stringify(history.find((one) => one.act === "place")), /override.*Ridge travels that far|Ridge travels that far.*override/);
});

inEverySetting("the desk places what waits one after the other", "desk", null, async (page, { letter, state, zip }, { yard, goes }) => {
  const leads = [];
  for (const name of ["Ned", "Nat"]) leads.push((await yard.asks(`${name}${letter}`, "Next", { zip }, "sun")).lead);
  for (const lead of leads) await yard.waits(lead);
  await goes(`leads?list=waiting&state=${state}`);
  await tabTo(page, "Leads", true);
  const first = await page.locator("tbody th a").first().innerText();
  await enter(page, first, true);
  await enter(page, "Place, and go to the next");
  assert.match(await says(page), /The one before is placed/);
  assert.doesNotMatch(await page.innerText("h1"), new RegExp(first.slice(0, 4)));
  await enter(page, "Place, and go to the next");
  await until("both are placed", async () => {
    const stories = await Promise.all(leads.map((lead) => yard.story(lead)));
    return stories.every((one) => one.holders.length === 1);
  });
  assert.match(page.url(), /list=waiting/, "at its end the list stands there");
});

inEverySetting("the desk takes a lead back from its dealer and holds it", "desk", null, async (page, { letter, zip }, { yard, goes }) => {
  const { lead } = await yard.asks(`Bak${letter}`, "Back", { zip });
  const seat = await yard.seat(lead, `own-${letter}`);
  await goes(`leads/${lead}`);
  await types(page, "Take it back from", "They moved away.");
  await ticks(page, "and hold it");
  await enter(page, "Take back", true);
  assert.match(await says(page), /Taken back: the dealer is told first/);
  await until("nobody has it", async () => (await yard.story(lead)).holders.length === 0);
  const { assignments, hold, history } = await yard.story(lead);
  assert.equal(assignments.find((one) => one.assignment === seat).state, "withdrawn");
  assert.ok(hold);
  assert.ok(history.some((one) => one.act === "take_back" && one.reason === "They moved away."));
});

// --- Lists ---

inEverySetting("the desk takes many leads back from a dealer, after a look", "desk", null, async (page, { letter, zip }, { yard, goes }) => {
  const leads = [];
  for (const name of ["Ivy", "Jon", "Kai"]) leads.push((await yard.asks(`${name}${letter}`, "Taken", { zip })).lead);
  for (const lead of leads) await yard.seat(lead, `own-${letter}`);
  const holders = async () => {
    const stories = await Promise.all(leads.map((lead) => yard.story(lead)));
    return stories.map(({ holders: [one] }) => one?.dealer);
  };
  const own = `own-${letter}`;
  await goes(`leads?list=dealer:${own}`);
  await ticks(page, `Ivy${letter} `);
  await ticks(page, `Jon${letter} `);
  await chooses(page, "To do", "take back");
  await enter(page, "Look first");
  assert.match(await says(page), /2 would be taken back/);
  assert.deepEqual(await holders(), [own, own, own], "nothing is done by looking");
  await types(page, "Why (if you like)", "The crew is ill.");
  await enter(page, "Do it with those that are ticked");
  assert.match(await says(page), /2 taken back\./);
  await until("they are nobody's", async () => (await holders()).filter(Boolean).length === 1);
  assert.deepEqual(await holders(), [undefined, undefined, own]);
  for (const lead of leads.slice(0, 2)) {
    const { history } = await yard.story(lead);
    assert.ok(history.some((one) => one.act === "take_back" && one.reason === "The crew is ill."));
  }
});

inEverySetting("the desk places what waits as recommended, after a look", "desk", "today", async (page, { letter }, { yard }) => {
  const { lead } = await yard.asks(`Wes${letter}`, "Waits", {}, "sun");
  await yard.waits(lead);
  await enter(page, "Waiting", true);
  await ticks(page, `Wes${letter} `);
  await enter(page, "Place as recommended");
  assert.match(await says(page), /1 would go, for 90\.00[^]*sunny/);
  assert.deepEqual((await yard.story(lead)).holders, [], "nothing is done by looking");
  await enter(page, "Place those that are ticked", true);
  await until("sunny has it", async () => (await yard.story(lead)).holders.some((one) => one.dealer === "sunny"));
});

inEverySetting("the desk takes a list as a table", "desk", "leads", async (page, { letter, stateName, zip }, { yard }) => {
  const { lead } = await yard.asks(`Exa${letter}`, "Exported", { zip }, "early");
  await until("it is nurtured", async () => (await yard.story(lead)).stage === "nurturing");
  await chooses(page, "List", "nurturing");
  await chooses(page, "State", stateName);
  await enter(page, "Show", true);
  await enter(page, "The list as a table (CSV)", true);
  const masked = await takes(page, "Take the file");
  assert.match(masked, new RegExp(lead));
  assert.doesNotMatch(masked, /Exported/);
  await ticks(page, "with who they are");
  assert.match(await takes(page, "Take the file"), /Exported/);
  await enter(page, "When you have the file: go on", true);
  assert.match(await says(page), /That is all of them: \d+ leads? in 1 file/);
});

inEverySetting("the desk takes the leads that it ticked as a table", "desk", null, async (page, { letter, zip }, { yard, goes }) => {
  const leads = [];
  for (const name of ["Tia", "Tod", "Ted"]) {
    leads.push((await yard.asks(`${name}${letter}`, "Tabled", { zip }, "early")).lead);
  }
  for (const lead of leads) await until("it is nurtured", async () => (await yard.story(lead)).stage === "nurturing");
  await goes("leads?list=nurturing");
  await ticks(page, `Tia${letter} `);
  await ticks(page, `Tod${letter} `);
  await chooses(page, "To do", "take as a table");
  await enter(page, "Look first");
  assert.match(await page.innerText("main h2"), /^2 leads$/);
  const lines = (csv) => csv.trim().split("\n").slice(1);
  const masked = await takes(page, "Take those that are ticked");
  assert.deepEqual(lines(masked).map((line) => line.split(",")[0]).sort(), leads.slice(0, 2).sort());
  assert.doesNotMatch(masked, /Tabled/);
  // Who is not ticked any more stays behind.
  await ticks(page, `Tod${letter} `);
  await ticks(page, "with who they are");
  const named = await takes(page, "Take those that are ticked");
  assert.equal(lines(named).length, 1);
  assert.match(named, new RegExp(`${leads[0]}.*Tia${letter}.*Tabled`));
  const { changes } = (await yard.desk("GET", "/v1/changes")).json;
  assert.match(JSON.stringify(changes.find((one) => one.act === "export_leads")), new RegExp(leads[0]), "it is kept");
});

// --- Quarantine ---

/** How each enquiry stands, whether it was put right, and why. */
const stand = (yard, enquiries) => Promise.all(enquiries.map(async (one) => {
  const { status, edited, judged } = (await yard.desk("GET", `/v1/quarantine/${one}`)).json;
  return [status, edited && "edited", judged?.said].filter(Boolean).join(", ");
}));

inEverySetting("the desk reads what is doubtful, puts one right, releases one, rejects one, leaves one", "desk", "quarantine", async (page, { letter }, { yard, goes }) => {
  const names = ["Dot", "Rae", "Ike", "Lee"].map((name) => name + letter);
  const asked = [];
  for (const name of names) asked.push((await yard.asks(name, "Doubt", { email: `${name}@mailinator.com`.toLowerCase() }, `one-${letter}`)).enquiry);
  const counted = async () => (await yard.desk("GET", "/v1/quarantine/reasons")).json.reasons
    .reduce((sum, one) => [sum[0] + one.rejected, sum[1] + one.released], [0, 0]);
  const before = await counted();
  await goes("quarantine");
  await chooses(page, "Source", `one-${letter}`);
  await enter(page, "Show", true);
  await enter(page, `${names[0]} D.`, true);
  assert.doesNotMatch(await says(page), /Doubt\b/);
  await enter(page, "Show who it is and what was sent", true);
  assert.match(await says(page), /Doubt/);
  await types(page, "E-mail", `${names[0]}.doubt@mail.example`);
  await enter(page, "Put right and release", true);
  assert.match(await says(page), /Put right and released\./);
  assert.match(await page.innerText("h1"), new RegExp(names[1]), "the next stands there");
  await enter(page, "Release as it is", true);
  assert.match(await says(page), /Released: it goes its way/);
  assert.match(await page.innerText("h1"), new RegExp(names[2]));
  await types(page, "Reject it, because", "Nobody is there.");
  await enter(page, "Reject", true);
  assert.match(await says(page), /Rejected\./);
  assert.match(await page.innerText("h1"), new RegExp(names[3]));
  await enter(page, "Leave it, and look at the next", true);
  assert.deepEqual(await stand(yard, asked), ["received, edited", "received", "rejected, Nobody is there.", "quarantined"]);

  await goes("quarantine");
  await enter(page, "How often each reason was right", true);
  const after = await counted();
  assert.deepEqual([after[0] > before[0], after[1] > before[1]], [true, true]);
  const shown = await page.locator("tbody tr").evaluateAll((rows) => rows.map((row) => [...row.querySelectorAll("td")].slice(0, 2).map((one) => Number(one.innerText))));
  assert.deepEqual(shown.reduce((sum, one) => [sum[0] + one[0], sum[1] + one[1]], [0, 0]), after);
});

inEverySetting("the desk releases many doubtful enquiries at once, and rejects many", "desk", null, async (page, { letter }, { yard, goes }) => {
  const asked = [];
  for (const name of ["Abe", "Bea", "Cyd", "Dag"]) asked.push((await yard.asks(name + letter, "Many", { email: `${name}.many${letter}@mailinator.com`.toLowerCase() }, `many-${letter}`)).enquiry);
  await goes(`quarantine?source=many-${letter}`);
  await ticks(page, `Abe${letter} `);
  await ticks(page, `Bea${letter} `);
  await enter(page, "Release …");
  assert.match(await says(page), /2 would be released/);
  assert.deepEqual(await stand(yard, asked), ["quarantined", "quarantined", "quarantined", "quarantined"], "nothing is done by looking");
  await types(page, "Why (if you like)", "Both called.");
  await enter(page, "Release 2", true);
  assert.match(await says(page), /2 released/);
  await ticks(page, "on this page");
  await enter(page, "Reject …");
  assert.match(await says(page), /2 would be rejected/);
  await enter(page, "Reject 2", true);
  assert.match(await says(page), /2 rejected/);
  assert.deepEqual(await stand(yard, asked), ["received, Both called.", "received, Both called.", "rejected", "rejected"]);
});

// --- Returns ---

for (const [verdict, button, said, kept] of [
  ["denies", "Deny", /Denied: the dealer is told why/, "denied"],
  ["approves", "Approve: credit 45.00", /Approved: the dealer is credited/, "approved"],
]) {
  inEverySetting(`the desk ${verdict} a return`, "desk", null, async (page, { letter }, { yard, goes }) => {
    const name = `${verdict === "denies" ? "Ben" : "Bob"}${letter}`;
    const { lead } = await yard.asks(name, "Stone", {});
    const seat = await yard.seat(lead, "hudson");
    for (const act of ["accept", "contacted"]) await yard.dealer("hudson", "POST", `/v1/inbox/${seat}/${act}`);
    await yard.dealer("hudson", "POST", `/v1/inbox/${seat}/return`, { reason: "wrong-number", note: "a fax answers" });
    await goes("returns");
    await enter(page, `${name} S.`);
    assert.match(await says(page), /a fax answers/);
    await types(page, "What you say of it", "They answered us at once.");
    await enter(page, button);
    assert.match(await says(page), said);
    const { assignments } = await yard.story(lead);
    assert.match(JSON.stringify(assignments.find((one) => one.assignment === seat)), new RegExp(kept));
  });
}

// --- Calls ---

// Where it is day, at whatever hour: the hours of the two touch one another, and the clock is the machine's.
const PLACES = [
  { zone: "Pacific/Palau", zip: "96940" },
  { zone: "America/Puerto_Rico", zip: "00901" },
];
const minutes = (timeZone) => {
  const [hour, minute] = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone }).format().split(":");
  return Number(hour) * 60 + Number(minute);
};
/** A place whose people may be called for some minutes more: from eight in the morning to nine in the evening. */
const awake = () => until("it is day somewhere", () => PLACES.find(({ zone }) => minutes(zone) >= 8 * 60 && minutes(zone) < 21 * 60 - 2), 180);

inEverySetting("the desk claims a call, lets it go, calls, is asked to call back, and calls the next", "desk", null, async (page, { letter }, { yard, goes }) => {
  const { zip } = await awake();
  const leads = [];
  for (const name of ["Cal", "Kim", "Ann"]) leads.push(await yard.toBeCalled(`${name}${letter}`, "Called", { zip, phone: `787-274-03${leads.length}${"abcd".indexOf(letter)}` }));
  const call = async (lead) => (await yard.story(lead)).follow_up;
  await goes("follow-up");
  await enter(page, `Cal${letter} `);
  assert.doesNotMatch(await says(page), /787/);
  await enter(page, "Claim it", true);
  assert.match(await says(page), /787/, "who has claimed one sees the number");
  await enter(page, "Let go of it", true);
  assert.match(await says(page), /Anybody may call them now/);
  assert.ok(!(await call(leads[0])).claim);

  await enter(page, `Cal${letter} `);
  await enter(page, "Claim it", true);
  await chooses(page, "What it came to", "Call back at …");
  const tomorrow = new Date(Date.now() + 36 * 3_600_000).toISOString().slice(0, 10).split("-");
  await typesTime(page, "Call back at (", tomorrow[1] + tomorrow[2] + tomorrow[0], "1000AM");
  await types(page, "A note", "After the holidays.");
  await enter(page, "Keep", true);
  assert.match(await says(page), /Kept\./);
  assert.equal((await call(leads[0])).last_call.result, "callback");

  const open = new Set([leads[1], leads[2]]);
  await enter(page, "Call the next", true);
  for (const [result, button] of [["No answer", "Keep, and call the next"], ["Not now: go on with the plan", "Keep, and call the next"]]) {
    const at = page.url().match(/follow-up\/([0-9a-f-]{36})/)[1];
    assert.ok(open.delete(at), "one that nobody has called");
    assert.match(await says(page), /787/);
    await chooses(page, "What it came to", result);
    await enter(page, button);
  }
  assert.match(await says(page), /Nobody else may be called now/);
  const results = await Promise.all(leads.slice(1).map(async (lead) => (await call(lead)).last_call.result));
  assert.deepEqual(results.sort(), ["no_answer", "not_now"]);
});
