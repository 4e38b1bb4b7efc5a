/**
 * What a visitor does who doesn't scan WeChat's code: sends digits to the account, or scans a code
 * of ours and confirms on the phone; and the choice between the ways, where the site offers several.
 *
 * @typedef {import("../client.js").MethodChoice} MethodChoice
 * @typedef {import("../flow.js").Snapshot} Snapshot
 * @typedef {import("../texts.js").Texts} Texts
 */
import { button, element, part } from "../elements.js";
import { drawing } from "../icons.js";
import { otherWays as texts } from "../locale/zh-CN.js";
import { inWechat, isTouched } from "../surroundings.js";
import css from "./other-ways.css";

export { css, texts };

const COPY = "M9 8.5h8.5a1.5 1.5 0 0 1 1.5 1.5v8.5a1.5 1.5 0 0 1-1.5 1.5H9a1.5 1.5 0 0 1-1.5-1.5V10A1.5 1.5 0 0 1 9 8.5z" +
  "M5 15.5V6a2 2 0 0 1 2-2h8.5";

/** How long the button says that the digits are copied. */
const COPIED_MS = 3_000;

/** Opens WeChat on a phone. */
const WECHAT = "weixin://";

/** By way: the name of the words that offer it. @type {Record<MethodChoice, keyof Texts>} */
const OFFERS = { auto: "byScan", scan: "byScan", code: "byCode", page: "byPage" };

/**
 * Says which digits go to which account.
 *
 * @param {Texts} texts of the method `code`; changed here
 * @param {import("../client.js").Digits} code
 * @param {string | null | undefined} account what people call it
 */
export function fillIn(texts, { digits, account_qr_url }, account) {
  const { digitsStepScan, digitsStepScanNamed, digitsStepSearch, digitsStepSearchNamed } = texts;
  // Who holds the screen that shows the picture can't scan it.
  const scans = account_qr_url && !isTouched();
  const named = scans ? digitsStepScanNamed : digitsStepSearchNamed;
  const nameless = scans ? digitsStepScan : digitsStepSearch;
  texts.stepScan = account ? named.replace("{account}", () => account) : nameless;
  texts.pending = texts.pending.replace("{digits}", spaced(digits));
}

/**
 * Read out one by one.
 *
 * @param {string} digits
 */
function spaced(digits) {
  return [...digits].join(" ");
}

export class Extra {
  #card;
  #view;
  /** @type {Texts | null} */
  #words = null;
  /** What is copied. */
  #shown = "";
  #copied = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  #label = element("p", { className: "digits-label" });
  #groups = element("span", { className: "groups" });
  #spoken = element("span", { className: "announcer" });
  #digits = part("p", "digits", this.#groups, this.#spoken);
  #copyLabel = element("span");
  #copy = button("copy", drawing(COPY), this.#copyLabel);
  #panel = element("div", { className: "digits-panel", hidden: true });
  #choice = part("div", "choice");

  /**
   * @param {HTMLElement} card
   * @param {Pick<import("../view.js").LoginView, "use" | "announce">} view
   */
  constructor(card, view) {
    this.#card = card;
    this.#view = view;
    this.#groups.setAttribute("aria-hidden", "true");
    this.#panel.append(this.#label, this.#digits, this.#copy);
    this.#copy.addEventListener("click", () => void this.#press());
    this.#at(".cover").before(this.#panel);
    this.#at(".use-code").before(this.#choice);
  }

  /** @param {string} selector */
  #at(selector) {
    return /** @type {HTMLElement} */ (this.#card.querySelector(selector));
  }

  /**
   * @param {Snapshot} snapshot
   * @param {Texts} words
   */
  show(snapshot, words) {
    this.#words = /** @type {Texts} */ (words);
    this.#showDigits(snapshot);
    this.#showChoice(snapshot);
  }

  /** The account's picture can't be had: there is nothing to scan. */
  pictureIsMissing() {
    const picture = /** @type {HTMLImageElement} */ (this.#at(".code"));
    if (this.#panel.hidden) return;
    picture.removeAttribute("src");
    this.#card.classList.add("pictureless");
  }

  /** @param {Snapshot} snapshot */
  #showDigits({ method, code, state }) {
    const words = /** @type {Texts} */ (this.#words);
    this.#panel.hidden = method !== "code";
    const hasPicture = code && this.#at(".code").hasAttribute("src");
    this.#card.classList.toggle("pictureless", !this.#panel.hidden && !hasPicture);
    const digits = code?.digits ?? "";
    if (digits !== this.#shown) {
      this.#shown = digits;
      this.#copied = false;
      this.#groups.textContent = "";
      // While there are none, they keep their room.
      const groups = groupsOf(digits || "000000");
      this.#groups.append(...groups.map((group) => element("span", {}, group)));
      this.#spoken.textContent = spaced(digits);
    }
    this.#label.textContent = words.digitsLabel;
    this.#copy.disabled = state !== "pending";
    this.#showCopy();
  }

  #showCopy() {
    const { copied, copy, copyAndOpen } = /** @type {Texts} */ (this.#words);
    const idle = opensWechat() ? copyAndOpen : copy;
    this.#copyLabel.textContent = this.#copied ? copied : idle;
    this.#copy.classList.toggle("done", this.#copied);
  }

  async #press() {
    const written = copyAtOnce(this.#card, this.#shown);
    this.#copy.focus();
    const done = written || (await copyLater(this.#shown));
    const { copied, copyFailed } = /** @type {Texts} */ (this.#words);
    this.#view.announce(done ? copied : copyFailed);
    if (!done) {
      this.#copyLabel.textContent = copyFailed;
      return;
    }
    this.#copied = true;
    this.#showCopy();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#copied = false;
      this.#showCopy();
    }, COPIED_MS);
    if (opensWechat()) Object.assign(document.createElement("a"), { href: WECHAT }).click();
  }

  /** @param {Snapshot} snapshot */
  #showChoice({ methods, state }) {
    const words = /** @type {Texts} */ (this.#words);
    const offered = ["loading", "pending", "expired", "denied", "error"].includes(state);
    this.#choice.hidden = !offered || methods.length === 0;
    const shown = [...this.#choice.children].map((other) => other.getAttribute("data-method"));
    if (shown.join() !== methods.join()) {
      this.#choice.textContent = "";
      for (const method of methods) {
        const other = button("other-way");
        other.dataset.method = method;
        other.addEventListener("click", () => this.#view.use(method));
        this.#choice.append(other);
      }
    }
    for (const other of this.#choice.children) {
      const method = /** @type {MethodChoice} */ (other.getAttribute("data-method"));
      other.textContent = words[OFFERS[method]];
    }
  }
}

/** Whether the digits are sent from this very device. Inside WeChat, WeChat is open. */
function opensWechat() {
  return isTouched() && !inWechat();
}

/**
 * In threes, or fours where that comes out even.
 *
 * @param {string} digits
 */
function groupsOf(digits) {
  const size = digits.length % 3 && digits.length > 6 ? 4 : 3;
  return digits.match(new RegExp(`.{1,${size}}`, "g")) ?? [];
}

/**
 * Copies while the press is fresh, so that WeChat can be opened by the same one. Works on pages
 * without https too.
 *
 * @param {HTMLElement} place inside the dialog: the rest of the page has no focus to give
 * @param {string} text
 */
function copyAtOnce(place, text) {
  const area = element("textarea", { value: text, readOnly: true, className: "announcer" });
  area.setAttribute("aria-hidden", "true");
  place.append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } catch {
    return false;
  } finally {
    area.remove();
  }
}

/** @param {string} text */
async function copyLater(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
