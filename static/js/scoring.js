/* Where the focus goes once a part of the page is replaced: to what the pressed button names, or,
   where it would be lost, to the list that was changed. */
let wanted = null;

document.addEventListener("click", ({ target }) => {
  wanted = target.closest("[data-focus]")?.dataset.focus ?? null;
});

document.addEventListener("htmx:after:swap", () => {
  const chosen = wanted && document.getElementById(wanted);
  if (chosen) chosen.focus();
  else if (document.activeElement === document.body) {
    document.getElementById("rulesets")?.focus({ preventScroll: true });
  }
  wanted = null;
});
