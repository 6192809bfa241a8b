import { describe, expect, it, vi, afterEach } from 'vitest'

import type { HaltWarning } from '@halt/core'
import { Reports } from '../../src/index.ts'
import { fakeOutage, ReferenceStore } from '@halt/core/testing'
import { mistake, rejection, START } from '../../../core/test/world.ts'

afterEach(() => void vi.useRealTimers())

function shared() {
  const store = new ReferenceStore(Date.now)
  return {
    store,
    document: store.document('figures'),
    process: () => new Reports({ store, name: 'figures' }),
  }
}

async function textsOf(reports: Reports): Promise<string[]> {
  return (await reports.read()).map(({ text }) => text).toSorted()
}

describe('a report', () => {
  it('a report reaches the other processes of the store, and replaces the one before it', async () => {
    const { process } = shared()
    const [a, b] = [process(), process()]
    await a.publish('one')
    await b.publish('two')
    await a.publish('three')
    expect(await textsOf(b)).toEqual(['three', 'two'])
    expect((await b.read()).map(report => report.process).toSorted()).toEqual(
      [a.process, b.process].toSorted(),
    )
    expect(a.processes).toBe(2)
  })

  it('a report is not lost when many processes write at once', async () => {
    const { process } = shared()
    const all = Array.from({ length: 8 }, process)
    await Promise.all(all.map((reports, i) => reports.publish(String(i))))
    expect(await textsOf(process())).toHaveLength(8)
  })

  it('a report is taken back by its process', async () => {
    const { process } = shared()
    const [a, b] = [process(), process()]
    await a.publish('one')
    await b.publish('two')
    await a.withdraw()
    expect(await textsOf(b)).toEqual(['two'])
  })

  it('a report is left out once its process is silent for ten beats, however far apart the clocks are', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START })
    const { process } = shared()
    const [silent, alive] = [process(), process()]
    await silent.publish('silent')
    const reader = process()
    vi.setSystemTime(START - 50_000)
    await alive.publish('alive')
    expect(await textsOf(reader)).toEqual(['alive', 'silent'])
    for (let i = 1; i <= 11; i++) {
      vi.setSystemTime(START - 50_000 + i * 2_000)
      await alive.publish('alive')
    }
    vi.setSystemTime(START + 21_000)
    expect(await textsOf(reader)).toEqual(['alive'])
    expect(alive.processes).toBe(1)
  })

  it('a report of a process that ended long ago is left out at the first look', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START })
    const { process } = shared()
    await process().publish('old')
    vi.setSystemTime(START + 3_600_000)
    expect(await textsOf(process())).toEqual([])
  })

  it('a report may have 16 000 characters; a longer one is warned of once and not written', async () => {
    const store = new ReferenceStore(Date.now)
    const warnings: HaltWarning[] = []
    const reports = new Reports({ store, name: 'figures', warn: warning => void warnings.push(warning) })
    await reports.publish('x'.repeat(15_998))
    for (const text of ['x'.repeat(16_001), '"'.repeat(9_000)]) await reports.publish(text)
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_REPORTS'])
    expect((await textsOf(reports))[0]).toHaveLength(15_998)
  })

  it('a report of the 65th process displaces the oldest one, and the document stays below its bound', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: START })
    const { process, document } = shared()
    for (let i = 0; i < 65; i++) {
      vi.setSystemTime(START + i)
      await process().publish(String(i).padEnd(15_998, '.'))
    }
    const texts = await textsOf(process())
    expect(texts).toHaveLength(64)
    expect(texts.some(text => text.startsWith('0.'))).toBe(false)
    expect((await document.read())?.text.length).toBeLessThan(2 ** 20)
  })
})

describe('a document that other processes wrote', () => {
  for (const text of ['oops', 'null', '{"halt":2,"reports":[]}', '{"halt":1,"reports":{}}'])
    it(`a document that is ${text} is replaced`, async () => {
      const { process, document } = shared()
      await document.write(text, '0')
      const reports = process()
      expect(await reports.read()).toEqual([])
      await reports.publish('good')
      expect(await textsOf(reports)).toEqual(['good'])
    })

  it('a document loses its broken reports, and keeps the others', async () => {
    const { process, document } = shared()
    const at = Date.now()
    const broken = [
      null,
      5,
      {},
      { process: '', at, text: '' },
      { process: 'p'.repeat(65), at, text: '' },
      { process: 'a', at: 'now', text: '' },
      { process: 'a', at, text: 'x'.repeat(16_001) },
    ]
    await document.write(
      JSON.stringify({ halt: 1, reports: [...broken, { process: 'b', at, text: 'b' }] }),
      '0',
    )
    expect(await textsOf(process())).toEqual(['b'])
  })
})

describe('a store', () => {
  it('a store that is away makes one warning, and no error of publish', async () => {
    const store = fakeOutage(new ReferenceStore(Date.now))
    const warnings: HaltWarning[] = []
    const reports = new Reports({ store, name: 'figures', warn: warning => void warnings.push(warning) })
    store.begin('refused')
    await reports.publish('one')
    await reports.publish('two')
    await reports.withdraw()
    expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_REPORTS'])
    expect((await rejection(reports.read())).code).toBe('HALT_E_STORE')
    store.end()
    await reports.publish('three')
    expect(await textsOf(reports)).toEqual(['three'])
  })

  it('Reports refuses a store without documents, a name that is taken, and wrong options', () => {
    const store = new ReferenceStore(Date.now)
    const name = 'figures'
    expect(mistake(() => new Reports({ store: {} as never, name })).code).toBe('HALT_E_OPTION')
    for (const wrong of ['', 'A', 'control', 'control-history', 5 as never])
      expect(mistake(() => new Reports({ store, name: wrong })).code).toBe('HALT_E_OPTION')
    expect(mistake(() => new Reports({ store, name, every: 'soon' })).code).toBe('HALT_E_DURATION')
    expect(mistake(() => new Reports({ store, name, beat: 1 } as never)).code).toBe('HALT_E_UNKNOWN_FIELD')
  })
})
