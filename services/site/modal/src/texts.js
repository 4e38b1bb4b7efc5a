/**
 * Which words the modal says: those of a locale, and over them those of the page. Simplified
 * Chinese is here from the start, but for what a piece brings; the other languages come when they
 * are wanted.
 *
 * @typedef {Record<keyof typeof import("./locale/zh-CN.js").default, string>} Texts
 *   A word in braces is filled in.
 */
import { always } from "./locale/zh-CN.js";

/**
 * @typedef {object} Locale
 * @property {string} tag as its author wrote it
 * @property {Partial<Texts>} texts what it leaves out is Chinese
 * @property {() => Promise<{default: Texts}>} [load] where the texts come when they are wanted
 */

/**
 * Until the others have come, their buttons have words already: no button changes under a finger.
 *
 * @type {Locale[]}
 */
const BUILT_IN = [
  { tag: "zh-CN", texts: {} },
  {
    tag: "en",
    texts: { trigger: "Log in with WeChat", authorize: "Log in with this WeChat" },
    load: () => import("./locale/en.js"),
  },
  {
    tag: "zh-TW",
    texts: { trigger: "微信掃碼登入", authorize: "微信一鍵登入" },
    load: () => import("./locale/zh-TW.js"),
  },
];

/** All that is here. @type {Partial<Texts>} */
const chinese = { ...always };

/** By language tag in lower case. */
const locales = new Map(BUILT_IN.map((locale) => [locale.tag.toLowerCase(), locale]));

/** Told when a locale has come or changed. @type {Set<() => void>} */
const listeners = new Set();

/**
 * Adds a language or replaces one. What it leaves out is Chinese.
 *
 * @param {string} tag a BCP 47 language tag
 * @param {Partial<Texts>} texts
 */
export function addLocale(tag, texts) {
  locales.set(tag.toLowerCase(), { tag, texts });
  for (const listener of listeners) listener();
}

/**
 * A piece has brought its own.
 *
 * @param {Partial<Texts>} [texts]
 */
export function addChinese(texts) {
  Object.assign(chinese, texts);
}

/**
 * All texts of a locale, as far as they have come.
 *
 * @param {Locale} locale
 * @returns {Texts}
 */
export function textsOf({ texts }) {
  return /** @type {Texts} */ ({ ...chinese, ...texts });
}

/** @param {() => void} listener */
export function onNewLocale(listener) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/**
 * The locale for a language tag; English where there is none.
 *
 * @param {string | null | undefined} tag a BCP 47 language tag
 * @returns {Locale}
 */
export function localeFor(tag) {
  const parts = (tag || "").toLowerCase().split("-");
  for (let length = parts.length; length > 0; length -= 1) {
    const found = locales.get(parts.slice(0, length).join("-"));
    if (found) return found;
  }
  const chineseTag = parts.some((part) => /^(hant|tw|hk|mo)$/.test(part)) ? "zh-tw" : "zh-cn";
  return /** @type {Locale} */ (locales.get(parts[0] === "zh" ? chineseTag : "en"));
}

/**
 * Fetches a locale's texts. Where they don't come, the Chinese ones stay.
 *
 * @param {Locale} locale
 * @returns {Promise<unknown> | null} null where they are here
 */
export function fetchTexts(locale) {
  const { tag, load } = locale;
  if (!load) return null;
  return load().then(
    (loaded) => {
      // The page may have brought its own meanwhile.
      if (locales.get(tag.toLowerCase()) === locale) addLocale(tag, loaded.default);
    },
    () => {},
  );
}

/**
 * The texts with those of a way to log in in their places: where that is `page`, `pagePending` is
 * said for `pending`.
 *
 * @param {string | undefined} method
 * @param {Texts} all
 * @returns {Texts}
 */
export function textsFor(method, all) {
  /** @type {Record<string, string>} */
  const texts = { ...all };
  // A code is also what is scanned.
  const prefix = method === "code" ? "digits" : `${method}`;
  for (const name in all) {
    const rest = name.replace(prefix, "");
    if (prefix + rest === name && rest !== name) {
      texts[rest[0].toLowerCase() + rest.slice(1)] = all[/** @type {keyof Texts} */ (name)];
    }
  }
  return /** @type {Texts} */ (texts);
}

/**
 * @param {string} text
 * @param {Record<string, string | number>} values of the words in braces
 */
export function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (braces, name) => String(values[name] ?? braces));
}

/**
 * What went wrong, for a visitor.
 *
 * @param {Texts} texts
 * @param {import("./errors.js").Problem} problem
 */
export function explain(texts, problem) {
  const { code, status } = problem;
  const own = code.includes("_") && texts[/** @type {keyof Texts} */ (code)];
  if (own) return own;
  if (status === 429) return texts.too_many_logins;
  return status >= 500 ? texts.serverFailed : texts.requestFailed;
}

/**
 * @param {Texts} texts
 * @param {number} seconds
 */
export function duration(texts, seconds) {
  if (seconds < 60) return fill(texts.seconds, { n: seconds });
  if (seconds < 7200) return fill(texts.minutes, { n: Math.ceil(seconds / 60) });
  return fill(texts.hours, { n: Math.ceil(seconds / 3600) });
}

/** @param {number} milliseconds */
export function minutesAndSeconds(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${pad(Math.floor(seconds / 60))}:${pad(seconds % 60)}`;
}

/** @param {number} number */
function pad(number) {
  return String(number).padStart(2, "0");
}
