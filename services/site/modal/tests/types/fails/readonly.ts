// expected: TS2540
import "wechat-login-element";
document.createElement("wechat-login").state = "closed";
