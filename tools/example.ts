// Runs the examples of a README as they stand there.
import { compileFunction } from 'node:vm'

/** Modules by the name under which an example imports them. */
export type Modules = Readonly<Record<string, () => Promise<object>>>

/** What ran: what it printed, and what it called `app`. */
export interface Ran<App> {
  readonly app: App
  readonly printed: string
}

/** Runs the first JavaScript example after a line of a text, mostly a heading. */
export async function exampleAfter<App>(text: string, line: string, modules: Modules): Promise<Ran<App>> {
  const code = /```js\n([\s\S]*?)```/.exec(text.slice(text.indexOf(line)))?.[1]
  if (code === undefined) throw new Error(`No example after ${JSON.stringify(line)}.`)
  return runExample(code, modules)
}

/** Runs an example. Its imports stand on a line each. */
export async function runExample<App>(code: string, modules: Modules): Promise<Ran<App>> {
  let printed = ''
  const print = (...parts: unknown[]): void => void (printed += `${parts.join(' ')}\n`)
  const scope: Record<string, unknown> = { console: { ...console, log: print } }
  for (const [, names = '', from = ''] of code.matchAll(/^import (.*) from '(.*)'$/gm)) {
    const load = modules[from]
    if (load === undefined) throw new Error(`The example imports "${from}", which the test does not give.`)
    const found = (await load()) as Record<string, unknown>
    const named = /^{ (.*) }$/.exec(names)?.[1]?.split(', ')
    if (named === undefined) scope[names] = found['default']
    for (const name of named ?? []) {
      const [exported = '', local = exported] = name.split(' as ')
      scope[local] = found[exported]
    }
  }
  const rest = code.replaceAll(/^import .*$/gm, '')
  const body = `return (async () => { ${rest}\nreturn { app: typeof app === 'undefined' ? undefined : app } })()`
  const run = compileFunction(body, Object.keys(scope)) as (...values: unknown[]) => Promise<{ app: App }>
  const { app } = await run(...Object.values(scope))
  return { app, printed }
}
