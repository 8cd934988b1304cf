import type { ByteSource } from './byteSource.js'
import type { Checkpoint } from './checkpoint.js'
import { pickleTree } from './pickleTree.js'
import type { PthFile } from './pthFile.js'
import { stateDicts } from './stateDicts.js'

/** What `openPth` opened, as a checkpoint. */
export function pthCheckpoint({ name, size }: ByteSource, file: PthFile): Checkpoint {
  const networks = stateDicts(file.root).map(({ path, tensors }) => ({
    path,
    tensors,
    read: (tensor: string) => file.read(tensors.get(tensor)!),
  }))
  return { name, size, format: 'pytorch', metadata: {}, networks, tree: () => pickleTree(file.root) }
}
