import { describe, expect, it } from 'vitest'

import { exemptionOf, routeOf } from '../../src/base/paths.ts'

describe('exemptionOf', () => {
  const isExempt = exemptionOf(['/admin', '/files/'], ['/health'])

  it.each([
    '/admin',
    '/admin/',
    '/admin/users?all',
    '/files/a',
    '/health',
    '/health?x',
    'http://host/health',
  ])('an exemption lets %s pass', target => {
    expect(isExempt('GET', target)).toBe(true)
  })

  it.each([
    '/',
    '',
    '*',
    '/adminx',
    '/admin/../pay',
    '/admin/%2e%2e/pay',
    '/admin//pay',
    '/admin;x/pay',
    '/admin\\..\\pay',
    '/health/x',
    'http://host?/health',
  ])('an exemption does not let %j pass', target => {
    expect(isExempt('GET', target)).toBe(false)
  })

  it('an exemption lets health checks pass only for GET and HEAD', () => {
    expect([isExempt('HEAD', '/health'), isExempt('POST', '/health')]).toEqual([true, false])
  })
})

describe('routeOf', () => {
  it.each([
    ['/', 'GET /'],
    ['/?q=1', 'GET /'],
    ['/items', 'GET /items'],
    ['/items?limit=5', 'GET /items'],
    ['/items/7', 'GET /items/:id'],
    ['/items/7/parts/9', 'GET /items/:id'],
    ['/api/items/7', 'GET /api/items'],
    [`/items/${'a'.repeat(30)}`, 'GET /items/:id'],
    ['*', 'GET *'],
  ])('routeOf names the route of %s %s', (target, route) => {
    expect(routeOf('GET', target)).toBe(route)
  })
})
