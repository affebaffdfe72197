/* Tells the server where the reader's day ends, and shows the list again if that was not known. */

const ZONE = /(?:^|; )zone=([^;]*)/;
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const known = () => decodeURIComponent(document.cookie.match(ZONE)?.[1] ?? "UTC");

if (zone && known() !== zone) {
  document.cookie = `zone=${encodeURIComponent(zone)}; path=/app/calls; max-age=31536000; samesite=lax`;
  // Where cookies are not kept, it would be shown again and again.
  if (known() === zone) location.reload();
}
