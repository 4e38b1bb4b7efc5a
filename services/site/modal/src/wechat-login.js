/**
 * `<wechat-login>`: log in by scanning a WeChat QR code; inside WeChat, by its consent. Two lines
 * on any page of the login service's own origin, or of another one of the same site that its
 * setting public.allowed_origins names:
 *
 *     <script type="module" src="https://login.example.com/assets/wechat-login.js"></script>
 *     <wechat-login></wechat-login>
 *
 * What it can do stands in the package's README.md; its types are in types/wechat-login.d.ts.
 */
import { LoginClient } from "./client.js";
import { CLOSED, failure, LoginFlow } from "./flow.js";
import { hostedPage, returnAddress } from "./hosted-page.js";
import { layeredDialog, otherWays, phone, problems, webAuthorization } from "./pieces.js";
import { listen, onStop } from "./signals.js";
import { dress, dressPiece } from "./styles.js";
import { hasDialogs, inWechat, isTouched } from "./surroundings.js";
import { addLocale, fetchTexts, localeFor, onNewLocale, textsOf } from "./texts.js";
import { LoginView } from "./view.js";

/** @typedef {import("./flow.js").Snapshot} Snapshot */
/** @typedef {import("./flow.js").LoginState} LoginState */
/** @typedef {import("./texts.js").Texts} Texts */
/** @typedef {import("./lazy/web-authorization.js").WebAuthorizationFlow} WebAuthorizationFlow */
/** @typedef {LoginFlow | WebAuthorizationFlow} Flow */

/** How long the nickname and the avatar are shown before the modal gives way to the page. */
const GREETING_MS = 1_400;

/** Where a tab remembers that its modal is open, so that a reload doesn't lose it. */
const OPEN_KEY = "wechat-login-open";

/** On a server, where pages are made, the class can be imported and isn't used. */
const Base = globalThis.HTMLElement ?? /** @type {typeof HTMLElement} */ (class {});

export class WechatLogin extends Base {
  static observedAttributes = ["lang", "label", "inline", "account-name", "account-logo"];
  static addLocale = addLocale;

  #root;
  #view;
  /** The login in progress; none while the modal is closed. @type {Flow | null} */
  #flow = null;
  /** @type {LoginState} */
  #state = "closed";
  /** @type {Partial<Texts>} */
  #texts = {};
  /** Who waits for the modal's missing pieces. @type {object | null} */
  #intent = null;
  /** @type {import("./errors.js").Problem | null} */
  #problem = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #tickTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #greetingTimer;
  /** Listeners on the page, for as long as the element is on it. @type {AbortController | null} */
  #presence = null;
  #observer = new MutationObserver(() => this.#localise());

