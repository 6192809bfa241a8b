import { setTimeout as sleep } from 'node:timers/promises'

import type { RateLimiter } from '@halt/core'

import { type Ask, LOUD, type Tenant, TENANTS } from './tenants.ts'

/** What a tenant asked for and got in a process, in a short time. */
export interface Served {
  readonly tenant: string
  readonly asked: number
  readonly got: number
}

/** What a process tells ten times a second. */
export interface Told {
  /** When it was counted: milliseconds of {@link now}. */
  readonly at: number
  readonly served: readonly Served[]
  /** The longest that the process, or an answer of the store, was late. Milliseconds. */
  readonly stoodStill: number
}

/** Milliseconds of a clock that all processes of a machine share. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** Who asks: all tenants, or the loud one alone, while the others are idle. */
export type Who = 'all' | 'loud'

/** Asks for tenants until it is stopped. */
export interface Asker {
  /** Changes who asks. */
  let(who: Who): void
  /** Ends the asking. Resolves when every answer has come and was told. */
  stop(): Promise<void>
}

const TICK = 20
/** The most ticks that are made up for when a busy machine was late. */
const MOST_LATE = 3
const TELL_EVERY = 5

/** Sends one process's part of what tenants ask, and tells ten times a second what they got. @param processes how many there are */
export function startAsking(limiter: RateLimiter<Ask>, processes: number, tell: (told: Told) => void): Asker {
  const counts = new Map(TENANTS.map(({ name }) => [name, { asked: 0, got: 0 }]))
  const due = new Map<string, number>(TENANTS.map(({ name }) => [name, Math.random()]))
  const open = new Set<Promise<void>>()
  let who: Who = 'all'
  let isOver = false
  let stoodStill = 0
  const ask = async (tenant: Tenant): Promise<void> => {
    const asked = now()
    const { allowed } = await limiter.check({ tenant })
    stoodStill = Math.max(stoodStill, now() - asked)
    const count = counts.get(tenant.name)!
    count.asked++
    if (allowed) count.got++
  }
  const askForAll = (ms: number): void => {
    for (const tenant of TENANTS) {
      if (who === 'loud' && tenant.name !== LOUD) continue
      let units = due.get(tenant.name)! + (tenant.rate * ms) / 1000 / processes
      for (; units >= 1; units--) {
        const answer = ask(tenant).finally(() => open.delete(answer))
        open.add(answer)
      }
      due.set(tenant.name, units)
    }
  }
  const tellAll = (): void => {
    const served = TENANTS.map(({ name }) => ({ tenant: name, ...counts.get(name)! }))
    tell({ at: now(), served, stoodStill })
    stoodStill = 0
    for (const count of counts.values()) Object.assign(count, { asked: 0, got: 0 })
  }
  const running = (async () => {
    let last = now()
    for (let tick = 1; !isOver; tick++) {
      await sleep(TICK)
      const passed = now() - last
      last += passed
      stoodStill = Math.max(stoodStill, passed - TICK)
      askForAll(Math.min(passed, MOST_LATE * TICK))
      if (tick % TELL_EVERY === 0) tellAll()
    }
    await Promise.all(open)
    tellAll()
  })()
  return {
    let: next => void (who = next),
    stop: () => {
      isOver = true
      return running
    },
  }
}
