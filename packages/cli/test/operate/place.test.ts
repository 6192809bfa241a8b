// A command that looks at the wrong place must not look as if all were well.
import { Control } from '@halt/control'
import { RateLimiter } from '@halt/core'
import { PostgresStore, schema as schemaOf } from '@halt/store-postgres'
import { RedisStore } from '@halt/store-redis'
import { Redis } from 'ioredis'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import pg from 'pg'
import { afterAll, describe, expect, inject, it, onTestFinished } from 'vitest'

import { aMinuteAgo } from '../../../../tools/a-minute-ago.ts'
import { unique } from '../../../../tools/unique.ts'
import { folderWith, halt, sourceOf } from '../halt.ts'

const client = new Redis(inject('redisUrl'))
afterAll(() => client.quit())

const policy = { name: 'per_user', limit: 2, window: 3600, keyStrategy: 'user' } as const
const cwd = (): string => folderWith({ 'limits.mjs': `export const policies = [${JSON.stringify(policy)}]` })

/** A process of an application that is idle: it only reads what operators have set. */
async function idleApp(prefix: string): Promise<void> {
  const store = new RedisStore({ client, prefix })
  const control = new Control({ store })
  const limiter = new RateLimiter({ store, control, policy, storeTimeout: '30s' })
  onTestFinished(async () => {
    control.close()
    await limiter.close()
  })
  await control.refresh()
}

describe('a command on Redis', () => {
  it('a command on Redis ends with 3 where no process lives, and names the prefix where one does', async () => {
    const prefix = `${unique()}:`
    await idleApp(prefix)
    const env = { HALT_REDIS_URL: inject('redisUrl') }
    const right = ['--prefix', prefix]
    const wrong = ['--prefix', `${prefix}wrong:`]
    for (const args of [
      ['find', 'user:42', '--policy', 'limits.mjs'],
      ['reset', 'user:42', '--policy', 'limits.mjs'],
      ['block', 'user:42', '--for', '1m'],
      ['entries'],
      ['history'],
      ['top'],
      ['unblock', 'user:42'],
      ['override', 'user:42', 'per_user', '--limit', '5'],
      ['change', 'per_user', '--limit', '5'],
    ]) {
      const lost = await halt([...args, ...wrong], { cwd: cwd(), env })
      expect([args[0], lost.code]).toEqual([args[0], 3])
      expect(lost.err).toContain(`No process has used the prefix "${prefix}wrong:"`)
      expect(lost.err).toContain(`"${prefix}"`)
      expect(lost.out).toContain(`database 0, prefix "${prefix}wrong:": no live processes\n`)
      if (args[0] === 'block')
        expect(lost.out).toContain('Written, but no process reads it here: user:42 is not blocked.')
      if (args[0] === 'override' || args[0] === 'change')
        expect(lost.out).toMatch(
          /Written, but no process reads it here: per_user keeps its numbers for .*\.\n$/,
        )
      if (args[0] === 'top') continue
      const found = await halt([...args, ...right], { cwd: cwd(), env })
      expect(found.code).toBeLessThan(2)
      expect(found.out).toContain(`prefix "${prefix}": 1 live process\n`)
    }
  })

  it('a command that cannot read the entries of operators never says that there are none', async () => {
    const prefix = `${unique()}:`
    await idleApp(prefix)
    const document = new RedisStore({ client, prefix }).document('control')
    const found = await document.read()
    await document.write('{"halt":99,"entries":[]}', found?.version ?? '0')
    const at = { cwd: cwd(), env: { HALT_REDIS_URL: inject('redisUrl') } }
    for (const args of [
      ['entries'],
      ['find', 'user:42'],
      ['reset', 'user:42'],
      ['block', 'user:42'],
      ['unblock', 'user:42'],
      ['override', 'user:42', 'per_user', '--limit', '5'],
      ['revert', 'per_user'],
    ]) {
      const { code, err, out } = await halt([...args, '--prefix', prefix, '--policy', 'limits.mjs'], at)
      expect([args[0], code, err]).toEqual([
        args[0],
        3,
        expect.stringContaining('The control document cannot be read'),
      ])
      expect(out).not.toMatch(/Operators have set nothing|was not blocked|had no other numbers/)
    }
    const doctor = await halt(['doctor', '--prefix', prefix], at)
    expect([doctor.code, doctor.out]).toEqual([
      1,
      expect.stringContaining('HALT_E_CONTROL: The control document'),
    ])
  })

  it('a command does not say that nobody lives where the processes do not tell', async () => {
    const prefix = `${unique()}:`
    const file = `export default { policy: ${JSON.stringify(policy)}, instances: 4 }`
    const run = await halt(
      ['find', 'user:42', '--policy', 'limits.mjs', '--redis', inject('redisUrl'), '--prefix', prefix],
      { cwd: folderWith({ 'limits.mjs': file }) },
    )
    expect([run.code, run.out]).toEqual([
      0,
      expect.stringContaining('its processes do not tell that they live'),
    ])
  })

  it('a command names the server on standard error beside JSON, and never a password', async () => {
    const name = unique()
    await client.acl('SETUSER', name, 'on', '>hunter2', '~*', '+@all')
    onTestFinished(() => void client.acl('DELUSER', name))
    const url = new URL(inject('redisUrl'))
    ;[url.username, url.password, url.pathname] = [name, 'hunter2', '/1']
    const run = await halt(['entries', '--json', '--redis', url.href], {})
    expect(JSON.parse(run.out)).toEqual([])
    expect(run.err).toContain(`Redis ${url.host}, database 1, prefix "halt:": no live processes\n`)
    expect(run.out + run.err).not.toContain('hunter2')
  })
})

