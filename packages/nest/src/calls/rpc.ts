import type { HeaderBag } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { type Call, handlerName } from './call.ts'

interface Addressed {
  readonly remoteAddress?: string
}

/** What contexts of Nest's transports have: TCP a socket, gRPC metadata. */
interface RpcContext {
  getSocketRef?(): Addressed & { readonly netSocket?: Addressed; readonly socket?: Addressed }
  getMap?(): Readonly<Record<string, string>>
  readonly user?: unknown
}

/** gRPC's call. */
interface GrpcCall {
  getPeer?(): string
}

const NO_HEADERS: HeaderBag = Object.freeze({})

/**
 * A message or event of a microservice: each is its own charge. Its data is never asked who sends it, the sender could
 * say anything; brokers know no address.
 */
export function rpcCall(context: ExecutionContext): Call {
  const rpc = context.getArgByIndex<RpcContext | undefined>(1)
  const socket = rpc?.getSocketRef?.()
  const { remoteAddress } = socket?.netSocket ?? socket?.socket ?? socket ?? {}
  const ip =
    remoteAddress ??
    grpcCallOf(context)
      ?.getPeer?.()
      .replace(/^ipv[46]:/, '')
  const headers = rpc?.getMap?.() ?? NO_HEADERS
  return {
    view: { method: 'RPC', path: '/', route: handlerName(context), ip, headers, request: rpc, context },
  }
}

/** Whether a call came over gRPC, where a refusal needs a status of its own. */
export function isGrpc(context: ExecutionContext): boolean {
  return typeof grpcCallOf(context)?.getPeer === 'function'
}

function grpcCallOf(context: ExecutionContext): GrpcCall | undefined {
  return context.getArgByIndex<GrpcCall | undefined>(2) ?? undefined
}
