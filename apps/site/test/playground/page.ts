import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { bundle } from '../../../../tools/bundle.ts'

const at = (path: string): URL => new URL(path, import.meta.url)
const TYPES: Readonly<Record<string, string>> = { html: 'text/html', js: 'text/javascript', css: 'text/css' }

/** Serves the playground alone, bundled from the sources of the workspace, on a free port of 127.0.0.1. */
export async function servePlayground(): Promise<{ readonly url: string; close(): void }> {
  const html = await readFile(at('page.html'), 'utf8')
  const files: Readonly<Record<string, string>> = {
    '/': html,
    '/dark': html.replace('<html', '<html class="dark" style="color-scheme:dark;background:#1b1b1f"'),
    '/style.css': await readFile(at('../../src/playground/style.css'), 'utf8'),
    '/main.js': await bundle(at('../../src/playground/main.ts'), 'es', [], {
      'process.env.NODE_ENV': '"production"',
    }),
  }
  const server = createServer((req, res) => {
    const path = req.url?.replace(/\?.*/, '') ?? '/'
    const file = files[path]
    const type = TYPES[path.split('.')[1] ?? 'html'] ?? ''
    if (file === undefined) res.writeHead(404).end()
    else res.writeHead(200, { 'Content-Type': `${type}; charset=utf-8` }).end(file)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
