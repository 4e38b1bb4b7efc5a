// The public types are those of the sources.
import type { MethodChoice } from "../src/client.js";
import type { LoginState } from "../src/flow.js";
import type { Texts } from "../src/texts.js";
import { WechatLogin } from "../src/wechat-login.js";
import type * as Public from "../types/wechat-login.js";

type Same<One, Other> = [One, Other] extends [Other, One] ? true : false;

export const texts: Same<Texts, Public.Texts> = true;
export const methods: Same<MethodChoice, Public.MethodChoice> = true;
export const states: Same<LoginState, Public.LoginState> = true;

type Members = "state" | "api" | "texts" | "open" | "close";
export const element: Pick<Public.WechatLogin, Members> = new WechatLogin();
export const addLocale: typeof Public.addLocale = WechatLogin.addLocale;
