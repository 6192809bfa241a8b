import { RateLimiter } from '@halt/core'
import mysql from 'mysql2/promise'
import { afterAll, describe, expect, inject, it } from 'vitest'

import { butSlow } from '../../../../tools/but-slow.ts'
import { startMariadb } from '../../../../tools/mariadb-server.mjs'
import { unique } from '../../../../tools/unique.ts'
import { MysqlStore, type PoolSource } from '../../src/index.ts'
import { open, storeOn } from '../databases.ts'
import { demand, group } from '../groups.ts'

const pool = open()
const ends: (() => Promise<unknown>)[] = [() => pool.end()]
afterAll(async () => {
  for (const end of ends.toReversed()) await end()
})

const ask = group(demand('a'))
const policy = { name: 'api', limit: 5, window: 600, algorithm: 'fixed-window', keyStrategy: 'user' } as const
const codesOf = async (store: MysqlStore): Promise<string[]> =>
  butSlow(await store.inspect()).map(({ code }) => code)

/** A pool that logs in as a new user with these rights on a table. */
async function asUser(table: string, rights: string): Promise<mysql.Pool> {
  const user = unique().slice(0, 16)
  await pool.query(`create user ${user}@'%' identified by 'p'`)
  await pool.query(`grant ${rights} on ${table} to ${user}@'%'`)
  const uri = new URL(inject('mysqlUrl'))
  uri.username = user
  uri.password = 'p'
  const own = open({ uri: uri.href })
  ends.push(() => own.end())
  return own
}

type Answer = readonly [unknown, ...unknown[]]

/** A pool of new connections, whose statements a test answers or passes on. */
function poolWith(answer: (query: () => Promise<Answer>, sql: string) => Promise<Answer>): PoolSource {
  const fresh = open({ connectionLimit: 1 })
  ends.push(() => fresh.end())
  return {
    async getConnection() {
      const connection = await fresh.getConnection()
      return {
        query: statement => answer(() => connection.query({ ...statement }), statement.sql),
        release: () => connection.release(),
        destroy: () => connection.destroy(),
      }
    },
  }
}

describe('a database that is set up well or wrongly', () => {
  it('a table and the rights that the documentation names get no warning', async () => {
    const { store, table } = await storeOn(pool)
    expect(await codesOf(store)).toEqual([])
    const own = new MysqlStore({ pool: await asUser(table, 'select, insert, update, delete'), table })
    expect(await codesOf(own)).toEqual([])
    expect(await own.evaluate(ask)).toMatchObject({ allowed: true })
    expect(await own.forget([{ subject: 'a', counter: 'day:f' }])).toBe(1)
    await own.probe()
  })

  it('a missing table is a coded error and a warning, and the policies decide by onStoreError', async () => {
    const store = new MysqlStore({ pool, table: 'nowhere' })
    await expect(store.evaluate(ask)).rejects.toMatchObject({ code: 'HALT_E_STORE_SCHEMA', reply: '1146' })
    await expect(store.probe()).rejects.toMatchObject({ code: 'HALT_E_STORE_SCHEMA' })
    expect(await codesOf(store)).toEqual(['HALT_W_STORE_SCHEMA'])
    const limiter = new RateLimiter({ store, policy, onStoreError: 'closed', warn: () => {} })
    expect(await limiter.consume({ user: '1' })).toMatchObject({ allowed: false, reason: 'store-error' })
    await limiter.close()
  })

  it('a table without transactions is a warning', async () => {
    const table = unique()
    const store = new MysqlStore({ pool, table })
    await pool.query(store.schema().replace('InnoDB', 'MyISAM'))
    expect(await codesOf(store)).toContain('HALT_W_STORE_SCHEMA')
  })

  it.each([
    ['5.7.44', true],
    ['8.0.36', false],
    ['10.5.29-MariaDB', true],
    ['10.6.1-MariaDB-log', false],
    ['11.8.3-MariaDB', false],
  ])('inspect() of a server of version %s warns of its age: %s', async (version, isOld) => {
    const { table } = await storeOn(pool)
    const old = poolWith(async (query, sql) =>
      sql.startsWith('select @@version') ? [[[version, 1]]] : query(),
    )
    const codes = await codesOf(new MysqlStore({ pool: old, table }))
    expect(codes).toEqual(isOld ? ['HALT_W_STORE_MISCONFIGURED'] : [])
  })

  it('inspect() warns of a proxy that drops what the store has set', async () => {
    const { table } = await storeOn(pool)
    const proxied = poolWith(async (query, sql) => (sql.startsWith('set session') ? [[]] : query()))
    const store = new MysqlStore({ pool: proxied, table })
    expect(butSlow(await store.inspect())).toMatchObject([
      { code: 'HALT_W_STORE_MISCONFIGURED', message: expect.stringContaining('waits up to 50 s') },
    ])
  })

  it.each(['select', 'select, insert, update'])('a user who may only %s gets a warning', async rights => {
    const { table } = await storeOn(pool)
    const store = new MysqlStore({ pool: await asUser(table, rights), table, warn: () => {} })
    expect(await codesOf(store)).toEqual(['HALT_W_PERMISSION'])
  })

  it('a wrong password and an unknown database are misconfigurations', async () => {
    const uri = new URL(inject('mysqlUrl'))
    uri.password = 'wrong'
    const wrong = open({ uri: uri.href })
    const nowhere = open({ database: 'nowhere', uri: inject('mysqlUrl').replace(/\w+$/, 'nowhere') })
    ends.push(
      () => wrong.end(),
      () => nowhere.end(),
    )
    await expect(new MysqlStore({ pool: wrong }).evaluate(ask)).rejects.toMatchObject({
      code: 'HALT_E_STORE_AUTH',
      failure: 'misconfigured',
    })
    await expect(new MysqlStore({ pool: nowhere }).evaluate(ask)).rejects.toMatchObject({
      code: 'HALT_E_STORE_MISCONFIGURED',
      unsent: true,
    })
  })
})

