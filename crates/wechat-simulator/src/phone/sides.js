// What stands beside the phone on a wide screen: what this is, and the record of pushes.

import * as control from './control.js';
import { h, reconcile, setText } from './dom.js';
import { state } from './state.js';
import { language, moment, switchLanguage, words } from './words.js';

export function intro(side) {
  const target = h('code', { className: 'target' });
  const mode = h('span', { className: 'mode' });
  const verdict = h('span', { className: 'verdict', role: 'status' });
  const verify = h('button', { className: 'side-button', type: 'button', onclick: check }, words.verify);
  side.append(
    h('h1', { className: 'side-title' }, words.title),
    h('p', { className: 'side-words' }, words.intro),
    h('ol', { className: 'steps' }, ...words.steps.map((step) => h('li', {}, step))),
    h('div', { className: 'callback' }, h('p', { className: 'callback-line' }, words.callback, mode), target, h('div', { className: 'callback-check' }, verify, verdict)),
    h('button', { className: 'link-button', type: 'button', lang: language === 'en' ? 'zh-CN' : 'en', onclick: switchLanguage }, words.otherLanguage),
  );

  async function check() {
    verify.disabled = true;
    const outcome = await control.verify().catch(() => ({ passed: false }));
    verify.disabled = false;
    verdict.className = `verdict ${outcome.passed ? 'good' : 'bad'}`;
    setText(verdict, outcome.passed ? words.verified : [words.notVerified, outcome.status].filter(Boolean).join(' · '));
  }

  return () => {
    const address = state.account?.callback_url ?? '';
    // A long address breaks behind its slashes.
    if (target.textContent !== address) target.replaceChildren(...address.split(/(?<=\/)/).flatMap((part) => [part, h('wbr')]));
    setText(mode, words.modes[state.account?.mode] ?? '');
  };
}

export function pushes(side) {
  const list = h('ol', { className: 'pushes' });
  const empty = h('p', { className: 'side-words' }, words.noPushes);
  side.append(h('h2', { className: 'side-title small' }, words.pushes), empty, list);

  function row() {
    return h(
      'li',
      { className: 'push' },
      h('span', { className: 'push-dot' }),
      h('span', { className: 'push-what' }),
      h('time', { className: 'push-time' }),
      h('span', { className: 'push-how' }),
    );
  }

  function describe(item, delivery) {
    const person = state.people.find((one) => one.openid === delivery.openid);
    const event = words.events[delivery.event] ?? delivery.event;
    item.dataset.outcome = delivery.outcome;
    item.title = delivery.attempts.map((attempt) => attempt.error).filter(Boolean).join('\n');
    setText(item.querySelector('.push-what'), [event, person?.nickname].filter(Boolean).join(' · '));
    setText(item.querySelector('.push-time'), moment(delivery.at));
    const attempts = delivery.attempts.map((attempt) => `${attempt.status ?? words.noAnswer} ${attempt.duration_ms} ms`);
    setText(item.querySelector('.push-how'), [words.outcomes[delivery.outcome], ...attempts.slice(0, 3)].join(' · '));
  }

  return () => {
    empty.hidden = state.deliveries.length > 0;
    reconcile(list, state.deliveries, (delivery) => delivery.id, row, describe);
  };
}
