/** What went wrong, in words. Fetched when something has. */
export { problems as texts } from "../locale/zh-CN.js";
