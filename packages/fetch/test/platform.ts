/** The examples of a platform, running: built and served by the platform, or as modules that a test calls as the platform does. */
export interface Platform {
  ask(path: string, client: string): Promise<Response>
  /** What the build printed. */
  readonly printed: string
  end(): Promise<void>
}
