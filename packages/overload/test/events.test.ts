import { expect, it } from 'vitest'
import type { HaltWarning } from '@halt/core'

import { loadShedder, makeShedder } from '../src/load-shedder.ts'
import { explain } from '../src/shedder/explain.ts'
import type { LimitState } from '../src/shedder/state.ts'
import { pinned, until } from './pinned.ts'

/** A loop whose time is moved by hand. Turns end at once. */
function manualLoop(): {
  readonly loop: Parameters<typeof makeShedder>[1]['loop']
  advance(ms: number): void
} {
  let now = 0
  let ends: (() => void)[] = []
  return {
    loop: { now: () => now, idle: () => now, afterTurn: callback => void ends.push(callback) },
    advance(ms) {
      for (const end of ends.splice(0)) end()
      ends = []
      now += ms
    },
  }
}

const ask = (path = '/'): Request => new Request(`http://x${path}`)

/** A shedder with one place and a request in it, which takes so long. */
function crowded(options = {}): ReturnType<typeof manualLoop> & {
  readonly shedder: ReturnType<typeof loadShedder>
  readonly handle: (request: Request) => Response | Promise<Response>
  finish(): Promise<unknown>
} {
  const manual = manualLoop()
  const shedder = makeShedder(options, { loop: manual.loop, controller: () => pinned(1) })
  let finish = (): void => {}
  const handle = shedder.fetch(
    () => new Promise<Response>(resolve => (finish = () => resolve(new Response('done')))),
  )
  const first = handle(ask())
  return {
    ...manual,
    shedder,
    handle,
    finish() {
      finish()
      return Promise.resolve(first)
    },
  }
}

it('a shedder tells when shedding begins and ends, once each, and what it was', async () => {
  const { shedder, handle, advance, finish } = crowded({ name: 'shop' })
  const events: [string, LimitState][] = []
  shedder.on('shedding', state => events.push(['shedding', state]))
  shedder.on('calm', state => events.push(['calm', state]))
  for (let i = 0; i < 5; i++) {
    advance(300)
    expect((await handle(ask())).status).toBe(503)
  }
  expect(events.map(([name]) => name)).toEqual(['shedding'])
  expect(events[0]?.[1]).toMatchObject({ limit: 1, inFlight: 1, sheds: ['normal'] })
  expect(shedder.state.sheddingMs).toBeGreaterThan(0)
  await finish()
  advance(5000)
  expect(shedder.state).toMatchObject({ sheds: [], sheddingMs: 0 })
  advance(5000)
  expect(shedder.state).toMatchObject({ sheds: [], sheddingMs: 0, cause: undefined })
  expect(events.map(([name]) => name)).toEqual(['shedding', 'calm'])
  expect(events[1]?.[1]).toMatchObject({ refusedMeanwhile: 5 })
})

it('a shedder tells once that it takes a longer time for normal, in the window in which it does', async () => {
  const { loop, advance } = manualLoop()
  const finding = { baselines: new Map(), rebaselines: 0 }
  let windows = 0
  const judge = (): void => void (++windows === 2 && finding.rebaselines++)
  const shedder = makeShedder({}, { loop, controller: () => ({ ...pinned(5), finding, judge }) })
  const told: [number, LimitState][] = []
  shedder.on('rebaseline', state => told.push([windows, state]))
  const handle = shedder.fetch(() => new Response('done'))
  for (let i = 0; i < 5; i++) {
    await handle(ask())
    advance(1100)
  }
  expect(windows).toBeGreaterThan(2)
  expect(told).toEqual([[2, expect.objectContaining({ route: 'GET /', rebaselines: 1 })]])
  expect(shedder.state.rebaselines).toBe(1)
})

it('a shedder goes on when a listener throws or rejects, and warns', async () => {
  const warnings: HaltWarning[] = []
  const { shedder, handle, advance } = crowded({ warn: (warning: HaltWarning) => warnings.push(warning) })
  const heard: string[] = []
  shedder.on('shedding', () => {
    throw new Error('no pager')
  })
  shedder.on('shedding', (async () => Promise.reject(new Error('no pager'))) as never)
  const off = shedder.on('shedding', () => heard.push('off'))
  shedder.on('shedding', () => heard.push('last'))
  off()
  advance(1100)
  await handle(ask())
  advance(1100)
  await handle(ask())
  expect(heard).toEqual(['last'])
  await until(() => warnings.length > 0)
  expect(warnings.map(({ code }) => code)).toEqual(['HALT_W_SHEDDER_CALLBACK'])
})

it.each([
  ['an unknown event', 'sheding', () => {}],
  ['a listener that is no function', 'calm', 'log'],
])('a shedder refuses %s', (_name, event, listener) => {
  const { shedder } = crowded()
  expect(() => shedder.on(event as never, listener as never)).toThrow(
    expect.objectContaining({ code: 'HALT_E_OPTION' }),
  )
})

it('a shedder explains itself in words', async () => {
  const { shedder, handle, advance } = crowded({ name: 'shop' })
  expect(shedder.explain()).toBe(
    'shop: 1 in flight, sheds nothing; requests wait 0 ms before the handler, 0 ms inside, 0 ms when calm.',
  )
  advance(1100)
  await handle(ask())
  advance(1100)
  await handle(ask())
  const because =
    'sheds normal for 1 s, because something behind the handlers is full or slow; requests wait 0 ms'
  expect(shedder.explain().split('\n')).toEqual([
    expect.stringContaining(`shop: 1 in flight, ${because}`),
    expect.stringContaining(`shop, GET /: 1 of 1 in flight, ${because}`),
  ])
})

it('an explanation tells what a round of the loop admits, and which routes share a limit', () => {
  const limit = {
    ...crowded({ name: 'shop' }).shedder.state,
    sheds: ['batch', 'normal'] as const,
    route: 'GET /search',
    shedRoutes: ['GET /search'],
    sharedWith: ['GET /export'],
    sheddingMs: 3000,
    cause: 'loop' as const,
  }
  const [whole, line] = explain({ ...limit, perRound: 4, limits: [limit] }).split('\n')
  expect(whole).toMatch(
    /^shop: 1 in flight, a round of the event loop admits 4, sheds normal and batch for 3 s/,
  )
  expect(line).toMatch(
    /^shop, GET \/search: 1 of 1 in flight, which it shares with GET \/export, sheds normal/,
  )
  expect(line).toContain('because the event loop is full')
})

it('an explanation rounds a limit up, because a part of a place admits a request', () => {
  const { state } = crowded({ name: 'shop' }).shedder
  const limit = { ...state, limit: 4.2, sheds: ['normal'] as const, route: 'GET /', shedRoutes: ['GET /'] }
  expect(explain({ ...limit, limits: [limit] })).toContain('shop, GET /: 1 of 5 in flight')
})

it('a shedder in shadow mode explains what it would refuse', async () => {
  const { shedder, handle, advance } = crowded({ name: 'shop', mode: 'shadow' })
  advance(1100)
  void handle(ask())
  advance(1100)
  void handle(ask())
  for (const line of shedder.explain().split('\n'))
    expect(line).toMatch(/would shed normal for .* Shadow: nothing is refused\.$/)
})

it('a shedder that nobody has asked says so', () => {
  const shedder = makeShedder({ name: 'shop' }, { loop: manualLoop().loop, controller: () => pinned(5) })
  expect(shedder.explain()).toBe('shop: no request has come yet.')
})
