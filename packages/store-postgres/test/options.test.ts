import { describe, expect, it } from 'vitest'

import { PostgresStore, schema } from '../src/index.ts'

const query = async (): Promise<unknown[]> => []

describe('PostgresStore', () => {
  it.each([
    undefined,
    null,
    {},
    { query: 'SELECT 1' },
    { query: {} },
    { query, schema: 'Halt' },
    { query, schema: 'a; DROP TABLE b' },
    { query, schema: '' },
    { query, prefix: 'a|b' },
    { query, prefix: 7 },
    { query, clock: Date.now() },
    { query, client: {} },
  ])('PostgresStore refuses the options %j', options => {
    expect(() => new PostgresStore(options as never)).toThrowError(
      expect.objectContaining({ code: 'HALT_E_STORE_OPTION' }),
    )
  })

  it.each([() => Number.NaN, () => 1.7e18, (async () => Promise.reject(new Error('no'))) as never])(
    'PostgresStore says that a clock which gives no instant is a misconfiguration',
    async clock => {
      const store = new PostgresStore({ query, clock })
      await expect(store.evaluate({ demands: [] })).rejects.toMatchObject({ failure: 'misconfigured' })
    },
  )

  it('PostgresStore takes a function, a client with a query, and the sql of postgres.js', () => {
    const sql = Object.assign(() => {}, { unsafe: query })
    for (const source of [query, { query }, sql])
      expect(new PostgresStore({ query: source }).kind).toBe('postgres')
  })
})

describe('schema()', () => {
  it('schema() puts another name everywhere', () => {
    const text = schema({ schema: 'shop' })
    expect(text).toContain('CREATE SCHEMA IF NOT EXISTS "shop";')
    expect(text).not.toMatch(/\bhalt\b/)
  })

  it('schema() refuses a name with other characters than letters, digits and _', () => {
    expect(() => schema({ schema: 'my-shop' })).toThrowError(
      expect.objectContaining({ code: 'HALT_E_STORE_OPTION' }),
    )
  })
})
