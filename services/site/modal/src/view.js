/**
 * What the modal looks like in each state.
 *
 * @typedef {import("./covers.js").Cover} Cover
 * @typedef {import("./flow.js").Snapshot} Snapshot
 * @typedef {import("./frames.js").Frame} Frame
 * @typedef {import("./texts.js").Texts} Texts
 */
import { COVERS } from "./covers.js";
import { button, element, part } from "./elements.js";
import { dialogFrame, inlineFrame } from "./frames.js";
import { icon } from "./icons.js";
import { layeredDialog, otherWays, phone } from "./pieces.js";
import { dressPiece } from "./styles.js";
import { hasDialogs, inWechat, isTouched } from "./surroundings.js";
import { duration, explain, fill, minutesAndSeconds, textsFor } from "./texts.js";

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
 * @property {() => void} onUseCode the visitor wants another way than WeChat's consent
 * @property {(method: import("./client.js").MethodChoice) => unknown} onUse another way to log in
 */

/**
 * What a piece adds to the card. Its constructor gets the card and the view.
 *
 * @typedef {object} Extra
 * @property {(snapshot: Snapshot, texts: Texts, address: string) => void} show in this state; the
 *   address is that of the picture that is shown, empty if there is none
 * @property {() => void} pictureIsMissing there is none at its address
 */

/**
 * @typedef {object} Wording
 * @property {Texts} texts
 * @property {string} language
 * @property {string | null} label of the trigger
 * @property {string | null} accountName
 * @property {string | null} accountLogo address of a picture
 */

export class LoginView {
  #root;
  #handlers;
  /** @type {Wording | null} */
  #wording = null;
  /** Those of the wording, for this way to log in. @type {Texts} */
  #texts;
  /** What pieces have added. @type {Map<object, Extra>} */
  #extras = new Map();
  /** Of the picture that is shown. */
  #address = "";
  /** @type {Snapshot | null} */
  #snapshot = null;
  #spoken = "";
  /** When the server takes another try, in ms since 1970. */
  #retryAt = 0;
  #inline = false;
  /** @type {Frame | null} */
  #frame = null;

  #triggerLabel = element("span");
  #trigger = button("button", icon("scan"), this.#triggerLabel);
  #slot = element("slot");
  #plainLink = element("a", { className: "plain-link", part: "button", hidden: true });
  #logo = part("img", "logo");
  #title = element("h2", { id: "title", className: "title", tabIndex: -1 });
  #close = button("close", icon("close"));
  #code = part("img", "code");
  #coverIcon = element("div", { className: "cover-icon" });
  #headline = element("p", { className: "headline" });
  #detail = element("p", { className: "detail" });
  #actionLabel = element("span");
  #action = button("action", icon("refresh"), this.#actionLabel);
  #cover = part("div", "cover", this.#coverIcon, this.#headline, this.#detail, this.#action);
  #bar = element("div", { className: "bar" });
  #meter = element("div", { className: "meter" }, this.#bar);
  #countdown = part("p", "countdown");
  #stepScan = element("span");
  #stepFollow = element("span");
  #stepConfirm = element("span");
  #useCode = button("use-code");
  #announcer = element("p", { className: "announcer", role: "status" });

  /** @type {HTMLElement} */
  #card;

