import type { ObjectNamespace } from '../src/index.ts'

/** A namespace whose objects answer as `answer` does, and the names of the objects that were asked. */
export function namespaceOf(
  answer: (body: string) => unknown,
): ObjectNamespace & { readonly asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    idFromName: name => name,
    get: (name: string) => ({
      async fetch(_url, { body }) {
        asked.push(name)
        const text = JSON.stringify(await answer(body))
        return { status: 200, text: async () => text }
      },
    }),
  }
}
