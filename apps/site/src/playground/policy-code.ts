import type { PlayPolicy } from './setup.ts'

/** Writes policies as TypeScript, to be copied into an application. */
export function policyCode(policies: readonly PlayPolicy[]): string {
  const [only] = policies
  if (only !== undefined && policies.length === 1) return `const policy = ${literal(only)}`
  return `const policy = [\n${policies.map(policy => `  ${literal(policy)},\n`).join('')}]`
}

function literal(policy: object): string {
  const fields = Object.entries(policy).filter(([, value]) => value !== undefined)
  const parts = fields.map(([name, value]) => `${name}: ${valueOf(value)}`)
  return `{ ${parts.join(', ')} }`
}

function valueOf(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  return typeof value === 'object' && value !== null ? literal(value) : JSON.stringify(value)
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
