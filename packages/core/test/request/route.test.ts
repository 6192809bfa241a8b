import { expect, it } from 'vitest'

import { NO_ROUTE, routeName } from '../../src/request/route.ts'

it('a route has the same name at each request, whatever the methods before', () => {
  for (let i = 0; i < 2; i++) {
    expect(routeName('/a b/', 'HEAD')).toBe('GET:/a%20b')
    expect(routeName('/a b/', 'POST')).toBe('POST:/a%20b')
    expect(routeName('/a b/', 'ALL')).toBe('OTHER:/a%20b')
    expect(routeName({ pattern: '/a b/', method: 'ALL' }, 'POST')).toBe('ALL:/a%20b')
    expect(routeName('/', 'GET')).toBe('GET:/')
    expect(routeName(NO_ROUTE, 'GET')).toBe(NO_ROUTE)
    expect(routeName(undefined, 'GET')).toBeUndefined()
  }
})

it('routes and methods beyond those that are remembered have names too', () => {
  for (let i = 0; i < 3000; i++) expect(routeName(`/${i}/`, 'GET')).toBe(`GET:/${i}`)
  for (let i = 0; i < 40; i++) expect(routeName({ pattern: '/m', method: `M${i}` }, '')).toBe(`M${i}:/m`)
  const long = `/${'x'.repeat(1000)}`
  for (let i = 0; i < 2; i++) expect(routeName(long, 'PUT')).toBe(`PUT:${long}`)
})
