// Makes a Worker in which the suite of all adapters runs. It serves the apps of the suite on its other addresses.
// @ts-expect-error -- only workerd has this module
import { connect } from 'cloudflare:sockets'

import { type AdapterUnderTest, adapterSuite, type Setup, type StoreUnderTest } from '../src/index.ts'
import { collectTests } from './collected.ts'
import { socketOf } from './workerd-socket.ts'

// A test has at most so many apps at once.
const PORTS = 10
// How long a request goes on after its response.
const LIFE_MS = 3000

// workerd by itself notices that a client has left only when it writes to it. In production Cloudflare tells it.
const DEPARTURES = /the client (?:left|aborted)/

type Handler = (request: Request) => Response | Promise<Response>

/** An export of a Worker that gets requests. */
export interface Entrypoint {
  fetch(request: Request, env: unknown, context: ExecutionContext): Promise<Response>
}

interface ExecutionContext {
  waitUntil(work: Promise<unknown>): void
}

/** The exports of the Worker: the one that runs tests, and those at whose addresses the apps are. */
export interface SuiteWorker {
  readonly runner: Entrypoint
  readonly ports: readonly Entrypoint[]
}

/** @param build makes the handler of an app */
export function suiteWorker(
  adapter: Omit<AdapterUnderTest, 'serve' | 'connect'>,
  build: (setup: Setup) => Handler,
  stores: readonly StoreUnderTest[],
): SuiteWorker {
  const apps: (Handler | undefined)[] = Array.from({ length: PORTS }, () => undefined)
  let urls: readonly string[] = []
  const whole: AdapterUnderTest = {
    ...adapter,
    connect: (port, host) => socketOf(connect, port, host),
    serve: async setup => {
      const port = apps.indexOf(undefined)
      const url = urls[port]
      if (url === undefined) throw new Error('The Worker has no free address.')
      apps[port] = build(setup)
      return { url, close: async () => void (apps[port] = undefined) }
    },
  }
  const tests = collectTests(runner => adapterSuite(runner, whole, stores))
  for (const name of tests.keys()) if (DEPARTURES.test(name)) tests.delete(name)
  const portOf = (port: number): Entrypoint => ({
    fetch: async (request, _env, context) => {
      // Work that goes on after the response would otherwise end with it.
      context.waitUntil(new Promise(resolve => void setTimeout(resolve, LIFE_MS)))
      return apps[port]?.(request) ?? new Response('no app', { status: 503 })
    },
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
  return { runner, ports: apps.map((_, port) => portOf(port)) }
}
