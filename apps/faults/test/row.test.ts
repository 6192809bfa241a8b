import { expect, it } from 'vitest'

import { percentile } from '../src/percentile.ts'
import { Judgement } from '../src/row.ts'
import { CLIENTS } from '../src/place.ts'
import { judge, schedule } from '../src/schedule.ts'
import { scenes } from '../src/faults/index.ts'
import { LONG, SHORT } from '../src/form.ts'
import { lineOf, markdown, summary } from '../src/table.ts'

const none = { faults: [], clients: [], servers: [] }

it('a judgement reports a bound that is exceeded or never reached', () => {
  const judgement = new Judgement()
  judgement.atMost('slowest', 120, 120)
  judgement.atMost('not measured', undefined, 0)
  judgement.exactly('refused', 0, 0)
  expect(judgement.missed).toEqual([])
  judgement.atMost('slowest', 120.26, 120)
  judgement.atMost('back after', Number.POSITIVE_INFINITY, 2_000)
  judgement.atMost('p99', Number.NaN, 25)
  judgement.exactly('refused', 1, 0)
  expect(judgement.missed).toEqual([
    'slowest: 120.3 > 120',
    'back after: Infinity > 2000',
    'p99: NaN > 25',
    'refused: 1, not 0',
  ])
})

it('a scene is played again only while it misses a bound on a starved machine', async () => {
  const played = async (machine: number, missed: readonly string[], tries: number): Promise<number> => {
    let plays = 0
    const row = { fault: 'gone', place: {}, machine, missed }
    expect(await judge(() => Promise.resolve((plays++, row)), tries)).toBe(row)
    return plays
  }
  expect(await played(51, ['slowest: 121 > 120'], 3)).toBe(3)
  expect(await played(51, [], 3)).toBe(1)
  expect(await played(50, ['slowest: 121 > 120'], 3)).toBe(1)
})

it('percentile finds the value at a share', () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i)
  expect([0.5, 0.99, 1].map(share => percentile(values, share))).toEqual([50, 99, 100])
  expect(percentile([], 0.99)).toBeUndefined()
})

it('the schedule runs each fault with both clients on all its servers in full, on Redis or Valkey in turns in short', () => {
  const long = schedule(scenes, LONG, none)
  for (const scene of scenes) {
    const places = long
      .filter(run => run.scene === scene)
      .map(({ place }) => `${place.server} ${place.client}`)
    const due = scene.on.flatMap(server => CLIENTS[server].map(client => `${server} ${client}`))
    expect(places).toEqual(scene.on.length === 0 ? ['redis ioredis'] : due)
    const short = schedule(scenes, SHORT, none).filter(run => run.scene === scene)
    if (scene.isLongOnly) {
      expect(short).toEqual([])
      continue
    }
    const kinds = scene.on.map(server => (server === 'valkey' ? 'redis' : server))
    const servers = kinds.filter(server =>
      scene.heavy ? server === 'redis' : !scene.alone || server !== 'cluster',
    )
    const played = short.map(({ place: { server } }) => (server === 'valkey' ? 'redis' : server))
    expect(new Set(played)).toEqual(new Set(servers.length > 0 ? servers : ['redis']))
    expect(played).toHaveLength(new Set(played).size)
  }
  const met = schedule(scenes, SHORT, none).map(({ place }) => `${place.server} ${place.client}`)
  for (const [server, clients] of Object.entries(CLIENTS))
    for (const client of clients) expect(met).toContain(`${server} ${client}`)
})

it('the schedule keeps to the chosen faults, clients and servers', () => {
  const runs = schedule(scenes, SHORT, {
    faults: ['HUNG'],
    clients: ['ioredis'],
    servers: ['valkey', 'cluster'],
  })
  expect(runs.map(({ place }) => place)).toEqual([
    { server: 'valkey', client: 'ioredis' },
    { server: 'cluster', client: 'ioredis' },
  ])
})

it('the table marks a row that missed a bound', () => {
  const row = {
    fault: 'hung',
    place: { server: 'redis', client: 'ioredis' },
    missed: ['p99: 26 > 25'],
  } as const
  expect(lineOf(row)).toMatch(/^hung +redis +ioredis .*MISSED$/)
  expect(markdown([row]).split('\n').at(-1)).toMatch(/^\| hung \| redis \| ioredis \|.*MISSED \|$/)
})

it('the summary takes the worst values of all runs of a fault', () => {
  const place = { server: 'redis', client: 'ioredis' } as const
  const row = { fault: 'hung', place, good: { passed: 9, asked: 10 }, slowest: 7, back: 5, missed: [] }
  const other = {
    ...row,
    slowest: 101,
    back: Number.POSITIVE_INFINITY,
    over: { known: 2, fresh: 3 },
    missed: ['x'],
  }
  const [, , line] = summary([row, other, { fault: 'gone', place, missed: [] }]).split('\n')
  expect(line).toBe('| hung | 2 | 18/20 | 101 ms | – | 2 | 3 | – | ∞ ms | – | – | – | MISSED |')
})
