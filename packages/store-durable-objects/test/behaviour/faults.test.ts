import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { startWorker, type Worker } from '../../../../tools/workerd.ts'

const CLASSES = {
  HALT: 'HaltCounters',
  RESTARTING: 'Restarting',
  OVERWRITTEN: 'Overwritten',
  IMPATIENT: 'Impatient',
  SLOW: 'Slow',
  HTML: 'Html',
  FOREIGN: 'Foreign',
  LIAR: 'Liar',
  HANDLERLESS: 'Handlerless',
}

let worker: Worker
beforeAll(async () => {
  const backed = Object.entries(CLASSES).map(([name, className]) => [name, { className, useSQLite: true }])
  worker = await startWorker(new URL('../worker/faults.ts', import.meta.url), {
    compatibilityFlags: ['nodejs_compat'],
    durableObjects: { ...Object.fromEntries(backed), PLAIN: { className: 'PlainCounters' } },
  })
})
afterAll(() => worker.close())

const call = async (name: string, kind: string, rest = ''): Promise<unknown> =>
  (await worker.fetch(`/${name}/${kind}/${encodeURIComponent(rest)}`)).json()

describe('an object that restarts after a charge and before the reply', () => {
  it('an object that restarts before the reply rejects the call, and has counted it once', async () => {
    expect(await call('evaluate', 'RESTARTING')).toMatchObject({
      code: 'HALT_E_STORE_UNAVAILABLE',
      failure: 'unavailable',
      message: 'the object restarts',
    })
    const again = (await call('evaluate', 'RESTARTING')) as { allowed: boolean; states: number[][] }
    expect(again.allowed).toBe(true)
    const [, , debt = 0, unit = 1] = again.states[0] ?? []
    // The bucket refills a little between the two charges.
    expect(debt / unit).toBeGreaterThan(1.9)
    expect(debt / unit).toBeLessThanOrEqual(2)
  })
})

describe('an object that does not answer', () => {
  it('a process admits the limit by itself while the object does not answer', async () => {
    for (const remaining of [4, 3, 2, 1, 0])
      expect(await call('consume', 'SLOW')).toEqual({ allowed: true, degraded: 'local', remaining })
    expect(await call('consume', 'SLOW')).toEqual({ allowed: false, degraded: 'local', remaining: 0 })
  })

  it('a process goes on from the last answer of an object that stops answering', async () => {
    expect(await call('consume', 'UNEVEN')).toEqual({ allowed: true, degraded: false, remaining: 4 })
    for (const remaining of [3, 2, 1, 0])
      expect(await call('consume', 'UNEVEN')).toEqual({ allowed: true, degraded: 'local', remaining })
    expect(await call('consume', 'UNEVEN')).toEqual({ allowed: false, degraded: 'local', remaining: 0 })
  })
})

describe('an answer that is not one of HaltCounters', () => {
  it('a page of HTML from an object is an error that quotes it', async () => {
    expect(await call('evaluate', 'HTML')).toEqual({
      code: 'HALT_E_STORE_SCRIPT',
      failure: 'script',
      message: 'the object answered 502 and "<html><h1>Bad gateway</h1></html>"',
      fix: expect.stringContaining('HaltCounters'),
    })
  })

  it.each(['FOREIGN', 'LIAR'])('a foreign answer admits nobody by itself (%s)', async kind => {
    const error = await call('evaluate', kind)
    expect(error).toMatchObject({ code: 'HALT_E_STORE_SCRIPT', failure: 'script' })
    expect(error).not.toHaveProperty('reply')
    expect(await call('consume', kind)).toMatchObject({ degraded: 'local' })
  })
})

describe('a wrong configuration', () => {
  it('a class that is not backed by SQLite is an error with the fix', async () => {
    expect(await call('evaluate', 'PLAIN')).toMatchObject({
      code: 'HALT_E_STORE_MISCONFIGURED',
      reply: 'misconfigured',
      fix: expect.stringContaining('new_sqlite_classes'),
    })
  })

  it('a class without a handler is an error', async () => {
    expect(await call('evaluate', 'HANDLERLESS')).toMatchObject({ code: 'HALT_E_STORE_MISCONFIGURED' })
  })

  it('ready() tells a wrong configuration', async () => {
    expect(await call('ready', 'HALT')).toEqual([])
    const codes = async (kind: string): Promise<unknown> =>
      ((await call('ready', kind)) as { code: string }[]).map(({ code }) => code)
    expect(await codes('PLAIN')).toEqual(['HALT_W_STORE_MISCONFIGURED'])
    expect(await codes('HTML')).toEqual(['HALT_W_STORE_SCRIPT'])
  })
})

describe('a row that something else has written', () => {
  it('a row that something else has written fails its whole group, which charges nothing', async () => {
    expect(await call('evaluate', 'OVERWRITTEN')).toMatchObject({ allowed: true })
    const { failed, debt } = (await call('beside', 'OVERWRITTEN')) as { failed: object; debt: number }
    expect(failed).toMatchObject({ code: 'HALT_E_STORE_SCRIPT', reply: 'script' })
    expect(debt).toBe(0)
  })
})

describe('a check of two subjects', () => {
  it.each(['HTML', 'RESTARTING'])('a check charges neither subject if one object fails (%s)', async kind => {
    const { failed, debt } = (await call('both', kind)) as { failed: object; debt: number }
    expect(failed).toMatchObject({ code: expect.stringMatching(/^HALT_E_STORE_/) })
    expect(failed).not.toHaveProperty('reply')
    expect(debt).toBe(0)
  })
})

describe('alarms', () => {
  it('alarms remove counters once they equal fresh ones, and the storage with the last one', async () => {
    const rows = (): Promise<unknown> => call('rows', 'IMPATIENT')
    const at = async (charge: string): Promise<void> =>
      expect(await call('at', 'IMPATIENT', charge)).toBe(true)
    await at('1000 short 10')
    await at('1000 long 3600')
    expect(await rows()).toEqual(['long:f', 'short:f'])
    // A look moves the clock.
    await at('1030 look')
    await expect.poll(rows).toEqual(['long:f'])
    await at('9000 look')
    await expect.poll(rows).toEqual('no table')
    await at('9000 short 10')
    expect(await rows()).toEqual(['short:f'])
  })
})

describe('a document', () => {
  it('a document of the largest size is read as it was written', async () => {
    expect(await call('document', 'HALT')).toBe(true)
  })
})
