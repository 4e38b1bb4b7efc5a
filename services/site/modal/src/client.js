/**
 * The login API over HTTP, as a browser sees it. Knows addresses, headers and what an answer means;
 * knows nothing of waiting, of states or of the screen.
 *
 * @typedef {"pending" | "scanned" | "confirmed" | "denied" | "expired" | "consumed"} AttemptStatus
 * @typedef {{status: AttemptStatus, expires_at: string | null}} StatusAnswer
 * @typedef {{content: string, svg: string, image_url: string | null}} QrCode
 * @typedef {"scan" | "code" | "page"} Method
 * @typedef {Method | "auto"} MethodChoice
 * @typedef {{
 *   digits: string, account_name: string | null, account_qr_url: string | null
 * }} Digits what the visitor sends to the account
 * @typedef {StatusAnswer & {
 *   expires_in_seconds: number, poll_interval_ms: number, qr: QrCode | null,
 *   method?: Method, methods?: MethodChoice[], code?: Digits | null
 * }} BegunLogin
 * @typedef {object} Wish what login is wanted, as the API names it; what is empty isn't said
 * @property {string | null} [session] `none`: a ticket and no session
 * @property {string | null} [request] of the website that the visitor goes on to
 * @property {string | null} [method] one of {@link MethodChoice}
 * @typedef {{
 *   openid: string, unionid: string | null, nickname: string | null, avatar_url: string | null,
 *   location: string | null, subscribed: boolean | null
 * }} User
 * @typedef {{user: User, ticket: string | null}} Login
 *   who logged in, and the ticket for the page's own backend where the site gives any
 */
import { Problem, Unreachable } from "./errors.js";
import { problems } from "./pieces.js";
import { onStop, throwIfStopped } from "./signals.js";

/** An answer that takes longer counts as no answer. */
const ANSWER_TIMEOUT_MS = 15_000;

/** How often work is done for one login: a proof may come too late, or to a replica with another key. */
const MOST_WORKS = 3;

/** How long a new attempt waits for the end of the one before it. */
const GOODBYE_TIMEOUT_MS = 4_000;

/**
 * One site's login API. The attempt belongs to the browser (a cookie), hence there is one client
 * per address, whatever the number of elements on the page: see {@link LoginClient.of}.
 */
export class LoginClient {
  /** @type {Map<string, LoginClient>} */
  static #clients = new Map();

  /** @param {string} base address of the site; a path is kept */
  static of(base) {
    const address = base.endsWith("/") ? base : `${base}/`;
    let client = LoginClient.#clients.get(address);
    if (!client) {
      client = new LoginClient(address);
      LoginClient.#clients.set(address, client);
    }
    return client;
  }

  #base;
  /** @type {RequestCredentials} */
  #credentials;
  /** @type {Promise<BegunLogin> | null} */
  #beginning = null;
  /** @type {AbortController | null} */
  #beginningControl = null;
  /** @type {Promise<void> | null} */
  #ending = null;
  /** Whether the server may hold an attempt that nobody would end but us. */
  #held = false;
  #wanted = false;

  /** @param {string} base */
  constructor(base) {
    this.#base = new URL(base, location.href);
    this.#credentials = this.#base.origin === location.origin ? "same-origin" : "include";
  }

  /**
   * Starts an attempt, or takes up the one this browser has.
   *
   * The request outlives a modal that closes meanwhile, since only its answer brings the cookie
   * that the goodbye needs; a modal that opens again in that time adopts it. Two requests side by
   * side could leave the cookie of one attempt beside the picture of the other.
   *
   * @param {Wish} wish
   * @param {AbortSignal} signal
   * @returns {Promise<BegunLogin>}
   */
  async begin({ request, method }, signal) {
    this.#wanted = true;
    // A goodbye that arrived after the new attempt would end that one.
    await this.#ending;
    throwIfStopped(signal);
    this.#beginning ??= this.#begin({ request, method });
    const begun = await this.#beginning;
    throwIfStopped(signal);
    return begun;
  }

  /** @param {Record<string, string | null | undefined>} query */
  async #begin(query) {
    this.#beginningControl = new AbortController();
    const { signal } = this.#beginningControl;
    /**
     * @param {number} works how often it may be asked for work first
     * @returns {Promise<any>}
     */
    const ask = async (works) => {
      try {
        return await this.post("api/login", query, signal);
      } catch (/** @type {any} */ problem) {
        if (!works || !problem.challenge) throw problem;
        const { solve } = await problems.fetch();
        query.proof = await solve(problem.challenge, signal);
        return ask(works - 1);
      }
    };
    try {
      const begun = await ask(MOST_WORKS);
      if (typeof begun?.status !== "string") throw new Problem(201, "unreadable_answer", null);
      this.#held = true;
      if (!this.#wanted) void this.#sayGoodbye();
      return /** @type {BegunLogin} */ (begun);
    } finally {
      this.#beginning = null;
      this.#beginningControl = null;
    }
  }

