# At 40×20 the pay screen is the QR alone with one row.
size 40x20
ring 12.30
do pay
do tender.bitcoin
qr /^bitcoin:/i
see "12.30"
see "0.00021162"
customer pays
see state accepted
see "PAID"
do acknowledge
screen register
size 30x10
screen too-small
size 200x60
screen register
ring 1
see "1.00"
do pay
do tender.bitcoin
qr /^bitcoin:/i
size 80x24
qr /^bitcoin:/i
