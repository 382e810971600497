// Package register is the cashier's flow: what is rung up, how it is paid, what
// goes on paper. It is pure: [Register.Handle] takes an event and returns the
// register after it together with the effects it asks for, as values. It knows
// no screen, no clock, no database, no printer and no language.
//
// It promises:
//
//   - every event is handled in every phase; one that means nothing there
//     changes nothing, and [Register.WhyNot] says why before it is sent;
//   - the cart is never lost: it is cleared only when its sale is paid, parked
//     or cancelled for good, or by [Clear], which [Undo] takes back;
//   - what belongs together is one [Record]: a sale is not opened without its
//     first tender, and not said to be paid without its receipt being queued;
//   - an answer carries the ticket of its effect, so that a late one cannot
//     land on the next sale;
//   - nothing counts as paid but by the server's verdict, or cash in the hand.
//
// Keys that customers hand over are a [Redemption], coins that leave a [Payout];
// both are pure like the register and promise besides:
//
//   - what is handed over is in the journal before it is judged, secrets as a
//     hash, a mini key as the hash of its hash, which is its private key;
//   - the server is asked by address only until the cashier's y, and y is for the
//     amount that was read: a change of it asks anew;
//   - an outcome that is not known is waited for, never repeated; keys, codes and
//     passphrases are wiped once it is certain.
//
// Sources: product.md §3 and §4, terminal.md §4.1, §4.2 and §6 to §9, bitcoin.md §1,
// merchant.md for the kinds of tender.
package register
