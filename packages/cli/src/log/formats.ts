import { HaltError } from '@halt/core'
import { readAlb } from './alb.ts'
import { readCombined } from './combined.ts'
import { CADDY, CLOUDFLARE, GENERIC, type JsonField, jsonReader, type JsonPaths } from './json-fields.ts'
import type { LoggedRequest } from './logged-request.ts'

/** Reads one line of a log; undefined if the line is cut or is of another format. */
export type LineReader = (line: string) => LoggedRequest | undefined

/** The formats of access logs that Halt reads. `combined` includes the common format. */
export const FORMATS = ['combined', 'json', 'alb', 'cloudflare', 'caddy'] as const
export type LogFormat = (typeof FORMATS)[number]

/** Makes the reader of a format. `fields` says where a JSON line has its fields: `{ ip: 'client.address' }`. */
export function readerOf(format: LogFormat, fields: Partial<Record<JsonField, string>> = {}): LineReader {
  switch (format) {
    case 'combined':
      return readCombined
    case 'alb':
      return readAlb
    case 'cloudflare':
      return jsonReader(withFields(CLOUDFLARE, fields))
    case 'caddy':
      return jsonReader(withFields(CADDY, fields))
    case 'json':
      return jsonReader(withFields(GENERIC, fields))
  }
}

/** Finds the format of a log by its first lines: the one that reads most of them. Undefined if none reads any. */
export function detectFormat(lines: readonly string[]): LogFormat | undefined {
  let [best, most]: [LogFormat | undefined, number] = [undefined, 0]
  // The special JSON formats come first, because the generic one may read them too.
  for (const format of ['cloudflare', 'caddy', 'json', 'alb', 'combined'] as const) {
    const read = readerOf(format)
    const count = lines.filter(line => read(line) !== undefined).length
    if (count > most) [best, most] = [format, count]
  }
  return best
}

/** Makes `{ ip: 'client.address' }` of `ip=client.address,time=ts`. @throws HaltError `HALT_E_COMMAND` */
export function parseFields(text: string): Partial<Record<JsonField, string>> {
  return Object.fromEntries(
    text.split(',').map(part => {
      const [name = '', path = ''] = part.split('=').map(side => side.trim())
      if (path !== '' && Object.hasOwn(GENERIC, name)) return [name, path]
      throw new HaltError(
        'HALT_E_COMMAND',
        `--fields has ${JSON.stringify(part)}.`,
        `Give name=path, for example ip=client.address. The names are ${Object.keys(GENERIC).join(', ')}.`,
      )
    }),
  )
}

function withFields(paths: JsonPaths, fields: Partial<Record<JsonField, string>>): JsonPaths {
  const given = Object.entries(fields).map(([name, path]) => [name, [path]])
  return { ...paths, ...(Object.fromEntries(given) as Partial<JsonPaths>) }
}
