import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { pythonWith } from '../../../test/support/python.js'
import { openEventFile } from './eventFile.js'

const { python, why } = pythonWith('tensorboard', process.env.TREX_TENSORBOARD_PYTHON)

/** What TensorBoard's own readers make of a folder: the accumulator of programs, and the one behind the pages. */
const READ = `
import json, sys, logging
logging.disable(logging.CRITICAL)
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator as PluginAccumulator
from tensorboard.util import tensor_util
all = {'scalars': 0, 'histograms': 0, 'tensors': 0}
a = EventAccumulator(sys.argv[1], size_guidance=all); a.Reload()
p = PluginAccumulator(sys.argv[1], tensor_size_guidance={'scalars': 0, 'histograms': 0, 'text': 0}); p.Reload()
plain = lambda value: value.decode() if isinstance(value, bytes) else value
print(json.dumps({
  'scalars': {tag: [[e.step, e.value] for e in a.Scalars(tag)] for tag in a.Tags()['scalars']},
  'histograms': {tag: [[e.step, e.histogram_value.num, e.histogram_value.min, e.histogram_value.max,
    sum(e.histogram_value.bucket)] for e in a.Histograms(tag)] for tag in a.Tags()['histograms']},
  'texts': {tag: [[e.step, e.tensor_proto.string_val[0].decode()] for e in a.Tensors(tag)] for tag in a.Tags()['tensors']},
  'pages': {tag: [p.SummaryMetadata(tag).plugin_data.plugin_name,
    [[e.step, plain(tensor_util.make_ndarray(e.tensor_proto).tolist())] for e in p.Tensors(tag)]]
    for tag in p.Tags()['tensors']},
}))`

test.skipIf(python === null)(
  `the real TensorBoard shows what was written, and drops what is made again${why}`,
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'trex-tensorboard-'))
    try {
      const first = openEventFile(dir, { startStep: 0 })
      first.text('config', 0, '# größer')
      for (let step = 0; step < 8; step++) first.scalar('train/loss', step, 8 - step)
      first.histogram('weights', 2, Float64Array.of(-1, 0, 0.5, 3))
      first.histogram('weights', 7, Float64Array.of(9))
      first.close()
      truncateSync(first.path, readFileSync(first.path).length - 3) // killed while it wrote its last record
      const second = openEventFile(dir, { startStep: 5 })
      for (let step = 5; step < 7; step++) second.scalar('train/loss', step, 100 + step)
      second.histogram('weights', 6, Float64Array.of(2, 2, 4))
      second.close()

      const loss = [...[0, 1, 2, 3, 4].map((step) => [step, 8 - step]), [5, 105], [6, 106]]
      const read = JSON.parse(execFileSync(python!, ['-c', READ, dir], { encoding: 'utf8' }))
      expect(read.scalars).toEqual({ 'train/loss': loss })
      expect(read.histograms).toEqual({
        weights: [
          [2, 4, -1, 3, 4],
          [6, 3, 2, 4, 3],
        ],
      })
      expect(read.texts).toEqual({ config: [[0, '# größer']] })
      const { config, weights, ...pages } = read.pages
      expect(pages).toEqual({ 'train/loss': ['scalars', loss] })
      expect(config).toEqual(['text', [[0, '# größer']]])
      expect(weights[0]).toBe('histograms')
      for (const [, buckets] of weights[1] as [number, [number, number, number][]][])
        for (const [left, right] of buckets) expect(left).toBeLessThan(right)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  },
)
