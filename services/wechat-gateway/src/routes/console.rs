//! `/console`: the owner's console.

mod acts;
mod page;
mod webhooks;
mod wechat;

use actix_web::{
    HttpRequest, HttpResponse,
    error::InternalError,
    http::{Method, StatusCode, header},
    web::{self, Data, Form, FormConfig, Path, Query, QueryConfig, ServiceConfig},
};
use login_protocol::{identity::OpenId, steps::MemberPlace};
use serde::Deserialize;
use service_kit::{endpoint, static_file::StaticFile};
use url::form_urlencoded;

use crate::{
    accounts::Account,
    audit::{Actor, OwnerAction},
    console::{
        self, Console,
        language::Language,
        pages::{AskPage, ChecksPage, MembersPage, OverviewPage, PersonPage, Place, SignIn},
        sessions::{self, SignInError},
    },
    members::SessionsError,
};
use page::{
    BASE, SIGN_IN, Visit, doubled, foreign, later, no_randomness, nobody, not_found, not_kept,
    outside, redirect, say_in_short, store_failed, too_many,
};

const MEMBERS: &str = "/console/members";

/// Adds the console to the internal listener.
pub(super) fn configure(config: &mut ServiceConfig) {
    let broken = |request: &HttpRequest, status: StatusCode| {
        let say = Language::of(request);
        let title = say.say("这个请求不完整", "This request is incomplete");
        say_in_short(say, status, title, "")
    };
    let form = FormConfig::default().error_handler(move |error, request| {
        let page = broken(request, StatusCode::BAD_REQUEST);
        InternalError::from_response(error, page).into()
    });
    let query = QueryConfig::default().error_handler(move |error, request| {
        let page = broken(request, StatusCode::BAD_REQUEST);
        InternalError::from_response(error, page).into()
    });
    let at = |path: &str, method: Method, route| {
        endpoint::at(&format!("{BASE}{path}"), [(method, route)])
            .app_data(form.clone())
            .app_data(query.clone())
    };
    let asked_and_done = |path: &str, ask, done| {
        endpoint::at(
            &format!("{BASE}{path}"),
            [(Method::GET, ask), (Method::POST, done)],
        )
        .app_data(form.clone())
        .app_data(query.clone())
    };
    config
        .service(at("", Method::GET, web::to(overview)))
        .service(asked_and_done(
            "/sign-in",
            web::to(sign_in_page),
            web::to(sign_in),
        ))
        .service(asked_and_done(
            "/sign-in/wechat",
            web::to(wechat::look),
            web::to(wechat::begin),
        ))
        .service(at(
            "/sign-in/wechat/finish",
            Method::POST,
            web::to(wechat::finish),
        ))
        .service(at("/webhooks", Method::GET, web::to(webhooks::list)))
        .service(asked_and_done(
            "/webhooks/{name}/redeliver",
            web::to(webhooks::ask),
            web::to(webhooks::redeliver),
        ))
        .service(at("/activity", Method::GET, web::to(acts::list)))
        .service(at("/sign-out", Method::POST, web::to(sign_out)))
        .service(at("/language/{tag}", Method::GET, web::to(speak)))
        .service(at("/style.css", Method::GET, web::to(style)))
        .service(at("/console.js", Method::GET, web::to(script)))
        .service(at("/icon.svg", Method::GET, web::to(icon)))
        .service(asked_and_done(
            "/checks",
            web::to(checks),
            web::to(run_checks),
        ))
        .service(at("/members", Method::GET, web::to(members)))
        .service(at("/members/{openid}", Method::GET, web::to(person)))
        .service(asked_and_done(
            "/members/{openid}/{action}",
            web::to(ask),
            web::to(act),
        ));
}

async fn style(request: HttpRequest) -> HttpResponse {
    static SHEET: StaticFile = StaticFile::new("text/css; charset=utf-8", console::STYLE_SHEET);
    file(&SHEET, &request)
}

async fn script(request: HttpRequest) -> HttpResponse {
    static SCRIPT: StaticFile = StaticFile::new("text/javascript; charset=utf-8", console::SCRIPT);
    file(&SCRIPT, &request)
}

async fn icon(request: HttpRequest) -> HttpResponse {
    static ICON: StaticFile = StaticFile::new("image/svg+xml", console::ICON);
    file(&ICON, &request)
}

fn file(file: &'static StaticFile, request: &HttpRequest) -> HttpResponse {
    let mut response = file.answer(request, "no-cache");
    let own = header::HeaderValue::from_static("same-origin");
    response
        .headers_mut()
        .insert(header::CROSS_ORIGIN_RESOURCE_POLICY, own);
    response
}

