// What the theme gets wrong for screen readers, mended once everything stands.
window.addEventListener("load", () => {
  // docutils calls a bibliography a list, but puts things into it that are no list items.
  for (const list of document.querySelectorAll(".citation-list[role=list]")) list.removeAttribute("role");
  for (const entry of document.querySelectorAll("[role=doc-biblioentry]")) entry.removeAttribute("role");
  // the chevron beside "Click to show"
  for (const icon of document.querySelectorAll("svg.tb-icon")) icon.setAttribute("aria-hidden", "true");
});
