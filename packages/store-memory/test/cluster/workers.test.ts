import { once } from 'node:events'

import { type Evaluation, Mode, type Rule } from '@halt/core/store'
import { afterAll, afterEach, expect, it } from 'vitest'

import { ClusterStore, serveCluster } from '../../src/cluster/index.ts'
import { InMemoryStore } from '../../src/index.ts'
import { endAll, fork } from './workers.ts'

const served: { close(): void }[] = []
const serve = (): void => void served.push(serveCluster(new InMemoryStore()))
afterEach(() => {
  for (const one of served.splice(0)) one.close()
})
afterAll(endAll)

const windowOf = (limit: number): Rule => ({
  code: 'f',
  counter: 'w:f',
  limit,
  capacity: limit,
  unit: 1,
  rate: 1,
  window: 86_400e6,
  slice: 86_400e6,
  precision: 1,
  cooldown: 0,
  reduced: undefined,
})

interface Told {
  readonly user: string
  readonly allowed: boolean
  readonly degraded: unknown
}
const consume = (users: readonly string[], limit: number, storeTimeout = '30s') =>
  ({ do: 'consume', users, limit, storeTimeout }) as const
const mistake = expect.objectContaining({ code: 'HALT_E_STORE_OPTION' })

it('workers are together admitted exactly the limit, and a worker that dies takes no counts with it', async () => {
  serve()
  const [first, second, third] = [await fork(), await fork(), await fork()]
  const users = Array.from({ length: 2_000 }, (_, i) => `u${i % 20}`)
  const told = (
    await Promise.all([first, second, third].map(worker => worker.tell<Told[]>(consume(users, 100))))
  ).flat()
  expect(told.every(({ degraded }) => degraded === false)).toBe(true)
  for (let i = 0; i < 20; i++)
    expect(told.filter(({ user, allowed }) => user === `u${i}` && allowed)).toHaveLength(100)
  expect(await first.tell({ do: 'instances' })).toBe(3)
  for (const { worker } of [first, second]) {
    worker.process.kill('SIGKILL')
    await once(worker, 'exit')
  }
  const after = await third.tell<Told[]>(consume(['u1', 'fresh'], 100))
  expect(after.map(({ allowed }) => allowed)).toEqual([false, true])
  expect(await third.tell({ do: 'instances' })).toBe(1)
})

it('workers decide by themselves while the primary is busy, and by its counts afterwards', async () => {
  serve()
  const worker = await fork()
  await worker.tell(consume(['u'], 5, '50ms'))
  const asked = worker.tell<Told[]>(consume(['u'], 5, '50ms'))
  // The order leaves the process before it is busy.
  await new Promise(resolve => setImmediate(resolve))
  const until = performance.now() + 1_500
  while (performance.now() < until);
  expect(await asked).toMatchObject([{ allowed: true, degraded: 'local' }])
  await expect
    .poll(async () => (await worker.tell<Told[]>(consume(['other'], 5))).map(({ degraded }) => degraded))
    .toEqual([false])
  const rest: Told[] = []
  for (let i = 0; i < 5; i++) rest.push(...(await worker.tell<Told[]>(consume(['u'], 5))))
  expect(rest.filter(({ allowed }) => allowed)).toHaveLength(3)
})

it('a worker that has lost its primary knows which calls were never sent', async () => {
  // Nobody serves it, so its first call is still on its way.
  const worker = await fork()
  void worker.tell({ do: 'leave' })
  await once(worker.worker, 'exit')
  const [pending, later] = JSON.parse(worker.output()) as object[]
  expect(pending).toMatchObject({ failure: 'unavailable', code: 'HALT_E_STORE_UNAVAILABLE' })
  expect(pending).not.toHaveProperty('unsent')
  expect(later).toMatchObject({ failure: 'unavailable', unsent: true })
})

it('a worker finds out that its primary serves no store', async () => {
  const worker = await fork()
  expect(await worker.tell({ do: 'inspect' })).toMatchObject([
    { code: 'HALT_W_STORE_UNAVAILABLE', fix: expect.stringContaining('serveCluster') },
  ])
  serve()
  expect(await worker.tell({ do: 'inspect' })).toEqual([])
})

it('a worker gives up the oldest of 10 001 questions that its primary does not answer', async () => {
  const worker = await fork()
  const failed = await worker.tell({ do: 'probe', times: 10_001 })
  expect(failed).toMatchObject({ failure: 'unavailable', code: 'HALT_E_STORE_UNAVAILABLE' })
  expect(failed).not.toHaveProperty('unsent')
})

it('a worker may have many stores, each with rules of its own', async () => {
  serve()
  const worker = await fork()
  // More than the primary remembers.
  const groups = Array.from({ length: 250 }, (_, i) => ({
    demands: [{ rule: windowOf(i + 1), subject: `s${i}`, cost: i + 1, mode: Mode.CHARGE, penalized: false }],
  }))
  const answers = await worker.tell<Evaluation[]>({ do: 'ask by several stores', groups })
  expect(answers.map(({ allowed, states }) => [allowed, states[0]?.[2]])).toEqual(
    groups.map((_, i) => [true, i + 1]),
  )
})

it('a worker sends its rules again to a primary that has lost them', async () => {
  serve()
  const worker = await fork()
  const group = {
    demands: [{ rule: windowOf(5), subject: 's', cost: 1, mode: Mode.CHARGE, penalized: false }],
  }
  expect(await worker.tell({ do: 'consume', users: ['a'], limit: 5, storeTimeout: '30s' })).toMatchObject([
    { degraded: false },
  ])
  served.pop()?.close()
  serve()
  const asked = async (): Promise<unknown> =>
    (await worker.tell<Told[]>(consume(['a'], 5))).map(({ degraded }) => degraded)
  await expect.poll(asked).toEqual([false])
  expect(await worker.tell({ do: 'evaluate', group })).toMatchObject({ allowed: true })
})

it('ClusterStore is refused outside of a worker and under PM2, and serveCluster() in a worker', async () => {
  expect(() => new ClusterStore()).toThrow(mistake)
  const worker = await fork()
  await expect(worker.tell({ do: 'serve' })).rejects.toMatchObject({ code: 'HALT_E_STORE_OPTION' })
  expect(await worker.tell({ do: 'make', env: { pm_id: '0', exec_mode: 'fork_mode' } })).toBe('cluster')
  await expect(
    worker.tell({ do: 'make', env: { pm_id: '0', exec_mode: 'cluster_mode' } }),
  ).rejects.toMatchObject({ code: 'HALT_E_STORE_OPTION', message: expect.stringContaining('PM2') })
})

it('serveCluster() is refused without a store and a second time', () => {
  expect(() => serveCluster(undefined as never)).toThrow(mistake)
  serve()
  expect(serve).toThrow(mistake)
  served.pop()?.close()
  expect(serve).not.toThrow()
})
