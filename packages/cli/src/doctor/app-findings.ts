import type { AppRoute } from './app/route.ts'
import { loadApp } from './app/load-app.ts'
import type { Finding } from './finding.ts'

/** The paths that a limiter exempts by default, for GET and HEAD. */
const HEALTH = ['/health', '/ping', '/ready', '/healthz', '/livez']

/** Finds routes of an application without a limit. */
export async function appFindings(path: string, cwd: string): Promise<readonly Finding[]> {
  const { framework, routes, notes } = await loadApp(path, cwd)
  const counted = routes.filter(({ method, path: own }) => !(HEALTH.includes(own) && method === 'GET'))
  const [open, unknown] = [false, undefined].map(each =>
    counted.filter(({ isLimited }) => isLimited === each),
  )
  const limited = counted.filter(({ isLimited }) => isLimited === true).length
  return [
    ...(limited > 0 || counted.length === 0
      ? [
          {
            level: 'ok',
            message: `${framework}: ${limited} of ${counted.length} routes have a limit.`,
          } as const,
        ]
      : []),
    ...(open ?? []).map((route): Finding => ({
      level: 'problem',
      message: `${framework}: ${nameOf(route)} has no limit.`,
      fix: 'Mount halt before it, or on all routes.',
    })),
    ...(unknown ?? []).map((route): Finding => ({
      level: 'info',
      message: `${framework}: nobody can tell from outside whether ${nameOf(route)} has a limit.`,
    })),
    ...notes.map((message): Finding => ({ level: 'info', message })),
  ]
}

function nameOf({ method, path }: AppRoute): string {
  return `${method} ${path}`
}
