/* The home page: what the columns of charts say, and news as they happen. Without this the page is
   a list of the latest, with tables under the charts. */

document.documentElement.dataset.scripted = "";

/* Charts ------------------------------------------------------------------ */

function tell(column) {
  const chart = column.closest("[data-chart]");
  const tip = chart.querySelector(".chart-tip");
  const [whole, place] = [chart.getBoundingClientRect(), column.getBoundingClientRect()];
  const middle = place.left + place.width / 2 - whole.left;
  const part = middle / whole.width;
  tip.textContent = column.dataset.tip;
  tip.style.setProperty("--at", `${middle}px`);
  tip.style.setProperty("--shift", part < 0.25 ? "-10%" : part > 0.75 ? "-90%" : "-50%");
  tip.hidden = false;
}

document.addEventListener("pointerover", ({ target }) => {
  const column = target.closest?.(".chart-column");
  if (column) tell(column);
  else for (const tip of document.querySelectorAll(".chart-tip")) tip.hidden = true;
});

/* The live feed ------------------------------------------------------------ */

const QUIET_MS = 1_500;
const AGAIN_MS = [5_000, 15_000, 60_000];

const feed = () => document.getElementById("home-feed");
let source;
let isPaused = false;
let failures = 0;
let asking;
let retrying;

function say(state, text) {
  const section = feed();
  if (!section) return;
  section.dataset.state = state;
  const place = section.querySelector("[data-feed-state]");
  if (place.textContent !== text) place.textContent = text;
}

function showState() {
  const section = feed();
  if (!section) return;
  const button = section.querySelector("[data-feed-pause]");
  button.hidden = false;
  button.textContent = isPaused ? "Resume" : "Pause";
  if (isPaused) say("paused", "Paused");
  else if (source?.readyState === EventSource.OPEN) say("live", "Live");
  else if (source) say("waiting", failures ? "Reconnecting" : "Connecting");
  else say("waiting", failures > 1 ? "Not live: trying again soon" : "Reconnecting");
}

/* Many things may happen at once: the list is asked for once, a little later. */
function askForNews() {
  if (asking || isPaused) return;
  asking = setTimeout(() => {
    asking = undefined;
    const section = feed();
    if (section && !document.hidden) section.dispatchEvent(new CustomEvent("news"));
  }, QUIET_MS);
}

function listen() {
  const section = feed();
  if (!section || source || isPaused || document.hidden) return;
  clearTimeout(retrying);
  source = new EventSource(section.dataset.stream);
  source.addEventListener("open", () => {
    if (failures) askForNews();
    failures = 0;
    showState();
  });
  for (const kind of ["new_event", "score_update", "surge", "gap"]) {
    source.addEventListener(kind, askForNews);
  }
  source.addEventListener("error", () => {
    failures += 1;
    // It tries again by itself, unless it was refused: too many listen, or nobody is signed in.
    if (source?.readyState === EventSource.CLOSED) {
      stop();
      retrying = setTimeout(listen, AGAIN_MS[Math.min(failures, AGAIN_MS.length) - 1]);
    }
    showState();
  });
  showState();
}

function stop() {
  source?.close();
  source = undefined;
}

document.addEventListener("click", ({ target }) => {
  if (!target.closest("[data-feed-pause]")) return;
  isPaused = !isPaused;
  if (isPaused) stop();
  else {
    listen();
    askForNews();
  }
  showState();
});

/* A page that nobody looks at need not be told, and leaves its place to others. */
document.addEventListener("visibilitychange", () => {
  if (document.hidden) stop();
  else if (!isPaused) {
    listen();
    askForNews();
  }
});
addEventListener("pagehide", stop);
addEventListener("pageshow", ({ persisted }) => persisted && listen());

let known = new Set([...document.querySelectorAll(".feed-rows li")].map((row) => row.id));

document.addEventListener("htmx:after:swap", () => {
  for (const row of document.querySelectorAll(".feed-rows li")) {
    row.classList.toggle("is-new", !known.has(row.id));
    known.add(row.id);
  }
  if (known.size > 500) known = new Set([...document.querySelectorAll(".feed-rows li")].map((row) => row.id));
  showState();
});

listen();
