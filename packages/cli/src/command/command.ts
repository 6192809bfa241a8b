import type { CliIo } from '../io.ts'

/**
 * The command as hints and the help print it. A bare `halt` ends the machine on Linux, where `/sbin/halt` comes first in the path,
 * and `npx halt` runs a stranger's package where this one is not installed.
 */
export const COMMAND = 'npx @halt/cli'

/** An option of a command. */
export interface Flag {
  /** The name of its value in the help, such as `url`. Absent: the option has no value. */
  readonly value?: string
  readonly help: string
}

/** The arguments and options that the user typed after the name of a command. */
export interface Call {
  readonly positionals: readonly string[]
  readonly flags: Readonly<Record<string, string | true | undefined>>
}

/** A command of the command line. */
export interface Command {
  readonly name: string
  readonly summary: string
  /** The arguments behind the name, as the help shows them. */
  readonly usage: string
  /** A whole call, behind `npx @halt/cli`. */
  readonly example: string
  /** How many arguments it takes. */
  readonly takes: readonly [least: number, most: number]
  readonly flags: Readonly<Record<string, Flag>>
  /** The fix for a negative number among the arguments, such as `-20`. Without it, Node calls the number an unknown option. */
  readonly negative?: string
  /** Further lines of the help. */
  readonly more?: readonly string[]
  /** Returns the exit code. */
  run(call: Call, io: CliIo): Promise<number>
}

/** The exit codes: 0 is done. */
export const ExitCode = {
  DONE: 0,
  /** The command ran and has something to say: a problem was found, or there was nothing to take back. */
  FOUND: 1,
  /** The command line is wrong. */
  USAGE: 2,
  /** The command could not do its work: a file cannot be read, a store does not answer, or no process uses it. */
  FAILED: 3,
} as const

/** The value of an option that takes one. */
export function valueOf({ flags }: Call, name: string): string | undefined {
  const value = flags[name]
  return value === true ? undefined : value
}
