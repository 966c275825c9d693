// What the server wrote into the page of one drop, made safe: its pictures and its texts, in <section id="about">.
import { imageOf } from "../shared/image.js";

// onlyDrop is the drop that the page is about, or 0 for the list.
export const onlyDrop = Number(document.documentElement.dataset.drop) || 0;

export const about = document.getElementById("about");

// sizeGuide is the part of the texts that is about sizes, which opens and closes.
export const sizeGuide = about?.querySelector('[data-text="page.size_guide"]');

// picturesOf are a drop's pictures: those of its page, or the one of its card.
export function picturesOf(drop) {
  const written = [...(about?.querySelectorAll(".images img") ?? [])].map((i) => ({ url: i.getAttribute("src"), alt: i.alt }));
  const all = written.length > 0 ? written : [{ url: drop.image_url || "", alt: "" }];
  return all.map(({ url, alt }) => ({ url: imageOf(url), alt }));
}
