/* The address follows what is asked, and a link to it can be copied. */
(() => {
  const keep = () => {
    const link = document.querySelector("#gpr-answer [data-link]")?.dataset.link;
    if (link && link !== location.search) history.replaceState(history.state, "", location.pathname + link);
  };
  new MutationObserver(keep).observe(document.documentElement, { childList: true, subtree: true });
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("button[data-link]");
    if (!button) return;
    const address = location.origin + location.pathname + button.dataset.link;
    try { await navigator.clipboard.writeText(address); } catch { prompt("", address); return; }
    const before = button.textContent, said = (window.gprWords ?? {})["Copied"] ?? "Copied";
    button.textContent = said;
    setTimeout(() => { button.textContent = before; }, 1500);
  });
})();
