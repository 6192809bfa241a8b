import type { Decision } from '@halt/core'
import type { RequestView } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { graphqlArgs } from './graphql-args.ts'

/** One call of a handler, whatever brought it. */
export interface Call {
  readonly view: RequestView
  /** The HTTP request, which a limiter charges once. Undefined: every call is its own charge. */
  readonly httpRequest?: object | undefined
  /** The platform's response, where there is one to set headers on. */
  readonly response?: object | undefined
  /** Whether it resolves a GraphQL field below the root. */
  readonly nested?: boolean
}

const DECISION = Symbol.for('halt.nest.decision')

interface Carrier {
  /** On HTTP requests, as in the other adapters. */
  halt?: Decision | undefined
  [DECISION]?: Decision | undefined
}

/** Remembers the decision about a call for its handler. */
export function noteDecision(context: ExecutionContext, decision: Decision): void {
  const type = context.getType<string>()
  if (type === 'ws') return noteAmong(context.getArgs<unknown[]>(), decision)
  const carrier = carrierOf(context, type)
  if (carrier === undefined) return
  if (type === 'http') carrier.halt = decision
  // Not enumerable: it may be the message itself. Reflect: it may be frozen.
  else Reflect.defineProperty(carrier, DECISION, { value: decision, enumerable: false, configurable: true })
}

/** The decision about a call. */
export function decisionOf(context: ExecutionContext): Decision | undefined {
  const type = context.getType<string>()
  if (type === 'ws') return foundAmong(context.getArgs<unknown[]>())
  const carrier = carrierOf(context, type)
  return type === 'http' ? carrier?.halt : carrier?.[DECISION]
}

// What lives as long as the call and can be reached from its parameter decorators, which get arguments of their own.
function carrierOf(context: ExecutionContext, type: string): Carrier | undefined {
  const args = context.getArgs<unknown[]>()
  if (type === 'graphql') return graphqlArgs(args).info as Carrier | undefined
  const candidates = type === 'http' ? [args[0]] : [args[1], args[0]]
  return candidates.find(value => typeof value === 'object' && value !== null) as Carrier | undefined
}

// All messages share the socket, and one may be no object, or come to several gateways. So the arguments, which Nest makes
// for each call and copies for parameter decorators, get one more: before the last, which is the pattern to Nest, and
// behind the payload.
function noteAmong(args: unknown[], decision: Decision): void {
  if (args.length > 2) args.splice(-1, 0, { [DECISION]: decision } satisfies Carrier)
}

function foundAmong(args: readonly unknown[]): Decision | undefined {
  const carrier = args.findLast(arg => (arg as Carrier | null | undefined)?.[DECISION] !== undefined)
  return (carrier as Carrier | undefined)?.[DECISION]
}

/** `Class.handler`: what counts as the route where there is none. */
export function handlerName(context: ExecutionContext): string {
  return `${context.getClass()?.name ?? ''}.${context.getHandler()?.name ?? ''}`
}
