// expected: TS2561
import { addLocale } from "wechat-login-element";
addLocale("ja", { titel: "WeChat でログイン" });