  /**
   * @param {ShadowRoot} root
   * @param {Texts} texts
   * @param {ViewHandlers} handlers
   */
  constructor(root, texts, handlers) {
    this.#root = root;
    this.#texts = texts;
    this.#handlers = handlers;
    this.#card = this.#build();
    root.append(this.#trigger, this.#slot, this.#plainLink);
    this.#listen();
  }

  #build() {
    // From here on it has a class of its own: `::part(button)` is its public name.
    this.#trigger.className = "trigger";
    this.#logo.hidden = true;
    this.#logo.alt = "";
    this.#code.draggable = false;
    this.#countdown.setAttribute("role", "timer");
    this.#countdown.setAttribute("aria-live", "off");
    const step = (/** @type {Node[]} */ ...words) =>
      element("li", {}, element("b", {}, icon("check")), ...words);
    const either = element("span", { className: "either" }, this.#stepFollow, this.#stepConfirm);
    return element(
      "div",
      { className: "card" },
      element("header", { className: "head" }, this.#logo, this.#title, this.#close),
      element(
        "div",
        { className: "body" },
        part(
          "div",
          "stage",
          element("div", { className: "skeleton" }, element("i"), element("i"), element("i")),
          this.#code,
          this.#cover,
        ),
        this.#meter,
        this.#countdown,
        part("ol", "steps", step(this.#stepScan), step(either)),
      ),
      this.#useCode,
      this.#announcer,
    );
  }

  #listen() {
    const { onOpen, onClose, onRefresh, onRetry, onAuthorize, onUseCode } = this.#handlers;
    const actions = { refresh: onRefresh, retry: onRetry, authorize: onAuthorize };
    this.#trigger.addEventListener("click", onOpen);
    this.#slot.addEventListener("click", (event) => {
      // The page's own trigger may be a link to the hosted page, for browsers without this.
      event.preventDefault();
      onOpen();
    });
    this.#slot.addEventListener("slotchange", () => this.#chooseTrigger());
    this.#close.addEventListener("click", onClose);
    this.#logo.addEventListener("error", () => {
      this.#logo.hidden = true;
    });
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
    this.#code.addEventListener("error", () => {
      const picture = this.#snapshot?.qr?.image_url;
      if (picture && this.#code.src !== picture) this.#code.src = picture;
      else for (const extra of this.#extras.values()) extra.pictureIsMissing();
    });
  }

  /** @param {boolean} inline whether the card is a part of the page, without a button to open it */
  set inline(inline) {
    if (this.#inline === inline) return;
    this.#frame?.node.remove();
    this.#frame = null;
    this.#inline = inline;
    this.#chooseTrigger();
  }

  /** Shows the card. What {@link layeredDialog} is for has to be here already. */
  open() {
    const frame = (this.#frame ??= this.#makeFrame());
    if (!frame.open) frame.show();
  }

  close() {
    if (this.#frame?.open) this.#frame.hide();
  }

  /** The element was moved on its page, whereby a dialog stops being modal. */
  reopen() {
    this.close();
    this.open();
  }

  #makeFrame() {
    const { onClose } = this.#handlers;
    this.#close.hidden = this.#inline;
    // What appears on a page takes nobody's focus.
    this.#title.autofocus = !this.#inline;
    const layered = layeredDialog.here?.layeredFrame;
    const modal = layered && !hasDialogs() ? layered : dialogFrame;
    const frame = this.#inline ? inlineFrame(this.#card) : modal(this.#card, onClose);
    this.#root.append(frame.node);
    return frame;
  }

  /**
   * A link instead of everything else.
   *
   * @param {string} address
   */
  showPlainLink(address) {
    this.#plainLink.href = address;
    this.#plainLink.hidden = false;
    this.#chooseTrigger();
  }

  /** An element in the slot is the trigger; text is our button's label; white space is nothing. */
  #chooseTrigger() {
    const own = this.#slot.assignedNodes().some((node) => node.nodeType === Node.ELEMENT_NODE);
    const none = this.#inline || !this.#plainLink.hidden;
    this.#trigger.hidden = none || own;
    this.#slot.hidden = none || !own;
  }

  /** @param {Wording} wording */
  localise(wording) {
    const { texts, language, label, accountLogo } = wording;
    this.#wording = wording;
    this.#card.lang = language;
    this.#trigger.lang = language;
    this.#plainLink.lang = language;
    this.#chooseTrigger();
    const trigger = label || (inWechat() ? texts.authorize : texts.trigger);
    this.#triggerLabel.textContent = trigger;
    this.#plainLink.textContent = trigger;
    this.#showLogo(accountLogo);
    this.#speak();
    if (this.#snapshot) this.show(this.#snapshot);
  }

  /** Says what is said in every state. */
  #speak() {
    if (!this.#wording) return;
    const { method, code } = this.#snapshot ?? {};
    const texts = textsFor(method, this.#wording.texts);
    this.#texts = texts;
    const account = this.#wording.accountName || code?.account_name;
    if (code) otherWays.here?.fillIn(texts, code, account);
    this.#useCode.textContent = texts.useCode;
    this.#close.setAttribute("aria-label", texts.close);
    this.#code.alt = texts.codeAlt;
    this.#stepScan.textContent = texts.stepScan;
    this.#stepFollow.textContent = account
      ? fill(texts.stepFollowNamed, { account })
      : texts.stepFollow;
    this.#stepConfirm.textContent = texts.stepConfirm;
    this.#title.textContent = texts.title;
  }

  /** @param {string | null} address */
  #showLogo(address) {
    if (address === this.#logo.getAttribute("src")) return;
    this.#logo.hidden = !address;
    if (address) this.#logo.src = address;
    else this.#logo.removeAttribute("src");
  }

  /** @param {Snapshot} snapshot */
  show(snapshot) {
    const earlier = this.#snapshot;
    this.#snapshot = snapshot;
    if (snapshot.problem !== earlier?.problem) {
      this.#retryAt = Date.now() + (snapshot.problem?.retryAfterSeconds ?? 0) * 1000;
    }
    this.#card.className = classesFor(snapshot);
    if (snapshot.method !== earlier?.method || snapshot.code !== earlier.code) this.#speak();
    this.#useCode.hidden = snapshot.method !== "webAuthorization";
    this.#showCode();
    this.#showExtras(snapshot);
    this.#showCover();
    this.tick();
    if (snapshot.state !== earlier?.state) this.announce(this.#summary());
  }

  #showCode() {
    const address = codeAddress(/** @type {Snapshot} */ (this.#snapshot));
    if (address === this.#address) return;
    this.#address = address;
    if (!address) {
      this.#code.removeAttribute("src");
      return;
    }
    this.#code.src = address;
    // Photo albums take no SVG, and pressing the picture for long is how phones save one.
    if (isTouched()) void this.#showPixels(address).catch(() => {});
  }

  /** @param {string} address */
  async #showPixels(address) {
    const { codePicture } = await phone.fetch();
    const picture = await codePicture(address);
    if (this.#address === address) this.#code.src = picture.toDataURL("image/png");
  }

  /** @param {Snapshot} snapshot */
  #showExtras(snapshot) {
    for (const { here } of [otherWays, phone]) {
      if (!here) continue;
      let extra = this.#extras.get(here);
      if (!extra) {
        dressPiece(this.#root, here.css);
        extra = new here.Extra(this.#card, this);
        this.#extras.set(here, extra);
      }
      extra.show(snapshot, this.#texts, this.#address);
    }
  }

  /**
   * The visitor wants to log in in another way.
   *
   * @param {import("./client.js").MethodChoice} method
   */
  use(method) {
    this.#title.focus();
    this.#handlers.onUse(method);
  }

  #showCover() {
    const snapshot = /** @type {Snapshot} */ (this.#snapshot);
    const cover = COVERS[snapshot.state];
    this.#cover.hidden = !cover;
    if (!cover) return;
    this.#coverIcon.textContent = "";
    this.#coverIcon.append(...coverDrawing(cover, snapshot, this.#texts));
    const { headline } = cover;
    this.#headline.textContent = headline ? this.#texts[headline] : nameOf(snapshot, this.#texts);
    this.#detail.textContent = detailOf(cover, snapshot, this.#texts);
    this.#action.hidden = !cover.action;
    this.#action.dataset.action = cover.action ?? "";
  }

  /** Brings everything up to date that depends on the time. */
  tick() {
    const { state, deadline, lifetimeMs, troubled } = /** @type {Snapshot} */ (this.#snapshot);
    const counting = (state === "pending" || state === "scanned") && deadline !== null;
    const left = counting ? Math.max(0, deadline - Date.now()) : 0;
    const { valid, troubled: busy, minuteLeft, secondsLeft } = this.#texts;
    const words = troubled ? busy : fill(valid, { time: minutesAndSeconds(left) });
    this.#countdown.textContent = counting ? words : "";
    this.#bar.style.setProperty("--left", counting ? String(Math.min(1, left / lifetimeMs)) : "1");
    this.#meter.classList.toggle("counting", counting);
    this.#meter.classList.toggle("hurry", counting && left < HURRY_SECONDS * 1000);
    const seconds = Math.ceil(left / 1000);
    if (counting && SPOKEN_SECONDS.includes(seconds)) {
      this.announce(seconds === 60 ? minuteLeft : secondsLeft);
    }
    this.#tickAction();
  }

  #tickAction() {
    const { state } = /** @type {Snapshot} */ (this.#snapshot);
    const seconds = Math.ceil((this.#retryAt - Date.now()) / 1000);
    const early = state === "error" && seconds > 0;
    const label = COVERS[state]?.label;
    const wait = () => fill(this.#texts.retryIn, { wait: duration(this.#texts, seconds) });
    this.#action.disabled = early;
    this.#actionLabel.textContent = early ? wait() : label ? this.#texts[label] : "";
  }

  #summary() {
    const { state } = /** @type {Snapshot} */ (this.#snapshot);
    const covered = [this.#headline.textContent, this.#detail.textContent];
    if (state in COVERS) return covered.filter(Boolean).join(", ");
    if (state === "loading") return this.#texts.loading;
    return state === "pending" ? this.#texts.pending : "";
  }

  /**
   * Says something to those who hear.
   *
   * @param {string} words
   */
  announce(words) {
    if (words === this.#spoken) return;
    this.#spoken = words;
    this.#announcer.textContent = words;
  }
}

/**
 * The state, and what several states have in common.
 *
 * @param {Snapshot} snapshot
 */
function classesFor({ state, method }) {
  const cover = COVERS[state];
  const busy = cover?.icon === "spinner" && "busy";
  const classes = [cover && "covered", cover?.whole && "whole", busy];
  return ["card", state, `by-${method}`, ...classes].filter(Boolean).join(" ");
}

/** @param {Snapshot} snapshot */
function codeAddress({ qr, code }) {
  if (!qr?.svg) return (qr ? qr.image_url : code?.account_qr_url) ?? "";
  return `data:image/svg+xml;charset=utf-8,${encodeURIComponent(qr.svg)}`;
}

/**
 * @param {Cover} cover
 * @param {Snapshot} snapshot
 * @param {Texts} texts
 */
function coverDrawing(cover, snapshot, texts) {
  // The spinner is the empty circle itself.
  if (cover.icon === "spinner") return [];
  return cover.icon === "avatar" ? avatar(snapshot, texts) : [icon(cover.icon)];
}

/**
 * @param {Cover} cover
 * @param {Snapshot} snapshot
 * @param {Texts} texts
 */
function detailOf({ detail }, { problem }, texts) {
  if (problem) return explain(texts, problem);
  return detail ? texts[detail] : "";
}

/**
 * @param {Pick<Snapshot, "user">} snapshot
 * @param {Texts} texts
 */
function nameOf({ user }, texts) {
  return user?.nickname || texts.nameless;
}

/**
 * The picture of a person, or their first letter where there is none.
 *
 * @param {Snapshot} snapshot
 * @param {Texts} texts
 */
function avatar(snapshot, texts) {
  const initial = element("span", { className: "initial" }, [...nameOf(snapshot, texts)][0] ?? "");
  const badge = element("span", { className: "badge" }, icon("check"));
  const { user } = snapshot;
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
