import { once } from 'node:events'

import { callers } from './callers.ts'

/** What a process of callers does. */
export interface Calls {
  readonly caller: string
  readonly url: string
  readonly redisUrl: string
  /** Calls at once, and calls that each of these makes one after the other. */
  readonly atOnce: number
  readonly each: number
}

/**
 * Runs a process of callers: it makes one call, so that Node has loaded its client, sends a message, waits for one, makes its
 * calls, and sends how many were served.
 */
async function run({ caller, url, redisUrl, atOnce, each }: Calls): Promise<void> {
  const make = callers[caller]
  if (make === undefined) throw new Error(`No caller is named "${caller}".`)
  const { call, close } = make(redisUrl)
  await call(url)
  const told = once(process, 'message')
  process.send?.('ready')
  await told
  let served = 0
  const work = async (): Promise<void> => {
    for (let i = 0; i < each; i++) if (await call(url).catch(() => false)) served++
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  await close()
  process.send?.(served)
  process.disconnect()
}

await run(JSON.parse(process.argv[2] ?? '{}') as Calls)
