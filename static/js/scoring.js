/* What a link puts into a form is gone on with there: the field that is still empty takes the focus. */
let wanted = null;

document.addEventListener("click", ({ target }) => {
  wanted = target.closest("[data-focus]")?.dataset.focus ?? null;
});

document.addEventListener("htmx:after:swap", () => {
  if (wanted) document.getElementById(wanted)?.focus();
  wanted = null;
});
