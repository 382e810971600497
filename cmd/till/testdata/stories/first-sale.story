# The first sale.
screen register
ring 12.30
see "12.30"
do pay
do tender.bitcoin
screen pay
qr /^bitcoin:/i as uri
customer pays
see state accepted
see "PAID"
paper "12.30" within 5s
paper "Café Central"
paper qr
paper count "COPY" 0
do acknowledge
screen register
mine 3
do sales
see state confirmed
expect @wallet.sat > 0
journal verify