/// `GET /console/language/{tag}`: the same page in another language.
async fn speak(tag: Path<String>, request: HttpRequest) -> HttpResponse {
    let Some(language) = Language::parse(&tag) else {
        return not_found(Language::of(&request));
    };
    let mut response = redirect(&came_from(&request));
    // A cookie's text is a header's.
    let _ = response.add_cookie(&language.cookie());
    response
}

/// The page of the console that led here, or its first one.
fn came_from(request: &HttpRequest) -> String {
    let referrer = request.headers().get(header::REFERER);
    let referrer = referrer.and_then(|value| url::Url::parse(value.to_str().ok()?).ok());
    let path = referrer.map(|url| {
        let query = url
            .query()
            .map_or_else(String::new, |query| format!("?{query}"));
        format!("{}{query}", url.path())
    });
    path.filter(|path| {
        path == BASE || path.starts_with("/console/") || path.starts_with("/console?")
    })
    .unwrap_or_else(|| BASE.to_owned())
}

/// `GET /console/sign-in`.
async fn sign_in_page(request: HttpRequest, console: Data<Console>) -> HttpResponse {
    let say = Language::of(&request);
    let has_wechat = console.wechat.is_some();
    let is_doubled = sessions::is_doubled(&request, console.is_https(&request));
    let refusal = is_doubled.then(|| doubled(say).to_owned());
    sign_in_again(say, StatusCode::OK, has_wechat, refusal)
}

fn sign_in_again(
    say: Language,
    status: StatusCode,
    has_wechat: bool,
    refusal: Option<String>,
) -> HttpResponse {
    let title = say.say("登录", "Sign in");
    let content = SignIn {
        say,
        refusal,
        has_wechat,
    };
    outside(say, status, title, None, &content)
}

#[derive(Deserialize)]
struct Key {
    key: String,
}

/// `POST /console/sign-in`.
async fn sign_in(request: HttpRequest, sent: Form<Key>, console: Data<Console>) -> HttpResponse {
    let say = Language::of(&request);
    if sessions::is_foreign(&request) {
        return foreign(say);
    }
    let client = console.proxies.client(&request);
    let has_wechat = console.wechat.is_some();
    let nobody_yet = console.actor(&request, None);
    match console.sessions.sign_in(sent.key.trim(), client).await {
        Ok(owner) => {
            if let Err(error) = console.record(nobody_yet, OwnerAction::SignIn).await {
                return not_kept(say, error);
            }
            tracing::info!("somebody signed in to the console");
            let mut response = redirect(BASE);
            // A cookie's text is a header's.
            let _ = response.add_cookie(&owner.cookie(console.is_https(&request)));
            response
        }
        Err(SignInError::WrongKey) => {
            tracing::warn!("a wrong key was sent to the console");
            if let Err(error) = console.record(nobody_yet, OwnerAction::SignInRefused).await {
                return not_kept(say, error);
            }
            let refusal = say.say("密钥不对。", "This is not the key.").to_owned();
            sign_in_again(say, StatusCode::FORBIDDEN, has_wechat, Some(refusal))
        }
        Err(SignInError::TooMany { retry_after }) => {
            tracing::warn!("too many sign-ins to the console failed");
            let refusal = Some(too_many(say, retry_after));
            let status = StatusCode::TOO_MANY_REQUESTS;
            later(sign_in_again(say, status, has_wechat, refusal), retry_after)
        }
        Err(SignInError::Store(error)) => store_failed(say, &error),
        Err(SignInError::Randomness(error)) => no_randomness(say, error),
    }
}

#[derive(Deserialize)]
struct Pressed {
    token: String,
}

/// `POST /console/sign-out`.
async fn sign_out(
    request: HttpRequest,
    visit: Visit,
    pressed: Form<Pressed>,
    console: Data<Console>,
) -> HttpResponse {
    if let Some(refusal) = visit.refusal(&request, &pressed.token) {
        return refusal;
    }
    let actor = visit.actor(&request, &console);
    if let Err(error) = console.record(actor, OwnerAction::SignOut).await {
        return not_kept(visit.say, error);
    }
    if let Err(error) = console.sessions.sign_out(&visit.owner).await {
        return store_failed(visit.say, &error);
    }
    let mut response = redirect(SIGN_IN);
    // A cookie's text is a header's.
    let _ = response.add_cookie(&sessions::no_cookie(console.is_https(&request)));
    response
}

/// `GET /console`.
async fn overview(visit: Visit, console: Data<Console>) -> HttpResponse {
    let say = visit.say;
    match console.overview(say).await {
        Ok(overview) => {
            let page = OverviewPage::new(say, &overview);
            visit.page(Place::Overview, say.say("概览", "Overview"), &page)
        }
        Err(error) => store_failed(say, &error),
    }
}

/// `GET /console/checks`.
async fn checks(visit: Visit) -> HttpResponse {
    let say = visit.say;
    let token = visit.owner.form_token();
    let page = ChecksPage {
        say,
        findings: None,
        token: &token,
    };
    visit.page(Place::Checks, say.say("检查", "Checks"), &page)
}