  constructor() {
    super();
    this.#root = this.attachShadow({ mode: "open" });
    this.#view = new LoginView(this.#root, textsOf(localeFor("zh-CN")), {
      onOpen: () => this.#pressed(),
      onClose: () => this.close(),
      onRefresh: () => this.#flow?.refresh(),
      onRetry: () => this.#flow?.retry(),
      onAuthorize: () => this.#authorize(),
      onUseCode: () => this.#useCode(),
      onUse: (method) => this.#flow && "use" in this.#flow && this.#flow.use(method),
    });
  }

  /** @returns {LoginState} */
  get state() {
    return this.#state;
  }

  /** Address of the login service, without a slash at its end. */
  get api() {
    // The service has this file in its folder /assets.
    return (this.getAttribute("api") || new URL("..", import.meta.url).href).replace(/\/$/, "");
  }

  set api(address) {
    this.setAttribute("api", address);
  }

  /** The page's own words, over those of the language. @returns {Partial<Texts>} */
  get texts() {
    return this.#texts;
  }

  set texts(texts) {
    this.#texts = texts ?? {};
    this.#localise();
  }

  /** Shows the modal and starts a login, or inside WeChat offers one. Does nothing when it is open. */
  open() {
    this.#whenComplete(() => this.#open());
  }

  #open() {
    if (this.#flow || !this.isConnected) return;
    if (inWechat() && webAuthorization.here) this.#beginWebAuthorization(false);
    else this.#beginScan();
  }

  /** @returns {import("./client.js").Wish} */
  get #wish() {
    return {
      session: this.getAttribute("session") === "none" ? "none" : null,
      request: this.getAttribute("request"),
      method: this.getAttribute("method"),
    };
  }

  #beginScan() {
    const client = LoginClient.of(this.api);
    /** @type {(begun: import("./client.js").BegunLogin) => unknown} */
    const prepare = ({ method = "scan", methods }) => {
      if (method === "scan" && !methods) return undefined;
      const coming = this.#fetch(otherWays);
      // A scan needs no more than what is here; the choice appears when it has come.
      return method === "scan" ? void coming.catch(() => {}) : coming;
    };
    this.#begin((onChange) => new LoginFlow(client, this.#wish, prepare, onChange));
  }

  /**
   * Gets a piece that adds to what is shown.
   *
   * @param {{fetch(): Promise<unknown>}} piece
   */
  async #fetch(piece) {
    await piece.fetch();
    this.#localise();
  }

  /** @param {boolean} back whether the visitor comes back from WeChat's consent */
  #beginWebAuthorization(back) {
    const { css, WebAuthorizationFlow } = /** @type {NonNullable<typeof webAuthorization.here>} */ (
      webAuthorization.here
    );
    dressPiece(this.#root, css);
    const { api } = this;
    const returnTo = () => returnAddress(api);
    const otherwise = () => this.#useCode();
    const surroundings = { closed: CLOSED, failure, otherwise, returnTo, wish: this.#wish, back };
    this.#begin((onChange) => new WebAuthorizationFlow(LoginClient.of(api), onChange, surroundings));
  }

  /** @param {(onChange: (snapshot: Snapshot) => void) => Flow} create */
  #begin(create) {
    const flow = create((snapshot) => {
      // What comes late from an earlier opening concerns nobody any more.
      if (flow === this.#flow) this.#render(snapshot);
    });
    this.#flow = flow;
    this.#localise();
    this.#view.open();
    flow.start();
  }

  /**
   * Calls back once everything is here that this browser needs; mostly at once.
   *
   * @param {() => void} callback
   */
  #whenComplete(callback) {
    const layered = !hasDialogs() && !this.hasAttribute("inline");
    const pieces = [inWechat() && webAuthorization, layered && layeredDialog];
    const missing = pieces.flatMap((piece) => (piece && !piece.here ? [piece.fetch()] : []));
    const words = fetchTexts(localeFor(this.#language()));
    const awaited = words ? [words, ...missing] : missing;
    if (awaited.length === 0) {
      callback();
      return;
    }
    const intent = {};
    this.#intent = intent;
    Promise.all(awaited).then(
      () => {
        if (intent === this.#intent) callback();
      },
      () => this.#giveWay(),
    );
  }

  /** Where the modal can't be had, a link leads to the service's own page. */
  #giveWay() {
    this.#view.showPlainLink(hostedPage(this.api));
  }

  /** The visitor pressed the button that opens the modal: inside WeChat there is nothing else to ask. */
  #pressed() {
    this.#whenComplete(() => {
      this.#open();
      this.#authorize();
    });
  }

  #authorize() {
    if (this.#flow && "authorize" in this.#flow) this.#flow.authorize();
  }

  /** A code can be read inside WeChat as well, by pressing it for long. */
  #useCode() {
    const flow = this.#flow;
    this.#flow = null;
    flow?.cancel();
    this.#beginScan();
  }

  /** Hides the modal and ends the login, unless it has already succeeded. */
  close() {
    this.#intent = null;
    const flow = this.#flow;
    if (!flow) return;
    const { user, ticket } = flow.snapshot;
    this.#forgetFlow();
    flow.cancel();
    // Closing first gives the focus back to the page, so that the page may move it on.
    this.#view.close();
    this.#setState("closed");
    if (user) this.#dispatch("wechat-login", { user, ticket });
    this.#dispatch("wechat-login-close");
  }

  /** The visitor has read who they are. On a page of its own the card stays as it is. */
  #greeted() {
    const flow = this.#flow;
    if (!flow || !this.hasAttribute("inline")) {
      this.close();
      return;
    }
    const { user, ticket } = flow.snapshot;
    this.#forgetFlow();
    this.#dispatch("wechat-login", { user, ticket });
  }

  #forgetFlow() {
    this.#flow = null;
    clearTimeout(this.#tickTimer);
    clearTimeout(this.#greetingTimer);
    this.#greetingTimer = undefined;
    this.#remember(null);
  }

  connectedCallback() {
    if (this.#presence) {
      // Moved: removed and added again in one go.
      if (this.#flow) this.#view.reopen();
      return;
    }
    const presence = new AbortController();
    const { signal } = presence;
    this.#presence = presence;
    this.dataset.state = this.#state;
    dress(this.#root, `${this.api}/assets/`, () => this.#giveWay());
    this.#view.inline = this.hasAttribute("inline");
    this.#localise();
    this.#observer.observe(document.documentElement, { attributeFilter: ["lang"] });
    const children = { childList: true, characterData: true, subtree: true };
    this.#observer.observe(this, { ...children, attributeFilter: ["slot"] });
    onStop(signal, onNewLocale(() => this.#localise()));
    listen(window, "pagehide", () => this.#pageHides(), signal);
    listen(window, "pageshow", (event) => this.#pageShows(event), signal);
    // Pieces are fetched again when they are wanted.
    if (isTouched()) void this.#fetch(phone).catch(() => {});
    const opens = this.hasAttribute("inline") || this.#wasOpen();
    // What is missing is fetched now, so that it is here when it is wanted.
    this.#whenComplete(() => {
      const back = inWechat() && this.#wish.session && webAuthorization.here?.isBack();
      if (back && !this.#flow) this.#beginWebAuthorization(true);
      else if (opens) this.#open();
    });
  }

  disconnectedCallback() {
    // A moved element is back before this.
    void Promise.resolve().then(() => {
      if (!this.isConnected) this.#leave();
    });
  }

  /** Moved by `moveBefore`, which leaves everything as it is. */
  connectedMoveCallback() {}

  #leave() {
    this.close();
    this.#presence?.abort();
    this.#presence = null;
    this.#observer.disconnect();
  }

  /** @param {string} name */
  attributeChangedCallback(name) {
    if (!this.#presence) return;
    if (name === "inline") {
      this.close();
      this.#view.inline = this.hasAttribute("inline");
      if (this.hasAttribute("inline")) this.open();
    }
    this.#localise();
  }

  /** @param {Snapshot} snapshot */
  #render(snapshot) {
    const { state, problem } = snapshot;
    const fails = state !== this.#state && (state === "offline" || state === "error");
    const otherwise = problem !== this.#problem;
    this.#problem = problem;
    // Its words have come, or will.
    if (problem && otherwise) void this.#fetch(problems).catch(() => {});
    this.#setState(state);
    this.#view.show(snapshot);
    this.#remember(snapshot.user ? null : snapshot.deadline);
    this.#scheduleTick();
    if (fails || (problem && otherwise)) this.#reportFailure(problem);
    if (state === "confirmed" && this.#greetingTimer === undefined) {
      this.#greetingTimer = setTimeout(() => this.#greeted(), GREETING_MS);
    }
  }

  /** @param {import("./errors.js").Problem | null} problem none: no answer came */
  #reportFailure(problem) {
    this.#dispatch("wechat-login-error", {
      code: problem ? problem.code || "unknown" : "offline",
      status: problem?.status ?? 0,
      retryAfterSeconds: problem?.retryAfterSeconds ?? null,
    });
  }

  /** Ticks when the shown second changes, not a second after whatever came last. */
  #scheduleTick() {
    clearTimeout(this.#tickTimer);
    const deadline = this.#flow?.snapshot.deadline;
    const untilNext = deadline ? (deadline - Date.now()) % 1000 : 0;
    this.#tickTimer = setTimeout(
      () => {
        this.#view.tick();
        this.#scheduleTick();
      },
      untilNext > 20 ? untilNext : 1000,
    );
  }

  /** @param {LoginState} state */
  #setState(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.dataset.state = state;
    this.#dispatch("wechat-login-state", { state });
  }

  /**
   * @param {string} name
   * @param {object} [detail]
   */
  #dispatch(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, detail }));
  }

  #localise() {
    const locale = localeFor(this.#language());
    this.#view.localise({
      texts: Object.assign(textsOf(locale), this.#wordsInside(), this.#texts),
      language: locale.tag,
      label: this.getAttribute("label") || this.#textInside(),
      accountName: this.getAttribute("account-name"),
      accountLogo: this.getAttribute("account-logo"),
    });
  }

  /** Words by element: `<span slot="title">…</span>`. They are read, and shown by nobody else. */
  #wordsInside() {
    /** @type {Record<string, string>} */
    const words = {};
    for (const child of this.children) {
      if (child.slot) words[child.slot] = (child.textContent || "").trim();
    }
    return words;
  }

  #textInside() {
    const texts = [...this.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    return texts.map((node) => node.nodeValue).join("").trim();
  }

  #language() {
    /** @type {Node | null} */
    let node = this;
    while (node) {
      const found = node instanceof Element ? node.closest("[lang]")?.getAttribute("lang") : null;
      if (found) return found;
      const root = node.getRootNode();
      node = root instanceof ShadowRoot ? root.host : null;
    }
    return navigator.language;
  }

  /** The attempt stays on the server: a reload takes it up again and shows the same code. */
  #pageHides() {
    clearTimeout(this.#tickTimer);
    this.#flow?.suspend();
  }

  /** @param {PageTransitionEvent} event */
  #pageShows(event) {
    if (!event.persisted || !this.#flow) return;
    this.#scheduleTick();
    this.#flow.resume();
  }

  /**
   * A phone throws background tabs away while their owner is in WeChat: without this the login
   * would be confirmed and nobody would come for it.
   *
   * @param {number | null} deadline
   */
  #remember(deadline) {
    try {
      if (deadline === null) sessionStorage.removeItem(OPEN_KEY);
      else sessionStorage.setItem(OPEN_KEY, JSON.stringify({ api: this.api, deadline }));
    } catch {
      // Storage can be forbidden; then a reload simply shows the page with the modal closed.
    }
  }

  /** Whether this tab was reloaded while the modal was open. Answers yes once. */
  #wasOpen() {
    try {
      const remembered = JSON.parse(sessionStorage.getItem(OPEN_KEY) ?? "null");
      if (remembered?.api !== this.api) return false;
      sessionStorage.removeItem(OPEN_KEY);
      const arrival = performance.getEntriesByType("navigation")[0];
      const reloaded = /** @type {PerformanceNavigationTiming} */ (arrival)?.type !== "navigate";
      return reloaded && remembered.deadline > Date.now();
    } catch {
      return false;
    }
  }
}

// A page may well load the script twice; a second definition would throw.
if (globalThis.customElements && !customElements.get("wechat-login")) {
  customElements.define("wechat-login", WechatLogin);
}

export { addLocale };
