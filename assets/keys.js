/* The keyboard of the tab Label: a key presses the button that shows it. What is typed into a field stays there.
   Which key does what can be changed (?), and the browser remembers it. */
(() => {
  const DEFAULTS = {
    good: ["g", "ArrowRight"], bad: ["b", "ArrowLeft"], skip: [" "], undo: ["u"], redo: ["y"], flag: ["f"], note: ["n"],
    details: ["d"], all: ["a"], rest: ["r"], up: ["ArrowUp"], down: ["ArrowDown"], guidelines: ["i"], summary: ["s"],
    help: ["?"],
  };
  const WORDS = {
    good: "Good; right is better", bad: "Bad; left is better", skip: "Skip; no difference", undo: "Undo", redo: "Redo",
    flag: "Flag, to look at it again", note: "Write a note", details: "Show all details", all: "All good (list)",
    rest: "Rest bad (list)", up: "Up (list)", down: "Down (list)", guidelines: "Guidelines",
    summary: "Summary of this sitting", help: "These keys",
  };
  const NAMES = { " ": "Space", ArrowRight: "→", ArrowLeft: "←", ArrowUp: "↑", ArrowDown: "↓" };
  const FIELDS = "input:not([type=radio]), textarea, select, [contenteditable], [role=listbox], [role=slider], [role=combobox], dialog";
  const STORED = "gpr-keys";
  const SWIPE = 70; // pixels

  const stored = () => { try { return JSON.parse(localStorage.getItem(STORED)) || {}; } catch { return {}; } };
  let own = stored();
  const keysOf = (action) => own[action] || DEFAULTS[action];
  const named = (key) => NAMES[key] || (key.length === 1 ? key.toUpperCase() : key);
  const plain = (event) => (event.key.length === 1 ? event.key.toLowerCase() : event.key);
  const deck = () => { const found = document.getElementById("gpr-deck"); return found?.offsetParent ? found : null; };

  function actionOf(event) {
    const key = plain(event);
    if (event.ctrlKey || event.metaKey) {
      if (event.altKey) return null;
      if (key === "z") return event.shiftKey ? "redo" : "undo";
      return key === "y" && !event.shiftKey ? "redo" : null;
    }
    if (event.altKey) return null;
    return Object.keys(DEFAULTS).find((action) => keysOf(action).includes(key));
  }

  const LOCAL = {
    flag(turn, button) {
      turn.dataset.flag = String(turn.dataset.flag !== "true");
      button.setAttribute("aria-pressed", turn.dataset.flag);
      keepCard();
    },
    note(turn) {
      const field = turn.querySelector("[data-field=note]");
      field.hidden = false;
      keepCard();
      field.focus();
    },
    details(turn) {
      const open = turn.classList.toggle("gpr-open");
      for (const part of turn.querySelectorAll("details")) part.open = open;
    },
    guidelines() {
      const panel = document.getElementById("gpr-guidelines");
      panel.querySelector("button").click();
      panel.scrollIntoView({ block: "nearest" });
    },
    summary() {
      const panel = document.querySelector("#gpr-label-progress details");
      if (panel) panel.open = !panel.open;
    },
    help: () => help(),
  };

  function move(step) {
    const rows = [...deck().querySelectorAll(".gpr-row")];
    if (!rows.length) return false;
    const at = rows.findIndex((row) => row.classList.contains("gpr-focus"));
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
    rows[at]?.classList.remove("gpr-focus");
    next.classList.add("gpr-focus");
    next.scrollIntoView({ block: "nearest" });
    return true;
  }

  function act(action, event) {
    if (action === "up" || action === "down") return move(action === "up" ? -1 : 1);
    if (action === "summary") { LOCAL.summary(); return true; }
    const found = deck();
    const button = found.querySelector(`.gpr-focus [data-key="${action}"]`) || found.querySelector(`[data-key="${action}"]`);
    // A space belongs to the button that has the focus, unless that is the tab's own or one of the card.
    if (event.key === " " && event.target.closest("button:not([role=tab]), a, summary") && !found.contains(event.target)) return false;
    button?.click();
    return Boolean(button);
  }

  document.addEventListener("keydown", (event) => {
    const note = event.target.closest?.("[data-field=note]");
    if (note && (event.key === "Escape" || (event.key === "Enter" && !event.shiftKey))) {
      event.preventDefault();
      if (kept) kept.writing = false;
      note.blur();
      return;
    }
    if (event.key === "Enter" && event.target.closest?.("#gpr-annotator")) {
      event.target.blur(); // which tells the server, and gives the keys to the cards
      return;
    }
    if (event.target.type === "radio" && (event.key.startsWith("Arrow") || event.key === " ")) return;
    if (event.repeat || document.hidden || !deck() || event.target.closest?.(FIELDS)) return;
    if (document.querySelector("dialog[open]")) return;
    const reason = /^[1-9]$/.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey
      && deck().querySelectorAll("[data-press=reason]")[Number(event.key) - 1];
    const action = actionOf(event);
    const done = reason ? (reason.click(), true) : action && act(action, event);
    if (!done) return;
    event.preventDefault();
    event.stopPropagation();
  }, true);

  document.addEventListener("click", (event) => {
    if (event.target.type === "radio" && event.detail) event.target.blur(); // chosen by hand: the arrows are for the cards
    const button = event.target.closest?.("[data-local]");
    if (!button) return;
    LOCAL[button.dataset.local]?.(button.closest("[data-turn]"), button);
  });

  // A swipe on a phone.
  let from = null;
  document.addEventListener("touchstart", (event) => {
    const card = event.touches.length === 1 && event.target.closest?.("#gpr-deck [data-swipe]");
    from = card && !event.target.closest("textarea, button") ? { x: event.touches[0].clientX, y: event.touches[0].clientY, card } : null;
  }, { passive: true });
  document.addEventListener("touchmove", (event) => {
    if (!from) return;
    const x = event.touches[0].clientX - from.x, y = event.touches[0].clientY - from.y;
    from.card.style.transform = Math.abs(x) > Math.abs(y) ? `translateX(${x}px) rotate(${x / 40}deg)` : "";
  }, { passive: true });
  document.addEventListener("touchend", (event) => {
    if (!from) return;
    const x = event.changedTouches[0].clientX - from.x, y = event.changedTouches[0].clientY - from.y;
    const card = from.card;
    from = null;
    card.style.transform = "";
    if (Math.abs(x) > SWIPE && Math.abs(x) > 2 * Math.abs(y)) card.querySelector(`[data-key=${x > 0 ? "good" : "bad"}]`).click();
  });

  // The keys on the buttons, and the field that is asked for.
  function mark() {
    for (const mark of document.querySelectorAll("kbd[data-of]")) {
      const text = named(keysOf(mark.dataset.of)[0]);
      if (mark.textContent !== text) mark.textContent = text;
    }
  }

  // What was done to the card and the server does not know yet. The page changes a card in place (gradio 6.31): what was
  // typed would stay for the next card, and a card that comes again would close the note that is being written.
  let kept = null;
  function keepCard() {
    const turn = document.querySelector("#gpr-deck [data-turn]"), note = turn?.querySelector("[data-field=note]");
    if (!note) return;
    const button = turn.querySelector("[data-local=flag]");
    kept = {
      turn: turn.dataset.turn, flag: turn.dataset.flag, button: button?.getAttribute("aria-pressed"), hidden: note.hidden,
      writing: note === document.activeElement,
    };
  }
  function settle() {
    const turn = document.querySelector("#gpr-deck [data-turn]"), note = turn?.querySelector("[data-field=note]");
    if (!note) return;
    if (turn.dataset.turn !== kept?.turn) {
      note.value = note.defaultValue;
      keepCard();
      return;
    }
    if (note.hidden !== kept.hidden) note.hidden = kept.hidden;
    if (kept.writing && document.activeElement === document.body) note.focus();
    if (turn.dataset.flag === kept.flag) return;
    turn.dataset.flag = kept.flag;
    turn.querySelector("[data-local=flag]")?.setAttribute("aria-pressed", kept.button);
  }

  const isNote = (event) => Boolean(event.target.closest?.("[data-field=note]"));
  for (const kind of ["focusin", "pointerdown"]) {
    document.addEventListener(kind, (event) => { if (kept) kept.writing = isNote(event); }, true);
  }
  document.addEventListener("focusout", (event) => { if (isNote(event)) setTimeout(settle); }, true);

  new MutationObserver((changes) => {
    settle();
    if (Object.keys(own).length) mark();
    if (!changes.some((change) => change.addedNodes.length)) return;
    const ask = deck()?.querySelector("[data-focus]");
    if (ask) {
      document.querySelector(ask.dataset.focus)?.focus();
      delete ask.dataset.focus;
    }
  }).observe(document.documentElement, {
    childList: true, characterData: true, subtree: true, attributes: true, attributeFilter: ["data-turn", "data-flag", "hidden"],
  });

  function help() {
    document.getElementById("gpr-help")?.remove();
    const dialog = document.createElement("dialog");
    dialog.id = "gpr-help";
    dialog.setAttribute("aria-label", "Keys");
    const rows = Object.keys(DEFAULTS).map((action) => `<li><span>${WORDS[action]}</span>
      <span>${keysOf(action).map((key) => `<kbd>${named(key).replace(/[&<]/g, "?")}</kbd>`).join(" ")}
      <button type="button" class="gpr-button gpr-small" data-change="${action}" aria-label="Change the key: ${WORDS[action]}">Change</button></span></li>`);
    dialog.innerHTML = `<h2>Keys</h2><p class="gpr-muted">1 to 9 give a reason after 'bad'. Ctrl+Z and Ctrl+Y work as well. On a phone, swipe right for good, left for bad.</p>
      <ul>${rows.join("")}</ul><p class="gpr-tools"><button type="button" class="gpr-button gpr-small" data-reset>Reset all</button>
      <button type="button" class="gpr-button gpr-small" data-close autofocus>Close</button></p>`;
    (document.querySelector(".gradio-container") || document.body).append(dialog);
    dialog.addEventListener("click", (event) => {
      const change = event.target.closest("[data-change]");
      if (change) change.textContent = "Press a key", (dialog.dataset.waits = change.dataset.change);
      if (event.target.closest("[data-reset]")) keep({}), help();
      if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
    });
    dialog.addEventListener("keydown", (event) => {
      const waits = dialog.dataset.waits;
      if (!waits || ["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      if (event.key === "Escape" || /^[1-9]$/.test(event.key)) { help(); return; }
      const key = plain(event), changed = {};
      for (const action of Object.keys(DEFAULTS)) {
        const keys = action === waits ? [key] : keysOf(action).filter((other) => other !== key);
        changed[action] = keys.length ? keys : keysOf(waits); // the two change places, so that none is without a key
      }
      keep(changed);
      help();
    }, true);
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
  }

  function keep(changed) {
    own = changed;
    try { localStorage.setItem(STORED, JSON.stringify(own)); } catch { /* a browser that stores nothing */ }
    mark();
  }
})();
