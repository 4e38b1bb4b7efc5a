/**
 * The hosted login page: goes on once somebody has logged in, and signs out who already is.
 */
import { watchSession } from "./session-watch.js";

const login = document.getElementById("login");
login?.addEventListener("wechat-login", () => location.replace(login.dataset.returnTo));

const signOut = document.getElementById("sign-out");
/** Once the session is over, the page is another one. */
const watch = () => watchSession((signedIn) => signedIn || location.reload(), { signedIn: true });
let stopWatching = signOut && watch();
signOut?.addEventListener("click", async () => {
  signOut.disabled = true;
  stopWatching();
  const answer = await fetch(signOut.dataset.session, { method: "DELETE" }).catch(() => null);
  if (answer?.ok) {
    location.reload();
    return;
  }
  stopWatching = watch();
  signOut.disabled = false;
  document.getElementById("sign-out-failed").hidden = false;
});

// Whoever comes back to the page as it was left may be signed in by now, or out.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
