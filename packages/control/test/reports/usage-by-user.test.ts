// Who in a company used its limits: the units by user, over processes that share a store.
import type { Policy, Quota } from '@halt/core'
import type { Store } from '@halt/core/store'
import { fakeOutage } from '@halt/core/testing'
import { expect, it, onTestFinished, vi } from 'vitest'

import { eventLoop } from '../../../core/src/base/event-loop.ts'
import { mistake, START, view, world } from '../../../core/test/world.ts'
import { otherDocuments } from '../other-documents.ts'
import { findUserInUsage, usageByUser, UsageByUser } from '../../src/index.ts'
import {
  addUnits,
  documentOfSlot,
  entryIn,
  readUsage,
  slotOfKey,
  type UsageEntries,
  writeUsage,
} from '../../src/reports/usage-entries.ts'

const company = (request: unknown): string | undefined => (request as { company?: string }).company
const MONTH: Quota = { name: 'month', limit: 100, period: 'monthly', keyExtractor: company }
const TEAM: Policy = { name: 'team', limit: 1_000, window: 60, keyExtractor: company }
const PER_USER: Policy = { name: 'per_user', limit: 1_000, window: 60, keyStrategy: 'user' }
const ACME = 'custom:acme'

/** A world whose processes count the users of companies. */
function companies(policies: readonly Policy[] = [MONTH, PER_USER]) {
  const own = world()
  const counting = (store: Store = own.store, every?: '1m') => {
    const usage = new UsageByUser({
      store,
      every,
      policies: ['month', 'team'],
      warn: warning => void own.warnings.push(warning),
    })
    const limiter = own.limiter(policies as never, { telemetry: usage, store, storeTimeout: '30s' })
    onTestFinished(() => usage.close())
    const ask = (user: string | undefined, cost = 1, of = 'acme') =>
      limiter.check(view({ request: { company: of, ...(user && { user: { id: user } }) } }), { cost })
    return { usage, limiter, ask }
  }
  const read = (key = ACME) => usageByUser(own.store, key)
  return { ...own, counting, read }
}

it('two processes tell who used the quota of a company, also while it refuses', async () => {
  const { counting, read } = companies()
  const [a, b] = [counting(), counting()]
  await a.ask('cleo', 60)
  await b.ask('cleo', 20)
  await b.ask('bob', 15)
  await a.ask('bob', 3, 'other')
  for (const { usage } of [a, b]) await usage.flush()
  expect((await a.ask('bob', 10)).reason).toBe('quota-exceeded')
  await a.usage.flush()
  expect(await read()).toEqual([
    {
      policy: 'month',
      since: START / 1000,
      until: Date.UTC(2026, 11, 1) / 1000,
      users: [
        { key: 'user:cleo', units: 80 },
        { key: 'user:bob', units: 15 },
      ],
      others: 0,
    },
  ])
  expect((await read('custom:other'))[0]?.users).toEqual([{ key: 'user:bob', units: 3 }])
  expect(await read('custom:nobody')).toEqual([])
})

it('a new month begins with no units, and the last one is forgotten', async () => {
  const { counting, read, clock, store } = companies()
  const { ask, usage } = counting()
  await ask('cleo', 60)
  await usage.flush()
  clock.advance('8d')
  expect(await read()).toEqual([])
  await ask('bob', 7)
  await usage.flush()
  expect((await read()).map(({ users }) => users)).toEqual([[{ key: 'user:bob', units: 7 }]])
  const { text } = (await store.document(documentOfSlot(slotOfKey(ACME))).read())!
  expect(readUsage(text).size).toBe(1)
})

it('a limit that is no quota is told for its last 10 to 20 minutes', async () => {
  const { counting, read, clock } = companies([TEAM, PER_USER])
  const { ask, usage } = counting()
  const told = async () => {
    await usage.flush()
    return (await read()).map(({ users }) => users.map(({ key, units }) => `${key} ${units}`))
  }
  await ask('cleo', 5)
  clock.advance('9m')
  await ask('bob', 2)
  expect(await told()).toEqual([['user:cleo 5', 'user:bob 2']])
  clock.advance('2m')
  await ask('bob', 4)
  expect(await told()).toEqual([['user:bob 6', 'user:cleo 5']])
  clock.advance('10m')
  expect(await told()).toEqual([['user:bob 4']])
})

it('a limit that is no quota tells since when and until when its periods are counted', async () => {
  const { counting, read, clock } = companies([TEAM, PER_USER])
  const { ask, usage } = counting()
  await ask('cleo')
  clock.advance('11m')
  await ask('cleo')
  await usage.flush()
  expect(await read()).toMatchObject([{ since: START / 1000, until: START / 1000 + 1_800 }])
})

it('a user is told where a policy counts each address of a user', async () => {
  const { counting, read } = companies([MONTH, { ...PER_USER, keyStrategy: 'composite' }])
  const { ask, usage } = counting()
  await ask('cleo', 5)
  await usage.flush()
  expect(await read()).toMatchObject([{ users: [{ key: 'user:cleo', units: 5 }], others: 0 }])
})

