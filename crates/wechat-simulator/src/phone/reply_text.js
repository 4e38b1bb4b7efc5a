// Shows a reply as WeChat does: `<a href="…">` and bare addresses are links, everything else is
// text.

import { openPage, WINDOW } from './browser.js';
import { h } from './dom.js';

const LINK = /<a\s+([^>]*)>([\s\S]*?)<\/a>|(https?:\/\/[^\s<>"'\u3000-\u9fff\uff00-\uffef]+)/gi;
const ADDRESS = /\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))/i;

/** The reply as nodes: texts and links. */
export function replyNodes(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(LINK)) {
    nodes.push(text.slice(end, match.index));
    nodes.push(match[3] ? link(match[3], match[3]) : anchor(match));
    end = match.index + match[0].length;
  }
  nodes.push(text.slice(end));
  return nodes.filter((node) => node !== '');
}

/** The reply as one line without markup, for previews. */
export function plainText(text) {
  return text.replace(/<a\s+[^>]*>([\s\S]*?)<\/a>/gi, '$1').replace(/\s+/g, ' ').trim();
}

function anchor([markup, attributes, label]) {
  const found = attributes.match(ADDRESS);
  const address = (found?.[1] ?? found?.[2] ?? found?.[3] ?? '').replaceAll('&amp;', '&');
  // Any other scheme could run a script.
  return /^https?:\/\//i.test(address) ? link(address, label) : markup;
}

function link(address, label) {
  return h('a', { href: address, target: WINDOW, onclick: openPage }, label);
}
