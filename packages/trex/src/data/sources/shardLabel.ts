/** A label as it is written: an integer, or a class's name. */
export type RawLabel = number | string

const MAX_NAME = 200

/** The label that a KEY.cls file holds; null where it is neither an integer nor one line of text. */
export function readCls(content: Uint8Array): RawLabel | null {
  const text = utf8(content)
  return text === null ? null : fromText(text)
}

/** The label that a KEY.json file has as `label`, else as `cls`; null where it has none that is an integer or a text. */
export function readJsonLabel(content: Uint8Array): RawLabel | null {
  const text = utf8(content)
  if (text === null) return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const fields = value as Record<string, unknown>
  const label = Object.hasOwn(fields, 'label')
    ? fields.label
    : Object.hasOwn(fields, 'cls')
      ? fields.cls
      : null
  if (typeof label === 'number') return Number.isSafeInteger(label) ? label : null
  return typeof label === 'string' ? fromText(label) : null
}

function fromText(text: string): RawLabel | null {
  const label = text.trim()
  if (/^[+-]?\d{1,15}$/.test(label)) return Number(label)
  return label === '' || label.length > MAX_NAME || /\p{Cc}/u.test(label) ? null : label
}

function utf8(content: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch {
    return null
  }
}
