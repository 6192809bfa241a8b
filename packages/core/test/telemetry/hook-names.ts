/** The hooks that a limiter or a manager calls for a request. */
export const HOOKS = [
  'onCheck',
  'onAllowed',
  'onBlocked',
  'onExempt',
  'onQuotaCheck',
  'onQuotaExceeded',
  'onQuotaThreshold',
  'onViolation',
  'onPenaltyApplied',
  'onStoreError',
] as const
