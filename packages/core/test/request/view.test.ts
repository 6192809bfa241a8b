import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { pathOf, readHeader, toView } from '../../src/http/index.ts'

describe('toView', () => {
  it('toView reads a Node request', () => {
    const request = {
      method: 'POST',
      url: '/a?b=c',
      headers: { host: 'x' },
      rawHeaders: ['Host', 'x'],
      httpVersion: '1.1',
      socket: { remoteAddress: '203.0.113.7' },
    }
    expect(toView(request)).toEqual({
      method: 'POST',
      path: '/a',
      route: undefined,
      ip: '203.0.113.7',
      headers: request.headers,
      httpVersion: '1.1',
      user: undefined,
      request,
      context: undefined,
    })
    expect(toView(request).headers).toBe(request.headers)
  })

  it('toView reads the headers of a hand-made request in any case', () => {
    const { headers } = toView({ headers: { 'X-API-Key': 'k', Forwarded: ['a', 'b'], host: 'x' } })
    expect(
      ['x-api-key', 'forwarded', 'host', 'cookie', '__proto__'].map(name => readHeader(headers, name)),
    ).toEqual(['k', ['a', 'b'], 'x', undefined, undefined])
  })

  it('toView finds the route that a framework matched', () => {
    const route = { path: '/:id' }
    expect(toView({ url: '/7', route, baseUrl: '' }).route).toEqual({ pattern: '/:id', method: 'GET' })
    expect(toView({ url: '/u/7', raw: {}, routeOptions: { url: '/u/:id' } }).route).toBe('/u/:id')
    expect(toView({ url: '/u/7', raw: {}, is404: true, routeOptions: {} }).route).toBe('404')
    expect(toView({ url: '/u/7' }).route).toBeUndefined()
  })

  it('toView does not show the mount path if the app is not known', () => {
    const route = { path: '/:id' }
    for (const app of [undefined, {}, { path: () => '/x' }, { _router: { stack: [{}] } }])
      expect(toView({ url: '/u/7', route, baseUrl: '/u/t0ken', app }).route).toEqual({
        pattern: '*/:id',
        method: 'GET',
      })
  })

  it('toView finds the route at the root of an app that only looks like one of Express', () => {
    const app = {
      get _router(): never {
        throw new Error('no router')
      },
    }
    expect(toView({ url: '/7', route: { path: '/:id' }, baseUrl: '', app }).route).toEqual({
      pattern: '/:id',
      method: 'GET',
    })
  })

  it('toView keeps a view’s route, with the method if the handler has several', () => {
    const given = { request: {}, path: '/x' }
    const all = { pattern: '/x', method: 'ALL' }
    expect(toView({ ...given, route: all }).route).toEqual(all)
    for (const route of [5, {}, { pattern: '/x' }, null])
      expect(toView({ ...given, route }).route).toBeUndefined()
  })

  it('toView reads a Hono context', () => {
    const raw = new Request('https://example.com/u/7?x', { headers: { 'x-api-key': 'k' } })
    const values = new Map<string, unknown>([['user', { id: 7 }]])
    const context = {
      req: { raw, matchedRoutes: [{ path: '/*' }, { path: '/u/:id' }], routeIndex: 1 },
      env: { incoming: { httpVersion: '1.0', socket: { remoteAddress: '203.0.113.7' } } },
      get: (name: string) => values.get(name),
    }
    const view = toView(context)
    expect(view).toMatchObject({
      method: 'GET',
      path: '/u/7',
      route: '/u/:id',
      ip: '203.0.113.7',
      httpVersion: '1.0',
      user: { id: 7 },
    })
    expect([view.request, readHeader(view.headers, 'x-api-key')]).toEqual([context, 'k'])
    values.set('user', undefined)
    values.set('jwtPayload', { id: 'of the token', sub: 'u-9' })
    expect(toView({ ...context, env: undefined })).toMatchObject({ ip: undefined, user: { sub: 'u-9' } })
  })

  it('toView prefers the socket’s address to the one that a framework computed', () => {
    expect(toView({ ip: '1.1.1.1', socket: { remoteAddress: '203.0.113.7' } }).ip).toBe('203.0.113.7')
    expect(toView({ ip: '1.1.1.1', raw: { socket: { remoteAddress: '203.0.113.7' } } }).ip).toBe(
      '203.0.113.7',
    )
    expect(toView({ ip: '1.1.1.1', socket: {} }).ip).toBeUndefined()
  })

  it('toView reads the HTTP version from the request, or from the request that it wraps', () => {
    expect(toView({ httpVersion: '1.0', socket: {} }).httpVersion).toBe('1.0')
    expect(toView({ raw: { httpVersion: '1.0', socket: {} } }).httpVersion).toBe('1.0')
    expect(toView({ httpVersion: 1 }).httpVersion).toBeUndefined()
  })

  it('toView reads the whole path inside a mounted router', () => {
    expect(toView({ url: '/health', originalUrl: '/users/health?x' }).path).toBe('/users/health')
  })

  it('toView reads a Fetch request', () => {
    const request = new Request('https://example.com/a/b?c#d', {
      method: 'PUT',
      headers: { 'X-API-Key': 'k' },
    })
    const view = toView(request)
    expect(view).toMatchObject({ method: 'PUT', path: '/a/b', ip: undefined, request })
    expect(readHeader(view.headers, 'x-api-key')).toBe('k')
  })

  it('toView keeps every field of a view', () => {
    const request = { mine: true }
    const given = {
      method: 'GET',
      path: '/x',
      route: '/:x',
      ip: '203.0.113.7',
      headers: {},
      httpVersion: '1.0',
      user: { id: 1 },
      request,
      context: 'c',
    }
    expect(toView(given)).toEqual({ ...given, headers: expect.anything() })
  })

  it.each([
    undefined,
    null,
    5,
    'text',
    {},
    { method: 5, url: 7, headers: null, socket: null },
    [],
    Object.create(null),
  ])('toView makes a view of %o', request => {
    const view = toView(request)
    expect(view).toMatchObject({ method: 'GET', path: '/', ip: undefined })
    expect(readHeader(view.headers, 'x')).toBeUndefined()
  })
})

