import { describe, expect, it } from 'vitest'

import { type PlayPolicy, type Setup, TRAFFIC } from '../../src/playground/setup.ts'
import { Simulation } from '../../src/playground/simulation.ts'
import { ATTACKER } from '../../src/playground/traffic.ts'
import { Watch } from '../../src/playground/watch.ts'

const BUCKET: PlayPolicy = { name: 'api', limit: 5, window: 60 }
const run = (sides: Setup['sides'], traffic: Setup['traffic'] = TRAFFIC.steady): Simulation =>
  new Simulation({ sides, traffic })

describe('a simulation', () => {
  it('a simulation refuses the request behind the last that a bucket admits', () => {
    const simulation = run([[BUCKET]], { kind: 'steady', perSecond: 10, clients: 1 })
    simulation.advance(3e6)
    const [side] = simulation.sides
    // 31 requests in three seconds, of which the bucket admits its 5; the next unit comes after 12 seconds.
    expect([side?.admitted, side?.refused, side?.firstRefusal]).toEqual([5, 26, 6])
    simulation.advance(9.5e6)
    expect(side?.admitted).toBe(6)
  })

  it('a simulation gives the place of a request in flight back when the request ends', () => {
    const places: PlayPolicy = { name: 'at_once', limit: 2, algorithm: 'concurrency', ttl: 60 }
    const simulation = new Simulation({
      sides: [[places]],
      traffic: { kind: 'steady', perSecond: 10, clients: 1 },
      lasts: 0.45,
    })
    const side = simulation.sides[0] as Simulation['sides'][number]
    // At 0 and 100 ms two start; 200, 300 and 400 ms find no place; the first one ends at 450 ms, the second at 550 ms.
    simulation.advance(0.44e6)
    expect([side.admitted, side.refused, side.firstRefusal]).toEqual([2, 3, 3])
    simulation.advance(0.17e6)
    expect([side.admitted, side.refused]).toEqual([4, 3])
    // Two in each half of a second, and the first one at 10 s.
    simulation.advance(9.39e6)
    expect(side.admitted).toBe(41)
  })

  it('a simulation shows a loud client that takes a shared limit, and fair shares that end this', () => {
    const all: PlayPolicy = { name: 'all', limit: 10, window: 1, burst: 40, keyStrategy: 'shared' }
    const simulation = run([[all], [{ ...all, fair: { by: 'user' } }]], TRAFFIC.attacker)
    simulation.advance(60e6)
    const [bare, fair] = simulation.sides.map(({ clients, admitted }) => {
      const others = [...clients.values()].filter(({ client }) => client !== ATTACKER)
      return { admitted, refused: others.reduce((sum, { refused }) => sum + refused, 0) }
    })
    expect(bare?.refused).toBeGreaterThan(50)
    expect(fair?.refused).toBe(0)
    // What the others leave is the loud client's, up to the reserve.
    expect(fair?.admitted).toBeGreaterThan((bare?.admitted ?? 0) - 40)
  })

  it('a simulation decides one request with each step', () => {
    const simulation = run([[BUCKET]])
    for (let i = 0; i < 7; i++) simulation.step()
    expect(simulation.sides[0]).toMatchObject({ admitted: 5, refused: 2, firstRefusal: 6 })
    expect(simulation.now).toBe(3e6)
  })

  it('a simulation gives both sides the same requests', () => {
    const simulation = run([[BUCKET], [{ ...BUCKET, burst: 1 }]])
    simulation.advance(10e6)
    const sums = simulation.sides.map(({ admitted, refused }) => [admitted, admitted + refused])
    expect(sums).toEqual([
      [5, 21],
      [1, 21],
    ])
  })

  it('a simulation decides a bounded number of requests in one call, and the rest in the next', () => {
    const simulation = run([[BUCKET]], { kind: 'steady', perSecond: 10_000, clients: 1 })
    simulation.advance(10e6)
    expect(simulation.now).toBe(2e6)
    simulation.advance(1e6)
    expect(simulation.now).toBe(3e6)
    const [side] = simulation.sides
    expect((side?.admitted ?? 0) + (side?.refused ?? 0)).toBe(30_001)
  })

  it('a simulation lets an attacker spend only its own limit', () => {
    const simulation = run([[BUCKET]], { kind: 'attacker', perSecond: 1, clients: 20, attack: 50 })
    simulation.advance(20e6)
    const clients = [...(simulation.sides[0]?.clients.values() ?? [])]
    expect(clients.filter(({ refused }) => refused > 0).map(({ client }) => client)).toEqual([ATTACKER])
    expect(clients.length).toBe(21)
  })

  it('a simulation sends bursts at the distance that was set', () => {
    const simulation = run([[BUCKET]], { kind: 'bursts', size: 8, every: 5, clients: 2 })
    simulation.advance(4.9e6)
    expect(simulation.sides[0]).toMatchObject({ admitted: 10, refused: 6 })
  })

  it('a simulation replays a pasted log at its own instants, private addresses included', () => {
    const line = (second: number): string =>
      `10.0.0.7 - - [24/Nov/2026:10:00:0${second} +0000] "GET /things HTTP/1.1" 200 512 "-" "curl"`
    const text = [line(0), line(0), 'a line that was cut', line(4)].join('\n')
    const simulation = run([[{ name: 'api', limit: 1, window: 4 }]], { kind: 'log', text })
    expect(simulation.notes).toEqual([
      '3 requests in the format combined.',
      '1 lines could not be read, so they are left out.',
    ])
    simulation.advance(60e6)
    expect(simulation.sides[0]).toMatchObject({ admitted: 2, refused: 1 })
    expect(simulation.isOver).toBe(true)
  })

  it('a simulation says why it cannot replay a text that is not a log', () => {
    expect(run([[BUCKET]], { kind: 'log', text: 'hello' }).notes[0]).toMatch(
      /^None of the first lines can be read/,
    )
    expect(run([[BUCKET]], { kind: 'log', text: '' }).notes[0]).toMatch(/^Paste lines of an access log/)
  })
})

describe('what the page follows', () => {
  it('a watch has the last answer, and the explanation of the next request', async () => {
    const simulation = run([[BUCKET]])
    for (let i = 0; i < 6; i++) simulation.step()
    const [side] = simulation.sides
    const watch = new Watch(side as never, [BUCKET], simulation.span)
    await watch.look(simulation.now, 'client 1')
    expect(watch.client?.outcome).toMatchObject({ pass: false, status: 429 })
    expect(watch.client?.outcome.headers).toMatchObject({ 'RateLimit-Limit': '5', 'Retry-After': '10' })
    expect(String(watch.explanation)).toMatch(/^Refused: limited \(api\)\n[\s\S]*a cost of 1 passes in 9.5 s/)
    expect(watch.lanes[0]).toMatchObject({ capacity: 5, window: 60e6, explained: { before: 0 } })
  })
})
