// The commands on MariaDB, which an application of another process uses.
import { Control } from '@halt/control'
import { RateLimiter } from '@halt/core'
import { MysqlStore } from '@halt/store-mysql'
import mysql from 'mysql2/promise'
import { describe, expect, inject, it, onTestFinished } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { unique } from '../../../../tools/unique.ts'
import { folderWith, halt, sourceOf } from '../halt.ts'

const policy = { name: 'per_user', limit: 2, window: 3600, keyStrategy: 'user' } as const

/** Makes a database for one test: other files make many tables in the usual one. */
async function ownDatabase(): Promise<string> {
  const [name, url] = [unique(), new URL(inject('mysqlUrl'))]
  url.pathname = `/${name}`
  const pool = mysql.createPool({ uri: inject('mysqlUrl'), connectionLimit: 1 })
  await pool.query(`create database \`${name}\``)
  onTestFinished(async () => {
    await pool.query(`drop database \`${name}\``)
    await pool.end()
  })
  return url.href
}

/** An application whose limits are in a table of its own. */
async function app(uri: string = inject('mysqlUrl')) {
  const table = unique()
  const pool = mysql.createPool({ uri, connectionLimit: 2 })
  const store = new MysqlStore({ pool, table })
  await pool.query(store.schema())
  const control = new Control({ store })
  const month = { name: 'month', limit: 4, period: 'monthly', anchor: aMinuteAgo() } as const
  const limiter = new RateLimiter({ store, control, policy: [policy, month], storeTimeout: '30s' })
  onTestFinished(async () => {
    control.close()
    await limiter.close()
    await pool.query(`drop table \`${table}\``)
    await pool.end()
  })
  const at = {
    cwd: folderWith({ 'limits.mjs': `export const policies = ${sourceOf([policy, month])}` }),
    env: { HALT_MYSQL_URL: inject('mysqlUrl') },
  }
  return {
    table,
    pool,
    control,
    limiter,
    shell: (...args: string[]) => halt([...args, '--table', table], at),
  }
}

describe('a command on MySQL', () => {
  it('a command on MySQL finds, frees, blocks and grants as on Redis', async () => {
    const { control, limiter, table, shell } = await app()
    for (let i = 0; i < 3; i++) await limiter.consume({ user: '42' })
    await control.refresh()
    const found = await shell('find', 'user:42', '--policy', 'limits.mjs')
    expect(found.err).toBe('')
    expect([found.code, found.out]).toEqual([
      1,
      expect.stringMatching(new RegExp(`^MySQL .*, database \\w+, table "${table}": 1 live process\n`)),
    ])
    expect((await shell('reset', 'user:42', '--policy', 'limits.mjs')).code).toBe(0)
    // Processes remember a refusal for up to a second.
    await expect.poll(async () => (await limiter.consume({ user: '42' })).reason).not.toBe('limited')
    const granted = await shell('grant', 'user:42', 'month', '5', '--policy', 'limits.mjs')
    expect(granted.out).toContain('user:42 has 5 units of month on top')
    expect((await shell('block', 'user:x', '--reason', 'abuse')).code).toBe(0)
    await control.refresh()
    expect((await limiter.consume({ user: 'x' })).reason).toBe('blocked')
    expect((await shell('history')).out).toContain('abuse')
    const doctor = await shell('doctor')
    expect(doctor.out).toContain(`table "${table}": 1 live process`)
  })

  it('another table ends with 3, and one that processes use is named', async () => {
    const url = await ownDatabase()
    const { limiter, pool, table } = await app(url)
    await limiter.consume({ user: '42' })
    const own = unique()
    await pool.query(new MysqlStore({ pool, table: own }).schema())
    const shell = () => halt(['entries', '--mysql', url, '--table', own], {})
    const { code, err } = await shell()
    expect([code, err]).toEqual([3, expect.stringContaining(`No process has used the table "${own}"`)])
    // The application tells that it lives beside its first check.
    await expect
      .poll(async () => (await shell()).err)
      .toContain(`Processes use the table "${table}": give --table "${table}"`)
  })

  it('a command on MySQL names the missing table', async () => {
    const at = ['--mysql', inject('mysqlUrl'), '--table', 'nowhere']
    const { code, err } = await halt(['entries', ...at], {})
    expect([code, err]).toEqual([
      3,
      expect.stringMatching(/HALT_E_STORE_SCHEMA: The table "nowhere" .* store\.schema\(\)/),
    ])
    const doctor = await halt(['doctor', ...at], {})
    expect([doctor.code, doctor.out]).toEqual([1, expect.stringContaining('problem HALT_E_STORE_SCHEMA')])
  })

  it.each([
    [
      'a wrong address',
      ['--mysql', 'postgres://me:hunter2@x/y'],
      2,
      'not the address of a database of MySQL',
    ],
    ['no database', ['--mysql', 'mysql://me:hunter2@x'], 2, 'not the address of a database of MySQL'],
    [
      'a wrong table',
      ['--mysql', 'mysql://me:hunter2@127.0.0.1:1/y', '--table', 'a`b'],
      2,
      'HALT_E_STORE_OPTION',
    ],
    [
      'a server that is not there',
      ['--mysql', 'mysql://me:hunter2@127.0.0.1:1/y'],
      3,
      'HALT_E_STORE_UNAVAILABLE',
    ],
    ['both stores', ['--mysql', 'mysql://x/y', '--redis', 'redis://x'], 2, 'are both given'],
  ])('a command on MySQL with %s fails, and shows no password', async (_name, args, exit, says) => {
    const { code, err, out } = await halt(['entries', ...args], {})
    expect([code, err]).toEqual([exit, expect.stringContaining(says)])
    expect(out + err).not.toContain('hunter2')
  })
})
