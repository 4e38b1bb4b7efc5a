//! The calls themselves: URLs, bodies and limits.

use std::{error::Error, sync::Arc, time::Duration};

use actix_web::web::Bytes;
use jiff::{Timestamp, fmt::rfc2822};
use login_protocol::{
    account::AccountName,
    identity::{AppId, OpenId},
};
use reqwest::{
    Method,
    header::{CONTENT_TYPE, DATE, HeaderMap, HeaderValue},
};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use service_kit::{
    clock_offset::ClockOffset,
    http_calls::{Answer, CallError, HttpCalls},
    traces,
};
use tokio::time::Instant;
use url::{Url, form_urlencoded};
use wechat_wire::{
    api::{
        AccessTokenGranted, ChangeOpenIdsRequest, CreateQrCodeRequest, OpenIdsChanged,
        QrCodeCreated, StableTokenRequest, UserInfo, decode,
    },
    diagnostics::{
        AddressList, CallbackCheck, CallbackCheckRequest, Quota, QuotaAnswer, QuotaRequest,
    },
    web_authorization::{WebAccessGranted, WebUserInfo},
};

use super::{clock::WechatClock, error::WechatError};
use crate::settings::{Credentials, WechatSettings};

/// How long one call may take. WeChat's own pushes are bounded tighter by their handler.
const CALL_TIMEOUT: Duration = Duration::from_secs(3);

/// The largest answer that is read: none that we ask for has more than a few kilobytes.
const ANSWER_LIMIT: usize = 64 * 1024;

/// WeChat's API for one account.
pub struct Api {
    account: AccountName,
    server: HttpCalls,
    app_id: AppId,
    secret: SecretString,
    pictures_url: Url,
    clock: Arc<WechatClock>,
}

impl Api {
    /// A client for this account; its calls go through the proxy, if there is one. `clock` receives
    /// WeChat's time. Connects lazily.
    pub fn new(
        account: AccountName,
        credentials: &Credentials,
        wechat: &WechatSettings,
        clock: Arc<WechatClock>,
    ) -> Result<Self, Box<dyn Error + Send + Sync>> {
        let proxy = wechat.proxy.as_ref();
        Ok(Self {
            account,
            server: HttpCalls::new(&wechat.api_url, proxy, CALL_TIMEOUT)?,
            app_id: credentials.app_id.clone(),
            secret: credentials.app_secret.clone(),
            pictures_url: wechat.mp_url.clone(),
            clock,
        })
    }

    /// What the owner calls the account.
    pub const fn account(&self) -> &AccountName {
        &self.account
    }

    /// The account's AppID.
    pub const fn app_id(&self) -> &AppId {
        &self.app_id
    }

    /// The account's token: the current one, or a new one if `force_refresh` says so.
    /// <https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken>
    pub async fn stable_token(
        &self,
        force_refresh: bool,
    ) -> Result<AccessTokenGranted, WechatError> {
        let secret = self.secret.clone();
        let body = if force_refresh {
            StableTokenRequest::forced(self.app_id.as_str(), secret)
        } else {
            StableTokenRequest::current(self.app_id.as_str(), secret)
        };
        let request = ApiRequest::post("/cgi-bin/stable_token", &[], &body);
        self.call("stable_token", &request).await
    }

    /// A new token of the other family; the one before ends within five minutes.
    /// <https://developers.weixin.qq.com/doc/service/api/base/api_getaccesstoken>
    pub async fn legacy_token(&self) -> Result<AccessTokenGranted, WechatError> {
        let query = [
            ("grant_type", "client_credential"),
            ("appid", self.app_id.as_str()),
            ("secret", self.secret.expose_secret()),
        ];
        let request = ApiRequest::get("/cgi-bin/token", &query);
        self.call("token", &request).await
    }

    /// Creates a temporary QR code with a string scene.
    /// <https://developers.weixin.qq.com/doc/service/api/qrcode/qrcodes/api_createqrcode>
    pub async fn create_qr_code(
        &self,
        token: &str,
        scene: &str,
        expire_seconds: u32,
    ) -> Result<QrCodeCreated, WechatError> {
        let query = [("access_token", token)];
        let body = CreateQrCodeRequest::temporary_str_scene(scene, u64::from(expire_seconds));
        let request = ApiRequest::post("/cgi-bin/qrcode/create", &query, &body);
        self.call("qrcode/create", &request).await
    }

