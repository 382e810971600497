# Overpaid: accepted as if exact, flagged, and the rest is owed to the customer.
ring 10.00
do pay
do tender.bitcoin
customer pays 30000sat
see state accepted
see state overpaid
see "PAID"
paper "10.00" within 5s
paper "accepted, overpaid"
do acknowledge
say "what is owed goes back at the counter, to the satoshi"
mine 1
do sales
do refund
screen sell
see "7.43"
see "owed of it"
see "17.43"
do next
scan "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080" by keyboard
do approve
type "2\n2222\n"
see "0.00012795" in dialog
do confirm
see "PAID OUT" within 10s
do acknowledge
do sales
do refund
see "10.00"
not "owed of it"
journal verify
