// The phone: shows the screen that the address names and keeps it up to date.

import { h, icon, setText } from './dom.js';
import { show, toast, wanted } from './navigation.js';
import { create as account } from './screens/account.js';
import { create as browser } from './screens/browser.js';
import { create as chat } from './screens/chat.js';
import { create as chats } from './screens/chats.js';
import { create as newPerson } from './screens/new_person.js';
import { create as people } from './screens/people.js';
import { create as scanner } from './screens/scanner.js';
import { intro, pushes } from './sides.js';
import { onChange, start, state, unread } from './state.js';
import { language, words } from './words.js';

const screens = { chats, scan: scanner, people, new: newPerson, account, chat, browser };
const phone = document.getElementById('phone');
const main = document.getElementById('screen');
const tabs = document.getElementById('tabs');
const clock = document.getElementById('clock');
const updateIntro = intro(document.getElementById('intro'));
const updatePushes = pushes(document.getElementById('pushes'));

let current = null;
let currentName = null;

function tab(name, iconName, label) {
  return h('a', { className: `tab tab-${name}`, href: `#/${name}` }, h('span', { className: 'tab-icon' }, icon(iconName)), label);
}

/** Opens the screen that the address names; followers' screens send everyone else home. */
function open() {
  const asked = wanted();
  const name = Object.hasOwn(screens, asked) ? asked : 'chats';
  if (name === currentName) return;
  const first = current === null;
  current?.left?.();
  current = screens[name]();
  currentName = name;
  phone.dataset.screen = name;
  phone.classList.toggle('dark-screen', Boolean(current.dark));
  tabs.hidden = !current.tabs;
  for (const link of tabs.children) {
    if (link.hash === `#/${name}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  main.replaceChildren(current.element);
  update();
  // A screen reader starts reading at the new screen's title.
  if (!first) current.element.querySelector('h1')?.focus({ preventScroll: true });
}

function update() {
  if (current.followersOnly && state.person && !state.person.follows) {
    show('chats', { instead: true });
    return;
  }
  current.update();
  updateIntro();
  updatePushes();
  tabs.querySelector('.tab-chats').classList.toggle('unread', Boolean(state.person?.follows) && unread() > 0);
  if (!state.connected) toast(words.lost);
}

function tick() {
  setText(clock, new Date().toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' }));
  current?.tick?.();
}

document.documentElement.lang = language === 'en' ? 'en' : 'zh-CN';
document.title = words.title;
tabs.append(tab('chats', 'chats', words.chats), tab('scan', 'scan', words.scan), tab('people', 'person', words.me));
addEventListener('hashchange', open);
onChange(update);
setInterval(tick, 1000);
open();
tick();
await start();
phone.dataset.ready = 'yes';
