// Requests of one isolate wait in line, in the runtime in which a timer and a call end with the request that has begun them.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { isFull } from '../../../../tools/full.ts'
import { startWorker, type Worker } from '../../../../tools/workerd.ts'

interface Answer {
  readonly allowed: boolean
  readonly waitedMs: number
  /** The order in which the requests of the isolate came. */
  readonly turn: number
}

const compatibilityDate = '2022-11-30'
const flagged = { compatibilityDate, compatibilityFlags: ['handle_cross_request_promise_resolution'] }
// Before 2024-10-14 a request can let in another one only with that flag.
const PLATFORMS = [
  ['with the flags of Node', { compatibilityFlags: ['nodejs_compat'] }, true],
  ['with an old date', { compatibilityDate }, false],
  ...(isFull ? ([['with an old date and a flag', flagged, true]] as const) : []),
] as const

describe.each(PLATFORMS)('in workerd %s', (_, options, mayWakeOthers) => {
  let worker: Worker
  beforeAll(async () => {
    worker = await startWorker(new URL('../worker/waiting.ts', import.meta.url), {
      durableObjects: { HALT: { className: 'HaltCounters', useSQLite: true } },
      ...options,
    })
  })
  afterAll(() => worker.close())

  describe.each(isFull ? ['object', 'memory'] : ['object'])('and a store in %s', store => {
    const ask = async (path: string, policy: string): Promise<unknown> => {
      const response = await worker.fetch(`${path}?store=${store}&policy=${policy}`)
      const text = await response.text()
      if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`)
      return JSON.parse(text)
    }
    const waiting = (): Promise<unknown> => ask('/waiting', 'paced')

    /** Sends a request that must wait, and resolves when it does. */
    async function stand(policy: string): Promise<{ readonly answer: Promise<Answer> }> {
      const before = (await waiting()) as number
      const answer = ask('/', policy) as Promise<Answer>
      await expect.poll(waiting).toBe(before + 1)
      return { answer }
    }

    it('each request is woken by an alarm of its own, when the request in front of it has ended', async () => {
      expect(await ask('/', 'paced')).toMatchObject({ allowed: true, waitedMs: 0 })
      const [first, second] = [await stand('paced'), await stand('paced')]
      const order: number[] = []
      const answers = await Promise.all(
        [first, second].map(async ({ answer }) => {
          const found = await answer
          order.push(found.turn)
          return found
        }),
      )
      expect(answers.map(({ allowed }) => allowed)).toEqual([true, true])
      expect(order).toEqual(answers.map(({ turn }) => turn))
      expect(await waiting()).toBe(0)
    })

    it.each(['window', 'flight'])('all requests that ask again for a %s are woken', async policy => {
      const answers = (await Promise.all([1, 2, 3, 4, 5].map(() => ask('/', policy)))) as Answer[]
      expect(answers.map(({ allowed }) => allowed)).toEqual([true, true, true, true, true])
      expect(answers.some(({ waitedMs }) => waitedMs > 0)).toBe(true)
      expect(await waiting()).toBe(0)
    })

    it.each(isFull ? ['window', 'flight', 'paced'] : ['window', 'flight'])(
      'nobody waits for ever behind a request that has ended while it waited for a %s',
      async policy => {
        for (let i = 0; i < 3; i++) expect(await ask('/abandon', policy)).toBe('abandoned')
        const answers = (await Promise.all([1, 2].map(() => ask('/', policy)))) as Answer[]
        expect(answers.map(({ allowed }) => allowed)).toEqual([true, true])
      },
    )

    if (!mayWakeOthers) return
    it('a reset by another request wakes all requests that wait', async () => {
      for (let i = 0; i < 3; i++) await ask('/', 'together')
      const turns = [await stand('together'), await stand('together'), await stand('together')]
      await ask('/reset', 'together')
      const answers = await Promise.all(turns.map(({ answer }) => answer))
      expect(answers.map(({ allowed }) => allowed)).toEqual([true, true, true])
      expect(await waiting()).toBe(0)
    })
  })
})
