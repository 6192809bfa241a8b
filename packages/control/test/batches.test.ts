// Many acts at once.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { beats, Server } from './server.ts'

let server: Server
beforeEach(() => void (server = new Server()))
afterEach(() => server.close())

const users = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `u${from + i}`)

describe('100 acts at once', () => {
  it('a hundred acts of one process at once all succeed, in a few writes, and are all in the history', async () => {
    const { control } = server.process()
    await beats()
    await Promise.all(users(100).map(user => control.block({ user })))
    expect(server.blocked()).toEqual(users(100).toSorted())
    expect(server.writes.length).toBeLessThan(7)
    expect(await control.history()).toHaveLength(100)
  })

  it('a hundred acts of four processes at once all succeed', async () => {
    const all = Array.from({ length: 4 }, () => server.process())
    await Promise.all(all.flatMap(({ control }, i) => users(25, i * 25).map(user => control.block({ user }))))
    expect(server.blocked()).toEqual(users(100).toSorted())
    expect(await all[0]?.control.history()).toHaveLength(100)
  })

  it('acts of one process at once are carried out in order', async () => {
    const { control } = server.process()
    const results = await Promise.all([
      control.unblock({ user: '42' }),
      control.block({ user: '42' }),
      control.unblock({ user: '42' }),
      control.unblock({ user: '42' }),
      control.block({ user: '42' }, { by: 'ann' }),
    ])
    expect(results).toMatchObject([false, {}, true, false, { by: 'ann' }])
    expect(server.blocked()).toEqual(['42'])
  })

  it('an act whose answer is slower than a reading keeps the later document that the reading gave', async () => {
    const [a, b] = [server.process(), server.process()]
    await beats()
    server.beforeAnswer = async () => {
      await b.control.block({ user: 'later' })
      await a.control.entries()
    }
    await a.control.block({ user: 'first' })
    expect(a.blocked().toSorted()).toEqual(['first', 'later'])
  })

  it('a mistake among acts at once rejects alone', async () => {
    const { control } = server.process()
    const outcomes = await Promise.allSettled([
      control.block({ user: 'a' }),
      control.block({} as never),
      control.block({ user: 'b' }, { for: 'soon' }),
      control.block({ user: 'c' }),
      control.block({ user: 'd' }, null as never),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'rejected',
      'fulfilled',
      'rejected',
    ])
    expect(server.blocked()).toEqual(['a', 'c'])
  })

  it('an act with options that throw rejects, and later acts are carried out', async () => {
    const { control } = server.process()
    const broken = {
      get onStoreError(): never {
        throw new Error('no options')
      },
    }
    await expect(control.block({ user: 'a' }, broken)).rejects.toThrow('no options')
    await control.block({ user: 'b' })
    expect(server.blocked()).toEqual(['b'])
  })

  it('an act at once with others rejects if the document has no room for it', async () => {
    const { control } = server.process()
    const entries = Array.from({ length: 9_999 }, (_, i) => ({ kind: 'block', target: `user:${i}`, at: 1 }))
    await server.writeByHand(JSON.stringify({ halt: 1, entries }))
    const outcomes = await Promise.allSettled(['a', 'b', 'c'].map(user => control.block({ user })))
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
  })
})
