// A load shedder of @halt/overload in a Nest application: mounted as its README says, it is asked before the guard.
import { loadShedder } from '@halt/overload'
import { Controller, Get, type INestApplication } from '@nestjs/common'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { expect, it } from 'vitest'

import { makeApp, platforms } from '../app.ts'

let go: (() => void) | undefined

@Controller()
class Routes {
  @Get('slow')
  async slow(): Promise<string> {
    await new Promise<void>(resolve => (go = resolve))
    return 'done'
  }

  @Get('quick')
  quick(): string {
    return 'done'
  }
}

it.each(platforms)('a shedder comes before the guard, and its refusals are free: %s', async platform => {
  const shedder = loadShedder({ min: 1, max: 1 })
  const mount = (app: INestApplication): unknown =>
    platform === 'express'
      ? app.use(shedder.express)
      : (app as NestFastifyApplication).register(shedder.fastify as never)
  const policy = { name: 'api', limit: 2, window: 60, algorithm: 'fixed-window' } as const
  const app = await makeApp({ policy }, { platform, controllers: [Routes], before: mount })
  await app.listen(0, '127.0.0.1')
  const url = await app.getUrl()
  const slow = fetch(`${url}/slow`)
  while (go === undefined) await new Promise(resolve => setImmediate(resolve))
  for (let i = 0; i < 3; i++) {
    const { status, headers } = await fetch(`${url}/slow`)
    expect([status, headers.get('ratelimit-remaining')]).toEqual([503, null])
    expect(headers.get('retry-after')).toMatch(/^[123]$/)
  }
  go()
  go = undefined
  expect((await slow).headers.get('ratelimit-remaining')).toBe('1')
  expect((await fetch(`${url}/quick`)).headers.get('ratelimit-remaining')).toBe('0')
  expect((await fetch(`${url}/quick`)).status).toBe(429)
  while (shedder.state.inFlight > 0) await new Promise(resolve => setImmediate(resolve))
})
