import { randomUUID } from 'node:crypto'

import { fakeOutage, ManualClock } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import { expect, inject, it } from 'vitest'

import { Accounts } from '../accounts.ts'
import type { AppOptions, Listening, Start } from '../app.ts'
import { Operator } from '../operator.ts'
import { type Scene, show, type Time } from '../show.ts'
import { openStore, type StoreOptions } from '../store.ts'

/** The time of a show that waits without waiting: the clock of its store moves on. */
function manualTime(): Time {
  const clock = new ManualClock()
  return { now: clock.now, sleep: ms => clock.advance(ms / 1000) }
}

/** The show of `npm run demo`. With `inRealTime` it is also played as a user sees it, on the machine's clock. */
export function showing<L extends Listening>(
  start: Start<L>,
  more: readonly Scene<L>[],
  library: StoreOptions['library'],
  inRealTime: boolean,
): void {
  async function shown(store: AppOptions['store'], time?: Time): Promise<{ ok: boolean; text: string }> {
    const token = randomUUID()
    const operator = new Operator(token, store)
    // Generous, because a busy machine is not a failure of Redis.
    const app = await start({ store, storeTimeout: '5s', accounts: new Accounts(), operator }, 0)
    const lines: string[] = []
    const ok = await show(app, line => lines.push(line), { token, more, time })
    operator.close()
    await app.close()
    return { ok, text: lines.join('\n') }
  }

  async function onRedis(time?: Time): Promise<{ ok: boolean; text: string }> {
    const prefix = `test:${randomUUID()}:`
    const { store, close } = openStore({ url: inject('redisUrl'), prefix, library, clock: time?.now })
    try {
      return await shown(store, time)
    } finally {
      await close()
    }
  }

  it('the show turns 200 into 429 and back', async () => {
    const time = manualTime()
    const { ok, text } = await shown(new InMemoryStore({ clock: time.now }), time)
    expect(text).not.toContain('✗')
    expect(ok).toBe(true)
    expect(text).toContain('"violated-policies":["free_plan"]')
    expect(text).toContain('"violated-policies":["company_month"]')
    expect(text).toContain('#abnormal-usage-detected')
    expect(text).toContain('"completion_tokens":27')
    expect(text).toContain('Refused: quota-exceeded (company_month)')
  })

  it('the show is the same on Redis', async () => {
    const { ok, text } = await onRedis(manualTime())
    expect(text).not.toContain('✗')
    expect(ok).toBe(true)
  })

  // A starved machine may need longer for six requests than the limit needs to refill. A fault fails every attempt.
  const TIME = { timeout: 15_000, retry: 2 }
  for (const [where, play] of inRealTime
    ? ([
        ['in memory', () => shown(new InMemoryStore())],
        ['by the clock of Redis', () => onRedis()],
      ] as const)
    : [])
    it(`the show takes less than 15 seconds ${where}`, TIME, async () => {
      const { ok, text } = await play()
      expect(text).not.toContain('✗')
      expect(ok).toBe(true)
    })

  it('the show goes on while the store is away, because the process limits by itself', async () => {
    const store = fakeOutage(new InMemoryStore())
    store.begin('refused')
    const { text } = await shown(store)
    expect(text).toContain('"violated-policies":["company_month"]')
    const missed = text.split('\n').filter(line => line.includes('✗'))
    // Only a store keeps scores. The process limits by its own clock, so on a starved machine more is missed.
    expect(missed.map(line => line.replace(/^.*expected: /, ''))).toEqual(
      expect.arrayContaining(['the limit is 2', 'it is called abnormal usage']),
    )
  })

  it('the show reports an answer that is not as expected', async () => {
    const time = manualTime()
    const forgetful = new InMemoryStore({ clock: time.now })
    // Forgets everything at once.
    const { ok, text } = await shown(
      {
        evaluate: group => new InMemoryStore({ clock: time.now }).evaluate(group),
        forget: cells => forgetful.forget(cells),
        document: name => forgetful.document(name),
      },
      time,
    )
    expect(ok).toBe(false)
    expect(text).toContain('✗ expected: the status is 429')
  })
}
