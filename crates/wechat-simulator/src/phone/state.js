// What the page knows: a copy of the simulator's state, kept fresh by its event stream.

import * as control from './control.js';
import { holdPhone } from './holder.js';

const CURRENT = 'simulator.person';

export const state = {
  account: null,
  people: [],
  codes: [],
  deliveries: [],
  chat: [],
  chatOf: null,
  person: null,
  connected: true,
  seen: new Map(),
};

const listeners = new Set();

/** Calls `listener` after every change. */
export function onChange(listener) {
  listeners.add(listener);
}

/** Tells everyone that the state changed. */
export function changed() {
  for (const listener of listeners) listener();
}

/** Reads everything and follows the changes from now on. */
export async function start() {
  const wanted = new URLSearchParams(location.search).get('person');
  if (wanted) sessionStorage.setItem(CURRENT, wanted);
  control.listen(
    (change) => refresh(change),
    (connected) => {
      const again = connected && !state.connected;
      state.connected = connected;
      if (again) refresh({ changed: 'everything' });
      changed();
    },
  );
  await refreshAll();
  holdPhone(state.person);
}

/** Reads the people anew, for a screen that must not wait for the event stream. */
export async function rereadPeople() {
  await readers.people();
  changed();
}

/** Makes another person hold the phone. */
export async function choose(id) {
  sessionStorage.setItem(CURRENT, id);
  state.person = state.people.find((person) => person.id === id) ?? state.person;
  holdPhone(state.person);
  await readChat();
  changed();
}

/** The lines of the chat that the person has not looked at. */
export function unread() {
  const seen = state.seen.get(state.person?.id) ?? -1;
  return state.chat.filter((line) => line.from !== 'person' && line.id > seen).length;
}

/** The person looks at the chat. */
export function markRead() {
  const last = state.chat.at(-1);
  if (last && state.person) state.seen.set(state.person.id, last.id);
}

/** Whether a push of this person still waits for the account's answer. */
export function waiting() {
  const openid = state.person?.openid;
  return state.deliveries.some(
    (delivery) => delivery.openid === openid && delivery.outcome === 'pending' && delivery.event !== 'unsubscribe',
  );
}

const readers = {
  people: async () => {
    state.people = await control.people();
    const id = sessionStorage.getItem(CURRENT);
    state.person = state.people.find((person) => person.id === id) ?? state.people[0] ?? null;
    await readChat();
  },
  codes: async () => {
    state.codes = await control.codes();
  },
  deliveries: async () => {
    state.deliveries = await control.deliveries();
  },
  account: async () => {
    state.account = await control.settings();
  },
  chat: readChat,
};

async function readChat() {
  const id = state.person?.id;
  if (!id) return;
  const since = state.person.followed_at ? Date.parse(state.person.followed_at) : Infinity;
  const all = await control.chat(id);
  // Whoever unfollows loses the chat and begins with an empty one.
  const lines = all.filter((line) => Date.parse(line.at) >= since);
  // Another person may have taken the phone meanwhile.
  if (id !== state.person?.id) return;
  state.chat = lines;
  if (state.chatOf !== id && !state.seen.has(id)) state.seen.set(id, lines.at(-1)?.id ?? -1);
  state.chatOf = id;
}

const pending = new Set();
let reading = false;

function refresh(change) {
  if (change.changed === 'everything') Object.keys(readers).forEach((name) => pending.add(name));
  else if (change.changed !== 'chat' || change.person === state.person?.id) pending.add(change.changed);
  // Several changes in one go are read once.
  if (!reading) readPending();
}

async function readPending() {
  reading = true;
  while (pending.size > 0) {
    const names = [...pending];
    pending.clear();
    await Promise.allSettled(names.map((name) => readers[name]?.()));
    changed();
  }
  reading = false;
}

async function refreshAll() {
  await readers.people().catch(() => {});
  await Promise.allSettled([readers.codes(), readers.deliveries(), readers.account()]);
  changed();
}
