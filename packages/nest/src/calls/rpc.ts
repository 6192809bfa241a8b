import type { HeaderBag } from '@halt/core/http'
import type { ExecutionContext } from '@nestjs/common'

import { type Call, handlerName } from './call.ts'

interface Addressed {
  readonly remoteAddress?: string
}

/** The parts of a microservice context that Halt reads: TCP has a socket, gRPC has metadata. */
interface RpcContext {
  getSocketRef?(): Addressed & { readonly netSocket?: Addressed; readonly socket?: Addressed }
  getMap?(): Readonly<Record<string, string>>
  readonly user?: unknown
}

/** The call of gRPC. */
interface GrpcCall {
  getPeer?(): string
}

const NO_HEADERS: HeaderBag = Object.freeze({})

/**
 * Reads a message or event of a microservice. Each is charged separately. Its data never names the sender, because the sender
 * chooses it. Brokers know no address.
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

/** True if a call came over gRPC, which needs its own status for a refusal. */
export function isGrpc(context: ExecutionContext): boolean {
  return typeof grpcCallOf(context)?.getPeer === 'function'
}

function grpcCallOf(context: ExecutionContext): GrpcCall | undefined {
  return context.getArgByIndex<GrpcCall | undefined>(2) ?? undefined
}
