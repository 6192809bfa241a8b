/** A route of an application, as its framework tells it. */
export interface AppRoute {
  readonly method: string
  readonly path: string
  /** Whether a guard of Halt stands in front of it; undefined if the framework does not tell. */
  readonly isLimited: boolean | undefined
}

/** The routes of an application. */
export interface AppRoutes {
  readonly framework: string
  readonly routes: readonly AppRoute[]
  /** Sentences about facts that the framework does not tell. */
  readonly notes: readonly string[]
}

/** The names of the functions by which the adapters guard routes. They are a part of each adapter, and are never minified. */
const GUARDS: readonly unknown[] = ['haltMiddleware', 'haltHook']

/** Whether a function of a framework's list is a guard of Halt. */
export function isGuard(handler: unknown): boolean {
  return typeof handler === 'function' && GUARDS.includes(handler.name)
}
