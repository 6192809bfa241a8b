import type { ExecutionContext } from '@nestjs/common'

import { Runtime } from '../src/guard/runtime.ts'
import { LOCAL } from './app.ts'

/** A class with one handler. */
export class Host {
  handler(): void {}
}

/** Makes the context of a call as Nest does, for transports that are not installed here. */
export function contextOf(
  type: string,
  args: unknown[],
  handler: () => void = Host.prototype.handler,
): ExecutionContext {
  return {
    getType: () => type,
    getArgs: () => args,
    getArgByIndex: (index: number) => args[index],
    getClass: () => Host,
    getHandler: () => handler,
  } as unknown as ExecutionContext
}

/** The global policy of {@link runtimeOf}. */
export const policy = { name: 'global', limit: 1, window: 60 } as const

/** Makes the runtime of a module whose global policy allows one call. */
export function runtimeOf(options: object = {}): Runtime {
  return new Runtime({ ...LOCAL, policy, ...options } as never)
}

/** Makes a request with the properties of Express's. */
export function requestOf(): object {
  return { method: 'GET', url: '/', headers: {}, socket: { remoteAddress: '203.0.113.7' } }
}

/** Makes a response with the methods of Express's. */
export function responseOf(): { readonly headers: Record<string, string> } {
  const headers: Record<string, string> = {}
  return Object.assign(
    { headers, headersSent: false },
    {
      once: () => {},
      getHeader: (name: string) => headers[name],
      setHeader: (name: string, value: string) => void (headers[name] = value),
    },
  )
}
