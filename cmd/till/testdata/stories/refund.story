# Money of a sale goes back: a part as bitcoin, the rest in cash, never more than
# was paid.
ring 12.30
do pay
do tender.bitcoin
customer pays
see state accepted
do acknowledge
mine 1
do sales
do refund
screen sell
see "12.30"
say "more than was paid is refused"
type "1231"
cannot next because /more than was paid/i
press backspace backspace backspace backspace
type "500"
see "5.00"
do next
scan "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080" by keyboard
do approve
type "2\n2222\n"
see "5.00" in dialog
do confirm
see "PAID OUT" within 10s
paper "Refund" within 5s
do acknowledge
do sales
do refund
see "7.30"
do next
do tender.cash
do approve
type "2\n2222\n"
see "7.30" in dialog
do confirm
see "PAID OUT" within 10s
do acknowledge
do sales
do refund
see /nothing is left to give back/i
journal verify
