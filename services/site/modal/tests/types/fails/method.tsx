// expected: TS2322
import type {} from "wechat-login-element/react-jsx";
export const Login = () => <wechat-login method="telepathy" />;
