// Another client holds rows of the table.
import { RateLimiter } from '@halt/core'
import { Mode } from '@halt/core/store'
import { afterAll, expect, it } from 'vitest'

import { open, storeOn } from '../databases.ts'
import { demand, group } from '../groups.ts'

const pool = open({ connectionLimit: 8 })
afterAll(() => pool.end())

it('a row that somebody else holds delays the checks beside it once, and no check afterwards', async () => {
  const { store, table } = await storeOn(pool)
  await store.evaluate(group(demand('held')))
  const other = await pool.getConnection()
  await other.query('begin')
  await other.query(`select * from ${table} where k = 'held day:f' for update`)
  const ask = (...subjects: string[]): Promise<unknown> =>
    store.evaluate(group(...subjects.map(subject => demand(subject)))).then(
      ({ allowed }) => allowed,
      (error: { code: string; reply: string }) => `${error.code} ${error.reply}`,
    )
  const gaveUp = 'HALT_E_STORE_TIMEOUT 1205'
  expect(await Promise.all([ask('held'), ask('a'), ask('b', 'held'), ask('c')])).toEqual([
    gaveUp,
    true,
    gaveUp,
    true,
  ])
  // The held one waits alone from now on, so the others are answered before it.
  const order: string[] = []
  const note = (name: string) => (): void => void order.push(name)
  await Promise.all([ask('held').then(note('held')), ask('a').then(note('a')), ask('b').then(note('b'))])
  expect(order).toEqual(['a', 'b', 'held'])
  await other.query('rollback')
  other.release()
  expect(await ask('held')).toBe(true)
})

it('a look makes no row, and does not wait for a row that somebody holds', async () => {
  const { store, table } = await storeOn(pool)
  await store.evaluate(group(demand('held')))
  const other = await pool.getConnection()
  await other.query('begin')
  await other.query(`select * from ${table} where k = 'held day:f' for update`)
  const looks = group(...['held', 'new'].map(subject => demand(subject, undefined, Mode.PEEK)))
  expect(await store.evaluate(looks)).toMatchObject({
    allowed: true,
    states: [[0, expect.any(Number), 1], []],
  })
  await other.query('rollback')
  other.release()
  const [rows] = await pool.query(`select k from ${table}`)
  expect(rows).toHaveLength(1)
})

it('a transaction that the server ends because of a deadlock is made again', async () => {
  const { store, table } = await storeOn(pool)
  await store.evaluate(
    group(demand('a'), demand('b'), ...Array.from({ length: 40 }, (_, i) => demand(`c${i}`))),
  )
  const other = await pool.getConnection()
  await other.query('begin')
  // It has changed more rows than the check, so the server ends the check.
  await other.query(`update ${table} set e = e + 1 where k > 'b day:f'`)
  const asked = store.evaluate(group(demand('a'), demand('b'), demand('c1')))
  // The server tells of transactions from a cache, which it does not renew if it was read within the last 100 ms.
  await expect
    .poll(
      async () => {
        const [rows] = await pool.query(
          "select count(*) as n from information_schema.innodb_trx where trx_state = 'LOCK WAIT'",
        )
        return (rows as { n: number }[])[0]?.n
      },
      { interval: 200 },
    )
    .toBeGreaterThan(0)
  await other.query(`update ${table} set e = e + 1 where k = 'a day:f'`)
  await other.query('commit')
  other.release()
  expect(await asked).toMatchObject({
    allowed: true,
    states: [[0, expect.any(Number), 2], expect.anything(), expect.anything()],
  })
})

it('checks of a limiter are exact while another process holds a row for a while', async () => {
  const { store, table } = await storeOn(pool)
  const limiter = new RateLimiter({
    store,
    policy: { name: 'p', limit: 5, window: 600, algorithm: 'fixed-window' },
    storeTimeout: '30s',
    warn: () => {},
  })
  await limiter.consume({ ip: '203.0.113.7' })
  const other = await pool.getConnection()
  await other.query('begin')
  await other.query(`select * from ${table} for update`)
  const asked = Array.from({ length: 10 }, () => limiter.consume({ ip: '203.0.113.7' }))
  await other.query('rollback')
  other.release()
  const decisions = await Promise.all(asked)
  expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(4)
  expect(decisions.every(({ degraded }) => degraded === false)).toBe(true)
  await limiter.close()
})
