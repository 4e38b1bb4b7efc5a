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
 * @param {() => Promise<Module>} load
 * @returns {Piece<Module>}
 */
function piece(load) {
  /** @type {Promise<Module> | null} */
  let loading = null;
  /** @type {Piece<Module>} */
  const made = {
    here: null,
    async fetch() {
      loading ??= load();
      try {
        made.here = await loading;
        return made.here;
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

/** On a touch screen. */
export const phone = piece(() => import("./lazy/phone.js"));

/** Where there is no `<dialog>`. */
export const layeredDialog = piece(() => import("./lazy/layered-dialog.js"));
