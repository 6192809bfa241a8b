// The option `delay` on transports other than HTTP, which the adapter suite covers.
import { once } from 'node:events'
import { request } from 'node:http'

import type { Decision, Policy } from '@halt/core'
import { ManualClock } from '@halt/core/testing'
import { InMemoryStore } from '@halt/store-memory'
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo'
import { GraphQLModule, Int, Query, Resolver } from '@nestjs/graphql'
import { WsAdapter } from '@nestjs/platform-ws'
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { expect, it, onTestFinished } from 'vitest'
import { WebSocket } from 'ws'

import { RateLimit, RateLimitDecision } from '../../src/index.ts'
import { startApp } from '../app.ts'

const policy: Policy = { name: 'p', limit: 25, window: 1, burst: 1 }

/** What the handlers saw, in order. */
const calls: unknown[] = []

@WebSocketGateway({ path: '/chat' })
@RateLimit()
class Gateway {
  @SubscribeMessage('say')
  say(@MessageBody() text: string, @RateLimitDecision() decision: Decision) {
    calls.push(text)
    return { event: 'said', data: decision.remaining }
  }
}

@Resolver()
class Numbers {
  @Query(() => Int)
  remaining(@RateLimitDecision() decision: Decision) {
    calls.push('field')
    return decision.remaining
  }
}

/** The options of a module that holds calls, on a clock that the test moves, and the number of calls that its guard saw. */
function scene() {
  calls.length = 0
  const clock = new ManualClock()
  let seen = 0
  const skip = (): boolean => {
    seen++
    return false
  }
  const store = new InMemoryStore({ clock: clock.now })
  return { clock, options: { policy, store, delay: {}, skip }, seen: () => seen }
}

const paused = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 100))

it('a gateway holds messages until it is their turn', async () => {
  const { clock, options, seen } = scene()
  const url = await startApp(options, {
    providers: [Gateway],
    before: app => app.useWebSocketAdapter(new WsAdapter(app)),
  })
  const socket = new WebSocket(`${url.replace('http', 'ws')}/chat`)
  onTestFinished(() => socket.terminate())
  await once(socket, 'open')
  const answers: unknown[] = []
  socket.on('message', data => answers.push(JSON.parse((data as Buffer).toString())))
  for (const data of ['a', 'b', 'c']) socket.send(JSON.stringify({ event: 'say', data }))
  await expect.poll(seen).toBe(3)
  await paused()
  expect(calls).toEqual(['a'])
  clock.advance('80ms')
  await expect.poll(() => answers).toHaveLength(3)
  expect(calls).toEqual(['a', 'b', 'c'])
})

it('a GraphQL client that leaves gives the places of its fields back', async () => {
  const { clock, options, seen } = scene()
  const graphql = GraphQLModule.forRoot<ApolloDriverConfig>({
    driver: ApolloDriver,
    autoSchemaFile: true,
    graphiql: false,
  })
  const url = await startApp(options, { imports: [graphql], providers: [Numbers] })
  const ask = (query: string): Promise<Response> =>
    fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    })
  expect(await (await ask('{ remaining }')).json()).toEqual({ data: { remaining: 0 } })
  const leaving = request(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
  })
  leaving.on('error', () => {})
  leaving.end(JSON.stringify({ query: '{ a: remaining b: remaining }' }))
  await expect.poll(seen).toBe(3)
  const behind = ask('{ remaining }')
  await expect.poll(seen).toBe(4)
  leaving.destroy()
  await paused()
  clock.advance('40ms')
  expect(await (await behind).json()).toEqual({ data: { remaining: 0 } })
  expect(calls).toEqual(['field', 'field'])
})

it('a wrong delay fails the start', async () => {
  await expect(startApp({ policy, delay: { maxWait: 0 } })).rejects.toMatchObject({ code: 'HALT_E_MAX_WAIT' })
})
