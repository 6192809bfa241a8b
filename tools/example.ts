// Runs the examples of the documentation and compares what they print with their `// → …` lines. There are two ways:
// `runPageExample` runs an example as a module of its own, with its servers; `runExample` runs one as a function, with
// modules that the test gives, and returns its `app` without a server.
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { Server, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { format } from 'node:util'
import { compileFunction } from 'node:vm'

import { transform } from 'esbuild'

/** The result of `runPageExample`. */
export interface PageRun {
  /** The lines that the example printed. */
  readonly printed: string[]
  /** The addresses of its servers, `http://127.0.0.1:…`, in the order in which it started them. */
  readonly urls: string[]
  /** Closes its servers. */
  close(): Promise<void>
}

/** Forgets what other examples of this process have counted in a registry of prom-client. */
export function forgetMetrics(register: { clear(): void }): void {
  register.clear()
  Reflect.deleteProperty(register, Symbol.for('halt.telemetry.prometheus.boards'))
}

/** The TypeScript examples of a page. */
export function examplesOf(page: string): string[] {
  return [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code ?? '')
}

/**
 * Runs an example as a module, with its servers on free ports of 127.0.0.1.
 *
 * @param folder a folder below the test, so that the example's imports find the test's packages
 */
export async function runPageExample(folder: string, name: string, code: string): Promise<PageRun> {
  const path = join(folder, `${name}.ts`)
  await writeFile(path, code)
  const printed: string[] = []
  const servers: Server[] = []
  const { log } = console
  const { now } = Date
  // oxlint-disable-next-line typescript/unbound-method -- called with the server as `this`
  const { listen } = Server.prototype
  console.log = (...parts) => void printed.push(format(...parts))
  Server.prototype.listen = function (this: Server, ...given: unknown[]) {
    servers.push(this)
    const told = given.find(argument => typeof argument === 'function') as (() => void) | undefined
    return listen.call(this, { port: 0, host: '127.0.0.1' } as never, told as never)
  } as typeof listen
  try {
    await import(/* @vite-ignore */ path)
    const starting = servers.filter(({ listening }) => !listening)
    await Promise.all(starting.map(server => once(server, 'listening')))
  } finally {
    Server.prototype.listen = listen
    console.log = log
    // An example may replace the clock.
    Date.now = now
  }
  return {
    printed: printed.flatMap(text => text.split('\n').map(line => line.trimEnd())),
    urls: servers.map(server => `http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    close: async () => void (await Promise.all(servers.map(end))),
  }
}

async function end(server: Server & { closeAllConnections?: () => void }): Promise<void> {
  if (!server.listening) return
  server.close()
  server.closeAllConnections?.()
  await once(server, 'close')
}

/**
 * The differences between what an example printed and its `// → …` lines; empty if there are none. `…` matches any text;
 * indentation does not matter.
 */
export function differencesIn(code: string, printed: readonly string[]): string[] {
  const promised = [...code.matchAll(/\/\/ →(?: (.*))?$/gm)].map(([, line]) => line?.trim() ?? '')
  const differences: string[] = []
  let at = 0
  for (const indented of printed) {
    const line = indented.trim()
    if (pattern(promised[at]).test(line)) at++
    // In a loop, one `// →` line may match several printed lines.
    else if (!pattern(promised[at - 1]).test(line)) differences.push(`printed, but not promised: ${line}`)
  }
  return [...differences, ...promised.slice(at).map(line => `promised, but not printed: ${line}`)]
}

function pattern(line: string | undefined): RegExp {
  // Never matches, because no further line is expected.
  if (line === undefined) return /^\b$/
  const parts = line.split('…').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}$`)
}

/** Loads modules, by the name under which an example imports them. */
export type Modules = Readonly<Record<string, () => Promise<object>>>

/** The result of `runExample`: the text that the example printed, and its variable `app`. */
export interface Ran<App> {
  readonly app: App
  readonly printed: string
}

/** Runs the first example after a line of a README, usually a heading. */
export async function exampleAfter<App>(text: string, line: string, modules: Modules): Promise<Ran<App>> {
  const code = /```ts\n([\s\S]*?)```/.exec(text.slice(text.indexOf(line)))?.[1]
  if (code === undefined) throw new Error(`No example after ${JSON.stringify(line)}.`)
  return runExample(code, modules)
}

/** The JavaScript of an example, with each import on one line. */
async function withoutTypes(code: string): Promise<string> {
  return (await transform(code, { loader: 'ts', format: 'esm', target: 'esnext' })).code
}

/** Runs an example as a function. */
export async function runExample<App>(example: string, modules: Modules): Promise<Ran<App>> {
  const code = await withoutTypes(example)
  let printed = ''
  const print = (...parts: unknown[]): void => void (printed += `${parts.join(' ')}\n`)
  const scope: Record<string, unknown> = { console: { ...console, log: print } }
  for (const [, names = '', from = ''] of code.matchAll(/^import (.*) from "(.*)";$/gm)) {
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
