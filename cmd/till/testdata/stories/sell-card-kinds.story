# A card of the other kind does not take the key: the other kind is offered, then
# the coins move. A card given up moves none.
do sell
press 1 5 0 0
do next
reader takes lo
press 2
do approve
type "2\n2222\n"
see "15.00" in dialog
do confirm
see /swipe/i within 10s
reader swipe
see /lo-co/i in dialog
do back
see /nothing was paid out/i
see "How do the coins reach the customer?"
press 2
do approve
type "2\n2222\n"
do confirm
see /swipe/i within 10s
reader swipe
see /lo-co/i in dialog
do confirm
reader swipe
reader swipe bad
see /was not written/i in dialog
do confirm
reader swipe
see /swipe it once more/i
reader swipe
see "PAID OUT" within 20s
card holds wif
journal verify
