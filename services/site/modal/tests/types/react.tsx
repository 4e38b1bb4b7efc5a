// The component, and the element in JSX.
import { useRef } from "react";
import type { WechatLogin as Element } from "wechat-login-element";
import { WechatLogin } from "wechat-login-element/react";
import type {} from "wechat-login-element/react-jsx";

export function LoginPage() {
  const element = useRef<Element>(null);
  return (
    <>
      <WechatLogin
        ref={element}
        api="https://login.example.com"
        inline
        session="none"
        method="code"
        accountName="花店"
        texts={{ title: "登录花店" }}
        onLogin={({ user, ticket }) => console.log(user.openid, ticket)}
        onError={({ code }) => console.log(code)}
      />
      <wechat-login api="https://login.example.com" account-name="花店" theme="dark" method="scan" request="abc">
        <button onClick={() => element.current?.close()}>登录</button>
      </wechat-login>
    </>
  );
}
