// Package blob keeps ciphertext that is too large for a store: the history of an
// account on its way to a new phone, and nothing that anybody here could read.
//
// A blob has a key of parts, such as "demo/transfer/t_…/1/64", that says nothing of
// whose it is. It is there whole or not at all, is never changed, and is deleted
// with everything under a prefix of its key. [Folder] keeps blobs in files:
//
//	f, err := blob.OpenFolder(&blob.FolderOptions{Dir: "data/blobs"})
//	err = f.Put(ctx, "demo/transfer/t_…/1/0", size, body)
//	err = f.Sync(ctx, slices.Values(keys)) // now they survive a power cut
//
// Whoever promises something of a blob keeps a row of it in a store: here is no
// list of what should be there. A blob is put first and its row is written then; a
// row goes first and its blob then. So a crash leaves blobs without rows, which a
// sweep finds with Keys, and no row without its blob but for what a power cut takes
// before Sync.
//
// # Other places
//
// transfer.Blobs is the whole seam; what is built on it assumes no more than its
// comments say. An object store such as S3 has what it needs: Put is one PutObject
// with the length known beforehand, which shows an object whole or not at all; Get
// is a GetObject with a Range; Sync has nothing to do, for what was put is durable;
// Delete and Keys go through ListObjectsV2 by prefix. No key is renamed, appended to
// or locked.
package blob
