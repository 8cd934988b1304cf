const BLOCKS = '▁▂▃▄▅▆▇█'

/** Values as blocks from the smallest to the largest, at most `width` of them: each the mean of its share of the values. */
export function sparkline(values: readonly number[], width: number): string {
  const count = Math.min(width, values.length)
  const means = Array.from({ length: count }, (_, i) => {
    const share = values.slice(
      Math.floor((i * values.length) / count),
      Math.floor(((i + 1) * values.length) / count),
    )
    return share.reduce((a, b) => a + b, 0) / share.length
  })
  const [min, max] = [Math.min(...means), Math.max(...means)]
  const level = (value: number) =>
    max === min ? 0 : Math.round(((value - min) / (max - min)) * (BLOCKS.length - 1))
  return means.map((value) => BLOCKS[level(value)]).join('')
}
