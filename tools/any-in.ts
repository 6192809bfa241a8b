type IsAny<T> = 0 extends 1 & T ? true : false
type Deeper<Depth extends 0[]> = [...Depth, 0]

/**
 * The paths in a type at which it is `any`, five steps deep; `never` if there are none. A step is a property, an element, a parameter
 * `()` or a result `=>`. Of a function with several signatures it sees the last.
 *
 * @typeParam Foreign types of other packages, into which it does not look
 */
export type AnyIn<T, Foreign = never, Path extends string = '', Depth extends 0[] = []> =
  IsAny<T> extends true
    ? Path
    : Depth['length'] extends 5
      ? never
      : T extends
            | string
            | number
            | boolean
            | bigint
            | symbol
            | null
            | undefined
            | Date
            | RegExp
            | AbortSignal
            | Foreign
        ? never
        : T extends PromiseLike<infer V>
          ? AnyIn<V, Foreign, `await ${Path}`, Deeper<Depth>>
          : T extends ReadonlyMap<infer K, infer V>
            ? AnyIn<K | V, Foreign, `${Path}<>`, Deeper<Depth>>
            : InCalls<T, Foreign, Path, Depth> | InMembers<T, Foreign, Path, Depth>

type InCalls<T, Foreign, Path extends string, Depth extends 0[]> = T extends (...given: infer P) => infer R
  ? AnyIn<P[number], Foreign, `${Path}()`, Deeper<Depth>> | AnyIn<R, Foreign, `${Path}=>`, Deeper<Depth>>
  : never

type InMembers<T, Foreign, Path extends string, Depth extends 0[]> = T extends readonly (infer E)[]
  ? AnyIn<E, Foreign, `${Path}[]`, Deeper<Depth>>
  : {
      [K in keyof T & string]-?: AnyIn<T[K], Foreign, `${Path}.${K}`, Deeper<Depth>>
    }[keyof T & string]
