import { commands } from './commands.ts'
import { COMMAND, type Command, ExitCode } from './command/command.ts'
import { helpOf, overview } from './command/help.ts'
import { commandError, nearest, parseCall } from './command/parse.ts'
import { isUsageError } from './command/usage.ts'
import { type CliIo, coloursOf, print, printable } from './io.ts'

/**
 * Runs the command line `halt <args>`. Returns the exit code and never throws.
 *
 * @example
 * const code = await run(['replay', 'access.log', '--policy', 'limits.ts'], io)
 */
export async function run(args: readonly string[], io: CliIo): Promise<number> {
  try {
    return await dispatch(args, io)
  } catch (error) {
    const { red } = coloursOf(io, io.stderr)
    const text = error instanceof Error ? error.message : String(error)
    io.stderr.write(`${red('halt:')} ${printable(text)}\n`)
    return isUsageError(error) ? ExitCode.USAGE : ExitCode.FAILED
  }
}

async function dispatch([name, ...args]: readonly string[], io: CliIo): Promise<number> {
  if (name === '--version') return shown(io, [versionOf(io)])
  if (name === undefined || name === '--help' || name === '-h') return shown(io, overview(commands))
  if (name === 'help' && args.length === 0) return shown(io, overview(commands))
  const command = commandNamed(name === 'help' ? (args[0] as string) : name)
  if (name === 'help') return shown(io, helpOf(command))
  const call = parseCall(
    command,
    args.map(arg => (arg === '-h' ? '--help' : arg)),
  )
  return call.flags['help'] === true ? shown(io, helpOf(command)) : command.run(call, io)
}

function commandNamed(name: string): Command {
  const found = commands.find(command => command.name === name)
  if (found !== undefined) return found
  const names = commands.map(command => command.name)
  throw commandError(
    `halt has no command ${JSON.stringify(name)}.`,
    `${nearest(name, names, '')}${COMMAND} --help lists the commands.`,
  )
}

function versionOf({ require }: CliIo): string {
  return (require('@halt/cli/package.json') as { readonly version: string }).version
}

async function shown(io: CliIo, lines: readonly string[]): Promise<number> {
  await print(io, lines)
  return ExitCode.DONE
}
