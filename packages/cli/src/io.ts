import type { Readable, Writable } from 'node:stream'

/** A stream for output, and whether a person reads it. */
export type Output = Writable & {
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** The streams and the environment of a command. */
export interface CliIo {
  readonly stdin: Readable
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** The folder that paths start from. */
  readonly cwd: string
  /** `createRequire(import.meta.url)` of the program: finds files of packages that are installed with it. */
  readonly require: NodeJS.Require
}

/** Writes lines to standard output. Waits while the reader of a pipe is slow. */
export async function print({ stdout }: CliIo, lines: readonly string[]): Promise<void> {
  if (stdout.write(`${lines.join('\n')}\n`) || stdout.destroyed) return
  await new Promise<void>(resolve => {
    stdout.once('drain', resolve)
    stdout.once('close', resolve)
  })
}

type Colour = (text: string) => string

/** Functions that colour text for a terminal; without colour for a pipe, and with `NO_COLOR`. */
export interface Colours {
  readonly bold: Colour
  readonly dim: Colour
  readonly red: Colour
  readonly yellow: Colour
  readonly green: Colour
}

/** The colours of an output. */
export function coloursOf({ env }: CliIo, output: Output): Colours {
  const isPlain = output.isTTY !== true || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  const colour =
    (on: number, off: number): Colour =>
    text =>
      isPlain ? text : `\u001b[${on}m${text}\u001b[${off}m`
  return {
    bold: colour(1, 22),
    dim: colour(2, 22),
    red: colour(31, 39),
    yellow: colour(33, 39),
    green: colour(32, 39),
  }
}

// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/**
 * Replaces characters that steer a terminal or turn the direction of text, which a log or an operator's reason may hold, so that they do
 * not reach the terminal.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '\ufffd')
}

/** Writes data as one line of JSON, in which such characters are escaped. */
export function jsonLine(data: unknown): string {
  return JSON.stringify(data).replace(
    UNPRINTABLE,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
