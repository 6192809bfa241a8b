// Ways to Redis other than ioredis and node-redis: each keeps the contract against a real server.
import { GlideClient, Logger } from '@valkey/valkey-glide'
import { Redis } from 'ioredis'
import { Redis as Valkey } from 'iovalkey'
import { expect, inject, it } from 'vitest'

import { unique } from '../../../../tools/unique.ts'
import { readFromBun } from '../../../../tools/other-runtimes.ts'
import { startRestBridge } from '../../../../tools/rest-bridge.ts'
import { RedisStore, type Run, upstash } from '../../src/index.ts'
import { contract, WORKS } from '../contract.ts'

// It prints each NOSCRIPT.
Logger.setLoggerConfig('off')

it("a store decides, refuses, waits and forgets over Upstash's REST protocol", async () => {
  const redis = new Redis(inject('redisUrl'))
  const bridge = await startRestBridge(redis)
  try {
    const store = new RedisStore({ run: upstash(bridge.url, bridge.token), prefix: `${unique()}:` })
    expect(await contract(store)).toEqual(WORKS)
  } finally {
    await bridge.stop()
    await redis.quit()
  }
})

it('a store decides, refuses, waits and forgets with Bun.redis, in Bun', async () => {
  const script = new URL('../bun-redis.ts', import.meta.url)
  expect(await readFromBun(script, { REDIS_URL: inject('redisUrl') })).toEqual(WORKS)
})

it('a store decides, refuses, waits and forgets with an iovalkey client', async () => {
  const client = new Valkey(inject('valkeyUrl'))
  try {
    expect(await contract(new RedisStore({ client, prefix: `${unique()}:` }))).toEqual(WORKS)
  } finally {
    client.disconnect()
  }
})

it('a store decides, refuses, waits and forgets with Valkey GLIDE', async () => {
  const { hostname, port } = new URL(inject('valkeyUrl'))
  const client = await GlideClient.createClient({ addresses: [{ host: hostname, port: Number(port) }] })
  const run: Run = async ({ sha, source }, keys, args) => {
    const rest = [String(keys.length), ...keys, ...args]
    try {
      return await client.customCommand(['EVALSHA', sha, ...rest])
    } catch (error) {
      // GLIDE writes the first word of the server's error in its own way.
      if (!/NOSCRIPT|NoScriptError/i.test(String(error))) throw error
      return client.customCommand(['EVAL', source, ...rest])
    }
  }
  try {
    expect(await contract(new RedisStore({ run, prefix: `${unique()}:` }))).toEqual(WORKS)
  } finally {
    client.close()
  }
})
