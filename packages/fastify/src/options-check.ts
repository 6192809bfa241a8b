import { HaltError, checkGuardOptions, describe, type GuardOptions, LIMITER_OPTIONS } from '@halt/core/http'

import { type HaltRouteOptions, REFUSAL_OPTIONS } from './options.ts'

const HOOKS: readonly unknown[] = ['onRequest', 'preParsing', 'preValidation', 'preHandler']

/** Checks the options of the plugin. @throws HaltError */
export function checkPlugin(options: object): void {
  check(options, [...LIMITER_OPTIONS, 'limiter', 'global', 'hook', ...REFUSAL_OPTIONS], 'The plugin')
}

/** Checks the options of a route. @throws HaltError */
export function checkRoute(options: unknown): asserts options is HaltRouteOptions {
  if (typeof options !== 'object' || options === null) {
    throw new HaltError(
      'HALT_E_OPTION',
      `config.halt is ${describe(options)}.`,
      'Give an object of options, or false.',
    )
  }
  check(options, ['limiter', 'hook', 'override', ...REFUSAL_OPTIONS], 'config.halt')
  const { limiter, policy, override } = options as HaltRouteOptions
  if (override === true && policy === undefined && limiter === undefined) {
    const fix = 'Give a policy or a limiter. To switch the global limit off, use config: { halt: false }.'
    throw new HaltError(
      'HALT_E_OPTION',
      'config.halt has override, but no policy or limiter that replaces the global one.',
      fix,
    )
  }
}

/** Checks the options of `app.halt()`. @throws HaltError */
export function checkHook(options: object): void {
  check(options, [...LIMITER_OPTIONS, 'limiter', ...REFUSAL_OPTIONS], 'app.halt()')
}

function check(options: object, own: readonly string[], owner: string): void {
  checkGuardOptions(options as GuardOptions, own, owner)
  const fields = options as Record<string, unknown>
  for (const name of ['global', 'override', 'throwOnLimited']) {
    if (fields[name] === undefined || typeof fields[name] === 'boolean') continue
    throw new HaltError('HALT_E_OPTION', `${name} is ${describe(fields[name])}.`, 'Give true or false.')
  }
  if (fields['hook'] !== undefined && !HOOKS.includes(fields['hook'])) {
    throw new HaltError(
      'HALT_E_OPTION',
      `hook is ${describe(fields['hook'])}.`,
      `Choose one of ${HOOKS.join(', ')}.`,
    )
  }
  if (fields['throwOnLimited'] === true && fields['onLimited'] !== undefined) {
    throw new HaltError(
      'HALT_E_OPTION',
      'Both onLimited and throwOnLimited are given.',
      'Give one of them, because a refusal is answered once.',
    )
  }
}