describe('a command where processes do not read what operators set', () => {
  it('a command says that the limiters have their Control elsewhere, and that a block has no effect', async () => {
    const prefix = `${unique()}:`
    const store = new RedisStore({ client, prefix })
    const control = new Control({ store: new RedisStore({ client, prefix: `${prefix}other:` }) })
    const limiter = new RateLimiter({ store, control, policy, storeTimeout: '30s', warn: () => {} })
    onTestFinished(async () => {
      control.close()
      await limiter.close()
    })
    await limiter.consume({ user: '42' })
    const at = { cwd: cwd(), env: { HALT_REDIS_URL: inject('redisUrl') } }
    const shell = (...args: string[]) => halt([...args, '--prefix', prefix], at)
    await expect.poll(async () => (await shell('entries')).out).toContain(': 1 live process\n')
    const blocked = await shell('block', 'user:42')
    expect([blocked.code, blocked.out]).toEqual([
      3,
      expect.stringContaining('Written, but no process reads it here: user:42 is not blocked.'),
    ])
    expect(blocked.err).toContain('1 of 1 live process does not read what operators set here')
    const found = await shell('find', 'user:42', '--policy', 'limits.mjs')
    expect((await limiter.consume({ user: '42' })).allowed).toBe(true)
    expect(found.out).toMatch(
      /\nAllowed: ok \(per_user\)\n[^]*set by an operator, but no process reads it here: .*block/,
    )
    expect([found.code, found.err]).toEqual([0, expect.stringContaining('HALT_W_CONTROL_ELSEWHERE')])
    const doctor = await shell('doctor')
    expect([doctor.code, doctor.out]).toEqual([
      1,
      expect.stringMatching(/problem .*HALT_W_CONTROL_ELSEWHERE/),
    ])
    // The document that the limiter reads is the other one.
    const there = await halt(['block', 'user:42', '--prefix', `${prefix}other:`], at)
    expect([there.out, there.err]).toEqual([
      expect.stringContaining('Blocked user:42, until'),
      expect.stringContaining('Their counters may be under another prefix (HALT_W_CONTROL_ELSEWHERE).'),
    ])
    await control.refresh()
    expect((await limiter.consume({ user: '42' })).reason).toBe('blocked')
  })

  it('a command counts the processes that do not read what operators set', async () => {
    const prefix = `${unique()}:`
    await idleApp(prefix)
    const limiter = new RateLimiter({
      store: new RedisStore({ client, prefix }),
      policy,
      storeTimeout: '30s',
    })
    onTestFinished(() => limiter.close())
    await limiter.consume({ user: '42' })
    const at = { env: { HALT_REDIS_URL: inject('redisUrl') } }
    await expect
      .poll(async () => (await halt(['entries', '--prefix', prefix], at)).err)
      .toContain('1 of 2 live processes do not read what operators set here')
    const blocked = await halt(['block', 'user:7', '--for', '1m', '--prefix', prefix], at)
    expect([blocked.code, blocked.out]).toEqual([0, expect.stringContaining('Blocked user:7, until')])
  })

  it('a command with a prefix that no store can have is wrong by itself', async () => {
    for (const kind of ['redis', 'postgres']) {
      const url = inject(`${kind as 'redis'}Url`)
      const { code, err } = await halt(['entries', '--prefix', `a b{${'x'.repeat(80)}`, `--${kind}`, url], {})
      expect([kind, code, err]).toEqual([kind, 2, expect.stringContaining('HALT_E_STORE_OPTION')])
    }
  })
})

