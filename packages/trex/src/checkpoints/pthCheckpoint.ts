import type { ByteSource } from './byteSource.js'
import type { Checkpoint } from './checkpoint.js'
import { pickleTree } from './pickleTree.js'
import { openPth } from './pth.js'
import { stateDicts } from './stateDicts.js'

/** Opens a file that `torch.save` wrote. @throws CheckpointError as `openPth` does. */
export function openPthCheckpoint(source: ByteSource): Checkpoint {
  const { name, size } = source
  const file = openPth(source)
  const networks = stateDicts(file.root).map(({ path, tensors }) => ({
    path,
    tensors,
    read: (tensor: string) => file.read(tensors.get(tensor)!),
  }))
  return { name, size, format: 'pytorch', metadata: {}, networks, tree: () => pickleTree(file.root) }
}
