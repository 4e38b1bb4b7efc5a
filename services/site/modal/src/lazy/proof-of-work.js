/**
 * Work that the site asks for before a login begins, while logins begin faster than people begin
 * them: find the number that, behind the salt, has the SHA-256 digest of the challenge. The visitor
 * has nothing to do and sees the code a moment later.
 *
 * The digest is made here: `crypto.subtle` isn't there on plain http, and waits for a turn of the
 * event loop for each of tens of thousands. In slices, so that the page stays alive; a worker would
 * need a page's permission (`worker-src`).
 *
 * @typedef {object} Challenge as ALTCHA has it
 * @property {string} algorithm
 * @property {string} challenge 64 hexadecimal digits
 * @property {number} maxnumber
 * @property {string} salt
 * @property {string} signature
 */
import { throwIfStopped } from "../signals.js";

/** How long a slice takes, in ms: less than a frame at 60 a second. */
const SLICE = 12;

/** A number's digits and the end of the message have to fit into a block behind the salt. */
const LONGEST_SALT = 64 - 9 - 10;

/** The first 32 bits of the fractional parts of roots of the first primes (FIPS 180-4, 4.2.2, 5.3.3). */
const CONSTANTS = new Int32Array(64);
const START = new Int32Array(8);
for (let count = 0, prime = 2; count < 64; prime += 1) {
  let isPrime = true;
  for (let factor = 2; factor * factor <= prime; factor += 1) {
    if (prime % factor === 0) isPrime = false;
  }
  if (!isPrime) continue;
  CONSTANTS[count] = ((Math.cbrt(prime) % 1) * 2 ** 32) | 0;
  if (count < 8) START[count] = ((Math.sqrt(prime) % 1) * 2 ** 32) | 0;
  count += 1;
}

/**
 * Of a message of less than 56 bytes.
 *
 * @param {Int32Array} schedule whose first 16 words are the message, its end and its length
 * @param {Int32Array} digest
 */
function sha256(schedule, digest) {
  for (let i = 16; i < 64; i += 1) {
    const x = schedule[i - 15];
    const y = schedule[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    schedule[i] = (schedule[i - 16] + s0 + schedule[i - 7] + s1) | 0;
  }
  let a = START[0];
  let b = START[1];
  let c = START[2];
  let d = START[3];
  let e = START[4];
  let f = START[5];
  let g = START[6];
  let h = START[7];
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + CONSTANTS[i] + schedule[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  digest[0] = a;
  digest[1] = b;
  digest[2] = c;
  digest[3] = d;
  digest[4] = e;
  digest[5] = f;
  digest[6] = g;
  digest[7] = h;
  for (let i = 0; i < 8; i += 1) digest[i] += START[i];
}

/**
 * Puts a byte of the message in its place.
 *
 * @param {Int32Array} schedule
 * @param {number} at
 * @param {number} byte
 */
function put(schedule, at, byte) {
  const shift = 24 - 8 * (at & 3);
  schedule[at >> 2] = (schedule[at >> 2] & ~(0xff << shift)) | (byte << shift);
}

/** A turn of the event loop, without the pause that repeated timers get. */
function turn() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve(undefined);
    };
    port2.postMessage(null);
  });
}

/**
 * @param {Challenge} challenge
 * @param {AbortSignal} signal
 * @returns {Promise<string>} the parameter `proof`
 */
export async function solve({ algorithm, challenge, maxnumber, salt, signature }, signal) {
  if (algorithm !== "SHA-256" || salt.length > LONGEST_SALT) throw new Error("an unknown challenge");
  const wanted = Array.from({ length: 8 }, (_, i) =>
    Number.parseInt(challenge.slice(8 * i, 8 * i + 8), 16) | 0,
  );
  const schedule = new Int32Array(64);
  const digest = new Int32Array(8);
  for (let at = 0; at < salt.length; at += 1) put(schedule, at, salt.charCodeAt(at));
  let sliceEnds = performance.now() + SLICE;
  for (let number = 0; number <= maxnumber; number += 1) {
    const digits = String(number);
    const end = salt.length + digits.length;
    for (let i = 0; i < digits.length; i += 1) put(schedule, salt.length + i, digits.charCodeAt(i));
    // No number is shorter than the one before: what is behind it is zero.
    put(schedule, end, 0x80);
    schedule[15] = 8 * end;
    sha256(schedule, digest);
    if (digest[0] === wanted[0] && digest.every((word, i) => word === wanted[i])) {
      return btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
    }
    if (number % 64 === 0 && performance.now() > sliceEnds) {
      await turn();
      throwIfStopped(signal);
      sliceEnds = performance.now() + SLICE;
    }
  }
  throw new Error("a challenge without a solution");
}
