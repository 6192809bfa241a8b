/** The part of GraphQL's `info` that Halt reads. */
interface FieldInfo {
  readonly fieldName: string
  readonly parentType: { readonly name?: string }
  readonly path?: { readonly prev?: unknown }
  readonly operation?: { readonly operation?: string }
}

/** The arguments of a resolver that Halt reads. */
export interface GraphqlArgs {
  readonly info: FieldInfo | undefined
  /** The result of the driver's `context` option. */
  readonly context: unknown
  /** True if the call resolves an entity of a federated graph, not a field. */
  readonly isReference: boolean
}

/** Finds them: `(root, args, context, info)` for a field, `(reference, context, info)` for an entity. */
export function graphqlArgs(args: readonly unknown[]): GraphqlArgs {
  const at = args.findLastIndex(isInfo)
  if (at < 1) return { info: undefined, context: args[2], isReference: false }
  return { info: args[at] as FieldInfo, context: args[at - 1], isReference: at === 2 }
}

function isInfo(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'fieldName' in value && 'parentType' in value
}
