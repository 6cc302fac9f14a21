/* A tour of the page: a card beside one part after the other. Arrow keys go on and back, Escape ends it. It starts by
   itself once, after a sample was chosen for the first time; the browser remembers that. */
(() => {
  const STEPS = [
    { at: "#gpr-header", title: "What is in use", text: "Up here: the data, and the model that recommends from it." },
    { tab: "recommend", at: "#gpr-query", title: "Ask in your own words",
      text: "Type what you are looking for and press Enter, or take one of the examples below." },
    { tab: "recommend", at: "#gpr-answer", ask: true, title: "Answers from your catalogue alone",
      text: "Each has a probability. 'Why' computes its reasons: nothing is made up." },
    { tab: "recommend", at: "#gpr-answer", title: "Good or bad",
      text: "Mark what is right and what is wrong: it counts at once, and can teach the next model. The tab Label does it with one key each." },
    { tab: "data", at: "#gpr-own", title: "Bring your own table",
      text: "A column of titles is enough. You see how it was understood, and can change that." },
    { tab: "finetune", at: "#gpr-start", title: "Fine-tune",
      text: "One press trains the model on your data, on this machine. You may close the page and come back." },
    { tab: "evaluate", at: "#gpr-tabs", title: "Measure",
      text: "How good it is, beside simpler methods. That was all: ask for something!" },
  ];
  const SEEN = "gpr-tour";
  const say = (text) => (window.gprWords ?? {})[text] ?? text;
  const BACK = say("Back"), NEXT = say("Next"), SKIP = say("Skip"), DONE = say("Done");
  let at = -1, card = null, before = null;

  const seen = () => { try { return localStorage.getItem(SEEN); } catch { return "1"; } };
  const remember = () => { try { localStorage.setItem(SEEN, "1"); } catch { /* then it starts again next time */ } };
  const target = () => {
    const found = document.querySelector(STEPS[at]?.at);
    return found?.getClientRects().length ? found : null;
  };

  function open() {
    document.getElementById("gpr-gallery")?.close();
    if (card) return;
    before = document.activeElement;
    card = document.createElement("div");
    card.id = "gpr-tour-card";
    for (const [name, value] of Object.entries({ role: "dialog", "aria-labelledby": "gpr-tour-title", "aria-describedby": "gpr-tour-text", tabindex: "-1" })) card.setAttribute(name, value);
    (document.querySelector(".gradio-container") ?? document.body).append(card);
    go(0);
  }

  function close() {
    document.querySelector(".gpr-toured")?.classList.remove("gpr-toured");
    card?.remove();
    card = null;
    at = -1;
    remember();
    if (before?.isConnected) before.focus();
  }

  function go(step) {
    if (step < 0) return;
    if (step >= STEPS.length) { close(); return; }
    at = step;
    const { tab, ask, title, text } = STEPS[at];
    if (tab) document.querySelector(`#gpr-tabs button[role=tab][data-tab-id="${tab}"]`)?.click();
    if (ask && !document.querySelector("#gpr-answer .gpr-card")) document.querySelector("#gpr-examples button")?.click();
    const button = (name, words, style) => `<button type="button" class="gpr-button ${style}" data-step="${name}">${words}</button>`;
    const last = at === STEPS.length - 1;
    card.innerHTML = `<h2 id="gpr-tour-title"></h2><p id="gpr-tour-text"></p><footer><span>${at + 1} / ${STEPS.length}</span>`
      + button("close", SKIP, "gpr-quiet") + (at ? button("back", BACK, "") : "") + button("next", last ? DONE : NEXT, "gpr-primary") + "</footer>";
    card.querySelector("h2").textContent = say(title);
    card.querySelector("p").textContent = say(text);
    document.querySelector(".gpr-toured")?.classList.remove("gpr-toured");
    requestAnimationFrame(() => { place(true); card?.querySelector("[data-step=next]").focus({ preventScroll: true }); });
  }

  function place(scroll) {
    const part = card && target();
    if (!part) return;
    if (!part.classList.contains("gpr-toured")) {
      document.querySelector(".gpr-toured")?.classList.remove("gpr-toured");
      part.classList.add("gpr-toured");
    }
    if (scroll) part.scrollIntoView({ block: part.offsetHeight > innerHeight / 2 ? "start" : "center" });
    const box = part.getBoundingClientRect(), { offsetHeight: high, offsetWidth: wide } = card, gap = 12;
    const below = box.bottom + gap + high <= innerHeight ? box.bottom + gap : box.top - gap - high;
    card.style.top = `${Math.max(gap, Math.min(below < gap ? innerHeight - high - gap : below, innerHeight - high - gap))}px`;
    card.style.left = `${Math.max(gap, Math.min(box.left, innerWidth - wide - gap))}px`;
  }

  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-tour]")) open();
    const step = event.target.closest?.("#gpr-tour-card [data-step]")?.dataset.step;
    if (step === "close") close();
    else if (step) go(at + (step === "next" ? 1 : -1));
  });
  document.addEventListener("keydown", (event) => {
    if (!card || event.target.matches?.("input, textarea")) return;
    if (event.key === "Escape") close();
    else if (event.key === "ArrowRight") go(at + 1);
    else if (event.key === "ArrowLeft") go(at - 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }, true);
  document.addEventListener("gpr-chosen", () => { if (!seen()) open(); });
  addEventListener("resize", () => place(false));
  addEventListener("scroll", () => place(false), { passive: true });
  new MutationObserver(() => { if (card && !document.querySelector(".gpr-toured")) place(true); })
    .observe(document.documentElement, { childList: true, subtree: true });
})();
