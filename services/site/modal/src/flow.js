/**
 * One login from "open" to "logged in", as a sequence of states. Knows nothing of the screen: it
 * tells its owner what to show.
 *
 * @typedef {import("./client.js").LoginClient} LoginClient
 * @typedef {import("./client.js").BegunLogin} BegunLogin
 * @typedef {import("./client.js").Login} Login
 * @typedef {import("./client.js").Digits} Digits
 * @typedef {import("./client.js").MethodChoice} MethodChoice
 * @typedef {import("./client.js").QrCode} QrCode
 * @typedef {import("./client.js").StatusAnswer} StatusAnswer
 * @typedef {import("./client.js").User} User
 * @typedef {import("./status-watch.js").Decision} Decision
 *
 * @typedef {"closed" | "loading" | "pending" | "scanned" | "completing" | "confirmed" | "expired"
 *   | "denied" | "error" | "offline" | "offered" | "leaving"} LoginState
 *
 * @typedef {object} Snapshot
 * @property {LoginState} state
 * @property {MethodChoice | "webAuthorization"} method how the visitor logs in; `auto` while that
 *   isn't known; `webAuthorization`: by way of WeChat's consent, without anything to scan or send
 * @property {MethodChoice[]} methods what else is offered
 * @property {QrCode | null} qr
 * @property {Digits | null} code
 * @property {number | null} deadline when the code stops being good, in ms since 1970
 * @property {number} lifetimeMs how long the code was good for when it was drawn
 * @property {boolean} troubled the server can't answer just now; the code stays good
 * @property {User | null} user set in `confirmed`
 * @property {string | null} ticket for the page's own backend, in `confirmed`
 * @property {Problem | null} problem set in `error`
 */
import { timeout } from "./client.js";
import { Problem, Unreachable } from "./errors.js";
import { problems } from "./pieces.js";
import { listen, sleep, throwIfStopped } from "./signals.js";
import { watchStatus } from "./status-watch.js";

/** @type {Snapshot} */
export const CLOSED = {
  state: "closed",
  method: "auto",
  methods: [],
  qr: null,
  code: null,
  deadline: null,
  lifetimeMs: 0,
  troubled: false,
  user: null,
  ticket: null,
  problem: null,
};

/** How long the words for a problem may take to come. */
const WORDS_MS = 2_000;

/**
 * The state that an error leads to, once there are words for it.
 *
 * @param {unknown} error
 * @returns {Promise<Partial<Snapshot>>}
 */
export async function failure(error) {
  if (error instanceof Unreachable) return { state: "offline" };
  await Promise.race([problems.fetch(), timeout(WORDS_MS)]).catch(() => {});
  return {
    state: "error",
    problem: error instanceof Problem ? error : new Problem(0, "internal", null),
  };
}

/** Redeeming is repeated through an outage; the server allows it for a minute. */
const COMPLETE_TRIES = 6;

export class LoginFlow {
  #client;
  #wish;
  #prepare;
  #onChange;
  /** @type {AbortController | null} */
  #run = null;
  /** @type {{begun: BegunLogin, expiresAt: string | null} | null} */
  #attempt = null;
  /** Whether this flow asked for the session, so that a lost answer can be asked for again. */
  #redeeming = false;
  #failures = 0;
  #suspended = false;
  #snapshot = CLOSED;

  /**
   * @param {LoginClient} client
   * @param {import("./client.js").Wish} wish
   * @param {(begun: BegunLogin) => unknown} prepare gets what is needed to show it; may be waited for
   * @param {(snapshot: Snapshot) => void} onChange
   */
  constructor(client, wish, prepare, onChange) {
    this.#client = client;
    this.#wish = wish;
    this.#prepare = prepare;
    this.#onChange = onChange;
  }

  get snapshot() {
    return this.#snapshot;
  }

