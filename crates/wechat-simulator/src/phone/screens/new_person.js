// Makes a new person.

import * as control from '../control.js';
import { h, icon, picture } from '../dom.js';
import { leave, toast } from '../navigation.js';
import { choose, rereadPeople } from '../state.js';
import { refusal, words } from '../words.js';

/** How many portraits are offered at once. */
const OFFERED = 6;

const PLACES = [['北京', '北京'], ['上海', '上海'], ['广东', '广州'], ['四川', '成都'], ['湖北', '武汉'], ['陕西', '西安'], ['江苏', '南京'], ['福建', '厦门']];

export function create() {
  let seed = 0;
  const faces = h('div', { className: 'faces', role: 'radiogroup', 'aria-label': words.avatar });
  const [province, city] = PLACES[Math.floor(Math.random() * PLACES.length)];
  const field = (label, properties) => h('label', { className: 'field' }, h('span', { className: 'field-name' }, label), h('input', { type: 'text', autocomplete: 'off', maxLength: 64, ...properties }));
  const nickname = field(words.nickname, { name: 'nickname', placeholder: words.nicknameHint, required: true });
  const form = h(
    'form',
    { className: 'scroll', onsubmit: submit },
    h('div', { className: 'faces-box' }, faces, h('button', { className: 'link-button', type: 'button', onclick: offer }, icon('again'), words.otherAvatars)),
    h('div', { className: 'cells' }, nickname, field(words.province, { name: 'province', value: province }), field(words.city, { name: 'city', value: city })),
    h('div', { className: 'cells' }, h('label', { className: 'field switch' }, h('span', { className: 'field-name' }, words.alreadyFollows), h('input', { type: 'checkbox', name: 'follows', role: 'switch' }))),
    h('div', { className: 'cells' }, field(words.avatarAddress, { name: 'avatar_url', type: 'url', placeholder: 'https://', maxLength: 500 })),
    h('div', { className: 'actions' }, h('button', { className: 'button wide', type: 'submit' }, words.create)),
  );
  const element = h(
    'section',
    { className: 'screen new-person' },
    h('header', { className: 'bar clear' }, h('button', { className: 'bar-button', type: 'button', 'aria-label': words.back, onclick: leave }, icon('back')), h('h1', { tabIndex: -1 }, words.newPerson), h('span', { className: 'bar-button', 'aria-hidden': 'true' })),
    form,
  );

  function offer() {
    const first = Math.floor(Math.random() * 1e9) + 10;
    seed = first;
    const options = Array.from({ length: OFFERED }, (_, index) => {
      const input = h('input', { type: 'radio', name: 'face', value: String(first + index), checked: index === 0, 'aria-label': words.avatarNumber(index + 1), onchange: () => (seed = first + index) });
      return h('label', { className: 'face' }, input, picture(`/avatars/seed-${first + index}.svg`, 'avatar'));
    });
    faces.replaceChildren(...options);
  }

  async function submit(event) {
    event.preventDefault();
    const values = new FormData(form);
    const text = (name) => String(values.get(name) ?? '').trim();
    try {
      const person = await control.createPerson({
        nickname: text('nickname'),
        province: text('province'),
        city: text('city'),
        avatar_url: text('avatar_url') || undefined,
        avatar_seed: seed,
        follows: values.has('follows'),
      });
      await rereadPeople();
      await choose(person.id);
      leave();
    } catch (error) {
      toast(refusal(error));
    }
  }

  offer();
  return { element, update() {} };
}
