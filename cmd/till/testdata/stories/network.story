# The network is gone for an hour of sales: the counter goes on with cached
# addresses, and what came meanwhile is told when it is back.
ring 5.00
do pay
do tender.bitcoin
qr /^bitcoin:/i
customer pays
see state accepted
do acknowledge
pull network
see /offline/i in health within 30s
say "bitcoin sales go on with the price that is held, and say what cannot be told"
ring 6.00
do pay
do tender.bitcoin
qr /^bitcoin:/i as offline
customer pays
never "PAID" for 4s
see /offline/i in health
do back
do park
screen register
say "cash always works"
ring 2.00
do pay
do tender.cash
do next
see "PAID"
do acknowledge
clock +1h
ring 2.50
do pay
do tender.cash
do next
do acknowledge
plug network
see "server" in health within 70s
do sales
see "accepted" within 10s
journal verify
