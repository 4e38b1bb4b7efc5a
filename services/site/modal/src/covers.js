/**
 * What covers the code in each state: a picture, words by their names, and what can be done.
 *
 * @typedef {import("./flow.js").LoginState} LoginState
 * @typedef {import("./texts.js").Texts} Texts
 *
 * @typedef {object} Cover how a state covers the code
 * @property {string} icon
 * @property {keyof Texts} [headline] without it: the person's name
 * @property {keyof Texts} [detail]
 * @property {"refresh" | "retry" | "authorize"} [action]
 * @property {keyof Texts} [label] of the action
 * @property {boolean} [whole] covers the steps too: they have been taken, or can't be
 */

/** A state that isn't here leaves the code visible. @type {Partial<Record<LoginState, Cover>>} */
export const COVERS = {
  offered: {
    icon: "phone",
    headline: "offered",
    detail: "offeredDetail",
    action: "authorize",
    label: "authorize",
  },
  leaving: { icon: "spinner", headline: "leaving" },
  scanned: { icon: "phone", headline: "scanned", detail: "scannedDetail" },
  completing: { icon: "spinner", headline: "completing", whole: true },
  confirmed: { icon: "avatar", detail: "confirmed", whole: true },
  expired: { icon: "clock", headline: "expired", action: "refresh", label: "expiredAction" },
  denied: {
    icon: "declined",
    headline: "denied",
    detail: "deniedDetail",
    action: "refresh",
    label: "deniedAction",
  },
  // Its detail is what the problem means.
  error: { icon: "warning", headline: "error", action: "retry", label: "retry", whole: true },
  offline: {
    icon: "offline",
    headline: "offline",
    detail: "offlineDetail",
    action: "retry",
    label: "retry",
    whole: true,
  },
};
