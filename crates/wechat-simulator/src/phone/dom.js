// Building the page: elements, icons, and lists that keep the elements they have.

/**
 * Makes an element. `properties` are DOM properties; `on…` adds a listener, `data` sets data
 * attributes, and names with a dash are attributes.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'data') Object.assign(element.dataset, value);
    else if (name.includes('-') || name === 'role' || name === 'for') element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null));
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

/** One of the icons that index.html defines; decoration, so screen readers skip it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** A picture that decorates what a text beside it says. */
export function picture(address, className) {
  return h('img', { src: address, alt: '', className, draggable: false });
}

/**
 * Makes the children of `list` stand for `items`. Elements of items that stay are kept, so that
 * focus, scroll position and animations survive.
 */
export function reconcile(list, items, keyOf, create, update) {
  const before = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const wanted = items.map((item) => {
    const key = String(keyOf(item));
    const element = before.get(key) ?? create(item);
    element.dataset.key = key;
    update?.(element, item);
    before.delete(key);
    return element;
  });
  for (const gone of before.values()) gone.remove();
  wanted.forEach((element, index) => {
    if (list.children[index] !== element) list.insertBefore(element, list.children[index] ?? null);
  });
}

/** Sets a text only when it changes: screen readers announce every change. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets an image's address only when it changes: setting it loads it. */
export function setPicture(element, address) {
  if (element.getAttribute('src') !== address) element.src = address;
}
