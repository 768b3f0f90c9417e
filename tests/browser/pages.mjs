// Every page of the console, for who looks at all of them: each once, of a company that has what it shows.
//
// | name              | is                                                                 |
// |-------------------|--------------------------------------------------------------------|
// | company           | whose pages they are, by its id                                    |
// | dealer, contract  | one of its dealers, and a contract of theirs                       |
// | area, version     | an area of its rulebook, and a version that is not the first       |
// | lead, decision    | a lead that somebody had, and how that was decided                 |
// | waits, early, odd | a lead that waits, one to be called, and an enquiry in quarantine  |
// | returned          | what a dealer asks to return                                       |
// | look              | a look at all of a list: see `looksAtAll`                          |
// | seats             | what stands in the dealer's inbox                                  |

export const REPORTS = [
  "leads", "sources", "campaigns", "offers", "dealers", "areas", "funnel", "speed", "returns", "unmet", "waiting",
];

export const ofDesk = (at) => {
  const [company, dealer] = [at.company, `/console/dealers/${at.company}/${at.dealer}`];
  return [
    "/console/today", "/console/leads", "/console/leads?list=waiting", `/console/leads/${at.lead}`,
    `/console/leads/${at.waits}`, `/console/leads/${at.lead}/decisions/${at.decision}`,
    `/console/leads/export?company=${company}&list=waiting`, `/console/leads/many/${company}/${at.look}`,
    "/console/leads?list=waiting&order=time", "/console/leads?list=unreached", `/console/quarantine/${at.odd}`,
    `/console/follow-up/${at.early}`, "/console/rulebook/changes",
    `/console/rulebook/diff?company=${company}&from=1&to=${at.version}`, `/console/rulebook/${company}/1/rollback`,
    "/console/sign-in", "/console/quarantine", "/console/quarantine/reasons", "/console/waiting", "/console/follow-up",
    "/console/returns", `/console/returns/${company}/${at.returned}`, "/console/dealers", dealer,
    `${dealer}/contracts/${at.contract}`, `${dealer}/row`, `${dealer}/why`, `${dealer}/statement`, "/console/rulebook",
    `/console/rulebook/${company}/${at.version}`, `/console/rulebook/${company}/areas/${at.area}`, "/console/people",
    "/console/reports", ...REPORTS.map((name) => `/console/reports/${name}`),
  ];
};

export const ofDealer = ({ seats }) => [
  "/console/inbox", "/console/inbox/closed", "/console/inbox/figures", ...seats.map((seat) => `/console/inbox/${seat}`),
];

/** What a page's photo is called. */
export const named = (path) => {
  const words = path.replace(/^\/console\//, "").replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "one");
  return words.replace(/[^a-z]+/g, "-");
};

/** Begins a look at all of a list, as its page does where more stand on it than are shown; which it is. */
export async function looksAtAll(yard, company, act, list) {
  const page = await yard.signedIn("desk");
  const csrf = await page.locator("[name=csrf]").first().getAttribute("value");
  const form = { csrf, act, whole: "on", list: `company=${company}&list=${list}` };
  const answer = await page.request.post(`${yard.ready.url}/console/leads/many`, { form });
  const path = new URL(answer.url()).pathname;
  // Until all of them were looked at.
  await page.goto(yard.ready.url + path);
  await page.getByRole("button", { name: "Do it with all" }).waitFor();
  await page.context().close();
  return path.split("/").at(-1);
}
