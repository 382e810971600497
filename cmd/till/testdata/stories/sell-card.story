# A key on a card: made here, written, read back and compared, then coins move.
do sell
press 1 5 0 0
do next
reader takes hi
press 2
do approve
type "2\n2222\n"
see "15.00" in dialog
do confirm
see /swipe/i within 10s
reader swipe
see /swipe/i within 10s
reader swipe
see "PAID OUT" within 20s
card holds key
paper "Bitcoin sold" within 5s
do acknowledge
mine 1
journal verify
