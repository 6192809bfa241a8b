// A process of agents, with the budget in Redis.
import { RateLimiter } from '@halt/core'
import { opened, openStore } from '@halt/demo-kit'

import { work } from './agent.ts'
import { dayBudget, TEAM } from './money.ts'

/** What a process tells: how many of its agents stream now, and how many answers they got. */
export interface Told {
  readonly streams: number
  readonly answers: number
}

const [, , redis, prefix, model = '', agents, limit, since = ''] = process.argv
const { store, close } = openStore({ url: redis, prefix })
await opened(store)
// The picture shows what happens, so nothing is printed beside it.
const warn = (): void => {}
const policy = dayBudget(Number(limit), new Date(since))
const limiter = new RateLimiter({ store, policy, storeTimeout: '5s', warn })
await limiter.peek(TEAM)

let streams = 0
let answers = 0
const tell = (): void => void process.send?.({ streams, answers } satisfies Told)
const timer = setInterval(tell, 100)
const listener = {
  changed: (by: number) => void (streams += by),
  answered: () => void answers++,
}
await Promise.all(Array.from({ length: Number(agents) }, () => work(limiter, model, listener)))
clearInterval(timer)
await limiter.close()
await close()
process.send?.({ streams, answers } satisfies Told, () => process.disconnect())
