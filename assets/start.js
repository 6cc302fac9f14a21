/* The start screen: shown above the tabs where the server says so or a button asks for it, hidden when something was
   chosen or asked. The page below it can be used meanwhile. */
(() => {
  const dialog = () => document.getElementById("gpr-gallery");
  const show = () => { const found = dialog(); if (found && !found.open) found.show(); };
  new MutationObserver(() => {
    const found = dialog();
    if (!found?.hasAttribute("data-open")) return;
    found.removeAttribute("data-open");
    show();
  }).observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener("keydown", (event) => {
    const asked = event.key === "Enter" && event.target.matches?.("textarea");
    const left = event.key === "Escape" && dialog()?.contains(event.target);
    if (asked || left) dialog()?.close();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-start]")) {
      show();
      dialog()?.scrollIntoView({ block: "nearest" });
    }
    const closing = event.target.closest?.("[data-close]");
    if (!closing) return;
    dialog()?.close();
    if (closing.dataset.close === "chosen") document.dispatchEvent(new CustomEvent("gpr-chosen"));
  });
})();
