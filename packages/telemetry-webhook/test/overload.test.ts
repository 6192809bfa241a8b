import { afterEach, expect, it } from 'vitest'

import { type ShedderDetail, type WatchedShedder, WebhookTelemetry } from '../src/index.ts'
import { SECRET, startReceiver } from './receiver.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const each of undo.splice(0).toReversed()) await each()
})

const detail: ShedderDetail = {
  limit: 4,
  inFlight: 4,
  ageMs: 21,
  insideMs: 5,
  sheds: ['batch'],
  cause: 'loop',
  sheddingMs: 0,
}

it('overload events are posted and signed when refusals begin and end, and none after the end', async () => {
  const receiver = await startReceiver()
  const webhooks = new WebhookTelemetry({ url: receiver.url, secret: SECRET })
  undo.push(receiver.close)
  const listeners = new Map<string, (detail: ShedderDetail) => void>()
  const shedder: WatchedShedder = {
    name: 'shop',
    on(event, listener) {
      listeners.set(event, listener)
      return () => void listeners.delete(event)
    },
  }
  const end = webhooks.watch(shedder)
  listeners.get('shedding')?.(detail)
  listeners.get('calm')?.({ ...detail, sheds: [], sheddingMs: 4000, refusedMeanwhile: 120 })
  end()
  expect(listeners.size).toBe(0)
  await webhooks.close()
  const events = receiver.received.toSorted((a, b) => b.event.type.localeCompare(a.event.type))
  expect(events.map(({ event }) => event)).toMatchObject([
    { type: 'overload.shedding', data: { shedder: 'shop', sheds: ['batch'], cause: 'loop' } },
    { type: 'overload.calm', data: { shedder: 'shop', sheddingMs: 4000, refusedMeanwhile: 120 } },
  ])
  expect(new Set(events.map(({ id }) => id)).size).toBe(2)
})
