/**
 * Tells a page at once when its visitor's session is over: by an unfollow, by the owner, or in another browser.
 *
 *     import { watchSession } from "https://login.example.com/assets/session-watch.js";
 *     watchSession((signedIn) => { if (!signedIn) location.reload(); });
 */

/** How long to wait, in milliseconds, after a stream that was refused; after each further one twice as long. */
const AGAIN_AFTER = { first: 5_000, longest: 300_000 };

/**
 * Watches until it is stopped. While nobody is signed in, it waits for a login on this page. A hidden page doesn't
 * listen, since a browser has but six connections to a site, and looks when it is shown again.
 *
 * @param {(signedIn: boolean) => void} changed something happened to the visitor's sessions; whether they are signed in
 * @param {object} [options]
 * @param {string} [options.api] address of the login service, by default where this script came from
 * @param {boolean} [options.signedIn] whether somebody is signed in, if the page knows
 * @returns {() => void} stops it
 */
export function watchSession(changed, { api = new URL("..", import.meta.url).href, signedIn: known } = {}) {
  const address = `${api.replace(/\/$/, "")}/api/session`;
  const control = new AbortController();
  const { signal } = control;
  /** @type {EventSource | null} */
  let stream = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let wait = AGAIN_AFTER.first;
  let isFirst = true;

  function close() {
    clearTimeout(timer);
    stream?.close();
    stream = null;
  }

  /** @param {boolean} signedIn */
  function learn(signedIn) {
    const before = known;
    // The page found out by itself how it began.
    const isNews = isFirst ? before !== undefined && before !== signedIn : before || signedIn;
    isFirst = false;
    known = signedIn;
    if (isNews) changed(signedIn);
  }

  function open() {
    close();
    if (document.hidden || signal.aborted) return;
    const opened = new EventSource(`${address}/events`, { withCredentials: true });
    stream = opened;
    opened.addEventListener("session", (event) => {
      if (stream !== opened) return;
      wait = AGAIN_AFTER.first;
      const { signed_in: signedIn } = JSON.parse(event.data);
      if (!signedIn) close();
      learn(signedIn);
    });
    opened.addEventListener("error", () => {
      // After an interruption the browser opens it again by itself; after a refusal, which it doesn't explain, not.
      if (stream === opened && opened.readyState === EventSource.CLOSED) void ask();
    });
  }

  /** Finds out why there is no stream. */
  async function ask() {
    close();
    const asked = fetch(address, { credentials: "include", cache: "no-store", signal });
    const status = await asked.then(
      (answer) => answer.text().then(() => answer.status),
      () => 0,
    );
    if (signal.aborted || stream) return;
    if (status === 401) {
      learn(false);
      return;
    }
    timer = setTimeout(open, wait);
    wait = Math.min(2 * wait, AGAIN_AFTER.longest);
  }

  document.addEventListener("visibilitychange", open, { signal });
  document.addEventListener("wechat-login", open, { signal });
  signal.addEventListener("abort", close);
  open();
  return () => control.abort();
}
