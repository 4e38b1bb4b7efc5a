import type { Texts } from "./wechat-login.js";

declare const texts: Texts;
export default texts;
