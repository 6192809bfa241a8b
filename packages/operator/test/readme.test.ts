import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import type { Express } from 'express'
import { expect, it, onTestFinished } from 'vitest'

import { exampleAfter } from '../../../tools/example.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

it('the example of the README asks for a password, and its calls of the API work', async () => {
  process.env['OPERATOR_PASSWORD'] = 'secret'
  onTestFinished(() => void delete process.env['OPERATOR_PASSWORD'])
  // The test listens on a free port, and closes what listens to this process.
  const text = readme.replace('app.listen(3000)', 'app.locals.close = () => [page.close(), control.close()]')
  const { app } = await exampleAfter<Express>(text, '## Mount it\n', {
    express: () => import('express'),
    'node:crypto': () => import('node:crypto'),
    '@halt/control': () => import('@halt/control'),
    '@halt/core': () => import('@halt/core'),
    '@halt/operator': () => import('../src/index.ts'),
    '@halt/store-memory': () => import('@halt/store-memory'),
  })
  onTestFinished(() => void app.locals['close']())
  const server: Server = app.listen(0)
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const url = `http://localhost:${(server.address() as AddressInfo).port}/halt/`
  const refused = await fetch(url)
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Basic'])

  const calls = [...readme.matchAll(/-H '(content-type): (.*)' \\\s+.*api\/(\w+)[\s\\]+-d '(.*)'/g)]
  expect(calls.map(([, , , name]) => name)).toEqual(['find', 'act'])
  const authorization = `Basic ${btoa('ann:secret')}`
  for (const [, header = '', type = '', name = '', body = ''] of calls) {
    const headers = { authorization, 'x-halt-operator': '1', [header]: type }
    const response = await fetch(`${url}api/${name}`, { method: 'POST', headers, body })
    expect(response.status).toBe(200)
    if (name === 'act') expect(readme).toContain(`# → ${await response.text()}`)
    else expect(await response.json()).toMatchObject({ limiters: [{ allowed: true }] })
  }
  expect((await fetch(url, { headers: { authorization } })).status).toBe(200)
})
