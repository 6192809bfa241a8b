import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import type { Express } from 'express'
import { expect, it } from 'vitest'

import { exampleAfter } from '../../../tools/example.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

it('the example of the README is a page that refuses whoever is not signed in', async () => {
  const { app } = await exampleAfter<Express>(readme, '## Mount it\n', {
    express: () => import('express'),
    '@halt/core': () => import('@halt/core'),
    '@halt/operator': () => import('../src/index.ts'),
    '@halt/store-memory': () => import('@halt/store-memory'),
  })
  const server: Server = app.listen(0)
  await once(server, 'listening')
  const response = await fetch(`http://localhost:${(server.address() as AddressInfo).port}/halt/`)
  expect([response.status, await response.json()]).toMatchObject([
    401,
    { error: { code: 'HALT_E_OPERATOR_DENIED' } },
  ])
  server.close()
})
