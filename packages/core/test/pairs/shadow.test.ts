// Policies in shadow mode, beside what else a limiter does. README.md lists the pairs.
import { expect, it } from 'vitest'

import type { Policy } from '../../src/index.ts'
import { guard } from '../../src/http/index.ts'
import { view, world } from '../world.ts'

const ANN = { custom: 'ann' } as const
const API: Policy = { name: 'api', limit: 10, window: 3600 }
const NEXT: Policy = { name: 'next', limit: 2, window: 3600, mode: 'shadow' }

it('a repeated call is charged once to a policy in shadow mode, too', async () => {
  const { limiter } = world()
  const api = limiter([API, NEXT])
  for (let i = 0; i < 3; i++) await api.consume(ANN, { idempotencyKey: 'order-1' })
  expect((await api.peek(ANN)).verdicts).toMatchObject([{ remaining: 9 }, { remaining: 1 }])
})

it('a guard with delay holds no request for a policy in shadow mode', async () => {
  const { limiter } = world()
  const patient = guard(limiter({ ...API, limit: 1, mode: 'shadow' } as Policy), { delay: {} })
  for (let i = 0; i < 3; i++) expect((await patient.enter(view(), {})).pass).toBe(true)
})

it('a policy with inFlight in shadow mode refuses no undecided request, and a refund reaches it', async () => {
  const { limiter } = world()
  const logins = { ...API, name: 'logins', algorithm: 'fixed-window', limit: 3, inFlight: 1, mode: 'shadow' }
  const own = limiter([API, logins as Policy])
  const undecided = [await own.consume(ANN), await own.consume(ANN)]
  expect(undecided.every(({ allowed }) => allowed)).toBe(true)
  for (const decision of undecided) await own.conclude(decision, false)
  for (const decision of undecided) await own.release(decision)
  expect((await own.peek(ANN)).verdicts).toMatchObject([{ remaining: 10 }, { allowed: true, remaining: 3 }])
})

it('headroom in shadow mode is reported and refuses nobody', async () => {
  const { limiter } = world()
  const api = limiter([API, { ...NEXT, limit: 4, headroom: 0.5 } as Policy])
  const told: unknown[] = []
  for (let i = 0; i < 3; i++) {
    const { allowed, verdicts } = await api.consume(ANN)
    told.push([allowed, verdicts[1]?.reason])
  }
  expect(told).toEqual([
    [true, 'ok'],
    [true, 'ok'],
    [true, 'reserved'],
  ])
})

it('a reset forgets what a policy in shadow mode has counted', async () => {
  const { limiter } = world()
  const api = limiter([API, NEXT])
  for (let i = 0; i < 3; i++) await api.consume(ANN)
  expect(await api.reset(ANN)).toBe(2)
  expect((await api.peek(ANN)).verdicts).toMatchObject([{ remaining: 10 }, { remaining: 2 }])
})
