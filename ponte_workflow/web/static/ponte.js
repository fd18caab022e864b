// Everything works without this file; it makes some things smoother.
"use strict";

(() => {
  const one = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // A menu closes when one looks elsewhere.
  document.addEventListener("click", (event) => {
    for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") for (const menu of all("details.menu[open]")) { menu.open = false; one("summary", menu).focus(); }
  });

  // A filter takes effect when it is chosen; without this file there is a button for it.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-at-once]");
    if (form) form.requestSubmit();
    const everything = event.target.closest("input[data-all]");
    if (everything) for (const box of all(`input[name="${everything.dataset.all}"]`)) box.checked = everything.checked;
  });

  // A form is sent once, however often its button is pressed.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
    if (question && !window.confirm(question)) { event.preventDefault(); return; }
    if (form.method.toLowerCase() !== "post" || form.hasAttribute("hx-post") || form.dataset.again !== undefined) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = "yes";
    window.setTimeout(() => { delete form.dataset.sent; }, 8000);
  });
  window.addEventListener("pageshow", () => { for (const form of all("form[data-sent]")) delete form.dataset.sent; });

  // Drafts: kept on the server a moment after the last keystroke, and told so; never in the browser, which others may use.
  for (const form of all("form[data-draft]")) {
    const told = one("[data-draft-told]", form);
    let waiting = 0, latest = 0;
    const say = (key) => { if (told) told.textContent = told.dataset[key]; };
    const keep = async () => {
      const mine = ++latest;
      try {
        const answer = await fetch(form.dataset.draft, { method: "POST", body: new FormData(form), redirect: "manual" });
        if (mine === latest) say(answer.ok ? "kept" : "lost");
      } catch {
        if (mine !== latest) return;
        say("lost");
        waiting = window.setTimeout(keep, 5000);
      }
    };
    form.addEventListener("input", () => { window.clearTimeout(waiting); waiting = window.setTimeout(keep, 800); });
    form.addEventListener("submit", () => window.clearTimeout(waiting));
  }

  // The keyboard on a list: j and k go down and up, Enter or o opens, x ticks, / searches, ? tells.
  const rows = () => all("tr[data-row]");
  const chosen = () => one("tr.chosen");
  const choose = (row) => {
    if (!row) return;
    for (const other of rows()) other.classList.remove("chosen");
    row.classList.add("chosen");
    (one("a", row) ?? row).focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  };
  const keys = {
    j: () => choose(chosen() ? rows()[rows().indexOf(chosen()) + 1] : rows()[0]),
    k: () => choose(chosen() ? rows()[rows().indexOf(chosen()) - 1] : rows()[0]),
    o: () => one("a", chosen() ?? document)?.click(),
    x: () => one("input[type=checkbox]", chosen() ?? document.createElement("p"))?.click(),
    "/": () => one("#find")?.focus(),
    "?": () => { const help = one("#keys"); if (help) { help.open = !help.open; one("summary", help).focus(); } },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea, [contenteditable]")) return;
    const act = keys[event.key];
    if (act && (event.key === "/" || event.key === "?" || rows().length)) { event.preventDefault(); act(); }
  });
})();
