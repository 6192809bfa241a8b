// Proves what must hold on the paths of a source: asks a solver for a case in which it does not hold.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import type { Path } from './symbolic.ts'

const script = fileURLToPath(new URL('solve.mjs', import.meta.url))

/** Asks the solver groups of questions. The answer to a group is the first that is not `unsat`. */
export function ask(groups: readonly (readonly string[])[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.on('data', part => (output += String(part)))
    child.on('error', reject)
    child.on('close', code =>
      code === 0
        ? resolve(JSON.parse(output) as string[])
        : reject(new Error(`The solver ended with ${code}.`)),
    )
    child.stdin.end(JSON.stringify(groups))
  })
}

/** The question whether a path can be taken. */
export function caseOf({ facts }: Path): string {
  return facts.join('\n')
}

/** The question whether something that must hold on a path can fail. */
export function questionOf({ facts, duties }: Path): string {
  const claims = [...new Set(duties.map(({ claim }) => claim))]
  return `${facts.join('\n')}\n(assert (not (and true\n${claims.join('\n')})))`
}
