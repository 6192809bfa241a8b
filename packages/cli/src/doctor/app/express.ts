import { type AppRoute, type AppRoutes, isGuard } from './route.ts'

interface Layer {
  readonly handle?: ((...args: never[]) => unknown) & { readonly stack?: readonly Layer[] }
  readonly name?: string
  readonly route?: { readonly path?: unknown; readonly stack?: readonly Layer[] }
  /** The method of a handler of a route; undefined for all methods. */
  readonly method?: string
  /** Express 5: whether the layer is mounted on "/". */
  readonly slash?: boolean
  /** Express 4. */
  readonly regexp?: RegExp & { readonly fast_slash?: boolean }
  /** Newer releases of Express 5: the path on which the layer is mounted. */
  readonly rawPath?: unknown
  match?(path: string): unknown
}

/** Whether a guard stands in front of a path below the router at hand; undefined if that cannot be known. */
type Guard = (path: string | undefined) => boolean | undefined

interface Express {
  readonly router?: { readonly stack?: readonly Layer[] }
  readonly _router?: { readonly stack?: readonly Layer[] }
}

/** The routes of an Express application; undefined for anything else. */
export function expressRoutes(app: unknown): AppRoutes | undefined {
  if (typeof app !== 'function' || !('handle' in app && 'set' in app && 'use' in app)) return undefined
  const stack = stackOf(app as Express)
  const walk = new Walk()
  if (stack !== undefined) walk.visit(stack, '', [])
  return { framework: 'Express', routes: walk.routes, notes: [...walk.notes] }
}

// Express 4 throws when `router` is read.
function stackOf(app: Express): readonly Layer[] | undefined {
  return app._router?.stack ?? app.router?.stack
}

class Walk {
  readonly routes: AppRoute[] = []
  readonly notes = new Set<string>()

  /** @param prefix where the router is mounted; undefined if Express does not tell */
  visit(stack: readonly Layer[], prefix: string | undefined, outer: readonly Guard[]): void {
    const guards = [...outer]
    for (const layer of stack) {
      if (layer.route !== undefined) this.#add(layer.route, prefix, guards)
      else if (isGuard(layer.handle)) guards.push(guardOf(layer))
      else if (layer.handle?.stack !== undefined) this.#enter(layer, layer.handle.stack, prefix, guards)
      else if (layer.name === 'mounted_app')
        this.notes.add(
          'An application is mounted on another. Express does not list its routes: check it by itself.',
        )
    }
  }

  #enter(layer: Layer, stack: readonly Layer[], prefix: string | undefined, guards: readonly Guard[]): void {
    const mount = mountOf(layer)
    if (mount === undefined)
      this.notes.add(
        'Express does not tell where a router is mounted, in releases before 5.3 or on a pattern. "…" stands for that path.',
      )
    const full = (path: string | undefined): string | undefined =>
      mount === undefined || path === undefined ? undefined : mount + path
    const below = guards.map(
      (guard): Guard =>
        path =>
          guard(full(path)),
    )
    this.visit(stack, prefix === undefined || mount === undefined ? undefined : prefix + mount, below)
  }

  #add(
    { path, stack = [] }: NonNullable<Layer['route']>,
    prefix: string | undefined,
    guards: readonly Guard[],
  ): void {
    for (const one of Array.isArray(path) ? (path as unknown[]) : [path]) {
      const text = typeof one === 'string' ? one : undefined
      const answers = guards.map(guard => guard(text))
      const isOutside = answers.includes(true) ? true : answers.includes(undefined) ? undefined : false
      const methods = new Set(stack.map(({ method }) => method?.toUpperCase() ?? 'ALL'))
      for (const method of methods) {
        const isOwn = stack.some(each => isGuard(each.handle) && isFor(each, method))
        this.routes.push({
          method,
          path: `${prefix ?? '…'}${text ?? String(one)}`,
          isLimited: isOwn || isOutside,
        })
      }
    }
  }
}

function isFor({ method }: Layer, name: string): boolean {
  return method === undefined || method.toUpperCase() === name
}

function guardOf(layer: Layer): Guard {
  if (mountOf(layer) === '') return () => true
  return path => {
    if (path === undefined) return undefined
    try {
      const found = layer.match?.(path)
      return found === undefined ? undefined : Boolean(found)
    } catch {
      return undefined
    }
  }
}

/** The path on which a layer is mounted; undefined if Express does not tell. */
function mountOf({ slash, regexp, rawPath }: Layer): string | undefined {
  if (slash === true || regexp?.fast_slash === true) return ''
  if (typeof rawPath === 'string') return rawPath.replace(/\/+$/, '')
  // Express 4 keeps the pattern: /^\/api\/v1\/?(?=\/|$)/i
  const [, path] = /^\^((?:\\\/[\w\-.~]+)+)\\\/\?\(\?=\\\/\|\$\)$/.exec(regexp?.source ?? '') ?? []
  return path?.replaceAll('\\/', '/')
}
