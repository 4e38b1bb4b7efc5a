import { Unreachable } from "./errors.js";
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
 * @param {(again: string) => Promise<Module & {texts?: Partial<Texts>}>} load `texts`: the Chinese
 *   that it says; `again`: empty, and another query for each further try. tools/bundle.js puts it
 *   behind the address, since browsers before 2026 ask only once for a script that didn't come
 * @returns {Piece<Module>}
 */
function piece(load) {
  /** @type {ReturnType<typeof load> | null} */
  let loading = null;
  let again = "";
  /** @type {Piece<Module>} */
  const made = {
    here: null,
    async fetch() {
      loading ??= load(again);
      try {
        const module = await loading;
        addChinese(module.texts);
        made.here = module;
        return module;
      } catch {
        loading = null;
        again += "?";
        throw new Unreachable("a piece");
      }
    },
  };
  return made;
}

/** Inside WeChat. */
export const webAuthorization = piece(() => import("./lazy/web-authorization.js"));

/**
 * Where the visitor has something else to do than to scan WeChat's code, or a choice. Without it such
 * a visitor can't log in.
 */
export const otherWays = piece((again) => import("./lazy/other-ways.js"));

/** When something went wrong, or work has to be done first: then there is no login without it. */
export const problems = piece((again) => import("./lazy/problems.js"));

/** On a touch screen. */
export const phone = piece(() => import("./lazy/phone.js"));

/** Where there is no `<dialog>`. */
export const layeredDialog = piece(() => import("./lazy/layered-dialog.js"));
