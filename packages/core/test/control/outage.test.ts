// Operators act while the store is away.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { rejection } from '../world.ts'
import { beats, Server } from './server.ts'

let server: Server
beforeEach(() => void (server = new Server()))
afterEach(() => server.close())

/** The outcome of a promise that hangs for at most some milliseconds. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const settled = vi.fn<() => void>()
  void promise.then(settled, settled)
  await vi.advanceTimersByTimeAsync(ms)
  expect(settled).toHaveBeenCalled()
  return promise
}

describe('an act while the store is away', () => {
  for (const fails of ['refused', 'hanging'] as const)
    it(`holds in this process alone, says so, and is written when the store is back (${fails})`, async () => {
      const [a, b] = [server.process(), server.process()]
      await beats()
      server.fails = fails
      const entry = await within(1_100, a.control.block({ user: 'mallory' }, { by: 'ann' }))
      expect(entry).toMatchObject({ kind: 'block', target: 'user:mallory', by: 'ann', scope: 'process' })
      expect(a.control.inForce()).toMatchObject([{ target: 'user:mallory', scope: 'process' }])
      expect(a.codes()).toEqual(['HALT_W_CONTROL_LOCAL'])
      expect(await within(200, a.reasonOf('mallory'))).toBe('blocked')
      expect(b.blocked()).toEqual([])
      server.fails = undefined
      await beats(4)
      expect(server.blocked()).toEqual(['mallory'])
      expect(b.blocked()).toEqual(['mallory'])
      expect(await a.control.entries()).toEqual([
        { kind: 'block', target: 'user:mallory', at: entry.at, by: 'ann' },
      ])
      expect(await b.control.history()).toMatchObject([{ act: 'block', target: 'user:mallory', by: 'ann' }])
      expect(a.codes()).toEqual(['HALT_W_CONTROL_LOCAL'])
    })

  it('waits a quarter of a second for a store that is known to hang', async () => {
    const a = server.process()
    await beats()
    server.fails = 'hanging'
    await beats(3)
    expect(await within(300, a.control.block({ user: 'mallory' }))).toMatchObject({ scope: 'process' })
  })

  it('of every kind holds here, and can be taken back here', async () => {
    const a = server.process()
    await a.control.block({ user: 'before' })
    expect(a.control.isAhead).toBe(false)
    server.fails = 'refused'
    const entries = [
      await a.control.block({ user: 'b' }, { for: '1h' }),
      await a.control.allow({ user: 'a' }),
      await a.control.override({ user: 'o' }, 'p', { limit: 7 }),
      await a.control.change('p', { limit: 50 }),
    ]
    expect(entries.map(({ scope }) => scope)).toEqual(['process', 'process', 'process', 'process'])
    expect(await a.reasonOf('b')).toBe('blocked')
    expect(await a.reasonOf('a')).toBe('exempt')
    expect(await a.control.unblock({ user: 'before' })).toBe(true)
    expect(await a.control.unblock({ user: 'nobody' })).toBe(false)
    expect(await a.control.disallow({ user: 'a' })).toBe(true)
    expect(a.control.isAhead).toBe(true)
    server.fails = undefined
    await beats(2)
    expect(a.control.isAhead).toBe(false)
    expect((await server.process().control.entries()).map(({ kind }) => kind)).toEqual([
      'block',
      'override',
      'change',
    ])
    expect(a.codes()).toEqual(['HALT_W_CONTROL_LOCAL'])
  })

  it('is merged with what others did meanwhile, the later act of a client counts', async () => {
    const [a, b] = [server.process(), server.process()]
    await a.control.block({ user: 'both' })
    await beats()
    server.fails = 'refused'
    await a.control.block({ user: 'here' })
    await a.control.unblock({ user: 'both' })
    await vi.advanceTimersByTimeAsync(10)
    server.fails = undefined
    await b.control.block({ user: 'both' }, { by: 'bob' })
    await b.control.block({ user: 'there' })
    await beats(3)
    expect(server.blocked()).toEqual(['both', 'here', 'there'])
    expect(a.blocked().toSorted()).toEqual(server.blocked())
  })

  it('survives a store that comes back empty, with the document that it lost', async () => {
    const [a, b] = [server.process(), server.process()]
    await a.control.block({ user: 'mallory' })
    await beats()
    server.fails = 'hanging'
    await within(1_100, a.control.block({ user: 'eve' }))
    server.flush()
    server.fails = undefined
    await beats(5)
    expect(server.blocked()).toEqual(['eve', 'mallory'])
    for (const each of [a, b]) expect(each.blocked().toSorted()).toEqual(['eve', 'mallory'])
  })

  it('is carried out once if the store took it and its answer was lost', async () => {
    const a = server.process()
    await beats()
    server.losesAnswer = true
    expect(await a.control.block({ user: 'mallory' })).toMatchObject({ scope: 'process' })
    expect(server.blocked()).toEqual(['mallory'])
    await beats(3)
    expect(server.writes).toEqual(['control', 'control-history'])
    expect((await a.control.entries())[0]).not.toHaveProperty('scope')
    expect(await a.control.history()).toHaveLength(1)
  })

  it('rejects if the caller wants that, and then changes nothing', async () => {
    const a = server.process()
    await beats()
    server.fails = 'refused'
    const error = await rejection(a.control.block({ user: 'mallory' }, { onStoreError: 'reject' }))
    expect(error.code).toBe('HALT_E_STORE')
    expect(a.control.inForce()).toEqual([])
    server.fails = undefined
    await beats(2)
    expect(server.blocked()).toEqual([])
  })

  it('rejects in a process without a limiter, unless its caller wants the act to hold here', async () => {
    const script = server.process({ isScript: true })
    await beats()
    server.fails = 'refused'
    expect((await rejection(script.control.block({ user: 'x' }))).code).toBe('HALT_E_STORE')
    expect(await script.control.block({ user: 'x' }, { onStoreError: 'local' })).toMatchObject({
      scope: 'process',
    })
  })

  it('that takes back rejects in a process that has read no document', async () => {
    server.fails = 'refused'
    const a = server.process()
    await beats()
    await a.control.block({ user: 'y' })
    expect((await rejection(a.control.unblock({ user: 'x' }))).code).toBe('HALT_E_STORE')
  })

  it('with a mistake rejects with the code of the mistake', async () => {
    server.fails = 'refused'
    const a = server.process()
    expect((await rejection(a.control.block({} as never))).code).toBe('HALT_E_IDENTITY')
    const options = { onStoreError: 'reject' } as const
    expect((await rejection(a.control.change('p', {}, options))).code).toBe('HALT_E_CONTROL')
    expect((await rejection(a.control.change('p', {}, { onStoreError: 'x' } as never))).code).toBe(
      'HALT_E_CONTROL',
    )
    expect(a.control.inForce()).toEqual([])
  })
})

it('entries() rejects while the store is away, and inForce() tells what this process obeys', async () => {
  const a = server.process()
  await a.control.block({ user: 'mallory' })
  server.fails = 'refused'
  expect((await rejection(a.control.entries())).code).toBe('HALT_E_STORE')
  expect(a.control.inForce()).toMatchObject([{ target: 'user:mallory' }])
  expect(a.control.inForce()[0]).not.toHaveProperty('scope')
})

describe('close()', () => {
  it('during a write lets the act finish', async () => {
    const a = server.process()
    await beats()
    server.beforeWrite = async () => a.control.close()
    expect(await a.control.block({ user: 'mallory' })).toMatchObject({ target: 'user:mallory' })
    expect(server.blocked()).toEqual(['mallory'])
    expect(await a.control.history()).toHaveLength(1)
    const { length } = server.writes
    server.flush()
    await beats(5)
    expect(server.writes).toHaveLength(length)
    expect(await a.reasonOf('mallory')).toBe('blocked')
  })

  it('during a write that fails rejects the act, because nobody would write it later', async () => {
    const a = server.process()
    await beats()
    server.beforeWrite = async () => {
      a.control.close()
      server.fails = 'refused'
    }
    expect((await rejection(a.control.block({ user: 'mallory' }))).code).toBe('HALT_E_STORE')
    expect(a.blocked()).toEqual([])
  })

  it('during a write-back ends it', async () => {
    const a = server.process()
    await a.control.block({ user: 'mallory' })
    server.flush()
    server.beforeWrite = async () => a.control.close()
    await beats(5)
    expect(server.blocked()).toEqual(['mallory'])
    expect(vi.getTimerCount()).toBeLessThan(5)
  })
})
