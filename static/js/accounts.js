/* Choosing lines of a list: all at once, and how many there are. Without this, ticks and buttons
   work by themselves. */

const boxes = (form) => [...form.querySelectorAll('input[name="ids"]')];

function show(form) {
  const all = boxes(form);
  const chosen = all.filter((box) => box.checked).length;
  const label = form.querySelector("[data-tick-all]");
  if (label) {
    const box = label.querySelector("input");
    label.hidden = false;
    box.checked = chosen > 0 && chosen === all.length;
    box.indeterminate = chosen > 0 && chosen < all.length;
  }
  const count = form.querySelector("[data-bulk-count]");
  if (count) count.textContent = `${chosen} chosen`;
}

function showAll() {
  for (const form of document.querySelectorAll("form[data-bulk]")) show(form);
}

document.addEventListener("change", ({ target }) => {
  const form = target.closest("form[data-bulk]");
  if (!form) return;
  if (target.closest("[data-tick-all]")) {
    for (const box of boxes(form)) box.checked = target.checked;
  }
  show(form);
});

/* A list that was swapped is another one: what was ticked in the old is not meant. */
document.addEventListener("htmx:after:swap", ({ detail }) => {
  const list = document.getElementById("account-list");
  if (detail?.ctx?.target !== list && detail?.ctx?.target?.id !== "account-list") return;
  for (const box of list.querySelectorAll('input[name="ids"]')) box.checked = false;
  const surging = list.querySelector('input[name="surging"]');
  if (surging) surging.checked = surging.defaultChecked;
  showAll();
});

showAll();
