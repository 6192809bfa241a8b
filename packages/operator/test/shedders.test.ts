import { createServer } from 'node:http'
import { Reports } from '@halt/control'
import { afterEach, expect, it, onTestFinished } from 'vitest'

import { loadShedder } from '../../overload/src/index.ts'
import { Recorder } from '../src/watch/recorder.ts'
import { writeNumbers } from '../src/watch/report.ts'
import type { ShedderNumbers } from '../src/watch/shedders.ts'
import { openSite, type Site } from './site.ts'

let site: Site
afterEach(() => site.close())

/** The load shedders of all processes, as the page gets them. */
const shedders = async (): Promise<object[]> =>
  (await site.call('feed')).body['processes'].flatMap((each: any) => each.shedders)

it('the page shows the load shedder of @halt/overload, with the requests that are in flight', async () => {
  const shedder = loadShedder({ name: 'own' })
  site = await openSite({ shedders: { shop: shedder } })
  expect(await shedders()).toMatchObject([{ name: 'shop', mode: 'enforce', inFlight: 0, sheds: [] }])
  let answer = (): void => {}
  const hasCome = new Promise<void>(resolve => {
    const server = createServer(
      shedder.wrap((_req, res) => {
        answer = () => void res.end('done')
        resolve()
      }),
    )
    onTestFinished(() => void server.close())
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      void fetch(`http://127.0.0.1:${port}/`).then(response => response.text())
    })
  })
  await hasCome
  expect(await shedders()).toMatchObject([{ name: 'shop', inFlight: 1, limit: shedder.state.limit }])
  answer()
})

const calm: ShedderNumbers = {
  name: 'shop',
  mode: 'enforce',
  route: undefined,
  limit: 20,
  inFlight: 3,
  ageMs: 1,
  insideMs: 2,
  calmMs: 2,
  sheds: [],
  cause: undefined,
  sheddingMs: 0,
}

it('the page shows the load shedders of other processes, and leaves broken reports out', async () => {
  site = await openSite({ shedders: { own: { state: { ...calm, limits: [] } } } })
  const recorder = new Recorder('memory')
  recorder.stop()
  const report = (...told: ShedderNumbers[]): string =>
    writeNumbers({ ...recorder.read(Date.now()), waiting: 0, counted: [], shedders: told })
  const full = { ...calm, sheds: ['batch'], cause: 'inside', sheddingMs: 900, route: '/search' } as const
  const texts = [
    report(full),
    report(full).replace('"cause":"inside"', '"cause":"<b>"'),
    report(full).replace('"limit":20', '"limit":"20"'),
    report(full).replace('["batch"]', '["<script>"]'),
  ]
  for (const text of texts) await new Reports({ store: site.store, name: 'operator-numbers' }).publish(text)
  expect(await shedders()).toEqual([expect.objectContaining({ name: 'own' }), { ...full, name: 'shop' }])
})

it('a load shedder whose state fails later is left out, and the others stay', async () => {
  let state: object = { ...calm, limits: [] }
  const broken = {
    get state() {
      if (state === undefined) throw new Error('broken')
      return state
    },
  }
  site = await openSite({ shedders: { broken: broken as never, shop: { state: { ...calm, limits: [] } } } })
  expect(await shedders()).toHaveLength(2)
  for (const next of [undefined, { ...calm, limit: Number.NaN }, { ...calm, sheds: 'all', limits: null }]) {
    state = next as never
    expect(await shedders()).toMatchObject([{ name: 'shop' }])
  }
})

it('the route that sheds longest is named, with a name of bounded length', async () => {
  const limits = [
    { route: '/a', sheddingMs: 5 },
    { route: `/${'x'.repeat(5_000)}`, sheddingMs: 70 },
  ]
  const state = { ...calm, sheds: ['batch'] as const, cause: 'loop' as const, sheddingMs: 70, limits }
  site = await openSite({ shedders: { shop: { state } } })
  expect(await shedders()).toMatchObject([{ route: `/${'x'.repeat(99)}` }])
})
