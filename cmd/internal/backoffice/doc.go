// Package backoffice shows the owner the shop over SSH, so that a server in a
// cupboard needs no screen: pages of text that are read anew every few seconds.
//
// It promises:
//
//   - Who comes in has a key that is in the owner's authorized_keys; there are no
//     passwords, no commands, no files and no forwarded ports.
//   - Nothing can be changed from it: a page is text that its maker reads.
//   - What a page says is cut to the window and holds no control character.
package backoffice