it('a user is told where a shadow policy alone counts users, and not where none does', async () => {
  const { counting, read } = companies([MONTH, { ...PER_USER, mode: 'shadow' }])
  const { ask, usage } = counting()
  await ask('cleo', 5)
  await usage.flush()
  expect(await read()).toMatchObject([{ users: [{ key: 'user:cleo', units: 5 }], others: 0 }])

  const without = companies([MONTH])
  const process = without.counting()
  await process.ask('cleo', 5)
  await process.usage.flush()
  expect(await without.read()).toMatchObject([{ users: [], others: 5 }])
})

it('the cost of each policy counts, and neither a refusal nor a repeated call does', async () => {
  const { counting, read } = companies([MONTH, TEAM, PER_USER])
  const { limiter, usage } = counting()
  const request = view({ request: { company: 'acme', user: { id: 'cleo' } } })
  for (let i = 0; i < 2; i++)
    await limiter.check(request, { cost: { month: 70, team: 1 }, idempotencyKey: 'job 9' })
  expect((await limiter.check(request, { cost: { month: 70 } })).allowed).toBe(false)
  await usage.flush()
  const units = (await read()).map(({ policy, users }) => [policy, users[0]?.units])
  expect(Object.fromEntries(units)).toEqual({ month: 70, team: 1 })
})

it('counts wait while the store is away, and are told once when it is back', async () => {
  const { store, counting, read, warnings } = companies()
  const away = fakeOutage(store)
  const { ask, usage } = counting(away)
  await ask('cleo', 5)
  away.begin('refused')
  await usage.flush()
  expect(warnings.filter(({ code }) => code === 'HALT_W_REPORTS')).toHaveLength(1)
  expect(await read()).toEqual([])
  away.end()
  for (let i = 0; i < 2; i++) await usage.flush()
  expect((await read())[0]?.users).toEqual([{ key: 'user:cleo', units: 5 }])
})

it('counts wait where another process wrote first and the store is away then', async () => {
  const { store, counting, read } = companies()
  const overtaken = async (): Promise<undefined> => {
    away.begin('refused')
    return undefined
  }
  const writes = [overtaken]
  const away = otherDocuments(store, document => ({
    write: (text, since) => writes.pop()?.() ?? document.write(text, since),
  }))
  const { ask, usage } = counting(away)
  await ask('cleo', 5)
  await usage.flush()
  away.end()
  await usage.flush()
  expect((await read())[0]?.users).toEqual([{ key: 'user:cleo', units: 5 }])
})

it('close adds the counts of a beat that fails meanwhile', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const { store, counting, read } = companies()
  let refuse: (error: Error) => void
  const reads = [() => new Promise<never>((_, reject) => (refuse = reject))]
  const { ask, usage } = counting(
    otherDocuments(store, document => ({ read: since => reads.pop()?.() ?? document.read(since) })),
  )
  await ask('cleo', 5)
  vi.advanceTimersByTime(5_000)
  expect(reads).toEqual([])
  const closed = usage.close()
  refuse!(new Error('the connection is gone'))
  await closed
  expect((await read())[0]?.users).toEqual([{ key: 'user:cleo', units: 5 }])
})

it('a company beyond the 2 000 of a beat is not counted, and its document is not written', async () => {
  const { store, counting, read } = companies()
  const { ask, usage } = counting()
  const names = Array.from({ length: 5_000 }, (_, i) => `c${i}`)
  const isLow = (name: string) => slotOfKey(`custom:${name}`) < 128
  for (const name of names.filter(isLow).slice(0, 2_000)) await ask(name, 1, name)
  const further = names.find(name => !isLow(name))!
  await ask(further, 1, further)
  await usage.flush()
  expect(await read(`custom:${names.find(isLow)}`)).toHaveLength(1)
  const document = await store.document(documentOfSlot(slotOfKey(`custom:${further}`))).read()
  expect(document?.text).toBe('')
})

it('a process names 10 000 users in a beat, and tells the units of further ones', async () => {
  const { counting, read } = companies([{ ...MONTH, limit: 1e9 }, PER_USER])
  const { ask, usage } = counting()
  for (let i = 1; i <= 10_001; i++) await ask(String(i), i < 10_000 ? 1 : 50)
  await usage.flush()
  const [month] = await read()
  expect(month!.users.slice(0, 2)).toEqual([
    { key: 'user:10000', units: 50 },
    { key: expect.any(String), units: 1 },
  ])
  expect(month!.users.reduce((sum, { units }) => sum + units, month!.others)).toBe(9_999 + 100)
})

it('a document names the 200 heaviest users of a company that has more', async () => {
  const { counting, read } = companies([{ ...MONTH, limit: 1e9 }, PER_USER])
  const { ask, usage } = counting()
  for (let i = 1; i <= 201; i++) await ask(String(i), i)
  await usage.flush()
  const [month] = await read()
  expect(month?.users).toHaveLength(200)
  expect(month?.users.at(-1)).toEqual({ key: 'user:2', units: 2 })
  expect(month?.others).toBe(1)
})

