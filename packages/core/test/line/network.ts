// A network between the processes of a world and the one server: requests of a process arrive in order, replies may not.
import type { Store, StoreMark } from '../../src/databases/index.ts'
import type { Random } from './random.ts'
import type { Server } from './server.ts'
import type { VirtualTime } from './virtual-time.ts'

/** Delays of one way, in microseconds. */
export interface Delays {
  readonly least: number
  readonly most: number
}

/** How the server fails: it refuses connections, or it takes requests and does not reply. */
export type Fault = 'away' | 'hung'

/** A call of the store that has arrived. `caller` is whatever {@link Network.callerOf} said as the process made it. */
export interface Arrival {
  readonly process: number
  readonly caller: unknown
  readonly at: number
  readonly method: string
}

interface Wire {
  readonly process: number
  isCut: boolean
  isClosed: boolean
  /** The instant at which the last request arrives, so that a later one does not overtake it. */
  last: number
  readonly reconnected: (() => void)[]
}

interface Call {
  readonly wire: Wire
  readonly serve: () => unknown
  readonly resolve: (value: never) => void
  readonly reject: (error: Error) => void
}

/** The network of a world. */
export class Network {
  /** Who makes the call that the process hands over now. */
  callerOf: () => unknown = () => undefined
  /** Hears of every call that the server carries out. */
  onArrival: ((arrival: Arrival) => void) | undefined
  readonly #time: VirtualTime
  readonly #random: Random
  readonly #server: Server
  readonly #delays: Delays
  readonly #wires: Wire[] = []
  #fault: Fault | undefined
  #held: Call[] = []

  constructor(time: VirtualTime, random: Random, server: Server, delays: Delays) {
    this.#time = time
    this.#random = random
    this.#server = server
    this.#delays = delays
  }

  /** The store as a new process sees it. */
  connect(): Store {
    const wire: Wire = {
      process: this.#wires.length,
      isCut: false,
      isClosed: false,
      last: 0,
      reconnected: [],
    }
    this.#wires.push(wire)
    const { store } = this.#server
    const call = <T>(method: string, serve: () => T | Promise<T>): Promise<T> =>
      this.#call(wire, method, serve)
    const mark: StoreMark = { read: () => call('mark', () => store.mark!('').read()) }
    return {
      ...(store.mark === undefined ? {} : { mark: () => mark }),
      kind: 'simulated',
      evaluate: group => call('evaluate', () => store.evaluate(group)),
      forget: counters => call('forget', () => store.forget(counters)),
      probe: () => call('probe', () => true),
      onReconnect: listener => void wire.reconnected.push(listener),
      document: name => {
        const document = store.document!(name)
        return {
          read: since => call('read', () => document.read(since)),
          write: (text, since) => call('write', () => document.write(text, since)),
        }
      },
      // As a client that disconnects: what is under way gets no reply, and what comes later is not sent.
      close: () => void (wire.isClosed = true),
    }
  }

  /** Cuts a process off, for ever: nothing that it sends arrives, and no reply reaches it. */
  cut(process: number): void {
    const wire = this.#wires[process]
    if (wire !== undefined) wire.isCut = true
  }

  /** Makes the server fail. */
  begin(fault: Fault): void {
    this.#fault = fault
  }

  /** Ends the failure. Of the requests that hang, `answered` is the share that the server carries out late; the others are lost. */
  end(answered: number): void {
    this.#fault = undefined
    for (const call of this.#held.splice(0))
      if (this.#random.next() < answered) this.#time.after(0, () => this.#serve(call))
      else this.#reply(call, () => call.reject(failure('read ECONNRESET')))
    for (const { reconnected } of this.#wires)
      for (const listener of reconnected) this.#time.after(1000, listener)
  }

  #call<T>(wire: Wire, method: string, serve: () => T | Promise<T>): Promise<T> {
    const caller = this.callerOf()
    return new Promise<T>((resolve, reject) => {
      if (wire.isCut) return
      if (wire.isClosed) return reject(failure('the connection is closed', true))
      if (this.#fault === 'away')
        return void this.#time.after(500, () => reject(failure('connect ECONNREFUSED', true)))
      wire.last = Math.max(wire.last + 1, this.#time.now + this.#delay())
      const note = (): T | Promise<T> => {
        this.onArrival?.({ process: wire.process, caller, at: this.#time.now, method })
        return serve()
      }
      this.#time.at(wire.last, () => this.#arrive({ wire, serve: note, resolve: resolve as never, reject }))
    })
  }

  #arrive(call: Call): Promise<void> | void {
    if (call.wire.isCut) return
    if (call.wire.isClosed) return call.reject(failure('the connection was closed'))
    if (this.#fault === 'hung') return void this.#held.push(call)
    if (this.#fault === 'away') return this.#reply(call, () => call.reject(failure('read ECONNRESET')))
    return this.#serve(call)
  }

  async #serve(call: Call): Promise<void> {
    // A real server answers by its own time. The world stands still meanwhile.
    const outcome = await this.#time.outside(async () => {
      try {
        return { value: await call.serve() }
      } catch (error) {
        return { error: error as Error }
      }
    })
    this.#reply(call, () =>
      'error' in outcome ? call.reject(outcome.error) : call.resolve(outcome.value as never),
    )
  }

  #reply(call: Call, deliver: () => void): void {
    this.#time.after(this.#delay(), () => {
      if (call.wire.isClosed) call.reject(failure('the connection was closed'))
      else if (!call.wire.isCut) deliver()
    })
  }

  #delay(): number {
    return this.#random.between(this.#delays.least, this.#delays.most)
  }
}

function failure(message: string, isUnsent = false): Error {
  return Object.assign(new Error(`${message} (the world began an outage)`), {
    failure: 'unavailable',
    ...(isUnsent ? { unsent: true } : {}),
  })
}