    /// What the account may know of a person.
    /// <https://developers.weixin.qq.com/doc/service/api/usermanage/userinfo/api_userinfo>
    pub async fn user_info(&self, token: &str, openid: &OpenId) -> Result<UserInfo, WechatError> {
        let query = [
            ("access_token", token),
            ("openid", openid.as_str()),
            ("lang", "zh_CN"),
        ];
        let request = ApiRequest::get("/cgi-bin/user/info", &query);
        self.call("user/info", &request).await
    }

    /// The openids at this account of up to a hundred people of a former account, which moved here.
    /// (公众号账号迁移, “openid 转换接口”.)
    pub async fn change_openids(
        &self,
        token: &str,
        from: &AppId,
        openids: &[OpenId],
    ) -> Result<OpenIdsChanged, WechatError> {
        let query = [("access_token", token)];
        let body = ChangeOpenIdsRequest {
            from_appid: from.as_str(),
            openid_list: openids.iter().map(OpenId::as_str).collect(),
        };
        let request = ApiRequest::post("/cgi-bin/changeopenid", &query, &body);
        self.call("changeopenid", &request).await
    }

    /// Exchanges a code of web authorisation.
    /// <https://developers.weixin.qq.com/doc/service/guide/h5/auth.html>
    pub async fn web_access(&self, code: &str) -> Result<WebAccessGranted, WechatError> {
        let query = [
            ("appid", self.app_id.as_str()),
            ("secret", self.secret.expose_secret()),
            ("code", code),
            ("grant_type", "authorization_code"),
        ];
        let request = ApiRequest::get("/sns/oauth2/access_token", &query);
        self.call("sns/oauth2/access_token", &request).await
    }

    /// The profile of somebody who consented; the token is theirs, not the account's.
    /// <https://developers.weixin.qq.com/doc/service/api/webdev/access/api_snsuserinfo>
    pub async fn web_user_info(
        &self,
        web_token: &str,
        openid: &OpenId,
    ) -> Result<WebUserInfo, WechatError> {
        let query = [
            ("access_token", web_token),
            ("openid", openid.as_str()),
            ("lang", "zh_CN"),
        ];
        let request = ApiRequest::get("/sns/userinfo", &query);
        self.call("sns/userinfo", &request).await
    }

    /// How often a call, named by its path, can still be made today.
    /// <https://developers.weixin.qq.com/doc/service/api/apimanage/api_getapiquota>
    pub async fn quota(&self, token: &str, path: &str) -> Result<Quota, WechatError> {
        let query = [("access_token", token)];
        let body = QuotaRequest {
            cgi_path: path.to_owned(),
        };
        let request = ApiRequest::post("/cgi-bin/openapi/quota/get", &query, &body);
        let answer: QuotaAnswer = self.call("openapi/quota/get", &request).await?;
        Ok(answer.quota)
    }

    /// How WeChat itself reaches the callback URL that its console holds.
    /// <https://developers.weixin.qq.com/doc/service/api/base/api_callbackcheck>
    pub async fn check_callback(&self, token: &str) -> Result<CallbackCheck, WechatError> {
        let query = [("access_token", token)];
        let body = CallbackCheckRequest::all();
        let request = ApiRequest::post("/cgi-bin/callback/check", &query, &body);
        self.call("callback/check", &request).await
    }

    /// From where WeChat pushes.
    /// <https://developers.weixin.qq.com/doc/service/api/base/api_getcallbackip>
    pub async fn callback_addresses(&self, token: &str) -> Result<AddressList, WechatError> {
        let request = ApiRequest::get("/cgi-bin/getcallbackip", &[("access_token", token)]);
        self.call("getcallbackip", &request).await
    }

    /// WeChat's time, to the second: the `Date` of a response, whatever else it contains.
    pub async fn server_time(&self) -> Result<Option<Timestamp>, WechatError> {
        let request = ApiRequest::get("/cgi-bin/getcallbackip", &[]);
        let answer = self.send(&request).await?;
        Ok(self.note_time(&answer))
    }

    /// What is wrong with this machine's clock, if it is so far off that pushes are refused: by the
    /// last answer of WeChat's, which stamps the pushes, or by Redis' clock while there was none.
    /// While it is wrong, WeChat is queried for the time every ten seconds, so that a corrected
    /// clock is noticed.
    pub fn clock_complaint(self: &Arc<Self>, by_redis: ClockOffset) -> Option<String> {
        let by_wechat = self.clock.offset();
        let (offset, whose) = by_wechat.map_or((by_redis, "Redis'"), |offset| (offset, "WeChat's"));
        if !offset.is_dangerous() {
            return None;
        }
        if self.clock.may_be_asked() {
            let api = Arc::clone(self);
            tokio::spawn(async move {
                // An unreachable WeChat changes nothing.
                let _ = api.server_time().await;
            });
        }
        Some(format!(
            "This machine's clock is {}; pushes are refused beyond five minutes.",
            offset.words(whose)
        ))
    }

