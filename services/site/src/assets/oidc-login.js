/**
 * The page on which a visitor logs in to go on to another website. A classic script before the
 * element's, so that its first request is already one for that website.
 */
(() => {
  "use strict";

  const request = new URLSearchParams(location.search).get("request") ?? "";
  const plain = window.fetch;

  // Logins that begin here are for the website that sent the visitor: its account, its name, its
  // rules.
  window.fetch = (input, init) => {
    if (init?.method !== "POST") return plain(input, init);
    const address = new URL(input instanceof Request ? input.url : input, location.href);
    const begins = /\/api\/login(\/web-authorization)?$/.test(address.pathname);
    if (begins && address.origin === location.origin) address.searchParams.set("request", request);
    return plain(address, init);
  };

  document.addEventListener("DOMContentLoaded", () => {
    const login = document.getElementById("login");
    // The same address goes on to the website once somebody is logged in.
    login?.addEventListener("wechat-login", () => location.replace(location.href));
  });
})();