describe('a command on a node of a Cluster', () => {
  it('a node of a Cluster gets no command, whichever keys it has', async () => {
    for (const { host, port } of inject('clusterNodes')) {
      const at = ['--redis', `redis://${host}:${port}`]
      for (const args of [
        ['entries'],
        ['find', 'user:42', '--policy', 'limits.mjs'],
        ['top'],
        ['block', 'user:42'],
      ]) {
        const { code, err } = await halt([...args, ...at], { cwd: cwd() })
        expect([port, args[0], code, err]).toEqual([
          port,
          args[0],
          3,
          expect.stringContaining('is one node of a Cluster'),
        ])
      }
      const doctor = await halt(['doctor', ...at], {})
      expect([port, doctor.code]).toEqual([port, 1])
    }
  })
})

describe('a command on a server that accepts connections and never answers', () => {
  it.each(['redis', 'postgres', 'mysql'])(
    'a command on a server that never answers ends with 3: %s',
    async kind => {
      const sockets = new Set<Socket>()
      const server = createServer(socket => sockets.add(socket.on('error', () => {})))
      onTestFinished(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
      await once(server.listen(0, '127.0.0.1'), 'listening')
      const { port } = server.address() as AddressInfo
      const path = kind === 'mysql' ? '/app' : ''
      const { code, err } = await halt(['entries', `--${kind}`, `${kind}://127.0.0.1:${port}${path}`], {})
      expect([code, err]).toEqual([3, expect.stringContaining(`at 127.0.0.1:${port} does not answer`)])
    },
  )
})

describe('a command on PostgreSQL', () => {
  it('a command on PostgreSQL finds, blocks, frees and grants as on Redis', async () => {
    const schema = unique()
    const pool = new pg.Pool({ connectionString: inject('postgresUrl') })
    onTestFinished(async () => {
      await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
      await pool.end()
    })
    await pool.query(schemaOf({ schema }))
    const store = new PostgresStore({ query: pool, schema, prefix: 'shop:' })
    const control = new Control({ store })
    const month = { name: 'month', limit: 4, period: 'monthly', anchor: aMinuteAgo() } as const
    const limiter = new RateLimiter({ store, control, policy: [policy, month], storeTimeout: '30s' })
    onTestFinished(async () => {
      control.close()
      await limiter.close()
    })
    for (let i = 0; i < 3; i++) await limiter.consume({ user: '42' })
    const file = `export const policies = ${sourceOf([policy, month])}; export const settings = { prefix: 'shop:' }`
    const at = { cwd: folderWith({ 'limits.mjs': file }), env: { HALT_POSTGRES_URL: inject('postgresUrl') } }
    const shell = (...args: string[]) => halt([...args, '--policy', 'limits.mjs', '--schema', schema], at)
    const found = await shell('find', 'user:42')
    expect(found.err).toBe('')
    expect([found.code, found.out]).toEqual([
      1,
      expect.stringMatching(/^PostgreSQL .*, prefix "shop:": 1 live process\n/),
    ])
    expect((await shell('reset', 'user:42')).code).toBe(0)
    // Processes remember a refusal for up to a second.
    await expect.poll(async () => (await limiter.consume({ user: '42' })).reason).not.toBe('limited')
    expect((await shell('grant', 'user:42', 'month', '5')).out).toContain(
      'user:42 has 5 units of month on top',
    )
    expect((await shell('block', 'user:x', '--reason', 'abuse')).code).toBe(0)
    await control.refresh()
    expect((await limiter.consume({ user: 'x' })).reason).toBe('blocked')
    const lost = await shell('entries', '--prefix', 'other:')
    expect([lost.code, lost.err]).toEqual([3, expect.stringContaining('give --prefix "shop:"')])
    const doctor = await halt(
      ['doctor', '--postgres', inject('postgresUrl'), '--schema', schema, '--prefix', 'shop:'],
      {},
    )
    expect(doctor.out).toContain('prefix "shop:": 1 live process')
  })

  it('halt doctor tells the statement that grants what a PostgreSQL role lacks', async () => {
    const schema = unique()
    const role = `role_${unique()}`
    const pool = new pg.Pool({ connectionString: inject('postgresUrl') })
    onTestFinished(async () => {
      await pool.query(`DROP SCHEMA ${schema} CASCADE; DROP ROLE ${role}`)
      await pool.end()
    })
    await pool.query(schemaOf({ schema }))
    await pool.query(`CREATE ROLE ${role} LOGIN PASSWORD 'p'`)
    const url = new URL(inject('postgresUrl'))
    ;[url.username, url.password] = [role, 'p']
    const at = ['--postgres', url.href, '--schema', schema]
    const entries = await halt(['entries', ...at], {})
    expect([entries.code, entries.err]).toEqual([
      3,
      expect.stringMatching(/PERMISSION: .*@halt\/cli doctor/s),
    ])
    const doctor = (): ReturnType<typeof halt> => halt(['doctor', ...at], {})
    const lacking = await doctor()
    expect([lacking.code, lacking.out]).toEqual([1, expect.stringContaining('HALT_W_PERMISSION')])
    await pool.query(/Run (GRANT .*)\./.exec(lacking.out)?.[1] ?? '')
    expect((await doctor()).out).toContain('the permissions are as Halt needs them')
  })

  it('a command on PostgreSQL names the missing schema, and reads one with a reserved name', async () => {
    const pool = new pg.Pool({ connectionString: inject('postgresUrl') })
    onTestFinished(async () => {
      await pool.query('DROP SCHEMA IF EXISTS "order" CASCADE')
      await pool.end()
    })
    const run = () => halt(['entries', '--postgres', inject('postgresUrl'), '--schema', 'order'], {})
    const missing = await run()
    expect([missing.code, missing.err]).toEqual([
      3,
      expect.stringMatching(/HALT_E_STORE_SCHEMA: The schema "order" .* run schema\.sql/),
    ])
    const doctor = await halt(['doctor', '--postgres', inject('postgresUrl'), '--schema', 'order'], {})
    expect([doctor.code, doctor.out]).toEqual([1, expect.stringContaining('problem HALT_E_STORE_SCHEMA')])
    await pool.query(schemaOf({ schema: 'order' }))
    const found = await run()
    expect([found.code, found.err]).toEqual([
      3,
      expect.stringContaining('None uses another prefix of this server'),
    ])
  })

  it.each([
    ['a wrong address', ['--postgres', 'mysql://me:hunter2@x/y'], 2, 'not an address of PostgreSQL'],
    [
      'a server that is not there',
      ['--postgres', 'postgres://me:hunter2@127.0.0.1:1/y'],
      3,
      'HALT_E_STORE_UNAVAILABLE',
    ],
    ['both stores', ['--postgres', 'postgres://x/y', '--redis', 'redis://x'], 2, 'are both given'],
  ])('a command on PostgreSQL with %s fails, and shows no password', async (_name, args, exit, says) => {
    const { code, err, out } = await halt(['entries', ...args], {})
    expect([code, err]).toEqual([exit, expect.stringContaining(says)])
    expect(out + err).not.toContain('hunter2')
  })
})
