/**
 * Simplified Chinese, and the list of all texts: other languages have the same names. In groups, so
 * that a piece of the modal brings the words that it alone says.
 */

/** What everybody may read. */
export const always = {
  trigger: "微信扫码登录",
  title: "微信扫码登录",
  close: "关闭",
  codeAlt: "微信登录二维码，请用微信扫一扫",
  stepScan: "打开微信，扫一扫",
  stepFollow: "关注公众号后自动登录",
  stepFollowNamed: "关注「{account}」后自动登录",
  stepConfirm: "在手机上确认登录",
  valid: "{time} 后失效",
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
  retry: "重试",
  retryIn: "{wait}后可重试",
  seconds: "{n} 秒",
  minutes: "{n} 分钟",
  hours: "{n} 小时",

  authorize: "微信一键登录",

  error: "暂时无法登录",
  too_many_logins: "尝试得太频繁了，请稍候",
  serverFailed: "服务器出了点问题，请稍后再试",
  requestFailed: "登录没有成功，请重试",
};

/** By their codes: what a problem means. */
export const problems = {
  foreign_origin: "此网站未获准使用这个登录服务",
  store_unavailable: "登录服务繁忙，请稍后再试",
  gateway_unavailable: "登录服务繁忙，请稍后再试",
  wechat_unavailable: "微信暂时没有响应，请稍后再试",
  wechat_answer_unusable: "微信返回的内容无法识别，请联系网站管理员",
  daily_codes_used_up: "今天的登录次数已用完，请联系网站管理员",
  wechat_refused: "公众号设置有误，请联系网站管理员",
  login_not_confirmed: "没有收到微信的确认，请重试",
  unreadable_answer: "收到了无法识别的响应，请检查网络后重试",
};

/** On a phone. */
export const onPhones = {
  phoneHint: "在手机上？保存二维码，在微信「扫一扫」里从相册选取",
  save: "保存二维码",
  fileName: "微信登录二维码.png",
};

/** Inside WeChat. */
export const insideWechat = {
  webAuthorizationTitle: "微信登录",
  webAuthorizationOfflineDetail: "请检查网络后重试",
  offered: "用当前微信登录",
  offeredDetail: "不用扫码，点一下就好",
  leaving: "正在打开微信授权…",
  useCode: "其他登录方式",
  wechatHint: "长按二维码，选择「识别图中二维码」",
};

/**
 * Where the visitor doesn't scan WeChat's code. A name that begins with `digits` (digits sent to the
 * account) or `page` (a page of ours on the phone) takes the place of the name without it.
 */
export const otherWays = {
  byScan: "改用扫码登录",
  byCode: "改用验证码登录",
  byPage: "不想关注？改用扫码确认",

  digitsTitle: "微信登录",
  digitsCodeAlt: "公众号二维码，用微信扫一扫关注",
  digitsStepScan: "微信扫码，关注公众号",
  digitsStepScanNamed: "微信扫码，关注「{account}」",
  digitsStepSearch: "在微信里关注我们的公众号",
  digitsStepSearchNamed: "在微信里搜索并关注「{account}」",
  digitsStepFollow: "把验证码发给公众号，自动登录",
  digitsStepFollowNamed: "把验证码发给「{account}」，自动登录",
  digitsLabel: "验证码",
  digitsTroubled: "服务繁忙，正在重试，验证码仍然有效",
  digitsMinuteLeft: "验证码还有 1 分钟失效",
  digitsSecondsLeft: "验证码即将失效",
  digitsLoading: "正在获取验证码…",
  digitsPending: "验证码是 {digits}，请发给公众号",
  digitsScanned: "已收到验证码",
  digitsExpired: "验证码已失效",
  digitsExpiredAction: "换一个验证码",
  digitsDeniedAction: "重新获取验证码",
  digitsPhoneHint: "还没关注？保存二维码，在微信「扫一扫」里从相册选取",
  digitsWechatHint: "还没关注？长按二维码，选择「识别图中二维码」",
  digitsFileName: "公众号二维码.png",
  copy: "复制",
  copyAndOpen: "复制并打开微信",
  copied: "已复制",
  copyFailed: "没能复制，请手动输入",

  pageStepFollow: "在手机上确认登录",
  pageStepFollowNamed: "在手机上确认登录",
  pagePending: "二维码已就绪，请用微信扫一扫，再在手机上确认",
  pageScanned: "手机上已打开",
  pageScannedDetail: "请在手机上点「确认登录」",
};

const all = () => ({ ...always, ...problems, ...onPhones, ...insideWechat, ...otherWays });

// Whoever imports a group gets nothing of the others.
export default /* @__PURE__ */ all();
