import { createServer } from 'node:net'
import pg from 'pg'
import postgres from 'postgres'
import { expect, it } from 'vitest'

import { PostgresStore } from '../src/index.ts'
import { toStoreError } from '../src/store-error.ts'

const error = (code: string, message = 'm'): Error => Object.assign(new Error(message), { code })

it.each([
  ['25006', 'READONLY', 'unavailable'],
  ['26000', 'POOLER', 'misconfigured'],
  ['28P01', 'AUTH', 'misconfigured'],
  ['40001', 'MISCONFIGURED', 'misconfigured'],
  ['42501', 'PERMISSION', 'misconfigured'],
  ['42883', 'SCHEMA', 'misconfigured'],
  ['42P01', 'SCHEMA', 'misconfigured'],
  ['3F000', 'SCHEMA', 'misconfigured'],
  ['53100', 'OOM', 'full'],
  ['53200', 'OOM', 'full'],
  ['53300', 'UNAVAILABLE', 'unavailable'],
  ['57P03', 'UNAVAILABLE', 'unavailable'],
  ['08004', 'UNAVAILABLE', 'unavailable'],
  ['55P03', 'TIMEOUT', 'timeout'],
  ['57014', 'TIMEOUT', 'timeout'],
  ['22012', 'SCRIPT', 'script'],
])('the SQLSTATE %s is HALT_E_STORE_%s, and tells that nothing was applied', (state, code, failure) => {
  expect(toStoreError(error(state))).toMatchObject({ code: `HALT_E_STORE_${code}`, failure, reply: state })
})

it('a full table of locks is told apart from a full disk', () => {
  expect(toStoreError(error('53200', 'out of shared memory')).fix).toContain('max_locks_per_transaction')
  expect(toStoreError(error('53100')).fix).not.toContain('locks')
})

it.each(['57P01', '08006', 'ECONNRESET', 'EPIPE'])('%s leaves open whether a charge was applied', code => {
  const { reply, unsent } = toStoreError(error(code)) as { reply?: unknown; unsent?: unknown }
  expect([reply, unsent]).toEqual([undefined, undefined])
})

/** A port on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => void server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => void server.close(resolve))
  return port
}

it.each([
  [
    'pg',
    (port: number, host: string) => {
      const pool = new pg.Pool({ host, port, user: 'halt' })
      return { query: pool, end: () => pool.end() }
    },
  ],
  [
    'postgres.js',
    (port: number, host: string) => {
      const sql = postgres({ host, port, user: 'halt', max: 1 })
      return { query: sql, end: () => sql.end({ timeout: 0 }) }
    },
  ],
])('a statement that %s could not send is known to be unsent', async (_, open) => {
  const port = await closedPort()
  // A name may have several addresses, of which the client tries each.
  for (const host of ['127.0.0.1', 'localhost']) {
    const { query, end } = open(port, host)
    const store = new PostgresStore({ query })
    await expect(store.probe()).rejects.toMatchObject({ failure: 'unavailable', unsent: true })
    await store.close()
    await end()
  }
})

it('so is one for which the pool of pg had no connection', async () => {
  const pool = new pg.Pool({ host: '127.0.0.1', port: await closedPort() })
  await pool.end()
  await expect(new PostgresStore({ query: pool }).probe()).rejects.toMatchObject({ unsent: true })
  expect(toStoreError(new Error('timeout exceeded when trying to connect'))).toMatchObject({
    failure: 'timeout',
    unsent: true,
  })
})

it('a timeout of the client is a timeout, and any other value an error with a text', () => {
  expect(toStoreError(new Error('Query read timeout'))).toMatchObject({ failure: 'timeout' })
  expect(toStoreError('gone')).toMatchObject({ message: 'gone', failure: 'unavailable' })
})
