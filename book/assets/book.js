// What the theme gets wrong for screen readers, mended when the page has loaded.
document.addEventListener("DOMContentLoaded", () => {
  // docutils calls a bibliography a list, but puts things into it that are no list items.
  for (const list of document.querySelectorAll(".citation-list[role=list]")) list.removeAttribute("role");
  for (const entry of document.querySelectorAll("[role=doc-biblioentry]")) entry.removeAttribute("role");
});