describe('a server that fails', () => {
  it('a server that dies is away until it is back, with its counters', async () => {
    const server = await startMariadb()
    ends.push(() => server.stop())
    const own = mysql.createPool({ uri: server.url, connectionLimit: 4 })
    ends.push(() => own.end())
    const { store } = await storeOn(own)
    expect((await store.evaluate(ask)).states[0]?.[2]).toBe(1)
    await server.end('SIGKILL')
    await expect(store.evaluate(ask)).rejects.toMatchObject({ failure: 'unavailable', unsent: true })
    expect(await codesOf(store)).toEqual(['HALT_W_STORE_UNAVAILABLE'])
    await server.start()
    await expect
      .poll(() =>
        store.evaluate(ask).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true)
    expect((await store.evaluate(ask)).states[0]?.[2]).toBe(3)
    // A replica, or a primary that was switched to read-only.
    await own.query('set global read_only = 1')
    expect(await codesOf(store)).toEqual(['HALT_W_REPLICA'])
    await own.query('set global read_only = 0')
  })

  it('a server that hangs keeps no connection, and a check that waits for it was not charged', async () => {
    const server = await startMariadb()
    ends.push(() => server.stop())
    const own = mysql.createPool({ uri: server.url, connectionLimit: 4 })
    ends.push(() => own.end())
    const { store } = await storeOn(own)
    await store.evaluate(ask)
    server.process.kill('SIGSTOP')
    await expect(store.evaluate(ask)).rejects.toMatchObject({ code: 'HALT_E_STORE_TIMEOUT', unsent: true })
    server.process.kill('SIGCONT')
    expect((await store.evaluate(ask)).states[0]?.[2]).toBe(2)
  })

  it('a connection that the server has ended fails no check', async () => {
    const own = open({ connectionLimit: 1 })
    ends.push(() => own.end())
    const { store } = await storeOn(own)
    const limiter = new RateLimiter({ store, policy, storeTimeout: '30s', warn: () => {} })
    await limiter.consume({ user: '1' })
    const [[{ id }]] = (await own.query('select connection_id() as id')) as unknown as [[{ id: number }]]
    await pool.query(`kill ${id}`)
    const isThere = async (): Promise<number> => {
      const [rows] = await pool.query(`select 1 from information_schema.processlist where id = ${id}`)
      return (rows as unknown[]).length
    }
    await expect.poll(isThere).toBe(0)
    expect(await limiter.consume({ user: '1' })).toMatchObject({
      allowed: true,
      degraded: false,
      remaining: 3,
    })
    await limiter.close()
  })

  it('a transaction whose commit ends in a deadlock is made again', async () => {
    const { table } = await storeOn(pool)
    let commits = 0
    const conflicting = poolWith(async (query, sql) => {
      // As Galera answers; the transaction is rolled back.
      if (sql === 'commit' && ++commits === 1)
        throw Object.assign(new Error('Deadlock found'), { errno: 1213, sqlState: '40001' })
      return query()
    })
    expect((await new MysqlStore({ pool: conflicting, table }).evaluate(ask)).states[0]?.[2]).toBe(1)
    expect(commits).toBe(2)
  })

  it('a commit without an answer is in doubt', async () => {
    const { store, table } = await storeOn(pool)
    await store.evaluate(ask)
    const failing = poolWith(async (query, sql) => {
      const answer = await query()
      if (sql === 'commit') throw new Error('Connection lost: The server closed the connection.')
      return answer
    })
    const doubtful = new MysqlStore({ pool: failing, table })
    const error: unknown = await doubtful.evaluate(ask).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ failure: 'unavailable', code: 'HALT_E_STORE_UNAVAILABLE' })
    expect(error).not.toHaveProperty('unsent', true)
    expect((error as { reply?: unknown }).reply).toBeUndefined()
    // It was made, once.
    expect((await store.evaluate(ask)).states[0]?.[2]).toBe(3)
  })
})
