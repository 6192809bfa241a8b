import type { MarkdownRenderer } from 'vitepress'

/** Makes the empty headers of tables plain cells, because a header without a text tells a screen reader nothing. */
export function emptyHeadersAsCells(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('empty-headers', ({ tokens }) => {
    for (const [i, token] of tokens.entries()) {
      if (token.type !== 'th_open' || tokens[i + 1]?.content !== '') continue
      for (const part of [token, tokens[i + 2]]) if (part !== undefined) part.tag = 'td'
    }
  })
}
