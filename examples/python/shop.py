"""A shop with a user table of its own, and WeChat beside its passwords. Flask, nothing else."""
import json, os, secrets, urllib.error, urllib.request
from flask import Flask, abort, redirect, request, session
from markupsafe import escape

app = Flask(__name__)
app.secret_key = secrets.token_bytes(32)
LOGIN, SITE, SITE_KEY, GATEWAY, GATEWAY_KEY = (os.environ[name] for name in ("LOGIN", "SITE", "SITE_KEY", "GATEWAY", "GATEWAY_KEY"))
PAGE = open(os.path.join(os.path.dirname(__file__), "../page.html"), encoding="utf-8").read()
users = {"alice": {"name": "alice", "password": "correct horse", "sub": None, "openid": None}}

def ask(url, key, body=None):
    ask = urllib.request.Request(url, body and json.dumps(body).encode(), {"Authorization": "Bearer " + key, "Content-Type": "application/json"})
    with urllib.request.urlopen(ask, timeout=5) as answer:
        return json.load(answer)

@app.before_request
def check_csrf():
    session.setdefault("csrf", secrets.token_urlsafe())
    if request.method == "POST" and not secrets.compare_digest(session["csrf"], request.form.get("csrf", "")):
        abort(403)

@app.get("/")
def front():
    user = users.get(session.get("user"))
    follows = user and user["openid"] and ask(f"{GATEWAY}/v1/members/{user['openid']}", GATEWAY_KEY)["subscribed"]
    page = PAGE.replace("{{login}}", LOGIN).replace("{{csrf}}", session["csrf"])
    page = page.replace("{{following}}", "已关注" if follows else "未关注")
    return page.replace("{{who}}", str(escape(user["name"])) if user else "未登录")

@app.post("/password")
def password():
    user = users.get(request.form["name"])
    if not user or not user["password"] or not secrets.compare_digest(user["password"], request.form["password"]):
        abort(403)
    session["user"] = user["name"]
    return redirect("/")

@app.post("/wechat")
def wechat():
    try:
        person = ask(f"{SITE}/v1/tickets/redeem", SITE_KEY, {"ticket": request.form["ticket"]})["user"]
    except urllib.error.HTTPError:
        abort(403)
    known = next((user for user in users.values() if user["sub"] == person["sub"]), None)
    own = users.get(session.get("user"))
    if own and known and known is not own:
        abort(409)  # This WeChat belongs to another account of the shop.
    user = own or known or users.setdefault("wx-" + person["sub"], {"name": "wx-" + person["sub"], "password": None})
    user.update(sub=person["sub"], openid=person["openid"])
    session["user"] = user["name"]
    return redirect("/")

@app.post("/out")
def out():
    session.clear()
    return redirect("/")

app.run("127.0.0.1", int(os.environ["PORT"]))
