/* Small conveniences over pages that work without them. Everything is delegated from the document,
   so that elements swapped in by htmx need no wiring. */

const csrfToken = () => document.querySelector('meta[name="csrf-token"]').content;

/* Times: the server writes absolute UTC; here it becomes relative. */

const UNITS = [
  ["y", 31_536_000],
  ["mo", 2_592_000],
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
];
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

function relative(then, now) {
  const seconds = Math.round((now - then) / 1000);
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? [];
  // Clocks differ by seconds: what has just happened must not lie ahead.
  if (!unit) return seconds < -5 ? "in a moment" : "just now";
  const count = Math.floor(Math.abs(seconds) / size);
  return seconds < 0 ? `in ${count} ${unit}` : `${count} ${unit} ago`;
}

function showTimes() {
  const now = Date.now();
  for (const element of document.querySelectorAll("time[datetime]")) {
    if ("fixed" in element.dataset) continue;
    const text = relative(new Date(element.dateTime), now);
    if (element.textContent !== text) element.textContent = text;
  }
}

/* The exact moment is asked for by few, and takes longer to write than all the rest. */
document.addEventListener("pointerover", ({ target }) => {
  const time = target.closest?.("time[datetime]:not([title])");
  if (time) time.title = exact.format(new Date(time.dateTime));
});

/* Theme */

function chosenTheme() {
  return document.documentElement.dataset.theme ?? "";
}

function showTheme() {
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === chosenTheme()));
  }
}

function chooseTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // Without storage the choice lasts for this page only.
  }
  showTheme();
}

/* Toasts */

const LASTS = { bad: 8000, undo: 10_000 };

function toast(text, tone = "ok", undo = null) {
  const element = document.createElement("div");
  element.className = `toast toast-${tone}`;
  element.append(Object.assign(document.createElement("span"), { textContent: text }));
  if (undo) element.append(undoForm(undo));
  document.getElementById("toasts").append(element);
  vanish(element, LASTS[undo ? "undo" : tone] ?? 4000);
}

/* It waits for who reads it: under the pointer, and while something in it has the focus. */
function vanish(element, after) {
  setTimeout(() => {
    if (element.matches(":hover, :focus-within")) vanish(element, 1000);
    else element.remove();
  }, after);
}

function undoForm({ url, fields, label }) {
  const form = Object.assign(document.createElement("form"), { method: "post", action: url, className: "undo" });
  for (const [name, value] of Object.entries({ ...fields, csrf_token: csrfToken() })) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  form.append(Object.assign(document.createElement("button"), { textContent: label }));
  return form;
}

async function copy(button) {
  const source = document.querySelector(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(source.textContent.trim());
    toast("Copied");
  } catch {
    getSelection().selectAllChildren(source);
    toast("Copying is not allowed here: press Ctrl+C", "bad");
  }
}

/* An event that is on the page already is shown without loading it again. */

function jump(event, link) {
  const target = document.getElementById(link.dataset.jump);
  if (!target) return;
  event.preventDefault();
  for (const old of document.querySelectorAll(".event-linked")) old.classList.remove("event-linked");
  target.classList.add("event-linked");
  target.scrollIntoView({ block: "center", behavior: "smooth" });
}

/* After a swap, controls that the server changed (a removed filter) show the new state; the one
   being typed in keeps what was typed meanwhile. Forms outside what was swapped stay as they are. */

function syncControls(target) {
  for (const form of document.querySelectorAll("form[data-synced]")) {
    if (target && !target.contains(form)) continue;
    for (const control of form.elements) {
      if (control === document.activeElement && control.matches("input")) continue;
      if (control.matches("select")) {
        for (const option of control.options) option.selected = option.defaultSelected;
      } else if (control.matches("input")) {
        control.value = control.defaultValue;
      }
    }
  }
}

/* Search or go to. What it is made of is loaded when it is first wanted; until then, and when that
   fails, its button is a link to a page that does the same. */

let palette;

async function openPalette(link) {
  try {
    // Once it is there it opens at once: the next key is meant for it.
    palette ??= await import(link.dataset.palette);
    await palette.open(link);
  } catch {
    location.assign(link.href);
  }
}

