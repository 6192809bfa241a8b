import { h, type VNode } from 'vue'

import type { PlayPolicy } from '../setup.ts'
import { choice, numberField, optionalNumber, textField } from './field.ts'

const ALGORITHMS = {
  'token-bucket': 'token bucket',
  'fixed-window': 'fixed window',
  'sliding-window': 'sliding window',
} as const
const KEYS = { ip: 'each address', user: 'each user', shared: 'everybody together' } as const

/** The form of one policy. `set` gets the changed policy, or undefined to remove it. */
export function policyForm(
  title: string,
  policy: PlayPolicy,
  set: (policy: PlayPolicy | undefined) => void,
  removable: boolean,
): VNode {
  const { name, limit, window, algorithm = 'token-bucket', burst, precision, blockDuration, cost } = policy
  const change = (fields: Partial<PlayPolicy>): void => set(withoutAbsent({ ...policy, ...fields }))
  return h('fieldset', [
    h('legend', title),
    h('div', { class: 'fields' }, [
      textField('name', name, value => change({ name: value })),
      choice('algorithm', algorithm, ALGORITHMS, value =>
        change({
          algorithm: value === 'token-bucket' ? undefined : value,
          burst: undefined,
          precision: undefined,
        }),
      ),
      numberField('limit', limit, value => change({ limit: value })),
      textField('window', String(window), value => change({ window: duration(value) }), {
        placeholder: '10s',
      }),
      algorithm === 'token-bucket' && optionalNumber('burst', burst, value => change({ burst: value })),
      algorithm === 'sliding-window' &&
        optionalNumber('precision', precision, value => change({ precision: value })),
      optionalNumber('cost', cost, value => change({ cost: value })),
      textField(
        'cool-down',
        String(blockDuration ?? ''),
        value => change({ blockDuration: value === '' ? undefined : duration(value) }),
        {
          placeholder: 'none',
        },
      ),
      choice('counts', (policy.keyStrategy ?? 'ip') as keyof typeof KEYS, KEYS, value =>
        change({ keyStrategy: value === 'ip' ? undefined : value }),
      ),
      removable && h('button', { type: 'button', onClick: () => set(undefined) }, `Remove ${name}`),
    ]),
  ])
}

/** A number is seconds, as in an application. */
function duration(text: string): number | string {
  return /^\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text.trim()
}

function withoutAbsent(policy: PlayPolicy): PlayPolicy {
  return Object.fromEntries(
    Object.entries(policy).filter(([, value]) => value !== undefined),
  ) as unknown as PlayPolicy
}
