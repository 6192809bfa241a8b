// Idle counters are removed. Each file that opens a database plays this on it, because PGlite takes seconds to start.
import { describe, expect, it } from 'vitest'

import { type Database, makeStore } from '../databases.ts'
import { demand, group } from '../rules.ts'

/** Tests that checks, `sweep()` and `forget()` remove counters of a database. */
export function testSweeps(database: Database): void {
  describe(`idle counters on ${database.name}`, () => {
    const count = async (schema: string): Promise<number> => {
      const source = database.query as { query(text: string): Promise<{ rows: { n: number }[] }> }
      const { rows } = await source.query(`SELECT count(*)::int AS n FROM ${schema}.counters`)
      return rows[0]!.n
    }
    const fill = (schema: string, rows: number): Promise<unknown> =>
      database.run(
        `INSERT INTO ${schema}.counters SELECT '|idle' || i || ' api:t', '{0,1,1,1,1}', 2 FROM generate_series(1, ${rows}) i`,
      )

    it('checks remove idle counters little by little, and keep those in use', async () => {
      const { store, schema } = await makeStore(database)
      await store.evaluate(group(demand('user:1')))
      await fill(schema, 5_000)
      for (let i = 0; i < 6; i++) {
        await Promise.all(Array.from({ length: 64 }, () => store.evaluate(group(demand('user:1')))))
      }
      expect(await count(schema)).toBe(1)
    })

    it('sweep() removes all idle counters and says how many', async () => {
      const { store, schema } = await makeStore(database)
      await store.evaluate(group(demand('user:1')))
      await fill(schema, 5_000)
      expect(await store.sweep()).toBe(5_000)
      expect(await count(schema)).toBe(1)
    })

    it('forget() removes counters and says how many existed', async () => {
      const { store, schema } = await makeStore(database)
      await store.evaluate(group(demand('user:1'), demand('user:2')))
      const counters = ['user:1', 'user:2', 'user:3'].map(subject => ({ subject, counter: 'api:t' }))
      expect(await store.forget(counters)).toBe(2)
      expect(await store.forget([])).toBe(0)
      expect(await count(schema)).toBe(0)
    })
  })
}