    fn note_time(&self, answer: &Answer) -> Option<Timestamp> {
        let date = answer.headers.get(DATE)?.to_str().ok()?;
        let date = rfc2822::parse(date).ok()?.timestamp();
        self.clock.told(date);
        Some(date)
    }

    /// The URL of WeChat's own image of a code. The ticket is percent-encoded exactly once: none
    /// and two both lead to a 404 (w7corp/easywechat#156, wechatpy/wechatpy#113).
    pub fn qr_code_image(&self, ticket: &str) -> Url {
        let mut url = with_path(&self.pictures_url, "/cgi-bin/showqrcode");
        url.query_pairs_mut().append_pair("ticket", ticket);
        url
    }

    async fn call<T: DeserializeOwned>(
        &self,
        name: &'static str,
        request: &ApiRequest,
    ) -> Result<T, WechatError> {
        let mut answer = self.counted(name, request).await;
        // WeChat may close a kept connection at the moment at which it is used again. That is
        // nobody's failure, and a call that it didn't answer can be made again.
        if let Err(error) = &answer
            && error.is_closed_connection()
        {
            answer = self.counted(name, request).await;
        }
        answer
    }

    async fn counted<T: DeserializeOwned>(
        &self,
        name: &'static str,
        request: &ApiRequest,
    ) -> Result<T, WechatError> {
        let span = traces::call(name);
        let began = Instant::now();
        let answer = self.exchange(request).await;
        let took = began.elapsed();
        let outcome = match &answer {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.outcome(),
        };
        if let Some(span) = span {
            let span = span
                .with("peer.service", "wechat")
                .with_text("wechat_login.account", self.account.to_string());
            if answer.is_ok() {
                span.succeeded();
            } else {
                span.with_text("error.type", outcome.clone()).failed();
            }
        }
        let account = self.account.label();
        metrics::counter!(
            "wechat_api_calls_total",
            "call" => name, "outcome" => outcome, "account" => account
        )
        .increment(1);
        metrics::histogram!(
            "wechat_api_call_duration_seconds",
            "call" => name, "account" => self.account.label()
        )
        .record(took);
        answer
    }

    async fn exchange<T: DeserializeOwned>(&self, request: &ApiRequest) -> Result<T, WechatError> {
        let answer = self.send(request).await?;
        self.note_time(&answer);
        let status = answer.status.as_u16();
        decode(&answer.body).map_err(|error| WechatError::undecoded(status, error))
    }

    async fn send(&self, request: &ApiRequest) -> Result<Answer, CallError> {
        let ApiRequest { target, body } = request;
        let (method, headers, body) = match body {
            Some(body) => (Method::POST, json(), body.clone()),
            None => (Method::GET, HeaderMap::new(), Bytes::new()),
        };
        let call = self
            .server
            .call(method, target, headers, body, ANSWER_LIMIT);
        call.await
    }
}

/// A call that can be made again.
struct ApiRequest {
    /// Path and query.
    target: String,
    /// The body of a `POST`.
    body: Option<Bytes>,
}

impl ApiRequest {
    fn get(path: &str, query: &[(&str, &str)]) -> Self {
        let mut target = path.to_owned();
        if !query.is_empty() {
            target.push('?');
            let begin = target.len();
            target = form_urlencoded::Serializer::for_suffix(target, begin)
                .extend_pairs(query)
                .finish();
        }
        Self { target, body: None }
    }

    fn post(path: &str, query: &[(&str, &str)], body: &impl Serialize) -> Self {
        // Only maps with keys that are no text can't be JSON.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self {
            body: Some(body.into()),
            ..Self::get(path, query)
        }
    }
}

fn json() -> HeaderMap {
    let kind = HeaderValue::from_static("application/json");
    HeaderMap::from_iter([(CONTENT_TYPE, kind)])
}

fn with_path(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

/// The token as Redis and callers hold it.
pub fn token_text(granted: &AccessTokenGranted) -> &str {
    granted.access_token.expose_secret()
}
