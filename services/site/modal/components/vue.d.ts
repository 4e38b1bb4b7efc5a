import type { ComponentPublicInstance, DefineComponent } from "vue";

import type {
  ErrorDetail,
  LoginDetail,
  MethodChoice,
  StateDetail,
  Texts,
  WechatLogin as Element,
  WechatLoginAttributes,
} from "../types/wechat-login.js";

export interface WechatLoginProps {
  /** Address of the login service. */
  api: string;
  lang?: string;
  theme?: "light" | "dark";
  label?: string;
  inline?: boolean;
  session?: "none";
  method?: MethodChoice;
  accountName?: string;
  accountLogo?: string;
  texts?: Partial<Texts>;
  onLogin?: (detail: LoginDetail) => void;
  onClose?: () => void;
  onStateChange?: (detail: StateDetail) => void;
  onError?: (detail: ErrorDetail) => void;
}

/** `<wechat-login>`, with the methods `open()` and `close()`. */
export const WechatLogin: new () => ComponentPublicInstance<
  WechatLoginProps,
  Pick<Element, "open" | "close">
>;

declare module "vue" {
  interface GlobalComponents {
    /** Where it is registered with `app.component("WechatLogin", WechatLogin)`. */
    WechatLogin: typeof WechatLogin;
    /** The element itself, in templates. */
    "wechat-login": DefineComponent<WechatLoginAttributes>;
  }
}
