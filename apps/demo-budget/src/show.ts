import { setTimeout as sleep } from 'node:timers/promises'

import { QuotaManager, type RateLimiterOptions } from '@halt/core'
import type { Screen } from '@halt/demo-kit/screen'

import { Crew, type CrewOptions } from './crew.ts'
import type { ModelServer } from './model-server.ts'
import { dayBudget, dollars, TEAM } from './money.ts'
import { picture } from './picture.ts'

/** What a show needs. */
export interface Show extends Omit<CrewOptions, 'model' | 'since'> {
  readonly screen: Screen
  readonly model: ModelServer
  readonly store: RateLimiterOptions['store']
  /** The units after which one process after the other is killed, until nine tenths of the budget are used. */
  readonly killEvery: number
}

/** Lets the agents of several processes use up a budget, while one process after the other is killed. True if it held. */
export async function show({ screen, model, store, killEvery, ...options }: Show): Promise<boolean> {
  const { limit, agents, processes } = options
  const quotas = new QuotaManager(store)
  const since = new Date()
  const look = async (): Promise<{ used: number; held: number }> =>
    (await quotas.checkQuota(TEAM.user, dayBudget(limit, since))).quota
  const crew = new Crew({ ...options, since, model: model.url })
  let most = 0
  let looks = 0
  let quota = await look()
  const draw = (): string[] =>
    picture({ ...quota, limit, agents, places: crew.places, columns: Math.max(20, screen.width - 20) })
  try {
    let killed = 0
    let next = killEvery
    while (!crew.isOver) {
      quota = await look()
      most = Math.max(most, quota.used + quota.held)
      looks++
      screen.draw(draw())
      // Nobody is killed for the last cents, so that all ends.
      if (quota.used >= next && quota.used < 0.9 * limit) {
        await crew.kill(killed++ % processes)
        next = quota.used + killEvery
      }
      await sleep(50)
    }
    quota = await look()
  } finally {
    screen.end(draw())
    crew.close()
  }
  const bill = model.bill()
  const { begun, cut } = model.answers()
  const share = (100 * bill) / limit
  const percent = (part: number): string => part.toFixed(2).replace(/(?:\.0+|(\.\d+?)0+)$/, '$1')
  const check = (holds: boolean, what: string): boolean => {
    screen.print(`  ${holds ? '✓' : '✗'} ${what}`)
    return holds
  }
  const overspend = Math.max(0, bill - limit)
  return [
    check(most <= limit, `used and held were never more than the budget, in ${looks} looks`),
    check(
      overspend === 0,
      `the model billed ${dollars(bill)} of ${dollars(limit)}: overspend ${dollars(overspend)}`,
    ),
    check(
      share >= 99,
      `${percent(share)} % of the budget was used, although ${cut} of ${begun} answers were cut`,
    ),
    check(quota.held === 0, `nothing is held in the end`),
  ].every(Boolean)
}
