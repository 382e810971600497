// Package rates knows what a bitcoin costs (bitcoin.md §5).
//
// A [Board] asks its sources each minute and gives the median of what is young
// enough. It gives nothing, and says why, when too few sources answered
// (rate_missing), when too few of the answers are young (rate_stale), and while
// the price has jumped (rate_jump).
//
// The jump guard compares each median with all that were given in the last ten
// minutes. One that differs from any of them by more than the limit is held back,
// and with it every price, until the medians either return to within the limit of
// those given before, or have stayed within the limit of each other for ten
// minutes: then the new level counts. A single wrong source thus stops quotes
// rather than set a price, and a crash is followed ten minutes late.
//
// Prices are read from decimal text into whole minor units, rounded half up; no
// floating point is involved.
package rates
