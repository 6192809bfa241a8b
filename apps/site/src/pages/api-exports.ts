import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Export } from '../search/exports.ts'

const EXPORT = /^<a id="([^"]+)"><\/a>\n\n### (?:`?abstract`? )?([\w$]+)(?:\(\))?$/gm

/** The exports that typedoc has written into a folder. None if it has not run, as while somebody writes pages. */
export function exportsIn(folder: string): readonly Export[] {
  if (!existsSync(folder)) return []
  const files = readdirSync(folder, { recursive: true }).map(file => String(file).replaceAll('\\', '/'))
  return files
    .filter(file => file.startsWith('@halt/') && file.endsWith('.md'))
    .flatMap(file => {
      const module = file.slice(0, -'.md'.length)
      const found = readFileSync(join(folder, file), 'utf8').matchAll(EXPORT)
      return [...found].map(([, anchor = '', name = '']) => [name, module, anchor] as const)
    })
}
