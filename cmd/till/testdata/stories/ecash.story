# A customer pays in e-cash: the bill is a code on the screen, the mint says yes,
# and the sale is in the list and on paper. Bitcoin and e-cash take each other's
# place.
size 100x30
ring 12.30
do pay
do tender.ecash
qr /^taler\+http:.*[?]sale=/ within 60s
see "12.30 EUR"
see "bill holds"
customer taps
see "PAID" within 30s
paper "E-cash" within 5s
paper "12.30"
do acknowledge
say "the customer changes the mind"
ring 0.50
do pay
do tender.bitcoin
qr /^bitcoin:/i
do tender.ecash
qr /^taler/ within 10s
say "F9: the practice shop's own customer pays"
do customer
see "PAID" within 30s
do acknowledge
do sales
see state confirmed
do next
see "E-cash"
see "taken back"
journal verify
