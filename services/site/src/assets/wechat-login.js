/**
 * `<wechat-login>`: log in by scanning a WeChat QR code; inside WeChat, by its consent. Two lines
 * on any page of the login service's own origin, or of another one of the same site that its
 * setting public.allowed_origins names:
 *
 *     <script type="module" src="https://login.example.com/assets/wechat-login.js"></script>
 *     <wechat-login></wechat-login>
 *
 * Attributes
 *   api     address of the login service; by default the origin that this script came from
 *   lang    zh-CN or en; by default the nearest ancestor's lang, else the browser's language
 *   theme   light or dark; by default what the system prefers
 *   label   the button's text
 * An element inside replaces the button: <wechat-login><button>…</button></wechat-login>.
 *
 * Methods: open(), close(). Property: state, also mirrored in the attribute data-state, one of
 * closed, loading, pending, scanned, completing, confirmed, expired, denied, error, offline; inside
 * WeChat also offered (the button to WeChat's consent) and leaving (on the way there). After the
 * consent the page is loaded again, logged in, without an event.
 *
 * Events, all of them bubbling and composed
 *   wechat-login        detail.user: openid, unionid, nickname, avatar_url, location, subscribed
 *   wechat-login-close  the modal closed, for whatever reason
 *   wechat-login-state  detail.state
 *
 * Looks: the custom properties --wechat-login-accent, -on-accent, -surface, -sunken, -text, -muted,
 * -line, -radius, -font, and the parts button, dialog, close, stage, code, cover, avatar, action,
 * countdown, steps, hint, save, use-code.
 */
import { LoginClient } from "./wechat-login/client.js";
import { LoginFlow } from "./wechat-login/flow.js";
import { styles } from "./wechat-login/styles.js";
import { languageOf, textsIn } from "./wechat-login/texts.js";
import { LoginView } from "./wechat-login/view.js";
import { inWechat, WebAuthorizationFlow } from "./wechat-login/web-authorization.js";

/** @typedef {import("./wechat-login/flow.js").Snapshot} Snapshot */
/** @typedef {import("./wechat-login/flow.js").LoginState} LoginState */

/** How long the nickname and the avatar are shown before the modal gives way to the page. */
const GREETING_MS = 1_400;

/** Where a tab remembers that its modal is open, so that a reload doesn't lose it. */
const OPEN_KEY = "wechat-login-open";

export class WechatLogin extends HTMLElement {
  static observedAttributes = ["lang", "label"];

  #view;
  /**
   * The login in progress; none while the modal is closed.
   *
   * @type {LoginFlow | WebAuthorizationFlow | null}
   */
  #flow = null;
  /** @type {LoginState} */
  #state = "closed";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #tickTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #greetingTimer;
  /** Listeners on the page, for as long as the element is on it. @type {AbortController | null} */
  #presence = null;
  #documentLanguage = new MutationObserver(() => this.#localise());

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [styles];
    this.#view = new LoginView(root, textsIn(this.#language()), {
      onOpen: () => this.#pressed(),
      onClose: () => this.close(),
      onRefresh: () => this.#flow?.refresh(),
      onRetry: () => this.#flow?.retry(),
      onAuthorize: () => this.#authorize(),
      onUseCode: () => this.#useCode(),
    });
  }

  /** @returns {LoginState} */
  get state() {
    return this.#state;
  }

  /** Address of the login service. */
  get api() {
    return this.getAttribute("api") || new URL(import.meta.url).origin;
  }

  set api(address) {
    this.setAttribute("api", address);
  }

  /** Shows the modal and starts a login, or inside WeChat offers one. Does nothing when it is open. */
  open() {
    if (this.#flow || !this.isConnected) return;
    this.#begin(inWechat() ? WebAuthorizationFlow : LoginFlow);
  }

  /** @param {typeof LoginFlow | typeof WebAuthorizationFlow} Flow */
  #begin(Flow) {
    const flow = new Flow(LoginClient.at(this.api), (snapshot) => {
      // What comes late from an earlier opening concerns nobody any more.
      if (flow === this.#flow) this.#render(snapshot);
    });
    this.#flow = flow;
    this.#localise();
    if (!this.#view.dialog.open) this.#view.dialog.showModal();
    flow.start();
  }

  /** The visitor pressed the button that opens the modal: inside WeChat there is nothing else to ask. */
  #pressed() {
    this.open();
    this.#authorize();
  }

  #authorize() {
    if (this.#flow instanceof WebAuthorizationFlow) this.#flow.authorize();
  }

  /** A code can be read inside WeChat as well, by pressing it for long. */
  #useCode() {
    const flow = this.#flow;
    this.#flow = null;
    flow?.cancel();
    this.#begin(LoginFlow);
  }

  /** Hides the modal and ends the login, unless it has already succeeded. */
  close() {
    const flow = this.#flow;
    if (!flow) return;
    const { user } = flow.snapshot;
    this.#flow = null;
    clearTimeout(this.#tickTimer);
    clearTimeout(this.#greetingTimer);
    this.#greetingTimer = undefined;
    this.#remember(null);
    flow.cancel();
    // Closing first gives the focus back to the page, so that the page may move it on.
    this.#view.dialog.close();
    this.#setState("closed");
    if (user) this.#dispatch("wechat-login", { user });
    this.#dispatch("wechat-login-close");
  }

  connectedCallback() {
    this.dataset.state = this.#state;
    this.#localise();
    this.#documentLanguage.observe(document.documentElement, { attributeFilter: ["lang"] });
    this.#presence = new AbortController();
    const { signal } = this.#presence;
    addEventListener("pagehide", () => this.#pageHides(), { signal });
    addEventListener("pageshow", (event) => this.#pageShows(event), { signal });
    if (this.#wasOpen()) this.open();
  }

  disconnectedCallback() {
    this.close();
    this.#presence?.abort();
    this.#documentLanguage.disconnect();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#localise();
  }

  /** @param {Snapshot} snapshot */
  #render(snapshot) {
    this.#setState(snapshot.state);
    this.#view.show(snapshot);
    this.#remember(snapshot.user ? null : snapshot.deadline);
    this.#scheduleTick();
    if (snapshot.state === "confirmed" && this.#greetingTimer === undefined) {
      this.#greetingTimer = setTimeout(() => this.close(), GREETING_MS);
    }
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
    const language = this.#language();
    const label = this.getAttribute("label") || this.textContent?.trim() || null;
    this.#view.localise(textsIn(language), language, label);
  }

  #language() {
    /** @type {Node | null} */
    let node = this;
    while (node) {
      const found = node instanceof Element ? node.closest("[lang]")?.getAttribute("lang") : null;
      if (found) return languageOf(found);
      const root = node.getRootNode();
      node = root instanceof ShadowRoot ? root.host : null;
    }
    return languageOf(navigator.language);
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
      const [arrival] = performance.getEntriesByType("navigation");
      const reloaded = /** @type {PerformanceNavigationTiming} */ (arrival)?.type !== "navigate";
      return reloaded && remembered.deadline > Date.now();
    } catch {
      return false;
    }
  }
}

// A page may well load the script twice; a second definition would throw.
if (!customElements.get("wechat-login")) customElements.define("wechat-login", WechatLogin);
