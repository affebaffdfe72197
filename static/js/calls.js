/* Tells the server where the reader's day ends, and shows the list again if that was not known. */

const ZONE = /(?:^|; )zone=([^;]*)/;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const known = () => document.cookie.match(ZONE)?.[1] ?? "UTC";

if (zone && known() !== zone) {
  document.cookie = `zone=${zone}; path=/app/calls; max-age=31536000; samesite=lax`;
  // Where cookies are not kept, it would be shown again and again.
  if (known() === zone) location.reload();
}

function close(except) {
  for (const open of document.querySelectorAll(".call-log[open]")) if (open !== except) open.open = false;
}

document.addEventListener("click", (event) => close(event.target.closest?.(".call-log")));
document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && document.activeElement?.closest(".call-log[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
});

/* What had the focus is gone with its row: whoever uses a keyboard goes on in the list. */
document.addEventListener("htmx:after:swap", () => {
  if (document.activeElement === document.body) document.getElementById("call-list")?.focus({ preventScroll: true });
});
