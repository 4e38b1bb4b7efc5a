/**
 * The QR code as a picture of pixels: albums take no SVG. Wanted on phones alone.
 */

/** Large enough for WeChat to read it from the album whatever the screen's density. */
const SAVED_PIXELS = 720;

/**
 * The code as pixels, dark on white.
 *
 * @param {string} address of the code's picture
 * @returns {Promise<HTMLCanvasElement>}
 */
export async function codePicture(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = SAVED_PIXELS;
  canvas.height = SAVED_PIXELS;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("no canvas");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, SAVED_PIXELS, SAVED_PIXELS);
  context.imageSmoothingEnabled = false;
  context.drawImage(image, 0, 0, SAVED_PIXELS, SAVED_PIXELS);
  return canvas;
}

/**
 * Hands the picture to the phone: to its share sheet where that takes pictures (only there can iOS
 * put one into the album), else as a download.
 *
 * @param {string} address of the code's picture
 * @param {string} fileName
 */
export async function saveCode(address, fileName) {
  const canvas = await codePicture(address);
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
  const link = document.createElement("a");
  link.href = canvas.toDataURL("image/png");
  link.download = fileName;
  link.click();
}
