// Wide equations scroll in their own line, from the keyboard too.
function reachable() {
  for (const line of document.querySelectorAll("div.math mjx-container")) {
    if (line.scrollWidth > line.clientWidth) line.tabIndex = 0;
    else line.removeAttribute("tabindex");
  }
}

// What the theme gets wrong for screen readers, mended once everything stands.
window.addEventListener("load", async () => {
  // docutils calls a bibliography a list, but puts things into it that are no list items.
  for (const list of document.querySelectorAll(".citation-list[role=list]")) list.removeAttribute("role");
  for (const entry of document.querySelectorAll("[role=doc-biblioentry]")) entry.removeAttribute("role");
  // the chevron beside "Click to show"
  for (const icon of document.querySelectorAll("svg.tb-icon")) icon.setAttribute("aria-hidden", "true");
  await window.MathJax?.startup?.promise;
  reachable();
  window.addEventListener("resize", reachable);
});
