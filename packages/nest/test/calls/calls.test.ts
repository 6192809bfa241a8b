import { describe, expect, it } from 'vitest'

import { callReader } from '../../src/calls/index.ts'
import { contextOf, runtimeOf } from '../contexts.ts'

const read = (type: string, ...args: unknown[]) => callReader(runtimeOf().limiter)(contextOf(type, args))

describe('a call', () => {
  it('a call over gRPC has the address of its peer, and its metadata as headers', () => {
    const metadata = { getMap: () => ({ authorization: 'Bearer key' }) }
    for (const [peer, ip] of [
      ['ipv4:203.0.113.7:4711', '203.0.113.7:4711'],
      ['ipv6:[2001:db8::1]:4711', '[2001:db8::1]:4711'],
    ]) {
      const { view } = read('rpc', {}, metadata, { getPeer: () => peer })
      expect(view).toMatchObject({ ip, headers: { authorization: 'Bearer key' }, route: 'Host.handler' })
    }
  })

  it('a call through a broker has no address, whatever its data says', () => {
    expect(read('rpc', { ip: '1.2.3.4', userId: 'x' }, {}).view).toMatchObject({ ip: undefined, request: {} })
    expect(read('rpc', { userId: 'x' }).view).toMatchObject({ ip: undefined, request: undefined })
  })

  it('a call over socket.io has the address of its handshake, also after the socket closed', () => {
    const headers = { 'x-forwarded-for': '198.51.100.1' }
    const client = {
      handshake: { address: '203.0.113.7', headers, url: '/socket.io/?EIO=4' },
      data: { user: { id: '1' } },
    }
    const view = { ip: '203.0.113.7', headers, path: '/socket.io/', user: { id: '1' }, request: client }
    expect(read('ws', client, {}, 'say').view).toMatchObject(view)
    client.handshake.address = ''
    expect(read('ws', client, {}, 'say').view).toMatchObject(view)
  })

  it('a call over a WebSocket has the address of the peer of its request', () => {
    const client = { request: { socket: { remoteAddress: '203.0.113.7' }, headers: {}, url: '/ws' } }
    expect(read('ws', client, {}, 'say').view).toMatchObject({ ip: '203.0.113.7', path: '/ws' })
  })

  it('a call over a WebSocket tells that its connection was reset before its address was read', () => {
    const client = (socket: object) => ({ request: { socket, headers: {}, url: '/ws' } })
    const departed = (socket: object) => read('ws', client(socket), {}, 'say').view.departed
    expect(departed({ remoteAddress: '203.0.113.7', localAddress: '192.0.2.1' })).toBe(false)
    expect(departed({ localAddress: '192.0.2.1' })).toBe(true)
  })

  it('a call has the HTTP version of the peer, which reveals some proxies', () => {
    const request = { headers: {}, url: '/', httpVersion: '1.0', socket: { remoteAddress: '10.0.3.7' } }
    // A Fastify request has it on the raw request.
    const wrapping = { ...request, httpVersion: undefined, raw: { httpVersion: '1.0' } }
    const polling = { handshake: { address: '10.0.3.7', headers: {}, url: '/socket.io/' }, request }
    for (const { view } of [
      read('http', request),
      read('http', wrapping),
      read('graphql', {}, {}, { req: request }),
      read('graphql', {}, {}, { req: wrapping }),
      read('ws', polling, {}, 'say'),
      read('ws', { request }, {}, 'say'),
    ])
      expect(view.httpVersion).toBe('1.0')
  })

  it('a call of GraphQL is read from the contexts of other drivers', () => {
    const request = { headers: {}, url: '/graphql', socket: { remoteAddress: '203.0.113.7' } }
    const info = { fieldName: 'f', parentType: { name: 'Query' }, path: { prev: undefined } }
    const reply = { request, getHeader: () => undefined }
    for (const context of [{ request }, { reply }, { extra: { request } }, { req: { extra: { request } } }]) {
      const { view, nested } = read('graphql', {}, {}, context, info)
      expect(view).toMatchObject({ ip: '203.0.113.7', path: '/graphql', route: 'Query.f' })
      expect(nested).toBe(false)
    }
    expect(read('graphql', {}, {}, { reply }, info).response).toBe(reply)
    expect(read('graphql', {}, {}, undefined, info).view).toMatchObject({ ip: undefined, path: '/' })
  })

  it('an entity of a federated graph is counted like a root field', () => {
    const info = {
      fieldName: '_entities',
      parentType: { name: 'Query' },
      path: { key: 0, prev: { key: '_entities' } },
    }
    const request = { headers: {}, url: '/graphql', socket: { remoteAddress: '203.0.113.7' } }
    expect(read('graphql', { __typename: 'Item' }, { req: request }, info)).toMatchObject({
      nested: false,
      view: { ip: '203.0.113.7' },
    })
    expect(read('graphql', {}, {}, { req: request }, info).nested).toBe(true)
  })
})
