/* The page of one lead: the chart is read step by step, the slider moves the day, and it prints.
   Everything is delegated, since htmx replaces the parts. */

const ISO_DAY = 10;
const DAY_MS = 86_400_000;

/* The chart: what a step says stands in the table beside it already, and is shown below the chart. */

function steps() {
  return [...document.querySelectorAll(".chart-step")].reverse(); // oldest first
}

function point(step) {
  for (const other of document.querySelectorAll(".chart-step.is-current")) other.classList.remove("is-current");
  step.classList.add("is-current");
  const row = document.getElementById(step.dataset.step);
  const readout = document.querySelector("[data-readout]");
  if (!row || !readout || readout.dataset.shown === row.id) return;
  readout.dataset.shown = row.id;
  const [when, score, change, movers] = row.cells;
  const name = document.createElement("b");
  name.textContent = when.textContent;
  const figures = [score, change].map((cell) => {
    const figure = document.createElement("span");
    figure.className = cell.className;
    figure.textContent = cell.textContent;
    return figure;
  });
  readout.replaceChildren(name, ...figures, ...movers.cloneNode(true).childNodes);
}

function move(distance) {
  const all = steps();
  const current = all.findIndex((step) => step.classList.contains("is-current"));
  const from = current === -1 ? (distance < 0 ? all.length : -1) : current;
  const next = all[Math.max(0, Math.min(all.length - 1, from + distance))];
  if (next) point(next);
}

const MOVES = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

document.addEventListener("pointerover", ({ target }) => {
  const step = target.closest?.(".chart-step");
  if (step) point(step);
});

document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("[data-chart]")) return;
  if (event.key in MOVES) {
    event.preventDefault();
    move(MOVES[event.key]);
  } else if (event.key === "Enter") {
    document.querySelector(".chart-step.is-current")?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
  }
});

/* The slider says its day in the date field, which is what the form sends. */

function dayOf(slider) {
  const today = Date.parse(slider.dataset.today);
  return new Date(today + Number(slider.value) * DAY_MS).toISOString().slice(0, ISO_DAY);
}

document.addEventListener("input", ({ target }) => {
  if (!target.matches("#as-of-slider")) return;
  const day = dayOf(target);
  document.getElementById("as-of").value = day;
  target.setAttribute("aria-valuetext", day);
});

document.addEventListener("change", ({ target }) => {
  if (!target.matches("#as-of-slider")) return;
  document.getElementById("as-of").dispatchEvent(new Event("change", { bubbles: true }));
});

/* A note that was sent leaves its field empty; one that is being written survives other swaps. */

document.addEventListener("htmx:after:swap", ({ detail }) => {
  if (!detail?.ctx?.sourceElement?.matches(".note-new")) return;
  const field = document.getElementById("note-text");
  if (field) field.value = field.defaultValue;
});

/* Printing */

document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-print]")) window.print();
});

function showPrint() {
  for (const button of document.querySelectorAll("[data-print]")) button.hidden = false;
}

document.addEventListener("htmx:after:swap", showPrint);
showPrint();

/* Times of a form are typed in the zone of who types them; the server writes UTC, minutes ahead 0. */
function zoneForms() {
  for (const form of document.querySelectorAll("form[data-zoned]")) {
    const zone = form.querySelector('input[name="zone"]');
    if (zone.dataset.isSet) continue;
    zone.dataset.isSet = "true";
    for (const input of form.querySelectorAll('input[type="datetime-local"]')) {
      if (!input.value) continue;
      const at = new Date(`${input.value}Z`).getTime() - 60_000 * Number(zone.value);
      input.value = new Date(at - 60_000 * new Date(at).getTimezoneOffset()).toISOString().slice(0, 16);
    }
    form.addEventListener("submit", () => setZone(form), { capture: true });
    setZone(form);
  }
}

function setZone(form) {
  const typed = form.querySelector('input[type="datetime-local"]')?.value;
  const at = typed ? new Date(typed) : new Date();
  form.querySelector('input[name="zone"]').value = String(-at.getTimezoneOffset());
}

document.addEventListener("htmx:after:swap", zoneForms);
zoneForms();
