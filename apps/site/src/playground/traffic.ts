import type { Arrival, TrafficSource } from './arrival.ts'
import { logTraffic } from './log-traffic.ts'
import type { Traffic } from './setup.ts'

/** The name of the client that attacks. */
export const ATTACKER = 'the attacker'

const START = Date.UTC(2026, 0, 1)
const SECOND = 1_000_000
const ATTACK_STARTS = 5 * SECOND

/** Makes the requests of a kind of traffic. The same traffic gives the same requests every time. */
export function sourceOf(traffic: Traffic): TrafficSource {
  const from = (arrivals: Iterator<Arrival>): TrafficSource => ({ start: START, arrivals, notes: [] })
  switch (traffic.kind) {
    case 'steady':
      return from(steady(traffic.perSecond, clientsOf(traffic.clients)))
    case 'bursts':
      return from(bursts(traffic.size, traffic.every, clientsOf(traffic.clients)))
    case 'attacker': {
      const attack = steady(traffic.attack, [clientAt(255, ATTACKER)], ATTACK_STARTS)
      return from(merged(steady(traffic.perSecond, clientsOf(traffic.clients)), attack))
    }
    case 'log':
      return logTraffic(traffic.text)
  }
}

type Client = Omit<Arrival, 'at'>

/** Each client has an address and a user of its own, so that policies can count it by either. */
function clientAt(index: number, name: string): Client {
  const ip = `203.0.${113 + (index >> 8)}.${index & 255}`
  const view = { method: 'GET', path: '/', ip, headers: {}, user: { id: name }, request: {} }
  return { client: name, view }
}

function clientsOf(count: number): readonly Client[] {
  return Array.from({ length: count }, (_, i) => clientAt(i + (i >= 255 ? 1 : 0), `client ${i + 1}`))
}

function* steady(perSecond: number, clients: readonly Client[], from = 0): Generator<Arrival, undefined> {
  for (let n = 0; ; n++) {
    const client = clients[n % clients.length] as Client
    yield { at: from + Math.round((n * SECOND) / perSecond), ...client }
  }
}

function* bursts(size: number, every: number, clients: readonly Client[]): Generator<Arrival, undefined> {
  for (let burst = 0; ; burst++) {
    const at = Math.round(burst * every * SECOND)
    for (let n = 0; n < size; n++) for (const client of clients) yield { at, ...client }
  }
}

function* merged(a: Iterator<Arrival>, b: Iterator<Arrival>): Generator<Arrival, undefined> {
  let [one, other] = [a.next(), b.next()]
  while (one.done !== true && other.done !== true) {
    if (one.value.at <= other.value.at) {
      yield one.value
      one = a.next()
    } else {
      yield other.value
      other = b.next()
    }
  }
}
