import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

/**
 * Checks every link of the built site that leads into it: the page or the file exists, and the page has the anchor. VitePress itself
 * checks pages alone.
 *
 * @throws Error that lists the dead links
 */
export function checkLinks(folder: string, base: string): void {
  const files = readdirSync(folder, { recursive: true }).map(file => String(file).replaceAll('\\', '/'))
  const pages = new Map(
    files
      .filter(file => file.endsWith('.html'))
      .map(file => [file, readFileSync(join(folder, file), 'utf8')]),
  )
  const anchors = new Map([...pages].map(([file, html]) => [file, new Set(idsIn(html))]))
  const dead: string[] = []
  for (const [file, html] of pages) {
    for (const link of linksIn(html)) {
      const [path = '', anchor = ''] = link.split('#')
      if (path !== '' && !path.startsWith(base)) continue
      const found = path === '' ? file : fileOf(folder, path.slice(base.length))
      const isThere =
        found !== undefined &&
        (anchor === '' || anchors.get(found)?.has(decodeURIComponent(anchor)) !== false)
      if (!isThere) dead.push(`${file}: ${link}`)
    }
  }
  if (dead.length > 0) throw new Error(`${dead.length} links of the site are dead:\n${dead.join('\n')}`)
}

function idsIn(html: string): string[] {
  return [...html.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => unescaped(id))
}

function linksIn(html: string): Set<string> {
  return new Set(
    [...html.matchAll(/<a [^>]*href="([^"]+)"/g)].map(([, link = '']) => unescaped(link)).filter(isOwn),
  )
}

function isOwn(link: string): boolean {
  return link.startsWith('/') || link.startsWith('#')
}

/** The file that a server sends for a path, from the folder; undefined if there is none. */
function fileOf(folder: string, path: string): string | undefined {
  const clean = decodeURIComponent(path)
  const candidates = [clean, `${clean}.html`, `${clean}index.html`].filter(name => /\.\w+$/.test(name))
  const found = candidates.find(name => existsSync(join(folder, name)))
  return found === undefined ? undefined : relative('.', found)
}

function unescaped(text: string): string {
  return text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'")
}
