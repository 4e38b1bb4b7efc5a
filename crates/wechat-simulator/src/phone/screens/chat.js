// The account's chat.

import * as control from '../control.js';
import { h, icon, picture, reconcile, setPicture, setText } from '../dom.js';
import { leave, toast } from '../navigation.js';
import { replyNodes } from '../reply_text.js';
import { markRead, state, waiting } from '../state.js';
import { moment, refusal, words } from '../words.js';

/** Lines closer together than this share one time, in milliseconds. */
const SAME_TIME = 5 * 60 * 1000;

export function create() {
  const title = h('h1', { tabIndex: -1 });
  const lines = h('ol', { className: 'lines', role: 'log', 'aria-live': 'polite', 'aria-label': words.chats });
  const typing = h('p', { className: 'typing', 'aria-label': words.waiting }, picture('/phone/account.svg', 'avatar'), h('span', { className: 'bubble' }, h('i'), h('i'), h('i')));
  const empty = h('p', { className: 'notice quiet' }, words.emptyChat);
  const scroll = h('div', { className: 'scroll' }, empty, lines, typing);
  const input = h('input', { className: 'message-input', type: 'text', placeholder: words.message, 'aria-label': words.messageTo, maxLength: 2000, autocomplete: 'off', oninput: () => send.classList.toggle('ready', input.value.trim() !== '') });
  const send = h('button', { className: 'button small send', type: 'submit' }, words.sendIt);
  const element = h(
    'section',
    { className: 'screen chat' },
    h(
      'header',
      { className: 'bar' },
      h('button', { className: 'bar-button', type: 'button', 'aria-label': words.back, onclick: leave }, icon('back')),
      title,
      h('a', { className: 'bar-button', href: '#/account', 'aria-label': words.more }, icon('more')),
    ),
    scroll,
    h('form', { className: 'composer', onsubmit: submit }, input, send),
  );

  async function submit(event) {
    event.preventDefault();
    const text = input.value.trim();
    if (!text || !state.person) return;
    input.value = '';
    send.classList.remove('ready');
    try {
      await control.send(state.person.id, text);
    } catch (error) {
      input.value = text;
      toast(refusal(error));
    }
  }

  function line({ from, text, withTime, at }) {
    const time = withTime ? h('time', { className: 'notice', dateTime: at }, moment(at)) : null;
    if (from === 'notice') return h('li', { className: 'line' }, time, h('p', { className: 'notice' }, text));
    const face = from === 'account' ? '/phone/account.svg' : state.person.avatar_url;
    const who = h('span', { className: 'hidden' }, `${words.from[from]}: `);
    return h('li', { className: `line ${from}` }, time, h('div', { className: 'said' }, picture(face, 'avatar'), h('p', { className: 'bubble' }, who, ...replyNodes(text))));
  }

  function update() {
    if (!state.person) return;
    setText(title, state.account?.name ?? '');
    const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
    const before = lines.lastElementChild;
    let last = 0;
    const shown = state.chat.map((entry) => {
      const withTime = Date.parse(entry.at) - last > SAME_TIME;
      if (withTime) last = Date.parse(entry.at);
      return { ...entry, withTime };
    });
    reconcile(lines, shown, (entry) => `${state.person.id}-${entry.id}`, line);
    typing.hidden = !waiting();
    empty.hidden = shown.length > 0 || !typing.hidden;
    if (atEnd || before !== lines.lastElementChild) scroll.scrollTop = scroll.scrollHeight;
    markRead();
  }

  return { element, update, followersOnly: true };
}
