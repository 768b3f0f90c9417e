// For comfort alone: pages work without this, and nothing is kept in the browser.
(() => {
  "use strict";
  // A page is painted when it is there whole. On a line that stalls or breaks, what came of it is better than nothing.
  setTimeout(() => document.querySelector("link[rel=expect]")?.remove(), 3e3);

  const opened = Date.now();
  const sent = new Set();
  let stays = 0;

  const typed = (one) => one.matches("textarea, input:not([type=hidden], [type=password], [type=checkbox], [type=radio])")
    && one.value !== one.defaultValue;
  const changed = (one) => typed(one) || one.checked !== one.defaultChecked || (one.matches("select")
    && one.selectedIndex !== Math.max(0, [...one.options].findIndex((option) => option.defaultSelected)));
  const some = (forms, is) => [...document.querySelectorAll(forms)]
    .some((form) => !sent.has(form) && [...form.elements].some(is));
  const busy = (form, is) => {
    for (const one of form.elements) if (one.matches("button")) {
      // Disabled, it would lose the focus.
      for (const name of ["aria-disabled", "aria-busy"]) one.setAttribute(name, is);
    }
  };
  const free = (form) => { if (sent.delete(form)) busy(form, false); };

  // What is being sent is not sent again until no answer can come any more, or a file came.
  addEventListener("submit", (event) => {
    const form = event.target;
    if (sent.has(form)) return event.preventDefault();
    sent.add(form);
    busy(form, true);
    setTimeout(free, form.matches("[data-file]") ? 3e3 : 3e4, form);
  });

  // Another file of the same form is no second click.
  addEventListener("change", (event) => event.target.form?.matches("[data-file]") && free(event.target.form));

  // Nobody leaves what they typed by mistake; a call, a mail or a file leaves nothing.
  addEventListener("click", (event) => {
    if (event.target.closest("a[href^='tel:'], a[href^='mailto:'], a[href*='.csv'], a[href*='.zip'], a[href*='.xlsx']")) stays = Date.now();
  });
  addEventListener("beforeunload", (event) => {
    if (Date.now() - stays < 1e3 || !some("form[method=post]:not(.find, [data-file])", typed)) return;
    event.preventDefault();
    event.returnValue = true;
    setTimeout(() => sent.forEach(free), 1e3);
  });

  // A page that was opened long ago is loaded anew when it is looked at again.
  const look = () => {
    const after = document.body.dataset.anew * 1e3;
    if (after && !document.hidden && Date.now() - opened > after && !sent.size && !some("form", changed)) location.reload();
  };
  document.addEventListener("visibilitychange", look);
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    sent.forEach(free);
    look();
  });

  const ticks = () => {
    for (const slot of document.querySelectorAll(".ticks")) for (const all of [true, false]) slot.append(tick(slot, all));
  };
  const tick = (slot, all) => {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "plain small", textContent: all ? "Tick all" : "Tick none" });
    button.addEventListener("click", () => {
      for (const one of slot.closest("form").querySelectorAll(`${all ? ".pick " : ""}[type=checkbox]`)) one.checked = all;
    });
    return button;
  };
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", ticks);
  else ticks();
})();
