/**
 * Stopping what is under way, without what browsers before Chromium 103 and Safari 15.4 don't have:
 * `AbortSignal.throwIfAborted`, `AbortSignal.reason`, and the option `signal` of
 * `addEventListener`.
 */

/** What a stopped wait rejects with. Nobody shows it: whoever stopped it knows. */
const stopped = () => new Error("stopped");

/** @param {AbortSignal} signal */
export function throwIfStopped(signal) {
  if (signal.aborted) throw stopped();
}

/**
 * Listens until the signal aborts.
 *
 * @param {EventTarget} target
 * @param {string} type
 * @param {(event: any) => void} listener
 * @param {AbortSignal} signal
 */
export function listen(target, type, listener, signal) {
  target.addEventListener(type, listener);
  onStop(signal, () => target.removeEventListener(type, listener));
}

/**
 * Calls back once the signal aborts. Returns what takes the callback back.
 *
 * @param {AbortSignal} signal
 * @param {() => void} callback
 */
export function onStop(signal, callback) {
  signal.addEventListener("abort", callback, { once: true });
  return () => signal.removeEventListener("abort", callback);
}

/**
 * @param {number} milliseconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>} rejects when the signal aborts
 */
export function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    throwIfStopped(signal);
    const forget = onStop(signal, () => {
      clearTimeout(timer);
      reject(stopped());
    });
    const timer = setTimeout(() => {
      forget();
      resolve();
    }, milliseconds);
  });
}
