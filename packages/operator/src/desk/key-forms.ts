import type { ShownError } from '../answer.ts'
import type { LimiterFinding } from './findings.ts'
import { contains, isNetwork } from './identities.ts'
import type { KeyView } from './key-view.ts'

/** A finding whose keys are as the page shows them. */
export function withKeys(finding: LimiterFinding, view: KeyView): LimiterFinding {
  return {
    ...finding,
    policies: finding.policies.map(each => ({ ...each, key: each.key && view.show(each.key) })),
  }
}

/** Whether an entry for a target holds for a client. */
export function concerns(target: string, key: string): boolean {
  if (target === key) return true
  const [, address] = /(?:^|\+)ip:([^/]+)/.exec(key) ?? []
  return address !== undefined && isNetwork(target) && contains(target, address)
}

/** An entry or an act whose target is as the page shows it. */
export function shown<T extends { readonly target?: string | undefined }>(entry: T, view: KeyView): T {
  return entry.target === undefined ? entry : { ...entry, target: view.show(entry.target) }
}

/** The error of a document of operators that cannot be read. */
export function unreadable(problem: string): ShownError {
  return {
    code: 'HALT_W_CONTROL',
    message: `The control document cannot be read: ${problem}. The last good one holds.`,
    fix: 'Let all processes run one version of Halt, or delete the document "control" of the store and act again.',
  }
}
