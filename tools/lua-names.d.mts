export function translate(source: string, read: (name: string) => string): string
