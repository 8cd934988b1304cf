/** Whether a file or folder of this name is left out: what starts with '.', and what file managers leave behind. */
export function isHidden(name: string): boolean {
  return name.startsWith('.') || /^(thumbs\.db|desktop\.ini|__macosx)$/i.test(name)
}

/** The first part of a path that is hidden, with the parts above it; null where none is. */
export function hiddenPart(path: string): string | null {
  const parts = path.split('/')
  const at = parts.findIndex(isHidden)
  return at < 0 ? null : parts.slice(0, at + 1).join('/')
}
