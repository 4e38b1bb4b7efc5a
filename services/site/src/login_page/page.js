/**
 * The hosted login page: goes on once somebody has logged in, and signs out who already is.
 */
const login = document.getElementById("login");
login?.addEventListener("wechat-login", () => location.replace(login.dataset.returnTo));

const signOut = document.getElementById("sign-out");
signOut?.addEventListener("click", async () => {
  signOut.disabled = true;
  const answer = await fetch(signOut.dataset.session, { method: "DELETE" }).catch(() => null);
  if (answer?.ok) location.reload();
  signOut.disabled = false;
  document.getElementById("sign-out-failed").hidden = false;
});

/** @type {EventSource | undefined} */
let stream;

/** Once the session is over, by an unfollow or in another browser, the page is another one. */
function watchSession() {
  stream?.close();
  // A hidden page doesn't listen: a browser has but six connections to a site.
  if (document.hidden) return;
  stream = new EventSource(`${signOut.dataset.session}/events`);
  stream.addEventListener("session", (event) => {
    if (JSON.parse(event.data).signed_in) return;
    stream.close();
    location.reload();
  });
}

if (signOut) {
  document.addEventListener("visibilitychange", watchSession);
  watchSession();
}

// Whoever comes back to the page as it was left may be signed in by now, or out.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
