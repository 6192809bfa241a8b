// The ACL line of docs/redis.md is sufficient and minimal: without any of its commands the server refuses some client.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import { QuotaManager, PenaltyManager, RateLimiter } from '@halt/core'
import { Redis } from 'ioredis'
import { describe } from 'vitest'

import { butSlow } from '../../../../tools/but-slow.ts'
import { isFull } from '../../../../tools/full.ts'
import { ask, type RunningServer } from '../../../../tools/servers.ts'
import { RedisStore } from '../../src/index.ts'
import { clusters, type Maker, singles, usual } from '../connection/makers.ts'
import { it, type Scene, until } from '../connection/scene.ts'

const page = readFileSync(new URL('../../../../docs/redis.md', import.meta.url), 'utf8')
const line = /^ACL SETUSER halt .*$/m.exec(page)?.[0] ?? ''
const onCluster = /^On a Cluster add `([^`]+)`/m.exec(page)?.[1] ?? ''
const PASSWORD = 'a-long-password'
const CONNECT_MS = 3_000
const TOGETHER = 6
const ROUNDS = 3

/** The rules of a line after the user's name. */
const rulesOf = (text: string): string[] => text.split(' ').slice(3)
const commandsOf = (text: string): string[] => text.split(' ').filter(word => word.startsWith('+'))

/** Sends all commands of Halt, as one user, over one client: each kind of policy, managers, ready(), the probe of an outage. */
async function exercise(scene: Scene, maker: Maker, port: number, username: string): Promise<string[]> {
  const isCluster = maker.kind === 'cluster'
  // Clients send a database number and a connection name after the login.
  const more = maker.library === 'ioredis' ? { connectionName: 'app', db: 1 } : { name: 'app', database: 1 }
  const named = maker.library === 'ioredis' ? { connectionName: 'app' } : { name: 'app' }
  const user = scene.user(maker, port, { username, password: PASSWORD, ...(isCluster ? named : more) })
  // If a command of the library is refused when it connects, a client may try for ever.
  await Promise.race([user.connect().catch(() => {}), sleep(CONNECT_MS)])
  const failed: string[] = []
  const store = new RedisStore({ client: user.client, warn: ({ code }) => failed.push(code) })
  const policies = [
    { name: 't', limit: 2, window: 60, blockDuration: 30 },
    { name: 's', limit: 9, window: 60, algorithm: 'sliding-window' },
    { name: 'f', limit: 9, window: 60, algorithm: 'fixed-window' },
    { name: 'c', limit: 9, ttl: 60, algorithm: 'concurrency' },
    { name: 'q', limit: 9, period: 'daily' },
  ] as const
  // Ignores the warning that one policy can never refuse.
  const warn = ({ code }: { code: string }): void => {
    if (/STORE|PERMISSION/.test(code)) failed.push(code)
  }
  const limiter = new RateLimiter({ store, policy: policies, penalty: {}, storeTimeout: '1s', warn })
  const single = new RateLimiter({
    store,
    policy: { name: 'one', limit: 2, window: 60 },
    storeTimeout: '1s',
    warn,
  })
  scene.defer(() => limiter.close())
  const name = `${username}-${maker.name}`
  const tries = [
    async () => failed.push(...butSlow(await single.ready()).map(({ code }) => code)),
    () => store.probe(),
    () => single.consume(name),
    async () => limiter.settle(await limiter.consume(name, { idempotencyKey: 'x' }), 0),
    () => limiter.consume(name, { cost: 2 }),
    () => limiter.consume(name),
    () => limiter.reset(name),
    // Only the first write of a document writes.
    () => store.document(name).write('text', '0'),
    () => new QuotaManager(store, { warn }).consumeQuota(name, { name: 'q', limit: 9, period: 'daily' }),
    () => new PenaltyManager({ store, config: {}, warn }).recordViolation(name),
  ]
  for (const attempt of tries)
    await attempt().catch((error: { code?: string }) => failed.push(String(error.code)))
  user.kill()
  return failed
}

/** The commands, keys and channels that a server has refused so far, by user. */
async function refusals(servers: readonly RunningServer[]): Promise<Map<string, Set<string>>> {
  const found = new Map<string, Set<string>>()
  for (const { port } of servers) {
    const admin = new Redis(port)
    const log = (await admin.acl('LOG', '10000')) as (string | number)[][]
    admin.disconnect()
    for (const entry of log) {
      const of = (field: string): string => String(entry[entry.indexOf(field) + 1])
      const seen = found.get(of('username')) ?? new Set()
      found.set(of('username'), seen.add(of('object').toLowerCase()))
    }
  }
  return found
}

async function grant(
  servers: readonly RunningServer[],
  user: string,
  rules: readonly string[],
): Promise<void> {
  for (const { port } of servers) {
    const admin = new Redis(port)
    await admin.acl('SETUSER', user, ...rules)
    await until('its replica', async () => (await admin.acl('GETUSER', user)) !== null)
    admin.disconnect()
  }
}

it('every page shows the same ACL line', ({ expect }) => {
  const root = new URL('../../../../', import.meta.url)
  const pages = ['HALT_E_STORE_PERMISSION', 'HALT_W_PERMISSION'].map(code => `docs/errors/${code}.md`)
  for (const name of pages) {
    const text = readFileSync(new URL(name, root), 'utf8')
    const [said = ''] = /\+evalsha \+eval [^'\n]*/.exec(text) ?? []
    expect(commandsOf(said), name).toEqual(commandsOf(line))
  }
})

const args = ['--acllog-max-len', '10000']
const setups = [
  {
    name: 'one server',
    usual: 'redis-server',
    isTriedWithout: true,
    makers: singles.filter(({ kind }) => kind === 'single'),
    rules: rulesOf(line),
    start: async (scene: Scene, binary: 'redis-server' | 'valkey-server') => [
      await scene.server({ binary, args }),
    ],
  },
  {
    name: 'a cluster',
    usual: 'valkey-server',
    // The commands that the line of a cluster has more are tried in full alone.
    isTriedWithout: isFull,
    makers: clusters,
    // A cluster has one database.
    rules: [...rulesOf(line), ...commandsOf(onCluster)].filter(rule => rule !== '+select'),
    start: async (scene: Scene, binary: 'redis-server' | 'valkey-server') =>
      (await scene.cluster({ binary, args })).servers,
  },
]

describe.each(setups)(
  'the ACL line of the documentation, on $name',
  ({ usual: short, isTriedWithout, makers, rules, start }) => {
    for (const binary of ['redis-server', 'valkey-server'] as const) {
      if (binary !== short && !isFull) continue
      const isNeeded = isTriedWithout ? ', and each of its commands is needed' : ''
      it(`the ACL line permits all that Halt does${isNeeded}: ${binary}`, async ({ scene, expect }) => {
        const servers = await start(scene, binary)
        const port = servers[0]!.port
        const commands = rules.filter(rule => rule.startsWith('+'))
        expect(commands.length).toBeGreaterThan(14)
        await grant(servers, 'halt', rules)
        const failures = makers.map(maker => exercise(scene, maker, port, 'halt'))
        expect(await Promise.all(failures)).toEqual(makers.map(() => []))
        expect(Object.fromEntries(await refusals(servers))).toEqual({})

        if (!isTriedWithout) return
        // The old versions of the libraries send the same commands.
        const some = usual(makers)
        const without = (command: string): string => `no-${command.slice(1).replace('|', '-')}`
        const tryWithout = async (command: string): Promise<void> => {
          await grant(
            servers,
            without(command),
            rules.filter(rule => rule !== command),
          )
          await Promise.all(some.map(maker => exercise(scene, maker, port, without(command))))
        }
        // EVAL is sent only if a server does not know the script.
        for (const server of servers) await ask(server.port, 'SCRIPT FLUSH')
        await tryWithout('+eval')
        let refused = new Map<string, Set<string>>()
        const isRefused = (command: string): boolean => refused.has(without(command))
        // A slow machine sends in a later round what it had no time for.
        for (let round = 0; round < ROUNDS; round++) {
          const others = commands.filter(command => command !== '+eval' && !isRefused(command))
          while (others.length > 0) await Promise.all(others.splice(0, TOGETHER).map(tryWithout))
          refused = await refusals(servers)
        }
        const missed = commands.map(command => [command, [...(refused.get(without(command)) ?? [])]])
        expect(missed).toEqual(commands.map(command => [command, [command.slice(1)]]))
      })
    }
  },
)
