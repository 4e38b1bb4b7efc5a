// Speaks the simulator's control API.

/** A refusal with the API's stable code; `code` is `unreachable` when nothing answered. */
export class Refused extends Error {
  constructor(code, detail) {
    super(detail);
    this.code = code;
  }
}

async function call(method, path, body) {
  const request = { method, headers: {} };
  if (body !== undefined) {
    request.headers['Content-Type'] = 'application/json';
    request.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(`/simulator${path}`, request);
  } catch {
    throw new Refused('unreachable', 'the simulator does not answer');
  }
  const answer = response.status === 204 ? null : await response.json().catch(() => null);
  if (!response.ok) throw new Refused(answer?.code ?? 'unreachable', answer?.detail ?? '');
  return answer;
}

const person = (id) => `/people/${encodeURIComponent(id)}`;

export const people = () => call('GET', '/people');
export const createPerson = (wanted) => call('POST', '/people', wanted);
export const scan = (id, code) => call('POST', `${person(id)}/scan`, { code });
export const dismiss = (id) => call('POST', `${person(id)}/dismiss`);
export const follow = (id) => call('POST', `${person(id)}/follow`, {});
export const unfollow = (id) => call('POST', `${person(id)}/unfollow`, {});
export const send = (id, text) => call('POST', `${person(id)}/message`, { text });
export const chat = (id) => call('GET', `${person(id)}/chat`);
export const codes = () => call('GET', '/codes');
export const deliveries = () => call('GET', '/deliveries?limit=40');
export const settings = () => call('GET', '/settings');
export const verify = () => call('POST', '/verify');

/** Tells of every change; `onConnection` hears whether the stream is open. */
export function listen(onChange, onConnection) {
  const source = new EventSource('/simulator/events');
  source.onopen = () => onConnection(true);
  source.onerror = () => onConnection(false);
  source.onmessage = (event) => onChange(JSON.parse(event.data));
}
