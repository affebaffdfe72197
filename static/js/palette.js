/* Search or go to: a combobox over a list that the server writes, see templates/search/. */

const DELAY = 120;
const KINDS = { leads: "user", accounts: "building", segments: "list-filter", triggers: "zap" };

let dialog, input, body, status, link, asked, timer;
let answered; // the query that the list answers, which may be less than what has been typed

export async function open(from) {
  link = from;
  if (!dialog) await build();
  if (dialog.open) return close();
  document.getElementById("sidebar")?.hidePopover();
  input.value = "";
  dialog.showModal();
  await ask();
}

function close() {
  dialog.close();
}

async function build() {
  await styled(link.dataset.paletteStyles);
  dialog = document.createElement("dialog");
  dialog.className = "palette";
  dialog.setAttribute("aria-label", "Search or go to");
  const sprite = link.querySelector("use").getAttribute("href").split("#")[0];
  dialog.innerHTML = `
    <div class="palette-ask">
      <svg class="icon" aria-hidden="true"><use href="${sprite}#search"></use></svg>
      <input type="text" role="combobox" aria-label="Search or go to" aria-expanded="true" aria-controls="palette-list"
        aria-autocomplete="list" autocomplete="off" spellcheck="false" maxlength="100" placeholder="Search or go to…">
      <button class="button button-quiet button-icon" type="button" aria-label="Close" title="Close (Esc)"><svg class="icon" aria-hidden="true"><use href="${sprite}#x"></use></svg></button>
    </div>
    <div class="palette-body"><div id="palette-list" role="listbox" aria-label="What was found"></div></div>
    <div class="palette-keys" aria-hidden="true"><span><kbd>↑</kbd> <kbd>↓</kbd> choose</span><span><kbd>Enter</kbd> open</span></div>
    <p class="sr-only" role="status"></p>`;
  document.body.append(dialog);
  input = dialog.querySelector("input");
  body = dialog.querySelector(".palette-body");
  status = dialog.querySelector("[role=status]");
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, DELAY);
  });
  dialog.addEventListener("keydown", onKey);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("a[href], .palette-ask button")) close();
  });
  body.addEventListener("pointermove", (event) => choose(event.target.closest("[role=option]"), false));
}

function styled(href) {
  return new Promise((done) => {
    const sheet = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
    sheet.onload = sheet.onerror = done;
    document.head.append(sheet);
  });
}

/* Only the answer to what was asked last is shown. */
async function ask() {
  clearTimeout(timer);
  asked?.abort();
  asked = new AbortController();
  const { signal } = asked;
  const query = input.value.trim();
  const headers = { "HX-Request": "true", "HX-Target": "div#palette-list" };
  try {
    const answer = await fetch(`${link.href}?q=${encodeURIComponent(query)}`, { headers, signal });
    if (answer.status === 401) return location.reload();
    if (!answer.ok) throw new Error(answer.statusText);
    show(await answer.text(), query);
  } catch (error) {
    if (error.name !== "AbortError") say("The server cannot be reached. Try again in a moment.");
  }
}

function say(text) {
  const list = body.querySelector("[role=listbox]");
  list.replaceChildren();
  body.querySelector(".palette-none")?.remove();
  body.append(Object.assign(document.createElement("p"), { className: "palette-none", textContent: text }));
  input.removeAttribute("aria-activedescendant");
  status.textContent = text;
}

function show(html, query) {
  answered = query;
  body.innerHTML = html;
  const list = body.querySelector("[role=listbox]");
  addRecents(list, query);
  const all = options();
  if (!all.length) return say(`Nothing found for “${query}”. Try fewer letters.`);
  status.textContent = `${all.length} found`;
  choose(all[0]);
}

function recents() {
  try {
    return JSON.parse(localStorage.getItem(`recents:${link.dataset.recents}`) ?? "[]");
  } catch {
    return [];
  }
}

function addRecents(list, query) {
  const wanted = query.toLowerCase();
  const shown = recents()
    .filter(({ label, url }) => label.toLowerCase().includes(wanted) && url !== location.pathname)
    .slice(0, 5);
  if (!shown.length) return;
  const sprite = link.querySelector("use").getAttribute("href").split("#")[0];
  const group = document.createElement("div");
  group.setAttribute("role", "group");
  group.setAttribute("aria-labelledby", "palette-recent");
  group.innerHTML = '<p class="palette-label" id="palette-recent" role="presentation">Recent</p>';
  shown.forEach(({ label, url }, number) => {
    for (const same of list.querySelectorAll("a")) if (same.getAttribute("href") === url) same.remove();
    const option = document.createElement("a");
    option.className = "hit";
    option.id = `palette-recent-${number}`;
    option.role = "option";
    option.tabIndex = -1;
    option.href = url;
    option.innerHTML = `<svg class="icon" aria-hidden="true"><use href="${sprite}#${KINDS[url.split("/")[2]] ?? "clock"}"></use></svg><span class="truncate"></span>`;
    option.querySelector("span").textContent = label;
    group.append(option);
  });
  for (const other of list.querySelectorAll("[role=group]")) {
    if (!other.querySelector("[role=option]")) other.remove();
  }
  list.prepend(group);
}

const options = () => [...body.querySelectorAll("[role=option]")];
const chosen = () => body.querySelector("[aria-selected=true]");

function choose(option, scrolls = true) {
  if (!option) return;
  chosen()?.setAttribute("aria-selected", "false");
  option.setAttribute("aria-selected", "true");
  input.setAttribute("aria-activedescendant", option.id);
  if (scrolls) option.scrollIntoView({ block: "nearest" });
}

function onKey(event) {
  if (event.target !== input) return;
  const all = options();
  const at = all.indexOf(chosen());
  const next = {
    ArrowDown: (at + 1) % all.length,
    ArrowUp: (at - 1 + all.length) % all.length,
    PageDown: Math.min(at + 8, all.length - 1),
    PageUp: Math.max(at - 8, 0),
  }[event.key];
  if (event.isComposing) return;
  if (next !== undefined && all.length) {
    event.preventDefault();
    choose(all[next]);
  } else if (event.key === "Enter") {
    event.preventDefault();
    go(event);
  }
}

async function go(event) {
  if (answered !== input.value.trim()) await ask();
  const option = chosen();
  if (!option) return;
  if ((event.ctrlKey || event.metaKey) && option.href) window.open(option.href, "_blank", "noopener");
  else option.click();
}
