// expected: TS2367
import type { WechatLogin } from "wechat-login-element";
export const over = (login: WechatLogin) => login.state === "finished";
