// Forty callers of one bucket that come at once.
import { sharedNow } from './clock.ts'
import { runJob } from './contestant.ts'
import { queueNamed } from './contestants.ts'

/** The results of one process. */
export interface RushRun {
  /** Seconds from the first start to the last. */
  readonly seconds: number
  /** The calls of the store; undefined if the queue does not count them. */
  readonly calls?: number | undefined
}

const [, , name = '', count = '40', url = ''] = process.argv
const open = await queueNamed(name).open({ limit: 10, windowMs: 1000 }, url === '' ? undefined : url)
const starts: number[] = []
await Promise.all(
  Array.from({ length: Number(count) }, () => runJob(open, () => void starts.push(sharedNow()))),
)
const seconds = (Math.max(...starts) - Math.min(...starts)) / 1000
console.log(JSON.stringify({ seconds, calls: open.calls?.() } satisfies RushRun))
process.exit(0)
