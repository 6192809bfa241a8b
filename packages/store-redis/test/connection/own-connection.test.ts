import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { Caller } from '../../src/connection/caller.ts'
import { OwnConnection } from '../../src/connection/own-connection.ts'
import type { Lost, Wire } from '../../src/connection/wire.ts'
import { failure, script } from './scene.ts'

/** A wire whose attempts to open end as the test says. */
class FakeWire implements Wire {
  ready = false
  lost: Lost = () => {}
  /** When each attempt began, milliseconds. */
  readonly attempts: number[] = []
  readonly calls: string[] = []
  #settle: { resolve: () => void; reject: (error: Error) => void }[] = []
  evalsha: Caller['evalsha'] = async () => 'done'
  readonly caller: Caller = {
    evalsha: (...args) => this.evalsha(...args),
    eval: async () => 'done',
    command: async () => 'done',
  }

  open(): Promise<void> {
    this.attempts.push(performance.now())
    return new Promise((resolve, reject) => this.#settle.push({ resolve, reject }))
  }

  /** Ends an attempt; the last one, unless told. */
  async opens(attempt: number = this.#settle.length - 1): Promise<void> {
    this.ready = true
    this.#settle[attempt]?.resolve()
    await vi.advanceTimersByTimeAsync(0)
  }

  async fails(message = 'connect ECONNREFUSED', attempt: number = this.#settle.length - 1): Promise<void> {
    this.#settle[attempt]?.reject(new Error(message))
    await vi.advanceTimersByTimeAsync(0)
  }

  abandon(): void {
    this.calls.push('abandon')
  }

  renew(): void {
    this.calls.push('renew')
    this.ready = false
  }

  cull(silent: boolean): void {
    this.calls.push(silent ? 'cull silent' : 'cull')
  }

  drop(): void {
    this.calls.push('drop')
    this.ready = false
  }
}

function start(topology: 'single' | 'cluster' = 'single'): {
  connection: OwnConnection
  wire: FakeWire
  released: () => number
  reconnected: () => number
} {
  const wire = new FakeWire()
  let released = 0
  let reconnected = 0
  const connection = new OwnConnection(
    topology,
    lost => {
      wire.lost = lost
      return wire
    },
    () => reconnected++,
    () => released++,
  )
  return { connection, wire, released: () => released, reconnected: () => reconnected }
}

const text = script('return 1')

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('OwnLink', () => {
  it('tries for ever, half a second apart at most', async () => {
    const { connection, wire } = start()
    for (let i = 0; i < 100; i++) {
      await wire.fails()
      await vi.advanceTimersByTimeAsync(500)
    }
    expect(wire.attempts.length).toBe(101)
    await wire.opens()
    expect(await connection.run(text, [], [])).toBe('done')
  })

  it('tries soon at first, and again after a connection that lasted', async () => {
    const { wire } = start()
    await wire.opens()
    await vi.advanceTimersByTimeAsync(1_500)
    wire.ready = false
    wire.lost(new Error('read ECONNRESET'))
    await vi.advanceTimersByTimeAsync(50)
    expect(wire.attempts.length).toBe(2)
    // One that is lost at once is no reason to hurry.
    for (let i = 0; i < 6; i++) {
      await wire.opens()
      wire.lost(new Error('read ECONNRESET'))
      await vi.advanceTimersByTimeAsync(500)
    }
    await wire.opens()
    const before = wire.attempts.length
    wire.lost(new Error('read ECONNRESET'))
    await vi.advanceTimersByTimeAsync(240)
    expect(wire.attempts.length).toBe(before)
  })

  it('tells when it was opened anew, not of the first time', async () => {
    const { wire, reconnected } = start()
    await wire.fails()
    await vi.advanceTimersByTimeAsync(100)
    await wire.opens()
    expect(reconnected()).toBe(0)
    wire.ready = false
    wire.lost(new Error('read ECONNRESET'))
    await vi.advanceTimersByTimeAsync(500)
    expect(reconnected()).toBe(0)
    await wire.opens()
    expect(reconnected()).toBe(1)
  })

  it('gives an attempt up that hangs', async () => {
    const { connection, wire } = start()
    await vi.advanceTimersByTimeAsync(2_100)
    expect(wire.calls).toEqual(['abandon'])
    expect(wire.attempts.length).toBe(2)
    await wire.opens()
    // What became of the first one changes nothing.
    await wire.fails('late', 0)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(wire.attempts.length).toBe(2)
    expect(connection.ready).toBe(true)
  })

  it('says why it is not open, to each call at once', async () => {
    const { connection, wire } = start()
    expect(await failure(connection.run(text, [], []))).toMatchObject({
      failure: 'unavailable',
      message: /not open yet/,
    })
    let opened = false
    void connection.opened.then(() => {
      opened = true
    })
    await wire.fails('WRONGPASS no')
    expect(opened).toBe(true)
    expect(await failure(connection.run(text, [], []))).toMatchObject({
      failure: 'misconfigured',
      reply: 'WRONGPASS',
    })
    expect(await failure(connection.command(['PING']))).toMatchObject({ failure: 'misconfigured' })
  })

  it('looks for the master when it meets a replica', async () => {
    const { connection, wire } = start()
    await wire.opens()
    wire.evalsha = () => Promise.reject(new Error('READONLY no'))
    const calls = [1, 2, 3].map(() => failure(connection.run(text, [], [])))
    for (const error of await Promise.all(calls))
      expect(error).toMatchObject({ code: 'HALT_E_STORE_READONLY' })
    expect(wire.calls).toEqual(['renew'])
    await vi.advanceTimersByTimeAsync(500)
    expect(wire.attempts.length).toBe(2)
  })

  it.each([
    ['single' as const, 2_000],
    ['cluster' as const, 1_000],
  ])('has what is not answered ended: %s', async (topology, patience) => {
    const { connection, wire } = start(topology)
    await wire.opens()
    let answer = (): void => {}
    wire.evalsha = () => new Promise(resolve => (answer = () => resolve('late')))
    const call = connection.run(text, [], [])
    await vi.advanceTimersByTimeAsync(patience - 250)
    expect(wire.calls).toEqual([])
    await vi.advanceTimersByTimeAsync(500)
    expect(wire.calls).toContain('cull silent')
    answer()
    expect(await call).toBe('late')
    wire.calls.length = 0
    await vi.advanceTimersByTimeAsync(5_000)
    expect(wire.calls).toEqual([])
  })

  it('has nothing ended for being slow while others are answered', async () => {
    const { connection, wire } = start()
    await wire.opens()
    wire.evalsha = () => new Promise(() => {})
    connection.run(text, [], []).catch(() => {})
    wire.evalsha = async () => 'done'
    for (let i = 0; i < 50; i++) {
      await connection.run(text, [], [])
      await vi.advanceTimersByTimeAsync(100)
    }
    expect(wire.calls).not.toContain('cull silent')
  })

  it('ends while it opens, for good', async () => {
    const { connection, wire, released } = start()
    await connection.close()
    await connection.opened
    expect(released()).toBe(1)
    expect(wire.calls).toEqual(['drop'])
    await wire.fails()
    connection.end()
    connection.revive()
    wire.lost(new Error('x'))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(wire.attempts.length).toBe(1)
  })

  it('ends with the client and lives again with it, in one life at a time', async () => {
    const { connection, wire } = start()
    connection.end()
    connection.end()
    connection.revive()
    connection.revive()
    expect(wire.attempts.length).toBe(2)
    // The attempt of the first life fails only now.
    await wire.fails('late', 0)
    await wire.fails()
    await vi.advanceTimersByTimeAsync(60)
    expect(wire.attempts.length).toBe(3)
    await wire.opens()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(wire.attempts.length).toBe(3)
    connection.end()
    expect(await failure(connection.run(text, [], []))).toMatchObject({
      message: 'The Redis client was closed',
    })
  })
})
