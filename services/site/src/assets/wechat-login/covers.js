/**
 * What covers the code in each state: a picture, words, and what can be done.
 *
 * @typedef {import("./flow.js").LoginState} LoginState
 * @typedef {import("./flow.js").Snapshot} Snapshot
 * @typedef {import("./texts.js").Texts} Texts
 */
import { explain } from "./texts.js";

/**
 * @typedef {object} Cover how a state covers the code
 * @property {string} icon
 * @property {(texts: Texts, snapshot: Snapshot) => string} headline
 * @property {(texts: Texts, snapshot: Snapshot) => string} [detail]
 * @property {"refresh" | "retry" | "authorize"} [action]
 * @property {(texts: Texts) => string} [actionLabel]
 */

/** A state that isn't here leaves the code visible. @type {Partial<Record<LoginState, Cover>>} */
export const COVERS = {
  offered: {
    icon: "phone",
    headline: (texts) => texts.offered,
    detail: (texts) => texts.offeredDetail,
    action: "authorize",
    actionLabel: (texts) => texts.authorize,
  },
  leaving: { icon: "spinner", headline: (texts) => texts.leaving },
  scanned: {
    icon: "phone",
    headline: (texts) => texts.scanned,
    detail: (texts) => texts.scannedDetail,
  },
  completing: { icon: "spinner", headline: (texts) => texts.completing },
  confirmed: {
    icon: "avatar",
    headline: (texts, { user }) => user?.nickname || texts.nameless,
    detail: (texts) => texts.confirmed,
  },
  expired: {
    icon: "clock",
    headline: (texts) => texts.expired,
    action: "refresh",
    actionLabel: (texts) => texts.expiredAction,
  },
  denied: {
    icon: "declined",
    headline: (texts) => texts.denied,
    detail: (texts) => texts.deniedDetail,
    action: "refresh",
    actionLabel: (texts) => texts.deniedAction,
  },
  error: {
    icon: "warning",
    headline: (texts) => texts.error,
    detail: (texts, { problem }) => (problem ? explain(texts, problem) : texts.requestFailed),
    action: "retry",
    actionLabel: (texts) => texts.retry,
  },
  offline: {
    icon: "offline",
    headline: (texts) => texts.offline,
    detail: (texts, { webAuthorization }) =>
      webAuthorization ? texts.webAuthorizationOfflineDetail : texts.offlineDetail,
    action: "retry",
    actionLabel: (texts) => texts.retry,
  },
};
