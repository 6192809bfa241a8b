// The store loses the control document, or a part of it.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { beats, Server } from './server.ts'

let server: Server
beforeEach(() => void (server = new Server()))
afterEach(() => server.close())

/** Two processes that have read a block of mallory. */
async function twoProcesses() {
  const [a, b] = [server.process(), server.process()]
  await a.control.block({ user: 'mallory' }, { by: 'ann' })
  await beats()
  expect(b.blocked()).toEqual(['mallory'])
  return [a, b] as const
}

describe('processes whose store comes back empty', () => {
  it('processes whose store comes back empty obey the last document, warn once each, and write it back', async () => {
    const [a, b] = await twoProcesses()
    server.flush()
    await beats(5)
    for (const each of [a, b]) expect(await each.reasonOf('mallory')).toBe('blocked')
    expect(server.blocked()).toEqual(['mallory'])
    for (const each of [a, b]) expect(each.codes()).toEqual(['HALT_W_CONTROL_LOST'])
    expect((await server.process().control.entries())[0]).toMatchObject({ target: 'user:mallory', by: 'ann' })
  })

  it('a process warns again of the next loss', async () => {
    const a = server.process()
    await a.control.block({ user: 'mallory' })
    for (let i = 0; i < 2; i++) {
      server.flush()
      await beats(3)
    }
    expect(a.codes()).toEqual(['HALT_W_CONTROL_LOST', 'HALT_W_CONTROL_LOST'])
    expect(server.blocked()).toEqual(['mallory'])
  })

  it('processes that write a lost document back at once lose no act that is made meanwhile', async () => {
    const all = Array.from({ length: 6 }, () => server.process())
    for (const [i, { control }] of all.entries()) await control.block({ user: `u${i}` })
    await beats()
    server.flush()
    const script = server.process({ isScript: true })
    server.beforeWrite = () => script.control.block({ user: 'new' })
    await beats(3)
    expect(server.blocked()).toEqual(['new', 'u0', 'u1', 'u2', 'u3', 'u4', 'u5'])
    for (const each of all) expect(each.blocked().toSorted()).toEqual(server.blocked())
  })

  it('a process does not write back an entry that has ended meanwhile', async () => {
    const a = server.process()
    await a.control.block({ user: 'short' }, { for: '10s' })
    await a.control.block({ user: 'long' })
    await beats()
    server.fails = 'refused'
    server.flush()
    await beats(11)
    server.fails = undefined
    await beats(2)
    expect(server.blocked()).toEqual(['long'])
  })

  it('a write-back does not bring back what an operator takes back meanwhile', async () => {
    const [a, b] = await twoProcesses()
    server.flush()
    // B writes the lost document back, and the operator unblocks in A before that.
    server.beforeWrite = async () => expect(await a.control.unblock({ user: 'mallory' })).toBe(true)
    await beats(3)
    expect(server.blocked()).toEqual([])
    for (const each of [a, b]) expect(await each.reasonOf('mallory')).toBe('ok')
  })

  it('processes obey the newer of two documents that they remember', async () => {
    const [a, b] = await twoProcesses()
    // A stops before the operator acts again.
    a.control.close()
    await b.control.unblock({ user: 'mallory' })
    await b.control.block({ user: 'eve' })
    server.flush()
    // A writes what it remembers back.
    await a.control.block({ user: 'other' })
    expect(server.blocked()).toEqual(['mallory', 'other'])
    await beats(3)
    expect(server.blocked()).toEqual(['eve', 'other'])
    expect(await b.reasonOf('mallory')).toBe('ok')
  })

  it('processes see an act in a document that has as many versions as the lost one', async () => {
    const [a, b] = await twoProcesses()
    server.flush()
    const script = server.process({ isScript: true })
    await script.control.block({ user: 'eve' })
    await beats(2)
    for (const each of [a, b]) {
      expect(await each.reasonOf('eve')).toBe('blocked')
      expect(await each.reasonOf('mallory')).toBe('blocked')
    }
    expect(server.blocked()).toEqual(['eve', 'mallory'])
  })

  it('processes merge a document that has more versions than the lost one', async () => {
    const [, b] = await twoProcesses()
    server.flush()
    const script = server.process({ isScript: true })
    for (let i = 0; i < 3; i++) await script.control.block({ user: `new${i}` })
    await beats(2)
    expect(server.blocked()).toEqual(['mallory', 'new0', 'new1', 'new2'])
    expect(b.codes()).toEqual(['HALT_W_CONTROL_LOST'])
  })
})

