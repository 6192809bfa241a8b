// Acts of processes whose clocks are wrong. Entries begin and end by the clock of the store.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { RateLimiter } from '@halt/core'
import { Control } from '../src/index.ts'
import type { Store } from '@halt/core/store'
import { ManualClock, ReferenceStore } from '@halt/core/testing'
import { by, rejection, START } from '../../core/test/world.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const open: { close(): unknown }[] = []
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: START }))
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
  vi.useRealTimers()
})

/** A server that many processes share, on a clock of its own. */
class Server {
  readonly clock = new ManualClock(START)
  readonly store = new ReferenceStore(this.clock.now)
  calls = 0
  isBroken = false

  /** The store of one process. It has no `clock()`, as that of Redis and PostgreSQL. */
  connect(): Store {
    return {
      isShared: true,
      evaluate: async group => {
        this.calls++
        if (this.isBroken) throw new Error('no script')
        return this.store.evaluate(group)
      },
      forget: async counters => this.store.forget(counters),
      document: name => this.store.document(name),
    }
  }

  /** A process whose clock is some milliseconds off. */
  process(off: number, store: Store = this.connect()) {
    const wake = (): void => void vi.setSystemTime(this.clock.now() + off)
    wake()
    const control = new Control({ store, warn: () => {} })
    const policy = { name: 'p', limit: 100, window: 60, keyStrategy: 'user' } as const
    const limiter = new RateLimiter({ store, control, policy, warn: () => {} })
    open.push(control, limiter)
    return {
      /** Acts in this process. */
      act: <T>(call: (control: Control) => Promise<T>): Promise<T> => {
        wake()
        return call(control)
      },
      reasonOf: async (id: string) => {
        wake()
        await control.refresh()
        return (await limiter.check(by(id))).reason
      },
    }
  }
}

for (const [whose, off] of [
  ['ahead', 3 * HOUR],
  ['behind', -3 * HOUR],
  ['a year ahead', 365 * DAY],
  ['a year behind', -365 * DAY],
] as const)
  describe(`an operator whose clock is ${whose}`, () => {
    it('a block holds for as long as its operator says, whatever the operator’s clock', async () => {
      const server = new Server()
      const operator = server.process(off)
      await operator.act(control => control.block({ user: 'mallory' }, { for: '2h' }))
      expect(await operator.act(control => control.entries())).toMatchObject([
        { at: START, until: START + 2 * HOUR },
      ])
      const app = server.process(0)
      expect(await app.reasonOf('mallory')).toBe('blocked')
      server.clock.advance('119m')
      expect(await app.reasonOf('mallory')).toBe('blocked')
      server.clock.advance('61s')
      expect(await app.reasonOf('mallory')).toBe('ok')
    })

    it('an operator whose clock is wrong deletes no entry of others that holds', async () => {
      const server = new Server()
      await server.process(0).act(control => control.block({ user: 'mallory' }, { for: '2h', by: 'ann' }))
      const operator = server.process(off)
      await operator.act(control => control.block({ user: 'other' }, { for: '2h' }))
      const entries = await operator.act(control => control.entries())
      expect(entries.map(({ target }) => target)).toEqual(['user:mallory', 'user:other'])
      expect(await server.process(0).reasonOf('mallory')).toBe('blocked')
    })

    it('the dates of an operator whose clock is wrong are those of the store', async () => {
      const server = new Server()
      const operator = server.process(off)
      const until = (user: string, ms: number): Promise<unknown> =>
        operator.act(control => control.block({ user }, { until: new Date(START + ms) }))
      await until('mallory', HOUR)
      expect(await server.process(0).reasonOf('mallory')).toBe('blocked')
      server.clock.advance(1)
      expect((await rejection(until('other', -HOUR))).code).toBe('HALT_E_CONTROL')
    })

    it('an operator whose clock is wrong takes back the entries that hold, and nothing else', async () => {
      const server = new Server()
      await server.process(0).act(control => control.block({ user: 'mallory' }, { for: '1h' }))
      const operator = server.process(off)
      server.clock.advance('59m')
      expect(await operator.act(control => control.unblock({ user: 'mallory' }))).toBe(true)
      await operator.act(control => control.override({ user: '42' }, 'p', { limit: 5 }, { for: '1m' }))
      server.clock.advance('2m')
      expect(await operator.act(control => control.entries())).toEqual([])
      expect(await operator.act(control => control.revert('p', { identity: { user: '42' } }))).toBe(false)
      expect((await operator.act(control => control.history())).map(({ act, at }) => [act, at])).toEqual([
        ['override', START + 59 * 60_000],
        ['unblock', START + 59 * 60_000],
        ['block', START],
      ])
    })
  })

