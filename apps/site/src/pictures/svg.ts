/** A theme of the pictures. */
export type Theme = 'light' | 'dark'

/** The colours of a theme. Texts have a contrast of at least 4.5 to 1 on GitHub's page. */
export interface Colours {
  readonly text: string
  readonly soft: string
  readonly line: string
  readonly card: string
  readonly admitted: string
  readonly refused: string
}

export const COLOURS: Readonly<Record<Theme, Colours>> = {
  light: {
    text: '#1f2328',
    soft: '#59636e',
    line: '#d1d9e0',
    card: '#f6f8fa',
    admitted: '#1f5fd6',
    refused: '#b8480c',
  },
  dark: {
    text: '#f0f6fc',
    soft: '#9198a1',
    line: '#3d444d',
    card: '#151b23',
    admitted: '#7aaaff',
    refused: '#ff9a62',
  },
}

/** A picture: what a reader who does not see it is told, and its shapes. */
export interface Picture {
  readonly width: number
  readonly height: number
  readonly title: string
  /** SVG elements. Classes: `soft`, `bold`, `end`, `middle`, `code` for texts. */
  readonly shapes: readonly string[]
}

/** Writes a picture as an SVG file. */
export function svg({ width, height, title, shapes }: Picture, { text, soft }: Colours): string {
  const style = `text{font:13px system-ui,-apple-system,'Segoe UI','Liberation Sans',sans-serif;fill:${text}}
.soft{fill:${soft}}.bold{font-weight:600}.end{text-anchor:end}.middle{text-anchor:middle}.code{font-family:ui-monospace,monospace;font-size:12px}`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title><style>${style}</style>`,
    ...shapes,
    '</svg>\n',
  ].join('\n')
}

export function label(x: number, y: number, text: string, classes = ''): string {
  return `<text x="${x}" y="${y}"${classes === '' ? '' : ` class="${classes}"`}>${escaped(text)}</text>`
}

/** A box with rounded corners and lines of text, the first of them bold. */
export function box(
  x: number,
  y: number,
  width: number,
  height: number,
  lines: readonly string[],
  { card, line }: Colours,
): string {
  const first = y + height / 2 - (lines.length - 1) * 9 + 4.5
  return [
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="8" fill="${card}" stroke="${line}"/>`,
    ...lines.map((text, i) =>
      label(x + width / 2, first + i * 18, text, i === 0 ? 'middle bold' : 'middle soft'),
    ),
  ].join('')
}

/** A line with an arrowhead at its end, through points. It ends horizontally or vertically. */
export function arrow(points: readonly (readonly [number, number])[], colour: string): string {
  const [[x, y] = [0, 0], [px, py] = [0, 0]] = [points.at(-1), points.at(-2)]
  const [dx, dy] = [Math.sign(x - px), Math.sign(y - py)]
  const head = `M${x} ${y}l${-7 * dx - 4 * dy} ${-7 * dy - 4 * dx}l${8 * dy} ${8 * dx}z`
  const path = points.map(([a, b], i) => `${i === 0 ? 'M' : 'L'}${a} ${b}`).join('')
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/><path d="${head}" fill="${colour}"/>`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
