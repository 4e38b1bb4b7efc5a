/** Why something that was asked for isn't there. */

/** The server answered, and the answer is no. */
export class Problem extends Error {
  /**
   * @param {number} status HTTP status
   * @param {string} code the stable `code` of the problem+json body; empty when there is none
   * @param {number | null} retryAfterSeconds
   * @param {import("./lazy/proof-of-work.js").Challenge} [challenge] the work to do first
   */
  constructor(status, code, retryAfterSeconds, challenge) {
    super();
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
    this.challenge = challenge;
  }

  /** Whether the same request can succeed later without anybody doing anything. */
  get passes() {
    return this.status === 429 || this.status >= 500;
  }
}

/** No answer came, or no piece: the network, or the server behind it, is away. */
export class Unreachable extends Error {}
