// expected: TS2322
import { WechatLogin } from "wechat-login-element/react";
export const Login = () => <WechatLogin api="" onLogin={(ticket: string) => console.log(ticket)} />;
