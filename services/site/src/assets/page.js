/**
 * The page around `<wechat-login>`: shows who is signed in, signs out, and switches language and
 * looks. A classic script at the top of the page, so that neither language nor theme flickers.
 */
(() => {
  "use strict";

  /** @typedef {import("../../modal/src/client.js").User} Visitor */

  const root = document.documentElement;

  /** What the second listing shows until somebody logs in. @type {Visitor} */
  const EXAMPLE = {
    openid: "oJqxQwYRyZMXFTc8sipB5TSe6Vw4",
    unionid: null,
    nickname: "小明",
    avatar_url: "https://…/132",
    location: "广东 深圳",
    subscribed: true,
  };

  /** A visitor's own choice outlasts the visit, where storage is allowed. */
  const choices = {
    /** @param {string} name */
    read(name) {
      try {
        return localStorage.getItem(name);
      } catch {
        return null;
      }
    },
    /**
     * @param {string} name
     * @param {string} value
     */
    write(name, value) {
      try {
        localStorage.setItem(name, value);
      } catch {
        // Then it holds until the page is left.
      }
    },
  };

  const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ?? (systemIsDark.matches ? "dark" : "light")) === "dark";

  root.lang = choices.read("language") ?? (/^zh\b/i.test(navigator.language) ? "zh-CN" : "en");
  const chosenTheme = choices.read("theme");
  if (chosenTheme === "dark" || chosenTheme === "light") root.dataset.theme = chosenTheme;

  document.addEventListener("DOMContentLoaded", () => {
    prepareTools();
    prepareSession();
    byId("snippet-origin").textContent = location.origin;
  });

  function prepareTools() {
    byId("language").addEventListener("click", () => {
      root.lang = root.lang === "en" ? "zh-CN" : "en";
      choices.write("language", root.lang);
      showTitle();
    });
    byId("theme").addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      choices.write("theme", root.dataset.theme);
      showTheme();
    });
    systemIsDark.addEventListener("change", showTheme);
    showTitle();
    showTheme();
  }

  function showTitle() {
    document.title = root.lang === "en" ? "WeChat QR Login" : "微信扫码登录";
    showNickname();
  }

  function showTheme() {
    byId("theme").ariaPressed = String(isDark());
    byId("login").setAttribute("theme", isDark() ? "dark" : "light");
  }

  /** @type {Visitor | null} */
  let user = null;

  /** Tabs of one browser share the session, so they tell each other. */
  const tabs = new BroadcastChannel("wechat-login-session");

  function prepareSession() {
    const login = /** @type {import("../../modal/src/wechat-login.js").WechatLogin} */ (byId("login"));
    login.addEventListener("wechat-login", (event) => {
      show(/** @type {CustomEvent<{user: Visitor}>} */ (event).detail.user);
      tabs.postMessage(user);
      byId("user-nickname").focus();
    });
    tabs.addEventListener("message", (event) => {
      if (event.data) login.close?.();
      show(event.data);
    });
    byId("logout").addEventListener("click", () => void logOut());
    byId("user-avatar").addEventListener("error", () => {
      byId("user-avatar").hidden = true;
    });
    document.addEventListener("visibilitychange", () => awaitNickname());
    void findSession(login);
  }

  /** How often, in milliseconds, and how many times to ask whether the nickname is known by now. */
  const NICKNAME_POLL = { interval: 3000, times: 60 };

  /** @type {number | undefined} */
  let nicknameTimer;
  let nicknamePolls = 0;

  /**
   * WeChat tells nickname and avatar only after the visitor has pressed a link on the phone, which
   * may be a while after the scan. A hidden page doesn't ask.
   */
  function awaitNickname() {
    clearTimeout(nicknameTimer);
    if (!user) nicknamePolls = 0;
    if (!user || user.nickname || document.hidden || nicknamePolls >= NICKNAME_POLL.times) return;
    const asked = user;
    nicknameTimer = setTimeout(async () => {
      nicknamePolls += 1;
      const answer = await readSession();
      // Whoever signed in or out meanwhile knows better.
      if (user !== asked) return;
      if (answer === undefined) awaitNickname();
      else show(answer, !answer);
    }, NICKNAME_POLL.interval);
  }

  /** Stops listening for the end of the session. @type {(() => void) | null} */
  let stopWatching = null;

  /** Listens for the end of the session, while there is one. */
  async function watchSession() {
    if (!user) {
      stopWatching?.();
      stopWatching = null;
    } else if (!stopWatching) {
      let stopped = false;
      stopWatching = () => (stopped = true);
      const path = "/assets/session-watch.js";
      const piece = await import(path).catch(() => null);
      if (!piece || stopped) return;
      stopWatching = piece.watchSession(changed, { signedIn: true });
    }
  }

  /** @param {boolean} signedIn */
  function changed(signedIn) {
    if (!signedIn) {
      // Another login in this browser may have replaced it: that one is watched anew.
      stopWatching?.();
      stopWatching = null;
    }
    void lookAgain();
  }

  /** Shows who is signed in by now. */
  async function lookAgain() {
    const asked = user;
    const answer = await readSession();
    // Whoever signed in or out meanwhile knows better.
    if (user !== asked) return;
    if (answer !== undefined) show(answer, Boolean(asked) && !answer);
  }

  /**
   * Who is signed in: null for nobody, undefined when there is no telling.
   *
   * @returns {Promise<Visitor | null | undefined>}
   */
  async function readSession() {
    try {
      const answer = await fetch("/api/session", { cache: "no-store" });
      // Of a refusal too: an answer that nobody reads to its end keeps its connection.
      const body = await answer.json();
      if (answer.status === 401) return null;
      return answer.ok ? body.user : undefined;
    } catch {
      // The network is away, or something else than the site answered.
      return undefined;
    }
  }

  /** @param {import("../../modal/src/wechat-login.js").WechatLogin} login */
  async function findSession(login) {
    // Signed out is the state from which the modal can explain what is wrong.
    const found = (await readSession()) ?? null;
    // After a reload the modal may have opened again; a session makes it needless.
    if (found) login.close?.();
    // Somebody who logged in meanwhile knows better.
    if (!user) show(found);
  }

  async function logOut() {
    const button = /** @type {HTMLButtonElement} */ (byId("logout"));
    button.disabled = true;
    // What the visitor does is no news.
    stopWatching?.();
    stopWatching = null;
    const answer = await fetch("/api/session", { method: "DELETE" }).catch(() => null);
    await answer?.text().catch(() => "");
    button.disabled = false;
    byId("logout-failed").hidden = answer?.ok ?? false;
    if (!answer?.ok) {
      void watchSession();
      return;
    }
    show(null);
    tabs.postMessage(null);
    byId("login").shadowRoot?.querySelector("button")?.focus();
  }

  /**
   * @param {Visitor | null} next
   * @param {boolean} [wasEnded] whether the session ended without the visitor's doing here
   */
  function show(next, wasEnded = false) {
    user = next;
    byId("not-yet").hidden = wasEnded;
    byId("no-more").hidden = !wasEnded;
    void watchSession();
    byId("session").dataset.session = user ? "in" : "out";
    awaitNickname();
    byId("detail").textContent = JSON.stringify(user ?? EXAMPLE, null, 2);
    if (!user) return;
    showNickname();
    const avatar = /** @type {HTMLImageElement} */ (byId("user-avatar"));
    avatar.hidden = !user.avatar_url;
    if (user.avatar_url) avatar.src = user.avatar_url;
    byId("user-location").hidden = !user.location;
    byId("user-location").textContent = user.location;
    byId("user-followed").hidden = !user.subscribed;
    byId("logout-failed").hidden = true;
  }

  function showNickname() {
    if (!user) return;
    const name = user.nickname || (root.lang === "en" ? "WeChat user" : "微信用户");
    byId("user-nickname").textContent = name;
    byId("user-initial").textContent = [...name][0] ?? "";
  }

  /** @param {string} id */
  function byId(id) {
    return /** @type {HTMLElement} */ (document.getElementById(id));
  }
})();
