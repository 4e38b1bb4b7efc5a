import { addChinese } from "./texts.js";

/** @typedef {import("./texts.js").Texts} Texts */

/**
 * What few visitors need, fetched when one does.
 *
 * @template Module
 * @typedef {object} Piece
 * @property {Module | null} here null until it has been fetched
 * @property {() => Promise<Module>} fetch
 */

/**
 * @template Module
 * @param {() => Promise<Module & {texts?: Partial<Texts>}>} load `texts`: the Chinese that it says
 * @returns {Piece<Module>}
 */
function piece(load) {
  /** @type {ReturnType<typeof load> | null} */
  let loading = null;
  /** @type {Piece<Module>} */
  const made = {
    here: null,
    async fetch() {
      loading ??= load();
      try {
        const module = await loading;
        addChinese(module.texts);
        made.here = module;
        return module;
      } catch (error) {
        loading = null;
        throw error;
      }
    },
  };
  return made;
}

/** Inside WeChat. */
export const webAuthorization = piece(() => import("./lazy/web-authorization.js"));

/** Where the visitor has something else to do than to scan WeChat's code, or a choice. */
export const otherWays = piece(() => import("./lazy/other-ways.js"));

/** When something went wrong. */
export const problems = piece(() => import("./lazy/problems.js"));

/** On a touch screen. */
export const phone = piece(() => import("./lazy/phone.js"));

/** Where there is no `<dialog>`. */
export const layeredDialog = piece(() => import("./lazy/layered-dialog.js"));
