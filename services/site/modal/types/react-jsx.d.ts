/**
 * `<wechat-login>` in JSX of React 18 and 19. Load it where the element is used without the
 * component: `import type {} from "wechat-login-element/react-jsx"`. React 18 passes attributes on
 * and hears no events of custom elements; the component in `wechat-login-element/react` does.
 */
import type { DetailedHTMLProps, HTMLAttributes } from "react";

import type {
  WechatLogin,
  WechatLoginAttributes,
  WechatLoginEvents,
} from "./wechat-login.js";

/** React 19 hears events by their names. */
type Handlers = {
  [Name in keyof WechatLoginEvents as `on${Name}`]?: (event: WechatLoginEvents[Name]) => void;
};

type Props = DetailedHTMLProps<
  Omit<HTMLAttributes<WechatLogin>, keyof WechatLoginAttributes> & WechatLoginAttributes & Handlers,
  WechatLogin
>;

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "wechat-login": Props;
    }
  }
}

declare global {
  namespace JSX {
    interface IntrinsicElements {
      "wechat-login": Props;
    }
  }
}