describe('a failover to an older copy', () => {
  it('a failover to an older copy loses no act that a process has read', async () => {
    const [, b] = await twoProcesses()
    const copy = server.documents
    await b.control.block({ user: 'eve' })
    await b.control.unblock({ user: 'mallory' })
    server.documents = copy
    await beats(3)
    expect(server.blocked()).toEqual(['eve'])
    expect(b.codes()).toEqual(['HALT_W_CONTROL_LOST'])
  })

  it('a failover to an older copy is noticed even if the copy has been written since', async () => {
    const [a, b] = await twoProcesses()
    const copy = server.documents
    await b.control.block({ user: 'eve' })
    await beats()
    server.documents = copy
    const script = server.process({ isScript: true })
    for (let i = 0; i < 4; i++) await script.control.block({ user: `new${i}` })
    await beats(3)
    expect(server.blocked()).toEqual(['eve', 'mallory', 'new0', 'new1', 'new2', 'new3'])
    expect(await a.reasonOf('eve')).toBe('blocked')
  })
})

describe('an operator who takes everything back', () => {
  it('an operator who takes everything back one by one is not undone', async () => {
    const [a, b] = await twoProcesses()
    await a.control.unblock({ user: 'mallory' })
    await beats(3)
    expect(server.blocked()).toEqual([])
    expect(await b.reasonOf('mallory')).toBe('ok')
    expect([...a.codes(), ...b.codes()]).toEqual([])
  })

  it('an operator who writes an empty document is not undone, even if somebody acts before the others read it', async () => {
    const [a, b] = await twoProcesses()
    await server.writeByHand('')
    const script = server.process({ isScript: true })
    await script.control.block({ user: 'eve' })
    await beats(3)
    expect(server.blocked()).toEqual(['eve'])
    for (const each of [a, b]) expect(each.blocked()).toEqual(['eve'])
    expect([...a.codes(), ...b.codes()]).toEqual([])
  })
})

it('a process that missed many acts takes the document as it is', async () => {
  const [a, b] = await twoProcesses()
  server.fails = 'hanging'
  await beats(2)
  server.fails = undefined
  b.control.close()
  await a.control.unblock({ user: 'mallory' })
  for (let i = 0; i < 50; i++) await a.control.block({ user: 'eve' })
  await b.control.refresh()
  expect(b.blocked()).toEqual(['eve'])
  expect(b.codes()).toEqual([])
})

it('a process that has not read for days brings nothing back that may have been taken back', async () => {
  const [a, b] = await twoProcesses()
  b.control.close()
  await a.control.unblock({ user: 'mallory' })
  vi.setSystemTime(Date.now() + 3 * 86_400_000)
  server.flush()
  await a.control.block({ user: 'eve' })
  await b.control.refresh()
  expect(b.blocked()).toEqual(['eve'])
})

describe('a document that cannot be read', () => {
  it('a document that cannot be read is warned of each time that it happens', async () => {
    const a = server.process()
    for (let i = 0; i < 2; i++) {
      await server.writeByHand('oops')
      await beats(3)
      await server.writeByHand('')
      await beats(2)
    }
    expect(a.codes()).toEqual(['HALT_W_CONTROL', 'HALT_W_CONTROL'])
    expect(a.control.problem).toBe(undefined)
  })

  it('a document that the store refuses to read is warned of, if the store answers otherwise', async () => {
    const a = server.process()
    await a.control.block({ user: 'mallory' })
    server.refusesToRead = 'WRONGTYPE Operation against a key holding the wrong kind of value'
    await beats(5)
    expect(a.codes()).toEqual(['HALT_W_CONTROL'])
    expect(a.control.problem).toContain('WRONGTYPE')
    expect(await a.reasonOf('mallory')).toBe('blocked')
    server.refusesToRead = undefined
    await beats(2)
    expect(a.control.problem).toBe(undefined)
  })

  it('a document that the store refuses to read for two beats at a time is not warned of', async () => {
    const a = server.process()
    await beats()
    for (let i = 0; i < 3; i++) {
      server.refusesToRead = 'BUSY Redis is busy running a script'
      await beats(2)
      server.refusesToRead = undefined
      await beats(2)
    }
    expect(a.codes()).toEqual([])
  })

  it('a document that a new process cannot read twice, and then can, is not warned of', async () => {
    server.refusesToRead = 'BUSY Redis is busy running a script'
    const a = server.process()
    await beats()
    server.refusesToRead = undefined
    await beats(2)
    expect(a.codes()).toEqual([])
  })

  it('a document is not warned of while the whole store is away', async () => {
    const a = server.process()
    server.fails = 'refused'
    await beats(10)
    expect(a.codes()).toEqual([])
  })
})
