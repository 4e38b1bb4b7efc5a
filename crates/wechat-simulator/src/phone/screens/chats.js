// The list of chats: the one Official Account, or nothing yet.

import { h, icon, picture, setPicture, setText } from '../dom.js';
import { plainText } from '../reply_text.js';
import { state, unread } from '../state.js';
import { moment, words } from '../words.js';

export function create() {
  const holderPicture = picture('', 'avatar');
  const holder = h('a', { className: 'holder-button', href: '#/people' }, holderPicture);
  const preview = h('span', { className: 'row-preview' });
  const time = h('span', { className: 'row-time' });
  const badge = h('span', { className: 'badge' });
  const row = h(
    'a',
    { className: 'row', href: '#/chat' },
    h('span', { className: 'row-picture' }, picture('/phone/account.svg', 'avatar'), badge),
    h('span', { className: 'row-words' }, h('span', { className: 'row-line' }, h('span', { className: 'row-name' }), time), preview),
  );
  const list = h('ul', { className: 'cells edge' }, h('li', {}, row));
  const empty = h(
    'div',
    { className: 'empty' },
    h('span', { className: 'empty-picture' }, icon('scan')),
    h('p', { className: 'empty-title' }, words.emptyChats),
    h('p', { className: 'empty-hint' }, words.emptyChatsHint),
    h('a', { className: 'button', href: '#/scan' }, words.scan),
  );
  const element = h(
    'section',
    { className: 'screen chats' },
    h('header', { className: 'bar' }, holder, h('h1', { tabIndex: -1 }, words.chats), h('a', { className: 'bar-button', href: '#/scan', 'aria-label': words.scan }, icon('scan'))),
    h('div', { className: 'scroll' }, list, empty),
  );
  return {
    element,
    tabs: true,
    update() {
      const { person, chat, account } = state;
      if (!person) return;
      setPicture(holderPicture, person.avatar_url);
      holder.setAttribute('aria-label', words.holder(person.nickname));
      list.hidden = !person.follows;
      empty.hidden = person.follows;
      const last = chat.at(-1);
      setText(row.querySelector('.row-name'), account?.name ?? '');
      setText(preview, last ? plainText(last.text) : words.noMessage);
      setText(time, last ? moment(last.at) : '');
      const count = unread();
      badge.hidden = count === 0;
      setText(badge, String(count));
    },
  };
}
