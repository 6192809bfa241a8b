import { callers } from './callers.ts'

/** What a process of callers is told to do. */
export interface Calls {
  readonly caller: string
  readonly url: string
  readonly redisUrl: string
  /** Calls at once, and calls that each of these makes one after the other. */
  readonly atOnce: number
  readonly each: number
}

// A process of callers. It sends a message when it is ready, makes its calls when it gets one, and sends how many were served.
process.once('message', (calls: Calls) => {
  run(calls).then(
    served => {
      process.send?.(served)
      process.disconnect()
    },
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})

async function run({ caller, url, redisUrl, atOnce, each }: Calls): Promise<number> {
  const make = callers[caller]
  if (make === undefined) throw new Error(`No caller is named "${caller}".`)
  const { call, close } = make(redisUrl)
  let served = 0
  const work = async (): Promise<void> => {
    for (let i = 0; i < each; i++) if (await call(url).catch(() => false)) served++
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  await close()
  return served
}

process.send?.('ready')
