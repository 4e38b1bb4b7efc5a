// Keeps a page current while somebody looks at it. Without it the page is as good, and older.
const main = document.querySelector("main[data-refresh]");
const stale = document.querySelector(".stale");

const openKeys = () =>
  [...document.querySelectorAll("details[open][data-key]")].map((details) => details.dataset.key);

const isBusy = () =>
  document.hidden || !getSelection().isCollapsed || main.contains(document.activeElement);

let isGoingOn = false;

// Once: what a sign-in brought is taken by the first form.
function goOn() {
  const form = main.querySelector("form[data-submit]");
  if (form && !isGoingOn) {
    isGoingOn = true;
    form.requestSubmit();
  }
}

async function refresh() {
  if (isGoingOn || isBusy()) {
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
  goOn();
  for (const key of open) {
    main.querySelector(`details[data-key="${key}"]`)?.setAttribute("open", "");
  }
}

if (main) {
  goOn();
  setInterval(() => {
    refresh().then(
      () => (stale.hidden = true),
      () => (stale.hidden = false),
    );
  }, Number(main.dataset.refresh));
}
