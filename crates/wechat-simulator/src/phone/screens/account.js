// The account's own page: where one follows and unfollows.

import * as control from '../control.js';
import { h, icon, picture, setText } from '../dom.js';
import { leave, show, toast } from '../navigation.js';
import { rereadPeople, state } from '../state.js';
import { refusal, words } from '../words.js';

export function create() {
  const name = h('h1', { tabIndex: -1, className: 'account-name' });
  const hint = h('p', { className: 'hint' }, words.scannedHint);
  const facts = h('dl', { className: 'facts' });
  const follow = h('button', { className: 'button wide', type: 'button', data: { action: 'follow' }, onclick: () => act(control.follow, () => show('chat', { instead: true })) }, words.follow);
  const enter = h('a', { className: 'button wide', href: '#/chat', data: { action: 'enter' } }, words.enter);
  const unfollow = h('button', { className: 'button wide quiet', type: 'button', data: { action: 'unfollow' }, onclick: () => ask(true) }, words.unfollow);
  const question = h(
    'dialog',
    { className: 'sheet', 'aria-modal': 'true', 'aria-labelledby': 'unfollow-title', onkeydown: (event) => event.key === 'Escape' && ask(false) },
    h('p', { id: 'unfollow-title', className: 'sheet-title' }, words.unfollowAsk),
    h('p', { className: 'sheet-hint' }, words.unfollowHint),
    h('button', { className: 'sheet-button danger', type: 'button', data: { action: 'unfollow-confirm' }, onclick: confirmed }, words.unfollow),
    h('button', { className: 'sheet-button', type: 'button', onclick: () => ask(false) }, words.cancel),
  );
  const shade = h('div', { className: 'shade', hidden: true, onclick: () => ask(false) });
  const page = [
    h('header', { className: 'bar clear' }, h('button', { className: 'bar-button', type: 'button', 'aria-label': words.back, onclick: leave }, icon('back')), h('span'), h('span')),
    h(
      'div',
      { className: 'scroll' },
      h('div', { className: 'account-head' }, picture('/phone/account.svg', 'avatar large'), h('div', {}, name, h('p', { className: 'account-kind' }, words.serviceAccount))),
      h('p', { className: 'account-words' }, words.description),
      hint,
      h('div', { className: 'actions' }, follow, enter, unfollow),
      facts,
    ),
  ];
  const element = h('section', { className: 'screen account' }, ...page, shade, question);

  // A modal dialog would cover the whole window; this one stays inside the phone.
  function ask(open) {
    shade.hidden = !open;
    for (const part of page) part.inert = open;
    if (open) question.show();
    else question.close();
    if (!open) unfollow.focus();
  }

  function confirmed() {
    ask(false);
    act(control.unfollow, () => toast(words.unfollowed));
  }

  async function act(action, then) {
    try {
      await action(state.person.id);
      await rereadPeople();
      then();
    } catch (error) {
      toast(refusal(error));
    }
  }

  return {
    element,
    update() {
      const { person, account } = state;
      if (!person || !account) return;
      setText(name, account.name);
      follow.hidden = person.follows;
      enter.hidden = unfollow.hidden = !person.follows;
      hint.hidden = !person.follow_page_open || person.follows;
      const rows = [[words.appId, account.app_id], [words.originalId, account.original_id], [words.pushMode, words.modes[account.mode]]];
      if (facts.childElementCount === 0 || facts.dataset.mode !== account.mode) {
        facts.dataset.mode = account.mode;
        facts.replaceChildren(...rows.map(([term, value]) => h('div', {}, h('dt', {}, term), h('dd', {}, value))));
      }
    },
    // Whoever leaves the follow page without following never logs in with that scan.
    left() {
      const { person } = state;
      if (person?.follow_page_open && !person.follows) control.dismiss(person.id).catch(() => {});
    },
  };
}
