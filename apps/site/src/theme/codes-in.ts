/** The codes of errors and warnings in a text, each once. */
export function codesIn(text: string): readonly string[] {
  return [...new Set(text.match(/\bHALT_[EW]_[A-Z\d_]*[A-Z\d]/g))]
}
