import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

import { bundle } from '../../../../tools/bundle.ts'
import { searchFiles } from '../../src/pages/search-files.ts'
import { sourcePages } from '../../src/pages/source-pages.ts'

const at = (path: string): URL => new URL(path, import.meta.url)
const vue = join(dirname(createRequire(import.meta.url).resolve('vue/package.json')), 'dist')
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  json: 'application/json',
}
/** The colours that VitePress gives to the site, on a page without it. */
const COLOURS = `
:root { --vp-c-bg: #fff; --vp-c-bg-alt: #f6f6f7; --vp-c-bg-soft: #f6f6f7; --vp-c-divider: #e2e2e3; --vp-c-text-1: #3c3c43;
  --vp-c-text-2: #67676c; --vp-c-brand-1: #1f5fd6; --vp-c-brand-soft: #6464ff24; }
.dark { --vp-c-bg: #1b1b1f; --vp-c-bg-alt: #161618; --vp-c-bg-soft: #202127; --vp-c-divider: #2e2e32; --vp-c-text-1: #dfdfd6;
  --vp-c-text-2: #98989f; --vp-c-brand-1: #7aaaff; --vp-c-brand-soft: #646cff29; }
a { color: inherit; text-decoration: none } button, input { background: none; border: 0; color: inherit; font: inherit }\n`

/** The search alone on a page, over the files that the site has for it. */
export interface ServedSearch {
  readonly url: string
  /** Paths that the server does not answer until `release`. */
  readonly held: Set<string>
  /** Paths that the server refuses. */
  readonly broken: Set<string>
  release(): void
  close(): void
}

/** Serves the search on a free port of 127.0.0.1, compressed as a web server does. */
export async function serveSearch(): Promise<ServedSearch> {
  const html = await readFile(at('page.html'), 'utf8')
  const files = new Map([
    ['/', html],
    ['/dark', html.replace('<html', '<html class="dark" style="color-scheme:dark;background:#1b1b1f"')],
    ['/style.css', COLOURS + (await readFile(at('../../src/search/style.css'), 'utf8'))],
    ['/vue.js', await readFile(join(vue, 'vue.runtime.esm-browser.prod.js'), 'utf8')],
    ['/mounted.js', await bundle(at('mounted.ts'), 'es', [/^vue$/])],
    ...[...searchFiles(sourcePages(), 'no such folder')].map(([path, text]) => [`/${path}`, text] as const),
    ['/search/exports.json', JSON.stringify([['RateLimiter', '@halt/core', 'ratelimiter']])],
  ])
  const held = new Set<string>()
  const broken = new Set<string>()
  let waiting: (() => void)[] = []
  const server = createServer((req, res) => {
    const path = req.url ?? '/'
    const file = files.get(path)
    const type = TYPES[path.split('.')[1] ?? 'html'] ?? ''
    const answer = (): void => {
      if (file === undefined || broken.has(path)) return void res.writeHead(404).end()
      const headers = { 'Content-Type': `${type}; charset=utf-8`, 'Content-Encoding': 'gzip' }
      res.writeHead(200, headers).end(gzipSync(file))
    }
    if (held.has(path)) waiting.push(answer)
    else answer()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    held,
    broken,
    release() {
      held.clear()
      for (const answer of waiting) answer()
      waiting = []
    },
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
