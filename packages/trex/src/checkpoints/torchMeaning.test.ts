import { expect, test } from 'vitest'
import { raw } from '../../test/hostileModels/hostileModel.js'
import { call, dict, global, saved, tensor, text, tuple } from '../../test/hostileModels/pickles.js'
import { bufferSource } from './byteSource.js'
import { encoderWeights } from './encoderWeights.js'
import { openCheckpoint } from './openCheckpoint.js'

const open = (pickle: Buffer) => openCheckpoint(bufferSource(saved(pickle), 'x.pth'))
/** The same call with other arguments in place of its tuple's end. */
const withMore = (made: Buffer, ...more: Buffer[]) => raw(made.subarray(0, -2), ...more, 'tR')

test('parameters and tensors with attributes are read, as torch.save writes them', () => {
  const hooks = call(global('collections', 'OrderedDict'))
  const attributes = dict(text('no_decay'), '\x88')
  const rebuild = (name: string) => global('torch._utils', name)
  const made = tensor()
  const inside = made.subarray(rebuild('_rebuild_tensor_v2').length, -1) // its arguments, a tuple
  const [network] = open(
    dict(
      text('parameter'),
      call(rebuild('_rebuild_parameter_with_state'), made, '\x88', hooks, attributes),
      text('tensor'),
      call(
        global('torch._tensor', '_rebuild_from_type_v2'),
        rebuild('_rebuild_tensor_v2'),
        global('torch', 'Tensor'),
        inside,
        attributes,
      ),
    ),
  ).networks
  expect([...network!.tensors.keys()]).toEqual(['parameter', 'tensor'])
  for (const name of network!.tensors.keys())
    expect([...new Float32Array(network!.read(name).data.slice().buffer)], name).toEqual([1, 2, 3, 4])
})

test('tensors of other kinds, and those to be negated when read, are named and not taken', () => {
  const { networks } = open(
    dict(
      ...[text('complex'), tensor({ kind: 'ComplexFloatStorage' })],
      ...[text('sparse'), call(global('torch._utils', '_rebuild_sparse_tensor'), '\x88', tuple())],
      ...[text('negated'), withMore(tensor(), dict(text('neg'), '\x88'))],
      ...[text('not negated'), withMore(tensor(), dict(text('neg'), '\x89'))],
    ),
  )
  expect([...networks[0]!.tensors.keys()]).toEqual(['not negated'])
  expect(networks[0]!.unread).toEqual(['complex', 'sparse', 'negated'])
})

test('an encoder with a quantised tensor says which', () => {
  const part = call(global('torch._utils', '_rebuild_qtensor'), tuple())
  const checkpoint = open(dict(text('conv1.weight'), part, text('fc.bias'), tensor()))
  expect(() => encoderWeights(checkpoint)).toThrow(/"conv1\.weight" is sparse, quantised/)
})
