/** Gives work out of something limited, as memory, in the order it is asked for. */
export interface Budget {
  /** Waits until `amount` is free, or nothing is in use; the result gives it back. */
  take(amount: number): Promise<() => void>
}

/** A budget of `limit`; one piece of work that needs more is done alone. */
export function createBudget(limit: number): Budget {
  const waiting: { amount: number; start: () => void }[] = []
  let used = 0
  let holders = 0
  const fits = (amount: number) => holders === 0 || used + amount <= limit
  const claim = (amount: number) => {
    used += amount
    holders++
  }
  const giveBack = (amount: number) => {
    used -= amount
    holders--
    while (waiting[0] && fits(waiting[0].amount)) {
      const { amount: next, start } = waiting.shift()!
      claim(next)
      start()
    }
  }
  return {
    async take(amount) {
      if (waiting.length === 0 && fits(amount)) claim(amount)
      else await new Promise<void>((start) => waiting.push({ amount, start }))
      return () => giveBack(amount)
    },
  }
}
