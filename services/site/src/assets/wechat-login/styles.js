/**
 * The modal's looks, as one constructed sheet: a Content-Security-Policy without 'unsafe-inline'
 * allows those. What a page may change is a custom property `--wechat-login-…` or a part.
 */

const LIGHT = `
  --accent: var(--wechat-login-accent, #07864a);
  --on-accent: var(--wechat-login-on-accent, #fff);
  --surface: var(--wechat-login-surface, #fff);
  --sunken: var(--wechat-login-sunken, #f3f5f4);
  --text: var(--wechat-login-text, #17201b);
  --muted: var(--wechat-login-muted, #5f6b66);
  --line: var(--wechat-login-line, rgb(20 40 30 / 0.1));
  --veil: rgb(255 255 255 / 0.92);
  --backdrop: rgb(16 24 20 / 0.42);
  --shadow: 0 1px 2px rgb(16 32 24 / 0.08), 0 24px 64px -12px rgb(16 32 24 / 0.28);
  color-scheme: light;
`;

const DARK = `
  --accent: var(--wechat-login-accent, #2fd47f);
  --on-accent: var(--wechat-login-on-accent, #04220f);
  --surface: var(--wechat-login-surface, #191d1b);
  --sunken: var(--wechat-login-sunken, #242a27);
  --text: var(--wechat-login-text, #eef3f0);
  --muted: var(--wechat-login-muted, #9aa6a0);
  --line: var(--wechat-login-line, rgb(255 255 255 / 0.1));
  --veil: rgb(30 35 32 / 0.94);
  --backdrop: rgb(0 0 0 / 0.62);
  --shadow: 0 0 0 1px rgb(255 255 255 / 0.07), 0 24px 64px -8px rgb(0 0 0 / 0.7);
  color-scheme: dark;
`;

