// What the chat page does in the browser beside Gradio: run once by it, when the page has loaded.
() => {
  const chat = () => document.getElementById("pa-chat");
  // Light or dark: as the reader last chose, else as the system is.
  const chosen = localStorage.getItem("pa-theme");
  if (chosen && !new URL(location.href).searchParams.has("__theme")) document.body.classList.toggle("dark", chosen === "dark");
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.(".pa-theme")) return;
    localStorage.setItem("pa-theme", document.body.classList.toggle("dark") ? "dark" : "light");
  });

  const question = () => document.querySelector("#pa-question textarea");
  const put = (text) => {
    const box = question();
    box.value = text;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
  };
  const cardOf = (mark) => document.getElementById(mark.hash.slice(1));

  const openTab = (name) => [...document.querySelectorAll("#pa-tabs [role=tab]")].find((tab) => tab.textContent.trim() === name)?.click();

  document.addEventListener("click", (event) => event.target.closest?.("#pa-writes button") && openTab("LLM"));

  // On a small screen the list of conversations covers the page: it is shut at first, and when something in it was chosen.
  const small = matchMedia("(max-width: 768px)");
  const shut = () => small.matches && document.querySelector("#pa-side.open > .toggle-button")?.click();
  shut();
  document.addEventListener("click", (event) => event.target.closest?.("#pa-shelf a, #pa-new") && shut());

  // What a handler gives as {name, text} is saved as a file.
  window.paSave = (json) => {
    if (!json) return;
    const { name, text } = JSON.parse(json);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };

  // Buttons of a message that ask at once, or edit a question: told to where Gradio listens.
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".pa-act");
    if (!button) return;
    const what = ["retry", "shorter", "longer", "follow", "edit"].find((one) => button.matches(`.pa-${one}`));
    const rows = [...chat().querySelectorAll(".user-row")];
    const detail = { what, turn: rows.indexOf(button.closest(".message-row")) + 1, text: button.nextElementSibling.textContent };
    const relay = document.querySelector(`${what === "edit" ? "#pa-edits" : "#pa-asks"} .pa-relay`);
    relay.dispatchEvent(new CustomEvent("pa-act", { detail, bubbles: true }));
    if (what === "edit") question()?.focus();
  });

  // What is asked before the page is ready is asked as soon as it is.
  const isReady = () => document.querySelector("#pa-shelf [data-current]");
  let waits = false;
  const hold = (event) => {
    if (isReady()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!waits) document.getElementById("pa-question").classList.add("pa-held");
    waits = true;
  };
  const askHeld = () => {
    if (!waits || !isReady()) return;
    waits = false;
    document.getElementById("pa-question").classList.remove("pa-held");
    setTimeout(() => document.querySelector("#pa-question .submit-button")?.click());
  };
  document.addEventListener("keydown", (event) => event.key === "Enter" && !event.shiftKey && event.target === question() && hold(event), true);
  document.addEventListener("click", (event) => event.target.closest?.("#pa-question .submit-button") && event.isTrusted && hold(event), true);

  // The arrow up recalls the last question into an empty box.
  document.addEventListener("keydown", (event) => {
    const box = question();
    const last = [...chat().querySelectorAll(".pa-question")].at(-1);
    if (event.key !== "ArrowUp" || event.target !== box || box.value || !last) return;
    event.preventDefault();
    put(last.textContent);
  });

  // A citation marker opens its source's card and goes there.
  document.addEventListener("click", (event) => {
    const mark = event.target.closest?.("a.pa-mark");
    const card = mark && cardOf(mark);
    if (!card) return;
    event.preventDefault();
    card.open = true;
    card.querySelector("summary").focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  });

  // Buttons that copy, and that begin a question.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.(".pa-copy, .pa-ask");
    if (!button) return;
    const text = button.nextElementSibling.textContent;
    if (button.matches(".pa-ask")) {
      openTab("Chat");
      put(text);
      return;
    }
    const label = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      button.textContent = "The browser did not let it be copied";
    }
    setTimeout(() => (button.textContent = label), 1500);
  });

  // A marker under the pointer or the focus shows its source's title and quote.
  const peek = document.createElement("div");
  peek.id = "pa-peek";
  peek.role = "tooltip";
  peek.hidden = true;
  document.querySelector(".gradio-container").append(peek);
  let leaving = 0;
  const show = (mark) => {
    const card = cardOf(mark);
    if (!card) return;
    clearTimeout(leaving);
    const title = document.createElement("strong");
    title.textContent = card.querySelector(".pa-title").textContent;
    const quote = document.createElement("span");
    quote.textContent = [...card.querySelectorAll("mark")].map((one) => `“${one.textContent}”`).join(" … ");
    peek.replaceChildren(title, quote);
    peek.hidden = false;
    mark.setAttribute("aria-describedby", "pa-peek");
    const at = mark.getBoundingClientRect();
    const size = peek.getBoundingClientRect();
    peek.style.left = `${Math.max(8, Math.min(at.left, innerWidth - size.width - 8))}px`;
    peek.style.top = `${at.bottom + 6 + size.height < innerHeight ? at.bottom + 6 : Math.max(8, at.top - size.height - 6)}px`;
  };
  const hide = () => (peek.hidden = true);
  const hideSoon = () => (leaving = setTimeout(hide, 200));
  for (const [came, went] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
    document.addEventListener(came, (event) => {
      if (event.target.closest?.("#pa-peek")) return clearTimeout(leaving);
      const mark = event.target.closest?.("a.pa-mark");
      if (mark) show(mark);
    });
    document.addEventListener(went, (event) => event.target.closest?.("a.pa-mark, #pa-peek") && hideSoon());
  }
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  document.addEventListener("scroll", hide, { passive: true });

  // The address names the conversation, so that a reload or a link opens it.
  const address = () => {
    const shelf = document.querySelector("#pa-shelf [data-current]");
    if (!shelf) return;
    const url = new URL(location.href);
    if ((url.searchParams.get("c") ?? "") === shelf.dataset.current) return;
    if (shelf.dataset.current) url.searchParams.set("c", shelf.dataset.current);
    else url.searchParams.delete("c");
    history.replaceState(history.state, "", url);
  };

  // Where sources stand beside their answer, the first is open at once.
  const beside = matchMedia("(min-width: 1200px)");
  let seen = 0;
  const follow = () => {
    // Gradio gives each message its whole HTML as accessible name, which a screen reader would read out.
    for (const message of chat().querySelectorAll("[data-testid=user][aria-label], [data-testid=bot][aria-label]")) {
      message.removeAttribute("aria-label");
    }
    // Gradio calls the first questions a list, and none of them its item.
    for (const list of chat().querySelectorAll(".examples[role=list]")) {
      list.role = "group";
      list.ariaLabel = "Questions to begin with";
    }
    const latest = chat().querySelector(".bot-row:last-child .pa-sources:not(.pa-looked)");
    if (latest) {
      latest.classList.add("pa-looked");
      if (beside.matches) latest.querySelector(".pa-source").open = true;
    }
    // A new question is brought to the top, so that its answer comes into view below it.
    const questions = chat().querySelectorAll(".pa-question");
    if (questions.length > seen) {
      if (questions.length > 1) questions[questions.length - 1].closest(".message-row").scrollIntoView({ block: "start" });
      // The example that was chosen is gone, and the focus with it.
      if (document.activeElement === document.body) question()?.focus({ preventScroll: true });
    }
    seen = questions.length;
  };
  new MutationObserver(() => {
    if (chat()) follow();
    address();
    askHeld();
  }).observe(document.body, { childList: true, subtree: true, attributeFilter: ["aria-label", "data-current"] });
}
