/** The part of the page that a request asks for. */
export type Route =
  | { readonly kind: 'file'; readonly name: string }
  | { readonly kind: 'api'; readonly name: string }
  | { readonly kind: 'elsewhere'; readonly to: string }

/**
 * Finds out what a request is about, by the end of its path: `…/` is the page, `…/files/<name>` a file of it, `…/api/<name>` a call.
 * So the page needs not know where it is mounted, also behind a proxy that changes the path.
 */
export function routeOf({ url }: Pick<Request, 'url'>): Route {
  const { pathname } = new URL(url)
  const [, folder, name = ''] = /\/(api|files)\/([\w.-]+)$/.exec(pathname) ?? []
  if (folder === 'api') return { kind: 'api', name }
  if (folder === 'files') return { kind: 'file', name }
  if (pathname.endsWith('/')) return { kind: 'file', name: 'page.html' }
  // Relative addresses in the page need the slash. `./` keeps the last part from being read as a scheme or a host.
  return { kind: 'elsewhere', to: `./${pathname.slice(pathname.lastIndexOf('/') + 1)}/` }
}