document.addEventListener("click", (event) => {
  const { target } = event;
  const opener = target.closest("[data-palette]");
  if (opener && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    openPalette(opener);
  }
  const theme = target.closest("[data-theme-choice]");
  if (theme) chooseTheme(theme.dataset.themeChoice);
  const copyButton = target.closest("[data-copy]");
  if (copyButton) copy(copyButton);
  const link = target.closest("a[data-jump]");
  if (link) jump(event, link);
  // A menu closes as it opens a dialog, which gives the focus back to what opened the menu.
  const asks = document.getElementById(target.closest("[popovertarget]")?.getAttribute("popovertarget"));
  for (const open of document.querySelectorAll("details.drop[open]")) {
    if (!open.contains(target)) open.open = false;
    else if (asks && !open.contains(asks)) {
      open.open = false;
      open.querySelector("summary").focus();
    }
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    for (const open of document.querySelectorAll("details.drop[open]")) {
      open.open = false;
      open.querySelector("summary").focus();
    }
  }
  const opener = document.querySelector("[data-palette]");
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && opener) {
    event.preventDefault();
    openPalette(opener);
    return;
  }
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.ctrlKey || event.metaKey || event.altKey || typing) return;
  const field = document.querySelector(`[data-shortcut="${CSS.escape(event.key)}"]`);
  if (field) {
    event.preventDefault();
    field.focus();
    field.select();
  }
});

/* What takes long is sent once, however often it is pressed. */
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-once]")) return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "true";
  event.target.querySelector("button:not([type=button])").setAttribute("aria-disabled", "true");
});

/* htmx */

document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  ctx.request.headers["X-CSRFToken"] = csrfToken();
  if (ctx.sourceElement.matches("[data-drop-empty]")) {
    for (const [name, value] of [...ctx.request.body]) {
      if (value === "") ctx.request.body.delete(name);
    }
  }
});

document.addEventListener("htmx:after:swap", ({ detail }) => {
  showTimes();
  showTheme();
  const target = detail?.ctx?.target; // a selector when the server has chosen another one
  syncControls(typeof target === "string" ? document.querySelector(target) : target);
});

let isLeaving = false;

/* Several requests may learn at once that the session has ended: the page is reloaded once. */
function leave() {
  if (!isLeaving) location.reload();
  isLeaving = true;
}

document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
  const { status } = ctx.response;
  if (status === 401) leave();
  else if (ctx.response.raw?.headers.has("HX-Trigger")) return; // it says itself what is wrong
  else if (status === 403) toast("Your role does not allow this.", "bad");
  else if (status === 404) toast("This is gone. Reload the page.", "bad");
  else if (status === 429) toast("Too many requests. Wait a moment and try again.", "bad");
  else if (status >= 500) toast("The server could not do this. Try again.", "bad");
});

document.addEventListener("htmx:error", () => {
  toast("The server cannot be reached. Check the connection and try again.", "bad");
});

/* Sent by the server as the header HX-Trigger: {"toast": {"text": "Saved", "tone": "ok"}} */
document.addEventListener("toast", ({ detail }) => toast(detail.text, detail.tone, detail.undo));

/* What was opened last, for the palette to offer first; signing out forgets it. */
const PLACES = /^\/app\/(leads|accounts|segments|triggers)\/(?!new$|export$|history$|bulk|merge)/;

function noteVisit(link) {
  const { pathname } = location;
  if (!link || !PLACES.test(pathname) || document.querySelector(".error")) return;
  const key = `recents:${link.dataset.recents}`;
  try {
    const others = JSON.parse(localStorage.getItem(key) ?? "[]").filter(({ url }) => url !== pathname);
    const label = document.title.replace(/ · Leadvibe$/, "");
    localStorage.setItem(key, JSON.stringify([{ label, url: pathname }, ...others].slice(0, 8)));
  } catch {
    // Without storage nothing is offered.
  }
}

document.getElementById("sign-out")?.addEventListener("submit", () => {
  for (const key of Object.keys(localStorage)) if (key.startsWith("recents:")) localStorage.removeItem(key);
});

if (/Mac|iP/.test(navigator.platform)) {
  for (const keys of document.querySelectorAll("[data-palette] kbd")) keys.textContent = "⌘ K";
}
noteVisit(document.querySelector("[data-palette]"));
showTimes();
showTheme();
setInterval(showTimes, 30_000);
