/**
 * Logging in inside WeChat, where nobody can scan the screen: off to WeChat's consent, which leads
 * back to this page, logged in. Knows nothing of the screen: it tells its owner what to show.
 *
 * Fetched by its address when it is wanted, hence it imports no other script: what is minified
 * together has names of its own.
 *
 * @typedef {import("../client.js").LoginClient} LoginClient
 * @typedef {import("../flow.js").Snapshot} Snapshot
 * @typedef {object} Surroundings
 * @property {Snapshot} closed
 * @property {() => string} returnTo where WeChat is to lead the visitor back
 * @property {import("../client.js").Wish} wish what login is wanted
 * @property {boolean} back whether the visitor has come back to complete it
 * @property {() => void} otherwise the account has no such way: the visitor logs in by another
 * @property {(error: unknown) => Promise<Partial<Snapshot>>} failure
 */
import { insideWechat as texts } from "../locale/zh-CN.js";
import css from "./web-authorization.css";

export { css, texts };

/** Where a tab remembers that its visitor went to WeChat's consent for a ticket. */
const AWAY_KEY = "wechat-login-away";

/**
 * Whether the visitor went to WeChat's consent from here, for a ticket, which this page has yet to
 * come for. (With a session there is nothing to come for.) Answers yes once.
 */
export function isBack() {
  try {
    const away = sessionStorage.getItem(AWAY_KEY);
    sessionStorage.removeItem(AWAY_KEY);
    return away === location.pathname;
  } catch {
    return false;
  }
}

export class WebAuthorizationFlow {
  #client;
  #onChange;
  #surroundings;
  /** @type {Snapshot} */
  #offered;
  /** @type {Snapshot} */
  #snapshot;
  /** The authorization request under way. @type {AbortController | null} */
  #request = null;

  /**
   * @param {LoginClient} client
   * @param {(snapshot: Snapshot) => void} onChange
   * @param {Surroundings} surroundings
   */
  constructor(client, onChange, surroundings) {
    this.#client = client;
    this.#onChange = onChange;
    this.#surroundings = surroundings;
    this.#offered = { ...surroundings.closed, state: "offered", method: "webAuthorization" };
    this.#snapshot = this.#offered;
  }

  get snapshot() {
    return this.#snapshot;
  }

  /**
   * Offers the way to WeChat. It is taken only when the visitor presses: WeChat gives a page that
   * asks unbidden a snapshot's visitor, who isn't real.
   */
  start() {
    if (this.#surroundings.back) void this.#collect();
    else this.#show(this.#offered);
  }

  /** Completes the login, if the visitor agreed. */
  async #collect() {
    const request = new AbortController();
    this.#request = request;
    const { signal } = request;
    this.#show({ ...this.#offered, state: "completing" });
    /** @type {Partial<Snapshot>} */
    let outcome = {};
    try {
      const { status } = await this.#client.status(signal);
      if (status === "confirmed") {
        outcome = { state: "confirmed", ...(await this.#client.complete(this.#surroundings.wish, signal)) };
      }
    } catch (error) {
      outcome = await this.#surroundings.failure(error);
    }
    if (signal.aborted) return;
    this.#request = null;
    this.#show({ ...this.#offered, ...outcome });
  }

  /** The visitor pressed. */
  authorize() {
    if (this.#request) return;
    const request = new AbortController();
    this.#request = request;
    this.#show({ ...this.#offered, state: "leaving" });
    void this.#begin(request.signal);
  }

  refresh() {
    this.authorize();
  }

  retry() {
    this.authorize();
  }

  /** Nothing is ended: the attempt may be on its way through WeChat in another tab. */
  cancel() {
    // The browser may be leaving already.
    if (this.#halt()) stop();
    this.#show(this.#surroundings.closed);
  }

  /** The page goes away, most likely to WeChat. */
  suspend() {
    this.#halt();
  }

  /** The page came back as it was left, perhaps because the visitor didn't agree. */
  resume() {
    this.#show(this.#offered);
  }

  #halt() {
    const request = this.#request;
    this.#request = null;
    request?.abort();
    return request !== null;
  }

  /** @param {Snapshot} snapshot */
  #show(snapshot) {
    this.#snapshot = snapshot;
    this.#onChange(snapshot);
  }

  /** @param {AbortSignal} signal */
  async #begin(signal) {
    try {
      const { returnTo, wish } = this.#surroundings;
      // An attempt without a code, or the one that this browser has.
      const query = { return_to: returnTo(), session: wish.session, request: wish.request };
      const answer = await this.#client.post("api/login/web-authorization", query, signal);
      if (typeof answer?.authorize_url !== "string") throw new Error("no address");
      if (signal.aborted) return;
      if (wish.session) remember();
      location.assign(answer.authorize_url);
    } catch (error) {
      const { failure, otherwise } = this.#surroundings;
      const { code } = /** @type {{code?: string}} */ (error);
      if (code === "no_web_authorization" && !signal.aborted) {
        this.#request = null;
        otherwise();
        return;
      }
      const outcome = await failure(error);
      if (signal.aborted) return;
      this.#request = null;
      this.#show({ ...this.#offered, ...outcome });
    }
  }
}

function remember() {
  try {
    sessionStorage.setItem(AWAY_KEY, location.pathname);
  } catch {
    // Storage can be forbidden; then the visitor presses once more.
  }
}
