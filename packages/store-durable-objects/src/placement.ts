import { isStrayPromise, makeDigest } from '@halt/core/store'

import { storeError } from './call/store-error.ts'
import type { DurableObjectStoreOptions } from './options.ts'

/** Gives the name of the object that holds the counters of a subject. */
export type NameOf = (subject: string) => string

/** Makes the function that names objects. No two of the three kinds share a name, and no document has the name of one. */
export function placement(prefix: string, objects: DurableObjectStoreOptions['objects']): NameOf {
  if (typeof objects === 'function')
    return subject => {
      const name: unknown = objects(subject)
      if (typeof name === 'string') return `${prefix}object:${name}`
      const given = isStrayPromise(name) ? 'a promise' : typeof name
      throw storeError(`objects gave ${given} for a subject, not a text`, 'placement')
    }
  if (objects === undefined || objects === 'per-subject') return subject => `${prefix}subject:${subject}`
  if (objects === 1) return () => `${prefix}shard:0`
  const digest = makeDigest()
  return subject => `${prefix}shard:${numberOf(digest(subject)) % objects}`
}

/** The name of the object that holds a document. */
export function nameOfDocument(prefix: string, document: string): string {
  return `${prefix}document:${document}`
}

/** The name of the object that only answers whether objects can be reached. */
export function nameOfProbe(prefix: string): string {
  return `${prefix}probe`
}

/** Reads 48 bits of a digest, evenly spread. */
function numberOf(digest: string): number {
  let number = 0
  for (let i = 0; i < 8; i++) number = number * 64 + ALPHABET.indexOf(digest.charAt(i))
  return number
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
