import type { Decision } from '@halt/core'
import { hasDecisionProperty, type RequestView } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { graphqlArgs } from './graphql-args.ts'

/** One call of a handler, on any transport. */
export interface Call {
  readonly view: RequestView
  /** The HTTP request, which a limiter charges once. Undefined: every call is charged separately. */
  readonly httpRequest?: object | undefined
  /** The response of the platform; undefined if headers cannot be set. */
  readonly response?: object | undefined
  /** True if the call resolves a GraphQL field below the root. */
  readonly nested?: boolean
}

const DECISION = Symbol.for('halt.nest.decision')

interface Carrier {
  /** On HTTP requests, as with the other adapters. */
  halt?: Decision | undefined
  [DECISION]?: Decision | undefined
}

/** Stores the decision of a call, for its handler. */
export function noteDecision(context: ExecutionContext, decision: Decision): void {
  const type = context.getType<string>()
  if (type === 'ws') return noteInArguments(context.getArgs<unknown[]>(), decision)
  const carrier = carrierOf(context, type)
  if (carrier === undefined) return
  // Requests of Express read the decision from what the guards have noted, and so do those of Fastify where @halt/fastify is used.
  if (type === 'http') return void (hasDecisionProperty(carrier) || Reflect.set(carrier, 'halt', decision))
  // Not enumerable, because the carrier may be the message itself. By Reflect, because it may be frozen.
  Reflect.defineProperty(carrier, DECISION, { value: decision, enumerable: false, configurable: true })
}

/** The decision of a call. */
export function decisionOf(context: ExecutionContext): Decision | undefined {
  const type = context.getType<string>()
  if (type === 'ws') return decisionInArguments(context.getArgs<unknown[]>())
  const carrier = carrierOf(context, type)
  return type === 'http' ? carrier?.halt : carrier?.[DECISION]
}

// The object that carries the decision. It lives as long as the call, and parameter decorators, whose context has other
// arguments, can reach it.
function carrierOf(context: ExecutionContext, type: string): Carrier | undefined {
  const args = context.getArgs<unknown[]>()
  if (type === 'graphql') return graphqlArgs(args).info as Carrier | undefined
  const candidates = type === 'http' ? [args[0]] : [args[1], args[0]]
  return candidates.find(value => typeof value === 'object' && value !== null) as Carrier | undefined
}

// A WebSocket message has no carrier: all messages share the socket, and a message may not be an object, or may go to several
// gateways. So add one argument. Nest makes the arguments for each call and copies them for parameter decorators. The last
// one is the pattern of Nest, so the new one goes before it, after the payload.
function noteInArguments(args: unknown[], decision: Decision): void {
  if (args.length > 2) args.splice(-1, 0, { [DECISION]: decision } satisfies Carrier)
}

function decisionInArguments(args: readonly unknown[]): Decision | undefined {
  const carrier = args.findLast(arg => (arg as Carrier | null | undefined)?.[DECISION] !== undefined)
  return (carrier as Carrier | undefined)?.[DECISION]
}

/** `Class.handler`, the route of a call that has no HTTP route. */
export function handlerName(context: ExecutionContext): string {
  return `${context.getClass()?.name ?? ''}.${context.getHandler()?.name ?? ''}`
}
