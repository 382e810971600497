// Package purse is a customer's e-cash wallet (merchant.md §8): coins in a file of
// its own, withdrawn from mints and paid to merchants.
//
// It promises:
//
//   - Durable before and after each network step: whoever loses power after a request
//     left makes the identical request again, and neither loses a coin nor pays twice.
//   - A contract is paid only if the key in the link signed it, and if the merchant
//     sees the mint's keys as this purse does.
//   - What was sent for a contract is never replaced by other coins, unless the mint's
//     proof that a coin is spent was verified.
//   - A mint's master key is pinned at first contact.
//
// The file holds the coins' private keys in the clear, mode 0600: who reads it can
// spend them, as with notes in a purse.
package purse
