// CodeQL itself is not run here. These tests hold the rows of the model pack to what the packages export.
import { readFile } from 'node:fs/promises'

import { halt, type HaltOptions } from '@halt/fastify'
import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'

const pack = new URL('../../../codeql/halt-models/', import.meta.url)
const model = await readFile(new URL('halt.model.yml', pack), 'utf8')
const rows = [...model.matchAll(/^ +- \['(.+?)', '(.+?)', '(.+?)'\]$/gm)].map(([, ...row]) => row)

let made = 0
const policy = (): object => ({ name: `made_${made++}`, limit: 1, window: 60 })

/** Makes the app that `fastify()` returns, with the plugin registered. */
async function app(): Promise<object> {
  const server = Fastify()
  await server.register(halt, { policy: policy() } as HaltOptions)
  return server
}

/** Follows an access path of CodeQL from a module. */
async function follow(module: string, path: string): Promise<unknown> {
  let value: unknown = await import(module)
  for (const token of path.split('.')) {
    const member = /^Member\[(.+)\]$/.exec(token)?.[1]
    if (member !== undefined) value = (value as Record<string, unknown>)[member]
    else if (token === 'ReturnValue' && module === 'fastify') value = await app()
    else throw new Error(`The test cannot follow ${token}.`)
    expect(value, `${module}, ${path}`).toBeDefined()
  }
  return value
}

describe('codeql/halt-models', () => {
  it('the model pack names the file of its rows, and the library that they extend', async () => {
    const manifest = await readFile(new URL('codeql-pack.yml', pack), 'utf8')
    expect(manifest).toContain('  - halt.model.yml\n')
    expect(manifest).toContain('codeql/javascript-all:')
    expect(rows).toHaveLength(model.match(/^ +- \[/gm)?.length ?? 0)
  })

  it.each(rows)(
    '%s, %s, %s leads to a function that makes a rate limiter',
    async (type, module = '', path = '') => {
      expect(type).toBe('express-rate-limit')
      const make = (await follow(module, path)) as (options: object) => unknown
      expect(make({ policy: policy() })).toBeTypeOf('function')
    },
  )
})
