// Makes a Worker in which the suite of all adapters runs. It serves the apps of the suite on its other addresses.
import { connect } from 'node:net'

import { type AdapterUnderTest, adapterSuite, type Setup, type StoreUnderTest } from '../src/index.ts'
import { collectTests } from './collected.ts'

type Handler = (request: Request) => Response | Promise<Response>

/** An export of a Worker that gets requests. */
export interface Entrypoint {
  fetch(request: Request): Promise<Response>
}

/** The exports of the Worker: the one that runs tests, and those at whose addresses the apps are. */
export interface SuiteWorker {
  readonly runner: Entrypoint
  readonly ports: readonly [Entrypoint, Entrypoint, Entrypoint, Entrypoint]
}

/** @param build makes the handler of an app */
export function suiteWorker(
  adapter: Omit<AdapterUnderTest, 'serve' | 'connect'>,
  build: (setup: Setup) => Handler,
  stores: readonly StoreUnderTest[],
): SuiteWorker {
  const apps: (Handler | undefined)[] = [undefined, undefined, undefined, undefined]
  let urls: readonly string[] = []
  const whole: AdapterUnderTest = {
    ...adapter,
    connect,
    serve: async setup => {
      const port = apps.indexOf(undefined)
      const url = urls[port]
      if (url === undefined) throw new Error('The Worker has no free address.')
      apps[port] = build(setup)
      return { url, close: async () => void (apps[port] = undefined) }
    },
  }
  const tests = collectTests(runner => adapterSuite(runner, whole, stores))
  const portOf = (port: number): Entrypoint => ({
    fetch: async request => apps[port]?.(request) ?? new Response('no app', { status: 503 }),
  })
  const runner: Entrypoint = {
    async fetch(request) {
      if (request.method === 'GET') return Response.json([...tests.keys()])
      const { name, urls: given } = (await request.json()) as { name: string; urls: readonly string[] }
      urls = given
      apps.fill(undefined)
      try {
        await tests.get(name)?.()
        return new Response('')
      } catch (error) {
        return new Response(error instanceof Error ? String(error.stack) : String(error))
      }
    },
  }
  return { runner, ports: [portOf(0), portOf(1), portOf(2), portOf(3)] }
}