/// `POST /console/checks`: runs them.
async fn run_checks(
    request: HttpRequest,
    visit: Visit,
    pressed: Form<Pressed>,
    console: Data<Console>,
) -> HttpResponse {
    if let Some(refusal) = visit.refusal(&request, &pressed.token) {
        return refusal;
    }
    let say = visit.say;
    let actor = visit.actor(&request, &console);
    if let Err(error) = console.record(actor, OwnerAction::RunChecks).await {
        return not_kept(say, error);
    }
    let Some(findings) = Box::pin(console.examine()).await else {
        let title = say.say("检查正在进行", "The checks are running");
        let text = say.say("请稍等几秒再试。", "Try again in a few seconds.");
        return say_in_short(say, StatusCode::CONFLICT, title, text);
    };
    let token = visit.owner.form_token();
    let page = ChecksPage {
        say,
        findings: Some(&findings),
        token: &token,
    };
    visit.page(Place::Checks, say.say("检查", "Checks"), &page)
}

#[derive(Deserialize)]
struct Search {
    #[serde(default)]
    account: String,
    #[serde(default)]
    q: String,
    before: Option<String>,
    done: Option<String>,
}

/// `GET /console/members`.
async fn members(visit: Visit, search: Query<Search>, console: Data<Console>) -> HttpResponse {
    let say = visit.say;
    let Some(account) = console.account(&search.account) else {
        return not_found(say);
    };
    let before = search.before.as_deref().and_then(MemberPlace::parse);
    let is_later = before.is_some();
    let found = match console.find(account, &search.q, before).await {
        Ok(found) => found,
        Err(error) => return store_failed(say, &error),
    };
    let name = account.name.as_str();
    let next = found.next.map(|place| {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("account", name)
            .append_pair("q", &search.q)
            .append_pair("before", &place.to_text())
            .finish();
        format!("{MEMBERS}?{query}")
    });
    let page = MembersPage {
        say,
        accounts: &console.account_names(),
        account: name,
        query: &search.q,
        is_later,
        members: &found.members,
        next,
        done: done(say, search.done.as_deref()),
    };
    visit.page(Place::Members, say.say("成员", "Members"), &page)
}

#[derive(Deserialize)]
struct OfPerson {
    #[serde(default)]
    account: String,
    session: Option<String>,
    done: Option<String>,
}

/// `GET /console/members/{openid}`.
async fn person(
    visit: Visit,
    openid: Path<String>,
    asked: Query<OfPerson>,
    console: Data<Console>,
) -> HttpResponse {
    let say = visit.say;
    let Some(account) = console.account(&asked.account) else {
        return not_found(say);
    };
    let stored = match account.members.find(&openid).await {
        Ok(Some(stored)) => stored,
        Ok(None) => return nobody(say),
        Err(error) => return store_failed(say, &error),
    };
    let sessions = match account.members.sessions(&openid).await {
        Ok(sessions) => sessions,
        Err(SessionsError::Store(error)) => return store_failed(say, &error),
        Err(_) => return nobody(say),
    };
    let page = PersonPage {
        say,
        account: account.name.as_str(),
        stored: &stored,
        sessions: &sessions,
        done: done(say, asked.done.as_deref()),
    };
    visit.page(Place::Members, say.say("成员", "Member"), &page)
}

/// What the owner does to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    EndSession,
    EndSessions,
    Ban,
    LiftBan,
    Erase,
}

impl Action {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "end-session" => Self::EndSession,
            "end-sessions" => Self::EndSessions,
            "ban" => Self::Ban,
            "lift-ban" => Self::LiftBan,
            "erase" => Self::Erase,
            _ => return None,
        })
    }

    const fn is_dangerous(self) -> bool {
        matches!(self, Self::Ban | Self::Erase)
    }

    /// The question, what a yes does, and the button.
    const fn words(self, say: Language) -> [&'static str; 3] {
        match self {
            Self::EndSession => [
                say.say("结束这次登录？", "End this session?"),
                say.say("这个浏览器会马上退出。", "That browser is signed out at once."),
                say.say("结束", "End it"),
            ],
            Self::EndSessions => [
                say.say("结束全部登录？", "End all sessions?"),
                say.say(
                    "这个人在所有网站上都会马上退出，可以重新扫码登录。",
                    "The person is signed out of all sites at once, and can log in again.",
                ),
                say.say("全部结束", "End all"),
            ],
            Self::Ban => [
                say.say("封禁这个人？", "Ban this person?"),
                say.say(
                    "这个人会马上退出所有网站，以后也不能登录，直到你解除封禁。",
                    "The person is signed out everywhere at once, and can't log in until you lift the ban.",
                ),
                say.say("封禁", "Ban"),
            ],
            Self::LiftBan => [
                say.say("解除封禁？", "Lift the ban?"),
                say.say("这个人又可以登录了。", "The person can log in again."),
                say.say("解除封禁", "Lift the ban"),
            ],
            Self::Erase => [
                say.say("删除这个人的全部数据？", "Erase everything about this person?"),
                say.say(
                    "资料、登录状态、sub 和事件都会删除，无法恢复。以后再登录，就是一个新的 sub。",
                    "Profile, sessions, subject and events are erased and can't be restored. A later login gets a new subject.",
                ),
                say.say("删除", "Erase"),
            ],
        }
    }
}

