import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { CommandSender } from '../../src/connection/command-sender.ts'
import { OwnConnection } from '../../src/connection/own-connection.ts'
import type { LostListener, Transport } from '../../src/connection/transport.ts'
import { failure, script } from './scene.ts'

/** A transport whose attempts to open end when the test says so. */
class FakeTransport implements Transport {
  ready = false
  lost: LostListener = () => {}
  /** The start of each attempt, milliseconds. */
  readonly attempts: number[] = []
  readonly calls: string[] = []
  #settle: { resolve: () => void; reject: (error: Error) => void }[] = []
  evalsha: CommandSender['evalsha'] = async () => 'done'
  readonly sender: CommandSender = {
    evalsha: (...args) => this.evalsha(...args),
    eval: async () => 'done',
    command: async () => 'done',
  }

  open(): Promise<void> {
    this.attempts.push(performance.now())
    return new Promise((resolve, reject) => this.#settle.push({ resolve, reject }))
  }

  /** Ends an attempt, by default the last one. */
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

  leaveDemoted(): void {
    this.calls.push('leaveDemoted')
    this.ready = false
  }

  endUnresponsive(silent: boolean): void {
    this.calls.push(silent ? 'endUnresponsive silent' : 'endUnresponsive')
  }

  disconnect(): void {
    this.calls.push('disconnect')
    this.ready = false
  }
}

function start(topology: 'single' | 'cluster' = 'single'): {
  connection: OwnConnection
  transport: FakeTransport
  released: () => number
  reconnected: () => number
} {
  const transport = new FakeTransport()
  let released = 0
  let reconnected = 0
  const connection = new OwnConnection(
    topology,
    lost => {
      transport.lost = lost
      return transport
    },
    () => reconnected++,
    () => released++,
  )
  return { connection, transport, released: () => released, reconnected: () => reconnected }
}

const text = script('return 1')

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('OwnConnection', () => {
  it('an own connection tries to open for ever, at most half a second apart', async () => {
    const { connection, transport } = start()
    for (let i = 0; i < 100; i++) {
      await transport.fails()
      await vi.advanceTimersByTimeAsync(500)
    }
    expect(transport.attempts.length).toBe(101)
    await transport.opens()
    expect(await connection.run(text, [], [])).toBe('done')
  })

  it('an own connection tries soon after one that lasted, and later after others', async () => {
    const { transport } = start()
    await transport.opens()
    await vi.advanceTimersByTimeAsync(1_500)
    transport.ready = false
    transport.lost(new Error('read ECONNRESET'))
    await vi.advanceTimersByTimeAsync(50)
    expect(transport.attempts.length).toBe(2)
    // After a connection that was lost at once the delays grow.
    for (let i = 0; i < 6; i++) {
      await transport.opens()
      transport.lost(new Error('read ECONNRESET'))
      await vi.advanceTimersByTimeAsync(500)
    }
    await transport.opens()
    const before = transport.attempts.length
    transport.lost(new Error('read ECONNRESET'))
    await vi.advanceTimersByTimeAsync(240)
    expect(transport.attempts.length).toBe(before)
  })

  it('an own connection reports that it was opened again, but not the first opening', async () => {
    const { transport, reconnected } = start()
    await transport.fails()
    await vi.advanceTimersByTimeAsync(100)
    await transport.opens()
    expect(reconnected()).toBe(0)
    transport.ready = false
    transport.lost(new Error('read ECONNRESET'))
    await vi.advanceTimersByTimeAsync(500)
    expect(reconnected()).toBe(0)
    await transport.opens()
    expect(reconnected()).toBe(1)
  })

  it('an own connection gives up an attempt that hangs', async () => {
    const { connection, transport } = start()
    await vi.advanceTimersByTimeAsync(2_100)
    expect(transport.calls).toEqual(['abandon'])
    expect(transport.attempts.length).toBe(2)
    await transport.opens()
    // The result of the first attempt changes nothing.
    await transport.fails('late', 0)
    await vi.advanceTimersByTimeAsync(5_000)
    expect(transport.attempts.length).toBe(2)
    expect(connection.ready).toBe(true)
  })

  it('an own connection rejects each call at once with the reason why it is not open', async () => {
    const { connection, transport } = start()
    expect(await failure(connection.run(text, [], []))).toMatchObject({
      failure: 'unavailable',
      message: /not open yet/,
    })
    let opened = false
    void connection.opened.then(() => {
      opened = true
    })
    await transport.fails('WRONGPASS no')
    expect(opened).toBe(true)
    expect(await failure(connection.run(text, [], []))).toMatchObject({
      failure: 'misconfigured',
      reply: 'WRONGPASS',
    })
    expect(await failure(connection.command(['PING']))).toMatchObject({ failure: 'misconfigured' })
  })

  it('an own connection opens again to find the master when it meets a replica', async () => {
    const { connection, transport } = start()
    await transport.opens()
    transport.evalsha = () => Promise.reject(new Error('READONLY no'))
    const calls = [1, 2, 3].map(() => failure(connection.run(text, [], [])))
    for (const error of await Promise.all(calls))
      expect(error).toMatchObject({ code: 'HALT_E_STORE_READONLY' })
    expect(transport.calls).toEqual(['leaveDemoted'])
    await vi.advanceTimersByTimeAsync(500)
    expect(transport.attempts.length).toBe(2)
  })

  it.each([
    ['single' as const, 2_000],
    ['cluster' as const, 1_000],
  ])('an own connection ends without replies: %s', async (topology, patience) => {
    const { connection, transport } = start(topology)
    await transport.opens()
    let answer = (): void => {}
    transport.evalsha = () => new Promise(resolve => (answer = () => resolve('late')))
    const call = connection.run(text, [], [])
    await vi.advanceTimersByTimeAsync(patience - 250)
    expect(transport.calls).toEqual([])
    await vi.advanceTimersByTimeAsync(500)
    expect(transport.calls).toContain('endUnresponsive silent')
    answer()
    expect(await call).toBe('late')
    transport.calls.length = 0
    await vi.advanceTimersByTimeAsync(5_000)
    expect(transport.calls).toEqual([])
  })

  it('an own connection with one slow call stays while other calls have replies', async () => {
    const { connection, transport } = start()
    await transport.opens()
    transport.evalsha = () => new Promise(() => {})
    connection.run(text, [], []).catch(() => {})
    transport.evalsha = async () => 'done'
    for (let i = 0; i < 50; i++) {
      await connection.run(text, [], [])
      await vi.advanceTimersByTimeAsync(100)
    }
    expect(transport.calls).not.toContain('endUnresponsive silent')
  })

  it('an own connection stays closed if it is closed while it opens', async () => {
    const { connection, transport, released } = start()
    await connection.close()
    await connection.opened
    expect(released()).toBe(1)
    expect(transport.calls).toEqual(['disconnect'])
    await transport.fails()
    connection.end()
    connection.revive()
    transport.lost(new Error('x'))
    await vi.advanceTimersByTimeAsync(5_000)
    expect(transport.attempts.length).toBe(1)
  })

  it('an own connection ends with the client and opens again with it, one attempt at a time', async () => {
    const { connection, transport } = start()
    connection.end()
    connection.end()
    connection.revive()
    connection.revive()
    expect(transport.attempts.length).toBe(2)
    // The attempt from before the end fails only now.
    await transport.fails('late', 0)
    await transport.fails()
    await vi.advanceTimersByTimeAsync(60)
    expect(transport.attempts.length).toBe(3)
    await transport.opens()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(transport.attempts.length).toBe(3)
    connection.end()
    expect(await failure(connection.run(text, [], []))).toMatchObject({
      message: 'The Redis client was closed',
    })
  })
})
