// The landing page works without this script; with it, nothing that a visitor sent gets lost.
//
// What is sent is kept in localStorage with its idempotency key until the server has answered for it:
// a closed laptop, a dead network or a busy server only delay it. The key belongs to what was typed: a
// double click and a retry repeat it, a corrected form gets a new one. Kept for a day, as long as the
// server remembers keys.
(() => {
  "use strict";
  const form = document.getElementById("enquiry");
  if (!form) return;
  const $ = (id) => document.getElementById(id);
  const note = $("note"), button = $("send"), label = button.textContent;
  const KEPT = "leadyard.enquiry:" + form.action, VISITOR = "leadyard.visitor:" + form.action;
  const DAY_MS = 86400000;
  let pending = null, timer = 0, tries = 0, sending = false;

  // Private windows may refuse storage; then the page's own memory has to do.
  const memory = {};
  const load = (key) => {
    try { return JSON.parse(localStorage.getItem(key)); } catch { return memory[key] || null; }
  };
  const store = (key, value) => {
    memory[key] = value;
    try {
      if (value === null) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify(value));
    } catch { /* kept in memory */ }
  };
  const newId = () => crypto.randomUUID ? crypto.randomUUID()
    : Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

  // When the form was opened, signed. Without it the form works as well.
  let formToken = "";
  const opened = () => fetch(form.action + "/form_token", { credentials: "omit" })
    .then((response) => response.ok ? response.json() : {})
    .then((body) => { formToken = typeof body.form_token === "string" ? body.form_token : ""; })
    .catch(() => {});
  opened();

  // Where the visitor came from.
  const query = new URLSearchParams(location.search);
  for (const field of form.querySelectorAll("input[type=hidden]")) {
    if (/^(utm_|gclid|fbclid|msclkid)/.test(field.name)) field.value = (query.get(field.name) || "").slice(0, 512);
  }
  form.elements.landing_page.value = (location.origin + location.pathname).slice(0, 512);
  form.elements.referrer.value = document.referrer.slice(0, 512);

  const say = (text, bad) => {
    note.textContent = text;
    note.classList.toggle("bad", Boolean(bad));
    note.setAttribute("role", bad ? "alert" : "status");
    note.hidden = !text;
  };
  const busy = (on) => {
    button.disabled = on;
    button.textContent = on ? "Sending…" : label;
  };
  const mark = (field, bad) => {
    if (bad) field.setAttribute("aria-invalid", "true"); else field.removeAttribute("aria-invalid");
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (sending) return;
    const values = {};
    for (const [name, value] of new FormData(form)) if (value !== "") values[name] = value;
    if (formToken) values.form_token = formToken;
    const body = JSON.stringify(values);
    // The same words again are the same enquiry; other words are another.
    const same = pending && pending.body === body;
    pending = { key: same ? pending.key : newId(), body, at: Date.now() };
    store(KEPT, pending);
    tries = 0;
    send();
  });
  form.addEventListener("input", (event) => mark(event.target, false));

  async function send() {
    clearTimeout(timer);
    if (sending || !pending) return;
    sending = true;
    busy(true);
    const sent = pending;
    let answer = null, retryAfter = 0;
    try {
      const response = await fetch(form.action, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json", "Idempotency-Key": sent.key },
        body: sent.body,
        credentials: "omit",
      });
      retryAfter = Number(response.headers.get("Retry-After")) || 0;
      answer = { status: response.status, body: await response.json().catch(() => ({})) };
    } catch { /* no answer: try again */ }
    sending = false;
    const status = answer ? answer.status : 0;
    if (status >= 200 && status < 300) done(answer.body);
    else if (status === 0 || status === 408 || status === 409 || status === 429 || status >= 500) later(retryAfter, status);
    else refused(answer.body);
  }

  // Kept, and tried again: after 2, 4, 8 … 60 seconds, or when the server says (ten minutes at most), or
  // when the network is back.
  function later(retryAfter, status) {
    tries += 1;
    const wait = Math.min(Math.max(retryAfter, Math.min(2 ** tries, 60)), 600);
    say(status === 0
      ? "You seem to be offline. Your request is kept in this browser and sent as soon as there is a connection."
      : "We are very busy right now. Your request is kept in this browser and sent again by itself.");
    timer = setTimeout(send, wait * 1000 + Math.random() * 500);
  }

  function done(body) {
    pending = null;
    store(KEPT, null);
    if (typeof body.visitor === "string") {
      store(VISITOR, body.visitor);
      flush();
    }
    say("");
    $("ask").hidden = true;
    $("thanks").hidden = false;
    if (body.enquiry) {
      $("reference").textContent = "Your reference: " + String(body.enquiry).slice(0, 8);
      $("reference").hidden = false;
    }
    form.reset();
    formToken = "";
    opened();
    busy(false);
    $("thanks-title").focus();
    $("quote").scrollIntoView({ block: "start" });
  }

  function refused(body) {
    store(KEPT, null);
    pending = null;
    busy(false);
    const problems = Array.isArray(body.errors) ? body.errors : [];
    let first = null;
    for (const problem of problems) {
      const field = form.elements[String(problem.pointer || "").replace(/^#?\//, "")];
      if (!field || !field.setAttribute) continue;
      mark(field, true);
      first = first || field;
    }
    say(problems.map((problem) => problem.detail).filter(Boolean).join(" ") || body.detail
      || "We could not take your request. Please check what you typed.", true);
    (first || note).focus();
  }

  window.addEventListener("online", send);

  // What the visitor does counts once there is a lead to count it for: before that, it waits here and is
  // gone with the page. Who asked not to be tracked is not.
  const events = [], once = new Set();
  function interaction(kind) {
    if (navigator.globalPrivacyControl || once.has(kind)) return;
    once.add(kind);
    events.push({ id: newId(), kind, at: new Date().toISOString() });
    flush();
  }
  function flush() {
    const visitor = load(VISITOR);
    if (!visitor || !events.length || !navigator.sendBeacon) return;
    const body = JSON.stringify(events.map((event) => ({ ...event, visitor })));
    if (navigator.sendBeacon(form.dataset.interactions, body)) events.length = 0;
  }
  interaction("page_view");
  form.addEventListener("input", () => interaction("form_start"), { once: true });
  window.addEventListener("scroll", () => {
    const room = document.documentElement.scrollHeight - innerHeight;
    if (room > 0 && scrollY / room > 0.5) interaction("scroll");
  }, { passive: true });
  document.addEventListener("visibilitychange", () => { if (document.hidden) flush(); });

  // What an earlier visit could not send.
  const kept = load(KEPT);
  if (kept && kept.key && kept.body && Date.now() - kept.at < DAY_MS) {
    pending = kept;
    say("We are still sending the request you made earlier.");
    send();
  } else if (kept) {
    store(KEPT, null);
  }
})();
