/* The keyboard of the tab Label: a key presses the button that shows it. What is typed into a field stays there. */
(() => {
  const PRESSES = {
    g: "good", ArrowRight: "good", b: "bad", ArrowLeft: "bad", " ": "skip", u: "undo",
  };
  const FIELDS = "input, textarea, select, [contenteditable], [role=listbox], [role=slider]";
  document.addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || document.hidden) return;
    const deck = document.getElementById("gpr-deck");
    if (!deck || !deck.offsetParent || event.target.closest(FIELDS)) return;
    const press = PRESSES[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    // A space belongs to the button that has the focus, unless that is the tab's own or one of the card.
    if (press === "skip" && event.target.closest("button:not([role=tab]), a, summary") && !deck.contains(event.target)) return;
    const button = press && deck.querySelector(`[data-press="${press}"]`);
    if (!button) return;
    event.preventDefault();
    event.stopPropagation();
    button.click();
  }, true);
})();
