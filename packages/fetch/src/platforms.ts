import { HaltError, describe } from '@halt/core/http'

import { nodeRequestOf } from './node-bridge.ts'

/** A platform or runtime whose way to tell the client's address is known. */
export type Platform = 'vercel' | 'cloudflare' | 'netlify' | 'fly' | 'bun' | 'deno' | 'node'

/** The source of the client's address: a platform, or a function that gets the request and the context of the handler. */
export type ClientIp<R extends Request = Request, C = unknown> =
  | Platform
  | ((request: R, context: C) => string | undefined)

/** Reads the client's address. A result that is not a text means that the request has no address. */
export interface AddressSource {
  /** Whether the result is the address of the socket's peer. The limiter's `trustedProxies` then apply. */
  readonly isPeer: boolean
  read(request: Request, context: unknown): unknown
}

const PLATFORMS: Readonly<Record<Platform, AddressSource>> = {
  // Unlike x-forwarded-for, a proxy in front of Vercel cannot set it.
  vercel: fromHeader('x-vercel-forwarded-for'),
  cloudflare: fromHeader('cf-connecting-ip'),
  netlify: {
    isPeer: false,
    // Netlify's own functions get a context with the address. Frameworks on Netlify pass only the request on.
    read: (request, context) =>
      textOf((context as { ip?: unknown } | undefined)?.ip) ??
      request.headers.get('x-nf-client-connection-ip'),
  },
  fly: fromHeader('fly-client-ip'),
  bun: {
    isPeer: true,
    read: (request, context) => (context as BunServer | undefined)?.requestIP?.(request)?.address,
  },
  deno: {
    isPeer: true,
    read: (_request, context) => (context as DenoInfo | undefined)?.remoteAddr?.hostname,
  },
  node: {
    isPeer: true,
    read: (request, context) => nodeRequestOf(request, context)?.socket?.remoteAddress,
  },
}

/** The second argument of a handler in `Bun.serve`. */
interface BunServer {
  requestIP?(request: Request): { readonly address?: unknown } | null
}

/** The second argument of a handler in `Deno.serve`. */
interface DenoInfo {
  readonly remoteAddr?: { readonly hostname?: unknown }
}

function fromHeader(name: string): AddressSource {
  return { isPeer: false, read: ({ headers }) => headers.get(name) }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The source for requests whose address nobody tells. */
const NOWHERE: AddressSource = { isPeer: false, read: () => undefined }

/**
 * Finds the source that the option `clientIp` names.
 *
 * @throws HaltError `HALT_E_OPTION` for a value that is neither a platform nor a function
 */
export function addressSource<R extends Request, C>(clientIp: ClientIp<R, C> | undefined): AddressSource {
  if (clientIp === undefined) return NOWHERE
  if (typeof clientIp === 'function')
    return { isPeer: false, read: (request, context) => clientIp(request as R, context as C) }
  if (Object.hasOwn(PLATFORMS, clientIp)) return PLATFORMS[clientIp]
  const names = Object.keys(PLATFORMS)
    .map(name => `"${name}"`)
    .join(', ')
  throw new HaltError(
    'HALT_E_OPTION',
    `clientIp is ${describe(clientIp)}.`,
    `Give ${names}, or (request, context) => address.`,
  )
}
