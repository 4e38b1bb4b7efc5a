/** `<wechat-login>` as a Vue component, for Vue 3. */
import { defineComponent, h, ref } from "vue";

import "../dist/wechat-login.js";

export const WechatLogin = defineComponent({
  name: "WechatLogin",
  props: {
    api: { type: String, required: true },
    lang: String,
    theme: String,
    label: String,
    inline: Boolean,
    session: String,
    method: String,
    accountName: String,
    accountLogo: String,
    texts: Object,
  },
  emits: ["login", "close", "stateChange", "error"],
  setup(props, { emit, expose, slots }) {
    const element = ref(null);
    expose({
      open: () => element.value?.open(),
      close: () => element.value?.close(),
    });
    return () =>
      h(
        "wechat-login",
        {
          ref: element,
          // `^` makes attributes of them, also where an element has such a property.
          "^api": props.api,
          "^lang": props.lang,
          "^theme": props.theme,
          "^label": props.label,
          "^inline": props.inline ? "" : null,
          "^session": props.session,
          "^method": props.method,
          "^account-name": props.accountName,
          "^account-logo": props.accountLogo,
          ".texts": props.texts ?? {},
          onWechatLogin: (event) => emit("login", event.detail),
          onWechatLoginClose: () => emit("close"),
          onWechatLoginState: (event) => emit("stateChange", event.detail),
          onWechatLoginError: (event) => emit("error", event.detail),
        },
        slots.default?.(),
      );
  },
});
