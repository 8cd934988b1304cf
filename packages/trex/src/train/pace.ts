/** Steps whose mean time counts. */
const STEPS = 5
/** So many times the shortest mean so far are worth a word. */
const SLOW = 6

/**
 * Watches the seconds that steps take on a CPU, and says once when they take many times as long as before. That is how
 * another program shows: kernels whose threads wait for one another, spinning, are slowed down far more than by its share
 * of the cores (docs/decisions/0011-data-threads-give-way.md).
 */
export function watchPace(): (seconds: number) => string | null {
  const recent: number[] = []
  let shortest = Number.POSITIVE_INFINITY
  let told = false
  return (seconds) => {
    recent.push(seconds)
    if (recent.length > STEPS) recent.shift()
    if (recent.length < STEPS || told) return null
    const mean = recent.reduce((sum, value) => sum + value, 0) / STEPS
    shortest = Math.min(shortest, mean)
    if (mean < SLOW * shortest) return null
    told = true
    return (
      `a step takes ${Math.round(mean / shortest)} times as long as before: another program seems to use the cores, and ` +
      'threads that compute wait for one another. With fewer, such as OMP_NUM_THREADS=1, it may be much faster'
    )
  }
}
