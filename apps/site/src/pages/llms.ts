import { posix } from 'node:path'

import { contents } from './contents.ts'
import { SITE } from './repository.ts'
import { ROUTES } from './routes.ts'
import { type SourcePage, titleOf } from './source-pages.ts'

/** The list of pages for tools: https://llmstxt.org */
export function llmsIndex(pages: readonly SourcePage[]): string {
  const listed = new Set<string>()
  const line = (text: string, route: string, about: string): string[] => {
    if (listed.has(route)) return []
    listed.add(route)
    return [`- [${text}](${SITE}/${route}.md)${about === '' ? '' : `: ${about}`}`]
  }
  const parts = contents().map(({ title, entries }) => {
    const lines = entries.flatMap(({ text, link, about }) => {
      const route = ROUTES.get(posix.join('docs', link.replace(/#.*/, '')))
      return route === undefined ? [] : line(text, route, about)
    })
    return `## ${title}\n\n${lines.join('\n')}`
  })
  const compared = pages.filter(({ route }) => route.startsWith('compare/'))
  const compare = compared.flatMap(page => line(titleOf(page), page.route, ''))
  return (
    [
      '# Halt',
      '> Rate limiting for Node services, exact and safe by default: Express, Fastify, Hono, Nest and Fetch handlers; memory, Redis, Postgres and Durable Objects.',
      `Each page of ${SITE} has a twin in Markdown: add \`.md\` to its address. [All of them in one file](${SITE}/llms-full.txt).`,
      ...parts,
      `## Compare\n\n${compare.join('\n')}`,
    ].join('\n\n') + '\n'
  )
}

/** All pages in one text. */
export function llmsFull(twins: readonly SourcePage[]): string {
  return twins.map(({ route, text }) => `<!-- ${SITE}/${route}.md -->\n\n${text.trim()}\n`).join('\n\n')
}
