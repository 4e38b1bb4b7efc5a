/** What tools/bundle.js makes of a style sheet. */
declare module "*.css" {
  /** The sheet, minified. */
  const css: string;
  export default css;
  /** Name of the file with this sheet and what older browsers need; of styles.css alone. */
  export const file: string;
}
