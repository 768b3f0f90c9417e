// leadyard.js: sends a page's forms to Leadyard, and loses nothing that was sent.
//
//   <script src="https://…/leadyard.js" data-key="pk_…" defer></script>
//   <form data-leadyard method="post" action="https://…/v1/leads/pk_…"> … </form>
//
// Without this script the form posts by itself. With it the visitor stays on the page, and what was sent stays in
// localStorage until the server has answered for it, three days at most: a reload, a dead network and a busy server
// only delay it. Each enquiry has one Idempotency-Key: a double click and a retry repeat it.
//
// Served without these comments and indentation (see snippet.rs), so: no text over several lines, and no comment
// behind code.
(() => {
  "use strict";
  const script = document.currentScript || document.querySelector("script[data-key]");
  if (!script || window.leadyard) return;
  const base = new URL(".", script.src).href;
  const key = script.dataset.key;
  const beacons = `${script.dataset.interactions || base}v1/interactions/${key}`;
  // Global Privacy Control: no visitor, no interactions, no touches. The enquiry says so.
  const gpc = navigator.globalPrivacyControl === true;
  const KEPT = "leadyard.kept.", VISITOR = "leadyard.visitor." + key, FIRST = "leadyard.first", LAST = "leadyard.last";

  // --- What the browser keeps. Private windows may refuse; then this page's own memory has to do. ---

  const memory = new Map();
  const days = (count) => Date.now() + count * 864e5;
  const drop = (name) => {
    memory.delete(name);
    try { localStorage.removeItem(name); } catch {}
  };
  const keep = (name, value, until) => {
    const text = JSON.stringify({ value, until });
    memory.set(name, text);
    try {
      localStorage.setItem(name, text);
      // Where it stands there, another tab may drop it.
      memory.delete(name);
    } catch {}
  };
  const load = (name) => {
    let text;
    try { text = memory.get(name) || localStorage.getItem(name); } catch {}
    try {
      const { value, until } = JSON.parse(text);
      if (until > Date.now()) return value;
    } catch {}
    if (text) drop(name);
  };
  const allKept = () => {
    let names = [...memory.keys()];
    try { names = names.concat(Object.keys(localStorage)); } catch {}
    return names.filter((name) => name.startsWith(KEPT)).map(load).filter(Boolean);
  };
  const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
  const get = (url) => fetch(url).then((answer) => answer.json()).catch(() => ({}));

  // --- Where the visitor came from: of an address only what is known to be a campaign's. ---

  const TAGS = "utm_source utm_medium utm_campaign utm_term utm_content utm_id gclid gbraid wbraid dclid fbclid msclkid ttclid twclid li_fat_id ScCid rdt_cid epik irclickid".split(" ");
  const page = location.origin + location.pathname;
  const touch = () => {
    const query = new URLSearchParams(location.search), seen = {};
    for (const tag of TAGS) if (query.get(tag)) seen[tag] = query.get(tag).slice(0, 512);
    const from = document.referrer && new URL(document.referrer);
    if (from && from.host !== location.host) seen.referrer = from.origin + from.pathname;
    const came = Object.keys(seen).length;
    seen.landing_page = page;
    if (!load(FIRST)) keep(FIRST, seen, days(90));
    // Who comes back by himself still comes by what brought him last.
    if (came || !load(LAST)) keep(LAST, seen, days(90));
  };

  // A visitor goes by the first name that was given.
  const know = ({ visitor }) => {
    if (visitor && !gpc && !load(VISITOR)) keep(VISITOR, visitor, days(400));
  };

  // --- Forms ---

  const sourceOf = (form) => form.dataset.leadyard || key;
  const labelOf = (form) => page + "#" + (form.id || [...document.forms].indexOf(form));
  const formOf = (kept) => [...document.querySelectorAll("form[data-leadyard]")].find((form) => labelOf(form) === kept.form);
  const typed = (form, submitter) => {
    const values = Object.create(null);
    for (const [name, value] of new FormData(form, submitter)) {
      if (typeof value === "string" && value) values[name] = name in values ? [].concat(values[name], value) : value;
    }
    return values;
  };
  const fill = (form, values) => {
    for (const field of form.elements) {
      const value = values[field.name];
      if (!value || field.type === "hidden") continue;
      if (/^(check|radio)/.test(field.type)) field.checked = [].concat(value).includes(field.value);
      else field.value = value;
    }
  };

  // A form is met when the page has it, or when somebody goes into it: what says when it was opened is fetched, and
  // where it will say how things stand is there before it does.
  const met = new WeakMap();
  const meet = (form) => {
    if (met.has(form)) return met.get(form);
    let status = form.querySelector("[data-leadyard-status]");
    if (!status) {
      form.append(status = document.createElement("p"));
      status.dataset.leadyardStatus = "";
    }
    status.setAttribute("role", "status");
    const state = { status, token: "", doneAt: 0 };
    met.set(form, state);
    get(`${base}v1/leads/${sourceOf(form)}/form_token`).then((answer) => { state.token = answer.form_token; });
    return state;
  };

  const TEXTS = {
    sending: "Sending…",
    offline: "There is no connection. Your request is kept here and sent later.",
    busy: "We are very busy. Your request is kept here and sent later.",
    received: "Thank you. Your request is received.",
    refused: "Please check what you wrote.",
  };
  // Each state is an event that a page may answer in its own way: preventDefault() keeps ours back.
  const tell = (form, state, detail, text) => {
    const event = new CustomEvent("leadyard:" + state, { bubbles: true, cancelable: true, detail });
    if (!(form || document).dispatchEvent(event) || !form) return false;
    form.setAttribute("aria-busy", state === "sending");
    meet(form).status.textContent = text || form.getAttribute("data-leadyard-" + state) || TEXTS[state];
    return true;
  };

  const submit = (form, submitter, step) => {
    const said = JSON.stringify(typed(form)), name = labelOf(form);
    const same = allKept().find((kept) => kept.form === name && kept.said === said && kept.step === step);
    // The same words again are the same enquiry; other words are another.
    if (same) return send(same, form);
    const more = { form_token: meet(form).token, consent_url: page, consent_at: new Date().toISOString(), consent_form: name };
    const label = form.elements.consent?.labels?.[0];
    if (label) more.consent_text = label.textContent.trim();
    if (gpc) more.gpc = "1";
    else {
      Object.assign(more, load(LAST), { first_touch: load(FIRST), visitor: load(VISITOR) });
      for (const [, name, value] of document.cookie.matchAll(/(?:^|; )(_fb[cp])=([^;]*)/g)) more[name] = value;
    }
    const kept = { id: newId(), source: sourceOf(form), form: name, said, step, body: JSON.stringify({ ...more, ...typed(form, submitter) }), until: days(3), after: 0, tries: 0 };
    keep(KEPT + kept.id, kept, kept.until);
    mine.add(kept.id);
    send(kept, form);
  };

  // Of enquiries by id: sent from this page since it was opened; on their way; to be sent again.
  const mine = new Set(), sending = new Set(), timers = new Map();
  const send = async (kept, form) => {
    const name = KEPT + kept.id;
    // Another tab may have sent it meanwhile.
    if (sending.has(kept.id) || !load(name)) return;
    clearTimeout(timers.get(kept.id));
    sending.add(kept.id);
    if (!kept.step) tell(form, "sending");
    let response, answer = {};
    try {
      response = await fetch(`${base}v1/leads/${kept.source}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": kept.id },
        body: kept.body,
        // The page may be left meanwhile; browsers carry on with 64 KiB at most.
        keepalive: kept.body.length < 2e4,
        signal: AbortSignal.timeout && AbortSignal.timeout(3e4),
      });
      answer = await response.json();
    } catch {}
    sending.delete(kept.id);
    const status = response ? response.status : 0;
    if (status && status < 500 && ![408, 409, 425, 429].includes(status)) {
      drop(name);
      if (response.ok) received(kept, form, answer);
      else if (!kept.step) refused(form, answer);
      return;
    }
    // After 2, 4, 8 … 60 seconds, or when the server says.
    const wait = (Number(status && response.headers.get("Retry-After")) || 0) * 1e3;
    kept.after = Date.now() + wait;
    kept.tries += 1;
    keep(name, kept, kept.until);
    timers.set(kept.id, setTimeout(send, Math.min(Math.max(wait, Math.min(2 ** kept.tries, 60) * 1e3) + Math.random() * 500, 2e9), kept, form));
    if (!kept.step) tell(form, status ? "busy" : "offline", answer);
  };

  const received = (kept, form, answer) => {
    know(answer);
    if (kept.step) return;
    if (form) {
      // What was typed since is not ours to clear.
      if (JSON.stringify(typed(form)) === kept.said) form.reset();
      met.delete(form);
      meet(form).doneAt = Date.now();
    }
    if (!tell(form, "received", answer)) return;
    const thanks = form.dataset.leadyardThanks;
    const shown = /^#/.test(thanks) && document.querySelector(thanks);
    if (shown) {
      form.hidden = true;
      shown.hidden = false;
      shown.tabIndex = -1;
      shown.focus();
    } else if (thanks && mine.has(kept.id)) location.assign(thanks);
  };

  const refused = (form, answer) => {
    if (!tell(form, "refused", answer, answer.detail)) return;
    let focus = meet(form).status;
    focus.tabIndex = -1;
    for (const { pointer, detail } of answer.errors || []) {
      const found = form.elements.namedItem(String(pointer).replace(/^#?\//, ""));
      const field = found && (found.tagName ? found : found[0]);
      if (!field) continue;
      forgive(field);
      const error = document.createElement("span"), was = field.getAttribute("aria-describedby") || "";
      error.id = "leadyard-" + newId();
      error.className = "leadyard-error";
      error.textContent = detail;
      field.after(error);
      field.setAttribute("aria-invalid", true);
      field.setAttribute("aria-describedby", `${was} ${error.id}`);
      errors.set(field, { error, was });
      if (focus.tabIndex < 0) focus = field;
    }
    focus.focus();
  };
  const errors = new WeakMap();
  const forgive = (field) => {
    const { error, was } = errors.get(field) || {};
    if (!error) return;
    errors.delete(field);
    error.remove();
    field.removeAttribute("aria-invalid");
    field.setAttribute("aria-describedby", was);
  };

  // --- What the visitor does ---

  const told = [];
  let flushing = 0;
  const interaction = (kind, offer) => {
    if (gpc || told.length > 99 || !/^[a-z0-9][a-z0-9._-]{0,31}$/.test(kind)) return;
    told.push({ id: newId(), kind, at: new Date().toISOString(), offer });
    flushing = flushing || setTimeout(flush, 2e3);
  };
  // All at once: intake takes a hundred in a post. Who is to be named by them is asked for first.
  const flush = async () => {
    clearTimeout(flushing);
    flushing = 0;
    if (!told.length) return;
    let visitor = load(VISITOR);
    if (!visitor) {
      know(await get(beacons + "/visitor"));
      visitor = load(VISITOR);
    }
    if (visitor && told.length && navigator.sendBeacon(beacons, JSON.stringify(told.map((one) => ({ ...one, visitor }))))) told.length = 0;
  };

  // --- What the page does ---

  const within = (event, selector) => event.target.closest?.(selector);
  const resume = () => {
    for (const kept of allKept()) {
      clearTimeout(timers.get(kept.id));
      timers.set(kept.id, setTimeout(send, Math.max(0, kept.after - Date.now()), kept, formOf(kept)));
    }
  };
  addEventListener("submit", (event) => {
    const form = within(event, "form[data-leadyard]");
    if (!form || event.defaultPrevented) return;
    event.preventDefault();
    // The second half of a double click, when the answer was quicker.
    if (Date.now() - meet(form).doneAt > 1e3) submit(form, event.submitter);
  });
  addEventListener("focusin", (event) => {
    const form = within(event, "form[data-leadyard]");
    if (!form || form.contains(event.relatedTarget)) return;
    const state = meet(form);
    if (!state.begun) interaction("form_start");
    state.begun = true;
  });
  addEventListener("input", (event) => forgive(event.target));
  addEventListener("click", (event) => {
    const marked = within(event, "[data-leadyard-click]");
    if (marked) interaction(marked.dataset.leadyardClick, marked.dataset.leadyardOffer);
    // A step of a form: who can be reached already is worth keeping, whether or not the rest follows.
    const step = within(event, "[data-leadyard-step]");
    const form = step && step.closest("form[data-leadyard]");
    if (form && [...form.querySelectorAll("[type=email],[type=tel],[name=email],[name=phone]")].some((field) => field.value && field.validity.valid)) submit(form, null, true);
  }, true);
  addEventListener("online", resume);
  addEventListener("pagehide", flush);
  addEventListener("visibilitychange", () => document.hidden && flush());

  window.leadyard = { interaction };
  const start = () => {
    if (gpc) [FIRST, LAST, VISITOR].forEach(drop);
    else touch();
    document.querySelectorAll("form[data-leadyard]").forEach(meet);
    for (const kept of allKept()) {
      const form = formOf(kept);
      if (form) fill(form, JSON.parse(kept.said));
    }
    resume();
    interaction("page_view");
    flush();
  };
  const ready = () => document.readyState === "loading" ? addEventListener("DOMContentLoaded", start) : start();
  if (document.prerendering) document.addEventListener("prerenderingchange", ready, { once: true });
  else ready();
})();
