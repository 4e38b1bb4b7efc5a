/**
 * What the modal looks like in each state. Builds its nodes without HTML strings, so that pages
 * which require Trusted Types can embed it, and without style attributes, so that a strict CSP
 * allows it.
 *
 * @typedef {import("./covers.js").Cover} Cover
 * @typedef {import("./flow.js").Snapshot} Snapshot
 * @typedef {import("./texts.js").Texts} Texts
 */
import { icon } from "./icons.js";
import { codeAddress, codePicture, saveCode } from "./code-picture.js";
import { COVERS } from "./covers.js";
import { minutesAndSeconds } from "./texts.js";
import { inWechat } from "./web-authorization.js";

/** The countdown is spoken at these moments only: once a second would drown everything else. */
const SPOKEN_SECONDS = [60, 20];

/** The bar changes its colour for the last moments. */
const HURRY_SECONDS = 30;

/**
 * @typedef {object} ViewHandlers
 * @property {() => void} onOpen the visitor pressed the trigger
 * @property {() => void} onClose
 * @property {() => void} onRefresh a new code is wanted
 * @property {() => void} onRetry
 * @property {() => void} onAuthorize the visitor wants to log in as the WeChat that shows this page
 * @property {() => void} onUseCode the visitor wants a code instead
 */

export class LoginView {
  #handlers;
  /** @type {Texts} */
  #texts;
  /** @type {Snapshot | null} */
  #snapshot = null;
  #spoken = "";
  /** When the server takes another try, in ms since 1970. */
  #retryAt = 0;

