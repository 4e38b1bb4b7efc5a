/**
 * Every word the modal says, in both languages, and what the server's problem codes mean to a
 * visitor.
 *
 * @typedef {"zh-CN" | "en"} Language
 */

const CHINESE = {
  trigger: "微信扫码登录",
  title: "微信扫码登录",
  webAuthorizationTitle: "微信登录",
  close: "关闭",
  codeAlt: "微信登录二维码，请用微信扫一扫",
  stepScan: "打开微信，扫一扫",
  stepFollow: "关注公众号后自动登录",
  stepConfirm: "在手机上确认登录",
  valid: (/** @type {string} */ time) => `${time} 后失效`,
  troubled: "服务繁忙，正在重试，二维码仍然有效",
  minuteLeft: "二维码还有 1 分钟失效",
  secondsLeft: "二维码即将失效",

  loading: "正在生成二维码…",
  pending: "二维码已就绪，请用微信扫一扫",
  scanned: "已扫描",
  scannedDetail: "请在手机上确认",
  completing: "正在登录…",
  confirmed: "登录成功",
  nameless: "微信用户",
  expired: "二维码已失效",
  expiredAction: "刷新二维码",
  denied: "已取消登录",
  deniedDetail: "你在手机上拒绝了这次登录",
  deniedAction: "重新扫码",
  offline: "网络连接已断开",
  offlineDetail: "恢复后会自动继续",
  webAuthorizationOfflineDetail: "请检查网络后重试",
  retry: "重试",
  retryIn: (/** @type {string} */ wait) => `${wait}后可重试`,
  wait: (/** @type {number} */ seconds) => {
    if (seconds < 60) return `${seconds} 秒`;
    if (seconds < 7200) return `${Math.ceil(seconds / 60)} 分钟`;
    return `${Math.ceil(seconds / 3600)} 小时`;
  },

  authorize: "微信一键登录",
  offered: "用当前微信登录",
  offeredDetail: "不用扫码，点一下就好",
  leaving: "正在打开微信授权…",
  useCode: "改用二维码",

  phoneHint: "在手机上？保存二维码，在微信「扫一扫」里从相册选取",
  wechatHint: "长按二维码，选择「识别图中二维码」",
  save: "保存二维码",
  fileName: "微信登录二维码.png",

  error: "暂时无法登录",
  problems: {
    too_many_logins: "尝试得太频繁了，请稍候",
    foreign_origin: "此网站未获准使用这个登录服务",
    store_unavailable: "登录服务繁忙，请稍后再试",
    gateway_unavailable: "登录服务繁忙，请稍后再试",
    wechat_unavailable: "微信暂时没有响应，请稍后再试",
    wechat_answer_unusable: "微信返回的内容无法识别，请联系网站管理员",
    daily_codes_used_up: "今天的登录次数已用完，请联系网站管理员",
    wechat_refused: "公众号设置有误，请联系网站管理员",
    login_not_confirmed: "没有收到微信的确认，请重试",
    unreadable_answer: "收到了无法识别的响应，请检查网络后重试",
  },
  serverFailed: "服务器出了点问题，请稍后再试",
  requestFailed: "登录没有成功，请重试",
};

/** @typedef {typeof CHINESE} Texts */

/** @type {Texts} */
const ENGLISH = {
  trigger: "Log in with WeChat",
  title: "Log in with WeChat",
  webAuthorizationTitle: "Log in with WeChat",
  close: "Close",
  codeAlt: "QR code for logging in: scan it with WeChat",
  stepScan: "Open WeChat and scan",
  stepFollow: "Follow us and you’re in",
  stepConfirm: "Confirm on your phone",
  valid: (time) => `Valid for ${time}`,
  troubled: "Busy, trying again. Your code stays valid",
  minuteLeft: "The code expires in one minute",
  secondsLeft: "The code is about to expire",

  loading: "Preparing your code…",
  pending: "The code is ready: scan it with WeChat",
  scanned: "Scanned",
  scannedDetail: "Confirm on your phone",
  completing: "Signing you in…",
  confirmed: "You’re in",
  nameless: "WeChat user",
  expired: "This code has expired",
  expiredAction: "New code",
  denied: "Login declined",
  deniedDetail: "You declined it on your phone",
  deniedAction: "Scan again",
  offline: "You’re offline",
  offlineDetail: "It continues automatically once you’re back online",
  webAuthorizationOfflineDetail: "Check your network and try again",
  retry: "Try again",
  retryIn: (wait) => `Try again in ${wait}`,
  wait: (seconds) => {
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 7200) return `${Math.ceil(seconds / 60)} min`;
    return `${Math.ceil(seconds / 3600)} h`;
  },

  authorize: "Log in with this WeChat",
  offered: "You’re in WeChat already",
  offeredDetail: "No code to scan, just one tap",
  leaving: "Opening WeChat’s consent page…",
  useCode: "Use a code instead",

  phoneHint: "On your phone? Save the code, then pick it from the album in WeChat’s Scan",
  wechatHint: "Press and hold the code, then choose “Extract QR Code”",
  save: "Save the code",
  fileName: "wechat-login-code.png",

  error: "Can’t log in right now",
  problems: {
    too_many_logins: "Too many attempts. Please wait a moment",
    foreign_origin: "This website isn’t allowed to use this login service",
    store_unavailable: "The login service is busy. Please try again shortly",
    gateway_unavailable: "The login service is busy. Please try again shortly",
    wechat_unavailable: "WeChat isn’t responding. Please try again shortly",
    wechat_answer_unusable: "WeChat returned an unexpected response. Please tell the site’s owner",
    daily_codes_used_up: "Today’s logins are used up. Please tell the site’s owner",
    wechat_refused: "The WeChat account is misconfigured. Please tell the site’s owner",
    login_not_confirmed: "WeChat’s confirmation didn’t arrive. Please try again",
    unreadable_answer: "Received an unexpected response. Check your network and try again",
  },
  serverFailed: "Something went wrong on the server. Please try again shortly",
  requestFailed: "The login didn’t work. Please try again",
};

/**
 * @param {string | null | undefined} tag a BCP 47 language tag
 * @returns {Language}
 */
export function languageOf(tag) {
  return /^zh\b/i.test(tag ?? "") ? "zh-CN" : "en";
}

/**
 * @param {Language} language
 * @returns {Texts}
 */
export function textsIn(language) {
  return language === "zh-CN" ? CHINESE : ENGLISH;
}

/**
 * @param {Texts} texts
 * @param {import("./client.js").Problem} problem
 */
export function explain(texts, problem) {
  const known = /** @type {Record<string, string>} */ (texts.problems)[problem.code];
  if (known) return known;
  if (problem.status === 429) return texts.problems.too_many_logins;
  return problem.status >= 500 ? texts.serverFailed : texts.requestFailed;
}

/** @param {number} milliseconds */
export function minutesAndSeconds(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${pad(Math.floor(seconds / 60))}:${pad(seconds % 60)}`;
}

/** @param {number} number */
function pad(number) {
  return String(number).padStart(2, "0");
}
