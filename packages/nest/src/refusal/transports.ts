type Transport = 'ws' | 'rpc'
type ExceptionClass = new (error: object) => Error

// Only a cache of what is installed: a second copy of this package finds the same classes.
const classes: Partial<Record<Transport, ExceptionClass>> = {}
let areGatewaysApart = false

/**
 * Loads the exceptions of the transports that are installed: their filters know no others. Nest itself loads the
 * packages at start, where they are.
 */
export async function loadTransports(): Promise<void> {
  await Promise.all([
    import('@nestjs/websockets').then(found => void (classes.ws = found.WsException)).catch(ignoreAbsence),
    import('@nestjs/microservices')
      .then(found => void (classes.rpc = found.RpcException))
      .catch(ignoreAbsence),
    import('@nestjs/websockets/socket-module.js').then(noteGatewayGuards).catch(ignoreAbsence),
  ])
}

/** Whether the installed Nest keeps its global guards and interceptors from gateways: 11 does, 12 does not. */
export function keepsGatewaysApart(): boolean {
  return areGatewaysApart
}

// Nest 12 makes the context of gateways with the application's configuration, which has the global ones; 11 without.
function noteGatewayGuards({
  SocketModule,
}: {
  readonly SocketModule: { readonly prototype: object }
}): void {
  const { getContextCreator } = SocketModule.prototype as { getContextCreator?: unknown }
  areGatewaysApart = typeof getContextCreator === 'function' && getContextCreator.length === 1
}

/** Makes the exception of a transport. */
export function transportException(transport: Transport, error: object): Error {
  const found = classes[transport]
  return found === undefined ? new TransportError(error) : new found(error)
}

// A transport that is not one of Nest's own but calls itself so.
class TransportError extends Error {
  readonly #error: object

  constructor(error: object) {
    super((error as { message?: string }).message)
    this.#error = error
  }

  getError(): object {
    return this.#error
  }
}

function ignoreAbsence(): void {}
