/* Cuts between levels that can be dragged, and who falls into each while they are. The numbers in
   the form are the truth: dragging types into them, and what is typed moves the handles. */

const separated = new Intl.NumberFormat("en-US");

function read(form) {
  const lines = [...form.querySelectorAll("[data-level]")].map((row) => {
    const start = row.querySelector("[name$='-start']");
    return {
      row,
      start,
      from: /^[+-]?\d{1,10}$/.test(start?.value.trim() ?? "") ? Number(start.value) : null,
      color: row.querySelector("[name$='-color']")?.value,
      name: row.querySelector("[name$='-name']")?.value || "a level without a name",
    };
  });
  const levels = lines.filter((line) => line.from !== null).sort((a, b) => a.from - b.from);
  levels.forEach((level, place) => {
    level.end = place + 1 < levels.length ? levels[place + 1].from : Infinity;
  });
  return levels;
}

function count(form, chart, levels) {
  const scores = JSON.parse(chart.dataset.scores);
  const total = scores.reduce((sum, [, people]) => sum + people, 0);
  for (const { row, from, end } of levels) {
    const people = scores.reduce(
      (sum, [score, many]) => (score >= from && score < end ? sum + many : sum), 0);
    row.querySelector("[data-count]").textContent = separated.format(people);
    row.querySelector("[data-share]").textContent =
      `${total ? Math.round((100 * people) / total) : 0} %`;
    row.querySelector("[data-scores-of]").textContent =
      end === Infinity ? `${from} and more` : `${from} to ${end - 1}`;
  }
  for (const bar of chart.querySelectorAll("rect")) {
    const start = Number(bar.dataset.start);
    const level = levels.find(({ from, end }) => start >= from && start < end);
    bar.setAttribute("fill", level?.color ?? "#94a3b8");
  }
}

function place(chart, levels) {
  const lowest = Number(chart.dataset.lowest);
  const end = Number(chart.dataset.end);
  const cuts = levels.slice(1);
  const handles = chart.querySelector(".level-handles");
  while (handles.children.length > cuts.length) handles.lastElementChild.remove();
  while (handles.children.length < cuts.length) {
    const handle = document.createElement("div");
    handle.className = "level-handle";
    handle.tabIndex = 0;
    handle.setAttribute("role", "slider");
    handles.append(handle);
  }
  cuts.forEach((cut, index) => {
    const handle = handles.children[index];
    const at = Math.min(1, Math.max(0, (cut.from - lowest) / (end - lowest)));
    handle.style.setProperty("--at", `${at * 100}%`);
    handle.dataset.index = index + 1;
    handle.setAttribute("aria-label", `Where ${cut.name} begins`);
    handle.setAttribute("aria-valuemin", levels[index].from + 1);
    handle.setAttribute("aria-valuemax", cut.end === Infinity ? end : cut.end - 1);
    handle.setAttribute("aria-valuenow", cut.from);
  });
  chart.classList.add("is-live");
}

function show() {
  const form = document.getElementById("levels");
  const chart = document.getElementById("level-chart");
  if (!form || !chart?.querySelector(".level-handles")) return;
  const levels = read(form);
  count(form, chart, levels);
  place(chart, levels);
}

/* Types a score into the level that a handle begins, between its neighbours. */
function move(handle, score) {
  const least = Number(handle.getAttribute("aria-valuemin"));
  const most = Number(handle.getAttribute("aria-valuemax"));
  const { start } = read(document.getElementById("levels"))[Number(handle.dataset.index)];
  const value = String(Math.min(most, Math.max(least, Math.round(score))));
  if (start.value === value) return;
  start.value = value;
  start.dispatchEvent(new Event("input", { bubbles: true }));
}

const STEPS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };

document.addEventListener("keydown", (event) => {
  const handle = event.target.closest?.(".level-handle");
  if (!handle) return;
  const now = Number(handle.getAttribute("aria-valuenow"));
  if (event.key in STEPS) move(handle, now + STEPS[event.key]);
  else if (event.key === "Home") move(handle, -Infinity);
  else if (event.key === "End") move(handle, Infinity);
  else return;
  event.preventDefault();
});

document.addEventListener("pointerdown", (event) => {
  const handle = event.target.closest?.(".level-handle");
  if (!handle || event.button !== 0) return;
  const chart = handle.closest(".level-chart");
  const drag = ({ clientX }) => {
    const box = chart.getBoundingClientRect();
    const lowest = Number(chart.dataset.lowest);
    const span = Number(chart.dataset.end) - lowest;
    move(handle, lowest + ((clientX - box.left) / box.width) * span);
  };
  handle.setPointerCapture(event.pointerId);
  handle.addEventListener("pointermove", drag);
  handle.addEventListener("lostpointercapture", () => {
    handle.removeEventListener("pointermove", drag);
  }, { once: true });
  handle.focus();
  event.preventDefault();
});

document.addEventListener("input", (event) => {
  if (event.target.closest?.("#levels")) show();
});
document.addEventListener("htmx:after:swap", show);
show();
