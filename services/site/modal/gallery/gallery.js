/**
 * Every state of the modal, in every theme and language, in the page and as a dialog. The states
 * are made up: no login service is asked.
 *
 * The page's address chooses: `?state=pending,expired&language=en&theme=dark`. What it doesn't name
 * is shown in every kind. With `frame=dialog` it is one, since there is one dialog at a time.
 */
import { Problem } from "../src/errors.js";
import { CLOSED } from "../src/flow.js";
import { layeredDialog, otherWays, phone, problems, webAuthorization } from "../src/pieces.js";
import { dress, dressPiece } from "../src/styles.js";
import { hasDialogs, isTouched } from "../src/surroundings.js";
import { fetchTexts, localeFor, textsOf } from "../src/texts.js";
import { LoginView } from "../src/view.js";
import { code } from "./code.js";

/** @typedef {import("../src/flow.js").Snapshot} Snapshot */

const LIFETIME_MS = 300_000;

const LANGUAGES = ["zh-CN", "zh-TW", "en"];
const THEMES = ["light", "dark"];
const FRAMES = ["inline", "dialog"];

/** @type {() => Partial<Snapshot>} */
const withCode = () => ({
  qr: { content: "http://weixin.qq.com/q/gallery", svg: code, image_url: null },
  deadline: Date.now() + LIFETIME_MS * 0.6,
  lifetimeMs: LIFETIME_MS,
});

