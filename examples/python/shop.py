"""A shop with a user table of its own, and WeChat beside its passwords. Flask, nothing else."""
import json, os, secrets, urllib.error, urllib.request
from flask import Flask, abort, g, redirect, render_template, request, session

app = Flask(__name__, template_folder="..")
app.config.update(SECRET_KEY=secrets.token_bytes(32), SESSION_COOKIE_SAMESITE="Lax")
LOGIN, SITE, SITE_KEY, GATEWAY, GATEWAY_KEY = (os.environ[name] for name in ("LOGIN", "SITE", "SITE_KEY", "GATEWAY", "GATEWAY_KEY"))
users = {"alice": {"name": "alice", "password": "correct horse", "sub": None, "openid": None}}

def ask(url, key, body=None):
    headers = {"Authorization": "Bearer " + key, "Content-Type": "application/json"}
    try:
        return json.load(urllib.request.urlopen(urllib.request.Request(url, body and json.dumps(body).encode(), headers), timeout=5))
    except urllib.error.HTTPError:
        return None

@app.before_request
def look_at_the_session():
    g.own = users.get(session.get("user"))
    token = session.setdefault("csrf", secrets.token_urlsafe())
    if request.method == "POST" and not secrets.compare_digest(token, request.form.get("csrf", "")):
        abort(403)

@app.get("/")
def front():
    member = g.own and g.own["openid"] and ask(f"{GATEWAY}/v1/members/{g.own['openid']}", GATEWAY_KEY)
    following = "已关注" if member and member["subscribed"] else "未关注"
    return render_template("page.html", login=LOGIN, csrf=session["csrf"], who=g.own["name"] if g.own else "未登录", following=following)

@app.post("/password")
def password():
    user = users.get(request.form["name"])
    right = user and user["password"] and secrets.compare_digest(user["password"], request.form["password"])
    return enter(user["name"]) if right else abort(403)

@app.post("/wechat")
def wechat():
    person = (ask(f"{SITE}/v1/tickets/redeem", SITE_KEY, {"ticket": request.form["ticket"]}) or abort(403))["user"]
    known = next((user for user in users.values() if user["sub"] == person["sub"]), None)
    if g.own and known and known is not g.own:
        abort(409)  # This WeChat belongs to another account of the shop.
    user = g.own or known or users.setdefault("wx-" + person["sub"], {"name": "wx-" + person["sub"], "password": None})
    user.update(sub=person["sub"], openid=person["openid"])
    return enter(user["name"])

@app.post("/out")
def enter(name=None):
    session.update(user=name, csrf=secrets.token_urlsafe())
    return redirect("/", 303)

app.run("127.0.0.1", int(os.environ["PORT"]))
