import type { Duration } from '@halt/core'
import { h, type VNode } from 'vue'

import type { PlayPolicy } from '../setup.ts'
import { choice, numberField, optionalNumber, textField } from './field.ts'

const ALGORITHMS = {
  'token-bucket': 'token bucket',
  'fixed-window': 'fixed window',
  'sliding-window': 'sliding window',
  concurrency: 'requests in flight',
} as const
const SHARES = { none: 'to whom comes first', user: 'fair, by user', ip: 'fair, by address' } as const
const KEYS = { ip: 'each address', user: 'each user', shared: 'everybody together' } as const

/** The form of one policy. `set` gets the changed policy, or undefined to remove it. */
export function policyForm(
  title: string,
  policy: PlayPolicy,
  set: (policy: PlayPolicy | undefined) => void,
  removable: boolean,
): VNode {
  const { name, limit, algorithm = 'token-bucket', burst, precision, blockDuration, cost } = policy
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
          fair: canBeFair(value, policy.keyStrategy) ? policy.fair : undefined,
          ...lengthOf(policy, value),
        }),
      ),
      numberField('limit', limit, value => change({ limit: value })),
      algorithm === 'concurrency'
        ? lengthField('ttl', policy.ttl, value => change({ ttl: value }))
        : lengthField('window', policy.window, value => change({ window: value })),
      algorithm === 'token-bucket' && optionalNumber('burst', burst, value => change({ burst: value })),
      algorithm === 'sliding-window' &&
        optionalNumber('precision', precision, value => change({ precision: value })),
      optionalNumber('cost', cost, value => change({ cost: value })),
      algorithm !== 'concurrency' &&
        policy.fair === undefined &&
        textField(
          'cool-down',
          String(blockDuration ?? ''),
          value => change({ blockDuration: value === '' ? undefined : duration(value) }),
          {
            placeholder: 'none',
          },
        ),
      choice('counts', (policy.keyStrategy ?? 'ip') as keyof typeof KEYS, KEYS, value =>
        change({
          keyStrategy: value === 'ip' ? undefined : value,
          fair: canBeFair(algorithm, value) ? policy.fair : undefined,
        }),
      ),
      canBeFair(algorithm, policy.keyStrategy) &&
        choice('shares', policy.fair?.by ?? 'none', SHARES, value =>
          change(value === 'none' ? { fair: undefined } : { fair: { by: value }, blockDuration: undefined }),
        ),
      removable && h('button', { type: 'button', onClick: () => set(undefined) }, `Remove ${name}`),
    ]),
  ])
}

/** Whether tenants can share the units that a policy counts. */
function canBeFair(algorithm: keyof typeof ALGORITHMS, counts: PlayPolicy['keyStrategy']): boolean {
  return counts === 'shared' && (algorithm === 'token-bucket' || algorithm === 'concurrency')
}

function lengthField(
  name: 'ttl' | 'window',
  value: Duration | undefined,
  set: (value: Duration) => void,
): VNode {
  return textField(name, String(value ?? ''), text => set(duration(text)), { placeholder: '10s' })
}

/** `concurrency` has a `ttl` where the others have a `window`. */
function lengthOf({ window, ttl }: PlayPolicy, algorithm: keyof typeof ALGORITHMS): Partial<PlayPolicy> {
  const length = window ?? ttl
  return algorithm === 'concurrency'
    ? { window: undefined, ttl: length, blockDuration: undefined }
    : { window: length, ttl: undefined }
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
