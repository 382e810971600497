# A card: the key is made here, written, and read back with a second swipe before
# coins move. A card that does not take it pays nothing.
reader takes hi
do sell
press 1 5 0 0
do next
press 2
do approve
type "2\n2222\n"
see "15.00" in dialog
do confirm
reader swipe bad
see /uneven/i within 8s
card holds nothing
say "the second try: two good swipes"
press 2
do approve
type "2\n2222\n"
do confirm
reader swipe
reader swipe
see "PAID OUT" within 15s
card holds key
paper "Bitcoin sold" within 5s
do acknowledge
mine 1
journal verify
