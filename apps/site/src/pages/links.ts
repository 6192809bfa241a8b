import { posix } from 'node:path'

import { pageLabel } from './contents.ts'
import { GITHUB, isSource } from './repository.ts'
import { ROUTES } from './routes.ts'

/** Writes the link to a page of the site. `anchor` is empty, or begins with `#`. */
export type PageLink = (route: string, anchor: string) => string

/** A picture of the repository that a page shows. */
export type Picture = (path: string) => string

/** Links of Markdown and of HTML, outside of code. */
const LINK = /(\]\()([^)\s]+)(?=\))|(^\[[^\]]+\]: )(\S+)$|((?:src|srcset|href)=")([^"]+)(?=")/gm
const FILE_LABEL = /\[([A-Z]+\.md)\](?=[([])/g
const CODE = /^ *(`{3,})[^\n]*\n[\s\S]*?^ *\1 *$|`[^`\n]+`/gm
const HERE = /^https:\/\/github\.com\/halt-limits\/halt(?:\/(?:blob|tree|raw)\/main\/([^#]*))?(?:#(.*))?$/

/** Points the links of a page of the repository to the site, to its pictures, or to GitHub. */
export function withLinks(text: string, from: string, pageLink: PageLink, picture: Picture): string {
  return outsideCode(text, prose =>
    prose
      .replaceAll(FILE_LABEL, (_all, label: string) => `[${pageLabel(label)}]`)
      .replaceAll(LINK, (_all, ...[inline, a, defined, b, attribute, c]: (string | undefined)[]) => {
        const before = inline ?? defined ?? attribute ?? ''
        return before + target(a ?? b ?? c ?? '', from, pageLink, picture)
      }),
  )
}

/** Changes the text of a page between its blocks of code and its code in lines. */
function outsideCode(text: string, change: (prose: string) => string): string {
  let [result, end] = ['', 0]
  for (const { 0: code, index } of text.matchAll(CODE)) {
    result += change(text.slice(end, index)) + code
    end = index + code.length
  }
  return result + change(text.slice(end))
}

function target(link: string, from: string, pageLink: PageLink, picture: Picture): string {
  const [, path, named] = HERE.exec(link) ?? []
  if (path === undefined && /^[a-z]+:|^#/.test(link)) return link
  const [relative = '', own] = link.split('#')
  const anchor = path === undefined ? own : named === 'readme' ? undefined : named
  const file = fileAt(path ?? posix.join(posix.dirname(from), relative))
  if (/\.(?:png|svg)$/.test(file)) return picture(file)
  const hash = anchor === undefined ? '' : `#${anchor}`
  const route = ROUTES.get(file)
  if (route !== undefined) return pageLink(route, hash)
  if (!isSource(file)) throw new Error(`${from} links to ${link}, which does not exist.`)
  return `${GITHUB}/blob/main/${file}${hash}`
}

/** The README of a folder that has a page, else the path itself. */
function fileAt(path: string): string {
  const clean = path.replace(/\/$/, '')
  const readme = clean === '' || clean === '.' ? 'README.md' : `${clean}/README.md`
  return ROUTES.has(readme) ? readme : clean
}
