import { randomUUID } from 'node:crypto'

import { fakeOutage } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import { expect, inject, it } from 'vitest'

import { Accounts } from '../accounts.ts'
import type { AppOptions, Listening, Start } from '../app.ts'
import { Operator } from '../operator.ts'
import { type Scene, show } from '../show.ts'
import { openStore, type StoreOptions } from '../store.ts'

// A starved machine may need longer for six requests than the limit needs to refill. A fault fails every attempt.
const TIME = { timeout: 15_000, retry: 2 }

/** The show of `npm run demo`. */
export function showing<L extends Listening>(
  start: Start<L>,
  more: readonly Scene<L>[],
  library: StoreOptions['library'],
): void {
  async function shown(store: AppOptions['store']): Promise<{ ok: boolean; text: string }> {
    const token = randomUUID()
    const operator = new Operator(token, store)
    const app = await start({ store, accounts: new Accounts(), operator }, 0)
    const lines: string[] = []
    const ok = await show(app, line => lines.push(line), { token, more })
    operator.close()
    await app.close()
    return { ok, text: lines.join('\n') }
  }

  it('the show turns 200 into 429 and back in less than 15 seconds', TIME, async () => {
    const { ok, text } = await shown(new InMemoryStore())
    expect(text).not.toContain('✗')
    expect(ok).toBe(true)
    expect(text).toContain('"violated-policies":["free_plan"]')
    expect(text).toContain('"violated-policies":["company_month"]')
    expect(text).toContain('#abnormal-usage-detected')
    expect(text).toContain('"completion_tokens":27')
    expect(text).toContain('Refused: quota-exceeded (company_month)')
  })

  it('the show is the same on Redis, by its own clock', TIME, async () => {
    const { store, close } = openStore({ url: inject('redisUrl'), prefix: `test:${randomUUID()}:`, library })
    const { ok, text } = await shown(store)
    await close()
    expect(text).not.toContain('✗')
    expect(ok).toBe(true)
  })

  it('the show goes on while the store is away, because the process limits by itself', TIME, async () => {
    const store = fakeOutage(new InMemoryStore())
    store.begin('refused')
    const { text } = await shown(store)
    expect(text).toContain('"violated-policies":["company_month"]')
    // Only a store keeps scores.
    const missed = text.split('\n').filter(line => line.includes('✗'))
    expect(missed.map(line => line.replace(/^.*expected: /, ''))).toEqual([
      'the limit is 2',
      'it is called abnormal usage',
    ])
  })

  it('the show reports an answer that is not as expected', TIME, async () => {
    const forgetful = new InMemoryStore()
    // Forgets everything at once.
    const { ok, text } = await shown({
      evaluate: group => new InMemoryStore().evaluate(group),
      forget: cells => forgetful.forget(cells),
      document: name => forgetful.document(name),
    })
    expect(ok).toBe(false)
    expect(text).toContain('✗ expected: the status is 429')
  })
}
