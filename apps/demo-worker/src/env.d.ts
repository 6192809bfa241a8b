// The bindings of wrangler.jsonc.
declare namespace Cloudflare {
  interface Env {
    readonly HALT: DurableObjectNamespace
  }
}
