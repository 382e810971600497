# The first sale on a real node: rung up, shown, paid through btcd, printed.
patience 15s
screen register
ring 12.30
do pay
do tender.bitcoin
screen pay
qr /^BITCOIN:BCRT1/ as uri
shot sale.png
customer pays
see state seen
see state accepted
paper "12.30"
paper qr
do acknowledge
mine 1
do sales
see state accepted
mine 2
see state confirmed
journal verify
