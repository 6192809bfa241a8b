import type { AppRoute, AppRoutes } from './route.ts'

interface Fastify {
  ready(): PromiseLike<unknown>
  printRoutes(options: { readonly includeHooks: boolean; readonly commonPrefix: boolean }): string
}

const NOTES = [
  'Fastify does not tell the config of a route: one with `config: { halt: false }` is listed as limited below a global limit.',
  'Fastify prints only the "*" of a path with a wildcard.',
]

/** The routes of a Fastify application, which is made ready for that; undefined for anything else. */
export async function fastifyRoutes(app: unknown): Promise<AppRoutes | undefined> {
  const { printRoutes, ready, addHook } = (app ?? {}) as Partial<Fastify> & { readonly addHook?: unknown }
  if (typeof printRoutes !== 'function' || typeof ready !== 'function' || addHook === undefined)
    return undefined
  await (app as Fastify).ready()
  const routes = routesIn((app as Fastify).printRoutes({ includeHooks: true, commonPrefix: false }))
  return {
    framework: 'Fastify',
    routes,
    notes: NOTES.filter((_, i) => i === 0 || routes.some(({ path }) => path.endsWith('*'))),
  }
}

/**
 * Reads the tree that Fastify prints: a line for each route, and below it a line for each kind of hook. A route within another has the
 * rest of its path.
 */
function routesIn(tree: string): readonly AppRoute[] {
  const routes: AppRoute[] = []
  const around: { readonly depth: number; readonly path: string }[] = []
  for (const line of tree.split('\n')) {
    const text = line.replace(/^[\s│├└─]+/, '')
    const depth = line.length - text.length
    const [, path, methods] = /^(.+) \(([A-Z][A-Z, -]*)\)$/.exec(text) ?? []
    if (path !== undefined && methods !== undefined) {
      const names = methods.split(', ')
      const method = names.length > 5 ? 'ALL' : names.join(', ')
      while ((around.at(-1)?.depth ?? -1) >= depth) around.pop()
      const full = (around.at(-1)?.path ?? '') + path
      around.push({ depth, path: full })
      routes.push({ method, path: full, isLimited: false })
    } else if (text.startsWith('•') && text.includes('"haltHook()"')) {
      const last = routes.pop()
      if (last !== undefined) routes.push({ ...last, isLimited: true })
    }
  }
  // Fastify adds a HEAD route for each GET route.
  return routes.filter(({ method }) => method !== 'HEAD')
}
