// What the page says, in Chinese and in English.

const zh = {
  title: '模拟微信手机',
  chats: '聊天',
  scan: '扫一扫',
  me: '我',
  back: '返回',
  more: '公众号资料',
  otherLanguage: 'English',
  intro: '这里扮演微信：不需要真实的公众号，一切都在这台电脑上。',
  steps: ['在网站上点“登录”，会出现一个二维码。', '选一个人拿着手机，点“扫一扫”，再点那个二维码。', '没有关注的人先关注公众号，网页随即登录。'],
  account: '公众号',
  modes: { plain: '明文模式', compatible: '兼容模式', safe: '安全模式' },
  callback: '推送到',
  verify: '验证回调地址',
  verified: '验证通过',
  notVerified: '验证没有通过',
  pushes: '推送记录',
  noPushes: '还没有推送。扫码、关注或发消息之后，这里会显示公众号怎样回应。',
  outcomes: { answered: '已回应', service_fault: '服务故障', pending: '等待回应' },
  events: { SCAN: '扫码', subscribe: '关注', unsubscribe: '取消关注', text: '文本消息' },
  noAnswer: '无回应',
  following: '已关注',
  notFollowing: '未关注',
  emptyChats: '还没有关注公众号',
  emptyChatsHint: '扫一个登录二维码，\n关注之后，它的消息会出现在这里。',
  emptyChat: '还没有消息',
  noMessage: '暂无消息',
  holder: (name) => `${name} 拿着手机`,
  change: '换人',
  pointAt: '点一下二维码，就扫它',
  codeOnOffer: (left) => `扫描二维码，剩余 ${left}`,
  permanent: '永久有效',
  left: (time) => `剩余 ${time}`,
  otherCodes: '其他二维码',
  noCodes: '等待二维码',
  noCodesHint: '在网站上打开登录窗口，\n二维码会自动出现在这里。',
  paste: '粘贴二维码内容、ticket 或图片地址',
  scanIt: '扫描',
  serviceAccount: '服务号',
  description: '用来试用扫码登录的公众号。它不是真实账号，只存在于这台电脑上。',
  appId: 'AppID',
  originalId: '原始 ID',
  pushMode: '消息加解密',
  scannedHint: '扫到了一个登录二维码。\n关注之后，网页才会登录。',
  follow: '关注公众号',
  enter: '进入公众号',
  unfollow: '不再关注',
  unfollowAsk: '不再关注这个公众号？',
  unfollowHint: '公众号会收到取消关注事件，你也不再收到它的消息。',
  cancel: '取消',
  unfollowed: '已取消关注',
  message: '消息',
  messageTo: '给公众号发消息',
  sendIt: '发送',
  waiting: '公众号正在回应',
  closePage: '关闭网页',
  pageOpen: '网页在小窗口里',
  pageOpenHint: '这是微信里的浏览器。\n关闭网页，就回到聊天。',
  backToPage: '回到网页',
  from: { account: '公众号', person: '我', notice: '提示' },
  people: '谁拿着手机',
  peopleHint: '换一个人，就是换一个微信用户来扫码。',
  newPerson: '新建一个人',
  avatar: '头像',
  otherAvatars: '换一批',
  avatarNumber: (number) => `头像 ${number}`,
  avatarAddress: '或者用图片地址',
  nickname: '昵称',
  nicknameHint: '例如：小雨',
  province: '省份',
  city: '城市',
  alreadyFollows: '已经关注公众号',
  create: '创建，并拿起手机',
  openid: 'OpenID',
  today: '今天',
  yesterday: '昨天',
  lost: '与模拟器的连接断了，正在重连…',
  refused: {
    unknown_code: '这不是这里的二维码',
    expired_code: '二维码已过期，请在网站上刷新',
    unknown_person: '这个人已经不在了',
    unreachable: '模拟器没有回应',
    not_following: '要先关注公众号',
    follows_already: '已经关注了',
    invalid_request: '内容不对，请检查',
  },
};

