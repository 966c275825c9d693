// imageOf is the address of a drop's image, or "" if a browser would load it from another host than it appears to.
// The server refuses such addresses, but rows may be older than that rule. Browsers read /\host and /<tab>/host as
// addresses of another host.
export function imageOf(raw) {
  if (/[\\\t\r\n]/.test(raw)) return "";
  try {
    const url = new URL(raw, location.origin);
    if (/^https?:\/\//i.test(raw)) return url.username || url.password ? "" : raw;
    return raw.startsWith("/") && url.origin === location.origin ? raw : "";
  } catch {
    return "";
  }
}
