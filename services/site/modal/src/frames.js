/**
 * What the card stands in: a modal dialog, or the page itself.
 *
 * @typedef {object} Frame
 * @property {HTMLElement} node
 * @property {boolean} open
 * @property {() => void} show
 * @property {() => void} hide
 */
import { part } from "./elements.js";

/**
 * The browser's own dialog.
 *
 * @param {HTMLElement} card
 * @param {() => void} onClose the visitor wants to close it
 * @returns {Frame}
 */
export function dialogFrame(card, onClose) {
  const dialog = part("dialog", "dialog", card);
  dialog.setAttribute("aria-labelledby", "title");
  // Esc: prevented, so that stopping comes first and at once; the `close` event is a task later.
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    onClose();
  });
  dialog.addEventListener("close", () => {
    // By the time of this event the modal may have been opened again.
    if (!dialog.open) onClose();
  });
  // The press must begin on the backdrop too: dragging out of the dialog closes nothing.
  let pressed = false;
  dialog.addEventListener("pointerdown", (event) => {
    pressed = event.target === dialog;
  });
  dialog.addEventListener("click", (event) => {
    if (pressed && event.target === dialog) onClose();
  });
  return {
    node: dialog,
    get open() {
      return dialog.open;
    },
    show: () => dialog.showModal(),
    hide: () => dialog.close(),
  };
}

/**
 * A part of the page.
 *
 * @param {HTMLElement} card
 * @returns {Frame}
 */
export function inlineFrame(card) {
  const node = part("section", "inline", card);
  node.setAttribute("aria-labelledby", "title");
  node.hidden = true;
  return {
    node,
    get open() {
      return !node.hidden;
    },
    show() {
      node.hidden = false;
    },
    hide() {
      node.hidden = true;
    },
  };
}
