// imageOf is the address of a drop's image, or "" where a browser would load it from elsewhere than it says: the
// server takes no such address, but rows may be older than that rule. Browsers read /\host and /<tab>/host as
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
