/** The anchor that GitHub gives to a heading. It appends `-1`, `-2`, … to one that a page has already. */
export function githubAnchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(/\s/g, '-')
}
