import type { Readable } from 'node:stream'
import { HaltError } from '@halt/core'

import { detectFormat, type LineReader, type LogFormat, readerOf } from '../log/formats.ts'
import type { JsonField } from '../log/json-fields.ts'
import { openLog } from '../log/lines.ts'
import type { LoggedRequest } from '../log/logged-request.ts'

/** How a log is read. */
export interface LogReading {
  /** Default: found by the first lines. */
  readonly format?: LogFormat | undefined
  readonly fields?: Partial<Record<JsonField, string>> | undefined
  /** Called about every quarter of a megabyte. */
  readonly onProgress?: ((progress: { readonly bytes: number; readonly lines: number }) => void) | undefined
}

/** The counts of a log that was read. */
export interface LogSummary {
  format: LogFormat | undefined
  lines: number
  /** The lines that are cut or of another format. */
  skipped: number
  /** The numbers of the first of them, counted over all files. */
  readonly firstSkipped: number[]
  /** The files whose compressed data are cut or damaged, so that the rest of them is lost. */
  readonly cutShort: string[]
}

/** The lines by which a format is found. */
const SAMPLE = 20

/**
 * Reads logs one after the other, and hands on each request.
 *
 * @throws HaltError `HALT_E_LOG` if a file cannot be read, or no line can be
 */
export async function readLogs(
  logs: readonly { readonly name: string; readonly from: string | Readable }[],
  { format, fields, onProgress }: LogReading,
  onRequest: (request: LoggedRequest) => void | Promise<void>,
): Promise<LogSummary> {
  const summary: LogSummary = { format, lines: 0, skipped: 0, firstSkipped: [], cutShort: [] }
  let read: LineReader | undefined = format && readerOf(format, fields)
  let before = 0
  for (const { name, from } of logs) {
    const log = openLog(from)
    let last = 0
    try {
      for await (const { text, bytes } of log.texts()) {
        read ??= readerOf((summary.format = formatIn(text, name)), fields)
        const waiting = readLines(text, 0, read, summary, onRequest)
        if (waiting !== undefined) await waiting
        last = bytes
        onProgress?.({ bytes: before + bytes, lines: summary.lines })
      }
    } catch (error) {
      throw asLogError(error, name)
    }
    before += last
    if (log.isCutShort) summary.cutShort.push(name)
  }
  if (summary.lines === summary.skipped) throw unreadable(logs.map(({ name }) => name).join(', '), summary)
  return summary
}

/** Reads the lines of a text. Synchronous until a request has to be waited for. */
function readLines(
  text: string,
  start: number,
  read: LineReader,
  summary: LogSummary,
  onRequest: (request: LoggedRequest) => void | Promise<void>,
): Promise<void> | undefined {
  for (let from = start; from < text.length;) {
    let end = text.indexOf('\n', from)
    if (end < 0) end = text.length
    const line = text.slice(from, text.charCodeAt(end - 1) === 13 ? end - 1 : end)
    from = end + 1
    if (line === '') continue
    summary.lines++
    const request = read(line)
    if (request === undefined) {
      summary.skipped++
      if (summary.firstSkipped.length < 5) summary.firstSkipped.push(summary.lines)
      continue
    }
    const waiting = onRequest(request)
    if (waiting !== undefined) return waiting.then(() => readLines(text, from, read, summary, onRequest))
  }
  return undefined
}

function formatIn(text: string, name: string): LogFormat {
  const lines = text.split('\n', SAMPLE + 1).filter(line => line !== '')
  const format = detectFormat(lines.slice(0, SAMPLE))
  if (format !== undefined) return format
  throw new HaltError(
    'HALT_E_LOG',
    `The format of ${name} is not known: none of its first lines can be read.`,
    'Give --format combined, json, alb, cloudflare or caddy, and for JSON --fields time=…,ip=… if its fields have other names.',
  )
}

function unreadable(names: string, { lines, format, cutShort }: LogSummary): HaltError {
  if (lines === 0 && cutShort.length > 0)
    return new HaltError(
      'HALT_E_LOG',
      `${cutShort.join(', ')} cannot be unpacked, because it is cut or damaged.`,
      'Give the whole file, or what zcat still reads of it.',
    )
  const what = lines === 1 ? `The line of ${names} is not` : `None of the ${lines} lines of ${names} is`
  return new HaltError(
    'HALT_E_LOG',
    lines === 0 ? `${names} is empty.` : `${what} of the format ${format}.`,
    'Give an access log, and its --format.',
  )
}

function asLogError(error: unknown, name: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error
  return new HaltError(
    'HALT_E_LOG',
    `${name} cannot be read: ${error.message}.`,
    'Give a readable file, or - for standard input.',
    {
      cause: error,
    },
  )
}
