/**
 * A modal dialog for browsers without `<dialog>` (Safari and iOS before 15.4): over everything else
 * by its place and not by the browser, with the focus kept inside.
 * Fetched by its address when it is wanted, hence it imports nothing.
 *
 * @param {HTMLElement} card
 * @param {() => void} onClose the visitor wants to close it
 * @returns {import("../frames.js").Frame}
 */
export function layeredFrame(card, onClose) {
  const dialog = document.createElement("div");
  dialog.className = "dialog";
  dialog.setAttribute("part", "dialog");
  dialog.setAttribute("role", "dialog");
  dialog.setAttribute("aria-modal", "true");
  dialog.setAttribute("aria-labelledby", "title");
  dialog.append(card);
  const layer = document.createElement("div");
  layer.className = "layer";
  layer.hidden = true;
  layer.append(dialog);

  /** Who had the focus before. @type {Element | null} */
  let before = null;

  layer.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      onClose();
    } else if (event.key === "Tab") {
      event.preventDefault();
      focusNext(event.shiftKey ? -1 : 1);
    }
  });
  let pressed = false;
  layer.addEventListener("pointerdown", (event) => {
    pressed = event.target === layer;
  });
  layer.addEventListener("click", (event) => {
    if (pressed && event.target === layer) onClose();
  });

  /** @param {1 | -1} step */
  function focusNext(step) {
    const root = /** @type {ShadowRoot} */ (layer.getRootNode());
    const buttons = [...card.querySelectorAll("button")].filter(
      (button) => !button.disabled && button.getClientRects().length > 0,
    );
    if (buttons.length === 0) return;
    const now = buttons.indexOf(/** @type {HTMLButtonElement} */ (root.activeElement));
    const first = step > 0 ? 0 : buttons.length - 1;
    const next = now < 0 ? first : (now + step + buttons.length) % buttons.length;
    buttons[next].focus();
  }

  return {
    node: layer,
    get open() {
      return !layer.hidden;
    },
    show() {
      before = focused();
      layer.hidden = false;
      /** @type {HTMLElement | null} */ (card.querySelector(".title"))?.focus();
    },
    hide() {
      layer.hidden = true;
      if (before instanceof HTMLElement || before instanceof SVGElement) before.focus();
      before = null;
    },
  };
}

/** The focused element, in whatever shadow it is. */
function focused() {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return found;
}
