/* The events page: drag over the bars to narrow the time, walk through events, choose some. */

const panel = () => document.getElementById("event-panel");

/* Brush ------------------------------------------------------------------- */

const WIDTH = 1000;
let brush = null;
let isDragged = false;

const barsOf = (svg) => [...svg.querySelectorAll("a[data-first]")];

function placeAt(svg, clientX) {
  const box = svg.getBoundingClientRect();
  const count = barsOf(svg).length;
  const place = Math.floor(((clientX - box.left) / box.width) * count);
  return Math.max(0, Math.min(count - 1, place));
}

function showBrush(svg, from, to) {
  const width = WIDTH / barsOf(svg).length;
  const rect = svg.querySelector(".brush");
  const [low, high] = from < to ? [from, to] : [to, from];
  rect.setAttribute("x", low * width);
  rect.setAttribute("width", (high - low + 1) * width);
}

function hideBrush(svg) {
  svg.querySelector(".brush").setAttribute("width", 0);
}

function narrow(svg, from, to) {
  const bars = barsOf(svg);
  const [low, high] = from < to ? [from, to] : [to, from];
  const form = document.getElementById("event-filters");
  const { first } = bars[low].dataset;
  const ends = { from: first, to: bars[high].dataset.last };
  for (const [name, value] of Object.entries(ends)) {
    form.elements[name].type = first.includes("T") ? "datetime-local" : "date";
    form.elements[name].value = value;
  }
  form.elements.range.value = "";
  form.requestSubmit();
}

document.addEventListener("pointerdown", (event) => {
  const svg = event.target.closest("svg[data-brush]");
  isDragged = false;
  if (!svg || event.button !== 0) return;
  brush = { svg, from: placeAt(svg, event.clientX), to: null };
});

document.addEventListener("pointermove", (event) => {
  if (!brush) return;
  const place = placeAt(brush.svg, event.clientX);
  if (place === brush.from && brush.to === null) return;
  brush.to = place;
  isDragged = true;
  showBrush(brush.svg, brush.from, place);
});

document.addEventListener("pointerup", () => {
  if (!brush) return;
  const { svg, from, to } = brush;
  brush = null;
  if (to !== null) narrow(svg, from, to);
});

document.addEventListener("pointercancel", () => {
  if (brush) hideBrush(brush.svg);
  brush = null;
});

document.addEventListener("dragstart", (event) => {
  if (event.target.closest("svg[data-brush]")) event.preventDefault();
});

/* Arrow keys walk along the bars, with Shift they choose several, and Enter narrows to them. */

let anchor = null;

function walk(event, svg) {
  const bars = barsOf(svg);
  const here = bars.indexOf(event.target.closest("a"));
  const steps = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: bars.length - 1 };
  if (event.key in steps) {
    event.preventDefault();
    const there = Math.max(0, Math.min(bars.length - 1, steps[event.key]));
    anchor = event.shiftKey ? (anchor ?? here) : null;
    if (anchor === null) hideBrush(svg);
    else showBrush(svg, anchor, there);
    bars[here].tabIndex = -1;
    bars[there].tabIndex = 0;
    bars[there].focus();
  } else if (event.key === "Enter" && anchor !== null) {
    event.preventDefault();
    narrow(svg, anchor, here);
    anchor = null;
  } else if (event.key === "Escape" && anchor !== null) {
    hideBrush(svg);
    anchor = null;
  }
}

/* One stop for the Tab key, not sixty. */
function wireBars() {
  for (const svg of document.querySelectorAll("svg[data-brush]")) {
    barsOf(svg).forEach((bar, place, all) => {
      bar.setAttribute("tabindex", place === all.length - 1 ? "0" : "-1");
    });
    hideBrush(svg);
  }
}

/* Choosing events --------------------------------------------------------- */

const boxes = () => [...document.querySelectorAll("#event-selection input[name=id]")];

function showChosen() {
  const all = boxes();
  const chosen = all.filter((box) => box.checked).length;
  const button = document.querySelector("[data-needs-checked]");
  const everyone = document.querySelector("[data-check-all]");
  if (!button || !everyone) return;
  button.disabled = chosen === 0;
  button.querySelector("span").textContent = chosen ? `Delete ${chosen}…` : "Delete…";
  everyone.checked = chosen > 0 && chosen === all.length;
  everyone.indeterminate = chosen > 0 && chosen < all.length;
}

let lastBox = null;

document.addEventListener("click", (event) => {
  if (isDragged && event.target.closest("svg[data-brush]")) {
    event.preventDefault();
    isDragged = false;
    return;
  }
  const box = event.target.closest("#event-selection input[name=id]");
  if (!box) return;
  const all = boxes();
  if (event.shiftKey && all.includes(lastBox)) {
    const [low, high] = [all.indexOf(lastBox), all.indexOf(box)].sort((a, b) => a - b);
    for (const between of all.slice(low, high + 1)) between.checked = box.checked;
  }
  lastBox = box;
  showChosen();
});

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-check-all]")) {
    for (const box of boxes()) box.checked = target.checked;
  }
  if (target.closest("#event-selection")) showChosen();
});

/* The panel --------------------------------------------------------------- */

const openId = () => new URL(location.href).searchParams.get("event");

function markOpen() {
  for (const row of document.querySelectorAll("tr[data-event]")) {
    row.classList.toggle("is-open", row.dataset.event === openId());
  }
}

function neighbour(step) {
  const links = [...document.querySelectorAll(".event-link")];
  const open = links.findIndex((link) => link.closest("tr").dataset.event === openId());
  return links[open === -1 ? 0 : open + step];
}

document.addEventListener("keydown", (event) => {
  const svg = event.target.closest("svg[data-brush]");
  if (svg) walk(event, svg);
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, details[open].drop")) return;
  if (event.key === "Escape" && !svg) panel()?.querySelector("[data-close]")?.click();
  if (event.key === "j") neighbour(1)?.click();
  if (event.key === "k") neighbour(-1)?.click();
});

let wasOpen = null;

/* Focus goes into a panel that opens, and back to its row when it closes. */
function followPanel(target) {
  const title = document.getElementById("panel-title");
  if (title) {
    wasOpen = openId();
    title.focus({ preventScroll: true });
    if (panel()) panel().scrollTop = 0;
  } else if (wasOpen && target?.id === "event-panel") {
    document.querySelector(`tr[data-event="${CSS.escape(wasOpen)}"] .event-link`)?.focus();
    wasOpen = null;
  }
}

/* Checkboxes that the server changed (a removed filter) show the new state. */
function syncChecks() {
  for (const box of document.querySelectorAll("#event-filters input[type=checkbox]")) {
    box.checked = box.defaultChecked;
  }
}

document.addEventListener("htmx:after:swap", ({ detail }) => {
  const target = detail?.ctx?.target;
  const isPanel = target?.id === "event-panel";
  if (isPanel || target?.id === "event-list") followPanel(target);
  if (!isPanel) {
    syncChecks();
    for (const box of boxes()) box.checked = false;
    wireBars();
  }
  markOpen();
  showChosen();
});

document.addEventListener("htmx:after:history:update", markOpen);

wireBars();
showChosen();
