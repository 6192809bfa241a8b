import type { Decision } from '@halt/core'
import type { RequestView } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { graphqlArgs } from './graphql-args.ts'

/** One call of a handler, whatever brought it. */
export interface Call {
  readonly view: RequestView
  /** The HTTP request, which a limiter charges once. Undefined: every call is its own charge. */
  readonly visitor?: object | undefined
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
export function noteDecision(context: ExecutionContext, decision: Decision | undefined): void {
  const carrier = carrierOf(context)
  if (carrier === undefined) return
  if (context.getType<string>() === 'http') carrier.halt = decision
  // Not enumerable: it may be the message itself. Reflect: it may be frozen.
  else Reflect.defineProperty(carrier, DECISION, { value: decision, enumerable: false, configurable: true })
}

/** The decision about a call. */
export function decisionOf(context: ExecutionContext): Decision | undefined {
  const carrier = carrierOf(context)
  return context.getType<string>() === 'http' ? carrier?.halt : carrier?.[DECISION]
}

// What lives as long as the call and can be reached from its parameter decorators, which get arguments of their own.
function carrierOf(context: ExecutionContext): Carrier | undefined {
  const args = context.getArgs<unknown[]>()
  const type = context.getType<string>()
  if (type === 'graphql') return graphqlArgs(args).info as Carrier | undefined
  const candidates = type === 'http' ? [args[0]] : [args[1], args[0]]
  return candidates.find(value => typeof value === 'object' && value !== null) as Carrier | undefined
}

/** `Class.handler`: what counts as the route where there is none. */
export function handlerName(context: ExecutionContext): string {
  return `${context.getClass()?.name ?? ''}.${context.getHandler()?.name ?? ''}`
}
