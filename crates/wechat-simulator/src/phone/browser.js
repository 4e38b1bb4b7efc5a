// The browser inside WeChat. Pages refuse to be framed, so it is a window of its own that lies
// where the phone's glass is.

import { comeFromChat, holdPhone } from './holder.js';
import { show } from './navigation.js';
import { state } from './state.js';

/** The name of the window; a second link opens in the same one. */
export const WINDOW = 'wechat-browser';

/** The open page: its window and its host. */
export const page = { window: null, host: '' };

/** A listener for a link in the chat. Without a window of our own the link opens in a tab. */
export function openPage(event) {
  const { href, host } = event.currentTarget;
  holdPhone(state.person);
  comeFromChat(state.person);
  if (openWindow(href, host)) event.preventDefault();
}

/** Opens the page that a scanned code leads to; here if the browser allows no window. */
export function openAddress(href) {
  holdPhone(state.person);
  if (!openWindow(href, new URL(href).host)) location.assign(href);
}

function openWindow(href, host) {
  const opened = open(href, WINDOW, features());
  if (!opened) return false;
  opened.focus();
  Object.assign(page, { window: opened, host });
  show('browser');
  return true;
}

/** Closes the page, if it is still open. */
export function closePage() {
  page.window?.close();
  page.window = null;
}

/** Whether the page's window is there. */
export function isPageOpen() {
  return Boolean(page.window) && !page.window.closed;
}

function features() {
  // A phone shows one page at a time: there it is a tab.
  if (innerWidth < 560) return '';
  const glass = document.querySelector('.glass').getBoundingClientRect();
  const left = screenX + (outerWidth - innerWidth) / 2 + glass.left;
  const top = screenY + (outerHeight - innerHeight) + glass.top;
  const sizes = { width: glass.width, height: glass.height - 64, left, top };
  return ['popup', ...Object.entries(sizes).map(([name, size]) => `${name}=${Math.round(size)}`)].join(',');
}
