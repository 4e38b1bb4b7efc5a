// The element, its events and its texts.
import { addLocale, type LoginDetail, WechatLogin } from "wechat-login-element";
import english from "wechat-login-element/locale/en.js";
import taiwanese from "wechat-login-element/locale/zh-TW.js";

const login = document.createElement("wechat-login");
const found: WechatLogin | null = document.querySelector("wechat-login");
found?.open();
login.texts = { title: "登录花店", too_many_logins: english.too_many_logins };
login.addEventListener("wechat-login", (event) => {
  const { user, ticket }: LoginDetail = event.detail;
  const nickname: string | null = user.nickname;
  console.log(nickname, ticket?.length);
});
login.addEventListener("wechat-login-error", ({ detail }) => console.log(detail.code.length));
login.addEventListener("wechat-login-state", ({ detail }) => detail.state === "pending");
login.addEventListener("click", (event) => console.log(event.clientX));
addLocale("zh-MO", taiwanese);
WechatLogin.addLocale("ja", { title: "WeChat でログイン" });
