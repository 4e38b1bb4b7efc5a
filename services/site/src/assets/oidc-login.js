/**
 * The page on which a visitor logs in to go on to another website.
 */
const login = document.getElementById("login");

// The same address goes on to the website once somebody is logged in.
login?.addEventListener("wechat-login", () => location.replace(location.href));

// The website's request has expired: the page says so.
login?.addEventListener("wechat-login-error", ({ detail }) => {
  if (detail.code === "login_expired") location.reload();
});
