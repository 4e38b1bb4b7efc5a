/**
 * Gives the modal its looks, in ways that a Content-Security-Policy without 'unsafe-inline' allows:
 * one constructed sheet for all elements, and where the browser constructs none, the same sheet by
 * its address at the login service.
 */
import css, { file } from "./styles.css";
import { constructsStyleSheets } from "./surroundings.js";

/** By their text: the sheets that this page has. @type {Map<string, CSSStyleSheet>} */
const sheets = new Map();

/**
 * @param {ShadowRoot} root
 * @param {string} assets where the login service has its files; ends with a slash
 * @param {() => void} onFailure the page's policy forbids the sheet, or it can't be fetched
 */
export function dress(root, assets, onFailure) {
  if (constructsStyleSheets()) {
    add(root, css);
    return;
  }
  if (root.querySelector("link")) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = assets + file;
  link.addEventListener("error", onFailure);
  root.prepend(link);
}

/**
 * Adds what a piece of the modal looks like. The sheet by its address has it already.
 *
 * @param {ShadowRoot} root
 * @param {string} more
 */
export function dressPiece(root, more) {
  if (constructsStyleSheets()) add(root, more);
}

/**
 * @param {ShadowRoot} root
 * @param {string} text
 */
function add(root, text) {
  let sheet = sheets.get(text);
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    sheets.set(text, sheet);
  }
  // Chromium before 99 takes a new list only.
  if (!root.adoptedStyleSheets.includes(sheet)) {
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  }
}