const en = {
  title: 'Simulated WeChat phone',
  chats: 'Chats',
  scan: 'Scan',
  me: 'Me',
  back: 'Back',
  more: 'About the account',
  otherLanguage: '中文',
  intro: 'This plays WeChat: no real account is needed, and everything stays on this computer.',
  steps: ['Press Log in on the website: a QR code appears.', 'Choose who holds the phone, open Scan and press that code.', 'Whoever does not follow the account follows it first; then the website logs in.'],
  account: 'Official Account',
  modes: { plain: 'plain mode', compatible: 'compatible mode', safe: 'safe mode' },
  callback: 'Pushes to',
  verify: 'Verify callback',
  verified: 'Verified',
  notVerified: 'Not verified',
  pushes: 'Pushes',
  noPushes: 'None yet. After a scan, a follow or a message this shows how the account answered.',
  outcomes: { answered: 'answered', service_fault: 'service fault', pending: 'waiting' },
  events: { SCAN: 'Scan', subscribe: 'Follow', unsubscribe: 'Unfollow', text: 'Text' },
  noAnswer: 'no answer',
  following: 'Following',
  notFollowing: 'Not following',
  emptyChats: 'No account followed yet',
  emptyChatsHint: 'Scan a login code and follow:\nits messages appear here.',
  emptyChat: 'No messages yet',
  noMessage: 'No messages yet',
  holder: (name) => `${name} holds the phone`,
  change: 'Change',
  pointAt: 'Press the code to scan it',
  codeOnOffer: (left) => `Scan this code, ${left} left`,
  permanent: 'permanent',
  left: (time) => `${time} left`,
  otherCodes: 'Other codes',
  noCodes: 'Waiting for a code',
  noCodesHint: 'Open the login on the website:\nits code appears here by itself.',
  paste: 'Paste content, ticket or picture',
  scanIt: 'Scan',
  serviceAccount: 'Service account',
  description: 'An account to try logging in by QR code with. It is not real and lives on this computer only.',
  appId: 'AppID',
  originalId: 'Original ID',
  pushMode: 'Push mode',
  scannedHint: 'You scanned a login code.\nThe website logs in once you follow.',
  follow: 'Follow',
  enter: 'Open chat',
  unfollow: 'Unfollow',
  unfollowAsk: 'Unfollow this account?',
  unfollowHint: 'The account is told, and you get no more messages from it.',
  cancel: 'Cancel',
  unfollowed: 'Unfollowed',
  message: 'Message',
  messageTo: 'Message the account',
  sendIt: 'Send',
  waiting: 'The account is answering',
  closePage: 'Close the page',
  pageOpen: 'The page is in a small window',
  pageOpenHint: 'It plays the browser inside WeChat.\nClose it to return to the chat.',
  backToPage: 'Back to the page',
  from: { account: 'Account', person: 'Me', notice: 'Notice' },
  people: 'Who holds the phone',
  peopleHint: 'Another person is another WeChat user who scans.',
  newPerson: 'New person',
  avatar: 'Avatar',
  otherAvatars: 'Others',
  avatarNumber: (number) => `Avatar ${number}`,
  avatarAddress: 'Or a picture address',
  nickname: 'Nickname',
  nicknameHint: 'For example: Rain',
  province: 'Province',
  city: 'City',
  alreadyFollows: 'Follows the account already',
  create: 'Create and pick up the phone',
  openid: 'OpenID',
  today: 'Today',
  yesterday: 'Yesterday',
  lost: 'Lost the simulator, connecting again…',
  refused: {
    unknown_code: 'This is not a code from here',
    expired_code: 'The code has expired: refresh it on the website',
    unknown_person: 'This person is gone',
    unreachable: 'The simulator does not answer',
    not_following: 'Follow the account first',
    follows_already: 'Already following',
    invalid_request: 'Something is wrong with that, please check',
  },
};

const LANGUAGE = 'simulator.language';

function preferred() {
  const asked = new URLSearchParams(location.search).get('lang') ?? localStorage.getItem(LANGUAGE);
  if (asked === 'zh' || asked === 'en') return asked;
  const known = navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase());
  return known.find((tag) => tag === 'zh' || tag === 'en') ?? 'zh';
}

export const language = preferred();

/** The words in the visitor's language. */
export const words = language === 'en' ? en : zh;

/** Shows the page in the other language. */
export function switchLanguage() {
  localStorage.setItem(LANGUAGE, language === 'en' ? 'zh' : 'en');
  const address = new URL(location.href);
  address.searchParams.delete('lang');
  if (address.href === location.href) location.reload();
  else location.replace(address);
}

/** `4:07`, or hours and days when there are that many. */
export function remaining(expiresAt) {
  const seconds = Math.max(0, Math.ceil((Date.parse(expiresAt) - Date.now()) / 1000));
  const [days, hours] = [Math.floor(seconds / 86400), Math.floor(seconds / 3600)];
  if (days >= 2) return language === 'en' ? `${days} days` : `${days} 天`;
  if (hours >= 2) return language === 'en' ? `${hours} hours` : `${hours} 小时`;
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** The time of day, with the day in front when it is not today. */
export function moment(at) {
  const date = new Date(at);
  const time = date.toLocaleTimeString(language === 'en' ? 'en-GB' : 'zh-CN', { hour: '2-digit', minute: '2-digit', hour12: false });
  const days = Math.round((new Date().setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / 86400000);
  if (days === 0) return time;
  const day = days === 1 ? words.yesterday : date.toLocaleDateString(language === 'en' ? 'en-GB' : 'zh-CN', { month: 'short', day: 'numeric' });
  return `${day} ${time}`;
}

/** A refusal of the control API in the visitor's language. */
export function refusal(error) {
  return words.refused[error.code] ?? error.message;
}

/** `广东 深圳`; a municipality is not said twice. */
export function place(person) {
  return [...new Set([person.province, person.city])].filter(Boolean).join(' ');
}
