/** `<wechat-login>`, its texts and its events. */

/** What the modal shows. `offered` and `leaving` are inside WeChat. */
export type LoginState =
  | "closed"
  | "loading"
  | "pending"
  | "scanned"
  | "completing"
  | "confirmed"
  | "expired"
  | "denied"
  | "error"
  | "offline"
  | "offered"
  | "leaving";

/** A way to log in, as the login service's setting names it. */
export type MethodChoice = "scan" | "code" | "page" | "auto";

/** Who logged in, as in `GET /api/session`. */
export interface WechatUser {
  /** The person's subject: opaque, the same at every account. */
  readonly sub?: string;
  readonly openid: string;
  readonly unionid: string | null;
  readonly nickname: string | null;
  readonly avatar_url: string | null;
  readonly location: string | null;
  readonly subscribed: boolean | null;
}

/** `detail` of `wechat-login`. */
export interface LoginDetail {
  readonly user: WechatUser;
  /** For the page's own backend, where the login service gives tickets. */
  readonly ticket: string | null;
}

/** `detail` of `wechat-login-state`. */
export interface StateDetail {
  readonly state: LoginState;
}

/** `detail` of `wechat-login-error`. */
export interface ErrorDetail {
  /** The problem's `code`; `offline` when no answer came, `unknown` for one without a code. */
  readonly code: string;
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly retryAfterSeconds: number | null;
}

/** By event name: `detail`. */
export interface WechatLoginEvents {
  "wechat-login": CustomEvent<LoginDetail>;
  "wechat-login-close": CustomEvent<null>;
  "wechat-login-state": CustomEvent<StateDetail>;
  "wechat-login-error": CustomEvent<ErrorDetail>;
}

/** Names of the texts, and of the problems that have one. A word in braces is filled in. */
export type TextName =
  | "trigger"
  | "title"
  | "webAuthorizationTitle"
  | "close"
  | "codeAlt"
  | "stepScan"
  | "stepFollow"
  /** `{account}` */
  | "stepFollowNamed"
  | "stepConfirm"
  /** `{time}` */
  | "valid"
  | "troubled"
  | "minuteLeft"
  | "secondsLeft"
  | "loading"
  | "pending"
  | "scanned"
  | "scannedDetail"
  | "completing"
  | "confirmed"
  | "nameless"
  | "expired"
  | "expiredAction"
  | "denied"
  | "deniedDetail"
  | "deniedAction"
  | "offline"
  | "offlineDetail"
  | "webAuthorizationOfflineDetail"
  | "retry"
  /** `{wait}` */
  | "retryIn"
  /** `{n}` */
  | "seconds"
  /** `{n}` */
  | "minutes"
  /** `{n}` */
  | "hours"
  | "authorize"
  | "offered"
  | "offeredDetail"
  | "leaving"
  | "useCode"
  | "phoneHint"
  | "wechatHint"
  | "save"
  | "fileName"
  | "error"
  | "too_many_logins"
  | "foreign_origin"
  | "store_unavailable"
  | "gateway_unavailable"
  | "wechat_unavailable"
  | "wechat_answer_unusable"
  | "daily_codes_used_up"
  | "wechat_refused"
  | "login_not_confirmed"
  | "unreadable_answer"
  | "serverFailed"
  | "requestFailed"
  // Said for the name without `digits` where the visitor sends digits to the account, and for the one
  // without `page` where a page on the phone asks.
  | "byScan"
  | "byCode"
  | "byPage"
  | "digitsTitle"
  | "digitsCodeAlt"
  | "digitsStepScan"
  /** `{account}` */
  | "digitsStepScanNamed"
  | "digitsStepSearch"
  /** `{account}` */
  | "digitsStepSearchNamed"
  | "digitsStepFollow"
  /** `{account}` */
  | "digitsStepFollowNamed"
  | "digitsLabel"
  | "digitsTroubled"
  | "digitsMinuteLeft"
  | "digitsSecondsLeft"
  | "digitsLoading"
  /** `{digits}` */
  | "digitsPending"
  | "digitsScanned"
  | "digitsExpired"
  | "digitsExpiredAction"
  | "digitsDeniedAction"
  | "digitsPhoneHint"
  | "digitsWechatHint"
  | "digitsFileName"
  | "copy"
  | "copyAndOpen"
  | "copied"
  | "copyFailed"
  | "pageStepFollow"
  | "pageStepFollowNamed"
  | "pagePending"
  | "pageScanned"
  | "pageScannedDetail";

/** All texts of a language. */
export type Texts = { [Name in TextName]: string };

/** Attributes in HTML. */
export interface WechatLoginAttributes {
  /** Address of the login service; by default where the script came from. */
  api?: string;
  /** BCP 47 language tag; by default the nearest ancestor's, else the browser's. */
  lang?: string;
  theme?: "light" | "dark";
  /** The button's text. */
  label?: string;
  /** The card as a part of the page, without a button; the login starts at once. */
  inline?: boolean | "";
  /** `none`: a ticket and no session. */
  session?: "none";
  /** The way to log in that is shown first, of those that the login service offers. */
  method?: MethodChoice;
  /** Of the authorization page: which request the login is for. */
  request?: string;
  /** What people call the account. */
  "account-name"?: string;
  /** Address of a square picture. */
  "account-logo"?: string;
}

export class WechatLogin extends HTMLElement {
  /** Adds a language or replaces one. What it leaves out is Chinese. */
  static addLocale(tag: string, texts: Partial<Texts>): void;

  readonly state: LoginState;
  api: string;
  /** The page's own words, over those of the language. */
  texts: Partial<Texts>;

  /** Shows the modal and starts a login, or inside WeChat offers one. Nothing when it is open. */
  open(): void;
  /** Hides the modal and ends the login, unless it has succeeded. */
  close(): void;

  addEventListener<Name extends keyof WechatLoginEvents>(
    type: Name,
    listener: (this: WechatLogin, event: WechatLoginEvents[Name]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener<Name extends keyof HTMLElementEventMap>(
    type: Name,
    listener: (this: WechatLogin, event: HTMLElementEventMap[Name]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Name extends keyof WechatLoginEvents>(
    type: Name,
    listener: (this: WechatLogin, event: WechatLoginEvents[Name]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener<Name extends keyof HTMLElementEventMap>(
    type: Name,
    listener: (this: WechatLogin, event: HTMLElementEventMap[Name]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | EventListenerOptions,
  ): void;
}

/** The same as `WechatLogin.addLocale`. */
export function addLocale(tag: string, texts: Partial<Texts>): void;

declare global {
  interface HTMLElementTagNameMap {
    "wechat-login": WechatLogin;
  }
}
