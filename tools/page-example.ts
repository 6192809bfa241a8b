// Runs the examples of a documentation page as they stand there, and compares what they print with their `// → …` lines.
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { Server, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { format } from 'node:util'

/** What an example did. */
export interface PageRun {
  /** The lines that it printed. */
  readonly printed: string[]
  /** Where its servers listen: `http://127.0.0.1:…`, in the order in which they were started. */
  readonly urls: string[]
  /** Ends its servers. */
  close(): Promise<void>
}

/** The TypeScript examples of a page. */
export function examplesOf(page: string): string[] {
  return [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code ?? '')
}

/**
 * Runs an example as a module, with its servers on free ports of 127.0.0.1.
 *
 * @param folder below the test, so that imports find the test's packages
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
    // An example may turn the clock.
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

/** Where the printed lines are not what the example says; empty when all are. `…` stands for anything; indentation for nothing. */
export function differencesIn(code: string, printed: readonly string[]): string[] {
  const said = [...code.matchAll(/\/\/ →(?: (.*))?$/gm)].map(([, line]) => line?.trim() ?? '')
  const differences: string[] = []
  let at = 0
  for (const indented of printed) {
    const line = indented.trim()
    if (pattern(said[at]).test(line)) at++
    // In a loop one line stands for several.
    else if (!pattern(said[at - 1]).test(line)) differences.push(`printed, and not said: ${line}`)
  }
  return [...differences, ...said.slice(at).map(line => `said, and not printed: ${line}`)]
}

function pattern(line: string | undefined): RegExp {
  // Never matches, because no further line is expected.
  if (line === undefined) return /^\b$/
  const parts = line.split('…').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}$`)
}
