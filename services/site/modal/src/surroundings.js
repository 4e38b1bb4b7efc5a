/** What the browser around the page can do, and which one it is. */

/**
 * Whether this page is shown by WeChat's own browser. WeCom's names WeChat too, and has no consent
 * of the Official Account's.
 */
export function inWechat() {
  return /MicroMessenger/i.test(navigator.userAgent) && !/wxwork/i.test(navigator.userAgent);
}

/** Whether a finger points here: it presses pictures for long, and keeps them in an album. */
export function isTouched() {
  return matchMedia("(pointer: coarse)").matches;
}

/** Safari and iOS before 15.4 have no `<dialog>`. */
export function hasDialogs() {
  return typeof HTMLDialogElement === "function" && "showModal" in HTMLDialogElement.prototype;
}

/** Safari and iOS before 16.4 construct no style sheets. */
export function constructsStyleSheets() {
  return "adoptedStyleSheets" in Document.prototype && "replaceSync" in CSSStyleSheet.prototype;
}
