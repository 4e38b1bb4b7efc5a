// The scanner: the codes on offer stand in for what a camera would see.

import { openAddress } from '../browser.js';
import * as control from '../control.js';
import { h, icon, picture, reconcile, setPicture, setText } from '../dom.js';
import { leave, show, toast } from '../navigation.js';
import { state } from '../state.js';
import { place, refusal, remaining, words } from '../words.js';

/** How long the green tick is seen before the next screen, in milliseconds. */
const TICK = 450;

export function create() {
  const holderPicture = picture('', 'avatar');
  const holderName = h('span', { className: 'holder-name' });
  const hint = h('p', { className: 'finder-hint' });
  const finder = h('div', { className: 'finder' });
  const strip = h('ul', { className: 'strip' });
  const stripTitle = h('h2', { className: 'strip-title' }, words.otherCodes);
  const input = h('input', { className: 'paste-input', type: 'text', placeholder: words.paste, 'aria-label': words.paste, autocomplete: 'off', spellcheck: false, 'autocapitalize': 'off' });
  const form = h(
    'form',
    { className: 'paste', onsubmit: pasted },
    input,
    h('button', { className: 'button small', type: 'submit' }, words.scanIt),
  );
  const element = h(
    'section',
    { className: 'screen scanner' },
    h(
      'header',
      { className: 'bar clear' },
      h('button', { className: 'bar-button', type: 'button', 'aria-label': words.back, onclick: leave }, icon('back')),
      h('h1', { tabIndex: -1 }, words.scan),
      h('span', { className: 'bar-button', 'aria-hidden': 'true' }),
    ),
    h(
      'div',
      { className: 'scroll' },
      h('a', { className: 'holder', href: '#/people' }, holderPicture, holderName, h('span', { className: 'holder-change' }, words.change)),
      h('div', { className: 'finder-frame' }, finder, h('span', { className: 'corners', 'aria-hidden': 'true' }), h('span', { className: 'beam', 'aria-hidden': 'true' })),
      hint,
      stripTitle,
      strip,
    ),
    form,
  );

  function code(className, offer) {
    const left = h('span', { className: 'left' });
    return h(
      'button',
      { className, type: 'button', data: { ticket: offer.ticket }, onclick: (event) => scan(offer.content, event.currentTarget) },
      h('span', { className: 'qr' }, picture(`/simulator/codes/${encodeURIComponent(offer.ticket)}.svg`, 'qr-picture'), h('span', { className: 'tick', 'aria-hidden': 'true' }, icon('check'))),
      left,
    );
  }

  function describe(button, offer) {
    const left = offer.expires_at ? remaining(offer.expires_at) : null;
    const inWords = left ?? words.permanent;
    setText(button.querySelector('.left'), button.className === 'code-large' && left ? words.left(left) : inWords);
    button.setAttribute('aria-label', words.codeOnOffer(inWords));
    const soon = offer.expires_at && Date.parse(offer.expires_at) - Date.now() < 30000;
    button.classList.toggle('soon', Boolean(soon));
  }

  async function scan(content, button) {
    if (element.dataset.scanning || !state.person) return;
    element.dataset.scanning = 'yes';
    try {
      const { outcome, url } = await control.scan(state.person.id, content);
      if (outcome === 'page') {
        openAddress(url);
        return;
      }
      button?.classList.add('scanned');
      const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
      if (button && !still) await new Promise((done) => setTimeout(done, TICK));
      show(outcome === 'chat_opened' ? 'chat' : 'account', { instead: true });
    } catch (error) {
      toast(refusal(error));
    } finally {
      delete element.dataset.scanning;
    }
  }

  function pasted(event) {
    event.preventDefault();
    if (input.value.trim()) scan(input.value.trim(), null);
    else input.focus();
  }

  function update() {
    const { person } = state;
    if (person) {
      setPicture(holderPicture, person.avatar_url);
      setText(holderName, [person.nickname, place(person)].filter(Boolean).join(' · '));
    }
    const offers = state.codes.filter((offer) => !offer.expires_at || Date.parse(offer.expires_at) > Date.now());
    const [newest, ...others] = offers;
    const waiting = () => h('p', { className: 'finder-empty' }, words.noCodes);
    reconcile(finder, newest ? [newest] : ['none'], (offer) => offer.ticket ?? offer, (offer) => (offer === 'none' ? waiting() : code('code-large', offer)), (button, offer) => offer !== 'none' && describe(button, offer));
    setText(hint, newest ? words.pointAt : words.noCodesHint);
    element.classList.toggle('idle', !newest);
    stripTitle.hidden = strip.hidden = others.length === 0;
    reconcile(strip, others.slice(0, 24), (offer) => offer.ticket, (offer) => h('li', {}, code('code-small', offer)), (item, offer) => describe(item.firstElementChild, offer));
  }

  return { element, update, tick: update, dark: true };
}
