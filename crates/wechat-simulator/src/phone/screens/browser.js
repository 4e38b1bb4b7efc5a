// What the phone shows while a page is open in the browser inside WeChat.

import { closePage, isPageOpen, page } from '../browser.js';
import { h, icon } from '../dom.js';
import { leave } from '../navigation.js';
import { words } from '../words.js';

export function create() {
  const element = h(
    'section',
    { className: 'screen browser' },
    h(
      'header',
      { className: 'bar' },
      h('button', { className: 'bar-button', type: 'button', 'aria-label': words.closePage, data: { action: 'close-page' }, onclick: leave }, icon('close')),
      h('h1', { tabIndex: -1 }, page.host),
    ),
    h(
      'div',
      { className: 'scroll' },
      h(
        'div',
        { className: 'empty' },
        h('span', { className: 'empty-picture' }, icon('page')),
        h('p', { className: 'empty-title' }, words.pageOpen),
        h('p', { className: 'empty-hint' }, words.pageOpenHint),
        h('button', { className: 'button', type: 'button', onclick: () => page.window?.focus() }, words.backToPage),
      ),
    ),
  );

  // The window may be closed by its own button; nothing tells of that.
  function tick() {
    if (!isPageOpen()) leave();
  }

  addEventListener('focus', tick);
  return {
    element,
    update: tick,
    tick,
    left() {
      removeEventListener('focus', tick);
      closePage();
    },
  };
}
