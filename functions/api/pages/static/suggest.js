// Suggestions below the search field; whoever chooses one is led to its page.

const input = document.querySelector("input[data-suggest]");
const list = document.getElementById("suggestions");
const { suggest, root } = input.dataset;
const KINDS = { alliance: "Alliance", corporation: "Corporation", character: "Pilot", system: "System" };
const QUIET_MS = 150;

let timer;
let asked = "";
let pages = new Map();

async function ask() {
  const text = input.value.trim();
  if (text.length < 2 || text === asked) return;
  asked = text;
  try {
    const response = await fetch(`${suggest}?limit=10&q=${encodeURIComponent(text)}`);
    if (!response.ok || text !== asked) return;
    show((await response.json()).items.filter((item) => item.category in KINDS));
  } catch {
    // no suggestions, then
  }
}

function show(items) {
  pages = new Map();
  list.replaceChildren(
    ...items.map((item) => {
      const option = document.createElement("option");
      // Two things of one name are told apart by what they are.
      option.value = pages.has(item.name) ? `${item.name} (${KINDS[item.category]})` : item.name;
      option.label = `${item.name} · ${KINDS[item.category]}`;
      pages.set(option.value, `${root}/${item.category}/${item.id}`);
      return option;
    }),
  );
}

input.addEventListener("input", (event) => {
  clearTimeout(timer);
  // A suggestion that was chosen, not a letter that was typed.
  const isChosen = !(event instanceof InputEvent) || event.inputType === "insertReplacementText";
  if (isChosen && pages.has(input.value)) location.assign(pages.get(input.value));
  else timer = setTimeout(ask, QUIET_MS);
});
