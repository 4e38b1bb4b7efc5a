// Keeps a page current while somebody looks at it. Without it the page is as good, and older.
const EVERY_MS = 10000;

const main = document.querySelector("main[data-refresh]");
const stale = document.querySelector(".stale");

const openKeys = () =>
  [...document.querySelectorAll("details[open][data-key]")].map((details) => details.dataset.key);

const isBusy = () =>
  document.hidden || !getSelection().isCollapsed || main.contains(document.activeElement);

async function refresh() {
  if (isBusy()) {
    return;
  }
  const answer = await fetch(location.href, { cache: "no-store" });
  if (answer.redirected) {
    location.assign(answer.url);
    return;
  }
  if (!answer.ok) {
    throw new Error(String(answer.status));
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const open = openKeys();
  main.replaceChildren(...page.querySelector("main").childNodes);
  for (const key of open) {
    main.querySelector(`details[data-key="${key}"]`)?.setAttribute("open", "");
  }
}

if (main) {
  setInterval(() => {
    refresh().then(
      () => (stale.hidden = true),
      () => (stale.hidden = false),
    );
  }, EVERY_MS);
}