  /** Starts, or goes on with the attempt that there is. Does nothing while it runs. */
  start() {
    if (this.#run) return;
    const run = new AbortController();
    this.#run = run;
    void this.#follow(run.signal);
  }

  /** A new code, whatever became of the last one. */
  refresh() {
    this.#halt();
    this.#attempt = null;
    this.#redeeming = false;
    this.#client.end();
    const { method, methods } = this.#snapshot;
    this.#show({ ...CLOSED, state: "loading", method, methods });
    this.start();
  }

  /**
   * Another way to log in.
   *
   * @param {MethodChoice} method
   */
  use(method) {
    this.#wish = { ...this.#wish, method };
    this.#snapshot = { ...this.#snapshot, method };
    this.refresh();
  }

  /** Goes on with the attempt that there is: the way out of `error` and `offline`. */
  retry() {
    this.#halt();
    this.#show({ state: "loading" });
    this.start();
  }

  /** Stops everything and ends the attempt. After its goodbye nothing leaves the page any more. */
  cancel() {
    this.#halt();
    this.#attempt = null;
    this.#redeeming = false;
    this.#client.end();
    this.#show(CLOSED);
  }

  /** Stops everything and leaves the attempt alone: the page goes away, and may come back. */
  suspend() {
    this.#suspended = this.#run !== null;
    this.#halt();
    this.#client.release();
  }

  /** The page came back as it was left. */
  resume() {
    if (this.#suspended) this.start();
    this.#suspended = false;
  }

  #halt() {
    this.#run?.abort();
    this.#run = null;
  }

  /** @param {Partial<Snapshot>} change */
  #show(change) {
    this.#snapshot = { ...this.#snapshot, troubled: false, problem: null, ...change };
    this.#onChange(this.#snapshot);
  }

