// One of several processes that ask for units of one busy key. It begins when the parent says so.
import { setTimeout as sleep } from 'node:timers/promises'

import { hot, type HotName } from './contestants.ts'
import type { HotLimit, OpenHot } from './hot-limit.ts'

/** What a process does. */
export interface HotTask {
  readonly name: HotName
  readonly url: string
  readonly limit: HotLimit
  /** The longest that it asks, in milliseconds. */
  readonly ms: number
  /** How many asks are in flight; undefined to ask at a steady pace. */
  readonly flight?: number | undefined
  /** The asks per second of a steady pace. */
  readonly perSecond?: number | undefined
}

/** What came of it. */
export interface HotRun {
  readonly asked: number
  readonly admitted: number
  readonly ms: number
}

/** What came of it, after a warm-up that asks at the same pace. */
export interface WarmRun extends HotRun {
  /** The asks that were admitted in the warm-up. */
  readonly before: number
}

const TICK_MS = 2
const WARM_MS = 300
const [, , text = ''] = process.argv
const task = JSON.parse(text) as HotTask
const { name, url, limit, ms, flight, perSecond } = task

/** Keeps so many asks in flight for some time. */
async function rush(open: OpenHot, atOnce: number, length: number): Promise<HotRun> {
  let [asked, admitted] = [0, 0]
  const began = performance.now()
  const end = began + length
  const worker = async (): Promise<void> => {
    for (let i = 0; ; i++) {
      // A clock costs as much as a local check, so it is read now and then. The turn lets sockets be read.
      if (i % 64 === 0) {
        if (performance.now() >= end) return
        await new Promise(resolve => void setImmediate(resolve))
      }
      asked++
      if (await open.ask()) admitted++
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return { asked, admitted, ms: performance.now() - began }
}

/** Asks at a steady pace. */
async function pace(open: OpenHot, each: number, length: number): Promise<HotRun> {
  const asks: Promise<boolean>[] = []
  const began = performance.now()
  for (;;) {
    const passed = performance.now() - began
    if (passed >= length) break
    while (asks.length < (passed / 1000) * each) asks.push(open.ask())
    await sleep(TICK_MS)
  }
  const admitted = (await Promise.all(asks)).filter(Boolean).length
  return { asked: asks.length, admitted, ms: performance.now() - began }
}

const open = await hot[name].open(url, limit)
const run = (length: number): Promise<HotRun> =>
  flight === undefined ? pace(open, perSecond ?? 1, length) : rush(open, flight, length)
process.once('message', () => {
  void (async () => {
    const { admitted: before } = await run(WARM_MS)
    process.send?.({ ...(await run(ms)), before } satisfies WarmRun)
    await open.close()
    process.disconnect()
  })()
})
process.send?.('ready')
