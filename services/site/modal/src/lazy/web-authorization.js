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
 * @property {(error: unknown) => Partial<Snapshot>} failure
 */
import css from "./web-authorization.css";

export { css };

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
    this.#offered = { ...surroundings.closed, state: "offered", webAuthorization: true };
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
    this.#show(this.#offered);
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
      const query = new URLSearchParams({ return_to: this.#surroundings.returnTo() });
      // An attempt without a code, or the one that this browser has.
      const answer = await this.#client.post(`api/login/web-authorization?${query}`, signal);
      if (typeof answer?.authorize_url !== "string") throw new Error("no address");
      if (!signal.aborted) location.assign(answer.authorize_url);
    } catch (error) {
      if (signal.aborted) return;
      this.#request = null;
      this.#show({ ...this.#offered, ...this.#surroundings.failure(error) });
    }
  }
}
