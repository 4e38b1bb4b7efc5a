/** `<wechat-login>` as a React component, for React 18 and 19. */
import { createElement, forwardRef, useEffect, useRef, useState } from "react";

import "../dist/wechat-login.js";

/** By the names of the component's properties. */
const EVENTS = {
  onLogin: "wechat-login",
  onClose: "wechat-login-close",
  onStateChange: "wechat-login-state",
  onError: "wechat-login-error",
};

const ATTRIBUTES = {
  accountName: "account-name",
  accountLogo: "account-logo",
};

export const WechatLogin = forwardRef(function WechatLogin(properties, outerRef) {
  const { texts, inline, children, ...others } = properties;
  const attributes = { inline: inline ? "" : undefined };
  /** @type {Record<string, unknown>} */
  const handlers = {};
  for (const [name, value] of Object.entries(others)) {
    if (name in EVENTS) handlers[EVENTS[name]] = value;
    else attributes[ATTRIBUTES[name] ?? name] = value;
  }

  // Handlers change with each rendering; the listeners stay, and hear the latest.
  const latest = useRef(handlers);
  useEffect(() => {
    latest.current = handlers;
  });

  const [element, setElement] = useState(null);
  useEffect(() => {
    if (!element) return undefined;
    const listen = (event) => {
      const detail = event.detail ?? undefined;
      latest.current[event.type]?.(detail, event);
    };
    for (const name of Object.values(EVENTS)) element.addEventListener(name, listen);
    return () => {
      for (const name of Object.values(EVENTS)) element.removeEventListener(name, listen);
    };
  }, [element]);

  useEffect(() => {
    if (element && texts) element.texts = texts;
  }, [element, texts]);

  useEffect(() => {
    if (typeof outerRef === "function") outerRef(element);
    else if (outerRef) outerRef.current = element;
  }, [element, outerRef]);

  return createElement("wechat-login", { ...attributes, ref: setElement }, children);
});