describe('pathOf', () => {
  it.each([
    ['/a', '/a'],
    ['/a?b', '/a'],
    ['/a#b', '/a'],
    ['/a#b?c', '/a'],
    ['/a?b#c', '/a'],
    ['?a', ''],
    ['*', '/'],
    ['', '/'],
    ['http://x', '/'],
    ['http://x/a?b', '/a'],
    ['http://x?y/health', '/'],
    ['http://x#/health', '/'],
    ['http://x?/admin/z', '/'],
    ['http://x?y', '/'],
    ['http://[2001:db8::1]:8080/a', '/a'],
    // Express reads another path from these, so they get a path that is never exempt.
    ['http://x;a/health', '//x;a/health'],
    ['http://x%2fa/public/1', '//x%2fa/public/1'],
    ['http://x@y;/health', '//x@y;/health'],
    ['//x/a', '//x/a'],
    ['/%6cogin', '/%6cogin'],
  ])('pathOf reads %s as %s', (url, path) => {
    expect(pathOf(url)).toBe(path)
  })

  it('pathOf agrees with the URL parser on plain paths', () => {
    const plain = fc.string({ unit: fc.constantFrom('a', 'Z', '/', '-', '_', '~', '0', ':', '@', '%41') })
    fc.assert(
      fc.property(plain, fc.string(), fc.string(), (path, query, hash) => {
        const url = `/x${path}?${query}#${hash}`
        expect(pathOf(url)).toBe(new URL(url, 'http://example.com').pathname)
        expect(pathOf(`http://example.com${url}`)).toBe(pathOf(url))
      }),
    )
  })
})

describe('readHeader', () => {
  it('readHeader reads text and lists, and no property of a prototype', () => {
    expect(readHeader({ a: '1' }, 'a')).toBe('1')
    expect(readHeader({ a: ['1', '2'] }, 'a')).toEqual(['1', '2'])
    expect(readHeader({ a: 5 } as never, 'a')).toBeUndefined()
    for (const name of ['constructor', 'toString', '__proto__', 'b'])
      expect(readHeader({ a: '1' }, name), name).toBeUndefined()
    expect(readHeader(new Headers(), 'a')).toBeUndefined()
  })
})