/// What was done, in a sentence.
fn done(say: Language, action: Option<&str>) -> Option<&'static str> {
    Some(match Action::parse(action?)? {
        Action::EndSession => say.say("已结束这次登录。", "The session has ended."),
        Action::EndSessions => say.say("已结束全部登录。", "All sessions have ended."),
        Action::Ban => say.say("已封禁。", "The person is banned."),
        Action::LiftBan => say.say("已解除封禁。", "The ban is lifted."),
        Action::Erase => say.say("已删除全部数据。", "Everything is erased."),
    })
}

fn query_of(account: &Account, session: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("account", account.name.as_str());
    if let Some(session) = session {
        query.append_pair("session", session);
    }
    query.finish()
}

/// `GET /console/members/{openid}/{action}`: asks.
async fn ask(
    visit: Visit,
    path: Path<(String, String)>,
    asked: Query<OfPerson>,
    console: Data<Console>,
) -> HttpResponse {
    let say = visit.say;
    let (openid, name) = path.into_inner();
    let (Some(action), Some(account)) = (Action::parse(&name), console.account(&asked.account))
    else {
        return not_found(say);
    };
    let stored = match account.members.find(&openid).await {
        Ok(Some(stored)) => stored,
        Ok(None) => return nobody(say),
        Err(error) => return store_failed(say, &error),
    };
    let openid = stored.member.openid.as_str();
    let [question, consequence, button] = action.words(say);
    let nickname = stored.member.nickname.as_deref().unwrap_or_default();
    let who = format!("{nickname} {openid}");
    let page = AskPage {
        say,
        question,
        consequence,
        who: who.trim(),
        button,
        is_dangerous: action.is_dangerous(),
        action: &format!(
            "{MEMBERS}/{openid}/{name}?{}",
            query_of(account, asked.session.as_deref())
        ),
        back: &format!("{MEMBERS}/{openid}?{}", query_of(account, None)),
        token: &visit.owner.form_token(),
    };
    visit.page(Place::Members, question, &page)
}

/// `POST /console/members/{openid}/{action}`: does it.
async fn act(
    request: HttpRequest,
    visit: Visit,
    path: Path<(String, String)>,
    asked: Query<OfPerson>,
    pressed: Form<Pressed>,
    console: Data<Console>,
) -> HttpResponse {
    if let Some(refusal) = visit.refusal(&request, &pressed.token) {
        return refusal;
    }
    let say = visit.say;
    let (openid, name) = path.into_inner();
    let (Some(action), Some(account)) = (Action::parse(&name), console.account(&asked.account))
    else {
        return not_found(say);
    };
    let session = asked.session.as_deref().unwrap_or_default();
    let actor = visit.actor(&request, &console);
    let outcome = perform(action, account, &openid, session, &actor).await;
    let done = match outcome {
        Ok(()) => {
            tracing::info!(action = name, "done in the console");
            format!("{}&done={name}", query_of(account, None))
        }
        // It has ended meanwhile.
        Err(SessionsError::UnknownSession) => query_of(account, None),
        Err(SessionsError::UnknownMember) => return nobody(say),
        Err(SessionsError::Store(error)) => return store_failed(say, &error),
        Err(SessionsError::Randomness(error)) => return no_randomness(say, error),
    };
    if action == Action::Erase {
        return redirect(&format!("{MEMBERS}?{done}"));
    }
    redirect(&format!("{MEMBERS}/{openid}?{done}"))
}

async fn perform(
    action: Action,
    account: &Account,
    openid: &str,
    session: &str,
    actor: &Actor,
) -> Result<(), SessionsError> {
    let members = &account.members;
    let person = || OpenId::parse(openid).map_err(|_| SessionsError::UnknownMember);
    match action {
        Action::EndSession => members.end_session(openid, session, actor).await,
        Action::EndSessions => members.end_sessions(openid, actor).await,
        Action::Ban => Ok(members.ban(person()?, actor).await?),
        Action::LiftBan => Ok(members.lift_ban(person()?, actor).await?),
        Action::Erase => {
            let was_known = members.erase(openid, actor).await?;
            was_known.then_some(()).ok_or(SessionsError::UnknownMember)
        }
    }
}
