/* The leads list by keyboard, many leads at once, and one beside the list. Everything works without
   this file but the keys; it only saves steps. */

const list = () => document.getElementById("lead-list");
const rows = () => [...document.querySelectorAll(".leads tbody tr")];
const boxes = () => [...document.querySelectorAll('.leads .c-pick input[name="lead"]')];
const peek = () => document.getElementById("lead-peek");
const dialog = () => document.getElementById("lead-dialog");

/* Choosing ---------------------------------------------------------------- */

let last = null;

function showChoice() {
  const bar = document.querySelector("[data-bulk]");
  if (!bar) return;
  const chosen = boxes().filter((box) => box.checked).length;
  const all = bar.querySelector("[data-bulk-all]");
  const page = document.querySelector("[data-bulk-page]");
  if (all && chosen < boxes().length) all.checked = false;
  const isAll = Boolean(all?.checked);
  const text = isAll ? "All that match are chosen" : `${chosen} chosen`;
  bar.querySelector("[data-bulk-count]").textContent = text;
  const live = bar.querySelector("[data-bulk-live]");
  if (live.textContent !== text) live.textContent = text;
  if (all) all.closest("label").hidden = chosen < boxes().length;
  for (const button of bar.querySelectorAll("[data-needs]")) {
    button.disabled = isAll || chosen !== Number(button.dataset.needs);
    button.title = button.disabled ? `Choose ${button.dataset.needs} leads to merge` : "";
  }
  if (page) {
    page.hidden = false;
    page.checked = chosen > 0 && chosen === boxes().length;
    page.indeterminate = chosen > 0 && chosen < boxes().length;
  }
}

function choose(isChosen) {
  for (const box of boxes()) box.checked = isChosen;
  const all = document.querySelector("[data-bulk-all]");
  if (all) all.checked = false;
  showChoice();
}

/* With Shift, all between the last one and this. */
function chooseTo(box) {
  const all = boxes();
  const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
  if (from < 0) return;
  for (const one of all.slice(from, to + 1)) one.checked = box.checked;
}

document.addEventListener("click", ({ target, shiftKey }) => {
  const box = target.closest('.leads .c-pick input[name="lead"]');
  if (box) {
    if (shiftKey && last) chooseTo(box);
    last = box;
    showChoice();
  }
  if (target.closest("[data-bulk-clear]")) choose(false);
});

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-bulk-page]")) choose(target.checked);
  if (target.matches("[data-bulk-all]")) showChoice();
});

/* Keys -------------------------------------------------------------------- */

let here = null;

function hereRow() {
  return rows().find((row) => idOf(row) === here);
}

function idOf(row) {
  return row?.querySelector('input[name="lead"]').value;
}

function goTo(row) {
  if (!row) return;
  here = idOf(row);
  showHere();
  row.querySelector(".row-link").focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  if (!peek()?.hidden) lookAt(row);
}

function showHere() {
  const peeked = peek()?.dataset.peek;
  for (const row of rows()) {
    row.toggleAttribute("data-here", idOf(row) === here);
    row.toggleAttribute("data-peeked", idOf(row) === peeked);
  }
}

function step(by) {
  const all = rows();
  const at = all.indexOf(hereRow());
  goTo(all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)]);
}

function lookAt(row) {
  if (row && peek()?.dataset.peek !== idOf(row)) row.querySelector(".c-peek button").click();
}

function closeWhatIsOpen() {
  const close = peek()?.querySelector("[data-peek-close]");
  if (boxes().some((box) => box.checked)) choose(false);
  else if (close) {
    close.click();
    hereRow()?.querySelector(".row-link").focus();
  }
}

const KEYS = {
  j: () => step(1),
  ArrowDown: () => step(1),
  k: () => step(-1),
  ArrowUp: () => step(-1),
  x: () => hereRow()?.querySelector('input[name="lead"]').click(),
  o: () => lookAt(hereRow()),
  " ": () => lookAt(hereRow()),
  Enter: () => hereRow()?.querySelector(".row-link").click(),
  Escape: closeWhatIsOpen,
  "?": () => document.querySelector("[data-shortcuts]")?.showPopover(),
};

/* Keys that elements have a use for of their own. */
const TYPING = "input:not([type=checkbox]), textarea, select, [contenteditable]";
const PRESSED = "a, button, summary, input";

document.addEventListener("keydown", (event) => {
  const act = KEYS[event.key];
  if (!act || !list() || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest(TYPING)) return;
  if (document.querySelector("dialog:modal, [popover]:popover-open, details.drop[open]")) return;
  const isOnRow = event.target.closest(".leads .row-link");
  if ((event.key === "Enter" || event.key === " ") && event.target.closest(PRESSED) && !isOnRow) return;
  if (event.key.startsWith("Arrow") && !hereRow()) return;
  if (event.key !== "Escape") event.preventDefault();
  act();
});

document.addEventListener("focusin", ({ target }) => {
  const row = target.closest(".leads tbody tr");
  if (!row) return;
  here = idOf(row);
  showHere();
});

/* What is loaded when it is opened. Toggle does not bubble. */
document.addEventListener(
  "toggle",
  ({ target }) => {
    if (target.matches("details.drop") && target.open) target.querySelector("[data-lazy]")?.click();
  },
  true,
);

/* htmx -------------------------------------------------------------------- */

/* The lead beside the list stays when the list changes, whatever address its links and forms were
   made with. */

function keepPeek(params) {
  const id = peek()?.dataset.peek;
  if (id) params.set("peek", id);
  else params.delete("peek");
}

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  const { request } = ctx;
  if (ctx.target?.id !== "lead-list") return;
  if (request.method === "GET") {
    const url = new URL(request.action, location.href);
    request.body.delete("peek");
    keepPeek(url.searchParams);
    request.action = url.pathname + url.search;
  } else if (request.body.has("query")) {
    const query = new URLSearchParams(request.body.get("query"));
    keepPeek(query);
    request.body.set("query", query.toString());
  }
});

function refresh(id) {
  // The element is also the source, or the server would not learn which part is wanted.
  const source = document.getElementById(id);
  const options = { source, target: source, swap: "outerMorph", push: "false" };
  window.htmx.ajax("GET", location.pathname + location.search, options);
}

/* A narrow screen shows a few views: the one that is looked at is among them. */
function showView() {
  const view = document.querySelector(".view-tabs [aria-current]");
  if (view) view.parentElement.scrollLeft = view.offsetLeft - view.parentElement.clientWidth / 2;
}

document.addEventListener("htmx:after:swap", ({ detail }) => {
  const asked = detail?.ctx?.target;
  const target = typeof asked === "string" ? document.querySelector(asked) : asked;
  if (target?.id === "lead-list") {
    if (dialog()?.open) dialog().close();
    choose(false);
    // What was done to leads may have been done to the one beside them.
    if (detail.ctx.request.method === "POST" && peek()?.dataset.peek) refresh("lead-peek");
  }
  if (target?.id === "lead-dialog" && dialog().firstElementChild && !dialog().open) {
    dialog().showModal();
  }
  showChoice();
  showHere();
  // What it measures is laid out once, after all that others change too.
  requestAnimationFrame(showView);
});

document.addEventListener("click", (event) => {
  if (!event.target.closest("#lead-dialog [data-close]")) return;
  event.preventDefault();
  dialog().close();
});

/* Sent by the server when something that was done to many leads has come to its end. */
document.addEventListener("bulk-done", () => {
  refresh("lead-list");
  if (peek()?.dataset.peek) refresh("lead-peek");
});

showChoice();
showHere();
showView();
