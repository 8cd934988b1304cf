/** What DATA may be, for `--help`. */
export const DATA_HELP =
  'folder of class folders (or of train/ and val/ with class folders each), .csv of path,label[,split], tar archives (photos.tar, wds:shards/{000..009}.tar, https://...), or folder of CIFAR or MNIST files'
