import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { ROOT } from './repository.ts'

const PICTURE =
  /<picture>\s*<source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)" \/>\s*<img src="([^"]+)"([^>]*?)\/>\s*<\/picture>/g

/**
 * Makes the pictures of a page follow its theme; on GitHub they follow that of the system. Each keeps its room until it is loaded. The
 * addresses of pictures are their paths in the repository, behind a slash.
 */
export function withThemes(text: string): string {
  return text.replaceAll(PICTURE, (_all, dark: string, light: string, rest: string) => {
    const room = `style="aspect-ratio: ${sizeOf(light).join(' / ')}"`
    return `<img class="in-light" src="${light}"${rest}${room} /><img class="in-dark" src="${dark}"${rest}${room} />`
  })
}

/** The width and the height of a PNG or an SVG. */
function sizeOf(path: string): readonly [width: number, height: number] {
  const file = readFileSync(join(ROOT, path))
  if (path.endsWith('.png')) return [file.readUInt32BE(16), file.readUInt32BE(20)]
  const [, width, height] = / width="(\d+)" height="(\d+)"/.exec(file.toString()) ?? []
  return [Number(width), Number(height)]
}
