/**
 * Line drawings of 24 by 24 units, drawn for this project. They take the colour of the text around.
 */

const SVG = "http://www.w3.org/2000/svg";

/** The lines of each, as one path. @type {Record<string, string>} */
const PATHS = {
  scan:
    "M4 8.5V6.6A2.6 2.6 0 0 1 6.6 4h1.9" +
    "M15.5 4h1.9A2.6 2.6 0 0 1 20 6.6v1.9" +
    "M20 15.5v1.9a2.6 2.6 0 0 1-2.6 2.6h-1.9" +
    "M8.5 20H6.6A2.6 2.6 0 0 1 4 17.4v-1.9" +
    "M7.5 12h9",
  close: "M6.5 6.5l11 11M17.5 6.5l-11 11",
  phone:
    "M9 3h6a2.5 2.5 0 0 1 2.5 2.5v13A2.5 2.5 0 0 1 15 21H9a2.5 2.5 0 0 1-2.5-2.5v-13A2.5 2.5 0 0 1 9 3z" +
    "M9.4 12.2l1.9 1.9 3.4-3.8",
  refresh: "M19.5 12a7.5 7.5 0 1 1-2.3-5.4M19.6 3.6v3.9h-3.9",
  clock: "M12 3.8a8.2 8.2 0 1 1 0 16.4 8.2 8.2 0 0 1 0-16.4zM12 7.6V12l3 2",
  declined: "M12 3.8a8.2 8.2 0 1 1 0 16.4 8.2 8.2 0 0 1 0-16.4zM9 9l6 6M15 9l-6 6",
  warning:
    "M10.5 4.6L3.3 17a1.8 1.8 0 0 0 1.5 2.7h14.4a1.8 1.8 0 0 0 1.5-2.7L13.5 4.6a1.75 1.75 0 0 0-3 0z" +
    "M12 9.4v4" +
    "M12 16.5v.1",
  offline:
    "M4 4l16 16" +
    "M8.6 14.9a4.9 4.9 0 0 1 5.6-.9" +
    "M5.4 11.6a9.6 9.6 0 0 1 3.9-2.3" +
    "M13 8.8a9.6 9.6 0 0 1 5.6 2.8" +
    "M2.4 8.2A14 14 0 0 1 5.6 6" +
    "M10 4.6a14 14 0 0 1 11.6 3.6" +
    "M12 18.6v.1",
  check: "M5.5 12.5l4.3 4.3 8.7-9.3",
};

/**
 * @param {string} name
 * @returns {SVGElement}
 */
export function icon(name) {
  return drawing(PATHS[name]);
}

/**
 * @param {string} path
 * @returns {SVGElement}
 */
export function drawing(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  // Until the style sheet is there, an icon isn't larger than its words.
  svg.setAttribute("width", "20");
  svg.setAttribute("height", "20");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  const lines = document.createElementNS(SVG, "path");
  lines.setAttribute("d", path);
  svg.append(lines);
  return svg;
}
