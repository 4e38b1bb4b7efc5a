// The page of a shop in React. Its backend is node/shop.js.
import { type FormEvent, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { WechatLogin } from "wechat-login-element/react";

type Me = { login: string; csrf: string; who: string; following: string };

function Shop() {
  const [me, setMe] = useState<Me>();
  const [refused, setRefused] = useState(false);
  const load = async () => setMe(await (await fetch("/me")).json());
  useEffect(() => void load(), []);
  if (!me) return null;

  async function send(path: string, fields: Record<string, string> = {}) {
    const body = new URLSearchParams({ ...fields, csrf: me!.csrf });
    const answer = await fetch(path, { method: "POST", body });
    setRefused(!answer.ok);
    await load();
  }
  function enterPassword(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const { name, password } = Object.fromEntries(new FormData(event.currentTarget));
    void send("/password", { name: String(name), password: String(password) });
  }
  async function signOut() {
    await fetch(`${me!.login}/api/session`, { method: "DELETE", credentials: "include" });
    await send("/out");
  }
  return (
    <>
      <h1>小店</h1>
      <p id="who">{me.who}</p>
      <p id="following">{me.following}</p>
      {refused && <p role="alert">没有成功，请重试</p>}
      <WechatLogin api={me.login} session="none" onLogin={({ ticket }) => void send("/wechat", { ticket: ticket ?? "" })} />
      <form id="password" onSubmit={enterPassword}>
        <input name="name" placeholder="用户名" autoComplete="username" />
        <input name="password" type="password" placeholder="密码" autoComplete="current-password" />
        <button>用密码登录</button>
      </form>
      <p id="out"><button onClick={() => void signOut()}>退出登录</button></p>
    </>
  );
}

createRoot(document.querySelector("#shop")!).render(<Shop />);