const CSS = `
:host {
  ${LIGHT}
  --radius: var(--wechat-login-radius, 20px);
  --font: var(--wechat-login-font, system-ui, -apple-system, "Segoe UI", "PingFang SC",
    "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", sans-serif);
  display: inline-block;
}
@media (prefers-color-scheme: dark) {
  :host(:not([theme="light"])) { ${DARK} }
}
:host([theme="dark"]) { ${DARK} }
:host([hidden]) { display: none; }

*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
button {
  margin: 0;
  border: 0;
  font: inherit;
  letter-spacing: inherit;
  cursor: pointer;
  -webkit-tap-highlight-color: transparent;
}
button:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; }
button:disabled { cursor: default; }
.icon {
  flex: none;
  width: 1.25em;
  height: 1.25em;
  fill: none;
  stroke: currentcolor;
  stroke-width: 1.8;
  stroke-linecap: round;
  stroke-linejoin: round;
}

.trigger {
  display: inline-flex;
  align-items: center;
  gap: 0.55em;
  padding: 0.75em 1.35em;
  border-radius: 999px;
  background: var(--accent);
  color: var(--on-accent);
  font: 600 1rem/1.25 var(--font);
  transition: filter 160ms, transform 160ms;
}
.trigger:hover { filter: brightness(1.07); }
.trigger:active { transform: scale(0.98); }

.dialog {
  width: min(376px, calc(100vw - 32px));
  max-width: none;
  max-height: calc(100dvh - 32px);
  margin: auto;
  padding: 0;
  border: 0;
  border-radius: var(--radius);
  overflow: hidden auto;
  overscroll-behavior: contain;
  background: var(--surface);
  color: var(--text);
  box-shadow: var(--shadow);
  font: 400 15px/1.5 var(--font);
  letter-spacing: normal;
  text-align: center;
  text-transform: none;
  white-space: normal;
  cursor: default;
}
.dialog[open] { animation: rise 260ms cubic-bezier(0.2, 0.9, 0.3, 1); }
.dialog::backdrop {
  background: var(--backdrop);
  backdrop-filter: blur(6px);
  animation: appear 200ms;
}
.card { padding: 20px 24px 26px; }
.head { display: flex; align-items: center; margin: 0 -6px 18px; min-height: 36px; }
.title {
  flex: 1;
  margin: 0;
  padding-left: 36px;
  font-size: 18px;
  font-weight: 650;
  line-height: 1.3;
  outline: 0;
}
.close {
  display: grid;
  place-items: center;
  width: 36px;
  height: 36px;
  padding: 0;
  border-radius: 50%;
  background: transparent;
  color: var(--muted);
  transition: background 160ms, color 160ms;
}
.close:hover { background: var(--sunken); color: var(--text); }

/* The code stays dark on white whatever the theme: scanners want it so. */
.stage {
  position: relative;
  width: 248px;
  height: 248px;
  margin: 0 auto;
  border-radius: 18px;
  overflow: hidden;
  background: var(--sunken);
  box-shadow: 0 0 0 1px var(--line);
}
.code {
  position: absolute;
  inset: 0;
  width: 100%;
  height: 100%;
  padding: 4px;
  object-fit: contain;
  background: #fff;
  opacity: 1;
  transition: opacity 220ms, filter 220ms, transform 220ms;
}
.code:not([src]) { opacity: 0; }
:host([data-state="loading"]) .code { opacity: 0; }
:host(:not([data-state="loading"], [data-state="pending"])) .code {
  filter: blur(5px);
  transform: scale(1.03);
}

.skeleton {
  position: absolute;
  inset: 0;
  background: var(--sunken);
  opacity: 0;
  overflow: hidden;
}
:host([data-state="loading"]) .skeleton { opacity: 1; }
.skeleton i {
  position: absolute;
  width: 62px;
  height: 62px;
  border: 12px solid var(--line);
  border-radius: 14px;
}
.skeleton i:nth-child(1) { top: 28px; left: 28px; }
.skeleton i:nth-child(2) { top: 28px; right: 28px; }
.skeleton i:nth-child(3) { bottom: 28px; left: 28px; }
.skeleton::after {
  content: "";
  position: absolute;
  inset: 0;
  background: linear-gradient(105deg, transparent 35%, var(--line) 50%, transparent 65%);
  animation: shimmer 1.5s infinite;
}

.cover {
  position: absolute;
  inset: 0;
  display: flex;
  flex-direction: column;
  align-items: center;
  justify-content: center;
  padding: 16px;
  background: var(--veil);
  color: var(--text);
  animation: appear 220ms;
}
:host(:is([data-state="confirmed"], [data-state="error"], [data-state="offline"])) .cover {
  background: var(--sunken);
}
.cover-icon {
  position: relative;
  display: grid;
  place-items: center;
  width: 56px;
  height: 56px;
  margin-bottom: 12px;
  border-radius: 50%;
  background: color-mix(in srgb, currentcolor 8%, transparent);
  color: var(--muted);
  font-size: 22px;
}
:host(:is([data-state="scanned"], [data-state="completing"], [data-state="leaving"])) .cover-icon {
  color: var(--accent);
}
:host(:is([data-state="completing"], [data-state="leaving"])) .cover-icon {
  background: none;
  border: 3px solid color-mix(in srgb, currentcolor 20%, transparent);
  border-top-color: currentcolor;
  animation: turn 0.9s linear infinite;
}
.headline, .detail { margin: 0; }
.headline { font-size: 17px; font-weight: 650; line-height: 1.35; overflow-wrap: anywhere; }
.detail { margin-top: 2px; color: var(--muted); font-size: 14px; text-wrap: balance; }
.detail:empty { display: none; }
.action {
  display: inline-flex;
  align-items: center;
  gap: 0.4em;
  margin-top: 14px;
  padding: 8px 18px;
  border-radius: 999px;
  background: var(--accent);
  color: var(--on-accent);
  font-size: 14px;
  font-weight: 600;
  font-variant-numeric: tabular-nums;
  transition: filter 160ms;
}
.action:hover:enabled { filter: brightness(1.07); }
.action:disabled { background: color-mix(in srgb, var(--text) 10%, transparent); color: var(--muted); }
.action:disabled .icon { display: none; }

:host([data-state="confirmed"]) .cover-icon {
  width: 84px;
  height: 84px;
  margin-bottom: 16px;
  background: none;
  animation: pop 420ms cubic-bezier(0.2, 1.4, 0.4, 1);
}
.initial, .avatar { grid-area: 1 / 1; width: 84px; height: 84px; border-radius: 50%; }
.initial {
  display: grid;
  place-items: center;
  background: color-mix(in srgb, var(--accent) 16%, var(--surface));
  color: var(--accent);
  font-size: 34px;
  font-weight: 600;
}
.avatar { position: relative; object-fit: cover; }
.badge {
  position: absolute;
  right: -4px;
  bottom: -4px;
  display: grid;
  place-items: center;
  width: 32px;
  height: 32px;
  border: 3px solid var(--sunken);
  border-radius: 50%;
  background: var(--accent);
  color: var(--on-accent);
  font-size: 14px;
}
.badge .icon { stroke-width: 3; }

.meter {
  width: 248px;
  height: 3px;
  margin: 16px auto 0;
  border-radius: 3px;
  overflow: hidden;
  background: var(--line);
  opacity: 0;
  transition: opacity 200ms;
}
.meter.counting { opacity: 1; }
.bar {
  height: 100%;
  border-radius: 3px;
  background: var(--accent);
  transform: scaleX(var(--left, 1));
  transform-origin: left;
  transition: transform 1s linear, background 300ms;
}
.hurry .bar { background: #e08a00; }
.countdown {
  min-height: 20px;
  margin: 8px 0 0;
  color: var(--muted);
  font-size: 13px;
  line-height: 20px;
  font-variant-numeric: tabular-nums;
}

.steps {
  display: grid;
  gap: 10px;
  width: max-content;
  max-width: 100%;
  margin: 16px auto 0;
  padding: 0;
  list-style: none;
  counter-reset: step;
  text-align: left;
}
.steps li { display: flex; align-items: center; gap: 10px; counter-increment: step; }
.steps b {
  display: grid;
  flex: none;
  place-items: center;
  width: 22px;
  height: 22px;
  border-radius: 50%;
  background: color-mix(in srgb, var(--accent) 14%, transparent);
  color: var(--accent);
  font-size: 12px;
  font-weight: 650;
}
.steps b::before { content: counter(step); }
.steps b .icon { display: none; stroke-width: 3.2; }
:host(:is([data-state="scanned"], [data-state="completing"])) li:first-child b,
:host([data-state="confirmed"]) li b { background: var(--accent); color: var(--on-accent); }
:host(:is([data-state="scanned"], [data-state="completing"])) li:first-child b::before,
:host([data-state="confirmed"]) li b::before { content: none; }
:host(:is([data-state="scanned"], [data-state="completing"])) li:first-child b .icon,
:host([data-state="confirmed"]) li b .icon { display: block; }

/* Both texts take their room, so that the list keeps its width when one replaces the other. */
.either { display: grid; }
.either > span { grid-area: 1 / 1; }
.either > span:last-child,
:host([data-state="scanned"]) .either > span:first-child { visibility: hidden; }
:host([data-state="scanned"]) .either > span:last-child { visibility: visible; }

.hint { display: none; margin-top: 18px; padding-top: 16px; border-top: 1px solid var(--line); }
.hint-text { margin: 0 0 12px; color: var(--muted); font-size: 13px; text-wrap: balance; }
.save {
  display: inline-flex;
  align-items: center;
  gap: 0.45em;
  padding: 9px 18px;
  border-radius: 999px;
  background: var(--sunken);
  color: var(--text);
  font-size: 14px;
  font-weight: 600;
}
.hint { transition: opacity 220ms; }
:host(:not([data-state="pending"])) .hint { opacity: 0.4; }

.use-code {
  display: block;
  margin: 14px auto 0;
  padding: 8px 14px;
  border-radius: 999px;
  background: transparent;
  color: var(--muted);
  font-size: 14px;
}
.use-code:hover { color: var(--text); }
/* It keeps its room, so that the sheet doesn't move under the thumb. */
:host([data-state="leaving"]) .use-code { visibility: hidden; }

/* Inside WeChat there is nothing to scan: no code, no countdown, no steps. */
.web-authorization :is(.code, .skeleton, .meter, .countdown, .steps, .hint) { display: none; }
.web-authorization .stage { width: 100%; height: 216px; }
.web-authorization .cover { background: var(--sunken); }
:host([data-state="offered"]) .cover-icon { color: var(--accent); }
:host([data-state="offered"]) .action { margin-top: 18px; padding: 12px 28px; font-size: 16px; }
:host([data-state="offered"]) .action .icon { display: none; }

.announcer {
  position: absolute;
  width: 1px;
  height: 1px;
  margin: -1px;
  overflow: hidden;
  clip-path: inset(50%);
  white-space: nowrap;
}

/* On a phone: a sheet from below, within the thumb's reach, and a way to scan one's own screen. */
@media (max-width: 480px) {
  .dialog {
    width: 100vw;
    max-height: calc(100dvh - 24px);
    margin: auto 0 0;
    border-radius: var(--radius) var(--radius) 0 0;
  }
  .dialog[open] { animation-name: slide; animation-duration: 320ms; }
  .card { padding-bottom: max(26px, env(safe-area-inset-bottom)); }
}
@media (pointer: coarse) and (max-width: 640px), (pointer: coarse) and (max-height: 480px) {
  .hint { display: block; }
}
/* A phone on its side: the code and the words next to each other, so that nothing has to scroll. */
@media (max-height: 480px) and (min-width: 560px) {
  .dialog { width: 588px; }
  .card {
    display: grid;
    grid-template: auto auto auto auto 1fr / 248px 1fr;
    column-gap: 32px;
    padding: 24px 28px;
  }
  .stage { grid-area: 1 / 1 / -1 / 2; }
  .head, .meter, .countdown, .steps, .hint { grid-column: 2; }
  .meter { width: 100%; margin-top: 0; }
  .hint { margin-top: 12px; padding-top: 12px; }
}

@keyframes rise { from { opacity: 0; transform: translateY(14px) scale(0.97); } }
@keyframes slide { from { transform: translateY(100%); } }
@keyframes appear { from { opacity: 0; } }
@keyframes shimmer { from { transform: translateX(-100%); } to { transform: translateX(100%); } }
@keyframes turn { to { transform: rotate(1turn); } }
@keyframes pop { from { opacity: 0; transform: scale(0.6); } }

@media (prefers-reduced-motion: reduce) {
  *, .dialog[open], .dialog::backdrop, .cover, .skeleton::after, .cover-icon {
    animation-duration: 1ms !important;
    transition-duration: 1ms !important;
  }
  .skeleton::after { display: none; }
  :host(:is([data-state="completing"], [data-state="leaving"])) .cover-icon { animation: none; border-top-color: inherit; }
}
@media (forced-colors: active) {
  .dialog, .trigger, .action, .save { border: 1px solid; }
  .code { forced-color-adjust: none; }
}
`;

export const styles = new CSSStyleSheet();
styles.replaceSync(CSS);