  /**
   * Nothing goes on by itself from here.
   *
   * @param {Partial<Snapshot>} end
   */
  #rest(end) {
    this.#run = null;
    this.#show(end);
  }

  /** @param {AbortSignal} signal */
  async #follow(signal) {
    // After a break in the network the words "offline" stay until there is better news.
    if (this.#snapshot.state !== "offline") this.#show({ state: "loading" });
    while (!signal.aborted) {
      try {
        const end = await this.#journey(signal);
        if (!signal.aborted) this.#rest(end);
        return;
      } catch (error) {
        if (signal.aborted) return;
        const failed = await failure(error);
        if (signal.aborted) return;
        if (failed.state === "error") {
          this.#rest(failed);
          return;
        }
        if (this.#snapshot.state !== "offline") this.#show(failed);
        await networkBack(this.#failures++, signal);
      }
    }
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<Partial<Snapshot>>} the state in which this run ends
   */
  async #journey(signal) {
    /** @type {import("./client.js").AttemptStatus | "gone"} */
    let status = await (this.#attempt ? this.#rejoin(signal) : this.#begin(signal));
    this.#failures = 0;
    for (let unconfirmed = 0; ; unconfirmed += 1) {
      if (status === "pending" || status === "scanned") {
        this.#show({ state: status });
        status = await this.#watch(signal);
      }
      switch (status) {
        case "confirmed": {
          this.#show({ state: "completing" });
          const end = await this.#complete(signal);
          if (end) return end;
          // A replica that lags says "not yet": it catches up within moments, or something is
          // wrong.
          if (unconfirmed === 4) throw new Problem(409, "login_not_confirmed", null);
          await sleep(500 * 2 ** unconfirmed, signal);
          status = "confirmed";
          break;
        }
        case "denied":
          this.#client.forget();
          return { state: "denied" };
        case "expired":
          // Nothing is forgotten: where only this device's clock says so, the server may still hold
          // the attempt, and it is to end before the next one begins.
          return { state: "expired" };
        default:
          return this.#elsewhere(signal);
      }
    }
  }

  /** @param {AbortSignal} signal */
  async #begin(signal) {
    const begun = await this.#client.begin(this.#wish, signal);
    await this.#prepare(begun);
    throwIfStopped(signal);
    const lifetimeMs = begun.expires_in_seconds * 1000;
    this.#attempt = { begun, expiresAt: begun.expires_at };
    // Counted from the answer's arrival: this device's clock may be wrong, but it runs evenly.
    this.#snapshot = {
      ...this.#snapshot,
      method: begun.method ?? "scan",
      methods: this.#others(begun),
      qr: begun.qr,
      code: begun.code ?? null,
      deadline: Date.now() + lifetimeMs,
      lifetimeMs,
    };
    return begun.status;
  }

  /**
   * What is offered beside what is shown. `auto` leads back to a scan for who went away from it.
   *
   * @param {BegunLogin} begun
   */
  #others({ method, methods = [] }) {
    const wished = this.#wish.method;
    return methods.filter(
      (other) => other !== method && other !== wished && (other !== "auto" || wished),
    );
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<import("./client.js").AttemptStatus | "gone">}
   */
  async #rejoin(signal) {
    try {
      const answer = await this.#client.status(signal);
      this.#noteExpiry(answer);
      return answer.status;
    } catch (error) {
      if (error instanceof Problem && error.status === 404) return "gone";
      if (error instanceof Problem && error.status === 410) return "expired";
      throw error;
    }
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<Decision>}
   */
  #watch(signal) {
    const { begun } = /** @type {{begun: BegunLogin}} */ (this.#attempt);
    return watchStatus(
      this.#client,
      {
        pollIntervalMs: begun.poll_interval_ms,
        deadline: () => this.#snapshot.deadline ?? 0,
        onStatus: (answer) => {
          this.#noteExpiry(answer);
          const undecided = answer.status === "pending" || answer.status === "scanned";
          if (undecided && answer.status !== this.#snapshot.state) {
            this.#show({ state: /** @type {LoginState} */ (answer.status) });
          }
        },
        onTrouble: (troubled) => {
          if (troubled !== this.#snapshot.troubled) this.#show({ troubled });
        },
      },
      signal,
    );
  }

  /**
   * The server may give a scanned attempt more time. Only the difference counts, for the two clocks
   * need not agree.
   *
   * @param {StatusAnswer} answer
   */
  #noteExpiry(answer) {
    const { deadline } = this.#snapshot;
    if (!this.#attempt?.expiresAt || !answer.expires_at || deadline === null) return;
    const moved = Date.parse(answer.expires_at) - Date.parse(this.#attempt.expiresAt);
    if (!Number.isFinite(moved) || moved === 0) return;
    this.#attempt.expiresAt = answer.expires_at;
    this.#snapshot = {
      ...this.#snapshot,
      deadline: deadline + moved,
      lifetimeMs: this.#snapshot.lifetimeMs + moved,
    };
    this.#onChange(this.#snapshot);
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<Partial<Snapshot> | null>} null: not confirmed yet
   */
  async #complete(signal) {
    this.#redeeming = true;
    for (let tries = 1; ; tries += 1) {
      try {
        return loggedIn(await this.#client.complete(this.#wish, signal));
      } catch (error) {
        throwIfStopped(signal);
        if (error instanceof Problem && !error.passes) return this.#refused(error, signal);
        if (tries === COMPLETE_TRIES) throw error;
        const wait = error instanceof Problem ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
        await sleep(Math.max(wait, 400 * 2 ** tries), signal);
      }
    }
  }

  /**
   * @param {Problem} problem
   * @param {AbortSignal} signal
   * @returns {Promise<Partial<Snapshot> | null>}
   */
  async #refused(problem, signal) {
    if (problem.status === 409) return null;
    if (problem.code === "login_denied") return { state: "denied" };
    if (problem.code === "login_expired") return { state: "expired" };
    if (problem.status !== 404 && problem.status !== 410) throw problem;
    return (await this.#session(signal)) ?? { state: "expired" };
  }

  /**
   * The attempt was redeemed, or is gone: by another tab of this browser, which then has a session,
   * or by this flow's own request whose answer got lost.
   *
   * @param {AbortSignal} signal
   * @returns {Promise<Partial<Snapshot>>}
   */
  async #elsewhere(signal) {
    const session = await this.#session(signal);
    if (session) return session;
    const again = this.#redeeming ? await this.#complete(signal) : null;
    return again ?? { state: "expired" };
  }

  /**
   * A session that another tab got. It proves nothing to a page that wants a scan of its own.
   *
   * @param {AbortSignal} signal
   */
  async #session(signal) {
    const login = this.#wish.session ? null : await this.#client.session(signal);
    if (!login) return null;
    this.#client.forget();
    return loggedIn(login);
  }
}

/**
 * @param {Login} login
 * @returns {Partial<Snapshot>}
 */
function loggedIn({ user, ticket }) {
  return { state: "confirmed", user, ticket };
}

/**
 * Resolves when another try makes sense: when the browser says that it is online again, or after a
 * growing pause, since a server can be away while the network is there.
 *
 * @param {number} failures
 * @param {AbortSignal} signal
 */
async function networkBack(failures, signal) {
  const pause = Math.min(30_000, 3_000 * 2 ** failures) * (0.8 + 0.4 * Math.random());
  const tried = new AbortController();
  const stop = () => tried.abort();
  listen(signal, "abort", stop, tried.signal);
  listen(window, "online", stop, tried.signal);
  await sleep(pause, tried.signal).catch(() => {});
  tried.abort();
}
