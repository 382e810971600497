# A paper wallet: the key is made here and printed before coins move. A print
# that fails pays nothing.
do sell
press 1 5 0 0
do next
do print
do approve
type "2\n2222\n"
see "15.00" in dialog
say "without paper there is no payout"
printer paper out
do confirm
see "PRINTING"
never "PAID OUT" for 1s
do cancel
see /not printed/i
printer paper in
wait 1s
say "with paper the key comes out, then coins move"
do print
do approve
type "2\n2222\n"
do confirm
see "PAID OUT" within 15s
paper "PAPER WALLET" within 5s
paper "PRIVATE KEY"
paper "Bitcoin sold" within 5s
paper count "COPY" 0
do acknowledge
mine 1
journal verify