  /**
   * Ends the attempt, by one request that survives the page; none when there is nothing to end. An
   * attempt whose answer is still under way is ended as soon as the answer is there.
   */
  end() {
    this.#wanted = false;
    if (!this.#beginning && this.#held) void this.#sayGoodbye();
  }

  #sayGoodbye() {
    this.#held = false;
    const sent = fetch(this.#url("api/login"), {
      method: "DELETE",
      credentials: this.#credentials,
      keepalive: true,
    });
    // Nobody reads the body of a refusal; unread, it would keep its connection.
    const settled = sent.then((answer) => answer.text()).catch(() => "");
    this.#ending = Promise.race([settled, timeout(GOODBYE_TIMEOUT_MS)]).then(() => {
      this.#ending = null;
    });
    return this.#ending;
  }

  /** The server said that the attempt is over: nothing is left to end. */
  forget() {
    this.#held = false;
  }

  /** The page goes away. The attempt stays, so that a reload can show the same code. */
  release() {
    this.#beginningControl?.abort();
  }

  /**
   * @param {AbortSignal} signal
   * @returns {Promise<StatusAnswer>}
   */
  status(signal) {
    return this.#json("GET", "api/login", signal);
  }

  /** Opens the stream of status events; the caller closes it. */
  events() {
    return new EventSource(this.#url("api/login/events"), {
      withCredentials: this.#credentials === "include",
    });
  }

  /**
   * Turns a confirmed attempt into a login. A repeat after a lost answer succeeds.
   *
   * @param {Wish} wish
   * @param {AbortSignal} signal
   * @returns {Promise<Login>}
   */
  async complete({ session, request }, signal) {
    const answer = loginIn(await this.post("api/login/complete", { session, request }, signal));
    if (!answer) throw new Problem(200, "unreadable_answer", null);
    this.#held = false;
    return answer;
  }

  /**
   * Who is signed in in this browser, perhaps by way of another tab.
   *
   * @param {AbortSignal} signal
   * @returns {Promise<Login | null>}
   */
  async session(signal) {
    try {
      return loginIn(await this.#json("GET", "api/session", signal));
    } catch (error) {
      if (error instanceof Problem && error.status === 401) return null;
      throw error;
    }
  }

  /** @param {string} path */
  #url(path) {
    return new URL(path, this.#base).href;
  }

  /**
   * Asks for something, after the goodbye that may be under way.
   *
   * @param {string} path
   * @param {Record<string, string | null | undefined>} query what is empty isn't said
   * @param {AbortSignal} signal
   * @returns {Promise<any>}
   */
  async post(path, query, signal) {
    await this.#ending;
    return this.#json("POST", address(path, query), signal);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {AbortSignal} signal
   * @returns {Promise<any>} rejects with `Problem` or `Unreachable`
   */
  async #json(method, path, signal) {
    throwIfStopped(signal);
    const control = new AbortController();
    const abort = () => control.abort();
    const forget = onStop(signal, abort);
    const timer = setTimeout(abort, ANSWER_TIMEOUT_MS);
    try {
      const response = await fetch(this.#url(path), {
        method,
        credentials: this.#credentials,
        cache: "no-store",
        headers: { accept: "application/json, application/problem+json" },
        signal: control.signal,
      });
      if (!response.ok) throw await problemOf(response);
      return await bodyOf(response);
    } catch (error) {
      throwIfStopped(signal);
      throw error instanceof Problem ? error : new Unreachable(path);
    } finally {
      clearTimeout(timer);
      forget();
    }
  }
}

/**
 * @param {string} path
 * @param {Record<string, string | null | undefined>} values what is empty isn't said
 */
function address(path, values) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value) query.set(name, value);
  return `${path}?${query}`.replace(/\?$/, "");
}

/**
 * @param {any} answer
 * @returns {Login | null}
 */
function loginIn(answer) {
  return answer?.user ? { user: answer.user, ticket: answer.ticket ?? null } : null;
}

/** @param {Response} response */
async function bodyOf(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    // A captive portal answers everything with its own page.
    throw new Problem(response.status, "unreadable_answer", null);
  }
}

/** @param {Response} response */
async function problemOf(response) {
  const body = await response.json().catch(() => null);
  const code = typeof body?.code === "string" ? body.code : "";
  const after = retryAfterSeconds(response.headers.get("retry-after"));
  return new Problem(response.status, code, after, body?.challenge);
}

/**
 * Both forms of RFC 9110, section 10.2.3: seconds, or a date.
 *
 * @param {string | null} value
 */
function retryAfterSeconds(value) {
  const seconds = Number(value) || (Date.parse(value ?? "") - Date.now()) / 1000;
  return seconds > 0 ? Math.ceil(seconds) : null;
}

/** @param {number} milliseconds */
export function timeout(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
