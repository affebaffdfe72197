/* Runs before the first paint, so that a chosen theme never flashes the other one, and controls that
   scripts replace never show. */
(() => {
  document.documentElement.dataset.scripted = "";
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden; the system's theme applies.
  }
})();