const PICTURE = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(code)}`;

/** @type {(digits?: string, picture?: string | null) => Partial<Snapshot>} */
const withDigits = (digits = "483920", picture = PICTURE) => ({
  method: "code",
  code: { digits, account_name: null, account_qr_url: picture },
  deadline: Date.now() + LIFETIME_MS * 0.6,
  lifetimeMs: LIFETIME_MS,
});

/** @type {() => Partial<Snapshot>} */
const withPage = () => ({ ...withCode(), method: "page" });

const USER = {
  openid: "oJqxQwYRyZMXFTc8sipB5TSe6Vw4",
  unionid: null,
  nickname: "小林",
  avatar_url: null,
  location: "浙江 杭州",
  subscribed: true,
};

/** @type {Partial<Snapshot>} */
const INSIDE_WECHAT = { method: "webAuthorization" };

/** @type {Record<string, () => Partial<Snapshot>>} */
const STATES = {
  loading: () => ({ state: "loading" }),
  pending: () => ({ ...withCode(), state: "pending" }),
  hurry: () => ({ ...withCode(), state: "pending", deadline: Date.now() + 19_000 }),
  troubled: () => ({ ...withCode(), state: "pending", troubled: true }),
  scanned: () => ({ ...withCode(), state: "scanned" }),
  completing: () => ({ ...withCode(), state: "completing" }),
  confirmed: () => ({ ...withCode(), state: "confirmed", user: USER }),
  nameless: () => ({ ...withCode(), state: "confirmed", user: { ...USER, nickname: null } }),
  expired: () => ({ ...withCode(), state: "expired" }),
  denied: () => ({ ...withCode(), state: "denied" }),
  offline: () => ({ ...withCode(), state: "offline" }),
  error: () => ({ state: "error", problem: new Problem(503, "wechat_unavailable", null) }),
  wait: () => ({ state: "error", problem: new Problem(429, "too_many_logins", 40) }),
  offered: () => ({ ...INSIDE_WECHAT, state: "offered" }),
  leaving: () => ({ ...INSIDE_WECHAT, state: "leaving" }),
  choice: () => ({ ...withCode(), state: "pending", methods: ["code", "page"] }),
  digits: () => ({ ...withDigits(), state: "pending" }),
  "digits-choice": () => ({ ...withDigits("8302947"), state: "pending", methods: ["scan"] }),
  "digits-pictureless": () => ({ ...withDigits("48392017", null), state: "pending" }),
  "digits-loading": () => ({ method: "code", methods: ["scan"], state: "loading" }),
  "digits-troubled": () => ({ ...withDigits(), state: "pending", troubled: true }),
  "digits-scanned": () => ({ ...withDigits(), state: "scanned" }),
  "digits-completing": () => ({ ...withDigits(), state: "completing" }),
  "digits-confirmed": () => ({ ...withDigits(), state: "confirmed", user: USER }),
  "digits-expired": () => ({ ...withDigits(), state: "expired", methods: ["scan"] }),
  "digits-denied": () => ({ ...withDigits("483920", null), state: "denied" }),
  "digits-offline": () => ({ ...withDigits(), state: "offline" }),
  "digits-error": () => ({
    ...withDigits(),
    state: "error",
    methods: ["scan"],
    problem: new Problem(503, "store_unavailable", null),
  }),
  page: () => ({ ...withPage(), state: "pending", methods: ["code"] }),
  "page-scanned": () => ({ ...withPage(), state: "scanned" }),
  "page-denied": () => ({ ...withPage(), state: "denied" }),
};

/** The element without its login: what it shows is given to it. */
class GalleryPiece extends HTMLElement {
  /**
   * @param {{state: string, language: string, theme: string, frame: string}} choice
   */
  async show({ state, language, theme, frame }) {
    await fetchTexts(localeFor(language));
    const pieces = [otherWays, problems, webAuthorization, ...(isTouched() ? [phone] : [])];
    await Promise.all(pieces.map((piece) => piece.fetch()));
    const locale = localeFor(language);
    const texts = textsOf(locale);
    const root = this.attachShadow({ mode: "open" });
    this.setAttribute("theme", theme);
    if (frame === "inline") this.setAttribute("inline", "");
    dress(root, "./", () => {});
    if (!hasDialogs()) await layeredDialog.fetch();
    dressPiece(root, (await webAuthorization.fetch()).css);
    const nothing = () => {};
    const view = new LoginView(root, texts, {
      onOpen: nothing,
      onClose: () => view.close(),
      onRefresh: nothing,
      onRetry: nothing,
      onAuthorize: nothing,
      onUseCode: nothing,
      onUse: nothing,
    });
    view.inline = frame === "inline";
    view.localise({
      texts,
      language: locale.tag,
      label: null,
      accountName: language === "en" ? "Flower Shop" : "花店",
      accountLogo: null,
    });
    view.open();
    view.show({ ...CLOSED, ...STATES[state]() });
  }
}

customElements.define("gallery-piece", GalleryPiece);

const chosen = new URLSearchParams(location.search);
const main = /** @type {HTMLElement} */ (document.querySelector("main"));

/** @param {{state: string, language: string, theme: string, frame: string}} choice */
async function place(choice) {
  const { state, language, theme } = choice;
  const figure = document.createElement("figure");
  figure.className = theme;
  figure.lang = language;
  const caption = document.createElement("figcaption");
  caption.textContent = `${state}, ${theme}, ${language}`;
  const piece = new GalleryPiece();
  figure.append(caption, piece);
  main.append(figure);
  await piece.show(choice);
}

/** @param {{language: string}} choice */
function speak({ language }) {
  document.documentElement.lang = language;
}

/** For who drives this page. */
const gallery = {
  states: Object.keys(STATES),
  languages: LANGUAGES,
  themes: THEMES,
  /** @param {Parameters<typeof place>[0]} choice what to show instead of what is shown */
  async show(choice) {
    main.textContent = "";
    speak(choice);
    await place(choice);
  },
};

const KINDS = {
  state: gallery.states,
  language: gallery.languages,
  theme: gallery.themes,
  frame: FRAMES,
};

/** Links to what else can be shown, a row for each kind. */
function showLinks() {
  for (const [kind, values] of Object.entries(KINDS)) {
    const row = document.createElement("ul");
    for (const value of kind === "frame" ? values : [null, ...values]) {
      const link = document.createElement("a");
      const query = new URLSearchParams(chosen);
      if (value) query.set(kind, value);
      else query.delete(kind);
      link.href = `?${query}`;
      link.textContent = value ?? `every ${kind}`;
      const now = chosen.get(kind) ?? (kind === "frame" ? FRAMES[0] : null);
      if (value === now) link.setAttribute("aria-current", "true");
      const entry = document.createElement("li");
      entry.append(link);
      row.append(entry);
    }
    document.querySelector("nav")?.append(row);
  }
}

/** @param {keyof typeof KINDS} kind */
const wanted = (kind) => chosen.get(kind)?.split(",") ?? KINDS[kind];

showLinks();
if (chosen.get("frame") === "dialog") {
  const [state, language, theme] = [wanted("state")[0], wanted("language")[0], wanted("theme")[0]];
  void gallery.show({ state, language, theme, frame: "dialog" });
} else {
  const choices = wanted("state").flatMap((state) =>
    wanted("language").flatMap((language) =>
      wanted("theme").map((theme) => ({ state, language, theme, frame: "inline" })),
    ),
  );
  void Promise.all(choices.map(place)).then(() => {
    Object.assign(window, { gallery });
  });
}
