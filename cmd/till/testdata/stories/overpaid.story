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
journal verify