it('units are not told twice where the answer of a write was lost', async () => {
  const { store, counting, read } = companies()
  const lossy = otherDocuments(store, document => ({
    async write(text, since) {
      await document.write(text, since)
      throw new Error('the connection is gone')
    },
  }))
  const { ask, usage } = counting(lossy)
  await ask('cleo', 5)
  for (let i = 0; i < 2; i++) await usage.flush()
  expect((await read())[0]?.users).toEqual([{ key: 'user:cleo', units: 5 }])
})

it('a document keeps the heaviest users of each company, within its room, and every unit', async () => {
  const { counting, read, store } = companies([{ ...MONTH, limit: 1e9 }, PER_USER])
  const { ask, usage } = counting()
  for (let i = 0; i < 600; i++) await ask(`${'x'.repeat(90)}${i}`, i + 1)
  await usage.flush()
  const { text } = (await store.document(documentOfSlot(slotOfKey(ACME))).read())!
  expect(text.length).toBeLessThanOrEqual(32_000)
  const [month] = await read()
  expect(month?.users[0]).toEqual({ key: `user:${'x'.repeat(90)}599`, units: 600 })
  expect(month?.users.length).toBeGreaterThanOrEqual(100)
  const told = month!.users.reduce((sum, { units }) => sum + units, month!.others)
  expect(told).toBe((600 * 601) / 2)
})

it('a process shares by itself, and a user is found whose key a page shows as a digest', async () => {
  vi.useFakeTimers()
  const after = vi.spyOn(eventLoop, 'after')
  onTestFinished(() => {
    after.mockRestore()
    vi.useRealTimers()
  })
  const { counting, read, store } = companies()
  const { ask } = counting()
  await ask('cleo', 5)
  expect(await read()).toEqual([])
  await vi.advanceTimersByTimeAsync(5_000)
  expect((await read())[0]?.users).toEqual([{ key: 'user:cleo', units: 5 }])
  // Nothing waits any more, so that no beat follows. What other files left in this process may have timers of its own.
  await vi.advanceTimersByTimeAsync(20_000)
  expect(after.mock.calls.filter(([ms]) => ms === 5_000)).toHaveLength(1)
  expect(await findUserInUsage(store, key => key.endsWith('leo'))).toBe('user:cleo')
  expect(await findUserInUsage(store, key => key.endsWith('bob'))).toBeUndefined()
})

it.each([undefined, '1m'] as const)(
  'a process that counts all the time shares with each beat: every %s',
  async every => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const { counting, read } = companies()
    const { ask } = counting(undefined, every)
    const beat = every === undefined ? 5 : 60
    for (let i = 0; i < 12; i++) {
      await ask('cleo')
      await vi.advanceTimersByTimeAsync(200 * beat)
    }
    expect((await read())[0]?.users).toEqual([{ key: 'user:cleo', units: 10 }])
  },
)

it('a user is found in any document', async () => {
  const { counting, store } = companies()
  const { ask, usage } = counting()
  for (const slot of [0, 31, 32, 255]) {
    let company = 0
    while (slotOfKey(`custom:${company}`) !== slot) company++
    await ask(`in-${slot}`, 1, String(company))
    await usage.flush()
    expect(await findUserInUsage(store, key => key.endsWith(`-${slot}`))).toBe(`user:in-${slot}`)
  }
})

it('a document without room for all limits keeps those with the most units, and one user of each', () => {
  const entries: UsageEntries = new Map()
  const until = Date.UTC(2026, 11, 1) / 1000
  for (let i = 1; i <= 2_000; i++) {
    const entry = entryIn(entries, { policy: 'month', key: `custom:${i}`, since: until - 9, until })
    addUnits(entry, 'user:a', i)
    addUnits(entry, 'user:b', 0.5)
  }
  const kept = [...readUsage(writeUsage(entries)).values()]
  expect(kept.length).toBeGreaterThan(100)
  expect(kept.map(({ key, others, users }) => [key, others, ...users])).toEqual(
    kept.map((_, at) => [`custom:${2_000 - at}`, 0.5, ['user:a', 2_000 - at]]),
  )
})

it('UsageByUser refuses a list without names, and a store without documents', () => {
  const { store } = world()
  for (const policies of [undefined, [], 'month', [7]])
    expect(mistake(() => new UsageByUser({ store, policies } as never))).toMatchObject({
      code: 'HALT_E_OPTION',
      fix: expect.stringContaining("policies: ['pro_month']"),
    })
  expect(mistake(() => new UsageByUser({ store: {}, policies: ['month'] } as never)).code).toBe(
    'HALT_E_OPTION',
  )
  expect(mistake(() => new UsageByUser({ store, policies: ['month'], user: 1 } as never)).code).toBe(
    'HALT_E_UNKNOWN_FIELD',
  )
})
