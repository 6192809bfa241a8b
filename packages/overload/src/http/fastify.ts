import { HaltError } from '@halt/core'
import { describe } from '@halt/core/http'

import { type Doorkeeper, REFUSED, UNCOUNTED } from '../shedder/doorkeeper.ts'
import { connectionOf, type NodeDoor, type RawRequest } from './node.ts'
import type { Refusals } from './refusals.ts'
import { hasSeen, type NodeResponse, watch } from './watch.ts'

/** Hooks that get the same arguments, before the handler. */
const HOOKS = ['onRequest', 'preValidation', 'preHandler'] as const

/** Options of the plugin. */
export interface ShedHookOptions {
  /** The hook in which requests are asked for. Default `"onRequest"`. `"preHandler"` runs after authentication. */
  readonly hook?: (typeof HOOKS)[number] | undefined
}

/** The part of a Fastify request that is read. */
interface HookRequest {
  readonly raw: object
  readonly routeOptions?: { readonly url?: string | undefined } | undefined
}

interface HookReply {
  readonly raw: object
  code(status: number): HookReply
  headers(headers: Record<string, string>): HookReply
  serializer(serialize: (text: string) => string): HookReply
  send(body: string): unknown
}

type Hook = (request: HookRequest, reply: HookReply, done: () => void) => void

/** The part of a Fastify instance that is used. */
interface HookHost {
  addHook(name: (typeof HOOKS)[number], hook: Hook): unknown
}

/** A plugin of Fastify, for the instance that registers it and its children. */
export type FastifyPlugin = (
  instance: HookHost,
  options: ShedHookOptions,
  done: (error?: Error) => void,
) => void

/** Makes the plugin. */
export function fastifyOf(doorkeeper: Doorkeeper, refusals: Refusals, door: NodeDoor): FastifyPlugin {
  const hook: Hook = (request, reply, done) => {
    const raw = request.raw as RawRequest
    const response = reply.raw as NodeResponse
    if (hasSeen(door, response)) return done()
    const url = request.routeOptions?.url
    const matched = url === undefined ? undefined : `${raw.method} ${url}`
    const entry = doorkeeper.ask(request, raw.method, raw.url ?? '/', matched, connectionOf(raw))
    if (entry === REFUSED) {
      const { status, headers, body } = refusals.pick()
      // The text is JSON already, so a serializer that a hook has set is not for it.
      return void reply.code(status).headers(headers).serializer(asIs).send(body.text)
    }
    if (entry !== UNCOUNTED) watch(door, entry, raw, response)
    done()
  }
  const plugin: FastifyPlugin = (instance, { hook: name = 'onRequest' }, done) => {
    if (!HOOKS.includes(name))
      return done(
        new HaltError(
          'HALT_E_OPTION',
          `hook of shedder.fastify is ${describe(name)}.`,
          `Choose one of ${HOOKS.map(describe).join(', ')}.`,
        ),
      )
    instance.addHook(name, hook)
    done()
  }
  // As fastify-plugin does: the hook holds for the instance itself, not only for a child.
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: '@halt/overload',
  })
}

const asIs = (text: string): string => text
