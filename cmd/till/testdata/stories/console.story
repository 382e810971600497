# The bare Linux console: F keys are F keys, 16 colours, and the QR is drawn with
# what its font has.
term linux
colour 16
size 240x67
ring 12.30
press f3
screen sales
press f2
screen register
see "12.30"
do pay
do tender.bitcoin
screen pay
qr /^bitcoin:/i
customer pays
see state accepted
do acknowledge
size 80x24
ring 1.00
do pay
do tender.bitcoin
see /print/i
