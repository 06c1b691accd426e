// What the chat page does in the browser beside Gradio: run once by it, when the page has loaded.
() => {
  const chat = () => document.getElementById("pa-chat");

  // A citation marker opens its source's card and goes there.
  document.addEventListener("click", (event) => {
    const mark = event.target.closest?.("a.pa-mark");
    const card = mark && document.getElementById(mark.hash.slice(1));
    if (!card) return;
    event.preventDefault();
    card.open = true;
    card.querySelector("summary").focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  });

  let seen = 0;
  const follow = () => {
    // Gradio gives each message its whole HTML as accessible name, which a screen reader would read out.
    for (const message of chat().querySelectorAll("[data-testid=user][aria-label], [data-testid=bot][aria-label]")) {
      message.removeAttribute("aria-label");
    }
    // A new question is brought to the top, so that its answer comes into view below it.
    const questions = chat().querySelectorAll(".pa-question");
    if (questions.length > seen) {
      if (questions.length > 1) questions[questions.length - 1].closest(".message-row").scrollIntoView({ block: "start" });
      // The example that was chosen is gone, and the focus with it.
      if (document.activeElement === document.body) document.querySelector("#pa-question textarea")?.focus({ preventScroll: true });
    }
    seen = questions.length;
  };
  new MutationObserver(() => chat() && follow()).observe(document.body, { childList: true, subtree: true, attributeFilter: ["aria-label"] });
}
