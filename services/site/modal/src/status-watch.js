/**
 * Waits until an attempt is decided: by an event stream, and by polling where no stream gets
 * through.
 *
 * @typedef {import("./client.js").LoginClient} LoginClient
 * @typedef {import("./client.js").StatusAnswer} StatusAnswer
 * @typedef {"confirmed" | "denied" | "expired" | "consumed" | "gone"} Decision
 *   `gone`: the server knows no attempt of this browser
 */
import { Problem, Unreachable } from "./errors.js";
import { listen } from "./signals.js";

/** A proxy that buffers lets a stream open and then delivers nothing. The first event is due at once. */
const FIRST_EVENT_MS = 5_000;

/** So many interruptions without a single event between them, and the stream is given up. */
const STREAM_FAILURES = 3;

/** However often a tab comes to the front: no more than one question in this time. */
const MIN_INTERVAL_MS = 2_000;

const DEFAULT_INTERVAL_MS = 2_500;
const MAX_INTERVAL_MS = 30_000;

/** So many polls without any answer in a row, and the network counts as gone. */
const UNANSWERED_POLLS = 2;

/**
 * @typedef {object} WatchOptions
 * @property {number} pollIntervalMs
 * @property {() => number} deadline when the code stops being good, in ms since 1970; may move
 * @property {(answer: StatusAnswer) => void} onStatus every answer, undecided ones too
 * @property {(troubled: boolean) => void} onTrouble the server is there and can't answer just now
 */

/**
 * @param {LoginClient} client
 * @param {WatchOptions} options
 * @param {AbortSignal} signal ends the watch at once and without a trace
 * @returns {Promise<Decision>} rejects with `Unreachable` when the network is gone
 */
export function watchStatus(client, options, signal) {
  return new Promise((resolve, reject) => {
    new StatusWatch(client, options, signal, resolve, reject).begin();
  });
}

class StatusWatch {
  #client;
  #options;
  #resolve;
  #reject;
  /** Everything this watch started hangs on it: one abort, and nothing is left. */
  #control = new AbortController();
  /** @type {EventSource | null} */
  #stream = null;
  #streamFailures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #firstEventTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pollTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #deadlineTimer;
  #asking = false;
  #askedAt = 0;
  #notBefore = 0;
  #interval;
  #unanswered = 0;

