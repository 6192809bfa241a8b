import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { place } from '#place'

import { answer } from '../answer.ts'

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
}

/** The files of uPlot, by the names under which the page asks for them. */
const LIBRARY: Readonly<Record<string, string>> = {
  'uplot.js': 'uplot/dist/uPlot.esm.js',
  'uplot.css': 'uplot/dist/uPlot.min.css',
}

let paths: ReadonlyMap<string, string> | undefined
const texts = new Map<string, string>()

/** A file of the page. Undefined if there is none of that name. Each file is read once, and nothing else is ever sent. */
export function fileNamed(name: string): Response | undefined {
  const path = (paths ??= findFiles()).get(name)
  const type = TYPES[name.slice(name.lastIndexOf('.') + 1)]
  if (path === undefined || type === undefined) return undefined
  let body = texts.get(name)
  if (body === undefined) texts.set(name, (body = readFileSync(path, 'utf8')))
  return answer(200, type, body)
}

function findFiles(): ReadonlyMap<string, string> {
  const require = createRequire(place)
  const folder = join(dirname(require.resolve('@halt/operator/package.json')), 'page')
  return new Map([
    ...readdirSync(folder).map(name => [name, join(folder, name)] as const),
    ...Object.entries(LIBRARY).map(([name, path]) => [name, require.resolve(path)] as const),
  ])
}
