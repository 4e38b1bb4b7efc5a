import type { ForwardRefExoticComponent, ReactNode, RefAttributes } from "react";

import type {
  ErrorDetail,
  LoginDetail,
  LoginState,
  MethodChoice,
  Texts,
  WechatLogin as Element,
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
  className?: string;
  id?: string;
  /** An element that opens the modal, instead of the button. */
  children?: ReactNode;
  onLogin?: (detail: LoginDetail, event: CustomEvent<LoginDetail>) => void;
  onClose?: () => void;
  onStateChange?: (detail: { state: LoginState }) => void;
  onError?: (detail: ErrorDetail) => void;
}

/** `<wechat-login>`; its ref is the element. */
export const WechatLogin: ForwardRefExoticComponent<
  WechatLoginProps & RefAttributes<Element>
>;
