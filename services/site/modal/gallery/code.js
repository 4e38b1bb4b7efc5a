/** A picture in the manner of a QR code. It says nothing. */

const SIZE = 25;
const CORNER = 7;

/**
 * Whether a module is dark. A corner is a ring around a square.
 *
 * @param {number} x
 * @param {number} y
 */
function isDark(x, y) {
  for (const [left, top] of [[0, 0], [SIZE - CORNER, 0], [0, SIZE - CORNER]]) {
    const [column, row] = [x - left, y - top];
    if (column < -1 || row < -1 || column > CORNER || row > CORNER) continue;
    const ring = Math.max(Math.abs(column - 3), Math.abs(row - 3));
    return ring === 3 || ring < 2;
  }
  return (x * 7 + y * 13 + ((x * y) % 11)) % 3 === 0;
}

let path = "";
for (let y = 0; y < SIZE; y += 1) {
  for (let x = 0; x < SIZE; x += 1) if (isDark(x, y)) path += `M${x} ${y}h1v1h-1z`;
}

const box = `0 0 ${SIZE + 4} ${SIZE + 4}`;
export const code =
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${box}"><path fill="#fff" d="M0 0h99v99H0z"/>` +
  `<path transform="translate(2 2)" d="${path}"/></svg>`;
