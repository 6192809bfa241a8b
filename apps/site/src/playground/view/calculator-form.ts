import { defineComponent, h, ref, type VNode } from 'vue'

import { type Demand, propose } from '../calculator.ts'
import { policyCode } from '../policy-code.ts'
import type { PlayPolicy } from '../setup.ts'
import { numberField } from './field.ts'

const LABELS: { readonly [K in keyof Demand]: string } = {
  users: 'users who are busy at the same time',
  perMinute: 'requests of a busy user per minute',
  atOnce: 'requests that a page sends at once',
  capacity: 'requests per second that the service bears; 0 if unknown',
}

const NAMES = Object.keys(LABELS) as (keyof Demand)[]

/** Finds policies for a number of users and requests, and hands them to the playground. */
export const CalculatorForm = defineComponent({
  name: 'CalculatorForm',
  emits: { use: (_policies: readonly PlayPolicy[]) => true },
  setup(_props, { emit }) {
    const demand = ref<Demand>({ users: 200, perMinute: 30, atOnce: 15, capacity: 500 })
    const field = (name: keyof Demand): VNode => {
      const min = name === 'capacity' ? 0 : 1
      const set = (value: number): void => {
        if (value >= min) demand.value = { ...demand.value, [name]: Math.round(value) }
      }
      return numberField(LABELS[name], demand.value[name], set, { min })
    }
    return () => {
      const { policies, reasons } = propose(demand.value)
      return h('section', { class: 'calculator', 'aria-label': 'Calculator' }, [
        h('h2', 'From users to a policy'),
        h('div', { class: 'fields' }, NAMES.map(field)),
        h(
          'ul',
          reasons.map(reason => h('li', reason)),
        ),
        h('pre', { tabindex: 0, 'aria-label': 'The policies' }, policyCode(policies)),
        h('button', { type: 'button', onClick: () => emit('use', policies) }, 'Try these policies above'),
      ])
    }
  },
})
