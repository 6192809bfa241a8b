import { Redis } from 'ioredis'
import { it } from 'vitest'
import { createHash } from 'node:crypto'
import { keyWriter } from '../src/keys.ts'
import { makeDigest, type Group } from '@halt/core/store'
import { Call } from '../src/wire.ts'
import { decide } from '../src/scripts.ts'
const base = "local t=redis.call('TIME') local v=redis.call('GET',KEYS[1]) redis.call('SET',KEYS[1],t[1]..' '..t[2],'PX',ARGV[1]) return 1"
it('bench', { timeout: 60000 }, async () => {
  const redis = new Redis(7777)
  const key = keyWriter('halt:', false, makeDigest())
  const rule = { letter: 't', cell: 'public_api:t', limit: 100, capacity: 120, unit: 600000, rate: 1, window: 60e6, slice: 0, precision: 1, block: 0, reduced: undefined } as never
  const groupOf = (i: number): Group => ({ demands: [{ rule, subject: `ip:203.0.${(i >> 8) & 255}.${i & 255}`, cost: 1, mode: 0, edges: undefined, penalized: false }] })
  const run = async (label: string, sha: string, make: (i: number) => [string[], string[]], n = 30000, per = 1) => {
    await redis.call('CONFIG', 'RESETSTAT')
    for (let i = 0; i < n; i += 100) {
      const p = redis.pipeline()
      for (let j = i; j < i + 100; j++) { const [k, a] = make(j); p.evalsha(sha, k.length, ...k, ...a) }
      await p.exec()
    }
    const s = (await redis.info('commandstats')) as string
    const m = /cmdstat_evalsha:calls=\d+,usec=\d+,usec_per_call=([\d.]+)/.exec(s)
    console.log(label, (Number(m?.[1]) / per).toFixed(2), 'us')
  }
  const bsha = (await redis.script('LOAD', base)) as string
  const sha = (await redis.script('LOAD', decide.source)) as string
  for (let r = 0; r < 3; r++) {
    await run('base', bsha, i => [[key(`ip:203.0.${(i >> 8) & 255}.${i & 255}`, 'b')], ['60000']])
    await run('ours', sha, i => { const c = new Call(key); c.add(groupOf(i)); return [c.keys, c.args('')] })
    await run('ours64', sha, i => { const c = new Call(key); for (let k = 0; k < 64; k++) c.add(groupOf(i * 64 + k)); return [c.keys, c.args('')] }, 2000, 64)
  }
  console.log(await redis.call('MEMORY', 'USAGE', key('ip:203.0.1.7', 'public_api:t')), await redis.get(key('ip:203.0.1.7', 'public_api:t')))
  void createHash
  await redis.quit()
})
