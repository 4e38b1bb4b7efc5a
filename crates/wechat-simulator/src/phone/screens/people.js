// Who holds the phone.

import { h, icon, picture, reconcile, setPicture, setText } from '../dom.js';
import { choose, state } from '../state.js';
import { place, words } from '../words.js';

export function create() {
  const face = picture('', 'avatar large');
  const name = h('p', { className: 'card-name' });
  const from = h('p', { className: 'card-place' });
  const openid = h('p', { className: 'card-openid' });
  const list = h('div', { className: 'cells', role: 'radiogroup', 'aria-label': words.people, onkeydown: move });
  const element = h(
    'section',
    { className: 'screen people' },
    h('header', { className: 'bar clear' }, h('span', { className: 'bar-button', 'aria-hidden': 'true' }), h('h1', { tabIndex: -1 }, words.people), h('a', { className: 'bar-button', href: '#/new', 'aria-label': words.newPerson }, icon('plus'))),
    h(
      'div',
      { className: 'scroll' },
      h('div', { className: 'card' }, face, h('div', { className: 'card-words' }, name, from, openid)),
      h('p', { className: 'cells-title' }, words.peopleHint),
      list,
      h('a', { className: 'cells add', href: '#/new' }, icon('plus'), words.newPerson),
    ),
  );

  function row(person) {
    return h(
      'button',
      { className: 'row', type: 'button', role: 'radio', data: { person: person.id }, onclick: () => choose(person.id) },
      picture('', 'avatar'),
      h('span', { className: 'row-words' }, h('span', { className: 'row-name' }), h('span', { className: 'row-preview' })),
      h('span', { className: 'chip' }),
      h('span', { className: 'chosen', 'aria-hidden': 'true' }, icon('check')),
    );
  }

  function describe(button, person) {
    const chosen = person.id === state.person?.id;
    setPicture(button.querySelector('img'), person.avatar_url);
    setText(button.querySelector('.row-name'), person.nickname || '—');
    setText(button.querySelector('.row-preview'), place(person));
    const chip = button.querySelector('.chip');
    setText(chip, person.follows ? words.following : words.notFollowing);
    chip.classList.toggle('on', person.follows);
    button.setAttribute('aria-checked', String(chosen));
    button.tabIndex = chosen ? 0 : -1;
  }

  // The arrow keys move within a group of radio buttons, and choose.
  function move(event) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const at = [...list.children].indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    const next = list.children[(at + step + list.children.length) % list.children.length];
    next.focus();
    choose(next.dataset.person);
  }

  return {
    element,
    tabs: true,
    update() {
      const { person, people } = state;
      if (!person) return;
      setPicture(face, person.avatar_url);
      setText(name, person.nickname || '—');
      setText(from, place(person));
      setText(openid, `${words.openid}  ${person.openid}`);
      // The newest come first behind the three who are there from the start.
      const shown = [...people.slice(0, 3), ...people.slice(3).reverse()].slice(0, 200);
      reconcile(list, shown, (one) => one.id, row, describe);
    },
  };
}
