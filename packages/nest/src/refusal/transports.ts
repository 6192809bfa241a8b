type Transport = 'ws' | 'rpc'
type ExceptionClass = new (error: object) => Error

// A cache of the installed classes. A second copy of this package finds the same ones.
const classes: Partial<Record<Transport, ExceptionClass>> = {}
let areGatewaysApart = false

/**
 * Loads the exception classes of the installed transports, because their filters handle no others. Nest loads these packages
 * at start anyway.
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

/** True if the installed Nest does not run global guards and interceptors for gateways: Nest 11, but not 12. */
export function keepsGatewaysApart(): boolean {
  return areGatewaysApart
}

// Nest 12 makes the context of a gateway with the application configuration, which has the global guards. Nest 11 does not.
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

// For a custom transport that uses the name of one of Nest's, whose package is not installed.
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
