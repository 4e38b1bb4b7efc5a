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
 * @param {(query: string) => Promise<Module & {texts?: Partial<Texts>}>} load `texts`: the Chinese
 *   that it says; `query`: another one for each try, which tools/bundle.js puts behind the address,
 *   since browsers ask only once for a script that didn't come
 * @returns {Piece<Module>}
 */
function piece(load) {
  /** @type {ReturnType<typeof load> | null} */
  let loading = null;
  let query = "";
  /** @type {Piece<Module>} */
  const made = {
    here: null,
    async fetch() {
      loading ??= load(query);
      try {
        const module = await loading;
        addChinese(module.texts);
        made.here = module;
        return module;
      } catch (error) {
        loading = null;
        query += "?";
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

/** Where logins begin too fast for people. */
export const proofOfWork = piece(() => import("./lazy/proof-of-work.js"));

/** On a touch screen. */
export const phone = piece(() => import("./lazy/phone.js"));

/** Where there is no `<dialog>`. */
export const layeredDialog = piece(() => import("./lazy/layered-dialog.js"));
