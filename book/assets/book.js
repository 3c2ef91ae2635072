// What the theme leaves out for those who use a keyboard or a screen reader, mended once everything stands.

// Whatever scrolls sideways in its own box can be reached with Tab, and only that.
function reachable() {
  for (const box of document.querySelectorAll("div.math mjx-container, span.math, div.highlight pre")) {
    const hidden = box.scrollWidth - box.clientWidth;
    if (hidden > 0 && getComputedStyle(box).overflowX === "auto") box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

window.addEventListener("load", async () => {
  // docutils calls a bibliography a list, but puts things into it that are no list items
  for (const list of document.querySelectorAll(".citation-list[role=list]")) list.removeAttribute("role");
  for (const entry of document.querySelectorAll("[role=doc-biblioentry]")) entry.removeAttribute("role");
  // the chevron beside "Click to show"
  for (const icon of document.querySelectorAll("svg.tb-icon")) icon.setAttribute("aria-hidden", "true");
  await window.MathJax?.startup?.promise;
  reachable();
  window.addEventListener("resize", reachable);
  // what was folded had no size until now
  document.addEventListener("click", (event) => event.target.closest(".toggle") && setTimeout(reachable, 50));
});