it('a process with a wrong clock holds an entry from its first request on', async () => {
  const server = new Server()
  const ann = server.process(0)
  await ann.act(control => control.block({ user: 'mallory' }, { for: '2h' }))
  await ann.act(control => control.change('p', { limit: 7 }, { for: '2h' }))
  expect(await server.process(3 * HOUR).reasonOf('mallory')).toBe('blocked')
  expect(await server.process(3 * HOUR).act(control => control.entries())).toHaveLength(2)
})

it('readings ask the store for the time before the first entries, and a store with a clock never', async () => {
  const server = new Server()
  const first = server.process(0)
  await first.act(control => control.refresh())
  expect(server.calls).toBe(0)
  await first.act(control => control.block({ user: 'mallory' }, { for: '2h' }))
  const second = server.process(0)
  await second.act(control => control.refresh())
  const before = server.calls
  for (let i = 0; i < 5; i++) await second.act(control => control.refresh())
  await second.act(control => control.entries())
  expect(server.calls).toBe(before)
  const evaluate = vi.spyOn(server.store, 'evaluate')
  const local = server.process(HOUR, server.store)
  await local.act(control => control.refresh())
  await local.act(control => control.block({ user: 'other' }, { for: '1h' }))
  expect(evaluate).not.toHaveBeenCalled()
})

it('a reading that waited for the time of the store tells what others did meanwhile', async () => {
  const server = new Server()
  const other = server.process(0)
  await other.act(control => control.block({ user: 'first' }))
  const store = server.connect()
  const late: (() => void)[] = []
  let asked: () => void
  const isAsked = new Promise<void>(resolve => (asked = resolve))
  const slow = server.process(0, {
    ...store,
    evaluate: async group => {
      // The first reading of a process, and that of the test.
      if (late.length < 2) await new Promise<void>(resolve => late.push(resolve) === 2 && asked())
      return store.evaluate(group)
    },
  })
  const reading = slow.act(control => control.entries())
  await isAsked
  await slow.act(control => control.block({ user: 'second' }))
  await other.act(control => control.block({ user: 'third' }))
  for (const answer of late) answer()
  expect((await reading).map(({ target }) => target)).toEqual(['user:first', 'user:second', 'user:third'])
})

it('the system clock counts where the store does not tell its time, and no entry that holds is lost', async () => {
  const server = new Server()
  await server.process(0).act(control => control.block({ user: 'mallory' }, { for: '2h' }))
  server.isBroken = true
  await server.process(3 * HOUR).act(control => control.block({ user: 'other' }, { for: '2h' }))
  server.isBroken = false
  expect(await server.process(0).reasonOf('mallory')).toBe('blocked')
})

describe('an entry that has ended', () => {
  it('an entry that has ended stays in the document for a day, unseen, and goes with the next act after it', async () => {
    const server = new Server()
    const { act } = server.process(0)
    const textOf = async (): Promise<string> => (await server.store.document('control').read())?.text ?? ''
    await act(control => control.block({ user: 'mallory' }, { for: '1h' }))
    server.clock.advance('24h')
    await act(control => control.block({ user: 'second' }))
    expect(await textOf()).toContain('mallory')
    expect(await act(control => control.entries())).toHaveLength(1)
    expect(await act(control => control.unblock({ user: 'mallory' }))).toBe(false)
    server.clock.advance('61m')
    await act(control => control.block({ user: 'third' }))
    expect(await textOf()).not.toContain('mallory')
  })

  it('an entry that has ended makes room as soon as the document is full', async () => {
    const server = new Server()
    const { act } = server.process(0)
    const entries = Array.from({ length: 10_000 }, (_, i) => ({
      kind: 'block',
      target: `user:${i}`,
      at: START,
      until: START + (i + 1) * 1000,
    }))
    await server.store.document('control').write(JSON.stringify({ halt: 1, entries }), '0')
    const block = (): Promise<unknown> => act(control => control.block({ user: 'more' }))
    expect((await rejection(block())).code).toBe('HALT_E_CONTROL_FULL')
    server.clock.advance('5s')
    await block()
    expect(await act(control => control.entries())).toHaveLength(9_996)
  })
})
