// expected: TS2741
import { WechatLogin } from "wechat-login-element/react";
export const Login = () => <WechatLogin inline />;
