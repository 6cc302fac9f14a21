/* The start screen: shown where the server says so or a button asks for it, hidden when something was chosen. */
(() => {
  const dialog = () => document.getElementById("gpr-gallery");
  const show = () => { const found = dialog(); if (found && !found.open) found.showModal(); };
  new MutationObserver(() => {
    const found = dialog();
    if (!found?.hasAttribute("data-open")) return;
    found.removeAttribute("data-open");
    show();
  }).observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-start]")) show();
    const closing = event.target.closest?.("[data-close]");
    if (!closing) return;
    dialog()?.close();
    if (closing.dataset.close === "chosen") document.dispatchEvent(new CustomEvent("gpr-chosen"));
  });
})();
