/**
 * The hosted login page: goes on once somebody has logged in, and signs out who already is.
 */
const login = document.getElementById("login");
login?.addEventListener("wechat-login", () => location.replace(login.dataset.returnTo));

// A modal of a version that can't be a part of the page opens above it.
void customElements.whenDefined("wechat-login").then(() => {
  if (login && !("inline" in login)) login.open();
});

const signOut = document.getElementById("sign-out");
signOut?.addEventListener("click", async () => {
  signOut.disabled = true;
  const answer = await fetch(signOut.dataset.session, { method: "DELETE" }).catch(() => null);
  if (answer?.ok) location.reload();
  signOut.disabled = false;
  document.getElementById("sign-out-failed").hidden = false;
});

// Whoever comes back to the page as it was left may be signed in by now, or out.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
