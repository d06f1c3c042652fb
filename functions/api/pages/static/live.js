// Keeps a page up to date: whatever the server says has changed, the page is asked for again and its part replaced.
// Without this script the page is the same, as of when it was loaded.

const AT_MOST_EVERY_MS = 3000;
const POLL_MS = 15000;

const live = () => document.getElementById("live");
const { live: kind, changes, events, id } = live().dataset;

let dirty = false;
let running = false;
let last = Date.now();

async function refresh() {
  if (!dirty || running || document.hidden) return;
  const wait = last + AT_MOST_EVERY_MS - Date.now();
  if (wait > 0) return void setTimeout(refresh, wait);
  running = true;
  dirty = false;
  last = Date.now();
  let pause = 0;
  try {
    const response = await fetch(location.href, { cache: "no-cache", headers: { Accept: "text/html" } });
    if (response.redirected && kind === "battle") return void location.replace(response.url);
    if (!response.ok) throw new Error(response.status);
    replace(new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch {
    dirty = true;
    pause = POLL_MS; // the server is away, or has too much to do
  } finally {
    running = false;
    if (dirty) setTimeout(refresh, pause); // that failed, or something changed meanwhile
  }
}

function replace(fresh) {
  const from = live();
  const to = fresh.getElementById("live");
  if (!to || from.innerHTML === to.innerHTML) return;
  const focused = from.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const open = [...from.querySelectorAll("details")].map((one) => one.open);
  const known = new Map([...from.querySelectorAll("[data-revision]")].map((one) => [one.dataset.id, one.dataset.revision]));
  from.replaceWith(document.adoptNode(to));
  document.title = fresh.title;
  if (kind === "battle") [...to.querySelectorAll("details")].forEach((one, place) => (one.open = open[place] ?? false));
  if (focused) [...to.querySelectorAll("a")].find((one) => one.getAttribute("href") === focused)?.focus();
  tell(to, known, from.dataset.revision !== to.dataset.revision);
}

function tell(to, known, grew) {
  const changed = [...to.querySelectorAll("[data-revision]")].filter((one) => known.get(one.dataset.id) !== one.dataset.revision);
  changed.forEach((one) => one.classList.add("is-new"));
  const added = changed.filter((one) => !known.has(one.dataset.id)).length;
  const news = document.getElementById("news");
  if (kind === "battle") news.textContent = grew ? "The battle has grown." : "";
  else if (added) news.textContent = added === 1 ? "A new battle." : `${added} new battles.`;
}

function heard(items) {
  if (kind === "list" ? items.length : items.some((item) => item.id === id)) lookAgain();
}

function lookAgain() {
  dirty = true;
  refresh();
}

async function poll() {
  let after = "now";
  for (;;) {
    if (!document.hidden) {
      try {
        const response = await fetch(`${changes}?limit=1000&after=${encodeURIComponent(after)}`, { cache: "no-cache" });
        if (response.ok) {
          const feed = await response.json();
          if (after === "now") lookAgain(); // perhaps, since the page was made
          after = feed.next;
          heard(feed.items);
        } else if (response.status === 422) after = "now";
      } catch {
        // the server is away: ask again
      }
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

// A page that nobody looks at has no stream: browsers allow few connections to one server, and servers few streams.
function listen() {
  let source = null;
  const open = () => {
    source = new EventSource(events);
    source.addEventListener("open", lookAgain); // perhaps, since the page was made or the stream broke off
    source.addEventListener("changes", (event) => heard(JSON.parse(event.data)));
    source.addEventListener("error", () => {
      // The browser connects again by itself, unless the server said no.
      if (source?.readyState !== EventSource.CLOSED) return;
      document.removeEventListener("visibilitychange", follow);
      poll();
    });
  };
  const follow = () => {
    source?.close();
    source = null;
    if (!document.hidden) open();
  };
  document.addEventListener("visibilitychange", follow);
  follow();
}

document.addEventListener("visibilitychange", refresh);
if (events) listen();
else poll();
