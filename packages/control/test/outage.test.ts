// Operators act while the store is away.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { rejection } from '../../core/test/world.ts'
import { beats, type Process, Server } from './server.ts'

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
    it(`an act during an outage holds in this process alone, says so, and is written after it (${fails})`, async () => {
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

  it('an act waits a quarter of a second for a store that is known to hang', async () => {
    const a = server.process()
    await beats()
    server.fails = 'hanging'
    await beats(3)
    expect(await within(300, a.control.block({ user: 'mallory' }))).toMatchObject({ scope: 'process' })
  })

  it('an act of every kind during an outage holds here, and can be taken back here', async () => {
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

  it('an act during an outage is merged with what others did meanwhile, and the later act of a client counts', async () => {
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

  it('an act during an outage survives a store that comes back empty, with the document that it lost', async () => {
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

  it('an act is carried out once if the store took it and its answer was lost', async () => {
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

  it('an act during an outage rejects if the caller wants that, and then changes nothing', async () => {
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

  it('an act during an outage rejects in a process without a limiter, unless its caller wants it to hold here', async () => {
    const script = server.process({ isScript: true })
    await beats()
    server.fails = 'refused'
    expect((await rejection(script.control.block({ user: 'x' }))).code).toBe('HALT_E_STORE')
    expect(await script.control.block({ user: 'x' }, { onStoreError: 'local' })).toMatchObject({
      scope: 'process',
    })
  })

  it('an act with a mistake rejects with the code of the mistake during an outage', async () => {
    server.fails = 'refused'
    const a = server.process()
    expect((await rejection(a.control.block({} as never))).code).toBe('HALT_E_IDENTITY')
    const options = { onStoreError: 'reject' } as const
    expect((await rejection(a.control.change('p', {}, options))).code).toBe('HALT_E_CONTROL')
    const mistaken = { onStoreError: 'x' } as never
    expect((await rejection(a.control.block({ user: 'x' }, mistaken))).code).toBe('HALT_E_CONTROL')
    expect(a.control.inForce()).toEqual([])
  })
})

describe('a process that starts while the store is away', () => {
  /** A process that has read no document, and whose acts hold in itself alone. */
  async function started(): Promise<Process> {
    server.fails = 'refused'
    const own = server.process()
    await beats()
    return own
  }

  /** Lets the store answer again, and waits until all processes have read what it has. */
  async function storeIsBack(): Promise<void> {
    server.fails = undefined
    await beats(4)
  }

  it('a process that starts in an outage acts in every way, and takes each act back before the store is back', async () => {
    const { control, reasonOf, limitOf, codes } = await started()
    expect(await control.block({ user: 'b' })).toMatchObject({ scope: 'process' })
    expect(await control.allow({ user: 'a' })).toMatchObject({ scope: 'process' })
    expect(await control.override({ user: 'o' }, 'p', { limit: 7 })).toMatchObject({ scope: 'process' })
    expect(await control.change('p', { limit: 50 })).toMatchObject({ scope: 'process' })
    expect([await reasonOf('b'), await reasonOf('a')]).toEqual(['blocked', 'exempt'])
    expect([await limitOf('o'), await limitOf('x')]).toEqual([7, 50])
    const takeBack = async (): Promise<boolean[]> => [
      await control.unblock({ user: 'b' }),
      await control.disallow({ user: 'a' }),
      await control.revert('p', { identity: { user: 'o' } }),
      await control.revert('p'),
    ]
    expect(await takeBack()).toEqual([true, true, true, true])
    expect([await reasonOf('b'), await reasonOf('a')]).toEqual(['ok', 'ok'])
    expect([await limitOf('o'), await limitOf('x')]).toEqual([100, 100])
    expect(control.isAhead).toBe(true)
    expect(control.inForce()).toEqual([])
    expect(await takeBack()).toEqual([false, false, false, false])
    await storeIsBack()
    expect(control.isAhead).toBe(false)
    expect(await control.entries()).toEqual([])
    expect((await control.history()).map(({ act }) => act).toReversed()).toEqual([
      'block',
      'allow',
      'override',
      'change',
      'unblock',
      'disallow',
      'revert',
      'revert',
    ])
    expect(codes()).toEqual(['HALT_W_CONTROL_LOCAL'])
  })

  it('a process that started in an outage gives the store its acts, and takes them back in every process', async () => {
    const other = server.process()
    const { control } = await started()
    await control.block({ user: 'b' })
    await control.allow({ user: 'a' })
    await control.override({ user: 'o' }, 'p', { limit: 7 })
    await control.change('p', { limit: 50 })
    await storeIsBack()
    expect(control.isAhead).toBe(false)
    expect(control.inForce().every(({ scope }) => scope === undefined)).toBe(true)
    expect([await other.reasonOf('b'), await other.reasonOf('a')]).toEqual(['blocked', 'exempt'])
    expect([await other.limitOf('o'), await other.limitOf('x')]).toEqual([7, 50])
    expect(await control.unblock({ user: 'b' })).toBe(true)
    expect(await control.disallow({ user: 'a' })).toBe(true)
    expect(await control.revert('p', { identity: { user: 'o' } })).toBe(true)
    expect(await control.revert('p')).toBe(true)
    await beats()
    expect([await other.reasonOf('b'), await other.reasonOf('a')]).toEqual(['ok', 'ok'])
    expect([await other.limitOf('o'), await other.limitOf('x')]).toEqual([100, 100])
  })

  for (const isEmpty of [false, true])
    it(`a process ends entries that it has never read, also if the store comes back ${isEmpty ? 'empty' : 'with them'}`, async () => {
      const other = server.process()
      await other.control.block({ user: 'b' })
      await other.control.block({ user: 'stays' })
      await other.control.allow({ user: 'a' })
      await other.control.override({ user: 'o' }, 'p', { limit: 7 })
      await other.control.change('p', { limit: 50 })
      await beats()
      const { control } = await started()
      expect(await control.unblock({ user: 'b' }, { by: 'ann' })).toBe(true)
      expect(await control.disallow({ user: 'a' })).toBe(true)
      expect(await control.revert('p', { identity: { user: 'o' } })).toBe(true)
      expect(await control.revert('p')).toBe(true)
      expect(await control.unblock({ user: 'b' })).toBe(false)
      expect(await other.reasonOf('b')).toBe('blocked')
      if (isEmpty) server.flush()
      await storeIsBack()
      expect(server.blocked()).toEqual(['stays'])
      for (const each of [control, other.control])
        expect(each.inForce()).toMatchObject([{ kind: 'block', target: 'user:stays' }])
      expect([await other.reasonOf('b'), await other.reasonOf('stays')]).toEqual(['ok', 'blocked'])
    })

  it('a process leaves an entry alone that somebody made after it was taken back here', async () => {
    const other = server.process()
    await beats()
    const { control } = await started()
    await control.unblock({ user: 'b' })
    await vi.advanceTimersByTimeAsync(10)
    server.fails = undefined
    await other.control.block({ user: 'b' })
    await beats(4)
    expect(server.blocked()).toEqual(['b'])
    expect(control.inForce()).toMatchObject([{ target: 'user:b' }])
  })

  it('a process acts within a second on a store that hangs, and within a quarter of one after that', async () => {
    const other = server.process()
    await other.control.block({ user: 'b' })
    server.fails = 'hanging'
    const { control, reasonOf } = server.process()
    expect(await within(1_100, control.block({ user: 'c' }))).toMatchObject({ scope: 'process' })
    expect(await within(300, control.unblock({ user: 'b' }))).toBe(true)
    expect(await within(300, control.unblock({ user: 'c' }))).toBe(true)
    expect(await within(200, reasonOf('c'))).toBe('ok')
    await storeIsBack()
    expect(server.blocked()).toEqual([])
    expect(await other.reasonOf('b')).toBe('ok')
  })

  it('a process writes no entries where there was nothing to take back', async () => {
    const { control } = await started()
    expect(await control.unblock({ user: 'nobody' })).toBe(true)
    await storeIsBack()
    expect(server.writes).toEqual(['control-history'])
    expect(control.isAhead).toBe(false)
  })

  it('a process that starts in an outage rejects the acts whose callers want that', async () => {
    const { control } = await started()
    const options = { onStoreError: 'reject' } as const
    expect((await rejection(control.unblock({ user: 'b' }, options))).code).toBe('HALT_E_STORE')
    expect((await rejection(control.revert('p', options))).code).toBe('HALT_E_STORE')
    expect(control.isAhead).toBe(false)
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
  it('close() during a write lets the act finish', async () => {
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

  it('close() during a write that fails rejects the act, because nobody would write it later', async () => {
    const a = server.process()
    await beats()
    server.beforeWrite = async () => {
      a.control.close()
      server.fails = 'refused'
    }
    expect((await rejection(a.control.block({ user: 'mallory' }))).code).toBe('HALT_E_STORE')
    expect(a.blocked()).toEqual([])
  })

  it('close() during a write-back ends it', async () => {
    const a = server.process()
    await a.control.block({ user: 'mallory' })
    server.flush()
    server.beforeWrite = async () => a.control.close()
    await beats(5)
    expect(server.blocked()).toEqual(['mallory'])
    expect(vi.getTimerCount()).toBeLessThan(5)
  })
})
