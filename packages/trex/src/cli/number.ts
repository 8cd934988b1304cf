import { InvalidArgumentError } from 'commander'

/** The number an option's text holds. @throws InvalidArgumentError, which commander reports with the option's name. */
export function number(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It is not a number.')
  return value
}

/** As `number`, for whole numbers from 1 on. */
export function wholeNumber(text: string): number {
  const value = number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('It is not a whole number from 1 on.')
  return value
}
