// Shows only the questions of the chosen kind and outcome whose text holds what was typed.
const form = document.getElementById("filters");
const count = document.getElementById("count");
const rows = [...document.querySelectorAll("details.q")].map((row) => ({
  row,
  kind: row.dataset.kind,
  outcomes: row.dataset.outcome.split("|"),
  text: row.textContent.toLowerCase(),
}));

function show() {
  const kind = form.elements.kind.value;
  const outcome = form.elements.outcome.value;
  const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const one of rows) {
    const fits =
      (!kind || one.kind === kind) && (!outcome || one.outcomes.includes(outcome)) && words.every((word) => one.text.includes(word));
    one.row.hidden = !fits;
    shown += fits;
  }
  count.textContent = `${shown} of ${rows.length}`;
}

form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
show();
