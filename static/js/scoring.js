/* Where the focus goes once a part of the page is replaced: to what the pressed button names, or,
   where it would be lost, to the list that was changed. */
let wanted = null;

document.addEventListener("click", ({ target }) => {
  const pressed = target.closest("[data-focus]");
  wanted = pressed?.dataset.focus ?? null;
  pressed?.focus(); // The Enter key leaves the field that it was pressed in, as the mouse does.
});

function placeFocus() {
  const chosen = wanted && document.getElementById(wanted);
  if (chosen) chosen.focus();
  else if (document.activeElement === document.body) {
    document.getElementById("rulesets")?.focus({ preventScroll: true });
  }
  wanted = null;
}

/* Once the forms show what the server sent, which spares the field that has the focus. */
document.addEventListener("htmx:after:swap", () => queueMicrotask(placeFocus));
