import { describe, expect, it } from 'vitest'

import { bundle } from '../../../../tools/bundle.ts'
import { detectFormat, parseFields, readerOf } from '../../src/log/formats.ts'

const at = Date.UTC(2026, 10, 24, 9, 0, 0)
const LINES = {
  combined:
    '203.0.113.7 - ann [24/Nov/2026:10:00:00 +0100] "POST /login?x=1 HTTP/1.1" 200 512 "https://e.com/" "Mozilla \\"5\\"" "198.51.100.1"',
  json: '{"time":"2026-11-24T09:00:00Z","remote_addr":"203.0.113.7","method":"POST","url":"/login?x=1","user":"ann","x_forwarded_for":"198.51.100.1","user_agent":"Mozilla \\"5\\""}',
  caddy:
    '{"level":"info","ts":1795510800.0,"request":{"remote_ip":"203.0.113.7","method":"POST","uri":"/login?x=1","headers":{"User-Agent":["Mozilla \\"5\\""],"X-Forwarded-For":["198.51.100.1"]}},"user_id":"ann","status":200}',
  cloudflare:
    '{"ClientIP":"203.0.113.7","ClientRequestMethod":"POST","ClientRequestURI":"/login?x=1","ClientRequestUserAgent":"Mozilla","EdgeStartTimestamp":1795510800000000000}',
  alb: 'https 2026-11-24T09:00:00.000000Z app/lb/1 203.0.113.7:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 "POST https://e.com:443/login?x=1 HTTP/1.1" "Mozilla" ECDHE TLSv1.2 arn "Root=1-5"',
} as const

describe.each(Object.keys(LINES) as (keyof typeof LINES)[])('the format %s', format => {
  const line = LINES[format]

  it('gives the time, the address, the method and the target', () => {
    const request = readerOf(format)(line)
    expect(request).toMatchObject({
      at,
      ip: '203.0.113.7',
      method: 'POST',
      url: '/login?x=1',
      path: '/login',
    })
  })

  it('is found by its first lines', () => {
    expect(detectFormat(['half a li', line])).toBe(format)
  })

  it('reads no line that is cut before its last required field', () => {
    const read = readerOf(format)
    const required = { combined: '" 20', json: '"}', caddy: '}', cloudflare: '}', alb: '" ECDHE' }[format]
    const end = line.lastIndexOf(required)
    for (let length = 0; length < end; length++)
      expect(read(line.slice(0, length)), line.slice(0, length)).toBeUndefined()
  })
})

describe('fields that not every format has', () => {
  it.each(['combined', 'json', 'caddy'] as const)('%s gives the user and the forwarded address', format => {
    const request = readerOf(format)(LINES[format])
    expect(request?.user).toEqual({ id: 'ann' })
    expect(request?.headers).toMatchObject({ 'x-forwarded-for': '198.51.100.1' })
  })

  it('the common format has no headers', () => {
    const request = readerOf('combined')('::1 - - [24/Nov/2026:10:00:00 +0100] "GET / HTTP/1.0" 404 -')
    expect(request).toMatchObject({ at, ip: '::1', user: undefined, headers: {} })
  })

  it.each(['a [b', ' [1', 'x [24/Nov/2030:10:00:00 +0100]'])(
    'a client cannot hide a line by the name %j, which a server logs whether it is right or not',
    user => {
      const line = `203.0.113.7 - ${user} [24/Nov/2026:10:00:00 +0100] "GET /a HTTP/1.1" 401 0 "-" "-"`
      expect(readerOf('combined')(line)).toMatchObject({
        at,
        ip: '203.0.113.7',
        url: '/a',
        user: { id: user },
      })
    },
  )

  it('a request that is not HTTP is a GET of /', () => {
    const request = readerOf('combined')(
      '203.0.113.7 - - [24/Nov/2026:10:00:00 +0100] "\\x16\\x03" 400 0 "-" "-"',
    )
    expect(request).toMatchObject({ method: 'GET', url: '/' })
  })

  it.each([1795510800, 1795510800000, 1795510800000000, '1795510800', '2026-11-24T10:00:00+01:00'])(
    'JSON takes the time %s',
    time => {
      expect(readerOf('json')(JSON.stringify({ time, ip: '203.0.113.7' }))?.at).toBe(at)
    },
  )

  it('--fields names other places in JSON', () => {
    const read = readerOf('json', parseFields('ip=client.address,time=when'))
    const line = JSON.stringify({ when: at, client: { address: '203.0.113.7' }, ip: '10.0.0.1' })
    expect(read(line)).toMatchObject({ at, ip: '203.0.113.7' })
  })

  it('an inherited name is not a field', () => {
    expect(readerOf('json', { ip: 'constructor.name' })(JSON.stringify({ time: at }))).toBeUndefined()
  })
})

describe('the entry @halt/cli/log', () => {
  it('has the readers alone, which run without Node', async () => {
    const code = await bundle(new URL('../../src/log/index.ts', import.meta.url), 'es')
    expect(code).not.toMatch(/from ["']node:/)
    const { detectFormat: detect, readerOf: reader } = (await import(
      `data:text/javascript,${encodeURIComponent(code)}`
    )) as typeof import('../../src/log/index.ts')
    expect(detect([LINES.combined])).toBe('combined')
    expect(reader('combined')(LINES.combined)?.path).toBe('/login')
  })
})
