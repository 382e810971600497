# A further terminal of the shop, on NAME: its own paper, drawer and cable, the same server.
patience 20s
ring 12.30
do pay
do tender.cash
do next
do acknowledge
on second: see "PRACTICE"
on second: ring 5 "Candle"
on second: see "Candle"
on second: do pay
on second: do tender.bitcoin
on second: qr /^bitcoin:/i
on second: customer pays
on second: see state accepted
on second: do acknowledge
on second: pull network
on second: see /offline/ in health
on second: ring 2
on second: do pay
on second: do tender.cash
on second: do next
on second: do acknowledge
ring 1
do pay
do tender.bitcoin
customer pays
see state accepted
do acknowledge
on second: plug network
on second: see "sent all" in health within 70s
clock +60s
expect @drawer.cash == 12.30
on second: expect @drawer.cash == 2.00
journal verify
on second: journal verify
