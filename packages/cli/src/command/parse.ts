import { parseArgs } from 'node:util'
import { HaltError } from '@halt/core'
import { type Call, COMMAND, type Command } from './command.ts'

/**
 * Reads the arguments of a command.
 *
 * @throws HaltError `HALT_E_COMMAND`
 */
export function parseCall({ name, flags, takes, usage, negative }: Command, args: readonly string[]): Call {
  const below = args.find(arg => /^-\d+$/.test(arg))
  if (negative !== undefined && below !== undefined) throw commandError(`${below} is below 0.`, negative)
  const options = Object.fromEntries(
    Object.entries({ ...flags, help: {} }).map(([flag, { value }]: [string, { value?: string }]) => [
      flag,
      { type: value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  )
  const { values, positionals, tokens } = read(name, [...args], options)
  for (const token of tokens)
    if (token.kind === 'option' && tokens.some(other => other !== token && isSame(other, token.name)))
      throw commandError(`--${token.name} is given twice.`, 'Give it once.')
  for (const [flag, value] of Object.entries(values))
    if (value === '' && flag !== 'prefix')
      throw commandError(`--${flag} is empty.`, 'Give a value, or leave the option out.')
  if (values['help'] !== true && (positionals.length < takes[0] || positionals.length > takes[1])) {
    const wrong = positionals.length < takes[0] ? 'too few' : 'too many'
    throw commandError(`halt ${name} got ${wrong} arguments.`, `Write: ${COMMAND} ${name} ${usage}`.trimEnd())
  }
  return { positionals, flags: values as Call['flags'] }
}

/** Makes the error of a wrong command line. */
export function commandError(message: string, fix: string): HaltError {
  return new HaltError('HALT_E_COMMAND', message, fix)
}

/** Reads a number of an option. @throws HaltError `HALT_E_COMMAND` */
export function numberOf(flag: string, text: string, least: number, most: number): number {
  return numberIn(`--${flag}`, text, least, most)
}

/** Reads a whole number of an option; undefined without one. @throws HaltError `HALT_E_COMMAND` */
export function wholeOf(
  flag: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined {
  return text === undefined ? undefined : wholeIn(`--${flag}`, text, least, most)
}

/** Reads a whole number. @param what its name for the error @throws HaltError `HALT_E_COMMAND` */
export function wholeIn(what: string, text: string, least: number, most: number): number {
  const value = numberIn(what, text, least, most)
  if (Number.isInteger(value)) return value
  throw commandError(`${what} is ${JSON.stringify(text)}.`, `Give a whole number from ${least} to ${most}.`)
}

function numberIn(what: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= least && value <= most) return value
  throw commandError(`${what} is ${JSON.stringify(text)}.`, `Give a number from ${least} to ${most}.`)
}

type Options = Readonly<Record<string, { readonly type: 'boolean' | 'string' }>>

interface Token {
  readonly kind: string
  readonly name: string
}

interface Read {
  readonly values: Readonly<Record<string, unknown>>
  readonly positionals: readonly string[]
  readonly tokens: readonly Token[]
}

function read(name: string, args: string[], options: Options): Read {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true, tokens: true }) as never
  } catch (error) {
    // Node tells some mistakes in several lines.
    const text = (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ')
    const [, unknown] = /^Unknown option '([^'=]*)/.exec(text) ?? []
    if (unknown === undefined)
      throw commandError(
        `halt ${name}: ${text.replace(/\.?$/, '.')}`,
        `${COMMAND} ${name} --help lists the options.`,
      )
    const known = Object.keys(options)
    throw commandError(
      `halt ${name} has no option ${unknown}.`,
      `${nearest(unknown.replace(/^-+/, ''), known)}${COMMAND} ${name} --help lists the options.`,
    )
  }
}

function isSame({ kind, name }: Token, other: string): boolean {
  return kind === 'option' && name === other
}

/** Suggests a known name, as the start of a sentence of its own; empty if none is near. */
export function nearest(name: string, known: readonly string[], prefix = '--'): string {
  const near = known.find(other => other.startsWith(name.slice(0, 3)) || sharesLetters(other, name))
  return near === undefined ? '' : `Did you mean ${prefix}${near}? `
}

// Two letters swapped, or one wrong, missing or too much.
function sharesLetters(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1 || a.length < 3) return false
  let from = 0
  while (from < a.length && a[from] === b[from]) from++
  let end = 0
  while (end < Math.min(a.length, b.length) - from && a.at(-1 - end) === b.at(-1 - end)) end++
  return Math.max(a.length, b.length) - from - end <= 2
}
