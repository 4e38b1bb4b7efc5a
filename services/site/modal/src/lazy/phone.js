/**
 * A way to scan one's own screen: the code as a picture of pixels, since albums take no SVG, and a
 * button that saves it.
 *
 * @typedef {import("../flow.js").Snapshot} Snapshot
 * @typedef {import("../texts.js").Texts} Texts
 */
import { button, element, part } from "../elements.js";
import { drawing } from "../icons.js";
import { onPhones as texts } from "../locale/zh-CN.js";
import { inWechat } from "../surroundings.js";
import css from "./phone.css";

export { css, texts };

const DOWNLOAD = "M12 4v10.5M7.5 10.5L12 15l4.5-4.5M5 19.5h14";

/** Large enough for WeChat to read it from the album whatever the screen's density. */
const SAVED_PIXELS = 720;

/** What is below the code, or nothing where there is no picture to save. */
export class Extra {
  #words = element("p", { className: "hint-text" });
  #label = element("span");
  #save = button("save", drawing(DOWNLOAD), this.#label);
  #hint = part("div", "hint", this.#words, this.#save);
  #address = "";
  #fileName = "";

  /** @param {HTMLElement} card */
  constructor(card) {
    card.querySelector(".steps")?.after(this.#hint);
    this.#save.addEventListener("click", () => void saveCode(this.#address, this.#fileName));
  }

  /**
   * @param {Snapshot} snapshot
   * @param {Texts} words
   * @param {string} address
   */
  show({ state, code }, words, address) {
    this.#address = address;
    this.#fileName = words.fileName;
    this.#label.textContent = words.save;
    this.#words.textContent = inWechat() ? words.wechatHint : words.phoneHint;
    this.#save.hidden = inWechat();
    this.#save.disabled = state !== "pending";
    this.#hint.hidden = code !== null && !address;
  }

  pictureIsMissing() {
    this.#hint.hidden = true;
  }
}

/**
 * The code as pixels, dark on white.
 *
 * @param {string} address of the code's picture
 * @returns {Promise<HTMLCanvasElement>}
 */
export async function codePicture(address) {
  const image = new Image();
  // A canvas gives away nothing of a picture that its server doesn't share.
  if (!address.startsWith("data:")) image.crossOrigin = "anonymous";
  image.src = address;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = SAVED_PIXELS;
  canvas.height = SAVED_PIXELS;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, SAVED_PIXELS, SAVED_PIXELS);
  // A drawing keeps its edges; a photograph of an account's code keeps its modules and proportions.
  context.imageSmoothingEnabled = !address.startsWith("data:");
  const scale = SAVED_PIXELS / Math.max(image.naturalWidth, image.naturalHeight, 1);
  const [width, height] = [image.naturalWidth, image.naturalHeight].map(
    (side) => side * scale || SAVED_PIXELS,
  );
  const [left, top] = [width, height].map((side) => (SAVED_PIXELS - side) / 2);
  context.drawImage(image, left, top, width, height);
  return canvas;
}

/**
 * Hands the picture to the phone: to its share sheet where that takes pictures (only there can iOS
 * put one into the album), else as a download.
 *
 * @param {string} address of the code's picture
 * @param {string} fileName
 */
async function saveCode(address, fileName) {
  const canvas = await codePicture(address).catch(() => null);
  if (!canvas) {
    leadTo(address, { target: "_blank", rel: "noopener" });
    return;
  }
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) return;
  const file = new File([blob], fileName, { type: "image/png" });
  if (matchMedia("(pointer: coarse)").matches && navigator.canShare?.({ files: [file] })) {
    try {
      await navigator.share({ files: [file] });
      return;
    } catch (error) {
      // Dismissing the sheet is an answer; anything else leaves the download.
      if (error instanceof DOMException && error.name === "AbortError") return;
    }
  }
  leadTo(canvas.toDataURL("image/png"), { download: fileName });
}

/**
 * @param {string} href
 * @param {Partial<HTMLAnchorElement>} how
 */
function leadTo(href, how) {
  Object.assign(document.createElement("a"), { href, ...how }).click();
}