  /**
   * @param {LoginClient} client
   * @param {WatchOptions} options
   * @param {AbortSignal} signal
   * @param {(decision: Decision) => void} resolve
   * @param {(reason: unknown) => void} reject
   */
  constructor(client, options, signal, resolve, reject) {
    this.#client = client;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#interval = Math.max(MIN_INTERVAL_MS, options.pollIntervalMs || DEFAULT_INTERVAL_MS);
    // Whoever stopped it doesn't wait for a reason.
    const stopped = new Unreachable("stopped");
    listen(signal, "abort", () => this.#end(() => reject(stopped)), this.#control.signal);
  }

  begin() {
    const { signal } = this.#control;
    listen(document, "visibilitychange", () => this.#visibilityChanged(), signal);
    listen(window, "offline", () => this.#fail(new Unreachable("offline")), signal);
    this.#armDeadline();
    this.#openStream();
  }

  /** @param {() => void} settle */
  #end(settle) {
    if (this.#control.signal.aborted) return;
    this.#control.abort();
    this.#closeStream();
    clearTimeout(this.#pollTimer);
    clearTimeout(this.#deadlineTimer);
    settle();
  }

  /** @param {Decision} decision */
  #decide(decision) {
    this.#end(() => this.#resolve(decision));
  }

  /** @param {unknown} reason */
  #fail(reason) {
    this.#end(() => this.#reject(reason));
  }

  #openStream() {
    const stream = this.#client.events();
    this.#stream = stream;
    this.#firstEventTimer = setTimeout(() => this.#giveUpStream(), FIRST_EVENT_MS);
    stream.addEventListener("status", (event) => {
      const answer = JSON.parse(event.data);
      clearTimeout(this.#firstEventTimer);
      this.#streamFailures = 0;
      this.#receive(answer);
    });
    stream.addEventListener("error", () => {
      this.#streamFailures += 1;
      // The browser reconnects by itself after an interruption, not after a refusal.
      const refused = stream.readyState === EventSource.CLOSED;
      if (refused || this.#streamFailures >= STREAM_FAILURES) this.#giveUpStream();
    });
  }

  #closeStream() {
    clearTimeout(this.#firstEventTimer);
    this.#stream?.close();
    this.#stream = null;
  }

  #giveUpStream() {
    this.#closeStream();
    void this.#ask();
  }

  /** @param {StatusAnswer} answer */
  #receive(answer) {
    this.#unanswered = 0;
    this.#options.onTrouble(false);
    this.#options.onStatus(answer);
    this.#armDeadline();
    if (answer.status !== "pending" && answer.status !== "scanned") this.#decide(answer.status);
  }

  #schedulePoll() {
    clearTimeout(this.#pollTimer);
    if (this.#stream || this.#control.signal.aborted) return;
    // Spread, so that the browsers that one restarting server dropped don't come back in step.
    const spread = this.#interval * (1 + 0.2 * Math.random());
    const wait = Math.max(spread, this.#notBefore - Date.now());
    this.#pollTimer = setTimeout(() => void this.#ask(), wait);
  }

  /** Asks once, unless a question is under way or the last one was a moment ago. */
  async #ask() {
    clearTimeout(this.#pollTimer);
    const earliest = Math.max(this.#askedAt + MIN_INTERVAL_MS, this.#notBefore);
    if (this.#asking || this.#control.signal.aborted) return;
    if (Date.now() < earliest) {
      this.#pollTimer = setTimeout(() => void this.#ask(), earliest - Date.now());
      return;
    }
    this.#asking = true;
    this.#askedAt = Date.now();
    try {
      this.#receive(await this.#client.status(this.#control.signal));
    } catch (error) {
      this.#askFailed(error);
    } finally {
      this.#asking = false;
    }
    if (document.hidden) this.#interval = Math.min(this.#interval * 1.5, MAX_INTERVAL_MS);
    this.#schedulePoll();
  }

  /** @param {unknown} error */
  #askFailed(error) {
    if (this.#control.signal.aborted) return;
    if (error instanceof Unreachable) {
      this.#unanswered += 1;
      if (this.#unanswered >= UNANSWERED_POLLS) this.#fail(error);
      return;
    }
    if (!(error instanceof Problem)) {
      this.#fail(error);
    } else if (error.status === 404) {
      this.#decide("gone");
    } else if (error.status === 410) {
      this.#decide(error.code === "login_denied" ? "denied" : "expired");
    } else if (error.passes) {
      // The code on the screen stays good while the server recovers.
      this.#notBefore = Date.now() + (error.retryAfterSeconds ?? 0) * 1000;
      this.#unanswered = 0;
      this.#options.onTrouble(true);
    } else {
      this.#fail(error);
    }
  }

  #visibilityChanged() {
    if (document.hidden) return;
    this.#interval = Math.max(MIN_INTERVAL_MS, this.#options.pollIntervalMs || DEFAULT_INTERVAL_MS);
    // A phone freezes the page while its owner is in WeChat; the stream may not have noticed yet.
    void this.#ask();
  }

  #armDeadline() {
    clearTimeout(this.#deadlineTimer);
    const left = this.#options.deadline() - Date.now();
    this.#deadlineTimer = setTimeout(() => void this.#lastQuestion(), Math.max(0, left));
  }

  /** Someone may have scanned in the last second: the server has the last word, if it has one. */
  async #lastQuestion() {
    this.#closeStream();
    clearTimeout(this.#pollTimer);
    this.#asking = true;
    try {
      const answer = await this.#client.status(this.#control.signal);
      const undecided = answer.status === "pending" || answer.status === "scanned";
      this.#decide(undecided ? "expired" : /** @type {Decision} */ (answer.status));
    } catch (error) {
      this.#decide(error instanceof Problem && error.status === 404 ? "gone" : "expired");
    }
  }
}
