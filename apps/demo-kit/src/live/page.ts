import { readFileSync } from 'node:fs'

import { type Answer, answer } from '../answer.ts'

const TYPES = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
} as const

/** The page's files. Nothing else in the folder is sent. */
const FILES =
  'page.html icon.svg page.js server.js chart.js tables.js bucket.js theme.css layout.css chart.css tables.css bucket.css'.split(
    ' ',
  )

/** Allows files of this server and nothing inline, so that injected text can neither run nor send data. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

const HEADERS = {
  'Content-Security-Policy': POLICY,
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
}

/** The page's files, without a build step. The folder is beside `src` and `dist`. */
export class Page {
  readonly #files = new Map<string, Answer>()

  constructor() {
    for (const name of FILES) {
      const type = TYPES[name.slice(name.lastIndexOf('.') + 1) as keyof typeof TYPES]
      const body = readFileSync(new URL(`../../page/${name}`, import.meta.url), 'utf8')
      this.#files.set(name, answer(200, type, body, HEADERS))
    }
  }

  /** A file by its name; undefined if there is none. */
  file(name: string): Answer | undefined {
    return this.#files.get(name)
  }
}
