// Which screen the phone shows. The address's fragment names it, so the browser's back button
// works.

/** Goes to a screen; `instead` leaves no way back to the one before. */
export function show(name, { instead = false } = {}) {
  if (instead) location.replace(`#/${name}`);
  else location.hash = `#/${name}`;
}

/** The name in the address. */
export function wanted() {
  return location.hash.replace(/^#\//, '') || 'chats';
}

/** Where each screen's back button leads. */
const PARENTS = { chat: 'chats', scan: 'chats', new: 'people', account: 'chats', browser: 'chat' };

/** Goes back to the screen above this one. */
export function leave() {
  show(PARENTS[wanted()] ?? 'chats', { instead: true });
}

let hiding = 0;

/** Says something for a moment. */
export function toast(text) {
  const element = document.getElementById('toast');
  element.textContent = text;
  element.classList.add('shown');
  clearTimeout(hiding);
  hiding = setTimeout(() => element.classList.remove('shown'), 3200);
}
