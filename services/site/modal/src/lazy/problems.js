/** What a refusal takes: its words, and the work that one may ask for. */
export { problems as texts } from "../locale/zh-CN.js";
export { solve } from "./proof-of-work.js";
