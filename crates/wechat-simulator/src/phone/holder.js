// Says whose phone this is to the simulator's web authorisation. The real WeChat knows; here two
// cookies say so, which go to that one address only.

const PATH = '/connect';

function set(name, value, attributes = '') {
  document.cookie = `${name}=${value}; path=${PATH}; SameSite=Lax${attributes}`;
}

/** This person holds the phone. */
export function holdPhone(person) {
  if (person) set('wechat-phone', person.id);
}

/** The page that opens next was linked in the account's chat; good for five minutes. */
export function comeFromChat(person) {
  set('wechat-chat', person.id, '; max-age=300');
}
