/**
 * Logging in inside WeChat, where nobody can scan the screen: off to WeChat's consent, which leads
 * back to this page, logged in. Knows nothing of the screen: it tells its owner what to show.
 *
 * @typedef {import("./client.js").LoginClient} LoginClient
 * @typedef {import("./flow.js").Snapshot} Snapshot
 */
import { Problem, Unreachable } from "./client.js";
import { CLOSED } from "./flow.js";

/**
 * Whether this page is shown by WeChat's own browser. WeCom's names WeChat too, and has no consent
 * of the Official Account's.
 */
export function inWechat() {
  return /MicroMessenger/i.test(navigator.userAgent) && !/wxwork/i.test(navigator.userAgent);
}

/** @type {Snapshot} */
const OFFERED = { ...CLOSED, state: "offered", webAuthorization: true };

export class WebAuthorizationFlow {
  #client;
  #onChange;
  #snapshot = OFFERED;
  /** The authorization request under way. @type {AbortController | null} */
  #request = null;

  /**
   * @param {LoginClient} client
   * @param {(snapshot: Snapshot) => void} onChange
   */
  constructor(client, onChange) {
    this.#client = client;
    this.#onChange = onChange;
  }

  get snapshot() {
    return this.#snapshot;
  }

  /**
   * Offers the way to WeChat. It is taken only when the visitor presses: WeChat gives a page that
   * asks unbidden a snapshot's visitor, who isn't real.
   */
  start() {
    this.#show(OFFERED);
  }

  /** The visitor pressed. */
  authorize() {
    if (this.#request) return;
    const request = new AbortController();
    this.#request = request;
    this.#show({ ...OFFERED, state: "leaving" });
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
    this.#show(CLOSED);
  }

  /** The page goes away, most likely to WeChat. */
  suspend() {
    this.#halt();
  }

  /** The page came back as it was left, perhaps because the visitor didn't agree. */
  resume() {
    this.#show(OFFERED);
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
      const { authorize_url: address } = await this.#client.beginWebAuthorization(location, signal);
      if (!signal.aborted) location.assign(address);
    } catch (error) {
      if (signal.aborted) return;
      this.#request = null;
      if (error instanceof Unreachable) {
        this.#show({ ...OFFERED, state: "offline" });
        return;
      }
      const problem = error instanceof Problem ? error : new Problem(0, "internal", null);
      this.#show({ ...OFFERED, state: "error", problem });
    }
  }
}
