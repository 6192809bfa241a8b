import { h, type VNode } from 'vue'

import { LASTS, MOST, type Setup, type Traffic, TRAFFIC } from '../setup.ts'
import { choice, numberField, read } from './field.ts'

const KINDS = {
  steady: 'steady',
  bursts: 'bursts',
  attacker: 'an attacker among others',
  log: 'a pasted access log',
} as const

const LABELS: Readonly<Record<string, string>> = {
  perSecond: 'requests per second',
  clients: 'clients',
  size: 'requests at once',
  every: 'seconds between bursts',
  attack: "attacker's requests per second",
}

/** The form of the traffic. `set` gets the changed traffic, `setLasts` how long a request is in flight, in seconds. */
export function trafficForm(
  { sides, traffic, lasts = LASTS }: Setup,
  set: (traffic: Traffic) => void,
  setLasts: (seconds: number) => void,
): VNode {
  const countsRunning = sides.flat().some(({ algorithm }) => algorithm === 'concurrency')
  const numbers = Object.entries(traffic).filter((entry): entry is [string, number] => entry[0] in LABELS)
  return h('fieldset', [
    h('legend', 'Traffic'),
    h('div', { class: 'fields' }, [
      choice('source', traffic.kind, KINDS, kind => set(TRAFFIC[kind])),
      ...numbers.map(([name, value]) =>
        numberField(LABELS[name] ?? name, value, changed => set({ ...traffic, [name]: changed } as Traffic), {
          min: name === 'clients' || name === 'size' ? 1 : 0.01,
          step: name === 'clients' || name === 'size' ? 1 : 'any',
          max: MOST[name === 'attack' ? 'perSecond' : (name as keyof typeof MOST)],
        }),
      ),
      countsRunning &&
        numberField('seconds that a request is in flight', lasts, setLasts, {
          min: 0.01,
          step: 'any',
          max: MOST.lasts,
        }),
      traffic.kind === 'log' && logField(traffic.text, text => set({ kind: 'log', text })),
    ]),
  ])
}

function logField(text: string, set: (text: string) => void): VNode {
  return h('label', { class: 'wide' }, [
    h('span', 'lines of the log; they stay on this page'),
    h('textarea', { rows: 5, value: text, spellcheck: false, placeholder: EXAMPLE, onChange: read(set) }),
  ])
}

const EXAMPLE = '203.0.113.7 - - [24/Nov/2026:10:00:00 +0000] "GET /things HTTP/1.1" 200 512 "-" "curl/8"'
