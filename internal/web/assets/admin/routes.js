// Addresses of the control room: #/drops/7/ledger is the page "drops" with the parts "7" and "ledger". A question mark
// begins what the page is asked for, as in #/drops?state=live.
import { flush, tell } from "../shared/topics.js";

// parse reads the part of an address that begins with #. An address of before, #/7, is that of a drop.
export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const parts = path.split("/").filter(Boolean).map(decoded);
  if (/^\d+$/.test(parts[0] ?? "")) parts.unshift("drops");
  return { page: parts[0] ?? "", parts: parts.slice(1), query: new URLSearchParams(query) };
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a lone %
  }
}

// href writes an address. What is empty is left out of the query.
export function href(path, query = {}) {
  const asked = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "" && value !== undefined && value !== null)).toString();
  return `#/${path}${asked && `?${asked}`}`;
}

export let route = parse(location.hash);

export const go = (path, query) => (location.hash = href(path, query));

// change puts another query in place of the page's, without a step in the browser's history.
export function change(query) {
  const path = [route.page, ...route.parts].map(encodeURIComponent).join("/");
  history.replaceState(history.state, "", href(path, { ...Object.fromEntries(route.query), ...query }));
  route = parse(location.hash);
  tell("route");
  flush();
}

// placeOf tells pages apart: a drop's views are one place, and so are the pages of a list.
export const placeOf = ({ page, parts }) => [page, parts[0] ?? ""].join("/");

let address = location.hash; // the last one that is a route

function follow() {
  if (location.hash !== "" && !location.hash.startsWith("#/")) { // a place in the page, such as that of the skip link
    const place = document.getElementById(location.hash.slice(1));
    history.replaceState(history.state, "", address || "#/");
    place?.focus();
    return;
  }
  if (/^#\/\d+/.test(location.hash)) history.replaceState(history.state, "", `#/drops/${location.hash.slice(2)}`);
  address = location.hash;
  route = parse(address);
  tell("route");
  flush();
}

addEventListener("hashchange", follow);
follow();
