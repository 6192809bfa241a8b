import { type ExecutionContext, Injectable, UseGuards } from '@nestjs/common'
import { ExternalContextCreator } from '@nestjs/core'
import { describe, expect, it } from 'vitest'

import { HaltGuard, RateLimit, RateLimitException } from '../../src/index.ts'
import { makeApp } from '../app.ts'

// Libraries for Discord, Telegram and jobs create contexts like this.
@Injectable()
@UseGuards(HaltGuard)
class Commands {
  @RateLimit()
  ping(command: { readonly user: { readonly id: string } }) {
    return `pong ${command.user.id}`
  }
}

async function handlerOf(options: object): Promise<(command: object) => Promise<unknown>> {
  const app = await makeApp(
    { policy: { name: 'global', limit: 1, window: 60 }, warn: () => {}, ...options },
    { providers: [Commands] },
  )
  await app.init()
  const commands = app.get(Commands)
  const creator = app.get(ExternalContextCreator)
  return creator.create(
    commands,
    commands.ping as () => string,
    'ping',
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    'command',
  ) as never
}

describe('a transport that Halt does not know', () => {
  it('an unknown transport is counted on one counter, whatever its messages claim', async () => {
    const ping = await handlerOf({})
    expect(await ping({ user: { id: '1' } })).toBe('pong 1')
    await expect(ping({ user: { id: '2' } })).rejects.toBeInstanceOf(RateLimitException)
  })

  it('getRequest reads an unknown transport', async () => {
    const getRequest = (context: ExecutionContext) => context.getArgByIndex<object>(0)
    const ping = await handlerOf({
      getRequest,
      policy: { name: 'global', limit: 1, window: 60, keyStrategy: 'user' },
    })
    expect(await ping({ user: { id: '1' } })).toBe('pong 1')
    expect(await ping({ user: { id: '2' } })).toBe('pong 2')
    await expect(ping({ user: { id: '2' } })).rejects.toMatchObject({ decision: { key: 'user:2' } })
  })

  it.each([[new Error('no')], [Symbol('odd')], [Object.create(null)], [undefined]])(
    'a call is counted as unknown when getRequest throws, whatever it throws',
    async value => {
      const codes: string[] = []
      const getRequest = () => {
        throw value
      }
      const ping = await handlerOf({ getRequest, warn: ({ code }: { code: string }) => codes.push(code) })
      await ping({ user: { id: '1' } })
      await expect(ping({ user: { id: '2' } })).rejects.toBeInstanceOf(RateLimitException)
      expect(codes).toContain('HALT_W_CALLBACK')
    },
  )

  it('a call is counted as unknown when getRequest is async, with a warning', async () => {
    const messages: string[] = []
    const getRequest = async () => Promise.reject(new Error('no'))
    const warn = ({ message }: { message: string }) => messages.push(message)
    const ping = await handlerOf({ getRequest, warn })
    await ping({ user: { id: '1' } })
    await expect(ping({ user: { id: '2' } })).rejects.toBeInstanceOf(RateLimitException)
    expect(messages).toContain('getRequest failed: it returned a promise, and Halt does not wait for it.')
  })
})
