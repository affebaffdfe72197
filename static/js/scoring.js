/* Where the focus goes once a part of the page is replaced: to what the pressed button names, or,
   where it would be lost, to the list that was changed. */
let wanted = null;

document.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-focus]");
  wanted = pressed && { pressed, id: pressed.dataset.focus };
  pressed?.focus(); // The Enter key leaves the field that it was pressed in, as the mouse does.
  if (pressed?.dataset.fill && !event.ctrlKey && !event.metaKey && !event.shiftKey) fill(event, pressed);
});

/* What is offered stands in the form at once: nothing typed meanwhile can be overtaken by an answer. */
function fill(event, { dataset }) {
  event.preventDefault();
  document.getElementById(dataset.fill).value = dataset.value;
  document.getElementById(dataset.focus).focus();
  wanted = null;
}

/* Other parts are replaced meanwhile, too: only the answer to what was pressed moves the focus. */
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (wanted && ctx.sourceElement.contains(wanted.pressed)) wanted.ctx = ctx;
});

function placeFocus(ctx) {
  const { activeElement: active, body } = document;
  if (wanted && wanted.ctx === ctx) {
    // Who has gone on to another field stays there.
    if (active === body || active === wanted.pressed) document.getElementById(wanted.id)?.focus();
    wanted = null;
  }
  if (document.activeElement === body) document.getElementById("rulesets")?.focus({ preventScroll: true });
}

/* Once the forms show what the server sent, which spares the field that has the focus. */
document.addEventListener("htmx:after:swap", ({ detail }) => queueMicrotask(() => placeFocus(detail.ctx)));

/* Points that are changed again before the answer to the last change is there are saved after it. */
const pending = new WeakMap();

document.addEventListener("change", ({ target }) => {
  const form = target.closest("form.weight");
  if (form && pending.has(form)) pending.set(form, target.value);
});

document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
  if (ctx.sourceElement.matches("form.weight")) pending.set(ctx.sourceElement, null);
});

document.addEventListener("htmx:finally:request", ({ target: form, detail: { ctx } }) => {
  if (!pending.has(form)) return;
  const again = pending.get(form);
  pending.delete(form);
  if (again === null || again === form.weight.defaultValue || ctx.response?.status !== 200) return;
  form.weight.value = again;
  setTimeout(() => form.requestSubmit()); // once the form is free for another request
});