  #triggerLabel = element("span", { className: "trigger-label" });
  #trigger = element(
    "button",
    { type: "button", className: "trigger", part: "button" },
    icon("scan"),
    this.#triggerLabel,
  );
  #slot = element("slot");
  #title = element("h2", { id: "title", className: "title", tabIndex: -1, autofocus: true });
  #close = element("button", { type: "button", className: "close", part: "close" }, icon("close"));
  #code = element("img", { className: "code", part: "code", draggable: false });
  #coverIcon = element("div", { className: "cover-icon" });
  #headline = element("p", { className: "headline" });
  #detail = element("p", { className: "detail" });
  #actionLabel = element("span");
  #action = element(
    "button",
    { type: "button", className: "action", part: "action" },
    icon("refresh"),
    this.#actionLabel,
  );
  #cover = element(
    "div",
    { className: "cover", part: "cover" },
    this.#coverIcon,
    this.#headline,
    this.#detail,
    this.#action,
  );
  #bar = element("div", { className: "bar" });
  #meter = element("div", { className: "meter" }, this.#bar);
  #countdown = element("p", { className: "countdown", part: "countdown", role: "timer" });
  #stepScan = element("span");
  #stepFollow = element("span");
  #stepConfirm = element("span");
  #hint = element("p", { className: "hint-text" });
  #saveLabel = element("span");
  #save = element(
    "button",
    { type: "button", className: "save", part: "save" },
    icon("download"),
    this.#saveLabel,
  );
  #useCode = element("button", { type: "button", className: "use-code", part: "use-code" });
  #announcer = element("p", { className: "announcer", role: "status" });

  /** @type {HTMLElement} */
  #card;
  /** @type {HTMLDialogElement} */
  dialog;

  /**
   * @param {ShadowRoot} root
   * @param {Texts} texts
   * @param {ViewHandlers} handlers
   */
  constructor(root, texts, handlers) {
    this.#texts = texts;
    this.#handlers = handlers;
    this.#countdown.ariaLive = "off";
    this.#card = this.#build();
    this.dialog = element("dialog", { className: "dialog", part: "dialog" }, this.#card);
    this.dialog.setAttribute("aria-labelledby", "title");
    root.append(this.#trigger, this.#slot, this.dialog);
    this.#listen();
  }

  #build() {
    return element(
      "div",
      { className: "card" },
      element("header", { className: "head" }, this.#title, this.#close),
      element(
        "div",
        { className: "stage", part: "stage" },
        element("div", { className: "skeleton" }, element("i"), element("i"), element("i")),
        this.#code,
        this.#cover,
      ),
      this.#meter,
      this.#countdown,
      element(
        "ol",
        { className: "steps", part: "steps" },
        element("li", {}, element("b", {}, icon("check")), this.#stepScan),
        element(
          "li",
          {},
          element("b", {}, icon("check")),
          element("span", { className: "either" }, this.#stepFollow, this.#stepConfirm),
        ),
      ),
      element("div", { className: "hint", part: "hint" }, this.#hint, this.#save),
      this.#useCode,
      this.#announcer,
    );
  }

  #listen() {
    const { onOpen, onClose, onRefresh, onRetry, onAuthorize, onUseCode } = this.#handlers;
    const actions = { refresh: onRefresh, retry: onRetry, authorize: onAuthorize };
    this.#trigger.addEventListener("click", onOpen);
    this.#slot.addEventListener("click", onOpen);
    this.#slot.addEventListener("slotchange", () => this.#chooseTrigger());
    this.#close.addEventListener("click", onClose);
    this.#action.addEventListener("click", () => {
      const wanted = /** @type {keyof typeof actions} */ (this.#action.dataset.action);
      // The button is about to vanish; the focus must not fall out of the dialog with it.
      this.#title.focus();
      actions[wanted]();
    });
    this.#useCode.addEventListener("click", () => {
      this.#title.focus();
      onUseCode();
    });
    this.#save.addEventListener("click", () => {
      const qr = this.#snapshot?.qr;
      if (qr) void saveCode(qr, this.#texts.fileName);
    });
    this.#code.addEventListener("error", () => {
      const picture = this.#snapshot?.qr?.image_url;
      if (picture && this.#code.src !== picture) this.#code.src = picture;
    });
    // Esc: prevented, so that stopping comes first and at once; the `close` event is a task later.
    this.dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      onClose();
    });
    this.dialog.addEventListener("close", () => {
      // By the time of this event the modal may have been opened again.
      if (!this.dialog.open) onClose();
    });
    this.#closeOnBackdrop(onClose);
  }

  /**
   * The press must begin on the backdrop too: dragging out of the dialog closes nothing.
   *
   * @param {() => void} onClose
   */
  #closeOnBackdrop(onClose) {
    let pressed = false;
    this.dialog.addEventListener("pointerdown", (event) => {
      pressed = event.target === this.dialog;
    });
    this.dialog.addEventListener("click", (event) => {
      if (pressed && event.target === this.dialog) onClose();
    });
  }

  /** An element in the slot is the trigger; text is our button's label; white space is nothing. */
  #chooseTrigger() {
    const elements = this.#slot.assignedElements();
    this.#trigger.hidden = elements.length > 0;
    this.#slot.hidden = elements.length === 0;
  }

  /**
   * @param {Texts} texts
   * @param {string} language
   * @param {string | null} label of the trigger
   */
  localise(texts, language, label) {
    this.#texts = texts;
    this.dialog.lang = language;
    this.#trigger.lang = language;
    this.#chooseTrigger();
    this.#triggerLabel.textContent = label || (inWechat() ? texts.authorize : texts.trigger);
    this.#useCode.textContent = texts.useCode;
    this.#close.ariaLabel = texts.close;
    this.#code.alt = texts.codeAlt;
    this.#stepScan.textContent = texts.stepScan;
    this.#stepFollow.textContent = texts.stepFollow;
    this.#stepConfirm.textContent = texts.stepConfirm;
    this.#saveLabel.textContent = texts.save;
    this.#hint.textContent = inWechat() ? texts.wechatHint : texts.phoneHint;
    this.#save.hidden = inWechat();
    this.#showTitle();
    if (this.#snapshot) this.show(this.#snapshot);
  }

  #showTitle() {
    const webAuthorization = this.#snapshot?.webAuthorization ?? false;
    this.#title.textContent = webAuthorization ? this.#texts.webAuthorizationTitle : this.#texts.title;
  }

  /** @param {Snapshot} snapshot */
  show(snapshot) {
    const earlier = this.#snapshot;
    this.#snapshot = snapshot;
    if (snapshot.problem !== earlier?.problem) {
      this.#retryAt = Date.now() + (snapshot.problem?.retryAfterSeconds ?? 0) * 1000;
    }
    this.#card.classList.toggle("web-authorization", snapshot.webAuthorization);
    this.#useCode.hidden = !snapshot.webAuthorization;
    this.#showTitle();
    this.#showCode(earlier);
    this.#showCover();
    this.#save.disabled = snapshot.state !== "pending";
    this.tick();
    if (snapshot.state !== earlier?.state) this.#announce(this.#summary());
  }

  /** @param {Snapshot | null} earlier */
  #showCode(earlier) {
    const { qr } = /** @type {Snapshot} */ (this.#snapshot);
    if (qr === (earlier?.qr ?? null) && this.#code.hasAttribute("src")) return;
    if (!qr) {
      this.#code.removeAttribute("src");
      return;
    }
    this.#code.src = codeAddress(qr);
    // Photo albums take no SVG, and pressing the picture for long is how phones save one.
    if (matchMedia("(pointer: coarse)").matches) {
      void codePicture(qr).then(
        (picture) => {
          if (this.#snapshot?.qr === qr) this.#code.src = picture.toDataURL("image/png");
        },
        () => {},
      );
    }
  }

  #showCover() {
    const snapshot = /** @type {Snapshot} */ (this.#snapshot);
    const cover = COVERS[snapshot.state];
    this.#cover.hidden = !cover;
    if (!cover) return;
    this.#coverIcon.replaceChildren(...coverDrawing(cover, snapshot, this.#texts));
    this.#headline.textContent = cover.headline(this.#texts, snapshot);
    this.#detail.textContent = cover.detail?.(this.#texts, snapshot) ?? "";
    this.#action.hidden = !cover.action;
    this.#action.dataset.action = cover.action ?? "";
  }

  /** Brings everything up to date that depends on the time. */
  tick() {
    const { state, deadline, lifetimeMs, troubled } = /** @type {Snapshot} */ (this.#snapshot);
    const counting = (state === "pending" || state === "scanned") && deadline !== null;
    const left = counting ? Math.max(0, deadline - Date.now()) : 0;
    this.#countdown.textContent = counting ? this.#texts.valid(minutesAndSeconds(left)) : "";
    if (counting && troubled) this.#countdown.textContent = this.#texts.troubled;
    this.#bar.style.setProperty("--left", counting ? String(Math.min(1, left / lifetimeMs)) : "1");
    this.#meter.classList.toggle("counting", counting);
    this.#meter.classList.toggle("hurry", counting && left < HURRY_SECONDS * 1000);
    const seconds = Math.ceil(left / 1000);
    if (counting && SPOKEN_SECONDS.includes(seconds)) {
      this.#announce(seconds === 60 ? this.#texts.minuteLeft : this.#texts.secondsLeft);
    }
    this.#tickAction();
  }

  #tickAction() {
    const { state } = /** @type {Snapshot} */ (this.#snapshot);
    const seconds = Math.ceil((this.#retryAt - Date.now()) / 1000);
    const early = state === "error" && seconds > 0;
    const label = COVERS[state]?.actionLabel?.(this.#texts) ?? "";
    this.#action.disabled = early;
    this.#actionLabel.textContent = early ? this.#texts.retryIn(this.#texts.wait(seconds)) : label;
  }

  #summary() {
    const { state } = /** @type {Snapshot} */ (this.#snapshot);
    const covered = [this.#headline.textContent, this.#detail.textContent];
    if (state in COVERS) return covered.filter(Boolean).join(", ");
    if (state === "loading") return this.#texts.loading;
    return state === "pending" ? this.#texts.pending : "";
  }

  /** @param {string} words */
  #announce(words) {
    if (words === this.#spoken) return;
    this.#spoken = words;
    this.#announcer.textContent = words;
  }
}

/**
 * @param {Cover} cover
 * @param {Snapshot} snapshot
 * @param {Texts} texts
 */
function coverDrawing(cover, { user }, texts) {
  // The spinner is the empty circle itself.
  if (cover.icon === "spinner") return [];
  return cover.icon === "avatar" ? avatar(user, texts) : [icon(cover.icon)];
}

/**
 * The picture of a person, or their first letter where there is none.
 *
 * @param {import("./client.js").User | null} user
 * @param {Texts} texts
 */
function avatar(user, texts) {
  const name = user?.nickname || texts.nameless;
  const initial = element("span", { className: "initial" }, [...name][0] ?? "");
  const badge = element("span", { className: "badge" }, icon("check"));
  if (!user?.avatar_url) return [initial, badge];
  const picture = element("img", {
    className: "avatar",
    part: "avatar",
    alt: "",
    referrerPolicy: "no-referrer",
    src: user.avatar_url,
  });
  picture.addEventListener("error", () => picture.remove());
  return [initial, picture, badge];
}

/**
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, unknown>} [properties]
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
function element(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [property, value] of Object.entries(properties)) {
    if (property === "part" || property === "role") node.setAttribute(property, String(value));
    else Object.assign(node, { [property]: value });
  }
  node.append(...children);
  return node;
}
