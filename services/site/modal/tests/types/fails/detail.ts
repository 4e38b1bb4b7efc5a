// expected: TS2339
import "wechat-login-element";
document
  .createElement("wechat-login")
  .addEventListener("wechat-login", (event) => console.log(event.detail.session));
