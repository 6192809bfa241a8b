// The stores of docs/other-databases.md: on a real etcd, on libSQL, and on dynalite in place of DynamoDB.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { storeSuite } from '@halt/conformance'
import { RateLimiter } from '@halt/core'
import { type Client, createClient } from '@libsql/client'
import dynalite from 'dynalite'
import { Etcd3 } from 'etcd3'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

import { only } from '../../../tools/parts-of-suite.ts'
import { findServer } from '../../../tools/find-server.mjs'
import { freePort } from '../../../tools/free-port.mjs'
import { dynamoStore } from '../src/dynamo-store.ts'
import { etcdStore } from '../src/etcd-store.ts'
import { libsqlStore } from '../src/libsql-store.ts'

let folder: string
const ends: (() => unknown)[] = []
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'halt-databases-'))
})
afterAll(async () => {
  for (const end of ends.toReversed()) await end()
  await rm(folder, { recursive: true, force: true })
})

// In the short form only what depends on the database: how values are read, kept and removed, and who wins.
const some = only('charges', 'documents', 'groups')

let etcd: Etcd3
beforeAll(async () => {
  const program = findServer('etcd')
  if (program === undefined) throw new Error('This test needs etcd: run `npm run setup`.')
  const [clients, peers] = [await freePort(), await freePort()].map(port => `http://127.0.0.1:${port}`)
  const args = ['--data-dir', join(folder, 'etcd'), '--unsafe-no-fsync', '--log-level', 'error']
  const urls = ['--listen-client-urls', '--advertise-client-urls'].flatMap(name => [name, `${clients}`])
  const peerUrls = ['--listen-peer-urls', '--initial-advertise-peer-urls'].flatMap(name => [name, `${peers}`])
  const server = spawn(program, [...args, ...urls, ...peerUrls, '--initial-cluster', `default=${peers}`])
  ends.push(() => stop(server))
  etcd = new Etcd3({ hosts: `${clients}` })
  ends.push(() => etcd.close())
  const port = Number(new URL(`${clients}`).port)
  await vi.waitFor(
    async () => {
      const socket = createConnection(port, '127.0.0.1')
      await once(socket, 'connect')
      socket.destroy()
    },
    { timeout: 30_000 },
  )
})

async function stop(server: ChildProcess): Promise<void> {
  const ended = once(server, 'exit')
  server.kill('SIGKILL')
  await ended
}

storeSuite(some, {
  name: 'casStore over etcd',
  async make(clock) {
    await etcd.delete().all()
    return etcdStore(etcd, { clock })
  },
  ordered: false,
  histories: 1,
  steps: 100,
})

let made = 0
let libsql: Client | undefined
storeSuite(some, {
  name: 'txStore over libSQL',
  make(clock) {
    libsql = createClient({ url: `file:${join(folder, `libsql-${made++}`)}` })
    return libsqlStore(libsql, { clock })
  },
  end: () => libsql?.close(),
  histories: 1,
  steps: 100,
})

describe('casStore over DynamoDB', () => {
  let client: DynamoDBClient
  // The client says at once that it will need Node 22 in 2027.
  const QUIET = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'
  beforeAll(async () => {
    process.env[QUIET] = 'true'
    ends.push(() => delete process.env[QUIET])
    const server = dynalite({ createTableMs: 0, deleteTableMs: 0 })
    const port = await freePort()
    await new Promise<void>(resolve => void server.listen(port, '127.0.0.1', () => resolve()))
    ends.push(() => new Promise(resolve => void server.close(resolve)))
    client = new DynamoDBClient({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'local',
      credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
    })
    ends.push(() => client.destroy())
    await client.send(
      new CreateTableCommand({
        TableName: 'halt',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'k', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'k', KeyType: 'HASH' }],
      }),
    )
  })

  it('two limiters on DynamoDB are together admitted exactly the limit of one counter', async () => {
    const policy = {
      name: 'p',
      limit: 20,
      window: 600,
      algorithm: 'fixed-window',
      keyStrategy: 'user',
    } as const
    const limiters = [1, 2].map(
      () =>
        new RateLimiter({ store: dynamoStore(client, 'halt'), policy, storeTimeout: '30s', warn: () => {} }),
    )
    const asked = Array.from({ length: 30 }, () =>
      limiters.map(limiter => limiter.consume({ user: '1' })),
    ).flat()
    const decisions = await Promise.all(asked)
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(20)
    expect(decisions.every(({ degraded }) => degraded === false)).toBe(true)
    await limiters[0]?.reset({ user: '1' })
    expect(await limiters[1]?.peek({ user: '1' })).toMatchObject({ remaining: 20 })
  })

  it('a document in DynamoDB is written only over the version that was read', async () => {
    const document = dynamoStore(client, 'halt').document!('control')
    const version = await document.write('first', '0')
    expect(await document.write('second', '0')).toBeUndefined()
    expect(await document.read()).toEqual({ version, text: 'first' })
  })
})

it('the page of other databases links to each store that these tests run', async () => {
  const page = await readFile(new URL('../../../docs/other-databases.md', import.meta.url), 'utf8')
  const links = [...page.matchAll(/\(\.\.\/apps\/recipes\/src\/([\w-]+)\.ts\)/g)].map(([, name]) => name)
  expect(links).toEqual(['libsql-store', 'etcd-store', 'dynamo-store'])
})
