// For bundles and edge runtimes, which are built from code that ran elsewhere before. suggestion.ts has the same export.

/** Lists the known names, as the fix of an error. */
export function hintFor(_name: string, known: readonly string[]): string {
  return `Known: ${[...new Set(known)].join(', ')}.`
}
