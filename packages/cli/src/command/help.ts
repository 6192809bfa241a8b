import { COMMAND, type Command } from './command.ts'

/** The help of one command. */
export function helpOf({ name, summary, usage, example, flags, more = [] }: Command): string[] {
  const rows = Object.entries(flags).map(([flag, { value, help }]): [string, string] => [
    `--${flag}${value === undefined ? '' : ` <${value}>`}`,
    help,
  ])
  return [
    `${COMMAND} ${name} ${usage}`.trimEnd(),
    '',
    summary,
    '',
    'Example',
    `  ${COMMAND} ${example}`,
    '',
    'Options',
    ...columns([...rows, ['--help', 'Shows this help.']]),
    ...(more.length > 0 ? ['', ...more] : []),
  ]
}

/** The list of all commands. */
export function overview(commands: readonly Command[]): string[] {
  return [
    `${COMMAND} <command> [arguments] [options]`,
    '',
    'Commands',
    ...columns(commands.map(({ name, summary }) => [name, summary])),
    '',
    `${COMMAND} <command> --help shows the options of a command. --version shows the version.`,
    'Example',
    `  ${COMMAND} find user:42 --policy limits.ts --redis redis://localhost:6379`,
    '',
    'Exit codes: 0 done, 1 something was found (or nothing was there to take back), 2 the command line is wrong, 3 it failed, or no process uses that server and prefix.',
  ]
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length))
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`)
}
