import { RateLimiter, type Reservation } from '@halt/core'
import { InMemoryStore } from '@halt/store-memory'
import { expect, it } from 'vitest'

import { Completion, estimate, promptOf } from '../src/completion.ts'
import { MODEL } from '../src/policies.ts'

const PROMPT = 'x'.repeat(40) // 10 tokens

async function reserved(): Promise<{ reservation: Reservation; used: () => Promise<number> }> {
  const limiter = new RateLimiter({ store: new InMemoryStore({ clock: () => 1e12 }), policy: MODEL })
  const reservation = await limiter.reserve({ user: 'ann' }, { cost: estimate(PROMPT) })
  const used = async (): Promise<number> => {
    const { verdicts } = await limiter.peek({ user: 'ann' })
    return 2000 - verdicts.find(({ policy }) => policy === 'llm_monthly_tokens')!.remaining
  }
  return { reservation, used }
}

it('a call reserves the prompt and the longest answer', async () => {
  const { used } = await reserved()
  expect(await used()).toBe(10 + 60)
})

it('a completion settles the tokens used before its last event', async () => {
  const { reservation, used } = await reserved()
  let events = 0
  let atLast = 0
  for await (const _ of new Completion(PROMPT, reservation)) {
    events++
    atLast = await used()
  }
  expect(events).toBe(28)
  expect([atLast, await used()]).toEqual([37, 37])
})

it('a completion that is ended early settles the generated tokens, and generates no more', async () => {
  const { reservation, used } = await reserved()
  const completion = new Completion(PROMPT, reservation)
  for (let i = 0; i < 3; i++) await completion.next()
  await completion.return()
  expect(await used()).toBe(13)
  expect(await completion.next()).toEqual({ done: true, value: undefined })
  await completion.return()
  expect(await used()).toBe(13)
})

it('a completion that never called the model gives all tokens back', async () => {
  const { reservation, used } = await reserved()
  await new Completion(PROMPT, reservation).return()
  expect(await used()).toBe(0)
})

it('a completion charges the prompt as soon as it calls the model', async () => {
  const { reservation, used } = await reserved()
  const completion = new Completion(PROMPT, reservation)
  const first = completion.next()
  await completion.return()
  await first
  expect(await used()).toBeGreaterThanOrEqual(10)
})

it('promptOf accepts any body', () => {
  expect([{ prompt: 'hello' }, { prompt: 7 }, null, 'text', undefined].map(promptOf)).toEqual([
    'hello',
    '',
    '',
    '',
    '',
  ])
})
