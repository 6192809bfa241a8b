// Makes a Worker in which the suite of all adapters runs. It serves the apps of the suite on its other addresses.
// @ts-expect-error -- only workerd has this module
import { connect } from 'cloudflare:sockets'

import { type AdapterUnderTest, adapterSuite, type Setup, type StoreUnderTest } from '../src/index.ts'
import { collectTests } from './collected.ts'
import { apps, type Entrypoint, type Handler } from './suite-apps.ts'
import { socketOf } from './workerd-socket.ts'

// workerd by itself notices that a client has left only when it writes to it. In production Cloudflare tells it.
const DEPARTURES = /clients? (?:that )?(?:left|leaves|aborted)/

/**
 * Makes the default export of the Worker, which lists the tests and runs them. The Worker also exports `./suite-ports.ts`.
 *
 * @param build makes the handler of an app
 */
export function suiteWorker(
  adapter: Omit<AdapterUnderTest, 'serve' | 'connect'>,
  build: (setup: Setup) => Handler,
  stores: readonly StoreUnderTest[],
): Entrypoint {
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
  return {
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
}
