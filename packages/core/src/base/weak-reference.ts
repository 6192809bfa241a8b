/** A reference to an object. It does not keep the object alive, unless the runtime has no `WeakRef`. */
export interface Reference<T extends object> {
  deref(): T | undefined
}

/** Makes a reference. Workers with a compatibility date before 2025-05-05 have no `WeakRef`: there it keeps its object. */
export function referTo<T extends object>(item: T): Reference<T> {
  return hasWeakRef() ? new WeakRef(item) : { deref: () => item }
}

/** True where references are weak. Where it is false, a list of references must be bounded. */
export function hasWeakRef(): boolean {
  return typeof WeakRef === 'function'
}
