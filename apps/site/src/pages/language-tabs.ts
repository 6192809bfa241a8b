/** A block of TypeScript, and a block of JavaScript directly below it: the same example for both. */
const PAIR = /^(```ts\n(?:(?!```).*\n)*```)\n\n(```js\n(?:(?!```).*\n)*```)$/gm

/**
 * Shows an example in two languages as tabs. On GitHub its two blocks stand below each other. All tabs of a page and of later pages
 * follow the choice.
 */
export function withLanguageTabs(text: string): string {
  return text.replaceAll(
    PAIR,
    (_all, typescript: string, javascript: string) =>
      `:::tabs key:language variant:code\n== TypeScript\n\n${typescript}\n\n== JavaScript\n\n${javascript}\n\n:::`,
  )
}

/** The same without the JavaScript, for places that have tabs already. */
export function withoutJavaScriptTwins(text: string): string {
  return text.replaceAll(PAIR, '$1')
}
