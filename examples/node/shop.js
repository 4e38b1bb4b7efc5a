// A shop with a user table of its own, and WeChat beside its passwords: node shop.js
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import express from "express";
import session from "express-session";

const { PORT, LOGIN, SITE, SITE_KEY, GATEWAY, GATEWAY_KEY, FRONTEND } = process.env;
const page = readFileSync(new URL("../page.html", import.meta.url), "utf8");
const users = new Map([["alice", { name: "alice", password: "correct horse", sub: null, openid: null }]]);

async function ask(url, key, body) {
  const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
  const options = { headers, method: body ? "POST" : "GET", body: body && JSON.stringify(body) };
  const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(5000) });
  return answer.ok ? answer.json() : null;
}
const enter = (request, response, name) =>
  request.session.regenerate(() => { request.session.user = name; response.redirect(303, "/"); });

const app = express();
const options = { secret: randomBytes(32).toString("hex"), resave: false, saveUninitialized: true, cookie: { sameSite: "lax" } };
app.use(session(options), express.urlencoded(), (request, response, next) => {
  request.own = users.get(request.session.user);
  request.session.csrf ??= randomBytes(16).toString("hex");
  if (request.method === "POST" && request.body?.csrf !== request.session.csrf) return response.sendStatus(403);
  next();
});
if (FRONTEND) app.use(express.static(FRONTEND)); // The built page of React or Vue, instead of the one below.
app.get(["/", "/me"], async ({ own, path, session: { csrf } }, response) => {
  const member = own?.openid && (await ask(`${GATEWAY}/v1/members/${own.openid}`, GATEWAY_KEY));
  const me = { login: LOGIN, csrf, who: own?.name ?? "未登录", following: member?.subscribed ? "已关注" : "未关注" };
  response.send(path === "/me" ? me : page.replace(/{{(\w+)}}/g, (_, name) => me[name]));
});
app.post("/password", (request, response) => {
  const { name, password } = users.get(request.body.name) ?? {};
  password && password === request.body.password ? enter(request, response, name) : response.sendStatus(403);
});
app.post("/wechat", async (request, response) => {
  const person = (await ask(`${SITE}/v1/tickets/redeem`, SITE_KEY, { ticket: request.body.ticket }))?.user;
  if (!person) return response.sendStatus(403);
  const known = [...users.values()].find(({ sub }) => sub === person.sub);
  if (request.own && known && known !== request.own) return response.sendStatus(409); // Another account's.
  const user = request.own ?? known ?? { name: `wx-${person.sub}`, password: null };
  users.set(user.name, Object.assign(user, { sub: person.sub, openid: person.openid }));
  enter(request, response, user.name);
});
app.post("/out", (request, response) => enter(request, response, null));
app.listen(PORT, "127.0.0.1");
