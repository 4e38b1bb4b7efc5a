/**
 * Makes nodes without HTML strings, so that pages which require Trusted Types can embed the modal,
 * and without style attributes, so that a strict CSP allows it.
 *
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, unknown>} [properties] those that HTML has no property for are attributes
 * @param {(Node | string)[]} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, properties = {}, ...children) {
  const node = document.createElement(name);
  for (const [property, value] of Object.entries(properties)) {
    if (property === "part" || property === "role") node.setAttribute(property, String(value));
    else Object.assign(node, { [property]: value });
  }
  node.append(...children);
  return node;
}

/**
 * A node that the page may style as `::part(name)`; the class has the same name.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} name
 * @param {(Node | string)[]} children
 */
export function part(tag, name, ...children) {
  return element(tag, { className: name, part: name }, ...children);
}

/**
 * @param {string} name as of {@link part}
 * @param {(Node | string)[]} children
 */
export function button(name, ...children) {
  const made = part("button", name, ...children);
  made.type = "button";
  return made;
}
